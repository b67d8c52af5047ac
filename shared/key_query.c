#include "shared/key_query.h"

#include <sodium.h>
#include <string.h>

#include "shared/error.h"

enum { QUESTION = 0x01, ANSWER = 0x02 };

static const char magic[8] = { 'p', 'a', 'l', 'q', '-', 'k', 'e', 'y' };

void key_query_encode(uint8_t out[KEY_QUERY_SIZE], const struct key_query_nonce *nonce)
{
	memset(out, 0, KEY_QUERY_SIZE);
	out[0] = QUESTION;
	memcpy(out + 1, magic, sizeof magic);
	memcpy(out + 1 + sizeof magic, nonce->bytes, sizeof nonce->bytes);
}

int key_query_decode(struct key_query_nonce *nonce, struct bytes datagram)
{
	const size_t head = 1 + sizeof magic + sizeof nonce->bytes;

	if (datagram.size != KEY_QUERY_SIZE || datagram.data[0] != QUESTION)
		return ERR_FORMAT;
	if (memcmp(datagram.data + 1, magic, sizeof magic) != 0)
		return ERR_FORMAT;
	if (!sodium_is_zero(datagram.data + head, datagram.size - head))
		return ERR_FORMAT;
	memcpy(nonce->bytes, datagram.data + 1 + sizeof magic, sizeof nonce->bytes);
	return 0;
}

void key_answer_encode(uint8_t out[KEY_ANSWER_SIZE], const struct key_query_nonce *nonce,
		       const struct device_public *key)
{
	out[0] = ANSWER;
	memcpy(out + 1, nonce->bytes, sizeof nonce->bytes);
	memcpy(out + 1 + sizeof nonce->bytes, key->bytes, sizeof key->bytes);
}

int key_answer_decode(struct device_public *key, struct bytes datagram,
		      const struct key_query_nonce *asked)
{
	if (datagram.size != KEY_ANSWER_SIZE || datagram.data[0] != ANSWER)
		return ERR_FORMAT;
	if (sodium_memcmp(datagram.data + 1, asked->bytes, sizeof asked->bytes) != 0)
		return ERR_AUTH;
	memcpy(key->bytes, datagram.data + 1 + sizeof asked->bytes, sizeof key->bytes);
	return 0;
}
