/* Running files of published test vectors: reading their fields strictly, counting cases, and
 * one function for each kind of file. A field that nobody knows is a failure: a vector that
 * is skipped in silence would look like one that passed. */
#ifndef PALIQUE_TESTS_VECTORS_RUN_H
#define PALIQUE_TESTS_VECTORS_RUN_H

#include "shared/bytes.h"
#include "shared/json.h"

enum { VECTORS_FILE_MAX = 64 << 20, VECTORS_PROBLEM_MAX = 200 };

/* One file under way. */
struct vectors {
	const char *name;
	const struct json *root;
	unsigned passed, failed, foreign;  /* foreign: cases that do not apply to us */
	bool is_foreign;                   /* of the case under way */
	char problem[VECTORS_PROBLEM_MAX]; /* the first of the case under way; "" if none */
	void **taken;                      /* memory of the case under way */
	size_t taken_count;
};

typedef void vectors_run(struct vectors *v, const struct json *j);

/* Runs every file *.json of the folder; prints a line for each. Returns how many cases failed,
 * a file that cannot be read or understood being one. */
unsigned vectors_run_folder(const char *folder, unsigned *passed);

/* One case: clean state, run, count. `label` and `i` are for the failure's line. */
void vectors_case(struct vectors *v, const char *label, size_t i, const struct json *j,
		  vectors_run *run);

/* The common form of a file: { source, note?, count?, vectors: [...] }. */
void vectors_list(struct vectors *v, vectors_run *run);

/* Notes `what` as the case's problem unless `is_right`. */
void vectors_expect(struct vectors *v, bool is_right, const char *what);

/* The object's keys are those in `known`, separated by spaces; "key?" may be missing. */
void vectors_fields(struct vectors *v, const struct json *j, const char *known);

/* Values; the case has a problem where the key is missing or of another form, and gets
 * something harmless. Memory lives until the case ends. */
struct bytes vectors_hex(struct vectors *v, const struct json *j, const char *key);
const uint8_t *vectors_sized(struct vectors *v, const struct json *j, const char *key,
			     size_t size);
struct bytes vectors_text(struct vectors *v, const struct json *j, const char *key);
uint64_t vectors_int(struct vectors *v, const struct json *j, const char *key);
bool vectors_bool(struct vectors *v, const struct json *j, const char *key);
struct bytes vectors_hex_of(struct vectors *v, struct bytes text);
struct bytes vectors_base64_of(struct vectors *v, struct bytes text); /* RFC 4648 section 4 */
void *vectors_memory(struct vectors *v, size_t size);

/* The value at `key`, if there is one, is this one. */
void vectors_same(struct vectors *v, const struct json *j, const char *key, struct bytes ours);
void vectors_same_text(struct vectors *v, const struct json *j, const char *key,
		       const char *ours);

/* One for each kind of file. */
typedef void vectors_kind(struct vectors *v);
vectors_kind vectors_noise, vectors_noise_must_refuse;
vectors_kind vectors_opaque, vectors_opaque_must_refuse, vectors_oprf;
vectors_kind vectors_expand, vectors_ristretto, vectors_merkle, vectors_safety;
vectors_kind vectors_quic, vectors_argon2id;
vectors_kind vectors_x25519, vectors_chacha, vectors_hkdf, vectors_hmac, vectors_ed25519;

/* "Identity" or "Argon2id-t<passes>-m<KiB>-p1" (vectors of OPAQUE). */
void vectors_stretch(struct vectors *v, const char *ksf, const uint8_t in[64], uint8_t out[64]);

#endif
