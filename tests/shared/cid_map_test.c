#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "shared/cid_map.h"

enum { MANY = 5000 };

static struct bytes key_of(uint32_t *n)
{
	return bytes_of(n, sizeof *n);
}

static void a_key_is_found_until_removed(void **state)
{
	struct cid_map *m = cid_map_new();
	int value;

	(void)state;
	assert_null(cid_map_get(m, BYTES("key")));
	cid_map_put(m, BYTES("key"), &value);
	assert_ptr_equal(cid_map_get(m, BYTES("key")), &value);
	assert_null(cid_map_get(m, BYTES("keys")));
	assert_null(cid_map_get(m, BYTES("kex")));
	cid_map_remove(m, BYTES("key"), &value);
	assert_null(cid_map_get(m, BYTES("key")));
	assert_int_equal(cid_map_count(m), 0);
	cid_map_free(m);
}

static void who_has_lost_a_key_cannot_take_it_away(void **state)
{
	struct cid_map *m = cid_map_new();
	int first, second;

	(void)state;
	cid_map_put(m, BYTES("key"), &first);
	cid_map_put(m, BYTES("key"), &second);
	assert_int_equal(cid_map_count(m), 1);
	cid_map_remove(m, BYTES("key"), &first);
	assert_ptr_equal(cid_map_get(m, BYTES("key")), &second);
	cid_map_free(m);
}

static void keys_too_long_or_empty_are_never_found(void **state)
{
	struct cid_map *m = cid_map_new();
	uint8_t longer[CID_MAP_KEY_MAX + 1] = { 0 };

	(void)state;
	assert_null(cid_map_get(m, BYTES(longer)));
	assert_null(cid_map_get(m, bytes_of(NULL, 0)));
	cid_map_remove(m, BYTES(longer), m);
	cid_map_free(m);
}

static void many_come_and_go_and_none_is_lost(void **state)
{
	static uint32_t values[MANY];
	static uint8_t is_there[MANY];
	struct cid_map *m = cid_map_new();
	size_t count = 0;

	(void)state;
	memset(is_there, 0, sizeof is_there);
	for (uint32_t i = 0; i < MANY; i++)
		values[i] = i;
	for (unsigned round = 0; round < 20 * MANY; round++) {
		uint32_t i = randombytes_uniform(MANY);

		if (is_there[i]) {
			cid_map_remove(m, key_of(&values[i]), &values[i]);
			count--;
		} else {
			cid_map_put(m, key_of(&values[i]), &values[i]);
			count++;
		}
		is_there[i] = !is_there[i];
		assert_int_equal(cid_map_count(m), count);
		if (round % 5000 == 0)
			for (uint32_t k = 0; k < MANY; k++)
				assert_ptr_equal(cid_map_get(m, key_of(&values[k])),
						 is_there[k] ? &values[k] : NULL);
	}
	cid_map_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_is_found_until_removed),
		cmocka_unit_test(who_has_lost_a_key_cannot_take_it_away),
		cmocka_unit_test(keys_too_long_or_empty_are_never_found),
		cmocka_unit_test(many_come_and_go_and_none_is_lost),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
