/* Messages of a hostile contact, or of a device of ours that was stolen, after the handshake:
 * whatever they are, the engine refuses them or stays whole, and its store can be committed. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "peer/outbox.h"
#include "peer/persons.h"
#include "shared/offer.h"
#include "tests/peer_fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct peer us, them, sibling;
static struct way *way, *ways[2];
static const struct peer *from;
static struct talk *talk;
static mono_ns now = SECOND;

static void begin(void)
{
	if (sodium_init() < 0)
		abort();
	peer_make(&us, "alice");
	peer_make(&them, "bob");
	peer_make_sibling(&sibling, &us);
	peer_open(&us, now, 1700000000000);
	if (engine_add(us.engine, "bob", &them.identity.public, NULL) < 0)
		abort();
	peer_tell_presence(&us, &them, NULL, true);
	peer_step(&us, now, 1700000000000);
	peer_tell_presence(&us, &sibling, NULL, true);
	ways[0] = peer_person(&us, "bob")->ways[0];
	ways[1] = persons_self(us.rooms->persons)->ways[0];
	if (!ways[0] || !ways[1] || ways[1]->talk_count != 1)
		abort();
	peer_hide(&them);
	peer_hide(&sibling);
	peer_hide(&us); /* the fuzzer leaves without a word */
}

/* Bytes become numbers near those that matter: what the chains hold now, and the ends. */
static uint64_t number(struct bytes *rest, uint64_t near)
{
	uint8_t b = rest->size > 0 ? rest->data[0] : 0;

	if (rest->size > 0)
		*rest = bytes_of(rest->data + 1, rest->size - 1);
	if (b < 250)
		return near + b - 125;
	return b == 250 ? 0 : b == 251 ? UINT64_MAX : b == 252 ? CHAIN_MAX - 1 : CHAIN_MAX + b;
}

/* What it says, and about what: of us, of the sender, or of nobody. */
static void make_entry(struct wire_say *say, struct bytes *rest)
{
	static const char *const bodies[] = { "text", "", "a b", "a a", "\xe2\x80\xae" };
	static uint8_t hash[32];
	struct offer offer = { .name = bytes_text("a"), .size = 1 };
	static struct buf encoded;
	uint8_t what = (uint8_t)number(rest, 125);

	say->kind = (enum say_kind)(1 + (what & 7));
	say->body = bytes_text(bodies[(what >> 3) % 5]);
	say->is_forwarded = (what & 0xc0) == 0x40;
	say->life = (what & 0xc0) == 0x80 || say->kind == SAY_TIMER ? what : 0;
	say->time = (wall_ms)number(rest, 1000);
	if (say->kind == SAY_GONE)
		say->body = BYTES(hash);
	if (say->kind == SAY_RETRACT || say->kind == SAY_TIMER)
		say->body = (struct bytes){ 0 };
	if (say->kind == SAY_FILE && what < 128) {
		encoded.size = 0;
		if (offer_encode(&offer, &encoded) == 0)
			say->body = buf_view(&encoded);
	}
	if (what & 1)
		say->about_author = from->device.public;
	say->about_seq = number(rest, (what & 1) ? talk->chain.next : 1);
	if (say->kind == SAY_TIMER)
		say->is_about = false;
	else if (say->kind >= SAY_EDIT && say->kind <= SAY_REACT)
		say->is_about = true;
}

static void make(struct wire_message *m, struct bytes *rest)
{
	const struct person *p = talk->person;
	uint8_t how = (uint8_t)number(rest, 125);
	struct conversation_id id = p->conversation->wire;
	struct device_public author = how & 4 ? us.device.public : from->device.public;
	struct message_hash hash = talk->chain.last;

	id.bytes[0] ^= (how & 0xf8) == 8;
	author.bytes[0] ^= (how & 0xf8) == 16;
	hash.bytes[0] ^= (how & 0xf8) == 24;
	memset(m, 0, sizeof *m);
	if ((how & 0xf8) == 32) {
		m->type = WIRE_DELIVERED;
		m->delivered = (struct wire_delivered){ id, number(rest, talk->chain.next) };
		return;
	}
	if ((how & 0xf8) == 40) {
		m->type = WIRE_DEVICES;
		m->devices.devices = from->devices;
		m->devices.devices.version = number(rest, from->devices.version);
		if ((how & 1) && m->devices.devices.version < CHAIN_MAX)
			device_list_sign(&m->devices.devices, &from->identity);
		return;
	}
	switch (how & 3) {
	case 0:
		m->type = WIRE_HAVE;
		m->have = (struct wire_have){ id, author,
					      number(rest, p->conversation->ours.next), hash };
		break;
	case 1:
		m->type = WIRE_ACK;
		m->ack = (struct wire_ack){ id, author,
					    number(rest, p->conversation->ours.next) };
		break;
	default:
		m->type = WIRE_SAY;
		m->say = (struct wire_say){ .conversation = id,
					    .author = author,
					    .seq = number(rest, talk->chain.next),
					    .previous = hash,
					    .kind = SAY_TEXT,
					    .body = bytes_text("text"),
					    .is_about = how & 64,
					    .about_author = us.device.public };
		make_entry(&m->say, rest);
	}
}

/* Only what the wire lets through comes so far. */
static int hear(const struct wire_message *said)
{
	struct wire_message m;
	struct buf raw = { 0 };
	int err = wire_encode(said, &raw);

	if (err == 0)
		err = wire_decode(&m, buf_view(&raw), WIRE_FROM_PEER);
	if (err == 0)
		err = way_message(us.rooms, way, &m);
	buf_clear(&raw);
	return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes rest = bytes_of(data, size);
	struct wire_message m;

	if (!us.engine)
		begin();
	way = ways[size & 1];
	from = size & 1 ? &sibling : &them;
	talk = way->talks[0];
	outbox_linked(&talk->debt);
	while (rest.size > 0) {
		if (rest.data[0] & 128)
			(void)engine_send(us.engine, "bob", bytes_text("x"), 0, 1);
		make(&m, &rest);
		if (hear(&m) < 0)
			break;
	}
	now += SECOND;
	peer_step(&us, now, 1700000000000);
	us.heard[0] = '\0';
	/* The commit worked: what a stranger says is never our mistake. */
	if (us.counts[EVENT_ANSWER] > 0 && us.last[EVENT_ANSWER].error < 0)
		abort();
	/* The store would grow for as long as this runs. */
	if (us.rooms && now % (2000 * SECOND) == 0) {
		peer_remove(&us);
		peer_remove(&them);
		peer_remove(&sibling);
		begin();
	}
	return 0;
}
