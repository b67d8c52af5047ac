#include "peer/expiry.h"

#include <stdlib.h>

#include "peer/candidates.h"
#include "peer/settings.h"
#include "peer/store.h"
#include "shared/error.h"

#define LOOK_EVERY  (60 * SECOND)   /* at the clocks */
#define SWEEP_EVERY (3600 * SECOND) /* by the rules */
#define DOUBT       (5 * SECOND)    /* until it is known whether the machine slept */
#define AGAIN       ((wall_ms)3600 * 1000)
enum { DAY = 24 * 3600 * 1000 };

/* What the clocks said at one moment; the wall clock of a store without one is believed. */
struct reading {
	mono_ns now;
	wall_ms wall;
	uint32_t wakes;
	int64_t next; /* id: no message has it or a greater one yet */
};

struct expiry {
	struct rooms *rooms;
	struct reading last;
	wall_ms shift;    /* the wall clock is so much before ours */
	wall_ms seen;     /* the wall clock of `seen` in the store */
	bool is_in_doubt; /* the wall clock leapt: nothing is due before it is clear why */
	mono_ns look_at, sweep_at;
	mono_ns find_at; /* a deadline has come then, at the earliest */
	uint64_t due[EXPIRY_BATCH];
	unsigned count, taken;
};

/* --- the clock --- */

static uint32_t wakes(const struct expiry *x)
{
	return own_candidates_network(x->rooms->candidates)->wakes;
}

/* How much the wall clock went on more than the time did. */
static wall_ms leapt(const struct expiry *x)
{
	return x->rooms->wall - x->last.wall -
	       (wall_ms)((x->rooms->now - x->last.now) / MILLISECOND);
}

static bool is_clear(const struct expiry *x)
{
	wall_ms leap = leapt(x);

	return leap < EXPIRY_LEAP && leap > -EXPIRY_LEAP;
}

static wall_ms ours(const struct expiry *x)
{
	return x->rooms->wall - x->shift;
}

static struct reading read_clocks(const struct expiry *x)
{
	struct statement *s = db_sql(store_db(x->rooms->store),
				     "SELECT coalesce(max(id), 0) + 1 FROM message");
	struct reading reading = { x->rooms->now, x->rooms->wall, wakes(x), 1 };

	if (db_step(s) == 1)
		reading.next = column_int(s, 0);
	db_done(s);
	return reading;
}

/* The first message that came after a leap of the wall clock, or the next one. */
static int64_t first_after(const struct expiry *x, wall_ms leap)
{
	struct statement *s = db_sql(
		store_db(x->rooms->store),
		"SELECT coalesce(min(id), (SELECT coalesce(max(id), 0) + 1 FROM message))"
		" FROM message WHERE id >= ? AND place > 0 AND abs(arrived_at - ?) > ?");
	int64_t id;

	bind_int(s, 1, x->last.next);
	bind_int(s, 2, x->last.wall);
	bind_int(s, 3, (leap < 0 ? -leap : leap) / 2);
	id = db_step(s) == 1 ? column_int(s, 0) : x->last.next;
	db_done(s);
	return id;
}

/* From message `id` on. */
static void set_shift(struct expiry *x, wall_ms shift, int64_t id)
{
	struct statement *s;

	x->shift = shift;
	store_write(x->rooms->store);
	s = db_sql(store_db(x->rooms->store),
		   "INSERT OR REPLACE INTO leap(id, shift) VALUES(?, ?)");
	bind_int(s, 1, id);
	bind_int(s, 2, shift);
	store_run(x->rooms->store, s);
}

static void remember(struct expiry *x)
{
	x->seen = x->rooms->wall;
	settings_set_number(x->rooms->store, "clock_seen", x->seen);
}

static int64_t stored_shift(struct expiry *x)
{
	struct statement *s = db_sql(store_db(x->rooms->store),
				     "SELECT shift FROM leap ORDER BY id DESC LIMIT 1");
	int64_t shift = db_step(s) == 1 ? column_int(s, 0) : 0;

	db_done(s);
	return shift;
}

/* `passed` by the wall clock while nobody looked: so much of it counts. */
static wall_ms counted(wall_ms passed)
{
	return passed < 0 ? 0 : passed > EXPIRY_UNSEEN ? EXPIRY_UNSEEN : passed;
}

/* Not a wish (kind 6): its life is that of what is said after it, and it stays. */
#define COUNTS_NOW                                                                             \
	" WHERE kind <> 7 AND life > 0 AND expires IS NULL AND kind <> 6 AND (is_ours OR"      \
	" seq < (SELECT read FROM chain WHERE chain.id = message.chain))"

/* Of one contact, or of all (0). */
static void begin_to_count(struct expiry *x, int64_t contact)
{
	struct db *db = store_db(x->rooms->store);
	struct statement *s = db_sql(
		db, contact ? "SELECT 1 FROM message" COUNTS_NOW " AND contact = ?1 LIMIT 1"
			    : "SELECT 1 FROM message" COUNTS_NOW " AND ?1 = 0 LIMIT 1");
	bool has_some;

	bind_int(s, 1, contact);
	has_some = db_step(s) == 1;
	db_done(s);
	if (!has_some)
		return;
	x->find_at = 0;
	store_write(x->rooms->store);
	s = db_sql(db, contact ? "UPDATE message SET expires = ?2 + life * 1000" COUNTS_NOW
				 " AND contact = ?1"
			       : "UPDATE message SET expires = ?2 + life * 1000" COUNTS_NOW
				 " AND ?1 = 0");
	bind_int(s, 1, contact);
	bind_int(s, 2, ours(x));
	store_run(x->rooms->store, s);
}

struct expiry *expiry_new(struct rooms *rooms)
{
	struct expiry *x = memory_new(sizeof *x);
	wall_ms passed;

	x->rooms = rooms;
	x->last = read_clocks(x);
	x->seen = settings_number(rooms->store, "clock_seen", 0);
	x->shift = stored_shift(x);
	passed = x->seen ? rooms->wall - x->seen : 0;
	if (counted(passed) != passed)
		set_shift(x, x->shift + passed - counted(passed), x->last.next);
	if (rooms->wall != x->seen)
		remember(x);
	x->look_at = rooms->now + LOOK_EVERY;
	x->sweep_at = rooms->now + DOUBT;
	begin_to_count(x, 0);
	return x;
}

void expiry_free(struct expiry *x)
{
	free(x);
}

static void take_reading(struct expiry *x)
{
	x->last = read_clocks(x);
	x->look_at = x->rooms->now + LOOK_EVERY;
	x->find_at = 0;
	if (x->is_in_doubt)
		begin_to_count(x, 0);
	x->is_in_doubt = false;
}

/* A leap: the monotonic clock does not see sleep, and who watches the network knows of it only a little
 * later. So nothing is due for a moment; then it was sleep, of which some counts, or the wall clock was
 * set, of which nothing does. */
static void look_at_clocks(struct expiry *x)
{
	struct rooms *r = x->rooms;
	wall_ms leap = leapt(x);

	if (is_clear(x)) {
		if (r->now >= x->look_at || x->is_in_doubt)
			take_reading(x);
		return;
	}
	if (!x->is_in_doubt) {
		x->is_in_doubt = true;
		x->look_at = r->now + DOUBT;
		return;
	}
	if (r->now < x->look_at)
		return;
	set_shift(x, x->shift + leap - (wakes(x) != x->last.wakes ? counted(leap) : 0),
		  first_after(x, leap));
	take_reading(x);
	remember(x);
}

/* --- deadlines --- */

wall_ms expiry_at(struct expiry *x, wall_ms sent_at, uint32_t life)
{
	wall_ms wall = x->rooms->wall;
	/* A device of ours that was stolen says any time. */
	wall_ms from = sent_at < 0 ? 0 : sent_at < wall ? sent_at : wall;

	x->find_at = 0;
	if (!is_clear(x))
		return 0;
	return from - x->shift + (wall_ms)life * 1000;
}

wall_ms expiry_shown(const struct expiry *x, wall_ms expires)
{
	return expires ? expires + x->shift : 0;
}

void expiry_read(struct expiry *x, const struct person *p)
{
	if (is_clear(x))
		begin_to_count(x, p->id);
}

static struct statement *set_deadline(struct expiry *x, uint64_t id)
{
	struct statement *s;

	store_write(x->rooms->store);
	s = db_sql(store_db(x->rooms->store), "UPDATE message SET expires = ?2 WHERE id = ?1");
	bind_int(s, 1, (int64_t)id);
	return s;
}

void expiry_later(struct expiry *x, uint64_t id)
{
	struct statement *s = set_deadline(x, id);

	bind_int(s, 2, ours(x) + AGAIN);
	store_run(x->rooms->store, s);
}

void expiry_over(struct expiry *x, uint64_t id)
{
	store_run(x->rooms->store, set_deadline(x, id));
}

void expiry_changed(struct expiry *x)
{
	x->sweep_at = x->rooms->now;
}

/* --- what is due --- */

static void add(struct expiry *x, uint64_t id)
{
	if (x->count < EXPIRY_BATCH)
		x->due[x->count++] = id;
}

/* When the next one's time comes, by the monotonic clock. */
static mono_ns find_expired(struct expiry *x)
{
	struct statement *s = db_sql(store_db(x->rooms->store),
				     "SELECT id, expires FROM message WHERE expires IS NOT NULL"
				     " ORDER BY expires LIMIT ?");
	mono_ns next = NEVER;

	bind_int(s, 1, EXPIRY_BATCH + 1);
	while (next == NEVER && db_step(s) == 1) {
		wall_ms left = column_int(s, 1) - ours(x);

		if (left > (wall_ms)(LOOK_EVERY / MILLISECOND))
			next = x->rooms->now + LOOK_EVERY;
		else if (left > 0 || x->count == EXPIRY_BATCH)
			next = x->rooms->now + (mono_ns)(left > 0 ? left : 1) * MILLISECOND;
		else
			add(x, (uint64_t)column_int(s, 0));
	}
	db_done(s);
	return next;
}

/* Of one person's, of live ones or of granted ones, oldest first: they stand in the order in which they came. What
 * nobody else has yet stays. */
static void find_old_of(struct expiry *x, int64_t contact, wall_ms before, bool is_granted)
{
	struct statement *s = db_sql(
		store_db(x->rooms->store),
		"SELECT m.id, m.arrived_at - coalesce((SELECT shift FROM leap"
		"  WHERE leap.id <= m.id ORDER BY leap.id DESC LIMIT 1), 0),"
		" m.is_ours AND m.seq >="
		"  CASE WHEN chain.is_ours THEN chain.delivered"
		"  ELSE conversation.delivered END"
		" FROM message AS m CROSS JOIN chain ON chain.id = m.chain"
		" CROSS JOIN conversation ON conversation.id = chain.conversation"
		" WHERE m.contact = ? AND m.place > ? AND m.place <= ?"
		" AND " ENTRY_IS_SHOWN("m") " ORDER BY m.place");

	bind_int(s, 1, contact);
	bind_int(s, 2, is_granted ? INT64_MIN : 0);
	bind_int(s, 3, is_granted ? 0 : INT64_MAX);
	while (x->count < EXPIRY_BATCH && db_step(s) == 1 && column_int(s, 1) < before) {
		if (!column_int(s, 2))
			add(x, (uint64_t)column_int(s, 0));
	}
	db_done(s);
}

static void find_old(struct expiry *x)
{
	int64_t everybody = settings_number(x->rooms->store, "keep_days", 0);
	struct statement *s = db_sql(store_db(x->rooms->store),
				     "SELECT id, CASE WHEN keep_days < 0 THEN ?1 ELSE keep_days"
				     " END AS days FROM contact WHERE days > 0");

	bind_int(s, 1, everybody);
	while (x->count < EXPIRY_BATCH && db_step(s) == 1) {
		int64_t days = column_int(s, 1);
		wall_ms before;

		if (days > EXPIRY_DAYS_MAX)
			continue;
		before = ours(x) - days * DAY;
		find_old_of(x, column_int(s, 0), before, true);
		find_old_of(x, column_int(s, 0), before, false);
	}
	db_done(s);
}

mono_ns expiry_step(struct expiry *x)
{
	struct rooms *r = x->rooms;

	x->count = x->taken = 0;
	look_at_clocks(x);
	if (x->is_in_doubt)
		return x->look_at;
	if ((store_is_writing(r->store) && r->wall - x->seen > 60 * 1000) ||
	    r->wall - x->seen > (wall_ms)(SWEEP_EVERY / MILLISECOND))
		remember(x);
	if (r->now >= x->find_at)
		x->find_at = find_expired(x);
	if (r->now >= x->sweep_at) {
		find_old(x);
		x->sweep_at = r->now + (x->count == EXPIRY_BATCH ? MILLISECOND : SWEEP_EVERY);
	}
	return mono_earlier(mono_earlier(x->find_at, x->look_at), x->sweep_at);
}

bool expiry_next(struct expiry *x, uint64_t *id)
{
	if (x->taken == x->count)
		return false;
	*id = x->due[x->taken++];
	return true;
}
