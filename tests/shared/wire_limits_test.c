/* Each field of each message has its limits, and no message with one beyond them is said or heard. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "shared/error.h"
#include "shared/menu.h"
#include "shared/ksf.h"
#include "shared/wire.h"
#include "tests/any_message.h"

static uint8_t body[WIRE_VAULT_PUT_PART + 1]; /* what views of a spoilt field point into */

/* The row of `type`, encoded after `spoil` has made one field wrong. */
static int spoilt(enum wire_type type, void (*spoil)(struct wire_message *))
{
	static struct wire_message m;
	struct buf out = { 0 };
	int err;

	any_message(&m, &out, any_row_of(type));
	out.size = 0;
	spoil(&m);
	err = wire_encode(&m, &out);
	assert_true(err == 0 || out.size == 0);
	buf_clear(&out);
	return err;
}

static void upper_name(struct wire_message *m)
{
	m->introduce.name = (struct name){ "Bob" };
}
static void short_name(struct wire_message *m)
{
	m->introduce.name = (struct name){ "b" };
}
static void zero_seq(struct wire_message *m)
{
	m->say.seq = 0;
}
static void zero_next(struct wire_message *m)
{
	m->ack.next = 0;
}
/* One of the kind, with a right body. */
static void of_kind(struct wire_message *m, enum say_kind kind)
{
	memset(&m->say, 0, sizeof m->say);
	any_say_of(&m->say, kind);
}
static void zero_reply(struct wire_message *m)
{
	of_kind(m, SAY_TEXT);
	m->say.is_about = true, m->say.about_seq = 0;
}
static void other_kind(struct wire_message *m)
{
	m->say.kind = SAY_LAST + 1;
}
static void edit_of_nothing(struct wire_message *m)
{
	of_kind(m, SAY_EDIT);
	m->say.is_about = false;
}
static void timer_of_something(struct wire_message *m)
{
	of_kind(m, SAY_TIMER);
	m->say.is_about = true, m->say.about_seq = 1;
}
static void forwarded_edit(struct wire_message *m)
{
	of_kind(m, SAY_EDIT);
	m->say.is_forwarded = true;
}
static void mortal_reaction(struct wire_message *m)
{
	of_kind(m, SAY_REACT);
	m->say.life = 1;
}
static void long_life(struct wire_message *m)
{
	of_kind(m, SAY_TEXT);
	m->say.life = WIRE_LIFE_MAX + 1;
}
static void retraction_with_words(struct wire_message *m)
{
	of_kind(m, SAY_RETRACT);
	m->say.body = bytes_text("x");
}
static void short_hash(struct wire_message *m)
{
	of_kind(m, SAY_GONE);
	m->say.body.size = 31;
}
static void many_reactions(struct wire_message *m)
{
	of_kind(m, SAY_REACT);
	m->say.body = bytes_text("1 2 3 4 5 6 7 8 9");
}
static void long_reaction(struct wire_message *m)
{
	of_kind(m, SAY_REACT);
	m->say.body = bytes_text("a bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb");
}
static void reactions_far_apart(struct wire_message *m)
{
	of_kind(m, SAY_REACT);
	m->say.body = bytes_text("a  b");
}
static void reaction_of_two_lines(struct wire_message *m)
{
	of_kind(m, SAY_REACT);
	m->say.body = bytes_text("a\nb");
}
static void reaction_behind_nothing(struct wire_message *m)
{
	of_kind(m, SAY_REACT);
	m->say.body = bytes_text("a ");
}
static void edit_by_a_program(struct wire_message *m)
{
	of_kind(m, SAY_EDIT);
	m->say.bot = bytes_text("echo");
}
static void buttons_of_a_reaction(struct wire_message *m)
{
	of_kind(m, SAY_REACT);
	m->say.buttons = bytes_text("yes");
}
static void program_without_a_name(struct wire_message *m)
{
	of_kind(m, SAY_TEXT);
	m->say.bot = bytes_text("Echo!");
}
static void program_with_a_long_name(struct wire_message *m)
{
	of_kind(m, SAY_TEXT);
	m->say.bot = bytes_text("a23456789012345678901234567890123");
}
static void many_buttons(struct wire_message *m)
{
	of_kind(m, SAY_TEXT);
	m->say.buttons = bytes_text("1\n2\n3\n4\n5\n6\n7\n8\n9");
}
static void button_of_another_direction(struct wire_message *m)
{
	of_kind(m, SAY_FILE);
	m->say.buttons = bytes_text("a\xe2\x80\xae" "b");
}
static void long_buttons(struct wire_message *m)
{
	static uint8_t data[MENU_BUTTONS_SIZE + 1];

	of_kind(m, SAY_TEXT);
	memset(data, 'a', sizeof data);
	m->say.buttons = BYTES(data);
}
static void command_without_words(struct wire_message *m)
{
	m->profile.menu = bytes_text("list");
}
static void long_menu(struct wire_message *m)
{
	static uint8_t data[MENU_COMMANDS_SIZE + 1];

	memset(data, 'a', sizeof data);
	m->profile.menu = BYTES(data);
}
static void empty_offer(struct wire_message *m)
{
	of_kind(m, SAY_FILE);
	m->say.body.size = 0;
}
static void long_offer(struct wire_message *m)
{
	static uint8_t data[WIRE_SAY_MAX + 1];

	of_kind(m, SAY_FILE);
	m->say.body = BYTES(data);
}
static void nothing_read(struct wire_message *m)
{
	m->read.next = 0;
}
static void profile_of_nobody(struct wire_message *m)
{
	m->profile.number = 0;
}
static void other_availability(struct wire_message *m)
{
	m->profile.availability = BUSY + 1;
}
static void huge_picture(struct wire_message *m)
{
	static uint8_t data[WIRE_PICTURE_MAX + 1];

	m->profile.picture = BYTES(data);
}
static void huge_file(struct wire_message *m)
{
	m->file_head.size = ((uint64_t)1 << 50) + 1;
}
static void far_offset(struct wire_message *m)
{
	m->file_get.offset = ((uint64_t)1 << 50) + 1;
}
static void no_grant(struct wire_message *m)
{
	m->history_get.number = 0;
}
static void much_history(struct wire_message *m)
{
	m->history.count = WIRE_HISTORY_MAX + 1;
}
static void no_body(struct wire_message *m)
{
	of_kind(m, SAY_TEXT);
	m->say.body.size = 0;
}
static void bad_utf8(struct wire_message *m)
{
	of_kind(m, SAY_TEXT);
	m->say.body = bytes_of("\xff", 1);
}
static void nul_in_body(struct wire_message *m)
{
	of_kind(m, SAY_TEXT);
	m->say.body = bytes_of("a\0b", 3);
}
static void long_body(struct wire_message *m)
{
	static uint8_t data[WIRE_TEXT_MAX + 1];

	of_kind(m, SAY_TEXT);
	memset(data, 'x', sizeof data);
	m->say.body = BYTES(data);
}
static void long_invite(struct wire_message *m)
{
	m->register_start.invite = bytes_text("123456789012345678901234567890123");
}
static void unknown_ksf(struct wire_message *m)
{
	m->login_challenge.ksf = 99;
}
static void no_error(struct wire_message *m)
{
	m->refusal.error = 0;
}
static void other_error(struct wire_message *m)
{
	m->refusal.error = ERR_LAST;
}
static void other_about(struct wire_message *m)
{
	m->refusal.about = 99;
}
static void short_seal(struct wire_message *m)
{
	m->list_add.greeting = bytes_of(body, SEAL_OVERHEAD - 1);
}
static void long_seal(struct wire_message *m)
{
	m->list_add.greeting = bytes_of(body, WIRE_SEALED_GREETING_MAX + 1);
}
static void many_names(struct wire_message *m)
{
	m->list.count = WIRE_LIST_CHUNK + 1;
}
static void many_devices(struct wire_message *m)
{
	m->presence.device_count = WIRE_DEVICES_MAX + 1;
}
static void many_candidates(struct wire_message *m)
{
	m->publish.open.candidates.count = CANDIDATES_MAX + 1;
}
static void multicast(struct wire_message *m)
{
	m->publish.open.candidates.count = 1;
	address_parse(&m->publish.open.candidates.list[0].address, "224.0.0.1:5", 0);
	m->publish.open.candidates.list[0].kind = CANDIDATE_HOST;
}
static void other_candidate(struct wire_message *m)
{
	multicast(m);
	address_parse(&m->publish.open.candidates.list[0].address, "1.2.3.4:5", 0);
	m->publish.open.candidates.list[0].kind = 5;
}
static void no_record(struct wire_message *m)
{
	m->publish.shut.number = 0;
}
static void record_of_another(struct wire_message *m)
{
	m->publish.shut.device.bytes[0] ^= 1;
}
static void shut_but_with_an_address(struct wire_message *m)
{
	m->publish.shut.candidates.count = 1;
	address_parse(&m->publish.shut.candidates.list[0].address, "1.2.3.4:5", 0);
	m->publish.shut.candidates.list[0].kind = CANDIDATE_HOST;
}
static void introduced_without_a_record(struct wire_message *m)
{
	m->introduction.device.record.number = 0;
}
static void introduced_with_the_record_of_another(struct wire_message *m)
{
	m->introduction.device.record.device.bytes[0] ^= 1;
}
static void other_consent(struct wire_message *m)
{
	m->list_add.consent = (enum consent)(CONSENT_HIDDEN + 1);
}
static void other_consent_in_a_list(struct wire_message *m)
{
	m->list.count = 1;
	m->list.list[0].consent = (enum consent)(CONSENT_HIDDEN + 1);
	m->list.list[0].name = (struct name){ "bob" };
}
static void many_sights(struct wire_message *m)
{
	m->welcome.sight_count = WIRE_SIGHTS_MAX + 1;
}
static void seen_from_nowhere(struct wire_message *m)
{
	m->observed.observed.family = 0;
}
static void many_readers(struct wire_message *m)
{
	m->forwarding.count = WIRE_FORWARDING_MAX + 1;
}
static void short_record(struct wire_message *m)
{
	m->forwarding.record = bytes_of(body, WIRE_SEALED_OVERHEAD);
}
static void long_record(struct wire_message *m)
{
	m->there.record = bytes_of(body, WIRE_SEALED_RECORD_MAX + 1);
}
static void unnumbered(struct wire_message *m)
{
	m->there.number = 0;
}
static void many_tokens(struct wire_message *m)
{
	m->where.count = WIRE_WHERE_MAX + 1;
}
static void no_circuit(struct wire_message *m)
{
	m->relay_open.circuit = 0;
}
static void no_answer_of_ours(struct wire_message *m)
{
	m->relay_answer.error = ERR_LAST;
}
static void no_port(struct wire_message *m)
{
	m->welcome.observed = (struct address){ .family = 4, .ip = { 1, 2, 3, 4 } };
}
static void much_work(struct wire_message *m)
{
	m->refusal.work.bits = WORK_BITS_MAX + 1;
}
static void list_without_devices(struct wire_message *m)
{
	m->devices_put.devices.count = 0;
}
static void device_twice(struct wire_message *m)
{
	m->devices.devices.count = 2;
	m->devices.devices.devices[1] = m->devices.devices.devices[0];
}
static void no_identity_but_a_list(struct wire_message *m)
{
	any_device_list(&m->login_done.devices);
	m->login_done.has_identity = false;
}
static void identity_without_a_list(struct wire_message *m)
{
	m->login_done.has_identity = true;
	m->login_done.devices.version = 0;
}
static void other_wrap(struct wire_message *m)
{
	m->login_done.wrap = bytes_of(body, VAULT_WRAP_SIZE + 1);
}
static void empty_part(struct wire_message *m)
{
	m->vault_put.part.size = 0;
}
static void large_part(struct wire_message *m)
{
	m->vault_put.offset = 0;
	m->vault_put.total = VAULT_SIZE_MAX;
	m->vault_put.part = bytes_of(body, WIRE_VAULT_PUT_PART + 1);
}
static void part_behind_the_end(struct wire_message *m)
{
	m->vault_part.total = m->vault_part.offset + m->vault_part.part.size - 1;
}
static void part_far_behind_the_end(struct wire_message *m)
{
	m->vault_part.offset = 2000;
	m->vault_part.total = 1000;
}
static void large_vault(struct wire_message *m)
{
	m->vault_part.total = VAULT_SIZE_MAX + 1;
}
static void vault_version_zero(struct wire_message *m)
{
	m->vault_put.version = 0;
}
static void empty_code(struct wire_message *m)
{
	m->reset.code.size = 0;
}
static void away_for_days(struct wire_message *m)
{
	m->leaving.retry_after = 86401;
}
static void nothing_delivered(struct wire_message *m)
{
	m->delivered.next = 0;
}

/* The same checks stand in the decoder: fields are written and read by one function. */
static void fields_beyond_their_limits_are_refused(void **state)
{
	static const struct {
		enum wire_type type;
		void (*spoil)(struct wire_message *);
		int err;
	} rows[] = {
		{ WIRE_INTRODUCE, upper_name, ERR_NAME },
		{ WIRE_INTRODUCE, short_name, ERR_LIMIT },
		{ WIRE_SAY, zero_seq, ERR_LIMIT },
		{ WIRE_ACK, zero_next, ERR_LIMIT },
		{ WIRE_SAY, zero_reply, ERR_LIMIT },
		{ WIRE_SAY, other_kind, ERR_LIMIT },
		{ WIRE_SAY, edit_of_nothing, ERR_FORMAT },
		{ WIRE_SAY, timer_of_something, ERR_FORMAT },
		{ WIRE_SAY, forwarded_edit, ERR_FORMAT },
		{ WIRE_SAY, mortal_reaction, ERR_FORMAT },
		{ WIRE_SAY, long_life, ERR_LIMIT },
		{ WIRE_SAY, retraction_with_words, ERR_LIMIT },
		{ WIRE_SAY, short_hash, ERR_LIMIT },
		{ WIRE_SAY, many_reactions, ERR_LIMIT },
		{ WIRE_SAY, long_reaction, ERR_LIMIT },
		{ WIRE_SAY, reactions_far_apart, ERR_FORMAT },
		{ WIRE_SAY, reaction_of_two_lines, ERR_FORMAT },
		{ WIRE_SAY, reaction_behind_nothing, ERR_FORMAT },
		{ WIRE_SAY, edit_by_a_program, ERR_FORMAT },
		{ WIRE_SAY, buttons_of_a_reaction, ERR_FORMAT },
		{ WIRE_SAY, program_without_a_name, ERR_NAME },
		{ WIRE_SAY, program_with_a_long_name, ERR_LIMIT },
		{ WIRE_SAY, many_buttons, ERR_FORMAT },
		{ WIRE_SAY, button_of_another_direction, ERR_FORMAT },
		{ WIRE_SAY, long_buttons, ERR_LIMIT },
		{ WIRE_PROFILE, command_without_words, ERR_FORMAT },
		{ WIRE_PROFILE, long_menu, ERR_LIMIT },
		{ WIRE_SAY, empty_offer, ERR_LIMIT },
		{ WIRE_SAY, long_offer, ERR_LIMIT },
		{ WIRE_READ, nothing_read, ERR_LIMIT },
		{ WIRE_PROFILE, profile_of_nobody, ERR_LIMIT },
		{ WIRE_PROFILE, other_availability, ERR_LIMIT },
		{ WIRE_PROFILE, huge_picture, ERR_LIMIT },
		{ WIRE_FILE_HEAD, huge_file, ERR_LIMIT },
		{ WIRE_FILE_GET, far_offset, ERR_LIMIT },
		{ WIRE_HISTORY_GET, no_grant, ERR_LIMIT },
		{ WIRE_HISTORY, much_history, ERR_LIMIT },
		{ WIRE_SAY, no_body, ERR_LIMIT },
		{ WIRE_SAY, bad_utf8, ERR_FORMAT },
		{ WIRE_SAY, nul_in_body, ERR_FORMAT },
		{ WIRE_SAY, long_body, ERR_LIMIT },
		{ WIRE_REGISTER_START, long_invite, ERR_LIMIT },
		{ WIRE_LOGIN_CHALLENGE, unknown_ksf, ERR_VERSION },
		{ WIRE_REFUSAL, no_error, ERR_LIMIT },
		{ WIRE_REFUSAL, other_error, ERR_LIMIT },
		{ WIRE_REFUSAL, other_about, ERR_FORMAT },
		{ WIRE_LIST_ADD, short_seal, ERR_FORMAT },
		{ WIRE_LIST_ADD, long_seal, ERR_LIMIT },
		{ WIRE_LIST, many_names, ERR_LIMIT },
		{ WIRE_PRESENCE, many_devices, ERR_LIMIT },
		{ WIRE_PUBLISH, many_candidates, ERR_LIMIT },
		{ WIRE_PUBLISH, multicast, ERR_FORMAT },
		{ WIRE_PUBLISH, other_candidate, ERR_LIMIT },
		{ WIRE_PUBLISH, no_record, ERR_LIMIT },
		{ WIRE_PUBLISH, record_of_another, ERR_FORMAT },
		{ WIRE_PUBLISH, shut_but_with_an_address, ERR_FORMAT },
		{ WIRE_INTRODUCTION, introduced_without_a_record, ERR_FORMAT },
		{ WIRE_INTRODUCTION, introduced_with_the_record_of_another, ERR_FORMAT },
		{ WIRE_LIST_ADD, other_consent, ERR_LIMIT },
		{ WIRE_LIST, other_consent_in_a_list, ERR_LIMIT },
		{ WIRE_WELCOME, many_sights, ERR_LIMIT },
		{ WIRE_OBSERVED, seen_from_nowhere, ERR_FORMAT },
		{ WIRE_FORWARDING, many_readers, ERR_LIMIT },
		{ WIRE_FORWARDING, short_record, ERR_LIMIT },
		{ WIRE_THERE, long_record, ERR_LIMIT },
		{ WIRE_THERE, unnumbered, ERR_LIMIT },
		{ WIRE_WHERE, many_tokens, ERR_LIMIT },
		{ WIRE_RELAY_OPEN, no_circuit, ERR_LIMIT },
		{ WIRE_RELAY_ANSWER, no_answer_of_ours, ERR_LIMIT },
		{ WIRE_WELCOME, no_port, ERR_FORMAT },
		{ WIRE_REFUSAL, much_work, ERR_LIMIT },
		{ WIRE_DEVICES_PUT, list_without_devices, ERR_FORMAT },
		{ WIRE_DEVICES, device_twice, ERR_FORMAT },
		{ WIRE_LOGIN_DONE, no_identity_but_a_list, ERR_FORMAT },
		{ WIRE_LOGIN_DONE, identity_without_a_list, ERR_FORMAT },
		{ WIRE_LOGIN_DONE, other_wrap, ERR_FORMAT },
		{ WIRE_VAULT_PUT, empty_part, ERR_LIMIT },
		{ WIRE_VAULT_PUT, large_part, ERR_LIMIT },
		{ WIRE_VAULT_PUT, vault_version_zero, ERR_LIMIT },
		{ WIRE_VAULT_PART, part_behind_the_end, ERR_FORMAT },
		{ WIRE_VAULT_PART, part_far_behind_the_end, ERR_FORMAT },
		{ WIRE_VAULT_PART, large_vault, ERR_LIMIT },
		{ WIRE_RESET, empty_code, ERR_LIMIT },
		{ WIRE_LEAVING, away_for_days, ERR_LIMIT },
		{ WIRE_DELIVERED, nothing_delivered, ERR_LIMIT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int err = spoilt(rows[i].type, rows[i].spoil);

		if (err != rows[i].err)
			fail_msg("case %zu: %s", i, error_name(err));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_beyond_their_limits_are_refused),
	};
	any_begin();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
