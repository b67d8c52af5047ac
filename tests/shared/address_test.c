#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "shared/address.h"
#include "shared/error.h"
#include "tests/at.h"

static void what_is_printed_is_read_back(void **state)
{
	static const char *const good[] = {
		"1.2.3.4:5",
		"255.255.255.255:65535",
		"0.0.0.0:0",
		"[::1]:5",
		"[2001:db8::1]:443",
		"[fe80::1%3]:9",
		"[fe80::1%4294967295]:65535",
		"[ff02::1]:1",
	};
	char text[ADDRESS_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		struct address a = at(good[i]);

		address_print(&a, text);
		assert_string_equal(text, good[i]);
	}
	address_print(&(struct address){ 0 }, text);
	assert_string_equal(text, "-");
}

static void without_a_port_the_default_is_taken(void **state)
{
	struct address a;

	(void)state;
	assert_int_equal(address_parse(&a, "1.2.3.4", 7), 0);
	assert_int_equal(a.port, 7);
	assert_int_equal(address_parse(&a, "[::1]", 7), 0);
	assert_int_equal(a.port, 7);
	assert_int_equal(address_parse(&a, "::1", 7), 0);
	assert_int_equal(a.family, 6);
	assert_int_equal(address_parse(&a, "1.2.3.4", 0), ERR_FORMAT);
	assert_int_equal(address_parse(&a, "[::1]", 0), ERR_FORMAT);
}

static void what_is_not_an_address_is_refused_and_changes_nothing(void **state)
{
	static const char *const bad[] = {
		"",
		":",
		":1",
		"1.2.3:4",
		"1.2.3.4:",
		"1.2.3.4:65536",
		"1.2.3.4:-1",
		"1.2.3.4:01",
		"01.2.3.4:5",
		"1.2.3.4:5x",
		"[1.2.3.4]:5",
		"[::1",
		"[::1]5",
		"[::1]x5",
		"[::1]:",
		"[]:5",
		"localhost:5",
		"[fe80::1%]:5",
		"[fe80::1%0]:5",
		"[fe80::1%eth0]:5",
		"[::1%3]:5",
		"1.2.3.4%3:5",
		"[fe80::1%4294967296]:5",
		"[:::]:1",
		" 1.2.3.4:5",
		"[fe80:0000:0000:0000:0000:0000:0000:0001%4294967295]:65535xxxxxxxxxxxxxxx",
	};
	struct address a = { .family = 4, .port = 99 };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (address_parse(&a, bad[i], 1) != ERR_FORMAT)
			fail_msg("taken: %s", bad[i]);
	assert_int_equal(a.port, 99);
}

static void v4_in_v6_is_kept_as_v4(void **state)
{
	struct address a = at("[::ffff:1.2.3.4]:5"), b = at("1.2.3.4:5"), c = { 0 };
	struct sockaddr_storage s;

	(void)state;
	assert_true(address_equal(&a, &b));
	assert_int_equal(address_to_sockaddr(&b, true, &s), sizeof(struct sockaddr_in6));
	assert_int_equal(s.ss_family, AF_INET6);
	assert_int_equal(address_from_sockaddr(&c, &s), 0);
	assert_true(address_equal(&b, &c));
}

static void a_sockaddr_comes_back(void **state)
{
	static const char *const all[] = { "1.2.3.4:5", "[2001:db8::1]:443", "[fe80::1%3]:9" };
	struct sockaddr_storage s;
	struct address b;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct address a = at(all[i]);

		memset(&s, 0xee, sizeof s);
		assert_int_equal(address_to_sockaddr(&a, false, &s),
				 i == 0 ? sizeof(struct sockaddr_in)
					: sizeof(struct sockaddr_in6));
		assert_int_equal(address_from_sockaddr(&b, &s), 0);
		assert_memory_equal(&a, &b, sizeof a);
	}
	s.ss_family = AF_UNIX;
	assert_int_equal(address_from_sockaddr(&b, &s), ERR_FORMAT);
}

static void the_wire_form_comes_back_and_has_one_shape(void **state)
{
	static const uint8_t v4[] = { 1, 2, 3, 4, 0x12, 0x34 };
	static const uint8_t mapped[18] = { [10] = 0xff, [11] = 0xff, [12] = 1 };
	struct address a = at("1.2.3.4:4660"), six = at("[2001:db8::1]:443"), b;
	struct buf out = { 0 };

	(void)state;
	assert_int_equal(address_encode(&a, &out), 0);
	assert_true(bytes_equal(buf_view(&out), BYTES(v4)));
	assert_int_equal(address_decode(&b, buf_view(&out)), 0);
	assert_true(address_equal(&a, &b));
	buf_clear(&out);
	assert_int_equal(address_encode(&six, &out), 0);
	assert_int_equal(out.size, 18);
	assert_int_equal(address_decode(&b, buf_view(&out)), 0);
	assert_true(address_equal(&six, &b));
	for (size_t size = 0; size < 18; size++)
		if (size != 6)
			assert_int_equal(address_decode(&b, bytes_of(out.data, size)),
					 ERR_FORMAT);
	assert_int_equal(address_decode(&b, BYTES(mapped)), ERR_FORMAT);
	assert_int_equal(address_encode(&(struct address){ 0 }, &out), ERR_FORMAT);
	assert_int_equal(out.size, 18);
	buf_clear(&out);
}

static void addresses_are_told_apart_by_their_kind(void **state)
{
	static const struct {
		const char *text;
		bool loopback, link_local, private, unicast;
	} rows[] = {
		{ "127.0.0.1:1", true, false, false, true },
		{ "[::1]:1", true, false, false, true },
		{ "169.254.0.1:1", false, true, false, true },
		{ "[fe80::1]:1", false, true, false, true },
		{ "[febf::1]:1", false, true, false, true },
		{ "[fec0::1]:1", false, false, false, true },
		{ "10.255.0.1:1", false, false, true, true },
		{ "172.16.0.1:1", false, false, true, true },
		{ "172.31.9.9:1", false, false, true, true },
		{ "172.32.0.1:1", false, false, false, true },
		{ "192.168.1.1:1", false, false, true, true },
		{ "100.64.0.1:1", false, false, true, true },
		{ "100.128.0.1:1", false, false, false, true },
		{ "[fd00::1]:1", false, false, true, true },
		{ "172.15.255.255:1", false, false, false, true },
		{ "100.63.255.255:1", false, false, false, true },
		{ "192.169.0.1:1", false, false, false, true },
		{ "169.253.0.1:1", false, false, false, true },
		{ "11.0.0.1:1", false, false, false, true },
		{ "[fe00::1]:1", false, false, false, true },
		{ "8.8.8.8:1", false, false, false, true },
		{ "8.8.8.8:0", false, false, false, false },
		{ "0.0.0.0:1", false, false, false, false },
		{ "0.1.2.3:1", false, false, false, false },
		{ "224.0.0.1:1", false, false, false, false },
		{ "255.255.255.255:1", false, false, false, false },
		{ "240.0.0.1:1", false, false, false, false },
		{ "[::]:1", false, false, false, false },
		{ "[ff02::1]:1", false, false, false, false },
		{ "[2001:db8::1]:1", false, false, false, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct address a = at(rows[i].text);

		if (address_is_loopback(&a) != rows[i].loopback ||
		    address_is_link_local(&a) != rows[i].link_local ||
		    address_is_private(&a) != rows[i].private ||
		    address_is_unicast(&a) != rows[i].unicast)
			fail_msg("misjudged: %s", rows[i].text);
	}
	assert_false(address_is_unicast(&(struct address){ .port = 1 }));
}

static void limits_count_by_24_and_48_bits(void **state)
{
	struct address a = at("1.2.3.4:5"), b = at("1.2.3.99:6"), c = at("1.2.4.4:5");
	struct address d = at("[2001:db8:1:2::3]:4"), e = at("[2001:db8:1:ffff::]:1"),
		       f = at("[2001:db8:2::]:1");
	struct address pa = address_prefix(&a), pb = address_prefix(&b),
		       pc = address_prefix(&c);
	struct address pd = address_prefix(&d), pe = address_prefix(&e),
		       pf = address_prefix(&f);

	(void)state;
	assert_memory_equal(&pa, &pb, sizeof pa);
	assert_false(address_equal(&pa, &pc));
	assert_memory_equal(&pd, &pe, sizeof pd);
	assert_false(address_equal(&pd, &pf));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_printed_is_read_back),
		cmocka_unit_test(without_a_port_the_default_is_taken),
		cmocka_unit_test(what_is_not_an_address_is_refused_and_changes_nothing),
		cmocka_unit_test(v4_in_v6_is_kept_as_v4),
		cmocka_unit_test(a_sockaddr_comes_back),
		cmocka_unit_test(the_wire_form_comes_back_and_has_one_shape),
		cmocka_unit_test(addresses_are_told_apart_by_their_kind),
		cmocka_unit_test(limits_count_by_24_and_48_bits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
