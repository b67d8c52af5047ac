/* What both sides know of a file outlives what happens to them: small images that wait to be looked at, that it has
 * arrived, and how much of it has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "peer/files.h"
#include "peer/image.h"
#include "peer/persons.h"
#include "peer/rooms.h"
#include "peer/way.h"
#include "shared/error.h"
#include "tests/town_told.h"

/* Nobody does any work for it: what it wants done waits. */
static mono_ns without_worker(void *user, mono_ns now, wall_ms wall)
{
	struct home *home = user;

	return engine_step(home->engine, now, wall);
}

/* --- thumbnails --- */

static int make_small(struct image_work *w)
{
	const char *made = w->path ? "as it was said" : "made anew";

	w->width = w->height = 10;
	w->size = (uint32_t)strlen(made);
	memcpy(w->thumbnail, made, w->size);
	return 0;
}

static bool has_thumbnail(const struct shown_file *s)
{
	return *s->thumbnail != 0;
}

static void a_thumbnail_is_shown_only_as_it_was_made_here(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	calm_net_step *works = t->net.nodes[b->node].step;
	char path[200];

	befriend(t);
	town_image = make_small;
	make_new_file(t, "moon.png", 1000, path);
	t->net.nodes[b->node].step = without_worker;
	offer(t, a, "bob", path);
	assert_string_equal(see_newest(a, "bob").thumbnail, "as it was said");
	AWAIT(t, b, "alice", is_here);
	calm_net_run(&t->net, SECOND, NULL, NULL);
	assert_string_equal(see_newest(b, "alice").thumbnail, "");
	t->net.nodes[b->node].step = works;
	assert_string_equal(AWAIT(t, b, "alice", has_thumbnail).thumbnail, "made anew");
	town_image = NULL;
}

static void a_thumbnail_that_waits_to_be_looked_at_outlives_the_engine(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	calm_net_step *works = t->net.nodes[b->node].step;
	char path[200];

	befriend(t);
	town_image = make_small;
	make_new_file(t, "moon.png", 1000, path);
	t->net.nodes[b->node].step = without_worker;
	offer(t, a, "bob", path);
	AWAIT(t, b, "alice", is_here);
	calm_net_run(&t->net, SECOND, NULL, NULL);
	stop_home(t, a);
	t->net.nodes[b->node].step = works;
	restart(t, b);
	assert_string_equal(AWAIT(t, b, "alice", has_thumbnail).thumbnail, "made anew");
	town_image = NULL;
}

static bool is_leaving;

static int leave(struct image_work *w)
{
	return is_leaving && !w->path ? ERR_CLOSED : make_small(w);
}

static void a_thumbnail_that_is_looked_at_when_the_engine_ends_is_looked_at_again(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	char path[200];

	befriend(t);
	town_image = leave;
	is_leaving = true;
	make_new_file(t, "moon.png", 1000, path);
	offer(t, a, "bob", path);
	AWAIT(t, b, "alice", is_here);
	calm_net_run(&t->net, SECOND, NULL, NULL);
	assert_string_equal(see_newest(b, "alice").thumbnail, "");
	is_leaving = false;
	restart(t, b);
	assert_string_equal(AWAIT(t, b, "alice", has_thumbnail).thumbnail, "made anew");
	town_image = NULL;
}

static void what_has_no_thumbnail_does_not_wait_for_ever(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	char path[200];

	befriend(t);
	make_new_file(t, "note.txt", 1000, path);
	for (unsigned i = 0; i < 5; i++)
		offer(t, a, "bob", path);
	AWAIT(t, b, "alice", is_done);
	sql(b, "UPDATE file SET flags = flags | 64");
	restart(t, b);
	calm_net_run(&t->net, SECOND, NULL, NULL);
	assert_int_equal(count_of_flag(b, 64), 0);
}

/* --- that it has arrived --- */

static bool is_held(void *user)
{
	(void)user;
	return spoilt_worker.is_held;
}

/* Bob has all of it but in its place, and that waits. */
static calm_net_step *hold_place(struct town *t, bool is_spooled, char path[200])
{
	struct home *a = &t->homes[0], *b = &t->homes[1];
	calm_net_step *works = t->net.nodes[b->node].step;

	memset(&spoilt_worker, 0, sizeof spoilt_worker);
	spoilt_worker.what = FILING_PLACE;
	befriend(t);
	make_new_file(t, "note.txt", 1000, path);
	t->net.nodes[b->node].step = with_spoilt_worker;
	offer_as(t, a, "bob", &(struct engine_file){ .path = path, .is_spooled = is_spooled });
	assert_true(calm_net_run(&t->net, 60 * SECOND, is_held, NULL));
	assert_int_equal(see_newest(a, "bob").state, TRANSFER_RUNNING);
	return works;
}

static void who_is_killed_before_it_says_that_it_has_a_file_says_so_later(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	char path[200];

	t->net.nodes[b->node].step = hold_place(t, true, path);
	stop_home(t, b);
	files_job_drop(&spoilt_worker.held);
	calm_net_run(&t->net, SECOND, NULL, NULL);
	start_home(t, b);
	AWAIT(t, b, "alice", is_done);
	AWAIT(t, a, "bob", is_done);
	calm_net_run(&t->net, SECOND, NULL, NULL);
	assert_int_not_equal(access(path, F_OK), 0);
	assert_int_equal(count_untold(b), 0);
}

static void only_its_author_ends_the_telling(struct town *t)
{
	struct home *b = &t->homes[1];
	struct rooms *r = engine_rooms(b->engine);
	struct wire_file_noted m = { .error = ERR_FULL };
	struct way *real = NULL, w;
	struct name name;
	const struct person *p;

	assert_int_equal(name_parse(&name, bytes_text("alice")), 0);
	p = persons_find(r->persons, &name);
	for (unsigned i = 0; i < WIRE_DEVICES_MAX && !real; i++)
		real = p->ways[i];
	assert_non_null(real);
	w = *real;
	w.state = WAY_LINKED;
	w.told_open = 3;
	memcpy(m.id, see_newest(b, "alice").file_id, sizeof m.id);
	files_hear_noted(r->files, &w, &m); /* another word */
	assert_int_equal(count_untold(b), 1);
	m.error = 0;
	w.device.bytes[0] ^= 1; /* another device */
	files_hear_noted(r->files, &w, &m);
	assert_int_equal(count_untold(b), 1);
	m.id[0] ^= 1; /* another file */
	w.device.bytes[0] ^= 1;
	files_hear_noted(r->files, &w, &m);
	assert_int_equal(count_untold(b), 1);
	m.id[0] ^= 1;
	assert_int_equal(w.told_open, 0);
	files_hear_noted(r->files, &w, &m); /* more than was said to them */
	assert_int_equal(count_untold(b), 1);
}

static void who_is_killed_before_it_stores_that_a_file_has_arrived_hears_it_again(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	calm_net_step *works;
	char path[200];

	works = hold_place(t, true, path);
	/* What it says is lost with who should have heard it. */
	t->net.is_cut = is_apart;
	spoilt_worker.held.err = filing_run(&spoilt_worker.held);
	engine_job_done(b->engine, &spoilt_worker.held);
	t->net.nodes[b->node].step = works;
	AWAIT(t, b, "alice", is_done);
	assert_int_equal(count_untold(b), 1);
	only_its_author_ends_the_telling(t);
	restart(t, a);
	assert_int_equal(see_newest(a, "bob").state, TRANSFER_OFFERED);
	t->net.is_cut = NULL;
	AWAIT(t, a, "bob", is_done);
	calm_net_run(&t->net, SECOND, NULL, NULL);
	assert_int_not_equal(access(path, F_OK), 0);
	assert_int_equal(count_untold(b), 0);
	/* And once that is known it is not said any more. */
	restart(t, b);
	calm_net_run(&t->net, 5 * SECOND, NULL, NULL);
	assert_int_equal(count_untold(b), 0);
	assert_int_equal(see_newest(a, "bob").state, TRANSFER_DONE);
}

static void what_comes_as_it_should_is_known_on_both_sides_at_once(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	char path[200];

	befriend(t);
	make_new_file(t, "note.txt", 1000, path);
	offer(t, a, "bob", path);
	AWAIT(t, a, "bob", is_done);
	calm_net_run(&t->net, 100 * MILLISECOND, NULL, NULL);
	assert_int_equal(count_untold(b), 0);
}

static void more_than_is_said_at_once_is_said_all_the_same(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	char path[200];

	befriend(t);
	make_new_file(t, "note.txt", 1000, path);
	offer(t, a, "bob", path);
	AWAIT(t, a, "bob", is_done);
	calm_net_run(&t->net, SECOND, NULL, NULL);
	sql(b,
	    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 150)"
	    " INSERT INTO file(id, message, contact, is_ours, state, size, changed_at, flags)"
	    " SELECT randomblob(16), message, contact, 0, 7, size, 0, 128 FROM file, n");
	assert_int_equal(count_untold(b), 150);
	restart(t, b);
	calm_net_run(&t->net, 10 * SECOND, NULL, NULL);
	assert_int_equal(count_untold(b), 0);
}

static void a_sender_that_begins_anew_knows_how_much_has_arrived(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	char path[200];

	offer_half(t, path);
	stop_home(t, a);
	t->net.is_cut = is_apart;
	start_home(t, a);
	assert_int_equal(see_newest(a, "bob").state, TRANSFER_OFFERED);
	assert_in_range(see_newest(a, "bob").done, 1 << 20, LARGE);
	t->net.is_cut = NULL;
	AWAIT(t, b, "alice", is_done);
	AWAIT(t, a, "bob", is_done);
}

static void what_was_had_from_another_own_device_is_told_to_who_offered_it(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1], *too = &t->homes[2];
	char path[200];

	befriend(t);
	another_device(t, too, "bob");
	accept_up_to(too, 0);
	make_new_file(t, "note.txt", 1000, path);
	offer(t, a, "bob", path);
	AWAIT(t, b, "alice", is_done);
	AWAIT(t, too, "alice", is_here);
	AWAIT(t, a, "bob", is_done);
	stop_home(t, a);
	fetch(too, "alice");
	AWAIT(t, too, "alice", is_done);
	assert_int_equal(count_untold(too), 1);
	start_home(t, a);
	sql(a, "UPDATE file SET state = 1");
	say(t, a, "bob", "back");
	calm_net_run(&t->net, 10 * SECOND, NULL, NULL);
	assert_int_equal(count_untold(too), 0);
}

/* --- what is in a folder --- */

static void a_folder_is_as_large_as_its_files_and_says_what_it_leaves_out(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	char path[200], name[210];
	const struct event *answer;

	befriend(t);
	snprintf(path, sizeof path, "%s/things", t->folder);
	assert_int_equal(mkdir(path, 0700), 0);
	make_new_file(t, "things/one", 1000, name);
	make_new_file(t, "things/two", 24, name);
	snprintf(name, sizeof name, "%s/none", path);
	assert_int_equal(mkdir(name, 0700), 0);
	snprintf(name, sizeof name, "%s/out", path);
	assert_int_equal(symlink("/etc/passwd", name), 0);
	snprintf(name, sizeof name, "%s/none/up", path);
	assert_int_equal(symlink("..", name), 0);
	snprintf(name, sizeof name, "%s/pipe", path);
	assert_int_equal(mkfifo(name, 0600), 0);
	offer(t, a, "bob", path);
	answer = find_event(a, EVENT_ANSWER);
	assert_int_equal(answer->message.file.links, 2);
	assert_int_equal(answer->message.file.others, 1);
	assert_int_equal(see_newest(a, "bob").size, 1024);
	assert_int_equal(AWAIT(t, b, "alice", is_done).size, 1024);
	assert_int_equal(see_newest(b, "alice").done, 1024);
	wait_for(t, b, EVENT_HEARD, 1);
	assert_int_equal(find_event(b, EVENT_HEARD)->message.file.size, 1024);
	assert_int_equal(AWAIT(t, a, "bob", is_done).done, 1024);
}

static void an_empty_folder_holds_no_bytes(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	char path[200];

	befriend(t);
	snprintf(path, sizeof path, "%s/none", t->folder);
	assert_int_equal(mkdir(path, 0700), 0);
	offer(t, a, "bob", path);
	assert_int_equal(see_newest(a, "bob").size, 0);
	assert_int_equal(find_event(a, EVENT_ANSWER)->message.file.links, 0);
	assert_int_equal(AWAIT(t, b, "alice", is_done).done, 0);
	assert_int_equal(see_newest(b, "alice").size, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TOWN(a_thumbnail_is_shown_only_as_it_was_made_here),
		TOWN(a_thumbnail_that_waits_to_be_looked_at_outlives_the_engine),
		TOWN(a_thumbnail_that_is_looked_at_when_the_engine_ends_is_looked_at_again),
		TOWN(what_has_no_thumbnail_does_not_wait_for_ever),
		TOWN(who_is_killed_before_it_says_that_it_has_a_file_says_so_later),
		TOWN(who_is_killed_before_it_stores_that_a_file_has_arrived_hears_it_again),
		TOWN(what_comes_as_it_should_is_known_on_both_sides_at_once),
		TOWN(more_than_is_said_at_once_is_said_all_the_same),
		TOWN(a_sender_that_begins_anew_knows_how_much_has_arrived),
		TOWN(what_was_had_from_another_own_device_is_told_to_who_offered_it),
		TOWN(a_folder_is_as_large_as_its_files_and_says_what_it_leaves_out),
		TOWN(an_empty_folder_holds_no_bytes),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
