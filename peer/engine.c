#include "peer/engine_inside.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer/account.h"
#include "peer/address_book.h"
#include "peer/bots.h"
#include "peer/candidates.h"
#include "peer/contacts.h"
#include "peer/conversations.h"
#include "peer/directory_client.h"
#include "peer/events.h"
#include "peer/expiry.h"
#include "peer/files.h"
#include "peer/forwarding.h"
#include "peer/grants.h"
#include "peer/lan.h"
#include "peer/marks.h"
#include "peer/outbox.h"
#include "peer/persons.h"
#include "peer/profiles.h"
#include "peer/proposals.h"
#include "peer/reach.h"
#include "peer/safe.h"
#include "peer/search.h"
#include "peer/siblings.h"
#include "peer/store.h"
#include "shared/error.h"
#include "shared/text.h"

enum { ENGINE_EVENTS_MAX = 4096 };     /* of links, in one step */
#define STORE_AGAIN       (SECOND / 2) /* a store that cannot be read is tried so often */
#define PEER_IDLE_TIMEOUT (45 * SECOND)
#define PEER_KEEP_ALIVE   (20 * SECOND)

/* --- beginning and end --- */

static void make_endpoint(struct engine *e, mono_ns now)
{
	struct endpoint_config config = {
		.policy = ENDPOINT_ADMITTED,
		.device = *account_device_keys(e->rooms.account),
		.knock = *account_knock(e->rooms.account),
		.idle_timeout = PEER_IDLE_TIMEOUT,
		.keep_alive = PEER_KEEP_ALIVE,
	};

	e->rooms.endpoint = endpoint_new(&config, now);
	sodium_memzero(&config, sizeof config);
}

int engine_open(struct engine **out, const struct engine_config *config, mono_ns now,
		wall_ms wall, char *reason, size_t reason_size)
{
	struct engine *e = memory_new(sizeof *e);
	struct rooms *r = &e->rooms;
	int err;

	r->now = now;
	r->wall = wall;
	r->save_at = e->asking_since = NEVER;
	err = store_open(&r->store, config->store, config->key, config->durable, reason,
			 reason_size);
	if (err < 0)
		goto out;
	r->events = events_new(r->store);
	r->persons = persons_new(r->store);
	r->candidates = own_candidates_new();
	err = account_new(&r->account, r, config->device_label, config->ksf);
	if (err < 0)
		goto unreadable;
	make_endpoint(e, now);
	account_equip(r->account);
	r->book = address_book_new(r);
	r->expiry = expiry_new(r);
	r->search = search_new(r);
	r->conversations = conversations_new(r);
	r->outbox = outbox_new(r);
	r->directory = directory_client_new(r);
	r->sighting = sighting_new(r);
	r->port_map = port_map_new(r);
	r->reach = reach_new(r);
	r->siblings = siblings_new(r);
	r->lan = lan_new(r);
	r->forwarding = forwarding_new(r);
	r->relay = relay_new(r);
	r->grants = grants_new(r);
	r->files = files_new(r);
	files_set_downloads(r->files, config->downloads);
	e->safe = safe_new(r);
	err = contacts_new(&r->contacts, r);
	if (err < 0)
		goto unreadable;
	r->profiles = profiles_new(r);
	r->marks = marks_new(r);
	e->bots = bots_new(r);
	e->proposals = proposals_new(r);
	account_tell(r->account);
	err = store_commit(r->store);
	if (err < 0)
		goto unreadable;
	events_release(r->events);
	*out = e;
	return 0;
unreadable:
	if (reason && reason_size > 0)
		snprintf(reason, reason_size, _("%s cannot be used: %s; it is left as it is"),
			 config->store, error_text(err));
out:
	if (err < 0)
		engine_close(e);
	return err;
}

void engine_close(struct engine *e)
{
	struct rooms *r;

	if (!e)
		return;
	r = &e->rooms;
	proposals_free(e->proposals);
	bots_free(e->bots);
	safe_free(e->safe);
	marks_free(r->marks);
	profiles_free(r->profiles);
	files_free(r->files);
	grants_free(r->grants);
	relay_free(r->relay);
	forwarding_free(r->forwarding);
	lan_free(r->lan);
	contacts_free(r->contacts);
	siblings_free(r->siblings);
	reach_free(r->reach);
	port_map_free(r->port_map);
	sighting_free(r->sighting);
	directory_client_free(r->directory);
	outbox_free(r->outbox);
	conversations_free(r->conversations);
	search_free(r->search);
	expiry_free(r->expiry);
	if (r->endpoint)
		endpoint_free(r->endpoint);
	address_book_free(r->book);
	account_free(r->account);
	own_candidates_free(r->candidates);
	persons_free(r->persons);
	events_free(r->events);
	store_close(r->store);
	for (unsigned i = 0; i < e->answer_count; i++) {
		files_job_drop(&e->answers[i]);
		sodium_memzero(&e->answers[i], sizeof e->answers[i]);
	}
	free(e->answers);
	free(e->wishes);
	buf_clear(&e->texts);
	buf_clear(&e->menu);
	free(e);
}

struct rooms *engine_rooms(struct engine *e)
{
	return &e->rooms;
}

struct db *engine_db(struct engine *e)
{
	return store_db(e->rooms.store);
}

struct endpoint *engine_endpoint(struct engine *e)
{
	return e->rooms.endpoint;
}

/* --- the step --- */

static void take_answers(struct engine *e)
{
	for (unsigned i = 0; i < e->answer_count; i++) {
		struct job *job = &e->answers[i];

		if (job->kind == JOB_RESOLVE)
			directory_client_resolved(e->rooms.directory, job);
		else if (job->kind == JOB_UPNP)
			port_map_job_done(e->rooms.port_map, job);
		else if (profiles_job_done(e->rooms.profiles, job))
			continue;
		else if (job->kind == JOB_FILING || job->kind == JOB_IMAGE)
			files_job_done(e->rooms.files, job);
		else
			account_job_done(e->rooms.account, job);
		sodium_memzero(job, sizeof *job);
	}
	e->answer_count = 0;
}

static void on_event(struct engine *e, const struct link_event *event)
{
	struct rooms *r = &e->rooms;
	const struct certificate *whose;

	if (event->kind == STRAY) {
		e->received += engine_hear_stray(r, event);
		return;
	}
	if (directory_client_event(r->directory, event))
		return;
	if (event->kind != LINK_UP) {
		reach_event(r->reach, event);
		return;
	}
	whose = link_certificate(event->link);
	reach_up(r->reach, event->link,
		 whose ? persons_of_identity(r->persons, &whose->identity) : NULL);
}

static void take_events(struct engine *e)
{
	struct link_event event;
	unsigned i;

	for (i = 0; i < ENGINE_EVENTS_MAX && endpoint_next(e->rooms.endpoint, &event); i++)
		on_event(e, &event);
	if (i == ENGINE_EVENTS_MAX)
		e->rooms.has_more = true;
	contacts_take_goodbyes(e->rooms.contacts);
}

/* --- what the directory says, and the room that hears it --- */

static void on_welcome(struct engine *e, const struct wire_message *m)
{
	const struct wire_welcome *w = &m->welcome;
	struct address main = directory_client_address(e->rooms.directory);

	sighting_welcomed(e->rooms.sighting, &main, w->sights, w->sight_count);
	contacts_stale(e->rooms.contacts);
	listing_start(&e->listing);
	safe_welcomed(e->safe);
}

static void on_presence(struct engine *e, const struct wire_message *m)
{
	const struct name *ours = account_name(e->rooms.account);

	if (name_equal(&m->presence.name, ours))
		siblings_presence(&e->rooms, &m->presence);
	else
		contacts_presence(e->rooms.contacts, &m->presence);
}

static void on_asked(struct engine *e, const struct wire_message *m)
{
	contacts_asked(e->rooms.contacts, &m->asked);
}

static void on_introduction(struct engine *e, const struct wire_message *m)
{
	const struct name *ours = account_name(e->rooms.account);

	if (name_equal(&m->introduction.name, ours))
		siblings_introduced(&e->rooms, &m->introduction);
	else
		contacts_introduced(e->rooms.contacts, &m->introduction);
}

static void on_vault(struct engine *e, const struct wire_message *m)
{
	safe_hear(e->safe, m);
}

static const struct {
	enum wire_type type;
	void (*hear)(struct engine *e, const struct wire_message *m);
} rows[] = {
	{ WIRE_WELCOME, on_welcome },  { WIRE_PRESENCE, on_presence },
	{ WIRE_ASKED, on_asked },      { WIRE_INTRODUCTION, on_introduction },
	{ WIRE_VAULT_PART, on_vault }, { WIRE_VAULT_NOW, on_vault },
	{ WIRE_REFUSAL, on_vault },
};

static void hear_directory(struct engine *e)
{
	struct wire_message m;

	while (directory_client_next(e->rooms.directory, &m)) {
		for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
			if (rows[i].type == m.type)
				rows[i].hear(e, &m);
		}
	}
	if (directory_client_take_settled(e->rooms.directory))
		contacts_sweep(e->rooms.contacts);
}

/* Once something was delivered, there is something to lose. */
static void offer_recovery(struct rooms *r)
{
	const struct person *p;

	if (account_is_recovery_offered(r->account))
		return;
	for (unsigned i = 0; (p = persons_at(r->persons, i)) != NULL; i++) {
		if (p->conversation->delivered > 1) {
			account_offer_recovery(r->account);
			return;
		}
	}
}

mono_ns engine_step(struct engine *e, mono_ns now, wall_ms wall)
{
	struct rooms *r = &e->rooms;
	mono_ns deadline;

	r->now = now;
	r->wall = wall;
	r->has_more = false;
	if (!engine_is_readable(e))
		return now + STORE_AGAIN;
	engine_follow_network(e);
	contacts_step(r->contacts);
	engine_grant_wishes(e);
	take_answers(e);
	take_events(e);
	hear_directory(e);
	deadline = directory_client_step(r->directory);
	siblings_step(r);
	deadline = mono_earlier(deadline, contacts_step(r->contacts));
	engine_hear_peers(r);
	engine_hear_streams(r);
	siblings_step(r);
	deadline = mono_earlier(deadline, files_step(r->files));
	reach_step(r->reach);
	deadline = mono_earlier(deadline, engine_step_reach(e));
	contacts_take_goodbyes(r->contacts);
	offer_recovery(r);
	deadline = mono_earlier(deadline, account_step(r->account));
	deadline = mono_earlier(deadline, safe_step(e->safe));
	deadline = mono_earlier(deadline, engine_step_bots(e));
	deadline = mono_earlier(deadline, engine_step_kept(e));
	/* Not at once: what made it fail may last. */
	if (engine_settle(e) < 0)
		return now + STORE_AGAIN;
	if (r->has_more)
		return now;
	deadline = mono_earlier(deadline, r->save_at);
	deadline = mono_earlier(deadline, directory_client_deadline(r->directory));
	return mono_earlier(deadline, reach_deadline(r->reach));
}

void engine_goodbye(struct engine *e, mono_ns now)
{
	e->rooms.now = now;
	e->rooms.save_at = now;
	engine_grant_wishes(e);
	engine_settle(e);
	endpoint_close_all(e->rooms.endpoint, LINK_CODE_BYE, now);
	reach_all_closed(e->rooms.reach);
}

bool engine_next_event(struct engine *e, struct event *event)
{
	bool is_one = events_next(e->rooms.events, event);

	if (is_one && event->message.has_file)
		files_show_new(e->rooms.files, &event->message);
	return is_one;
}

bool engine_next_job(struct engine *e, struct job *job)
{
	return account_next_job(e->rooms.account, job) ||
	       directory_client_next_job(e->rooms.directory, job) ||
	       port_map_next_job(e->rooms.port_map, job) ||
	       files_next_job(e->rooms.files, job) || profiles_next_job(e->rooms.profiles, job);
}

void engine_job_done(struct engine *e, const struct job *answer)
{
	struct job *before = e->answers;
	size_t size = e->answer_count * sizeof *before;

	/* Not memory_grow(): what was stretched would be left behind where it was. */
	e->answers = memory_array(e->answer_count + 1, sizeof *e->answers);
	if (size > 0) {
		memcpy(e->answers, before, size);
		sodium_memzero(before, size);
	}
	free(before);
	e->answers[e->answer_count++] = *answer;
}
