/* The key file as it may be found on a disk. Without a passphrase, which takes a second. */
#include <assert.h>
#include <sodium.h>

#include "peer/store_key.h"
#include "shared/error.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct symmetric_key key;
	enum store_key_kind kind;
	int err = store_key_parse(bytes_of(data, size), bytes_of(NULL, 0), &key, &kind);

	assert((err == 0) == (kind == STORE_KEY_PLAIN));
	assert((err == ERR_LOCKED) == (kind == STORE_KEY_LOCKED));
	assert(err == 0 || sodium_is_zero(key.bytes, sizeof key.bytes));
	return 0;
}
