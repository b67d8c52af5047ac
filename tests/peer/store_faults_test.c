/* Two engines talk while the disk of one is spoilt: at each of its operations in turn the power
 * goes, there is no room, or an error comes back. Whatever was answered or shown before is there
 * afterwards, and nothing is there twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "shared/error.h"
#include "shared/log.h"
#include "tests/spoilt.h"

enum { TEXTS = 8, SETTLE_S = 600, TEXT_SIZE = NAME_MAX + 12 };

enum fate { UNSAID, UNANSWERED, ACCEPTED, REFUSED };

static enum fate fates[SIDES][TEXTS];
static uint64_t starts_refused, refused;

static enum fate *fate_of(const struct side *s, unsigned n)
{
	return &fates[s - sides][n];
}

static void text_of(const struct side *s, unsigned n, char out[TEXT_SIZE])
{
	snprintf(out, TEXT_SIZE, "%s%u.", s->peer.name.text, n);
}

static void say(struct side *s, unsigned n)
{
	struct peer *p = &s->peer;
	unsigned before = p->counts[EVENT_ANSWER];
	uint64_t cuts_before = cuts;
	char text[TEXT_SIZE];

	text_of(s, n, text);
	if (!p->engine)
		return;
	*fate_of(s, n) = UNANSWERED;
	if (engine_send(p->engine, other_of(s)->peer.name.text, bytes_text(text), 0, n + 1) < 0)
		*fate_of(s, n) = REFUSED;
	spoilt_pass(20 * MILLISECOND);
	if (p->counts[EVENT_ANSWER] > before && p->last[EVENT_ANSWER].ticket == n + 1)
		*fate_of(s, n) = p->last[EVENT_ANSWER].error == 0 ? ACCEPTED : REFUSED;
	/* Nobody read that it was refused: it may be on the disk as the power found it. */
	if (*fate_of(s, n) == REFUSED && cuts > cuts_before)
		*fate_of(s, n) = UNANSWERED;
}

struct told {
	char text[4096];
};

static bool note(void *user, const struct message *m)
{
	struct told *told = user;
	size_t used = strlen(told->text) + 1;

	/* Told newest first. */
	assert_in_range(used + m->text.size, 0, sizeof told->text);
	memmove(told->text + m->text.size, told->text, used);
	memcpy(told->text, m->text.data, m->text.size);
	return true;
}

static unsigned times(const char *in, const char *text)
{
	unsigned count = 0;

	for (const char *at = in; (at = strstr(at, text)) != NULL; at++)
		count++;
	return count;
}

/* What `author` said stands in this history in its order, each text once, none that was refused. */
static void judge(const struct side *author, const char *history, const char *where)
{
	const char *last = history;

	for (unsigned n = 0; n < TEXTS; n++) {
		char text[TEXT_SIZE];
		unsigned count;

		text_of(author, n, text);
		count = times(history, text);
		if (count > 1 || (*fate_of(author, n) == ACCEPTED && count != 1) ||
		    ((*fate_of(author, n) == REFUSED || *fate_of(author, n) == UNSAID) &&
		     count != 0))
			fail_msg("%s: %s is there %u times (fate %d): %s", where, text, count,
				 (int)*fate_of(author, n), history);
		if (count == 1 && strstr(history, text) < last)
			fail_msg("%s: %s is not in its order: %s", where, text, history);
		if (count == 1)
			last = strstr(history, text);
	}
}

static bool is_settled(void *user)
{
	(void)user;
	for (unsigned i = 0; i < SIDES; i++) {
		struct contact c;

		if (!sides[i].peer.engine ||
		    engine_contact(sides[i].peer.engine, other_of(&sides[i])->peer.name.text,
				   &c) < 0 ||
		    c.queued > 0)
			return false;
	}
	return true;
}

static void judge_all(struct side *spoilt, const char *when)
{
	struct told histories[SIDES] = { 0 };

	for (unsigned n = 0; n < TEXTS; n++)
		refused += *fate_of(spoilt, n) == REFUSED;

	if (!calm_net_run(&spoilt_net, SETTLE_S * SECOND, is_settled, NULL))
		fail_msg("%s: something is still owed", when);
	for (unsigned i = 0; i < SIDES; i++) {
		const struct side *s = &sides[i];

		assert_int_equal(engine_history(s->peer.engine, other_of(s)->peer.name.text, 0,
						100, note, &histories[i]),
				 0);
	}
	for (unsigned i = 0; i < SIDES; i++) {
		const struct side *s = &sides[i];
		const char *mine = histories[i].text, *theirs = histories[1 - i].text;

		judge(s, mine, when);
		judge(s, theirs, when);
		for (unsigned n = 0; n < TEXTS; n++) {
			char text[TEXT_SIZE];

			text_of(s, n, text);
			if (times(mine, text) != times(theirs, text))
				fail_msg("%s: %s is on one side alone", when, text);
			/* Shown: never twice, and never what was lost. */
			if (times(other_of(s)->peer.heard, text) > times(theirs, text))
				fail_msg("%s: %s was shown %u times", when, text,
					 times(other_of(s)->peer.heard, text));
		}
	}
}

/* Who could not be opened is tried again once its disk is well, as who is annoyed would. */
static void tell_story(struct side *s, const struct bad_disk_plan *plan, const char *when)
{
	(void)when;
	memset(fates, 0, sizeof fates);
	bad_disk_plan(s->folder, plan);
	for (unsigned i = 0; i < SIDES; i++) {
		if (!switch_on(&sides[i]))
			starts_refused++;
		spoilt_pass(0);
	}
	for (unsigned n = 0; n < TEXTS; n++) {
		if (!s->peer.engine)
			switch_on(s);
		say(&sides[n % 2], n);
		say(&sides[1 - n % 2], n);
		if (n == TEXTS / 2 && plan->fault != BAD_DISK_POWER) {
			switch_off(s);
			switch_on(s);
		}
		spoilt_pass(300 * MILLISECOND);
	}
}

static void strike(enum bad_disk_fault fault, unsigned operations, uint64_t count,
		   const char *what)
{
	static const struct story story = { .tell = tell_story, .close = judge_all };
	uint64_t stories;

	starts_refused = refused = 0;
	stories = strike_each(&story, fault, operations, count, what);
	print_message(
		"%llu stories, %llu power cuts, %llu starts refused, %llu texts refused\n",
		(unsigned long long)stories, (unsigned long long)cuts,
		(unsigned long long)starts_refused, (unsigned long long)refused);
}

static void a_power_cut_at_any_operation_loses_nothing_that_was_answered(void **state)
{
	(void)state;
	strike(BAD_DISK_POWER, BAD_DISK_WRITES | BAD_DISK_SYNCS, 1, "power cut");
}

static void a_full_disk_at_any_write_loses_nothing_that_was_answered(void **state)
{
	(void)state;
	strike(BAD_DISK_FULL, BAD_DISK_WRITES, 1, "no room for write");
}

static void a_disk_that_is_full_for_a_while_loses_nothing_that_was_answered(void **state)
{
	(void)state;
	strike(BAD_DISK_FULL, BAD_DISK_WRITES, 9, "no room for 9 writes from");
}

static void an_error_at_any_write_or_sync_loses_nothing_that_was_answered(void **state)
{
	(void)state;
	strike(BAD_DISK_FAILS, BAD_DISK_WRITES | BAD_DISK_SYNCS, 1, "failed write or sync");
}

static void an_error_at_any_read_loses_nothing_that_was_answered(void **state)
{
	(void)state;
	bad_disk_read_often(true);
	strike(BAD_DISK_FAILS, BAD_DISK_READS, 1, "failed read");
	strike(BAD_DISK_FAILS, BAD_DISK_READS, 9, "nine failed reads from");
	bad_disk_read_often(false);
}

static void who_finds_the_store_locked_says_so_and_loses_nothing(void **state)
{
	(void)state;
	strike(BAD_DISK_LOCKED, BAD_DISK_LOCKS, 1, "lock");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_power_cut_at_any_operation_loses_nothing_that_was_answered),
		cmocka_unit_test(a_full_disk_at_any_write_loses_nothing_that_was_answered),
		cmocka_unit_test(
			a_disk_that_is_full_for_a_while_loses_nothing_that_was_answered),
		cmocka_unit_test(an_error_at_any_write_or_sync_loses_nothing_that_was_answered),
		cmocka_unit_test(an_error_at_any_read_loses_nothing_that_was_answered),
		cmocka_unit_test(who_finds_the_store_locked_says_so_and_loses_nothing),
	};

	if (sodium_init() < 0)
		return 1;
	log_init(LOG_ERROR, false);
	bad_disk_begin();
	return cmocka_run_group_tests(tests, make_homes, remove_homes);
}
