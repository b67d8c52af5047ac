#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "directory/holder.h"
#include "directory/secrets.h"
#include "directory/share_file.h"
#include "shared/error.h"

static struct opaque_server secrets, joined;
static struct share_file files[SHARES_COUNT];

static int begin(void **state)
{
	(void)state;
	opaque_server_make(&secrets);
	share_files_split(files, &secrets);
	memset(&joined, 7, sizeof joined);
	return 0;
}

static void any_two_files_give_the_secrets(void **state)
{
	(void)state;
	for (int i = 0; i < SHARES_COUNT; i++)
		for (int j = 0; j < SHARES_COUNT; j++) {
			if (i == j)
				continue;
			memset(&joined, 0, sizeof joined);
			assert_int_equal(share_files_join(&joined, &files[i], &files[j]), 0);
			assert_memory_equal(&joined, &secrets, sizeof secrets);
		}
}

static void nothing_was_joined(void)
{
	for (size_t i = 0; i < sizeof joined; i++)
		assert_int_equal(((uint8_t *)&joined)[i], 7);
}

static void files_that_do_not_fit_are_refused(void **state)
{
	struct share_file others[SHARES_COUNT], bad = files[0];

	(void)state;
	share_files_split(others, &secrets);
	assert_int_equal(share_files_join(&joined, &files[0], &others[1]), ERR_STATE);
	assert_int_equal(share_files_join(&joined, &files[1], &files[1]), ERR_FORMAT);
	bad.share.bytes[3] ^= 1;
	assert_int_equal(share_files_join(&joined, &bad, &files[1]), ERR_AUTH);
	bad = files[0];
	bad.share.number = 3;
	assert_int_equal(share_files_join(&joined, &bad, &files[1]), ERR_AUTH);
	bad = files[0];
	struct share_file worse = files[1];
	bad.sealed[50] ^= 1;
	worse.sealed[50] ^= 1;
	assert_int_equal(share_files_join(&joined, &bad, &worse), ERR_AUTH);
	nothing_was_joined();
}

static void a_file_says_nothing_of_the_secrets(void **state)
{
	struct buf text = { 0 };
	char seed[BYTES_BASE64_SIZE(64)];

	(void)state;
	share_file_print(&text, &files[0]);
	for (int shift = 0; shift < 3; shift++) {
		bytes_to_base64(bytes_of(secrets.oprf_seed + shift, 64 - 3), seed);
		assert_null(memmem(text.data, text.size, seed, 16));
	}
	assert_null(memmem(files[0].sealed, SHARE_SEALED_SIZE, secrets.oprf_seed, 8));
	buf_clear(&text);
}

static int parse(struct share_file *f, const char *text)
{
	return share_file_parse(f, bytes_text(text));
}

static void a_file_is_read_as_it_was_written(void **state)
{
	struct share_file read;
	struct buf text = { 0 }, typed = { 0 };

	(void)state;
	share_file_print(&text, &files[2]);
	assert_int_equal(share_file_parse(&read, buf_view(&text)), 0);
	assert_memory_equal(&read, &files[2], sizeof read);
	/* and as it comes back from another system */
	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] == '\n')
			buf_append(&typed, bytes_text(" \r"));
		buf_append_byte(&typed, text.data[i]);
	}
	buf_append(&typed, bytes_text("\n\n"));
	assert_int_equal(share_file_parse(&read, buf_view(&typed)), 0);
	assert_memory_equal(&read, &files[2], sizeof read);
	buf_clear(&text);
	buf_clear(&typed);
}

static void what_is_no_share_is_refused(void **state)
{
	static const char *const wrong[] = {
		"",
		"hello\n",
		"palique-keyholder-share 1\n",
		"palique-keyholder-share 1\nnumber 4\n",
		"palique-keyholder-share 1\nnumber 12\n",
		"palique-keyholder-share 1\nnumber 1\nnumber 1\n",
		"palique-keyholder-share 1\nnumber 1\nshare AAAA\n",
		"palique-keyholder-share 1\ncolour blue\n",
	};
	struct share_file read, before;
	struct buf text = { 0 };

	(void)state;
	memset(&read, 7, sizeof read);
	before = read;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		assert_int_equal(parse(&read, wrong[i]), ERR_FORMAT);
	assert_int_equal(parse(&read, "palique-keyholder-share 2\n"), ERR_VERSION);
	share_file_print(&text, &files[0]);
	for (size_t cut = 1; cut < text.size - 1; cut++)
		assert_true(share_file_parse(&read, bytes_of(text.data, cut)) < 0);
	while (text.size <= SHARE_FILE_MAX)
		buf_append_byte(&text, '\n');
	assert_int_equal(share_file_parse(&read, buf_view(&text)), ERR_LIMIT);
	assert_memory_equal(&read, &before, sizeof read);
	buf_clear(&text);
}

/* --- what it is for --- */

/* What the key-holder adds to one exchange; the directory's part is none of its business. */
static void evaluate(const struct opaque_server *with, const uint8_t request[32],
		     const uint8_t *keyshare, struct holder_answer *a)
{
	struct holder *h = holder_local(with);
	struct name name = { "ana" };

	h->ask(h, 1, &name, request, keyshare);
	assert_true(h->next(h, a));
	assert_int_equal(a->err, 0);
	h->close(h);
}

static void join_with_password(const struct opaque_server *with, const char *password,
			       uint8_t record[OPAQUE_RECORD_SIZE])
{
	uint8_t request[OPAQUE_REQUEST_SIZE], response[OPAQUE_RESPONSE_SIZE];
	uint8_t oprf[OPAQUE_OPRF_SIZE], export_key[OPAQUE_EXPORT_KEY_SIZE];
	struct opaque_names names = { { 0 }, { 0 } };
	struct opaque_client_random random;
	struct opaque_client client;
	struct holder_answer a;

	opaque_client_random(&random);
	assert_int_equal(opaque_register_start(&client, bytes_text(password), &random, request),
			 0);
	evaluate(with, request, NULL, &a);
	opaque_server_register(with->public, &a.held, response);
	assert_int_equal(opaque_register_evaluate(&client, response, oprf), 0);
	/* stretching adds nothing to what is tested */
	assert_int_equal(opaque_register_finish(&client, oprf, names, record, export_key), 0);
}

static int log_in(const struct opaque_server *with, const char *password,
		  const uint8_t record[OPAQUE_RECORD_SIZE])
{
	uint8_t ke1[OPAQUE_KE1_SIZE], ke2[OPAQUE_KE2_SIZE], ke3[OPAQUE_KE3_SIZE];
	uint8_t oprf[OPAQUE_OPRF_SIZE], session[64], other[64], export_key[64];
	struct opaque_names names = { { 0 }, { 0 } };
	struct opaque_server_random server_random;
	struct opaque_client_random random;
	struct opaque_pending pending;
	struct opaque_client client;
	struct holder_answer a;
	int err;

	opaque_client_random(&random);
	opaque_server_random(&server_random);
	assert_int_equal(opaque_login_start(&client, bytes_text(password), &random, ke1), 0);
	evaluate(with, opaque_ke1_blinded(ke1), opaque_ke1_keyshare(ke1), &a);
	assert_int_equal(opaque_server_respond(with->public, &a.held, record, names,
					       bytes_text("x"), &server_random, ke1, ke2,
					       &pending),
			 0);
	err = opaque_login_evaluate(&client, ke2, oprf);
	if (!err)
		err = opaque_login_finish(&client, oprf, names, bytes_text("x"), ke3, session,
					  export_key);
	return err ? err : opaque_server_finish(&pending, ke3, other);
}

static void passwords_hold_again_when_lost_secrets_are_joined(void **state)
{
	char folder[64] = "/tmp/palique-shares-XXXXXX", apart[80], path[96], reason[512];
	struct share_file on_paper[SHARES_COUNT];
	uint8_t record[OPAQUE_RECORD_SIZE];
	struct opaque_server *there, other;
	struct buf text = { 0 };

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(apart, sizeof apart, "%s/keyholder", folder);
	snprintf(path, sizeof path, "%s/secrets", apart);
	assert_int_equal(secrets_make(apart, reason, sizeof reason), 0);
	assert_int_equal(secrets_open(&there, apart, reason, sizeof reason), 0);
	join_with_password(there, "old password", record);
	assert_int_equal(log_in(there, "old password", record), 0);
	share_files_split(files, there);
	for (int i = 0; i < SHARES_COUNT; i++) {
		text.size = 0;
		share_file_print(&text, &files[i]);
		assert_int_equal(share_file_parse(&on_paper[i], buf_view(&text)), 0);
	}
	buf_clear(&text);
	/* the disk is lost; fresh secrets do not do */
	secrets_close(there);
	unlink(path);
	opaque_server_make(&other);
	assert_int_equal(log_in(&other, "old password", record), ERR_AUTH);
	assert_int_equal(share_files_join(&other, &on_paper[2], &on_paper[0]), 0);
	assert_int_equal(secrets_write(apart, &other, reason, sizeof reason), 0);
	assert_int_equal(secrets_open(&there, apart, reason, sizeof reason), 0);
	assert_int_equal(log_in(there, "old password", record), 0);
	assert_int_equal(log_in(there, "another password", record), ERR_AUTH);
	secrets_close(there);
	unlink(path);
	rmdir(apart);
	rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define ROW(name) cmocka_unit_test_setup(name, begin)
		ROW(any_two_files_give_the_secrets),
		ROW(files_that_do_not_fit_are_refused),
		ROW(a_file_says_nothing_of_the_secrets),
		ROW(a_file_is_read_as_it_was_written),
		ROW(what_is_no_share_is_refused),
		ROW(passwords_hold_again_when_lost_secrets_are_joined),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
