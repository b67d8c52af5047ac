/* Two clients of a directory and a guest say anything. The input is a row of
 * (who, how, length, bytes): raw bytes, a frame, a well-formed message with some of its
 * bytes changed, or a datagram outside of the link. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "shared/frame.h"
#include "tests/small_client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ALICE, BOB, GUEST, SPEAKERS, MESSAGES = 21 };

static struct small_net net;
static struct small_client *speakers[SPEAKERS];
static struct buf messages[MESSAGES];

static void finish(void)
{
	for (unsigned i = 0; i < MESSAGES; i++)
		buf_clear(&messages[i]);
	small_net_end(&net);
}

static void begin_list(struct device_list *list)
{
	*list = speakers[ALICE]->devices;
	device_list_sign(list, &speakers[ALICE]->identity);
}

/* Whatever of it alice could have signed, she has: a change is to be noticed, not its lack. */
static void fill(struct wire_message *m)
{
	static const uint8_t sealed[SEAL_OVERHEAD + 1], part[200];
	struct small_client *alice = speakers[ALICE], *bob = speakers[BOB],
			    *guest = speakers[GUEST];

	switch (m->type) {
	case WIRE_PUBLISH:
		small_client_records(alice, &m->publish);
		break;
	case WIRE_LIST:
		m->list.is_first = m->list.is_last = true;
		m->list.count = 2;
		m->list.list[0].name = alice->name;
		m->list.list[1].name = bob->name;
		m->list.list[1].consent = CONSENT_RELAY;
		break;
	case WIRE_LIST_ADD:
		m->list_add.name = alice->name;
		m->list_add.greeting = BYTES(sealed);
		break;
	case WIRE_LIST_REMOVE:
		m->list_remove.name = bob->name;
		break;
	case WIRE_SUSPECT:
		m->suspect.name = bob->name;
		m->suspect.device = bob->device.public;
		break;
	case WIRE_INTRODUCE:
		m->introduce.name = bob->name;
		break;
	case WIRE_REGISTER_START:
		m->register_start.name = bob->name;
		break;
	case WIRE_REGISTER_FINISH:
		small_client_newcomer(guest, &m->register_finish.newcomer);
		small_client_first_vault(guest, &m->register_finish.vault);
		break;
	case WIRE_LOGIN_START:
		m->login_start.name = bob->name;
		memset(m->login_start.ke1, 8, sizeof m->login_start.ke1);
		break;
	case WIRE_ENROL:
		small_client_newcomer(guest, &m->enrol.newcomer);
		m->enrol.has_vault = true;
		small_client_first_vault(guest, &m->enrol.vault);
		break;
	case WIRE_RECOVER:
		m->recover.name = bob->name;
		break;
	case WIRE_RESET:
		m->reset.code = bytes_text("code");
		break;
	case WIRE_PASSWORD_FINISH:
		m->password_finish.has_wrap = m->password_finish.has_devices = true;
		begin_list(&m->password_finish.devices);
		break;
	case WIRE_VAULT_PUT:
		m->vault_put.version = 2;
		m->vault_put.total = 2 * sizeof part;
		m->vault_put.part = BYTES(part);
		break;
	case WIRE_DEVICES_PUT:
		begin_list(&m->devices_put.devices);
		break;
	case WIRE_RECOVERY_PUT:
		m->recovery_put.prove = alice->identity.public;
		break;
	default:
		break;
	}
}

/* One of each that a client or guest may send. */
static void make_messages(void)
{
	static const enum wire_type types[MESSAGES] = {
		WIRE_REGISTER_START,  WIRE_REGISTER_FINISH, WIRE_LOGIN_START,
		WIRE_LOGIN_FINISH,    WIRE_ENROL,           WIRE_RECOVER,
		WIRE_RESET,           WIRE_PUBLISH,         WIRE_LIST,
		WIRE_LIST_ADD,        WIRE_LIST_REMOVE,     WIRE_INTRODUCE,
		WIRE_SUSPECT,         WIRE_CHECK_ANSWER,    WIRE_PASSWORD_START,
		WIRE_PASSWORD_FINISH, WIRE_VAULT_GET,       WIRE_VAULT_PUT,
		WIRE_DEVICES_PUT,     WIRE_RECOVERY_PUT,    WIRE_DELETE,
	};

	small_client_dial(speakers[GUEST], LINK_NK);
	small_client_hears_own(speakers[ALICE], &(struct wire_message){ 0 });
	for (unsigned i = 0; i < MESSAGES; i++) {
		struct wire_message m = { .type = types[i] };

		fill(&m);
		if (wire_encode(&m, &messages[i]) < 0)
			abort();
	}
}

static void begin(void)
{
	static const struct server_config config = { .registration = REGISTRATION_OPEN };

	if (sodium_init() < 0)
		abort();
	small_net_begin(&net, &config);
	net.ways[net.way_count] = net.ways[0];
	net.ways[net.way_count++].port++;
	atexit(finish);
	speakers[ALICE] = small_client_online(&net, "alice");
	speakers[BOB] = small_client_online(&net, "bob");
	speakers[GUEST] = small_client_new(&net, "guest");
	make_messages();
	server_set_sights(
		net.server,
		&(struct sight){ .kind = SIGHT_HIDDEN, .socket = 1, .at = net.ways[1] }, 1);
}

static void write_all(struct small_client *c, struct bytes b)
{
	if (c->link && b.size)
		link_write(c->link, LINK_CONTROL, b, false);
	small_net_run(&net, MILLISECOND);
}

static void say_framed(struct small_client *c, struct bytes contents)
{
	struct buf frame = { 0 };

	if (contents.size)
		frame_append(&frame, contents);
	write_all(c, buf_view(&frame));
	buf_clear(&frame);
}

/* `changes`: pairs of place and value. */
static void say_changed(struct small_client *c, const struct buf *message, struct bytes changes)
{
	struct buf copy = { 0 };

	buf_append(&copy, buf_view(message));
	for (size_t i = 0; i + 1 < changes.size; i += 2)
		copy.data[changes.data[i] % copy.size] = changes.data[i + 1];
	say_framed(c, buf_view(&copy));
	buf_clear(&copy);
}

/* A question of sight with some of its bytes changed. */
static void ask_changed(struct small_client *c, struct bytes changes)
{
	const struct sight_question q = { .wants = SIGHT_PORT, .port = 4711 };
	uint8_t question[SIGHT_QUESTION_SIZE];
	struct path path = { .remote = net.ways[0] };

	sight_question_encode(question, &q);
	for (size_t i = 0; i + 1 < changes.size; i += 2)
		question[changes.data[i] % sizeof question] = changes.data[i + 1];
	question[0] &= 0x3f; /* else it is no stray */
	endpoint_send_stray(c->endpoint, &path, BYTES(question), 0);
	small_net_run(&net, MILLISECOND);
	if (c->stray.size > sizeof question)
		abort(); /* more than was asked with */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool spoke_raw[SPEAKERS] = { false };

	if (!speakers[ALICE])
		begin();
	while (size >= 3) {
		unsigned who = data[0] % SPEAKERS, how = data[1];
		size_t length = data[2];
		struct bytes b;

		data += 3;
		size -= 3;
		b = bytes_of(data, length < size ? length : size);
		if (!speakers[who]->link)
			small_client_dial(speakers[who], who == GUEST ? LINK_NK : LINK_IK);
		if (how < 128)
			say_changed(speakers[who], &messages[how % MESSAGES], b);
		else if (how < 224)
			say_framed(speakers[who], b);
		else if (how < 240)
			write_all(speakers[who], b);
		else
			ask_changed(speakers[who], b);
		spoke_raw[who] |= how >= 224 && how < 240;
		data += b.size;
		size -= b.size;
	}
	/* an unfinished frame must not spoil the next run */
	for (unsigned i = 0; i < SPEAKERS; i++) {
		buf_clear(&speakers[i]->inbox);
		if (spoke_raw[i])
			small_client_hang_up(speakers[i]);
	}
	small_net_run(&net, SECOND);
	return 0;
}
