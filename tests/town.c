#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "peer/filing.h"
#include "shared/error.h"
#include "tests/town.h"

int (*town_image)(struct image_work *work);

static mono_ns on_server(void *user, mono_ns now, wall_ms wall)
{
	struct town *t = user;

	return server_step(t->server, now, wall);
}

/* Stretching is the same function of its input for everyone, and not what is tested here. */
static bool answer_jobs(struct engine *e)
{
	struct job job;
	bool is_any = false;

	while (engine_next_job(e, &job)) {
		is_any = true;
		if (job.kind == JOB_FILING)
			job.err = filing_run(&job);
		else if (job.kind == JOB_IMAGE)
			job.err = town_image ? town_image(job.task) : ERR_NOT_FOUND;
		else if (job.kind == JOB_WORK)
			job.err = work_solve(&job.work, &job.nonce, NULL, NULL);
		else if (job.kind == JOB_UPNP)
			job.err = ERR_NOT_FOUND;
		else
			assert_int_equal(job.kind, JOB_STRETCH);
		for (size_t i = 0; job.kind == JOB_STRETCH && i < sizeof job.stretch; i++)
			job.stretch[i] ^= 0x5a;
		engine_job_done(e, &job);
	}
	return is_any;
}

static void keep_event(struct home *h, const struct event *e)
{
	struct event *kept;

	if ((h->count & (h->count - 1)) == 0) /* room is twice as much each time */
		h->events = memory_grow(h->events, h->count ? 2 * h->count : 1,
					sizeof *h->events);
	kept = &h->events[h->count++];
	*kept = *e;
	kept->message.text.data = NULL; /* views are good until the next event */
	kept->message.file.name = kept->message.file.type = kept->message.file.alt =
		(struct bytes){ 0 };
	if (e->message.text.size > 0) {
		uint8_t *copy = memory_new(e->message.text.size);

		memcpy(copy, e->message.text.data, e->message.text.size);
		kept->message.text.data = copy;
	}
	if (e->id) {
		assert_true(e->id > h->last_id); /* what is not shown takes a number, too */
		h->last_id = e->id;
	}
}

static mono_ns on_engine(void *user, mono_ns now, wall_ms wall)
{
	struct home *h = user;
	mono_ns deadline = engine_step(h->engine, now, wall);
	struct event event;

	h->steps++;
	if (answer_jobs(h->engine))
		deadline = now;
	while (engine_next_event(h->engine, &event))
		keep_event(h, &event);
	return deadline;
}

void forget_events(struct home *h)
{
	for (unsigned i = 0; i < h->count; i++)
		free((void *)(uintptr_t)h->events[i].message.text.data);
	free(h->events);
	h->events = NULL;
	h->count = 0;
}

const struct event *find_event(const struct home *h, enum event_kind kind)
{
	for (unsigned i = h->count; i-- > 0;) {
		if (h->events[i].kind == kind)
			return &h->events[i];
	}
	return NULL;
}

unsigned count_events(const struct home *h, enum event_kind kind)
{
	unsigned count = 0;

	for (unsigned i = 0; i < h->count; i++)
		count += h->events[i].kind == kind;
	return count;
}

void start_server(struct town *t)
{
	struct server_config config = { .data = t->folder, .registration = REGISTRATION_OPEN };
	char reason[200] = "";

	if (server_open(&t->server, &config, t->net.now, t->net.wall, reason, sizeof reason) <
	    0)
		fail_msg("server: %s", reason);
	t->net.nodes[t->server_node].endpoint = server_endpoint(t->server);
}

void stop_server(struct town *t)
{
	server_close(t->server);
	t->server = NULL;
	t->net.nodes[t->server_node].endpoint = NULL;
}

void start_home(struct town *t, struct home *h)
{
	struct engine_config config = { .store = h->path,
					.device_label = "test",
					.downloads = h->downloads };
	struct calm_net_node *node = &t->net.nodes[h->node];
	struct network network = { 0 };
	char reason[200] = "";

	if (engine_open(&h->engine, &config, t->net.now, t->net.wall, reason, sizeof reason) <
	    0)
		fail_msg("engine: %s", reason);
	node->endpoint = engine_endpoint(h->engine);
	network.port = node->address.port;
	network.addresses[network.address_count++] = node->address;
	engine_set_network(h->engine, &network);
}

void stop_home(struct town *t, struct home *h)
{
	engine_close(h->engine);
	h->engine = NULL;
	t->net.nodes[h->node].endpoint = NULL;
}

static void remove_folder(const char *folder)
{
	char command[128];

	snprintf(command, sizeof command, "rm -rf '%s'", folder);
	assert_int_equal(system(command), 0);
}

int build_town(void **state)
{
	struct town *t = memory_new(sizeof *t);
	char reason[200] = "";

	calm_net_init(&t->net);
	snprintf(t->folder, sizeof t->folder, "/tmp/palique-engine-XXXXXX");
	assert_non_null(mkdtemp(t->folder));
	remove_folder(t->folder);
	if (server_init(t->folder, reason, sizeof reason) < 0)
		fail_msg("server: %s", reason);
	t->server_node = calm_net_add(&t->net, NULL, on_server, t);
	start_server(t);
	for (unsigned i = 0; i < TOWN_HOMES; i++) {
		struct home *h = &t->homes[i];

		h->node = calm_net_add(&t->net, NULL, on_engine, h);
		snprintf(h->path, sizeof h->path, "%s/home%u.db", t->folder, i);
		snprintf(h->downloads, sizeof h->downloads, "%s/files%u", t->folder, i);
		start_home(t, h);
	}
	*state = t;
	return 0;
}

int raze_town(void **state)
{
	struct town *t = *state;

	for (unsigned i = 0; i < TOWN_HOMES; i++) {
		forget_events(&t->homes[i]);
		if (t->homes[i].engine)
			stop_home(t, &t->homes[i]);
	}
	if (t->server)
		stop_server(t);
	remove_folder(t->folder);
	free(t);
	return 0;
}

/* --- what tests wait for --- */

bool has_answer(void *user)
{
	struct wait *w = user;

	for (unsigned i = 0; i < w->home->count; i++) {
		const struct event *e = &w->home->events[i];

		if (e->kind == EVENT_ANSWER && e->ticket == w->ticket)
			return true;
	}
	return false;
}

int answer_of(struct town *t, struct home *h, uint64_t ticket)
{
	struct wait w = { .home = h, .ticket = ticket };

	if (!calm_net_run(&t->net, 60 * SECOND, has_answer, &w))
		fail_msg("no answer");
	for (unsigned i = 0; i < h->count; i++) {
		if (h->events[i].kind == EVENT_ANSWER && h->events[i].ticket == ticket)
			return h->events[i].error;
	}
	return ERR_STATE;
}

bool has_events(void *user)
{
	struct wait *w = user;

	return count_events(w->home, w->kind) >= w->count;
}

void wait_for(struct town *t, struct home *h, enum event_kind kind, unsigned count)
{
	struct wait w = { .home = h, .kind = kind, .count = count };

	if (!calm_net_run(&t->net, 120 * SECOND, has_events, &w))
		fail_msg("event %d did not come %u times", kind, count);
}

bool is_online(void *user)
{
	struct home *h = user;
	struct engine_account a;

	engine_account(h->engine, &a);
	return a.state == ACCOUNT_ONLINE;
}

void wait_online(struct town *t, struct home *h)
{
	if (!calm_net_run(&t->net, 120 * SECOND, is_online, h))
		fail_msg("not online");
}

bool sees_online(void *user)
{
	struct wait *w = user;
	struct contact c;

	return engine_contact(w->home->engine, w->name, &c) == 0 && c.is_online;
}

bool sees_offline(void *user)
{
	return !sees_online(user);
}

void wait_seen(struct town *t, struct home *h, const char *name, bool is_up)
{
	struct wait w = { .home = h, .name = name };

	if (!calm_net_run(&t->net, 120 * SECOND, is_up ? sees_online : sees_offline, &w))
		fail_msg("%s is not seen %s", name, is_up ? "online" : "offline");
}

struct uri link_of(struct town *t, bool has_key)
{
	struct uri link = { .kind = URI_DIRECTORY, .place = { "10.0.0.1", 7000 } };

	link.has_directory_key = has_key;
	if (has_key)
		link.directory_key = *server_key(t->server);
	return link;
}

int join(struct town *t, struct home *h, const char *name, bool has_key)
{
	struct uri link = link_of(t, has_key);
	int err = engine_join(h->engine, &link, name, bytes_text("correct horse"),
			      ++t->tickets);

	return err < 0 ? err : answer_of(t, h, t->tickets);
}

uint64_t say(struct town *t, struct home *h, const char *to, const char *text)
{
	uint64_t ticket = ++t->tickets;

	assert_int_equal(engine_send(h->engine, to, bytes_text(text), 0, ticket), 0);
	assert_int_equal(answer_of(t, h, ticket), 0);
	return find_event(h, EVENT_SAID)->message.id;
}

void befriend(struct town *t)
{
	struct home *a = &t->homes[0], *b = &t->homes[1];

	assert_int_equal(join(t, a, "alice", true), 0);
	assert_int_equal(join(t, b, "bob", true), 0);
	wait_online(t, a);
	wait_online(t, b);
	assert_int_equal(engine_add(a->engine, "bob", NULL, NULL), 0);
	wait_for(t, b, EVENT_REQUEST, 1);
	assert_int_equal(engine_accept(b->engine, "alice"), 0);
	wait_seen(t, a, "bob", true);
	wait_seen(t, b, "alice", true);
}

void assert_heard(const struct home *h, unsigned at, const char *text)
{
	unsigned seen = 0;

	for (unsigned i = 0; i < h->count; i++) {
		if (h->events[i].kind != EVENT_HEARD || seen++ != at)
			continue;
		assert_true(bytes_equal(h->events[i].message.text, bytes_text(text)));
		return;
	}
	fail_msg("message %u was not heard", at);
}
