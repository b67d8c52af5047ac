#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/error.h"
#include "shared/json.h"

static int parse(struct json **j, const char *text)
{
	return json_parse(j, bytes_text(text));
}

static void what_is_malformed_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		" ",
		"{",
		"[1",
		"{\"a\":1}}",
		"[] []",
		"[1,]",
		"{\"a\":1,\"a\":2}",
		"1",
		"\"x\"",
		"null",
		"[\"\\u0000\"]",
		"[\"\\ud800\"]",
		"[\"\xff\"]",
		"[\"\xc0\x80\"]",
		"[1e999]",
		"[01]",
		"[nan]",
		"{a:1}",
		"['a']",
		"[1]x",
		"[\"a\nb\"]",
		"// hi\n[]",
		"[99999999999999999999]",
		"[9223372036854775808]",
		"[-9223372036854775809]",
		"[-]",
		"[+1]",
		"[.5]",
		"[1.]",
		"[1e]",
		"[1e+]",
		"[0x1]",
		"[tru]",
		"[nulll]",
		"{\"a\"}",
		"{\"a\":}",
		"{\"a\" 1}",
		"{,}",
		"{\"a\":1,}",
		"{\"a\":1 \"b\":2}",
		"{1:2}",
		"[1 2]",
		"[,1]",
		"[\"\\x\"]",
		"[\"\\\"]",
		"[\"\\",
		"[\"\\u12\"]",
		"[\"\\u12g4\"]",
		"[\"\\udc00\"]",
		"[\"\\ud800\\u0041\"]",
		"[\"\\ud800x\"]",
		"[\"\x1f\"]",
		"{\"a\":1,\"\\u0061\":2}",
		"\xef\xbb\xbf[]",
		"[1]\xc2\xa0",
	};
	struct json *j;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		j = (struct json *)1;
		if (parse(&j, bad[i]) != ERR_FORMAT)
			fail_msg("taken: %s", bad[i]);
		assert_null(j);
	}
	assert_int_equal(json_parse(&j, bytes_of("[1]\0", 4)), ERR_FORMAT);
	assert_int_equal(json_parse(&j, bytes_of("[1\0]", 4)), ERR_FORMAT);
	assert_int_equal(json_parse(&j, bytes_of("[12]", 2)), ERR_FORMAT);
	assert_int_equal(json_parse(&j, (struct bytes){ 0 }), ERR_FORMAT);
}

static void what_is_well_formed_is_read_as_what_it_means(void **state)
{
	static const char *const good[][2] = {
		{ " \t\r\n[ ] \n", "[]" },
		{ "{ \"a\" : { } , \"b\":[ ]}", "{\"a\":{},\"b\":[]}" },
		{ "[true,false,null]", "[true,false,null]" },
		{ "[0,-0,-1,9223372036854775807,-9223372036854775808]",
		  "[0,0,-1,9223372036854775807,-9223372036854775808]" },
		{ "[0.0,-2.5,1E2,1e-2,2.5e+3]", "[0.0,-2.5,100.0,0.01,2500.0]" },
		{ "[1e300,1e-999]", "[1e300,0.0]" },
		{ "[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]", "[\"\\\"\\\\/\\b\\f\\n\\r\\t\"]" },
		{ "[\"\\u0041\\u00f1\\u20ac\\uD83D\\ude00\"]", "[\"Añ€😀\"]" },
		{ "[\"\\u0001\\u001F\x7f\"]", "[\"\\u0001\\u001F\x7f\"]" },
		{ "{\"\":\"\",\"\\u0061\\n\":1}", "{\"\":\"\",\"a\\n\":1}" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		struct json *j;
		char *printed;

		if (parse(&j, good[i][0]) != 0)
			fail_msg("refused: %s", good[i][0]);
		printed = json_print(j);
		assert_string_equal(printed, good[i][1]);
		free(printed);
		json_free(j);
	}
}

static void a_value_set_anew_or_dropped_leaves_the_others_in_their_places(void **state)
{
	struct json *j = json_object();
	char *text;

	(void)state;
	json_set_int(json_set_int(json_set_int(j, "a", 1), "b", 2), "c", 3);
	json_set_text(j, "b", "new");
	json_drop(json_drop(j, "a"), "missing");
	text = json_print(j);
	assert_string_equal(text, "{\"b\":\"new\",\"c\":3}");
	free(text);
	json_free(j);
}

static void nesting_ends_at_the_limit(void **state)
{
	char text[20001];
	struct json *j;

	(void)state;
	for (int depth = 1; depth <= 10000; depth = depth < 40 ? depth + 1 : depth * 3) {
		memset(text, '[', depth);
		memset(text + depth, ']', depth);
		text[2 * depth] = '\0';
		assert_int_equal(parse(&j, text), depth <= JSON_DEPTH_MAX ? 0 : ERR_LIMIT);
		json_free(j);
	}
	assert_int_equal(parse(&j, "{\"a\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[{}]]]]]]]]]]]]]]]]]]]"
				   "]]]]]]]]]]]]}"),
			 ERR_LIMIT);
}

static void what_was_built_is_printed_on_one_line_and_read_back(void **state)
{
	struct json *inner = json_array(), *built = json_object(), *read;
	char *text;
	uint64_t id;

	(void)state;
	json_add(json_add_text(inner, "line\nbreak"), json_null());
	json_set_text(built, "text", "ñandú");
	json_set_text(built, "none", NULL);
	json_set_bytes(built, "bytes", bytes_text("abc"));
	json_set_int(built, "int", INT64_MIN);
	json_set_id(built, "id", UINT64_MAX);
	json_set_real(json_set_bool(built, "bool", true), "real", 0.5);
	json_set(built, "list", inner);
	text = json_print(built);
	assert_null(strchr(text, '\n'));
	assert_string_equal(text,
			    "{\"text\":\"ñandú\",\"none\":null,\"bytes\":\"abc\","
			    "\"int\":-9223372036854775808,\"id\":\"18446744073709551615\","
			    "\"bool\":true,\"real\":0.5,\"list\":[\"line\\nbreak\",null]}");

	assert_int_equal(parse(&read, text), 0);
	free(text);
	assert_string_equal(json_text(read, "text"), "ñandú");
	assert_true(json_has(read, "none"));
	assert_null(json_text(read, "none"));
	assert_true(json_int(read, "int", 0) == INT64_MIN);
	assert_int_equal(json_id(read, "id", &id), 0);
	assert_true(id == UINT64_MAX);
	assert_true(json_bool(read, "bool", false));
	assert_true(json_real(read, "real", 0) == 0.5);
	assert_int_equal(json_count(json_get(read, "list")), 2);
	assert_string_equal(json_text_at(json_get(read, "list"), 0), "line\nbreak");
	assert_null(json_text_at(json_get(read, "list"), 1));
	assert_null(json_at(json_get(read, "list"), 2));
	json_free(read);
	json_free(built);
}

static void a_getter_asked_for_another_kind_gives_the_default(void **state)
{
	struct json *j;
	uint64_t id = 77;

	(void)state;
	assert_int_equal(
		parse(&j, "{\"t\":\"x\",\"n\":3,\"r\":1.5,\"b\":true,\"a\":[],\"o\":{}}"), 0);
	assert_null(json_text(j, "n"));
	assert_int_equal(json_int(j, "t", -1), -1);
	assert_int_equal(json_int(j, "r", -1), -1);
	assert_int_equal(json_int(j, "b", -1), -1);
	assert_false(json_bool(j, "n", false));
	assert_true(json_real(j, "n", 0) == 3.0);
	assert_true(json_real(j, "t", 9) == 9.0);
	assert_null(json_get(j, "missing"));
	assert_null(json_get(json_get(j, "a"), "x"));
	assert_null(json_text(NULL, "x"));
	assert_int_equal(json_count(json_get(j, "o")), 0);
	assert_true(json_is_object(json_get(j, "o")) && json_is_array(json_get(j, "a")));
	assert_false(json_is_object(NULL) || json_is_array(NULL) ||
		     json_is_object(json_get(j, "t")));
	assert_int_equal(json_id(j, "missing", &id), ERR_NOT_FOUND);
	assert_int_equal(json_id(j, "n", &id), ERR_FORMAT);
	assert_int_equal(id, 77);
	json_free(j);
	json_free(NULL);
}

static void an_id_is_digits_that_fit_64_bits(void **state)
{
	static const char *const bad[] = { "",   "01", "-1", "+1",
					   " 1", "1 ", "1x", "18446744073709551616" };
	struct json *j = json_object();
	uint64_t id = 77;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		json_set_text(j, "id", bad[i]);
		assert_int_equal(json_id(j, "id", &id), ERR_FORMAT);
	}
	assert_int_equal(id, 77);
	json_set_text(j, "id", "0");
	assert_int_equal(json_id(j, "id", &id), 0);
	assert_int_equal(id, 0);
	json_free(j);
}

static void what_json_cannot_hold_is_replaced(void **state)
{
	struct json *j = json_object();

	(void)state;
	json_set_real(json_set_real(j, "nan", NAN), "infinite", INFINITY);
	assert_true(json_has(j, "nan") && json_has(j, "infinite"));
	assert_true(json_real(j, "nan", 5) == 5.0 && json_real(j, "infinite", 5) == 5.0);
	json_set_text(j, "path", "/tmp/\xff.db");
	assert_string_equal(json_text(j, "path"), "/tmp/?.db");
	json_free(j);
}

static void an_object_is_walked_in_order(void **state)
{
	struct json *j;
	const struct json *value;
	char seen[16] = "";
	void *it = NULL;
	const char *key;

	(void)state;
	assert_int_equal(parse(&j, "{\"c\":1,\"a\":2,\"b\":3}"), 0);
	while ((key = json_each(j, &it, &value)))
		snprintf(seen + strlen(seen), sizeof seen - strlen(seen), "%s", key);
	assert_string_equal(seen, "cab");
	json_free(j);
}

static void a_kept_value_outlives_what_held_it(void **state)
{
	struct json *j = json_object(), *inner = json_object();

	(void)state;
	json_set_int(inner, "n", 5);
	json_set(j, "inner", json_keep(inner));
	json_free(j);
	assert_int_equal(json_int(inner, "n", 0), 5);
	json_free(inner);
}

static void figures_have_as_many_digits_as_they_are_worth(void **state)
{
	struct json *j = json_object();
	char *text;

	(void)state;
	json_set_real(json_set_real(j, "trip", 2.8269160000000002), "tenth", 0.1);
	json_set_int(j, "time", 1795339448852);
	text = json_print(j);
	assert_string_equal(text, "{\"trip\":2.826916,\"tenth\":0.1,\"time\":1795339448852}");
	free(text);
	json_free(j);
}

static void what_is_printed_is_whole_however_long(void **state)
{
	(void)state;
	for (size_t size = 1000; size < 1050; size++) {
		char *text = memory_new(size + 1), *printed;
		struct json *o, *again;

		memset(text, 'x', size);
		o = json_set_text(json_object(), "text", text);
		printed = json_print(o);
		assert_int_equal(strlen(printed), size + strlen("{\"text\":\"\"}"));
		assert_int_equal(json_parse(&again, bytes_text(printed)), 0);
		assert_string_equal(json_text(again, "text"), text);
		json_free(again);
		json_free(o);
		free(printed);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_printed_is_whole_however_long),
		cmocka_unit_test(what_is_malformed_is_refused),
		cmocka_unit_test(what_is_well_formed_is_read_as_what_it_means),
		cmocka_unit_test(a_value_set_anew_or_dropped_leaves_the_others_in_their_places),
		cmocka_unit_test(nesting_ends_at_the_limit),
		cmocka_unit_test(what_was_built_is_printed_on_one_line_and_read_back),
		cmocka_unit_test(a_getter_asked_for_another_kind_gives_the_default),
		cmocka_unit_test(an_id_is_digits_that_fit_64_bits),
		cmocka_unit_test(what_json_cannot_hold_is_replaced),
		cmocka_unit_test(an_object_is_walked_in_order),
		cmocka_unit_test(a_kept_value_outlives_what_held_it),
		cmocka_unit_test(figures_have_as_many_digits_as_they_are_worth),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
