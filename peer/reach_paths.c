/* Looking for paths to a device, and which of them is used. */
#include <sodium.h>
#include <string.h>

#include "peer/account.h"
#include "peer/address_book.h"
#include "peer/candidates.h"
#include "peer/directory_client.h"
#include "peer/reach_inside.h"
#include "shared/log.h"

/* --- looking --- */

static void make_goal(struct reach *r, struct way *w,
		      const struct wire_introduction *introduction, struct punch_goal *goal)
{
	const struct peer_record *record = reach_record(r, w);
	const struct own_candidates *ours = r->rooms->candidates;
	const struct device_public *device = account_device(r->rooms->account);

	memset(goal, 0, sizeof *goal);
	goal->keys = w->probe_keys;
	goal->ours = *own_candidates_nat(ours);
	goal->theirs = record->nat;
	goal->our_public = *own_candidates_observed(ours);
	goal->network = own_candidates_network(ours);
	goal->is_first = memcmp(device->bytes, w->device.bytes, sizeof device->bytes) < 0;
	goal->may_spray = !goal->network->is_metered;
	goal->candidates = record->candidates;
	goal->is_introduced = introduction != NULL;
	/* Without anybody to introduce us there is no better moment than now. */
	goal->is_awaited = directory_client_is_online(r->rooms->directory);
	if (!introduction)
		return;
	goal->seen = w->seen;
	goal->our_round_trip = (mono_ns)introduction->our_round_trip * 1000;
	goal->their_round_trip = (mono_ns)introduction->their_round_trip * 1000;
}

static void begin(struct reach *r, struct way *w, const struct wire_introduction *introduction)
{
	struct punch_goal goal;
	struct address last;

	reach_look_no_more(w);
	w->offer_count = 0;
	make_goal(r, w, introduction, &goal);
	w->introduced_at = introduction ? r->rooms->now : NEVER;
	w->punch = punch_new(r->rooms->endpoint, &r->limits, &goal, r->rooms->now);
	sodium_memzero(&goal, sizeof goal);
	if (!directory_client_is_online(r->rooms->directory) &&
	    address_book_last(r->rooms->book, w->person, &w->device, &last))
		reach_look_at(r, w, &last);
}

static void go_on(struct reach *r, struct way *w, const struct wire_introduction *introduction)
{
	struct punch_goal goal;

	make_goal(r, w, introduction, &goal);
	w->introduced_at = r->rooms->now;
	punch_introduced(w->punch, &goal, r->rooms->now);
	sodium_memzero(&goal, sizeof goal);
}

/* What was begun before an introduction goes on with it; what was begun by an earlier one is over,
 * unless both of us had asked. */
static bool is_old(const struct reach *r, const struct way *w)
{
	return w->introduced_at != NEVER && r->rooms->now >= w->introduced_at + REACH_ASKED;
}

bool reach_look(struct reach *r, struct way *w, const struct wire_introduction *introduction)
{
	if (!reach_may_directly(r, w) || !reach_keys(r, w))
		return false;
	if (!w->punch || (introduction && is_old(r, w)))
		begin(r, w, introduction);
	else if (introduction)
		go_on(r, w, introduction);
	reach_take_offers(r, w);
	return true;
}

void reach_renew_look(struct reach *r, struct way *w)
{
	struct punch_goal goal;

	if (!w->punch || !reach_may_directly(r, w) || !reach_keys(r, w))
		return;
	make_goal(r, w, NULL, &goal);
	goal.seen = w->seen;
	punch_renewed(w->punch, &goal, r->rooms->now);
	sodium_memzero(&goal, sizeof goal);
	reach_take_offers(r, w);
}

void reach_look_at(struct reach *r, struct way *w, const struct address *a)
{
	bool is_near = a->family == 6 || !address_is_global(a);

	if (w->punch && a->family)
		punch_add(w->punch, a, is_near ? CANDIDATE_HOST : CANDIDATE_REFLEXIVE,
			  r->rooms->now);
}

void reach_paths_step(struct reach *r, struct way *w)
{
	if (!w->punch)
		return;
	/* They may not have our address any more: nothing of ours goes there from now on. */
	if (!reach_may(w) || person_link_consent(w->person) != CONSENT_DIRECT) {
		reach_look_no_more(w);
		return;
	}
	if (!punch_step(w->punch, r->rooms->now)) {
		reach_take_offers(r, w);
		reach_look_no_more(w);
		return;
	}
	reach_take_offers(r, w);
}

/* --- what kind a path is of --- */

static struct punch_offer *find_offer(const struct way *w, const struct path *path)
{
	for (unsigned i = 0; i < w->offer_count; i++) {
		if (path_same_flow(&w->offers[i].path, path))
			return (struct punch_offer *)&w->offers[i];
	}
	return NULL;
}

static enum path_kind kind_by_record(const struct reach *r, const struct way *w,
				     const struct address *a)
{
	const struct peer_record *record = reach_record(r, w);

	for (unsigned i = 0; record && i < record->candidates.count; i++) {
		const struct candidate *c = &record->candidates.list[i];

		if (!address_equal(&c->address, a))
			continue;
		if (c->kind == CANDIDATE_HOST)
			return PATH_PUBLIC;
		if (c->kind == CANDIDATE_MAPPED)
			return PATH_MAPPED;
	}
	return record && record->nat.mapping == NAT_NONE ? PATH_PUBLIC : PATH_PUNCHED;
}

static enum path_kind kind_of(const struct reach *r, const struct way *w,
			      const struct path *path)
{
	const struct punch_offer *offer = find_offer(w, path);
	const struct address *a = &path->remote;

	if (path->tunnel)
		return PATH_RELAYED;
	if (offer)
		return offer->kind;
	if (path->socket >= PATH_EXTRA)
		return PATH_SPRAYED;
	if (address_is_loopback(a))
		return PATH_LOOPBACK;
	if (!address_is_global(a) ||
	    network_has(own_candidates_network(r->rooms->candidates), a))
		return PATH_LAN;
	return a->family == 6 ? PATH_IPV6 : kind_by_record(r, w, a);
}

void reach_on_path(struct reach *r, struct way *w)
{
	struct path path = link_path(w->link);
	enum path_kind before = w->path_kind;

	w->path_kind = kind_of(r, w, &path);
	if (w->path_kind != before)
		log_event(LOG_DEBUG, "path", "kind", log_int(w->path_kind), "us",
			  log_int((int64_t)(r->rooms->now / 1000)), NULL);
	if (w->path_kind == PATH_RELAYED) {
		if (w->direct_at == NEVER) {
			w->direct_wait = REACH_DIRECT_AGAIN;
			w->direct_at = r->rooms->now + w->direct_wait;
			w->may_directly = reach_may_directly(r, w);
		}
	} else {
		w->stranded_since = w->direct_at = NEVER;
		address_book_saw(r->rooms->book, w->person, &w->device, &path.remote);
	}
	reach_tell_link(r, w->person);
}

/* --- choosing --- */

/* As probes tell it, where they have: of a link that just began the round trip is of its handshake. */
static mono_ns round_trip_now(const struct way *w)
{
	struct path now = link_path(w->link);
	const struct punch_offer *offer = find_offer(w, &now);

	return offer && offer->is_proved ? offer->round_trip : link_round_trip(w->link);
}

/* The one that began the link moves it to what is better, so that not both choose; whoever finds a
 * direct path leaves a relay, and whoever hears nothing any more goes where there was an answer,
 * but for a moment in which the last move may still work. */
static bool is_to_move(const struct reach *r, const struct way *w,
		       const struct punch_offer *offer)
{
	bool has_moved = w->moved_at && r->rooms->now < w->moved_at + way_patience(w);

	if (w->is_lost && !has_moved)
		return true;
	if (w->path_kind == PATH_RELAYED)
		return true;
	return (w->is_lost || link_is_initiator(w->link)) &&
	       path_is_better(offer->kind, offer->round_trip, w->path_kind, round_trip_now(w));
}

void reach_move(struct reach *r, struct way *w, const struct path *path)
{
	link_move(w->link, path, r->rooms->now);
	w->moved_at = r->rooms->now;
	reach_ping(r, w);
	reach_on_path(r, w);
}

static void use(struct reach *r, struct way *w, const struct punch_offer *offer)
{
	struct path now;

	if (w->state == WAY_DIALLING && w->link && w->dial_at == NEVER)
		link_offer(w->link, &offer->path, offer->is_proved);
	if (w->state != WAY_LINKED || !offer->is_proved)
		return;
	now = link_path(w->link);
	if (path_same_flow(&now, &offer->path))
		reach_on_path(r, w);
	else if (is_to_move(r, w, offer))
		reach_move(r, w, &offer->path);
}

static void keep(struct way *w, const struct punch_offer *offer)
{
	struct punch_offer *place = find_offer(w, &offer->path);

	if (!place && w->offer_count < WAY_OFFERS_MAX)
		place = &w->offers[w->offer_count++];
	for (unsigned i = 0; !place && offer->is_proved && i < w->offer_count; i++) {
		if (!w->offers[i].is_proved)
			place = &w->offers[i];
	}
	if (place)
		*place = *offer;
}

void reach_take_offers(struct reach *r, struct way *w)
{
	struct punch_offer offer;

	while (w->punch && punch_next(w->punch, &offer)) {
		keep(w, &offer);
		use(r, w, &offer);
	}
}

void reach_offer_all(struct reach *r, struct way *w)
{
	for (unsigned i = 0; w->punch && i < w->offer_count; i++)
		use(r, w, &w->offers[i]);
}
