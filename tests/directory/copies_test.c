#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "directory/copies.h"
#include "directory/keystore.h"
#include "directory/registry.h"
#include "directory/secrets.h"
#include "directory/server.h"
#include "shared/error.h"

static char root[64], data[96], backup[96], target[96], reason[8192];
static struct copies_report report;

static void run(const char *format, const char *path)
{
	char command[256];

#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(command, sizeof command, format, path);
	assert_int_equal(system(command), 0);
}

static void write_text(const char *folder, const char *name, const char *text)
{
	char path[256];
	int fd;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static bool has(const char *folder, const char *name)
{
	char path[256];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	return access(path, F_OK) == 0;
}

/* Everything in a folder, names and contents, as one hash. */
static void look(const char *folder, uint8_t hash[32])
{
	char command[256], line[4096];
	crypto_generichash_state state;
	FILE *f;

	snprintf(command, sizeof command,
		 "cd %s && find . | sort && find . -type f | sort | xargs cat", folder);
	f = popen(command, "r");
	crypto_generichash_init(&state, NULL, 0, 32);
	for (size_t got; (got = fread(line, 1, sizeof line, f)) > 0;)
		crypto_generichash_update(&state, (uint8_t *)line, got);
	pclose(f);
	crypto_generichash_final(&state, hash, 32);
}

static void add_account(struct registry *r, const char *name)
{
	struct registry_new account = { .name = { "" } };
	struct registry_answer a;

	snprintf(account.name.text, sizeof account.name.text, "%s", name);
	opaque_server_fake_record(account.record);
	r->create(r, 1, &account, 0);
	assert_true(r->next(r, &a));
	assert_int_equal(a.err, 0);
}

static struct holder *holder_of(const char *folder)
{
	struct holder *h;

	assert_int_equal(holder_local_open(&h, folder, reason, sizeof reason), 0);
	return h;
}

static int begin(void **state)
{
	struct registry *r;
	struct holder *h;

	(void)state;
	snprintf(root, sizeof root, "/tmp/palique-copies-XXXXXX");
	if (!mkdtemp(root))
		return -1;
	snprintf(data, sizeof data, "%s/data", root);
	snprintf(backup, sizeof backup, "%s/backup", root);
	snprintf(target, sizeof target, "%s/target", root);
	assert_int_equal(server_init_ksf(data, KSF_ARGON2ID_64M, reason, sizeof reason), 0);
	write_text(data, "directory.conf", "name = dir.example.org\n");
	assert_int_equal(registry_sqlite_open(&r, data, true, reason, sizeof reason), 0);
	add_account(r, "ana");
	add_account(r, "bob");
	h = holder_of(data);
	assert_int_equal(r->bind_holder(r, h->public_key(h)), 0);
	h->close(h);
	r->close(r);
	return 0;
}

static int end(void **state)
{
	(void)state;
	run("rm -rf %s", root);
	return 0;
}

static int make_backup(void)
{
	return copies_backup(&report, data, backup, reason, sizeof reason);
}

static int restore(bool is_rehearsal, struct holder *holder)
{
	return copies_restore(&report, target, backup, holder, is_rehearsal, reason,
			      sizeof reason);
}

static void a_directory_comes_back_as_it_was(void **state)
{
	struct keystore *before, *after;
	struct registry *r;
	struct stat st;

	(void)state;
	assert_int_equal(make_backup(), 0);
	assert_int_equal(report.accounts, 2);
	assert_true(report.has_config);
	assert_int_equal(restore(false, NULL), 0);
	assert_int_equal(report.accounts, 2);
	assert_true(has(target, "directory.conf"));
	assert_int_equal(registry_sqlite_open(&r, target, true, reason, sizeof reason), 0);
	assert_int_equal(r->count(r), 2);
	r->close(r);
	assert_int_equal(keystore_open(&before, data, reason, sizeof reason), 0);
	assert_int_equal(keystore_open(&after, target, reason, sizeof reason), 0);
	assert_memory_equal(before, after, sizeof *before);
	keystore_close(before);
	keystore_close(after);
	run("test $(ls -A %s | wc -l) = 3", target); /* nothing of the work is left */
	assert_int_equal(stat(target, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
}

static void a_backup_is_made_while_it_is_written_to(void **state)
{
	struct registry *r;

	(void)state;
	assert_int_equal(registry_sqlite_open(&r, data, true, reason, sizeof reason), 0);
	add_account(r, "cleo");
	assert_int_equal(make_backup(), 0);
	add_account(r, "dora");
	r->close(r);
	assert_int_equal(report.accounts, 3);
	assert_int_equal(restore(true, NULL), 0);
	assert_int_equal(report.accounts, 3);
}

static void a_backup_has_nothing_of_the_key_holder(void **state)
{
	struct opaque_server *secrets;
	char folder[PATH_MAX], path[128];
	uint8_t all[200000];
	size_t size = 0;

	(void)state;
	assert_int_equal(make_backup(), 0);
	assert_false(has(backup, "keyholder"));
	secrets_folder(folder, data);
	assert_int_equal(secrets_open(&secrets, folder, reason, sizeof reason), 0);
	for (int i = 0; i < 2; i++) {
		FILE *f;

		snprintf(path, sizeof path, "%s/%s", backup, i ? "keys" : "accounts.db");
		f = fopen(path, "r");
		size = fread(all, 1, sizeof all, f);
		fclose(f);
		assert_null(memmem(all, size, secrets->oprf_seed, 16));
		assert_null(memmem(all, size, secrets->secret, 16));
	}
	secrets_close(secrets);
}

static void a_backup_goes_to_an_empty_folder_only(void **state)
{
	uint8_t before[32], after[32];

	(void)state;
	assert_int_equal(make_backup(), 0);
	look(backup, before);
	assert_int_equal(make_backup(), ERR_EXISTS);
	look(backup, after);
	assert_memory_equal(before, after, 32);
	run("rm -rf %s", backup);
	assert_int_equal(mkdir(backup, 0700), 0);
	assert_int_equal(make_backup(), 0);
}

static void what_is_no_directory_leaves_no_backup(void **state)
{
	(void)state;
	assert_int_equal(copies_backup(&report, root, backup, reason, sizeof reason),
			 ERR_NOT_FOUND);
	assert_false(has(root, "backup"));
	run("rm %s/keys", data);
	assert_int_equal(make_backup(), ERR_NOT_FOUND);
	assert_false(has(root, "backup"));
}

static void a_rehearsal_changes_nothing(void **state)
{
	uint8_t before[32], after[32];
	struct holder *h = holder_of(data);

	(void)state;
	assert_int_equal(make_backup(), 0);
	look(root, before);
	assert_int_equal(restore(true, NULL), 0);
	assert_int_equal(restore(true, h), 0);
	assert_int_equal(report.accounts, 2);
	look(root, after);
	assert_memory_equal(before, after, 32);
	h->close(h);
}

static void nothing_is_written_over(void **state)
{
	uint8_t before[32], after[32];

	(void)state;
	assert_int_equal(make_backup(), 0);
	look(data, before);
	assert_int_equal(
		copies_restore(&report, data, backup, NULL, false, reason, sizeof reason),
		ERR_EXISTS);
	assert_non_null(strstr(reason, "move it away"));
	assert_int_equal(
		copies_restore(&report, data, backup, NULL, true, reason, sizeof reason),
		ERR_EXISTS);
	look(data, after);
	assert_memory_equal(before, after, 32);
}

static void what_the_operator_prepared_stays(void **state)
{
	char folder[128], text[64] = "";
	FILE *f;

	(void)state;
	assert_int_equal(make_backup(), 0);
	assert_int_equal(mkdir(target, 0700), 0);
	snprintf(folder, sizeof folder, "%s/keyholder", target);
	assert_int_equal(secrets_make(folder, reason, sizeof reason), 0);
	write_text(target, "directory.conf", "name = new.example.org\n");
	assert_int_equal(restore(false, NULL), 0);
	snprintf(folder, sizeof folder, "%s/directory.conf", target);
	f = fopen(folder, "r");
	assert_non_null(fgets(text, sizeof text, f));
	fclose(f);
	assert_string_equal(text, "name = new.example.org\n");
	assert_true(has(target, "keyholder/secrets"));
}

static void another_key_holder_is_noticed(void **state)
{
	struct opaque_server other;
	struct holder *h;

	(void)state;
	assert_int_equal(make_backup(), 0);
	opaque_server_make(&other);
	h = holder_local(&other);
	assert_int_equal(restore(true, h), ERR_AUTH);
	assert_non_null(strstr(reason, "keyholder join"));
	assert_int_equal(restore(false, h), ERR_AUTH);
	assert_false(has(root, "target"));
	h->close(h);
	h = holder_of(data);
	assert_int_equal(restore(false, h), 0);
	h->close(h);
}

/* Each damage, what is said of it, and that nothing is left behind. */
static void what_is_not_whole_is_not_restored(void **state)
{
	static const struct {
		const char *damage;
		int err;
	} cases[] = {
		{ "rm %s/accounts.db", ERR_NOT_FOUND },
		{ "rm %s/keys", ERR_NOT_FOUND },
		{ "rm -r %s", ERR_NOT_FOUND },
		{ "truncate -s 40 %s/keys", ERR_CORRUPT },
		{ "printf x | dd of=%s/keys bs=1 seek=60 conv=notrunc status=none",
		  ERR_CORRUPT },
		{ "truncate -s 0 %s/accounts.db", ERR_CORRUPT },
		{ "truncate -s 20000 %s/accounts.db", ERR_CORRUPT },
		{ "head -c 9000 /dev/zero | dd of=%s/accounts.db bs=1 seek=4096 conv=notrunc "
		  "status=none",
		  ERR_CORRUPT },
		/* what only a look at everything finds: a name that is not as in its index */
		{ "LC_ALL=C sed -i '0,/bob/s//bbb/' %s/accounts.db", ERR_CORRUPT },
		{ "printf 'palique-directory-keys 9\\nx' >%s/keys", ERR_VERSION },
		/* user_version of the file's header: made by a program of the future */
		{ "printf '\\0\\0\\0\\143' | dd of=%s/accounts.db bs=1 seek=60 conv=notrunc "
		  "status=none",
		  ERR_VERSION },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		run("rm -rf %s", backup);
		assert_int_equal(make_backup(), 0);
		run(cases[i].damage, backup);
		reason[0] = 0;
		assert_int_equal(restore(true, NULL), cases[i].err);
		assert_string_not_equal(reason, "");
		assert_int_equal(restore(false, NULL), cases[i].err);
		assert_false(has(root, "target"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define ROW(name) cmocka_unit_test_setup_teardown(name, begin, end)
		ROW(a_directory_comes_back_as_it_was),
		ROW(a_backup_is_made_while_it_is_written_to),
		ROW(a_backup_has_nothing_of_the_key_holder),
		ROW(a_backup_goes_to_an_empty_folder_only),
		ROW(what_is_no_directory_leaves_no_backup),
		ROW(a_rehearsal_changes_nothing),
		ROW(nothing_is_written_over),
		ROW(what_the_operator_prepared_stays),
		ROW(another_key_holder_is_noticed),
		ROW(what_is_not_whole_is_not_restored),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
