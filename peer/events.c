#include "peer/events.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/error.h"

/* Answers and messages come by the ten thousand, the rest rarely: only these carry the
 * whole struct. */
struct item {
	enum event_kind kind;
	int error;
	uint64_t ticket, message_id;
	struct message message;
	size_t text;         /* where in the arena */
	struct event *other; /* owned */
};

struct events {
	struct store *store;
	uint64_t last; /* taken */
	uint64_t last_released;
	uint64_t pruned; /* rows were last dropped at this number */
	struct item *items;
	size_t head, released, count, capacity;
	struct buf texts; /* arena: emptied when the queue is */
	struct buf shown; /* the text handed out last */
};

static uint64_t stored_last(struct events *v)
{
	struct statement *s = db_sql(store_db(v->store),
				     "SELECT max(coalesce((SELECT max(id) FROM message), 0),"
				     " coalesce((SELECT max(id) FROM event), 0))");
	int err = db_step(s);
	uint64_t last = err == 1 ? (uint64_t)column_int(s, 0) : v->last_released;

	db_done(s);
	store_failed(v->store,
		     err); /* numbers that begin anew would stand before what is there */
	return last;
}

struct events *events_new(struct store *store)
{
	struct events *v = memory_new(sizeof *v);

	v->store = store;
	v->last = v->last_released = v->pruned = stored_last(v);
	return v;
}

void events_free(struct events *v)
{
	if (!v)
		return;
	for (size_t i = v->head; i < v->count; i++)
		free(v->items[i].other);
	free(v->items);
	buf_clear(&v->shown);
	buf_clear(&v->texts);
	free(v);
}

uint64_t events_number(struct events *v)
{
	return ++v->last;
}

uint64_t events_last(const struct events *v)
{
	return v->last_released;
}

static struct item *item_new(struct events *v, enum event_kind kind)
{
	struct item *item;

	if (v->count == v->capacity) {
		v->capacity = v->capacity ? v->capacity * 2 : 64;
		v->items = memory_grow(v->items, v->capacity, sizeof *v->items);
	}
	item = &v->items[v->count++];
	memset(item, 0, sizeof *item);
	item->kind = kind;
	return item;
}

void events_message(struct events *v, enum event_kind kind, const struct message *m)
{
	struct item *item = item_new(v, kind);

	item->message = *m;
	item->text = v->texts.size;
	buf_append(&v->texts, m->text);
	buf_append(&v->texts, m->bot);
	buf_append(&v->texts, m->buttons);
	if (!m->has_file)
		return;
	buf_append(&v->texts, m->file.name);
	buf_append(&v->texts, m->file.type);
	buf_append(&v->texts, m->file.alt);
}

static void write_row(struct events *v, const struct event *e)
{
	struct buf remote = { 0 };
	struct statement *s;

	store_write(v->store);
	s = db_sql(store_db(v->store),
		   "INSERT INTO event(id, kind, name, is_online, account, message, remote,"
		   " round_trip, greeting, detail, change)"
		   " VALUES(?,?,?,?,?,?,?,?,?,?,?)");
	bind_int(s, 1, (int64_t)e->id);
	bind_int(s, 2, e->kind);
	bind_text(s, 3, e->name.text);
	bind_int(s, 4, e->fact);
	bind_int(s, 5, e->account);
	bind_int(s, 6, (int64_t)e->message_id);
	if (e->path.remote.family && address_encode(&e->path.remote, &remote) == 0)
		bind_bytes(s, 7, buf_view(&remote));
	bind_int(s, 8, (int64_t)e->round_trip);
	bind_text(s, 9, e->greeting);
	bind_text(s, 10, e->detail);
	bind_int(s, 11, e->change);
	store_run(v->store, s);
	buf_clear(&remote);
}

/* Now and then, so that the table stays small. */
static void prune(struct events *v)
{
	struct statement *s;

	if (v->last < v->pruned + EVENTS_KEPT / 10 || v->last <= EVENTS_KEPT)
		return;
	s = db_sql(store_db(v->store), "DELETE FROM event WHERE id <= ?");
	bind_int(s, 1, (int64_t)(v->last - EVENTS_KEPT));
	store_run(v->store, s);
	v->pruned = v->last;
}

void events_add(struct events *v, const struct event *event)
{
	struct item *item = item_new(v, event->kind);

	item->other = memory_new(sizeof *item->other);
	*item->other = *event;
	item->other->id = events_number(v);
	write_row(v, item->other);
	prune(v);
}

void events_pass(struct events *v, const struct event *event)
{
	struct item *item = item_new(v, event->kind);

	item->other = memory_new(sizeof *item->other);
	*item->other = *event;
	item->other->id = 0;
}

void events_warn(struct events *v, const struct name *about, const char *detail)
{
	struct event e = { .kind = EVENT_WARNING };

	if (about)
		e.name = *about;
	snprintf(e.detail, sizeof e.detail, "%s", detail);
	events_add(v, &e);
}

void events_answer(struct events *v, uint64_t ticket, int error, const char *detail,
		   uint64_t message_id)
{
	struct item *item = item_new(v, EVENT_ANSWER);

	item->ticket = ticket;
	item->error = error;
	item->message_id = message_id;
	if (detail) {
		item->other = memory_new(sizeof *item->other);
		snprintf(item->other->detail, sizeof item->other->detail, "%s", detail);
	}
}

void events_answer_said(struct events *v, uint64_t ticket, uint64_t message_id, wall_ms sent_at)
{
	events_answer(v, ticket, 0, NULL, message_id);
	v->items[v->count - 1].message.sent_at = sent_at;
}

void events_left_out(struct events *v, uint32_t links, uint32_t others)
{
	v->items[v->count - 1].message.file.links = links;
	v->items[v->count - 1].message.file.others = others;
}

void events_release(struct events *v)
{
	v->released = v->count;
	v->last_released = v->last;
}

void events_drop(struct events *v, int err)
{
	size_t kept = v->released;

	for (size_t i = v->released; i < v->count; i++) {
		struct item *item = &v->items[i];

		if (item->kind != EVENT_ANSWER) {
			free(item->other);
			continue;
		}
		if (item->error == 0) {
			item->error = err;
			item->message_id = 0;
		}
		v->items[kept++] = *item;
	}
	v->count = v->released = kept;
	v->last = v->last_released = stored_last(v);
}

/* The texts lie one behind the other. */
static void show_texts(struct events *v, const struct item *item, struct message *m)
{
	struct bytes *const texts[] = { &m->text,      &m->bot,       &m->buttons,
					&m->file.name, &m->file.type, &m->file.alt };
	size_t count = m->has_file ? sizeof texts / sizeof *texts : 3, size = 0;

	for (size_t i = 0; i < count; i++)
		size += texts[i]->size;
	v->shown.size = 0;
	buf_append(&v->shown, bytes_of(v->texts.data + item->text, size));
	size = 0;
	for (size_t i = 0; i < count; i++) {
		*texts[i] = bytes_of(v->shown.data + size, texts[i]->size);
		size += texts[i]->size;
	}
}

static void show(struct events *v, struct item *item, struct event *out)
{
	memset(out, 0, offsetof(struct event, greeting));
	out->greeting[0] = out->detail[0] = '\0';
	if (item->other) {
		*out = *item->other;
		free(item->other);
		item->other = NULL;
	}
	out->kind = item->kind;
	if (item->kind == EVENT_ANSWER) {
		out->ticket = item->ticket;
		out->error = item->error;
		out->message_id = item->message_id;
		out->message.sent_at = item->message.sent_at;
		out->message.file.links = item->message.file.links;
		out->message.file.others = item->message.file.others;
	} else if (item->kind == EVENT_SAID || item->kind == EVENT_HEARD) {
		out->id = item->message.id;
		out->name = item->message.contact;
		out->message = item->message;
		show_texts(v, item, &out->message);
	}
}

bool events_next(struct events *v, struct event *out)
{
	if (v->head == v->released) {
		if (v->head == v->count) {
			v->head = v->released = v->count = 0;
			v->texts.size = 0;
		}
		return false;
	}
	show(v, &v->items[v->head++], out);
	return true;
}

int events_read(struct events *v, uint64_t after, struct event *out)
{
	struct statement *s = db_sql(
		store_db(v->store),
		"SELECT id, kind, name, is_online, account, message, remote,"
		" round_trip, greeting, detail, change FROM event WHERE id > ?"
		" ORDER BY id LIMIT 1");
	int err;

	memset(out, 0, sizeof *out);
	bind_int(s, 1, (int64_t)after);
	err = db_step(s);
	if (err == 1) {
		out->id = (uint64_t)column_int(s, 0);
		out->kind = (enum event_kind)column_int(s, 1);
		snprintf(out->name.text, sizeof out->name.text, "%s", column_text(s, 2));
		out->fact = column_int(s, 3);
		out->account = (enum account_state)column_int(s, 4);
		if (out->kind > EVENT_LAST || out->account > ACCOUNT_REFUSED)
			err = ERR_CORRUPT; /* a table of another making */
		out->message_id = (uint64_t)column_int(s, 5);
		if (!column_is_null(s, 6))
			address_decode(&out->path.remote, column_bytes(s, 6));
		out->round_trip = (mono_ns)column_int(s, 7);
		snprintf(out->greeting, sizeof out->greeting, "%s", column_text(s, 8));
		snprintf(out->detail, sizeof out->detail, "%s", column_text(s, 9));
		out->change = (enum message_change)column_int(s, 10);
	}
	db_done(s);
	return err;
}
