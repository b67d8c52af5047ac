#include "peer/history.h"

#include <stdio.h>
#include <string.h>

#include "peer/events.h"
#include "peer/expiry.h"
#include "peer/store.h"
#include "shared/error.h"
#include "shared/offer.h"

/* One for each column of MESSAGES. */
enum {
	AT_ID,
	AT_NAME,
	AT_OURS,
	AT_AUTHOR,
	AT_SEQ,
	AT_SENT,
	AT_ARRIVED,
	AT_KIND,
	AT_FLAGS,
	AT_REPLY,
	AT_REPLY_MISSING,
	AT_LIFE,
	AT_EXPIRES,
	AT_BODY,
	AT_DELIVERED,
	AT_READ,
	AT_EDITED,
	AT_EDIT,
	AT_MISSING,
	AT_REACTIONS_OURS,
	AT_REACTIONS_THEIRS,
	AT_FILE_STATE,
	AT_FILE_ERROR,
	AT_FILE_DONE,
	AT_FILE_PATH,
	AT_FILE_THUMBNAIL,
	AT_BOT,
	AT_BUTTONS,
	AT_SPEAKER,
};
_Static_assert(SAY_EDIT == 2 && SAY_RETRACT == 3 && SAY_REACT == 4 && SAY_TIMER == 6 &&
		       ENTRY_SILENT == 8,
	       "the numbers in ENTRY_IS_SHOWN");

#define MESSAGES                                                                               \
	"SELECT m.id, contact.name, m.is_ours, chain.author, m.seq, m.sent_at, m.arrived_at,"  \
	" m.kind, m.flags, m.target,"                                                          \
	" m.about IS NOT NULL AND m.target IS NULL, m.life, m.expires, m.body,"                \
	" m.seq <"                                                                             \
	" CASE WHEN chain.is_ours THEN chain.delivered ELSE conversation.delivered END,"       \
	" m.seq < chain.read, e.sent_at, e.body,"                                              \
	" (SELECT sum(gap.next - gap.first) FROM gap WHERE gap.chain = m.chain"                \
	"  AND gap.next = m.seq),"                                                             \
	" (SELECT text FROM reaction WHERE message = m.id AND is_ours = 1),"                   \
	" (SELECT text FROM reaction WHERE message = m.id AND is_ours = 0),"                   \
	" file.state, file.error, file.done, file.path, file.thumbnail, m.bot, m.buttons,"     \
	" m.speaker"                                                                           \
	" FROM message AS m CROSS JOIN contact ON contact.id = m.contact"                      \
	" CROSS JOIN chain ON chain.id = m.chain"                                              \
	" CROSS JOIN conversation ON conversation.id = chain.conversation"                     \
	" LEFT JOIN message AS e ON e.id = m.edit LEFT JOIN file ON file.message = m.id"       \
	" WHERE " ENTRY_IS_SHOWN("m")

/* A file's row may not be there (yet), and then it is only known what was offered. */
static void read_file(struct statement *s, struct message *m, struct bytes body)
{
	struct message_file *f = &m->file;
	struct offer offer;

	if (offer_decode(&offer, body) < 0) {
		m->kind = MESSAGE_UNKNOWN;
		return;
	}
	m->text = offer.caption;
	m->has_file = true;
	memcpy(f->id, offer.id, sizeof f->id);
	f->name = offer.name;
	f->type = offer.type;
	f->alt = offer.alt;
	f->size = offer.size - offer.manifest;
	f->manifest = offer.manifest;
	f->is_folder = offer.is_folder;
	f->files = offer.files;
	f->width = offer.width;
	f->height = offer.height;
	f->state = TRANSFER_OFFERED;
	if (column_is_null(s, AT_FILE_STATE))
		return;
	f->state = (enum transfer_state)column_int(s, AT_FILE_STATE);
	f->error = (int)column_int(s, AT_FILE_ERROR);
	f->done = (uint64_t)column_int(s, AT_FILE_DONE);
	f->done -= f->done < f->manifest ? f->done : f->manifest;
	f->path = column_bytes(s, AT_FILE_PATH);
	f->thumbnail = column_bytes(s, AT_FILE_THUMBNAIL); /* never the one that was said */
	if (f->state == TRANSFER_DONE)
		f->done = f->size;
}

static void read_said(struct statement *s, struct message *m)
{
	struct bytes body = column_bytes(s, AT_BODY);

	m->bot = column_bytes(s, AT_BOT);
	m->buttons = column_bytes(s, AT_BUTTONS);
	m->speaker = (uint64_t)column_int(s, AT_SPEAKER);
	m->our_reactions = column_bytes(s, AT_REACTIONS_OURS);
	m->their_reactions = column_bytes(s, AT_REACTIONS_THEIRS);
	switch (column_int(s, AT_KIND)) {
	case SAY_TEXT:
		m->kind = MESSAGE_TEXT;
		m->text = body;
		break;
	case SAY_FILE:
		m->kind = MESSAGE_FILE;
		read_file(s, m, body);
		break;
	default:
		m->kind = MESSAGE_UNKNOWN;
		return;
	}
	if (!column_is_null(s, AT_EDIT)) {
		m->is_edited = true;
		m->edited_at = column_int(s, AT_EDITED);
		m->text = column_bytes(s, AT_EDIT);
	}
}

static void read_message(struct rooms *r, struct statement *s, struct message *m)
{
	int64_t flags = column_int(s, AT_FLAGS);

	*m = (struct message){
		.id = (uint64_t)column_int(s, AT_ID),
		.is_ours = column_int(s, AT_OURS),
		.seq = (uint64_t)column_int(s, AT_SEQ),
		.sent_at = column_int(s, AT_SENT),
		.arrived_at = column_int(s, AT_ARRIVED),
		.reply_to = (uint64_t)column_int(s, AT_REPLY),
		.is_reply_missing = column_int(s, AT_REPLY_MISSING),
		.is_forwarded = flags & ENTRY_FORWARDED,
		.is_retracted = flags & ENTRY_RETRACTED,
		.is_gone = flags & (ENTRY_GONE | ENTRY_RETRACTED) ||
			   column_int(s, AT_KIND) == SAY_GONE,
		.life = (uint32_t)column_int(s, AT_LIFE),
		.missing = (uint64_t)column_int(s, AT_MISSING),
		.kind = MESSAGE_TEXT,
	};
	m->expires_at = expiry_shown(r->expiry, column_int(s, AT_EXPIRES));
	snprintf(m->contact.text, sizeof m->contact.text, "%s", column_text(s, AT_NAME));
	column_copy(s, AT_AUTHOR, m->author.bytes, sizeof m->author.bytes);
	m->state = !m->is_ours                   ? MESSAGE_RECEIVED
		   : column_int(s, AT_READ)      ? MESSAGE_READ
		   : column_int(s, AT_DELIVERED) ? MESSAGE_DELIVERED
						 : MESSAGE_QUEUED;
	if (!m->is_gone)
		read_said(s, m);
}

/* Walks a bound query to its end. */
static int walk(struct rooms *r, struct statement *s, engine_each_message *each, void *user)
{
	struct message m;
	int err;

	while ((err = db_step(s)) == 1) {
		read_message(r, s, &m);
		if (!each(user, &m))
			break;
	}
	db_done(s);
	return err < 0 ? err : 0;
}

int history_place(struct rooms *r, const struct person *p, uint64_t id, int64_t *place)
{
	struct statement *s = db_sql(store_db(r->store),
				     "SELECT place, contact FROM message WHERE id = ?");
	int err;

	bind_int(s, 1, id <= INT64_MAX ? (int64_t)id : 0);
	err = db_step(s);
	if (err == 1) {
		*place = column_int(s, 0);
		err = !p || column_int(s, 1) == p->id;
	}
	db_done(s);
	return err < 0 ? err : err == 1 ? 0 : ERR_NOT_FOUND;
}

static int page(struct rooms *r, struct statement *s, const struct person *p, int64_t from,
		unsigned limit, engine_each_message *each, void *user)
{
	bind_int(s, 1, p->id);
	bind_int(s, 2, from);
	bind_int(s, 3, limit);
	return walk(r, s, each, user);
}

int history_newest(struct rooms *r, const struct person *p, uint64_t before, unsigned limit,
		   engine_each_message *each, void *user)
{
	int64_t from = INT64_MAX;
	int err = before ? history_place(r, p, before, &from) : 0;

	if (err < 0)
		return err;
	return page(r,
		    db_sql(store_db(r->store), MESSAGES " AND m.contact = ? AND m.place < ?"
							" ORDER BY m.place DESC LIMIT ?"),
		    p, from, limit, each, user);
}

int history_after(struct rooms *r, const struct person *p, uint64_t after, unsigned limit,
		  engine_each_message *each, void *user)
{
	int64_t from = INT64_MIN;
	int err = after ? history_place(r, p, after, &from) : 0;

	if (err < 0)
		return err;
	return page(r,
		    db_sql(store_db(r->store), MESSAGES " AND m.contact = ? AND m.place > ?"
							" ORDER BY m.place LIMIT ?"),
		    p, from, limit, each, user);
}

struct one {
	engine_each_message *each;
	void *user;
	bool is_found;
};

static bool on_one(void *user, const struct message *m)
{
	struct one *one = user;

	one->is_found = true;
	return one->each(one->user, m);
}

int history_one(struct rooms *r, uint64_t id, engine_each_message *each, void *user)
{
	struct statement *s = db_sql(store_db(r->store), MESSAGES " AND m.id = ?");
	struct one one = { each, user, false };
	int err;

	bind_int(s, 1, id <= INT64_MAX ? (int64_t)id : 0);
	err = walk(r, s, on_one, &one);
	return err < 0 ? err : one.is_found ? 0 : ERR_NOT_FOUND;
}

/* --- events --- */

struct resume {
	engine_each_event *each;
	void *user;
	bool is_over;
};

static bool on_resumed(void *user, const struct message *m)
{
	struct resume *resume = user;
	struct event e = {
		.id = m->id,
		.kind = m->is_ours ? EVENT_SAID : EVENT_HEARD,
		.name = m->contact,
		.message = *m,
	};

	resume->is_over = !resume->each(resume->user, &e);
	return !resume->is_over;
}

/* Messages are events under their own id: those strictly between two numbers. */
static int resume_messages(struct rooms *r, uint64_t after, uint64_t before,
			   struct resume *resume)
{
	struct statement *s = db_sql(store_db(r->store),
				     MESSAGES " AND m.id > ? AND m.id < ? AND m.place > 0"
					      " ORDER BY m.id");

	bind_int(s, 1, after < INT64_MAX ? (int64_t)after : INT64_MAX);
	bind_int(s, 2, (int64_t)before);
	return walk(r, s, on_resumed, resume);
}

int history_since(struct rooms *r, uint64_t since, engine_each_event *each, void *user)
{
	struct resume resume = { each, user, false };
	struct event e;
	int err = 1;

	while (err == 1 && !resume.is_over) {
		int told;

		err = events_read(r->events, since, &e);
		if (err < 0)
			return err;
		told = resume_messages(r, since, err == 1 ? e.id : INT64_MAX, &resume);
		if (told < 0)
			return told;
		if (err == 1 && !resume.is_over) {
			resume.is_over = !each(user, &e);
			since = e.id;
		}
	}
	return 0;
}
