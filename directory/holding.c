#include "directory/holding.h"

#include <sodium.h>
#include <string.h>

#include "shared/error.h"

static void put64(uint8_t *out, uint64_t v)
{
	for (int i = 7; i >= 0; i--, v >>= 8)
		out[i] = (uint8_t)v;
}

static uint64_t get64(const uint8_t *in)
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v = v << 8 | in[i];
	return v;
}

void holding_ask(uint8_t out[HOLDING_QUESTION_SIZE], const struct holding_question *q)
{
	memset(out, 0, HOLDING_QUESTION_SIZE);
	out[0] = HOLDING_VERSION;
	out[1] = (uint8_t)q->kind;
	put64(out + 2, q->ticket);
	if (q->kind == HOLDING_KEY)
		return;
	memcpy(out + 10, q->name.text, strlen(q->name.text));
	memcpy(out + 10 + NAME_MAX, q->blinded, 32);
	if (q->kind == HOLDING_LOGIN)
		memcpy(out + 10 + NAME_MAX + 32, q->keyshare, 32);
}

int holding_read_question(struct holding_question *q, const uint8_t in[HOLDING_QUESTION_SIZE])
{
	const uint8_t *name = in + 10, *blinded = name + NAME_MAX, *keyshare = blinded + 32;
	struct holding_question read = { .ticket = get64(in + 2) };
	size_t size = strnlen((const char *)name, NAME_MAX);

	if (in[0] != HOLDING_VERSION || !sodium_is_zero(name + size, NAME_MAX - size))
		return ERR_FORMAT;
	switch (in[1]) {
	case HOLDING_KEY:
		if (!sodium_is_zero(name, NAME_MAX + 32 + 32))
			return ERR_FORMAT;
		break;
	case HOLDING_REGISTER:
		if (!sodium_is_zero(keyshare, 32))
			return ERR_FORMAT;
		/* fall through */
	case HOLDING_LOGIN:
		if (name_check(&read.name, bytes_of(name, size)) < 0)
			return ERR_FORMAT;
		break;
	default:
		return ERR_FORMAT;
	}
	read.kind = in[1];
	memcpy(read.blinded, blinded, 32);
	memcpy(read.keyshare, keyshare, 32);
	*q = read;
	return 0;
}

void holding_answer(uint8_t out[HOLDING_ANSWER_SIZE], const struct holder_answer *a)
{
	memset(out, 0, HOLDING_ANSWER_SIZE);
	out[0] = HOLDING_VERSION;
	out[1] = (uint8_t)-a->err;
	put64(out + 2, a->ticket);
	if (a->err)
		return;
	memcpy(out + 10, a->held.evaluated, 32);
	memcpy(out + 42, a->held.shared, 32);
}

int holding_read_answer(struct holder_answer *a, const uint8_t in[HOLDING_ANSWER_SIZE])
{
	int err = -(int)in[1];

	if (in[0] != HOLDING_VERSION || (err && err != ERR_AUTH && err != ERR_BUSY) ||
	    (err && !sodium_is_zero(in + 10, 64)))
		return ERR_FORMAT;
	a->ticket = get64(in + 2);
	a->err = err;
	memcpy(a->held.evaluated, in + 10, 32);
	memcpy(a->held.shared, in + 42, 32);
	return 0;
}
