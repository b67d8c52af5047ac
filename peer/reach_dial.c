/* Attempts to reach a device: where it is said to be, when one begins, who dials, through whom. */
#include <sodium.h>
#include <string.h>

#include "peer/account.h"
#include "peer/address_book.h"
#include "peer/candidates.h"
#include "peer/directory_client.h"
#include "peer/reach_inside.h"
#include "peer/sighting.h"
#include "shared/log.h"

mono_ns reach_backoff(unsigned failures, mono_ns max)
{
	mono_ns wait = REACH_RETRY << (failures < 16 ? failures : 16);

	return wait < max ? wait : max;
}

/* --- whether --- */

static bool is_there(const struct reach *r, const struct way *w)
{
	return w->is_present || r->away_since != NEVER || r->rooms->now < w->found_until;
}

bool reach_has_words(struct reach *r, const struct person *p)
{
	reach_take_changes(r);
	for (unsigned i = 0; i < WIRE_DEVICES_MAX; i++) {
		const struct way *w = p->ways[i];

		if (w && way_owes(w) && (w->state == WAY_LINKED || is_there(r, w)))
			return true;
	}
	return false;
}

/* Something is to be said to it, or had from it. */
static bool is_needed(const struct way *w)
{
	return w->is_wanted || w->is_asked || way_owes(w);
}

bool reach_wants(const struct reach *r, const struct way *w)
{
	if (!is_there(r, w) || !reach_may(w))
		return false;
	return is_needed(w) || w->is_called || (reach_is_alone(r) && !w->has_left);
}

/* Where their devices are is what they say: we knock at few doors at once for anybody. */
static bool may_dial(const struct reach *r, const struct way *w)
{
	const struct person *p = w->person;
	unsigned count = 0;

	for (unsigned i = 0; i < WIRE_DEVICES_MAX; i++)
		count += p->ways[i] && p->ways[i]->state == WAY_DIALLING;
	if (count >= REACH_DIALS)
		return false;
	if (is_needed(w) || w->is_called)
		return true;
	count = 0;
	for (unsigned i = 0; i < r->count; i++)
		count += r->ways[i]->state == WAY_DIALLING;
	return count < REACH_ALONE_DIALS;
}

void reach_failed(struct reach *r, struct way *w)
{
	reach_look_no_more(w);
	way_unlinked(w);
	w->retry_at = r->rooms->now +
		      reach_backoff(w->failures++,
				    is_needed(w) ? REACH_RETRY_MAX : REACH_ALONE_RETRY_MAX);
}

mono_ns reach_retry_at(const struct reach *r, const struct way *w)
{
	/* So long waits only who nobody needed: now somebody does. */
	if (w->retry_at > r->rooms->now + REACH_RETRY_MAX && is_needed(w) && !reach_rests(r, w))
		return r->rooms->now;
	return w->retry_at;
}

/* --- dialling --- */

/* Loopback addresses are published only by who sees itself on the machine where the directory is. */
static bool is_on_this_machine(const struct reach *r, const struct peer_record *record)
{
	const struct candidates *ours = own_candidates(r->rooms->candidates);
	bool are_we = false, are_they = false;

	for (unsigned i = 0; i < ours->count; i++)
		are_we |= address_is_loopback(&ours->list[i].address);
	for (unsigned i = 0; i < record->candidates.count; i++)
		are_they |= address_is_loopback(&record->candidates.list[i].address);
	return are_we && are_they;
}

void reach_dial(struct reach *r, struct way *w)
{
	const struct peer_record *record = reach_record(r, w);
	struct link_target target = {
		.pattern = LINK_IK,
		.device = w->device,
		.has_identity = true,
		.identity = w->person->identity,
		.give_up_after = REACH_DIAL,
		.is_offered = true,
	};
	struct path through = { .tunnel = w->tunnel };
	struct link *link;

	if (w->state == WAY_DIALLING)
		return;
	if (record) {
		target.knock = record->knock;
		target.is_near = !w->tunnel && is_on_this_machine(r, record);
	}
	link = record ? endpoint_dial(r->rooms->endpoint, &target, r->rooms->now) : NULL;
	if (!link) {
		reach_failed(r, w);
		return;
	}
	link_set_user(link, (void *)w->number);
	w->link = link;
	w->state = WAY_DIALLING;
	w->dial_at = NEVER;
	/* The endpoint's own LINK_DOWN comes first, unless the attempt gave way to theirs. */
	w->dial_until = r->rooms->now + REACH_DIAL + SECOND;
	reach_offer_all(r, w);
	if (w->tunnel && w->is_tunnel_dialler)
		link_offer(link, &through, true);
}

/* There is nothing to dial: a contact of both may help. */
static void wait_for_relay(struct reach *r, struct way *w)
{
	w->stranded_since = 0;
	if (w->tunnel && w->is_tunnel_dialler)
		reach_dial(r, w);
	else
		w->retry_at = r->rooms->now + reach_backoff(w->failures++, REACH_RETRY_MAX);
}

void reach_begin(struct reach *r, struct way *w)
{
	if (!may_dial(r, w)) {
		w->retry_at = r->rooms->now + REACH_RETRY;
		return;
	}
	/* By a port of long ago they would look for us where we are not, and then rest. */
	if (!sighting_refresh(r->rooms->sighting)) {
		w->retry_at = r->rooms->now + REACH_SIGHTING;
		return;
	}
	w->early_due = true;
	w->stranded_since = mono_earlier(w->stranded_since, r->rooms->now);
	if (!reach_look(r, w, NULL)) {
		wait_for_relay(r, w);
		return;
	}
	reach_dial(r, w);
	directory_client_introduce(r->rooms->directory, &w->person->name);
}

/* --- where they are --- */

/* What is said of a device beside what was known: nothing that matters here; a newer record; it is
 * seen elsewhere; it began anew, or closed its port to who knew it. */
enum device_news { NEWS_NONE, NEWS_RECORD, NEWS_PLACE, NEWS_LIFE };

static enum device_news learn(struct reach *r, struct way *w, const struct wire_device *device)
{
	const struct peer_record *known = reach_record(r, w);
	const struct peer_record before = known ? *known : (struct peer_record){ 0 };
	const struct address seen = w->seen;
	bool was_there = w->is_present, is_newer, is_other;

	w->is_shut = device->record.number == 0;
	if (!w->is_shut)
		address_book_learn(r->rooms->book, w->person, &device->record);
	known = reach_record(r, w);
	is_newer = known && known->number != before.number;
	is_other = is_newer &&
		   sodium_memcmp(&known->knock, &before.knock, sizeof before.knock) != 0;
	r->are_tags_old |= is_newer || !was_there;
	w->certificate = device->certificate;
	w->has_certificate = true;
	w->seen = device->seen;
	w->is_present = true;
	w->has_left = false;
	w->is_wanted = w->person->is_self && w->state != WAY_LINKED;
	if ((is_newer || !was_there) && !reach_rests(r, w)) {
		w->failures = w->refusals = 0;
		w->retry_at = 0;
	}
	if (!was_there || is_other)
		return NEWS_LIFE;
	if (!address_equal(&w->seen, &seen))
		return NEWS_PLACE;
	return is_newer ? NEWS_RECORD : NEWS_NONE;
}

/* What is under way leads to an earlier life of the device: nobody there will answer, and this one
 * was told of nothing. */
static void forget_attempt(struct reach *r, struct way *w)
{
	struct link *link = w->link;

	reach_look_no_more(w);
	way_unlinked(w);
	if (link) {
		link_set_user(link, NULL);
		link_close(link, LINK_CODE_BYE, r->rooms->now);
	}
}

/* Told of while we look for it. Whom others than the directory have found has begun before we hear
 * of it here. We ask for another introduction where the one before led to nothing, or elsewhere. */
static void follow(struct reach *r, struct way *w, enum device_news news)
{
	bool is_fruitless = w->introduced_at != NEVER &&
			    r->rooms->now >= w->introduced_at + REACH_ASKED;

	if (news == NEWS_NONE || (!w->punch && w->state != WAY_DIALLING))
		return;
	if (news == NEWS_LIFE && r->rooms->now >= w->found_until) {
		forget_attempt(r, w);
		return;
	}
	reach_renew_look(r, w);
	if ((news != NEWS_RECORD || is_fruitless) && reach_may_directly(r, w))
		directory_client_introduce(r->rooms->directory, &w->person->name);
}

/* What was known of their devices was of the identity before. */
static void renew(struct reach *r, struct person *p)
{
	if (p->is_renewed)
		reach_renew(r, p);
	p->is_renewed = false;
}

/* It logged in again: the same life over another address, or a new one that knows nothing of this
 * link. Whoever lives answers a ping. */
static void doubt(struct reach *r, struct way *w)
{
	link_ping(w->link);
	w->announced_at = 0; /* counts from the step that sends it */
	reach_renew_look(r, w);
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
		struct way *w = reach_way(r, p, &devices[k]->certificate.device);
		enum device_news news;

		if (!w)
			continue;
		news = learn(r, w, devices[k]);
		if (w->state == WAY_LINKED)
			doubt(r, w);
		else
			follow(r, w, news);
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

/* Who did not ask dials, so that the asker's words go with its answer; who asked waits for that,
 * but not for long. */
void reach_introduced(struct reach *r, struct person *p,
		      const struct wire_introduction *introduction)
{
	struct way *w;
	enum device_news news;

	/* What is measured between this and "heard": tests/system/netlab.sh. */
	log_event(LOG_DEBUG, "introduced", "us", log_int((int64_t)(r->rooms->now / 1000)),
		  NULL);
	renew(r, p);
	if (!person_is_open(p))
		return;
	w = reach_way(r, p, &introduction->device.certificate.device);
	if (!w)
		return;
	news = learn(r, w, &introduction->device);
	if (news == NEWS_LIFE && w->state != WAY_LINKED && r->rooms->now >= w->found_until)
		forget_attempt(r, w);
	if (reach_rests(r, w) || !reach_look(r, w, introduction) || w->state == WAY_LINKED)
		return;
	if (introduction->is_dialler) {
		/* It may be us who can reach somebody that relays, though it is them who want. */
		w->stranded_since = mono_earlier(w->stranded_since, r->rooms->now);
		if (w->state != WAY_DIALLING && may_dial(r, w))
			reach_dial(r, w);
		return;
	}
	if (w->state == WAY_DIALLING)
		link_yield(w->link);
	w->dial_at = r->rooms->now + REACH_ASKED;
	w->early_due = true;
}

void reach_found(struct reach *r, struct person *p, const struct device_public *device,
		 const struct address *seen, enum reach_source source, bool is_both)
{
	static const struct wire_introduction both;
	struct way *w;

	if (!person_is_open(p) || person_link_consent(p) != CONSENT_DIRECT)
		return;
	w = reach_way(r, p, device);
	if (!w || reach_rests(r, w))
		return;
	r->are_tags_old = true;
	w->found_until = r->rooms->now + REACH_FOUND;
	w->has_left = w->is_shut = false;
	if (w->state == WAY_LINKED) {
		bool is_near = source == REACH_LAN && w->path_kind > PATH_LAN;

		if ((is_near || w->is_lost) && reach_look(r, w, NULL))
			reach_look_at(r, w, seen);
		return;
	}
	w->is_wanted |= !directory_client_is_online(r->rooms->directory);
	if (!reach_wants(r, w))
		return;
	w->failures = 0;
	if (w->state == WAY_IDLE)
		reach_begin(r, w);
	if (is_both)
		reach_look(r, w, &both);
	reach_look_at(r, w, seen);
	reach_take_offers(r, w);
}

bool reach_stray(struct reach *r, const struct path *path, struct bytes data)
{
	struct probe_tag tag;
	struct probe probe;
	struct way *w;

	if (probe_tag_of(&tag, data) < 0)
		return false;
	w = reach_by_tag(r, &tag);
	if (!w || !reach_may(w) || person_link_consent(w->person) != CONSENT_DIRECT ||
	    !reach_keys(r, w) || probe_decode(&probe, data, &w->probe_keys) < 0)
		return false;
	/* It is there, and looks for us at this moment. */
	if (!w->punch && w->state == WAY_IDLE && !reach_rests(r, w) && reach_wants(r, w))
		reach_begin(r, w);
	if (!w->punch) {
		punch_answer(r->rooms->endpoint, &r->limits, path, &probe, &w->probe_keys,
			     r->rooms->now);
		return true;
	}
	punch_hear(w->punch, path, &probe, r->rooms->now);
	reach_take_offers(r, w);
	return true;
}

/* --- through others --- */

mono_ns reach_stranded_at(const struct reach *r, const struct way *w)
{
	mono_ns at = w->stranded_since + REACH_STRANDED;

	if (w->stranded_since == NEVER || w->tunnel)
		return NEVER;
	if (w->state == WAY_LINKED ? !w->is_lost
				   : w->state != WAY_DIALLING && !reach_wants(r, w))
		return NEVER;
	return at > w->stranded_at ? at : w->stranded_at;
}

struct way *reach_next_stranded(struct reach *r)
{
	for (unsigned i = 0; i < r->count; i++) {
		struct way *w = r->ways[i];

		if (r->rooms->now < reach_stranded_at(r, w))
			continue;
		w->stranded_at = r->rooms->now + REACH_STRANDED_AGAIN;
		return w;
	}
	return NULL;
}

void reach_tunnelled(struct reach *r, struct way *w, uint32_t tunnel, bool is_dialler)
{
	struct path path = { .tunnel = tunnel };

	w->tunnel = tunnel;
	w->is_tunnel_dialler = is_dialler;
	if (w->state == WAY_LINKED) {
		if (w->is_lost && is_dialler)
			reach_move(r, w, &path);
		return;
	}
	if (!is_dialler)
		return;
	if (w->state == WAY_DIALLING)
		link_offer(w->link, &path, true);
	else
		reach_dial(r, w);
}

void reach_untunnelled(struct reach *r, uint32_t tunnel)
{
	for (unsigned i = 0; i < r->count; i++) {
		struct way *w = r->ways[i];

		if (w->tunnel != tunnel)
			continue;
		w->tunnel = 0;
		if (w->state == WAY_LINKED && link_path(w->link).tunnel == tunnel) {
			reach_hang_up(r, w, LINK_CODE_IDLE);
			w->retry_at = 0;
		}
	}
}
