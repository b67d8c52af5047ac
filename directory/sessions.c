#include "directory/sessions.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "shared/error.h"
#include "shared/frame.h"

struct list {
	struct session *first, *last;
	size_t count;
};

/* Tickets count up; the low bits find a place in a table of sessions, which is held at
 * most half full by growing. */
enum { NETWORKS = 4096 }; /* two that fall on one number share what they may have */

struct sessions {
	struct list guests, clients;
	uint8_t key[crypto_shorthash_KEYBYTES];
	uint32_t crowds[NETWORKS]; /* guests of each */
	uint64_t last_ticket;
	struct session **by_ticket;
	size_t size;
};

struct sessions *sessions_new(void)
{
	struct sessions *all = memory_new(sizeof *all);

	all->size = 64;
	randombytes_buf(all->key, sizeof all->key);
	all->by_ticket = memory_array(all->size, sizeof(struct session *));
	return all;
}

static struct list *list_of(struct sessions *all, const struct session *s)
{
	return s->state == SESSION_GUEST ? &all->guests : &all->clients;
}

void session_drop_vault(struct session *s)
{
	if (s->vault)
		buf_clear(&s->vault->sealed);
	free(s->vault);
	s->vault = NULL;
}

static void session_free(struct session *s)
{
	login_free(s->login);
	session_drop_vault(s);
	free(s->devices);
	free(s);
}

void sessions_free(struct sessions *all)
{
	if (!all)
		return;
	for (size_t i = 0; i < all->size; i++)
		if (all->by_ticket[i])
			session_free(all->by_ticket[i]);
	free(all->by_ticket);
	free(all);
}

static void grow(struct sessions *all)
{
	size_t size = all->size * 2;
	struct session **table = memory_array(size, sizeof(struct session *));

	for (size_t i = 0; i < all->size; i++)
		if (all->by_ticket[i])
			table[all->by_ticket[i]->ticket % size] = all->by_ticket[i];
	free(all->by_ticket);
	all->by_ticket = table;
	all->size = size;
}

/* The next number whose place is free. */
static uint64_t next_ticket(struct sessions *all)
{
	if ((all->guests.count + all->clients.count + 1) * 2 > all->size)
		grow(all);
	do
		all->last_ticket++;
	while (all->by_ticket[all->last_ticket % all->size]);
	return all->last_ticket;
}

static uint16_t network_of(const struct sessions *all, const struct address *from)
{
	struct address network = address_prefix(from);
	uint8_t what[17];
	uint64_t hash;

	what[0] = network.family;
	memcpy(what + 1, network.ip, 16);
	crypto_shorthash((uint8_t *)&hash, what, sizeof what, all->key);
	return (uint16_t)(hash % NETWORKS);
}

struct session *sessions_add(struct sessions *all, struct link *link, bool is_guest,
			     mono_ns now)
{
	struct session *s = memory_new(sizeof *s);
	struct list *list;

	s->link = link;
	s->since = now;
	s->state = is_guest ? SESSION_GUEST : SESSION_LOOKING;
	s->ticket = next_ticket(all);
	s->account = NAMES_NONE;
	all->by_ticket[s->ticket % all->size] = s;
	list = list_of(all, s);
	s->previous = list->last;
	if (list->last)
		list->last->next = s;
	else
		list->first = s;
	list->last = s;
	list->count++;
	if (is_guest) {
		struct address from = link_path(link).remote;

		s->network = network_of(all, &from);
		all->crowds[s->network]++;
	}
	return s;
}

void sessions_remove(struct sessions *all, struct session *s)
{
	struct list *list = list_of(all, s);

	assert(!s->record);
	if (s->state == SESSION_GUEST)
		all->crowds[s->network]--;
	if (s->next)
		s->next->previous = s->previous;
	else
		list->last = s->previous;
	if (s->previous)
		s->previous->next = s->next;
	else
		list->first = s->next;
	list->count--;
	all->by_ticket[s->ticket % all->size] = NULL;
	session_free(s);
}

struct session *sessions_by_ticket(const struct sessions *all, uint64_t ticket)
{
	struct session *s = all->by_ticket[ticket % all->size];

	return s && s->ticket == ticket ? s : NULL;
}

struct session *sessions_crowding_guest(const struct sessions *all)
{
	struct session *found = all->guests.first;

	for (struct session *s = found; s; s = s->next)
		if (all->crowds[s->network] > all->crowds[found->network])
			found = s;
	return found;
}

struct session *sessions_oldest_guest(const struct sessions *all)
{
	return all->guests.first;
}

struct session *sessions_clients_first(const struct sessions *all)
{
	return all->clients.first;
}

size_t sessions_guests(const struct sessions *all)
{
	return all->guests.count;
}

size_t sessions_clients(const struct sessions *all)
{
	return all->clients.count;
}

int session_read(struct session *s, struct buf *scratch, struct wire_message *m)
{
	bool is_end = false;
	struct bytes input = link_peek(s->link, LINK_CONTROL, &is_end), contents;
	size_t total, announced;
	int err;

	/* a frame that announces more than any client says is not waited for */
	if (input.size >= FRAME_HEADER) {
		announced = (size_t)input.data[0] << 24 | input.data[1] << 16 |
			    input.data[2] << 8 | input.data[3];
		if (announced > SESSION_FRAME_MAX)
			return ERR_LIMIT;
	}
	err = frame_take(input, &contents, &total);
	if (err < 0)
		return err;
	if (err == 0)
		return is_end ? ERR_CLOSED : 0;
	/* copied: the view ends with the next call on this link, and an answer is one */
	buf_drop_front(scratch, scratch->size);
	err = buf_append(scratch, contents);
	link_consume(s->link, LINK_CONTROL, total);
	if (err < 0)
		return err;
	err = wire_decode(m, buf_view(scratch),
			  s->state == SESSION_GUEST ? WIRE_FROM_GUEST : WIRE_FROM_CLIENT);
	return err < 0 ? err : 1;
}

void session_frame(const struct wire_message *m, struct buf *out)
{
	struct buf contents = { .limit = FRAME_MAX };
	int err = wire_encode(m, &contents);

	assert(err == 0);
	buf_drop_front(out, out->size);
	err = frame_append(out, buf_view(&contents));
	assert(err == 0);
	buf_clear(&contents);
}

int session_send_frame(struct session *s, struct bytes frame)
{
	return link_write(s->link, LINK_CONTROL, frame, false);
}
