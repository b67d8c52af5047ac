#include "shared/db_seal.h"

#include <assert.h>
#include <fcntl.h>
#include <pthread.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/error.h"
#include "shared/kdf.h"

enum {
	PAGE = DB_SEAL_PAGE,
	RESERVED = DB_SEAL_RESERVED,
	PLAIN = PAGE - RESERVED,
	NONCE_RANDOM = 16,
	NONCE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
	TAG = crypto_aead_xchacha20poly1305_ietf_ABYTES,
	LOG_HEADER =
		32, /* of the write-ahead log: https://sqlite.org/fileformat2.html#walformat */
	FRAME_HEADER = 24, /* page number 4, commit size 4, salts 8, checksums 8 */
	FRAME_BOUND = 16,  /* of which these are authenticated with the page */
	SALTS = 8,         /* where in a frame's header, ... */
	LOG_SALTS = 16,    /* ... and where in the log's */
	SALTS_SIZE = 8,
	FRAME = FRAME_HEADER + PAGE,
	START = 100, /* SQLite reads so much of the first page when it opens a file */
	AD_MAX = 1 + FRAME_BOUND,
};
_Static_assert(NONCE + TAG == RESERVED, "a page's seal fills the reserved bytes");
_Static_assert(NONCE == NONCE_RANDOM + crypto_shorthash_BYTES, "random and its check");

enum kind { KIND_PAGE = 1, KIND_LOG = 2 };

/* Made from the key that was lent. */
struct keys {
	uint8_t page[crypto_aead_xchacha20poly1305_ietf_KEYBYTES];
	uint8_t check[crypto_shorthash_KEYBYTES];    /* second part of a nonce */
	uint8_t checksum[crypto_shorthash_KEYBYTES]; /* SQLite's own in a frame's header */
};

/* --- sealing ----------------------------------------------------------------------- */

static uint32_t be32(const uint8_t *b)
{
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static struct bytes ad_of_page(uint8_t ad[AD_MAX], uint32_t number)
{
	uint8_t bytes[5] = { KIND_PAGE, (uint8_t)(number >> 24), (uint8_t)(number >> 16),
			     (uint8_t)(number >> 8), (uint8_t)number };

	memcpy(ad, bytes, sizeof bytes);
	return bytes_of(ad, sizeof bytes);
}

static struct bytes ad_of_frame(uint8_t ad[AD_MAX], const uint8_t header[FRAME_HEADER])
{
	ad[0] = KIND_LOG;
	memcpy(ad + 1, header, FRAME_BOUND);
	return bytes_of(ad, AD_MAX);
}

static void seal(const struct keys *k, uint8_t out[PAGE], const uint8_t plain[PAGE],
		 struct bytes ad)
{
	uint8_t *nonce = out + PLAIN;

	randombytes_buf(nonce, NONCE_RANDOM);
	crypto_shorthash(nonce + NONCE_RANDOM, nonce, NONCE_RANDOM, k->check);
	crypto_aead_xchacha20poly1305_ietf_encrypt_detached(
		out, nonce + NONCE, NULL, plain, PLAIN, ad.data, ad.size, NULL, nonce, k->page);
}

/* In place. The reserved bytes come back as zeros, for SQLite's checksums in the log
 * cover them. A page that does not open is zeroed whole. */
static bool unseal(const struct keys *k, uint8_t page[PAGE], struct bytes ad)
{
	uint8_t *nonce = page + PLAIN;
	bool ok = crypto_aead_xchacha20poly1305_ietf_decrypt_detached(
			  page, NULL, page, PLAIN, nonce + NONCE, ad.data, ad.size, nonce,
			  k->page) == 0;

	memset(ok ? page + PLAIN : page, 0, ok ? RESERVED : PAGE);
	return ok;
}

/* Whether a page was sealed under this key at all, whatever happened to it since. */
static bool is_our_nonce(const struct keys *k, const uint8_t page[PAGE])
{
	uint8_t check[crypto_shorthash_BYTES];

	crypto_shorthash(check, page + PLAIN, NONCE_RANDOM, k->check);
	return sodium_memcmp(check, page + PLAIN + NONCE_RANDOM, sizeof check) == 0;
}

/* SQLite's checksum of a frame says something about the plain page: it is enciphered by
 * four Feistel rounds of SipHash (Luby and Rackoff), with the place and the rest of the
 * header as tweak. SQLite rewrites the checksum without the page, so it cannot be part of
 * the page's seal. Running the rounds backwards undoes it. */
static void cipher_checksum(const struct keys *k, uint8_t header[FRAME_HEADER], int64_t offset,
			    bool decipher)
{
	uint8_t *left = header + FRAME_BOUND, *right = left + 4, half[4];
	struct {
		int64_t offset;
		uint8_t bound[FRAME_BOUND];
		uint8_t half[4];
		uint32_t round;
	} in = { .offset = offset };
	uint8_t out[crypto_shorthash_BYTES];

	memcpy(in.bound, header, FRAME_BOUND);
	for (unsigned i = 0; i < 4; i++) {
		in.round = decipher ? 3 - i : i;
		memcpy(in.half, decipher ? left : right, 4);
		crypto_shorthash(out, (uint8_t *)&in, sizeof in, k->checksum);
		for (unsigned j = 0; j < 4; j++)
			half[j] = (decipher ? right : left)[j] ^ out[j];
		memcpy(decipher ? right : left, decipher ? left : right, 4);
		memcpy(decipher ? left : right, half, 4);
	}
}

/* --- lent keys --------------------------------------------------------------------- */

struct lent {
	struct lent *next;
	uint64_t ticket;
	struct keys *keys; /* guarded memory */
};

static pthread_mutex_t lent_lock = PTHREAD_MUTEX_INITIALIZER;
static struct lent *lent_first;
static uint64_t lent_last;

uint64_t db_seal_lend(const struct symmetric_key *key)
{
	struct lent *l = memory_new(sizeof *l);

	if (sodium_init() < 0)
		abort();
	l->keys = sodium_malloc(sizeof *l->keys);
	if (!l->keys)
		abort();
	kdf_label(l->keys->page, sizeof l->keys->page, key->bytes, "palique-store-page");
	kdf_label(l->keys->check, sizeof l->keys->check, key->bytes, "palique-store-check");
	kdf_label(l->keys->checksum, sizeof l->keys->checksum, key->bytes,
		  "palique-store-checksum");
	pthread_mutex_lock(&lent_lock);
	l->ticket = ++lent_last;
	l->next = lent_first;
	lent_first = l;
	pthread_mutex_unlock(&lent_lock);
	return l->ticket;
}

void db_seal_return(uint64_t ticket)
{
	struct lent **at, *l;

	pthread_mutex_lock(&lent_lock);
	for (at = &lent_first; *at && (*at)->ticket != ticket; at = &(*at)->next)
		;
	l = *at;
	assert(l);
	*at = l->next;
	pthread_mutex_unlock(&lent_lock);
	sodium_free(l->keys); /* wipes */
	free(l);
}

/* Borrowed until the ticket goes back. */
static const struct keys *keys_of(uint64_t ticket)
{
	const struct keys *keys = NULL;

	pthread_mutex_lock(&lent_lock);
	for (struct lent *l = lent_first; l; l = l->next)
		if (l->ticket == ticket)
			keys = l->keys;
	pthread_mutex_unlock(&lent_lock);
	return keys;
}

/* --- one open file ----------------------------------------------------------------- */

/* The real file's own struct follows this one in memory, as SQLite's VFSs stack. */
struct file {
	sqlite3_file base;
	enum kind kind;
	const struct keys *keys;
	uint8_t header[FRAME_HEADER]; /* last frame header written ... */
	int64_t header_at;            /* ... and where; 0: none */
	uint8_t *scratch;             /* FRAME bytes */
};

static sqlite3_file *real_of(sqlite3_file *f)
{
	return (sqlite3_file *)((struct file *)f + 1);
}

/* What SQLite wants to know before it has looked at the log: always the same in our
 * files. The first page itself may be torn here and whole in the log; when SQLite then
 * reads it as a page, it is opened and checked like any other. */
static void write_start(uint8_t out[START])
{
	memset(out, 0, START);
	memcpy(out, "SQLite format 3", 16);
	out[16] = PAGE >> 8;
	out[18] = out[19] = 2; /* WAL */
	out[20] = RESERVED;
	out[21] = 64;
	out[22] = out[23] = 32;
}

static int read_page(struct file *f, uint8_t *out, int size, int64_t offset)
{
	sqlite3_file *real = real_of(&f->base);
	int64_t number = offset / PAGE + 1;
	int within = (int)(offset % PAGE);
	uint8_t *page = size == PAGE ? out : f->scratch;
	uint8_t ad[AD_MAX];
	int code;

	if (within + size > PAGE || number > UINT32_MAX)
		return SQLITE_IOERR_READ;
	code = real->pMethods->xRead(real, page, PAGE, offset - within);
	if (code == SQLITE_IOERR_SHORT_READ && real->pMethods->xFileSize) {
		sqlite3_int64 length = 0;

		/* Beyond the end SQLite expects zeros; a page cut in two is damage. */
		memset(out, 0, (size_t)size);
		if (real->pMethods->xFileSize(real, &length) != SQLITE_OK)
			return SQLITE_IOERR_READ;
		return length > offset - within ? SQLITE_IOERR_DATA : code;
	}
	if (code != SQLITE_OK)
		return code;
	if (offset == 0 && size == START) {
		write_start(out);
		return SQLITE_OK;
	}
	if (!unseal(f->keys, page, ad_of_page(ad, (uint32_t)number))) {
		memset(out, 0, (size_t)size);
		return SQLITE_IOERR_DATA;
	}
	if (page != out) {
		memcpy(out, page + within, (size_t)size);
		sodium_memzero(page, PAGE);
	}
	return SQLITE_OK;
}

/* The AD of a frame whose header is `header`. While SQLite writes pages of one transaction
 * over again, it leaves the salts of frame headers zero until the commit: they are then
 * taken from the log's own header, which cannot change meanwhile. */
static int ad_in_log(struct file *f, uint8_t ad[AD_MAX], const uint8_t header[FRAME_HEADER])
{
	sqlite3_file *real = real_of(&f->base);

	ad_of_frame(ad, header);
	if (!sodium_is_zero(header + SALTS, SALTS_SIZE))
		return SQLITE_OK;
	return real->pMethods->xRead(real, ad + 1 + SALTS, SALTS_SIZE, LOG_SALTS);
}

/* SQLite reads of a log: its header; the checksum of a frame; the page of a frame; a whole
 * frame, when it recovers the log or computes the checksums anew. */
static int read_log(struct file *f, uint8_t *out, int size, int64_t offset)
{
	sqlite3_file *real = real_of(&f->base);
	int64_t within = (offset - LOG_HEADER) % FRAME, start = offset - within;
	bool is_sealed;
	uint8_t ad[AD_MAX];
	int code;

	if (offset < LOG_HEADER)
		return offset + size <= LOG_HEADER
			       ? real->pMethods->xRead(real, out, size, offset)
			       : SQLITE_IOERR_READ;
	if (within + size > FRAME)
		return SQLITE_IOERR_READ;
	if (within + size <= FRAME_HEADER) {
		code = real->pMethods->xRead(real, f->scratch, FRAME_HEADER, start);
		if (code == SQLITE_OK) {
			cipher_checksum(f->keys, f->scratch, start, true);
			memcpy(out, f->scratch + within, (size_t)size);
		}
		return code;
	}
	code = real->pMethods->xRead(real, f->scratch, FRAME, start);
	if (code != SQLITE_OK)
		return code;
	code = ad_in_log(f, ad, f->scratch);
	if (code != SQLITE_OK)
		return code;
	is_sealed = unseal(f->keys, f->scratch + FRAME_HEADER, bytes_of(ad, AD_MAX));
	cipher_checksum(f->keys, f->scratch, start, true);
	if (!is_sealed && within >= FRAME_HEADER) {
		memset(out, 0, (size_t)size);
		return SQLITE_IOERR_DATA;
	}
	/* A frame that was torn, or never finished, ends the log: with other salts than the
	 * log's, SQLite takes it for the rest of an older log. */
	for (int i = SALTS; !is_sealed && i < FRAME_BOUND; i++)
		f->scratch[i] ^= 0xff;
	memcpy(out, f->scratch + within, (size_t)size);
	sodium_memzero(f->scratch, FRAME);
	return SQLITE_OK;
}

static int on_read(sqlite3_file *file, void *out, int size, sqlite3_int64 offset)
{
	struct file *f = (struct file *)file;

	return f->kind == KIND_PAGE ? read_page(f, out, size, offset)
				    : read_log(f, out, size, offset);
}

static int write_page(struct file *f, const uint8_t *in, int size, int64_t offset)
{
	sqlite3_file *real = real_of(&f->base);
	uint8_t ad[AD_MAX];

	if (size != PAGE || offset % PAGE || offset / PAGE >= UINT32_MAX)
		return SQLITE_IOERR_WRITE;
	seal(f->keys, f->scratch, in, ad_of_page(ad, (uint32_t)(offset / PAGE + 1)));
	return real->pMethods->xWrite(real, f->scratch, PAGE, offset);
}

static int write_log(struct file *f, const uint8_t *in, int size, int64_t offset)
{
	sqlite3_file *real = real_of(&f->base);
	int64_t within = (offset - LOG_HEADER) % FRAME, start = offset - within;
	uint8_t ad[AD_MAX];
	int code;

	if (offset == 0 && size == LOG_HEADER) {
		f->header_at = 0;
		return real->pMethods->xWrite(real, in, size, offset);
	}
	if (offset >= LOG_HEADER && within == 0 && size == FRAME_HEADER) {
		memcpy(f->header, in, FRAME_HEADER);
		f->header_at = start;
		memcpy(f->scratch, in, FRAME_HEADER);
		cipher_checksum(f->keys, f->scratch, start, false);
		return real->pMethods->xWrite(real, f->scratch, FRAME_HEADER, offset);
	}
	if (offset < LOG_HEADER || within != FRAME_HEADER || size != PAGE)
		return SQLITE_IOERR_WRITE;
	/* Within one transaction SQLite writes a page over its older version in the log and
	 * leaves that frame's header as it is: which page it is stands only on disk. */
	if (f->header_at != start) {
		code = real->pMethods->xRead(real, f->header, FRAME_HEADER, start);
		if (code != SQLITE_OK)
			return code == SQLITE_IOERR_SHORT_READ ? SQLITE_IOERR_WRITE : code;
		f->header_at = start;
	}
	code = ad_in_log(f, ad, f->header);
	if (code != SQLITE_OK)
		return code == SQLITE_IOERR_SHORT_READ ? SQLITE_IOERR_WRITE : code;
	seal(f->keys, f->scratch, in, bytes_of(ad, AD_MAX));
	return real->pMethods->xWrite(real, f->scratch, PAGE, offset);
}

static int on_write(sqlite3_file *file, const void *in, int size, sqlite3_int64 offset)
{
	struct file *f = (struct file *)file;

	return f->kind == KIND_PAGE ? write_page(f, in, size, offset)
				    : write_log(f, in, size, offset);
}

static int on_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	((struct file *)file)->header_at = 0;
	return real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static int on_close(sqlite3_file *file)
{
	struct file *f = (struct file *)file;
	int code = real_of(file)->pMethods ? real_of(file)->pMethods->xClose(real_of(file)) : 0;

	if (f->scratch)
		sodium_memzero(f->scratch, FRAME);
	free(f->scratch);
	f->scratch = NULL;
	return code;
}

static int on_characteristics(sqlite3_file *file)
{
	/* Only what stays true with a seal on each page: no atomic writes of other sizes,
	 * no reading of parts of a page. */
	return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file)) &
	       (SQLITE_IOCAP_POWERSAFE_OVERWRITE | SQLITE_IOCAP_UNDELETABLE_WHEN_OPEN);
}

static int on_sector_size(sqlite3_file *file)
{
	(void)file;
	return PAGE;
}

/* The rest goes to the real file as it is. */
#define PASS(name, method, declared, given)                                                    \
	static int name declared                                                               \
	{                                                                                      \
		return real_of(file)->pMethods->method given;                                  \
	}
PASS(on_sync, xSync, (sqlite3_file * file, int flags), (real_of(file), flags))
PASS(on_size, xFileSize, (sqlite3_file * file, sqlite3_int64 *size), (real_of(file), size))
PASS(on_lock, xLock, (sqlite3_file * file, int level), (real_of(file), level))
PASS(on_unlock, xUnlock, (sqlite3_file * file, int level), (real_of(file), level))
PASS(on_check_lock, xCheckReservedLock, (sqlite3_file * file, int *out), (real_of(file), out))
PASS(on_control, xFileControl, (sqlite3_file * file, int op, void *arg),
     (real_of(file), op, arg))
PASS(on_shm_map, xShmMap,
     (sqlite3_file * file, int region, int size, int extend, void volatile **out),
     (real_of(file), region, size, extend, out))
PASS(on_shm_lock, xShmLock, (sqlite3_file * file, int offset, int count, int flags),
     (real_of(file), offset, count, flags))
PASS(on_shm_unmap, xShmUnmap, (sqlite3_file * file, int is_deleted),
     (real_of(file), is_deleted))

static void on_shm_barrier(sqlite3_file *file)
{
	real_of(file)->pMethods->xShmBarrier(real_of(file));
}

/* Version 2: shared memory, which holds page numbers only, but no memory mapping. */
static const sqlite3_io_methods methods = {
	.iVersion = 2,
	.xClose = on_close,
	.xRead = on_read,
	.xWrite = on_write,
	.xTruncate = on_truncate,
	.xSync = on_sync,
	.xFileSize = on_size,
	.xLock = on_lock,
	.xUnlock = on_unlock,
	.xCheckReservedLock = on_check_lock,
	.xFileControl = on_control,
	.xSectorSize = on_sector_size,
	.xDeviceCharacteristics = on_characteristics,
	.xShmMap = on_shm_map,
	.xShmLock = on_shm_lock,
	.xShmBarrier = on_shm_barrier,
	.xShmUnmap = on_shm_unmap,
};

/* --- the VFS ----------------------------------------------------------------------- */

static sqlite3_vfs sealing, *under;

static int on_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags,
		   int *out_flags)
{
	struct file *f = (struct file *)file;
	int code;

	(void)vfs;
	memset(f, 0, sizeof *f);
	/* Everything else would be a page of plain text on disk: temporary files, journals. */
	if (!name || !(flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)))
		return SQLITE_CANTOPEN;
	f->kind = flags & SQLITE_OPEN_MAIN_DB ? KIND_PAGE : KIND_LOG;
	f->keys = keys_of((uint64_t)sqlite3_uri_int64(name, "seal", 0));
	if (!f->keys)
		return SQLITE_CANTOPEN;
	code = under->xOpen(under, name, real_of(file), flags, out_flags);
	if (code != SQLITE_OK)
		return code;
	f->scratch = memory_new(FRAME);
	f->base.pMethods = &methods;
	return SQLITE_OK;
}

static bool is_journal(const char *name)
{
	size_t size = strlen(name);

	return size > 8 && strcmp(name + size - 8, "-journal") == 0;
}

/* A journal beside our database is not ours, and its pages would be written into it. */
static int on_access(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
	(void)vfs;
	if (is_journal(name)) {
		*out = 0;
		return SQLITE_OK;
	}
	return under->xAccess(under, name, flags, out);
}

static int on_delete(sqlite3_vfs *vfs, const char *name, int sync_folder)
{
	(void)vfs;
	return is_journal(name) ? SQLITE_OK : under->xDelete(under, name, sync_folder);
}

/* Once: a second time it would be stacked upon itself. */
static void register_vfs(void)
{
	under = sqlite3_vfs_find(NULL);
	assert(under);
	sealing = *under;
	sealing.zName = "palique-seal";
	sealing.pNext = NULL;
	sealing.szOsFile = (int)sizeof(struct file) + under->szOsFile;
	sealing.xOpen = on_open;
	sealing.xAccess = on_access;
	sealing.xDelete = on_delete;
	if (sqlite3_vfs_register(&sealing, 0) != SQLITE_OK)
		abort();
}

const char *db_seal_vfs(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	if (sqlite3_initialize() != SQLITE_OK)
		abort();
	pthread_once(&once, register_vfs);
	return sealing.zName;
}

/* --- probing ----------------------------------------------------------------------- */

/* A log being walked as SQLite's recovery walks it (walIndexRecover in its wal.c). */
struct walk {
	const struct keys *keys;
	int fd;
	off_t at;
	uint8_t header[LOG_HEADER];
	uint8_t frame[FRAME];
	uint32_t sum[2];
	bool is_sealed;  /* the frame opens */
	bool is_current; /* it is of this log, not left over from an older one */
	bool is_whole;   /* neither the header nor a frame so far was bad */
};

/* https://sqlite.org/fileformat2.html#walcksm */
static void add_checksum(struct walk *w, const uint8_t *b, size_t size)
{
	bool is_big = w->header[3] & 1;

	for (size_t i = 0; i < size; i += 8) {
		uint32_t x = be32(b + i), y = be32(b + i + 4);

		w->sum[0] += (is_big ? x : __builtin_bswap32(x)) + w->sum[1];
		w->sum[1] += (is_big ? y : __builtin_bswap32(y)) + w->sum[0];
	}
}

static bool checksum_is(const struct walk *w, const uint8_t *b)
{
	return be32(b) == w->sum[0] && be32(b + 4) == w->sum[1];
}

static bool walk_begin(struct walk *w, const char *path)
{
	size_t room = strlen(path) + 5;
	char *log = memory_new(room);
	uint8_t salts[SALTS_SIZE], ad[AD_MAX];

	snprintf(log, room, "%s-wal", path);
	w->fd = open(log, O_RDONLY | O_CLOEXEC);
	free(log);
	if (w->fd < 0 || pread(w->fd, w->header, LOG_HEADER, 0) != LOG_HEADER)
		return false;
	w->at = LOG_HEADER;
	add_checksum(w, w->header, LOG_HEADER - 8);
	w->is_whole = checksum_is(w, w->header + LOG_HEADER - 8);
	/* Where the header is bad, the first frame tells which log this was. */
	if (!w->is_whole && pread(w->fd, w->frame, FRAME, w->at) == FRAME) {
		memcpy(salts, w->frame + SALTS, sizeof salts);
		if (unseal(w->keys, w->frame + FRAME_HEADER, ad_of_frame(ad, w->frame)))
			memcpy(w->header + LOG_SALTS, salts, sizeof salts);
	}
	return true;
}

static bool walk_next(struct walk *w)
{
	uint8_t ad[AD_MAX];

	if (pread(w->fd, w->frame, FRAME, w->at) != FRAME)
		return false;
	/* The salts of an older log differ in both halves; one flipped bit, in one. */
	w->is_current = memcmp(w->frame + 8, w->header + 16, 4) == 0 ||
			memcmp(w->frame + 12, w->header + 20, 4) == 0;
	w->is_sealed = unseal(w->keys, w->frame + FRAME_HEADER, ad_of_frame(ad, w->frame));
	cipher_checksum(w->keys, w->frame, w->at, true);
	w->at += FRAME;
	w->is_whole = w->is_whole && w->is_current && w->is_sealed;
	if (w->is_whole) {
		add_checksum(w, w->frame, 8);
		add_checksum(w, w->frame + FRAME_HEADER, PAGE);
	}
	w->is_whole = w->is_whole && checksum_is(w, w->frame + FRAME_BOUND);
	return true;
}

struct log_state {
	bool is_ours;          /* some frame opens */
	bool has_first;        /* SQLite will find the first page in it */
	unsigned commits_lost; /* finished transactions from a bad frame or header on */
	bool is_headless;      /* the header is bad: it is synced before any frame comes */
};

static void probe_log(struct log_state *out, const struct keys *k, const char *path)
{
	struct walk *w = memory_new(sizeof *w);
	bool first_is_written = false;

	*out = (struct log_state){ 0 };
	w->keys = k;
	if (!walk_begin(w, path))
		goto out;
	out->is_headless = !w->is_whole;
	while (walk_next(w)) {
		bool is_commit = be32(w->frame + 4) != 0;

		out->is_ours = out->is_ours || w->is_sealed;
		first_is_written = first_is_written || (w->is_whole && be32(w->frame) == 1);
		if (w->is_whole && is_commit)
			out->has_first = first_is_written;
		else if (w->is_current && is_commit)
			out->commits_lost++;
	}
out:
	if (w->fd >= 0)
		close(w->fd);
	sodium_memzero(w, sizeof *w);
	free(w);
}

/* Through the VFS beneath, for closing a descriptor of our own would drop the locks that
 * this process may hold on the file by another (fcntl(2)). Short files end in zeros. */
static bool read_first(uint8_t page[PAGE], const char *path)
{
	sqlite3_filename name = sqlite3_create_filename(path, "", "", 0, NULL);
	sqlite3_file *file = memory_new((size_t)under->szOsFile);
	int flags = SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_READONLY, code;

	if (!name)
		abort();
	memset(page, 0, PAGE);
	code = under->xOpen(under, name, file, flags, NULL);
	if (code == SQLITE_OK)
		code = file->pMethods->xRead(file, page, PAGE, 0);
	if (file->pMethods)
		file->pMethods->xClose(file);
	free(file);
	sqlite3_free_filename(name);
	return code == SQLITE_OK || code == SQLITE_IOERR_SHORT_READ;
}

enum db_seal_state db_seal_probe(const char *path, uint64_t ticket, bool is_durable)
{
	const struct keys *k = keys_of(ticket);
	uint8_t page[PAGE], copy[PAGE], ad[AD_MAX];
	struct log_state log;
	bool is_open;

	assert(k);
	(void)db_seal_vfs(); /* registered, so that there is one beneath */
	if (!read_first(page, path))
		return DB_SEAL_UNREADABLE;
	memcpy(copy, page, PAGE);
	is_open = unseal(k, copy, ad_of_page(ad, 1));
	sodium_memzero(copy, PAGE);
	probe_log(&log, k, path);
	if (!is_open && !log.has_first)
		return log.is_ours || is_our_nonce(k, page) ? DB_SEAL_DAMAGED
							    : DB_SEAL_OTHER_KEY;
	return is_durable && log.commits_lost > (log.is_headless ? 0 : 1) ? DB_SEAL_LOG_BROKEN
									  : DB_SEAL_OK;
}
