#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "peer/faces/web/guard.h"

enum { PORT = 7373 };

static struct guard_request get(const char *path)
{
	return (struct guard_request){
		.method = GUARD_GET, .path = path, .host = "127.0.0.1:7373", .body = -1
	};
}

static int judge(const struct guard_request *r)
{
	struct guard_pass pass;

	return guard_judge(r, PORT, &pass);
}

static void a_request_goes_on_when_it_is_for_us_and_from_us(void **state)
{
	struct guard_request r = get("/");
	struct guard_pass pass;

	(void)state;
	assert_int_equal(guard_judge(&r, PORT, &pass), 0);
	assert_int_equal(pass.route, ROUTE_PAGE);
	assert_int_equal(pass.proof, PROOF_NONE);
	r = get("/thumbnail/17");
	r.origin = "http://127.0.0.1:7373";
	r.site = "same-origin";
	assert_int_equal(guard_judge(&r, PORT, &pass), 0);
	assert_int_equal(pass.route, ROUTE_THUMBNAIL);
	assert_int_equal(pass.proof, PROOF_BOTH);
	assert_string_equal(pass.name, "17");
}

static void a_name_that_is_not_our_address_to_the_letter_is_refused(void **state)
{
	static const char *const hosts[] = {
		NULL,
		"",
		"localhost:7373",
		"127.0.0.1",
		"127.0.0.1:73733",
		"127.0.0.1:7373.evil.example",
		"evil.example:7373",
		"[::1]:7373",
		"127.0.0.1:07373",
		"127.0.0.1:7373 ",
		"127.0.0.1:7373,127.0.0.1:7373",
		"?",
	};

	(void)state;
	for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
		struct guard_request r = get("/");

		r.host = hosts[i];
		assert_int_equal(judge(&r), 421);
	}
}

static void another_origin_is_refused_and_a_missing_one_only_for_a_socket(void **state)
{
	static const char *const origins[] = { "",
					       "null",
					       "http://127.0.0.1",
					       "http://127.0.0.1:7374",
					       "https://127.0.0.1:7373",
					       "http://127.0.0.1:7373/",
					       "http://localhost:7373",
					       "http://127.0.0.1:7373.evil.example" };
	struct guard_request r;

	(void)state;
	for (size_t i = 0; i < sizeof origins / sizeof *origins; i++) {
		r = get("/");
		r.origin = origins[i];
		assert_int_equal(judge(&r), 403);
	}
	r = get("/socket");
	r.is_upgrade = true;
	assert_int_equal(judge(&r), 403);
	r.origin = "http://127.0.0.1:7373";
	assert_int_equal(judge(&r), 0);
	r.is_upgrade = false;
	assert_int_equal(judge(&r), 426);
	r = get("/");
	r.is_upgrade = true;
	assert_int_equal(judge(&r), 400);
}

static void what_a_browser_says_comes_from_elsewhere_is_refused(void **state)
{
	static const char *const sites[] = { "cross-site", "same-site", "", "Same-Origin",
					     "?" };
	struct guard_request r = get("/");

	(void)state;
	for (size_t i = 0; i < sizeof sites / sizeof *sites; i++) {
		r.site = sites[i];
		assert_int_equal(judge(&r), 403);
	}
	r.site = "none";
	assert_int_equal(judge(&r), 0);
}

static void paths_that_are_none_of_ours_are_not_there(void **state)
{
	static const char *const paths[] = {
		"",
		"?",
		"//",
		"/x",
		"/index.html",
		"/assets/",
		"/assets/../x",
		"/assets/.x",
		"/assets/a/b",
		"/assets/a%2fb",
		"/assets/a b",
		"/upload/",
		"/upload/../store.db",
		"/upload/0123456789ABCDEF0123456789ABCDEF",
		"/upload/0123456789abcdef0123456789abcde",
		"/ticket/x",
		"/ticket/-1",
		"/ticket/123456789012345678901",
		"/file/17",
		"/thumbnail/",
		"/picture/Bob",
		"/picture/../x",
		"/session/",
		"/socket/",
	};

	(void)state;
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		struct guard_request r = get(paths[i]);

		if (judge(&r) != 404)
			fail_msg("%s: %d", paths[i], judge(&r));
	}
}

static void other_methods_and_bodies_that_do_not_fit_are_refused(void **state)
{
	struct guard_request r = get("/");

	(void)state;
	r.method = GUARD_OTHER;
	assert_int_equal(judge(&r), 405);
	r.method = GUARD_POST;
	r.body = 0;
	assert_int_equal(judge(&r), 405);
	r = get("/");
	r.body = 1;
	assert_int_equal(judge(&r), 413);
	r = get("/session/end");
	assert_int_equal(judge(&r), 405);
	r.method = GUARD_POST;
	assert_int_equal(judge(&r), 411);
	r.body = GUARD_BODY_MAX;
	assert_int_equal(judge(&r), 0);
	r.body++;
	assert_int_equal(judge(&r), 413);
	r.body = 0;
	r.is_chunked = true;
	assert_int_equal(judge(&r), 411);
	r = get("/upload/0123456789abcdef0123456789abcdef");
	r.method = GUARD_PUT;
	r.body = GUARD_PIECE_MAX;
	assert_int_equal(judge(&r), 0);
	r.body++;
	assert_int_equal(judge(&r), 413);
	r.body = INT64_MAX;
	assert_int_equal(judge(&r), 413);
}

/* What is open to the cookie alone, or to anybody, is this and no more. */
static void all_but_the_page_itself_wants_both_secrets(void **state)
{
	static const struct {
		const char *path;
		enum guard_proof proof;
	} rows[] = {
		{ "/", PROOF_NONE },
		{ "/assets/app.js", PROOF_NONE },
		{ "/texts/es", PROOF_NONE },
		{ "/qr", PROOF_COOKIE },
		{ "/file/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", PROOF_COOKIE },
		{ "/session", PROOF_BOTH },
		{ "/upload/0123456789abcdef0123456789abcdef", PROOF_BOTH },
		{ "/image/1", PROOF_BOTH },
		{ "/thumbnail/1", PROOF_BOTH },
		{ "/picture/bob", PROOF_BOTH },
		{ "/picture/", PROOF_BOTH },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct guard_request r = get(rows[i].path);
		struct guard_pass pass;

		assert_int_equal(guard_judge(&r, PORT, &pass), 0);
		assert_int_equal(pass.proof, rows[i].proof);
	}
}

static void cookies_of_our_name_are_all_found(void **state)
{
	static const char header[] = " a=b; palique-7373=one;palique-73733=x; xpalique-7373=y; "
				     "palique-7373=two; palique-7373";
	char value[GUARD_COOKIE_MAX + 1], longest[200] = "palique-7373=";

	(void)state;
	assert_true(guard_cookie(header, "palique-7373", 0, value));
	assert_string_equal(value, "one");
	assert_true(guard_cookie(header, "palique-7373", 1, value));
	assert_string_equal(value, "two");
	assert_false(guard_cookie(header, "palique-7373", 2, value));
	assert_false(guard_cookie(NULL, "palique-7373", 0, value));
	assert_false(guard_cookie("", "palique-7373", 0, value));
	memset(longest + strlen(longest), 'a', 150);
	assert_false(guard_cookie(longest, "palique-7373", 0, value));
}

static void a_key_is_found_among_subprotocols(void **state)
{
	char key[GUARD_COOKIE_MAX + 1];

	(void)state;
	assert_true(guard_key("palique, palique.abc", key));
	assert_string_equal(key, "abc");
	assert_true(guard_key("palique.abc,palique", key));
	assert_false(guard_key("palique", key));
	assert_false(guard_key("palique.", key));
	assert_false(guard_key("", key));
	assert_false(guard_key(NULL, key));
}

static void a_range_is_of_bytes_that_are_there(void **state)
{
	static const struct {
		const char *header;
		int status;
		uint64_t from, length;
	} rows[] = {
		{ NULL, 200, 0, 1000 },
		{ "bytes=0-9", 206, 0, 10 },
		{ "bytes=990-", 206, 990, 10 },
		{ "bytes=990-5000", 206, 990, 10 },
		{ "bytes=-10", 206, 990, 10 },
		{ "bytes=-5000", 206, 0, 1000 },
		{ "bytes=999-999", 206, 999, 1 },
		{ "bytes=1000-", 416, 0, 1000 },
		{ "bytes=-0", 416, 0, 1000 },
		{ "bytes=9-0", 200, 0, 1000 },
		{ "bytes=0-1,3-4", 200, 0, 1000 },
		{ "bytes=x-", 200, 0, 1000 },
		{ "bytes=-", 200, 0, 1000 },
		{ "bytes=", 200, 0, 1000 },
		{ "pages=0-1", 200, 0, 1000 },
		{ "bytes=18446744073709551616-", 200, 0, 1000 },
		{ "bytes=0-18446744073709551615", 206, 0, 1000 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		uint64_t from, length;

		if (guard_range(rows[i].header, 1000, &from, &length) != rows[i].status ||
		    from != rows[i].from || length != rows[i].length)
			fail_msg("%s", rows[i].header);
	}
	uint64_t from, length;
	assert_int_equal(guard_range("bytes=0-", 0, &from, &length), 416);
	assert_int_equal(guard_range("bytes=-1", 0, &from, &length), 416);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_goes_on_when_it_is_for_us_and_from_us),
		cmocka_unit_test(a_name_that_is_not_our_address_to_the_letter_is_refused),
		cmocka_unit_test(another_origin_is_refused_and_a_missing_one_only_for_a_socket),
		cmocka_unit_test(what_a_browser_says_comes_from_elsewhere_is_refused),
		cmocka_unit_test(paths_that_are_none_of_ours_are_not_there),
		cmocka_unit_test(other_methods_and_bodies_that_do_not_fit_are_refused),
		cmocka_unit_test(all_but_the_page_itself_wants_both_secrets),
		cmocka_unit_test(cookies_of_our_name_are_all_found),
		cmocka_unit_test(a_key_is_found_among_subprotocols),
		cmocka_unit_test(a_range_is_of_bytes_that_are_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
