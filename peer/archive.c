#include "peer/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/error.h"
#include "shared/file.h"
#include "shared/text.h"

enum {
	MAGIC = 8,
	AT_VERSION = MAGIC,
	AT_KSF,
	AT_SALT,
	SALT = 16,
	AT_STREAM = AT_SALT + SALT,
	FILES = 2,
};

static const uint8_t magic[MAGIC] = "palique\n"; /* without a NUL */
static const char *const names[FILES] = { "store.key", "store.db" };

_Static_assert(ARCHIVE_START == AT_STREAM + crypto_secretstream_xchacha20poly1305_HEADERBYTES &&
		       ARCHIVE_TAG == crypto_secretstream_xchacha20poly1305_ABYTES,
	       "as libsodium has it");

typedef crypto_secretstream_xchacha20poly1305_state stream_state;

/* What passes by: in guarded memory, for the store's key is among it. */
struct passage {
	stream_state stream;
	uint8_t plain[ARCHIVE_CHUNK];
	uint8_t sealed[ARCHIVE_CHUNK + ARCHIVE_TAG];
};

static struct passage *passage_new(void)
{
	struct passage *p = sodium_malloc(sizeof *p);

	if (!p)
		abort();
	return p;
}

/* --- the head ---------------------------------------------------------------------- */

static uint8_t *put_number(uint8_t *at, uint64_t n)
{
	for (int i = 0; i < 8; i++)
		at[i] = (uint8_t)(n >> (56 - 8 * i));
	return at + 8;
}

static uint64_t get_number(const uint8_t *at)
{
	uint64_t n = 0;

	for (int i = 0; i < 8; i++)
		n = n << 8 | at[i];
	return n;
}

static void head_write(uint8_t head[ARCHIVE_HEAD], wall_ms made_at, uint64_t store_size)
{
	const uint64_t sizes[FILES] = { sizeof(struct symmetric_key), store_size };
	uint8_t *at = put_number(head, (uint64_t)made_at);

	memset(at, 0, (size_t)(head + ARCHIVE_HEAD - at));
	*at++ = FILES;
	for (unsigned i = 0; i < FILES; i++) {
		size_t length = strlen(names[i]);
		*at++ = (uint8_t)length;
		memcpy(at, names[i], length);
		at = put_number(at + length, sizes[i]);
	}
}

/* This version writes one kind of head, so one is read: the same bytes but for two numbers. */
static int head_read(const uint8_t head[ARCHIVE_HEAD], uint64_t *store_size)
{
	uint8_t expected[ARCHIVE_HEAD];
	size_t at = 8 + 1;

	for (unsigned i = 0; i < FILES; i++)
		at += 1 + strlen(names[i]) + 8;
	*store_size = get_number(head + at - 8);
	head_write(expected, (wall_ms)get_number(head), *store_size);
	if (memcmp(head, expected, sizeof expected) != 0)
		return ERR_CORRUPT;
	return *store_size > 0 && *store_size <= ARCHIVE_STORE_MAX ? 0 : ERR_CORRUPT;
}

/* --- sealing ----------------------------------------------------------------------- */

static int put(int out, struct passage *p, size_t size, struct bytes ad, uint8_t tag)
{
	crypto_secretstream_xchacha20poly1305_push(&p->stream, p->sealed, NULL, p->plain, size,
						   ad.data, ad.size, tag);
	return file_write(out, bytes_of(p->sealed, size + ARCHIVE_TAG));
}

static int put_contents(int out, struct passage *p, const struct archive_order *order,
			int store, uint64_t store_size)
{
	uint64_t left = sizeof *order->store_key + store_size;
	size_t front = sizeof *order->store_key; /* only in the first chunk */
	int err = 0;

	memcpy(p->plain, order->store_key->bytes, front);
	while (left && err == 0) {
		size_t size = left < ARCHIVE_CHUNK ? (size_t)left : ARCHIVE_CHUNK;
		left -= size;
		if (order->is_given_up && atomic_load(order->is_given_up))
			return ERR_CLOSED;
		err = file_read(store, p->plain + front, size - front);
		if (err == 0)
			err = put(out, p, size, bytes_of(NULL, 0),
				  left ? crypto_secretstream_xchacha20poly1305_TAG_MESSAGE
				       : crypto_secretstream_xchacha20poly1305_TAG_FINAL);
		if (order->done)
			atomic_fetch_add(order->done, size - front);
		front = 0;
	}
	return err;
}

int archive_seal(int out, const struct archive_order *order, int store)
{
	struct passage *p = passage_new();
	struct archive_start start = { 0 };
	struct symmetric_key key = { 0 };
	struct stat st;
	int err = ERR_IO;

	if (fstat(store, &st) < 0 || st.st_size <= 0 ||
	    (uint64_t)st.st_size > ARCHIVE_STORE_MAX)
		goto out;
	memcpy(start.bytes, magic, MAGIC);
	start.bytes[AT_VERSION] = ARCHIVE_VERSION;
	start.bytes[AT_KSF] = (uint8_t)order->ksf;
	randombytes_buf(start.bytes + AT_SALT, SALT);
	err = archive_key(&start, order->passphrase, &key);
	if (err < 0)
		goto out;
	crypto_secretstream_xchacha20poly1305_init_push(&p->stream, start.bytes + AT_STREAM,
							key.bytes);
	head_write(p->plain, order->made_at, (uint64_t)st.st_size);
	err = file_write(out, BYTES(start.bytes));
	if (err == 0)
		err = put(out, p, ARCHIVE_HEAD, BYTES(start.bytes),
			  crypto_secretstream_xchacha20poly1305_TAG_MESSAGE);
	if (err == 0)
		err = put_contents(out, p, order, store, (uint64_t)st.st_size);
out:
	sodium_memzero(&key, sizeof key);
	sodium_free(p); /* wipes */
	return err;
}

/* FILE.new of an export that was killed may go; anything else of that name is not ours. */
static bool is_left_over(const char *path)
{
	uint8_t start[MAGIC];
	struct stat st;
	bool is_ours = false;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0)
		return false;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid())
		is_ours = st.st_size == 0 || (file_read(fd, start, sizeof start) == 0 &&
					      memcmp(start, magic, MAGIC) == 0);
	close(fd);
	return is_ours;
}

static int make(const char *path)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
	int fd = open(path, flags, 0600);

	if (fd < 0 && errno == EEXIST && is_left_over(path) && unlink(path) == 0)
		fd = open(path, flags, 0600);
	return fd < 0 ? file_error() : fd;
}

int archive_write(const struct archive_order *order)
{
	size_t room = strlen(order->file) + sizeof ".new";
	char *fresh = memory_new(room);
	int out = -1, store = -1, err;

	snprintf(fresh, room, "%s.new", order->file);
	/* Said before the second that the key takes; file_place() sees to it all the same. */
	err = !order->replace && access(order->file, F_OK) == 0 ? ERR_EXISTS : 0;
	if (err < 0)
		goto out;
	store = open(order->store, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	err = store < 0 ? ERR_IO : 0;
	if (err < 0)
		goto out;
	out = make(fresh);
	err = out < 0 ? out : archive_seal(out, order, store);
	if (err == 0 && fsync(out) < 0)
		err = file_error();
	if (out >= 0 && close(out) < 0 && err == 0)
		err = file_error();
	if (err == 0)
		err = file_place(fresh, order->file, order->replace);
	if (err < 0 && out >= 0)
		unlink(fresh);
out:
	if (store >= 0)
		close(store);
	free(fresh);
	return err;
}

/* --- opening ----------------------------------------------------------------------- */

int archive_start_read(int in, struct archive_start *start)
{
	int err = file_read(in, start->bytes, MAGIC);

	if (err < 0 || memcmp(start->bytes, magic, MAGIC) != 0)
		return err == ERR_IO ? ERR_IO : ERR_FORMAT;
	err = file_read(in, start->bytes + MAGIC, ARCHIVE_START - MAGIC);
	if (err < 0)
		return err;
	return start->bytes[AT_VERSION] == ARCHIVE_VERSION && ksf_is_known(start->bytes[AT_KSF])
		       ? 0
		       : ERR_VERSION;
}

int archive_key(const struct archive_start *start, struct bytes passphrase,
		struct symmetric_key *key)
{
	return ksf_passphrase((enum ksf)start->bytes[AT_KSF], passphrase,
			      start->bytes + AT_SALT, key->bytes, sizeof key->bytes);
}

/* The next message, of `size` bytes when open; its tag must be `tag`. */
static int take(int in, struct passage *p, size_t size, struct bytes ad, uint8_t tag)
{
	uint8_t found = 0;
	int err = file_read(in, p->sealed, size + ARCHIVE_TAG);

	if (err < 0)
		return err;
	if (crypto_secretstream_xchacha20poly1305_pull(&p->stream, p->plain, NULL, &found,
						       p->sealed, size + ARCHIVE_TAG, ad.data,
						       ad.size) != 0)
		return ERR_AUTH;
	return found == tag ? 0 : ERR_CORRUPT;
}

/* Known before anything is written: a file cut short does not fill a disk first. */
static bool has_size(int in, uint64_t contents)
{
	uint64_t chunks = (contents + ARCHIVE_CHUNK - 1) / ARCHIVE_CHUNK;
	struct stat st;

	if (fstat(in, &st) < 0 || !S_ISREG(st.st_mode))
		return true; /* a pipe: its end will tell */
	return (uint64_t)st.st_size ==
	       ARCHIVE_START + ARCHIVE_HEAD + ARCHIVE_TAG + contents + chunks * ARCHIVE_TAG;
}

static int take_contents(int in, struct passage *p, uint64_t left, int store,
			 struct symmetric_key *store_key)
{
	size_t front = sizeof *store_key;
	uint8_t behind;
	int err = 0;

	while (left && err == 0) {
		size_t size = left < ARCHIVE_CHUNK ? (size_t)left : ARCHIVE_CHUNK;
		left -= size;
		err = take(in, p, size, bytes_of(NULL, 0),
			   left ? crypto_secretstream_xchacha20poly1305_TAG_MESSAGE
				: crypto_secretstream_xchacha20poly1305_TAG_FINAL);
		if (err == ERR_AUTH)
			err = ERR_CORRUPT; /* the head opened: it is not the passphrase */
		if (err == 0 && front)
			memcpy(store_key->bytes, p->plain, front);
		if (err == 0)
			err = file_write(store, bytes_of(p->plain + front, size - front));
		front = 0;
	}
	if (err == 0 && file_read(in, &behind, 1) == 0)
		err = ERR_CORRUPT;
	return err;
}

int archive_open(int in, const struct archive_start *start, const struct symmetric_key *key,
		 int store, struct symmetric_key *store_key)
{
	struct passage *p = passage_new();
	uint64_t store_size = 0;
	int err = ERR_AUTH;

	if (crypto_secretstream_xchacha20poly1305_init_pull(
		    &p->stream, start->bytes + AT_STREAM, key->bytes) == 0)
		err = take(in, p, ARCHIVE_HEAD, BYTES(start->bytes),
			   crypto_secretstream_xchacha20poly1305_TAG_MESSAGE);
	if (err == 0)
		err = head_read(p->plain, &store_size);
	if (err == 0 && !has_size(in, sizeof *store_key + store_size))
		err = ERR_CORRUPT;
	if (err == 0)
		err = take_contents(in, p, sizeof *store_key + store_size, store, store_key);
	if (err < 0)
		sodium_memzero(store_key, sizeof *store_key);
	sodium_free(p);
	return err;
}

int archive_read(const char *file, struct bytes passphrase, const char *store,
		 struct symmetric_key *store_key)
{
	struct archive_start start;
	struct symmetric_key key = { 0 };
	int in = open(file, O_RDONLY | O_CLOEXEC), out = -1;
	int err = in < 0 ? file_error() : archive_start_read(in, &start);

	if (err == 0)
		err = archive_key(&start, passphrase, &key);
	if (err < 0)
		goto out;
	out = open(store, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	err = out < 0 ? file_error() : archive_open(in, &start, &key, out, store_key);
	if (err == 0 && fsync(out) < 0)
		err = file_error();
	if (out >= 0 && close(out) < 0 && err == 0)
		err = file_error();
	if (err < 0 && out >= 0)
		unlink(store);
	if (err < 0)
		sodium_memzero(store_key, sizeof *store_key);
out:
	if (in >= 0)
		close(in);
	sodium_memzero(&key, sizeof key);
	return err;
}

/* --- in words ---------------------------------------------------------------------- */

const char *archive_why_not_written(int err)
{
	switch (err) {
	case ERR_EXISTS:
		return N_("there is a file of that name already, and it stays: choose another "
			  "name, or add --force");
	case ERR_NOT_FOUND:
		return N_("there is no such folder for the file");
	case ERR_FULL:
		return N_(
			"there is no room for the file on the disk, or no memory (256 MiB are "
			"needed for a moment); nothing was written");
	default:
		return N_("the file cannot be written there; nothing was written");
	}
}

const char *archive_why_not_read(int err)
{
	switch (err) {
	case ERR_NOT_FOUND:
		return N_("there is no such file");
	case ERR_FORMAT:
		return N_("this is not a file that palique backup wrote; nothing was changed");
	case ERR_VERSION:
		return N_("the file is from a newer version of palique: install that one here "
			  "and try again; nothing was changed");
	case ERR_AUTH:
		return N_("the passphrase is wrong, or the file is damaged at its beginning: "
			  "type it again, or take another copy; nothing was changed");
	case ERR_CORRUPT:
		return N_("the file is damaged or cut short: copy it here once more; nothing "
			  "was changed");
	case ERR_FULL:
		return N_("there is no room on the disk for what is in the file, or no memory "
			  "(256 MiB are needed for a moment); nothing was changed");
	default:
		return N_("the file cannot be read; nothing was changed");
	}
}
