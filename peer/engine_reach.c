/* The network, and what comes from peers: the rooms of reach in the engine's step, and what faces
 * ask about them. */
#include <string.h>

#include "peer/candidates.h"
#include "peer/directory_client.h"
#include "peer/engine_inside.h"
#include "peer/files.h"
#include "peer/forwarding.h"
#include "peer/grants.h"
#include "peer/lan.h"
#include "peer/marks.h"
#include "peer/profiles.h"
#include "peer/reach.h"
#include "peer/way.h"
#include "shared/frame.h"

/* --- the network --- */

void engine_set_network(struct engine *e, const struct network *network)
{
	if (network_equal(own_candidates_network(e->rooms.candidates), network))
		return;
	own_candidates_set_network(e->rooms.candidates, network);
	e->has_moved = true;
}

void engine_follow_network(struct engine *e)
{
	struct rooms *r = &e->rooms;

	if (!e->has_moved)
		return;
	e->has_moved = false;
	e->received = endpoint_counters(r->endpoint).received;
	e->asking_since = NEVER;
	directory_client_moved(r->directory);
	reach_network_changed(r->reach);
}

/* Whether we ask and nothing at all comes back. */
static bool is_mute(const struct engine *e)
{
	return e->asking_since != NEVER &&
	       endpoint_counters(e->rooms.endpoint).received == e->received;
}

static mono_ns watch_udp(struct engine *e)
{
	if (!directory_client_is_asking(e->rooms.directory))
		e->asking_since = NEVER;
	else if (e->asking_since == NEVER)
		e->asking_since = e->rooms.now;
	if (!is_mute(e) || e->rooms.now >= e->asking_since + ENGINE_BLOCKED)
		return NEVER;
	return e->asking_since + ENGINE_BLOCKED;
}

/* --- what comes outside of links --- */

static bool hear_key(struct rooms *r, const struct link_event *event)
{
	return directory_client_event(r->directory, event);
}

static bool hear_router(struct rooms *r, const struct link_event *event)
{
	return port_map_stray(r->port_map, &event->path, event->data);
}

static bool hear_sight(struct rooms *r, const struct link_event *event)
{
	return sighting_stray(r->sighting, &event->path, event->data);
}

static bool hear_lan(struct rooms *r, const struct link_event *event)
{
	return lan_stray(r->lan, &event->path, event->data);
}

static bool hear_probe(struct rooms *r, const struct link_event *event)
{
	return reach_stray(r->reach, &event->path, event->data);
}

static const struct {
	bool (*hear)(struct rooms *r, const struct link_event *event);
	bool is_near; /* of our own network: it says nothing of the way out */
} strays[] = {
	{ hear_key, false }, { hear_router, true }, { hear_sight, false },
	{ hear_lan, true },  { hear_probe, false },
};

bool engine_hear_stray(struct rooms *r, const struct link_event *event)
{
	for (size_t i = 0; i < sizeof strays / sizeof *strays; i++) {
		if (strays[i].hear(r, event))
			return strays[i].is_near;
	}
	return false;
}

/* --- what devices say --- */

static int hear_forwarding(struct rooms *r, struct way *from, const struct wire_message *m)
{
	return forwarding_hear(r->forwarding, from, m);
}

static int hear_relay(struct rooms *r, struct way *from, const struct wire_message *m)
{
	return relay_hear(r->relay, from, m);
}

static int hear_mark(struct rooms *r, struct way *from, const struct wire_message *m)
{
	return marks_hear(r->marks, from, m);
}

static int hear_profile(struct rooms *r, struct way *from, const struct wire_message *m)
{
	return profiles_hear(r->profiles, from, m);
}

static int hear_grants(struct rooms *r, struct way *from, const struct wire_message *m)
{
	return grants_hear(r->grants, from, m);
}

static bool may_ask(struct rooms *r, struct way *w);

/* Costs them as much as a file that they ask for: what is too much is not answered. */
static int hear_stands(struct rooms *r, struct way *from, const struct wire_message *m)
{
	if (may_ask(r, from))
		files_hear_stands(r->files, from, &m->file_stands);
	return 0;
}

static int hear_noted(struct rooms *r, struct way *from, const struct wire_message *m)
{
	files_hear_noted(r->files, from, &m->file_noted);
	return 0;
}

static const struct {
	enum wire_type type;
	int (*hear)(struct rooms *r, struct way *from, const struct wire_message *m);
} rows[] = {
	{ WIRE_RECORD, hear_forwarding },    { WIRE_FORWARDING, hear_forwarding },
	{ WIRE_WHERE, hear_forwarding },     { WIRE_THERE, hear_forwarding },
	{ WIRE_RELAY_OPEN, hear_relay },     { WIRE_RELAY_OFFER, hear_relay },
	{ WIRE_RELAY_ANSWER, hear_relay },   { WIRE_RELAY_CLOSE, hear_relay },
	{ WIRE_GRANT, hear_grants },         { WIRE_HISTORY_GET, hear_grants },
	{ WIRE_HISTORY, hear_grants },       { WIRE_READ, hear_mark },
	{ WIRE_TYPING, hear_mark },          { WIRE_PROFILE, hear_profile },
	{ WIRE_PROFILE_HAVE, hear_profile }, { WIRE_FILE_STANDS, hear_stands },
	{ WIRE_FILE_NOTED, hear_noted },
};

void engine_hear_peers(struct rooms *r)
{
	struct wire_message m;
	struct way *from;

	while (reach_next(r->reach, &from, &m)) {
		for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
			if (rows[i].type == m.type && rows[i].hear(r, from, &m) < 0)
				reach_broken(r->reach, from);
		}
	}
}

/* --- streams beside the control stream --- */

/* What is asked for is looked up, and opened: not more often than offers come (WAY_COSTLY). */
static bool may_ask(struct rooms *r, struct way *w)
{
	if (w->asks_until < r->now)
		w->asks_until = r->now;
	if (w->asks_until >= r->now + WAY_COSTLY_AT_ONCE * WAY_COSTLY_EACH)
		return false;
	w->asks_until += WAY_COSTLY_EACH;
	return true;
}

/* One that they opened: what they want is its first message. */
static void hear_first(struct rooms *r, const struct reach_stream *event)
{
	struct link *link = event->way->link;
	struct wire_message m;
	struct bytes contents;
	size_t total;
	bool is_end;
	int err;

	if (event->kind != LINK_READABLE)
		return;
	err = frame_take(link_peek(link, event->stream, &is_end), &contents, &total);
	if (err == 0 && !is_end)
		return;
	if (err == 1)
		err = wire_decode(&m, contents, WIRE_FROM_PEER);
	if (err < 0 || m.type != WIRE_FILE_GET || is_end) {
		link_abandon(link, event->stream, FILES_CODE_BROKEN);
		return;
	}
	link_consume(link, event->stream, total);
	if (!may_ask(r, event->way)) {
		link_abandon(link, event->stream, FILES_CODE_BUSY);
		return;
	}
	files_asked(r->files, event->way, event->stream, &m.file_get);
}

void engine_hear_streams(struct rooms *r)
{
	struct reach_stream event;

	while (reach_next_stream(r->reach, &event)) {
		if (!files_hear_stream(r->files, &event))
			hear_first(r, &event);
	}
}

/* --- what is due --- */

mono_ns engine_step_reach(struct engine *e)
{
	struct rooms *r = &e->rooms;
	bool is_online = directory_client_is_online(r->directory);
	mono_ns deadline = watch_udp(e);

	if (e->was_online && !is_online)
		sighting_offline(r->sighting);
	e->was_online = is_online;
	deadline = mono_earlier(deadline, sighting_step(r->sighting));
	deadline = mono_earlier(deadline, port_map_step(r->port_map));
	deadline = mono_earlier(deadline, lan_step(r->lan));
	deadline = mono_earlier(deadline, forwarding_step(r->forwarding));
	deadline = mono_earlier(deadline, relay_step(r->relay));
	deadline = mono_earlier(deadline, grants_step(r->grants));
	deadline = mono_earlier(deadline, profiles_step(r->profiles));
	return mono_earlier(deadline, marks_step(r->marks));
}

/* --- what faces ask --- */

void engine_set_reach(struct engine *e, const struct engine_reach_settings *settings)
{
	port_map_set_enabled(e->rooms.port_map, settings->maps_ports);
	lan_set_enabled(e->rooms.lan, settings->has_lan);
}

bool engine_last_job(struct engine *e, struct job *job)
{
	return port_map_goodbye(e->rooms.port_map, job);
}

int engine_set_relay(struct engine *e, bool is_on, uint32_t rate)
{
	int err = relay_set(e->rooms.relay, is_on, rate);

	return err < 0 ? err : engine_settle(e);
}

void engine_reach(const struct engine *e, struct engine_reach *out)
{
	const struct rooms *r = &e->rooms;
	struct endpoint_counters counters = endpoint_counters(r->endpoint);

	memset(out, 0, sizeof *out);
	out->received_bytes = counters.received_bytes;
	out->sent_bytes = counters.sent_bytes;
	out->network = *own_candidates_network(r->candidates);
	out->published = own_candidates(r->candidates)->count;
	out->sighting = sighting_report(r->sighting);
	for (unsigned i = 0; i < PORT_MAP_WAYS; i++)
		out->maps[i] = port_map_report(r->port_map, (enum port_map_way)i);
	out->is_udp_asked = is_mute(e);
	out->is_udp_blocked = is_mute(e) && r->now >= e->asking_since + ENGINE_BLOCKED;
	out->is_relay = relay_is_on(r->relay, &out->relay_rate);
	out->relay = relay_report(r->relay);
	out->lan_found = lan_heard(r->lan);
}
