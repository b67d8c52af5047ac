#include "shared/sight.h"

#include <string.h>

#include <sodium.h>

#include "shared/error.h"

enum { QUESTION = 0x03, ANSWER = 0x04 };

static const char magic[8] = { 'p', 'a', 'l', 'q', '-', 's', 'e', 'e' };

enum { /* where the fields are */
       NONCE_AT = 1 + sizeof magic,
       WANTS_AT = NONCE_AT + 16,
       PORT_AT = WANTS_AT + 1,
       PADDING_AT = PORT_AT + 2,
       FAMILY_AT = 1 + 16, /* in an answer */
       IP_AT = FAMILY_AT + 1,
       SEEN_PORT_AT = IP_AT + 16,
};

static void put_port(uint8_t to[2], uint16_t port)
{
	to[0] = (uint8_t)(port >> 8);
	to[1] = (uint8_t)port;
}

static uint16_t get_port(const uint8_t from[2])
{
	return (uint16_t)(from[0] << 8 | from[1]);
}

void sight_question_encode(uint8_t out[SIGHT_QUESTION_SIZE], const struct sight_question *q)
{
	memset(out, 0, SIGHT_QUESTION_SIZE);
	out[0] = QUESTION;
	memcpy(out + 1, magic, sizeof magic);
	memcpy(out + NONCE_AT, q->nonce.bytes, sizeof q->nonce.bytes);
	out[WANTS_AT] = (uint8_t)q->wants;
	put_port(out + PORT_AT, q->port);
}

int sight_question_decode(struct sight_question *q, struct bytes datagram)
{
	const uint8_t *p = datagram.data;
	struct sight_question got = { 0 };

	if (datagram.size != SIGHT_QUESTION_SIZE || p[0] != QUESTION)
		return ERR_FORMAT;
	if (memcmp(p + 1, magic, sizeof magic) != 0 || p[WANTS_AT] > SIGHT_PORT)
		return ERR_FORMAT;
	if (!sodium_is_zero(p + PADDING_AT, SIGHT_QUESTION_SIZE - PADDING_AT))
		return ERR_FORMAT;
	memcpy(got.nonce.bytes, p + NONCE_AT, sizeof got.nonce.bytes);
	got.wants = (enum sight_wants)p[WANTS_AT];
	got.port = get_port(p + PORT_AT);
	if ((got.port != 0) != (got.wants == SIGHT_PORT))
		return ERR_FORMAT;
	*q = got;
	return 0;
}

void sight_answer_encode(uint8_t out[SIGHT_ANSWER_SIZE], const struct sight_nonce *nonce,
			 const struct address *seen)
{
	out[0] = ANSWER;
	memcpy(out + 1, nonce->bytes, sizeof nonce->bytes);
	out[FAMILY_AT] = seen->family;
	memcpy(out + IP_AT, seen->ip, sizeof seen->ip);
	put_port(out + SEEN_PORT_AT, seen->port);
}

int sight_answer_decode(struct sight_nonce *nonce, struct address *seen, struct bytes datagram)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	const uint8_t *p = datagram.data;
	struct address got = { 0 };

	if (datagram.size != SIGHT_ANSWER_SIZE || p[0] != ANSWER)
		return ERR_FORMAT;
	got.family = p[FAMILY_AT];
	memcpy(got.ip, p + IP_AT, sizeof got.ip);
	got.port = get_port(p + SEEN_PORT_AT);
	if (!address_is_unicast(&got))
		return ERR_FORMAT;
	/* one address, one form */
	if (got.family == 4 && !sodium_is_zero(got.ip + 4, sizeof got.ip - 4))
		return ERR_FORMAT;
	if (got.family == 6 && memcmp(got.ip, mapped, sizeof mapped) == 0)
		return ERR_FORMAT;
	memcpy(nonce->bytes, p + 1, sizeof nonce->bytes);
	*seen = got;
	return 0;
}
