#include "peer/import.h"

#include <errno.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "peer/archive.h"
#include "peer/store.h"
#include "peer/store_key.h"
#include "shared/error.h"
#include "shared/file.h"
#include "shared/text.h"

/* The names that lead to the account in place:
 *   store.db.import    being filled and checked; without the next one it counts for nothing
 *   store.key.import   from now on it happens, whatever comes between: the store gets its name,
 *                      then the key its own */
static const char key_name[] = "store.key", staged_key[] = "store.key.import";
static const char store_name[] = "store.db", staged_store[] = "store.db.import";

__attribute__((format(printf, 4, 5))) static int fail(char *reason, size_t size, int err,
						      const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(reason, size, format, args);
	va_end(args);
	return err;
}

static bool exists(const struct home *home, const char *name)
{
	char path[HOME_PATH_MAX];

	return home_path(home, name, path) == 0 && access(path, F_OK) == 0;
}

static int remove_file(const struct home *home, const char *name)
{
	char path[HOME_PATH_MAX];
	int err = home_path(home, name, path);

	if (err == 0 && unlink(path) < 0 && errno != ENOENT)
		err = ERR_IO;
	return err;
}

static int rename_file(const struct home *home, const char *from, const char *to)
{
	char old[HOME_PATH_MAX], new[HOME_PATH_MAX];

	if (home_path(home, from, old) < 0 || home_path(home, to, new) < 0)
		return ERR_LIMIT;
	return file_place(old, new, true);
}

static void remove_staged(const struct home *home)
{
	static const char *const all[] = { "store.db.import", "store.db.import-wal",
					   "store.db.import-shm", "store.key.import.new" };

	for (unsigned i = 0; i < sizeof all / sizeof *all; i++)
		(void)remove_file(home, all[i]);
}

int import_settle(const struct home *home, char *reason, size_t reason_size)
{
	int err = 0;

	if (!exists(home, staged_key)) {
		remove_staged(home);
		return 0;
	}
	if (exists(home, staged_store)) {
		/* A log of the store that was here before is not one of this store. */
		err = remove_file(home, "store.db-wal");
		if (err == 0)
			err = remove_file(home, "store.db-shm");
		if (err == 0)
			err = rename_file(home, staged_store, store_name);
	}
	if (err == 0)
		err = rename_file(home, staged_key, key_name);
	if (err == 0)
		err = store_key_store_is_made(home);
	if (err < 0)
		fail(reason, reason_size, err,
		     _("an import into %s is not finished: %s; it goes on at the next start"),
		     home->folder, strerror(errno));
	return err;
}

/* 1, 0 or an error. */
static int ask(struct store *store, const char *sql)
{
	struct statement *s = db_sql(store_db(store), sql);
	int err = db_step(s);

	if (err == 1)
		err = column_int(s, 0) != 0;
	db_done(s);
	return err;
}

static int has_account(struct store *store)
{
	return ask(store,
		   "SELECT EXISTS (SELECT 1 FROM account WHERE identity_secret NOT NULL)");
}

static int has_history(struct store *store)
{
	return ask(store, "SELECT EXISTS (SELECT 1 FROM message)");
}

/* Nothing of anybody may be lost: only a store that is seen to be empty is replaced. */
static int look_into(const struct home *home, char *reason, size_t size)
{
	struct symmetric_key key = { 0 };
	struct store *store = NULL;
	char path[HOME_PATH_MAX], why[512] = "";
	int found = 0, err = home_path(home, store_name, path);

	if (err == 0)
		err = store_key_open(home, bytes_of(NULL, 0), &key, why, sizeof why);
	if (err == 0)
		err = store_open(&store, path, &key, true, why, sizeof why);
	sodium_memzero(&key, sizeof key);
	if (err < 0)
		return fail(reason, size, ERR_EXISTS,
			    _("this home has a store that cannot be looked into (%s); import "
			      "into another: palique --home OTHER-FOLDER restore FILE"),
			    why[0] ? why : error_text(err));
	found = has_account(store);
	if (found == 0)
		found = has_history(store);
	store_close(store);
	if (found < 0)
		return fail(reason, size, found, _("%s cannot be used: %s"), path,
			    error_text(found));
	if (found)
		return fail(reason, size, ERR_EXISTS, "%s",
			    _("this home has an account or a history already; import into "
			      "another: palique --home OTHER-FOLDER restore FILE"));
	return 0;
}

/* Where the store itself is gone its key is kept: somebody may find the store again. */
static int make_room(const struct home *home, char *reason, size_t size)
{
	if (exists(home, store_name))
		return look_into(home, reason, size);
	if (!exists(home, key_name) || !exists(home, "store.made"))
		return 0;
	char from[HOME_PATH_MAX], to[HOME_PATH_MAX];
	if (home_path(home, key_name, from) < 0 || home_path(home, "store.key.old", to) < 0 ||
	    (link(from, to) < 0 && errno != EEXIST))
		return fail(reason, size, ERR_IO, _("cannot write in %s: %s"), home->folder,
			    strerror(errno));
	return 0;
}

static bool is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Files that are on their way go where files go here, unless the folder that they were to go to is on this
 * machine, too; so do those to come. */
static int place_files(struct store *store, const struct home *home)
{
	struct db *db = store_db(store);
	char chosen[HOME_PATH_MAX] = "", usual[HOME_PATH_MAX], gone[HOME_PATH_MAX];
	struct statement *s;
	int err = home_downloads(home, usual), more = 1;

	if (err < 0)
		return err;
	store_write(store);
	s = db_sql(db, "SELECT value FROM setting WHERE name = 'downloads'");
	if (db_step(s) == 1)
		snprintf(chosen, sizeof chosen, "%s", column_text(s, 0));
	db_done(s);
	if (chosen[0] && !is_folder(chosen)) {
		chosen[0] = '\0';
		store_run(store, db_sql(db, "DELETE FROM setting WHERE name = 'downloads'"));
	}
	for (gone[0] = '\0'; more == 1;) {
		s = db_sql(db, "SELECT folder FROM file WHERE state < 7 AND folder > ?"
			       " ORDER BY folder LIMIT 1");
		bind_text(s, 1, gone);
		more = db_step(s);
		if (more == 1)
			more = snprintf(gone, sizeof gone, "%s", column_text(s, 0)) <
			       (int)sizeof gone;
		db_done(s);
		if (more != 1 || is_folder(gone))
			continue;
		s = db_sql(db, "UPDATE file SET folder = ? WHERE state < 7 AND folder = ?");
		bind_text(s, 1, chosen[0] ? chosen : usual);
		bind_text(s, 2, gone);
		store_run(store, s);
	}
	return store_commit(store);
}

/* It opens with its key, this program knows its form, and there is an account in it. */
static int check(const struct home *home, const struct symmetric_key *key, char *reason,
		 size_t size)
{
	struct store *store = NULL;
	char path[HOME_PATH_MAX], why[512] = "";
	int found, err = home_path(home, staged_store, path);

	if (err == 0)
		err = store_open(&store, path, key, true, why, sizeof why);
	if (err == ERR_VERSION || err == ERR_FULL)
		return fail(reason, size, err, "%s", _(archive_why_not_read(err)));
	if (err < 0)
		return fail(reason, size, err,
			    _("the file holds no store that can be used: %s"),
			    why[0] ? why : error_text(err));
	found = has_account(store);
	if (found > 0)
		err = place_files(store, home);
	store_close(store);
	if (err < 0)
		return fail(reason, size, err, "%s", _(archive_why_not_read(err)));
	if (found <= 0)
		return fail(reason, size, found < 0 ? found : ERR_NOT_FOUND, "%s",
			    _("there is no account in the file; nothing was changed"));
	return 0;
}

int import_account(const struct home *home, const char *file, struct bytes passphrase,
		   char *reason, size_t reason_size)
{
	struct symmetric_key key = { 0 };
	char path[HOME_PATH_MAX];
	int lock = home_lock(home, 0), err = lock < 0 ? lock : 0;

	if (err < 0)
		return fail(reason, reason_size, err,
			    _("an engine runs in %s; type: palique stop"), home->folder);
	err = import_settle(home, reason, reason_size);
	if (err == 0)
		err = make_room(home, reason, reason_size);
	if (err < 0)
		goto out;
	err = home_path(home, staged_store, path);
	if (err == 0)
		err = archive_read(file, passphrase, path, &key);
	if (err < 0) {
		fail(reason, reason_size, err, "%s", _(archive_why_not_read(err)));
		goto out;
	}
	err = check(home, &key, reason, reason_size);
	if (err < 0)
		goto out;
	err = store_key_write(home, staged_key, &key);
	if (err < 0)
		fail(reason, reason_size, err, "%s", _(archive_why_not_read(err)));
	else
		err = import_settle(home, reason, reason_size);
out:
	sodium_memzero(&key, sizeof key);
	if (err < 0 && !exists(home, staged_key))
		remove_staged(home);
	close(lock);
	return err;
}
