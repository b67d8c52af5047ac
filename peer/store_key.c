#include "peer/store_key.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/error.h"
#include "shared/file.h"
#include "shared/text.h"

enum {
	MAGIC = 12,
	AT_VERSION = MAGIC,
	AT_KSF,
	AT_SALT,
	SALT = 16,
	AT_NONCE = AT_SALT + SALT,
	AT_SEALED = AT_NONCE + crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
	LOCKED_SIZE = AT_SEALED + 32 + crypto_aead_xchacha20poly1305_ietf_ABYTES,
	PLAIN_SIZE = 64 + 1,
	VERSION = 1,
};

static const uint8_t magic[MAGIC] = "palique-key\n"; /* without a NUL */
static const char key_name[] = "store.key";
static const char store_name[] = "store.db";
static const char made_name[] = "store.made";

struct key_file {
	uint8_t bytes[LOCKED_SIZE + 1]; /* one more, to see what is too long */
	size_t size;
};

__attribute__((format(printf, 4, 5))) static int fail(char *reason, size_t size, int err,
						      const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(reason, size, format, args);
	va_end(args);
	return err;
}

/* --- the two forms ----------------------------------------------------------------- */

static void write_plain(struct key_file *f, const struct symmetric_key *key)
{
	char hex[BYTES_HEX_SIZE(sizeof key->bytes)];

	bytes_to_hex(BYTES(key->bytes), hex);
	hex[PLAIN_SIZE - 1] = '\n';
	memcpy(f->bytes, hex, PLAIN_SIZE);
	f->size = PLAIN_SIZE;
	sodium_memzero(hex, sizeof hex);
}

static int read_plain(struct bytes file, struct symmetric_key *key)
{
	char hex[PLAIN_SIZE];
	int err;

	memcpy(hex, file.data, PLAIN_SIZE);
	err = hex[PLAIN_SIZE - 1] == '\n' ? 0 : ERR_CORRUPT;
	hex[PLAIN_SIZE - 1] = '\0';
	if (err == 0 && bytes_from_hex(hex, key->bytes, sizeof key->bytes) < 0)
		err = ERR_CORRUPT;
	sodium_memzero(hex, sizeof hex);
	return err;
}

static int write_locked(struct key_file *f, const struct symmetric_key *key,
			struct bytes passphrase, enum ksf ksf)
{
	uint8_t stretched[32];
	int err;

	memcpy(f->bytes, magic, MAGIC);
	f->bytes[AT_VERSION] = VERSION;
	f->bytes[AT_KSF] = (uint8_t)ksf;
	randombytes_buf(f->bytes + AT_SALT, AT_SEALED - AT_SALT);
	err = ksf_passphrase(ksf, passphrase, f->bytes + AT_SALT, stretched, sizeof stretched);
	if (err == 0)
		crypto_aead_xchacha20poly1305_ietf_encrypt(
			f->bytes + AT_SEALED, NULL, key->bytes, sizeof key->bytes, f->bytes,
			AT_NONCE, NULL, f->bytes + AT_NONCE, stretched);
	f->size = LOCKED_SIZE;
	sodium_memzero(stretched, sizeof stretched);
	return err;
}

static int read_locked(const uint8_t *file, struct bytes passphrase, struct symmetric_key *key)
{
	uint8_t stretched[32];
	int err = ksf_passphrase((enum ksf)file[AT_KSF], passphrase, file + AT_SALT, stretched,
				 sizeof stretched);

	if (err == 0 &&
	    crypto_aead_xchacha20poly1305_ietf_decrypt(key->bytes, NULL, NULL, file + AT_SEALED,
						       LOCKED_SIZE - AT_SEALED, file, AT_NONCE,
						       file + AT_NONCE, stretched) != 0)
		err = ERR_AUTH;
	sodium_memzero(stretched, sizeof stretched);
	return err;
}

int store_key_parse(struct bytes file, struct bytes passphrase, struct symmetric_key *key,
		    enum store_key_kind *kind)
{
	int err = ERR_CORRUPT;

	*kind = STORE_KEY_NONE;
	memset(key, 0, sizeof *key);
	if (file.size == PLAIN_SIZE) {
		err = read_plain(file, key);
		*kind = err == 0 ? STORE_KEY_PLAIN : STORE_KEY_NONE;
	} else if (file.size > AT_KSF && !memcmp(file.data, magic, MAGIC)) {
		if (file.data[AT_VERSION] != VERSION || !ksf_is_known(file.data[AT_KSF]))
			return ERR_VERSION;
		if (file.size != LOCKED_SIZE)
			return ERR_CORRUPT;
		*kind = STORE_KEY_LOCKED;
		err = passphrase.data ? read_locked(file.data, passphrase, key) : ERR_LOCKED;
	}
	if (err < 0)
		sodium_memzero(key, sizeof *key);
	return err;
}

/* --- the file ---------------------------------------------------------------------- */

/* `old` (-1: none) is the file that was there, still open: it is overwritten once the new one
 * is on disk under its name. */
static int put(const struct home *home, const char *name, const struct key_file *f,
	       bool replace, int old)
{
	static const uint8_t zeros[sizeof f->bytes];
	char path[HOME_PATH_MAX], fresh[HOME_PATH_MAX];
	struct stat st;
	int fd, err;

	if (home_path(home, name, path) < 0 ||
	    snprintf(fresh, sizeof fresh, "%s.new", path) >= (int)sizeof fresh)
		return ERR_LIMIT;
	unlink(fresh);
	fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return file_error();
	err = file_write(fd, bytes_of(f->bytes, f->size));
	if (err == 0 && fsync(fd) < 0)
		err = file_error();
	if (close(fd) < 0 && err == 0)
		err = file_error();
	if (err == 0)
		err = file_place(fresh, path, replace);
	if (err < 0)
		unlink(fresh);
	else if (old >= 0 && fstat(old, &st) == 0 && st.st_size <= (off_t)sizeof zeros &&
		 pwrite(old, zeros, (size_t)st.st_size, 0) == st.st_size)
		(void)fsync(old);
	return err;
}

/* The file as it is; `fd` (may be NULL) stays open for put(). ERR_NOT_FOUND: there is none. */
static int load(const struct home *home, struct key_file *f, int *fd_out, char *reason,
		size_t size)
{
	char path[HOME_PATH_MAX];
	struct stat st;
	int fd, err = 0;
	ssize_t got;

	memset(f, 0, sizeof *f);
	if (home_path(home, key_name, path) < 0)
		return fail(reason, size, ERR_LIMIT, "%s",
			    _("the path of the home folder is too long"));
	fd = open(path, (fd_out ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && fd_out && errno == EACCES) /* it can be replaced, if not overwritten */
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno == ENOENT)
		return fail(reason, size, ERR_NOT_FOUND, _("there is no key %s"), path);
	if (fd < 0)
		return fail(reason, size, ERR_IO, _("cannot read %s: %s"), path,
			    strerror(errno));
	if (fstat(fd, &st) < 0 || st.st_uid != geteuid() || (st.st_mode & 077)) {
		err = fail(reason, size, ERR_REFUSED,
			   _("others may read %s; try: chmod 600 %s"), path, path);
	} else {
		got = read(fd, f->bytes, sizeof f->bytes);
		f->size = got > 0 ? (size_t)got : 0;
		if (got < 0)
			err = fail(reason, size, ERR_IO, _("cannot read %s: %s"), path,
				   strerror(errno));
	}
	if (err == 0 && fd_out)
		*fd_out = fd;
	else
		close(fd);
	return err;
}

/* In words, for all that parse. */
static int parse(const struct home *home, const struct key_file *f, struct bytes passphrase,
		 struct symmetric_key *key, enum store_key_kind *kind, char *reason,
		 size_t size)
{
	int err = store_key_parse(bytes_of(f->bytes, f->size), passphrase, key, kind);

	switch (err) {
	case 0:
		return 0;
	case ERR_LOCKED:
		return fail(reason, size, err, "%s", _("this home is locked"));
	case ERR_AUTH:
		return fail(reason, size, err, "%s",
			    _("the passphrase does not open this home"));
	case ERR_FULL:
		return fail(reason, size, err, "%s",
			    _("not enough memory: a passphrase needs 256 MiB for a moment"));
	case ERR_VERSION:
		return fail(reason, size, err,
			    _("%s/%s was locked by a newer version of this program"),
			    home->folder, key_name);
	default:
		return fail(reason, size, err,
			    _("%s/%s is not a store key; it is left as it is"), home->folder,
			    key_name);
	}
}

int store_key_look(const struct home *home, enum store_key_kind *kind, char *reason,
		   size_t reason_size)
{
	struct symmetric_key key;
	struct key_file f;
	int err = load(home, &f, NULL, reason, reason_size);

	*kind = STORE_KEY_NONE;
	if (err == ERR_NOT_FOUND)
		return 0;
	if (err == 0)
		err = parse(home, &f, bytes_of(NULL, 0), &key, kind, reason, reason_size);
	sodium_memzero(&key, sizeof key);
	sodium_memzero(&f, sizeof f);
	return err == ERR_LOCKED ? 0 : err;
}

static bool exists(const struct home *home, const char *name)
{
	char path[HOME_PATH_MAX];

	return home_path(home, name, path) == 0 && access(path, F_OK) == 0;
}

/* No key yet: the home is new, or something is missing. */
static int first_key(const struct home *home, struct symmetric_key *key, char *reason,
		     size_t size)
{
	struct key_file f = { 0 };
	int err;

	if (exists(home, store_name))
		return fail(reason, size, ERR_NOT_FOUND,
			    _("there is a store but its key %s/%s is missing; bring the file "
			      "back, or begin anew with another --home"),
			    home->folder, key_name);
	randombytes_buf(key->bytes, sizeof key->bytes);
	write_plain(&f, key);
	err = put(home, key_name, &f, false, -1);
	sodium_memzero(&f, sizeof f);
	if (err < 0)
		fail(reason, size, err, _("cannot write %s/%s: %s"), home->folder, key_name,
		     error_text(err));
	return err;
}

int store_key_open(const struct home *home, struct bytes passphrase, struct symmetric_key *key,
		   char *reason, size_t reason_size)
{
	enum store_key_kind kind;
	struct key_file f;
	int err;

	memset(key, 0, sizeof *key);
	if (exists(home, made_name) && !exists(home, store_name))
		return fail(reason, reason_size, ERR_NOT_FOUND,
			    _("the store %s/%s is gone; bring it back, or a copy of it with "
			      "palique restore FILE; or, to begin with an empty one: palique "
			      "daemon --begin-anew"),
			    home->folder, store_name);
	err = load(home, &f, NULL, reason, reason_size);
	if (err == ERR_NOT_FOUND)
		err = first_key(home, key, reason, reason_size);
	else if (err == 0)
		err = parse(home, &f, passphrase, key, &kind, reason, reason_size);
	sodium_memzero(&f, sizeof f);
	if (err < 0)
		sodium_memzero(key, sizeof *key);
	return err;
}

/* --- locking ----------------------------------------------------------------------- */

/* The key as it is kept now comes out, and goes back under `to` (without data: plain). */
static int rewrite(const struct home *home, enum store_key_kind now, struct bytes from,
		   struct bytes to, enum ksf ksf, char *reason, size_t size)
{
	struct symmetric_key key = { 0 };
	enum store_key_kind kind;
	struct key_file f, after = { 0 };
	int fd = -1, err = load(home, &f, &fd, reason, size);

	if (err == 0)
		err = parse(home, &f, bytes_of(NULL, 0), &key, &kind, reason, size);
	if (err == ERR_LOCKED)
		err = 0;
	if (err == 0 && kind != now)
		err = fail(reason, size, ERR_STATE, "%s",
			   now == STORE_KEY_PLAIN ? _("this home is locked already")
						  : _("this home is not locked"));
	if (err == 0 && kind == STORE_KEY_LOCKED)
		err = parse(home, &f, from, &key, &kind, reason, size);
	if (err < 0)
		goto out;
	if (to.data)
		err = write_locked(&after, &key, to, ksf);
	else
		write_plain(&after, &key);
	if (err == 0)
		err = put(home, key_name, &after, true, fd);
	if (err < 0)
		fail(reason, size, err, _("cannot write %s/%s: %s; it is as it was"),
		     home->folder, key_name, error_text(err));
out:
	if (fd >= 0)
		close(fd);
	sodium_memzero(&key, sizeof key);
	sodium_memzero(&f, sizeof f);
	sodium_memzero(&after, sizeof after);
	return err;
}

int store_key_lock(const struct home *home, struct bytes passphrase, enum ksf ksf, char *reason,
		   size_t reason_size)
{
	return rewrite(home, STORE_KEY_PLAIN, bytes_of(NULL, 0), passphrase, ksf, reason,
		       reason_size);
}

int store_key_change(const struct home *home, struct bytes old_passphrase,
		     struct bytes new_passphrase, enum ksf ksf, char *reason,
		     size_t reason_size)
{
	return rewrite(home, STORE_KEY_LOCKED, old_passphrase, new_passphrase, ksf, reason,
		       reason_size);
}

int store_key_free(const struct home *home, struct bytes passphrase, char *reason,
		   size_t reason_size)
{
	return rewrite(home, STORE_KEY_LOCKED, passphrase, bytes_of(NULL, 0), 0, reason,
		       reason_size);
}

int store_key_write(const struct home *home, const char *name, const struct symmetric_key *key)
{
	struct key_file f = { 0 };
	int err;

	write_plain(&f, key);
	err = put(home, name, &f, true, -1);
	sodium_memzero(&f, sizeof f);
	return err;
}

/* --- whether there was a store ----------------------------------------------------- */

int store_key_store_is_made(const struct home *home)
{
	char path[HOME_PATH_MAX];
	int err = home_path(home, made_name, path);

	if (err < 0 || access(path, F_OK) == 0)
		return err;
	err = home_remember(home, made_name,
			    "This home has a store. If store.db is gone, this file keeps an "
			    "empty one from being made in its place.\n");
	if (err == 0)
		file_sync_folder(path);
	return err;
}

int store_key_begin_anew(const struct home *home, char *reason, size_t reason_size)
{
	static const char *const rest[] = { "store.db-wal", "store.db-shm" };
	char path[HOME_PATH_MAX], aside[HOME_PATH_MAX];

	if (exists(home, store_name))
		return fail(reason, reason_size, ERR_EXISTS,
			    _("there is a store in %s: it is used, and nothing is begun anew"),
			    home->folder);
	for (unsigned i = 0; i < sizeof rest / sizeof *rest; i++) {
		if (home_path(home, rest[i], path) < 0 ||
		    snprintf(aside, sizeof aside, "%s.lost", path) >= (int)sizeof aside ||
		    (rename(path, aside) < 0 && errno != ENOENT))
			goto failed;
	}
	if (home_path(home, made_name, path) == 0 && (unlink(path) == 0 || errno == ENOENT)) {
		file_sync_folder(path);
		return 0;
	}
failed:
	return fail(reason, reason_size, ERR_IO, _("cannot write in %s: %s"), home->folder,
		    strerror(errno));
}
