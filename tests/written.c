#include "tests/written.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "shared/offer.h"

void written_sql(struct written *w, const char *sql, ...)
{
	char text[2048];
	va_list args;
	int err;

	va_start(args, sql);
	vsnprintf(text, sizeof text, sql, args);
	va_end(args);
	store_write(w->store);
	err = db_exec(store_db(w->store), text);
	assert(err == 0);
}

void written_begin(struct written *w, struct store *store, int64_t contact, uint64_t first_id)
{
	static const char *const authors[] = { "7474747474747474", "6f6f6f6f6f6f6f6f" };

	*w = (struct written){ .store = store, .contact = contact, .id = first_id - 1 };
	w->arrived_at = 1800000000000;
	written_sql(w, "INSERT INTO conversation(contact) VALUES(%lld)", (long long)contact);
	for (int i = 0; i < 2; i++) {
		w->next[i] = 1;
		written_sql(
			w,
			"INSERT INTO chain(conversation, author, next, last, is_ours)"
			" SELECT max(id), x'%s%s%s%s', 1, zeroblob(32), 0 FROM conversation",
			authors[i], authors[i], authors[i], authors[i]);
		w->chain[i] = db_last_id(store_db(store));
	}
}

static uint64_t write_row(struct written *w, bool is_ours, enum say_kind kind,
			  struct bytes body, int64_t place)
{
	struct statement *s;
	int result;

	store_write(w->store);
	s = db_sql(store_db(w->store),
		   "INSERT INTO message(id, contact, chain, seq, is_ours, sent_at, arrived_at,"
		   " kind, reply_to, body, place) VALUES(?,?,?,?,?,?,?,?,0,?,?)");
	bind_int(s, 1, (int64_t)++w->id);
	bind_int(s, 2, w->contact);
	bind_int(s, 3, w->chain[is_ours]);
	bind_int(s, 4, (int64_t)w->next[is_ours]++);
	bind_int(s, 5, is_ours);
	bind_int(s, 6, w->arrived_at);
	bind_int(s, 7, w->arrived_at);
	bind_int(s, 8, kind);
	bind_bytes(s, 9, body);
	bind_int(s, 10, place);
	result = store_run(w->store, s);
	assert(result == 1);
	return w->id;
}

uint64_t written_entry(struct written *w, bool is_ours, enum say_kind kind, struct bytes body)
{
	return write_row(w, is_ours, kind, body, (int64_t)w->id + 1);
}

uint64_t written_text(struct written *w, bool is_ours, const char *text)
{
	return written_entry(w, is_ours, SAY_TEXT, bytes_text(text));
}

uint64_t written_granted(struct written *w, bool is_ours, const char *text)
{
	return write_row(w, is_ours, SAY_TEXT, bytes_text(text), w->granted--);
}

uint64_t written_file(struct written *w, bool is_ours, const char *name, const char *caption,
		      const char *alt)
{
	struct offer offer = { .size = 1000,
			       .name = bytes_text(name),
			       .type = bytes_text("text/plain"),
			       .caption = bytes_text(caption),
			       .alt = bytes_text(alt) };
	struct buf body = { 0 };
	int err;

	memset(offer.id, (int)(w->id + 1), sizeof offer.id);
	err = offer_encode(&offer, &body);
	assert(err == 0);
	written_entry(w, is_ours, SAY_FILE, buf_view(&body));
	buf_clear(&body);
	return w->id;
}
