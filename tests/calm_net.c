#include "tests/calm_net.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define NET_START ((mono_ns)1000 * SECOND)
#define NET_WALL  ((wall_ms)1700000000000)

void calm_net_init(struct calm_net *net)
{
	memset(net, 0, sizeof *net);
	net->now = NET_START;
	net->wall = NET_WALL;
}

unsigned calm_net_add(struct calm_net *net, struct endpoint *e, calm_net_step *step, void *user)
{
	struct calm_net_node *node = &net->nodes[net->count];

	assert(net->count < CALM_NET_NODES_MAX);
	memset(node, 0, sizeof *node);
	node->endpoint = e;
	node->address = (struct address){ .family = 4, .port = 7000, .ip = { 10, 0, 0 } };
	node->address.ip[3] = (uint8_t)(net->count + 1);
	node->step = step;
	node->user = user;
	return net->count++;
}

struct packet {
	struct calm_net_node *to;
	struct path path;
	size_t size;
	uint8_t *data;
};

/* Sockets beside the first have the ports behind its own. */
static struct calm_net_node *node_at(struct calm_net *net, const struct address *a,
				     uint16_t *socket)
{
	for (unsigned i = 0; i < net->count; i++) {
		const struct address *own = &net->nodes[i].address;

		*socket = (uint16_t)(a->port - own->port);
		if (address_same_ip(own, a) && (*socket == 0 || *socket >= PATH_EXTRA))
			return &net->nodes[i];
	}
	return NULL;
}

static struct address sender(const struct calm_net_node *from, const struct path *path)
{
	struct address a = from->address;

	if (path->socket >= PATH_EXTRA)
		a.port = (uint16_t)(a.port + path->socket);
	return a;
}

struct post {
	struct packet *list;
	size_t count;
};

static void put(struct calm_net *net, struct post *post, struct calm_net_node *from,
		struct calm_net_node *to, uint16_t socket, const struct datagram *d,
		const uint8_t *contents)
{
	struct packet *p;

	if (!to->endpoint || (net->is_cut && net->is_cut(net->cut_user, from, to)))
		return;
	if ((post->count & (post->count - 1)) == 0) /* room is twice as much each time */
		post->list = memory_grow(post->list, post->count ? 2 * post->count : 1,
					 sizeof *post->list);
	p = &post->list[post->count++];
	*p = (struct packet){ .to = to, .size = d->size };
	p->path.socket = socket;
	p->path.local = address_is_multicast(&d->path.remote) ? d->path.remote : to->address;
	p->path.remote = sender(from, &d->path);
	p->data = memory_new(d->size);
	memcpy(p->data, contents, d->size);
}

static void send(struct calm_net *net, struct post *post, struct calm_net_node *from,
		 const struct datagram *d, const uint8_t *contents)
{
	uint16_t socket = 0;
	struct calm_net_node *to = node_at(net, &d->path.remote, &socket);

	/* Who opens nothing but its own NAT goes no further. */
	if (d->ttl)
		return;
	if (to)
		put(net, post, from, to, socket, d, contents);
	for (unsigned i = 0; address_is_multicast(&d->path.remote) && i < net->count; i++) {
		if (&net->nodes[i] != from)
			put(net, post, from, &net->nodes[i], 0, d, contents);
	}
}

/* Takes all that the nodes want to send now. */
static size_t collect(struct calm_net *net, struct packet **out)
{
	static uint8_t room[ENDPOINT_LOOPBACK_MAX];
	struct post post = { 0 };
	struct datagram d;
	uint16_t socket;

	for (unsigned i = 0; i < net->count; i++) {
		struct calm_net_node *from = &net->nodes[i];

		while (from->endpoint && endpoint_send(from->endpoint, room, &d, net->now))
			send(net, &post, from, &d, room);
		while (from->endpoint && endpoint_next_released(from->endpoint, &socket))
			continue;
	}
	*out = post.list;
	return post.count;
}

static void deliver(struct calm_net *net, struct packet *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct packet *p = &list[i];

		if (p->to->endpoint)
			endpoint_receive(p->to->endpoint, &p->path, p->data, p->size, net->now);
		p->to->received++;
		free(p->data);
	}
	free(list);
}

static void step_all(struct calm_net *net)
{
	for (unsigned i = 0; i < net->count; i++) {
		struct calm_net_node *node = &net->nodes[i];

		if (!node->endpoint)
			continue;
		endpoint_tick(node->endpoint, net->now);
		node->deadline = node->step(node->user, net->now, net->wall);
	}
}

static mono_ns earliest(struct calm_net *net)
{
	mono_ns next = NEVER;

	for (unsigned i = 0; i < net->count; i++) {
		struct calm_net_node *node = &net->nodes[i];

		if (!node->endpoint)
			continue;
		next = mono_earlier(next, node->deadline);
		next = mono_earlier(next, endpoint_deadline(node->endpoint));
	}
	return next;
}

bool calm_net_run(struct calm_net *net, mono_ns length, bool (*done)(void *user), void *user)
{
	mono_ns end = net->now + length;

	for (;;) {
		struct packet *list;
		size_t count;
		mono_ns next;

		step_all(net);
		if (done && done(user))
			return true;
		count = collect(net, &list);
		deliver(net, list, count);
		if (count > 0) {
			/* Light is slow enough that a loop cannot stop the clock. */
			next = net->now + 10000;
		} else {
			next = earliest(net);
			if (next <= net->now)
				next = net->now + MILLISECOND / 10;
		}
		if (next >= end) {
			net->wall += (wall_ms)((end - net->now) / MILLISECOND);
			net->now = end;
			return done && done(user);
		}
		net->wall += (wall_ms)((next - net->now) / MILLISECOND);
		net->now = next;
	}
}

bool calm_net_everything(void *user, const struct calm_net_node *from,
			 const struct calm_net_node *to)
{
	(void)user, (void)from, (void)to;
	return true;
}
