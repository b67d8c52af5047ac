/* The lists a link is on, and how it leaves them. */
#include <string.h>

#include "shared/endpoint_inside.h"
#include "shared/error.h"
#include "shared/quic_wire.h"

enum { LAST_WORDS = 32 }; /* datagrams before a goodbye */

/* --- the lists a link is on --- */

void endpoint_list(struct endpoint *e, struct link *l)
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
	tunnels_forget(&e->tunnels, l);
}

void endpoint_destroy(struct endpoint *e, struct link *l)
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

void endpoint_schedule(struct endpoint *e, struct link *l, mono_ns now)
{
	mono_ns due = link_due(l);

	/* What is due and was not done for want of room is not asked for again at once. */
	if (due <= now)
		due = now + MILLISECOND;
	deadline_heap_set(&e->deadlines, &l->deadline, due);
}

/* --- the end of a link --- */

void endpoint_say(struct endpoint *e, const struct path *path, struct bytes datagram)
{
	if (path->tunnel)
		tunnels_send(&e->tunnels, path->tunnel, datagram);
	else
		loose_add(&e->loose, path, datagram, 0);
}

void endpoint_say_goodbye(struct endpoint *e, struct link *l, uint64_t code, mono_ns now)
{
	uint8_t room[LINK_DATAGRAM_SAFE], *copy;
	size_t size;

	if (l->state != LINK_IS_UP || l->goodbye.size)
		return;
	size = link_say_goodbye(l, code, room, sizeof room, now);
	if (size == 0)
		return;
	quic_wire_out(room, size);
	endpoint_say(e, &l->path, bytes_of(room, size));
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
	endpoint_schedule(e, l, now);
}

/* The owner is told; the link goes when it has taken that. */
void endpoint_down(struct endpoint *e, struct link *l, int error, uint64_t code)
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
void endpoint_let_go(struct endpoint *e, struct link *l, mono_ns now)
{
	if (l->goodbye.size)
		leave(e, l, now);
	else
		endpoint_destroy(e, l);
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
		endpoint_say(e, &path, bytes_of(room, size));
	}
}

void link_close(struct link *l, uint64_t code, mono_ns now)
{
	struct endpoint *e = l->home->owner;

	event_queue_forget(&e->home.events, l);
	send_last_words(e, l, now);
	endpoint_say_goodbye(e, l, code, now);
	endpoint_let_go(e, l, now);
}

void endpoint_close_all(struct endpoint *e, uint64_t code, mono_ns now)
{
	struct link *l, *next;

	/* Those in tunnels first: theirs leave with the last words of the others. */
	for (int is_rest = 0; is_rest < 2; is_rest++)
		for (l = e->links; l; l = next) {
			next = l->next;
			if (l->state != LINK_LEAVING && (is_rest || l->path.tunnel))
				link_close(l, code, now);
		}
}

void endpoint_replace(struct endpoint *e, struct link *l, mono_ns now)
{
	endpoint_say_goodbye(e, l, LINK_CODE_REPLACED, now);
	endpoint_down(e, l, ERR_EXISTS, 0);
}
