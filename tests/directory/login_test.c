#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <sodium.h>
#include <string.h>

#include "directory/login.h"
#include "shared/error.h"
#include "shared/proof.h"

/* A registry that answers what the test wants, and remembers what it was asked. */
struct fake {
	struct registry row;
	const char *asked;
	struct registry_answer answer;
	uint8_t wrap[VAULT_WRAP_SIZE];
	bool has_vault, has_wrap, has_devices, by_recovery;
	struct name name;
	uint32_t failures;
};
static struct fake store;
/* A key-holder that may be away. */
struct fake_holder {
	struct holder row;
	struct holder *real;
	bool is_away, is_unknown;
};
static struct fake_holder keys;
static struct login_desk desk;
static struct opaque_server server;
static struct login *l;
static const uint8_t hash[64] = { 1, 2, 3 };
static const struct address from = { .family = 4, .port = 1, .ip = { 10, 0, 0, 1 } };
static const struct name alice = { "alice" };
static struct identity identity;
static struct device device;
static struct certificate certificate;
static struct device_list devices;
static struct wire_message m, reply;
static mono_ns now;
static const wall_ms wall = 1700000000000;

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

static void fresh(const struct name *only)
{
	login_free(l);
	l = login_new(&desk, hash, &from, only);
}

static int begin(void **state)
{
	struct limits_config config = limits_default();
	static const uint8_t key[16];

	(void)state;
	config.work_bits_max = 8; /* quick to do */
	now = SECOND;
	store = (struct fake){ .row = { .may_register = may,
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
	l = NULL;
	fresh(NULL);
	return 0;
}

static int end(void **state)
{
	(void)state;
	login_free(l);
	l = NULL;
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
		result = login_holder_answer(l, &a, &reply);
	}
	if (result < 0)
		return ERR_CLOSED;
	return result && reply.type == WIRE_REFUSAL ? reply.refusal.error : result;
}

static int say(void)
{
	store.asked = "";
	return result_of(login_message(l, &m, 1, now, wall, &reply));
}

static int answered(void)
{
	return result_of(login_registry_answer(l, &store.answer, 1, &reply));
}

/* A record made beforehand by both sides in one place. */
static void make_record(const char *password, const char *name,
			uint8_t record[OPAQUE_RECORD_SIZE])
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

static void start_registration(void)
{
	static struct opaque_client c;
	struct opaque_client_random random;

	memset(&m, 0, sizeof m);
	m.type = WIRE_REGISTER_START;
	m.register_start.name = alice;
	opaque_client_random(&random);
	opaque_register_start(&c, bytes_text("secret"), &random, m.register_start.request);
}

static void finish_registration(const uint8_t *bound_to)
{
	memset(&m, 0, sizeof m);
	m.type = WIRE_REGISTER_FINISH;
	make_record("secret", "alice", m.register_finish.record);
	make_newcomer(&m.register_finish.newcomer, &m.register_finish.vault, bound_to);
}

static void be_challenged(void)
{
	start_registration();
	assert_int_equal(say(), 0);
	assert_int_equal(answered(), 1);
	assert_int_equal(reply.type, WIRE_REGISTER_CHALLENGE);
}

static struct opaque_client client;

static void start_login(const char *password)
{
	struct opaque_client_random random;

	memset(&m, 0, sizeof m);
	m.type = WIRE_LOGIN_START;
	m.login_start.name = alice;
	opaque_client_random(&random);
	opaque_login_start(&client, bytes_text(password), &random, m.login_start.ke1);
}

/* KE1 said and KE2 taken; `m` is what LOGIN_FINISH would be, with everything right. */
static void challenge_login(const char *password, const uint8_t *bound_to, enum ksf ksf)
{
	struct opaque_names names = { { 0 }, { 0 } };
	uint8_t oprf[64], ke3[64], session[64], export[64], context[PROOF_CONTEXT_SIZE];

	start_login(password);
	assert_int_equal(say(), 0);
	assert_string_equal(store.asked, "find");
	assert_int_equal(answered(), 1);
	assert_int_equal(reply.type, WIRE_LOGIN_CHALLENGE);
	assert_int_equal(reply.login_challenge.ksf, KSF_ARGON2ID_64M);
	proof_context(context, ksf, bound_to);
	memset(&m, 0, sizeof m);
	m.type = WIRE_LOGIN_FINISH;
	if (opaque_login_evaluate(&client, reply.login_challenge.ke2, oprf) < 0 ||
	    opaque_login_finish(&client, oprf, names, BYTES(context), ke3, session, export) < 0)
		return;
	memcpy(m.login_finish.ke3, ke3, sizeof ke3);
}

static void log_in(void)
{
	make_record("secret", "alice", store.answer.record);
	store.answer.is_found = true;
	challenge_login("secret", hash, KSF_ARGON2ID_64M);
	assert_int_equal(say(), 0);
	assert_string_equal(store.asked, "account");
	store.answer.devices = devices;
	store.answer.has_identity = true;
	assert_int_equal(answered(), 1);
	assert_int_equal(reply.type, WIRE_LOGIN_DONE);
}

static int enrol_device(const uint8_t *bound_to, bool has_vault)
{
	memset(&m, 0, sizeof m);
	m.type = WIRE_ENROL;
	make_newcomer(&m.enrol.newcomer, &m.enrol.vault, bound_to);
	m.enrol.has_vault = has_vault;
	return say();
}

/* --- registration --- */

static void a_registration_goes_through_its_steps(void **state)
{
	(void)state;
	start_registration();
	assert_int_equal(say(), 0);
	assert_string_equal(store.asked, "may");
	assert_int_equal(answered(), 1);
	assert_int_equal(reply.type, WIRE_REGISTER_CHALLENGE);
	finish_registration(hash);
	assert_int_equal(say(), 0);
	assert_string_equal(store.asked, "create");
	assert_true(store.has_vault);
	assert_string_equal(store.name.text, "alice");
	assert_int_equal(answered(), 1);
	assert_int_equal(reply.type, WIRE_REGISTER_DONE);
}

static void registration_minds_the_mode(void **state)
{
	(void)state;
	start_registration();
	desk.registration = REGISTRATION_CLOSED;
	assert_int_equal(say(), ERR_REFUSED);
	assert_string_equal(store.asked, "");
	desk.registration = REGISTRATION_INVITE;
	assert_int_equal(say(), 0);
	assert_string_equal(store.asked, "may-invite");
	store.answer.err = ERR_EXPIRED;
	assert_int_equal(answered(), ERR_EXPIRED);
	assert_int_equal(reply.refusal.about, WIRE_REGISTER_START);
}

static void spoil_proof(void)
{
	static const uint8_t other[64] = { 9 };

	finish_registration(other); /* from another link */
}
static void spoil_record(void)
{
	memset(m.register_finish.record, 0, 32); /* the identity element */
}
static void spoil_certificate(void)
{
	m.register_finish.newcomer.certificate.serial++;
}
static void outlive_certificate(void)
{
	certificate_make(&m.register_finish.newcomer.certificate, &identity, &device.public,
			 "t", 1, 1000);
}
static void spoil_list(void)
{
	m.register_finish.newcomer.devices.version++;
}
static void leave_out_of_list(void)
{
	struct device_list *list = &m.register_finish.newcomer.devices;
	static const struct device_public another = { { 1 } };

	device_list_add(list, &another, "another", wall);
	device_list_remove(list, &device.public);
	device_list_sign(list, &identity);
}
static void mix_identities(void)
{
	struct identity other;

	identity_make(&other);
	device_list_sign(&m.register_finish.newcomer.devices, &other);
	identity_wipe(&other);
}
static void spoil_vault(void)
{
	m.register_finish.vault.sealed[100] ^= 1;
}

static void what_is_not_signed_by_one_identity_on_this_link_is_not_stored(void **state)
{
	static void (*const spoils[])(void) = {
		spoil_proof, spoil_record,      spoil_certificate, outlive_certificate,
		spoil_list,  leave_out_of_list, mix_identities,    spoil_vault,
	};

	(void)state;
	for (size_t i = 0; i < sizeof spoils / sizeof spoils[0]; i++) {
		be_challenged();
		finish_registration(hash);
		spoils[i]();
		assert_int_equal(say(), ERR_AUTH);
		assert_string_equal(store.asked, "");
		assert_int_equal(say(), ERR_CLOSED); /* one try */
		fresh(NULL);
	}
}

/* --- order --- */

static void steps_out_of_order_end_the_link(void **state)
{
	static const enum wire_type types[] = { WIRE_LOGIN_FINISH,    WIRE_PASSWORD_START,
						WIRE_PASSWORD_FINISH, WIRE_VAULT_GET,
						WIRE_ENROL,           WIRE_PUBLISH };

	(void)state;
	make_record("secret", "alice", store.answer.record);
	finish_registration(hash);
	assert_int_equal(say(), ERR_CLOSED);
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		m.type = types[i];
		assert_int_equal(say(), ERR_CLOSED);
		be_challenged();
		m.type = types[i];
		assert_int_equal(say(), ERR_CLOSED);
		fresh(NULL);
		challenge_login("secret", hash, KSF_ARGON2ID_64M);
		if (types[i] != WIRE_LOGIN_FINISH) {
			m.type = types[i];
			assert_int_equal(say(), ERR_CLOSED);
		}
		fresh(NULL);
		now += 600 * SECOND;
	}
}

static void a_login_step_is_not_taken_twice(void **state)
{
	struct wire_message finish;

	(void)state;
	make_record("secret", "alice", store.answer.record);
	challenge_login("secret", hash, KSF_ARGON2ID_64M);
	finish = m;
	assert_int_equal(say(), 0);
	assert_int_equal(answered(), 1);
	m = finish;
	assert_int_equal(say(), ERR_CLOSED);
	/* an old KE3 to a new KE2 */
	challenge_login("secret", hash, KSF_ARGON2ID_64M);
	m = finish;
	assert_int_equal(say(), ERR_AUTH);
}

/* --- logging in --- */

static void the_right_password_is_told_all_and_may_enrol(void **state)
{
	(void)state;
	store.answer.blob = BYTES(store.wrap);
	store.answer.vault_version = 7;
	store.answer.failed = 2;
	log_in();
	assert_false(store.by_recovery);
	assert_int_equal(reply.login_done.wrap.size, VAULT_WRAP_SIZE);
	assert_int_equal(reply.login_done.vault_version, 7);
	assert_int_equal(reply.login_done.failed, 2);
	assert_int_equal(reply.login_done.devices.version, 1);
	m = (struct wire_message){ .type = WIRE_VAULT_GET };
	assert_int_equal(say(), 0);
	assert_string_equal(store.asked, "vault");
	assert_int_equal(answered(), 1);
	assert_int_equal(reply.type, WIRE_VAULT_PART);
	assert_null(login_devices(l));
	assert_int_equal(enrol_device(hash, false), 0);
	assert_string_equal(store.asked, "enrol");
	assert_false(store.has_vault);
	assert_int_equal(answered(), 1);
	assert_int_equal(reply.type, WIRE_ENROL_DONE);
	assert_int_equal(login_devices(l)->version, 1);
}

static void every_wrong_finish_is_the_same_refusal(void **state)
{
	static const uint8_t other[64] = { 9 };

	(void)state;
	make_record("secret", "alice", store.answer.record);
	challenge_login("guess", hash, KSF_ARGON2ID_64M);
	assert_int_equal(say(), ERR_AUTH);
	challenge_login("secret", other, KSF_ARGON2ID_64M); /* relayed from another link */
	assert_int_equal(say(), ERR_AUTH);
	challenge_login("secret", hash, KSF_ARGON2ID_256M); /* another stretching */
	assert_int_equal(say(), ERR_AUTH);
	opaque_server_fake_record(store.answer.record); /* nobody of that name */
	challenge_login("secret", hash, KSF_ARGON2ID_64M);
	assert_int_equal(say(), ERR_AUTH);
	assert_string_equal(store.asked, "");
}

static void a_newcomer_is_checked_after_a_login_too(void **state)
{
	static const uint8_t other[64] = { 9 };

	(void)state;
	log_in();
	assert_int_equal(enrol_device(other, false), ERR_AUTH);
	certificate.serial++;
	assert_int_equal(enrol_device(hash, false), ERR_AUTH);
	assert_string_equal(store.asked, "");
	certificate.serial--;
	assert_int_equal(enrol_device(hash, true), 0);
	store.answer.err = ERR_STATE; /* another device was quicker */
	assert_int_equal(answered(), ERR_STATE);
	assert_null(login_devices(l));
	store.answer.err = 0;
	log_in(); /* and again, on the same link */
}

static void a_suspended_account_is_told_so_only_after_the_proof(void **state)
{
	(void)state;
	make_record("secret", "alice", store.answer.record);
	store.answer.is_suspended = true;
	challenge_login("guess", hash, KSF_ARGON2ID_64M);
	assert_int_equal(say(), ERR_AUTH);
	challenge_login("secret", hash, KSF_ARGON2ID_64M);
	assert_int_equal(say(), 0);
	assert_int_equal(answered(), ERR_SUSPENDED);
	assert_int_equal(enrol_device(hash, false), ERR_CLOSED);
}

static void a_client_can_prove_to_be_nobody_but_itself(void **state)
{
	static const struct name bob = { "bob" };

	(void)state;
	fresh(&bob);
	make_record("secret", "alice", store.answer.record);
	challenge_login("secret", hash, KSF_ARGON2ID_64M);
	assert_int_equal(say(), ERR_AUTH);
	assert_string_equal(store.asked, "");
	fresh(&alice);
	log_in();
}

/* --- the recovery code --- */

static int recover(const struct identity *code)
{
	m = (struct wire_message){ .type = WIRE_RECOVER, .recover.name = alice };
	proof_recover(m.recover.proof, code, hash, &alice);
	assert_int_equal(say(), 0);
	assert_string_equal(store.asked, "find");
	return answered();
}

static int start_password(void)
{
	static struct opaque_client c;
	struct opaque_client_random random;

	m = (struct wire_message){ .type = WIRE_PASSWORD_START };
	opaque_client_random(&random);
	opaque_register_start(&c, bytes_text("new"), &random, m.password_start.request);
	return say();
}

static int finish_password(bool has_wrap, bool has_devices)
{
	m = (struct wire_message){ .type = WIRE_PASSWORD_FINISH };
	make_record("new", "alice", m.password_finish.record);
	m.password_finish.has_wrap = has_wrap;
	m.password_finish.has_devices = has_devices;
	m.password_finish.devices = devices;
	return say();
}

static void a_recovery_code_opens_but_a_password_must_be_set_first(void **state)
{
	struct identity code;

	(void)state;
	identity_make(&code);
	store.answer.recovery = code.public;
	store.answer.is_found = store.answer.has_recovery = true;
	assert_int_equal(recover(&code), 0);
	assert_string_equal(store.asked, "account");
	assert_true(store.by_recovery);
	assert_int_equal(answered(), 1);
	assert_int_equal(reply.type, WIRE_LOGIN_DONE);
	assert_int_equal(start_password(), 1);
	assert_int_equal(reply.type, WIRE_PASSWORD_CHALLENGE);
	assert_int_equal(finish_password(true, false), 0);
	assert_string_equal(store.asked, "password");
	assert_int_equal(answered(), 1);
	assert_int_equal(reply.type, WIRE_PASSWORD_DONE);
	assert_int_equal(enrol_device(hash, false), 0);
	fresh(NULL);
	assert_int_equal(recover(&code), 0);
	assert_int_equal(answered(), 1);
	assert_int_equal(enrol_device(hash, false), ERR_CLOSED);
}

static void every_wrong_recovery_is_the_same_refusal(void **state)
{
	struct identity code, other;

	(void)state;
	identity_make(&code);
	identity_make(&other);
	store.answer.recovery = code.public;
	store.answer.is_found = store.answer.has_recovery = true;
	assert_int_equal(recover(&other), ERR_AUTH);
	store.answer.has_recovery = false;
	assert_int_equal(recover(&code), ERR_AUTH);
	store.answer.has_recovery = true;
	store.answer.is_found = false;
	assert_int_equal(recover(&code), ERR_AUTH);
	failures_flush(desk.failures, &store.row, now);
	assert_int_equal(store.failures, 3);
}

/* --- the operator's code --- */

static void a_reset_code_sets_a_password_and_opens_nothing(void **state)
{
	(void)state;
	m = (struct wire_message){ .type = WIRE_RESET, .reset.code = bytes_text("code") };
	assert_int_equal(say(), 0);
	assert_string_equal(store.asked, "reset");
	store.answer.name = alice;
	assert_int_equal(answered(), 1);
	assert_string_equal(reply.reset_done.name.text, "alice");
	m = (struct wire_message){ .type = WIRE_VAULT_GET };
	assert_int_equal(say(), ERR_CLOSED);
	assert_int_equal(enrol_device(hash, false), ERR_CLOSED);
	assert_int_equal(start_password(), 1);
	assert_int_equal(finish_password(true, false), ERR_FORMAT); /* a wrap of what? */
	assert_int_equal(start_password(), 1);
	assert_int_equal(finish_password(false, true), ERR_FORMAT);
	assert_int_equal(start_password(), 1);
	assert_int_equal(finish_password(false, false), 0);
	assert_string_equal(store.asked, "password-by-reset");
	assert_false(store.has_wrap);
	assert_int_equal(answered(), 1);
	assert_int_equal(start_password(), ERR_CLOSED);
	store.answer.err = ERR_EXPIRED;
	m = (struct wire_message){ .type = WIRE_RESET, .reset.code = bytes_text("code") };
	assert_int_equal(say(), 0);
	assert_int_equal(answered(), ERR_EXPIRED);
}

static void a_password_takes_its_wrap_and_maybe_a_shorter_list_along(void **state)
{
	(void)state;
	log_in();
	assert_int_equal(start_password(), 1);
	assert_int_equal(finish_password(false, false),
			 ERR_FORMAT); /* the vault would be lost */
	assert_int_equal(start_password(), 1);
	devices.version++;
	assert_int_equal(finish_password(true, true), ERR_AUTH); /* not signed */
	devices.version--;
	assert_int_equal(start_password(), 1);
	assert_int_equal(finish_password(true, true), 0);
	assert_true(store.has_wrap && store.has_devices);
	assert_int_equal(answered(), 1);
	assert_non_null(login_devices(l));
}

/* --- what attempts cost --- */

static void answers_are_charged_and_success_is_given_back(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++)
		log_in();
	for (int i = 0; i < 5; i++) {
		challenge_login("guess", hash, KSF_ARGON2ID_64M);
		assert_int_equal(say(), ERR_AUTH);
	}
	start_login("secret");
	assert_int_equal(say(), ERR_BUSY);
	assert_string_equal(store.asked, "");
	now += 121 * SECOND;
	log_in();
}

static void beyond_the_bucket_work_is_asked_for_and_pays_once(void **state)
{
	struct wire_message start;
	struct work asked;
	uint64_t nonce;

	(void)state;
	make_record("secret", "alice", store.answer.record);
	for (int i = 0; i < 5; i++) {
		challenge_login("guess", hash, KSF_ARGON2ID_64M);
		say();
	}
	start_login("secret");
	start = m;
	assert_int_equal(say(), ERR_BUSY);
	asked = reply.refusal.work;
	assert_int_equal(asked.bits, 8);
	assert_true(reply.refusal.retry_after > 0);
	assert_int_equal(work_solve(&asked, &nonce, NULL, NULL), 0);
	/* a wrong nonce is asked for other work */
	m = start;
	m.login_start.work = (struct wire_work){ true, nonce + 1 };
	while (work_check(&asked, m.login_start.work.nonce))
		m.login_start.work.nonce++;
	assert_int_equal(say(), ERR_BUSY);
	m.login_start.work.nonce = nonce;
	assert_memory_not_equal(reply.refusal.work.challenge, asked.challenge,
				sizeof asked.challenge);
	asked = reply.refusal.work;
	assert_int_equal(work_solve(&asked, &nonce, NULL, NULL), 0);
	/* and it is not work for another name */
	m.login_start.name = (struct name){ "alina" };
	m.login_start.work = (struct wire_work){ true, nonce };
	limits_overdraw(desk.limits, LIMIT_LOGIN_NAME, &from, &m.login_start.name, now);
	for (int i = 0; i < 60; i++)
		limits_overdraw(desk.limits, LIMIT_LOGIN_NAME, &from, &m.login_start.name, now);
	assert_int_equal(say(), ERR_BUSY);
	m = start;
	assert_int_equal(say(), ERR_BUSY);
	asked = reply.refusal.work;
	assert_int_equal(work_solve(&asked, &nonce, NULL, NULL), 0);
	m.login_start.work = (struct wire_work){ true, nonce };
	assert_int_equal(say(), 0);
	assert_string_equal(store.asked, "find");
	assert_int_equal(answered(), 1);
	fresh(NULL);
	m = start;
	m.login_start.work = (struct wire_work){ true, nonce };
	assert_int_equal(say(), ERR_BUSY); /* the same on another link */
}

static void registrations_cost_work_too(void **state)
{
	struct work asked;

	(void)state;
	for (int i = 0; i < 100; i++) {
		start_registration();
		assert_int_equal(say(), 0);
		assert_int_equal(answered(), 1);
		fresh(NULL);
	}
	start_registration();
	assert_int_equal(say(), ERR_BUSY);
	asked = reply.refusal.work;
	assert_true(asked.bits > 0);
	assert_int_equal(work_solve(&asked, &m.register_start.work.nonce, NULL, NULL), 0);
	m.register_start.work.is_done = true;
	assert_int_equal(say(), 0);
}

/* Whoever learns from KE2 that he was wrong need not say so. */
static void failed_logins_are_counted_also_of_who_goes_away(void **state)
{
	(void)state;
	make_record("secret", "alice", store.answer.record);
	challenge_login("guess", hash, KSF_ARGON2ID_64M);
	assert_int_equal(say(), ERR_AUTH);
	challenge_login("guess", hash, KSF_ARGON2ID_64M);
	fresh(NULL);
	start_login("guess");
	assert_int_equal(say(), 0);
	fresh(NULL); /* nothing was answered */
	log_in();
	assert_int_equal(reply.login_done.failed, 2);
	log_in();
	assert_int_equal(reply.login_done.failed, 0);
}

/* --- others in trouble --- */

static void a_store_that_fails_says_nothing_about_the_name(void **state)
{
	static const int errors[] = { ERR_IO, ERR_FULL, ERR_LOCKED, ERR_CORRUPT };

	(void)state;
	for (size_t i = 0; i < 4 * sizeof errors / sizeof errors[0]; i++) {
		start_login("x");
		assert_int_equal(say(), 0);
		store.answer.err = errors[i % 4];
		assert_int_equal(answered(), ERR_OFFLINE); /* and costs nothing */
		assert_int_equal(reply.refusal.work.bits, 0);
		assert_int_equal(reply.refusal.retry_after, LOGIN_RETRY_SECONDS);
	}
	store.answer.err = 0;
	log_in();
	assert_int_equal(enrol_device(hash, false), 0);
	store.answer.err = ERR_FULL;
	assert_int_equal(answered(), ERR_OFFLINE);
}

static void a_key_holder_that_is_away_is_waited_for(void **state)
{
	(void)state;
	make_record("secret", "alice", store.answer.record);
	for (int i = 0; i < 20; i++) {
		keys.is_away = i % 2;
		keys.is_unknown = !keys.is_away;
		start_login("secret");
		assert_int_equal(say(), 0);
		assert_int_equal(answered(), ERR_OFFLINE);
		assert_int_equal(reply.refusal.retry_after, LOGIN_RETRY_SECONDS);
		start_registration();
		assert_int_equal(say(), 0);
		assert_int_equal(answered(), ERR_OFFLINE);
	}
	keys.is_away = keys.is_unknown = false;
	log_in();
	keys.is_away = true;
	assert_int_equal(start_password(), ERR_OFFLINE);
	keys.is_away = false;
	assert_int_equal(start_password(), 1);
}

static void what_is_not_an_element_is_refused(void **state)
{
	(void)state;
	start_login("secret");
	memset(m.login_start.ke1, 0, 32);
	assert_int_equal(say(), 0);
	assert_int_equal(answered(), ERR_AUTH);
	start_login("secret");
	memset(m.login_start.ke1 + 64, 0xff, 32);
	assert_int_equal(say(), 0);
	assert_int_equal(answered(), ERR_AUTH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define ROW(name) cmocka_unit_test_setup_teardown(name, begin, end)
		ROW(a_registration_goes_through_its_steps),
		ROW(registration_minds_the_mode),
		ROW(what_is_not_signed_by_one_identity_on_this_link_is_not_stored),
		ROW(steps_out_of_order_end_the_link),
		ROW(a_login_step_is_not_taken_twice),
		ROW(the_right_password_is_told_all_and_may_enrol),
		ROW(every_wrong_finish_is_the_same_refusal),
		ROW(a_newcomer_is_checked_after_a_login_too),
		ROW(a_suspended_account_is_told_so_only_after_the_proof),
		ROW(a_client_can_prove_to_be_nobody_but_itself),
		ROW(a_recovery_code_opens_but_a_password_must_be_set_first),
		ROW(every_wrong_recovery_is_the_same_refusal),
		ROW(a_reset_code_sets_a_password_and_opens_nothing),
		ROW(a_password_takes_its_wrap_and_maybe_a_shorter_list_along),
		ROW(answers_are_charged_and_success_is_given_back),
		ROW(beyond_the_bucket_work_is_asked_for_and_pays_once),
		ROW(registrations_cost_work_too),
		ROW(failed_logins_are_counted_also_of_who_goes_away),
		ROW(a_store_that_fails_says_nothing_about_the_name),
		ROW(a_key_holder_that_is_away_is_waited_for),
		ROW(what_is_not_an_element_is_refused),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
