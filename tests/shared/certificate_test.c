#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "shared/certificate.h"
#include "shared/error.h"

static struct identity identity;
static struct device device;

static struct certificate made(const char *label)
{
	struct certificate c;

	certificate_make(&c, &identity, &device.public, label, 0x0102030405060708, -2);
	return c;
}

static void a_certificate_survives_the_wire_and_verifies(void **state)
{
	struct certificate c = made("laptop"), got;
	struct buf b = { 0 };

	(void)state;
	assert_int_equal(certificate_verify(&c), 0);
	assert_int_equal(certificate_encode(&c, &b), 0);
	assert_int_equal(b.size, CERTIFICATE_SIZE_MAX - CERTIFICATE_LABEL_MAX + 6);
	assert_int_equal(certificate_decode(&got, buf_view(&b)), 0);
	assert_int_equal(certificate_verify(&got), 0);
	assert_true(identity_public_equal(&got.identity, &identity.public));
	assert_true(device_public_equal(&got.device, &device.public));
	assert_true(got.serial == 0x0102030405060708);
	assert_true(got.not_after == -2);
	assert_string_equal(got.label, "laptop");
	buf_clear(&b);
}

static void the_wire_form_is_the_one_that_is_written_down(void **state)
{
	struct certificate c = made("ab");
	struct buf b = { 0 }, text = { 0 };

	(void)state;
	certificate_encode(&c, &b);
	assert_memory_equal(b.data, identity.public.bytes, 32);
	assert_memory_equal(b.data + 32, device.public.bytes, 32);
	assert_memory_equal(b.data + 64, "\1\2\3\4\5\6\7\10", 8);
	assert_memory_equal(b.data + 72, "\377\377\377\377\377\377\377\376", 8);
	assert_memory_equal(b.data + 80, "\2ab", 3);
	buf_append(&text, bytes_text("palique-device-v1"));
	buf_append(&text, bytes_of(b.data, 83));
	assert_int_equal(crypto_sign_verify_detached(b.data + 83, text.data, text.size,
						     identity.public.bytes),
			 0);
	buf_clear(&b);
	buf_clear(&text);
}

static void every_bit_of_a_certificate_counts(void **state)
{
	struct certificate c = made("laptop"), got;
	struct buf b = { 0 };
	size_t i;

	(void)state;
	certificate_encode(&c, &b);
	for (i = 0; i < b.size * 8; i++) {
		b.data[i / 8] ^= 1 << i % 8;
		assert_true(certificate_decode(&got, buf_view(&b)) < 0 ||
			    certificate_verify(&got) < 0);
		b.data[i / 8] ^= 1 << i % 8;
	}
	buf_clear(&b);
}

static void a_certificate_of_another_length_is_refused_whole(void **state)
{
	struct certificate c = made("laptop"), got, before;
	struct buf b = { 0 };
	size_t size;

	(void)state;
	certificate_encode(&c, &b);
	memset(&got, 0x5a, sizeof got);
	before = got;
	for (size = 0; size < b.size; size++)
		assert_true(certificate_decode(&got, bytes_of(b.data, size)) < 0);
	buf_append_byte(&b, 0);
	assert_int_equal(certificate_decode(&got, buf_view(&b)), ERR_FORMAT);
	b.data[80] = CERTIFICATE_LABEL_MAX + 1;
	assert_int_equal(certificate_decode(&got, buf_view(&b)), ERR_LIMIT);
	while (b.size <= CERTIFICATE_SIZE_MAX)
		buf_append_byte(&b, 0);
	assert_int_equal(certificate_decode(&got, buf_view(&b)), ERR_LIMIT);
	assert_memory_equal(&got, &before, sizeof got);
	buf_clear(&b);
}

static void a_label_with_control_characters_is_refused(void **state)
{
	static const char *const bad[] = { "a\nb",     "\x1b[m",   "a\x7f",
					   "\xc2\x85", "\xff\xff", "\xc3" };
	struct certificate c = made("12345"), got;
	struct buf b = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		memset(c.label, 0, sizeof c.label);
		memcpy(c.label, bad[i], strlen(bad[i]));
		b.size = 0;
		certificate_encode(&c, &b);
		assert_int_equal(certificate_decode(&got, buf_view(&b)), ERR_FORMAT);
	}
	buf_clear(&b);
}

static void a_long_label_is_cut_between_characters(void **state)
{
	struct certificate c = made("1234567890123456789012345678901\xc3\xbc and more");

	(void)state;
	assert_string_equal(c.label, "1234567890123456789012345678901");
	c = made("123456789012345678901234567890\xc3\xbc and more");
	assert_string_equal(c.label, "123456789012345678901234567890\xc3\xbc");
	c = made("one\ntwo");
	assert_string_equal(c.label, "one");
	assert_int_equal(certificate_verify(&c), 0);
}

static void another_identity_cannot_stand_in(void **state)
{
	struct identity other;
	struct certificate c = made("laptop");

	(void)state;
	identity_make(&other);
	c.identity = other.public;
	assert_int_equal(certificate_verify(&c), ERR_AUTH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_certificate_survives_the_wire_and_verifies),
		cmocka_unit_test(the_wire_form_is_the_one_that_is_written_down),
		cmocka_unit_test(every_bit_of_a_certificate_counts),
		cmocka_unit_test(a_certificate_of_another_length_is_refused_whole),
		cmocka_unit_test(a_label_with_control_characters_is_refused),
		cmocka_unit_test(a_long_label_is_cut_between_characters),
		cmocka_unit_test(another_identity_cannot_stand_in),
	};

	if (sodium_init() < 0)
		abort();
	identity_make(&identity);
	device_make(&device);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
