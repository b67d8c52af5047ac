/* The temporary records: which devices of an account are online and how they can be
 * reached. In memory only; a record ends with its connection and leaves nothing. */
#ifndef PALIQUE_DIRECTORY_PRESENCE_H
#define PALIQUE_DIRECTORY_PRESENCE_H

#include "directory/names.h"
#include "shared/wire.h"

struct presence;
struct record;

enum { PRESENCE_SLOTS = WIRE_DEVICES_MAX }; /* devices of one account online at a time */

struct presence *presence_new(void);
void presence_free(struct presence *p); /* with every record in it */

/* The device of `certificate` is online as `account`; `user` is whose record it is. NULL:
 * all slots are taken (presence_at() finds who could make room). */
struct record *presence_enter(struct presence *p, name_id account,
			      const struct certificate *certificate, void *user);
void presence_leave(struct presence *p, struct record *r);

/* How the device can be reached, with addresses and without; replaces what was published
 * before. The signatures are for who dials to check. ERR_FORMAT: not of this device, `shut` has
 * addresses, or a number is 0. ERR_EXISTS: one is no newer than what there is; nothing changed. */
int presence_publish(struct record *r, const struct peer_record *open,
		     const struct peer_record *shut);
/* The address the directory sees. true: it is another than before. */
bool presence_observed(struct record *r, const struct address *seen);

/* The record in that slot of the account, or NULL; with it who it belongs to. */
struct record *presence_at(const struct presence *p, name_id account, unsigned slot);
struct record *presence_find(const struct presence *p, name_id account,
			     const struct device_public *device);
void *record_user(const struct record *r);
unsigned record_slot(const struct record *r);
bool record_is_published(const struct record *r);
const struct certificate *record_certificate(const struct record *r);
/* Published, as somebody is told to whom its account gives so much: DIRECT, what was published
 * with addresses and the address that the directory sees; RELAY, what has none; NEVER, that it is
 * there. */
void record_device(const struct record *r, enum consent consent, struct wire_device *out);
/* What changes whenever it can be reached in another way. */
uint64_t record_number(const struct record *r);
const struct address *record_seen(const struct record *r);
/* No other record has the same: who went and came back has another. */
uint64_t record_visit(const struct record *r);

/* The published devices of an account, as above: how many. */
unsigned presence_devices(const struct presence *p, name_id account, enum consent consent,
			  struct wire_device out[WIRE_DEVICES_MAX]);
/* The device list of an account that is online, one for all of its sessions; an older one than
 * is known changes nothing. false: none known. */
void presence_set_list(struct presence *p, name_id account, const struct device_list *list);
bool presence_list(const struct presence *p, name_id account, struct device_list *out);
bool presence_is_online(const struct presence *p, name_id account);

struct presence_counts {
	uint64_t devices, accounts;
};
struct presence_counts presence_counts(const struct presence *p);

#endif
