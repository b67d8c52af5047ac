#include "tests/peer_fixture.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "peer/account.h"
#include "peer/directory_client_inside.h"
#include "peer/persons.h"
#include "peer/siblings.h"
#include "shared/error.h"
#include "tests/stored_account.h"

struct name name_of(const char *text)
{
	struct name name;
	int err = name_parse(&name, bytes_text(text));

	assert(err == 0);
	return name;
}

static void write_account(struct peer *p)
{
	struct store *store;
	int err = store_open(&store, p->path, NULL, false, NULL, 0);

	assert(err == 0);
	stored_account_write(store,
			     &(struct stored_account){ &p->name, &p->identity, &p->device,
						       &p->knock, &p->devices });
	err = store_commit(store);
	assert(err == 0);
	store_close(store);
}

static void make_home(struct peer *p, const char *name)
{
	int file;

	memset(p, 0, sizeof *p);
	snprintf(p->path, sizeof p->path, "/tmp/palique-peer-XXXXXX");
	file = mkstemp(p->path);
	assert(file >= 0);
	close(file);
	unlink(p->path); /* a name of its own is all that was wanted */
	p->name = name_of(name);
	device_make(&p->device);
	randombytes_buf(&p->knock, sizeof p->knock);
}

static void take_in(struct peer *p)
{
	int err = device_list_add(&p->devices, &p->device.public, "test", 0);

	assert(err == 0);
	device_list_sign(&p->devices, &p->identity);
	certificate_make(&p->certificate, &p->identity, &p->device.public, "test", 1, 0);
	write_account(p);
}

void peer_make(struct peer *p, const char *name)
{
	make_home(p, name);
	identity_make(&p->identity);
	take_in(p);
}

void peer_make_sibling(struct peer *p, struct peer *first)
{
	make_home(p, first->name.text);
	p->identity = first->identity;
	p->devices = first->devices;
	take_in(p);
	first->devices = p->devices;
}

void peer_revoke(struct peer *by, const struct peer *gone)
{
	int err = device_list_remove(&by->devices, &gone->device.public);

	assert(err == 0);
	device_list_sign(&by->devices, &by->identity);
}

void peer_open(struct peer *p, mono_ns now, wall_ms wall)
{
	struct engine_config config = { .store = p->path,
					.device_label = "test",
					.durable = p->is_durable };
	int err = engine_open(&p->engine, &config, now, wall, NULL, 0);

	assert(err == 0);
	p->rooms = engine_rooms(p->engine);
}

void peer_close(struct peer *p)
{
	engine_close(p->engine);
	p->engine = NULL;
	p->rooms = NULL;
}

void peer_hide(struct peer *p)
{
	char name[80];

	unlink(p->path);
	snprintf(name, sizeof name, "%s-wal", p->path);
	unlink(name);
	snprintf(name, sizeof name, "%s-shm", p->path);
	unlink(name);
}

void peer_remove(struct peer *p)
{
	peer_close(p);
	peer_hide(p);
	identity_wipe(&p->identity);
	device_wipe(&p->device);
}

void peer_join(struct peer *p, struct calm_net *net)
{
	peer_open(p, net->now, net->wall);
	p->node = calm_net_add(net, engine_endpoint(p->engine), peer_step, p);
}

void peer_start(struct peer *p, struct calm_net *net)
{
	peer_open(p, net->now, net->wall);
	net->nodes[p->node].endpoint = engine_endpoint(p->engine);
}

void peer_stop(struct peer *p, struct calm_net *net)
{
	peer_close(p);
	net->nodes[p->node].endpoint = NULL;
}

void peer_restart(struct peer *p, struct calm_net *net)
{
	peer_stop(p, net);
	peer_start(p, net);
}

void peer_add(struct peer *p, const struct peer *other)
{
	int err = engine_add(p->engine, other->name.text, &other->identity.public, NULL);

	assert(err == 0);
}

void peer_befriend(struct peer *a, struct peer *b)
{
	peer_add(a, b);
	peer_add(b, a);
}

void peer_make_friends(struct peer *alice, struct peer *bob, mono_ns now, wall_ms wall)
{
	peer_make(alice, "alice");
	peer_make(bob, "bob");
	peer_open(alice, now, wall);
	peer_open(bob, now, wall);
	peer_befriend(alice, bob);
	peer_step(alice, now, wall);
	peer_step(bob, now, wall);
}

static void count(struct peer *p, const struct event *e)
{
	size_t used = strlen(p->heard);

	assert((size_t)e->kind < sizeof p->counts / sizeof *p->counts);
	p->counts[e->kind]++;
	p->last[e->kind] = *e;
	if (e->kind == EVENT_HEARD)
		snprintf(p->heard + used, sizeof p->heard - used, "%.*s ",
			 (int)e->message.text.size, (const char *)e->message.text.data);
}

mono_ns peer_step(void *user, mono_ns now, wall_ms wall)
{
	struct peer *p = user;
	mono_ns deadline = engine_step(p->engine, now, wall);
	struct event e;

	if (!p->hears_silence)
		p->rooms->directory->away_at = NEVER;
	p->steps++;
	while (engine_next_event(p->engine, &e))
		count(p, &e);
	return deadline;
}

void peer_lose_directory(struct peer *p)
{
	struct job job;

	while (engine_next_job(p->engine, &job)) {
		job.err = job.kind == JOB_RESOLVE ? ERR_OFFLINE : ERR_NOT_FOUND;
		engine_job_done(p->engine, &job);
	}
}

void peer_set_network(struct peer *p, const struct address *at, unsigned count, bool has_lan)
{
	struct network network = { .port = at[0].port };

	for (unsigned i = 0; i < count; i++)
		network.addresses[network.address_count++] = at[i];
	if (has_lan)
		network.links[network.link_count++] = 1;
	engine_set_network(p->engine, &network);
}

static void tell(struct peer *p, const struct wire_presence *w)
{
	if (name_equal(&w->name, &p->name))
		siblings_presence(p->rooms, w);
	else
		contacts_presence(p->rooms->contacts, w);
}

/* Each record is newer than the one before, and than what the device itself signed so far. */
static void show(struct wire_presence *w, const struct peer *who, const struct address *at,
		 wall_ms wall)
{
	static uint64_t number;
	static wall_ms last;
	struct wire_device *d = &w->online[w->device_count++];

	d->certificate = who->certificate;
	d->record.device = who->device.public;
	number = wall < last || (uint64_t)wall > number ? (uint64_t)wall : number + 1;
	last = wall; /* another test has another time */
	d->record.number = number;
	d->record.knock = who->knock;
	d->record.nat = who->nat;
	if (at)
		candidates_add(&d->record.candidates, CANDIDATE_HOST, at);
	peer_record_sign(&d->record, &who->identity);
}

void peer_introduce(struct peer *p, const struct peer *other, const struct address *at,
		    bool is_dialler, mono_ns round_trip)
{
	struct wire_presence *w = memory_new(sizeof *w);
	struct wire_introduction *i = memory_new(sizeof *i);

	show(w, other, at, p->rooms->wall);
	i->name = other->name;
	i->device = w->online[0];
	i->is_dialler = is_dialler;
	i->our_round_trip = i->their_round_trip = (uint32_t)(round_trip / 1000);
	if (name_equal(&other->name, &p->name))
		siblings_introduced(p->rooms, i);
	else
		contacts_introduced(p->rooms->contacts, i);
	free(w);
	free(i);
}

void peer_tell_presence(struct peer *p, const struct peer *other, const struct address *at,
			bool is_online)
{
	struct wire_presence *w = memory_new(sizeof *w);

	w->name = other->name;
	w->devices = other->devices;
	if (is_online)
		show(w, other, at, p->rooms->wall);
	tell(p, w);
	free(w);
}

void peer_tell_devices(struct peer *p, const struct calm_net *net,
		       const struct peer *const *others, unsigned count)
{
	struct wire_presence *w = memory_new(sizeof *w);

	w->name = others[0]->name;
	w->devices = others[0]->devices;
	for (unsigned i = 0; i < count; i++) {
		const struct calm_net_node *node = &net->nodes[others[i]->node];

		if (node->endpoint)
			show(w, others[i], &node->address, p->rooms->wall);
	}
	tell(p, w);
	free(w);
}

struct person *peer_person(struct peer *p, const char *name)
{
	struct name wanted = name_of(name);

	return persons_find(p->rooms->persons, &wanted);
}
