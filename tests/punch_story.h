/* Included by a test of attempts (peer/punch.h), once: the two machines of tests/punch_net.h, and the three functions
 * that an attempt calls, in place of an endpoint's. */
#ifndef PALIQUE_TESTS_PUNCH_STORY_H
#define PALIQUE_TESTS_PUNCH_STORY_H

#include "peer/punch_inside.h"
#include "tests/punch_net.h"

/* --- what an attempt needs of an endpoint --- */

void endpoint_send_stray(struct endpoint *e, const struct path *path, struct bytes contents,
			 uint8_t ttl)
{
	punch_net_send(e, path, contents, ttl);
}

uint16_t endpoint_extra_socket(struct endpoint *e)
{
	return punch_net_socket(e);
}

void endpoint_release_socket(struct endpoint *e, uint16_t socket)
{
	punch_net_release(e, socket);
}

/* --- the two --- */

static struct punch_net net;

static inline void begin(enum nat_box_kind a, enum nat_box_kind b, uint64_t seed)
{
	punch_net_init(&net, a, b, seed);
	punch_net_classify(&net);
}

/* From the moment the dialler was introduced. */
static inline mono_ns took(void)
{
	struct endpoint *e = &net.sides[net.sides[0].is_dialler ? 0 : 1];

	return e->linked_at - e->introduced_at;
}

static inline bool is_random(enum nat_box_kind kind)
{
	return kind == BOX_SYM || kind == BOX_SYMADM;
}

/* What meets within a few thousand strays in each second, and by luck within what may arrive. */
static inline bool is_luck(enum nat_box_kind a, enum nat_box_kind b)
{
	return (is_random(a) && b == BOX_SYMBLK) || (a == BOX_SYMBLK && is_random(b));
}

/* A tap. */
static inline bool lose_all(struct punch_net *n, unsigned from, const struct path *path,
			    struct bytes data, uint8_t ttl)
{
	(void)n;
	(void)from;
	(void)path;
	(void)data;
	(void)ttl;
	return false;
}

/* The directory says anew what it knows of the other. */
static inline void renew(unsigned side, const struct punch_goal *goal)
{
	struct punch_goal g = *goal;

	g.network = &net.sides[side].network;
	g.seen.family = 0;
	punch_renewed(net.sides[side].punch, &g, net.now);
}

#endif
