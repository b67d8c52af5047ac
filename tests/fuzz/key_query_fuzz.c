#include <string.h>

#include "shared/key_query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct key_query_nonce nonce = { { 0 } };
	struct device_public key;
	uint8_t query[KEY_QUERY_SIZE], answer[KEY_ANSWER_SIZE];

	/* what is accepted is exactly what we would have written */
	if (key_query_decode(&nonce, bytes_of(data, size)) == 0) {
		key_query_encode(query, &nonce);
		if (memcmp(query, data, sizeof query) != 0)
			__builtin_trap();
	}
	if (size > 17)
		memcpy(nonce.bytes, data + 1, sizeof nonce.bytes);
	if (key_answer_decode(&key, bytes_of(data, size), &nonce) == 0) {
		key_answer_encode(answer, &nonce, &key);
		if (memcmp(answer, data, sizeof answer) != 0)
			__builtin_trap();
	}
	return 0;
}
