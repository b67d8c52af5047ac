/* Included by a test of our port at the router, once: a network, what is asked of its routers, and
 * answers by hand. */
#ifndef PALIQUE_TESTS_PORT_MAP_ASKED_H
#define PALIQUE_TESTS_PORT_MAP_ASKED_H

#include <string.h>

#include "peer/candidates.h"
#include "peer/network.h"
#include "peer/pcp.h"
#include "peer/port_map.h"
#include "tests/at.h"

enum { OURS = 7171, HEARD_MAX = 64 };

static struct rooms rooms;
static struct port_map *map;
static struct network network;
static struct address gateway, gateway6, outer, seen;

/* What the router got since it was last looked at. */
struct heard {
	uint8_t data[64];
	size_t size;
	struct path path;
};
static struct heard heard[HEARD_MAX];
static unsigned heard_count;

static inline void take_sent(void)
{
	static uint8_t room[ENDPOINT_LOOPBACK_MAX];
	struct datagram d;

	heard_count = 0;
	while (endpoint_send(rooms.endpoint, room, &d, rooms.now)) {
		struct heard *h = &heard[heard_count++];

		assert_true(heard_count < HEARD_MAX && d.size <= sizeof h->data);
		memcpy(h->data, room, d.size);
		h->size = d.size;
		h->path = d.path;
		assert_int_equal(d.path.remote.port, PCP_PORT);
	}
}

/* Of those, the one of this kind; NULL: there is none. */
static inline const struct heard *asked(uint8_t version, uint8_t opcode, uint8_t family)
{
	for (unsigned i = 0; i < heard_count; i++)
		if (heard[i].data[0] == version && heard[i].data[1] == opcode &&
		    heard[i].path.remote.family == family)
			return &heard[i];
	return NULL;
}

static inline mono_ns step(void)
{
	mono_ns deadline = port_map_step(map);

	take_sent();
	return deadline;
}

/* The next moment something is due, or so much later. */
static inline mono_ns step_at_deadline(void)
{
	rooms.now = step();
	return step();
}

static inline int begin(void **state)
{
	struct endpoint_config config = { .policy = ENDPOINT_ADMITTED, .idle_timeout = SECOND };

	(void)state;
	device_make(&config.device);
	rooms = (struct rooms){ .now = 1000 * SECOND };
	rooms.endpoint = endpoint_new(&config, rooms.now);
	rooms.candidates = own_candidates_new();
	map = port_map_new(&rooms);
	gateway = at("192.168.1.1:5351");
	outer = at("203.0.113.9:4000");
	seen = at("203.0.113.9:999");
	network = (struct network){ .port = OURS,
				    .gateway4 = at("192.168.1.1"),
				    .toward4 = at("192.168.1.7") };
	gateway6 = at("[fe80::1]:5351");
	gateway6.scope = 3;
	own_candidates_set_network(rooms.candidates, &network);
	own_candidates_set_observed(rooms.candidates, &seen);
	return 0;
}

static inline int end(void **state)
{
	(void)state;
	port_map_free(map);
	own_candidates_free(rooms.candidates);
	endpoint_free(rooms.endpoint);
	return 0;
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)

static inline bool say(const struct address *from, const void *data, size_t size)
{
	struct path path = { .remote = *from };

	return port_map_stray(map, &path, bytes_of(data, size));
}

static inline void put32(uint8_t *out, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		out[i] = (uint8_t)(v >> (24 - 8 * i));
}

static inline void put_outer(uint8_t *out, const struct address *a)
{
	out[42] = (uint8_t)(a->port >> 8);
	out[43] = (uint8_t)a->port;
	memset(out + 44, 0, 16);
	if (a->family == 4) {
		out[54] = out[55] = 0xff;
		memcpy(out + 56, a->ip, 4);
	} else {
		memcpy(out + 44, a->ip, 16);
	}
}

/* To the last question of PCP. */
static inline void make_pcp(uint8_t out[PCP_MAP_SIZE], const struct heard *question,
			    uint8_t result, uint32_t life, uint32_t epoch,
			    const struct address *where)
{
	assert_non_null(question);
	memcpy(out, question->data, PCP_MAP_SIZE);
	out[1] |= 0x80;
	out[3] = result;
	put32(out + 4, life);
	put32(out + 8, epoch);
	memset(out + 12, 0, 12);
	put_outer(out, where);
}

static inline void answer_pcp(uint8_t result, uint32_t life, uint32_t epoch,
			      const struct address *where)
{
	uint8_t d[PCP_MAP_SIZE];

	make_pcp(d, asked(2, 1, 4), result, life, epoch, where);
	assert_true(say(&gateway, d, sizeof d));
}

static inline void answer_natpmp(const struct address *where, uint32_t life, uint32_t epoch)
{
	uint8_t address[12] = { 0, 0x80 }, mapping[16] = { 0, 0x81 };

	put32(address + 4, epoch);
	memcpy(address + 8, where->ip, 4);
	put32(mapping + 4, epoch);
	mapping[8] = OURS >> 8;
	mapping[9] = (uint8_t)OURS;
	mapping[10] = (uint8_t)(where->port >> 8);
	mapping[11] = (uint8_t)where->port;
	put32(mapping + 12, life);
	assert_true(say(&gateway, address, sizeof address));
	assert_true(say(&gateway, mapping, sizeof mapping));
}

static inline enum port_map_state state_of(enum port_map_way way)
{
	return port_map_report(map, way).state;
}

static inline bool is_published(const struct address *a)
{
	const struct candidates *c = own_candidates(rooms.candidates);

	for (unsigned i = 0; i < c->count; i++)
		if (c->list[i].kind == CANDIDATE_MAPPED &&
		    address_equal(&c->list[i].address, a))
			return true;
	return false;
}

static inline struct job upnp_answer(struct job job, const char *where)
{
	job.addresses[0] = at(where);
	job.address_count = 1;
	memcpy(job.router, "Box/1", 6);
	memcpy(job.url, "http://192.168.1.1/d", 21);
	return job;
}

#endif
