/* OPAQUE's server as one: the key-holder's half and the directory's (shared/opaque.h), one after
 * the other. */
#ifndef PALIQUE_TESTS_OPAQUE_ANSWERS_H
#define PALIQUE_TESTS_OPAQUE_ANSWERS_H

#include "shared/opaque.h"

int answer_registration(const struct opaque_server *s, struct bytes name,
			const uint8_t request[OPAQUE_REQUEST_SIZE],
			uint8_t response[OPAQUE_RESPONSE_SIZE]);
int answer_login(const struct opaque_server *s, struct bytes name,
		 const uint8_t record[OPAQUE_RECORD_SIZE], struct opaque_names names,
		 struct bytes context, const struct opaque_server_random *random,
		 const uint8_t ke1[OPAQUE_KE1_SIZE], uint8_t ke2[OPAQUE_KE2_SIZE],
		 struct opaque_pending *pending);

#endif
