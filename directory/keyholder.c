#include "directory/keyholder.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "shared/error.h"

struct keyholder {
	const struct opaque_server *secrets;
	struct limits *names; /* only its row of logins by name is used */
	struct bucket_size all_size;
	struct bucket all;
};

struct keyholder_limits keyholder_limits_default(void)
{
	return (struct keyholder_limits){ .name = { 1000, 2000 }, .all = { 20000, 1 } };
}

struct keyholder *keyholder_new(const struct opaque_server *secrets,
				const struct keyholder_limits *limits)
{
	struct limits_config config = limits_default();
	struct keyholder *k = memory_new(sizeof *k);
	uint8_t key[16];

	config.size[LIMIT_LOGIN_NAME] = limits->name;
	randombytes_buf(key, sizeof key);
	k->names = limits_new(&config, key);
	k->secrets = secrets;
	k->all_size = limits->all;
	return k;
}

void keyholder_free(struct keyholder *k)
{
	if (!k)
		return;
	limits_free(k->names);
	free(k);
}

/* ERR_BUSY. A registration counts as a login does: either could try a password. */
static int take(struct keyholder *k, const struct name *name, mono_ns now)
{
	uint32_t retry_after;
	int err;

	if (!bucket_take(&k->all, &k->all_size, 1, now, NULL))
		return ERR_BUSY;
	err = limits_take(k->names, LIMIT_LOGIN_NAME, NULL, name, now, &retry_after);
	if (err < 0)
		bucket_give_back(&k->all, 1); /* one name takes nothing from the others */
	return err;
}

int keyholder_answer(struct keyholder *k, const uint8_t question[HOLDING_QUESTION_SIZE],
		     uint8_t answer[HOLDING_ANSWER_SIZE], mono_ns now)
{
	struct holder_answer a = { 0 };
	struct holding_question q;
	int err = holding_read_question(&q, question);

	if (err < 0)
		return err;
	a.ticket = q.ticket;
	if (q.kind == HOLDING_KEY) {
		memcpy(a.held.evaluated, k->secrets->public, sizeof a.held.evaluated);
	} else {
		a.err = take(k, &q.name, now);
		if (!a.err)
			a.err = opaque_hold(k->secrets, bytes_text(q.name.text), q.blinded,
					    q.kind == HOLDING_LOGIN ? q.keyshare : NULL,
					    &a.held);
	}
	holding_answer(answer, &a);
	sodium_memzero(&a, sizeof a);
	return 0;
}
