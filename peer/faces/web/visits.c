#include "peer/faces/web/visits.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "shared/bytes.h"
#include "shared/error.h"

struct secret {
	uint8_t bytes[VISITS_SECRET_SIZE];
};

struct token {
	bool is_there;
	struct secret secret;
	mono_ns until;
};

struct session {
	int64_t number; /* 0: none */
	struct secret cookie, key;
	mono_ns used;
};

struct ticket {
	int64_t session; /* 0: none */
	struct secret secret;
	uint64_t message;
	mono_ns until;
};

struct visits {
	struct token tokens[VISITS_TOKENS_MAX];
	struct session visits[VISITS_MAX];
	struct ticket tickets[VISITS_TICKETS_MAX];
	int64_t last;
};

struct visits *visits_new(void)
{
	return memory_new(sizeof(struct visits));
}

void visits_free(struct visits *s)
{
	if (!s)
		return;
	sodium_memzero(s, sizeof *s);
	free(s);
}

static void make(struct secret *secret, char text[VISITS_TEXT_SIZE])
{
	randombytes_buf(secret->bytes, sizeof secret->bytes);
	bytes_to_base64(BYTES(secret->bytes), text);
}

/* What is no secret at all reads as zeros, which are nobody's: the same is done with it. */
static bool read_secret(struct secret *secret, const char *text)
{
	size_t size = text ? strnlen(text, VISITS_TEXT_SIZE) : 0;

	memset(secret, 0, sizeof *secret);
	return size == VISITS_TEXT_SIZE - 1 &&
	       bytes_from_base64(text, size, secret->bytes, sizeof secret->bytes) == 0;
}

static bool is_same(const struct secret *a, const struct secret *b)
{
	return sodium_memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

/* --- tokens --- */

void visits_token(struct visits *s, mono_ns now, char text[VISITS_TEXT_SIZE])
{
	struct token *oldest = &s->tokens[0];

	for (unsigned i = 0; i < VISITS_TOKENS_MAX && oldest->is_there; i++)
		if (!s->tokens[i].is_there || s->tokens[i].until < oldest->until)
			oldest = &s->tokens[i];
	make(&oldest->secret, text);
	oldest->until = now + VISITS_TOKEN_S * SECOND;
	oldest->is_there = true;
}

static bool use_token(struct visits *s, const char *text, mono_ns now)
{
	struct secret given;
	bool is_secret = read_secret(&given, text), is_good = false;

	for (unsigned i = 0; i < VISITS_TOKENS_MAX; i++) {
		struct token *t = &s->tokens[i];

		if (!t->is_there)
			continue;
		if (is_same(&t->secret, &given)) {
			is_good = is_secret && now < t->until;
			sodium_memzero(t, sizeof *t);
		}
	}
	sodium_memzero(&given, sizeof given);
	return is_good;
}

/* --- sessions --- */

int64_t visits_trade(struct visits *s, const char *token, mono_ns now,
		     char cookie[VISITS_TEXT_SIZE], char key[VISITS_TEXT_SIZE])
{
	struct session *place = &s->visits[0];

	if (!use_token(s, token, now))
		return ERR_AUTH;
	for (unsigned i = 0; i < VISITS_MAX && place->number; i++)
		if (!s->visits[i].number || s->visits[i].used < place->used)
			place = &s->visits[i];
	if (place->number)
		visits_end(s, place->number);
	make(&place->cookie, cookie);
	make(&place->key, key);
	place->used = now;
	place->number = ++s->last;
	return place->number;
}

int64_t visits_find(struct visits *s, const char *cookie, const char *key, mono_ns now)
{
	struct secret their_cookie, their_key;
	bool has_cookie = read_secret(&their_cookie, cookie);
	bool has_key = read_secret(&their_key, key);
	int64_t found = ERR_AUTH;

	for (unsigned i = 0; i < VISITS_MAX; i++) {
		struct session *session = &s->visits[i];
		bool is_cookie = is_same(&session->cookie, &their_cookie);
		bool is_key = is_same(&session->key, &their_key);

		if (!session->number || !has_cookie || !is_cookie ||
		    (key && !(has_key && is_key)))
			continue;
		session->used = now;
		found = session->number;
	}
	sodium_memzero(&their_cookie, sizeof their_cookie);
	sodium_memzero(&their_key, sizeof their_key);
	return found;
}

bool visits_is_there(const struct visits *s, int64_t number)
{
	for (unsigned i = 0; i < VISITS_MAX; i++)
		if (number > 0 && s->visits[i].number == number)
			return true;
	return false;
}

void visits_end(struct visits *s, int64_t number)
{
	for (unsigned i = 0; i < VISITS_MAX; i++)
		if (number > 0 && s->visits[i].number == number)
			sodium_memzero(&s->visits[i], sizeof s->visits[i]);
	for (unsigned i = 0; i < VISITS_TICKETS_MAX; i++)
		if (number > 0 && s->tickets[i].session == number)
			sodium_memzero(&s->tickets[i], sizeof s->tickets[i]);
}

void visits_end_all(struct visits *s)
{
	int64_t last = s->last;

	sodium_memzero(s, sizeof *s);
	s->last = last; /* a number is given once */
}

/* --- tickets --- */

void visits_ticket(struct visits *s, int64_t session, uint64_t message, mono_ns now,
		   char text[VISITS_TEXT_SIZE])
{
	struct ticket *oldest = &s->tickets[0];

	for (unsigned i = 0; i < VISITS_TICKETS_MAX && oldest->session; i++)
		if (!s->tickets[i].session || s->tickets[i].until < oldest->until)
			oldest = &s->tickets[i];
	make(&oldest->secret, text);
	oldest->message = message;
	oldest->until = now + VISITS_TICKET_S * SECOND;
	oldest->session = session;
}

int visits_redeem(struct visits *s, int64_t session, const char *text, mono_ns now,
		  uint64_t *message)
{
	struct secret given;
	bool is_secret = read_secret(&given, text);
	int err = ERR_AUTH;

	for (unsigned i = 0; i < VISITS_TICKETS_MAX; i++) {
		struct ticket *t = &s->tickets[i];

		if (!is_same(&t->secret, &given) || !is_secret || t->session <= 0 ||
		    t->session != session || now >= t->until)
			continue;
		t->until = now + VISITS_TICKET_S * SECOND;
		*message = t->message;
		err = 0;
	}
	sodium_memzero(&given, sizeof given);
	return err;
}
