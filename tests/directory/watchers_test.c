#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "directory/watchers.h"
#include "shared/error.h"

static struct names *names;
static struct watchers *w;
static name_id a, b, c;
static const struct bytes none;

static name_id hold(const char *text)
{
	struct name name;

	name_parse(&name, bytes_text(text));
	return names_hold(names, &name);
}

static int begin(void **state)
{
	static const uint8_t key[16] = { 1 };

	(void)state;
	names = names_new(key);
	w = watchers_new(names);
	a = hold("alice");
	b = hold("bob");
	c = hold("carol");
	return 0;
}

static int end(void **state)
{
	(void)state;
	watchers_free(w);
	names_free(names);
	return 0;
}

/* Everything due, as sorted words "to<about:slots" and "to?about:slots". */
static const char *due(void)
{
	static char text[512];
	char words[16][32];
	struct watchers_due d;
	int count = 0, size = 0;

	text[0] = 0;
	while (watchers_next(w, &d)) {
		assert_true(count < 16);
		snprintf(words[count++], sizeof words[0], "%c%c%c:%x ",
			 names_of(names, d.to)->text[0],
			 d.kind == WATCHERS_PRESENCE ? '<' : '?',
			 names_of(names, d.about)->text[0], d.slots);
	}
	qsort(words, (size_t)count, sizeof words[0],
	      (int (*)(const void *, const void *))strcmp);
	for (int i = 0; i < count; i++)
		size += snprintf(text + size, sizeof text - (size_t)size, "%s", words[i]);
	return text;
}

static void give(name_id who, unsigned slot, name_id whom, enum consent consent)
{
	assert_int_equal(watchers_add(w, who, slot, whom, consent, none), 0);
}

static void add(name_id who, unsigned slot, name_id whom)
{
	give(who, slot, whom, CONSENT_DIRECT);
}

static void an_account_is_its_own_contact(void **state)
{
	struct watchers_due d;

	(void)state;
	assert_true(watchers_mutual(w, a, a));
	watchers_enter(w, a, 0);
	assert_string_equal(due(), "a<a:1 ");
	watchers_enter(w, a, 2); /* who comes is told, the others when something changes */
	assert_string_equal(due(), "a<a:4 ");
	add(a, 0, b);
	add(b, 0, a);
	due();
	watchers_changed(w, a);
	assert_string_equal(due(), "a<a:5 b<a:1 ");
	watchers_leave(w, a, 2);
	watchers_changed(w, a);
	assert_string_equal(due(), "a<a:1 b<a:1 ");
	/* a slow reader hears it when it reads again, not in circles */
	watchers_changed(w, a);
	while (watchers_next(w, &d))
		watchers_later(w, &d, d.slots);
	assert_string_equal(due(), "");
	watchers_writable(w, a, 0);
	assert_string_equal(due(), "a<a:1 ");
	watchers_writable(w, a, 0);
	assert_string_equal(due(), "");
	watchers_changed(w, a);
	while (watchers_next(w, &d))
		watchers_later(w, &d, d.slots);
	watchers_leave(w, a, 0);
	watchers_enter(w, a, 0); /* another in its place is told once */
	assert_string_equal(due(), "a<a:1 b<a:1 ");
	watchers_writable(w, a, 0);
	assert_string_equal(due(), "");
}

static void only_who_list_each_other_hear_of_each_other(void **state)
{
	(void)state;
	add(a, 0, b);
	assert_false(watchers_mutual(w, a, b));
	watchers_changed(w, a);
	watchers_changed(w, b);
	assert_string_equal(due(), "");
	add(b, 0, a);
	assert_true(watchers_mutual(w, a, b));
	assert_true(watchers_mutual(w, b, a));
	assert_string_equal(due(), "a<b:1 b<a:1 ");
	assert_string_equal(due(), "");
	add(a, 0, c);
	watchers_changed(w, a);
	watchers_changed(w, a);
	assert_string_equal(due(), "b<a:1 ");
}

static void an_end_is_told_to_the_other_side(void **state)
{
	(void)state;
	add(a, 0, b);
	add(b, 0, a);
	due();
	watchers_remove(w, b, 0, a);
	assert_false(watchers_mutual(w, a, b));
	assert_string_equal(due(), "a<b:1 ");
	add(b, 0, a);
	due();
	watchers_leave(w, b, 0);
	assert_string_equal(due(), "a<b:1 ");
	assert_false(watchers_mutual(w, a, b));
	watchers_leave(w, a, 0);
	assert_string_equal(due(), "");
}

static void an_account_lists_what_any_of_its_sessions_lists(void **state)
{
	(void)state;
	add(a, 0, b);
	add(a, 3, b);
	add(b, 1, a);
	assert_string_equal(due(), "a<b:9 b<a:2 ");
	watchers_leave(w, a, 0);
	assert_true(watchers_mutual(w, a, b));
	assert_string_equal(due(), "");
	watchers_changed(w, b);
	assert_string_equal(due(), "a<b:8 ");
	/* a session that comes to list it hears what is true, and only that one */
	add(a, 5, b);
	assert_string_equal(due(), "a<b:20 ");
}

static void who_is_ready_is_asked_once_for_each_login(void **state)
{
	(void)state;
	add(a, 0, b);
	assert_string_equal(due(), "");
	watchers_ready(w, b, 0);
	assert_string_equal(due(), "b?a:1 ");
	watchers_remove(w, a, 0, b);
	add(a, 0, b);
	assert_string_equal(due(), "");
	watchers_ready(w, b, 1);
	assert_string_equal(due(), "b?a:2 ");
	/* another login of the asker */
	add(a, 1, b);
	assert_string_equal(due(), "b?a:3 ");
	/* another login of the asked */
	watchers_leave(w, b, 0);
	watchers_ready(w, b, 0);
	assert_string_equal(due(), "b?a:1 ");
}

static void who_lists_back_is_not_asked(void **state)
{
	(void)state;
	add(a, 0, b);
	add(b, 0, a);
	watchers_ready(w, b, 0);
	watchers_ready(w, a, 0);
	assert_string_equal(due(), "a<b:1 b<a:1 ");
}

static void a_greeting_goes_with_the_question(void **state)
{
	struct watchers_due d;

	(void)state;
	watchers_ready(w, b, 0);
	assert_int_equal(watchers_add(w, a, 0, b, CONSENT_DIRECT, bytes_text("sealed")), 0);
	assert_true(watchers_next(w, &d));
	assert_int_equal(d.kind, WATCHERS_ASKED);
	assert_true(bytes_equal(d.greeting, bytes_text("sealed")));
	assert_false(watchers_next(w, &d));
	watchers_ready(w, b, 1);
	assert_true(watchers_next(w, &d));
	assert_true(bytes_equal(d.greeting, bytes_text("sealed")));
	watchers_leave(w, a, 0);
	watchers_ready(w, b, 2);
	assert_false(watchers_next(w, &d));
}

static void what_did_not_fit_comes_again_when_there_is_room(void **state)
{
	struct watchers_due d;

	(void)state;
	add(a, 0, b);
	add(b, 0, a);
	add(b, 1, a);
	due();
	watchers_changed(w, a);
	assert_true(watchers_next(w, &d));
	watchers_later(w, &d, 2);
	assert_string_equal(due(), "");
	watchers_writable(w, b, 0);
	assert_string_equal(due(), "");
	watchers_changed(w, a); /* the newest is told, once */
	assert_true(watchers_next(w, &d));
	watchers_later(w, &d, 2);
	assert_string_equal(due(), "");
	watchers_writable(w, b, 1);
	assert_string_equal(due(), "b<a:2 ");

	watchers_ready(w, c, 0);
	add(a, 0, c);
	assert_true(watchers_next(w, &d));
	assert_int_equal(d.kind, WATCHERS_ASKED);
	watchers_later(w, &d, 1);
	assert_string_equal(due(), "");
	watchers_writable(w, c, 0);
	assert_string_equal(due(), "c?a:1 ");
}

static void a_list_has_an_end(void **state)
{
	char text[16];
	int err = 0;

	(void)state;
	for (int i = 0; i < WATCHERS_LIST_MAX + 10 && !err; i++) {
		name_id id;

		snprintf(text, sizeof text, "x%d", i);
		id = hold(text);
		err = watchers_add(w, a, 0, id, CONSENT_DIRECT, none);
		names_release(names, id);
		assert_true(i <= WATCHERS_LIST_MAX);
	}
	assert_int_equal(err, ERR_LIMIT);
	assert_int_equal(watchers_listed(w, a, 0), WATCHERS_LIST_MAX);
	watchers_leave(w, a, 0);
	assert_int_equal(names_count(names), 3);
}

static void a_contact_is_given_the_least_that_any_session_says(void **state)
{
	(void)state;
	assert_int_equal(watchers_consent(w, a, a), CONSENT_DIRECT);
	give(a, 0, b, CONSENT_DIRECT);
	assert_int_equal(watchers_consent(w, a, b), CONSENT_NEVER); /* no contact yet */
	give(b, 0, a, CONSENT_RELAY);
	assert_int_equal(watchers_consent(w, a, b), CONSENT_DIRECT);
	assert_int_equal(watchers_consent(w, b, a), CONSENT_RELAY);
	give(a, 7, b, CONSENT_RELAY);
	assert_int_equal(watchers_consent(w, a, b), CONSENT_RELAY);
	give(a, 3, b, CONSENT_NEVER);
	assert_int_equal(watchers_consent(w, a, b), CONSENT_NEVER);
	watchers_leave(w, a, 3);
	assert_int_equal(watchers_consent(w, a, b), CONSENT_RELAY);
	watchers_leave(w, a, 7);
	assert_int_equal(watchers_consent(w, a, b), CONSENT_DIRECT);
	watchers_leave(w, a, 0);
	assert_int_equal(watchers_consent(w, a, b), CONSENT_NEVER);
	assert_int_equal(watchers_consent(w, b, a), CONSENT_NEVER);
	/* another session in the place of one that is gone */
	give(a, 3, b, CONSENT_DIRECT);
	assert_int_equal(watchers_consent(w, a, b), CONSENT_DIRECT);
}

static void another_consent_is_told_to_the_other_side_once(void **state)
{
	(void)state;
	add(a, 0, b);
	add(b, 1, a);
	due();
	add(a, 0, b);
	assert_string_equal(due(), "");
	give(a, 0, b, CONSENT_RELAY);
	assert_string_equal(due(), "b<a:2 ");
	give(a, 0, b, CONSENT_RELAY);
	assert_string_equal(due(), "");
	give(a, 2, b, CONSENT_NEVER); /* who comes to list it hears of it too */
	assert_string_equal(due(), "a<b:4 b<a:2 ");
	give(a, 0, b, CONSENT_DIRECT);
	assert_string_equal(due(), "");
	watchers_leave(w, a, 2);
	assert_string_equal(due(), "b<a:2 ");
	assert_int_equal(watchers_consent(w, a, b), CONSENT_DIRECT);
}

static void who_hides_is_heard_of_by_nothing(void **state)
{
	(void)state;
	give(a, 0, b, CONSENT_HIDDEN);
	add(b, 0, a);
	assert_string_equal(due(), "a<b:1 ");
	watchers_changed(w, a);
	add(b, 1, a);
	assert_string_equal(due(), "");
	watchers_remove(w, b, 0, a);
	watchers_remove(w, b, 1, a);
	assert_string_equal(due(), "a<b:1 ");
	add(b, 0, a);
	assert_string_equal(due(), "a<b:1 ");
	watchers_remove(w, a, 0, b);
	assert_string_equal(due(), "");
	give(a, 0, b, CONSENT_HIDDEN);
	due();
	watchers_leave(w, a, 0);
	assert_string_equal(due(), "");
}

static void who_hides_before_its_question_was_put_asks_when_it_shows_itself(void **state)
{
	(void)state;
	watchers_ready(w, b, 0);
	add(a, 0, b);
	give(a, 0, b, CONSENT_HIDDEN);
	assert_string_equal(due(), "");
	add(a, 0, b);
	assert_string_equal(due(), "b?a:1 ");
	give(a, 0, b, CONSENT_HIDDEN);
	add(a, 0, b);
	assert_string_equal(due(), "");
}

static void who_hides_takes_nobodys_place_among_those_who_ask(void **state)
{
	char text[16];

	(void)state;
	for (int i = 0; i < WATCHERS_ASKS_MAX; i++) {
		name_id id;

		snprintf(text, sizeof text, "x%d", i);
		id = hold(text);
		give(id, 0, b, CONSENT_HIDDEN);
	}
	add(a, 0, b);
	watchers_ready(w, b, 0);
	assert_string_equal(due(), "b?a:1 ");
}

/* A device says its whole list anew, in parts, while another one of the account lists too. */
static void a_list_that_is_said_anew_gives_nothing_away_meanwhile(void **state)
{
	(void)state;
	give(a, 0, b, CONSENT_DIRECT);
	give(a, 1, b, CONSENT_NEVER);
	add(b, 0, a);
	watchers_remove_all(w, a, 1);
	assert_true(watchers_mutual(w, a, b));
	assert_true(watchers_lists(w, a, 0, b));
	assert_false(watchers_lists(w, a, 1, b));
	assert_int_equal(watchers_consent(w, a, b), CONSENT_NEVER);
	give(a, 1, b, CONSENT_RELAY);
	assert_int_equal(watchers_consent(w, a, b), CONSENT_RELAY);
	watchers_leave(w, a, 1);
	assert_int_equal(watchers_consent(w, a, b), CONSENT_DIRECT);
}

/* Against a plain matrix: random comings and goings of 12 accounts. */
static void random_lists_agree_with_a_matrix(void **state)
{
	enum { N = 12, STEPS = 20000 };
	static uint8_t lists[N][N];    /* sessions of the first that list the second */
	static uint8_t given[N][N][3]; /* what each of them gives it */
	name_id id[N];
	uint32_t seed = 7;

	(void)state;
	memset(lists, 0, sizeof lists);
	memset(given, 0, sizeof given);
	for (int i = 0; i < N; i++) {
		char text[16];

		snprintf(text, sizeof text, "u%d", i);
		id[i] = hold(text);
	}
	for (int step = 0; step < STEPS; step++) {
		unsigned x, y, slot, what;
		struct watchers_due d;

		seed = seed * 1664525 + 1013904223;
		x = (seed >> 8) % N;
		y = (seed >> 14) % N;
		slot = (seed >> 20) % 3;
		what = (seed >> 24) % 16;
		if (what == 0) {
			watchers_leave(w, id[x], slot);
			for (int i = 0; i < N; i++) {
				lists[x][i] &= (uint8_t) ~(1u << slot);
				given[x][i][slot] = 0;
			}
		} else if (what < 10 && x != y) {
			given[x][y][slot] = (uint8_t)(seed >> 28) % 3;
			give(id[x], slot, id[y], (enum consent)given[x][y][slot]);
			lists[x][y] |= (uint8_t)(1u << slot);
		} else if (what < 14) {
			watchers_remove(w, id[x], slot, id[y]);
			lists[x][y] &= (uint8_t) ~(1u << slot);
		} else if (what == 14) {
			watchers_ready(w, id[x], slot);
		}
		if (step % 3 == 0)
			while (watchers_next(w, &d))
				;
		if (step % 50)
			continue;
		for (int i = 0; i < N; i++)
			for (int j = 0; j < N; j++) {
				bool is_mutual = i != j && lists[i][j] && lists[j][i];
				unsigned least = is_mutual ? CONSENT_DIRECT : CONSENT_NEVER;

				if (i == j)
					continue;
				assert_int_equal(watchers_mutual(w, id[i], id[j]), is_mutual);
				for (int k = 0; k < 3; k++)
					if (given[i][j][k] > least)
						least = given[i][j][k];
				assert_int_equal(watchers_consent(w, id[i], id[j]), least);
			}
	}
	for (int i = 0; i < N; i++)
		for (unsigned slot = 0; slot < 3; slot++)
			watchers_leave(w, id[i], slot);
	for (int i = 0; i < N; i++)
		names_release(names, id[i]);
	assert_int_equal(names_count(names), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define ROW(name) cmocka_unit_test_setup_teardown(name, begin, end)
		ROW(an_account_is_its_own_contact),
		ROW(only_who_list_each_other_hear_of_each_other),
		ROW(an_end_is_told_to_the_other_side),
		ROW(an_account_lists_what_any_of_its_sessions_lists),
		ROW(who_is_ready_is_asked_once_for_each_login),
		ROW(who_lists_back_is_not_asked),
		ROW(a_greeting_goes_with_the_question),
		ROW(what_did_not_fit_comes_again_when_there_is_room),
		ROW(a_contact_is_given_the_least_that_any_session_says),
		ROW(another_consent_is_told_to_the_other_side_once),
		ROW(who_hides_is_heard_of_by_nothing),
		ROW(who_hides_before_its_question_was_put_asks_when_it_shows_itself),
		ROW(who_hides_takes_nobodys_place_among_those_who_ask),
		ROW(a_list_that_is_said_anew_gives_nothing_away_meanwhile),
		ROW(a_list_has_an_end),
		ROW(random_lists_agree_with_a_matrix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
