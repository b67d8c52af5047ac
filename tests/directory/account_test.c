/* What people do with their account at a directory that runs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <string.h>

#include "shared/error.h"
#include "tests/account_net.h"

/* --- devices --- */

static void an_account_hears_of_its_own_devices(void **state)
{
	struct small_client *one = small_client_online(&net, "alice"), *two;

	(void)state;
	assert_true(small_client_hears_own(one, &m));
	assert_int_equal(m.presence.devices.version, 1);
	two = another(one);
	catch_up(one);
	assert_int_equal(one->devices.version, 2);
	assert_int_equal(m.presence.device_count, 2);
	assert_int_equal(device_list_verify(&one->devices), 0);
	assert_non_null(device_list_find(&one->devices, &two->device.public));
	assert_true(small_client_hears_own(two, &m)); /* and who comes is told at once */
	assert_int_equal(m.presence.devices.version, 2);
	small_client_hang_up(two);
	assert_true(small_client_hears_own(one, &m));
	assert_int_equal(m.presence.device_count, 1);
}

static void own_devices_are_introduced_and_checked(void **state)
{
	struct small_client *one = small_client_online(&net, "alice"), *two = another(one);
	struct wire_message say = { .type = WIRE_INTRODUCE };

	(void)state;
	say.introduce.name = one->name;
	small_client_say(one, &say);
	small_net_run(&net, 10 * MILLISECOND);
	assert_true(small_client_hears(one, WIRE_INTRODUCTION, &m));
	assert_memory_equal(&m.introduction.device.certificate.device, &two->device.public, 32);
	assert_false(small_client_hears(one, WIRE_INTRODUCTION, &m)); /* not to itself */
	assert_true(small_client_hears(two, WIRE_INTRODUCTION, &m));
	assert_memory_equal(&m.introduction.device.certificate.device, &one->device.public, 32);
	two->is_cut = true;
	say = (struct wire_message){ .type = WIRE_SUSPECT };
	say.suspect.name = one->name;
	say.suspect.device = two->device.public;
	small_client_say(one, &say);
	small_net_run(&net, 5 * SECOND);
	catch_up(one);
	assert_int_equal(m.presence.device_count, 1);
}

static void a_revoked_device_is_out_at_once_and_stays_out(void **state)
{
	struct small_client *one = small_client_online(&net, "alice"), *two = another(one);
	struct small_client *bob = small_client_online(&net, "bob");
	struct device_list list, old;

	(void)state;
	befriend(one, bob);
	catch_up(one);
	old = list = one->devices;
	assert_int_equal(device_list_remove(&list, &two->device.public), 0);
	list.version++;
	assert_int_equal(small_client_put_devices(one, &list), ERR_AUTH); /* forged */
	list.version--;
	device_list_sign(&list, &bob->identity);
	assert_int_equal(small_client_put_devices(one, &list), ERR_AUTH); /* another's word */
	assert_non_null(two->link);
	list = old;
	device_list_remove(&list, &two->device.public);
	device_list_sign(&list, &one->identity);
	buf_clear(&bob->inbox);
	assert_int_equal(small_client_put_devices(one, &list), 0);
	assert_null(two->link);
	assert_int_equal(two->down_code, LINK_CODE_UNKNOWN);
	assert_true(small_client_hears(bob, WIRE_PRESENCE, &m));
	while (small_client_hears(bob, WIRE_PRESENCE, &m))
		;
	assert_int_equal(m.presence.devices.version, 3);
	assert_int_equal(m.presence.devices.count, 1);
	assert_int_equal(m.presence.device_count, 1);
	assert_int_equal(small_client_come(two), ERR_TIMEOUT);
	assert_int_equal(two->down_code, LINK_CODE_UNKNOWN);
	/* nor does the list come back that it was in */
	assert_int_equal(small_client_put_devices(one, &list), ERR_STATE);
	device_list_add(&list, &two->device.public, "again", net.wall);
	device_list_sign(&list, &one->identity);
	assert_int_equal(small_client_put_devices(one, &list), ERR_AUTH);
	/* with the password it may */
	assert_int_equal(small_client_login(two, "password"), 0);
	assert_int_equal(small_client_come(two), 0);
}

static void an_identity_is_followed_by_one_that_it_vouches_for(void **state)
{
	struct small_client *alice = small_client_online(&net, "alice");
	struct small_client *bob = small_client_online(&net, "bob");
	struct device_list list;
	struct identity next;

	(void)state;
	befriend(alice, bob);
	catch_up(alice);
	list = alice->devices;
	identity_make(&next);
	device_list_succeed(&list, &alice->identity, &next.public);
	device_list_sign(&list, &next);
	assert_int_equal(small_client_put_devices(alice, &list), 0);
	assert_null(alice->link); /* its certificate is of an identity that was */
	assert_int_equal(alice->down_code, LINK_CODE_RESTART);
	assert_int_equal(small_client_come(alice), ERR_TIMEOUT);
	alice->identity = next;
	certificate_make(&alice->certificate, &next, &alice->device.public, "test", 2, 0);
	endpoint_set_certificate(alice->endpoint, &alice->certificate);
	assert_int_equal(small_client_come(alice), 0);
	small_client_publish(alice);
	small_client_list(alice, "bob", NULL);
	while (small_client_hears(bob, WIRE_PRESENCE, &m))
		;
	assert_int_equal(m.presence.device_count, 1);
	assert_int_equal(m.presence.devices.past_count, 1);
	assert_true(device_list_descends(&m.presence.devices, &list.past[0].identity));
}

static void whoever_enrols_another_s_device_locks_nobody_out(void **state)
{
	struct small_client *alice = small_client_new(&net, "alice");
	struct small_client *eve = small_client_new(&net, "eve");

	(void)state;
	eve->device.public = alice->device.public; /* the key that her certificate shows */
	certificate_make(&eve->certificate, &eve->identity, &eve->device.public, "x", 1, 0);
	assert_int_equal(small_client_register(eve, "password", NULL), 0);
	assert_int_equal(small_client_register(alice, "password", NULL), 0);
	assert_int_equal(small_client_come(alice), 0);
	assert_true(server_is_online(net.server, "alice"));
	assert_false(server_is_online(net.server, "eve"));
}

/* --- the vault --- */

/* All of it, on the link that is there. */
static size_t fetch(struct small_client *c, struct buf *out)
{
	size_t at = 0;

	do {
		m = (struct wire_message){ .type = WIRE_VAULT_GET, .vault_get.offset = at };
		if (small_client_ask(c, &m, WIRE_VAULT_PART) < 0)
			return 0;
		assert_int_equal(m.vault_part.offset, at);
		buf_append(out, m.vault_part.part);
		at += m.vault_part.part.size;
	} while (at < m.vault_part.total);
	return at;
}

static void a_vault_comes_back_with_the_password(void **state)
{
	struct small_client *one = small_client_online(&net, "alice"), *two;
	struct buf sealed = { 0 };
	struct symmetric_key key;
	struct vault v;

	(void)state;
	two = small_client_sibling(one);
	memset(&two->key, 0, sizeof two->key);
	memset(&two->identity, 0, sizeof two->identity);
	small_client_dial(two, LINK_NK);
	assert_int_equal(small_client_prove(two, "password", &m), 0);
	assert_int_equal(
		vault_unwrap(&key, m.login_done.wrap.data, two->export_key, &two->name), 0);
	assert_int_equal(fetch(two, &sealed), VAULT_FIRST_SIZE);
	assert_int_equal(vault_open(&v, buf_view(&sealed), &key, &two->name, 1), 0);
	assert_memory_equal(&v.identity, &one->identity, sizeof v.identity);
	vault_clear(&v);
	buf_clear(&sealed);
}

static void a_vault_of_any_size_is_put_and_others_are_told(void **state)
{
	struct small_client *one = small_client_online(&net, "alice"), *two = another(one);
	struct buf sealed = { 0 };

	(void)state;
	assert_int_equal(small_client_put_vault(one, 2, VAULT_SIZE_MAX), 0);
	assert_true(small_client_hears(two, WIRE_VAULT_NOW, &m));
	assert_int_equal(m.vault_now.version, 2);
	assert_int_equal(fetch(two, &sealed), VAULT_SIZE_MAX);
	assert_int_equal(vault_verify(m.vault_part.signature, &one->identity.public, &one->name,
				      2, buf_view(&sealed)),
			 0);
	/* two did not know of it yet, one is the old one again: nothing is lost */
	assert_int_equal(small_client_put_vault(two, 2, 5000), ERR_STATE);
	assert_int_equal(two->refusal.error, ERR_STATE);
	assert_int_equal(two->refusal.about, WIRE_VAULT_PUT);
	assert_int_equal(small_client_put_vault(two, 1, 5000), ERR_STATE);
	assert_int_equal(small_client_put_vault(two, 3, 1), 0);
	small_client_hang_up(one);
	small_client_dial(one, LINK_IK);
	assert_true(small_client_hears(one, WIRE_WELCOME, &m));
	assert_int_equal(m.welcome.vault_version, 3);
	buf_clear(&sealed);
}

static void say_part(struct small_client *c, uint64_t version, uint64_t total, uint64_t offset,
		     uint8_t mark)
{
	static uint8_t part[100];
	struct wire_message say = { .type = WIRE_VAULT_PUT };

	say.vault_put.version = version;
	say.vault_put.total = total;
	say.vault_put.offset = offset;
	memset(say.vault_put.signature, mark, sizeof say.vault_put.signature);
	say.vault_put.part = BYTES(part);
	small_client_say(c, &say);
	small_net_run(&net, 10 * MILLISECOND);
}

static void parts_that_do_not_follow_one_another_are_no_vault(void **state)
{
	struct small_client *alice = small_client_online(&net, "alice");

	(void)state;
	say_part(alice, 2, 300, 100, 0); /* not the first */
	assert_true(small_client_hears(alice, WIRE_REFUSAL, &m));
	assert_int_equal(m.refusal.error, ERR_FORMAT);
	say_part(alice, 2, 300, 0, 0);
	say_part(alice, 2, 300, 200, 0); /* a gap */
	assert_true(small_client_hears(alice, WIRE_REFUSAL, &m));
	say_part(alice, 2, 300, 0, 0);
	say_part(alice, 3, 300, 100, 0); /* of another */
	assert_true(small_client_hears(alice, WIRE_REFUSAL, &m));
	say_part(alice, 2, 200, 0, 0);
	say_part(alice, 2, 200, 100, 1); /* under another signature */
	assert_true(small_client_hears(alice, WIRE_REFUSAL, &m));
	say_part(alice, 2, 200, 0, 0);
	say_part(alice, 2, 200, 100, 0); /* whole, but nobody has signed it */
	assert_true(small_client_hears(alice, WIRE_REFUSAL, &m));
	assert_int_equal(m.refusal.error, ERR_AUTH);
	assert_int_equal(small_client_put_vault(alice, 2, 9000), 0);
}

static void writing_without_end_is_slowed_down_not_cut(void **state)
{
	struct small_client *alice = small_client_online(&net, "alice");
	unsigned put = 0;
	int err = 0;

	(void)state;
	while (put < 200 && (err = small_client_put_vault(alice, 2 + put, 50)) == 0)
		put++;
	assert_int_equal(err, ERR_BUSY);
	assert_in_range(put, 60, 80);
	assert_true(alice->refusal.retry_after > 0);
	assert_non_null(alice->link);
	small_net_run(&net, 2 * SECOND);
	assert_int_equal(small_client_put_vault(alice, 2 + put, 50), 0);
}

/* --- passwords --- */

static void a_password_is_changed_in_a_running_session(void **state)
{
	struct small_client *one = small_client_online(&net, "alice"), *two = another(one);
	struct small_client *three = small_client_sibling(one);

	(void)state;
	assert_int_equal(small_client_prove(one, "wrong", &m), ERR_AUTH);
	assert_non_null(one->link);
	assert_int_equal(small_client_prove(one, "password", &m), 0);
	assert_int_equal(small_client_password(one, "new", true), 0);
	assert_non_null(two->link); /* others stay */
	assert_int_equal(small_client_login(three, "password"), ERR_AUTH);
	small_client_dial(three, LINK_NK);
	assert_int_equal(small_client_prove(three, "new", &m), 0);
	assert_int_equal(vault_unwrap(&three->key, m.login_done.wrap.data, three->export_key,
				      &three->name),
			 0);
	assert_memory_equal(&three->key, &one->key, sizeof one->key);
	assert_int_equal(small_client_enrol(three, false), 0);
}

static void a_client_changes_nobody_else_s_password(void **state)
{
	struct small_client *alice = small_client_online(&net, "alice");
	struct small_client *bob = small_client_online(&net, "bob");

	(void)state;
	bob->name = alice->name; /* he knows it */
	assert_int_equal(small_client_prove(bob, "password", &m), ERR_AUTH);
	m = (struct wire_message){ .type = WIRE_PASSWORD_START };
	small_client_say(bob, &m);
	small_net_run(&net, 10 * MILLISECOND);
	assert_null(bob->link); /* and without a proof nothing is changed */
	assert_int_equal(bob->down_code, LINK_CODE_PROTOCOL);
}

static void who_forgot_the_password_comes_back_with_the_code(void **state)
{
	struct small_client *one = small_client_online(&net, "alice"), *two;
	struct wire_message put = { .type = WIRE_RECOVERY_PUT };
	struct identity code;

	(void)state;
	identity_make(&code);
	put.recovery_put.prove = code.public;
	memset(put.recovery_put.wrap, 5, sizeof put.recovery_put.wrap);
	m = put;
	assert_int_equal(small_client_ask(one, &m, WIRE_RECOVERY_DONE), 0);
	memset(put.recovery_put.prove.bytes, 0, 32); /* no key at all */
	assert_int_equal(small_client_ask(one, &put, WIRE_RECOVERY_DONE), ERR_FORMAT);
	two = small_client_sibling(one);
	small_client_dial(two, LINK_NK);
	assert_int_equal(small_client_recover(two, &one->identity, &m), ERR_AUTH);
	assert_int_equal(small_client_recover(two, &code, &m), 0);
	assert_true(m.login_done.has_recovery);
	assert_int_equal(m.login_done.wrap.size, VAULT_RECOVERY_SIZE);
	assert_int_equal(m.login_done.wrap.data[0], 5);
	assert_int_equal(m.login_done.failed, 1);
	assert_int_equal(small_client_password(two, "new", true), 0);
	assert_int_equal(small_client_enrol(two, false), 0);
	small_client_hang_up(two);
	assert_int_equal(small_client_come(two), 0);
	assert_int_equal(small_client_login(small_client_sibling(one), "password"), ERR_AUTH);
	assert_int_equal(small_client_login(small_client_sibling(one), "new"), 0);
	two->name = (struct name){ "nobody" };
	small_client_dial(two, LINK_NK);
	assert_int_equal(small_client_recover(two, &code, &m), ERR_AUTH);
}

static void an_operator_s_code_sets_a_password_and_leaves_the_vault_sealed(void **state)
{
	struct small_client *alice = small_client_online(&net, "alice"), *late;
	struct identity_public before = alice->identity.public;

	(void)state;
	small_client_hang_up(alice);
	assert_int_equal(registry()->invite_reset(registry(), "code", &alice->name,
						  net.wall + 1000000, net.wall),
			 0);
	late = small_client_sibling(alice); /* all is lost but the name */
	identity_make(&late->identity);
	randombytes_buf(&late->key, sizeof late->key);
	certificate_make(&late->certificate, &late->identity, &late->device.public, "new", 1,
			 0);
	endpoint_set_certificate(late->endpoint, &late->certificate);
	small_client_dial(late, LINK_NK);
	m = (struct wire_message){ .type = WIRE_RESET, .reset.code = bytes_text("wrong") };
	assert_int_equal(small_client_ask(late, &m, WIRE_RESET_DONE), ERR_REFUSED);
	m = (struct wire_message){ .type = WIRE_RESET, .reset.code = bytes_text("code") };
	assert_int_equal(small_client_ask(late, &m, WIRE_RESET_DONE), 0);
	assert_string_equal(m.reset_done.name.text, "alice");
	assert_int_equal(small_client_password(late, "new", false), 0);
	assert_int_equal(small_client_prove(late, "new", &m), 0);
	assert_int_equal(m.login_done.wrap.size, 0);
	assert_memory_equal(&m.login_done.devices.identity, &before, sizeof before);
	assert_int_equal(small_client_enrol(late, true), 0);
	small_client_hang_up(late);
	assert_int_equal(small_client_come(late), 0);
	assert_int_equal(small_client_come(alice), ERR_TIMEOUT); /* who was it before? */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ACCOUNT(an_account_hears_of_its_own_devices),
		ACCOUNT(own_devices_are_introduced_and_checked),
		ACCOUNT(a_revoked_device_is_out_at_once_and_stays_out),
		ACCOUNT(an_identity_is_followed_by_one_that_it_vouches_for),
		ACCOUNT(whoever_enrols_another_s_device_locks_nobody_out),
		ACCOUNT(a_vault_comes_back_with_the_password),
		ACCOUNT(a_vault_of_any_size_is_put_and_others_are_told),
		ACCOUNT(parts_that_do_not_follow_one_another_are_no_vault),
		ACCOUNT(writing_without_end_is_slowed_down_not_cut),
		ACCOUNT(a_password_is_changed_in_a_running_session),
		ACCOUNT(a_client_changes_nobody_else_s_password),
		ACCOUNT(who_forgot_the_password_comes_back_with_the_code),
		ACCOUNT(an_operator_s_code_sets_a_password_and_leaves_the_vault_sealed),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
