/* What strangers and a hostile contact say on a LAN: datagrams from nothing, and genuine ones that
 * were changed. Whatever they are, at most one is answered by one, and the store stays whole. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "peer/lan.h"
#include "peer/persons.h"
#include "peer/reach.h"
#include "tests/no_endpoint.h"
#include "tests/small_home.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct small_home alice, bob;
static struct lan *ours, *theirs;
static uint8_t last[2048];
static size_t last_size;
static unsigned sent;

void endpoint_send_stray(struct endpoint *e, const struct path *path, struct bytes contents,
			 uint8_t ttl)
{
	(void)e;
	(void)ttl;
	if (contents.size > sizeof last || !path->remote.family)
		abort();
	memcpy(last, contents.data, contents.size);
	last_size = contents.size;
	sent++;
}

void reach_found(struct reach *r, struct person *p, const struct device_public *device,
		 const struct address *seen, enum reach_source source, bool is_both)
{
	(void)r;
	(void)seen;
	(void)source;
	(void)is_both;
	/* Only ever one who is known, at a device of theirs. */
	if (!device_list_find(&p->devices, device))
		abort();
}

static void begin(void)
{
	if (sodium_init() < 0)
		abort();
	small_home_begin(&alice, "alice");
	small_home_begin(&bob, "bob");
	small_home_plug(&alice, "192.168.1.1", 2);
	small_home_plug(&bob, "192.168.1.2", 2);
	small_home_meet(&alice, &bob);
	small_home_meet(&bob, &alice);
	ours = lan_new(&alice.rooms);
	theirs = lan_new(&bob.rooms);
}

static void hear(struct lan *l, const struct small_home *from, struct bytes data)
{
	struct path path = { .remote = from->network.addresses[0] };
	unsigned before = sent;

	(void)lan_stray(l, &path, data);
	if (sent - before > 1)
		abort();
}

/* Pairs of a place and what is changed there. */
static void change(struct bytes how)
{
	for (size_t i = 0; i + 2 < how.size; i += 3) {
		size_t at = (size_t)how.data[i] << 8 | how.data[i + 1];

		last[at % last_size] ^= how.data[i + 2];
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes rest = bytes_of(data, size);

	if (!ours)
		begin();
	alice.rooms.now = bob.rooms.now += 61 * SECOND;
	if (size == 0)
		return 0;
	if (data[0] & 1) {
		hear(ours, &bob, bytes_of(data + 1, size - 1));
	} else {
		rest = bytes_of(data + 1, size - 1);
		lan_step(data[0] & 2 ? ours : theirs);
		if (!(data[0] & 4))
			change(rest);
		hear(data[0] & 2 ? theirs : ours, data[0] & 2 ? &alice : &bob,
		     bytes_of(last, last_size));
		change(rest);
		hear(data[0] & 2 ? ours : theirs, data[0] & 2 ? &bob : &alice,
		     bytes_of(last, last_size));
	}
	small_home_commit(&alice);
	small_home_commit(&bob);
	return 0;
}
