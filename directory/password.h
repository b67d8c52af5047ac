/* A password from the operator: by prompt without echo, or from an open descriptor. */
#ifndef PALIQUE_DIRECTORY_PASSWORD_H
#define PALIQUE_DIRECTORY_PASSWORD_H

#include "shared/bytes.h"
#include "shared/opaque.h"

struct password {
	uint8_t text[OPAQUE_PASSWORD_MAX + 1];
	size_t size;
};

/* In locked memory; password_free() wipes. `fd` >= 0: its first line, without the newline;
 * -1: asked on the terminal, twice. ERR_LIMIT: empty or too long, ERR_AUTH: the two differ,
 * ERR_STATE: there is no terminal, ERR_IO. */
int password_read(struct password **p, int fd);
void password_free(struct password *p);

#endif
