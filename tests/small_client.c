#include "tests/small_client.h"

#include <assert.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/error.h"
#include "shared/frame.h"
#include "shared/proof.h"

static const struct address server_address = { .family = 4,
					       .port = 7272,
					       .ip = { 10, 255, 0, 1 } };

static const char *const files[] = { "keys", "accounts.db", "accounts.db-wal",
				     "accounts.db-shm" };

static void open_server(struct small_net *n, const struct server_config *config)
{
	struct server_config c = *config;
	char reason[256] = "";

	c.data = n->data;
	c.is_hasty = true;
	if (server_open(&n->server, &c, n->now, n->wall, reason, sizeof reason) < 0) {
		fprintf(stderr, "%s\n", reason);
		abort();
	}
	n->server_at = n->now;
}

void small_net_begin(struct small_net *n, const struct server_config *config)
{
	char reason[256];
	int err;

	memset(n, 0, sizeof *n);
	n->now = 1000 * SECOND;
	n->wall = 1700000000000;
	snprintf(n->data, sizeof n->data, "/tmp/palique-directory-XXXXXX");
	if (!mkdtemp(n->data))
		abort();
	err = server_init_ksf(n->data, KSF_ARGON2ID_64M, reason, sizeof reason);
	assert(err == 0);
	open_server(n, config);
}

void small_net_restart(struct small_net *n, const struct server_config *config)
{
	server_close(n->server);
	open_server(n, config);
}

static void forget_link(struct small_client *c)
{
	c->link = NULL;
	c->is_up = false;
}

void small_net_end(struct small_net *n)
{
	char path[128];

	server_close(n->server);
	for (unsigned i = 0; i < n->count; i++) {
		struct small_client *c = n->clients[i];

		endpoint_free(c->endpoint);
		buf_clear(&c->inbox);
		buf_clear(&c->scratch);
		free((void *)(uintptr_t)c->stray.data);
		free(c);
	}
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		snprintf(path, sizeof path, "%s/%s", n->data, files[i]);
		unlink(path);
	}
	rmdir(n->data);
}

/* --- the network --- */

static struct small_client *at_address(struct small_net *n, const struct address *a)
{
	for (unsigned i = 0; i < n->count; i++)
		if (address_same_ip(&n->clients[i]->address, a))
			return n->clients[i];
	return NULL;
}

static bool carry_from_server(struct small_net *n)
{
	static uint8_t room[ENDPOINT_LOOPBACK_MAX];
	struct datagram d;
	bool any = false;

	while (endpoint_send(server_endpoint(n->server), room, &d, n->now)) {
		struct small_client *c = at_address(n, &d.path.remote);
		struct path path = { .local = d.path.remote, .remote = server_address };

		any = true;
		if (c && !c->is_cut)
			endpoint_receive(c->endpoint, &path, room, d.size, n->now);
	}
	return any;
}

static bool carry_from_client(struct small_net *n, struct small_client *c)
{
	static uint8_t room[ENDPOINT_LOOPBACK_MAX];
	struct datagram d;
	bool any = false;

	while (endpoint_send(c->endpoint, room, &d, n->now)) {
		struct path path = { .local = server_address, .remote = c->address };

		any = true;
		if (!c->is_cut)
			endpoint_receive(server_endpoint(n->server), &path, room, d.size,
					 n->now);
	}
	return any;
}

void small_client_read(struct small_client *c)
{
	bool is_end;
	struct bytes b;

	if (c->is_deaf || !c->link)
		return;
	b = link_peek(c->link, LINK_CONTROL, &is_end);
	buf_append(&c->inbox, b);
	link_consume(c->link, LINK_CONTROL, b.size);
}

static void take_events(struct small_client *c)
{
	struct link_event e;

	while (endpoint_next(c->endpoint, &e)) {
		if (e.kind == STRAY) {
			uint8_t *copy = memory_new(e.data.size);

			free((void *)(uintptr_t)c->stray.data);
			memcpy(copy, e.data.data, e.data.size);
			c->stray = bytes_of(copy, e.data.size);
		}
		if (e.link != c->link)
			continue;
		if (e.kind == LINK_UP)
			c->is_up = true;
		if (e.kind == LINK_READABLE)
			small_client_read(c);
		if (e.kind == LINK_DOWN) {
			c->down_error = e.error;
			c->down_code = e.code;
			forget_link(c);
		}
	}
}

static void pump(struct small_net *n)
{
	bool any = true;

	while (any) {
		any = false;
		endpoint_tick(server_endpoint(n->server), n->now);
		for (unsigned i = 0; i < n->count; i++) {
			endpoint_tick(n->clients[i]->endpoint, n->now);
			any |= carry_from_client(n, n->clients[i]);
		}
		n->server_at = server_step(n->server, n->now, n->wall);
		any |= carry_from_server(n);
		for (unsigned i = 0; i < n->count; i++)
			take_events(n->clients[i]);
	}
}

void small_net_run(struct small_net *n, mono_ns time)
{
	mono_ns end = n->now + time;

	for (;;) {
		mono_ns at = mono_earlier(end, n->server_at);

		pump(n);
		if (n->now >= end)
			return;
		at = mono_earlier(end, n->server_at);
		at = mono_earlier(at, endpoint_deadline(server_endpoint(n->server)));
		for (unsigned i = 0; i < n->count; i++)
			at = mono_earlier(at, endpoint_deadline(n->clients[i]->endpoint));
		if (at <= n->now)
			at = n->now + MILLISECOND;
		n->wall += (wall_ms)((at - n->now) / MILLISECOND);
		n->now = at;
	}
}

/* --- a client --- */

static struct small_client *new_machine(struct small_net *n)
{
	struct small_client *c = memory_new(sizeof *c);
	struct endpoint_config config = { .policy = ENDPOINT_ADMITTED };

	assert(n->count < SMALL_CLIENTS);
	c->net = n;
	c->address = (struct address){ .family = 4,
				       .port = 5000,
				       .ip = { 10, (uint8_t)n->count, 0, 2 } };
	device_make(&c->device);
	config.device = c->device;
	config.idle_timeout = 29 * SECOND;
	config.keep_alive = 10 * SECOND;
	c->endpoint = endpoint_new(&config, n->now);
	n->clients[n->count++] = c;
	return c;
}

static void certify(struct small_client *c)
{
	certificate_make(&c->certificate, &c->identity, &c->device.public, "test", 1, 0);
	endpoint_set_certificate(c->endpoint, &c->certificate);
}

struct small_client *small_client_new(struct small_net *n, const char *name)
{
	struct small_client *c = new_machine(n);

	if (name_parse(&c->name, bytes_text(name)) < 0)
		abort();
	identity_make(&c->identity);
	certify(c);
	return c;
}

struct small_client *small_client_sibling(struct small_client *of)
{
	struct small_client *c = new_machine(of->net);

	c->name = of->name;
	c->identity = of->identity;
	certify(c);
	return c;
}

void small_client_dial(struct small_client *c, enum link_pattern pattern)
{
	struct link_target t = {
		.pattern = pattern,
		.device = *server_key(c->net->server),
		.knock = knock_of_directory(server_key(c->net->server)),
		.address_count = 1,
		.addresses = { server_address },
	};

	buf_clear(&c->inbox);
	c->down_error = 0;
	c->down_code = UINT64_MAX;
	c->is_up = false;
	c->link = endpoint_dial(c->endpoint, &t, c->net->now);
	small_net_run(c->net, 100 * MILLISECOND);
}

void small_client_hang_up(struct small_client *c)
{
	if (c->link)
		link_close(c->link, LINK_CODE_BYE, c->net->now);
	forget_link(c);
	small_net_run(c->net, MILLISECOND);
}

void small_client_say(struct small_client *c, const struct wire_message *m)
{
	struct buf contents = { 0 }, frame = { 0 };

	if (wire_encode(m, &contents) < 0 || frame_append(&frame, buf_view(&contents)) < 0)
		abort();
	if (c->link)
		link_write(c->link, LINK_CONTROL, buf_view(&frame), false);
	buf_clear(&contents);
	buf_clear(&frame);
}

bool small_client_hears(struct small_client *c, enum wire_type type, struct wire_message *m)
{
	struct bytes contents;
	size_t total;

	while (frame_take(buf_view(&c->inbox), &contents, &total) == 1) {
		buf_clear(&c->scratch);
		buf_append(&c->scratch, contents);
		buf_drop_front(&c->inbox, total);
		if (wire_decode(m, buf_view(&c->scratch), WIRE_FROM_DIRECTORY) < 0)
			abort();
		if (m->type == type)
			return true;
	}
	return false;
}

/* --- becoming somebody --- */

/* Says it and waits for `type` or a refusal. */
static int ask(struct small_client *c, struct wire_message *m, enum wire_type type)
{
	struct buf before = { 0 };

	small_client_say(c, m);
	small_net_run(c->net, 50 * MILLISECOND);
	buf_append(&before, buf_view(&c->inbox));
	if (small_client_hears(c, type, m)) {
		buf_clear(&before);
		return 0;
	}
	buf_append(&c->inbox, buf_view(&before));
	buf_clear(&before);
	if (small_client_hears(c, WIRE_REFUSAL, m))
		return m->refusal.error;
	return ERR_TIMEOUT;
}

static int do_register(struct small_client *c, const char *password, const char *invite)
{
	struct wire_message m = { .type = WIRE_REGISTER_START };
	struct opaque_names names = { { 0 }, { 0 } };
	struct opaque_client_random random;
	struct opaque_client oc = { 0 };
	uint8_t oprf[64], record[OPAQUE_RECORD_SIZE], export[64];
	int err;

	opaque_client_random(&random);
	m.register_start.name = c->name;
	m.register_start.invite = bytes_text(invite ? invite : "");
	opaque_register_start(&oc, bytes_text(password), &random, m.register_start.request);
	err = ask(c, &m, WIRE_REGISTER_CHALLENGE);
	if (err < 0)
		return err;
	err = opaque_register_evaluate(&oc, m.register_challenge.response, oprf);
	if (!err)
		err = opaque_register_finish(&oc, oprf, names, record, export);
	if (err < 0)
		return err;
	memset(&m, 0, sizeof m);
	m.type = WIRE_REGISTER_FINISH;
	memcpy(m.register_finish.record, record, sizeof record);
	m.register_finish.certificate = c->certificate;
	proof_register(m.register_finish.proof_of_possession, &c->identity,
		       link_handshake_hash(c->link), &c->name);
	return ask(c, &m, WIRE_REGISTER_DONE);
}

static int do_login(struct small_client *c, const char *password)
{
	struct wire_message m = { .type = WIRE_LOGIN_START };
	struct opaque_names names = { { 0 }, { 0 } };
	struct opaque_client_random random;
	struct opaque_client oc = { 0 };
	uint8_t oprf[64], stretched[64], ke3[64], session[64], export[64];
	uint8_t context[PROOF_CONTEXT_SIZE];
	int err;

	opaque_client_random(&random);
	m.login_start.name = c->name;
	opaque_login_start(&oc, bytes_text(password), &random, m.login_start.ke1);
	err = ask(c, &m, WIRE_LOGIN_CHALLENGE);
	if (err < 0)
		return err;
	proof_context(context, (enum ksf)m.login_challenge.ksf, link_handshake_hash(c->link));
	err = opaque_login_evaluate(&oc, m.login_challenge.ke2, oprf);
	if (!err && c->stretches)
		err = ksf_stretch((enum ksf)m.login_challenge.ksf, oprf, stretched);
	else
		memcpy(stretched, oprf, sizeof stretched);
	if (!err)
		err = opaque_login_finish(&oc, stretched, names, BYTES(context), ke3, session,
					  export);
	memset(&m, 0, sizeof m);
	m.type = WIRE_LOGIN_FINISH;
	m.login_finish.certificate = c->certificate;
	if (!err) {
		memcpy(m.login_finish.ke3, ke3, sizeof ke3);
		proof_enrol(m.login_finish.mac, session, &c->device.public,
			    link_handshake_hash(c->link));
	}
	/* one that knows it is wrong says something wrong: the directory shall refuse too */
	return ask(c, &m, WIRE_LOGIN_DONE);
}

int small_client_register(struct small_client *c, const char *password, const char *invite)
{
	int err = ERR_TIMEOUT;

	small_client_dial(c, LINK_NK);
	if (c->is_up)
		err = do_register(c, password, invite);
	small_client_hang_up(c);
	return err;
}

int small_client_login(struct small_client *c, const char *password)
{
	int err = ERR_TIMEOUT;

	small_client_dial(c, LINK_NK);
	if (c->is_up)
		err = do_login(c, password);
	small_client_hang_up(c);
	return err;
}

int small_client_come(struct small_client *c)
{
	struct wire_message m;

	small_client_dial(c, LINK_IK);
	return small_client_hears(c, WIRE_WELCOME, &m) ? 0 : ERR_TIMEOUT;
}

void small_client_publish(struct small_client *c)
{
	struct wire_message m = { .type = WIRE_PUBLISH };
	struct address inside = { .family = 4, .port = 5000, .ip = { 192, 168, 0, 7 } };

	memset(m.publish.knock.bytes, 7, sizeof m.publish.knock.bytes);
	candidates_add(&m.publish.candidates, CANDIDATE_HOST, &inside);
	small_client_say(c, &m);
	small_net_run(c->net, 10 * MILLISECOND);
}

void small_client_list(struct small_client *c, ...)
{
	struct wire_message m = { .type = WIRE_LIST };
	const char *name;
	va_list names;

	m.list.is_first = m.list.is_last = true;
	va_start(names, c);
	while ((name = va_arg(names, const char *)))
		name_parse(&m.list.names[m.list.count++], bytes_text(name));
	va_end(names);
	small_client_say(c, &m);
	small_net_run(c->net, 10 * MILLISECOND);
}

struct small_client *small_client_online(struct small_net *n, const char *name)
{
	struct small_client *c = small_client_new(n, name);

	if (small_client_register(c, "password", NULL) < 0 || small_client_come(c) < 0)
		abort();
	small_client_publish(c);
	return c;
}
