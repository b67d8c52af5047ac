/* A million messages in a sealed store: how long a search takes beside looking through all texts, a page
 * of history, and opening the engine. In the folder given as argument, else $TMPDIR, else here. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "peer/engine.h"
#include "peer/persons.h"
#include "peer/search.h"
#include "peer/store.h"
#include "shared/db.h"
#include "shared/error.h"
#include "tests/passing.h"
#include "tests/stored_account.h"

enum {
	MESSAGES = 1000000,
	CONTACTS = 50,
	WORDS = 50000, /* in the language */
	EACH = 12,     /* words of a message, on average */
	ROUNDS = 9,
	PAGE = 50,
};
#define WALL ((wall_ms)1800000000000)

static const struct symmetric_key key = { "0123456789abcdef0123456789abcdef" };
static char words[WORDS][12], path[512];
static double weights[WORDS]; /* summed: the n-th word is said 1/n as often (Zipf) */

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void must(int result)
{
	if (result >= 0)
		return;
	fprintf(stderr, "history_bench: %s\n", error_text(result));
	exit(1);
}

static uint64_t state = 88172645463325252u;

static uint64_t dice(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	return state ^= state << 17;
}

static void make_language(void)
{
	static const char letters[] = "etaoinshrdlucmfwypvbgkq";
	double sum = 0;

	for (int i = 0; i < WORDS; i++) {
		size_t size = 2 + dice() % 8;

		for (size_t k = 0; k < size; k++)
			words[i][k] = letters[dice() % (sizeof letters - 1)];
		sum += 1.0 / (i + 1);
		weights[i] = sum;
	}
}

static const char *word(void)
{
	double at = (double)(dice() >> 11) / 9007199254740992.0 * weights[WORDS - 1];
	int low = 0, high = WORDS - 1;

	while (low < high) {
		int middle = (low + high) / 2;

		if (weights[middle] < at)
			low = middle + 1;
		else
			high = middle;
	}
	return words[low];
}

static void write_message(struct db *db, int64_t id)
{
	char text[EACH * 2 * 12];
	size_t size = 0, count = 1 + dice() % (EACH * 2 - 1);
	struct statement *s = db_sql(
		db, "INSERT INTO message(id, contact, chain, seq, is_ours, sent_at,"
		    " arrived_at, kind, reply_to, body, place)"
		    " VALUES(?1,?2,?3,?4,?5,?6,?6,1,0,?7,?1)");
	int64_t contact = 2 + id % CONTACTS;

	while (count-- > 0)
		size += (size_t)snprintf(text + size, sizeof text - size, "%s ", word());
	bind_int(s, 1, id);
	bind_int(s, 2, contact);
	bind_int(s, 3, contact * 2 + (id / CONTACTS) % 2);
	bind_int(s, 4, id);
	bind_int(s, 5, (id / CONTACTS) % 2);
	bind_int(s, 6, WALL - (MESSAGES - id) * 60000);
	bind_bytes(s, 7, bytes_of(text, size - 1));
	must(db_run(s));
}

static void write_contacts(struct store *store)
{
	char sql[512];

	for (int i = 2; i < 2 + CONTACTS; i++) {
		snprintf(sql, sizeof sql,
			 "INSERT INTO contact(id, name, state) VALUES(%d, 'friend%d', 2);"
			 "INSERT INTO conversation(id, contact, delivered)"
			 " VALUES(%d, %d, %d);"
			 "INSERT INTO chain(id, conversation, author, next, last)"
			 " VALUES(%d, %d, zeroblob(32), %d, zeroblob(32)),"
			 " (%d, %d, randomblob(32), %d, zeroblob(32))",
			 i, i, i, i, MESSAGES + 1, i * 2, i, MESSAGES + 1, i * 2 + 1, i,
			 MESSAGES + 1);
		must(db_exec(store_db(store), sql));
	}
}

static void write_account(struct store *store)
{
	struct identity identity;
	struct device device;
	struct knock knock = { 0 };
	struct device_list devices = { 0 };
	struct name name;

	must(name_parse(&name, bytes_text("me")));
	identity_make(&identity);
	device_make(&device);
	must(device_list_add(&devices, &device.public, "bench", 0));
	device_list_sign(&devices, &identity);
	stored_account_write(
		store, &(struct stored_account){ &name, &identity, &device, &knock, &devices });
}

static void write_all(void)
{
	struct store *store;
	double begin = now();

	must(store_open(&store, path, &key, false, NULL, 0));
	store_write(store);
	write_account(store);
	write_contacts(store);
	for (int64_t id = 1; id <= MESSAGES; id++)
		write_message(store_db(store), id);
	must(store_commit(store));
	store_close(store);
	printf("%-52s %10.1f s\n", "a million messages written", (now() - begin) / 1e3);
}

static void must_open(struct engine **e, mono_ns at)
{
	const struct engine_config config = { .store = path,
					      .key = &key,
					      .device_label = "bench" };
	char reason[256] = "";
	int err = engine_open(e, &config, at, WALL, reason, sizeof reason);

	if (err < 0)
		fprintf(stderr, "%s\n", reason);
	must(err);
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void print(const char *what, double *rounds, unsigned hits)
{
	qsort(rounds, ROUNDS, sizeof *rounds, by_size);
	printf("%-52s %10.2f ms (slowest %.2f)", what, rounds[ROUNDS / 2], rounds[ROUNDS - 1]);
	if (hits)
		printf(", %u found", hits);
	putchar('\n');
}

static bool on_hit(void *user, const struct hit *hit)
{
	(void)hit;
	++*(unsigned *)user;
	return true;
}

static bool on_message(void *user, const struct message *m)
{
	(void)m;
	++*(unsigned *)user;
	return true;
}

static void search(struct engine *e, const char *what, const char *query, const char *name)
{
	double rounds[ROUNDS], slowest = 0;
	char line[128];
	unsigned hits = 0;

	for (int i = 0; i < ROUNDS; i++) {
		double begin = now();
		struct search_at at = { 0 };
		int more = 1;

		for (hits = 0; more == 1;) {
			double call = now();

			more = engine_search(e, query, name, 0, PAGE - hits, &at, on_hit,
					     &hits);
			must(more);
			call = now() - call;
			slowest = call > slowest ? call : slowest;
		}
		rounds[i] = now() - begin;
	}
	snprintf(line, sizeof line, "search: %s%s", what, name ? ", with one person" : "");
	print(line, rounds, hits);
	if (slowest > 20)
		printf("  one call of it took %.1f ms\n", slowest);
}

static void scan(struct engine *e, const char *what, const char *text)
{
	double rounds[ROUNDS];
	char line[128];
	unsigned hits = 0;

	for (int i = 0; i < ROUNDS; i++) {
		struct statement *s = db_sql(engine_db(e),
					     "SELECT id FROM message WHERE CAST(body AS TEXT)"
					     " LIKE '%' || ? || '%' ORDER BY id DESC LIMIT ?");
		double begin = now();

		hits = 0;
		bind_text(s, 1, text);
		bind_int(s, 2, PAGE);
		while (db_step(s) == 1)
			hits++;
		db_done(s);
		rounds[i] = now() - begin;
	}
	snprintf(line, sizeof line, "beside it, LIKE: %s", what);
	print(line, rounds, hits);
}

static void index_all(struct engine *e)
{
	double begin = now(), slowest = 0;
	mono_ns at = 2000 * SECOND;
	unsigned steps = 0, slow = 0;

	for (uint64_t upto = 0; upto + SEARCH_TAIL < MESSAGES; steps++) {
		struct statement *s;
		double step = now();

		engine_step(e, at += SECOND, WALL);
		step = now() - step;
		slowest = step > slowest ? step : slowest;
		slow += step > 20;
		s = db_sql(engine_db(e), "SELECT upto FROM searched");
		upto = db_step(s) == 1 ? (uint64_t)column_int(s, 0) : 0;
		db_done(s);
	}
	printf("%-52s %10.1f s (%u steps, %u over 20 ms, slowest %.1f ms)\n",
	       "index filled in the background", (now() - begin) / 1e3, steps, slow, slowest);
}

static void open_engine(const char *what)
{
	double rounds[ROUNDS];
	struct engine *e;

	for (int i = 0; i < ROUNDS; i++) {
		double begin = now();

		must_open(&e, 1000 * SECOND);
		rounds[i] = now() - begin;
		engine_close(e);
	}
	print(what, rounds, 0);
}

static void page(struct engine *e)
{
	static const struct {
		const char *what;
		uint64_t before;
	} pages[] = { { "history: the newest 50", 0 },
		      { "history: 50 in the middle", MESSAGES / 2 },
		      { "history: the oldest 50", PAGE * CONTACTS + 100 } };
	double rounds[ROUNDS];

	for (unsigned k = 0; k < sizeof pages / sizeof *pages; k++) {
		unsigned count = 0;
		uint64_t before = pages[k].before / CONTACTS * CONTACTS;

		for (int i = 0; i < ROUNDS; i++) {
			double begin = now();

			count = 0;
			must(engine_history(e, "friend2", before, PAGE, on_message, &count));
			rounds[i] = now() - begin;
		}
		print(pages[k].what, rounds, count);
	}
}

int main(int argc, char **argv)
{
	const char *folder = argc > 1 ? argv[1] : getenv("TMPDIR");
	struct engine *e;

	if (sodium_init() < 0)
		return 1;
	snprintf(path, sizeof path, "%s/db", passing_folder(folder ? folder : "."));
	setvbuf(stdout, NULL, _IOLBF, 0);
	make_language();
	write_all();
	open_engine("engine opened, a million messages");
	must_open(&e, 1000 * SECOND);
	search(e, "the most frequent word, nothing indexed", words[0], NULL);
	search(e, "a word that is nowhere, nothing indexed", "zzz", NULL);
	index_all(e);
	search(e, "the most frequent word", words[0], NULL);
	search(e, "the most frequent word", words[0], "friend7");
	search(e, "a rare word", words[WORDS - 1000], NULL);
	search(e, "a word that is nowhere", "zzz", NULL);
	search(e, "one letter", "e", NULL);
	search(e, "three letters", "tan", NULL);
	for (int i = 0, left = 2; left > 0; i++) {
		if (strlen(words[i]) < 5)
			continue;
		left--;
		search(e, "a frequent beginning of five letters", words[i], NULL);
	}
	{
		char phrase[64], two[64];

		snprintf(phrase, sizeof phrase, "\"%s %s\"", words[0], words[1]);
		search(e, "the two most frequent, as a phrase", phrase, NULL);
		snprintf(two, sizeof two, "%s %s", words[2], words[WORDS - 1000]);
		search(e, "a frequent and a rare word", two, NULL);
	}
	scan(e, "the most frequent word", words[0]);
	scan(e, "a rare word", words[WORDS - 1000]);
	page(e);
	engine_close(e);
	open_engine("engine opened, all indexed");
	return 0;
}
