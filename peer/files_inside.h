/* Inside of files, from the bottom up: files_store.c has the rows; files_jobs.c what the worker is asked
 * for; files_parts.c what is to go of what came; files_told.c what both sides know of how a file stands
 * at the other; files_serve.c gives what others fetch; files_sources.c, files_get.c and files_waiting.c
 * fetch; files_offer.c looks at what is to be offered, and hears of what was; files.c has what faces ask and
 * the order of a step. */
#ifndef PALIQUE_PEER_FILES_INSIDE_H
#define PALIQUE_PEER_FILES_INSIDE_H

#include "peer/files.h"
#include "peer/filing.h"
#include "peer/way.h"

enum file_flag {
	FILE_FOLDER = 1,
	FILE_SPOOLED = 2,
	FILE_UNASKED = 4, /* nobody accepted it */
	FILE_NAMED = 8,   /* whole and checked: it gets, or has, the name `path` */
	FILE_AGAIN = 16,  /* begun anew once: the hash was another one */
	FILE_HERE = 32,   /* ours, offered by this device */
	/* Both have an index (peer/store.c): */
	FILE_UNCHECKED = 64, /* its thumbnail is not made anew yet, and shown to nobody */
	FILE_UNTOLD = 128, /* who offered it has not said that they know how it stands here; of
			      * ours: they have not said that they know that it is cancelled */
};

/* A row of the table. Texts are owned. */
struct file_row {
	uint8_t id[OFFER_ID_SIZE];
	uint64_t message;
	int64_t contact;
	bool is_ours;
	enum transfer_state state; /* never RUNNING or CHECKING: that is memory's */
	int error;
	uint64_t size, done, modified;
	wall_ms changed_at;
	char *path, *folder, *name; /* or NULL */
	unsigned flags;             /* enum file_flag */
	uint32_t files, manifest_size;
	bool has_hash;
	uint8_t hash[32];
};

/* --- files_store.c --- */

void file_row_clear(struct file_row *row);
/* 1: found, owned by the caller; 0: there is none; or an error. */
int file_row_find(struct files *f, const uint8_t id[OFFER_ID_SIZE], struct file_row *row);
int file_row_of_message(struct files *f, uint64_t message, struct file_row *row);
/* A new one, ERR_EXISTS where there is one of that id. `manifest`, `thumbnail` may be empty. */
int file_row_add(struct files *f, const struct file_row *row, struct bytes manifest,
		 struct bytes thumbnail);
void file_row_save(struct files *f, struct file_row *row);
void file_row_remove(struct files *f, const struct file_row *row);
/* Its author knows now how it stands here. */
void file_row_told(struct files *f, const uint8_t id[OFFER_ID_SIZE]);
void file_row_set_manifest(struct files *f, const struct file_row *row, struct bytes manifest);
void file_row_manifest(struct files *f, const struct file_row *row, struct buf *out);
/* It was looked at: `thumbnail` may be empty. */
void file_row_set_thumbnail(struct files *f, uint64_t message, struct bytes thumbnail);
/* Whose thumbnail is to be looked at: of the contact behind that of the number `after`, the oldest. 1: found;
 * 0: there is none; or an error. */
int file_row_unchecked(struct files *f, int64_t after, int64_t *contact, uint64_t *message);
unsigned file_rows_unchecked(struct files *f, int64_t contact, unsigned limit);
/* Which device said the message; false: there is none. */
bool file_author(struct files *f, const struct file_row *row, struct device_public *author);
/* EVENT_FILE; EVENT_PROGRESS. */
void file_tell(struct files *f, const struct file_row *row);
void file_tell_progress(struct files *f, const struct file_row *row);
struct person *files_person(const struct files *f, int64_t contact); /* or NULL */

/* Of so many bytes of the contents those that are of files: what is shown. */
uint64_t file_shown(const struct message_file *file, uint64_t bytes);

/* Bytes in a second, over the last few. */
struct file_rate {
	mono_ns at, told_at;
	uint64_t from, rate;
	bool has_begun;
};
void file_rate_begin(struct file_rate *r, uint64_t bytes, mono_ns now);
/* True: it is time to tell. */
bool file_rate_step(struct file_rate *r, uint64_t bytes, mono_ns now);

/* --- files_jobs.c --- */

/* With the answer; the task is owned by files_jobs.c, which frees it afterwards: what is to be kept is
 * taken out. */
typedef void files_done(struct files *f, void *owner, const struct job *answer);

/* Takes `task`: a struct filing_work, or (JOB_IMAGE) a struct image_work. `owner` NULL: nobody waits. */
void files_order(struct files *f, enum job_kind kind, void *task, files_done *done,
		 void *owner);
/* Goes before its work is done. */
void files_disown(struct files *f, const void *owner);
void files_jobs_clear(struct files *f);
bool files_is_removing(const struct files *f, const char *part);
/* What was spooled goes, once this step has committed. */
void files_remove_later(struct files *f, struct filing_work *work);
void files_remove_now(struct files *f, bool is_committed);

/* --- files_parts.c --- */

/* What has come of it goes when this is stored and nobody writes to it any more. */
void part_drop(struct files *f, const struct file_row *row);
/* It is wanted again. */
void part_keep(struct files *f, const struct file_row *row);
/* After the commit. */
void parts_release(struct files *f);

/* --- a stream of a link, as files hold it --- */

struct file_stream {
	uintptr_t way;
	uint64_t link_number;
	int64_t id;
	bool is_open;
};
/* The link that it is of; NULL: no more, and is_open is false then. */
struct link *file_stream_link(struct files *f, struct file_stream *s);
void file_stream_abandon(struct files *f, struct file_stream *s, enum files_code code);
/* As a frame; ERR_FULL. */
int file_stream_say(struct files *f, struct file_stream *s, const struct wire_message *m,
		    bool is_last);
/* 1: a message has come and was consumed; 0: not yet; below 0: the stream is broken, or has ended. */
int file_stream_hear(struct files *f, struct file_stream *s, struct wire_message *m);

/* --- files_serve.c --- */

struct serve;
void serve_ask(struct files *f, struct way *from, int64_t stream,
	       const struct wire_file_get *get);
bool serves_hear(struct files *f, const struct reach_stream *event);
mono_ns serves_step(struct files *f);
/* Nobody gets the file any more, with that reason. */
void serves_stop(struct files *f, const uint8_t id[OFFER_ID_SIZE], enum files_code code);
/* That device does not want it any more. */
void serves_stop_on(struct files *f, const uint8_t id[OFFER_ID_SIZE], const struct way *w);
bool serves_show(const struct files *f, struct message_file *file);
void serves_clear(struct files *f);

/* --- files_sources.c, files_get.c, files_waiting.c: what is fetched --- */

struct get;
bool gets_hear(struct files *f, const struct reach_stream *event);
mono_ns gets_step(struct files *f);
void gets_release(struct files *f);
/* What came is kept, and all is read again from the store. */
void gets_undo(struct files *f);
/* It is not to be fetched any more; what came is kept as far as possible, or not (`drop`). */
void gets_stop(struct files *f, const uint8_t id[OFFER_ID_SIZE], enum files_code code,
	       bool drop);
/* The contact, if it offered it, has taken it back: it fails where it is being fetched. True: it is whole already. */
bool gets_withdrawn(struct files *f, const uint8_t id[OFFER_ID_SIZE], int64_t contact);
/* Somebody wants it now. */
void gets_hurry(struct files *f, const uint8_t id[OFFER_ID_SIZE]);
bool gets_show(const struct files *f, struct message_file *file);
void gets_clear(struct files *f);

/* It is dialled, until the end of the next step at least. */
void files_ask(struct files *f, struct way *w);

/* --- files_told.c: how it stands there, and here --- */

/* How what we gave stands with one of them. */
struct arrival {
	uint8_t id[OFFER_ID_SIZE], hash[32];
	bool has_hash;
	bool is_whole;   /* what they take back is here, but for its place */
	int64_t contact; /* whose device it is; 0: another one of ours */
	int error;       /* 0: it is whole there; else as they said it */
	uintptr_t way;   /* where FILE_NOTED is due */
	uint64_t link_number;
};
/* What is said in FILE_STANDS after the commit, if the device is linked. */
struct stand {
	uint8_t id[OFFER_ID_SIZE];
	int64_t contact;
	struct device_public device;
	int error;
	bool is_said; /* by FILE_DONE */
};
/* A device that has not said that it knows. */
struct author {
	int64_t contact;
	struct device_public device;
	unsigned tries; /* links on which it was told */
};

/* Of a device that has said so: in our rows, now. False: there are too many, and it is not heard. */
bool told_add(struct files *f, const struct arrival *a);
void told_hear(struct files *f, struct way *from, const struct wire_file_stands *m,
	       bool is_whole);
/* Ours cannot be read any more, for that reason; tells. */
void told_broken(struct files *f, const uint8_t id[OFFER_ID_SIZE], int err);
/* Ours is being given: they have so much. */
void told_given(struct files *f, const uint8_t id[OFFER_ID_SIZE], uint64_t done);
/* One of theirs stands so, in its row with FILE_UNTOLD: its author hears of it, or (`is_said`) has been told. */
void told_stand(struct files *f, const struct file_row *row, const struct device_public *author,
		bool is_said);
/* Its row, which is to be saved, is cancelled: the other side hears of it. */
void told_cancelled(struct files *f, struct file_row *row);
/* What is not said yet of it does not hold any more. */
void told_forget(struct files *f, const uint8_t id[OFFER_ID_SIZE]);
void told_step(struct files *f);
/* Those who are to be told and are not linked are dialled. */
void told_ask(struct files *f);
void told_release(struct files *f);
void told_undo(struct files *f);
void told_clear(struct files *f);

/* --- files_offer.c --- */

struct sending;
void offers_news(struct files *f);
void offers_step(struct files *f);
void sendings_clear(struct files *f);

/* --- files_end.c --- */

/* Where a file is to go: `folder`, or where they all go; NULL: nowhere. The caller's. */
char *files_folder(struct files *f, const char *folder);
/* Nobody gives or fetches it any more; `drop`: with what came, or was spooled. */
void files_end(struct files *f, const struct file_row *row, enum files_code code, bool drop);

struct errand;
struct files {
	struct rooms *rooms;
	char *downloads; /* or NULL */
	struct buf scratch;

	struct errand **errands;
	unsigned errand_count, errands_out;
	uint64_t ticket;
	struct filing_work **removals;
	unsigned removal_count;
	bool has_dropped; /* parts, perhaps, which are to go after the next commit */

	struct serve *serves[FILES_SERVED];
	struct spare *spares;
	struct arrival *arrivals; /* heard, and not committed yet */
	unsigned arrival_count;
	bool is_arrival_lost; /* the commit that they were in failed */
	struct stand *stands;
	unsigned stand_count;
	struct author *authors;
	unsigned author_count;
	bool are_authors_known;
	struct get *gets[FILES_WAITING];
	uintptr_t *asked; /* ways that are to be dialled for files */
	unsigned asked_count;
	mono_ns looked_at;
	bool is_stale; /* the store may have others that wait to be fetched */
	struct sending *sendings[FILES_SENDING];

	bool has_unchecked,
		is_checking; /* thumbnails: some wait; that of `checked` is looked at, */
	uint64_t checked;
	int64_t checked_of; /* ... of this contact: another one's is the next */

	struct unasked *unasked; /* how much was fetched unasked of whom */
	unsigned unasked_count;
};

#endif
