/* What was interrupted, paused, cancelled or changed on its way, and goes on or does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <unistd.h>

#include "peer/engine.h"
#include "peer/way.h"
#include "shared/error.h"
#include "tests/town.h"
#include "tests/scratch.h"
#include "tests/town_files.h"

/* A file of Alice's that Bob fetches: its messages here and there. */
struct transfer {
	uint64_t ours, theirs;
	char path[200];
};

/* So much of it is at Bob's. */
static void begin_large(struct town *t, struct transfer *it, uint64_t bytes)
{
	befriend(t);
	accept_all(&t->homes[1]);
	make_file(t, "large.bin", LARGE, it->path);
	it->ours = offer(t, &t->homes[0], "bob", it->path);
	it->theirs = heard(t, &t->homes[1]);
	await_bytes(t, &t->homes[1], it->theirs, bytes);
}

static void assert_done(struct town *t, const struct transfer *it)
{
	struct home *b = &t->homes[1];

	await(t, b, it->theirs, TRANSFER_DONE);
	assert_true(are_equal(it->path, see(b, it->theirs).path));
}

static void a_transfer_goes_on_where_the_link_was_lost(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	struct transfer it;
	uint64_t before;

	before = bytes_between(t);
	begin_large(t, &it, 2 << 20);
	t->net.is_cut = is_apart;
	calm_net_run(&t->net, 90 * SECOND, NULL, NULL);
	assert_int_equal(see(b, it.theirs).state, TRANSFER_WAITING);
	assert_true(see(b, it.theirs).done >= 2 << 20);
	t->net.is_cut = NULL;
	assert_done(t, &it);
	await(t, a, it.ours, TRANSFER_DONE);
	/* What was under way when it was cut is all that was said twice. */
	assert_true(bytes_between(t) - before < LARGE + (5 << 20) / 2);
}

static void interrupt(struct town *t, struct home *who, bool is_durable)
{
	struct home *a = &t->homes[0], *b = &t->homes[1];
	uint64_t ours, theirs, before;
	char path[200];

	befriend(t);
	accept_all(b);
	make_folder(t, path);
	before = bytes_between(t);
	ours = offer(t, a, "bob", path);
	theirs = heard(t, b);
	await_bytes(t, b, theirs, 3 << 20);
	t->net.is_cut = is_durable ? is_apart : NULL;
	if (is_durable)
		calm_net_run(&t->net, 2 * SECOND, NULL, NULL);
	t->net.is_cut = NULL;
	stop_home(t, who);
	calm_net_run(&t->net, SECOND, NULL, NULL);
	assert_int_not_equal(see(who == a ? b : a, who == a ? theirs : ours).state,
			     TRANSFER_DONE);
	start_home(t, who);
	await(t, b, theirs, TRANSFER_DONE);
	assert_true(are_equal(path, see(b, theirs).path));
	await(t, a, ours, TRANSFER_DONE);
	if (is_durable && who == b)
		assert_true(bytes_between(t) - before < LARGE + (3 << 20) + (5 << 20) / 2);
}

static void a_transfer_goes_on_when_the_receiver_was_killed(void **state)
{
	struct town *t = *state;

	interrupt(t, &t->homes[1], false);
}

static void what_is_on_disk_is_not_sent_again_when_the_receiver_was_killed(void **state)
{
	struct town *t = *state;

	interrupt(t, &t->homes[1], true);
}

static void a_transfer_goes_on_when_the_sender_was_killed(void **state)
{
	struct town *t = *state;

	interrupt(t, &t->homes[0], false);
}

static void who_fetches_may_pause_and_go_on(void **state)
{
	struct town *t = *state;
	struct home *b = &t->homes[1];
	struct transfer it;
	uint64_t done;

	begin_large(t, &it, 2 << 20);
	assert_int_equal(engine_pause_file(b->engine, it.theirs), 0);
	assert_int_equal(see(b, it.theirs).state, TRANSFER_PAUSED);
	assert_true(see(b, it.theirs).done >= 2 << 20); /* also before it is on disk */
	calm_net_run(&t->net, 10 * SECOND, NULL, NULL);
	assert_int_equal(see(b, it.theirs).state, TRANSFER_PAUSED);
	done = see(b, it.theirs).done;
	assert_true(done >= 2 << 20);
	stop_home(t, b);
	start_home(t, b);
	calm_net_run(&t->net, 10 * SECOND, NULL, NULL);
	assert_int_equal(see(b, it.theirs).state, TRANSFER_PAUSED);
	assert_int_equal(see(b, it.theirs).done, done);
	assert_int_equal(engine_accept_file(b->engine, it.theirs, NULL), 0);
	assert_done(t, &it);
}

static void who_offers_may_pause_and_go_on(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	struct transfer it;

	begin_large(t, &it, 2 << 20);
	assert_int_equal(engine_pause_file(a->engine, it.ours), 0);
	assert_true(see(a, it.ours).done >= 2 << 20);
	await(t, b, it.theirs, TRANSFER_STOPPED);
	assert_int_equal(see(a, it.ours).state, TRANSFER_PAUSED);
	assert_true(see(a, it.ours).done >= 2 << 20);
	assert_int_equal(engine_accept_file(a->engine, it.ours, NULL), 0);
	assert_done(t, &it);
}

static void what_was_cancelled_leaves_nothing_and_can_be_had_all_the_same(void **state)
{
	struct town *t = *state;
	struct home *b = &t->homes[1];
	struct transfer it;

	begin_large(t, &it, 2 << 20);
	assert_int_equal(count_in(b->downloads), 1);
	assert_int_equal(engine_cancel_file(b->engine, it.theirs), 0);
	calm_net_run(&t->net, 10 * SECOND, NULL, NULL);
	assert_int_equal(see(b, it.theirs).state, TRANSFER_CANCELLED);
	assert_int_equal(count_in(b->downloads), 0);
	assert_int_equal(engine_accept_file(b->engine, it.theirs, NULL), 0);
	assert_done(t, &it);
	assert_int_equal(count_in(b->downloads), 1);
}

/* Also what rested by then. */
static void what_its_owner_cancelled_fails_and_leaves_nothing(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	uint64_t ours, theirs;
	char path[200];

	befriend(t);
	accept_all(b);
	make_file(t, "large.bin", LARGE, path);
	for (unsigned i = 0; i < 2; i++) {
		forget_events(a);
		forget_events(b);
		ours = offer(t, a, "bob", path);
		theirs = heard(t, b);
		await_bytes(t, b, theirs, 2 << 20);
		if (i > 0) {
			assert_int_equal(engine_pause_file(b->engine, theirs), 0);
			calm_net_run(&t->net, SECOND, NULL, NULL);
		}
		assert_int_equal(count_in(b->downloads), 1);
		assert_int_equal(engine_cancel_file(a->engine, ours), 0);
		await(t, b, theirs, TRANSFER_FAILED);
		assert_int_equal(see(b, theirs).error, ERR_EXPIRED);
		calm_net_run(&t->net, SECOND, NULL, NULL);
		assert_int_equal(count_in(b->downloads), 0);
	}
}

static void what_was_retracted_is_not_fetched(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	struct transfer it;

	begin_large(t, &it, 2 << 20);
	assert_int_equal(engine_retract(a->engine, it.ours, ++t->tickets), 0);
	assert_int_equal(answer_of(t, a, t->tickets), 0);
	wait_for(t, b, EVENT_CHANGED, 1);
	calm_net_run(&t->net, 10 * SECOND, NULL, NULL);
	assert_int_equal(count_in(b->downloads), 0);
}

static void a_file_that_has_changed_is_not_the_one_offered(void **state)
{
	struct town *t = *state;
	struct home *b = &t->homes[1];
	struct transfer it;
	FILE *file;

	begin_large(t, &it, 1 << 20);
	file = fopen(it.path, "ab");
	fputs("more", file);
	fclose(file);
	await(t, b, it.theirs, TRANSFER_FAILED);
	assert_int_equal(see(b, it.theirs).error, ERR_CORRUPT);
}

static void a_spooled_file_goes_when_it_has_arrived(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	uint64_t ours;
	char path[200];

	befriend(t);
	make_file(t, "spool", 1000, path);
	ours = offer_as(t, a, "bob", &(struct engine_file){ .path = path, .is_spooled = true });
	await(t, b, heard(t, b), TRANSFER_DONE);
	await(t, a, ours, TRANSFER_DONE);
	calm_net_run(&t->net, SECOND, NULL, NULL);
	assert_int_not_equal(access(path, F_OK), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TOWN(a_transfer_goes_on_where_the_link_was_lost),
		TOWN(a_transfer_goes_on_when_the_receiver_was_killed),
		TOWN(what_is_on_disk_is_not_sent_again_when_the_receiver_was_killed),
		TOWN(a_transfer_goes_on_when_the_sender_was_killed),
		TOWN(who_fetches_may_pause_and_go_on),
		TOWN(who_offers_may_pause_and_go_on),
		TOWN(what_was_cancelled_leaves_nothing_and_can_be_had_all_the_same),
		TOWN(what_its_owner_cancelled_fails_and_leaves_nothing),
		TOWN(what_was_retracted_is_not_fetched),
		TOWN(a_file_that_has_changed_is_not_the_one_offered),
		TOWN(a_spooled_file_goes_when_it_has_arrived),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
