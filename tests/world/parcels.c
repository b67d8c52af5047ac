/* Files and folders between persons: offered, fetched, paused, cancelled, taken back, through crashes and
 * power cuts. The name of each says what is in it, so that whoever has it can be held to it. */
#include <dirent.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "peer/filing.h"
#include "tests/world/people_inside.h"

#define PARCEL_TICKET (2ull << 60)
enum { PARCELS_MAX = 200, PATH_SIZE = 512, FILES_MAX = 5 };

/* What a name says. */
struct parcel {
	unsigned home, number, files; /* files 0: not a folder */
	size_t size;                  /* of each file */
};

static bool parcel_parse(struct parcel *c, struct bytes name)
{
	char text[80];

	snprintf(text, sizeof text, "%.*s", (int)name.size, (const char *)name.data);
	return sscanf(text, "parcel-%u-%u-%u-%zu", &c->home, &c->number, &c->files, &c->size) ==
	       4;
}

/* --- on disk --- */

static uint8_t *contents(const struct parcel *c, unsigned which)
{
	uint8_t seed[randombytes_SEEDBYTES] = { 0 }, *all = memory_new(c->size + 1);

	memcpy(seed, &c->home, sizeof c->home);
	memcpy(seed + 4, &c->number, sizeof c->number);
	memcpy(seed + 8, &which, sizeof which);
	randombytes_buf_deterministic(all, c->size, seed);
	return all;
}

/* Of a folder some lie deeper. */
static void path_of(const struct parcel *c, const char *path, unsigned which,
		    char out[PATH_SIZE])
{
	if (c->files == 0)
		snprintf(out, PATH_SIZE, "%s", path);
	else
		snprintf(out, PATH_SIZE, "%.480s/%s%u", path, which % 2 ? "deeper/f" : "f",
			 which);
}

/* The time is told to the other side: the same in each telling of a story. */
static void set_time(const char *path)
{
	const struct timespec times[2] = { { .tv_sec = 1700000000 }, { .tv_sec = 1700000000 } };

	if (utimensat(AT_FDCWD, path, times, 0) < 0)
		abort();
}

static void make(const struct parcel *c, const char *path)
{
	char file[PATH_SIZE];

	if (c->files > 0) {
		snprintf(file, sizeof file, "%.480s/deeper", path);
		if (mkdir(path, 0700) < 0 || mkdir(file, 0700) < 0)
			abort();
	}
	for (unsigned i = 0; i < c->files || i == 0; i++) {
		uint8_t *all = contents(c, i);
		int out;

		path_of(c, path, i, file);
		out = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
		if (out < 0 || write(out, all, c->size) != (ssize_t)c->size)
			abort();
		close(out);
		set_time(file);
		free(all);
	}
	if (c->files > 0) {
		snprintf(file, sizeof file, "%.480s/deeper", path);
		set_time(file);
		set_time(path);
	}
}

static bool is_whole(const struct parcel *c, const char *path)
{
	bool is_so = true;

	for (unsigned i = 0; (i < c->files || i == 0) && is_so; i++) {
		uint8_t *all = contents(c, i), *there = memory_new(c->size + 2);
		char file[PATH_SIZE];
		int in;

		path_of(c, path, i, file);
		in = open(file, O_RDONLY);
		is_so = in >= 0 && read(in, there, c->size + 1) == (ssize_t)c->size &&
			memcmp(all, there, c->size) == 0;
		if (in >= 0)
			close(in);
		free(all);
		free(there);
	}
	return is_so;
}

/* --- what happens to them --- */

static size_t any_size(struct dice *d)
{
	unsigned kind = dice_below(d, 100);

	if (kind < 10)
		return dice_below(d, 3);
	if (kind < 70)
		return dice_below(d, 40000);
	if (kind < 90)
		return dice_below(d, 300000);
	return kind < 93 ? 1 << 20 : (1 << 20) - 40000 + dice_below(d, 400000);
}

void people_offer(struct people *p, unsigned machine, unsigned b)
{
	struct dice *d = people_dice(p);
	struct engine *e = people_hands(p, machine);
	char path[PATH_SIZE], folder[PATH_SIZE / 2];
	struct engine_file file = { .to = p->persons[b].name, .path = path };
	struct parcel c = { .number = (unsigned)++p->plays, .size = any_size(d) };

	if (!e)
		return;
	c.home = p->machines[machine].home;
	if (dice_chance(d, 200)) {
		c.files = dice_between(d, 1, FILES_MAX);
		c.size /= c.files;
	}
	world_files(p->world, machine, folder, sizeof folder);
	snprintf(path, sizeof path, "%s/parcel-%u-%u-%u-%zu", folder, c.home, c.number, c.files,
		 c.size);
	make(&c, path);
	if (engine_send_file(e, &file, PARCEL_TICKET) == 0)
		p->counts.offered++;
	world_wake(p->world, machine);
}

struct transfer {
	uint64_t id;
	bool is_ours, is_folder, is_gone;
	enum transfer_state state;
	int error;
	uint64_t done, size;
	struct device_public author;
	struct parcel parcel;
	char path[PATH_SIZE], part[48];
};
struct transfers {
	struct people *p;
	unsigned count;
	struct transfer list[PARCELS_MAX];
};

static bool each_transfer(void *user, const struct message *m)
{
	struct transfers *all = user;
	struct transfer *t = &all->list[all->count];

	*t = (struct transfer){ .id = m->id,
				.is_ours = m->is_ours,
				.is_folder = m->file.is_folder,
				.is_gone = m->is_retracted || m->is_gone || !m->has_file,
				.state = m->file.state,
				.error = m->file.error,
				.done = m->file.done,
				.size = m->file.size,
				.author = m->author };
	if (t->is_gone)
		return true;
	if (!parcel_parse(&t->parcel, m->file.name))
		world_fail(all->p->world, "a file that nobody sent");
	if (t->parcel.files == 0 && t->parcel.size != t->size)
		world_fail(all->p->world, "a file of another size than it was offered with");
	snprintf(t->path, sizeof t->path, "%.*s", (int)m->file.path.size,
		 (const char *)m->file.path.data);
	filing_part_name(m->file.id, t->part);
	return ++all->count < PARCELS_MAX;
}

/* `b` 0: with everybody. The caller frees it. */
static struct transfers *transfers_of(struct people *p, unsigned machine, unsigned b)
{
	struct transfers *all = memory_new(sizeof *all);

	all->p = p;
	engine_files(world_engine(p->world, machine), b ? p->persons[b].name : NULL, false,
		     PARCELS_MAX, each_transfer, all);
	return all;
}

void people_meddle(struct people *p, unsigned machine, unsigned b)
{
	struct engine *e = people_hands(p, machine);
	struct dice *d = people_dice(p);
	struct transfers *all = e ? transfers_of(p, machine, b) : NULL;
	const struct transfer *t;

	if (all && all->count > 0) {
		t = &all->list[dice_below(d, all->count)];
		switch (dice_below(d, 8)) {
		case 0:
		case 1:
		case 2:
			engine_pause_file(e, t->id);
			break;
		case 3:
			engine_cancel_file(e, t->id);
			break;
		case 4:
			if (t->is_ours)
				engine_retract(e, t->id, PARCEL_TICKET);
			break;
		default:
			engine_accept_file(e, t->id, NULL);
			break;
		}
		world_wake(p->world, machine);
	}
	free(all);
}

/* Of what has come, that which was not made durable may be anything. */
static void lose(struct people *p, const char *path, uint64_t done)
{
	struct dice *d = people_dice(p);
	struct stat about;
	uint8_t *zeros;
	size_t lost;
	int out;

	if (stat(path, &about) < 0 || !S_ISREG(about.st_mode) ||
	    (uint64_t)about.st_size <= done)
		return;
	lost = 1 + dice_below(d, (uint32_t)((uint64_t)about.st_size - done));
	out = open(path, O_WRONLY);
	zeros = memory_new(lost);
	if (out < 0 ||
	    (dice_chance(d, 500) ? ftruncate(out, about.st_size - (off_t)lost) < 0
				 : pwrite(out, zeros, lost, about.st_size - (off_t)lost) < 0))
		abort();
	close(out);
	free(zeros);
}

void parcels_start(struct people *p, unsigned machine)
{
	struct transfers *all;

	if (!world_lost_power(p->world, machine))
		return;
	all = transfers_of(p, machine, 0);
	for (unsigned i = 0; i < all->count; i++) {
		const struct transfer *t = &all->list[i];
		char folder[PATH_SIZE / 2], path[PATH_SIZE];

		world_files(p->world, machine, folder, sizeof folder);
		snprintf(path, sizeof path, "%s/%s", folder, t->part);
		if (!t->is_ours && !t->is_folder)
			lose(p, path, t->done);
	}
	free(all);
}

/* --- in the end --- */

/* The machine that offered it is there, and has it. */
static bool is_due(const struct people *p, unsigned machine, unsigned b,
		   const struct transfer *t)
{
	unsigned a = p->machines[machine].person, home = people_home_of(p, &t->author);

	return !t->is_ours && home && !p->homes[home].is_gone && p->homes[home].person == b &&
	       people_is_in(p, p->homes[home].machine) && people_are_mutual(p, a, b) &&
	       people_consent(p, a, b) < CONSENT_NEVER && !p->was_rekeyed[a] &&
	       !p->was_rekeyed[b];
}

bool people_parcels_are_there(struct people *p, char *why, size_t why_size)
{
	bool are_there = true;

	for (unsigned m = 1; m <= p->machine_count; m++) {
		for (unsigned b = 1; b <= p->count && people_is_in(p, m); b++) {
			struct transfers *all;

			if (b == p->machines[m].person)
				continue;
			all = transfers_of(p, m, b);
			for (unsigned i = 0; i < all->count; i++) {
				const struct transfer *t = &all->list[i];

				if (t->state == TRANSFER_DONE || !is_due(p, m, b, t))
					continue;
				are_there = false;
				snprintf(why, why_size,
					 "machine %u has not file %u of person %u: state %d, "
					 "error %d, %llu of %llu bytes",
					 m, t->parcel.number, b, (int)t->state, t->error,
					 (unsigned long long)t->done,
					 (unsigned long long)t->size);
			}
			free(all);
		}
	}
	return are_there;
}

void people_fetch_all(struct people *p)
{
	for (unsigned m = 1; m <= p->machine_count; m++) {
		struct engine *e = people_hands(p, m);
		struct transfers *all = e ? transfers_of(p, m, 0) : NULL;

		for (unsigned i = 0; all && i < all->count; i++) {
			enum transfer_state state = all->list[i].state;

			if (state == TRANSFER_PAUSED || state >= TRANSFER_CANCELLED ||
			    state == TRANSFER_STOPPED ||
			    (state == TRANSFER_OFFERED && !all->list[i].is_ours))
				engine_accept_file(e, all->list[i].id, NULL);
		}
		if (e)
			world_wake(p->world, m);
		free(all);
	}
}

static void judge_transfers(struct people *p, unsigned machine, const struct transfers *all)
{
	for (unsigned i = 0; i < all->count; i++) {
		const struct transfer *t = &all->list[i];

		if (t->is_ours || t->state != TRANSFER_DONE)
			continue;
		p->counts.fetched++;
		if (!is_whole(&t->parcel, t->path))
			world_fail(p->world,
				   "machine %u has file %u at %s, which is not as it was",
				   machine, t->parcel.number, t->path);
	}
}

/* A transfer that failed may be taken up again, and keeps what has come. */
static bool keeps_part(const struct transfer *t)
{
	return t->state != TRANSFER_DONE && t->state != TRANSFER_CANCELLED;
}

/* What is hidden and of no transfer that goes on was left behind. */
static void judge_folder(struct people *p, unsigned machine, const struct transfers *all)
{
	char folder[PATH_SIZE / 2];
	DIR *dir;

	world_files(p->world, machine, folder, sizeof folder);
	dir = opendir(folder);
	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		unsigned i = 0;

		if (entry->d_name[0] != '.' || strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		while (i < all->count &&
		       (!keeps_part(&all->list[i]) || strncmp(entry->d_name, all->list[i].part,
							      strlen(all->list[i].part)) != 0))
			i++;
		if (i == all->count)
			world_fail(p->world, "machine %u has left %s behind", machine,
				   entry->d_name);
	}
	if (dir)
		closedir(dir);
}

void parcels_judge(struct people *p)
{
	for (unsigned m = 1; m <= p->machine_count; m++) {
		struct transfers *all;

		if (!people_is_in(p, m))
			continue;
		all = transfers_of(p, m, 0);
		judge_transfers(p, m, all);
		judge_folder(p, m, all);
		free(all);
	}
}
