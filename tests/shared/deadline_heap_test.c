#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>

#include "shared/deadline_heap.h"

enum { MANY = 500 };

static mono_ns earliest(const struct deadline *all, const uint8_t *is_set)
{
	mono_ns at = NEVER;

	for (int i = 0; i < MANY; i++)
		if (is_set[i])
			at = mono_earlier(at, all[i].at);
	return at;
}

static void the_first_is_always_the_earliest(void **state)
{
	static struct deadline all[MANY];
	uint8_t is_set[MANY] = { 0 };
	struct deadline_heap heap = { 0 };

	(void)state;
	assert_null(deadline_heap_first(&heap));
	for (int round = 0; round < 20000; round++) {
		int i = randombytes_uniform(MANY);
		mono_ns at = randombytes_uniform(3) ? randombytes_uniform(1000) : NEVER;

		deadline_heap_set(&heap, &all[i], at);
		is_set[i] = at != NEVER;
		if (earliest(all, is_set) == NEVER)
			assert_null(deadline_heap_first(&heap));
		else
			assert_int_equal(deadline_heap_first(&heap)->at, earliest(all, is_set));
	}
	deadline_heap_clear(&heap);
}

static void never_removes_and_twice_does_no_harm(void **state)
{
	struct deadline_heap heap = { 0 };
	struct deadline one = { 0 }, two = { 0 };

	(void)state;
	deadline_heap_set(&heap, &one, 5);
	deadline_heap_set(&heap, &two, 6);
	deadline_heap_set(&heap, &one, NEVER);
	deadline_heap_set(&heap, &one, NEVER);
	assert_ptr_equal(deadline_heap_first(&heap), &two);
	deadline_heap_clear(&heap);
	assert_null(deadline_heap_first(&heap));
	assert_int_equal(two.place, 0);
}

static void all_come_out_in_order(void **state)
{
	static struct deadline all[MANY];
	struct deadline_heap heap = { 0 };
	struct deadline *first;
	mono_ns before = 0;
	int count = 0;

	(void)state;
	for (int i = 0; i < MANY; i++) {
		all[i] = (struct deadline){ .owner = &all[i] };
		deadline_heap_set(&heap, &all[i], randombytes_uniform(100000));
	}
	while ((first = deadline_heap_first(&heap))) {
		assert_ptr_equal(first->owner, first);
		assert_true(first->at >= before);
		before = first->at;
		deadline_heap_set(&heap, first, NEVER);
		count++;
	}
	assert_int_equal(count, MANY);
	deadline_heap_clear(&heap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_is_always_the_earliest),
		cmocka_unit_test(never_removes_and_twice_does_no_harm),
		cmocka_unit_test(all_come_out_in_order),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
