#include "tests/login_steps.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "shared/error.h"
#include "shared/proof.h"

struct fake_registry store;
struct fake_holder keys;
struct login_desk desk;
mono_ns now;
const wall_ms wall = 1700000000000;
const uint8_t link_hash[64] = { 1, 2, 3 };
const struct address client_address = { .family = 4, .port = 1, .ip = { 10, 0, 0, 1 } };
struct login *our_login;
const struct name alice = { "alice" };
struct identity identity;
struct device device;
struct certificate certificate;
struct device_list devices;
struct wire_message said, reply;

static struct opaque_server server;
static struct opaque_client client;

static void ask(const char *what, const struct name *name)
{
	store.asked = what;
	if (name)
		store.name = *name;
}

static void may(struct registry *r, uint64_t ticket, const struct name *name, bool needs_invite,
		struct bytes invite, wall_ms at)
{
	(void)r, (void)ticket, (void)invite, (void)at;
	ask(needs_invite ? "may-invite" : "may", name);
}

static void create(struct registry *r, uint64_t ticket, const struct registry_new *account,
		   wall_ms at)
{
	(void)r, (void)ticket, (void)at;
	ask("create", &account->name);
	store.has_vault = account->newcomer && account->vault;
}

static void find(struct registry *r, uint64_t ticket, const struct name *name)
{
	(void)r, (void)ticket;
	ask("find", name);
}

static void reset(struct registry *r, uint64_t ticket, struct bytes code, wall_ms at)
{
	(void)r, (void)ticket, (void)code, (void)at;
	ask("reset", NULL);
}

static void account(struct registry *r, uint64_t ticket, const struct name *name,
		    bool by_recovery)
{
	(void)r, (void)ticket;
	ask("account", name);
	store.by_recovery = by_recovery;
}

static void enrol(struct registry *r, uint64_t ticket, const struct name *name,
		  const struct wire_enrol *e)
{
	(void)r, (void)ticket;
	ask("enrol", name);
	store.has_vault = e->has_vault;
}

static void put_password(struct registry *r, uint64_t ticket,
			 const struct registry_password *change, wall_ms at)
{
	(void)r, (void)ticket, (void)at;
	ask(change->reset_code.size ? "password-by-reset" : "password", &change->name);
	store.has_wrap = change->wrap;
	store.has_devices = change->devices;
}

static void get_vault(struct registry *r, uint64_t ticket, const struct name *name,
		      uint64_t offset)
{
	(void)r, (void)ticket, (void)offset;
	ask("vault", name);
}

static int add_failures(struct registry *r, const struct registry_failures *list,
			unsigned count)
{
	(void)r;
	for (unsigned i = 0; i < count; i++)
		store.failures += list[i].count;
	return 0;
}

static void hold(struct holder *h, uint64_t ticket, const struct name *name,
		 const uint8_t blinded[32], const uint8_t *keyshare)
{
	(void)h;
	keys.real->ask(keys.real, ticket, name, blinded, keyshare);
}

static const uint8_t *public_key(const struct holder *h)
{
	(void)h;
	return keys.is_unknown ? NULL : keys.real->public_key(keys.real);
}

void new_link(const struct name *only)
{
	login_free(our_login);
	our_login = login_new(&desk, link_hash, &client_address, only);
}

int begin_login(void **state)
{
	struct limits_config config = limits_default();
	static const uint8_t key[16];

	(void)state;
	config.work_bits_max = 8; /* quick to do */
	now = SECOND;
	store = (struct fake_registry){ .row = { .may_register = may,
						 .create = create,
						 .find = find,
						 .reset = reset,
						 .account = account,
						 .enrol = enrol,
						 .put_password = put_password,
						 .get_vault = get_vault,
						 .add_failures = add_failures },
					.asked = "" };
	opaque_server_make(&server);
	keys = (struct fake_holder){ .row = { .ask = hold, .public_key = public_key },
				     .real = holder_local(&server) };
	desk = (struct login_desk){
		.registry = &store.row,
		.holder = &keys.row,
		.limits = limits_new(&config, key),
		.failures = failures_new(key),
		.registration = REGISTRATION_OPEN,
		.ksf = KSF_ARGON2ID_64M,
	};
	identity_make(&identity);
	device_make(&device);
	certificate_make(&certificate, &identity, &device.public, "test", 1, 0);
	memset(&devices, 0, sizeof devices);
	device_list_add(&devices, &device.public, "test", wall);
	device_list_sign(&devices, &identity);
	our_login = NULL;
	new_link(NULL);
	return 0;
}

int end_login(void **state)
{
	(void)state;
	login_free(our_login);
	our_login = NULL;
	limits_free(desk.limits);
	failures_free(desk.failures);
	keys.real->close(keys.real);
	return 0;
}

/* One message and, where the key-holder is asked for it, that answer too: 0: the registry is
 * asked; 1: `reply`; a refusal's error; ERR_CLOSED: the link is not worth keeping. */
static int result_of(int result)
{
	struct holder_answer a;

	while (result == 0 && keys.real->next(keys.real, &a)) {
		if (keys.is_away)
			a = (struct holder_answer){ .err = ERR_OFFLINE };
		result = login_holder_answer(our_login, &a, &reply);
	}
	if (result < 0)
		return ERR_CLOSED;
	return result && reply.type == WIRE_REFUSAL ? reply.refusal.error : result;
}

int say_it(void)
{
	store.asked = "";
	return result_of(login_message(our_login, &said, 1, now, wall, &reply));
}

int answered(void)
{
	return result_of(login_registry_answer(our_login, &store.answer, 1, &reply));
}

void make_record(const char *password, const char *name, uint8_t record[OPAQUE_RECORD_SIZE])
{
	static struct opaque_client c;
	struct opaque_client_random random;
	struct opaque_names names = { { 0 }, { 0 } };
	struct opaque_held held;
	uint8_t request[32], response[64], oprf[64], export[64];

	opaque_client_random(&random);
	opaque_register_start(&c, bytes_text(password), &random, request);
	assert_int_equal(opaque_hold(&server, bytes_text(name), request, NULL, &held), 0);
	opaque_server_register(server.public, &held, response);
	opaque_register_evaluate(&c, response, oprf);
	opaque_register_finish(&c, oprf, names, record, export);
}

static void make_newcomer(struct wire_newcomer *n, struct wire_first_vault *v,
			  const uint8_t *bound_to)
{
	n->certificate = certificate;
	n->devices = devices;
	proof_register(n->proof_of_possession, &identity, bound_to, &alice);
	vault_sign(v->signature, &identity, &alice, 1, BYTES(v->sealed));
}

void start_registration(void)
{
	static struct opaque_client c;
	struct opaque_client_random random;

	memset(&said, 0, sizeof said);
	said.type = WIRE_REGISTER_START;
	said.register_start.name = alice;
	opaque_client_random(&random);
	opaque_register_start(&c, bytes_text("secret"), &random, said.register_start.request);
}

void finish_registration(const uint8_t *bound_to)
{
	memset(&said, 0, sizeof said);
	said.type = WIRE_REGISTER_FINISH;
	make_record("secret", "alice", said.register_finish.record);
	make_newcomer(&said.register_finish.newcomer, &said.register_finish.vault, bound_to);
}

void be_challenged(void)
{
	start_registration();
	assert_int_equal(say_it(), 0);
	assert_int_equal(answered(), 1);
	assert_int_equal(reply.type, WIRE_REGISTER_CHALLENGE);
}

void start_login(const char *password)
{
	struct opaque_client_random random;

	memset(&said, 0, sizeof said);
	said.type = WIRE_LOGIN_START;
	said.login_start.name = alice;
	opaque_client_random(&random);
	opaque_login_start(&client, bytes_text(password), &random, said.login_start.ke1);
}

void challenge_login(const char *password, const uint8_t *bound_to, enum ksf ksf)
{
	struct opaque_names names = { { 0 }, { 0 } };
	uint8_t oprf[64], ke3[64], session[64], export[64], context[PROOF_CONTEXT_SIZE];

	start_login(password);
	assert_int_equal(say_it(), 0);
	assert_string_equal(store.asked, "find");
	assert_int_equal(answered(), 1);
	assert_int_equal(reply.type, WIRE_LOGIN_CHALLENGE);
	assert_int_equal(reply.login_challenge.ksf, KSF_ARGON2ID_64M);
	proof_context(context, ksf, bound_to);
	memset(&said, 0, sizeof said);
	said.type = WIRE_LOGIN_FINISH;
	if (opaque_login_evaluate(&client, reply.login_challenge.ke2, oprf) < 0 ||
	    opaque_login_finish(&client, oprf, names, BYTES(context), ke3, session, export) < 0)
		return;
	memcpy(said.login_finish.ke3, ke3, sizeof ke3);
}

void log_in(void)
{
	make_record("secret", "alice", store.answer.record);
	store.answer.is_found = true;
	challenge_login("secret", link_hash, KSF_ARGON2ID_64M);
	assert_int_equal(say_it(), 0);
	assert_string_equal(store.asked, "account");
	store.answer.devices = devices;
	store.answer.has_identity = true;
	assert_int_equal(answered(), 1);
	assert_int_equal(reply.type, WIRE_LOGIN_DONE);
}

int enrol_device(const uint8_t *bound_to, bool has_vault)
{
	memset(&said, 0, sizeof said);
	said.type = WIRE_ENROL;
	make_newcomer(&said.enrol.newcomer, &said.enrol.vault, bound_to);
	said.enrol.has_vault = has_vault;
	return say_it();
}

int start_password(void)
{
	static struct opaque_client c;
	struct opaque_client_random random;

	said = (struct wire_message){ .type = WIRE_PASSWORD_START };
	opaque_client_random(&random);
	opaque_register_start(&c, bytes_text("new"), &random, said.password_start.request);
	return say_it();
}

int finish_password(bool has_wrap, bool has_devices)
{
	said = (struct wire_message){ .type = WIRE_PASSWORD_FINISH };
	make_record("new", "alice", said.password_finish.record);
	said.password_finish.has_wrap = has_wrap;
	said.password_finish.has_devices = has_devices;
	said.password_finish.devices = devices;
	return say_it();
}
