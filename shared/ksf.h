/* Password stretching: Argon2id on the client only. Ids come from this fixed table;
 * numbers from a server are never believed (a memory bomb). */
#ifndef PALIQUE_SHARED_KSF_H
#define PALIQUE_SHARED_KSF_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/bytes.h"

enum ksf {
	KSF_ARGON2ID_64M = 1,  /* t=3, m=64 MiB,  p=1: 0.1 to 0.2 s */
	KSF_ARGON2ID_256M = 2, /* t=3, m=256 MiB, p=1: 0.5 to 1 s; the default */
};

bool ksf_is_known(uint64_t id);

/* Stretch (RFC 9807 section 7): salt of 16 zero bytes, 64 bytes out. Blocks for up to a
 * second: call it in a worker. ERR_FULL: memory could not be had.
 * ERR_VERSION: not in the table. */
int ksf_stretch(enum ksf id, const uint8_t in[64], uint8_t out[64]);

/* A key of `size` bytes from what a person typed, with a random salt of its own: for files that
 * are sealed under a passphrase. As above. */
int ksf_passphrase(enum ksf id, struct bytes passphrase, const uint8_t salt[16], uint8_t *out,
		   size_t size);

/* The same with any cost, for vectors. memory_kib >= 8. ERR_LIMIT: a parameter outside
 * what libsodium takes. */
int ksf_argon2id(uint64_t passes, uint64_t memory_kib, struct bytes password,
		 const uint8_t salt[16], uint8_t *out, size_t size);

#endif
