/* Proofs of a log, and safety numbers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "shared/error.h"
#include "shared/merkle.h"
#include "shared/safety.h"
#include "tests/vectors_run.h"

static struct bytes base64(struct vectors *v, const struct json *j, const char *key)
{
	return vectors_base64_of(v, vectors_text(v, j, key));
}

/* A list of hashes; null stands for an empty one. */
static struct bytes *proof_from(struct vectors *v, const struct json *j, size_t *count)
{
	const struct json *list = json_get(j, "proof");
	char *text = list ? json_print(list) : NULL;
	struct bytes *proof;
	size_t i;

	vectors_expect(v, json_is_array(list) || (text && strcmp(text, "null") == 0),
		       "the proof is no list");
	free(text);
	*count = json_is_array(list) ? json_count(list) : 0;
	proof = vectors_memory(v, (*count + 1) * sizeof *proof);
	for (i = 0; i < *count; i++) {
		const char *hash = json_text_at(list, i);

		vectors_expect(v, hash != NULL, "the proof is no list of texts");
		proof[i] = vectors_base64_of(v, bytes_text(hash ? hash : ""));
	}
	return proof;
}

static void verdict(struct vectors *v, const struct json *j, int err)
{
	bool is_refused = vectors_bool(v, j, "wantErr");

	vectors_expect(v, is_refused ? err < 0 : err == 0,
		       is_refused ? "accepts what must be refused" : "refuses what holds");
}

static void inclusion(struct vectors *v, const struct json *j)
{
	struct bytes *proof;
	size_t count;

	vectors_fields(v, j, "leafIdx treeSize root leafHash proof desc? wantErr file?");
	if (v->problem[0] != '\0')
		return;
	proof = proof_from(v, j, &count);
	verdict(v, j,
		merkle_verify_inclusion(base64(v, j, "leafHash"), vectors_int(v, j, "leafIdx"),
					vectors_int(v, j, "treeSize"), proof, count,
					base64(v, j, "root")));
}

static void consistency(struct vectors *v, const struct json *j)
{
	struct bytes *proof;
	size_t count;

	vectors_fields(v, j, "size1 size2 root1 root2 proof desc? wantErr file?");
	if (v->problem[0] != '\0')
		return;
	proof = proof_from(v, j, &count);
	verdict(v, j,
		merkle_verify_consistency(vectors_int(v, j, "size1"), base64(v, j, "root1"),
					  vectors_int(v, j, "size2"), base64(v, j, "root2"),
					  proof, count));
}

static void proof_case(struct vectors *v, const struct json *j)
{
	if (json_has(j, "leafIdx"))
		inclusion(v, j);
	else
		consistency(v, j);
}

/* The published node is over two texts shorter than hashes; ours is over hashes only, so the
 * same bytes go through the prefix by hand, and merkle_node() is held against that way. */
static void node_of(uint8_t out[MERKLE_HASH_SIZE], struct bytes left, struct bytes right)
{
	static const uint8_t prefix = 1;
	crypto_hash_sha256_state state;

	crypto_hash_sha256_init(&state);
	crypto_hash_sha256_update(&state, &prefix, 1);
	crypto_hash_sha256_update(&state, left.data, left.size);
	crypto_hash_sha256_update(&state, right.data, right.size);
	crypto_hash_sha256_final(&state, out);
}

/* A file of hashes: the field's name says of what. */
static void hash_case(struct vectors *v, const struct json *j)
{
	static const char leaf[] = "leaf_ascii_", node[] = "node_ascii_";
	const struct json *value;
	const char *name, *second;
	uint8_t hash[MERKLE_HASH_SIZE], ours[MERKLE_HASH_SIZE];
	char line[VECTORS_PROBLEM_MAX];
	void *it = NULL;
	unsigned seen = 0;

	while ((name = json_each(j, &it, &value))) {
		if (strcmp(name, "source") == 0 || strcmp(name, "note") == 0)
			continue;
		if (strcmp(name, "empty_tree") == 0) {
			merkle_empty(hash);
		} else if (strcmp(name, "leaf_of_empty") == 0) {
			merkle_leaf(hash, (struct bytes){ 0 });
		} else if (strncmp(name, leaf, sizeof leaf - 1) == 0) {
			merkle_leaf(hash, bytes_text(name + sizeof leaf - 1));
		} else if (strncmp(name, node, sizeof node - 1) == 0 &&
			   (second = strchr(name + sizeof node - 1, '_'))) {
			const char *first = name + sizeof node - 1;

			node_of(hash, bytes_of(first, second - first), bytes_text(second + 1));
		} else {
			snprintf(line, sizeof line, "unknown field \"%s\"", name);
			vectors_expect(v, false, line);
			continue;
		}
		vectors_same(v, j, name, BYTES(hash));
		seen++;
	}
	vectors_expect(v, seen > 0, "no hashes");
	merkle_empty(hash);
	merkle_node(ours, hash, hash);
	node_of(hash, BYTES(hash), BYTES(hash));
	vectors_expect(v, memcmp(ours, hash, sizeof hash) == 0,
		       "merkle_node() is another hash");
}

void vectors_merkle(struct vectors *v)
{
	if (!json_has(v->root, "vectors")) {
		vectors_case(v, "case", 0, v->root, hash_case);
		return;
	}
	vectors_fields(v, v->root, "source? note? count? vectors");
	if (v->problem[0] == '\0')
		vectors_list(v, proof_case);
}

/* ---- Safety numbers ---- */

static void safety(struct vectors *v, const struct json *j)
{
	struct safety_side a = { vectors_hex(v, j, "ka"), vectors_hex(v, j, "ida") };
	struct safety_side b = { vectors_hex(v, j, "kb"), vectors_hex(v, j, "idb") };
	char ours[SAFETY_DIGITS + 1], theirs[SAFETY_DIGITS + 1];

	vectors_fields(v, j, "source? ida ka idb kb display");
	vectors_expect(v, safety_number(ours, a, b) == 0 && safety_number(theirs, b, a) == 0,
		       "no number");
	if (v->problem[0] != '\0')
		return;
	vectors_same_text(v, j, "display", ours);
	vectors_expect(v, strcmp(ours, theirs) == 0, "the two sides see different numbers");
}

void vectors_safety(struct vectors *v)
{
	vectors_fields(v, v->root, "source? note? count? signal? vectors?");
	if (v->problem[0] != '\0')
		return;
	if (json_has(v->root, "signal"))
		vectors_case(v, "signal", 0, json_get(v->root, "signal"), safety);
	if (json_has(v->root, "vectors"))
		vectors_list(v, safety);
}
