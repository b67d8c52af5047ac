#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "directory/config.h"
#include "shared/error.h"
#include "shared/wire.h"

static char reason[512];

static int parse(struct config *c, const char *text)
{
	config_init(c);
	reason[0] = 0;
	return config_parse(c, "d.conf", bytes_text(text), reason, sizeof reason);
}

static void every_key_is_understood(void **state)
{
	struct config c;

	(void)state;
	assert_int_equal(parse(&c, "# a comment\n"
				   "listen = 0.0.0.0:7000\n"
				   "listen = [::1]\n"
				   "name = dir.example.org:7000 ; behind it\n"
				   "registration = open\n"
				   "log = debug\n"
				   "log-format = json\n"
				   "max-online = 5000\n"
				   "max-guests = 50\n"
				   "contacts-max = 100\n"
				   "logins-per-name = 7\n"
				   "logins-per-name-and-prefix = 8\n"
				   "logins-per-prefix = 9\n"
				   "registrations-per-prefix = 10\n"
				   "key-queries-per-prefix = 11\n"
				   "visits-per-device = 12\n"
				   "sights-per-prefix = 15\n"
				   "sight-port = 7001\n"
				   "outside-address = 203.0.113.5\n"
				   "outside-address = [2001:db8::5]:7001\n"
				   "health-listen = [::1]:7000\n"
				   "keyholder = /run/k/socket\n"
				   "restart-seconds = 13\n"
				   "work-bits = 14\n"),
			 0);
	assert_int_equal(c.listen_count, 2);
	assert_int_equal(c.listen[0].port, 7000);
	assert_int_equal(c.listen[1].port, DIRECTORY_PORT);
	assert_string_equal(c.place.host, "dir.example.org");
	assert_int_equal(c.place.port, 7000);
	assert_int_equal(c.registration, REGISTRATION_OPEN);
	assert_int_equal(c.log_level, LOG_DEBUG);
	assert_true(c.log_json);
	assert_int_equal(c.online_max, 5000);
	assert_int_equal(c.guests_max, 50);
	assert_int_equal(c.contacts_max, 100);
	assert_int_equal(c.limits.size[LIMIT_LOGIN_NAME].burst, 7);
	assert_int_equal(c.limits.size[LIMIT_LOGIN].burst, 8);
	assert_int_equal(c.limits.size[LIMIT_LOGIN_PREFIX].burst, 9);
	assert_int_equal(c.limits.size[LIMIT_REGISTER].burst, 10);
	assert_int_equal(c.limits.size[LIMIT_KEY_QUERY].burst, 11);
	assert_int_equal(c.limits.size[LIMIT_COME].burst, 12);
	assert_int_equal(c.limits.size[LIMIT_SIGHT].burst, 15);
	assert_int_equal(c.sight_port, 7001);
	assert_int_equal(c.outside_count, 2);
	assert_int_equal(c.outside[0].port, DIRECTORY_PORT);
	assert_int_equal(c.outside[1].port, 7001);
	assert_true(c.has_health);
	assert_int_equal(c.health.port, 7000);
	assert_string_equal(c.keyholder, "/run/k/socket");
	assert_int_equal(c.restart_seconds, 13);
	assert_int_equal(c.limits.work_bits_max, 14);
}

static void an_empty_file_leaves_the_defaults(void **state)
{
	struct config c;

	(void)state;
	assert_int_equal(parse(&c, ""), 0);
	assert_int_equal(c.registration, REGISTRATION_INVITE);
	assert_int_equal(c.contacts_max, WIRE_CONTACTS_MAX);
	assert_int_equal(c.listen_count, 0);
	assert_int_equal(c.sight_port, 0);
	assert_int_equal(c.outside_count, 0);
	assert_false(c.has_place);
	assert_false(c.has_health);
	assert_string_equal(c.keyholder, "");
	assert_int_equal(c.restart_seconds, CONFIG_RESTART_SECONDS);
}

static void a_mistake_names_file_and_line_and_changes_nothing(void **state)
{
	static const struct {
		const char *text, *where;
		int err;
	} cases[] = {
		{ "colour = blue\n", "d.conf:1: colour", ERR_FORMAT },
		{ "log = info\n\nregistration = maybe\n", "d.conf:3: registration",
		  ERR_FORMAT },
		{ "listen = localhost:7272\n", "d.conf:1: listen", ERR_FORMAT },
		{ "sight-port = 0\n", "d.conf:1: sight-port", ERR_FORMAT },
		{ "sight-port = 65536\n", "d.conf:1: sight-port", ERR_FORMAT },
		{ "sight-port = no\n", "d.conf:1: sight-port", ERR_FORMAT },
		{ "outside-address = 0.0.0.0\n", "d.conf:1: outside-address", ERR_FORMAT },
		{ "outside-address = host\n", "d.conf:1: outside-address", ERR_FORMAT },
		{ "max-online = 0\n", "d.conf:1: max-online", ERR_LIMIT },
		{ "max-online = 99999999999999999999\n", "d.conf:1: max-online", ERR_LIMIT },
		{ "max-online = -5\n", "d.conf:1: max-online", ERR_LIMIT },
		{ "max-online = 5 people\n", "d.conf:1: max-online", ERR_FORMAT },
		{ "contacts-max = 1001\n", "d.conf:1: contacts-max", ERR_LIMIT },
		{ "log = info\nlog = info\n", "d.conf:2: log", ERR_FORMAT },
		{ "log = info\nnonsense\nlog = what\n", "d.conf:2:", ERR_FORMAT },
		{ "[server]\nlog = info\n", "d.conf:1: [server]", ERR_FORMAT },
		{ "log = info\n[server]\n", "d.conf:2: [server]", ERR_FORMAT },
		{ "health-listen = 0.0.0.0:7273\n", "d.conf:1: health-listen", ERR_REFUSED },
		{ "health-listen = [2001:db8::1]\n", "d.conf:1: health-listen", ERR_REFUSED },
		{ "health-listen = yes\n", "d.conf:1: health-listen", ERR_FORMAT },
		{ "keyholder = socket\n", "d.conf:1: keyholder", ERR_FORMAT },
		{ "work-bits = 27\n", "d.conf:1: work-bits", ERR_LIMIT },
		{ "restart-seconds = 3601\n", "d.conf:1: restart-seconds", ERR_LIMIT },
		{ "name = two words\n", "d.conf:1: name", ERR_FORMAT },
	};
	struct config c, before;

	(void)state;
	config_init(&before);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_int_equal(parse(&c, cases[i].text), cases[i].err);
		if (strncmp(reason, cases[i].where, strlen(cases[i].where)) != 0)
			fail_msg("%s: %s", cases[i].text, reason);
		assert_memory_equal(&c.limits, &before.limits, sizeof c.limits);
		assert_int_equal(c.log_level, before.log_level);
		assert_int_equal(c.online_max, before.online_max);
	}
}

static void a_line_too_long_to_be_understood_is_refused(void **state)
{
	char text[600];
	struct config c;

	(void)state;
	memset(text, ' ', sizeof text);
	memcpy(text, "log = info\nlog-format =", 23);
	memcpy(text + 590, "json\n", 6);
	assert_int_equal(parse(&c, text), ERR_LIMIT);
	assert_memory_equal(reason, "d.conf:2:", 9);
	config_init(&c);
	assert_int_equal(config_parse(&c, "d.conf", bytes_of("log = info\0\n", 12), reason,
				      sizeof reason),
			 ERR_LIMIT);
}

static void a_missing_file_is_told_from_a_wrong_one(void **state)
{
	struct config c;

	(void)state;
	config_init(&c);
	assert_int_equal(config_read(&c, "/nonexistent/d.conf", reason, sizeof reason),
			 ERR_NOT_FOUND);
}

static void a_directory_may_do_without_another_port(void **state)
{
	struct config c;

	(void)state;
	assert_int_equal(parse(&c, "sight-port = none\n"), 0);
	assert_int_equal(c.sight_port, CONFIG_SIGHT_NONE);
}

static void outside_addresses_are_few(void **state)
{
	struct config c;
	char text[256];
	int size = 0;

	(void)state;
	for (int i = 0; i <= CONFIG_OUTSIDE_MAX; i++)
		size += snprintf(text + size, sizeof text - (size_t)size,
				 "outside-address = 203.0.113.5\n");
	assert_int_equal(parse(&c, text), ERR_LIMIT);
	assert_int_equal(c.outside_count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_directory_may_do_without_another_port),
		cmocka_unit_test(outside_addresses_are_few),
		cmocka_unit_test(every_key_is_understood),
		cmocka_unit_test(an_empty_file_leaves_the_defaults),
		cmocka_unit_test(a_mistake_names_file_and_line_and_changes_nothing),
		cmocka_unit_test(a_line_too_long_to_be_understood_is_refused),
		cmocka_unit_test(a_missing_file_is_told_from_a_wrong_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
