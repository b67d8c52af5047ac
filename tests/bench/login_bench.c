/* How many logins one core of a directory bears, end to end over loopback: by password (Noise
 * NK, OPAQUE, what LOGIN_DONE tells; clients leave out the stretching, in which the directory
 * has no part) and by device key (Noise IK to WELCOME). The directory is a process of its own
 * with its key-holder in it; what counts is the processor time it used. Beside them the bare
 * operations that each login cannot do without. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "directory/server.h"
#include "shared/frame.h"
#include "shared/proof.h"
#include "shared/udp.h"
#include "tests/awaited.h"
#include "tests/passing.h"

enum { CLIENTS = 24, SECONDS_EACH = 4, PLENTY = 1000000 };

static uv_loop_t loop;
static const char password[] = "correct horse";

enum phase { PHASE_REGISTER, PHASE_PASSWORD, PHASE_KEY };

struct facts {
	struct address address;
	struct device_public key;
};

struct client {
	struct endpoint *endpoint;
	struct udp *udp;
	struct link *link;
	const struct facts *server;
	struct name name;
	struct identity identity;
	struct device device;
	struct symmetric_key vault_key;
	struct opaque_client opaque;
	struct buf inbox, token;
	enum phase phase;
	bool is_stopping, is_resting;
	uint64_t done;
};

/* --- the directory --- */

static struct server *server;

static mono_ns server_turn(void *user, mono_ns now)
{
	(void)user;
	return server_step(server, now, clock_wall());
}

static void __attribute__((noreturn)) serve(int control, const char *data)
{
	struct server_config config = { .data = data,
					.registration = REGISTRATION_OPEN,
					.has_limits = true,
					.limits = limits_default() };
	struct address at = { .family = 4, .ip = { 127, 0, 0, 1 } };
	struct facts facts;
	char reason[256] = "";
	struct udp *udp;

	for (unsigned i = 0; i < LIMIT_COUNT; i++)
		config.limits.size[i] = (struct bucket_size){ PLENTY, 1 };
	if (server_init_ksf(data, KSF_ARGON2ID_64M, reason, sizeof reason) < 0 ||
	    server_open(&server, &config, clock_now(), clock_wall(), reason, sizeof reason) <
		    0) {
		fprintf(stderr, "%s\n", reason);
		_exit(1);
	}
	uv_loop_init(&loop);
	if (udp_new(&udp, &loop, server_endpoint(server), server_turn, NULL) < 0 ||
	    udp_listen(udp, &at, &facts.address) < 0)
		_exit(1);
	facts.key = *server_key(server);
	if (write(control, &facts, sizeof facts) != sizeof facts)
		_exit(1);
	uv_run(&loop, UV_RUN_DEFAULT);
	_exit(0);
}

/* --- a client --- */

static void say(struct client *c, const struct wire_message *m)
{
	struct buf contents = { 0 }, frame = { 0 };

	if (wire_encode(m, &contents) < 0 || frame_append(&frame, buf_view(&contents)) < 0 ||
	    link_write(c->link, LINK_CONTROL, buf_view(&frame), false) < 0)
		abort();
	buf_clear(&contents);
	buf_clear(&frame);
}

static void dial(struct client *c, mono_ns now)
{
	struct link_target t = {
		.pattern = c->phase == PHASE_KEY ? LINK_IK : LINK_NK,
		.device = c->server->key,
		.knock = knock_of_directory(&c->server->key),
		.address_count = 1,
		.addresses = { c->server->address },
		.token = buf_view(&c->token),
	};

	buf_clear(&c->inbox);
	c->link = endpoint_dial(c->endpoint, &t, now);
}

/* Once more, or that was enough. */
static void finished(struct client *c, mono_ns now)
{
	c->done++;
	link_close(c->link, LINK_CODE_BYE, now);
	c->link = NULL;
	if (c->is_stopping)
		c->is_resting = true;
	else
		dial(c, now);
}

static void on_up(struct client *c)
{
	struct wire_message m = { .type = WIRE_LOGIN_START };
	struct opaque_client_random random;

	if (c->phase == PHASE_KEY)
		return;
	opaque_client_random(&random);
	if (c->phase == PHASE_PASSWORD) {
		m.login_start.name = c->name;
		opaque_login_start(&c->opaque, bytes_text(password), &random,
				   m.login_start.ke1);
	} else {
		m.type = WIRE_REGISTER_START;
		m.register_start.name = c->name;
		m.register_start.invite = bytes_text("");
		opaque_register_start(&c->opaque, bytes_text(password), &random,
				      m.register_start.request);
	}
	say(c, &m);
}

static void on_register_challenge(struct client *c, const struct wire_message *challenge)
{
	struct wire_message m = { .type = WIRE_REGISTER_FINISH };
	struct wire_register_finish *f = &m.register_finish;
	struct vault vault = { .identity = c->identity };
	uint8_t oprf[OPAQUE_OPRF_SIZE], export_key[OPAQUE_EXPORT_KEY_SIZE];
	struct buf sealed = { 0 };

	if (opaque_register_evaluate(&c->opaque, challenge->register_challenge.response, oprf) <
		    0 ||
	    opaque_register_finish(&c->opaque, oprf, (struct opaque_names){ 0 }, f->record,
				   export_key) < 0 ||
	    vault_seal(&vault, &c->vault_key, &c->name, 1, &sealed) < 0)
		abort();
	certificate_make(&f->newcomer.certificate, &c->identity, &c->device.public, "bench", 1,
			 0);
	endpoint_set_certificate(c->endpoint, &f->newcomer.certificate);
	device_list_add(&f->newcomer.devices, &c->device.public, "bench", clock_wall());
	device_list_sign(&f->newcomer.devices, &c->identity);
	proof_register(f->newcomer.proof_of_possession, &c->identity,
		       link_handshake_hash(c->link), &c->name);
	memcpy(f->vault.sealed, sealed.data, sizeof f->vault.sealed);
	vault_wrap(f->vault.wrap, &c->vault_key, export_key, &c->name);
	vault_sign(f->vault.signature, &c->identity, &c->name, 1, buf_view(&sealed));
	buf_clear(&sealed);
	say(c, &m);
}

static void on_login_challenge(struct client *c, const struct wire_message *challenge)
{
	struct wire_message m = { .type = WIRE_LOGIN_FINISH };
	uint8_t oprf[OPAQUE_OPRF_SIZE], session[OPAQUE_SESSION_KEY_SIZE];
	uint8_t export_key[OPAQUE_EXPORT_KEY_SIZE], context[PROOF_CONTEXT_SIZE];

	proof_context(context, (enum ksf)challenge->login_challenge.ksf,
		      link_handshake_hash(c->link));
	if (opaque_login_evaluate(&c->opaque, challenge->login_challenge.ke2, oprf) < 0 ||
	    opaque_login_finish(&c->opaque, oprf, (struct opaque_names){ 0 }, BYTES(context),
				m.login_finish.ke3, session, export_key) < 0)
		abort();
	say(c, &m);
}

static void on_message(struct client *c, const struct wire_message *m, mono_ns now)
{
	switch (m->type) {
	case WIRE_REGISTER_CHALLENGE:
		on_register_challenge(c, m);
		break;
	case WIRE_LOGIN_CHALLENGE:
		on_login_challenge(c, m);
		break;
	case WIRE_REGISTER_DONE:
	case WIRE_LOGIN_DONE:
	case WIRE_WELCOME:
		finished(c, now);
		break;
	case WIRE_REFUSAL:
		fprintf(stderr, "refused: %d\n", m->refusal.error);
		exit(1);
	default:
		break;
	}
}

static void read_link(struct client *c, mono_ns now)
{
	const struct link *link = c->link;
	struct wire_message m;
	struct bytes view, contents;
	bool is_end;
	size_t total;

	view = link_peek(c->link, LINK_CONTROL, &is_end);
	buf_append(&c->inbox, view);
	link_consume(c->link, LINK_CONTROL, view.size);
	while (c->link == link && frame_take(buf_view(&c->inbox), &contents, &total) == 1) {
		if (wire_decode(&m, contents, WIRE_FROM_DIRECTORY) < 0)
			abort();
		on_message(c, &m, now);
		if (c->link == link) /* else a new one began, with nothing heard yet */
			buf_drop_front(&c->inbox, total);
	}
}

static mono_ns client_turn(void *user, mono_ns now)
{
	struct client *c = user;
	struct link_event e;

	while (endpoint_next(c->endpoint, &e)) {
		if (e.kind == LINK_TOKEN) {
			c->token.size = 0;
			buf_append(&c->token, e.data);
		}
		if (!c->link || e.link != c->link)
			continue;
		if (e.kind == LINK_UP)
			on_up(c);
		if (e.kind == LINK_READABLE)
			read_link(c, now);
		if (e.kind == LINK_DOWN) /* lost in a full socket: once more */
			dial(c, now);
	}
	return NEVER;
}

static void client_make(struct client *c, unsigned number, const struct facts *facts)
{
	struct endpoint_config config = { .policy = ENDPOINT_ADMITTED,
					  .idle_timeout = 20 * SECOND,
					  .keep_alive = NEVER };
	struct address at = { .family = 4, .ip = { 127, 0, 0, 1 } }, bound;

	snprintf(c->name.text, sizeof c->name.text, "person-%u", number);
	identity_make(&c->identity);
	device_make(&c->device);
	randombytes_buf(c->vault_key.bytes, sizeof c->vault_key.bytes);
	buf_init(&c->token, ENDPOINT_TOKEN_MAX);
	c->server = facts;
	config.device = c->device;
	c->endpoint = endpoint_new(&config, clock_now());
	if (udp_new(&c->udp, &loop, c->endpoint, client_turn, c) < 0 ||
	    udp_listen(c->udp, &at, &bound) < 0)
		abort();
}

/* --- the figures --- */

static double cpu_of(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void run_phase(struct client *all, enum phase phase, mono_ns how_long)
{
	static const char *const ends[] = {
		[PHASE_REGISTER] = "everybody's account",
		[PHASE_PASSWORD] = "the last login by password of each",
		[PHASE_KEY] = "the last login by device key of each",
	};
	mono_ns until = clock_now() + how_long;
	bool is_busy = true;

	for (unsigned i = 0; i < CLIENTS; i++) {
		all[i].phase = phase;
		all[i].is_stopping = how_long == 0;
		all[i].is_resting = false;
		all[i].done = 0;
		dial(&all[i], clock_now());
		udp_wake(all[i].udp);
	}
	awaited(ends[phase]);
	while (is_busy) {
		uv_run(&loop, UV_RUN_ONCE);
		is_busy = false;
		for (unsigned i = 0; i < CLIENTS; i++) {
			all[i].is_stopping |= clock_now() >= until;
			is_busy |= !all[i].is_resting;
		}
	}
	awaited_came();
}

static void measure(struct client *all, enum phase phase, clockid_t clock, const char *what)
{
	double cpu = cpu_of(clock), took;
	mono_ns began = clock_now();
	uint64_t done = 0;

	run_phase(all, phase, SECONDS_EACH * SECOND);
	took = (double)(clock_now() - began) / (double)SECOND;
	cpu = cpu_of(clock) - cpu;
	for (unsigned i = 0; i < CLIENTS; i++)
		done += all[i].done;
	printf("%-44s %6.0f /s, %.0f us of the directory's processor each (%.0f /s a core)\n",
	       what, (double)done / took, cpu / (double)done * 1e6, (double)done / cpu);
}

static double time_of(void (*work)(uint8_t *out, const uint8_t *in))
{
	uint8_t out[64] = { 1 }, in[64];
	mono_ns began = clock_now();
	unsigned count = 0;

	crypto_core_ristretto255_random(in);
	for (; clock_now() - began < SECOND / 4; count++)
		work(out, in);
	return (double)(clock_now() - began) / 1e3 / count;
}

static void x25519(uint8_t *out, const uint8_t *in)
{
	if (crypto_scalarmult(out, out, in) != 0)
		out[0] = 1;
}

static void ristretto(uint8_t *out, const uint8_t *in)
{
	uint8_t scalar[32] = { 7 };

	if (crypto_scalarmult_ristretto255(out, scalar, in) != 0)
		out[0] = 1;
}

int main(void)
{
	static struct client all[CLIENTS];
	const char *data;
	struct facts facts;
	int control[2];
	clockid_t clock;
	pid_t child;

	if (sodium_init() < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, control) < 0)
		return 1;
	data = passing_folder(NULL);
	child = passing_fork();
	if (child == 0)
		serve(control[1], data);
	close(control[1]);
	if (read(control[0], &facts, sizeof facts) != sizeof facts ||
	    clock_getcpuclockid(child, &clock) != 0)
		return 1;
	uv_loop_init(&loop);
	for (unsigned i = 0; i < CLIENTS; i++)
		client_make(&all[i], i, &facts);
	run_phase(all, PHASE_REGISTER, 0);
	measure(all, PHASE_PASSWORD, clock, "logins by password, to LOGIN_DONE");
	measure(all, PHASE_KEY, clock, "logins by device key, to WELCOME");
	printf("%-44s %6.1f us X25519, %.1f us ristretto255\n",
	       "  one multiplication by a scalar", time_of(x25519), time_of(ristretto));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return 0;
}
