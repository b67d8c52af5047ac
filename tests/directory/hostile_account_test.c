/* What people who have no right to it try with somebody's account: with a proof that was true a
 * moment ago, with a machine that was stolen, or knowing nothing but a name. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <sodium.h>
#include <string.h>

#include "shared/error.h"
#include "shared/frame.h"
#include "shared/proof.h"
#include "tests/account_net.h"

/* A machine that has shown the password of `of` a moment ago, and waits. */
static struct small_client *proved(struct small_client *of, const char *password)
{
	struct small_client *c = small_client_sibling(of);

	small_client_dial(c, LINK_NK);
	assert_int_equal(small_client_prove(c, password, &m), 0);
	return c;
}

static int vault_get(struct small_client *c)
{
	m = (struct wire_message){ .type = WIRE_VAULT_GET };
	return small_client_ask(c, &m, WIRE_VAULT_PART);
}

/* --- a proof is of what counts now --- */

static void a_proof_ends_with_the_password_that_it_was_of(void **state)
{
	struct small_client *alice = small_client_online(&net, "alice");
	struct small_client *enrols = proved(alice, "password"), *reads, *sets, *asked;

	(void)state;
	reads = proved(alice, "password");
	sets = proved(alice, "password");
	asked = proved(alice, "password");
	m = (struct wire_message){ .type = WIRE_PASSWORD_START };
	crypto_core_ristretto255_random(m.password_start.request);
	assert_int_equal(small_client_ask(asked, &m, WIRE_PASSWORD_CHALLENGE), 0);

	assert_int_equal(small_client_prove(alice, "password", &m), 0);
	assert_int_equal(small_client_password(alice, "another", true), 0);

	assert_int_equal(small_client_enrol(enrols, false), ERR_AUTH);
	assert_int_equal(vault_get(reads), ERR_AUTH);
	assert_int_equal(small_client_password(sets, "third", true), ERR_AUTH);
	m = (struct wire_message){ .type = WIRE_PASSWORD_FINISH };
	crypto_core_ristretto255_random(m.password_finish.record);
	m.password_finish.has_wrap = true;
	assert_int_equal(small_client_ask(asked, &m, WIRE_PASSWORD_DONE), ERR_AUTH);
	/* who changed it goes on, and so does the new one */
	assert_int_equal(small_client_password(alice, "fourth", true), 0);
	assert_int_equal(small_client_login(small_client_sibling(alice), "fourth"), 0);
}

static void a_challenge_is_worth_nothing_after_the_password_changed(void **state)
{
	struct small_client *alice = small_client_online(&net, "alice");
	struct small_client *late = small_client_sibling(alice);
	struct opaque_client_random random;
	struct opaque_client oc = { 0 };
	struct opaque_names names = { { 0 }, { 0 } };
	uint8_t oprf[64], session[64], export_key[64], context[PROOF_CONTEXT_SIZE], ke3[64];

	(void)state;
	small_client_dial(late, LINK_NK);
	m = (struct wire_message){ .type = WIRE_LOGIN_START };
	opaque_client_random(&random);
	m.login_start.name = late->name;
	opaque_login_start(&oc, bytes_text("password"), &random, m.login_start.ke1);
	assert_int_equal(small_client_ask(late, &m, WIRE_LOGIN_CHALLENGE), 0);
	proof_context(context, (enum ksf)m.login_challenge.ksf,
		      link_handshake_hash(late->link));
	assert_int_equal(opaque_login_evaluate(&oc, m.login_challenge.ke2, oprf), 0);
	assert_int_equal(
		opaque_login_finish(&oc, oprf, names, BYTES(context), ke3, session, export_key),
		0);

	assert_int_equal(small_client_prove(alice, "password", &m), 0);
	assert_int_equal(small_client_password(alice, "another", true), 0);
	m = (struct wire_message){ .type = WIRE_LOGIN_FINISH };
	memcpy(m.login_finish.ke3, ke3, sizeof ke3);
	assert_int_equal(small_client_ask(late, &m, WIRE_LOGIN_DONE), ERR_AUTH);
}

static void put_code(struct small_client *c, const struct identity *code)
{
	m = (struct wire_message){ .type = WIRE_RECOVERY_PUT };
	m.recovery_put.prove = code->public;
	randombytes_buf(m.recovery_put.wrap, sizeof m.recovery_put.wrap);
	assert_int_equal(small_client_ask(c, &m, WIRE_RECOVERY_DONE), 0);
}

static void a_proof_ends_with_the_recovery_code_that_it_was_of(void **state)
{
	struct small_client *alice = small_client_online(&net, "alice");
	struct small_client *thief = small_client_sibling(alice);
	struct identity found, fresh;

	(void)state;
	identity_make(&found);
	identity_make(&fresh);
	put_code(alice, &found);
	small_client_dial(thief, LINK_NK);
	assert_int_equal(small_client_recover(thief, &found, &m), 0);
	put_code(alice, &fresh);
	assert_int_equal(small_client_password(thief, "the thief's", true), ERR_AUTH);
	assert_int_equal(small_client_login(small_client_sibling(alice), "password"), 0);
}

static void a_proof_ends_with_the_account_that_it_was_of(void **state)
{
	struct small_client *alice = small_client_online(&net, "alice"), *next;
	struct small_client *before = proved(alice, "password");

	(void)state;
	m = (struct wire_message){ .type = WIRE_DELETE };
	proof_delete(m.delete.proof, &alice->identity, link_handshake_hash(alice->link),
		     &alice->name);
	assert_int_equal(small_client_ask(alice, &m, WIRE_DELETE_DONE), 0);
	next = small_client_new(&net, "alice");
	assert_int_equal(small_client_register(next, "hers", NULL), 0);
	assert_int_equal(vault_get(before), ERR_AUTH);
	assert_int_equal(small_client_prove(before, "password", &m), ERR_AUTH);
	assert_int_equal(small_client_login(small_client_sibling(next), "hers"), 0);
}

/* --- a stolen machine --- */

static void a_stolen_device_keeps_no_other_out(void **state)
{
	struct small_client *alice = small_client_online(&net, "alice");
	struct small_client *stolen = small_client_sibling(alice);
	unsigned came = 0;

	(void)state;
	assert_int_equal(small_client_login(stolen, "password"), 0);
	small_client_hang_up(alice);
	for (unsigned i = 0; i < 200; i++) {
		came += small_client_come(stolen) == 0;
		small_client_hang_up(stolen);
	}
	assert_in_range(came, 50, 100); /* it is slowed down */
	assert_int_equal(small_client_come(alice), 0);
}

static void changing_the_password_without_end_is_slowed_down(void **state)
{
	struct small_client *alice = small_client_online(&net, "alice");
	unsigned done = 0;

	(void)state;
	assert_int_equal(small_client_prove(alice, "password", &m), 0);
	while (done < 200 && small_client_password(alice, "another", true) == 0)
		done++;
	assert_in_range(done, 50, 150);
	assert_int_equal(alice->refusal.error, ERR_BUSY);
	small_net_run(&net, 2 * SECOND);
	assert_non_null(alice->link);
	m = (struct wire_message){ .type = WIRE_VAULT_GET };
	assert_int_equal(small_client_ask(alice, &m, WIRE_VAULT_PART), 0);
}

/* --- what a blocked person hears --- */

/* All frames that came, in order, and from when. */
static void take(struct small_client *c, struct buf *out)
{
	buf_clear(out);
	buf_append(out, buf_view(&c->inbox));
	buf_clear(&c->inbox);
}

static void who_is_blocked_hears_what_a_contact_of_somebody_offline_hears(void **state)
{
	struct small_client *alice = small_client_online(&net, "alice");
	struct small_client *bob = small_client_online(&net, "bob");
	struct buf gone = { 0 }, blocked = { 0 };
	mono_ns at_gone, at_blocked, from;

	(void)state;
	small_client_list(alice, "bob", NULL);
	small_client_list(bob, "alice", NULL);
	take(bob, &gone);
	assert_true(gone.size > 0);

	from = net.now;
	link_close(alice->link, LINK_CODE_BYE, net.now);
	for (buf_clear(&bob->inbox); !bob->inbox.size;)
		small_net_run(&net, MILLISECOND);
	at_gone = net.now - from;
	small_net_run(&net, 40 * SECOND);
	take(bob, &gone);
	alice->link = NULL;

	assert_int_equal(small_client_come(alice), 0);
	small_client_publish(alice);
	small_client_list(alice, "bob", NULL);
	take(bob, &blocked);

	from = net.now;
	m = (struct wire_message){ .type = WIRE_LIST_REMOVE, .list_remove.name = bob->name };
	small_client_say(alice, &m);
	while (!bob->inbox.size)
		small_net_run(&net, MILLISECOND);
	at_blocked = net.now - from;
	small_net_run(&net, 40 * SECOND);
	take(bob, &blocked);
	assert_int_equal(blocked.size, gone.size);
	assert_memory_equal(blocked.data, gone.data, gone.size);
	assert_true(at_blocked == at_gone);

	/* whatever is asked for is heard by nobody, as of one who is not there */
	m = (struct wire_message){ .type = WIRE_INTRODUCE, .introduce.name = alice->name };
	small_client_say(bob, &m);
	m = (struct wire_message){ .type = WIRE_SUSPECT, .suspect.name = alice->name };
	m.suspect.device = alice->device.public;
	small_client_say(bob, &m);
	small_net_run(&net, 10 * SECOND);
	take(bob, &blocked);
	assert_int_equal(blocked.size, 0);
	assert_false(small_client_hears(alice, WIRE_CHECK, &m));
	assert_false(small_client_hears(alice, WIRE_INTRODUCTION, &m));
	buf_clear(&gone);
	buf_clear(&blocked);
}

/* --- what a name is worth --- */

enum { GUESSES = 12 };

/* What is answered to so many wrong guesses at a name, one byte string. */
static void guess(const char *name, struct buf *answers)
{
	struct small_client *c = small_client_new(&net, name);

	buf_clear(answers);
	for (unsigned i = 0; i < GUESSES; i++) {
		small_client_dial(c, LINK_NK);
		(void)small_client_prove(c, "not the password", &m);
		m.refusal.work.bits += 100 * (m.type == WIRE_REFUSAL && m.refusal.work.bits);
		memset(m.refusal.work.challenge, 0, sizeof m.refusal.work.challenge);
		buf_append(answers, bytes_of((uint8_t *)&m.type, sizeof m.type));
		buf_append(answers, bytes_of((uint8_t *)&m.refusal.error, 4));
		buf_append(answers, bytes_of((uint8_t *)&m.refusal.retry_after, 4));
		buf_append(answers,
			   bytes_of((uint8_t *)&m.refusal.work, sizeof m.refusal.work));
		small_client_hang_up(c);
	}
	for (unsigned i = 0; i < GUESSES; i++) {
		struct identity code;

		identity_make(&code);
		small_client_dial(c, LINK_NK);
		(void)small_client_recover(c, &code, &m);
		memset(m.refusal.work.challenge, 0, sizeof m.refusal.work.challenge);
		buf_append(answers, bytes_of((uint8_t *)&m.refusal.error, 4));
		buf_append(answers, bytes_of((uint8_t *)&m.refusal.retry_after, 4));
		buf_append(answers,
			   bytes_of((uint8_t *)&m.refusal.work, sizeof m.refusal.work));
		small_client_hang_up(c);
	}
}

static void guesses_cost_and_tell_the_same_whoever_it_is(void **state)
{
	struct small_client *alice = small_client_online(&net, "alice");
	struct small_client *paper = small_client_online(&net, "paper");
	struct small_client *banned = small_client_online(&net, "banned");
	struct registry *r = server_registry(net.server);
	static const char *const names[] = { "paper", "banned", "nobody", "zzz" };
	struct buf one = { 0 }, other = { 0 };
	struct identity code;

	(void)state;
	identity_make(&code);
	put_code(paper, &code);
	assert_int_equal(r->suspend(r, &banned->name, true), 0);
	server_suspend(net.server, &banned->name);
	guess(alice->name.text, &one);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		guess(names[i], &other);
		assert_int_equal(other.size, one.size);
		assert_memory_equal(other.data, one.data, one.size);
	}
	buf_clear(&one);
	buf_clear(&other);
}

/* --- room for guests --- */

static void a_crowd_from_elsewhere_puts_out_nobody(void **state)
{
	struct small_client *alice = small_client_online(&net, "alice"), *honest, *crowd[10];

	(void)state;
	config.guests_max = 5;
	server_configure(net.server, &config);
	honest = small_client_sibling(alice);
	small_client_dial(honest, LINK_NK);
	for (unsigned i = 0; i < 10; i++) {
		crowd[i] = small_client_new(&net, "crowd");
		crowd[i]->address.ip[1] = i % 2 ? 200 : 201; /* of two networks */
		crowd[i]->address.ip[3] = (uint8_t)(10 + i);
		small_client_dial(crowd[i], LINK_NK);
	}
	assert_non_null(honest->link);
	assert_int_equal(small_client_prove(honest, "password", &m), 0);
	assert_null(crowd[0]->link);
	assert_non_null(crowd[9]->link); /* whoever came last has room, too */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ACCOUNT(a_proof_ends_with_the_password_that_it_was_of),
		ACCOUNT(a_challenge_is_worth_nothing_after_the_password_changed),
		ACCOUNT(a_proof_ends_with_the_recovery_code_that_it_was_of),
		ACCOUNT(a_proof_ends_with_the_account_that_it_was_of),
		ACCOUNT(a_stolen_device_keeps_no_other_out),
		ACCOUNT(changing_the_password_without_end_is_slowed_down),
		ACCOUNT(who_is_blocked_hears_what_a_contact_of_somebody_offline_hears),
		ACCOUNT(guesses_cost_and_tell_the_same_whoever_it_is),
		ACCOUNT(a_crowd_from_elsewhere_puts_out_nobody),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
