/* What is read of the store, and what goes out of it: history, search, rules how long things are kept. */
#include <sys/stat.h>

#include "peer/conversations.h"
#include "peer/engine_inside.h"
#include "peer/expiry.h"
#include "peer/files.h"
#include "peer/history.h"
#include "peer/marks.h"
#include "peer/persons.h"
#include "peer/search.h"
#include "peer/settings.h"
#include "peer/store.h"
#include "shared/error.h"

static int find(const struct engine *e, const char *text, struct person **p)
{
	struct name name;
	int err = name_parse(&name, bytes_text(text));

	*p = err < 0 ? NULL : persons_find(e->rooms.persons, &name);
	return err < 0 ? err : *p ? 0 : ERR_NOT_FOUND;
}

/* With how far its file is at this moment. */
struct shown {
	const struct files *files;
	engine_each_message *each;
	void *user;
};

static bool on_shown(void *user, const struct message *m)
{
	const struct shown *shown = user;
	struct message now = *m;

	files_show(shown->files, &now);
	return shown->each(shown->user, &now);
}

int engine_history(struct engine *e, const char *name, uint64_t before, unsigned limit,
		   engine_each_message *each, void *user)
{
	struct shown shown = { e->rooms.files, each, user };
	struct person *p;
	int err = find(e, name, &p);

	return err < 0 ? err : history_newest(&e->rooms, p, before, limit, on_shown, &shown);
}

int engine_history_after(struct engine *e, const char *name, uint64_t after, unsigned limit,
			 engine_each_message *each, void *user)
{
	struct shown shown = { e->rooms.files, each, user };
	struct person *p;
	int err = find(e, name, &p);

	return err < 0 ? err : history_after(&e->rooms, p, after, limit, on_shown, &shown);
}

int engine_message(struct engine *e, uint64_t id, engine_each_message *each, void *user)
{
	struct shown shown = { e->rooms.files, each, user };

	return history_one(&e->rooms, id, on_shown, &shown);
}

int engine_search(struct engine *e, const char *query, const char *name, uint64_t before,
		  unsigned limit, struct search_at *at, engine_each_hit *each, void *user)
{
	struct person *p = NULL;
	int err = name ? find(e, name, &p) : 0;

	return err < 0 ? err
		       : search_find(e->rooms.search, query, p, before, limit, at, each, user);
}

/* --- what goes --- */

/* The person of a message, and whether nobody but us has it. */
static int whose(struct engine *e, uint64_t id, struct person **p, bool *is_owed)
{
	struct statement *s = db_sql(
		store_db(e->rooms.store),
		"SELECT contact.name, m.is_ours AND m.seq >="
		"  CASE WHEN chain.is_ours THEN chain.delivered"
		"  ELSE conversation.delivered END"
		" FROM message AS m CROSS JOIN contact ON contact.id = m.contact"
		" CROSS JOIN chain ON chain.id = m.chain"
		" CROSS JOIN conversation ON conversation.id = chain.conversation"
		" WHERE m.id = ?");
	int err;

	*p = NULL;
	bind_int(s, 1, id <= INT64_MAX ? (int64_t)id : 0);
	err = db_step(s);
	if (err == 1)
		err = find(e, column_text(s, 0), p);
	else if (err == 0)
		err = ERR_NOT_FOUND;
	if (err == 0)
		*is_owed = column_int(s, 1);
	db_done(s);
	return err;
}

/* Out of sight at once; bodies go a little in each step, and what they have not got when they have it. `id` 0: all
 * that are shown. */
static void hide(struct engine *e, const struct person *p, uint64_t id)
{
	struct rooms *r = &e->rooms;
	struct statement *s;

	store_write(r->store);
	s = db_sql(store_db(r->store),
		   id ? "UPDATE message SET flags = flags | ?1, expires = ?2"
			" WHERE contact = ?3 AND id = ?4"
		      : "UPDATE message SET flags = flags | ?1, expires = ?2"
			" WHERE contact = ?3 AND ?4 = 0 AND " ENTRY_IS_SHOWN("message"));
	bind_int(s, 1, ENTRY_SILENT | ENTRY_DOOMED);
	bind_int(s, 2, expiry_at(r->expiry, r->wall, 0));
	bind_int(s, 3, p->id);
	bind_int(s, 4, (int64_t)id);
	store_run(r->store, s);
}

static int forget(struct engine *e, uint64_t id, struct person **p)
{
	bool is_owed = false;
	int err = whose(e, id, p, &is_owed);

	if (err < 0)
		return err;
	if (!is_owed)
		err = conversations_wipe(e->rooms.conversations, *p, id, ENTRY_SILENT);
	if (is_owed || err == ERR_STATE)
		hide(e, *p, id);
	return err == ERR_STATE ? 0 : err;
}

static bool is_shown(void *user, const struct message *m)
{
	(void)user;
	(void)m;
	return true;
}

int engine_forget_message(struct engine *e, uint64_t id)
{
	struct person *p;
	int err = history_one(&e->rooms, id, is_shown, NULL);

	if (err == 0)
		err = forget(e, id, &p);
	if (err < 0)
		return err;
	conversations_count_unread(e->rooms.conversations, p);
	return engine_settle(e);
}

int engine_forget_history(struct engine *e, const char *name)
{
	struct person *p;
	int err = find(e, name, &p);

	if (err < 0)
		return err;
	hide(e, p, 0);
	conversations_count_unread(e->rooms.conversations, p);
	return engine_settle(e);
}

/* A message that was hidden, or is kept no longer, leaves no mark; one that disappears does. */
static void let_go(struct engine *e, uint64_t id)
{
	struct rooms *r = &e->rooms;
	bool is_owed = false, is_hidden;
	struct statement *s;
	struct person *p;

	if (whose(e, id, &p, &is_owed) < 0)
		return;
	s = db_sql(store_db(r->store), "SELECT (flags & ?) <> 0, expires IS NULL OR life = 0, "
				       "life FROM message WHERE id = ?");
	bind_int(s, 1, ENTRY_SILENT);
	bind_int(s, 2, (int64_t)id);
	is_hidden = db_step(s) == 1 && (column_int(s, 0) || column_int(s, 1)); /* by a rule */
	/* What disappears does so whether they have got it or not. */
	is_owed = is_owed && column_int(s, 2) == 0;
	db_done(s);
	if (is_owed || conversations_wipe(r->conversations, p, id,
					  is_hidden ? ENTRY_SILENT : ENTRY_GONE) == ERR_STATE)
		expiry_later(r->expiry, id);
	else
		expiry_over(r->expiry, id);
	if (id > p->read_up_to)
		conversations_count_unread(r->conversations, p);
}

mono_ns engine_step_kept(struct engine *e)
{
	mono_ns deadline = expiry_step(e->rooms.expiry);
	uint64_t id;

	while (expiry_next(e->rooms.expiry, &id))
		let_go(e, id);
	return mono_earlier(deadline, search_step(e->rooms.search));
}

/* --- rules --- */

void engine_settings(const struct engine *e, struct engine_settings *out)
{
	settings_read(e->rooms.store, out);
}

enum notifications engine_notifications(const struct engine *e)
{
	return settings_notifications(e->rooms.store);
}

int engine_set_settings(struct engine *e, const struct engine_settings *settings)
{
	struct stat folder;
	struct person *p;

	if (settings->keep_days > EXPIRY_DAYS_MAX)
		return ERR_LIMIT;
	if (settings->downloads[0] &&
	    (settings->downloads[0] != '/' || stat(settings->downloads, &folder) < 0 ||
	     !S_ISDIR(folder.st_mode)))
		return ERR_NOT_FOUND;
	settings_write(e->rooms.store, settings);
	for (unsigned i = 0; (p = persons_at(e->rooms.persons, i)) != NULL; i++)
		marks_changed(e->rooms.marks, p);
	expiry_changed(e->rooms.expiry);
	return engine_settle(e);
}

int engine_contact_settings(const struct engine *e, const char *name,
			    struct contact_settings *out)
{
	struct statement *s;
	struct person *p;
	int err = find(e, name, &p);

	if (err < 0)
		return err;
	*out = (struct contact_settings){ -1, p->tells_read, p->is_hidden };
	s = db_sql(store_db(e->rooms.store), "SELECT keep_days FROM contact WHERE id = ?");
	bind_int(s, 1, p->id);
	if (db_step(s) == 1)
		out->keep_days = (int)column_int(s, 0);
	db_done(s);
	return 0;
}

int engine_set_keep(struct engine *e, const char *name, int days)
{
	struct statement *s;
	struct person *p;
	int err = find(e, name, &p);

	if (err < 0)
		return err;
	if (days < -1 || days > EXPIRY_DAYS_MAX)
		return ERR_LIMIT;
	store_write(e->rooms.store);
	s = db_sql(store_db(e->rooms.store), "UPDATE contact SET keep_days = ? WHERE id = ?");
	bind_int(s, 1, days);
	bind_int(s, 2, p->id);
	store_run(e->rooms.store, s);
	expiry_changed(e->rooms.expiry);
	return engine_settle(e);
}
