#include "directory/enlist.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "shared/error.h"

/* What passes between the two sides and must be wiped. */
struct secrets {
	struct opaque_client client;
	struct opaque_client_random random;
	uint8_t oprf_output[OPAQUE_OPRF_SIZE], stretched[OPAQUE_OPRF_SIZE];
	uint8_t export_key[OPAQUE_EXPORT_KEY_SIZE];
};

static int make_record(struct secrets *s, struct registry *registry,
		       const struct keystore *keys, const struct name *name,
		       struct bytes password, uint8_t record[OPAQUE_RECORD_SIZE])
{
	uint8_t request[OPAQUE_REQUEST_SIZE], response[OPAQUE_RESPONSE_SIZE];
	struct opaque_names names = { { 0 }, { 0 } };
	int err;

	opaque_client_random(&s->random);
	err = opaque_register_start(&s->client, password, &s->random, request);
	if (err < 0)
		return err;
	err = opaque_server_register(&keys->opaque, bytes_text(name->text), request, response);
	if (err < 0)
		return err;
	err = opaque_register_evaluate(&s->client, response, s->oprf_output);
	if (err < 0)
		return err;
	err = ksf_stretch(registry->ksf(registry), s->oprf_output, s->stretched);
	if (err < 0)
		return err;
	return opaque_register_finish(&s->client, s->stretched, names, record, s->export_key);
}

int enlist(struct registry *registry, const struct keystore *keys, const struct name *name,
	   struct bytes password, wall_ms now)
{
	struct secrets *s = sodium_malloc(sizeof *s);
	struct registry_new account = { .name = *name };
	struct registry_answer answer;
	int err;

	if (!s)
		abort();
	memset(s, 0, sizeof *s);
	err = make_record(s, registry, keys, name, password, account.record);
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
