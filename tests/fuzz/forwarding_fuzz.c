/* What a hostile contact leaves with us, asks, and says of others, after the handshake: messages
 * from nothing, and genuine ones that were changed. The store stays whole, and who was not asked for
 * is not found. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "peer/directory_client.h"
#include "peer/forwarding.h"
#include "peer/persons.h"
#include "peer/reach.h"
#include "peer/way.h"
#include "shared/error.h"
#include "tests/no_endpoint.h"
#include "tests/small_home.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { KEPT = 8 };

static struct small_home alice, bob, tom; /* Tom is the third */
static struct forwarding *rooms[3];
static struct way ways[3][2];
static struct buf kept[KEPT]; /* what was said last, of each kind of message */

struct path link_path(const struct link *l)
{
	(void)l;
	return (struct path){ .remote = small_address("192.0.2.1:4242") };
}

bool directory_client_is_online(const struct directory_client *d)
{
	(void)d;
	return false;
}

static unsigned index_of(const void *reach)
{
	return reach == &alice ? 0 : reach == &bob ? 1 : 2;
}

struct way *reach_way_at(const struct reach *r, unsigned index)
{
	struct way *w = &ways[index_of(r)][index];

	return index < 2 && w->number ? w : NULL;
}

int reach_say(struct reach *r, struct way *w, const struct wire_message *m)
{
	struct buf *b = &kept[(unsigned)m->type % KEPT];

	(void)r;
	(void)w;
	b->size = 0;
	return wire_encode(m, b);
}

void reach_found(struct reach *r, struct person *p, const struct device_public *device,
		 const struct address *seen, enum reach_source source, bool is_both)
{
	(void)r;
	(void)seen;
	(void)source;
	(void)is_both;
	if (!device_list_find(&p->devices, device))
		abort();
}

static void link_to(unsigned i, unsigned at, struct small_home *h,
		    const struct small_home *other)
{
	struct way *w = &ways[i][at];

	w->person = small_home_meet(h, other);
	w->device = other->device.public;
	w->number = w->link_number = 1 + at;
	w->state = WAY_LINKED;
	w->person->ways[0] = w;
}

static void begin(void)
{
	struct small_home *all[] = { &alice, &bob, &tom };

	if (sodium_init() < 0)
		abort();
	small_home_begin(&alice, "alice");
	small_home_begin(&bob, "bob");
	small_home_begin(&tom, "tom");
	small_home_meet(&alice, &bob);
	small_home_meet(&bob, &alice);
	link_to(0, 0, &alice, &tom);
	link_to(1, 0, &bob, &tom);
	link_to(2, 0, &tom, &alice);
	link_to(2, 1, &tom, &bob);
	for (unsigned i = 0; i < 3; i++) {
		small_home_plug(all[i], "192.168.1.1", 2);
		all[i]->rooms.reach = (struct reach *)(void *)all[i];
		all[i]->rooms.directory = (struct directory_client *)(void *)all[i];
		rooms[i] = forwarding_new(&all[i]->rooms);
	}
}

static void hear(unsigned who, unsigned from, struct bytes raw)
{
	struct wire_message m;

	if (wire_decode(&m, raw, WIRE_FROM_PEER) == 0)
		(void)forwarding_hear(rooms[who], &ways[who][from], &m);
}

/* What was said of this kind, changed where the input says, to one who may hear it. */
static void repeat(uint8_t how, const uint8_t *where)
{
	struct buf *b = &kept[(how >> 3) % KEPT];
	uint8_t *copy;

	if (b->size == 0)
		return;
	copy = memory_new(b->size);
	memcpy(copy, b->data, b->size);
	copy[((size_t)where[0] << 8 | where[1]) % b->size] ^= where[2];
	hear(how % 3, how % 3 == 2 ? how >> 2 & 1 : 0, bytes_of(copy, b->size));
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct small_home *all[] = { &alice, &bob, &tom };

	if (!rooms[0])
		begin();
	for (unsigned i = 0; i < 3; i++) {
		all[i]->rooms.now += 100 * SECOND;
		all[i]->rooms.wall += 100000;
		ways[i][0].link_number += 2; /* a new link: all is said anew */
		(void)forwarding_step(rooms[i]);
	}
	if (size > 0 && data[0] & 1) {
		hear(data[0] / 2 % 3, 0, bytes_of(data + 1, size - 1));
	} else {
		for (size_t i = 0; i + 3 < size; i += 4)
			repeat(data[i], data + i + 1);
	}
	for (unsigned i = 0; i < 3; i++)
		small_home_commit(all[i]);
	return 0;
}
