/* Why a file does not come is told to the other side: it is gone, was changed or withdrawn, there is no room for it, it is
 * not wanted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "shared/error.h"
#include "tests/town_told.h"

static bool has_begun(const struct shown_file *s)
{
	return s->done >= 1 << 20;
}

static void whose_file_is_gone_hears_of_it_and_may_put_it_back(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	char path[200], away[210];

	offer_large(t, path);
	snprintf(away, sizeof away, "%s.away", path);
	assert_int_equal(rename(path, away), 0);
	fetch(b, "alice");
	assert_int_equal(AWAIT(t, b, "alice", is_failed).error, ERR_NOT_FOUND);
	assert_int_equal(AWAIT(t, a, "bob", is_failed).error, ERR_NOT_FOUND);
	/* It is theirs that is gone: nobody has to say so to them. */
	calm_net_run(&t->net, SECOND, NULL, NULL);
	assert_int_equal(count_untold(b), 0);
	assert_int_equal(rename(away, path), 0);
	fetch(b, "alice");
	AWAIT(t, b, "alice", is_done);
	AWAIT(t, a, "bob", is_done);
}

static void whose_file_was_changed_hears_of_it(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	char path[200];

	offer_large(t, path);
	make_new_file(t, "large.bin", LARGE + 1, path);
	fetch(b, "alice");
	assert_int_equal(AWAIT(t, b, "alice", is_failed).error, ERR_CORRUPT);
	assert_int_equal(AWAIT(t, a, "bob", is_failed).error, ERR_CORRUPT);
}

static void who_changes_a_file_on_its_way_hears_of_it(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	char path[200];

	offer_unasked(t, 6 * LARGE, path);
	fetch(b, "alice");
	AWAIT(t, b, "alice", has_begun);
	make_new_file(t, "large.bin", 6 * LARGE + 1, path);
	assert_int_equal(AWAIT(t, a, "bob", is_failed).error, ERR_CORRUPT);
	assert_int_equal(AWAIT(t, b, "alice", is_failed).error, ERR_CORRUPT);
}

static void that_there_is_no_room_is_told_to_who_offered_it(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	calm_net_step *works = t->net.nodes[b->node].step;
	char path[200];

	memset(&spoilt_worker, 0, sizeof spoilt_worker);
	spoilt_worker.what = FILING_BEGIN;
	spoilt_worker.err = ERR_FULL;
	offer_large(t, path);
	t->net.nodes[b->node].step = with_spoilt_worker;
	fetch(b, "alice");
	assert_int_equal(AWAIT(t, b, "alice", is_failed).error, ERR_FULL);
	assert_int_equal(AWAIT(t, a, "bob", is_failed).error, ERR_FULL);
	calm_net_run(&t->net, SECOND, NULL, NULL);
	assert_int_equal(count_untold(b), 0);
	/* There is again. */
	t->net.nodes[b->node].step = works;
	fetch(b, "alice");
	AWAIT(t, b, "alice", is_done);
	AWAIT(t, a, "bob", is_done);
}

static void that_there_is_no_room_is_told_later_to_who_is_away(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	char path[200];

	memset(&spoilt_worker, 0, sizeof spoilt_worker);
	spoilt_worker.what = FILING_WRITE;
	spoilt_worker.err = ERR_FULL;
	offer_large(t, path);
	t->net.nodes[b->node].step = with_spoilt_worker;
	fetch(b, "alice");
	assert_int_equal(AWAIT(t, b, "alice", is_failed).error, ERR_FULL);
	t->net.is_cut = is_apart;
	stop_home(t, a);
	start_home(t, a);
	sql(a, "UPDATE file SET state = 1, error = 0");
	sql(b, "UPDATE file SET flags = flags | 128");
	restart(t, b);
	t->net.is_cut = NULL;
	assert_int_equal(AWAIT(t, a, "bob", is_failed).error, ERR_FULL);
}

static void what_was_withdrawn_is_called_so(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	char path[200];

	offer_large(t, path);
	assert_int_equal(engine_cancel_file(a->engine, see_newest(a, "bob").id), 0);
	fetch(b, "alice");
	assert_int_equal(AWAIT(t, b, "alice", is_failed).error, ERR_EXPIRED);
	assert_int_equal(see_newest(a, "bob").state, TRANSFER_CANCELLED);
}

static bool is_cancelled_by_them(const struct shown_file *s)
{
	return s->state == TRANSFER_FAILED && s->error == ERR_EXPIRED;
}

static void what_was_offered_and_is_withdrawn_is_called_so_at_once(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	char path[200];

	offer_large(t, path);
	assert_int_equal(engine_cancel_file(a->engine, see_newest(a, "bob").id), 0);
	AWAIT(t, b, "alice", is_cancelled_by_them);
	calm_net_run(&t->net, SECOND, NULL, NULL);
	assert_int_equal(see_newest(a, "bob").state, TRANSFER_CANCELLED);
	assert_int_equal(count_untold(a), 0);
	/* Offered once more it can be had. */
	assert_int_equal(engine_accept_file(a->engine, see_newest(a, "bob").id, NULL), 0);
	fetch(b, "alice");
	AWAIT(t, b, "alice", is_done);
	AWAIT(t, a, "bob", is_done);
}

static void who_was_away_hears_later_that_a_file_is_withdrawn(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	struct shown_file s = { 0 };
	uint64_t theirs;
	char path[200];

	offer_large(t, path);
	theirs = see_newest(b, "alice").id;
	calm_net_run(&t->net, 5 * SECOND, NULL, NULL);
	stop_home(t, b);
	assert_int_equal(engine_cancel_file(a->engine, see_newest(a, "bob").id), 0);
	calm_net_run(&t->net, SECOND, NULL, NULL);
	restart(t, a);
	assert_int_equal(count_untold(a), 1);
	start_home(t, b);
	say(t, b, "alice", "back");
	calm_net_run(&t->net, 20 * SECOND, NULL, NULL);
	assert_int_equal(engine_message(b->engine, theirs, show_file, &s), 0);
	assert_true(is_cancelled_by_them(&s));
	assert_int_equal(count_untold(a), 0);
}

static void what_is_withdrawn_before_it_was_delivered_is_called_so(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	char path[200];

	befriend(t);
	accept_up_to(b, 0);
	stop_home(t, b);
	make_new_file(t, "large.bin", LARGE, path);
	offer(t, a, "bob", path);
	assert_int_equal(engine_cancel_file(a->engine, see_newest(a, "bob").id), 0);
	calm_net_run(&t->net, SECOND, NULL, NULL);
	start_home(t, b);
	AWAIT(t, b, "alice", is_cancelled_by_them);
}

static void who_cancels_what_was_offered_to_them_says_so(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	char path[200];

	offer_half(t, path);
	assert_int_equal(engine_cancel_file(b->engine, see_newest(b, "alice").id), 0);
	AWAIT(t, a, "bob", is_cancelled_by_them);
	calm_net_run(&t->net, 10 * SECOND, NULL, NULL);
	assert_true(is_cancelled_by_them((struct shown_file[]){ see_newest(a, "bob") }));
	assert_int_equal(see_newest(b, "alice").state, TRANSFER_CANCELLED);
	assert_int_equal(count_untold(b), 0);
	/* They want it all the same. */
	fetch(b, "alice");
	AWAIT(t, b, "alice", is_done);
	AWAIT(t, a, "bob", is_done);
}

static void who_cancels_while_the_other_is_away_says_so_later(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	char path[200];

	offer_half(t, path);
	stop_home(t, a);
	assert_int_equal(engine_cancel_file(b->engine, see_newest(b, "alice").id), 0);
	calm_net_run(&t->net, SECOND, NULL, NULL);
	restart(t, b);
	start_home(t, a);
	AWAIT(t, a, "bob", is_cancelled_by_them);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TOWN(whose_file_is_gone_hears_of_it_and_may_put_it_back),
		TOWN(whose_file_was_changed_hears_of_it),
		TOWN(who_changes_a_file_on_its_way_hears_of_it),
		TOWN(that_there_is_no_room_is_told_to_who_offered_it),
		TOWN(that_there_is_no_room_is_told_later_to_who_is_away),
		TOWN(what_was_withdrawn_is_called_so),
		TOWN(what_was_offered_and_is_withdrawn_is_called_so_at_once),
		TOWN(what_is_withdrawn_before_it_was_delivered_is_called_so),
		TOWN(who_was_away_hears_later_that_a_file_is_withdrawn),
		TOWN(who_cancels_what_was_offered_to_them_says_so),
		TOWN(who_cancels_while_the_other_is_away_says_so_later),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
