/* Links that do not answer, another network, and a directory that is away. */
#include <sodium.h>

#include "peer/account.h"
#include "peer/address_book.h"
#include "peer/candidates.h"
#include "peer/directory_client.h"
#include "peer/persons.h"
#include "peer/reach_inside.h"

/* --- a link --- */

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

static void ask_introduction(struct reach *r, struct way *w)
{
	w->asked_at = r->rooms->now;
	if (reach_may_directly(r, w))
		directory_client_introduce(r->rooms->directory, &w->person->name);
}

/* The path does not answer: we look for others from here, and where the other side has moved too, or
 * a NAT stands between, for it to be told of us. */
static void search(struct reach *r, struct way *w, mono_ns since)
{
	mono_ns now = r->rooms->now;
	struct path path = link_path(w->link);

	if (!w->is_lost) {
		w->is_lost = true;
		w->stranded_since = mono_earlier(w->stranded_since, since);
		reach_look_no_more(w);
		if (reach_look(r, w, NULL) && !path.tunnel)
			reach_look_at(r, w, &path.remote);
		ask_introduction(r, w);
	} else if (now >= w->asked_at + REACH_ASK_AGAIN) {
		if (!w->punch)
			reach_look(r, w, NULL);
		ask_introduction(r, w);
	}
	w->check_at = mono_earlier(w->check_at, w->asked_at + REACH_ASK_AGAIN);
}

static void give_up(struct reach *r, struct way *w)
{
	reach_hang_up(r, w, LINK_CODE_IDLE);
	w->retry_at = 0;
}

static void on_silence(struct reach *r, struct way *w, mono_ns since)
{
	mono_ns now = r->rooms->now, patience = way_patience(w);

	if (now >= since + REACH_LOST) {
		give_up(r, w);
		return;
	}
	/* Perhaps it is we who have moved, without knowing: then who introduces us should see that
	 * before it is asked to. */
	if (now >= since + patience / 2 && w->doubted != since) {
		w->doubted = since;
		directory_client_ping(r->rooms->directory);
	}
	if (now >= since + patience)
		search(r, w, since);
	else
		w->check_at = mono_earlier(
			w->check_at, since + (w->doubted == since ? patience : patience / 2));
	if (now >= since + WAY_SUSPECT && now >= w->suspect_at) {
		directory_client_suspect(r->rooms->directory, &w->person->name, &w->device);
		w->suspect_at = now + REACH_SUSPECTS;
	}
	w->check_at = mono_earlier(w->check_at, now < since + WAY_SUSPECT ? since + WAY_SUSPECT
									  : since + REACH_LOST);
}

/* Behind a relay a direct path is looked for again and again, ever more seldom; at once when both may
 * have each other's addresses from now on. */
static void seek_directness(struct reach *r, struct way *w)
{
	bool could = w->may_directly;

	if (w->direct_at == NEVER)
		return;
	w->may_directly = reach_may_directly(r, w);
	if (r->rooms->now < w->direct_at && (could || !w->may_directly))
		return;
	w->direct_wait = 2 * w->direct_wait < REACH_DIRECT_MAX ? 2 * w->direct_wait
							       : REACH_DIRECT_MAX;
	w->direct_at = r->rooms->now + w->direct_wait;
	if (reach_look(r, w, NULL))
		ask_introduction(r, w);
}

/* Unanswered, and nothing heard: where much is lost an answer may take long, as a relay that is
 * slower than we are loses it. NEVER: it is not silent. */
static mono_ns silent_since(const struct link *link)
{
	mono_ns since = link_unanswered_since(link), heard = link_last_heard(link);

	return since != NEVER && heard > since ? heard : since;
}

void reach_watch(struct reach *r, struct way *w)
{
	mono_ns now = r->rooms->now, since = silent_since(w->link);

	w->check_at = NEVER;
	if (is_of_earlier_life(w, now, since)) {
		give_up(r, w);
		return;
	}
	/* Also one that does not answer: nobody needs it. */
	if (now >= w->last_used + REACH_IDLE && !way_owes(w) && !reach_is_alone(r)) {
		reach_hang_up(r, w, LINK_CODE_IDLE);
		return;
	}
	seek_directness(r, w);
	if (since != NEVER) {
		on_silence(r, w, since);
		return;
	}
	if (now < w->pinged_until)
		w->check_at = mono_earlier(w->check_at, w->pinged_until);
	if (w->is_lost) {
		w->is_lost = false;
		reach_on_path(r, w);
	}
}

/* --- another network --- */

void reach_network_changed(struct reach *r)
{
	punch_limits_renew(&r->limits, r->rooms->now);
	for (unsigned i = 0; i < r->count; i++) {
		struct way *w = r->ways[i];

		if (w->state == WAY_LINKED) {
			struct path path = link_path(w->link);

			link_unsettle(w->link, r->rooms->now);
			reach_ping(r, w);
			w->direct_at = w->direct_at == NEVER ? NEVER : 0;
			reach_look_no_more(w);
			if (reach_look(r, w, NULL) && !path.tunnel)
				reach_look_at(r, w, &path.remote);
			continue;
		}
		if (!reach_rests(r, w)) {
			w->failures = 0;
			w->retry_at = mono_earlier(w->retry_at, r->rooms->now);
		}
		if (w->punch) {
			reach_look_no_more(w);
			reach_look(r, w, NULL);
		}
	}
}

/* --- without the directory --- */

bool reach_is_alone(const struct reach *r)
{
	return r->rooms->now >= r->alone_at;
}

static void know(struct reach *r, struct person *p)
{
	for (unsigned i = 0; person_is_open(p) && i < p->devices.count; i++) {
		const struct device_public *device = &p->devices.devices[i].device;

		if (!device_public_equal(device, account_device(r->rooms->account)) &&
		    address_book_of(r->rooms->book, p, device))
			reach_way(r, p, device);
	}
}

/* Whoever we have a record of has a way, so that it may call us and, without the directory, be
 * called: a few at a time, so that nobody waits for that. */
static void know_all(struct reach *r)
{
	struct persons *all = r->rooms->persons;
	struct person *p = persons_self(all);

	if (r->rooms->now < r->known_at)
		return;
	if (r->known_place == 0)
		know(r, p);
	for (unsigned i = 0; i < REACH_KNOWN_SLICE; i++) {
		p = persons_at(all, r->known_place++);
		if (!p) {
			r->known_place = 0;
			r->known_at = r->rooms->now + REACH_KNOWN;
			return;
		}
		know(r, p);
	}
}

void reach_network_step(struct reach *r)
{
	const struct knock *knock = account_knock(r->rooms->account);
	bool is_away = directory_client_is_away(r->rooms->directory);

	if (sodium_memcmp(knock, &r->knock, sizeof *knock) != 0) {
		r->knock = *knock;
		reach_keys_forget(r);
	}
	if (directory_client_is_online(r->rooms->directory)) {
		r->away_since = r->alone_at = NEVER;
		r->was_online = true;
	} else if (is_away && r->away_since == NEVER) {
		r->away_since = r->rooms->now;
		r->alone_at = r->away_since + (r->was_online ? REACH_ALONE : 0);
		r->known_at = 0;
	}
	know_all(r);
	if (r->candidates != own_candidates_version(r->rooms->candidates)) {
		r->candidates = own_candidates_version(r->rooms->candidates);
		for (unsigned i = 0; i < r->count; i++)
			reach_renew_look(r, r->ways[i]);
	}
}

mono_ns reach_network_deadline(const struct reach *r)
{
	if (r->candidates != own_candidates_version(r->rooms->candidates))
		return r->rooms->now;
	return mono_earlier(reach_is_alone(r) ? NEVER : r->alone_at, r->known_at);
}
