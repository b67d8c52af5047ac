/* Places for files are shared: who brings or takes a byte a minute holds up nobody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "peer/filing_hash.h"
#include "tests/fake_streams.h"

enum { SIZE = 100000, DRIP_S = 59 };

static struct files *files(void)
{
	return fake_home.rooms.files;
}

static int begin(void **state)
{
	(void)state;
	fake_begin();
	return 0;
}

static int end(void **state)
{
	(void)state;
	fake_end();
	return 0;
}

static enum transfer_state state_of(uint64_t message)
{
	struct file_row row = fake_see(message);
	enum transfer_state state = row.state;

	file_row_clear(&row);
	return state;
}

static unsigned count_open(void)
{
	unsigned count = 0;

	for (unsigned i = 0; i < FAKE_STREAMS; i++)
		count += fake_streams[i].way && !fake_streams[i].is_abandoned &&
			 !fake_streams[i].is_ended;
	return count;
}

static struct wire_message head(void)
{
	struct wire_message m = { .type = WIRE_FILE_HEAD };

	m.file_head.size = SIZE;
	return m;
}

/* Every one who is asked says one byte, now and then. */
static void drip(struct way *except)
{
	const struct wire_message m = head();

	for (unsigned i = 0; i < FAKE_STREAMS; i++) {
		struct fake_stream *s = &fake_streams[i];

		if (!s->way || s->is_abandoned || s->way == except)
			continue;
		if (s->out.size > 0) {
			s->out.size = 0;
			fake_say_message(s, &m);
		}
		fake_say(s, bytes_text("x"));
	}
}

static void pass_dripping(unsigned seconds, struct way *except)
{
	static unsigned clock;

	for (unsigned i = 0; i < seconds; i++) {
		fake_pass(SECOND);
		if (clock++ % DRIP_S == 0)
			drip(except);
	}
}

/* All of it at once. */
static void give(struct fake_stream *s)
{
	struct wire_message m = head(), tail = { .type = WIRE_FILE_TAIL };
	uint8_t *contents = memory_new(SIZE);
	struct filing_hash hash;

	filing_hash_begin(&hash, SIZE);
	filing_hash_add(&hash, bytes_of(contents, SIZE));
	filing_hash_end(&hash, tail.file_tail.hash);
	fake_say_message(s, &m);
	fake_say(s, bytes_of(contents, SIZE));
	fake_say_message(s, &tail);
	s->is_ended = true;
	free(contents);
	for (unsigned i = 0; i < 5; i++)
		fake_pass(100 * MILLISECOND);
}

static void await_turn(struct way *w, unsigned seconds)
{
	for (unsigned i = 0; i < seconds && !fake_stream_of(w); i++)
		pass_dripping(1, w);
	if (!fake_stream_of(w))
		fail_msg("no turn in %u s", seconds);
}

static void four_who_drip_do_not_keep_a_fifth_from_being_fetched(void **state)
{
	struct way *honest = &fake_ways[4];

	(void)state;
	for (unsigned i = 0; i < FILES_RUNNING; i++)
		fake_row(fake_meet(i), 1 + i, SIZE, false, NULL);
	pass_dripping(100, NULL);
	assert_int_equal(count_open(), FILES_RUNNING);
	fake_meet(4);
	for (unsigned i = 0; i < 5; i++) {
		fake_row(honest->person, 10 + i, SIZE, false, NULL);
		await_turn(honest, 35);
		give(fake_stream_of(honest));
		assert_int_equal(state_of(10 + i), TRANSFER_DONE);
	}
	/* Who gave way has its turn again. */
	pass_dripping(10, NULL);
	assert_int_equal(count_open(), FILES_RUNNING);
}

/* Once there is a place all that somebody has comes one behind the other. */
static void who_gave_way_goes_behind_all_that_waits(void **state)
{
	struct way *honest = &fake_ways[4];

	(void)state;
	for (unsigned i = 0; i < FILES_RUNNING; i++)
		fake_row(fake_meet(i), 1 + i, SIZE, false, NULL);
	pass_dripping(100, NULL);
	fake_meet(4);
	for (unsigned i = 0; i < 4; i++)
		fake_row(honest->person, 10 + i, SIZE, false, NULL);
	await_turn(honest, 35);
	for (unsigned i = 0; i < 4; i++) {
		await_turn(honest, 3);
		pass_dripping(5, honest);
		give(fake_stream_of(honest));
	}
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(state_of(10 + i), TRANSFER_DONE);
}

static void those_whom_nobody_waits_for_keep_their_places(void **state)
{
	struct fake_stream *first;

	(void)state;
	for (unsigned i = 0; i < FILES_RUNNING; i++)
		fake_row(fake_meet(i), 1 + i, SIZE, false, NULL);
	pass_dripping(10, NULL);
	first = fake_stream_of(&fake_ways[0]);
	pass_dripping(300, NULL);
	assert_ptr_equal(fake_stream_of(&fake_ways[0]), first);
}

static void a_slow_one_gives_way_before_a_quick_one(void **state)
{
	struct way *quick = &fake_ways[0];
	const struct wire_message m = { .type = WIRE_FILE_HEAD,
					.file_head = { .size = 64 << 20 } };
	uint8_t *some = memory_new(512 << 10);

	(void)state;
	fake_row(fake_meet(0), 1, 64 << 20, false, NULL);
	fake_pass(SECOND);
	fake_say_message(fake_stream_of(quick), &m);
	for (unsigned i = 1; i < FILES_RUNNING; i++)
		fake_row(fake_meet(i), 1 + i, SIZE, false, NULL);
	for (unsigned i = 0; i < 40; i++) {
		fake_say(fake_stream_of(quick), bytes_of(some, 512 << 10));
		pass_dripping(1, quick);
	}
	fake_row(fake_meet(4), 10, SIZE, false, NULL);
	await_turn(&fake_ways[4], 3);
	assert_non_null(fake_stream_of(quick));
	free(some);
}

/* All that is looked at is of people who drip: there is a place for one more. */
static void those_who_fill_all_that_is_looked_at_make_room(void **state)
{
	struct way *honest = &fake_ways[8];
	uint64_t message = 0;

	(void)state;
	for (unsigned i = 0; i < FILES_WAITING / FILES_WAITING_OF; i++) {
		struct person *p = fake_meet(i);

		for (unsigned k = 0; k < FILES_WAITING_OF; k++)
			fake_row(p, ++message, SIZE, false, NULL);
	}
	pass_dripping(100, NULL);
	fake_row(fake_meet(8), 100, SIZE, false, NULL);
	await_turn(honest, 120);
	give(fake_stream_of(honest));
	assert_int_equal(state_of(100), TRANSFER_DONE);
}

/* --- what is given --- */

static struct fake_stream *ask(unsigned who, uint64_t message)
{
	struct wire_file_get get = { .offset = 0 };
	struct fake_stream *s = fake_open(&fake_ways[who]);

	memcpy(get.id, &message, sizeof message);
	files_asked(files(), s->way, s->id, &get);
	return s;
}

static int error_of(const struct fake_stream *s)
{
	struct bytes contents;
	struct wire_message m;
	size_t total;

	assert_int_equal(frame_take(buf_view(&s->out), &contents, &total), 1);
	assert_int_equal(wire_decode(&m, contents, WIRE_FROM_PEER), 0);
	assert_int_equal(m.type, WIRE_FILE_HEAD);
	return m.file_head.error;
}

static struct file_row offer_to(unsigned who, uint64_t message)
{
	char path[100];
	FILE *file;
	uint8_t *contents = memory_new(3 << 20);

	snprintf(path, sizeof path, "%s/ours", fake_folder);
	file = fopen(path, "wb");
	assert_int_equal(fwrite(contents, 1, 3 << 20, file), 3 << 20);
	fclose(file);
	free(contents);
	fake_row(fake_meet(who), message, 3 << 20, true, path);
	return fake_see(message);
}

/* As it was looked at, so that it is the same when it is opened. */
static void look(uint64_t message)
{
	struct filing_work *w = filing_work_new(FILING_LOOK);
	struct job job = { .kind = JOB_FILING, .task = w };
	struct file_row row = fake_see(message);

	w->path = memory_text(row.path);
	assert_int_equal(filing_run(&job), 0);
	row.modified = w->modified;
	file_row_save(files(), &row);
	small_home_commit(&fake_home);
	file_row_clear(&row);
	filing_work_free(w);
}

static void who_reads_nothing_gives_way_to_who_has_no_place(void **state)
{
	unsigned liars = FILES_SERVED / FILES_SERVED_PERSON;
	struct fake_stream *mine;

	(void)state;
	for (unsigned i = 0; i <= liars; i++) {
		struct file_row row = offer_to(i, 1 + i);

		file_row_clear(&row);
	}
	for (unsigned i = 0; i <= liars; i++)
		look(1 + i);
	for (unsigned i = 0; i < FILES_SERVED; i++)
		ask(i % liars, 1 + i % liars);
	fake_pass(SECOND);
	/* One more of one who has its share; one more when nobody has had its turn. */
	assert_int_equal(error_of(ask(0, 1)), ERR_BUSY);
	assert_int_equal(error_of(ask(liars, 1 + liars)), ERR_BUSY);
	for (unsigned i = 0; i < 31; i++) {
		fake_pass(SECOND);
		for (unsigned k = 0; k < FAKE_STREAMS; k++) /* somebody reads: 1 byte */
			if (fake_streams[k].out.size > 100)
				fake_streams[k].out.size--;
	}
	assert_int_equal(error_of(ask(0, 1)), ERR_BUSY);
	mine = ask(liars, 1 + liars);
	fake_pass(SECOND);
	assert_int_equal(error_of(mine), 0);
}

/* --- what they say of ours --- */

static void stands(struct way *w, uint64_t message, int err)
{
	struct wire_file_stands m = { .error = err };

	memcpy(m.id, &message, sizeof message);
	files_hear_stands(files(), w, &m);
}

static void who_says_without_end_how_files_stand_takes_no_more_than_its_share(void **state)
{
	static const int words[] = { ERR_FULL, ERR_IO, ERR_CORRUPT, ERR_FORMAT, ERR_BUSY };
	struct person *p = fake_meet(0);

	(void)state;
	fake_row(p, 7, SIZE, true, "/none/such");
	fake_said_count = 0;
	for (unsigned i = 0; i < 20000; i++)
		stands(&fake_ways[0], i % 3 ? 7 : 1000 + i, words[i % 5]);
	assert_int_equal(state_of(7), TRANSFER_FAILED);
	assert_int_equal(files()->arrival_count, FILES_ARRIVALS);
	fake_pass(0);
	assert_int_equal(fake_said_count, FILES_ARRIVALS);
	assert_int_equal(fake_said.type, WIRE_FILE_NOTED);
	/* Another time it is heard. */
	stands(&fake_ways[0], 7, 0);
	assert_int_equal(state_of(7), TRANSFER_DONE);
	stands(&fake_ways[0], 7, ERR_FULL);
	assert_int_equal(state_of(7), TRANSFER_DONE);
}

static void what_was_offered_to_somebody_else_stands_as_it_stood(void **state)
{
	struct person *p = fake_meet(0);

	(void)state;
	fake_meet(1);
	fake_row(p, 7, SIZE, true, "/none/such");
	fake_row(p, 8, SIZE, false, NULL);
	stands(&fake_ways[1], 7, 0);
	stands(&fake_ways[1], 7, ERR_FULL);
	stands(&fake_ways[0], 8, 0); /* theirs, not ours */
	fake_pass(0);
	assert_int_equal(state_of(7), TRANSFER_OFFERED);
	assert_int_equal(state_of(8), TRANSFER_WAITING);
	/* No word tells whether there is such a file. */
	assert_int_equal(fake_said.type, WIRE_FILE_NOTED);
}

static void what_failed_here_stays_the_reason_whatever_they_say(void **state)
{
	struct person *p = fake_meet(0);
	struct file_row row;

	(void)state;
	fake_row(p, 7, SIZE, true, "/none/such");
	told_broken(files(), (row = fake_see(7)).id, ERR_NOT_FOUND);
	file_row_clear(&row);
	stands(&fake_ways[0], 7, ERR_FULL);
	row = fake_see(7);
	assert_int_equal(row.error, ERR_NOT_FOUND);
	file_row_clear(&row);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define ROW(name) cmocka_unit_test_setup_teardown(name, begin, end)
		ROW(four_who_drip_do_not_keep_a_fifth_from_being_fetched),
		ROW(who_gave_way_goes_behind_all_that_waits),
		ROW(those_whom_nobody_waits_for_keep_their_places),
		ROW(a_slow_one_gives_way_before_a_quick_one),
		ROW(those_who_fill_all_that_is_looked_at_make_room),
		ROW(who_reads_nothing_gives_way_to_who_has_no_place),
		ROW(who_says_without_end_how_files_stand_takes_no_more_than_its_share),
		ROW(what_was_offered_to_somebody_else_stands_as_it_stood),
		ROW(what_failed_here_stays_the_reason_whatever_they_say),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
