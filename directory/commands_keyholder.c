#include "directory/commands_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "directory/desk.h"
#include "directory/keyholder_process.h"
#include "directory/keystore.h"
#include "directory/secrets.h"
#include "directory/share_file.h"
#include "shared/error.h"
#include "shared/file.h"
#include "shared/log.h"
#include "shared/text.h"

enum { REASON_SIZE = 2 * PATH_MAX };

/* The folder of the secrets: given, or in the data folder. */
static void folder_of(char folder[PATH_MAX], const struct options *o)
{
	secrets_folder(folder, o->data);
	if (o->secrets)
		snprintf(folder, PATH_MAX, "%s", o->secrets);
}

static int report(const struct options *o, const char *folder)
{
	struct json *j;

	if (o->given & OPTION_JSON) {
		j = json_set_text(json_object(), "secrets", folder);
		desk_print(j);
		json_free(j);
	} else {
		printf("%s\n", folder);
	}
	return EXIT_OK;
}

/* --- serve --- */

static int find_users(struct keyholder_process *p, const struct options *o, char *reason,
		      size_t reason_size)
{
	for (unsigned i = 0; i < o->allow_count; i++) {
		struct passwd *user = getpwnam(o->allow[i]);

		if (!user) {
			snprintf(reason, reason_size, _("There is no user %s on this machine."),
				 o->allow[i]);
			return ERR_NOT_FOUND;
		}
		p->allowed[p->allowed_count++] = user->pw_uid;
	}
	return 0;
}

_Static_assert((int)OPTIONS_ALLOW_MAX <= (int)KEYHOLDER_ALLOWED_MAX, "all that can be given");

static int serve(const struct options *o)
{
	char folder[PATH_MAX], reason[REASON_SIZE] = "";
	struct keyholder_process p = {
		.folder = folder,
		.line = o->line,
		.socket = o->socket,
		.user = o->keyholder_user,
	};
	int err;

	if (o->line < 0 && !o->socket)
		return desk_fail_usage(
			o, ERR_FORMAT,
			_("keyholder serve needs --socket PATH, as "
			  "/run/palique-keyholder/socket; name it in directory.conf too: "
			  "keyholder = PATH"));
	log_init(LOG_NOTICE, o->given & OPTION_JSON);
	folder_of(folder, o);
	err = find_users(&p, o, reason, sizeof reason);
	if (!err)
		err = keyholder_process_run(&p, reason, sizeof reason);
	return err < 0 ? desk_fail_told(o, err, reason) : EXIT_OK;
}

/* --- move --- */

/* Out of the data folder into a folder of their own: first there, then no longer here. */
static int move(const struct options *o)
{
	char from[PATH_MAX], path[PATH_MAX + 16], reason[REASON_SIZE] = "";
	struct opaque_server *secrets;
	int err;

	if (!o->secrets)
		return desk_fail_usage(o, ERR_FORMAT,
				       _("keyholder move needs --secrets DIR: where to."));
	secrets_folder(from, o->data);
	err = keystore_split(o->data, from, reason, sizeof reason);
	if (!err)
		err = secrets_open(&secrets, from, reason, sizeof reason);
	if (err < 0)
		return desk_fail_told(o, err, reason);
	err = secrets_write(o->secrets, secrets, reason, sizeof reason);
	secrets_close(secrets);
	if (err < 0)
		return desk_fail_told(o, err, reason);
	snprintf(path, sizeof path, "%s/secrets", from);
	if (unlink(path) < 0 || rmdir(from) < 0) {
		snprintf(reason, sizeof reason,
			 _("They are in %s now, but %s cannot be removed: %s. Remove it."),
			 o->secrets, from, strerror(errno));
		return desk_fail_told(o, ERR_IO, reason);
	}
	if (!(o->given & OPTION_JSON))
		fprintf(stderr,
			_("The secrets lie apart now. Serve them:\n"
			  "  palique-directory keyholder serve --secrets %s --socket PATH "
			  "--allow-user USER\n"
			  "and name the socket in %s/directory.conf: keyholder = PATH\n"),
			o->secrets, o->data);
	return report(o, o->secrets);
}

/* --- split and join --- */

static int write_share(const char *path, const struct share_file *f, char *reason,
		       size_t reason_size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600), err;
	struct buf text = { 0 };

	if (fd < 0) {
		err = file_error();
		snprintf(reason, reason_size, _("%s cannot be made: %s."), path,
			 strerror(errno));
		return err;
	}
	share_file_print(&text, f);
	err = file_write(fd, buf_view(&text));
	if (!err && fsync(fd) < 0)
		err = file_error();
	if (err < 0)
		snprintf(reason, reason_size, _("%s cannot be written: %s."), path,
			 strerror(errno));
	close(fd);
	buf_clear(&text);
	if (err < 0)
		unlink(path);
	else
		file_sync_folder(path);
	return err;
}

static int split(const struct options *o)
{
	char folder[PATH_MAX], reason[REASON_SIZE] = "";
	struct share_file files[SHARES_COUNT];
	struct opaque_server *secrets;
	int err = 0, done;

	if (o->word_count != 1 + SHARES_COUNT)
		return desk_fail_usage(o, ERR_FORMAT, _("keyholder split needs three files."));
	folder_of(folder, o);
	if (!o->secrets)
		err = keystore_split(o->data, folder, reason, sizeof reason);
	if (!err)
		err = secrets_open(&secrets, folder, reason, sizeof reason);
	if (err < 0)
		return desk_fail_told(o, err, reason);
	share_files_split(files, secrets);
	secrets_close(secrets);
	for (done = 0; !err && done < SHARES_COUNT; done++)
		err = write_share(o->words[1 + done], &files[done], reason, sizeof reason);
	sodium_memzero(files, sizeof files);
	if (err < 0) {
		/* all three or none; the one that failed is not ours */
		for (int i = 0; i < done - 1; i++)
			unlink(o->words[1 + i]);
		return desk_fail_told(o, err, reason);
	}
	if (!(o->given & OPTION_JSON))
		fprintf(stderr,
			_("Any two of these files bring the secrets back, one alone says "
			  "nothing. Keep them in three places, none beside a backup of "
			  "the accounts, and remove them here.\n"));
	return report(o, folder);
}

static int read_share(struct share_file *f, const char *path, char *reason, size_t reason_size)
{
	uint8_t text[SHARE_FILE_MAX + 1];
	int fd = open(path, O_RDONLY | O_CLOEXEC), err;
	ssize_t size = 0, got;

	if (fd < 0) {
		err = errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
		snprintf(reason, reason_size, _("%s cannot be read: %s."), path,
			 strerror(errno));
		return err;
	}
	while ((got = read(fd, text + size, sizeof text - (size_t)size)) > 0)
		size += got;
	close(fd);
	err = got < 0 ? ERR_IO : share_file_parse(f, bytes_of(text, (size_t)size));
	sodium_memzero(text, sizeof text);
	if (err == ERR_VERSION)
		snprintf(reason, reason_size, _("%s was made by a newer version."), path);
	else if (err < 0)
		snprintf(reason, reason_size,
			 _("%s is not a share, or damaged. Take another one: two of the three "
			   "are enough."),
			 path);
	return err;
}

static const char *join_trouble(int err)
{
	if (err == ERR_STATE)
		return _("These two files are of two different splits. Take two that were made "
			 "together.");
	if (err == ERR_FORMAT)
		return _("These two files have the same share. Take two different ones.");
	return _("These two files do not fit each other: one is damaged. Take another one: two "
		 "of the three are enough.");
}

static int join(const struct options *o)
{
	char folder[PATH_MAX], reason[REASON_SIZE] = "";
	struct opaque_server *secrets = sodium_malloc(sizeof *secrets);
	struct share_file files[2];
	int err;

	if (!secrets)
		abort();
	folder_of(folder, o);
	err = read_share(&files[0], o->words[1], reason, sizeof reason);
	if (!err)
		err = read_share(&files[1], o->words[2], reason, sizeof reason);
	if (!err) {
		err = share_files_join(secrets, &files[0], &files[1]);
		if (err < 0)
			snprintf(reason, sizeof reason, "%s", join_trouble(err));
	}
	if (!err)
		err = secrets_write(folder, secrets, reason, sizeof reason);
	sodium_memzero(files, sizeof files);
	sodium_free(secrets);
	if (err < 0)
		return desk_fail_told(o, err, reason);
	if (!(o->given & OPTION_JSON))
		fprintf(stderr, _("The key-holder's secrets are back. The passwords of before "
				  "hold again.\n"));
	return report(o, folder);
}

/* --- the table --- */

static const struct {
	const char *name;
	int words;
	unsigned options;
	int (*run)(const struct options *o);
} rows[] = {
	{ "serve", 1,
	  OPTION_SECRETS | OPTION_SOCKET | OPTION_ALLOW_USER | OPTION_KEYHOLDER_USER |
		  OPTION_LINE,
	  serve },
	{ "move", 1, OPTION_SECRETS, move },
	{ "split", 4, OPTION_SECRETS, split },
	{ "join", 3, OPTION_SECRETS, join },
};

int command_keyholder(const struct options *o)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (strcmp(rows[i].name, o->words[0]) != 0)
			continue;
		if (o->word_count != rows[i].words ||
		    o->given & ~(rows[i].options | OPTIONS_ALWAYS))
			break;
		return rows[i].run(o);
	}
	return desk_fail_usage(
		o, ERR_FORMAT,
		_("keyholder takes: serve --socket PATH | move --secrets DIR | split FILE FILE "
		  "FILE | join FILE FILE. See: palique-directory help keyholder"));
}
