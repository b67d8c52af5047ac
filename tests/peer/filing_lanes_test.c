#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sodium.h>
#include <stdlib.h>

#include "peer/filing_lanes.h"

static void pieces_side_by_side_have_the_hashes_of_each(void **state)
{
	static const size_t sizes[] = { LANES_BLOCK, 2 * LANES_BLOCK, 7 * LANES_BLOCK,
					1 << 20 };
	uint8_t hashes[LANES][LANES_HASH], hash[LANES_HASH];
	uint8_t *pieces = malloc((size_t)LANES << 20);

	(void)state;
	randombytes_buf(pieces, (size_t)LANES << 20);
	for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		lanes_hash(pieces, sizes[i], hashes);
		for (unsigned lane = 0; lane < LANES; lane++) {
			crypto_generichash(hash, sizeof hash, pieces + lane * sizes[i],
					   sizes[i], NULL, 0);
			assert_memory_equal(hashes[lane], hash, sizeof hash);
		}
	}
	free(pieces);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_side_by_side_have_the_hashes_of_each),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
