#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "directory/sights.h"
#include "tests/at.h"

static struct sights all;
static struct address told[WIRE_SIGHTS_MAX];

static void add(enum sight_kind kind, unsigned socket, bool is_named, const char *text)
{
	all.list[all.count++] = (struct sight){ .kind = kind,
						.socket = (uint16_t)socket,
						.is_named = is_named,
						.at = at(text) };
}

static struct path path(unsigned socket, const char *local, const char *remote)
{
	return (struct path){ .socket = (uint16_t)socket,
			      .local = at(local),
			      .remote = at(remote) };
}

/* All that a client is told, in one line. */
static const char *words(const char *local, const char *remote)
{
	static char line[WIRE_SIGHTS_MAX * (ADDRESS_TEXT_SIZE + 1)];
	struct path p = path(0, local, remote);
	unsigned count = sights_for(&all, &p, told);
	size_t size = 0;

	line[0] = 0;
	for (unsigned i = 0; i < count; i++) {
		char text[ADDRESS_TEXT_SIZE];

		address_print(&told[i], text);
		size += (size_t)snprintf(line + size, sizeof line - size, "%s%s", i ? " " : "",
					 text);
	}
	return line;
}

static int begin(void **state)
{
	(void)state;
	memset(&all, 0, sizeof all);
	return 0;
}

static void a_directory_on_one_address_names_its_two_ports(void **state)
{
	(void)state;
	assert_string_equal(words("198.51.100.1:7272", "192.0.2.7:5000"), "");
	add(SIGHT_MAIN, 0, true, "198.51.100.1:7272");
	add(SIGHT_FURTHER, 1, true, "198.51.100.1:7273");
	add(SIGHT_HIDDEN, 2, true, "198.51.100.1:40000");
	assert_string_equal(words("198.51.100.1:7272", "192.0.2.7:5000"),
			    "198.51.100.1:7272 198.51.100.1:7273");
}

/* Behind a wildcard are a machine's addresses of every kind. */
static void a_client_is_told_what_it_can_reach_and_no_more(void **state)
{
	static const char *const addresses[] = {
		"127.0.0.1:",  "[::1]:",     "169.254.9.9:",  "[fe80::1%2]:",  "10.0.0.5:",
		"172.17.0.1:", "[fd00::1]:", "198.51.100.1:", "[2001:db8::1]:"
	};

	(void)state;
	for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
		char text[ADDRESS_TEXT_SIZE];

		snprintf(text, sizeof text, "%s7272", addresses[i]);
		add(SIGHT_MAIN, 0, false, text);
		snprintf(text, sizeof text, "%s7273", addresses[i]);
		add(SIGHT_FURTHER, 1, false, text);
	}
	assert_string_equal(words("198.51.100.1:7272", "192.0.2.7:5000"),
			    "198.51.100.1:7272 198.51.100.1:7273 [2001:db8::1]:7272 "
			    "[2001:db8::1]:7273");
	assert_string_equal(words("[2001:db8::1]:7272", "[2001:db8::7]:5000"),
			    "198.51.100.1:7272 198.51.100.1:7273 [2001:db8::1]:7272 "
			    "[2001:db8::1]:7273");
	assert_string_equal(words("10.0.0.5:7272", "10.0.0.7:5000"),
			    "10.0.0.5:7272 10.0.0.5:7273 [2001:db8::1]:7272 "
			    "[2001:db8::1]:7273");
	assert_string_equal(words("127.0.0.1:7272", "127.0.0.1:5000"),
			    "127.0.0.1:7272 127.0.0.1:7273 [2001:db8::1]:7272 "
			    "[2001:db8::1]:7273");
	assert_string_equal(words("169.254.9.9:7272", "169.254.9.8:5000"),
			    "169.254.9.9:7272 169.254.9.9:7273 [2001:db8::1]:7272 "
			    "[2001:db8::1]:7273");
	assert_null(strstr(words("[fe80::1%2]:7272", "[fe80::7%2]:5000"), "fe80"));
}

static void where_others_reach_it_comes_before_what_the_machine_has(void **state)
{
	(void)state;
	add(SIGHT_MAIN, 0, false, "10.0.0.5:7272");
	add(SIGHT_FURTHER, 1, false, "10.0.0.5:7273");
	add(SIGHT_MAIN, 0, true, "203.0.113.5:7272");
	add(SIGHT_FURTHER, 0, true, "203.0.113.5:7273");
	assert_string_equal(words("10.0.0.5:7272", "192.0.2.7:5000"),
			    "203.0.113.5:7272 203.0.113.5:7273");
}

/* Answers from both sides of a NAT would look like those of a bad one. */
static void a_private_client_is_told_of_private_addresses_or_of_others(void **state)
{
	(void)state;
	add(SIGHT_MAIN, 0, true, "198.51.100.1:7272");
	add(SIGHT_MAIN, 1, true, "10.0.0.5:7272");
	add(SIGHT_MAIN, 2, true, "10.0.0.6:7272");
	assert_string_equal(words("10.0.0.5:7272", "10.0.0.7:5000"),
			    "10.0.0.5:7272 10.0.0.6:7272");
	assert_string_equal(words("198.51.100.1:7272", "10.0.0.7:5000"), "198.51.100.1:7272");
	assert_string_equal(words("10.0.0.5:7272", "192.0.2.7:5000"), "198.51.100.1:7272");
	assert_string_equal(words("[fd00::1]:7272", "[fd00::7]:5000"), "198.51.100.1:7272");
	all.list[0] = all.list[1]; /* no other but the private ones */
	assert_string_equal(words("[fd00::1]:7272", "[fd00::7]:5000"),
			    "10.0.0.5:7272 10.0.0.6:7272");
	assert_string_equal(words("[2001:db8::1]:7272", "[2001:db8::7]:5000"), "");
}

/* Two addresses at two ports each tell every kind of NAT. */
static void all_places_are_used_for_ipv4_where_there_is_no_other(void **state)
{
	(void)state;
	add(SIGHT_MAIN, 0, true, "198.51.100.1:7272");
	add(SIGHT_MAIN, 1, true, "198.51.100.2:7272");
	add(SIGHT_FURTHER, 2, true, "198.51.100.1:7273");
	add(SIGHT_FURTHER, 3, true, "198.51.100.2:7273");
	add(SIGHT_MAIN, 1, true, "198.51.100.2:7272"); /* said twice, told once */
	assert_string_equal(words("198.51.100.2:7272", "192.0.2.7:5000"),
			    "198.51.100.2:7272 198.51.100.2:7273 198.51.100.1:7272 "
			    "198.51.100.1:7273");
}

static const struct sight_question plain = { .wants = SIGHT_PLAIN };
static const struct sight_question cross = { .wants = SIGHT_CROSS };
static const struct sight_question port = { .wants = SIGHT_PORT, .port = 4711 };

static void a_plain_question_is_answered_from_where_it_came_to(void **state)
{
	struct path p = path(3, "198.51.100.1:7273", "192.0.2.7:5000"), back;

	(void)state;
	assert_true(sights_answer(&all, &p, &plain, &back));
	assert_true(path_equal(&back, &p));
}

static void what_wants_a_stranger_gets_it_from_another_address_or_at_least_port(void **state)
{
	struct path p = path(0, "198.51.100.1:7272", "192.0.2.7:5000"), back;

	(void)state;
	add(SIGHT_MAIN, 0, true, "198.51.100.1:7272");
	assert_false(sights_answer(&all, &p, &cross, &back));
	add(SIGHT_HIDDEN, 2, false, "198.51.100.1:40000");
	assert_true(sights_answer(&all, &p, &cross, &back));
	assert_int_equal(back.socket, 2);
	assert_int_equal(back.local.port, 40000);
	assert_true(address_equal(&back.remote, &p.remote));
	/* what does not surely lead there is not taken */
	add(SIGHT_HIDDEN, 2, false, "172.17.0.1:40000");
	add(SIGHT_HIDDEN, 2, false, "127.0.0.1:40000");
	add(SIGHT_HIDDEN, 3, false, "[2001:db8::1]:40000");
	assert_true(sights_answer(&all, &p, &cross, &back));
	assert_true(address_same_ip(&back.local, &p.local));
	add(SIGHT_HIDDEN, 4, false, "198.51.100.2:40001");
	assert_true(sights_answer(&all, &p, &cross, &back));
	assert_int_equal(back.socket, 4);
	assert_int_equal(back.local.port, 40001);
}

static void another_private_address_is_taken_only_where_the_operator_named_it(void **state)
{
	struct path p = path(0, "10.0.0.1:7272", "10.0.0.7:5000"), back;

	(void)state;
	add(SIGHT_HIDDEN, 2, false, "10.0.0.1:40000");
	add(SIGHT_HIDDEN, 2, false, "172.17.0.1:40000");
	assert_true(sights_answer(&all, &p, &cross, &back));
	assert_true(address_same_ip(&back.local, &p.local));
	add(SIGHT_HIDDEN, 3, true, "10.0.0.2:40001");
	assert_true(sights_answer(&all, &p, &cross, &back));
	assert_int_equal(back.socket, 3);
}

static void a_port_is_tried_at_the_asker_s_own_ip(void **state)
{
	struct path p = path(0, "198.51.100.1:7272", "192.0.2.7:5000"), back;

	(void)state;
	add(SIGHT_HIDDEN, 2, true, "198.51.100.1:40000");
	assert_true(sights_answer(&all, &p, &port, &back));
	assert_int_equal(back.socket, 2);
	assert_true(address_same_ip(&back.remote, &p.remote));
	assert_int_equal(back.remote.port, 4711);
}

static void nobody_is_answered_at_a_hidden_port(void **state)
{
	struct path p = path(2, "198.51.100.1:40000", "192.0.2.7:5000"), back;

	(void)state;
	add(SIGHT_HIDDEN, 2, true, "198.51.100.1:40000");
	assert_false(sights_answer(&all, &p, &plain, &back));
	assert_false(sights_answer(&all, &p, &cross, &back));
	p.socket = 1;
	assert_true(sights_answer(&all, &p, &plain, &back));
	p.remote = at("255.255.255.255:5000");
	assert_false(sights_answer(&all, &p, &plain, &back));
}

static void more_than_fit_are_left_out(void **state)
{
	static struct sight many[SIGHTS_MAX + 3];

	(void)state;
	sights_set(&all, many, SIGHTS_MAX + 3);
	assert_int_equal(all.count, SIGHTS_MAX);
	sights_set(&all, many, 1);
	assert_int_equal(all.count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define ROW(name) cmocka_unit_test_setup(name, begin)
		ROW(a_directory_on_one_address_names_its_two_ports),
		ROW(a_client_is_told_what_it_can_reach_and_no_more),
		ROW(where_others_reach_it_comes_before_what_the_machine_has),
		ROW(a_private_client_is_told_of_private_addresses_or_of_others),
		ROW(all_places_are_used_for_ipv4_where_there_is_no_other),
		ROW(a_plain_question_is_answered_from_where_it_came_to),
		ROW(what_wants_a_stranger_gets_it_from_another_address_or_at_least_port),
		ROW(another_private_address_is_taken_only_where_the_operator_named_it),
		ROW(a_port_is_tried_at_the_asker_s_own_ip),
		ROW(nobody_is_answered_at_a_hidden_port),
		ROW(more_than_fit_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
