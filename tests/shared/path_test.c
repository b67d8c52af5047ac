#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "shared/path.h"

static void paths_are_equal_when_socket_and_both_ends_are(void **state)
{
	struct path a = { .socket = 1 }, b;

	(void)state;
	assert_int_equal(address_parse(&a.local, "10.0.0.1:1", 0), 0);
	assert_int_equal(address_parse(&a.remote, "[2001:db8::1]:2", 0), 0);
	b = a;
	assert_true(path_equal(&a, &b));
	b.socket = 2;
	assert_false(path_equal(&a, &b));
	b = a;
	b.local.family = 0;
	assert_false(path_equal(&a, &b));
	b = a;
	b.remote.port++;
	assert_false(path_equal(&a, &b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_are_equal_when_socket_and_both_ends_are),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
