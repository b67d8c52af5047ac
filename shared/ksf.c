#include "shared/ksf.h"

#include <sodium.h>

#include "shared/error.h"

static const struct {
	enum ksf id;
	uint64_t passes, memory_kib;
} costs[] = {
	{ KSF_ARGON2ID_64M, 3, 64 * 1024 },
	{ KSF_ARGON2ID_256M, 3, 256 * 1024 },
};

enum { COSTS = sizeof costs / sizeof costs[0] };

static size_t find(uint64_t id)
{
	size_t i = 0;

	while (i < COSTS && (uint64_t)costs[i].id != id)
		i++;
	return i;
}

bool ksf_is_known(uint64_t id)
{
	return find(id) < COSTS;
}

int ksf_stretch(enum ksf id, const uint8_t in[64], uint8_t out[64])
{
	static const uint8_t salt[crypto_pwhash_argon2id_SALTBYTES];
	size_t i = find(id);

	if (i == COSTS)
		return ERR_VERSION;
	return ksf_argon2id(costs[i].passes, costs[i].memory_kib, bytes_of(in, 64), salt, out,
			    64);
}

int ksf_passphrase(enum ksf id, struct bytes passphrase, const uint8_t salt[16], uint8_t *out,
		   size_t size)
{
	size_t i = find(id);

	if (i == COSTS)
		return ERR_VERSION;
	return ksf_argon2id(costs[i].passes, costs[i].memory_kib, passphrase, salt, out, size);
}

int ksf_argon2id(uint64_t passes, uint64_t memory_kib, struct bytes password,
		 const uint8_t salt[16], uint8_t *out, size_t size)
{
	/* The bounds first: libsodium gives -1 for them and for memory alike. */
	if (passes < crypto_pwhash_argon2id_OPSLIMIT_MIN ||
	    passes > crypto_pwhash_argon2id_OPSLIMIT_MAX ||
	    memory_kib < crypto_pwhash_argon2id_MEMLIMIT_MIN / 1024 ||
	    memory_kib > crypto_pwhash_argon2id_MEMLIMIT_MAX / 1024 ||
	    password.size > crypto_pwhash_argon2id_PASSWD_MAX ||
	    size < crypto_pwhash_argon2id_BYTES_MIN || size > crypto_pwhash_argon2id_BYTES_MAX)
		return ERR_LIMIT;
	if (password.size == 0)
		password = bytes_text(""); /* libsodium wants a pointer also to nothing */
	if (crypto_pwhash_argon2id(out, size, (const char *)password.data, password.size, salt,
				   passes, memory_kib * 1024,
				   crypto_pwhash_argon2id_ALG_ARGON2ID13) != 0)
		return ERR_FULL;
	return 0;
}
