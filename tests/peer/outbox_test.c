#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "peer/outbox.h"
#include "shared/error.h"
#include "tests/peer_fixture.h"

#define NOW  SECOND
#define WALL ((wall_ms)1700000000000)

static struct peer alice, bob;
static struct debt debt;

static struct person *to(void)
{
	return peer_person(&alice, "bob");
}

static int begin(void **state)
{
	(void)state;
	peer_make(&alice, "alice");
	peer_make(&bob, "bob");
	peer_open(&alice, NOW, WALL);
	assert_int_equal(engine_add(alice.engine, "bob", &bob.identity.public, NULL), 0);
	debt = (struct debt){ 0 };
	outbox_open(alice.rooms->outbox, to(), &bob.device.public, &debt);
	peer_step(&alice, NOW, WALL);
	return 0;
}

static int end(void **state)
{
	(void)state;
	peer_remove(&alice);
	peer_remove(&bob);
	return 0;
}

static void say(unsigned count)
{
	while (count-- > 0)
		assert_int_equal(engine_send(alice.engine, "bob", bytes_text("x"), 0, 1), 0);
	peer_step(&alice, NOW, WALL);
}

static void save(void)
{
	outbox_save(alice.rooms->outbox, &bob.device.public, &debt);
	peer_step(&alice, NOW, WALL);
}

static int asked(uint64_t next, const struct message_hash *last)
{
	struct wire_have have = { .next = next };

	if (last)
		have.last = *last;
	return outbox_asked(alice.rooms->outbox, to(), &debt, &have);
}

static void the_outbox_keeps_a_message_until_it_is_acknowledged(void **state)
{
	(void)state;
	assert_false(outbox_owes(to(), &debt));
	say(2);
	assert_true(outbox_owes(to(), &debt));
	assert_int_equal(outbox_acked(alice.rooms->outbox, to(), &debt, 2), 0);
	assert_true(outbox_owes(to(), &debt));
	assert_int_equal(outbox_acked(alice.rooms->outbox, to(), &debt, 3), 0);
	assert_false(outbox_owes(to(), &debt));
}

static void it_remembers_after_a_restart(void **state)
{
	(void)state;
	say(3);
	assert_int_equal(outbox_acked(alice.rooms->outbox, to(), &debt, 2), 0);
	save();
	peer_close(&alice);
	peer_open(&alice, NOW, WALL);
	outbox_open(alice.rooms->outbox, to(), &bob.device.public, &debt);
	assert_int_equal(debt.next, 2);
	assert_true(outbox_owes(to(), &debt));
}

static void an_acknowledgement_of_what_was_never_said_is_refused(void **state)
{
	(void)state;
	say(1);
	assert_int_equal(outbox_acked(alice.rooms->outbox, to(), &debt, 3), ERR_FORMAT);
	assert_int_equal(outbox_acked(alice.rooms->outbox, to(), &debt, 0), ERR_FORMAT);
	assert_int_equal(asked(0, NULL), ERR_FORMAT);
	assert_int_equal(asked(CHAIN_MAX, NULL), ERR_FORMAT);
	assert_true(outbox_owes(to(), &debt));
}

static void an_old_acknowledgement_changes_nothing(void **state)
{
	(void)state;
	say(3);
	assert_int_equal(outbox_acked(alice.rooms->outbox, to(), &debt, 4), 0);
	assert_int_equal(outbox_acked(alice.rooms->outbox, to(), &debt, 2), 0);
	assert_false(outbox_owes(to(), &debt));
}

static void delivered_is_told_once_one_device_has_it(void **state)
{
	(void)state;
	say(3);
	outbox_acked(alice.rooms->outbox, to(), &debt, 3);
	save();
	assert_int_equal(alice.counts[EVENT_DELIVERED], 1);
	outbox_acked(alice.rooms->outbox, to(), &debt, 3);
	save();
	assert_int_equal(alice.counts[EVENT_DELIVERED], 1);
}

static void a_new_device_starts_at_the_oldest_undelivered_message(void **state)
{
	struct device_public another = { { 9 } };
	struct debt fresh = { 0 };

	(void)state;
	say(3);
	outbox_acked(alice.rooms->outbox, to(), &debt, 3);
	save();
	outbox_open(alice.rooms->outbox, to(), &another, &fresh);
	assert_int_equal(fresh.next, 3);
	debt = fresh;
	assert_int_equal(asked(1, NULL), 0);
	assert_int_equal(debt.cursor, 3);
}

static void a_device_that_lost_some_gets_them_again(void **state)
{
	(void)state;
	say(3);
	outbox_acked(alice.rooms->outbox, to(), &debt, 4);
	assert_int_equal(asked(1, NULL), 0);
	assert_int_equal(debt.cursor, 1);
	assert_true(outbox_owes(to(), &debt));
}

static void more_than_we_have_is_adopted_once_for_each_link(void **state)
{
	struct message_hash last = { { 7 } }, other = { { 8 } };

	(void)state;
	say(2);
	assert_int_equal(asked(40, &last), 0);
	assert_int_equal(to()->conversation->ours.next, 42);
	assert_int_equal(debt.cursor, 40);
	assert_int_equal(asked(90, &other), ERR_FORMAT);
	outbox_linked(&debt);
	assert_int_equal(asked(90, &other), 0);
	assert_int_equal(to()->conversation->ours.next, 92);
}

static void what_was_sent_without_waiting_is_not_sent_again(void **state)
{
	(void)state;
	say(5);
	outbox_acked(alice.rooms->outbox, to(), &debt, 3);
	outbox_linked(&debt);
	assert_int_equal(debt.cursor, 3);
	debt.cursor = 6; /* the rest was pumped */
	assert_int_equal(asked(3, &to()->conversation->ours.last), ERR_OK);
	assert_int_equal(debt.cursor, 3); /* another past: adopted, from there again */
	outbox_linked(&debt);
	debt.cursor = to()->conversation->ours.next;
	assert_int_equal(asked(debt.cursor, &to()->conversation->ours.last), 0);
	assert_int_equal(debt.cursor, to()->conversation->ours.next);
	assert_int_equal(asked(2, NULL), 0);
	assert_int_equal(debt.cursor, 2); /* a second word is a wish */
}

/* What was pumped in a step that could not be stored is beyond what the store has. */
static void a_first_word_counts_also_where_what_was_said_of_it_could_not_be_stored(void **state)
{
	(void)state;
	say(5);
	outbox_acked(alice.rooms->outbox, to(), &debt, 3);
	save();
	outbox_linked(&debt);
	debt.cursor = to()->conversation->ours.next;
	assert_int_equal(asked(debt.cursor, &to()->conversation->ours.last), 0);
	debt.cursor += 2;
	outbox_undo(alice.rooms->outbox, to(), &bob.device.public, &debt);
	assert_true(debt.cursor <= to()->conversation->ours.next);
	debt.cursor = to()->conversation->ours.next;
	assert_int_equal(asked(4, NULL), 0);
	assert_int_equal(debt.cursor, 4);
}

static void the_news_of_a_delivery_waits_a_moment_for_company(void **state)
{
	(void)state;
	say(2);
	assert_int_equal(outbox_acked(alice.rooms->outbox, to(), &debt, 2), 0);
	assert_true(peer_step(&alice, NOW, WALL) <= NOW + OUTBOX_SAVE);
	assert_int_equal(alice.counts[EVENT_DELIVERED], 0);
	say(1);
	assert_int_equal(alice.counts[EVENT_DELIVERED], 1);
	assert_int_equal(outbox_acked(alice.rooms->outbox, to(), &debt, 3), 0);
	peer_step(&alice, NOW + OUTBOX_SAVE, WALL);
	assert_int_equal(alice.counts[EVENT_DELIVERED], 2);
}

static void what_is_asked_for_again_and_again_must_wait(void **state)
{
	unsigned at_once = 0;

	(void)state;
	say(50);
	assert_int_equal(asked(1, NULL), 0);
	while (at_once < 1000) {
		debt.cursor = 51; /* pumped */
		assert_int_equal(asked(1, NULL), 0);
		if (debt.cursor != 1)
			break;
		at_once++;
	}
	/* each time 50 messages again */
	assert_int_equal(at_once, OUTBOX_AGAIN_DUE / (50 * OUTBOX_AGAIN) + 1);
	assert_false(outbox_is_due(to(), &debt, NOW));
	assert_true(outbox_deadline(&debt) > NOW);
	assert_true(outbox_is_due(to(), &debt, outbox_deadline(&debt)));
	assert_true(outbox_owes(to(), &debt));
}

static void another_device_of_ours_has_everything_from_its_arrival_on(void **state)
{
	struct device_public early = { { 1 } }, late = { { 2 } };
	struct debt d = { .is_sibling = true };

	(void)state;
	say(3);
	outbox_acked(alice.rooms->outbox, to(), &debt, 2);
	outbox_admit(alice.rooms->outbox, to(), &late, true);
	outbox_open(alice.rooms->outbox, to(), &late, &d);
	assert_int_equal(d.next, 4);
	outbox_open(alice.rooms->outbox, to(), &early, &d);
	assert_int_equal(d.next, 1);
	/* what it has is not at the contact */
	assert_int_equal(outbox_acked(alice.rooms->outbox, to(), &d, 4), 0);
	assert_int_equal(to()->conversation->delivered, 2);
}

static void a_device_let_in_is_owed_what_is_said_while_it_is_away(void **state)
{
	struct device_public another = { { 9 } };
	struct debt d = { 0 };

	(void)state;
	say(3);
	outbox_acked(alice.rooms->outbox, to(), &debt, 3);
	outbox_admit(alice.rooms->outbox, to(), &another, false);
	say(2);
	outbox_acked(alice.rooms->outbox, to(), &debt, 6);
	outbox_admit(alice.rooms->outbox, to(), &another, false);
	outbox_open(alice.rooms->outbox, to(), &another, &d);
	assert_int_equal(d.next, 3);
	outbox_dismiss(alice.rooms->outbox, to(), &another);
	outbox_open(alice.rooms->outbox, to(), &another, &d);
	assert_int_equal(d.next, 6);
}

#define OUTBOX(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		OUTBOX(the_outbox_keeps_a_message_until_it_is_acknowledged),
		OUTBOX(it_remembers_after_a_restart),
		OUTBOX(an_acknowledgement_of_what_was_never_said_is_refused),
		OUTBOX(an_old_acknowledgement_changes_nothing),
		OUTBOX(delivered_is_told_once_one_device_has_it),
		OUTBOX(the_news_of_a_delivery_waits_a_moment_for_company),
		OUTBOX(a_new_device_starts_at_the_oldest_undelivered_message),
		OUTBOX(a_device_that_lost_some_gets_them_again),
		OUTBOX(what_was_sent_without_waiting_is_not_sent_again),
		OUTBOX(a_first_word_counts_also_where_what_was_said_of_it_could_not_be_stored),
		OUTBOX(more_than_we_have_is_adopted_once_for_each_link),
		OUTBOX(what_is_asked_for_again_and_again_must_wait),
		OUTBOX(another_device_of_ours_has_everything_from_its_arrival_on),
		OUTBOX(a_device_let_in_is_owed_what_is_said_while_it_is_away),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
