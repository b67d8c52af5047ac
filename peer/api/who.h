/* Who I am, as faces see it and others would write it; and whom I mean. */
#ifndef PALIQUE_PEER_API_WHO_H
#define PALIQUE_PEER_API_WHO_H

#include "peer/api/call.h"

/* The account with a place that others can use: a directory in this process may have been joined
 * over loopback or an address of yesterday, which say nothing to them. */
void who_account(const struct call *call, struct engine_account *account);
struct json *who_view(const struct engine_account *account);
/* The link by which others add this account; "": none. */
void who_link(const struct engine_account *account, char out[URI_MAX + 1]);
/* ERR_STATE, with what to do, where this home has no account. */
int who_needs_account(struct call *call);
/* That, and ERR_REFUSED where the directory does not let this device in: nothing that needs it
 * can be done before it is logged in again. */
int who_needs_directory(struct call *call);
bool who_same_place(const struct directory_place *a, const struct directory_place *b);

/* Somebody by a name, NAME@DIRECTORY or a contact link, the last of which tells the key, too. */
struct who {
	struct name name;
	bool has_identity;
	struct identity_public identity;
};
/* Keeps the name for the hint of an error. ERR_FORMAT: neither; ERR_REFUSED: at another directory,
 * or it is ourselves. */
int who_meant(struct call *call, const char *text, struct who *who);
/* To whom something is said, from the parameter `key`: a name; or NAME@DIRECTORY or a contact link of
 * somebody who is asked to be a contact where they are none yet (what is said waits until they
 * accept). `to` is what the engine takes for it, valid as long as `who` and the call. */
int who_conversation(struct call *call, const char *key, struct who *who, const char **to);

#endif
