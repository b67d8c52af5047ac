#include "shared/db_seal.h"

#include <assert.h>
#include <pthread.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "shared/page.h"
#include "shared/page_log.h"

enum { START = 100 }; /* SQLite reads so much of the first page when it opens a file */
enum kind { KIND_FILE, KIND_LOG };

/* --- lent keys --------------------------------------------------------------------- */

struct lent {
	struct lent *next;
	uint64_t ticket;
	struct page_keys *keys; /* guarded memory */
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
	page_keys_make(l->keys, key);
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
static const struct page_keys *keys_of(uint64_t ticket)
{
	const struct page_keys *keys = NULL;

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
	const struct page_keys *keys;
	uint8_t header[PAGE_FRAME_HEADER]; /* last frame header written ... */
	int64_t header_at;                 /* ... and where; 0: none */
	uint8_t *scratch;                  /* PAGE_FRAME bytes */
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
	out[16] = PAGE_BYTES >> 8;
	out[18] = out[19] = 2; /* WAL */
	out[20] = PAGE_RESERVED;
	out[21] = 64;
	out[22] = out[23] = 32;
}

static int read_page(struct file *f, uint8_t *out, int size, int64_t offset)
{
	sqlite3_file *real = real_of(&f->base);
	int64_t number = offset / PAGE_BYTES + 1;
	int within = (int)(offset % PAGE_BYTES);
	uint8_t *page = size == PAGE_BYTES ? out : f->scratch;
	uint8_t ad[PAGE_AD_MAX];
	int code;

	if (within + size > PAGE_BYTES || number > UINT32_MAX)
		return SQLITE_IOERR_READ;
	code = real->pMethods->xRead(real, page, PAGE_BYTES, offset - within);
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
	if (!page_open(f->keys, page, page_ad(ad, (uint32_t)number))) {
		memset(out, 0, (size_t)size);
		return SQLITE_IOERR_DATA;
	}
	if (page != out) {
		memcpy(out, page + within, (size_t)size);
		sodium_memzero(page, PAGE_BYTES);
	}
	return SQLITE_OK;
}

/* The AD of a frame whose header is `header`. While SQLite writes pages of one transaction
 * over again, it leaves the salts of frame headers zero until the commit: they are then
 * taken from the log's own header, which cannot change meanwhile. */
static int ad_in_log(struct file *f, uint8_t ad[PAGE_AD_MAX],
		     const uint8_t header[PAGE_FRAME_HEADER])
{
	sqlite3_file *real = real_of(&f->base);

	page_frame_ad(ad, header);
	if (!sodium_is_zero(header + PAGE_SALTS, PAGE_SALTS_SIZE))
		return SQLITE_OK;
	return real->pMethods->xRead(real, ad + 1 + PAGE_SALTS, PAGE_SALTS_SIZE,
				     PAGE_LOG_SALTS);
}

/* SQLite reads of a log: its header; the checksum of a frame; the page of a frame; a whole
 * frame, when it recovers the log or computes the checksums anew. */
static int read_log(struct file *f, uint8_t *out, int size, int64_t offset)
{
	sqlite3_file *real = real_of(&f->base);
	int64_t within = (offset - PAGE_LOG_HEADER) % PAGE_FRAME, start = offset - within;
	bool is_sealed;
	uint8_t ad[PAGE_AD_MAX];
	int code;

	if (offset < PAGE_LOG_HEADER)
		return offset + size <= PAGE_LOG_HEADER
			       ? real->pMethods->xRead(real, out, size, offset)
			       : SQLITE_IOERR_READ;
	if (within + size > PAGE_FRAME)
		return SQLITE_IOERR_READ;
	if (within + size <= PAGE_FRAME_HEADER) {
		code = real->pMethods->xRead(real, f->scratch, PAGE_FRAME_HEADER, start);
		if (code == SQLITE_OK) {
			page_cipher_checksum(f->keys, f->scratch, start, true);
			memcpy(out, f->scratch + within, (size_t)size);
		}
		return code;
	}
	code = real->pMethods->xRead(real, f->scratch, PAGE_FRAME, start);
	if (code != SQLITE_OK)
		return code;
	code = ad_in_log(f, ad, f->scratch);
	if (code != SQLITE_OK)
		return code;
	is_sealed = page_open(f->keys, f->scratch + PAGE_FRAME_HEADER,
			      bytes_of(ad, PAGE_AD_MAX));
	page_cipher_checksum(f->keys, f->scratch, start, true);
	if (!is_sealed && within >= PAGE_FRAME_HEADER) {
		memset(out, 0, (size_t)size);
		return SQLITE_IOERR_DATA;
	}
	/* A frame that was torn, or never finished, ends the log: with other salts than the
	 * log's, SQLite takes it for the rest of an older log. */
	for (int i = PAGE_SALTS; !is_sealed && i < PAGE_FRAME_BOUND; i++)
		f->scratch[i] ^= 0xff;
	memcpy(out, f->scratch + within, (size_t)size);
	sodium_memzero(f->scratch, PAGE_FRAME);
	return SQLITE_OK;
}

static int on_read(sqlite3_file *file, void *out, int size, sqlite3_int64 offset)
{
	struct file *f = (struct file *)file;

	return f->kind == KIND_FILE ? read_page(f, out, size, offset)
				    : read_log(f, out, size, offset);
}

static int write_page(struct file *f, const uint8_t *in, int size, int64_t offset)
{
	sqlite3_file *real = real_of(&f->base);
	uint8_t ad[PAGE_AD_MAX];

	if (size != PAGE_BYTES || offset % PAGE_BYTES || offset / PAGE_BYTES >= UINT32_MAX)
		return SQLITE_IOERR_WRITE;
	page_seal(f->keys, f->scratch, in, page_ad(ad, (uint32_t)(offset / PAGE_BYTES + 1)));
	return real->pMethods->xWrite(real, f->scratch, PAGE_BYTES, offset);
}

static int write_log(struct file *f, const uint8_t *in, int size, int64_t offset)
{
	sqlite3_file *real = real_of(&f->base);
	int64_t within = (offset - PAGE_LOG_HEADER) % PAGE_FRAME, start = offset - within;
	uint8_t ad[PAGE_AD_MAX];
	int code;

	if (offset == 0 && size == PAGE_LOG_HEADER) {
		f->header_at = 0;
		return real->pMethods->xWrite(real, in, size, offset);
	}
	if (offset >= PAGE_LOG_HEADER && within == 0 && size == PAGE_FRAME_HEADER) {
		memcpy(f->header, in, PAGE_FRAME_HEADER);
		f->header_at = start;
		memcpy(f->scratch, in, PAGE_FRAME_HEADER);
		page_cipher_checksum(f->keys, f->scratch, start, false);
		return real->pMethods->xWrite(real, f->scratch, PAGE_FRAME_HEADER, offset);
	}
	if (offset < PAGE_LOG_HEADER || within != PAGE_FRAME_HEADER || size != PAGE_BYTES)
		return SQLITE_IOERR_WRITE;
	/* Within one transaction SQLite writes a page over its older version in the log and
	 * leaves that frame's header as it is: which page it is stands only on disk. */
	if (f->header_at != start) {
		code = real->pMethods->xRead(real, f->header, PAGE_FRAME_HEADER, start);
		if (code != SQLITE_OK)
			return code == SQLITE_IOERR_SHORT_READ ? SQLITE_IOERR_WRITE : code;
		f->header_at = start;
	}
	code = ad_in_log(f, ad, f->header);
	if (code != SQLITE_OK)
		return code == SQLITE_IOERR_SHORT_READ ? SQLITE_IOERR_WRITE : code;
	page_seal(f->keys, f->scratch, in, bytes_of(ad, PAGE_AD_MAX));
	return real->pMethods->xWrite(real, f->scratch, PAGE_BYTES, offset);
}

static int on_write(sqlite3_file *file, const void *in, int size, sqlite3_int64 offset)
{
	struct file *f = (struct file *)file;

	return f->kind == KIND_FILE ? write_page(f, in, size, offset)
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
		sodium_memzero(f->scratch, PAGE_FRAME);
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
	return PAGE_BYTES;
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
	f->kind = flags & SQLITE_OPEN_MAIN_DB ? KIND_FILE : KIND_LOG;
	f->keys = keys_of((uint64_t)sqlite3_uri_int64(name, "seal", 0));
	if (!f->keys)
		return SQLITE_CANTOPEN;
	code = under->xOpen(under, name, real_of(file), flags, out_flags);
	if (code != SQLITE_OK)
		return code;
	f->scratch = memory_new(PAGE_FRAME);
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
	/* Nobody asks how much it holds, and to count it costs two locks for each piece. Where somebody has
	 * begun it before us (tests), it stays as it is. */
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	if (sqlite3_initialize() != SQLITE_OK)
		abort();
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

	pthread_once(&once, register_vfs);
	return sealing.zName;
}

/* Through the VFS beneath, for closing a descriptor of our own would drop the locks that
 * this process may hold on the file by another (fcntl(2)). Short files end in zeros. */
static bool read_first(uint8_t page[PAGE_BYTES], const char *path)
{
	sqlite3_filename name = sqlite3_create_filename(path, "", "", 0, NULL);
	sqlite3_file *file = memory_new((size_t)under->szOsFile);
	int flags = SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_READONLY, code;

	if (!name)
		abort();
	memset(page, 0, PAGE_BYTES);
	code = under->xOpen(under, name, file, flags, NULL);
	if (code == SQLITE_OK)
		code = file->pMethods->xRead(file, page, PAGE_BYTES, 0);
	if (file->pMethods)
		file->pMethods->xClose(file);
	free(file);
	sqlite3_free_filename(name);
	return code == SQLITE_OK || code == SQLITE_IOERR_SHORT_READ;
}

enum db_seal_state db_seal_probe(const char *path, uint64_t ticket, bool is_durable)
{
	const struct page_keys *k = keys_of(ticket);
	uint8_t page[PAGE_BYTES], copy[PAGE_BYTES], ad[PAGE_AD_MAX];
	struct page_log log;
	bool is_open;

	assert(k);
	(void)db_seal_vfs(); /* registered, so that there is one beneath */
	if (!read_first(page, path))
		return DB_SEAL_UNREADABLE;
	memcpy(copy, page, PAGE_BYTES);
	is_open = page_open(k, copy, page_ad(ad, 1));
	sodium_memzero(copy, PAGE_BYTES);
	page_log_look(&log, k, path);
	if (!is_open && !log.has_first)
		return log.is_ours || page_is_ours(k, page) ? DB_SEAL_DAMAGED
							    : DB_SEAL_OTHER_KEY;
	return is_durable && log.commits_lost > (log.is_headless ? 0 : 1) ? DB_SEAL_LOG_BROKEN
									  : DB_SEAL_OK;
}
