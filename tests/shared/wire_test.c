#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "shared/error.h"
#include "shared/menu.h"
#include "shared/frame.h"
#include "shared/wire.h"
#include "tests/any_message.h"

enum { ROUNDS = 200, TYPES = 128 };

static void every_type_has_a_row_and_a_sender(void **state)
{
	unsigned named = 0;

	(void)state;
	for (int type = 0; type < TYPES; type++)
		named += wire_name((enum wire_type)type) != NULL;
	assert_int_equal(named, any_row_count);
	assert_string_equal(wire_name(WIRE_LOGIN_START), "LOGIN_START");
	assert_null(wire_name((enum wire_type)0));
	assert_null(wire_name((enum wire_type)1000));
}

/* Views have other addresses, so what was decoded is compared by encoding it again. */
static void every_message_comes_back(void **state)
{
	static struct wire_message sent, got;
	struct buf first = { 0 }, second = { 0 };

	(void)state;
	for (size_t row = 0; row < any_row_count; row++) {
		for (int round = 0; round < ROUNDS; round++) {
			any_message(&sent, &first, row);
			memset(&got, 0xa5, sizeof got); /* whatever was there before */
			assert_int_equal(wire_decode(&got, buf_view(&first), any_sender(row)),
					 0);
			assert_int_equal(got.type, sent.type);
			second.size = 0;
			assert_int_equal(wire_encode(&got, &second), 0);
			assert_true(bytes_equal(buf_view(&first), buf_view(&second)));
		}
	}
	buf_clear(&first);
	buf_clear(&second);
}

static void fields_arrive_in_their_places(void **state)
{
	static struct wire_message sent, got;
	struct buf out = { 0 };

	(void)state;
	any_message(&sent, &out, any_row_of(WIRE_SAY));
	memset(&sent.say, 0, sizeof sent.say);
	any_say_of(&sent.say, SAY_TEXT);
	sent.say.is_about = sent.say.is_forwarded = true;
	sent.say.about_seq = 9;
	sent.say.life = 60;
	sent.say.time = -5;
	out.size = 0;
	assert_int_equal(wire_encode(&sent, &out), 0);
	assert_int_equal(wire_decode(&got, buf_view(&out), WIRE_FROM_PEER), 0);
	assert_true(bytes_equal(sent.say.body, got.say.body));
	assert_true(bytes_equal(sent.say.bot, got.say.bot));
	assert_true(bytes_equal(sent.say.buttons, got.say.buttons));
	sent.say.body = got.say.body;
	sent.say.bot = got.say.bot;
	sent.say.buttons = got.say.buttons;
	assert_memory_equal(&sent.say, &got.say, sizeof sent.say);

	for (size_t row = 0; row < any_row_count; row++) {
		if (any_rows[row].type != WIRE_PRESENCE && any_rows[row].type != WIRE_LIST &&
		    any_rows[row].type != WIRE_REFUSAL && any_rows[row].type != WIRE_HAVE &&
		    any_rows[row].type != WIRE_ENROL &&
		    any_rows[row].type != WIRE_PASSWORD_FINISH &&
		    any_rows[row].type != WIRE_RECOVERY_PUT &&
		    any_rows[row].type != WIRE_RECOVER && any_rows[row].type != WIRE_WELCOME &&
		    any_rows[row].type != WIRE_INTRODUCTION &&
		    any_rows[row].type != WIRE_RECORD && any_rows[row].type != WIRE_WHERE &&
		    any_rows[row].type != WIRE_RELAY_ANSWER &&
		    any_rows[row].type != WIRE_RELAY_OFFER)
			continue;
		any_message(&sent, &out, row);
		memset(&got, 0, sizeof got);
		assert_int_equal(wire_decode(&got, buf_view(&out), any_sender(row)), 0);
		assert_memory_equal(&sent, &got, sizeof sent);
	}
	buf_clear(&out);
}

static void assert_encoded(const struct wire_message *m, enum wire_side from, const char *hex)
{
	static struct wire_message got;
	struct buf out = { 0 };
	char text[2048];

	assert_int_equal(wire_encode(m, &out), 0);
	assert_true(out.size < sizeof text / 2);
	bytes_to_hex(buf_view(&out), text);
	assert_string_equal(text, hex);
	assert_int_equal(wire_decode(&got, buf_view(&out), from), 0);
	buf_clear(&out);
}

/* docs/protocol.md, Examples: made by another implementation, so that both sides of ours
 * cannot be wrong in the same way. */
static void the_bytes_are_those_of_the_documentation(void **state)
{
	static struct wire_message m;

	(void)state;
	memset(&m, 0, sizeof m);
	m.type = WIRE_WELCOME;
	m.welcome.name = (struct name){ "alice" };
	assert_encoded(&m, WIRE_FROM_DIRECTORY, "9710a5616c696365c000000090");

	memset(&m, 0, sizeof m);
	m.type = WIRE_LIST;
	m.list.is_first = true;
	m.list.count = 2;
	m.list.list[0].name = (struct name){ "bob" };
	m.list.list[1].name = (struct name){ "carol" };
	m.list.list[1].consent = CONSENT_RELAY;
	assert_encoded(&m, WIRE_FROM_CLIENT, "9412c3c29292a3626f620092a56361726f6c01");

	memset(&m, 0, sizeof m);
	m.type = WIRE_REFUSAL;
	m.refusal.about = WIRE_LOGIN_START;
	m.refusal.error = ERR_BUSY;
	m.refusal.retry_after = 200;
	assert_encoded(&m, WIRE_FROM_DIRECTORY, "95090508ccc8c0");
	m.refusal.retry_after = 0;
	m.refusal.work.bits = 20;
	memset(m.refusal.work.challenge, 7, sizeof m.refusal.work.challenge);
	assert_encoded(&m, WIRE_FROM_DIRECTORY,
		       "950905080092c4100707070707070707070707070707070714");

	memset(&m, 0, sizeof m);
	m.type = WIRE_RECORD;
	memset(m.record.record.device.bytes, 4, 32);
	m.record.record.number = 1700000000000;
	memset(m.record.record.knock.bytes, 5, 16);
	m.record.record.nat = (struct nat){ NAT_SEQUENTIAL, NAT_FILTERED, 40000, 1 };
	m.record.record.candidates.count = 2;
	m.record.record.candidates.list[0].kind = CANDIDATE_HOST;
	address_parse(&m.record.record.candidates.list[0].address, "192.168.1.5:7272", 0);
	m.record.record.candidates.list[1].kind = CANDIDATE_REFLEXIVE;
	address_parse(&m.record.record.candidates.list[1].address, "[2001:db8::1]:65535", 0);
	memset(m.record.record.signature, 6, 64);
	assert_encoded(&m, WIRE_FROM_PEER,
		       "9245c4a997c42004040404040404040404040404040404040404040404040404040404"
		       "04040404cf0000018bcfe56800c41005050505050505050505050505050505940302cd"
		       "9c4001c2929201c406c0a801051c689202c41220010db8000000000000000000000001"
		       "ffffc44006060606060606060606060606060606060606060606060606060606060606"
		       "060606060606060606060606060606060606060606060606060606060606060606");

	memset(&m, 0, sizeof m);
	m.type = WIRE_WHERE;
	m.where.count = 2;
	memset(m.where.tokens[0], 1, 8);
	memset(m.where.tokens[1], 2, 8);
	assert_encoded(&m, WIRE_FROM_PEER, "924792c4080101010101010101c4080202020202020202");
}

static void a_chain_is_that_of_the_documentation(void **state)
{
	static struct wire_message m;
	struct identity_public a, b;

	(void)state;
	memset(&a, 1, sizeof a);
	memset(&b, 2, sizeof b);
	memset(&m, 0, sizeof m);
	m.type = WIRE_SAY;
	m.say.conversation = conversation_of(&b, &a);
	memset(&m.say.author, 3, sizeof m.say.author);
	m.say.seq = 1;
	m.say.time = 1700000000000;
	m.say.kind = SAY_TEXT;
	m.say.body = bytes_text("hola");
	assert_encoded(
		&m, WIRE_FROM_PEER,
		"9941c41009de711bd5b3306b62b705888bdcad76c42003030303030303030303030303"
		"0303030303030303030303030303030303030301c42000000000000000000000000000"
		"00000000000000000000000000000000000000cf0000018bcfe5680001a4686f6c61c0");

	m.say.previous = message_hash(&m.say);
	m.say.seq = 2;
	m.say.time = -1;
	m.say.body = bytes_text("\xc3\xb1");
	m.say.is_about = true;
	m.say.about_author = m.say.author;
	m.say.about_seq = 1;
	assert_encoded(&m, WIRE_FROM_PEER,
		       "9941c41009de711bd5b3306b62b705888bdcad76c42003030303030303030303030303"
		       "0303030303030303030303030303030303030302c420d6643b1737678e203018dd7159"
		       "3bc95b5e7e168a72c27c570b0c70ee6bb0f696ff01a2c3b192c4200303030303030303"
		       "03030303030303030303030303030303030303030303030301");
}

static void only_those_who_may_send_a_message_can(void **state)
{
	static const struct wire_message nothing;
	static struct wire_message sent, got;
	struct buf out = { 0 };

	(void)state;
	for (size_t row = 0; row < any_row_count; row++) {
		any_message(&sent, &out, row);
		for (unsigned side = WIRE_FROM_GUEST; side <= WIRE_FROM_PEER; side *= 2) {
			int err;

			memset(&got, 0, sizeof got);
			err = wire_decode(&got, buf_view(&out), (enum wire_side)side);
			assert_int_equal(err, any_rows[row].from & side ? 0 : ERR_REFUSED);
			if (err < 0)
				assert_memory_equal(&got, &nothing, sizeof got);
		}
	}
	buf_clear(&out);
}

static void every_truncation_and_every_trailing_byte_is_refused(void **state)
{
	static const struct wire_message nothing;
	static struct wire_message sent, got;
	struct buf out = { 0 };

	(void)state;
	for (size_t row = 0; row < any_row_count; row++) {
		any_message(&sent, &out, row);
		for (size_t size = 0; size < out.size; size++) {
			uint8_t *exact = malloc(size ? size : 1); /* reading beyond is seen */

			memcpy(exact, out.data, size);
			memset(&got, 0, sizeof got);
			assert_true(wire_decode(&got, bytes_of(exact, size), any_sender(row)) <
				    0);
			assert_memory_equal(&got, &nothing, sizeof got);
			free(exact);
		}
		assert_int_equal(buf_append_byte(&out, 0), 0);
		assert_int_equal(wire_decode(&got, buf_view(&out), any_sender(row)),
				 ERR_FORMAT);
	}
	buf_clear(&out);
}

/* One value of msgpack as our encoder writes it: how long it is (of an array: its head). */
static size_t value_size(const uint8_t *p)
{
	if (p[0] >= 0xa0 && p[0] <= 0xbf)
		return 1u + (p[0] & 0x1f);
	switch (p[0]) {
	case 0xc4:
	case 0xd9:
		return 2u + p[1];
	case 0xc5:
	case 0xda:
		return 3u + (p[1] << 8 | p[2]);
	case 0xcc:
	case 0xd0:
		return 2;
	case 0xcd:
	case 0xd1:
	case 0xdc:
		return 3;
	case 0xce:
	case 0xd2:
		return 5;
	case 0xcf:
	case 0xd3:
		return 9;
	}
	return 1;
}

static char kind_of(uint8_t first)
{
	if (first == 0xc0)
		return 'n';
	if (first == 0xc2 || first == 0xc3)
		return 'b';
	if ((first >= 0xa0 && first <= 0xbf) || (first >= 0xd9 && first <= 0xdb))
		return 't';
	if ((first >= 0x90 && first <= 0x9f) || first == 0xdc || first == 0xdd)
		return 'a';
	if (first >= 0xc4 && first <= 0xc6)
		return 'x';
	return first < 0x80 || first >= 0xe0 || (first >= 0xcc && first <= 0xd3) ? 'i' : '?';
}

/* Puts `with` in the place of the value at `at` and says how decoding went. What is taken
 * in spite of it must at least have one form. */
static bool is_taken_with(struct bytes m, size_t at, struct bytes with, size_t row)
{
	static struct wire_message got;
	struct buf changed = { 0 }, again = { 0 };
	size_t behind = at + value_size(m.data + at);
	bool taken;

	buf_append(&changed, bytes_of(m.data, at));
	buf_append(&changed, with);
	buf_append(&changed, bytes_of(m.data + behind, m.size - behind));
	taken = wire_decode(&got, buf_view(&changed), any_sender(row)) == 0;
	if (taken) {
		assert_int_equal(wire_encode(&got, &again), 0);
		assert_true(bytes_equal(buf_view(&changed), buf_view(&again)));
	}
	buf_clear(&changed);
	buf_clear(&again);
	return taken;
}

/* Where nil stands for a single value that is not there: an address, the nonce of work, a
 * device list, a wrap, a record. Counted from the array's head. */
static bool may_be_nil(enum wire_type type, unsigned place)
{
	static const struct {
		enum wire_type type;
		unsigned place;
	} places[] = { { WIRE_WELCOME, 3 },
		       { WIRE_REGISTER_START, 5 },
		       { WIRE_LOGIN_START, 4 },
		       { WIRE_RECOVER, 4 },
		       { WIRE_PRESENCE, 3 },
		       { WIRE_PASSWORD_FINISH, 3 },
		       { WIRE_PASSWORD_FINISH, 4 },
		       { WIRE_INTRODUCTION, 6 },
		       { WIRE_THERE, 7 } };

	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
		if (places[i].type == type && places[i].place == place)
			return true;
	/* A device of a PRESENCE is its head, certificate, record and the address seen. */
	return type == WIRE_PRESENCE && place >= 5 && (place - 5) % 4 >= 2;
}

static void a_value_of_another_kind_is_refused_in_every_place(void **state)
{
	static const struct {
		const char *data;
		size_t size;
	} others[] = { { "\xc0", 1 },         { "\xc3", 1 },      { "\x07", 1 },
		       { "\xff", 1 },         { "\xc4\x01x", 3 }, { "\xa2xy", 3 },
		       { "\x90", 1 },         { "\x80", 1 },      { "\xc1", 1 },
		       { "\xca\0\0\0\0", 5 }, { "\xd4\1\1", 3 },  { "\x91\x01", 2 } };
	static struct wire_message sent;
	struct buf out = { 0 };

	(void)state;
	for (size_t row = 0; row < any_row_count; row++) {
		unsigned place = 0;

		any_message(&sent, &out, row);
		for (size_t at = 0; at < out.size; at += value_size(out.data + at)) {
			for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
				uint8_t is = out.data[at], other = (uint8_t)others[i].data[0];
				bool may = kind_of(is) == kind_of(other) ||
					   ((is == 0xc0 || other == 0xc0) &&
					    may_be_nil(any_rows[row].type, place));

				if (is_taken_with(buf_view(&out), at,
						  bytes_of(others[i].data, others[i].size),
						  row) &&
				    !may)
					fail_msg("%s: %02x taken for %02x at %zu",
						 wire_name(any_rows[row].type), other, is, at);
			}
			place++;
		}
	}
	buf_clear(&out);
}

static void a_byte_string_one_longer_or_shorter_is_refused(void **state)
{
	static struct wire_message sent;
	struct buf out = { 0 };

	(void)state;
	for (size_t row = 0; row < any_row_count; row++) {
		any_message(&sent, &out, row);
		for (size_t at = 0; at < out.size; at += value_size(out.data + at)) {
			size_t size = value_size(out.data + at);
			uint8_t with[258] = { 0xc4 };

			if (out.data[at] != 0xc4 || size > 255 ||
			    any_rows[row].type == WIRE_LIST_ADD ||
			    (any_rows[row].type == WIRE_ASKED && size != 34) ||
			    (any_rows[row].type == WIRE_VAULT_PART && size != 66) ||
			    (any_rows[row].type == WIRE_VAULT_PUT && size != 66) ||
			    any_rows[row].type == WIRE_PROFILE ||
			    (any_rows[row].type == WIRE_SAY && size != 34 && size != 18) ||
			    (any_rows[row].type == WIRE_HISTORY && size != 34 && size != 18) ||
			    (any_rows[row].type == WIRE_FORWARDING && size > 60) ||
			    (any_rows[row].type == WIRE_THERE && size > 60))
				continue; /* of any length within its limits */
			memcpy(with, out.data + at, size);
			with[1]++;
			assert_false(is_taken_with(buf_view(&out), at, bytes_of(with, size + 1),
						   row));
			with[1] -= 2;
			assert_false(is_taken_with(buf_view(&out), at, bytes_of(with, size - 1),
						   row));
		}
	}
	buf_clear(&out);
}

/* What is said in one piece fits into a frame, and what a client says into what a directory
 * takes of it (SESSION_FRAME_MAX). */
static void the_largest_messages_fit_into_a_frame(void **state)
{
	static uint8_t body[WIRE_SEALED_RECORD_MAX];
	static struct wire_message m;
	struct buf out = { 0 };

	(void)state;
	memset(&m, 0, sizeof m);
	m.type = WIRE_PRESENCE;
	memset(m.presence.name.text, 'a', NAME_MAX);
	for (m.presence.devices.count = 0; m.presence.devices.count < DEVICE_LIST_MAX;)
		any_device_list(&m.presence.devices);
	m.presence.device_count = WIRE_DEVICES_MAX;
	for (unsigned i = 0; i < WIRE_DEVICES_MAX; i++) {
		struct wire_device *d = &m.presence.online[i];

		do {
			any_device(d, true);
		} while (d->record.candidates.count < CANDIDATES_MAX);
	}
	assert_int_equal(wire_encode(&m, &out), 0);
	assert_true(out.size > 4000 && out.size <= FRAME_MAX);

	memset(&m, 0, sizeof m);
	m.type = WIRE_FORWARDING;
	m.forwarding.number = UINT64_MAX;
	m.forwarding.record = bytes_of(body, WIRE_SEALED_RECORD_MAX);
	m.forwarding.count = WIRE_FORWARDING_MAX;
	out.size = 0;
	assert_int_equal(wire_encode(&m, &out), 0);
	assert_true(out.size > 15000 && out.size <= FRAME_MAX);

	memset(&m, 0, sizeof m);
	m.type = WIRE_LIST;
	m.list.count = WIRE_LIST_CHUNK;
	for (unsigned i = 0; i < WIRE_LIST_CHUNK; i++)
		memset(m.list.list[i].name.text, 'a', NAME_MAX);
	out.size = 0;
	assert_int_equal(wire_encode(&m, &out), 0);
	assert_true(out.size > 8000 && out.size <= 12288);
	buf_clear(&out);
}

static void hostile_bytes_are_refused(void **state)
{
	static const struct {
		const char *data;
		size_t size;
		enum wire_side from;
	} bad[] = {
		{ "", 0, WIRE_FROM_PEER },
		{ "\x90", 1, WIRE_FROM_PEER },
		{ "\x91\x00", 2, WIRE_FROM_PEER },
		{ "\x91\x63", 2, WIRE_FROM_PEER },
		{ "\x92\x04\x00", 3, WIRE_FROM_DIRECTORY }, /* REGISTER_DONE and more */
		{ "\xdd\xff\xff\xff\xff\x42", 6,
		  WIRE_FROM_PEER }, /* four thousand million fields */
		{ "\x94\x12\xc2\xc2\xdd\xff\xff\xff\xff", 9,
		  WIRE_FROM_CLIENT },                                    /* as many names */
		{ "\x94\x12\xc2\xc2\xdc\x01\x01", 7, WIRE_FROM_CLIENT }, /* LIST of 257 */
		{ "\x92\x17\xdb\xff\xff\xff\xff", 7, WIRE_FROM_CLIENT }, /* a name of 4 GiB */
		{ "\x92\x17\xa3"
		  "Bob",
		  6, WIRE_FROM_CLIENT },
		/* WELCOME from a v4-mapped address */
		{ "\x97\x10\xa3"
		  "bob\xc4\x12\0\0\0\0\0\0\0\0\0\0\xff\xff\x01\x02\x03\x04\x00\x05\0\0\0\x90",
		  30, WIRE_FROM_DIRECTORY },
		{ "\x97\x10\xa3"
		  "bob\xc4\x06\x00\x00\x00\x00\x00\x05\0\0\0\x90",
		  18, WIRE_FROM_DIRECTORY },
		/* PASSWORD_DONE and more; a vault's part of 4 GiB */
		{ "\x92\x23\x00", 3, WIRE_FROM_DIRECTORY },
		{ "\x91\x26", 2, WIRE_FROM_CLIENT },
	};
	static struct wire_message got;
	static uint8_t nested[FRAME_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (wire_decode(&got, bytes_of(bad[i].data, bad[i].size), bad[i].from) >= 0)
			fail_msg("case %zu taken", i);
	assert_int_equal(wire_decode(&got, bytes_of("\x91\x04", 2), WIRE_FROM_DIRECTORY), 0);
	memset(nested, 0x91, sizeof nested);
	assert_int_equal(wire_decode(&got, BYTES(nested), WIRE_FROM_PEER), ERR_FORMAT);
}

static void a_conversation_is_the_same_from_both_sides(void **state)
{
	struct identity_public a = { "alice" }, b = { "bob" }, c = { "carol" };
	struct conversation_id ab = conversation_of(&a, &b), ba = conversation_of(&b, &a);
	struct conversation_id ac = conversation_of(&a, &c);

	(void)state;
	assert_memory_equal(&ab, &ba, sizeof ab);
	assert_memory_not_equal(&ab, &ac, sizeof ab);
}

static void a_message_hash_covers_every_field(void **state)
{
	static struct wire_message m, changed;
	struct buf out = { 0 };
	struct message_hash before, after;
	uint8_t *body_copy;

	(void)state;
	any_message(&m, &out, any_row_of(WIRE_SAY));
	memset(&m.say, 0, sizeof m.say);
	any_say_of(&m.say, SAY_TEXT);
	m.say.is_about = true;
	m.say.about_seq = 5;
	before = message_hash(&m.say);
	after = message_hash(&m.say);
	assert_memory_equal(&before, &after, sizeof before);
#define CHANGED(what)                                                                          \
	do {                                                                                   \
		changed = m;                                                                   \
		what;                                                                          \
		after = message_hash(&changed.say);                                            \
		assert_memory_not_equal(&before, &after, sizeof before);                       \
	} while (0)
	CHANGED(changed.say.conversation.bytes[0] ^= 1);
	CHANGED(changed.say.author.bytes[0] ^= 1);
	CHANGED(changed.say.seq ^= 2);
	CHANGED(changed.say.previous.bytes[31] ^= 1);
	CHANGED(changed.say.time ^= 1);
	CHANGED(changed.say.about_seq++);
	CHANGED(changed.say.about_author.bytes[9] ^= 1);
	CHANGED(changed.say.is_about = false);
	CHANGED(changed.say.is_forwarded ^= 1);
	CHANGED(changed.say.life++);
	CHANGED(changed.say.bot = bytes_text("other"));
	CHANGED(changed.say.buttons = bytes_text("other"));
	body_copy = malloc(m.say.body.size);
	memcpy(body_copy, m.say.body.data, m.say.body.size);
	body_copy[0] = body_copy[0] == 'a' ? 'b' : 'a';
	CHANGED(changed.say.body.data = body_copy);
	free(body_copy);
	buf_clear(&out);
}

/* What was said before programs had a name on the wire has the bytes that it had. */
static void what_no_program_says_has_the_form_of_before(void **state)
{
	static struct wire_message m;

	(void)state;
	memset(&m, 0, sizeof m);
	m.type = WIRE_PROFILE;
	m.profile.number = 7;
	m.profile.availability = AWAY;
	m.profile.title = bytes_text("Al");
	assert_encoded(&m, WIRE_FROM_PEER, "964f0701a2416ca0c400");
	m.profile.is_bot = true;
	m.profile.menu = bytes_text("go x");
	assert_encoded(&m, WIRE_FROM_PEER, "974f0701a2416ca0c40092c3a4676f2078");

	memset(&m, 0, sizeof m);
	m.type = WIRE_SAY;
	m.say.seq = 1;
	m.say.kind = SAY_TEXT;
	m.say.body = bytes_text("hi");
#define SAY_BEGIN                                                                              \
	"9941c41000000000000000000000000000000000c420000000000000000000000000000000000000000"  \
	"000000000000000000000000001c42000000000000000000000000000000000000000000000000000"    \
	"00000000000000"                                                                       \
	"00"                                                                                   \
	"01"                                                                                   \
	"a26869"
	assert_encoded(&m, WIRE_FROM_PEER, SAY_BEGIN "c0");
	m.say.life = 60;
	assert_encoded(&m, WIRE_FROM_PEER, SAY_BEGIN "93c0c23c");
	m.say.bot = bytes_text("echo");
	m.say.buttons = bytes_text("a\nb");
	assert_encoded(&m, WIRE_FROM_PEER, SAY_BEGIN "95c0c23ca46563686fa3610a62");
	m.say.bot = bytes_text("");
	m.say.life = 0;
	assert_encoded(&m, WIRE_FROM_PEER, SAY_BEGIN "95c0c200a0a3610a62");
}

static void the_longest_message_has_a_hash(void **state)
{
	static uint8_t text[WIRE_TEXT_MAX];
	struct wire_say say = {
		.seq = UINT64_MAX,
		.time = INT64_MIN,
		.kind = SAY_TEXT,
		.is_about = true,
		.about_seq = UINT64_MAX,
		.is_forwarded = true,
		.life = WIRE_LIFE_MAX,
		.bot = bytes_text("a2345678901234567890123456789012"),
	};
	static uint8_t buttons[MENU_BUTTONS_SIZE];
	struct message_hash hash, zeros = { 0 };

	(void)state;
	memset(text, 'x', sizeof text);
	say.body = BYTES(text);
	for (size_t i = 0; i < sizeof buttons; i++)
		buttons[i] = i % (MENU_BUTTON_MAX + 1) == MENU_BUTTON_MAX ? '\n' : 'x';
	say.buttons = BYTES(buttons);
	hash = message_hash(&say);
	assert_memory_not_equal(&hash, &zeros, sizeof hash);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_has_a_row_and_a_sender),
		cmocka_unit_test(every_message_comes_back),
		cmocka_unit_test(fields_arrive_in_their_places),
		cmocka_unit_test(the_bytes_are_those_of_the_documentation),
		cmocka_unit_test(a_chain_is_that_of_the_documentation),
		cmocka_unit_test(only_those_who_may_send_a_message_can),
		cmocka_unit_test(every_truncation_and_every_trailing_byte_is_refused),
		cmocka_unit_test(a_value_of_another_kind_is_refused_in_every_place),
		cmocka_unit_test(a_byte_string_one_longer_or_shorter_is_refused),
		cmocka_unit_test(the_largest_messages_fit_into_a_frame),
		cmocka_unit_test(hostile_bytes_are_refused),
		cmocka_unit_test(a_conversation_is_the_same_from_both_sides),
		cmocka_unit_test(a_message_hash_covers_every_field),
		cmocka_unit_test(what_no_program_says_has_the_form_of_before),
		cmocka_unit_test(the_longest_message_has_a_hash),
	};
	any_begin();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
