#include "directory/presence.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "shared/error.h"

/* What was published, encoded: it is told to some and looked into by nobody here. Some three
 * hundred bytes instead of the 1,200 of two structs. */
struct published {
	uint64_t open_number, shut_number;
	uint16_t open_size, shut_size;
	uint8_t encoded[]; /* the open one, then the shut one */
};

struct record {
	struct record *next; /* of the same account */
	void *user;
	uint64_t visit;
	name_id account;
	uint8_t slot;
	struct address seen;
	struct published *published; /* NULL: nothing yet */
	struct certificate certificate;
};

/* The same of a list: two devices take some three hundred bytes instead of 1,800. */
struct list {
	uint64_t version;
	uint16_t size;
	uint8_t encoded[];
};

struct online {
	struct record *first; /* NULL: nobody is online */
	struct list *list;    /* of the account */
};

struct presence {
	struct online *online; /* by account */
	size_t size;
	uint64_t visits; /* so far */
	struct presence_counts counts;
};

struct presence *presence_new(void)
{
	return memory_new(sizeof(struct presence));
}

static void record_free(struct record *r)
{
	free(r->published);
	free(r);
}

void presence_free(struct presence *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->size; i++) {
		struct record *next;

		free(p->online[i].list);
		for (struct record *r = p->online[i].first; r; r = next) {
			next = r->next;
			record_free(r);
		}
	}
	free(p->online);
	free(p);
}

static struct record *first_of(const struct presence *p, name_id account)
{
	return account < p->size ? p->online[account].first : NULL;
}

struct record *presence_at(const struct presence *p, name_id account, unsigned slot)
{
	struct record *r = first_of(p, account);

	while (r && r->slot != slot)
		r = r->next;
	return r;
}

struct record *presence_find(const struct presence *p, name_id account,
			     const struct device_public *device)
{
	struct record *r = first_of(p, account);

	while (r && !device_public_equal(&r->certificate.device, device))
		r = r->next;
	return r;
}

static void make_room(struct presence *p, name_id account)
{
	size_t size = p->size;

	if (account < size)
		return;
	p->size = account + account / 2 + 64;
	p->online = memory_grow(p->online, p->size, sizeof *p->online);
	memset(p->online + size, 0, (p->size - size) * sizeof *p->online);
}

struct record *presence_enter(struct presence *p, name_id account,
			      const struct certificate *certificate, void *user)
{
	struct record *r;
	unsigned slot = 0;

	while (slot < PRESENCE_SLOTS && presence_at(p, account, slot))
		slot++;
	if (slot == PRESENCE_SLOTS)
		return NULL;
	make_room(p, account);
	r = memory_new(sizeof *r);
	r->user = user;
	r->visit = ++p->visits;
	r->account = account;
	r->slot = slot;
	r->certificate = *certificate;
	r->next = p->online[account].first;
	p->counts.accounts += !r->next;
	p->counts.devices++;
	p->online[account].first = r;
	return r;
}

void presence_leave(struct presence *p, struct record *r)
{
	struct online *online = &p->online[r->account];
	struct record **at = &online->first;

	while (*at != r)
		at = &(*at)->next;
	*at = r->next;
	p->counts.devices--;
	if (!online->first) {
		p->counts.accounts--;
		free(online->list);
		online->list = NULL;
	}
	record_free(r);
}

static bool is_publishable(const struct record *r, const struct peer_record *p)
{
	return p->number && device_public_equal(&p->device, &r->certificate.device);
}

int presence_publish(struct record *r, const struct peer_record *open,
		     const struct peer_record *shut)
{
	struct buf encoded = { .limit = 2 * PEER_RECORD_SIZE_MAX };
	const struct published *old = r->published;
	struct published *p;
	size_t open_size;
	int err = ERR_FORMAT;

	if (!is_publishable(r, open) || !is_publishable(r, shut) || shut->candidates.count)
		goto out;
	err = ERR_EXISTS;
	if (old && (open->number <= old->open_number || shut->number <= old->shut_number))
		goto out;
	err = peer_record_encode(open, &encoded);
	open_size = encoded.size;
	if (!err)
		err = peer_record_encode(shut, &encoded);
	if (err < 0)
		goto out;

	p = memory_new(sizeof *p + encoded.size);
	p->open_number = open->number;
	p->shut_number = shut->number;
	p->open_size = (uint16_t)open_size;
	p->shut_size = (uint16_t)(encoded.size - open_size);
	memcpy(p->encoded, encoded.data, encoded.size);
	free(r->published);
	r->published = p;
out:
	buf_clear(&encoded);
	return err;
}

bool presence_observed(struct record *r, const struct address *seen)
{
	bool is_new = !address_equal(&r->seen, seen);

	r->seen = *seen;
	return is_new;
}

void *record_user(const struct record *r)
{
	return r->user;
}

unsigned record_slot(const struct record *r)
{
	return r->slot;
}

bool record_is_published(const struct record *r)
{
	return r->published != NULL;
}

const struct certificate *record_certificate(const struct record *r)
{
	return &r->certificate;
}

uint64_t record_number(const struct record *r)
{
	return r->published ? r->published->open_number : 0;
}

uint64_t record_visit(const struct record *r)
{
	return r->visit;
}

const struct address *record_seen(const struct record *r)
{
	return &r->seen;
}

void record_device(const struct record *r, enum consent consent, struct wire_device *out)
{
	const struct published *p = r->published;
	bool is_open = consent == CONSENT_DIRECT;
	struct bytes encoded = { 0 };
	int err = 0;

	assert(p);
	memset(out, 0, sizeof *out);
	out->certificate = r->certificate;
	if (is_open)
		encoded = bytes_of(p->encoded, p->open_size);
	else if (consent == CONSENT_RELAY)
		encoded = bytes_of(p->encoded + p->open_size, p->shut_size);
	if (encoded.size)
		err = peer_record_decode(&out->record, encoded);
	assert(err == 0); /* we encoded it */
	if (is_open && address_is_unicast(&r->seen)) {
		out->seen = r->seen;
		out->seen.scope = 0;
	}
}

unsigned presence_devices(const struct presence *p, name_id account, enum consent consent,
			  struct wire_device out[WIRE_DEVICES_MAX])
{
	unsigned count = 0;

	for (const struct record *r = first_of(p, account); r; r = r->next)
		if (r->published)
			record_device(r, consent, &out[count++]);
	return count;
}

void presence_set_list(struct presence *p, name_id account, const struct device_list *list)
{
	struct buf encoded = { .limit = DEVICE_LIST_SIZE_MAX };
	struct online *online = &p->online[account];
	int err;

	assert(account < p->size && online->first);
	if (online->list && online->list->version >= list->version)
		return;
	err = device_list_encode(list, &encoded);
	assert(err == 0); /* it came encoded from somewhere */
	free(online->list);
	online->list = memory_new(sizeof *online->list + encoded.size);
	online->list->version = list->version;
	online->list->size = (uint16_t)encoded.size;
	memcpy(online->list->encoded, encoded.data, encoded.size);
	buf_clear(&encoded);
}

bool presence_list(const struct presence *p, name_id account, struct device_list *out)
{
	const struct list *list = account < p->size ? p->online[account].list : NULL;
	int err;

	if (!list)
		return false;
	err = device_list_decode(out, bytes_of(list->encoded, list->size));
	assert(err == 0); /* we encoded it */
	return true;
}

bool presence_is_online(const struct presence *p, name_id account)
{
	return first_of(p, account) != NULL;
}

struct presence_counts presence_counts(const struct presence *p)
{
	return p->counts;
}
