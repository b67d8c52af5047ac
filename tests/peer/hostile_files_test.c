/* What a liar says on the stream of a file, and who is not to have one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <string.h>

#include "peer/engine.h"
#include "shared/error.h"
#include "shared/frame.h"
#include "tests/town.h"
#include "tests/town_files.h"

static bool on_id(void *user, const struct message *m)
{
	memcpy(user, m->file.id, sizeof m->file.id);
	return false;
}

/* Bob has it, and the link stays; nothing of what he says now is his program's. */
static void make_ready(struct town *t, uint8_t id[16])
{
	struct home *a = &t->homes[0], *b = &t->homes[1];
	char path[200];
	uint64_t ours;

	befriend(t);
	make_file(t, "large.bin", LARGE, path);
	ours = offer(t, a, "bob", path);
	await(t, b, heard(t, b), TRANSFER_DONE);
	await(t, a, ours, TRANSFER_DONE);
	assert_int_equal(engine_message(a->engine, ours, on_id, id), 0);
}

static void chat_goes_on(struct town *t)
{
	forget_events(&t->homes[1]);
	say(t, &t->homes[0], "bob", "still here");
	wait_for(t, &t->homes[1], EVENT_HEARD, 1);
}

static void who_opens_many_streams_and_reads_none_gets_no_more_than_its_share(void **state)
{
	struct town *t = *state;
	struct wire_message m = { .type = WIRE_FILE_GET };
	struct link *link;
	int64_t stream;
	unsigned count = 0;

	make_ready(t, m.file_get.id);
	link = link_to(&t->homes[1], "alice");
	while (count < 100 && link_open(link, &stream) == 0) {
		say_on(link, stream, &m);
		count++;
	}
	assert_in_range(count, 32, 64);
	calm_net_run(&t->net, 5 * SECOND, NULL, NULL);
	chat_goes_on(t);
	/* In the end nothing is left of it. */
	calm_net_run(&t->net, 200 * SECOND, NULL, NULL);
	chat_goes_on(t);
}

static void garbage_on_a_stream_ends_the_stream_and_nothing_else(void **state)
{
	struct town *t = *state;
	struct wire_message m = { .type = WIRE_FILE_GET }, done = { .type = WIRE_FILE_DONE };
	uint8_t noise[5000], none[8] = { 0 };
	struct link *link;
	int64_t stream;

	make_ready(t, m.file_get.id);
	link = link_to(&t->homes[1], "alice");
	randombytes_buf(noise, sizeof noise);
	for (unsigned i = 0; i < 40; i++) {
		if (link_open(link, &stream) < 0)
			break;
		switch (i % 6) {
		case 0:
			link_write(link, stream, BYTES(noise), false);
			break;
		case 1:
			link_write(link, stream, BYTES(none), true);
			break;
		case 2: /* beyond its end */
			m.file_get.offset = LARGE + 1;
			say_on(link, stream, &m);
			break;
		case 3: /* before it is there */
			m.file_get.offset = 0;
			say_on(link, stream, &m);
			say_on(link, stream, &done);
			break;
		case 4:
			say_on(link, stream, &done);
			break;
		default: /* asked and left */
			say_on(link, stream, &m);
			link_abandon(link, stream, 77);
			break;
		}
		calm_net_run(&t->net, MILLISECOND, NULL, NULL);
	}
	calm_net_run(&t->net, 5 * SECOND, NULL, NULL);
	assert_ptr_equal(link_to(&t->homes[1], "alice"), link);
	chat_goes_on(t);
}

static mono_ns nobody(void *user, mono_ns now, wall_ms wall)
{
	(void)user;
	(void)now;
	(void)wall;
	return NEVER;
}

static void what_was_offered_to_somebody_else_is_not_to_be_had(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *c = &t->homes[2];
	struct wire_message m = { .type = WIRE_FILE_GET };
	struct bytes answer, contents;
	struct wire_message heard_back;
	struct link *link;
	int64_t stream;
	size_t total;
	bool is_end;

	make_ready(t, m.file_get.id);
	assert_int_equal(join(t, c, "carol", true), 0);
	wait_online(t, c);
	assert_int_equal(engine_add(c->engine, "alice", NULL, NULL), 0);
	wait_for(t, a, EVENT_REQUEST, 1);
	assert_int_equal(engine_accept(a->engine, "carol"), 0);
	wait_seen(t, c, "alice", true);
	say(t, c, "alice", "hello");
	wait_for(t, a, EVENT_HEARD, 1);
	link = link_to(c, "alice");
	assert_int_equal(link_open(link, &stream), 0);
	say_on(link, stream, &m);
	/* The answer is read before her own program can. */
	for (unsigned i = 0; i < 20; i++) {
		endpoint_tick(engine_endpoint(c->engine), t->net.now);
		t->net.nodes[c->node].step = nobody;
		calm_net_run(&t->net, MILLISECOND, NULL, NULL);
	}
	answer = link_peek(link, stream, &is_end);
	assert_int_equal(frame_take(answer, &contents, &total), 1);
	assert_int_equal(wire_decode(&heard_back, contents, WIRE_FROM_PEER), 0);
	assert_int_equal(heard_back.type, WIRE_FILE_HEAD);
	assert_int_equal(heard_back.file_head.error, ERR_NOT_FOUND);
	assert_int_equal(answer.size, total);
}

static void lie(struct town *t, const char *about, int error)
{
	struct home *a = &t->homes[0], *b = &t->homes[1];
	char path[200];
	uint64_t theirs;

	befriend(t);
	accept_all(b);
	make_file(t, "large.bin", LARGE, path);
	assert_int_equal(engine_set_settings(b->engine, &(struct engine_settings){ 0 }), 0);
	offer(t, a, "bob", path);
	theirs = heard(t, b);
	sql(a, about);
	assert_int_equal(engine_accept_file(b->engine, theirs, NULL), 0);
	await(t, b, theirs, TRANSFER_FAILED);
	assert_int_equal(see(b, theirs).error, error);
	assert_string_equal(see(b, theirs).path, "");
}

static void another_hash_is_another_file(void **state)
{
	struct town *t = *state;

	lie(t, "UPDATE file SET hash = randomblob(32)", ERR_CORRUPT);
	/* It was fetched twice, and what came is no file of anybody. */
	assert_true(bytes_between(t) > 2 * LARGE);
}

static void another_size_is_another_file(void **state)
{
	lie(*state, "UPDATE file SET size = size + 1", ERR_CORRUPT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TOWN(who_opens_many_streams_and_reads_none_gets_no_more_than_its_share),
		TOWN(garbage_on_a_stream_ends_the_stream_and_nothing_else),
		TOWN(what_was_offered_to_somebody_else_is_not_to_be_had),
		TOWN(another_hash_is_another_file),
		TOWN(another_size_is_another_file),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
