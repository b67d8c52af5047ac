/* HKDF and HMAC (RFC 5869, RFC 2104) over SHA-512, which the installed libsodium
 * has only in part, and the derivation of packet keys over BLAKE2b. */
#ifndef PALIQUE_SHARED_KDF_H
#define PALIQUE_SHARED_KDF_H

#include "shared/bytes.h"

enum { HKDF_PRK_SIZE = 64, HKDF_OUTPUT_MAX = 255 * 64 };

void hmac_sha512(uint8_t out[64], struct bytes key, struct bytes message);

void hkdf_extract(uint8_t prk[HKDF_PRK_SIZE], struct bytes salt, struct bytes ikm);

/* ERR_LIMIT above HKDF_OUTPUT_MAX (RFC 5869 section 2.3). */
int hkdf_expand(uint8_t *out, size_t size, const uint8_t prk[HKDF_PRK_SIZE], struct bytes info);

/* Keyed BLAKE2b of a label: one 32-byte secret gives others. size: 16 to 64. */
void kdf_label(uint8_t *out, size_t size, const uint8_t secret[32], const char *label);

#endif
