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

static const char *const files[] = {
	"keys",     "accounts.db", "accounts.db-wal", "accounts.db-shm", "keyholder/secrets",
	"keyholder"
};

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

struct server_config small_net_limited(void)
{
	struct server_config config = { .registration = REGISTRATION_OPEN,
					.has_limits = true,
					.limits = limits_default() };

	config.limits.work_bits_max = 6;
	return config;
}

void small_net_begin(struct small_net *n, const struct server_config *config)
{
	char reason[256];
	int err;

	memset(n, 0, sizeof *n);
	n->now = 1000 * SECOND;
	n->wall = 1700000000000;
	n->ways[n->way_count++] = server_address;
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
		remove(path);
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
		struct path path = { .local = d.path.remote, .remote = d.path.local };

		any = true;
		if (c && !c->is_cut)
			endpoint_receive(c->endpoint, &path, room, d.size, n->now);
	}
	return any;
}

/* Which of the directory's sockets that is; -1: none. */
static int way_to(const struct small_net *n, const struct address *a)
{
	for (unsigned i = 0; i < n->way_count; i++)
		if (address_equal(&n->ways[i], a))
			return (int)i;
	return -1;
}

static bool carry_from_client(struct small_net *n, struct small_client *c)
{
	static uint8_t room[ENDPOINT_LOOPBACK_MAX];
	struct datagram d;
	bool any = false;

	while (endpoint_send(c->endpoint, room, &d, n->now)) {
		struct path path = { .local = d.path.remote, .remote = c->address };
		int way = way_to(n, &d.path.remote);

		any = true;
		path.socket = (uint16_t)way;
		if (!c->is_cut && way >= 0)
			endpoint_receive(server_endpoint(n->server), &path, room, d.size,
					 n->now);
	}
	return any;
}

void small_client_flush(struct small_client *c)
{
	endpoint_tick(c->endpoint, c->net->now);
	carry_from_client(c->net, c);
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
			c->stray_from = e.path.remote;
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
	randombytes_buf(c->key.bytes, sizeof c->key.bytes);
	return c;
}

struct small_client *small_client_sibling(struct small_client *of)
{
	struct small_client *c = new_machine(of->net);

	c->name = of->name;
	c->identity = of->identity;
	c->key = of->key;
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

static bool hear(struct small_client *c, enum wire_type type, bool own, struct wire_message *m)
{
	struct bytes contents;
	size_t total;

	while (frame_take(buf_view(&c->inbox), &contents, &total) == 1) {
		buf_clear(&c->scratch);
		buf_append(&c->scratch, contents);
		buf_drop_front(&c->inbox, total);
		if (wire_decode(m, buf_view(&c->scratch), WIRE_FROM_DIRECTORY) < 0)
			abort();
		if (m->type == WIRE_PRESENCE && name_equal(&m->presence.name, &c->name)) {
			c->devices = m->presence.devices;
			if (!own)
				continue;
		}
		if (m->type == WIRE_REFUSAL)
			c->refusal = m->refusal;
		if (m->type == type)
			return true;
	}
	return false;
}

bool small_client_hears(struct small_client *c, enum wire_type type, struct wire_message *m)
{
	return hear(c, type, false, m);
}

bool small_client_hears_own(struct small_client *c, struct wire_message *m)
{
	while (hear(c, WIRE_PRESENCE, true, m))
		if (name_equal(&m->presence.name, &c->name))
			return true;
	return false;
}

/* --- becoming somebody --- */

int small_client_ask(struct small_client *c, struct wire_message *m, enum wire_type type)
{
	struct buf before = { 0 };

	small_client_say(c, m);
	small_net_run(c->net, 50 * MILLISECOND);
	buf_append(&before, buf_view(&c->inbox));
	if (small_client_hears(c, type, m)) {
		buf_clear(&before);
		return 0;
	}
	buf_clear(&c->inbox);
	buf_append(&c->inbox, buf_view(&before));
	buf_clear(&before);
	if (small_client_hears(c, WIRE_REFUSAL, m))
		return m->refusal.error;
	return ERR_TIMEOUT;
}

static struct wire_work *work_in(struct wire_message *m)
{
	return m->type == WIRE_REGISTER_START ? &m->register_start.work
	       : m->type == WIRE_LOGIN_START  ? &m->login_start.work
					      : &m->recover.work;
}

/* The same for what may be asked to pay with work. */
static int ask_working(struct small_client *c, struct wire_message *m, enum wire_type type)
{
	struct wire_message again = *m;
	int err = small_client_ask(c, m, type);

	if (err != ERR_BUSY || !c->works || !m->refusal.work.bits)
		return err;
	work_in(&again)->is_done = true;
	if (work_solve(&m->refusal.work, &work_in(&again)->nonce, NULL, NULL) < 0)
		abort();
	*m = again;
	return small_client_ask(c, m, type);
}

void small_client_newcomer(struct small_client *c, struct wire_newcomer *n)
{
	n->certificate = c->certificate;
	n->devices = c->devices;
	if (device_list_add(&n->devices, &c->device.public, "test", c->net->wall) < 0)
		abort();
	device_list_sign(&n->devices, &c->identity);
	proof_register(n->proof_of_possession, &c->identity, link_handshake_hash(c->link),
		       &c->name);
}

/* The contents without contacts are as large as one step of a vault. */
static void seal_vault(struct small_client *c, uint64_t version, struct buf *sealed)
{
	struct vault v = { .identity = c->identity };

	if (vault_seal(&v, &c->key, &c->name, version, sealed) < 0)
		abort();
}

void small_client_first_vault(struct small_client *c, struct wire_first_vault *v)
{
	struct buf sealed = { 0 };

	seal_vault(c, 1, &sealed);
	assert(sealed.size == sizeof v->sealed);
	memcpy(v->sealed, sealed.data, sizeof v->sealed);
	vault_wrap(v->wrap, &c->key, c->export_key, &c->name);
	vault_sign(v->signature, &c->identity, &c->name, 1, BYTES(v->sealed));
	buf_clear(&sealed);
}

/* The record of a new password, from what the directory answered. */
static int make_record(struct small_client *c, struct opaque_client *oc,
		       const uint8_t *response, uint8_t record[OPAQUE_RECORD_SIZE])
{
	struct opaque_names names = { { 0 }, { 0 } };
	uint8_t oprf[OPAQUE_OPRF_SIZE];
	int err = opaque_register_evaluate(oc, response, oprf);

	if (!err)
		err = opaque_register_finish(oc, oprf, names, record, c->export_key);
	return err;
}

static int do_register(struct small_client *c, const char *password, const char *invite)
{
	struct wire_message m = { .type = WIRE_REGISTER_START };
	struct opaque_client_random random;
	struct opaque_client oc = { 0 };
	uint8_t record[OPAQUE_RECORD_SIZE];
	int err;

	opaque_client_random(&random);
	m.register_start.name = c->name;
	m.register_start.invite = bytes_text(invite ? invite : "");
	opaque_register_start(&oc, bytes_text(password), &random, m.register_start.request);
	err = ask_working(c, &m, WIRE_REGISTER_CHALLENGE);
	if (!err)
		err = make_record(c, &oc, m.register_challenge.response, record);
	if (err < 0)
		return err;
	memset(&m, 0, sizeof m);
	m.type = WIRE_REGISTER_FINISH;
	memcpy(m.register_finish.record, record, sizeof record);
	c->devices.version = 0;
	small_client_newcomer(c, &m.register_finish.newcomer);
	small_client_first_vault(c, &m.register_finish.vault);
	return small_client_ask(c, &m, WIRE_REGISTER_DONE);
}

int small_client_prove(struct small_client *c, const char *password, struct wire_message *m)
{
	struct opaque_names names = { { 0 }, { 0 } };
	struct opaque_client_random random;
	struct opaque_client oc = { 0 };
	uint8_t oprf[64], stretched[64], ke3[64], session[64];
	struct wire_login_challenge challenge;
	uint8_t context[PROOF_CONTEXT_SIZE];
	int err;

	*m = (struct wire_message){ .type = WIRE_LOGIN_START };
	opaque_client_random(&random);
	m->login_start.name = c->name;
	opaque_login_start(&oc, bytes_text(password), &random, m->login_start.ke1);
	err = ask_working(c, m, WIRE_LOGIN_CHALLENGE);
	if (err < 0)
		return err;
	challenge = m->login_challenge;
	proof_context(context, (enum ksf)challenge.ksf, link_handshake_hash(c->link));
	err = opaque_login_evaluate(&oc, challenge.ke2, oprf);
	if (!err && c->stretches)
		err = ksf_stretch((enum ksf)challenge.ksf, oprf, stretched);
	else
		memcpy(stretched, oprf, sizeof stretched);
	if (!err)
		err = opaque_login_finish(&oc, stretched, names, BYTES(context), ke3, session,
					  c->export_key);
	memset(m, 0, sizeof *m);
	m->type = WIRE_LOGIN_FINISH;
	if (!err)
		memcpy(m->login_finish.ke3, ke3, sizeof ke3);
	/* one that knows it is wrong says something wrong: the directory shall refuse too */
	err = small_client_ask(c, m, WIRE_LOGIN_DONE);
	if (!err)
		c->devices = m->login_done.devices;
	return err;
}

int small_client_recover(struct small_client *c, const struct identity *code,
			 struct wire_message *m)
{
	int err;

	*m = (struct wire_message){ .type = WIRE_RECOVER };
	m->recover.name = c->name;
	proof_recover(m->recover.proof, code, link_handshake_hash(c->link), &c->name);
	err = ask_working(c, m, WIRE_LOGIN_DONE);
	if (!err)
		c->devices = m->login_done.devices;
	return err;
}

int small_client_enrol(struct small_client *c, bool has_vault)
{
	struct wire_message m = { .type = WIRE_ENROL };

	if (has_vault) /* nobody was in, or somebody else */
		c->devices = (struct device_list){ .version = c->devices.version };
	small_client_newcomer(c, &m.enrol.newcomer);
	m.enrol.has_vault = has_vault;
	if (has_vault)
		small_client_first_vault(c, &m.enrol.vault);
	return small_client_ask(c, &m, WIRE_ENROL_DONE);
}

int small_client_password(struct small_client *c, const char *password, bool has_wrap)
{
	struct wire_message m = { .type = WIRE_PASSWORD_START };
	struct opaque_client_random random;
	struct opaque_client oc = { 0 };
	uint8_t record[OPAQUE_RECORD_SIZE];
	int err;

	opaque_client_random(&random);
	opaque_register_start(&oc, bytes_text(password), &random, m.password_start.request);
	err = small_client_ask(c, &m, WIRE_PASSWORD_CHALLENGE);
	if (!err)
		err = make_record(c, &oc, m.password_challenge.response, record);
	if (err < 0)
		return err;
	memset(&m, 0, sizeof m);
	m.type = WIRE_PASSWORD_FINISH;
	memcpy(m.password_finish.record, record, sizeof record);
	m.password_finish.has_wrap = has_wrap;
	if (has_wrap)
		vault_wrap(m.password_finish.wrap, &c->key, c->export_key, &c->name);
	return small_client_ask(c, &m, WIRE_PASSWORD_DONE);
}

int small_client_put_vault(struct small_client *c, uint64_t version, size_t size)
{
	struct wire_message m = { .type = WIRE_VAULT_PUT };
	uint8_t *sealed = memory_array(1, size);
	uint8_t signature[VAULT_SIGNATURE_SIZE];
	int err = 0;

	c->refusal = (struct wire_refusal){ 0 };
	randombytes_buf(sealed, size);
	vault_sign(signature, &c->identity, &c->name, version, bytes_of(sealed, size));
	for (size_t at = 0; at < size && !err; at += WIRE_VAULT_PUT_PART) {
		size_t left = size - at;

		m = (struct wire_message){ .type = WIRE_VAULT_PUT };
		m.vault_put.version = version;
		memcpy(m.vault_put.signature, signature, sizeof signature);
		m.vault_put.total = size;
		m.vault_put.offset = at;
		m.vault_put.part = bytes_of(
			sealed + at, left < WIRE_VAULT_PUT_PART ? left : WIRE_VAULT_PUT_PART);
		if (left > WIRE_VAULT_PUT_PART)
			small_client_say(c, &m);
		else
			err = small_client_ask(c, &m, WIRE_VAULT_NOW);
	}
	/* a refusal of that kind is followed by the version that there is */
	if (!err)
		err = c->refusal.error;
	free(sealed);
	return err;
}

int small_client_put_devices(struct small_client *c, const struct device_list *list)
{
	struct wire_message m = { .type = WIRE_DEVICES_PUT, .devices_put.devices = *list };

	return small_client_ask(c, &m, WIRE_DEVICES_DONE);
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
	struct wire_message m;

	small_client_dial(c, LINK_NK);
	if (c->is_up)
		err = small_client_prove(c, password, &m);
	if (!err)
		err = small_client_enrol(c, !m.login_done.has_identity);
	small_client_hang_up(c);
	return err;
}

int small_client_come(struct small_client *c)
{
	struct wire_message m;

	small_client_dial(c, LINK_IK);
	return small_client_hears(c, WIRE_WELCOME, &m) ? 0 : ERR_TIMEOUT;
}

void small_client_records(struct small_client *c, struct wire_publish *publish)
{
	struct address inside = { .family = 4, .port = 5000, .ip = { 192, 168, 0, 7 } };
	struct peer_record r = { .device = c->device.public };

	inside.ip[2] = c->address.ip[1];
	memset(r.knock.bytes, 7, sizeof r.knock.bytes);
	c->number = c->number ? c->number + 2 : (uint64_t)c->net->wall;
	r.number = c->number;
	candidates_add(&r.candidates, CANDIDATE_HOST, &inside);
	publish->open = r;
	peer_record_sign(&publish->open, &c->identity);
	r.number++;
	r.candidates.count = 0;
	publish->shut = r;
	peer_record_sign(&publish->shut, &c->identity);
}

void small_client_publish(struct small_client *c)
{
	struct wire_message m = { .type = WIRE_PUBLISH };

	small_client_records(c, &m.publish);
	small_client_say(c, &m);
	small_net_run(c->net, 10 * MILLISECOND);
}

void small_client_consent(struct small_client *c, const char *name, enum consent consent)
{
	struct wire_message m = { .type = WIRE_LIST_ADD, .list_add.consent = consent };

	name_parse(&m.list_add.name, bytes_text(name));
	small_client_say(c, &m);
	small_net_run(c->net, 10 * MILLISECOND);
}

void small_client_move(struct small_client *c)
{
	c->address.port++;
	link_ping(c->link);
	small_net_run(c->net, 100 * MILLISECOND);
}

void small_client_list(struct small_client *c, ...)
{
	struct wire_message m = { .type = WIRE_LIST };
	const char *name;
	va_list names;

	m.list.is_first = m.list.is_last = true;
	va_start(names, c);
	while ((name = va_arg(names, const char *)))
		name_parse(&m.list.list[m.list.count++].name, bytes_text(name));
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
