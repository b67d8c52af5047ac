#include "peer/history.h"

#include <stdio.h>
#include <string.h>

#include "peer/events.h"
#include "peer/store.h"
#include "shared/error.h"

#define MESSAGE_COLUMNS                                                                        \
	"SELECT m.id, contact.name, m.is_ours, chain.author, m.seq, m.sent_at, m.arrived_at,"  \
	" m.reply_to, m.body, m.seq <"                                                         \
	" CASE WHEN chain.is_ours THEN chain.delivered ELSE conversation.delivered END"        \
	" FROM message AS m, contact, chain, conversation WHERE contact.id = m.contact"        \
	" AND chain.id = m.chain AND conversation.id = chain.conversation"

static void read_message(struct statement *s, struct message *m)
{
	*m = (struct message){
		.id = (uint64_t)column_int(s, 0),
		.is_ours = column_int(s, 2),
		.seq = (uint64_t)column_int(s, 4),
		.sent_at = column_int(s, 5),
		.arrived_at = column_int(s, 6),
		.reply_to = (uint64_t)column_int(s, 7),
		.text = column_bytes(s, 8),
	};
	snprintf(m->contact.text, sizeof m->contact.text, "%s", column_text(s, 1));
	column_copy(s, 3, m->author.bytes, sizeof m->author.bytes);
	m->state = !m->is_ours        ? MESSAGE_RECEIVED
		   : column_int(s, 9) ? MESSAGE_DELIVERED
				      : MESSAGE_QUEUED;
}

/* Walks a bound query to its end. */
static int walk(struct statement *s, engine_each_message *each, void *user)
{
	struct message m;
	int err;

	while ((err = db_step(s)) == 1) {
		read_message(s, &m);
		if (!each(user, &m))
			break;
	}
	db_done(s);
	return err < 0 ? err : 0;
}

int history_newest(struct rooms *r, const struct person *p, uint64_t before, unsigned limit,
		   engine_each_message *each, void *user)
{
	struct statement *s = db_sql(store_db(r->store),
				     MESSAGE_COLUMNS " AND m.contact = ? AND m.id < ?"
						     " ORDER BY m.id DESC LIMIT ?");

	bind_int(s, 1, p->id);
	bind_int(s, 2, before && before < INT64_MAX ? (int64_t)before : INT64_MAX);
	bind_int(s, 3, limit);
	return walk(s, each, user);
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
	struct statement *s = db_sql(store_db(r->store), MESSAGE_COLUMNS " AND m.id = ?");
	struct one one = { each, user, false };
	int err;

	bind_int(s, 1, (int64_t)id);
	err = walk(s, on_one, &one);
	return err < 0 ? err : one.is_found ? 0 : ERR_NOT_FOUND;
}

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
	struct statement *s = db_sql(store_db(r->store), MESSAGE_COLUMNS
				     " AND m.id > ? AND m.id < ? ORDER BY m.id");

	bind_int(s, 1, after < INT64_MAX ? (int64_t)after : INT64_MAX);
	bind_int(s, 2, (int64_t)before);
	return walk(s, on_resumed, resume);
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
