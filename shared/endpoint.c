#include "shared/endpoint.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "shared/endpoint_inside.h"
#include "shared/quic_wire.h"

struct endpoint *endpoint_new(const struct endpoint_config *config, mono_ns now)
{
	struct endpoint *e = memory_new(sizeof *e);

	e->config = *config;
	e->home = (struct link_home){
		.config = &e->config,
		.cids = cid_map_new(),
		.door = door_new(),
		.now = now,
		.judge = endpoint_judge,
		.owner = e,
	};
	device_links_init(&e->devices, &config->device.public);
	e->admitted = cid_map_new();
	door_keys_make(&e->keys, &config->knock, &config->device.public);
	return e;
}

void endpoint_set_knock(struct endpoint *e, const struct knock *knock)
{
	e->config.knock = *knock;
	door_keys_make(&e->keys, knock, &e->config.device.public);
}

void endpoint_set_certificate(struct endpoint *e, const struct certificate *c)
{
	e->config.certificate = *c;
	e->config.has_certificate = true;
}

void endpoint_free(struct endpoint *e)
{
	if (!e)
		return;
	while (e->links)
		endpoint_destroy(e, e->links);
	loose_clear(&e->loose);
	carried_clear(&e->home.carried);
	tunnels_clear(&e->tunnels);
	early_clear(&e->early);
	event_queue_clear(&e->home.events);
	deadline_heap_clear(&e->deadlines);
	cid_map_free(e->home.cids);
	device_links_clear(&e->devices);
	cid_map_free(e->admitted);
	door_free(e->home.door);
	device_wipe(&e->config.device);
	sodium_memzero(e, sizeof *e);
	free(e);
}

/* --- datagrams without a link --- */

void endpoint_send_stray(struct endpoint *e, const struct path *path, struct bytes contents,
			 uint8_t ttl)
{
	assert(contents.size > 0 && contents.size <= ENDPOINT_DATAGRAM_MAX &&
	       contents.data[0] < QUIC_STRAY_BELOW);
	assert(path->tunnel == 0);
	loose_add(&e->loose, path, contents, ttl);
}

void endpoint_early(struct endpoint *e, const struct device_public *device, struct bytes words)
{
	assert(words.size <= ENDPOINT_EARLY_MAX);
	early_set(&e->early, device, words);
}

/* --- sockets and tunnels --- */

uint16_t endpoint_extra_socket(struct endpoint *e)
{
	return extra_sockets_take(&e->sockets);
}

void endpoint_release_socket(struct endpoint *e, uint16_t socket)
{
	extra_sockets_release(&e->sockets, socket);
}

static void mark_used(bool is_used[PATH_EXTRA_MAX], const struct path *path)
{
	if (!path->tunnel && path->socket >= PATH_EXTRA &&
	    path->socket - PATH_EXTRA < PATH_EXTRA_MAX)
		is_used[path->socket - PATH_EXTRA] = true;
}

bool endpoint_next_released(struct endpoint *e, uint16_t *socket)
{
	bool is_used[PATH_EXTRA_MAX] = { false };

	/* What waits would have its socket opened again. */
	if (e->sockets.let_go == 0 || e->loose.count)
		return false;
	for (const struct link *l = e->links; l; l = l->next) {
		if (l->state == LINK_SHAKING && l->fan)
			for (unsigned i = 0; i < l->fan->count; i++)
				mark_used(is_used, &l->fan->ways[i].path);
		else
			mark_used(is_used, &l->path);
	}
	return extra_sockets_next(&e->sockets, is_used, socket);
}

uint32_t endpoint_tunnel_open(struct endpoint *e, struct link *via, uint32_t circuit)
{
	return tunnels_open(&e->tunnels, via, circuit);
}

void endpoint_tunnel_close(struct endpoint *e, uint32_t tunnel)
{
	tunnels_close(&e->tunnels, tunnel);
}

int endpoint_relay_join(struct endpoint *e, struct link *a, uint32_t circuit_a, struct link *b,
			uint32_t circuit_b, uint32_t rate)
{
	return tunnels_join(&e->tunnels, a, circuit_a, b, circuit_b, rate, e->home.now);
}

void endpoint_relay_part(struct endpoint *e, struct link *a, uint32_t circuit_a)
{
	tunnels_part(&e->tunnels, a, circuit_a);
}

uint64_t endpoint_relay_bytes(const struct endpoint *e, const struct link *a,
			      uint32_t circuit_a)
{
	return tunnels_carried(&e->tunnels, a, circuit_a);
}

/* --- dialling --- */

static bool is_dialable(const struct endpoint *e, const struct link_target *t)
{
	if (device_public_equal(&t->device, &e->config.device.public) ||
	    t->token.size > ENDPOINT_TOKEN_MAX)
		return false;
	if (t->is_offered)
		return true;
	if (t->has_identity && endpoint_is_relayed_only(e, &t->identity))
		return false; /* an address of theirs would see ours */
	for (unsigned i = 0; i < t->address_count && i < CANDIDATES_MAX; i++)
		if (address_is_unicast(&t->addresses[i]))
			return true;
	return false;
}

/* Anybody may certify anybody's device key: an attempt that waits for one identity is none
 * for another. */
static bool expects_same(const struct link *l, const struct link_target *t)
{
	const struct link_handshake *h = l->handshake;

	return h->has_identity == t->has_identity &&
	       (!h->has_identity || identity_public_equal(&h->identity, &t->identity));
}

struct link *endpoint_dial(struct endpoint *e, const struct link_target *target, mono_ns now)
{
	struct link_target t = *target;
	struct link *l;

	e->home.now = now;
	if (!is_dialable(e, target))
		return NULL;
	t.address_count = 0;
	for (unsigned i = 0; !t.is_offered && i < target->address_count && i < CANDIDATES_MAX;
	     i++)
		if (address_is_unicast(&target->addresses[i]))
			t.addresses[t.address_count++] = target->addresses[i];
	for (l = device_links_of(&e->devices, &t.device); l; l = l->same_next) {
		if (l->state != LINK_SHAKING || !l->is_initiator || l->pattern != t.pattern ||
		    !expects_same(l, &t))
			continue;
		for (unsigned i = 0; i < t.address_count; i++)
			link_add_path(l, &(struct path){ .remote = t.addresses[i] });
		return l;
	}
	l = link_dial(&e->home, &t, now);
	l->is_relayed_only = t.has_identity && endpoint_is_relayed_only(e, &t.identity);
	endpoint_list(e, l);
	device_links_add(&e->devices, l);
	return l;
}

/* --- datagrams --- */

static void receive_stray(struct endpoint *e, const struct path *path, struct bytes data)
{
	event_queue_add(&e->home.events,
			&(struct link_event){ .kind = STRAY, .path = *path, .data = data });
}

static void repeat_goodbye(struct endpoint *e, struct link *l, const struct path *path)
{
	if (!l->goodbye.size || l->goodbyes++ >= LINK_CLOSE_ANSWERS)
		return;
	endpoint_say(e, path, l->goodbye);
}

/* Who may only come through a tunnel meets nobody elsewhere. */
static struct link *link_of(struct endpoint *e, const struct path *path,
			    const uint8_t *datagram, size_t size)
{
	struct link *l = cid_map_get(e->home.cids, quic_wire_dcid(datagram, size));

	return l && l->is_relayed_only && !path->tunnel ? NULL : l;
}

/* A datagram of QUIC: the link that took it, if it is still there. */
static struct link *receive_quic(struct endpoint *e, const struct path *path, uint8_t *datagram,
				 size_t size, mono_ns now)
{
	bool is_new = false;
	struct link *l;

	if (quic_wire_in(datagram, size) < 0) {
		e->counters.refused++;
		return NULL;
	}
	l = link_of(e, path, datagram, size);
	if (!l && quic_wire_is_long(datagram, size)) {
		l = endpoint_accept(e, path, datagram, size, now);
		is_new = true;
	}
	if (!l) {
		e->counters.refused++;
		return NULL;
	}
	if (l->state == LINK_LEAVING || l->state == LINK_IS_DOWN) {
		repeat_goodbye(e, l, path);
		return NULL;
	}
	link_receive(l, path, datagram, size, now);
	if (!endpoint_settle(e, l, now))
		return NULL;
	if (is_new && !l->handshake->is_message_read) {
		/* A place is not held for who has not said who it is. */
		e->counters.refused++;
		endpoint_destroy(e, l);
		return NULL;
	}
	return l;
}

/* What came over `via` for others, or for links of ours in a tunnel. Inside of that there is
 * QUIC only, and nothing else is carried. */
static void take_carried(struct endpoint *e, struct link *via, mono_ns now)
{
	struct carried_queue q = e->home.carried;
	struct path path = { 0 };
	struct carried *c;
	uint8_t *datagram;
	size_t size;

	e->home.carried = (struct carried_queue){ 0 };
	while ((c = carried_take(&q))) {
		/* `via` goes by what it says itself, never by what it carries. */
		path.tunnel = tunnels_receive(&e->tunnels, via, c, &datagram, &size, now);
		if (path.tunnel && datagram[0] >= QUIC_STRAY_BELOW)
			receive_quic(e, &path, datagram, size, now);
		free(c);
		carried_clear(&e->home.carried);
	}
}

void endpoint_receive(struct endpoint *e, const struct path *path, uint8_t *datagram,
		      size_t size, mono_ns now)
{
	struct link *l;

	e->home.now = now;
	e->counters.received++;
	e->counters.received_bytes += size;
	if (size == 0)
		return;
	if (datagram[0] < QUIC_STRAY_BELOW) {
		receive_stray(e, path, bytes_of(datagram, size));
		return;
	}
	l = receive_quic(e, path, datagram, size, now);
	if (l)
		take_carried(e, l, now);
	else
		carried_clear(&e->home.carried);
}

static void counted(struct endpoint *e, const struct datagram *d)
{
	e->counters.sent++;
	e->counters.sent_bytes += d->size;
}

/* Its turn is over: to the end of the queue. */
static void rotate(struct link *l, mono_ns now)
{
	link_burst_over(l, now);
	link_sleep(l);
	link_wake(l);
}

bool endpoint_send(struct endpoint *e, uint8_t *room, struct datagram *out, mono_ns now)
{
	struct link *l;

	e->home.now = now;
	out->size = loose_take(&e->loose, room, &out->path, &out->ttl);
	if (out->size) {
		counted(e, out);
		return true;
	}
	while ((l = e->home.sending)) {
		if (l->burst >= LINK_BURST)
			rotate(l, now);
		l = e->home.sending;
		out->size = link_send(l, room, &out->path, now);
		if (out->size == 0) {
			link_sleep(l);
			if (endpoint_settle(e, l, now))
				endpoint_schedule(e, l, now);
			continue;
		}
		quic_wire_out(room, out->size);
		if (out->path.tunnel) { /* on in a datagram of another link */
			tunnels_send(&e->tunnels, out->path.tunnel, bytes_of(room, out->size));
			continue;
		}
		out->ttl = 0;
		counted(e, out);
		return true;
	}
	return false;
}

/* --- events and time --- */

/* Of a stream that is gone by now nothing is told. */
static bool is_still_true(const struct link_event *event)
{
	struct stream *s;

	if (event->kind != LINK_READABLE && event->kind != LINK_WRITABLE &&
	    event->kind != LINK_ABANDONED)
		return true;
	s = stream_find(&event->link->streams, event->stream);
	if (!s || s->is_abandoned != (event->kind == LINK_ABANDONED))
		return false;
	if (event->kind == LINK_ABANDONED) {
		if (!s->is_cut_told)
			return false;
		s->is_cut_told = false;
		link_release_if_done(event->link, s);
	} else if (event->kind == LINK_READABLE) {
		s->is_told = false;
		s->is_seen = true;
	}
	return true;
}

bool endpoint_next(struct endpoint *e, struct link_event *event)
{
	if (e->taken_down)
		endpoint_let_go(e, e->taken_down, e->home.now);
	e->taken_down = NULL;
	while (event_queue_take(&e->home.events, event)) {
		if (!is_still_true(event))
			continue;
		if (event->kind == LINK_DOWN)
			e->taken_down = event->link;
		if (event->link)
			event->path = event->link->path;
		return true;
	}
	return false;
}

mono_ns endpoint_deadline(const struct endpoint *e)
{
	const struct deadline *first = deadline_heap_first(&e->deadlines);

	if (e->loose.count || e->home.sending)
		return e->home.now;
	return first ? first->at : NEVER;
}

void endpoint_tick(struct endpoint *e, mono_ns now)
{
	struct deadline *first;

	e->home.now = now;
	while ((first = deadline_heap_first(&e->deadlines)) && first->at <= now) {
		struct link *l = first->owner;

		deadline_heap_set(&e->deadlines, first, NEVER);
		if (l->state == LINK_LEAVING) {
			endpoint_destroy(e, l);
			continue;
		}
		link_tick(l, now);
		endpoint_settle(e, l, now);
	}
}

struct endpoint_counters endpoint_counters(const struct endpoint *e)
{
	struct endpoint_counters counters = e->counters;

	counters.half_open = e->half_open.count;
	return counters;
}
