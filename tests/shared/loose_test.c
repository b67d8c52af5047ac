#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "shared/loose.h"

static const struct path there = { .remote = {
					   .family = 4, .port = 9, .ip = { 10, 0, 0, 1 } } };

static void what_waits_is_taken_in_its_order_with_its_path(void **state)
{
	struct path second = there, path;
	struct loose q = { 0 };
	uint8_t room[16], ttl;

	(void)state;
	second.remote.port = 10;
	loose_add(&q, &there, bytes_text("one"), 3);
	loose_add(&q, &second, bytes_text("three"), 0);
	assert_int_equal(loose_take(&q, room, &path, &ttl), 3);
	assert_memory_equal(room, "one", 3);
	assert_int_equal(path.remote.port, 9);
	assert_int_equal(ttl, 3);
	assert_int_equal(loose_take(&q, room, &path, &ttl), 5);
	assert_memory_equal(room, "three", 5);
	assert_int_equal(path.remote.port, 10);
	assert_int_equal(ttl, 0);
	assert_int_equal(loose_take(&q, room, &path, &ttl), 0);
	loose_add(&q, &there, bytes_text("again"), 0);
	assert_int_equal(loose_take(&q, room, &path, &ttl), 5);
}

static void what_is_too_much_is_dropped_and_what_waited_is_not(void **state)
{
	struct loose q = { 0 };
	struct path path;
	uint8_t room[4], ttl;
	uint32_t number;

	(void)state;
	for (number = 0; number < LOOSE_MAX + 5; number++)
		loose_add(&q, &there, bytes_of(&number, sizeof number), 0);
	for (uint32_t i = 0; i < LOOSE_MAX; i++) {
		assert_int_equal(loose_take(&q, room, &path, &ttl), sizeof number);
		memcpy(&number, room, sizeof number);
		assert_int_equal(number, i);
	}
	assert_int_equal(loose_take(&q, room, &path, &ttl), 0);
	loose_add(&q, &there, bytes_text("last"), 0);
	loose_clear(&q);
	assert_int_equal(loose_take(&q, room, &path, &ttl), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_waits_is_taken_in_its_order_with_its_path),
		cmocka_unit_test(what_is_too_much_is_dropped_and_what_waited_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
