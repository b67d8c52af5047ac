/* The OPRF in its three modes, with proofs. */
#include <string.h>

#include "shared/error.h"
#include "shared/oprf.h"
#include "tests/vectors_run.h"

/* "aa,bb" -> the parts. */
static size_t list_from(struct vectors *v, const struct json *j, const char *key,
			struct bytes out[OPRF_BATCH_MAX])
{
	struct bytes text = vectors_text(v, j, key);
	size_t count = 0, length;

	do {
		const uint8_t *comma = text.size > 0 ? memchr(text.data, ',', text.size) : NULL;

		length = comma ? (size_t)(comma - text.data) : text.size;
		out[count++] = vectors_hex_of(v, bytes_of(text.data, length));
		if (!comma)
			return count;
		text = bytes_of(comma + 1, text.size - length - 1);
	} while (count < OPRF_BATCH_MAX);
	vectors_expect(v, false, "too long a list");
	return count;
}

static void sized_list(struct vectors *v, const struct json *j, const char *key, size_t count,
		       uint8_t *out, size_t size)
{
	struct bytes parts[OPRF_BATCH_MAX];
	size_t i, got = list_from(v, j, key, parts);

	vectors_expect(v, got == count, "lists of different lengths");
	for (i = 0; i < count; i++) {
		bool is_right = i < got && parts[i].size == size;

		vectors_expect(v, is_right, "a value of another size");
		if (is_right)
			memcpy(out + i * size, parts[i].data, size);
	}
}

struct batch {
	enum oprf_mode mode;
	uint8_t secret[32], public[32];
	size_t count;
	struct bytes inputs[OPRF_BATCH_MAX], info;
	uint8_t blinds[OPRF_BATCH_MAX][32], blinded[OPRF_BATCH_MAX][32];
	uint8_t evaluated[OPRF_BATCH_MAX][32], outputs[OPRF_BATCH_MAX][64];
	uint8_t r[32], proof[64];
};

typedef const uint8_t (*elements)[OPRF_ELEMENT_SIZE];

static void batch_proof(struct vectors *v, struct batch *b, const uint8_t proof[64],
			const uint8_t expected[64])
{
	uint8_t bad[64], bad_element[OPRF_BATCH_MAX][32];

	vectors_expect(v, memcmp(proof, expected, 64) == 0, "the proof comes out differently");
	vectors_expect(v,
		       oprf_verify(b->mode, b->public, b->info, (elements)b->blinded,
				   (elements)b->evaluated, b->count, proof) == 0,
		       "the proof does not hold");
	memcpy(bad, proof, 64);
	bad[7] ^= 1;
	vectors_expect(v,
		       oprf_verify(b->mode, b->public, b->info, (elements)b->blinded,
				   (elements)b->evaluated, b->count, bad) == ERR_AUTH,
		       "a changed proof holds");
	memcpy(bad_element, b->evaluated, sizeof bad_element);
	memcpy(bad_element[0], b->public, 32);
	vectors_expect(v,
		       oprf_verify(b->mode, b->public, b->info, (elements)b->blinded,
				   (elements)bad_element, b->count, proof) == ERR_AUTH,
		       "a proof holds for another element");
}

static void batch_run(struct vectors *v, struct batch *b)
{
	uint8_t blinded[OPRF_BATCH_MAX][32], evaluated[OPRF_BATCH_MAX][32], proof[64], out[64];
	size_t i;

	for (i = 0; i < b->count; i++) {
		vectors_expect(v,
			       oprf_blind(b->mode, b->inputs[i], b->blinds[i], blinded[i]) == 0,
			       "cannot blind");
		vectors_expect(v, memcmp(blinded[i], b->blinded[i], 32) == 0,
			       "a blinded element comes out differently");
	}
	vectors_expect(v,
		       oprf_evaluate(b->mode, b->secret, b->info, (elements)b->blinded,
				     b->count, b->r, evaluated, proof) == 0,
		       "cannot evaluate");
	if (v->problem[0] != '\0')
		return;
	vectors_expect(v, memcmp(evaluated, b->evaluated, 32 * b->count) == 0,
		       "an evaluated element comes out differently");
	if (b->mode != OPRF_BASE)
		batch_proof(v, b, proof, b->proof);
	for (i = 0; i < b->count; i++)
		vectors_expect(v,
			       oprf_finalize(b->mode, b->inputs[i], b->info, b->blinds[i],
					     b->evaluated[i], out) == 0 &&
				       memcmp(out, b->outputs[i], 64) == 0,
			       "an output comes out differently");
}

static void batch_from(struct vectors *v, struct batch *b, const struct json *j)
{
	static const char *const fields[] = {
		"Batch Blind BlindedElement EvaluationElement Input Output",
		"Batch Blind BlindedElement EvaluationElement Input Output Proof",
		"Batch Blind BlindedElement EvaluationElement Info Input Output Proof",
	};

	vectors_fields(v, j, fields[b->mode]);
	if (v->problem[0] != '\0')
		return;
	b->count = vectors_int(v, j, "Batch");
	vectors_expect(v, b->count >= 1 && list_from(v, j, "Input", b->inputs) == b->count,
		       "lists of different lengths");
	if (v->problem[0] != '\0')
		return;
	sized_list(v, j, "Blind", b->count, b->blinds[0], 32);
	sized_list(v, j, "BlindedElement", b->count, b->blinded[0], 32);
	sized_list(v, j, "EvaluationElement", b->count, b->evaluated[0], 32);
	sized_list(v, j, "Output", b->count, b->outputs[0], 64);
	if (b->mode == OPRF_PARTIAL)
		b->info = vectors_hex(v, j, "Info");
	if (b->mode != OPRF_BASE) {
		const struct json *proof = json_get(j, "Proof");

		vectors_fields(v, proof, "proof r");
		memcpy(b->proof, vectors_sized(v, proof, "proof", 64), 64);
		memcpy(b->r, vectors_sized(v, proof, "r", 32), 32);
	}
}

static void suite(struct vectors *v, const struct json *j)
{
	struct batch *b = vectors_memory(v, sizeof *b);
	const struct json *list = json_get(j, "vectors");
	uint64_t mode = vectors_int(v, j, "mode");
	char group_dst[64];
	size_t i;

	vectors_fields(v, j, "groupDST hash identifier keyInfo mode pkSm? seed skSm vectors");
	vectors_same_text(v, j, "hash", "SHA512");
	vectors_same_text(v, j, "identifier", "ristretto255-SHA512");
	vectors_expect(v, mode <= OPRF_PARTIAL && json_is_array(list) && json_count(list) > 0,
		       "an unknown mode, or no vectors");
	if (v->problem[0] != '\0')
		return;
	memcpy(group_dst, "HashToGroup-OPRFV1-\0-ristretto255-SHA512", 41);
	group_dst[19] = mode;
	vectors_same(v, j, "groupDST", bytes_of(group_dst, 40));
	vectors_expect(v,
		       oprf_derive_key(mode, vectors_sized(v, j, "seed", 32),
				       vectors_hex(v, j, "keyInfo"), b->secret, b->public) == 0,
		       "cannot derive the key");
	vectors_same(v, j, "skSm", BYTES(b->secret));
	vectors_same(v, j, "pkSm", BYTES(b->public));
	for (i = 0; i < json_count(list) && v->problem[0] == '\0'; i++) {
		b->mode = mode;
		batch_from(v, b, json_at(list, i));
		if (v->problem[0] == '\0')
			batch_run(v, b);
	}
}

void vectors_oprf(struct vectors *v)
{
	vectors_fields(v, v->root, "source? note? count? vectors");
	if (v->problem[0] == '\0')
		vectors_list(v, suite);
}
