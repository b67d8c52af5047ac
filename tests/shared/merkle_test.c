#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "shared/error.h"
#include "shared/merkle.h"

enum { LEAVES = 40, PATH_MAX_HERE = 16 };

static uint8_t leaves[LEAVES][MERKLE_HASH_SIZE];

/* Proofs made as RFC 9162 defines them, by recursion: slow, plain and not the code under
 * test. */
struct path {
	uint8_t hashes[PATH_MAX_HERE][MERKLE_HASH_SIZE];
	struct bytes views[PATH_MAX_HERE];
	size_t count;
};

static size_t split(size_t n)
{
	size_t k = 1;

	while (k * 2 < n)
		k *= 2;
	return k;
}

static void tree(uint8_t out[32], size_t from, size_t n)
{
	uint8_t left[32], right[32];

	if (n == 1) {
		memcpy(out, leaves[from], 32);
		return;
	}
	tree(left, from, split(n));
	tree(right, from + split(n), n - split(n));
	merkle_node(out, left, right);
}

static void add(struct path *p, size_t from, size_t n)
{
	tree(p->hashes[p->count], from, n);
	p->views[p->count] = BYTES(p->hashes[p->count]);
	p->count++;
}

static void inclusion_path(struct path *p, size_t m, size_t from, size_t n)
{
	size_t k = split(n);

	if (n == 1)
		return;
	if (m < k) {
		inclusion_path(p, m, from, k);
		add(p, from + k, n - k);
	} else {
		inclusion_path(p, m - k, from + k, n - k);
		add(p, from, k);
	}
}

static void consistency_path(struct path *p, size_t m, size_t from, size_t n, bool is_whole)
{
	size_t k = split(n);

	if (m == n) {
		if (!is_whole)
			add(p, from, n);
	} else if (m <= k) {
		consistency_path(p, m, from, k, is_whole);
		add(p, from + k, n - k);
	} else {
		consistency_path(p, m - k, from + k, n - k, false);
		add(p, from, k);
	}
}

static void roots_agree_with_their_definition(void **state)
{
	uint8_t a[32], b[32];
	size_t n;

	(void)state;
	for (n = 1; n <= LEAVES; n++) {
		merkle_root(a, (const uint8_t(*)[32])leaves, n);
		tree(b, 0, n);
		assert_memory_equal(a, b, 32);
	}
	merkle_root(a, NULL, 0);
	merkle_empty(b);
	assert_memory_equal(a, b, 32);
}

static void each_leaf_is_proved_in_each_tree_and_nowhere_else(void **state)
{
	uint8_t root[32];
	size_t n, m, other;

	(void)state;
	for (n = 1; n <= LEAVES; n++) {
		tree(root, 0, n);
		for (m = 0; m < n; m++) {
			struct path p = { .count = 0 };

			inclusion_path(&p, m, 0, n);
			for (other = 0; other < n + 2; other++)
				assert_int_equal(merkle_verify_inclusion(
							 BYTES(leaves[m]), other, n, p.views,
							 p.count, BYTES(root)) == 0,
						 other == m);
			assert_int_equal(
				merkle_verify_inclusion(BYTES(leaves[(m + 1) % LEAVES]), m, n,
							p.views, p.count, BYTES(root)),
				ERR_AUTH);
		}
	}
}

static void each_tree_is_proved_to_be_the_beginning_of_each_later_one(void **state)
{
	uint8_t first[32], second[32];
	size_t n, m, i;

	(void)state;
	for (n = 1; n <= LEAVES; n++) {
		tree(second, 0, n);
		for (m = 1; m <= n; m++) {
			struct path p = { .count = 0 };

			tree(first, 0, m);
			consistency_path(&p, m, 0, n, true);
			assert_int_equal(merkle_verify_consistency(m, BYTES(first), n,
								   BYTES(second), p.views,
								   p.count),
					 0);
			for (i = 0; i < p.count; i++) {
				p.hashes[i][5] ^= 1;
				assert_int_equal(merkle_verify_consistency(m, BYTES(first), n,
									   BYTES(second),
									   p.views, p.count),
						 ERR_AUTH);
				p.hashes[i][5] ^= 1;
			}
			if (p.count > 0)
				assert_true(merkle_verify_consistency(m, BYTES(first), n,
								      BYTES(second), p.views,
								      p.count - 1) < 0);
			first[0] ^= 1;
			assert_int_equal(merkle_verify_consistency(m, BYTES(first), n,
								   BYTES(second), p.views,
								   p.count),
					 ERR_AUTH);
		}
	}
}

static void absurd_sizes_and_hashes_are_refused(void **state)
{
	struct bytes hash = BYTES(leaves[0]), shorter = bytes_of(leaves[0], 31);
	struct bytes many[MERKLE_PROOF_MAX + 1];
	size_t i;

	(void)state;
	for (i = 0; i < MERKLE_PROOF_MAX + 1; i++)
		many[i] = hash;
	assert_int_equal(merkle_verify_inclusion(hash, 0, 0, NULL, 0, hash), ERR_FORMAT);
	assert_int_equal(merkle_verify_inclusion(hash, 1, 1, NULL, 0, hash), ERR_FORMAT);
	assert_int_equal(merkle_verify_inclusion(shorter, 0, 1, NULL, 0, hash), ERR_FORMAT);
	assert_int_equal(merkle_verify_inclusion(hash, 0, 1, NULL, 0, shorter), ERR_FORMAT);
	assert_int_equal(merkle_verify_inclusion(hash, 0, 2, &shorter, 1, hash), ERR_FORMAT);
	assert_true(merkle_verify_inclusion(hash, UINT64_MAX - 1, UINT64_MAX, many,
					    MERKLE_PROOF_MAX + 1, hash) < 0);
	assert_true(merkle_verify_inclusion(hash, UINT64_MAX - 1, UINT64_MAX, many, 64, hash) <
		    0);
	assert_int_equal(merkle_verify_consistency(0, hash, 0, hash, NULL, 0), ERR_FORMAT);
	assert_int_equal(merkle_verify_consistency(0, hash, 1, hash, NULL, 0), ERR_FORMAT);
	assert_int_equal(merkle_verify_consistency(2, hash, 1, hash, many, 1), ERR_FORMAT);
	assert_int_equal(merkle_verify_consistency(1, hash, 1, hash, many, 1), ERR_FORMAT);
	assert_int_equal(merkle_verify_consistency(1, hash, 2, hash, NULL, 0), ERR_FORMAT);
	assert_int_equal(merkle_verify_consistency(1, shorter, 1, shorter, NULL, 0),
			 ERR_FORMAT);
	assert_true(merkle_verify_consistency(UINT64_MAX, hash, UINT64_MAX, hash, NULL, 0) ==
		    0);
	assert_true(merkle_verify_consistency(UINT64_MAX - 1, hash, UINT64_MAX, hash, many,
					      64) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(roots_agree_with_their_definition),
		cmocka_unit_test(each_leaf_is_proved_in_each_tree_and_nowhere_else),
		cmocka_unit_test(each_tree_is_proved_to_be_the_beginning_of_each_later_one),
		cmocka_unit_test(absurd_sizes_and_hashes_are_refused),
	};
	uint8_t i;

	if (sodium_init() < 0)
		return 1;
	for (i = 0; i < LEAVES; i++)
		merkle_leaf(leaves[i], bytes_of(&i, 1));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
