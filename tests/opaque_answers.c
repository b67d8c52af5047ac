#include "tests/opaque_answers.h"

int answer_registration(const struct opaque_server *s, struct bytes name,
			const uint8_t request[OPAQUE_REQUEST_SIZE],
			uint8_t response[OPAQUE_RESPONSE_SIZE])
{
	struct opaque_held held;
	int err = opaque_hold(s, name, request, NULL, &held);

	if (err == 0)
		opaque_server_register(s->public, &held, response);
	return err;
}

int answer_login(const struct opaque_server *s, struct bytes name,
		 const uint8_t record[OPAQUE_RECORD_SIZE], struct opaque_names names,
		 struct bytes context, const struct opaque_server_random *random,
		 const uint8_t ke1[OPAQUE_KE1_SIZE], uint8_t ke2[OPAQUE_KE2_SIZE],
		 struct opaque_pending *pending)
{
	struct opaque_held held;
	int err = opaque_hold(s, name, opaque_ke1_blinded(ke1), opaque_ke1_keyshare(ke1),
			      &held);

	if (err == 0)
		err = opaque_server_respond(s->public, &held, record, names, context, random,
					    ke1, ke2, pending);
	return err;
}
