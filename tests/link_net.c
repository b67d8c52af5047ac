#include "tests/link_net.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static uint64_t net_random(struct net *net)
{
	net->random ^= net->random << 13;
	net->random ^= net->random >> 7;
	net->random ^= net->random << 17;
	return net->random;
}

void net_init(struct net *net)
{
	if (sodium_init() < 0)
		abort();
	*net = (struct net){ .now = 1000 * SECOND,
			     .delay = 10 * MILLISECOND,
			     .random = 88172645463325252u };
}

void net_clear(struct net *net)
{
	for (unsigned i = 0; i < net->count; i++) {
		endpoint_free(net->nodes[i].e);
		buf_clear(&net->nodes[i].token);
		buf_clear(&net->nodes[i].words);
		buf_clear(&net->nodes[i].inbox);
	}
	while (net->packets) {
		struct net_packet *next = net->packets->next;

		free(net->packets);
		net->packets = next;
	}
	net->count = 0;
}

unsigned net_add(struct net *net, enum endpoint_policy policy)
{
	unsigned n = net->count++;
	struct net_node *node = &net->nodes[n];

	assert(n < NET_NODES_MAX);
	*node = (struct net_node){ .is_reading = true };
	node->address = (struct address){ .family = 4,
					  .port = 1000,
					  .ip = { 10, 0, n / 250, n % 250 + 1 } };
	identity_make(&node->identity);
	node->config = (struct endpoint_config){ .policy = policy,
						 .idle_timeout = 30 * SECOND,
						 .keep_alive = 10 * SECOND };
	device_make(&node->config.device);
	if (policy == ENDPOINT_ADMITTED) {
		certificate_make(&node->config.certificate, &node->identity,
				 &node->config.device.public, "device", 1, 0);
		node->config.has_certificate = true;
		randombytes_buf(node->config.knock.bytes, sizeof node->config.knock.bytes);
	} else {
		node->config.knock = knock_of_directory(&node->config.device.public);
	}
	node->e = endpoint_new(&node->config, net->now);
	return n;
}

void net_befriend(struct net *net, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		for (unsigned j = 0; j < count; j++)
			if (i != j)
				endpoint_admit(net->nodes[i].e, &net->nodes[j].identity.public,
					       false);
}

void net_restart(struct net *net, unsigned n)
{
	struct net_node *node = &net->nodes[n];

	endpoint_free(node->e);
	node->e = endpoint_new(&node->config, net->now);
	node->link = NULL;
	node->is_dead = false;
	for (unsigned i = 0; i < net->count; i++)
		if (i != n)
			endpoint_admit(node->e, &net->nodes[i].identity.public, false);
}

struct link_target net_target(const struct net *net, unsigned to)
{
	const struct net_node *node = &net->nodes[to];
	struct link_target t = { .pattern = LINK_IK,
				 .device = node->config.device.public,
				 .knock = node->config.knock,
				 .address_count = 1 };

	t.addresses[0] = node->address;
	if (node->config.has_certificate) {
		t.has_identity = true;
		t.identity = node->identity.public;
	}
	return t;
}

struct link *net_dial(struct net *net, unsigned from, unsigned to)
{
	struct link_target t = net_target(net, to);

	return endpoint_dial(net->nodes[from].e, &t, net->now);
}

void net_inject(struct net *net, const struct address *from, const struct address *to,
		struct bytes data, mono_ns after)
{
	struct net_packet *p = malloc(sizeof *p + data.size), **at = &net->packets;

	*p = (struct net_packet){ .at = net->now + after,
				  .order = net->order++,
				  .from = *from,
				  .to = *to,
				  .size = data.size };
	memcpy(p->data, data.data, data.size);
	while (*at && (*at)->at <= p->at)
		at = &(*at)->next;
	p->next = *at;
	*at = p;
}

static bool chance(struct net *net, unsigned of_thousand)
{
	return of_thousand && net_random(net) % 1000 < of_thousand;
}

/* Where it leaves from; an extra socket opens. */
static struct address source_of(struct net_node *node, const struct datagram *d)
{
	struct address from = node->address;
	unsigned n = (unsigned)d->path.socket - PATH_EXTRA;

	assert(d->path.tunnel == 0);
	if (d->path.socket < PATH_EXTRA)
		return from;
	assert(n < PATH_EXTRA_MAX);
	node->open_count += !node->is_open[n];
	node->is_open[n] = true;
	from.port = NET_EXTRA_PORT + n;
	return from;
}

static void transmit(struct net *net, unsigned from, struct datagram *d, uint8_t *data)
{
	struct address source = source_of(&net->nodes[from], d);
	mono_ns after;

	net->nodes[from].sent++;
	net->nodes[from].sent_bytes += d->size;
	if (net->tap && !net->tap(net, from, d, data))
		return;
	for (unsigned copies = 1 + chance(net, net->duplicates); copies > 0; copies--) {
		if (chance(net, net->loss) || (d->ttl && d->ttl < net->hops))
			continue;
		after = net->delay + (net->jitter ? net_random(net) % net->jitter : 0);
		net_inject(net, &source, &d->path.remote, bytes_of(data, d->size), after);
	}
}

static void read_stream(struct net_node *node, struct link *l, int64_t stream)
{
	bool is_end;
	struct bytes view = link_peek(l, stream, &is_end);

	buf_append(&node->inbox, view);
	node->has_end |= is_end;
	link_consume(l, stream, view.size);
}

static void take(struct net_node *node, const struct link_event *event)
{
	node->told[event->kind]++;
	if (node->first_told == NET_KINDS)
		node->first_told = event->kind;
	switch (event->kind) {
	case LINK_UP:
		node->link = event->link;
		break;
	case LINK_READABLE:
		if (node->is_reading)
			read_stream(node, event->link, event->stream);
		break;
	case LINK_ABANDONED:
		node->abandoned_stream = event->stream;
		node->abandoned_code = event->code;
		break;
	case LINK_TOKEN:
		buf_clear(&node->token);
		buf_append(&node->token, event->data);
		break;
	case LINK_WORDS:
		buf_clear(&node->words);
		buf_append(&node->words, event->data);
		break;
	case STRAY:
		node->stray_path = event->path;
		break;
	case LINK_DOWN:
		if (node->link == event->link)
			node->link = NULL;
		node->down_error = event->error;
		node->down_code = event->code;
		break;
	default:
		break;
	}
}

static void close_released(struct net_node *node)
{
	uint16_t socket;

	while (endpoint_next_released(node->e, &socket)) {
		if (node->is_open[socket - PATH_EXTRA])
			node->closed_count++;
		node->is_open[socket - PATH_EXTRA] = false;
	}
}

static void flush_node(struct net *net, unsigned n)
{
	static uint8_t room[ENDPOINT_LOOPBACK_MAX];
	struct net_node *node = &net->nodes[n];
	struct link_event event;
	struct datagram d;

	while (!node->is_deaf && endpoint_next(node->e, &event))
		take(node, &event);
	while (endpoint_send(node->e, room, &d, net->now))
		transmit(net, n, &d, room);
	close_released(node);
	while (!node->is_deaf && endpoint_next(node->e, &event))
		take(node, &event);
}

void net_flush(struct net *net)
{
	for (unsigned i = 0; i < net->count; i++)
		if (!net->nodes[i].is_dead)
			flush_node(net, i);
}

/* Which of its sockets is at `to`; below 0: none. */
static int socket_at(const struct net_node *node, const struct address *to)
{
	unsigned n = (unsigned)to->port - NET_EXTRA_PORT;

	if (address_equal(&node->address, to))
		return 0;
	if (address_same_ip(&node->address, to) && to->port >= NET_EXTRA_PORT &&
	    n < PATH_EXTRA_MAX && node->is_open[n])
		return PATH_EXTRA + (int)n;
	return -1;
}

static void deliver(struct net *net, struct net_packet *p)
{
	for (unsigned i = 0; i < net->count; i++) {
		struct net_node *node = &net->nodes[i];
		struct path path = { .local = p->to, .remote = p->from };
		int socket = socket_at(node, &p->to);

		if (node->is_dead || socket < 0)
			continue;
		path.socket = socket;
		node->received++;
		endpoint_receive(node->e, &path, p->data, p->size, net->now);
		break;
	}
	free(p);
}

static mono_ns next_deadline(const struct net *net)
{
	mono_ns at = NEVER;

	for (unsigned i = 0; i < net->count; i++)
		if (!net->nodes[i].is_dead)
			at = mono_earlier(at, endpoint_deadline(net->nodes[i].e));
	return at;
}

/* One moment further; false: nothing before `until`. */
static bool step(struct net *net, mono_ns until)
{
	mono_ns at;

	net_flush(net);
	at = next_deadline(net);
	if (net->packets)
		at = mono_earlier(at, net->packets->at);
	if (at > until)
		return false;
	if (at > net->now)
		net->now = at;
	while (net->packets && net->packets->at <= net->now) {
		struct net_packet *p = net->packets;

		net->packets = p->next;
		deliver(net, p);
	}
	for (unsigned i = 0; i < net->count; i++)
		if (!net->nodes[i].is_dead)
			endpoint_tick(net->nodes[i].e, net->now);
	return true;
}

bool net_run_until(struct net *net, bool (*condition)(struct net *net), mono_ns duration)
{
	mono_ns until = net->now + duration;

	for (;;) {
		net_flush(net);
		if (condition && condition(net))
			return true;
		if (!step(net, until))
			break;
	}
	net->now = until;
	net_flush(net);
	return condition && condition(net);
}

void net_run(struct net *net, mono_ns duration)
{
	net_run_until(net, NULL, duration);
}

void net_write(struct net *net, unsigned n, int64_t stream, const char *text)
{
	int err = link_write(net->nodes[n].link, stream, bytes_text(text), false);

	assert(err == 0);
	(void)err;
}

bool net_inbox_is(const struct net *net, unsigned n, const char *text)
{
	return bytes_equal(buf_view(&net->nodes[n].inbox), bytes_text(text));
}
