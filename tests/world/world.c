#include "tests/world/world.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "directory/admin.h"
#include "shared/error.h"
#include "tests/world/disk.h"
#include "tests/world/world_inside.h"

/* What a machine may do in one simulated second without a datagram going in or out. */
enum { IDLE_STEPS_MAX = 2000, NEVER_CRASHES = -1 };
enum {
	RETRY_AFTER_S = 2, /* what the directory says when it is stopped in order */
	WORK_BITS = 8,
	RELAY_RATE = 256 << 10,
};

/* --- folders --- */

static void folder_of(const struct world *w, const struct machine *m, char out[PATH_SIZE])
{
	if (snprintf(out, PATH_SIZE, "%.200s/%u-%u", w->folder, m->number, m->life) >=
	    PATH_SIZE)
		abort();
}

void world_files(const struct world *w, unsigned machine, char *out, size_t out_size)
{
	snprintf(out, out_size, "%.200s/files-%u", w->folder, machine);
}

static void make_files_folder(const struct world *w, unsigned machine)
{
	char folder[PATH_SIZE];

	world_files(w, machine, folder, sizeof folder);
	disk_remove(folder);
	if (mkdir(folder, 0700) < 0)
		abort();
}

static void remove_folder(const char *folder)
{
	bad_disk_forget(folder);
	disk_remove(folder);
}

/* --- disks --- */

/* The power went as planned: nothing that it did since counts. */
static bool has_lost_power(const struct machine *m)
{
	return m->image[0] && access(m->image, F_OK) == 0;
}

/* Its folder of now is struck by what its disk suffers from; a planned power cut is over. */
static void equip_disk(struct world *w, struct machine *m)
{
	struct bad_disk_plan plan = { .fault = m->fault };
	char folder[PATH_SIZE];

	folder_of(w, m, folder);
	plan.operations = m->fault == BAD_DISK_FULL ? BAD_DISK_WRITES
			  : m->fault == BAD_DISK_LOCKED
				  ? BAD_DISK_LOCKS
				  : BAD_DISK_READS | BAD_DISK_WRITES | BAD_DISK_SYNCS;
	bad_disk_plan(folder, &plan);
	m->image[0] = 0;
}

static void die(struct world *w, struct machine *m);

static void heal_disk(struct world *w, struct machine *m)
{
	if (has_lost_power(m)) /* while it was used, and has not taken its next step yet */
		die(w, m);
	m->fault = BAD_DISK_WELL;
	m->disk_well_at = NEVER;
	equip_disk(w, m);
}

static mono_ns heal_disks(struct world *w)
{
	mono_ns next = NEVER;

	for (unsigned i = 0; i <= w->config.peers; i++) {
		struct machine *m = &w->machines[i];

		if (m->disk_well_at <= w->now)
			heal_disk(w, m);
		next = mono_earlier(next, m->disk_well_at);
	}
	return next;
}

void world_heal_disks(struct world *w)
{
	for (unsigned i = 0; i <= w->config.peers; i++)
		if (w->machines[i].disk_well_at != NEVER || w->machines[i].image[0])
			heal_disk(w, &w->machines[i]);
}

void world_spoil_disk(struct world *w, unsigned machine, enum bad_disk_fault fault,
		      mono_ns how_long)
{
	struct machine *m = &w->machines[machine];

	if (has_lost_power(m))
		die(w, m);
	m->fault = fault;
	m->disk_well_at = w->now + how_long;
	equip_disk(w, m);
	w->counts.full_disks += fault == BAD_DISK_FULL;
	w->counts.failing_disks += fault == BAD_DISK_FAILS;
	w->counts.locked_stores += fault == BAD_DISK_LOCKED;
}

void world_cut_power_soon(struct world *w, unsigned machine, unsigned operations)
{
	struct machine *m = &w->machines[machine];
	struct bad_disk_plan plan = { .fault = BAD_DISK_POWER,
				      .operations = BAD_DISK_WRITES | BAD_DISK_SYNCS,
				      .after = operations,
				      .count = 1,
				      .image = m->image };
	char folder[PATH_SIZE];

	if (m->disk_well_at != NEVER)
		return;
	folder_of(w, m, folder);
	plan.seed = dice_next(&w->dice);
	m->life++;
	folder_of(w, m, m->image);
	m->life--;
	bad_disk_plan(folder, &plan);
}

/* --- life of the world --- */

struct world *world_new(const struct world_config *config)
{
	struct world *w = memory_new(sizeof *w);
	char data[PATH_SIZE], reason[256] = "";
	const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

	dice_reseed_randombytes(config->seed);
	dice_init(&w->dice, config->seed, 2);
	w->config = *config;
	w->network = network_new(config->seed);
	w->now = 1000 * SECOND;
	w->began = 1780000000000;
	snprintf(w->folder, sizeof w->folder, "%s/palique-world-XXXXXX", base);
	if (!mkdtemp(w->folder))
		abort();
	for (unsigned i = 0; i <= config->peers; i++)
		w->machines[i].number = i;
	places_put_up_routers(w);
	for (unsigned i = 0; i <= config->peers; i++) {
		struct machine *m = &w->machines[i];

		places_settle(w, m);
		m->wake = NEVER;
		m->crash_after = NEVER_CRASHES;
		m->disk_well_at = NEVER;
		m->wall_skew = (int64_t)dice_between(&w->dice, 0, 600000) - 300000;
		errands_forget(&m->errands);
		folder_of(w, m, data);
		if (i != WORLD_DIRECTORY && mkdir(data, 0700) < 0)
			abort();
		make_files_folder(w, i);
	}
	folder_of(w, &w->machines[WORLD_DIRECTORY], data);
	if (server_init(data, reason, sizeof reason) < 0)
		world_fail(w, "server_init: %s", reason);
	return w;
}

static void switch_off(struct machine *m)
{
	if (m->engine)
		engine_close(m->engine);
	if (m->server)
		server_close(m->server);
	m->engine = NULL;
	m->server = NULL;
	m->wake = NEVER;
	m->awake_at = 0;
	m->crash_after = NEVER_CRASHES;
	errands_forget(&m->errands);
}

void world_free(struct world *w)
{
	char folder[PATH_SIZE];

	if (!w)
		return;
	for (unsigned i = 0; i <= w->config.peers; i++) {
		switch_off(&w->machines[i]);
		folder_of(w, &w->machines[i], folder);
		remove_folder(folder);
		remove_folder(w->machines[i].image);
		world_files(w, i, folder, sizeof folder);
		disk_remove(folder);
	}
	rmdir(w->folder);
	for (unsigned i = 0; i < WORLD_MACHINES_MAX; i++)
		nat_box_clear(&w->boxes[i]);
	network_free(w->network);
	free(w);
}

void world_fail(struct world *w, const char *format, ...)
{
	va_list args;

	if (w->trouble[0])
		return;
	va_start(args, format);
	vsnprintf(w->trouble, sizeof w->trouble, format, args);
	va_end(args);
}

const char *world_trouble(const struct world *w)
{
	return w->trouble[0] ? w->trouble : NULL;
}

mono_ns world_now(const struct world *w)
{
	return w->now - 1000 * SECOND;
}

wall_ms world_wall(const struct world *w)
{
	return w->began + (wall_ms)(w->now / MILLISECOND);
}

struct internet *world_network(struct world *w)
{
	return w->network;
}

struct dice *world_dice(struct world *w)
{
	return &w->dice;
}

struct engine *world_engine(struct world *w, unsigned peer)
{
	return w->machines[peer].engine;
}

struct server *world_server(struct world *w)
{
	return w->machines[WORLD_DIRECTORY].server;
}

bool world_lost_power(const struct world *w, unsigned machine)
{
	return w->machines[machine].has_lost_power;
}

bool world_is_up(const struct world *w, unsigned machine)
{
	return w->machines[machine].engine || w->machines[machine].server;
}

struct world_counts world_counts(const struct world *w)
{
	return w->counts;
}

/* --- clocks of a machine --- */

static mono_ns mono_of(const struct world *w, const struct machine *m)
{
	return w->now - m->clock_offset;
}

static wall_ms wall_of(const struct world *w, const struct machine *m)
{
	return world_wall(w) + m->wall_skew;
}

static mono_ns to_world(const struct machine *m, mono_ns local)
{
	return local == NEVER ? NEVER : local + m->clock_offset;
}

void world_jump_clock(struct world *w, unsigned machine, int64_t by_ms)
{
	w->machines[machine].wall_skew += by_ms;
	w->counts.clock_jumps++;
}

void world_wake(struct world *w, unsigned machine)
{
	if (world_is_up(w, machine) && !world_is_asleep(w, machine))
		w->machines[machine].wake = w->now;
}

/* --- counters over all lives of the directory --- */

static void add_status(struct server_status *to, const struct server_status *more)
{
	to->logins += more->logins;
	to->key_logins += more->key_logins;
	to->registrations += more->registrations;
	to->presence_notes += more->presence_notes;
	to->introductions += more->introductions;
	for (unsigned i = 0; i < 128; i++) {
		to->messages_in[i] += more->messages_in[i];
		to->messages_out[i] += more->messages_out[i];
	}
}

struct server_status world_directory_status(struct world *w)
{
	struct server_status status = { 0 };

	if (world_server(w))
		server_status(world_server(w), &status);
	add_status(&status, &w->before);
	return status;
}

static void keep_counters(struct world *w, struct machine *m)
{
	struct server_status status;

	if (!m->server)
		return;
	server_status(m->server, &status);
	add_status(&w->before, &status);
}

/* --- switching machines on and off --- */

/* What was committed before is all that survives: the folder as it is now is copied, or what a power
 * cut leaves of it; then the dying process may write what it likes. */
static void die(struct world *w, struct machine *m)
{
	const struct bad_disk_plan well = { .fault = BAD_DISK_WELL };
	char from[PATH_SIZE], to[PATH_SIZE];

	folder_of(w, m, from);
	bad_disk_plan(from, &well); /* what it does while it dies is nothing to cut */
	m->life++;
	folder_of(w, m, to);
	m->has_lost_power = true;
	if (!has_lost_power(m) && dice_chance(&w->dice, 500)) {
		bad_disk_lose_power(from, to, dice_next(&w->dice));
	} else if (!has_lost_power(m)) {
		m->has_lost_power = false;
		disk_copy(from, to);
	}
	w->counts.power_cuts += m->has_lost_power;
	keep_counters(w, m);
	switch_off(m);
	remove_folder(from);
	equip_disk(w, m);
	w->counts.crashes++;
}

void world_start(struct world *w, unsigned machine)
{
	struct machine *m = &w->machines[machine];
	char folder[PATH_SIZE], store[PATH_SIZE + 16], files[PATH_SIZE], reason[256] = "";
	int err;

	if (world_is_up(w, machine) || w->trouble[0])
		return;
	folder_of(w, m, folder);
	m->clock_offset = w->now - dice_between(&w->dice, 1, 5000) * SECOND / 10;
	if (machine == WORLD_DIRECTORY) {
		struct server_config config = { .data = folder,
						.registration = w->config.registration,
						.has_limits = true,
						.limits = limits_default() };

		/* What is asked for counts here, not how long it takes. */
		config.limits.work_bits_max = WORK_BITS;
		err = server_open(&m->server, &config, mono_of(w, m), wall_of(w, m), reason,
				  sizeof reason);
		if (err == 0) {
			struct sight list[5];

			w->directory_key = *server_key(m->server);
			server_set_sights(m->server, list, places_sights(w, list));
		}
	} else {
		struct engine_config config = { .store = store,
						.downloads = files,
						.device_label = "world",
						.durable = true,
						.ksf = KSF_ARGON2ID_64M };

		snprintf(store, sizeof store, "%s/store.db", folder);
		world_files(w, machine, files, sizeof files);
		err = engine_open(&m->engine, &config, mono_of(w, m), wall_of(w, m), reason,
				  sizeof reason);
	}
	if (err < 0 && has_lost_power(m)) {
		die(w, m);
		return;
	}
	if (err < 0 && m->fault != BAD_DISK_WELL) {
		w->counts.refused_starts++;
		return;
	}
	if (err < 0) {
		world_fail(w, "machine %u does not start: %s: %s", machine, error_name(err),
			   reason);
		return;
	}
	m->wake = w->now;
	m->is_new = machine != WORLD_DIRECTORY;
	if (!m->is_new)
		return;
	places_tell(m);
	if (w->config.has_relays)
		engine_set_relay(m->engine, true, RELAY_RATE);
}

void world_crash(struct world *w, unsigned machine)
{
	if (world_is_up(w, machine))
		die(w, &w->machines[machine]);
}

void world_crash_soon(struct world *w, unsigned machine, unsigned datagrams)
{
	w->machines[machine].crash_after = datagrams;
}

void world_no_more_crashes(struct world *w)
{
	for (unsigned i = 0; i <= w->config.peers; i++)
		w->machines[i].crash_after = NEVER_CRASHES;
}

static struct endpoint *endpoint_of(const struct machine *m)
{
	return m->engine ? engine_endpoint(m->engine) : server_endpoint(m->server);
}

/* Says what is to be said; false: the machine died over it. */
static bool flush(struct world *w, struct machine *m)
{
	struct datagram out;
	uint16_t socket;

	while (endpoint_send(endpoint_of(m), w->room, &out, mono_of(w, m))) {
		if (m->crash_after == 0) {
			die(w, m);
			return false;
		}
		if (m->crash_after > 0)
			m->crash_after--;
		if (memmem(w->room, out.size, WORLD_MARKER, sizeof WORLD_MARKER - 1))
			world_fail(w, "machine %u sent a text in the clear", m->number);
		places_note_sent(w, m, &out);
		places_lie_out(w, m, &out.path);
		network_send(w->network, m->number, &out.path, out.ttl, w->room, out.size,
			     w->now);
		m->idle_steps = 0;
	}
	while (endpoint_next_released(endpoint_of(m), &socket))
		continue; /* a router forgets it soon */
	return true;
}

void world_stop(struct world *w, unsigned machine)
{
	struct machine *m = &w->machines[machine];

	if (!world_is_up(w, machine))
		return;
	if (m->awake_at)
		places_wake(w, m);
	m->crash_after = NEVER_CRASHES;
	if (m->engine)
		engine_goodbye(m->engine, mono_of(w, m));
	else
		server_goodbye(m->server, RETRY_AFTER_S, mono_of(w, m));
	if (has_lost_power(m)) {
		die(w, m);
		return;
	}
	flush(w, m);
	keep_counters(w, m);
	switch_off(m);
	if (has_lost_power(m)) /* while it closed its store */
		die(w, m);
	w->counts.restarts++;
}

void world_wipe(struct world *w, unsigned machine)
{
	const struct bad_disk_plan well = { .fault = BAD_DISK_WELL };
	struct machine *m = &w->machines[machine];
	char folder[PATH_SIZE];

	folder_of(w, m, folder);
	bad_disk_plan(folder, &well);
	if (world_is_up(w, machine))
		switch_off(m);
	remove_folder(folder);
	m->life++;
	folder_of(w, m, folder);
	remove_folder(folder); /* what a power cut left, which nobody has died of yet */
	if (mkdir(folder, 0700) < 0)
		abort();
	equip_disk(w, m);
	make_files_folder(w, machine);
	w->counts.wipes++;
}

bool world_directory_holds(const struct world *w, const void *bytes, size_t size)
{
	char folder[PATH_SIZE];

	folder_of(w, &w->machines[WORLD_DIRECTORY], folder);
	return disk_holds(folder, bytes, size);
}

struct uri world_link(const struct world *w, bool with_key)
{
	struct uri uri = { .kind = URI_DIRECTORY, .place = { .port = 7272 } };

	if (w->config.has_host_name) {
		snprintf(uri.place.host, sizeof uri.place.host, "directory.world");
	} else {
		char text[ADDRESS_TEXT_SIZE];
		struct address a = w->machines[WORLD_DIRECTORY].address;
		size_t length;

		address_print(&a, text);
		length = strrchr(text, ':') - text;
		if (a.family == 6)
			snprintf(uri.place.host, sizeof uri.place.host, "%.*s", (int)length - 2,
				 text + 1);
		else
			snprintf(uri.place.host, sizeof uri.place.host, "%.*s", (int)length,
				 text);
	}
	uri.has_directory_key = with_key;
	if (with_key)
		uri.directory_key = w->directory_key;
	return uri;
}

void world_invite(struct world *w, char code[URI_CODE_MAX + 1])
{
	struct json *request = json_set_text(json_object(), "command", "invite");
	struct json *answer = admin_server(world_server(w), request);
	const char *text = json_text(answer, "code");

	if (!text)
		world_fail(w, "the directory gives no invitation");
	snprintf(code, URI_CODE_MAX + 1, "%s", text ? text : "");
	json_free(answer);
	json_free(request);
	world_wake(w, WORLD_DIRECTORY);
}

/* --- time passes --- */

/* What a shell does after each callback: tick, step, send, hand out, rearm. */
static void work(struct world *w, struct machine *m)
{
	mono_ns local = mono_of(w, m), own;
	struct event event;

	w->counts.steps++;
	if (m->engine)
		errands_run(&m->errands, m->engine, w->now,
			    &w->machines[WORLD_DIRECTORY].address);
	if (endpoint_deadline(endpoint_of(m)) <= local)
		endpoint_tick(endpoint_of(m), local);
	own = m->engine ? engine_step(m->engine, local, wall_of(w, m))
			: server_step(m->server, local, wall_of(w, m));
	if (has_lost_power(m)) {
		die(w, m);
		return;
	}
	if (!flush(w, m))
		return;
	if (m->engine) {
		if (!errands_take(&m->errands, m->engine, w->now, &w->dice))
			world_fail(w, "peer %u has too many jobs under way", m->number);
		if (m->is_new)
			w->config.on_start(w->config.user, m->number);
		m->is_new = m->has_lost_power = false;
		while (engine_next_event(m->engine, &event))
			w->config.on_event(w->config.user, m->number, &event);
	}
	own = to_world(m, mono_earlier(own, endpoint_deadline(endpoint_of(m))));
	own = mono_earlier(own, errands_deadline(&m->errands));
	/* A timer does not fire twice within 100 us; who always wants to be called at once spins. */
	m->wake = own > w->now + 100000 ? own : w->now + 100000;
	if (w->now - m->idle_since > SECOND) {
		m->idle_since = w->now;
		m->idle_steps = 0;
	}
	if (++m->idle_steps > IDLE_STEPS_MAX)
		world_fail(w, "machine %u spins: its deadline passes, and nothing is done",
			   m->number);
}

static void receive(struct world *w, const struct arrival *a)
{
	struct machine *m = &w->machines[a->to];
	struct path path = a->path;

	if (!world_is_up(w, a->to) || m->awake_at)
		return;
	m->idle_steps = 0;
	places_lie_in(w, a, &path);
	endpoint_receive(endpoint_of(m), &path, a->data, a->size, mono_of(w, m));
	m->wake = w->now;
}

void world_run(struct world *w, mono_ns how_long)
{
	mono_ns until = w->now + how_long;

	while (!w->trouble[0]) {
		mono_ns next = mono_earlier(network_deadline(w->network),
					    mono_earlier(places_mend(w), heal_disks(w)));
		struct arrival a;

		for (unsigned i = 0; i <= w->config.peers; i++)
			next = mono_earlier(next, w->machines[i].wake);
		if (next > until) {
			w->now = until;
			return;
		}
		if (next > w->now)
			w->now = next;
		while (network_next(w->network, w->now, &a))
			receive(w, &a);
		for (unsigned i = 0; i <= w->config.peers; i++) {
			struct machine *m = &w->machines[i];

			if (!world_is_up(w, i) || m->wake > w->now)
				continue;
			if (m->awake_at)
				places_wake(w, m);
			work(w, m);
		}
	}
}
