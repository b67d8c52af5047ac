#include "directory/holder.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "directory/keystore.h"
#include "directory/secrets.h"
#include "shared/error.h"

/* Answers wait here until they are taken; the room grows when many are asked for in one step. */
struct local {
	struct holder calls; /* first: what others know of it */
	const struct opaque_server *keys;
	struct opaque_server *own; /* NULL: they are borrowed */
	struct holder_answer *answers;
	size_t first, count, room;
};

enum { ROOM = 16 };

static void make_room(struct local *l)
{
	size_t room = l->room ? l->room * 2 : ROOM;
	struct holder_answer *answers;

	if (l->first + l->count < l->room)
		return;
	if (l->first) {
		memmove(l->answers, l->answers + l->first, l->count * sizeof *l->answers);
		sodium_memzero(l->answers + l->count, l->first * sizeof *l->answers);
		l->first = 0;
		if (l->count < l->room / 2)
			return;
	}
	answers = memory_array(room, sizeof *answers);
	if (l->count)
		memcpy(answers, l->answers, l->count * sizeof *answers);
	if (l->room)
		sodium_memzero(l->answers, l->room * sizeof *l->answers);
	free(l->answers);
	l->answers = answers;
	l->room = room;
}

static void local_ask(struct holder *h, uint64_t ticket, const struct name *name,
		      const uint8_t blinded[32], const uint8_t *keyshare)
{
	struct local *l = (struct local *)h;
	struct holder_answer *a;

	make_room(l);
	a = &l->answers[l->first + l->count++];
	*a = (struct holder_answer){ .ticket = ticket };
	a->err = opaque_hold(l->keys, bytes_text(name->text), blinded, keyshare, &a->held);
}

static bool local_next(struct holder *h, struct holder_answer *answer)
{
	struct local *l = (struct local *)h;
	struct holder_answer *a;

	if (!l->count)
		return false;
	a = &l->answers[l->first];
	*answer = *a;
	sodium_memzero(a, sizeof *a);
	l->first = --l->count ? l->first + 1 : 0;
	return true;
}

static const uint8_t *local_public_key(const struct holder *h)
{
	return ((const struct local *)h)->keys->public;
}

static void local_close(struct holder *h)
{
	struct local *l = (struct local *)h;

	if (l->room)
		sodium_memzero(l->answers, l->room * sizeof *l->answers);
	free(l->answers);
	if (l->own)
		secrets_close(l->own);
	free(l);
}

struct holder *holder_local(const struct opaque_server *keys)
{
	struct local *l = memory_new(sizeof *l);

	l->calls = (struct holder){
		.ask = local_ask,
		.next = local_next,
		.public_key = local_public_key,
		.close = local_close,
	};
	l->keys = keys;
	return &l->calls;
}

int holder_local_secrets(struct holder **h, const char *folder, char *reason,
			 size_t reason_size)
{
	struct opaque_server *secrets;
	int err = secrets_open(&secrets, folder, reason, reason_size);

	if (err < 0)
		return err;
	*h = holder_local(secrets);
	((struct local *)*h)->own = secrets;
	return 0;
}

int holder_local_open(struct holder **h, const char *data, char *reason, size_t reason_size)
{
	char folder[PATH_MAX];
	int err;

	secrets_folder(folder, data);
	err = keystore_split(data, folder, reason, reason_size);
	return err < 0 ? err : holder_local_secrets(h, folder, reason, reason_size);
}
