#include "peer/reach.h"

#include <stdlib.h>
#include <string.h>

#include "peer/account.h"
#include "peer/directory_client.h"
#include "peer/events.h"
#include "peer/reach_inside.h"
#include "shared/error.h"

struct reach *reach_new(struct rooms *rooms)
{
	struct reach *r = memory_new(sizeof *r);

	r->rooms = rooms;
	return r;
}

/* --- links come and go --- */

/* A link carries its way's number, not its address: it may outlive the way. */
static struct way *way_of(struct reach *r, const struct link *link)
{
	uintptr_t number = (uintptr_t)link_user(link);

	for (unsigned i = 0; number && i < r->count; i++) {
		if (r->ways[i]->number == number && r->ways[i]->link == link)
			return r->ways[i];
	}
	return NULL;
}

void reach_up(struct reach *r, struct link *link, struct person *p)
{
	const struct certificate *c = link_certificate(link);
	struct way *w = NULL;

	if (p && !certificate_holds(c, r->rooms->wall))
		p = NULL;
	if (p && device_public_equal(&c->device, link_device(link)))
		w = reach_need_way(r, p, link_device(link));
	if (!w) {
		link_close(link, LINK_CODE_NOT_CONTACT, r->rooms->now);
		return;
	}
	/* What the way held before was its own attempt or a link that this one replaces: the
	 * endpoint keeps one to a device. */
	way_unlinked(w);
	link_set_user(link, (void *)w->number);
	way_linked(r->rooms, w, link);
	reach_tell_link(r, p);
}

static mono_ns backoff(unsigned failures)
{
	mono_ns wait = REACH_RETRY << (failures < 6 ? failures : 6);

	return wait < REACH_RETRY_MAX ? wait : REACH_RETRY_MAX;
}

static void failed(struct reach *r, struct way *w)
{
	way_unlinked(w);
	w->retry_at = r->rooms->now + backoff(w->failures++);
}

static bool is_anywhere(const struct person *p)
{
	for (unsigned i = 0; i < WIRE_DEVICES_MAX; i++) {
		if (p->ways[i] && p->ways[i]->is_present)
			return true;
	}
	return false;
}

/* It said goodbye, and there is no directory to say whether it came back. */
static void believe_goodbye(struct reach *r, struct way *w)
{
	w->has_left = w->is_present = false;
	if (!w->person->is_self && !is_anywhere(w->person))
		r->has_left = w->person->has_left = true;
}

struct person *reach_next_left(struct reach *r)
{
	for (unsigned i = 0; r->has_left && i < r->count; i++) {
		struct person *p = r->ways[i]->person;

		if (p->has_left) {
			p->has_left = false;
			return p;
		}
	}
	r->has_left = false;
	return NULL;
}

static void on_down(struct reach *r, struct way *w, const struct link_event *event)
{
	enum way_state was = w->state;

	if (was == WAY_DIALLING) {
		failed(r, w);
		return;
	}
	way_unlinked(w);
	reach_tell_link(r, w->person);
	if (event->error != ERR_CLOSED)
		return;
	if (event->code == LINK_CODE_PROTOCOL)
		w->retry_at = r->rooms->now + REACH_PENANCE;
	/* Perhaps it has not heard yet that this device is ours, or theirs: soon, then less often. */
	if (event->code == LINK_CODE_NOT_CONTACT)
		w->retry_at = r->rooms->now + backoff(w->refusals++);
	if (event->code == LINK_CODE_BYE) {
		w->retry_at = r->rooms->now + REACH_RETRY;
		w->has_left = true;
		if (!directory_client_is_online(r->rooms->directory))
			believe_goodbye(r, w);
	}
}

void reach_event(struct reach *r, const struct link_event *event)
{
	struct way *w;

	if (!event->link)
		return;
	w = way_of(r, event->link);
	if (!w)
		return;
	if (event->kind == LINK_READABLE && w->state == WAY_LINKED) {
		if (event->stream == LINK_CONTROL)
			w->line.is_readable = true;
		else
			reach_hang_up(r, w, LINK_CODE_PROTOCOL);
	} else if (event->kind == LINK_DOWN) {
		on_down(r, w, event);
	}
}

/* --- dialling --- */

static void learn(struct reach *r, struct way *w, const struct wire_device *device)
{
	bool is_new = !w->is_present ||
		      memcmp(&w->knock, &device->knock, sizeof w->knock) != 0 ||
		      memcmp(&w->candidates, &device->candidates, sizeof w->candidates) != 0;

	w->certificate = device->certificate;
	w->has_certificate = true;
	w->knock = device->knock;
	w->candidates = device->candidates;
	w->is_present = true;
	w->has_left = false;
	w->is_wanted = w->person->is_self && w->state != WAY_LINKED;
	if (w->state == WAY_LINKED) {
		/* It logged in again: the same life over another address, or a new one that
		 * knows nothing of this link. Whoever lives answers a ping. */
		link_ping(w->link);
		w->announced_at = 0; /* counts from the step that sends it */
	}
	if (is_new && w->retry_at < r->rooms->now + REACH_PENANCE / 2) {
		w->failures = w->refusals = 0;
		w->retry_at = 0;
	}
}

/* What was known of their devices was of the identity before. */
static void renew(struct reach *r, struct person *p)
{
	if (p->is_renewed)
		reach_renew(r, p);
	p->is_renewed = false;
}

void reach_presence(struct reach *r, struct person *p, const struct wire_device *const *devices,
		    unsigned count)
{
	bool was_present[WIRE_DEVICES_MAX] = { false };

	if (count > 0)
		renew(r, p);
	for (unsigned i = 0; i < WIRE_DEVICES_MAX; i++)
		was_present[i] = p->ways[i] && p->ways[i]->is_present;
	for (unsigned i = 0; i < WIRE_DEVICES_MAX; i++) {
		bool is_kept = false;

		for (unsigned k = 0; was_present[i] && k < count; k++)
			is_kept |= device_public_equal(&devices[k]->certificate.device,
						       &p->ways[i]->device);
		if (p->ways[i])
			p->ways[i]->is_present = is_kept;
	}
	if (!person_is_open(p))
		return;
	for (unsigned k = 0; k < count; k++) {
		struct way *w = reach_need_way(r, p, &devices[k]->certificate.device);

		if (w)
			learn(r, w, devices[k]);
	}
}

bool reach_knows(const struct person *p, const struct certificate *c)
{
	const struct way *w = reach_find_way(p, &c->device);

	return w && w->has_certificate &&
	       identity_public_equal(&w->certificate.identity, &c->identity) &&
	       w->certificate.serial == c->serial && w->certificate.not_after == c->not_after &&
	       strcmp(w->certificate.label, c->label) == 0 &&
	       memcmp(w->certificate.signature, c->signature, sizeof c->signature) == 0;
}

/* Where their devices are is what they say: we knock at few doors at once for anybody. */
static bool may_dial(const struct person *p)
{
	unsigned count = 0;

	for (unsigned i = 0; i < WIRE_DEVICES_MAX; i++)
		count += p->ways[i] && p->ways[i]->state == WAY_DIALLING;
	return count < REACH_DIALS;
}

static void dial(struct reach *r, struct way *w)
{
	struct link_target target = {
		.pattern = LINK_IK,
		.device = w->device,
		.knock = w->knock,
		.has_identity = true,
		.identity = w->person->identity,
		.give_up_after = REACH_DIAL,
	};
	struct link *link;

	for (unsigned i = 0; i < w->candidates.count && i < CANDIDATES_MAX; i++)
		target.addresses[target.address_count++] = w->candidates.list[i].address;
	link = endpoint_dial(r->rooms->endpoint, &target, r->rooms->now);
	if (!link) {
		failed(r, w);
		return;
	}
	link_set_user(link, (void *)w->number);
	w->link = link;
	w->state = WAY_DIALLING;
	/* The endpoint's own LINK_DOWN comes first, unless the attempt gave way to theirs. */
	w->dial_until = r->rooms->now + REACH_DIAL + SECOND;
}

void reach_introduced(struct reach *r, struct person *p, const struct wire_device *device)
{
	struct way *w;

	renew(r, p);
	if (!person_is_open(p))
		return;
	w = reach_need_way(r, p, &device->certificate.device);
	if (!w)
		return;
	learn(r, w, device);
	if (w->state == WAY_LINKED || w->retry_at >= r->rooms->now + REACH_PENANCE / 2)
		return;
	if (w->state == WAY_DIALLING || may_dial(p))
		dial(r, w);
}

/* --- what is due --- */

/* Told of again a while ago, and silent on this link ever since. */
static bool is_of_earlier_life(struct way *w, mono_ns now, mono_ns since)
{
	mono_ns wait = 4 * link_round_trip(w->link), until;

	if (w->announced_at == NEVER)
		return false;
	if (wait < REACH_ANNOUNCED)
		wait = REACH_ANNOUNCED;
	if (w->announced_at == 0)
		w->announced_at = now;
	until = w->announced_at + wait;
	if (now < until) {
		w->check_at = until;
		return false;
	}
	w->announced_at = NEVER;
	return since != NEVER && now >= since + wait;
}

static void watch(struct reach *r, struct way *w)
{
	mono_ns now = r->rooms->now, since = link_unanswered_since(w->link);

	w->check_at = NEVER;
	if (is_of_earlier_life(w, now, since)) {
		reach_hang_up(r, w, LINK_CODE_IDLE);
		w->retry_at = 0;
		return;
	}
	if (since == NEVER) {
		if (now >= w->last_used + REACH_IDLE && !way_owes(w))
			reach_hang_up(r, w, LINK_CODE_IDLE);
		return;
	}
	if (now >= since + REACH_LOST) {
		reach_hang_up(r, w, LINK_CODE_IDLE);
		w->retry_at = 0;
		return;
	}
	if (now >= since + WAY_SUSPECT && now >= w->suspect_at) {
		directory_client_suspect(r->rooms->directory, &w->person->name, &w->device);
		w->suspect_at = now + REACH_SUSPECTS;
	}
	w->check_at = mono_earlier(w->check_at, now < since + WAY_SUSPECT ? since + WAY_SUSPECT
									  : since + REACH_LOST);
}

static bool wants_link(const struct way *w)
{
	return w->is_present && person_is_open(w->person) && (w->is_wanted || way_owes(w));
}

void reach_step(struct reach *r)
{
	mono_ns now = r->rooms->now;

	for (unsigned i = 0; i < r->count; i++) {
		struct way *w = r->ways[i];

		if (w->state == WAY_LINKED) {
			watch(r, w);
		} else if (w->state == WAY_DIALLING) {
			if (now >= w->dial_until)
				failed(r, w);
		}
		if (w->has_left && w->is_present &&
		    !directory_client_is_online(r->rooms->directory))
			believe_goodbye(r, w);
		if (w->state == WAY_IDLE && now >= w->retry_at && wants_link(w)) {
			if (!may_dial(w->person)) {
				w->retry_at = now + REACH_RETRY;
				continue;
			}
			dial(r, w);
			directory_client_introduce(r->rooms->directory, &w->person->name);
		}
	}
}

mono_ns reach_deadline(const struct reach *r)
{
	mono_ns deadline = NEVER;

	for (unsigned i = 0; i < r->count; i++) {
		const struct way *w = r->ways[i];

		if (w->state == WAY_LINKED) {
			deadline = mono_earlier(deadline, w->check_at);
			deadline = mono_earlier(deadline, way_deadline(w));
			deadline = mono_earlier(deadline, w->last_used + REACH_IDLE);
		} else if (w->state == WAY_DIALLING) {
			deadline = mono_earlier(deadline, w->dial_until);
		} else if (wants_link(w)) {
			deadline = mono_earlier(deadline, w->retry_at);
		}
	}
	return deadline;
}

void reach_take(struct reach *r)
{
	reach_take_changes(r);
	for (unsigned i = 0; i < r->count; i++) {
		struct way *w = r->ways[i];
		int err;

		if (w->state != WAY_LINKED || !w->line.is_readable)
			continue;
		err = way_take(r->rooms, w);
		r->has_lists |= w->heard != NULL;
		if (err == 0)
			continue;
		reach_hang_up(r, w, err == ERR_CLOSED ? LINK_CODE_BYE : LINK_CODE_PROTOCOL);
		w->retry_at = r->rooms->now + REACH_PENANCE;
	}
}

void reach_save(struct reach *r)
{
	reach_take_changes(r);
	for (unsigned i = 0; i < r->count; i++)
		way_save(r->rooms, r->ways[i]);
}

void reach_release(struct reach *r)
{
	reach_take_changes(r); /* what is delivered, durably now */
	for (unsigned i = 0; i < r->count; i++)
		way_release(r->rooms, r->ways[i]);
}

void reach_undo(struct reach *r)
{
	reach_take_changes(r);
	for (unsigned i = 0; i < r->count; i++)
		way_undo(r->rooms, r->ways[i]);
}
