/* An attempt that is told anything, in any order, authentic or not: it stays within its bounds. */
#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "peer/punch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct endpoint {
	unsigned sent, sockets;
	bool in_use[PATH_EXTRA_MAX];
	struct path path; /* of the last probe, and its nonce */
	struct probe_nonce nonce;
	struct probe_keys theirs;
};

void endpoint_send_stray(struct endpoint *e, const struct path *path, struct bytes contents,
			 uint8_t ttl)
{
	struct probe probe;

	(void)ttl;
	assert(probe_decode(&probe, contents, &e->theirs) == 0);
	assert(path->socket == 0 || e->in_use[path->socket - PATH_EXTRA]);
	assert(address_is_unicast(&path->remote));
	e->nonce = probe.nonce;
	e->path = *path;
	e->sent++;
}

uint16_t endpoint_extra_socket(struct endpoint *e)
{
	for (unsigned i = 0; i < PATH_EXTRA_MAX; i++) {
		if (!e->in_use[i]) {
			e->in_use[i] = true;
			return (uint16_t)(PATH_EXTRA + i);
		}
	}
	return 0;
}

void endpoint_release_socket(struct endpoint *e, uint16_t socket)
{
	assert(socket >= PATH_EXTRA && e->in_use[socket - PATH_EXTRA]);
	e->in_use[socket - PATH_EXTRA] = false;
}

struct input {
	const uint8_t *data;
	size_t size;
};

static void take(struct input *in, void *out, size_t size)
{
	memset(out, 0, size);
	if (size > in->size)
		size = in->size;
	if (size > 0)
		memcpy(out, in->data, size);
	in->data += size;
	in->size -= size;
}

static uint8_t byte(struct input *in)
{
	uint8_t b;

	take(in, &b, 1);
	return b;
}

static struct address address(struct input *in)
{
	struct address a = { .family = byte(in) % 4 ? 4 : 6 };

	take(in, a.ip, a.family == 4 ? 4 : 16);
	take(in, &a.port, sizeof a.port);
	return a;
}

static void fill(struct input *in, struct punch_goal *goal, struct network *network)
{
	struct nat *nats[] = { &goal->ours, &goal->theirs };
	uint8_t bits = byte(in);

	for (int i = 0; i < 2; i++) {
		nats[i]->mapping = byte(in) % 7;
		nats[i]->filtering = byte(in) % 3;
		take(in, &nats[i]->low, 2);
		take(in, &nats[i]->high, 2);
	}
	for (int i = byte(in) % 20; i > 0; i--) {
		struct address a = address(in);

		candidates_add(&goal->candidates, (enum candidate_kind)(1 + byte(in) % 3), &a);
	}
	if (bits & 1)
		goal->seen = address(in);
	if (bits & 2)
		goal->our_public = address(in);
	goal->is_introduced = bits & 4;
	goal->is_awaited = bits & 8;
	goal->is_first = bits & 16;
	goal->may_spray = bits & 32;
	network->is_metered = bits & 64;
	network->address_count = bits >> 7;
	network->addresses[0] = address(in);
	goal->our_round_trip = byte(in) * MILLISECOND;
	goal->their_round_trip = (mono_ns)byte(in) << (byte(in) % 56);
	goal->network = network;
}

static void hear(struct input *in, struct punch *p, struct endpoint *e, mono_ns now)
{
	uint8_t how = byte(in);
	struct path path = { .remote = address(in) };
	struct probe probe = { .is_answer = how & 1 };

	take(in, &probe.nonce, sizeof probe.nonce);
	take(in, &probe.echo, sizeof probe.echo);
	if (how & 2)
		probe.echo = e->nonce;
	if ((how & 4) && e->sent > 0 &&
	    (e->path.socket == 0 || e->in_use[e->path.socket - PATH_EXTRA]))
		path = e->path;
	punch_hear(p, &path, &probe, now);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct network network;
	struct input in = { data, size };
	struct punch_limits limits = { 0 };
	struct endpoint e = { 0 };
	struct punch_goal goal = { 0 };
	struct punch_offer offer;
	struct address a;
	struct punch *p;
	unsigned unproved = 0;
	mono_ns now = SECOND;
	bool goes_on = true;

	if (sodium_init() < 0)
		return 0;
	fill(&in, &goal, &network);
	p = punch_new(&e, &limits, &goal, now);
	while (in.size > 0 && goes_on) {
		uint8_t what = byte(&in);

		if (what % 8 == 0) {
			a = address(&in);
			punch_add(p, &a, (enum candidate_kind)(1 + what / 8 % 3), now);
		} else if (what % 8 == 1) {
			goal.is_introduced = true;
			punch_introduced(p, &goal, now);
		} else if (what % 8 < 5) {
			hear(&in, p, &e, now);
		} else {
			now += (mono_ns)(what / 8) * 5 * MILLISECOND;
		}
		goes_on = punch_step(p, now);
		while (punch_next(p, &offer))
			unproved += !offer.is_proved;
		assert(!goes_on || punch_deadline(p) > now);
	}
	assert(unproved <= LINK_OFFERS_MAX);
	punch_free(p);
	for (unsigned i = 0; i < PATH_EXTRA_MAX; i++)
		assert(!e.in_use[i]);
	punch_limits_clear(&limits);
	return 0;
}
