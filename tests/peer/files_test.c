#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "peer/engine.h"
#include "peer/persons.h"
#include "peer/rooms.h"
#include "peer/way.h"
#include "shared/db.h"
#include "shared/error.h"
#include "shared/file.h"
#include "shared/frame.h"
#include "tests/town.h"

enum { LARGE = 5 * 1024 * 1024 + 12345 };

/* --- files on disk --- */

static void path_in(const struct town *t, const char *name, char out[200])
{
	snprintf(out, 200, "%s/%s", t->folder, name);
}

static void make_file(const struct town *t, const char *name, size_t size, char path[200])
{
	uint8_t *contents = malloc(size ? size : 1), seed[randombytes_SEEDBYTES] = { 7 };
	FILE *file;

	path_in(t, name, path);
	randombytes_buf_deterministic(contents, size, seed);
	file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(contents, 1, size, file), size);
	fclose(file);
	free(contents);
}

static bool are_equal(const char *a, const char *b)
{
	char command[1000];

	snprintf(command, sizeof command, "diff -r '%s' '%s' >/dev/null", a, b);
	return system(command) == 0;
}

/* --- two people --- */

static uint64_t offer_as(struct town *t, struct home *from, const char *to,
			 const struct engine_file *file)
{
	uint64_t ticket = ++t->tickets;
	struct engine_file f = *file;

	f.to = to;
	assert_int_equal(engine_send_file(from->engine, &f, ticket), 0);
	assert_int_equal(answer_of(t, from, ticket), 0);
	return find_event(from, EVENT_SAID)->message.id;
}

static uint64_t offer(struct town *t, struct home *from, const char *to, const char *path)
{
	return offer_as(t, from, to, &(struct engine_file){ .path = path });
}

struct seen {
	struct home *home;
	uint64_t id;
	enum transfer_state state;
	enum transfer_state wanted;
	uint64_t done, from;
	int error;
	char path[300];
};

static bool on_message(void *user, const struct message *m)
{
	struct seen *s = user;

	assert_true(m->has_file);
	s->state = m->file.state;
	s->done = m->file.done;
	s->error = m->file.error;
	snprintf(s->path, sizeof s->path, "%.*s", (int)m->file.path.size,
		 (const char *)m->file.path.data);
	return false;
}

static struct seen see(struct home *home, uint64_t id)
{
	struct seen s = { .home = home, .id = id };

	assert_int_equal(engine_message(home->engine, id, on_message, &s), 0);
	return s;
}

static bool is_so(void *user)
{
	struct seen *s = user, now = see(s->home, s->id);

	return now.state == s->wanted && now.done >= s->from;
}

static void await(struct town *t, struct home *home, uint64_t id, enum transfer_state state)
{
	struct seen s = { .home = home, .id = id, .wanted = state };

	if (!calm_net_run(&t->net, 300 * SECOND, is_so, &s)) {
		s = see(home, id);
		fail_msg("state %d, error %d, %llu bytes", s.state, s.error,
			 (unsigned long long)s.done);
	}
}

static void await_bytes(struct town *t, struct home *home, uint64_t id, uint64_t bytes)
{
	struct seen s = { .home = home, .id = id, .wanted = TRANSFER_RUNNING, .from = bytes };

	if (!calm_net_run(&t->net, 300 * SECOND, is_so, &s))
		fail_msg("state %d", see(home, id).state);
}

static uint64_t heard(struct town *t, struct home *home)
{
	wait_for(t, home, EVENT_HEARD, 1);
	return find_event(home, EVENT_HEARD)->message.id;
}

static void accept_all(struct home *home)
{
	struct engine_settings settings;

	engine_settings(home->engine, &settings);
	settings.accept_up_to = UINT64_MAX >> 2;
	assert_int_equal(engine_set_settings(home->engine, &settings), 0);
}

/* --- the tests --- */

static void a_small_file_arrives_without_being_asked_for(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	char path[200];
	uint64_t ours, theirs;

	befriend(t);
	make_file(t, "note.txt", 1000, path);
	ours = offer(t, a, "bob", path);
	theirs = heard(t, b);
	assert_int_not_equal(find_event(b, EVENT_HEARD)->message.file.state, TRANSFER_OFFERED);
	await(t, b, theirs, TRANSFER_DONE);
	assert_true(are_equal(path, see(b, theirs).path));
	await(t, a, ours, TRANSFER_DONE);
}

struct words {
	char caption[100], alt[100];
	bool is_forwarded;
};

static bool on_words(void *user, const struct message *m)
{
	struct words *w = user;

	w->is_forwarded = m->is_forwarded;
	snprintf(w->caption, sizeof w->caption, "%.*s", (int)m->text.size,
		 (const char *)m->text.data);
	snprintf(w->alt, sizeof w->alt, "%.*s", (int)m->file.alt.size,
		 (const char *)m->file.alt.data);
	return false;
}

static void a_file_goes_on_with_its_words_as_they_are_now(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	struct words words = { 0 };
	char path[200], much[5000];
	uint64_t ours, theirs, ticket = ++t->tickets;

	befriend(t);
	make_file(t, "moon.bin", 1000, path);
	ours = offer_as(
		t, a, "bob",
		&(struct engine_file){ .path = path, .caption = "the son", .alt = "a disc" });
	theirs = heard(t, b);
	await(t, b, theirs, TRANSFER_DONE);
	assert_int_equal(engine_edit(a->engine, ours, bytes_text("the moon"), ticket), 0);
	assert_int_equal(answer_of(t, a, ticket), 0);
	wait_for(t, b, EVENT_CHANGED, 1);
	ticket = ++t->tickets;
	assert_int_equal(engine_forward(b->engine, theirs, "alice", ticket), 0);
	assert_int_equal(answer_of(t, b, ticket), 0);
	assert_int_equal(engine_message(a->engine, heard(t, a), on_words, &words), 0);
	assert_true(words.is_forwarded);
	assert_string_equal(words.caption, "the moon");
	assert_string_equal(words.alt, "a disc");

	/* More than an offer holds. */
	memset(much, 'm', sizeof much);
	ticket = ++t->tickets;
	assert_int_equal(engine_edit(a->engine, ours, bytes_of(much, sizeof much), ticket), 0);
	assert_int_equal(answer_of(t, a, ticket), 0);
	assert_int_equal(engine_forward(a->engine, ours, "bob", ++t->tickets), ERR_LIMIT);
}

static void a_large_file_waits_until_it_is_accepted(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	struct engine_settings settings;
	char path[200];
	uint64_t theirs;

	befriend(t);
	engine_settings(b->engine, &settings);
	settings.accept_up_to = LARGE - 1;
	assert_int_equal(engine_set_settings(b->engine, &settings), 0);
	make_file(t, "large.bin", LARGE, path);
	offer(t, a, "bob", path);
	theirs = heard(t, b);
	calm_net_run(&t->net, 10 * SECOND, NULL, NULL);
	assert_int_equal(see(b, theirs).state, TRANSFER_OFFERED);
	assert_int_equal(engine_accept_file(b->engine, theirs, NULL), 0);
	await(t, b, theirs, TRANSFER_DONE);
	assert_true(are_equal(path, see(b, theirs).path));
	assert_int_equal(engine_accept_file(b->engine, theirs, NULL), ERR_STATE);
}

static void a_file_is_never_stored_over_another(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	char path[200], first[300];
	uint64_t theirs;

	befriend(t);
	make_file(t, "note.tar.gz", 1000, path);
	offer(t, a, "bob", path);
	theirs = heard(t, b);
	await(t, b, theirs, TRANSFER_DONE);
	snprintf(first, sizeof first, "%s", see(b, theirs).path);
	forget_events(b);
	offer_as(t, a, "bob",
		 &(struct engine_file){ .path = path, .name = "../../.note.tar.gz" });
	theirs = heard(t, b);
	await(t, b, theirs, TRANSFER_DONE);
	assert_true(are_equal(path, first));
	assert_true(are_equal(path, see(b, theirs).path));
	assert_non_null(strstr(see(b, theirs).path, "/files1/note (2).tar.gz"));
}

static void an_empty_file_arrives(void **state)
{
	struct town *t = *state;
	char path[200];
	uint64_t theirs;

	befriend(t);
	make_file(t, "empty", 0, path);
	offer(t, &t->homes[0], "bob", path);
	theirs = heard(t, &t->homes[1]);
	await(t, &t->homes[1], theirs, TRANSFER_DONE);
	assert_true(are_equal(path, see(&t->homes[1], theirs).path));
}

static void make_folder(const struct town *t, char path[200])
{
	char name[200];

	path_in(t, "things", path);
	assert_int_equal(mkdir(path, 0700), 0);
	path_in(t, "things/none", name);
	assert_int_equal(mkdir(name, 0700), 0);
	path_in(t, "things/deep", name);
	assert_int_equal(mkdir(name, 0700), 0);
	make_file(t, "things/deep/large", LARGE, name);
	make_file(t, "things/deep/nothing", 0, name);
	make_file(t, "things/a", 10, name);
	make_file(t, "things/.hidden", 5, name);
	make_file(t, "things/z", 3 << 20, name);
	make_file(t, "things/zero", 0, name);
}

static void a_folder_arrives_with_all_in_it(void **state)
{
	struct town *t = *state;
	struct home *b = &t->homes[1];
	char path[200], name[200];
	uint64_t theirs;

	befriend(t);
	accept_all(b);
	make_folder(t, path);
	path_in(t, "things/link", name);
	assert_int_equal(symlink("/etc/passwd", name), 0);
	offer(t, &t->homes[0], "bob", path);
	unlink(name); /* it is not in what is compared, for it is not in what was offered */
	theirs = heard(t, b);
	await(t, b, theirs, TRANSFER_DONE);
	assert_true(are_equal(path, see(b, theirs).path));
}

/* Not begun again and again. */
static void a_folder_that_was_changed_is_not_fetched_and_both_hear_why(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	uint64_t ours, theirs;
	char path[200], name[200];

	befriend(t);
	make_folder(t, path);
	ours = offer(t, a, "bob", path);
	theirs = heard(t, b);
	make_file(t, "things/z", 11, name);
	assert_int_equal(engine_accept_file(b->engine, theirs, NULL), 0);
	await(t, b, theirs, TRANSFER_FAILED);
	assert_int_equal(see(b, theirs).error, ERR_CORRUPT);
	await(t, a, ours, TRANSFER_FAILED);
}

/* --- interruptions --- */

static bool is_apart(void *user, const struct calm_net_node *from,
		     const struct calm_net_node *to)
{
	(void)user;
	return from->address.ip[3] != 1 && to->address.ip[3] != 1;
}

static uint64_t bytes_between(const struct town *t)
{
	return endpoint_counters(engine_endpoint(t->homes[0].engine)).sent_bytes;
}

static void a_transfer_goes_on_where_the_link_was_lost(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	uint64_t ours, theirs, before;
	char path[200];

	befriend(t);
	accept_all(b);
	make_file(t, "large.bin", LARGE, path);
	before = bytes_between(t);
	ours = offer(t, a, "bob", path);
	theirs = heard(t, b);
	await_bytes(t, b, theirs, 2 << 20);
	t->net.is_cut = is_apart;
	calm_net_run(&t->net, 90 * SECOND, NULL, NULL);
	assert_int_equal(see(b, theirs).state, TRANSFER_WAITING);
	assert_true(see(b, theirs).done >= 2 << 20);
	t->net.is_cut = NULL;
	await(t, b, theirs, TRANSFER_DONE);
	assert_true(are_equal(path, see(b, theirs).path));
	await(t, a, ours, TRANSFER_DONE);
	/* What was under way when it was cut is all that was said twice. */
	assert_true(bytes_between(t) - before < LARGE + (5 << 20) / 2);
}

static void interrupt(struct town *t, struct home *who, bool is_durable)
{
	struct home *a = &t->homes[0], *b = &t->homes[1];
	uint64_t ours, theirs, before;
	char path[200];

	befriend(t);
	accept_all(b);
	make_folder(t, path);
	before = bytes_between(t);
	ours = offer(t, a, "bob", path);
	theirs = heard(t, b);
	await_bytes(t, b, theirs, 3 << 20);
	t->net.is_cut = is_durable ? is_apart : NULL;
	if (is_durable)
		calm_net_run(&t->net, 2 * SECOND, NULL, NULL);
	t->net.is_cut = NULL;
	stop_home(t, who);
	calm_net_run(&t->net, SECOND, NULL, NULL);
	assert_int_not_equal(see(who == a ? b : a, who == a ? theirs : ours).state,
			     TRANSFER_DONE);
	start_home(t, who);
	await(t, b, theirs, TRANSFER_DONE);
	assert_true(are_equal(path, see(b, theirs).path));
	await(t, a, ours, TRANSFER_DONE);
	if (is_durable && who == b)
		assert_true(bytes_between(t) - before < LARGE + (3 << 20) + (5 << 20) / 2);
}

static void a_transfer_goes_on_when_the_receiver_was_killed(void **state)
{
	struct town *t = *state;

	interrupt(t, &t->homes[1], false);
}

static void what_is_on_disk_is_not_sent_again_when_the_receiver_was_killed(void **state)
{
	struct town *t = *state;

	interrupt(t, &t->homes[1], true);
}

static void a_transfer_goes_on_when_the_sender_was_killed(void **state)
{
	struct town *t = *state;

	interrupt(t, &t->homes[0], false);
}

static void who_fetches_may_pause_and_go_on(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	uint64_t theirs, done;
	char path[200];

	befriend(t);
	accept_all(b);
	make_file(t, "large.bin", LARGE, path);
	offer(t, a, "bob", path);
	theirs = heard(t, b);
	await_bytes(t, b, theirs, 2 << 20);
	assert_int_equal(engine_pause_file(b->engine, theirs), 0);
	assert_int_equal(see(b, theirs).state, TRANSFER_PAUSED);
	assert_true(see(b, theirs).done >= 2 << 20); /* also before it is on disk */
	calm_net_run(&t->net, 10 * SECOND, NULL, NULL);
	assert_int_equal(see(b, theirs).state, TRANSFER_PAUSED);
	done = see(b, theirs).done;
	assert_true(done >= 2 << 20);
	stop_home(t, b);
	start_home(t, b);
	calm_net_run(&t->net, 10 * SECOND, NULL, NULL);
	assert_int_equal(see(b, theirs).state, TRANSFER_PAUSED);
	assert_int_equal(see(b, theirs).done, done);
	assert_int_equal(engine_accept_file(b->engine, theirs, NULL), 0);
	await(t, b, theirs, TRANSFER_DONE);
	assert_true(are_equal(path, see(b, theirs).path));
}

static void who_offers_may_pause_and_go_on(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	uint64_t ours, theirs;
	char path[200];

	befriend(t);
	accept_all(b);
	make_file(t, "large.bin", LARGE, path);
	ours = offer(t, a, "bob", path);
	theirs = heard(t, b);
	await_bytes(t, b, theirs, 2 << 20);
	assert_int_equal(engine_pause_file(a->engine, ours), 0);
	assert_true(see(a, ours).done >= 2 << 20);
	await(t, b, theirs, TRANSFER_STOPPED);
	assert_int_equal(see(a, ours).state, TRANSFER_PAUSED);
	assert_true(see(a, ours).done >= 2 << 20);
	assert_int_equal(engine_accept_file(a->engine, ours, NULL), 0);
	await(t, b, theirs, TRANSFER_DONE);
	assert_true(are_equal(path, see(b, theirs).path));
}

static unsigned count_in(const char *folder)
{
	char command[300], line[300];
	unsigned count = 0;
	FILE *out;

	snprintf(command, sizeof command, "ls -A '%s' 2>/dev/null", folder);
	out = popen(command, "r");
	while (fgets(line, sizeof line, out))
		count++;
	pclose(out);
	return count;
}

static void what_was_cancelled_leaves_nothing_and_can_be_had_all_the_same(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	uint64_t theirs;
	char path[200];

	befriend(t);
	accept_all(b);
	make_file(t, "large.bin", LARGE, path);
	offer(t, a, "bob", path);
	theirs = heard(t, b);
	await_bytes(t, b, theirs, 2 << 20);
	assert_int_equal(count_in(b->downloads), 1);
	assert_int_equal(engine_cancel_file(b->engine, theirs), 0);
	calm_net_run(&t->net, 10 * SECOND, NULL, NULL);
	assert_int_equal(see(b, theirs).state, TRANSFER_CANCELLED);
	assert_int_equal(count_in(b->downloads), 0);
	assert_int_equal(engine_accept_file(b->engine, theirs, NULL), 0);
	await(t, b, theirs, TRANSFER_DONE);
	assert_true(are_equal(path, see(b, theirs).path));
	assert_int_equal(count_in(b->downloads), 1);
}

static void what_its_owner_cancelled_fails(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	uint64_t ours, theirs;
	char path[200];

	befriend(t);
	accept_all(b);
	make_file(t, "large.bin", LARGE, path);
	ours = offer(t, a, "bob", path);
	theirs = heard(t, b);
	await_bytes(t, b, theirs, 2 << 20);
	assert_int_equal(engine_cancel_file(a->engine, ours), 0);
	await(t, b, theirs, TRANSFER_FAILED);
	assert_int_equal(see(b, theirs).error, ERR_EXPIRED);
}

static void what_was_retracted_is_not_fetched(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	uint64_t ours;
	char path[200];

	befriend(t);
	accept_all(b);
	make_file(t, "large.bin", LARGE, path);
	ours = offer(t, a, "bob", path);
	await_bytes(t, b, heard(t, b), 2 << 20);
	assert_int_equal(engine_retract(a->engine, ours, ++t->tickets), 0);
	assert_int_equal(answer_of(t, a, t->tickets), 0);
	wait_for(t, b, EVENT_CHANGED, 1);
	calm_net_run(&t->net, 10 * SECOND, NULL, NULL);
	assert_int_equal(count_in(b->downloads), 0);
}

static void a_file_that_has_changed_is_not_the_one_offered(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	uint64_t theirs;
	char path[200];
	FILE *file;

	befriend(t);
	make_file(t, "large.bin", LARGE, path);
	accept_all(b);
	offer(t, a, "bob", path);
	theirs = heard(t, b);
	await_bytes(t, b, theirs, 1 << 20);
	file = fopen(path, "ab");
	fputs("more", file);
	fclose(file);
	await(t, b, theirs, TRANSFER_FAILED);
	assert_int_equal(see(b, theirs).error, ERR_CORRUPT);
}

static void a_spooled_file_goes_when_it_has_arrived(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	uint64_t ours;
	char path[200];

	befriend(t);
	make_file(t, "spool", 1000, path);
	ours = offer_as(t, a, "bob", &(struct engine_file){ .path = path, .is_spooled = true });
	await(t, b, heard(t, b), TRANSFER_DONE);
	await(t, a, ours, TRANSFER_DONE);
	calm_net_run(&t->net, SECOND, NULL, NULL);
	assert_int_not_equal(access(path, F_OK), 0);
}

static void what_is_neither_file_nor_folder_is_refused(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0];
	char path[200];

	befriend(t);
	path_in(t, "pipe", path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(engine_send_file(a->engine,
					  &(struct engine_file){ .to = "bob", .path = path },
					  ++t->tickets),
			 0);
	assert_int_equal(answer_of(t, a, t->tickets), ERR_REFUSED);
	assert_int_equal(
		engine_send_file(a->engine,
				 &(struct engine_file){ .to = "bob", .path = "/none/such" },
				 ++t->tickets),
		0);
	assert_int_equal(answer_of(t, a, t->tickets), ERR_NOT_FOUND);
}

static void many_files_have_their_turns(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	char path[200], name[20];

	befriend(t);
	for (unsigned i = 0; i < 20; i++) {
		snprintf(name, sizeof name, "f%u", i);
		make_file(t, name, 300000, path);
		offer(t, a, "bob", path);
	}
	wait_for(t, b, EVENT_HEARD, 20);
	for (unsigned i = 0; i < b->count; i++) {
		if (b->events[i].kind == EVENT_HEARD)
			await(t, b, b->events[i].message.id, TRANSFER_DONE);
	}
	assert_int_equal(count_in(b->downloads), 20);
}

/* --- several devices of one person --- */

static void another_device(struct town *t, struct home *h, const char *name)
{
	const struct directory_place place = { "10.0.0.1", 7000 };

	assert_int_equal(engine_login(h->engine, name, &place, server_key(t->server),
				      bytes_text("correct horse"), false, ++t->tickets),
			 0);
	assert_int_equal(answer_of(t, h, t->tickets), 0);
	wait_online(t, h);
	calm_net_run(&t->net, 3 * SECOND, NULL, NULL);
}

static void each_device_gets_what_is_offered(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1], *too = &t->homes[2];
	char path[200];

	befriend(t);
	another_device(t, too, "bob");
	make_file(t, "note.txt", 1000, path);
	offer(t, a, "bob", path);
	await(t, b, heard(t, b), TRANSFER_DONE);
	await(t, too, heard(t, too), TRANSFER_DONE);
}

static void a_file_is_fetched_from_another_own_device_where_its_author_is_away(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1], *too = &t->homes[2];
	struct engine_settings settings;
	char path[200];
	uint64_t theirs;

	befriend(t);
	another_device(t, too, "bob");
	engine_settings(too->engine, &settings);
	settings.accept_up_to = 0;
	assert_int_equal(engine_set_settings(too->engine, &settings), 0);
	make_file(t, "large.bin", LARGE, path);
	offer(t, a, "bob", path);
	await(t, b, heard(t, b), TRANSFER_DONE);
	theirs = heard(t, too);
	stop_home(t, a);
	assert_int_equal(engine_accept_file(too->engine, theirs, NULL), 0);
	await(t, too, theirs, TRANSFER_DONE);
	assert_true(are_equal(path, see(too, theirs).path));
}

static void a_folder_is_fetched_from_another_own_device_where_its_author_is_away(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1], *too = &t->homes[2];
	struct engine_settings settings;
	char path[200], name[200];
	uint64_t theirs, there;

	befriend(t);
	another_device(t, too, "bob");
	engine_settings(too->engine, &settings);
	settings.accept_up_to = 0;
	assert_int_equal(engine_set_settings(too->engine, &settings), 0);
	accept_all(b);
	make_folder(t, path);
	/* Its name is another one where it was fetched. */
	make_file(t, "things/why? a:b", 7, name);
	offer(t, a, "bob", path);
	there = heard(t, b);
	await(t, b, there, TRANSFER_DONE);
	theirs = heard(t, too);
	stop_home(t, a);
	assert_int_equal(engine_accept_file(too->engine, theirs, NULL), 0);
	await(t, too, theirs, TRANSFER_DONE);
	assert_true(are_equal(see(b, there).path, see(too, theirs).path));
	assert_int_equal(unlink(name), 0);
	make_file(t, "things/why_ a_b", 7, name);
	assert_true(are_equal(path, see(too, theirs).path));
}

static void what_one_device_sent_another_one_can_have(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *too = &t->homes[2];
	char path[200];
	uint64_t ours;

	befriend(t);
	another_device(t, too, "alice");
	forget_events(too);
	make_file(t, "large.bin", LARGE, path);
	offer(t, a, "bob", path);
	wait_for(t, too, EVENT_SAID, 1);
	ours = find_event(too, EVENT_SAID)->message.id;
	calm_net_run(&t->net, 3 * SECOND, NULL, NULL);
	assert_int_equal(see(too, ours).state, TRANSFER_OFFERED);
	assert_int_equal(engine_accept_file(too->engine, ours, NULL), 0);
	await(t, too, ours, TRANSFER_DONE);
	assert_true(are_equal(path, see(too, ours).path));
}

/* --- liars --- */

static struct link *link_to(struct home *home, const char *name)
{
	struct rooms *r = engine_rooms(home->engine);
	struct name n;
	const struct person *p;

	assert_int_equal(name_parse(&n, bytes_text(name)), 0);
	p = persons_find(r->persons, &n);
	for (unsigned i = 0; i < WIRE_DEVICES_MAX; i++) {
		if (p->ways[i] && p->ways[i]->state == WAY_LINKED)
			return p->ways[i]->link;
	}
	fail_msg("no link");
	return NULL;
}

static void say_on(struct link *link, int64_t stream, const struct wire_message *m)
{
	struct buf raw = { 0 }, frame = { 0 };

	assert_int_equal(wire_encode(m, &raw), 0);
	assert_int_equal(frame_append(&frame, buf_view(&raw)), 0);
	assert_int_equal(link_write(link, stream, buf_view(&frame), false), 0);
	buf_clear(&raw);
	buf_clear(&frame);
}

static void sql(struct home *home, const char *what)
{
	assert_int_equal(db_exec(engine_db(home->engine), what), 0);
}

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
		TOWN(a_small_file_arrives_without_being_asked_for),
		TOWN(a_file_goes_on_with_its_words_as_they_are_now),
		TOWN(a_large_file_waits_until_it_is_accepted),
		TOWN(a_file_is_never_stored_over_another),
		TOWN(an_empty_file_arrives),
		TOWN(a_folder_arrives_with_all_in_it),
		TOWN(a_folder_that_was_changed_is_not_fetched_and_both_hear_why),
		TOWN(a_transfer_goes_on_where_the_link_was_lost),
		TOWN(a_transfer_goes_on_when_the_receiver_was_killed),
		TOWN(what_is_on_disk_is_not_sent_again_when_the_receiver_was_killed),
		TOWN(a_transfer_goes_on_when_the_sender_was_killed),
		TOWN(who_fetches_may_pause_and_go_on),
		TOWN(who_offers_may_pause_and_go_on),
		TOWN(what_was_cancelled_leaves_nothing_and_can_be_had_all_the_same),
		TOWN(what_its_owner_cancelled_fails),
		TOWN(what_was_retracted_is_not_fetched),
		TOWN(a_file_that_has_changed_is_not_the_one_offered),
		TOWN(a_spooled_file_goes_when_it_has_arrived),
		TOWN(what_is_neither_file_nor_folder_is_refused),
		TOWN(many_files_have_their_turns),
		TOWN(each_device_gets_what_is_offered),
		TOWN(a_file_is_fetched_from_another_own_device_where_its_author_is_away),
		TOWN(a_folder_is_fetched_from_another_own_device_where_its_author_is_away),
		TOWN(what_one_device_sent_another_one_can_have),
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
