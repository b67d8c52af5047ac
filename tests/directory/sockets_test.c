#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <sodium.h>
#include <string.h>
#include <unistd.h>

#include "directory/sockets.h"
#include "shared/error.h"
#include "shared/udp_socket.h"
#include "tests/at.h"

static uv_loop_t loop;
static struct endpoint *endpoint;
static struct udp *udp;
static struct sockets sockets;
static struct config config;
static char reason[256];
static struct sight sights[SIGHTS_MAX];

static mono_ns on_step(void *user, mono_ns now)
{
	(void)user;
	(void)now;
	return NEVER;
}

static int begin(void **state)
{
	struct endpoint_config ec = { .policy = ENDPOINT_ANYONE, .keep_alive = NEVER };

	(void)state;
	uv_loop_init(&loop);
	device_make(&ec.device);
	endpoint = endpoint_new(&ec, clock_now());
	assert_int_equal(udp_new(&udp, &loop, endpoint, on_step, NULL), 0);
	config_init(&config);
	config.listen_count = 1;
	return 0;
}

static int end(void **state)
{
	(void)state;
	udp_close(udp);
	uv_run(&loop, UV_RUN_DEFAULT);
	uv_loop_close(&loop);
	endpoint_free(endpoint);
	return 0;
}

static int open_all(void)
{
	return sockets_open(&sockets, udp, &config, reason, sizeof reason);
}

/* A port of this machine that is free at this moment. */
static uint16_t free_port(const char *text)
{
	struct address a = at(text);
	struct udp_socket s;

	a.port = 0;
	assert_int_equal(udp_socket_open(&s, &a), 0);
	close(s.fd);
	return s.bound.port;
}

static void nobody_is_behind_a_nat_who_comes_by_loopback(void **state)
{
	(void)state;
	config.listen[0] = at("127.0.0.1:1");
	config.listen[0].port = 0;
	assert_int_equal(open_all(), 0);
	assert_int_equal(sockets.main_count, 1);
	assert_int_equal(sockets.count, 2);
	assert_int_equal(sockets.opened[0].kind, SIGHT_MAIN);
	assert_int_equal(sockets.opened[1].kind, SIGHT_HIDDEN);
	assert_int_not_equal(sockets.opened[0].bound.port, sockets.opened[1].bound.port);
}

static void a_port_that_is_configured_is_opened_anywhere(void **state)
{
	(void)state;
	config.listen[0] = at("127.0.0.1:1");
	config.listen[0].port = 0;
	config.sight_port = free_port("127.0.0.1:1");
	assert_int_equal(open_all(), 0);
	assert_int_equal(sockets.count, 3);
	assert_int_equal(sockets.opened[1].kind, SIGHT_FURTHER);
	assert_int_equal(sockets.opened[1].bound.port, config.sight_port);
	assert_int_equal(sockets_sights(&sockets, sights), 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(sights[i].socket, i);
		assert_true(sights[i].is_named);
		assert_true(address_equal(&sights[i].at, &sockets.opened[i].bound));
	}
}

static void a_further_port_that_is_taken_stops_nothing(void **state)
{
	struct address any = at("127.0.0.1:1");
	struct udp_socket other;

	(void)state;
	any.port = 0;
	assert_int_equal(udp_socket_open(&other, &any), 0);
	config.listen[0] = any;
	config.sight_port = other.bound.port;
	assert_int_equal(open_all(), 0);
	assert_int_equal(sockets.count, 2);
	close(other.fd);
}

static void a_main_port_that_is_taken_is_the_end(void **state)
{
	struct address any = at("127.0.0.1:1");
	struct udp_socket other;

	(void)state;
	any.port = 0;
	assert_int_equal(udp_socket_open(&other, &any), 0);
	config.listen[0] = other.bound;
	assert_int_equal(open_all(), ERR_EXISTS);
	assert_non_null(strstr(reason, "127.0.0.1:"));
	close(other.fd);
}

static void behind_a_wildcard_are_the_addresses_of_the_machine(void **state)
{
	unsigned count, loopbacks = 0;

	(void)state;
	config.listen[0] = (struct address){ .family = 4 };
	config.sight_port = CONFIG_SIGHT_NONE;
	assert_int_equal(open_all(), 0);
	assert_int_equal(sockets.count, 2);
	count = sockets_sights(&sockets, sights);
	for (unsigned i = 0; i < count; i++) {
		struct address a = sights[i].at;

		assert_false(sights[i].is_named);
		assert_int_equal(a.family, 4);
		assert_int_equal(a.port, sockets.opened[sights[i].socket].bound.port);
		assert_int_equal(sights[i].kind, sockets.opened[sights[i].socket].kind);
		loopbacks += address_is_loopback(&a);
	}
	assert_int_equal(loopbacks, 2);
}

/* Without being told, the port above the main one. */
static void the_further_port_is_one_above(void **state)
{
	bool was_had = false;

	(void)state;
	config.listen[0] = (struct address){ .family = 4 };
	for (int tries = 0; tries < 20 && !was_had; tries++) {
		config.listen[0].port = free_port("127.0.0.1:1");
		if (config.listen[0].port == UINT16_MAX || open_all() < 0)
			continue;
		was_had = sockets.count == 3;
	}
	assert_true(was_had);
	assert_int_equal(sockets.opened[1].kind, SIGHT_FURTHER);
	assert_int_equal(sockets.opened[1].bound.port, config.listen[0].port + 1);
}

static void where_others_reach_us_is_told_but_never_sent_from(void **state)
{
	(void)state;
	config.listen[0] = at("127.0.0.1:1");
	config.listen[0].port = 0;
	config.outside_count = 1;
	config.outside[0] = at("203.0.113.5:7272");
	assert_int_equal(open_all(), 0);
	assert_int_equal(sockets_sights(&sockets, sights), 4);
	assert_int_equal(sights[0].kind, SIGHT_MAIN);
	assert_true(address_equal(&sights[0].at, &config.outside[0]));
	assert_int_equal(sights[1].kind, SIGHT_FURTHER);
	assert_int_equal(sights[1].at.port, 7273);
}

static void a_private_machine_with_a_name_should_be_told_its_address_outside(void **state)
{
	struct config told;

	(void)state;
	config.has_place = true;
	config.place = (struct directory_place){ "dir.example.org", 7272 };
	told = config;
	sockets = (struct sockets){ .count = 1, .main_count = 1 };
	sockets.opened[0].bound = at("192.168.1.5:7272");
	assert_true(sockets_lack_outside(&sockets, &config));
	sockets.opened[0].bound = at("203.0.113.5:7272");
	assert_false(sockets_lack_outside(&sockets, &config));
	sockets.opened[0].bound = at("127.0.0.1:7272");
	assert_false(sockets_lack_outside(&sockets, &config));
	sockets.opened[0].bound = at("192.168.1.5:7272");
	sockets.outside_count = 1;
	sockets.outside[0].bound = at("203.0.113.5:7272");
	assert_false(sockets_lack_outside(&sockets, &told));
	sockets.outside_count = 0;
	told.has_place = false;
	assert_false(sockets_lack_outside(&sockets, &told));
}

static void a_name_that_is_an_address_is_where_others_reach_us(void **state)
{
	(void)state;
	config.listen[0] = at("127.0.0.1:1");
	config.listen[0].port = 0;
	config.has_place = true;
	config.place = (struct directory_place){ "dir.example.org", 7272 };
	assert_int_equal(open_all(), 0);
	assert_int_equal(sockets.outside_count, 0);
	config.place = (struct directory_place){ "203.0.113.5", 443 };
	assert_int_equal(open_all(), 0);
	assert_int_equal(sockets.outside_count, 2);
	assert_int_equal(sockets.outside[0].bound.port, 443);
	assert_int_equal(sockets.outside[1].bound.port, 444);
	config.place = (struct directory_place){ "2001:db8::5", 7272 };
	assert_int_equal(open_all(), 0);
	assert_int_equal(sockets.outside[0].bound.family, 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define ROW(name) cmocka_unit_test_setup_teardown(name, begin, end)
		ROW(nobody_is_behind_a_nat_who_comes_by_loopback),
		ROW(a_port_that_is_configured_is_opened_anywhere),
		ROW(a_further_port_that_is_taken_stops_nothing),
		ROW(a_main_port_that_is_taken_is_the_end),
		ROW(behind_a_wildcard_are_the_addresses_of_the_machine),
		ROW(the_further_port_is_one_above),
		ROW(a_private_machine_with_a_name_should_be_told_its_address_outside),
		ROW(a_name_that_is_an_address_is_where_others_reach_us),
		ROW(where_others_reach_us_is_told_but_never_sent_from),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
