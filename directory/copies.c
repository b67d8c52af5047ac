#include "directory/copies.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "directory/keystore.h"
#include "directory/registry.h"
#include "shared/error.h"
#include "shared/file.h"
#include "shared/text.h"

/* What is copied, in the order in which it comes to its place: with the key the directory is
 * there. The rest is what SQLite may leave beside its file. */
static const char *const files[] = { "directory.conf", "accounts.db", "keys" };
static const char *const leavings[] = { "accounts.db-wal", "accounts.db-shm",
					"accounts.db-journal", "keys.new" };
enum {
	FILES = sizeof files / sizeof files[0],
	LEAVINGS = sizeof leavings / sizeof leavings[0]
};

/* A failure (file_error() or the like), in a sentence with what to do. */
static int trouble(int err, const char *path, char *reason, size_t reason_size)
{
	if (err == ERR_FULL)
		snprintf(
			reason, reason_size,
			_("No room left for %s. Make some and try again; nothing was changed."),
			path);
	else
		snprintf(reason, reason_size, _("%s cannot be read or written: %s."), path,
			 errno ? strerror(errno) : error_text(err));
	return err == ERR_FULL ? ERR_FULL : ERR_IO;
}

/* --- files --- */

static int copy_bytes(int to, int from)
{
	uint8_t piece[65536];
	ssize_t got;
	int err = 0;

	while (!err && (got = read(from, piece, sizeof piece)) != 0)
		err = got < 0 ? file_error() : file_write(to, bytes_of(piece, (size_t)got));
	if (!err && fsync(to) < 0)
		err = file_error();
	explicit_bzero(piece, sizeof piece);
	return err;
}

/* ERR_NOT_FOUND: there is none to copy. By root for whom the folder belongs to. */
static int copy_file(const char *to_folder, const char *from_folder, const char *name,
		     char *reason, size_t reason_size)
{
	char to_path[PATH_MAX + 32], from_path[PATH_MAX + 32];
	int from, to, err = 0;
	struct stat st;

	snprintf(from_path, sizeof from_path, "%s/%s", from_folder, name);
	snprintf(to_path, sizeof to_path, "%s/%s", to_folder, name);
	from = open(from_path, O_RDONLY | O_CLOEXEC);
	if (from < 0)
		return errno == ENOENT ? ERR_NOT_FOUND
				       : trouble(file_error(), from_path, reason, reason_size);
	to = open(to_path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	err = to < 0 ? file_error() : copy_bytes(to, from);
	if (!err && geteuid() == 0 && stat(to_folder, &st) == 0 &&
	    fchown(to, st.st_uid, st.st_gid) < 0)
		err = file_error();
	if (err < 0)
		err = trouble(err, to_path, reason, reason_size);
	if (to >= 0)
		close(to);
	close(from);
	if (err < 0 && to >= 0)
		unlink(to_path);
	return err;
}

static void remove_file(const char *folder, const char *name)
{
	char path[PATH_MAX + 32];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	unlink(path);
}

/* What we put into it ourselves. */
static void empty_folder(const char *folder)
{
	for (int i = 0; i < FILES; i++)
		remove_file(folder, files[i]);
	for (int i = 0; i < LEAVINGS; i++)
		remove_file(folder, leavings[i]);
}

static bool is_one_of(const char *name, const char *const *allowed)
{
	for (; *allowed; allowed++)
		if (strcmp(name, *allowed) == 0)
			return true;
	return false;
}

/* Whether nothing is in the folder but these. ERR_NOT_FOUND: there is no such folder;
 * ERR_EXISTS: `found` is the first other thing. */
static int check_empty(const char *folder, const char *const *allowed, char found[NAME_MAX * 8])
{
	DIR *d = opendir(folder);
	struct dirent *e;
	int err = 0;

	if (!d)
		return errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
	while (!err && (e = readdir(d))) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
		    is_one_of(e->d_name, allowed))
			continue;
		snprintf(found, NAME_MAX * 8, "%s", e->d_name);
		err = ERR_EXISTS;
	}
	closedir(d);
	return err;
}

/* What happened to names in it is on disk. */
static void sync_folder(const char *folder)
{
	char path[PATH_MAX + 32];

	snprintf(path, sizeof path, "%s/.", folder);
	file_sync_folder(path);
}

/* --- backup --- */

static int make_empty(const char *folder, bool *is_made, char *reason, size_t reason_size)
{
	static const char *const nothing[] = { NULL };
	char found[NAME_MAX * 8];
	int err;

	*is_made = mkdir(folder, 0700) == 0;
	if (*is_made)
		return 0;
	if (errno != EEXIST)
		return trouble(file_error(), folder, reason, reason_size);
	err = check_empty(folder, nothing, found);
	if (err == ERR_EXISTS)
		snprintf(reason, reason_size,
			 _("%s is not empty (%s). Name another folder for the backup."), folder,
			 found);
	else if (err < 0)
		snprintf(reason, reason_size, _("%s is no folder that can be read."), folder);
	return err;
}

/* The directory's own key alone: a file of before may have the key-holder's secrets too. */
static int copy_keys(const char *data, const char *folder, char *reason, size_t reason_size)
{
	struct keystore *keys;
	int err = keystore_open(&keys, data, reason, reason_size);

	if (err < 0)
		return err;
	err = keystore_write(folder, keys, reason, reason_size);
	keystore_close(keys);
	return err;
}

static int copy_accounts(struct copies_report *report, const char *data, const char *folder,
			 char *reason, size_t reason_size)
{
	struct registry *registry;
	char path[PATH_MAX + 32];
	int err = registry_sqlite_open(&registry, data, false, reason, reason_size);

	if (err < 0)
		return err;
	snprintf(path, sizeof path, "%s/accounts.db", folder);
	err = registry->backup(registry, path);
	report->accounts = registry->count(registry);
	registry->close(registry);
	if (err == ERR_FULL)
		return trouble(err, path, reason, reason_size);
	if (err < 0)
		snprintf(reason, reason_size, _("The accounts cannot be copied to %s: %s."),
			 path, error_text(err));
	return err;
}

int copies_backup(struct copies_report *report, const char *data, const char *folder,
		  char *reason, size_t reason_size)
{
	bool is_made;
	int err;

	memset(report, 0, sizeof *report);
	snprintf(report->folder, sizeof report->folder, "%s", folder);
	err = make_empty(folder, &is_made, reason, reason_size);
	if (err < 0)
		return err;
	err = copy_accounts(report, data, folder, reason, reason_size);
	if (!err)
		err = copy_keys(data, folder, reason, reason_size);
	if (!err) {
		err = copy_file(folder, data, "directory.conf", reason, reason_size);
		report->has_config = !err;
		if (err == ERR_NOT_FOUND)
			err = 0; /* the defaults hold */
	}
	if (!err)
		sync_folder(folder);
	if (err < 0)
		empty_folder(folder);
	if (err < 0 && is_made)
		rmdir(folder);
	return err;
}

/* --- restore --- */

/* The accounts of a copied folder are whole, and `holder`'s. */
static int check_accounts(struct copies_report *report, const char *stage, const char *folder,
			  struct holder *holder, char *reason, size_t reason_size)
{
	const uint8_t *key = holder ? holder->public_key(holder) : NULL;
	struct registry *registry;
	int err = registry_sqlite_open(&registry, stage, false, reason, reason_size);

	if (err == ERR_VERSION)
		snprintf(reason, reason_size,
			 _("%s/accounts.db was made by a newer version. Install that, and "
			   "restore with it."),
			 folder);
	else if (err == ERR_CORRUPT)
		snprintf(reason, reason_size,
			 _("%s/accounts.db is damaged. Take an older backup; nothing was "
			   "changed."),
			 folder);
	if (err < 0)
		return err;
	err = registry_sqlite_check(registry);
	if (err < 0)
		snprintf(reason, reason_size,
			 _("%s/accounts.db is damaged. Take an older backup; nothing was "
			   "changed."),
			 folder);
	if (!err && key) {
		err = registry->bind_holder(registry, key);
		if (err == ERR_AUTH)
			snprintf(reason, reason_size,
				 _("The accounts in %s were made with another key-holder's "
				   "secrets than those that are here: nobody could log in by "
				   "password. Bring back the right ones: palique-directory "
				   "keyholder join FILE FILE"),
				 folder);
		else if (err < 0)
			snprintf(reason, reason_size, "%s/accounts.db: %s", folder,
				 error_text(err));
	}
	report->accounts = registry->count(registry);
	registry->close(registry);
	return err;
}

static int check_key(const char *stage, char *reason, size_t reason_size)
{
	struct keystore *keys;
	int err = keystore_open(&keys, stage, reason, reason_size);

	if (!err)
		keystore_close(keys);
	return err;
}

/* Copies the backup to `stage` and looks at it there: opening a database may change it. */
static int stage_and_check(struct copies_report *report, const char *stage, const char *folder,
			   struct holder *holder, char *reason, size_t reason_size)
{
	int err = 0;

	for (int i = 0; !err && i < FILES; i++) {
		err = copy_file(stage, folder, files[i], reason, reason_size);
		if (i == 0) {
			report->has_config = !err;
			err = err == ERR_NOT_FOUND ? 0 : err;
		}
		if (err == ERR_NOT_FOUND)
			snprintf(reason, reason_size,
				 _("%s is no whole backup: %s is missing. Name a folder that "
				   "palique-directory backup made."),
				 folder, files[i]);
	}
	if (!err)
		err = check_key(stage, reason, reason_size);
	if (!err)
		err = check_accounts(report, stage, folder, holder, reason, reason_size);
	return err;
}

/* Nothing may be written over. */
static int check_target(const char *data, char *reason, size_t reason_size)
{
	static const char *const allowed[] = { "keyholder", "directory.conf", NULL };
	char found[NAME_MAX * 8];
	int err = check_empty(data, allowed, found);

	if (err == ERR_NOT_FOUND)
		return 0;
	if (err == ERR_EXISTS)
		snprintf(
			reason, reason_size,
			_("%s is not empty (%s), and nothing is written over. Stop what serves "
			  "it and move it away first."),
			data, found);
	else if (err < 0)
		snprintf(reason, reason_size, _("%s is no folder that can be read."), data);
	return err;
}

/* From the stage to its place; the configuration that is there stays. */
static int move_in(const char *data, const char *stage, char *reason, size_t reason_size)
{
	char from[PATH_MAX + 32], to[PATH_MAX + 32];
	bool is_ours[FILES] = { false };
	int err = 0;

	for (int i = 0; !err && i < FILES; i++) {
		snprintf(from, sizeof from, "%s/%s", stage, files[i]);
		snprintf(to, sizeof to, "%s/%s", data, files[i]);
		is_ours[i] = link(from, to) == 0;
		if (!is_ours[i] && (i > 0 || (errno != ENOENT && errno != EEXIST)))
			err = trouble(file_error(), to, reason, reason_size);
	}
	if (!err)
		sync_folder(data);
	for (int i = 0; err < 0 && i < FILES; i++)
		if (is_ours[i])
			remove_file(data, files[i]);
	return err;
}

static int make_stage(char stage[PATH_MAX], const char *data, bool is_rehearsal, char *reason,
		      size_t reason_size)
{
	const char *temporary = getenv("TMPDIR");
	int size;

	if (is_rehearsal)
		size = snprintf(stage, PATH_MAX, "%s/palique-restore-XXXXXX",
				temporary && temporary[0] ? temporary : "/tmp");
	else
		size = snprintf(stage, PATH_MAX, "%s/restore-XXXXXX", data);
	if (size >= PATH_MAX) {
		snprintf(reason, reason_size, _("The path of the data folder is too long."));
		return ERR_LIMIT;
	}
	return mkdtemp(stage) ? 0 : trouble(file_error(), stage, reason, reason_size);
}

int copies_restore(struct copies_report *report, const char *data, const char *folder,
		   struct holder *holder, bool is_rehearsal, char *reason, size_t reason_size)
{
	bool is_made = false;
	char stage[PATH_MAX];
	int err;

	memset(report, 0, sizeof *report);
	snprintf(report->folder, sizeof report->folder, "%s", data);
	err = check_target(data, reason, reason_size);
	if (err < 0)
		return err;
	if (!is_rehearsal) {
		is_made = mkdir(data, 0700) == 0;
		if (!is_made && errno != EEXIST)
			return trouble(file_error(), data, reason, reason_size);
	}
	err = make_stage(stage, data, is_rehearsal, reason, reason_size);
	if (!err) {
		err = stage_and_check(report, stage, folder, holder, reason, reason_size);
		if (!err && !is_rehearsal)
			err = move_in(data, stage, reason, reason_size);
		empty_folder(stage);
		rmdir(stage);
	}
	if (err < 0 && is_made)
		rmdir(data);
	return err;
}
