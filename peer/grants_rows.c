/* Grants in the store, and what was said as others fetch it. */
#include <stdio.h>
#include <string.h>

#include "peer/grants_inside.h"
#include "peer/store.h"
#include "shared/frame.h"

static struct db *db_of(struct rooms *r)
{
	return store_db(r->store);
}

struct given given_read(struct rooms *r, const struct device_public *device)
{
	struct statement *s = db_sql(db_of(r),
				     "SELECT number, since, upto FROM given WHERE device = ?");
	struct given given = { 0 };

	bind_bytes(s, 1, BYTES(device->bytes));
	if (db_step(s) == 1) {
		given.number = (uint64_t)column_int(s, 0);
		given.since = column_int(s, 1);
		given.upto = (uint64_t)column_int(s, 2);
	}
	db_done(s);
	return given;
}

void given_write(struct rooms *r, const struct device_public *device, const struct given *given)
{
	struct statement *s;

	store_write(r->store);
	if (given->number == 0) {
		s = db_sql(db_of(r), "DELETE FROM given WHERE device = ?");
		bind_bytes(s, 1, BYTES(device->bytes));
		store_run(r->store, s);
		return;
	}
	s = db_sql(db_of(r), "INSERT OR REPLACE INTO given(device, number, since, upto)"
			     " VALUES(?,?,?,?)");
	bind_bytes(s, 1, BYTES(device->bytes));
	bind_int(s, 2, (int64_t)given->number);
	bind_int(s, 3, given->since);
	bind_int(s, 4, (int64_t)given->upto);
	store_run(r->store, s);
}

struct granted granted_read(struct rooms *r, const struct device_public *device)
{
	struct statement *s = db_sql(
		db_of(r), "SELECT number, at, is_over FROM granted WHERE device = ?");
	struct granted granted = { 0 };

	bind_bytes(s, 1, BYTES(device->bytes));
	if (db_step(s) == 1) {
		granted.number = (uint64_t)column_int(s, 0);
		granted.at = (uint64_t)column_int(s, 1);
		granted.is_over = column_int(s, 2);
	}
	db_done(s);
	return granted;
}

void granted_write(struct rooms *r, const struct device_public *device,
		   const struct granted *granted)
{
	struct statement *s;

	store_write(r->store);
	s = db_sql(db_of(r), "INSERT OR REPLACE INTO granted(device, number, at, is_over)"
			     " VALUES(?,?,?,?)");
	bind_bytes(s, 1, BYTES(device->bytes));
	bind_int(s, 2, (int64_t)granted->number);
	bind_int(s, 3, (int64_t)granted->at);
	bind_int(s, 4, granted->is_over);
	store_run(r->store, s);
}

int64_t grants_place(struct rooms *r)
{
	struct statement *s = db_sql(db_of(r),
				     "SELECT min(place) FROM message WHERE place <= 0");
	int64_t place = 0;

	if (db_step(s) == 1 && !column_is_null(s, 0))
		place = column_int(s, 0) - 1;
	db_done(s);
	return place;
}

/* The first id that may have arrived at `since` or later: arrival goes up with ids but for a clock that
 * was put back. */
static int64_t first_since(struct rooms *r, wall_ms since)
{
	struct statement *s = db_sql(db_of(r), "SELECT max(id) FROM message");
	int64_t low = 1, high = 0;

	if (since <= 0)
		return 1;
	if (db_step(s) == 1)
		high = column_int(s, 0);
	db_done(s);
	while (low <= high) {
		int64_t middle = low + (high - low) / 2, id = 0;
		wall_ms arrived = 0;

		s = db_sql(db_of(r), "SELECT id, arrived_at FROM message WHERE id >= ?"
				     " AND place > 0 ORDER BY id LIMIT 1");
		bind_int(s, 1, middle);
		if (db_step(s) == 1) {
			id = column_int(s, 0);
			arrived = column_int(s, 1);
		}
		db_done(s);
		if (id == 0 || arrived >= since)
			high = middle - 1;
		else
			low = id + 1;
	}
	return low;
}

/* What was said in a conversation whose other side is known, and neither disappears nor was deleted
 * here. Both ways to it: an index each. */
#define ENTRIES                                                                                \
	"SELECT m.place, contact.name, v.identity, v.ours, m.is_ours, m.arrived_at,"           \
	" CASE WHEN NOT m.is_ours THEN 1 WHEN chain.is_ours THEN chain.delivered"              \
	" ELSE v.delivered END, chain.read, chain.author, m.seq, m.sent_at, m.kind, m.about,"  \
	" m.flags, m.life, m.body, m.bot, m.buttons FROM message AS m, contact, chain, "       \
	"conversation AS v"                                                                    \
	" WHERE contact.id = m.contact AND chain.id = m.chain AND v.id = chain.conversation"   \
	" AND v.identity IS NOT NULL AND v.ours IS NOT NULL AND m.arrived_at >= ?"             \
	" AND (m.life = 0 OR m.kind = 6) AND (m.flags & 8) = 0"

/* `bodies` has room and does not move. */
static struct bytes keep(struct buf *bodies, struct bytes b)
{
	struct bytes kept = bytes_of(bodies->data + bodies->size, b.size);

	buf_append(bodies, b);
	return b.size > 0 ? kept : (struct bytes){ 0 };
}

static void read_say(struct statement *s, struct wire_told *told, struct buf *bodies)
{
	struct wire_say *say = &told->say;
	struct bytes about = column_bytes(s, 12), body = column_bytes(s, 15);

	column_copy(s, 8, say->author.bytes, sizeof say->author.bytes);
	say->seq = (uint64_t)column_int(s, 9);
	say->time = column_int(s, 10);
	say->kind = (enum say_kind)column_int(s, 11);
	say->is_about = about.size == 40;
	if (say->is_about) {
		memcpy(say->about_author.bytes, about.data, 32);
		for (size_t i = 32; i < 40; i++)
			say->about_seq = say->about_seq << 8 | about.data[i];
	}
	say->is_forwarded = column_int(s, 13) & ENTRY_FORWARDED;
	say->life = (uint32_t)column_int(s, 14);
	say->body = keep(bodies, body);
	say->bot = keep(bodies, column_bytes(s, 16));
	say->buttons = keep(bodies, column_bytes(s, 17));
}

static bool read_told(struct statement *s, struct wire_told *told, struct buf *bodies)
{
	*told = (struct wire_told){
		.at = (uint64_t)(column_int(s, 0) + GRANTS_AT),
		.is_ours = column_int(s, 4),
		.arrived_at = column_int(s, 5),
		.delivered = (uint64_t)column_int(s, 6),
		.read = (uint64_t)column_int(s, 7),
	};
	snprintf(told->contact.text, sizeof told->contact.text, "%s", column_text(s, 1));
	if (column_copy(s, 2, told->theirs.bytes, sizeof told->theirs.bytes) < 0 ||
	    column_copy(s, 3, told->ours.bytes, sizeof told->ours.bytes) < 0)
		return false;
	read_say(s, told, bodies);
	told->say.conversation = conversation_of(&told->theirs, &told->ours);
	return true;
}

/* Walks a bound query; true: to its end. */
static bool walk(struct statement *s, struct wire_history *part, struct buf *bodies)
{
	bool is_full = false;

	while (!is_full && db_step(s) == 1) {
		size_t size = bodies->size + column_bytes(s, 15).size +
			      column_bytes(s, 16).size + column_bytes(s, 17).size +
			      (part->count + 1) * GRANTS_ENTRY;

		is_full = part->count == WIRE_HISTORY_MAX || size > GRANTS_PART;
		if (!is_full && read_told(s, &part->list[part->count], bodies))
			part->count++;
	}
	db_done(s);
	return !is_full;
}

void grants_part(struct rooms *r, const struct given *given, uint64_t before,
		 struct wire_history *part, struct buf *bodies)
{
	int64_t place = before == 0 ? (int64_t)given->upto + 1 : (int64_t)before - GRANTS_AT;
	struct statement *s;

	part->count = 0;
	bodies->size = 0;
	buf_room(bodies, GRANTS_PART);
	if (place > 1) {
		s = db_sql(db_of(r), ENTRIES " AND m.id < ? AND m.id >= ? AND m.place > 0"
					     " ORDER BY m.id DESC LIMIT ?");
		bind_int(s, 1, given->since);
		bind_int(s, 2, place);
		bind_int(s, 3, first_since(r, given->since));
		bind_int(s, 4, WIRE_HISTORY_MAX + 1);
		if (!walk(s, part, bodies))
			return;
	}
	s = db_sql(db_of(r), ENTRIES " AND m.place <= 0 AND m.place < ?"
				     " ORDER BY m.place DESC LIMIT ?");
	bind_int(s, 1, given->since);
	bind_int(s, 2, place);
	bind_int(s, 3, WIRE_HISTORY_MAX + 1);
	walk(s, part, bodies);
}
