#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "shared/error.h"
#include "shared/uri.h"

#define KEY "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"

static void links_come_back_as_they_were_printed(void **state)
{
	static const char *const good[] = {
		"palique:dir.example.org?k=" KEY,
		"palique:dir.example.org:9999?k=" KEY,
		"palique:192.168.1.5?k=" KEY,
		"palique:[fd00::1]:8000?k=" KEY,
		"palique:localhost",
		"palique:dir.example.org/i/7-Crossover_clockwork?k=" KEY,
		"palique:dir.example.org/i/x",
		"palique:dir.example.org/r/7-Crossover_clockwork?k=" KEY,
		"palique:[fd00::1]:8000/r/x",
		"palique:alice@dir.example.org?i=" KEY,
		"palique:al.ice_9@[fd00::1]:1?i=" KEY,
		"palique:alice@dir.example.org",
	};
	char text[URI_MAX + 1];

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		struct uri uri;

		if (uri_parse(&uri, good[i]) < 0)
			fail_msg("refused: %s", good[i]);
		assert_int_equal(uri_print(&uri, text), 0);
		assert_string_equal(text, good[i]);
	}
}

static void a_link_says_what_it_is(void **state)
{
	struct uri uri;

	(void)state;
	assert_int_equal(uri_parse(&uri, "palique:dir.example.org?k=" KEY), 0);
	assert_int_equal(uri.kind, URI_DIRECTORY);
	assert_true(uri.has_directory_key && !uri.has_identity);
	for (unsigned i = 0; i < 32; i++)
		assert_int_equal(uri.directory_key.bytes[i], i);
	assert_int_equal(uri.place.port, DIRECTORY_PORT);
	assert_string_equal(uri.place.host, "dir.example.org");
	assert_int_equal(uri_parse(&uri, "palique:dir/i/Code"), 0);
	assert_int_equal(uri.kind, URI_INVITATION);
	assert_string_equal(uri.code, "Code");
	assert_false(uri.has_directory_key);
	assert_int_equal(uri_parse(&uri, "palique:dir:7000/r/Code?k=" KEY), 0);
	assert_int_equal(uri.kind, URI_RESET);
	assert_string_equal(uri.code, "Code");
	assert_true(uri.has_directory_key);
	assert_int_equal(uri_parse(&uri, "palique:Bob@dir?i=" KEY), 0);
	assert_int_equal(uri.kind, URI_CONTACT);
	assert_string_equal(uri.name.text, "bob");
	assert_true(uri.has_identity && !uri.has_directory_key);
	assert_int_equal(uri.identity.bytes[31], 31);
}

static void the_scheme_may_be_left_out(void **state)
{
	struct uri uri;

	(void)state;
	assert_int_equal(uri_parse(&uri, "Dir.Example.org:80"), 0);
	assert_string_equal(uri.place.host, "dir.example.org");
	assert_int_equal(uri.place.port, 80);
	assert_int_equal(uri_parse(&uri, "alice@dir"), 0);
	assert_int_equal(uri.kind, URI_CONTACT);
	assert_int_equal(uri_parse(&uri, "PALIQUE:dir"), 0);
	assert_string_equal(uri.place.host, "dir");
}

static void what_is_not_a_link_is_refused_and_changes_nothing(void **state)
{
	static const char *const bad[] = {
		"",
		"palique:",
		"palique:?k=" KEY,
		"palique:dir?",
		"palique:dir?k=",
		"palique:dir?k=short",
		"palique:dir?i=" KEY,
		"palique:a1@dir?k=" KEY,
		"palique:dir?k=" KEY "&k=" KEY,
		"palique:dir?k=" KEY "&",
		"palique:dir?k=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9",
		"palique:dir?x=" KEY,
		"palique:dir/i/",
		"palique:dir/i",
		"palique:dir/x/abc",
		"palique:dir/r/",
		"palique:dir/r",
		"palique:dir/ri/abc",
		"palique:dir/r/a/b",
		"palique:dir/r/code?i=" KEY,
		"palique:bob@dir/r/code",
		"palique:dir/i/a b",
		"palique:dir/i/a/b",
		"palique:bob@dir/i/code",
		"palique:bob@",
		"palique:@dir",
		"palique:dir:",
		"palique:dir:0",
		"palique:dir:65536",
		"palique:dir:1x",
		"palique:-dir",
		"palique:dir-",
		"palique:di..r",
		"palique:.dir",
		"palique:dir.",
		"palique:di_r",
		"palique:d\xc3\xadr",
		"palique:1.2.3",
		"palique:1.2.3.256",
		"palique:[::1",
		"palique:[dir]",
		"palique:[::1]x",
		"palique:fd00::1",
		"palique:[fe80::1%2]",
		"palique:di r",
		"palique:dir?k=" KEY "?",
		"http://dir",
		"palique://dir",
		"palique:a@b@c",
	};
	struct uri uri = { .place = { "before", 1 } };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (uri_parse(&uri, bad[i]) >= 0)
			fail_msg("taken: %s", bad[i]);
	assert_int_equal(uri_parse(&uri, "palique:A!@dir"), ERR_NAME);
	assert_string_equal(uri.place.host, "before");
}

static void what_is_too_long_is_refused(void **state)
{
	char text[300], out[URI_MAX + 1];
	struct uri uri;

	(void)state;
	snprintf(text, sizeof text, "palique:%065d.x", 0);
	assert_int_equal(uri_parse(&uri, text), ERR_LIMIT);
	snprintf(text, sizeof text, "palique:d%063d", 0);
	assert_int_equal(uri_parse(&uri, text), 0);
	assert_int_equal(uri_print(&uri, out), 0);
	snprintf(text, sizeof text, "palique:dir/i/%033d", 0);
	assert_int_equal(uri_parse(&uri, text), ERR_LIMIT);
	snprintf(text, sizeof text, "palique:d%0200d", 0);
	assert_int_equal(uri_parse(&uri, text), ERR_LIMIT);
	/* each part fits, and what is cut off at the end would be a link too */
	snprintf(text, sizeof text, "palique:d%044d/i/%032d?k=" KEY, 0, 0);
	assert_int_equal(strlen(text), URI_MAX);
	assert_int_equal(uri_parse(&uri, text), 0);
	snprintf(text, sizeof text, "palique:d%045d/i/%032d?k=" KEY, 0, 0);
	assert_int_equal(uri_parse(&uri, text), ERR_LIMIT);

	snprintf(text, sizeof text, "palique:d%063d:12345", 0);
	assert_int_equal(uri_parse(&uri, text), 0);
	uri.kind = URI_INVITATION;
	uri.has_directory_key = true;
	memset(uri.code, 'x', URI_CODE_MAX);
	assert_int_equal(uri_print(&uri, out), ERR_LIMIT);
	assert_string_equal(out, "");
}

static void a_place_comes_back(void **state)
{
	static const char *const good[] = { "dir.example.org", "dir:1", "1.2.3.4:65535",
					    "[::1]", "[fd00::1]:5" };
	struct directory_place place;
	char out[URI_HOST_MAX + 9];

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		assert_int_equal(place_parse(&place, good[i]), 0);
		place_print(&place, out);
		assert_string_equal(out, good[i]);
	}
	assert_int_equal(place_parse(&place, "dir:7272"), 0);
	place_print(&place, out);
	assert_string_equal(out, "dir");
	assert_int_equal(place_parse(&place, ""), ERR_FORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(links_come_back_as_they_were_printed),
		cmocka_unit_test(a_link_says_what_it_is),
		cmocka_unit_test(the_scheme_may_be_left_out),
		cmocka_unit_test(what_is_not_a_link_is_refused_and_changes_nothing),
		cmocka_unit_test(what_is_too_long_is_refused),
		cmocka_unit_test(a_place_comes_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
