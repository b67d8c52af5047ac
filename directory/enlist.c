#include "directory/enlist.h"

#include <poll.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "shared/error.h"

enum { WAIT_MS = 10, WAITS = 1000 }; /* for the key-holder: 10 s in all */

/* What passes between the two sides and must be wiped. */
struct secrets {
	struct opaque_client client;
	struct opaque_client_random random;
	uint8_t oprf_output[OPAQUE_OPRF_SIZE], stretched[OPAQUE_OPRF_SIZE];
	uint8_t export_key[OPAQUE_EXPORT_KEY_SIZE];
	struct holder_answer answer;
};

static int ask_holder(struct secrets *s, struct holder *holder, const struct name *name,
		      const uint8_t request[OPAQUE_REQUEST_SIZE])
{
	holder->ask(holder, 1, name, request, NULL);
	for (int i = 0; i < WAITS; i++) {
		if (holder->next(holder, &s->answer))
			return s->answer.err;
		poll(NULL, 0, WAIT_MS);
	}
	return ERR_OFFLINE;
}

static int make_record(struct secrets *s, struct registry *registry, struct holder *holder,
		       const struct name *name, struct bytes password,
		       uint8_t record[OPAQUE_RECORD_SIZE])
{
	uint8_t request[OPAQUE_REQUEST_SIZE], response[OPAQUE_RESPONSE_SIZE];
	struct opaque_names names = { { 0 }, { 0 } };
	int err;

	opaque_client_random(&s->random);
	err = opaque_register_start(&s->client, password, &s->random, request);
	if (err < 0)
		return err;
	err = ask_holder(s, holder, name, request);
	if (err < 0)
		return err;
	if (!holder->public_key(holder))
		return ERR_OFFLINE;
	err = registry->bind_holder(registry, holder->public_key(holder));
	if (err < 0)
		return err;
	opaque_server_register(holder->public_key(holder), &s->answer.held, response);
	err = opaque_register_evaluate(&s->client, response, s->oprf_output);
	if (err < 0)
		return err;
	err = ksf_stretch(registry->ksf(registry), s->oprf_output, s->stretched);
	if (err < 0)
		return err;
	return opaque_register_finish(&s->client, s->stretched, names, record, s->export_key);
}

int enlist(struct registry *registry, struct holder *holder, const struct name *name,
	   struct bytes password, wall_ms now)
{
	struct secrets *s = sodium_malloc(sizeof *s);
	struct registry_new account = { .name = *name };
	struct registry_answer answer;
	int err;

	if (!s)
		abort();
	memset(s, 0, sizeof *s);
	err = make_record(s, registry, holder, name, password, account.record);
	if (err < 0)
		goto out;
	registry->create(registry, 1, &account, now);
	err = ERR_IO;
	while (registry->next(registry, &answer))
		err = answer.err;
out:
	sodium_free(s);
	return err;
}
