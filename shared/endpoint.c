#include "shared/endpoint.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "shared/cid_map.h"
#include "shared/device_links.h"
#include "shared/door.h"
#include "shared/error.h"
#include "shared/half_open.h"
#include "shared/link.h"
#include "shared/loose.h"
#include "shared/quic_wire.h"

enum {
	PEER_HANDSHAKES = 20,       /* a second, from one network */
	LAST_WORDS = 32,            /* datagrams before a goodbye */
	DIRECTORY_HANDSHAKES = 200, /* a second, from one network, addresses proved */
};

struct endpoint {
	struct link_home home;
	struct endpoint_config config;
	struct door_keys keys;
	struct device_links devices;
	struct cid_map *admitted;
	struct deadline_heap deadlines;
	struct link *links;
	struct link *taken_down; /* its LINK_DOWN was taken: freed at the next call */
	struct loose loose;
	struct half_open half_open;
	struct endpoint_counters counters;
};

static int judge(void *owner, struct link *l);

struct endpoint *endpoint_new(const struct endpoint_config *config, mono_ns now)
{
	struct endpoint *e = memory_new(sizeof *e);

	e->config = *config;
	e->home = (struct link_home){
		.config = &e->config,
		.cids = cid_map_new(),
		.door = door_new(),
		.now = now,
		.judge = judge,
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

/* --- the lists a link is on --- */

static void list_add(struct endpoint *e, struct link *l)
{
	l->next = e->links;
	if (e->links)
		e->links->previous = l;
	e->links = l;
	e->counters.links++;
}

/* Off every list but that of all: no more packets, no more sending. */
static void retire(struct endpoint *e, struct link *l)
{
	device_links_remove(&e->devices, l);
	deadline_heap_set(&e->deadlines, &l->deadline, NEVER);
	link_sleep(l);
	half_open_remove(&e->half_open, l);
}

static void destroy(struct endpoint *e, struct link *l)
{
	retire(e, l);
	if (l->previous)
		l->previous->next = l->next;
	else
		e->links = l->next;
	if (l->next)
		l->next->previous = l->previous;
	e->counters.links--;
	if (e->taken_down == l)
		e->taken_down = NULL;
	link_free(l);
}

void endpoint_free(struct endpoint *e)
{
	if (!e)
		return;
	while (e->links)
		destroy(e, e->links);
	loose_clear(&e->loose);
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

static void schedule(struct endpoint *e, struct link *l, mono_ns now)
{
	mono_ns due = link_due(l);

	/* What is due and was not done for want of room is not asked for again at once. */
	if (due <= now)
		due = now + MILLISECOND;
	deadline_heap_set(&e->deadlines, &l->deadline, due);
}

/* --- datagrams without a link --- */

void endpoint_send_stray(struct endpoint *e, const struct path *path, struct bytes contents)
{
	assert(contents.size > 0 && contents.size <= ENDPOINT_DATAGRAM_MAX &&
	       contents.data[0] < QUIC_STRAY_BELOW);
	loose_add(&e->loose, path, contents);
}

/* --- the end of a link --- */

static void say_goodbye(struct endpoint *e, struct link *l, uint64_t code, mono_ns now)
{
	uint8_t room[LINK_DATAGRAM_SAFE], *copy;
	size_t size;

	if (l->state != LINK_IS_UP || l->goodbye.size)
		return;
	size = link_say_goodbye(l, code, room, sizeof room, now);
	if (size == 0)
		return;
	quic_wire_out(room, size);
	loose_add(&e->loose, &l->path, bytes_of(room, size));
	copy = memory_new(size);
	memcpy(copy, room, size);
	l->goodbye = bytes_of(copy, size);
}

/* Late packets get the goodbye again for a while; then nothing. */
static void leave(struct endpoint *e, struct link *l, mono_ns now)
{
	retire(e, l);
	l->state = LINK_LEAVING;
	l->leave_at = now + LINK_CLOSE_LINGER;
	schedule(e, l, now);
}

/* The owner is told; the link goes when it has taken that. */
static void go_down(struct endpoint *e, struct link *l, int error, uint64_t code)
{
	retire(e, l);
	l->state = LINK_IS_DOWN;
	event_queue_add(&e->home.events, &(struct link_event){ .kind = LINK_DOWN,
							       .link = l,
							       .path = l->path,
							       .error = error,
							       .code = code });
}

/* Nothing of this link was ever told, or its owner has let go of it. */
static void part(struct endpoint *e, struct link *l, mono_ns now)
{
	if (l->goodbye.size)
		leave(e, l, now);
	else
		destroy(e, l);
}

/* The last words written go before the goodbye, as far as they may be sent now. */
static void send_last_words(struct endpoint *e, struct link *l, mono_ns now)
{
	uint8_t room[ENDPOINT_LOOPBACK_MAX];
	struct path path;
	size_t size;

	for (int i = 0; i < LAST_WORDS && l->state == LINK_IS_UP; i++) {
		size = link_send(l, room, &path, now);
		if (size == 0)
			return;
		quic_wire_out(room, size);
		loose_add(&e->loose, &path, bytes_of(room, size));
	}
}

void link_close(struct link *l, uint64_t code, mono_ns now)
{
	struct endpoint *e = l->home->owner;

	event_queue_forget(&e->home.events, l);
	send_last_words(e, l, now);
	say_goodbye(e, l, code, now);
	part(e, l, now);
}

void endpoint_close_all(struct endpoint *e, uint64_t code, mono_ns now)
{
	struct link *l, *next;

	for (l = e->links; l; l = next) {
		next = l->next;
		if (l->state != LINK_LEAVING)
			link_close(l, code, now);
	}
}

static void replace(struct endpoint *e, struct link *l, mono_ns now)
{
	say_goodbye(e, l, LINK_CODE_REPLACED, now);
	go_down(e, l, ERR_EXISTS, 0);
}

void endpoint_admit(struct endpoint *e, const struct identity_public *who)
{
	cid_map_put(e->admitted, BYTES(who->bytes), e);
}

/* Who has shown, or in an attempt of ours is to show, this identity. */
static bool is_with(const struct link *l, const struct identity_public *who)
{
	if (l->certificate)
		return identity_public_equal(&l->certificate->identity, who);
	return l->handshake && l->handshake->has_identity &&
	       identity_public_equal(&l->handshake->identity, who);
}

void endpoint_dismiss(struct endpoint *e, const struct identity_public *who)
{
	struct link *l, *next;

	cid_map_remove(e->admitted, BYTES(who->bytes), e);
	for (l = e->links; l; l = next) {
		next = l->next;
		if (!is_with(l, who))
			continue;
		if (l->state == LINK_IS_UP) {
			say_goodbye(e, l, LINK_CODE_NOT_CONTACT, e->home.now);
			go_down(e, l, ERR_REFUSED, 0);
		} else if (l->state == LINK_SHAKING && l->is_initiator) {
			go_down(e, l, ERR_REFUSED, 0);
		} else if (l->state == LINK_SHAKING) {
			destroy(e, l);
		}
	}
}

/* --- two that dial each other --- */

static int judge(void *owner, struct link *l)
{
	struct endpoint *e = owner;
	struct link *ours;

	if (e->config.policy == ENDPOINT_ADMITTED &&
	    (!l->certificate ||
	     !cid_map_get(e->admitted, BYTES(l->certificate->identity.bytes))))
		return ERR_REFUSED;
	if (!l->has_device)
		return 0;
	if (device_public_equal(&l->device, &e->config.device.public))
		return ERR_REFUSED; /* our own first message, sent back */
	ours = device_links_tie_holder(&e->devices, &l->device, e->home.now);
	if (ours) {
		/* Refused, but where it came from is where they can be reached now: what
		 * punches through a NAT that gives each destination its own port. */
		link_add_address(ours, &l->path.remote);
		return ERR_REFUSED;
	}
	if (e->config.policy == ENDPOINT_ADMITTED) {
		struct link *crowding = half_open_crowding(&e->half_open, l);

		if (crowding)
			destroy(e, crowding);
	}
	device_links_add(&e->devices, l);
	return 0;
}

/* False: there is a better one, and `l` is gone. */
static bool win_device(struct endpoint *e, struct link *l, mono_ns now)
{
	if (!device_links_better(&e->devices, l))
		return true;
	event_queue_forget(&e->home.events, l); /* it was never up */
	if (l->is_initiator) {
		replace(e, l, now);
	} else {
		say_goodbye(e, l, LINK_CODE_REPLACED, now);
		part(e, l, now);
	}
	return false;
}

static void replace_others(struct endpoint *e, struct link *l, mono_ns now)
{
	struct link *x, *next;

	for (x = device_links_of(&e->devices, &l->device); x; x = next) {
		next = x->same_next;
		if (x != l && (x->state == LINK_IS_UP || x->is_initiator))
			replace(e, x, now);
	}
}

static void give_token(struct endpoint *e, struct link *l, mono_ns now)
{
	uint8_t token[DOOR_ADDRESS_TOKEN_SIZE];

	if (e->config.policy != ENDPOINT_ANYONE || l->is_initiator || l->is_unproved)
		return;
	door_address_token_make(e->home.door, token, &l->path.remote, now);
	ngtcp2_conn_submit_new_token(l->conn, token, sizeof token);
}

static bool came_up(struct endpoint *e, struct link *l, mono_ns now)
{
	half_open_remove(&e->half_open, l);
	e->counters.handshakes++;
	if (l->has_device && !win_device(e, l, now))
		return false;
	if (l->has_device)
		replace_others(e, l, now);
	give_token(e, l, now);
	return true;
}

static void failed(struct endpoint *e, struct link *l, mono_ns now)
{
	int error = l->error;

	l->error = 0;
	if (l->state == LINK_SHAKING && l->has_news_up)
		event_queue_forget(&e->home.events, l);
	if (l->state == LINK_SHAKING && !l->is_initiator) {
		e->counters.refused++;
		destroy(e, l); /* and not a byte back */
		return;
	}
	if (error == ERR_FORMAT)
		say_goodbye(e, l, LINK_CODE_PROTOCOL, now);
	go_down(e, l, error, l->error_code);
}

/* Acts on what the last call has left in the link. False: it is over, perhaps freed. */
static bool settle(struct endpoint *e, struct link *l, mono_ns now)
{
	if (l->error) {
		failed(e, l, now);
		return false;
	}
	if (l->has_news_up && l->state == LINK_IS_UP) {
		l->has_news_up = false;
		return came_up(e, l, now);
	}
	if (l->has_moved) {
		l->has_moved = false;
		event_queue_add(&e->home.events,
				&(struct link_event){ .kind = LINK_MOVED, .link = l });
	}
	if (l->has_proved) {
		l->has_proved = false;
		give_token(e, l, now);
	}
	return true;
}

/* --- dialling --- */

static bool is_dialable(const struct endpoint *e, const struct link_target *t)
{
	if (device_public_equal(&t->device, &e->config.device.public) ||
	    t->token.size > ENDPOINT_TOKEN_MAX)
		return false;
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
	for (unsigned i = 0; i < target->address_count && i < CANDIDATES_MAX; i++)
		if (address_is_unicast(&target->addresses[i]))
			t.addresses[t.address_count++] = target->addresses[i];
	for (l = device_links_of(&e->devices, &t.device); l; l = l->same_next) {
		if (l->state != LINK_SHAKING || !l->is_initiator || l->pattern != t.pattern ||
		    !expects_same(l, &t))
			continue;
		for (unsigned i = 0; i < t.address_count; i++)
			link_add_address(l, &t.addresses[i]);
		return l;
	}
	l = link_dial(&e->home, &t, now);
	list_add(e, l);
	device_links_add(&e->devices, l);
	return l;
}

/* --- the door --- */

static void send_retry(struct endpoint *e, const struct path *path, const ngtcp2_pkt_hd *hd,
		       mono_ns now)
{
	uint8_t token[DOOR_RETRY_SIZE], room[LINK_DATAGRAM_SAFE];
	ngtcp2_cid scid = { .datalen = QUIC_CID_SIZE };
	size_t size;

	randombytes_buf(scid.data, scid.datalen);
	door_retry_make(e->home.door, token, &path->remote,
			bytes_of(hd->dcid.data, hd->dcid.datalen),
			bytes_of(scid.data, scid.datalen), now);
	size = link_crypto_write_retry(room, sizeof room, &e->keys, hd, &scid, BYTES(token));
	if (size == 0)
		return;
	quic_wire_out(room, size);
	loose_add(&e->loose, path, bytes_of(room, size));
	e->counters.retries++;
}

/* Whether this Initial may become a link; fills `a`. */
static bool passes_the_door(struct endpoint *e, const struct path *path,
			    const ngtcp2_pkt_hd *hd, struct link_arrival *a, mono_ns now)
{
	struct bytes dcid = bytes_of(hd->dcid.data, hd->dcid.datalen), token, address_token;

	token.data = quic_token(hd, &token.size);
	a->original = hd->dcid;
	if (e->config.policy == ENDPOINT_ADMITTED)
		return door_token_check(&e->keys, dcid, token, &address_token) == 0;
	if (door_is_retry(token)) {
		if (door_retry_open(e->home.door, token, &path->remote, dcid, now,
				    a->original.data, &a->original.datalen) < 0)
			return false;
		a->is_retried = a->is_proved = true;
		return true;
	}
	if (door_token_check(&e->keys, dcid, token, &address_token) < 0)
		return false;
	a->is_proved = door_address_token_open(e->home.door, address_token, &path->remote,
					       now) == 0;
	if (!a->is_proved)
		send_retry(e, path, hd, now);
	return a->is_proved;
}

/* Where all places are taken the oldest gives way: an honest handshake is soon over. */
static bool make_room(struct endpoint *e, const struct path *path, mono_ns now)
{
	bool is_directory = e->config.policy == ENDPOINT_ANYONE;
	size_t most = is_directory ? ENDPOINT_HALF_OPEN_PROVED_MAX : ENDPOINT_HALF_OPEN_MAX;

	if (!door_allows(e->home.door, &path->remote,
			 is_directory ? DIRECTORY_HANDSHAKES : PEER_HANDSHAKES, now))
		return false;
	while (e->half_open.count >= most)
		destroy(e, e->half_open.oldest);
	return true;
}

static struct link *accept_initial(struct endpoint *e, const struct path *path,
				   const uint8_t *datagram, size_t size, mono_ns now)
{
	struct link_arrival a = { .path = *path, .keys = &e->keys };
	ngtcp2_pkt_hd hd;
	struct link *l;

	if (ngtcp2_accept(&hd, datagram, size) != 0 || hd.dcid.datalen < QUIC_CID_SIZE ||
	    hd.scid.datalen == 0)
		return NULL;
	a.hd = &hd;
	if (!passes_the_door(e, path, &hd, &a, now) || !make_room(e, path, now))
		return NULL;
	l = link_accept(&e->home, &a, now);
	list_add(e, l);
	half_open_add(&e->half_open, l);
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
	loose_add(&e->loose, path, l->goodbye);
}

void endpoint_receive(struct endpoint *e, const struct path *path, uint8_t *datagram,
		      size_t size, mono_ns now)
{
	bool is_new = false;
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
	if (quic_wire_in(datagram, size) < 0) {
		e->counters.refused++;
		return;
	}
	l = cid_map_get(e->home.cids, quic_wire_dcid(datagram, size));
	if (!l && quic_wire_is_long(datagram, size)) {
		l = accept_initial(e, path, datagram, size, now);
		is_new = true;
	}
	if (!l) {
		e->counters.refused++;
		return;
	}
	if (l->state == LINK_LEAVING || l->state == LINK_IS_DOWN) {
		repeat_goodbye(e, l, path);
		return;
	}
	link_receive(l, path, datagram, size, now);
	if (settle(e, l, now) && is_new && !l->handshake->is_message_read) {
		/* A place is not held for who has not said who it is. */
		e->counters.refused++;
		destroy(e, l);
	}
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
	out->size = loose_take(&e->loose, room, &out->path);
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
			if (settle(e, l, now))
				schedule(e, l, now);
			continue;
		}
		quic_wire_out(room, out->size);
		counted(e, out);
		return true;
	}
	return false;
}

/* --- events and time --- */

bool endpoint_next(struct endpoint *e, struct link_event *event)
{
	if (e->taken_down)
		part(e, e->taken_down, e->home.now);
	e->taken_down = NULL;
	while (event_queue_take(&e->home.events, event)) {
		if (event->kind == LINK_READABLE) {
			struct stream *s = stream_find(&event->link->streams, event->stream);

			if (!s)
				continue;
			s->is_told = false;
		}
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
			destroy(e, l);
			continue;
		}
		link_tick(l, now);
		settle(e, l, now);
	}
}

struct endpoint_counters endpoint_counters(const struct endpoint *e)
{
	struct endpoint_counters counters = e->counters;

	counters.half_open = e->half_open.count;
	return counters;
}
