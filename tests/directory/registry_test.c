/* What the account store answers to what people do with their accounts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <string.h>
#include <unistd.h>

#include "shared/error.h"
#include "tests/registry_asked.h"

static void an_account_is_found_by_name_and_by_device(void **state)
{
	struct registry_answer a;

	(void)state;
	assert_int_equal(create("alice", 1, 11, NULL), 0);
	a = find("alice");
	assert_int_equal(a.err, 0);
	assert_true(a.is_found && a.has_identity && !a.has_recovery);
	assert_int_equal(a.record[191], 2);
	a = device(11, 1);
	assert_int_equal(a.err, 0);
	assert_string_equal(a.name.text, "alice");
	assert_int_equal(a.identity.bytes[0], 1);
	assert_int_equal(a.devices.version, 1);
	assert_int_equal(a.devices.count, 1);
	assert_int_equal(a.vault_version, 1);
	assert_int_equal(device(12, 1).err, ERR_NOT_FOUND);
	assert_int_equal(device(11, 2).err, ERR_NOT_FOUND);
	assert_int_equal(r->count(r), 1);
	assert_int_equal(r->ksf(r), KSF_ARGON2ID_64M);
	a = told("alice", false);
	assert_int_equal(a.blob.size, VAULT_WRAP_SIZE);
	assert_int_equal(a.blob.data[0], 1);
	assert_int_equal(told("nobody", false).err, ERR_AUTH);
}

static void unknown_names_share_one_stored_record(void **state)
{
	struct registry_answer one = find("nobody"), two = find("zeno");

	(void)state;
	assert_int_equal(one.err, 0);
	assert_false(one.is_found);
	assert_false(one.has_identity);
	assert_memory_equal(one.record, two.record, sizeof one.record);
	assert_false(sodium_is_zero(one.record, sizeof one.record));
	/* with accounts around them in the order of names too */
	assert_int_equal(create("neil", 1, 11, NULL), 0);
	assert_int_equal(create("nora", 2, 12, NULL), 0);
	two = find("nobody");
	assert_false(two.is_found || two.has_identity || two.is_suspended || two.has_recovery);
	assert_memory_equal(one.record, two.record, sizeof one.record);
	assert_memory_equal(&one.recovery, &two.recovery, sizeof one.recovery);
	assert_true(find("nora").is_found);
	/* an account without a code has a key of its own to check codes with */
	two = find("nora");
	assert_memory_not_equal(&one.recovery, &two.recovery, sizeof one.recovery);
	/* and the same one after a restart, or the time of it would show */
	r->close(r);
	assert_int_equal(backend->open(&r, folder, reason, sizeof reason), 0);
	two = find("nobody");
	assert_memory_equal(one.record, two.record, sizeof one.record);
}

static void a_name_is_taken_once(void **state)
{
	(void)state;
	assert_int_equal(may("alice", NULL), 0);
	assert_int_equal(create("alice", 1, 11, NULL), 0);
	assert_int_equal(may("alice", NULL), ERR_EXISTS);
	assert_int_equal(create("alice", 2, 12, NULL), ERR_EXISTS);
	assert_int_equal(device(12, 2).err, ERR_NOT_FOUND);
	assert_int_equal(told("alice", false).identity.bytes[0], 1);
}

static void whoever_enrols_another_s_device_keeps_nobody_out(void **state)
{
	(void)state;
	assert_int_equal(create("eve", 6, 11, NULL), 0); /* alice's key, which she has seen */
	assert_int_equal(create("alice", 1, 11, NULL), 0);
	assert_string_equal(device(11, 1).name.text, "alice");
	assert_string_equal(device(11, 6).name.text, "eve");
}

static void an_identity_is_one_account_s(void **state)
{
	(void)state;
	assert_int_equal(create("alice", 1, 11, NULL), 0);
	assert_int_equal(create("bob", 1, 12, NULL), ERR_AUTH);
	assert_false(find("bob").is_found); /* nothing of the attempt is left */
}

static void an_invitation_is_used_up_only_by_success(void **state)
{
	(void)state;
	assert_int_equal(r->invite(r, "code", NULL, 2, now + day, now), 0);
	assert_int_equal(may("alice", "wrong"), ERR_REFUSED);
	assert_int_equal(may("alice", ""), ERR_REFUSED);
	assert_int_equal(may("alice", "code"), 0);
	assert_int_equal(create("alice", 1, 11, "code"), 0);
	assert_int_equal(create("alice", 2, 12, "code"), ERR_EXISTS);
	assert_int_equal(create("bob", 1, 12, "code"), ERR_AUTH);
	assert_int_equal(create("bob", 2, 12, "code"), 0);
	assert_int_equal(may("carol", "code"), ERR_EXPIRED);
	assert_int_equal(create("carol", 3, 13, "code"), ERR_EXPIRED);
	assert_false(find("carol").is_found);
}

static void an_invitation_ends_and_may_be_for_one_name(void **state)
{
	struct name bob = name_of("bob");

	(void)state;
	assert_int_equal(r->invite(r, "late", NULL, 1, now, now), 0);
	assert_int_equal(may("alice", "late"), ERR_EXPIRED);
	assert_int_equal(r->invite(r, "bobs", &bob, 1, now + day, now), 0);
	assert_int_equal(may("alice", "bobs"), ERR_REFUSED);
	assert_int_equal(create("alice", 1, 11, "bobs"), ERR_REFUSED);
	assert_int_equal(create("bob", 1, 11, "bobs"), 0);
}

/* Two processes have the store open and let somebody in by the last use of one code. */
static void of_two_who_use_an_invitation_at_once_one_wins(void **state)
{
	struct name bob = name_of("bob");
	struct registry *other;
	struct registry_answer a;

	(void)state;
	assert_int_equal(backend->open(&other, folder, reason, sizeof reason), 0);
	assert_int_equal(r->invite(r, "code", NULL, 1, now + day, now), 0);
	assert_int_equal(may("alice", "code"), 0);
	other->may_register(other, 42, &bob, true, bytes_text("code"), now);
	assert_true(other->next(other, &a));
	assert_int_equal(a.err, 0); /* both have been told that they may */
	assert_int_equal(create_in(other, "bob", 2, 12, "code"), 0);
	assert_int_equal(create("alice", 1, 11, "code"), ERR_EXPIRED);
	assert_false(find("alice").is_found);
	assert_true(find("bob").is_found);
	other->close(other);
}

static void the_first_login_brings_identity_and_vault_and_no_other_may(void **state)
{
	static const uint8_t devices[] = { 50, 51, 52 };

	(void)state;
	assert_int_equal(create("alice", 0, 0, NULL), 0);
	assert_false(find("alice").has_identity);
	assert_int_equal(enrol("alice", 5, false, 1, 1, devices), ERR_AUTH); /* no vault */
	assert_int_equal(enrol("alice", 5, true, 2, 1, devices), ERR_STATE);
	assert_int_equal(enrol("alice", 5, true, 1, 1, devices), 0);
	assert_int_equal(told("alice", false).identity.bytes[0], 5);
	assert_int_equal(enrol("alice", 6, true, 2, 1, devices), ERR_AUTH);
	assert_int_equal(enrol("alice", 6, false, 2, 1, devices), ERR_AUTH);
	assert_int_equal(enrol("alice", 5, true, 2, 2, devices), ERR_EXISTS);
	assert_int_equal(enrol("alice", 5, false, 2, 3, devices), ERR_AUTH); /* 51 is not in */
	assert_int_equal(enrol("alice", 5, false, 2, 2, devices), 0);
	assert_int_equal(enrol("alice", 5, false, 2, 2, devices), ERR_STATE); /* replayed */
	assert_int_equal(enrol("nobody", 5, false, 1, 1, devices), ERR_AUTH);
	assert_int_equal(device(51, 5).err, 0);
}

static void a_device_that_is_not_in_the_next_list_is_enrolled_no_more(void **state)
{
	static const uint8_t devices[] = { 10, 11, 12, 99 };
	struct device_list l = list_of(1, 4, 2, devices + 1);

	(void)state;
	assert_int_equal(create("alice", 1, 10, NULL), 0);
	assert_int_equal(enrol("alice", 1, false, 2, 2, devices), 0);
	assert_int_equal(enrol("alice", 1, false, 3, 3, devices), 0);
	assert_int_equal(put_list("alice", &l), 0);
	assert_int_equal(device(10, 1).err, ERR_NOT_FOUND);
	assert_int_equal(device(11, 1).err, 0);
	assert_int_equal(put_list("alice", &l), ERR_STATE);
	l = list_of(1, 5, 3, devices); /* nobody comes in, or back, like this */
	assert_int_equal(put_list("alice", &l), ERR_AUTH);
	l = list_of(2, 5, 1, devices + 1); /* nor another identity */
	assert_int_equal(put_list("alice", &l), ERR_AUTH);
	assert_int_equal(told("alice", false).devices.version, 4);
	memset(l.past[0].identity.bytes, 1, 32); /* unless the old one has vouched for it */
	l.past_count = 1;
	assert_int_equal(put_list("alice", &l), 0);
	assert_int_equal(device(11, 2).err, 0);
	assert_int_equal(device(11, 1).err, ERR_NOT_FOUND);
}

static void a_vault_is_replaced_by_the_next_version_only(void **state)
{
	struct registry_answer a;
	size_t got = 0;

	(void)state;
	assert_int_equal(create("alice", 1, 11, NULL), 0);
	assert_int_equal(get_vault("alice", 0).vault_size, VAULT_FIRST_SIZE);
	a = put_vault("alice", 3, 100);
	assert_int_equal(a.err, ERR_STATE);
	assert_int_equal(a.vault_version, 1);
	assert_int_equal(put_vault("alice", 1, 100).err, ERR_STATE);
	a = put_vault("alice", 2, VAULT_SIZE_MAX);
	assert_int_equal(a.err, 0);
	assert_int_equal(a.vault_version, 2);
	while ((a = get_vault("alice", got)).err == 0) {
		assert_int_equal(a.vault_version, 2);
		assert_int_equal(a.vault_size, VAULT_SIZE_MAX);
		assert_int_equal(a.vault_offset, got);
		assert_int_equal(a.vault_signature[0], 5);
		assert_in_range(a.blob.size, 1, WIRE_VAULT_GET_PART);
		assert_int_equal(a.blob.data[a.blob.size - 1], 2);
		got += a.blob.size;
	}
	assert_int_equal(a.err, ERR_NOT_FOUND);
	assert_int_equal(got, VAULT_SIZE_MAX);
	assert_int_equal(put_vault("nobody", 1, 100).err, ERR_AUTH);
	assert_int_equal(get_vault("nobody", 0).err, ERR_NOT_FOUND);
}

static void a_password_is_changed_with_all_that_goes_with_it_or_not_at_all(void **state)
{
	static const uint8_t devices[] = { 11, 12 };
	struct device_list l = list_of(1, 3, 1, devices);
	struct registry_answer a;

	(void)state;
	assert_int_equal(create("alice", 1, 11, NULL), 0);
	assert_int_equal(enrol("alice", 1, false, 2, 2, devices), 0);
	l.version = 2 + DEVICE_LIST_LEAP + 1;
	assert_int_equal(put_password("alice", true, &l, NULL), ERR_STATE);
	assert_int_equal(find("alice").record[0], 2);
	a = told("alice", false);
	assert_int_equal(a.blob.data[0], 1);
	l.version = 3;
	assert_int_equal(put_password("alice", true, &l, NULL), 0);
	assert_int_equal(find("alice").record[0], 99);
	a = told("alice", false);
	assert_int_equal(a.blob.data[0], 77);
	assert_int_equal(device(12, 1).err, ERR_NOT_FOUND);
	assert_int_equal(device(11, 1).err, 0);
	assert_int_equal(put_password("nobody", true, NULL, NULL), ERR_AUTH);
}

static void a_reset_code_sets_a_password_once_and_seals_the_vault(void **state)
{
	struct name alice = name_of("alice"), nobody = name_of("nobody");
	static const uint8_t devices[] = { 20 };

	(void)state;
	assert_int_equal(create("alice", 1, 11, NULL), 0);
	assert_int_equal(create("bob", 2, 12, NULL), 0);
	assert_int_equal(r->invite_reset(r, "code", &nobody, now + day, now), ERR_NOT_FOUND);
	assert_int_equal(r->invite_reset(r, "code", &alice, now + day, now), 0);
	assert_int_equal(r->invite_reset(r, "late", &alice, now, now), 0);
	assert_int_equal(may("carol", "code"), ERR_REFUSED); /* it invites nobody */
	r->reset(r, 42, bytes_text("wrong"), now);
	assert_int_equal(answer().err, ERR_REFUSED);
	r->reset(r, 42, bytes_text("late"), now);
	assert_int_equal(answer().err, ERR_EXPIRED);
	r->reset(r, 42, bytes_text("code"), now);
	assert_string_equal(answer().name.text, "alice");
	assert_int_equal(put_password("bob", false, NULL, "code"), ERR_REFUSED);
	assert_int_equal(put_password("alice", false, NULL, "code"), 0);
	assert_int_equal(put_password("alice", false, NULL, "code"), ERR_REFUSED);
	assert_int_equal(told("alice", false).blob.size, 0);
	assert_int_equal(device(11, 1).err, 0); /* her devices stay */
	/* another identity may come now, with a vault of its own, after the same list */
	assert_int_equal(enrol("alice", 7, false, 2, 1, devices), ERR_AUTH);
	assert_int_equal(enrol("alice", 7, true, 1, 1, devices), ERR_STATE);
	assert_int_equal(enrol("alice", 7, true, 2, 1, devices), 0);
	assert_int_equal(device(11, 1).err, ERR_NOT_FOUND);
	assert_int_equal(device(20, 7).vault_version, 1);
	assert_int_equal(enrol("alice", 8, true, 3, 1, devices), ERR_AUTH);
}

static void a_recovery_code_is_kept_replaced_and_taken_away(void **state)
{
	struct wire_recovery_put p = { 0 };
	struct name alice = name_of("alice");
	struct registry_answer a;

	(void)state;
	assert_int_equal(create("alice", 1, 11, NULL), 0);
	memset(p.prove.bytes, 3, sizeof p.prove.bytes);
	memset(p.wrap, 4, sizeof p.wrap);
	r->put_recovery(r, 42, &alice, &p);
	assert_int_equal(answer().err, 0);
	a = find("alice");
	assert_true(a.has_recovery);
	assert_int_equal(a.recovery.bytes[31], 3);
	a = told("alice", true);
	assert_int_equal(a.blob.size, VAULT_RECOVERY_SIZE);
	assert_int_equal(a.blob.data[0], 4);
	p.is_none = true;
	r->put_recovery(r, 42, &alice, &p);
	assert_int_equal(answer().err, 0);
	a = find("alice");
	assert_false(a.has_recovery);
	assert_memory_not_equal(a.recovery.bytes, p.prove.bytes, sizeof p.prove.bytes);
	assert_int_equal(told("alice", true).blob.size, 0);
}

static void failed_logins_are_told_once(void **state)
{
	struct registry_failures list[] = { { name_of("alice"), 3 }, { name_of("nobody"), 5 } };

	(void)state;
	assert_int_equal(create("alice", 1, 11, NULL), 0);
	assert_int_equal(r->add_failures(r, list, 2), 0);
	assert_int_equal(r->add_failures(r, list, 1), 0);
	assert_int_equal(device(11, 1).failed, 6);
	assert_int_equal(device(11, 1).failed, 0);
	assert_int_equal(r->add_failures(r, list, 1), 0);
	assert_int_equal(told("alice", false).failed, 3);
	assert_int_equal(told("alice", false).failed, 0);
}

static void a_suspended_account_is_known_as_one(void **state)
{
	struct name alice = name_of("alice"), nobody = name_of("nobody");

	(void)state;
	assert_int_equal(create("alice", 1, 11, NULL), 0);
	assert_int_equal(r->suspend(r, &nobody, true), ERR_NOT_FOUND);
	assert_int_equal(r->suspend(r, &alice, true), 0);
	assert_true(device(11, 1).is_suspended);
	assert_true(told("alice", false).is_suspended);
	assert_int_equal(r->suspend(r, &alice, false), 0);
	assert_false(device(11, 1).is_suspended);
}

static void answers_come_in_order_with_their_tickets(void **state)
{
	struct name name = name_of("alice");
	struct registry_answer a;

	(void)state;
	for (uint64_t i = 0; i < 100; i++)
		r->find(r, i, &name);
	for (uint64_t i = 0; i < 100; i++) {
		assert_true(r->next(r, &a));
		assert_int_equal(a.ticket, i);
	}
	assert_false(r->next(r, &a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		REGISTRY(an_account_is_found_by_name_and_by_device),
		REGISTRY(unknown_names_share_one_stored_record),
		REGISTRY(a_name_is_taken_once),
		REGISTRY(whoever_enrols_another_s_device_keeps_nobody_out),
		REGISTRY(an_identity_is_one_account_s),
		REGISTRY(an_invitation_is_used_up_only_by_success),
		REGISTRY(an_invitation_ends_and_may_be_for_one_name),
		REGISTRY(of_two_who_use_an_invitation_at_once_one_wins),
		REGISTRY(the_first_login_brings_identity_and_vault_and_no_other_may),
		REGISTRY(a_device_that_is_not_in_the_next_list_is_enrolled_no_more),
		REGISTRY(a_vault_is_replaced_by_the_next_version_only),
		REGISTRY(a_password_is_changed_with_all_that_goes_with_it_or_not_at_all),
		REGISTRY(a_reset_code_sets_a_password_once_and_seals_the_vault),
		REGISTRY(a_recovery_code_is_kept_replaced_and_taken_away),
		REGISTRY(failed_logins_are_told_once),
		REGISTRY(a_suspended_account_is_known_as_one),
		REGISTRY(answers_come_in_order_with_their_tickets),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests_name(backend->name, tests, NULL, NULL);
}
