/* What comes beside a link: the words in the answer to a handshake, which are the other side's to
 * choose, and datagrams outside QUIC, which are anybody's, with the tag and the MAC of a contact or
 * without. Whatever they are, nothing is broken by them. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "peer/reach.h"
#include "shared/frame.h"
#include "tests/peer_fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct peer us, them;
static struct way *way;
static mono_ns now = SECOND;

static void begin(void)
{
	static const struct address at = { .family = 4, .port = 7000, .ip = { 10, 0, 0, 9 } };

	if (sodium_init() < 0)
		abort();
	peer_make(&us, "alice");
	peer_make(&them, "bob");
	peer_open(&us, now, 1700000000000);
	if (engine_add(us.engine, "bob", &them.identity.public, NULL) < 0)
		abort();
	peer_tell_presence(&us, &them, &at, true);
	peer_step(&us, now, 1700000000000);
	way = peer_person(&us, "bob")->ways[0];
	peer_hide(&them);
	peer_hide(&us); /* the fuzzer leaves without a word */
}

/* A message of theirs, by a number near the one that we wait for. */
static void say(struct buf *words, uint8_t how)
{
	struct wire_message m = { .type = how & 64 ? WIRE_HAVE : WIRE_SAY };
	struct buf encoded = { 0 };

	if (m.type == WIRE_HAVE) {
		m.have.conversation = way->talks[0]->id;
		m.have.next = 1;
	} else {
		m.say.conversation = way->talks[0]->id;
		m.say.author = how & 32 ? us.device.public : them.device.public;
		m.say.seq = way->talks[0]->chain.next + (how & 7) - 2;
		m.say.previous = way->talks[0]->chain.last;
		m.say.kind = SAY_TEXT;
		m.say.body = bytes_text("text");
	}
	if (wire_encode(&m, &encoded) == 0)
		(void)frame_append(words, buf_view(&encoded));
	buf_clear(&encoded);
}

static void hear_words(struct bytes rest)
{
	struct buf words = { 0 };

	for (; rest.size > 0 && rest.data[0] >= 128;
	     rest = bytes_of(rest.data + 1, rest.size - 1))
		say(&words, rest.data[0]);
	(void)buf_append(&words, rest);
	(void)way_words(us.rooms, way, buf_view(&words));
	buf_clear(&words);
}

static void hear_stray(struct bytes data)
{
	struct path path = { .remote = { .family = 4, .port = 9, .ip = { 192, 0, 2, 1 } } };
	uint8_t out[PROBE_SIZE_MAX];
	struct probe_keys theirs = way->probe_keys;
	struct probe probe = { 0 };

	reach_stray(us.rooms->reach, &path, data);
	if (data.size < 2 * PROBE_NONCE_SIZE + 1 || !way->has_probe_keys)
		return;
	probe.is_answer = data.data[0] & 1;
	memcpy(probe.nonce.bytes, data.data + 1, PROBE_NONCE_SIZE);
	memcpy(probe.echo.bytes, data.data + 1 + PROBE_NONCE_SIZE, PROBE_NONCE_SIZE);
	theirs.out = way->probe_keys.in;
	theirs.tag_out = way->probe_keys.tag_in;
	if (!reach_stray(us.rooms->reach, &path,
			 bytes_of(out, probe_encode(out, &probe, &theirs))))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t room[ENDPOINT_LOOPBACK_MAX];
	struct datagram d;

	if (!us.engine)
		begin();
	if (size == 0)
		return 0;
	if (data[0] & 1)
		hear_words(bytes_of(data + 1, size - 1));
	else
		hear_stray(bytes_of(data + 1, size - 1));
	now += SECOND;
	peer_step(&us, now, 1700000000000);
	us.heard[0] = '\0';
	while (endpoint_send(engine_endpoint(us.engine), room, &d, now))
		continue;
	/* The store would grow for as long as this runs. */
	if (now % (2000 * SECOND) == 0) {
		peer_remove(&us);
		peer_remove(&them);
		begin();
	}
	return 0;
}
