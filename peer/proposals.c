#include "peer/proposals.h"

#include <stdio.h>
#include <stdlib.h>

#include "peer/events.h"
#include "peer/rooms.h"
#include "peer/store.h"
#include "shared/error.h"

struct proposals {
	struct rooms *rooms;
};

static struct db *db_of(struct proposals *p)
{
	return store_db(p->rooms->store);
}

struct proposals *proposals_new(struct rooms *rooms)
{
	struct proposals *p = memory_new(sizeof *p);

	p->rooms = rooms;
	return p;
}

void proposals_free(struct proposals *p)
{
	free(p);
}

static int64_t count_of(struct proposals *p, uint64_t bot)
{
	struct statement *s = db_sql(db_of(p), "SELECT count(*) FROM proposal WHERE bot = ?");
	int64_t count = PROPOSALS_MAX; /* where it cannot be read */

	bind_int(s, 1, (int64_t)bot);
	if (db_step(s) == 1)
		count = column_int(s, 0);
	db_done(s);
	return count;
}

static void tell(struct proposals *p, enum event_kind kind, uint64_t id, const struct name *to,
		 const char *bot, bool is_approved)
{
	struct event e = { .kind = kind, .name = *to, .message_id = id };

	e.is_approved = is_approved;
	snprintf(e.detail, sizeof e.detail, "%s", bot);
	events_add(p->rooms->events, &e);
}

int proposals_add(struct proposals *p, struct proposal *what)
{
	struct statement *s;
	int err;

	if (count_of(p, what->bot) >= PROPOSALS_MAX)
		return ERR_FULL;
	store_write(p->rooms->store);
	s = db_sql(db_of(p), "INSERT INTO proposal(bot, contact, text, reply_to, buttons, at)"
			     " VALUES(?,?,?,?,?,?)");
	bind_int(s, 1, (int64_t)what->bot);
	bind_text(s, 2, what->to.text);
	bind_bytes(s, 3, what->text);
	bind_int(s, 4, (int64_t)what->reply_to);
	if (what->buttons.size > 0)
		bind_bytes(s, 5, what->buttons);
	bind_int(s, 6, what->at);
	err = store_run(p->rooms->store, s);
	if (err < 0)
		return err;
	what->id = (uint64_t)db_last_id(db_of(p));
	tell(p, EVENT_PROPOSAL, what->id, &what->to, what->name.text, false);
	return 0;
}

int proposals_walk(struct proposals *p, uint64_t id, proposals_each *each, void *user)
{
	struct statement *s = db_sql(
		db_of(p), "SELECT p.id, p.bot, bot.name, p.contact, p.text, p.reply_to,"
			  " p.buttons, p.at FROM proposal AS p"
			  " LEFT JOIN bot ON bot.id = p.bot WHERE ?1 = 0 OR p.id = ?1"
			  " ORDER BY p.id");
	bool is_found = false;
	int err;

	bind_int(s, 1, id <= INT64_MAX ? (int64_t)id : -1);
	while ((err = db_step(s)) == 1) {
		struct proposal one = {
			.id = (uint64_t)column_int(s, 0),
			.bot = (uint64_t)column_int(s, 1),
			.text = column_bytes(s, 4),
			.reply_to = (uint64_t)column_int(s, 5),
			.buttons = column_bytes(s, 6),
			.at = column_int(s, 7),
		};

		is_found = true;
		snprintf(one.name.text, sizeof one.name.text, "%s", column_text(s, 2));
		snprintf(one.to.text, sizeof one.to.text, "%s", column_text(s, 3));
		if (!each(user, &one))
			break;
	}
	db_done(s);
	return err < 0 ? err : id != 0 && !is_found ? ERR_NOT_FOUND : 0;
}

static bool ignore(void *user, const struct proposal *one)
{
	(void)user;
	(void)one;
	return false;
}

bool proposals_has(struct proposals *p, uint64_t id)
{
	return id != 0 && proposals_walk(p, id, ignore, NULL) == 0;
}

static bool keep(void *user, const struct proposal *one)
{
	*(struct proposal *)user = *one;
	return false;
}

int proposals_settle(struct proposals *p, uint64_t id, bool is_approved)
{
	struct proposal one = { 0 };
	int err = id == 0 ? ERR_NOT_FOUND : proposals_walk(p, id, keep, &one);
	struct statement *s;

	if (err < 0)
		return err;
	store_write(p->rooms->store);
	s = db_sql(db_of(p), "DELETE FROM proposal WHERE id = ?");
	bind_int(s, 1, (int64_t)id);
	err = store_run(p->rooms->store, s);
	if (err < 0)
		return err;
	tell(p, EVENT_SETTLED, id, &one.to, one.name.text, is_approved);
	return 0;
}

/* Faces that show them are told of each. */
void proposals_drop(struct proposals *p, uint64_t bot)
{
	struct statement *s;
	uint64_t next = 1;

	while (next != 0) {
		s = db_sql(db_of(p),
			   "SELECT id FROM proposal WHERE ?1 = 0 OR bot = ?1 LIMIT 1");
		bind_int(s, 1, (int64_t)bot);
		next = db_step(s) == 1 ? (uint64_t)column_int(s, 0) : 0;
		db_done(s);
		if (next != 0 && proposals_settle(p, next, false) < 0)
			return;
	}
}
