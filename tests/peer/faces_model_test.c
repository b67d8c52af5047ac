/* What the terminal shows, fed as the engine feeds it; and how a message is laid out of it. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "peer/faces/tui/model.h"
#include "peer/faces/tui/timeline.h"
#include "peer/faces/tui/view.h"
#include "shared/bytes.h"

static struct json *parsed(const char *text)
{
	struct json *o = NULL;

	assert_int_equal(json_parse(&o, bytes_text(text)), 0);
	return o;
}

static void told(struct model *m, const char *method, const char *params)
{
	struct json *p = parsed(params);

	model_notified(m, method, p);
	json_free(p);
}

/* Answers the oldest request of that method, and drops those before it. */
static struct request answered(struct model *m, const char *method, const char *result)
{
	struct request r = { .method = "" };
	struct json *o = result ? parsed(result) : NULL;

	while (strcmp(r.method, method) != 0) {
		assert_true(model_next_request(m, &r));
		json_free(r.params);
	}
	model_answer(m, &r, o, "it failed");
	json_free(o);
	return r;
}

static void assert_asks_nothing(struct model *m, const char *method)
{
	struct request r;

	while (model_next_request(m, &r)) {
		assert_string_not_equal(r.method, method);
		json_free(r.params);
	}
}

/* Bob and carol are contacts, dora asks. */
static struct model *begun(void)
{
	struct model *m = model_new();

	answered(m, "listContacts",
		 "{\"contacts\":[{\"name\":\"bob\",\"state\":\"mutual\",\"unread\":0},"
		 "{\"name\":\"carol\",\"state\":\"mutual\",\"unread\":2},"
		 "{\"name\":\"dora\",\"state\":\"requests\",\"greeting\":\"hi\"}]}");
	return m;
}

/* Messages `from` to `to` of a conversation as a page. */
static char *page(unsigned from, unsigned to)
{
	struct buf all = { 0 };
	char one[160];

	buf_append(&all, bytes_text("{\"messages\":["));
	for (unsigned i = from; i <= to; i++) {
		snprintf(
			one, sizeof one,
			"%s{\"id\":\"%u\",\"conversation\":\"bob\",\"own\":%s,\"timestamp\":%u,"
			"\"text\":\"number %u\",\"state\":\"queued\"}",
			i > from ? "," : "", i, i % 2 ? "true" : "false", 1000 * i, i);
		buf_append(&all, bytes_text(one));
	}
	buf_append(&all, bytes_of("]}", 3));
	return (char *)all.data;
}

static struct talk *open_bob_with(struct model *m, const char *text)
{
	model_choose(m, "bob");
	while (strcmp(answered(m, "getMessages", text).name, "bob") != 0)
		;
	/* the first may have been that of the list: the newest message alone */
	while (!model_open(m)->is_here)
		answered(m, "getMessages", text);
	return model_open(m);
}

static struct talk *open_bob(struct model *m, unsigned from, unsigned to)
{
	char *text = page(from, to);
	struct talk *t = open_bob_with(m, text);

	free(text);
	return t;
}

static void who_asks_stands_first_and_then_the_newest(void **state)
{
	struct model *m = begun();

	(void)state;
	assert_true(model_is_ready(m));
	assert_int_equal(model_count(m), 3);
	assert_string_equal(model_at(m, 0)->name, "dora");
	told(m, "receive",
	     "{\"id\":\"9\",\"conversation\":\"carol\",\"timestamp\":5000,\"message\":{"
	     "\"text\":"
	     "\"x\"}}");
	assert_string_equal(model_at(m, 1)->name, "carol");
	assert_int_equal(model_find(m, "carol")->unread, 3);
	told(m, "sent",
	     "{\"id\":\"10\",\"conversation\":\"bob\",\"timestamp\":6000,\"message\":{\"text\":"
	     "\"y\"}}");
	assert_string_equal(model_at(m, 1)->name, "bob");
	model_free(m);
}

static void a_message_told_twice_stands_once(void **state)
{
	struct model *m = begun();
	struct talk *t = open_bob(m, 1, 5);
	static const char again[] = "{\"id\":\"6\",\"conversation\":\"bob\",\"timestamp\":6000,"
				    "\"message\":{\"text\":"
				    "\"six\"}}";

	(void)state;
	assert_int_equal(t->count, 5);
	told(m, "receive", again);
	told(m, "receive", again);
	assert_int_equal(t->count, 6);
	model_free(m);
}

static void older_pages_come_before_and_end_where_there_are_no_more(void **state)
{
	struct model *m = begun();
	struct talk *t = open_bob(m, 61, 120);
	char *text = page(1, 60), *rest = page(1, 10);

	(void)state;
	assert_true(t->has_older);
	model_want_older(m);
	model_want_older(m); /* one at a time */
	answered(m, "getMessages", text);
	assert_asks_nothing(m, "getMessages");
	assert_int_equal(t->count, 120);
	assert_int_equal(t->list[0].id, 1);
	assert_int_equal(t->list[119].id, 120);
	assert_true(t->has_older);
	model_want_older(m);
	answered(m, "getMessages", "{\"messages\":[]}");
	assert_false(t->has_older);
	model_want_older(m);
	assert_asks_nothing(m, "getMessages");
	free(text);
	free(rest);
	model_free(m);
}

static void what_is_far_from_what_is_looked_at_goes(void **state)
{
	struct model *m = begun();
	struct talk *t = open_bob(m, 10000, 10059);

	(void)state;
	for (unsigned from = 9940; from > 9940 - 60 * 40; from -= 60) {
		char *text = page(from, from + 59);

		model_want_older(m);
		answered(m, "getMessages", text);
		free(text);
	}
	assert_true(t->count <= MODEL_KEPT);
	assert_true(t->has_newer);
	assert_true(t->list[0].id < t->list[t->count - 1].id);
	/* what comes now is not behind a gap */
	told(m, "receive",
	     "{\"id\":\"20000\",\"conversation\":\"bob\",\"timestamp\":1,\"message\":{\"text\":"
	     "\"new\"}}");
	assert_null(talk_find(t, 20000));
	model_want_newest(m);
	answered(m, "getMessages", "{\"messages\":[]}");
	assert_false(t->has_newer);
	model_free(m);
}

/* With 20 rows of a terminal. */
static void settle(struct view *v, struct talk *t)
{
	v->places.talk_columns = 40;
	v->places.talk_rows = 20;
	view_settle(v, t);
}

static bool is_in_sight(const struct talk *t, uint64_t id)
{
	/* a message takes two rows, and the first of them the day above it */
	size_t below = 0;

	for (size_t i = t->count; i > 0 && t->list[i - 1].id != id; i--)
		below += 2;
	return below + 2 > t->up && below < t->up + 20;
}

static void who_goes_to_a_message_sees_it_also_when_more_comes_behind_it(void **state)
{
	struct model *m = begun();
	struct talk *t = open_bob(m, 1000, 1059);
	struct view v = { .filter = "" };
	char *before = page(70, 99), *behind = page(101, 160);

	(void)state;
	model_go_to(m, "bob", 100);
	answered(m, "getMessages", before);
	answered(m, "getMessage",
		 "{\"message\":{\"id\":\"100\",\"timestamp\":100000,\"text\":\"it\"}}");
	settle(&v, t);
	assert_true(is_in_sight(t, 100));
	answered(m, "getMessages", behind);
	settle(&v, t);
	assert_int_equal(t->chosen, 100);
	assert_true(t->has_newer);
	assert_true(is_in_sight(t, 100));
	/* nor does what is looked at move when still more comes, also at the end of what is here */
	t->chosen = 0;
	view_scroll(&v, m, -1000);
	settle(&v, t);
	assert_int_equal(t->up, 0);
	free(behind);
	behind = page(161, 220);
	answered(m, "getMessages", behind);
	settle(&v, t);
	assert_true(is_in_sight(t, 160));
	assert_false(is_in_sight(t, 220));
	free(before);
	free(behind);
	model_free(m);
}

static void the_ends_are_asked_for_whatever_is_under_way(void **state)
{
	struct model *m = begun();
	struct talk *t = open_bob(m, 1000, 1059);
	struct view v = { .filter = "" };
	char *older = page(940, 999), *oldest = page(1, 60), *newest = page(1000, 1059);

	(void)state;
	model_want_older(m);
	model_want_oldest(m);
	answered(m, "getMessages", older);
	answered(m, "getMessages", oldest);
	settle(&v, t);
	assert_int_equal(t->count, 60);
	assert_false(t->has_older);
	assert_true(t->has_newer);
	assert_true(is_in_sight(t, 1));
	model_want_newer(m);
	model_want_newest(m);
	answered(m, "getMessages", "{\"messages\":[]}");
	model_want_older(m); /* not while the newest are under way */
	answered(m, "getMessages", newest);
	assert_asks_nothing(m, "getMessages");
	settle(&v, t);
	assert_false(t->has_newer);
	assert_int_equal(t->up, 0);
	assert_int_equal(t->list[0].id, 1000);
	free(older);
	free(oldest);
	free(newest);
	model_free(m);
}

static void delivery_reaches_ours_and_never_goes_back(void **state)
{
	struct model *m = begun();
	struct talk *t = open_bob(m, 1, 5);

	(void)state;
	told(m, "delivery", "{\"conversation\":\"bob\",\"upTo\":\"3\",\"state\":\"read\"}");
	told(m, "delivery",
	     "{\"conversation\":\"bob\",\"upTo\":\"5\",\"state\":\"delivered\"}");
	assert_string_equal(json_text(talk_find(t, 1)->message, "state"), "read");
	assert_string_equal(json_text(talk_find(t, 3)->message, "state"), "read");
	assert_string_equal(json_text(talk_find(t, 5)->message, "state"), "delivered");
	assert_string_equal(json_text(talk_find(t, 4)->message, "state"),
			    "queued"); /* theirs */
	model_free(m);
}

/* The newest stands in the list of conversations, too. */
static void the_newest_of_ours_never_goes_back_either(void **state)
{
	struct model *m = begun();
	struct talk *t = open_bob(m, 1, 5);

	(void)state;
	told(m, "sent",
	     "{\"id\":\"7\",\"conversation\":\"bob\",\"message\":{\"text\":\"seven\"}}");
	told(m, "delivery",
	     "{\"conversation\":\"bob\",\"upTo\":\"5\",\"state\":\"delivered\"}");
	assert_string_equal(json_text(t->last, "state"), "queued");
	told(m, "delivery", "{\"conversation\":\"bob\",\"upTo\":\"7\",\"state\":\"read\"}");
	told(m, "delivery",
	     "{\"conversation\":\"bob\",\"upTo\":\"7\",\"state\":\"delivered\"}");
	assert_string_equal(json_text(talk_find(t, 7)->message, "state"), "read");
	assert_string_equal(json_text(t->last, "state"), "read");
	model_free(m);
}

static void a_changed_message_takes_its_place_and_a_forgotten_one_goes(void **state)
{
	struct model *m = begun();
	struct talk *t = open_bob(m, 1, 5);

	(void)state;
	told(m, "changed",
	     "{\"id\":\"2\",\"conversation\":\"bob\",\"message\":{\"id\":\"2\",\"text\":"
	     "\"other\","
	     "\"edited\":true}}");
	assert_string_equal(json_text(talk_find(t, 2)->message, "text"), "other");
	told(m, "changed", "{\"id\":\"3\",\"conversation\":\"bob\",\"message\":null}");
	assert_null(talk_find(t, 3));
	assert_int_equal(t->count, 4);
	model_free(m);
}

static void what_nobody_looks_at_rings_once_and_is_new(void **state)
{
	struct model *m = begun();
	struct talk *t = open_bob(m, 1, 4);
	char who[64];

	(void)state;
	told(m, "receive",
	     "{\"id\":\"5\",\"conversation\":\"bob\",\"timestamp\":1,\"message\":{\"text\":"
	     "\"a\"}}");
	assert_false(model_next_ring(m, who));
	assert_int_equal(t->first_unread, 0);
	model_mark_read(m, t);
	model_look(m, false);
	told(m, "receive",
	     "{\"id\":\"6\",\"conversation\":\"bob\",\"timestamp\":1,\"message\":{\"text\":"
	     "\"b\"}}");
	assert_true(model_next_ring(m, who));
	assert_string_equal(who, "bob");
	assert_false(model_next_ring(m, who));
	assert_int_equal(t->first_unread, 6);
	model_free(m);
}

static void hostile_notifications_change_nothing_and_break_nothing(void **state)
{
	static const char *const hostile[] = {
		"{}",
		"[]",
		"{\"conversation\":7,\"id\":{}}",
		"{\"conversation\":\"bob\",\"id\":\"x\",\"message\":[]}",
		"{\"conversation\":\"bob\",\"upTo\":\"-1\",\"state\":7}",
		"{\"name\":null,\"contact\":3}",
		"{\"conversation\":\"\",\"id\":\"1\",\"message\":{}}",
	};
	static const char *const methods[] = {
		"receive", "sent",    "delivery",      "changed",
		"typing",  "profile", "presence",      "transferProgress",
		"history", "account", "warning",       "keyChanged",
		"read",    "nothing", "contactRequest"
	};
	struct model *m = begun();
	struct talk *t = open_bob(m, 1, 5);

	(void)state;
	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
		for (size_t k = 0; k < sizeof hostile / sizeof *hostile; k++)
			told(m, methods[i], hostile[k]);
	assert_int_equal(t->count, 5);
	assert_int_equal(model_count(m), 3);
	model_free(m);
}

static void a_message_is_laid_out_within_its_columns_whatever_it_says(void **state)
{
	static const char *const messages[] = {
		"{\"id\":\"1\",\"text\":\"\\u001b[2J\\u202e x\",\"kind\":\"text\"}",
		"{\"id\":\"1\",\"text\":"
		"\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}",
		"{\"id\":\"1\",\"text\":\"\\u6f22\\u5b57\\u6f22\\u5b57\\u6f22\\u5b57\\u6f22\"}",
		"{\"id\":\"1\",\"file\":{\"name\":\"../\\u001b]0;x\",\"size\":-5,\"done\":9,"
		"\"state\":\"running\",\"rate\":-1,\"type\":\"image/"
		"png\",\"width\":-3,\"height\":9}}",
		"{\"id\":\"1\",\"file\":[],\"quote\":7,\"reactions\":\"x\",\"buttons\":{\"a\":"
		"1}}",
		"{\"id\":\"1\",\"retracted\":true,\"quote\":{\"begins\":\"\\u202e\"}}",
		"{\"id\":\"1\",\"bot\":\"\\u001b[0m\",\"buttons\":[1,null,\"\\u0007go\"]}",
	};
	struct model *m = begun();
	struct view v = { .filter = "" };

	(void)state;
	for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
		for (unsigned columns = 1; columns < 90; columns += 4) {
			struct json *message = parsed(messages[i]);
			struct said said = { .id = 1,
					     .message = message,
					     .follows = columns % 8 == 1 };
			struct sheet *s = view_message(&v, model_find(m, "bob"), &said,
						       columns);

			for (size_t k = 0; k < sheet_lines(s); k++) {
				const struct sheet_line *line = sheet_line(s, k);
				if (columns > 1)
					assert_true(line->columns <= columns);
				for (size_t n = 0; n < line->count; n++)
					for (const char *c = line->pieces[n].text; *c; c++)
						assert_true((unsigned char)*c >= 0x20);
			}
			sheet_free(s);
			json_free(message);
		}
	}
	model_free(m);
}

static void an_endless_message_is_folded(void **state)
{
	struct model *m = begun();
	struct view v = { .filter = "" };
	struct json *message = parsed("{\"id\":\"1\"}");
	struct said said = { .id = 1, .message = message };
	char text[4001];
	struct sheet *s;

	(void)state;
	for (size_t i = 0; i < 4000; i++)
		text[i] = i % 2 ? '\n' : 'x';
	text[4000] = '\0';
	json_set_text(message, "text", text);
	s = view_message(&v, model_find(m, "bob"), &said, 40);
	assert_in_range(sheet_lines(s), 10, 50);
	sheet_free(s);
	memset(text, '\n', 3999); /* nothing at all, and then one more */
	json_set_text(message, "text", text);
	s = view_message(&v, model_find(m, "bob"), &said, 40);
	assert_in_range(sheet_lines(s), 2, 6);
	sheet_free(s);
	json_free(message);
	model_free(m);
}

/* Whether message 2 of a conversation follows message 1, of which these are the fields. */
static bool follows(const char *first, const char *second, unsigned columns, bool is_unread)
{
	struct view v = { .filter = "", .places = { .talk_columns = columns } };
	struct model *m = begun();
	struct talk *t;
	char text[512];
	bool is;

	snprintf(text, sizeof text, "{\"messages\":[{\"id\":\"1\",%s},{\"id\":\"2\",%s}]}",
		 first, second);
	t = open_bob_with(m, text);
	assert_int_equal(t->count, 2);
	t->first_unread = is_unread ? 2 : 0;
	is = timeline_follows(&v, t, 1);
	assert_false(timeline_follows(&v, t, 0));
	assert_int_equal(timeline_rows(&v, t, 1) == 1, is); /* there is no head where it does */
	model_free(m);
	return is;
}

static void who_goes_on_within_minutes_is_not_named_again(void **state)
{
	static const char said[] = "\"text\":\"one\",\"own\":true,\"timestamp\":1000000";
	static const char *const others[] = {
		"\"text\":\"two\",\"own\":false,\"timestamp\":1000000",
		"\"text\":\"two\",\"own\":true,\"timestamp\":1180000",
		"\"text\":\"two\",\"own\":true,\"timestamp\":1000000,\"bot\":\"clock\"",
		"\"text\":\"two\",\"own\":true,\"timestamp\":1000000,\"forwarded\":true",
		"\"text\":\"two\",\"own\":true,\"timestamp\":1000000,\"life\":60",
		"\"text\":\"two\",\"own\":true,\"timestamp\":1000000,\"missing\":1",
	};
	static const char file[] = "\"own\":true,\"timestamp\":1000000,"
				   "\"file\":{\"name\":\"kite\",\"state\":\"done\"}";
	static const char next[] = "\"text\":\"two\",\"own\":true,\"timestamp\":1179999";

	(void)state;
	assert_true(follows(said, next, 80, false));
	assert_true(follows(said, "\"own\":true,\"timestamp\":1000000", 80, false));
	assert_false(follows(said, next, 80, true));
	assert_false(follows(said, next, 30, false));
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		assert_false(follows(said, others[i], 80, false));
	assert_false(follows(said, file, 80, false));
	assert_false(follows(file, next, 80, false));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_asks_stands_first_and_then_the_newest),
		cmocka_unit_test(a_message_told_twice_stands_once),
		cmocka_unit_test(older_pages_come_before_and_end_where_there_are_no_more),
		cmocka_unit_test(what_is_far_from_what_is_looked_at_goes),
		cmocka_unit_test(who_goes_to_a_message_sees_it_also_when_more_comes_behind_it),
		cmocka_unit_test(the_ends_are_asked_for_whatever_is_under_way),
		cmocka_unit_test(delivery_reaches_ours_and_never_goes_back),
		cmocka_unit_test(the_newest_of_ours_never_goes_back_either),
		cmocka_unit_test(a_changed_message_takes_its_place_and_a_forgotten_one_goes),
		cmocka_unit_test(what_nobody_looks_at_rings_once_and_is_new),
		cmocka_unit_test(hostile_notifications_change_nothing_and_break_nothing),
		cmocka_unit_test(a_message_is_laid_out_within_its_columns_whatever_it_says),
		cmocka_unit_test(an_endless_message_is_folded),
		cmocka_unit_test(who_goes_on_within_minutes_is_not_named_again),
	};

	setlocale(LC_ALL, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
