#include "directory/presence.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct record {
	struct record *next; /* of the same account */
	void *user;
	name_id account;
	uint8_t slot;
	bool is_published;
	uint8_t candidate_count;
	struct knock knock;
	struct address seen;
	struct candidate *candidates; /* exactly as many as there are: most have three */
	struct certificate certificate;
};

struct online {
	struct record *first;     /* NULL: nobody is online */
	struct device_list *list; /* of the account */
};

struct presence {
	struct online *online; /* by account */
	size_t size;
	struct presence_counts counts;
};

struct presence *presence_new(void)
{
	return memory_new(sizeof(struct presence));
}

static void record_free(struct record *r)
{
	free(r->candidates);
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

void presence_publish(struct record *r, const struct knock *knock,
		      const struct candidates *candidates)
{
	assert(candidates->count <= CANDIDATES_MAX);
	free(r->candidates);
	r->candidates = NULL;
	if (candidates->count) {
		r->candidates = memory_array(candidates->count, sizeof *r->candidates);
		memcpy(r->candidates, candidates->list,
		       candidates->count * sizeof *r->candidates);
	}
	r->candidate_count = candidates->count;
	r->knock = *knock;
	r->is_published = true;
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
	return r->is_published;
}

const struct certificate *record_certificate(const struct record *r)
{
	return &r->certificate;
}

void record_device(const struct record *r, struct wire_device *out)
{
	struct address seen = r->seen;

	memset(out, 0, sizeof *out);
	out->certificate = r->certificate;
	out->knock = r->knock;
	out->candidates.count = r->candidate_count;
	if (r->candidate_count)
		memcpy(out->candidates.list, r->candidates,
		       r->candidate_count * sizeof *r->candidates);
	seen.scope = 0;
	candidates_add(&out->candidates, CANDIDATE_REFLEXIVE, &seen);
}

unsigned presence_devices(const struct presence *p, name_id account,
			  struct wire_device out[WIRE_DEVICES_MAX])
{
	unsigned count = 0;

	for (const struct record *r = first_of(p, account); r; r = r->next)
		if (r->is_published)
			record_device(r, &out[count++]);
	return count;
}

void presence_set_list(struct presence *p, name_id account, const struct device_list *list)
{
	struct online *online = &p->online[account];

	assert(account < p->size && online->first);
	if (!online->list)
		online->list = memory_new(sizeof *online->list);
	else if (online->list->version >= list->version)
		return;
	*online->list = *list;
}

const struct device_list *presence_list(const struct presence *p, name_id account)
{
	return account < p->size ? p->online[account].list : NULL;
}

bool presence_is_online(const struct presence *p, name_id account)
{
	return first_of(p, account) != NULL;
}

struct presence_counts presence_counts(const struct presence *p)
{
	return p->counts;
}
