/* Which ways there are, to whose devices, and what the conversations have for them. */
#include <stdlib.h>
#include <string.h>

#include "peer/account.h"
#include "peer/address_book.h"
#include "peer/events.h"
#include "peer/persons.h"
#include "peer/reach_inside.h"
#include "shared/error.h"

/* --- the ways --- */

static void remove_way(struct reach *r, struct way *w)
{
	for (unsigned i = 0; i < WIRE_DEVICES_MAX; i++) {
		if (w->person->ways[i] == w)
			w->person->ways[i] = NULL;
	}
	for (unsigned i = 0; i < r->count; i++) {
		if (r->ways[i] != w)
			continue;
		memmove(r->ways + i, r->ways + i + 1, (--r->count - i) * sizeof(struct way *));
		if (i < r->at)
			r->at--;
		break;
	}
	r->are_tags_old = true;
	way_free(w);
}

void reach_free(struct reach *r)
{
	if (!r)
		return;
	while (r->count > 0)
		remove_way(r, r->ways[r->count - 1]);
	free(r->ways);
	free(r->streams);
	free(r->tags);
	punch_limits_clear(&r->limits);
	free(r);
}

struct way *reach_find_way(const struct person *p, const struct device_public *device)
{
	for (unsigned i = 0; i < WIRE_DEVICES_MAX; i++) {
		if (p->ways[i] && device_public_equal(&p->ways[i]->device, device))
			return p->ways[i];
	}
	return NULL;
}

/* By their newest list. Without one we know no better than the certificate; of our own devices
 * there always is one. */
static bool is_theirs(const struct reach *r, const struct person *p,
		      const struct device_public *device)
{
	if (device_public_equal(device, account_device(r->rooms->account)))
		return false; /* there is no way to ourselves */
	return p->devices.version == 0 ? !p->is_self
				       : device_list_find(&p->devices, device) != NULL;
}

struct way *reach_way(struct reach *r, struct person *p, const struct device_public *device)
{
	struct way *w = reach_find_way(p, device);
	unsigned free_at = WIRE_DEVICES_MAX;

	if (w || !is_theirs(r, p, device))
		return w;
	for (unsigned i = 0; i < WIRE_DEVICES_MAX && free_at == WIRE_DEVICES_MAX; i++) {
		if (!p->ways[i])
			free_at = i;
	}
	for (unsigned i = 0; i < WIRE_DEVICES_MAX && free_at == WIRE_DEVICES_MAX; i++) {
		if (!p->ways[i]->is_present && p->ways[i]->state == WAY_IDLE) {
			way_save(r->rooms, p->ways[i]);
			remove_way(r, p->ways[i]);
			free_at = i;
		}
	}
	if (free_at == WIRE_DEVICES_MAX)
		return NULL;
	w = p->ways[free_at] = way_new(r->rooms, p, device);
	w->number = ++r->numbers;
	r->are_tags_old = true;
	r->ways = memory_grow(r->ways, r->count + 1, sizeof(struct way *));
	r->ways[r->count++] = w;
	return w;
}

struct way *reach_way_at(const struct reach *r, unsigned index)
{
	return index < r->count ? r->ways[index] : NULL;
}

struct way *reach_by_number(const struct reach *r, uintptr_t number)
{
	for (unsigned i = 0; i < r->count; i++) {
		if (r->ways[i]->number == number)
			return r->ways[i];
	}
	return NULL;
}

void reach_ask(struct reach *r, struct way *w, bool is_asked)
{
	if (is_asked && !w->is_asked && !reach_rests(r, w))
		w->retry_at = mono_earlier(w->retry_at, r->rooms->now);
	w->is_asked = is_asked;
}

void reach_use(struct reach *r, struct way *w)
{
	w->last_used = r->rooms->now;
}

const struct peer_record *reach_record(const struct reach *r, const struct way *w)
{
	return address_book_of(r->rooms->book, w->person, &w->device);
}

bool reach_may(const struct way *w)
{
	return person_may_link(w->person) && !w->is_shut;
}

bool reach_may_directly(const struct reach *r, const struct way *w)
{
	const struct peer_record *record = reach_record(r, w);

	/* Where there is no router a record may have no address, and they are there all the same. */
	return reach_may(w) && person_link_consent(w->person) == CONSENT_DIRECT && record &&
	       (record->candidates.count > 0 || r->rooms->now < w->found_until);
}

bool reach_rests(const struct reach *r, const struct way *w)
{
	return r->rooms->now < w->penance_until;
}

/* --- links come and go --- */

void reach_ping(struct reach *r, struct way *w)
{
	link_ping(w->link);
	w->pinged_until = r->rooms->now + way_patience(w);
	w->check_at = mono_earlier(w->check_at, w->pinged_until);
}

/* The best of those that are up. */
static const struct way *linked_way(const struct person *p)
{
	const struct way *best = NULL;

	for (unsigned i = 0; i < WIRE_DEVICES_MAX; i++) {
		const struct way *w = p->ways[i];

		if (w && w->state == WAY_LINKED && (!best || w->path_kind < best->path_kind))
			best = w;
	}
	return best;
}

static void tell(struct reach *r, struct person *p, const struct way *w)
{
	struct event e = { .kind = EVENT_LINK, .name = p->name, .is_linked = w != NULL };

	p->is_linked = w != NULL;
	p->linked_kind = w ? w->path_kind : PATH_NONE;
	if (w) {
		e.path = link_path(w->link);
		e.path_kind = w->path_kind;
		e.round_trip = link_round_trip(w->link);
	}
	events_add(r->rooms->events, &e);
	p->is_link_told = r->has_told = true;
}

void reach_tell_link(struct reach *r, struct person *p)
{
	const struct way *w = linked_way(p);

	if (!p->is_self &&
	    (p->is_linked != (w != NULL) || (w && p->linked_kind != w->path_kind)))
		tell(r, p, w);
}

void reach_told(struct reach *r)
{
	struct person *p;

	for (unsigned i = 0; r->has_told && (p = persons_at(r->rooms->persons, i)) != NULL; i++)
		p->is_link_told = false;
	r->has_told = false;
}

void reach_tell_again(struct reach *r)
{
	struct person *p;

	for (unsigned i = 0; r->has_missed && (p = persons_at(r->rooms->persons, i)) != NULL;
	     i++) {
		if (p->is_link_told)
			tell(r, p, linked_way(p));
	}
	r->has_missed = false;
}

void reach_look_no_more(struct way *w)
{
	punch_free(w->punch);
	w->punch = NULL;
}

void reach_hang_up(struct reach *r, struct way *w, enum link_code code)
{
	struct link *link = w->state == WAY_LINKED ? w->link : NULL;

	reach_look_no_more(w);
	way_unlinked(w);
	if (link) {
		link_set_user(link, NULL);
		link_close(link, code, r->rooms->now);
	}
	reach_tell_link(r, w->person);
}

void reach_drop(struct reach *r, struct person *p)
{
	for (unsigned i = 0; i < WIRE_DEVICES_MAX; i++) {
		if (!p->ways[i])
			continue;
		reach_hang_up(r, p->ways[i], LINK_CODE_BYE);
		p->ways[i]->has_probe_keys = false;
		r->are_tags_old = true;
	}
}

static void forget_ways(struct reach *r, struct person *p)
{
	for (unsigned i = 0; i < WIRE_DEVICES_MAX; i++) {
		struct way *w = p->ways[i];

		if (!w)
			continue;
		if (w->state == WAY_LINKED) {
			link_set_user(w->link, NULL);
			link_close(w->link, LINK_CODE_BYE, r->rooms->now);
		}
		remove_way(r, w);
	}
}

void reach_forget(struct reach *r, struct person *p)
{
	const struct person *self = persons_self(r->rooms->persons);

	forget_ways(r, p);
	address_book_forget(r->rooms->book, p);
	for (unsigned i = 0; i < WIRE_DEVICES_MAX; i++) {
		if (self->ways[i])
			way_forget(self->ways[i], p);
	}
}

void reach_renew(struct reach *r, struct person *p)
{
	reach_drop(r, p);
	forget_ways(r, p);
	address_book_forget(r->rooms->book, p);
}

/* --- whose devices they are --- */

/* In a new conversation each device is owed what is said from its beginning, also those that
 * are not online before something of it is delivered to another one. */
static void admit_all(struct reach *r, const struct person *p)
{
	const struct device_list *ours = account_devices(r->rooms->account);

	for (unsigned i = 0; i < p->devices.count; i++) {
		const struct device_public *device = &p->devices.devices[i].device;

		/* what a contact says of devices of ours is not for it to say */
		if (!device_list_find(ours, device))
			outbox_admit(r->rooms->outbox, p, device, false);
	}
}

/* Another device of ours hears what is said from now on, in every conversation. */
static void admit_sibling(struct reach *r, const struct device_public *device)
{
	const struct person *p;

	if (device_public_equal(device, account_device(r->rooms->account)))
		return;
	for (unsigned i = 0; (p = persons_at(r->rooms->persons, i)) != NULL; i++) {
		if (p->conversation->has_identity)
			outbox_admit(r->rooms->outbox, p, device, true);
	}
}

static void cut_off(struct reach *r, struct way *w)
{
	struct person *p = w->person;

	reach_hang_up(r, w, LINK_CODE_NOT_CONTACT);
	remove_way(r, w);
	reach_tell_link(r, p);
}

void reach_devices(struct reach *r, struct person *p, const struct device_list *before)
{
	const struct device_list *ours = account_devices(r->rooms->account), *now = &p->devices;

	for (unsigned i = 0; i < WIRE_DEVICES_MAX; i++) {
		if (p->ways[i] && !is_theirs(r, p, &p->ways[i]->device))
			cut_off(r, p->ways[i]);
	}
	for (unsigned i = 0; i < before->count; i++) {
		const struct device_public *device = &before->devices[i].device;

		if (!device_list_find(now, device) &&
		    (p->is_self || !device_list_find(ours, device)))
			outbox_dismiss(r->rooms->outbox, p->is_self ? NULL : p, device);
	}
	if (!p->is_self)
		admit_all(r, p);
	for (unsigned i = 0; p->is_self && before->version > 0 && i < now->count; i++) {
		if (!device_list_find(before, &now->devices[i].device))
			admit_sibling(r, &now->devices[i].device);
	}
}

bool reach_next_devices(struct reach *r, struct person **p, struct device_list *devices)
{
	for (unsigned i = 0; r->has_lists && i < r->count; i++) {
		struct way *w = r->ways[i];

		if (!w->heard)
			continue;
		*p = w->person;
		*devices = *w->heard;
		free(w->heard);
		w->heard = NULL;
		return true;
	}
	r->has_lists = false;
	return false;
}

/* --- what the conversations have --- */

/* What the conversations have for the ways: the right talks, awake. */
void reach_take_changes(struct reach *r)
{
	const struct person *self = persons_self(r->rooms->persons);
	struct person *p;

	while ((p = conversations_next_changed(r->rooms->conversations)) != NULL) {
		if (p->conversation->is_new && p->conversation->has_identity) {
			p->conversation->is_new = false;
			admit_all(r, p);
		}
		for (unsigned i = 0; i < WIRE_DEVICES_MAX; i++) {
			struct way *w = self->ways[i];
			const struct talk *t = w ? way_attend(r->rooms, w, p) : NULL;

			if (w)
				w->early_due = w->punch != NULL;
			if (t && w->state == WAY_IDLE && talk_has_news(t))
				w->is_wanted = true;
			if (p->ways[i]) {
				way_attend(r->rooms, p->ways[i], p);
				p->ways[i]->early_due = p->ways[i]->punch != NULL;
			}
		}
	}
}

void reach_fill(const struct person *p, struct contact *out)
{
	const struct way *w = linked_way(p);

	out->is_linked = w != NULL;
	if (w) {
		out->path = link_path(w->link);
		out->path_kind = w->path_kind;
		out->round_trip = link_round_trip(w->link);
	}
	for (unsigned i = 0; !w && i < WIRE_DEVICES_MAX; i++)
		out->is_looking |= p->ways[i] &&
				   (p->ways[i]->punch || p->ways[i]->state == WAY_DIALLING);
	for (unsigned i = 0; i < WIRE_DEVICES_MAX; i++)
		out->missing += p->ways[i] ? way_missing(p->ways[i]) : 0;
}

bool reach_sees(const struct person *p, const struct device_public *device)
{
	const struct way *w = reach_find_way(p, device);

	return w && (w->is_present || w->state == WAY_LINKED);
}
