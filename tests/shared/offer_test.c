#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "shared/error.h"
#include "shared/offer.h"

static uint8_t room[OFFER_THUMBNAIL_MAX + 1];

static struct offer an_image(void)
{
	return (struct offer){
		.id = { 1, 2, 3 },
		.size = 5000000000,
		.name = bytes_text("perro.jpg"),
		.type = bytes_text("image/jpeg"),
		.caption = bytes_text("mira"),
		.alt = bytes_text("un perro"),
		.width = 4000,
		.height = 3000,
		.thumbnail = bytes_of(room, 1000),
	};
}

static struct offer a_folder(void)
{
	return (struct offer){ .size = 200,
			       .is_folder = true,
			       .files = 3,
			       .manifest = 90,
			       .name = bytes_text("fotos") };
}

static void an_offer_comes_back(void **state)
{
	struct offer sent[] = { an_image(), a_folder() }, got;
	struct buf out = { 0 };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		out.size = 0;
		assert_int_equal(offer_encode(&sent[i], &out), 0);
		assert_int_equal(offer_decode(&got, buf_view(&out)), 0);
		assert_memory_equal(got.id, sent[i].id, sizeof got.id);
		assert_int_equal(got.size, sent[i].size);
		assert_int_equal(got.is_folder, sent[i].is_folder);
		assert_int_equal(got.files, sent[i].files);
		assert_int_equal(got.manifest, sent[i].manifest);
		assert_true(bytes_equal(got.name, sent[i].name));
		assert_true(bytes_equal(got.type, sent[i].type));
		assert_true(bytes_equal(got.caption, sent[i].caption));
		assert_true(bytes_equal(got.alt, sent[i].alt));
		assert_int_equal(got.width, sent[i].width);
		assert_int_equal(got.height, sent[i].height);
		assert_true(bytes_equal(got.thumbnail, sent[i].thumbnail));
	}
	buf_clear(&out);
}

static void the_longest_offer_fits_into_a_message(void **state)
{
	static char text[OFFER_CAPTION_MAX + 1];
	struct offer offer = an_image();
	struct buf out;

	(void)state;
	memset(text, 'x', sizeof text);
	offer.size = OFFER_SIZE_MAX;
	offer.name = bytes_of(text, OFFER_NAME_MAX);
	offer.type = bytes_of(text, OFFER_TYPE_MAX);
	offer.caption = bytes_of(text, OFFER_CAPTION_MAX);
	offer.alt = bytes_of(text, OFFER_ALT_MAX);
	offer.thumbnail = bytes_of(room, OFFER_THUMBNAIL_MAX);
	buf_init(&out, 32768); /* WIRE_SAY_MAX */
	assert_int_equal(offer_encode(&offer, &out), 0);
	buf_clear(&out);
}

static void what_cannot_be_is_refused(void **state)
{
	struct offer offer[9];
	static const int errors[9] = { ERR_LIMIT, ERR_LIMIT, ERR_LIMIT,  ERR_LIMIT, ERR_LIMIT,
				       ERR_LIMIT, ERR_LIMIT, ERR_FORMAT, ERR_FORMAT };
	struct buf out = { 0 };

	(void)state;
	for (size_t i = 0; i < 9; i++)
		offer[i] = i < 5 ? an_image() : a_folder();
	offer[0].name.size = 0;
	offer[1].size = OFFER_SIZE_MAX + 1;
	offer[2].height = 0;
	offer[3].files = 1;
	offer[4].thumbnail = bytes_of(room, OFFER_THUMBNAIL_MAX + 1);
	offer[5].files = OFFER_FILES_MAX + 1;
	offer[6].manifest = 0;
	offer[7].size = 89;
	offer[8].name = bytes_text("\xff");
	for (size_t i = 0; i < 9; i++) {
		assert_int_equal(offer_encode(&offer[i], &out), errors[i]);
		assert_int_equal(out.size, 0);
	}
	buf_clear(&out);
}

static void every_truncation_and_a_trailing_byte_are_refused(void **state)
{
	struct offer offer = an_image(), got;
	struct buf out = { 0 };

	(void)state;
	assert_int_equal(offer_encode(&offer, &out), 0);
	for (size_t size = 0; size < out.size; size++)
		assert_true(offer_decode(&got, bytes_of(out.data, size)) < 0);
	assert_int_equal(got.size, 0);
	buf_append_byte(&out, 0);
	assert_int_equal(offer_decode(&got, buf_view(&out)), ERR_FORMAT);
	buf_clear(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_offer_comes_back),
		cmocka_unit_test(the_longest_offer_fits_into_a_message),
		cmocka_unit_test(what_cannot_be_is_refused),
		cmocka_unit_test(every_truncation_and_a_trailing_byte_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
