/* Real engines under load by their local API while somebody does harm: kills them and the
 * directory, fills their disks, locks their stores, moves their clocks by years, loses their
 * datagrams, refuses them memory. Each text is numbered by its author. At the end every text that was
 * answered "queued" is on every machine of both persons exactly once, in its author's order; one that
 * was answered with an error is nowhere.
 *
 *   campaign_tool WORD=VALUE...
 *     programs=FOLDER folder=FOLDER (scratch) seed=N
 *     directory=DATA,ADDRESS:PORT
 *     engine=LABEL,HOME,CONTACT[,DISK]   a letter; once for each; DISK: a folder to be filled up
 *     stage=N                            texts of others, of before, do not count
 *     kills=N seconds=N                  whichever comes first ends the harm
 *     calm=N                             pauses between harm are so many times longer
 *     rate=N                             texts in a second that each says at most
 *     preload=FILE                       fault_preload.so; what needs it:
 *     clocks=1 memory=STEP loss=PER_MILLE
 *     full=1 locks=1
 * Says what happened in words, and once more as "SUM name=number ...". Exit 1: something was violated. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shared/bytes.h"
#include "shared/json.h"
#include "tests/driven.h"
#include "tests/world/dice.h"

enum {
	ENGINES_MAX = 6,
	WINDOW = 24, /* questions that wait for an answer */
	HANGS_MS = 60000,
	SETTLE_MS = 240000,
	TEXT_MAX = 600,
	PATH_SIZE = 200,
	YEAR_S = 31556952,
};

enum fate { UNANSWERED, ACCEPTED, REFUSED };

struct author {
	struct driven driven;
	char label, home[PATH_SIZE], contact[40], disk[PATH_SIZE];
	const char *command[8];
	char *fates; /* by number; [0] is not used */
	uint8_t *seen;
	unsigned said, room, answered;
	unsigned waiting;  /* asked and not answered */
	uint64_t heard_at; /* the last answer, or when there was nothing to wait for */
	uint64_t say_at, back_at;
	uint64_t filled_until, locked_until; /* 0: not */
	bool was_spoilt;                     /* when it was begun */
	int lock;
};

static struct {
	char programs[PATH_SIZE], folder[PATH_SIZE], preload[PATH_SIZE];
	char data[PATH_SIZE], place[PATH_SIZE];
	uint64_t seed, stage, kills, seconds, rate, memory, loss, calm;
	bool clocks, full, locks;
} wanted = { .seed = 1, .kills = 100, .seconds = 60, .rate = 400, .calm = 1 };

static struct author authors[ENGINES_MAX];
static unsigned count;
static struct driven directory;
static const char *directory_command[8];
static struct dice dice;
static uint64_t next_allocation = 1;
static volatile sig_atomic_t is_told_to_end; /* the harm; the verdict comes all the same */

static struct {
	uint64_t said, accepted, refused, unanswered, arrived, checked;
	uint64_t kills, directory_kills, full_disks, locked, starts_refused, clock_jumps;
	uint64_t allocations, deaths, lost, doubled, late, violations;
} sums;

__attribute__((format(printf, 1, 2))) static void violated(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	printf("VIOLATED: ");
	vprintf(format, args);
	printf("\n");
	va_end(args);
	fflush(stdout);
	sums.violations++;
}

static void on_end(int signal_number)
{
	(void)signal_number;
	is_told_to_end = 1;
}

/* --- one engine --- */

static void begin(struct author *a)
{
	struct faults *f = a->driven.faults;

	if (wanted.memory && f) {
		f->allocations = f->refused = 0;
		f->fail_allocation = next_allocation;
		/* In turn, and now and then far behind where an engine is up already. */
		next_allocation += wanted.memory;
		if (dice_chance(&dice, 300))
			f->fail_allocation = dice_between(&dice, 1,
							  1u << dice_between(&dice, 8, 20));
	}
	driven_begin(&a->driven);
	a->was_spoilt = a->filled_until || a->locked_until;
	a->heard_at = driven_now();
	a->waiting = 0;
}

/* What was asked and not answered may be there or not. */
static void forget_questions(struct author *a)
{
	a->waiting = 0;
}

static void count_allocations(struct author *a)
{
	struct faults *f = a->driven.faults;

	if (f && f->refused > 0)
		sums.allocations++;
	if (f)
		f->refused = 0;
}

static void kill_author(struct author *a, uint64_t off_ms)
{
	if (!a->driven.pid)
		return;
	driven_kill(&a->driven);
	count_allocations(a);
	forget_questions(a);
	a->back_at = driven_now() + off_ms;
	sums.kills++;
}

/* It ended, and nobody killed it: only where it may. */
static void mourn(struct author *a)
{
	int status = a->driven.status;
	bool lacked_memory = a->driven.faults && a->driven.faults->refused > 0;

	forget_questions(a);
	a->back_at = driven_now() + 20;
	if (WIFSIGNALED(status) && WTERMSIG(status) != SIGABRT) {
		violated("%c died of signal %d; see %s", a->label, WTERMSIG(status),
			 a->driven.log);
	} else if (lacked_memory) {
		sums.deaths++;
	} else if (WIFEXITED(status) && WEXITSTATUS(status) != 0 &&
		   (a->was_spoilt || a->filled_until || a->locked_until)) {
		sums.starts_refused++;
		a->back_at = driven_now() + 100;
	} else {
		violated("%c ended by itself: %s %d; see %s", a->label,
			 WIFEXITED(status) ? "code" : "signal",
			 WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status),
			 a->driven.log);
	}
	count_allocations(a);
}

static void say_one(struct author *a)
{
	char line[TEXT_MAX + 200], padding[TEXT_MAX];
	unsigned size = dice_chance(&dice, 50) ? dice_below(&dice, TEXT_MAX - 1)
					       : dice_below(&dice, 40);

	if (a->said + 2 > a->room) {
		a->room = a->room ? a->room * 2 : 4096;
		a->fates = memory_grow(a->fates, a->room, 1);
		a->seen = memory_grow(a->seen, a->room, 1);
	}
	a->said++;
	a->fates[a->said] = UNANSWERED;
	memset(padding, 'x', size);
	padding[size] = 0;
	snprintf(line, sizeof line,
		 "{\"jsonrpc\":\"2.0\",\"id\":%u,\"method\":\"send\",\"params\":"
		 "{\"conversation\":\"%s\",\"text\":\"%c%u %u %s\"}}",
		 a->said, a->contact, a->label, (unsigned)wanted.stage, a->said, padding);
	driven_say(&a->driven, line);
	a->waiting++;
}

static void hear(struct author *a, const struct json *answer)
{
	int64_t number = json_int(answer, "id", 0);

	if (number < 1 || number > a->said)
		return;
	a->fates[number] = json_get(answer, "error") ? REFUSED : ACCEPTED;
	a->waiting -= a->waiting > 0;
	a->heard_at = driven_now();
}

static void look_at_lines(struct author *a)
{
	if (a->driven.garbled > 0)
		violated("%c says %u lines that are no JSON", a->label, a->driven.garbled);
	a->driven.garbled = 0;
}

static void talk(struct author *a, uint64_t now)
{
	struct json *answer;

	if (!driven_connect(&a->driven))
		return;
	if (a->waiting == 0)
		a->heard_at = now;
	while (a->waiting < WINDOW && a->say_at <= now) {
		say_one(a);
		a->say_at = (a->say_at + 200 < now ? now : a->say_at) + 1000 / wanted.rate;
	}
	if (!driven_pump(&a->driven))
		forget_questions(a);
	while ((answer = driven_hear(&a->driven)) != NULL) {
		hear(a, answer);
		json_free(answer);
	}
	look_at_lines(a);
	if (now > a->heard_at + HANGS_MS) {
		violated("%c answers nothing", a->label);
		kill_author(a, 0);
	}
}

/* --- harm --- */

static void path_in(char out[PATH_SIZE + 32], const char *folder, const char *name)
{
	snprintf(out, PATH_SIZE + 32, "%s/%s", folder, name);
}

static void fill_disk(struct author *a)
{
	static const char zeros[65536];
	char path[PATH_SIZE + 32];
	int fd;

	path_in(path, a->disk, "filler");
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	for (size_t part = sizeof zeros; fd >= 0 && part > 0;)
		if (write(fd, zeros, part) != (ssize_t)part)
			part /= 2;
	close(fd);
	a->filled_until = driven_now() + dice_between(&dice, 50, 1500);
	sums.full_disks++;
}

static void make_room(struct author *a)
{
	char path[PATH_SIZE + 32];

	path_in(path, a->disk, "filler");
	unlink(path);
	a->filled_until = 0;
}

/* As another process that has the store open. */
static void lock_store(struct author *a)
{
	struct flock all = {
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0x40000000, .l_len = 512
	};
	char path[PATH_SIZE + 32];

	kill_author(a, 0);
	path_in(path, a->home, "store.db");
	a->lock = open(path, O_RDWR | O_CLOEXEC);
	if (a->lock < 0 || fcntl(a->lock, F_SETLK, &all) < 0) {
		violated("%s cannot be locked", path);
		return;
	}
	a->locked_until = driven_now() + dice_between(&dice, 50, 500);
	sums.locked++;
}

static void let_go(struct author *a)
{
	close(a->lock);
	a->lock = -1;
	a->locked_until = 0;
}

static void jump_clock(struct author *a)
{
	a->driven.faults->clock_offset_s = (int64_t)dice_below(&dice, 20ull * YEAR_S) -
					   10ll * YEAR_S;
	sums.clock_jumps++;
}

static void harm(void)
{
	struct author *a = &authors[dice_below(&dice, count)];

	if (wanted.full && !a->filled_until && a->disk[0] && dice_chance(&dice, 120))
		fill_disk(a);
	else if (wanted.clocks && dice_chance(&dice, 300))
		jump_clock(a);
	else if (wanted.locks && !a->locked_until && dice_chance(&dice, 10))
		lock_store(a);
	else if (directory.pid && dice_chance(&dice, 20)) {
		driven_kill(&directory);
		sums.directory_kills++;
	} else {
		kill_author(a, dice_chance(&dice, 700) ? 0 : dice_below(&dice, 60));
	}
}

static uint64_t pause_ms(void)
{
	unsigned kind = dice_below(&dice, 100);

	if (kind < 80)
		return dice_between(&dice, 2, 30);
	return kind < 97 ? dice_between(&dice, 30, 150) : dice_between(&dice, 200, 1200);
}

/* --- all of them --- */

static void wait_for_something(void)
{
	struct pollfd fds[ENGINES_MAX];
	unsigned used = 0;

	for (unsigned i = 0; i < count; i++)
		if (authors[i].driven.fd >= 0)
			fds[used++] = (struct pollfd){ .fd = authors[i].driven.fd,
						       .events = POLLIN };
	poll(fds, used, 1);
}

static void tend(bool says)
{
	uint64_t now = driven_now();

	if (driven_has_ended(&directory))
		violated("the directory ended by itself; see %s", directory.log);
	driven_begin(&directory);
	for (unsigned i = 0; i < count; i++) {
		struct author *a = &authors[i];

		if (a->filled_until && a->filled_until <= now)
			make_room(a);
		if (a->locked_until && a->locked_until <= now)
			let_go(a);
		if (driven_has_ended(&a->driven))
			mourn(a);
		if (!a->driven.pid && a->back_at <= now)
			begin(a);
		if (says)
			talk(a, now);
	}
}

static void campaign(void)
{
	uint64_t until = driven_now() + wanted.seconds * 1000, next = driven_now() + 500,
		 told = driven_now();

	while (driven_now() < until && sums.kills < wanted.kills && !is_told_to_end) {
		if (driven_now() > told + 60000) {
			told = driven_now();
			printf("%llu kills, %u texts said by %c\n",
			       (unsigned long long)sums.kills, authors[0].said,
			       authors[0].label);
			fflush(stdout);
		}
		tend(true);
		if (driven_now() >= next) {
			harm();
			next = driven_now() + pause_ms() * wanted.calm;
		}
		wait_for_something();
	}
}

/* All are there, and nobody waits for an answer. */
static bool is_quiet(void)
{
	for (unsigned i = 0; i < count; i++)
		if (authors[i].driven.fd < 0 || authors[i].waiting > 0)
			return false;
	return true;
}

/* Everybody is well again, what was asked is answered. */
static void end_harm(void)
{
	uint64_t until = driven_now() + 20000;

	for (unsigned i = 0; i < count; i++) {
		struct author *a = &authors[i];

		if (a->filled_until)
			make_room(a);
		if (a->locked_until)
			let_go(a);
		a->say_at = UINT64_MAX;
		if (!a->driven.faults)
			continue;
		a->driven.faults->loss = a->driven.faults->duplicate =
			a->driven.faults->reorder = 0;
		if (wanted.memory)
			driven_kill(&a->driven);
		wanted.memory = 0;
		a->driven.faults->fail_allocation = 0;
	}
	while (driven_now() < until && !is_quiet()) {
		tend(true);
		wait_for_something();
	}
}

/* --- the verdict --- */

static struct author *by_label(char label)
{
	for (unsigned i = 0; i < count; i++)
		if (authors[i].label == label)
			return &authors[i];
	return NULL;
}

struct reading {
	struct author *reader;
	unsigned last[ENGINES_MAX];
	char *why;
	size_t why_size;
	bool is_wrong; /* nothing that comes later can mend it */
};

/* Newest first. */
static bool read_one(struct reading *r, const char *text)
{
	unsigned stage, number;
	struct author *a;
	char label;

	if (!text || sscanf(text, "%c%u %u", &label, &stage, &number) != 3) {
		snprintf(r->why, r->why_size, "%c has what nobody said: %.40s",
			 r->reader->label, text ? text : "nothing");
		r->is_wrong = true;
		return false;
	}
	if (stage != wanted.stage)
		return true;
	a = by_label(label);
	if (!a || number < 1 || number > a->said || a->seen[number] ||
	    number >= r->last[a - authors]) {
		snprintf(r->why, r->why_size, "%c has %.20s, which is %s", r->reader->label,
			 text,
			 !a || number < 1 || number > a->said ? "of nobody"
			 : a->seen[number]                    ? "there twice"
							      : "out of its order");
		r->is_wrong = true;
		return false;
	}
	a->seen[number] = 1;
	r->last[a - authors] = number;
	return true;
}

/* Pages come newest first, each oldest first. False: `why` tells. */
static bool read_history(struct reading *r)
{
	char before[32] = "", params[160];
	bool goes_on = true;
	size_t n = 1000;

	for (unsigned i = 0; i < count; i++) {
		r->last[i] = UINT32_MAX;
		memset(authors[i].seen, 0, authors[i].room);
	}
	while (n == 1000 && goes_on) {
		struct json *answer;
		const struct json *list;

		snprintf(params, sizeof params,
			 "{\"conversation\":\"%s\",\"limit\":1000%s%s%s}", r->reader->contact,
			 before[0] ? ",\"before\":\"" : "", before, before[0] ? "\"" : "");
		answer = driven_ask(&r->reader->driven, "getMessages", params, 20000);
		list = json_get(json_get(answer, "result"), "messages");
		n = json_count(list);
		for (size_t i = n; i-- > 0 && goes_on;)
			goes_on = read_one(r, json_text(json_at(list, i), "text"));
		snprintf(before, sizeof before, "%s",
			 n > 0 ? json_text(json_at(list, 0), "id") : "");
		if (!answer || !list)
			snprintf(r->why, r->why_size, "%c does not show its history",
				 r->reader->label);
		goes_on = goes_on && answer && list;
		json_free(answer);
	}
	return goes_on;
}

static bool judge(struct author *reader, char *why, size_t size, bool *is_wrong)
{
	struct reading r = { .reader = reader, .why = why, .why_size = size };
	bool is_read = read_history(&r);

	*is_wrong = r.is_wrong;
	if (!is_read)
		return false;
	for (unsigned i = 0; i < count; i++) {
		const struct author *a = &authors[i];

		for (unsigned n = 1; n <= a->said; n++) {
			if (a->fates[n] == ACCEPTED && !a->seen[n]) {
				snprintf(why, size, "%c lacks %c %u, which was accepted",
					 reader->label, a->label, n);
				return false;
			}
			if (a->fates[n] == REFUSED && a->seen[n]) {
				snprintf(why, size, "%c has %c %u, which was refused",
					 reader->label, a->label, n);
				*is_wrong = true;
				return false;
			}
		}
	}
	return true;
}

static bool owes_nothing(struct author *a, char *why, size_t size)
{
	char params[80];
	struct json *answer;
	int64_t queued;

	snprintf(params, sizeof params, "{\"name\":\"%s\"}", a->contact);
	answer = driven_ask(&a->driven, "getContact", params, 10000);
	queued = json_int(json_get(json_get(answer, "result"), "contact"), "queued", -1);
	json_free(answer);
	if (queued != 0)
		snprintf(why, size, "%c owes %lld", a->label, (long long)queued);
	return queued == 0;
}

static bool all_is_well(char *why, size_t size, bool *is_wrong)
{
	for (unsigned i = 0; i < count; i++)
		if (!owes_nothing(&authors[i], why, size))
			return false;
	for (unsigned i = 0; i < count; i++)
		if (!judge(&authors[i], why, size, is_wrong))
			return false;
	return true;
}

static void verdict(void)
{
	uint64_t until = driven_now() + SETTLE_MS;
	bool is_wrong = false;
	char why[160] = "";

	while (!all_is_well(why, sizeof why, &is_wrong)) {
		if (is_wrong || driven_now() > until) {
			violated("after %llu s of calm: %s",
				 (unsigned long long)(driven_now() + SETTLE_MS - until) / 1000,
				 why);
			break;
		}
		for (unsigned i = 0; i < 100; i++) {
			tend(false);
			usleep(10000);
		}
	}
	for (unsigned i = 0; i < count; i++) {
		struct author *a = &authors[i];

		sums.said += a->said;
		for (unsigned n = 1; n <= a->said; n++) {
			sums.accepted += a->fates[n] == ACCEPTED;
			sums.refused += a->fates[n] == REFUSED;
			sums.unanswered += a->fates[n] == UNANSWERED;
			sums.arrived += a->seen[n];
		}
		if (a->driven.faults) {
			sums.lost += a->driven.faults->lost;
			sums.doubled += a->driven.faults->doubled;
			sums.late += a->driven.faults->late;
		}
	}
}

static void tell(void)
{
#define N(x) ((unsigned long long)sums.x)
	printf("%llu said: %llu answered queued, %llu failed with the reason, %llu without an "
	       "answer; %llu there on each of %u machines exactly once and in order\n",
	       N(said), N(accepted), N(refused), N(unanswered), N(arrived), count);
	printf("SUM said=%llu accepted=%llu refused=%llu unanswered=%llu exactly_once=%llu "
	       "kills=%llu directory_kills=%llu full_disks=%llu locked_stores=%llu "
	       "starts_refused=%llu clock_jumps=%llu allocation_failures=%llu "
	       "ends_without_memory=%llu datagrams_lost=%llu datagrams_doubled=%llu "
	       "datagrams_late=%llu violations=%llu\n",
	       N(said), N(accepted), N(refused), N(unanswered), N(arrived), N(kills),
	       N(directory_kills), N(full_disks), N(locked), N(starts_refused), N(clock_jumps),
	       N(allocations), N(deaths), N(lost), N(doubled), N(late), N(violations));
}

/* --- words --- */

static void make_engine(char *value)
{
	struct author *a = &authors[count];
	char *label = strtok(value, ","), *home = strtok(NULL, ","),
	     *contact = strtok(NULL, ","), *disk = strtok(NULL, ",");
	static char program[PATH_SIZE + 32];

	if (count == ENGINES_MAX || !label || !home || !contact)
		exit(2);
	count++;
	driven_init(&a->driven);
	a->label = label[0];
	snprintf(a->home, sizeof a->home, "%s", home);
	snprintf(a->contact, sizeof a->contact, "%s", contact);
	snprintf(a->disk, sizeof a->disk, "%s", disk ? disk : "");
	path_in(program, wanted.programs, "palique");
	a->command[0] = program;
	a->command[1] = "--home";
	a->command[2] = a->home;
	a->command[3] = "daemon";
	a->command[4] = "--foreground";
	a->driven.command = a->command;
	a->lock = -1;
	snprintf(a->driven.socket, sizeof a->driven.socket, "%.90s/engine.sock", home);
	snprintf(a->driven.log, sizeof a->driven.log, "%.200s/engine-%c.log", wanted.folder,
		 a->label);
	if (wanted.preload[0]) {
		char path[PATH_SIZE + 32];

		snprintf(path, sizeof path, "%.190s/faults-%c", wanted.folder, a->label);
		driven_spoil(&a->driven, wanted.preload, path);
		a->driven.faults->loss = (uint32_t)wanted.loss;
		a->driven.faults->duplicate = (uint32_t)wanted.loss / 6;
		a->driven.faults->reorder = (uint32_t)wanted.loss / 2;
	}
}

static void make_directory(char *value)
{
	static char program[PATH_SIZE + 32];
	char *data = strtok(value, ","), *place = strtok(NULL, ",");

	if (!data || !place)
		exit(2);
	driven_init(&directory);
	snprintf(wanted.data, sizeof wanted.data, "%s", data);
	snprintf(wanted.place, sizeof wanted.place, "%s", place);
	path_in(program, wanted.programs, "palique-directory");
	directory_command[0] = program;
	directory_command[1] = "serve";
	directory_command[2] = "--data";
	directory_command[3] = wanted.data;
	directory_command[4] = "--listen";
	directory_command[5] = wanted.place;
	directory.command = directory_command;
	snprintf(directory.log, sizeof directory.log, "%.200s/directory.log", wanted.folder);
}

static void read_word(char *word)
{
	static const struct {
		const char *name;
		char *text;
		uint64_t *number;
		bool *flag;
	} words[] = {
		{ "programs", wanted.programs, NULL, NULL },
		{ "folder", wanted.folder, NULL, NULL },
		{ "preload", wanted.preload, NULL, NULL },
		{ "seed", NULL, &wanted.seed, NULL },
		{ "stage", NULL, &wanted.stage, NULL },
		{ "calm", NULL, &wanted.calm, NULL },
		{ "kills", NULL, &wanted.kills, NULL },
		{ "seconds", NULL, &wanted.seconds, NULL },
		{ "rate", NULL, &wanted.rate, NULL },
		{ "memory", NULL, &wanted.memory, NULL },
		{ "loss", NULL, &wanted.loss, NULL },
		{ "clocks", NULL, NULL, &wanted.clocks },
		{ "full", NULL, NULL, &wanted.full },
		{ "locks", NULL, NULL, &wanted.locks },
	};
	char *value = strchr(word, '=');

	if (!value)
		exit(2);
	*value++ = 0;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (strcmp(words[i].name, word) != 0)
			continue;
		if (words[i].text)
			snprintf(words[i].text, PATH_SIZE, "%s", value);
		else if (words[i].number)
			*words[i].number = strtoull(value, NULL, 10);
		else
			*words[i].flag = atoi(value) != 0;
		return;
	}
	if (strcmp(word, "engine") == 0)
		make_engine(value);
	else if (strcmp(word, "directory") == 0)
		make_directory(value);
	else
		exit(2);
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTERM, on_end);
	signal(SIGINT, on_end);
	for (int i = 1; i < argc; i++)
		read_word(argv[i]);
	if (count < 2 || !directory.command || wanted.rate == 0) {
		fprintf(stderr, "campaign_tool: see the head of campaign_tool.c\n");
		return 2;
	}
	dice_init(&dice, wanted.seed, 17);
	campaign();
	end_harm();
	verdict();
	tell();
	for (unsigned i = 0; i < count; i++)
		driven_free(&authors[i].driven);
	driven_free(&directory);
	return sums.violations > 0;
}
