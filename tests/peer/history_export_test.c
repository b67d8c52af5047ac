/* The history of a running engine into files, on a loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "peer/history_export.h"
#include "peer/store.h"
#include "shared/error.h"
#include "tests/scratch.h"
#include "tests/written.h"

static struct fixture {
	uv_loop_t loop;
	struct engine *engine;
	struct history_export *exporter;
	char store[300], file[300], reason[512];
	unsigned answers;
	int err;
} f;
static unsigned next;
static char *page;

static void on_done(void *user, uint64_t ticket, int err, const char *detail)
{
	(void)user;
	assert_int_equal(ticket, 7);
	assert_true(err == 0 || err == ERR_CLOSED ? !detail[0] : detail[0] != 0);
	f.answers++;
	f.err = err;
}

/* 250 texts with bob, one of carol, and two files of bob's, one of which is here. */
static void write_history(void)
{
	struct store *store;
	struct written w;
	FILE *media;
	char path[320];

	assert_int_equal(store_open(&store, f.store, NULL, false, NULL, 0), 0);
	store_write(store);
	w.store = store;
	written_sql(&w, "INSERT INTO contact(id, name, state) VALUES(2, 'bob', 2),"
			" (3, 'carol', 2)");
	written_begin(&w, store, 3, 1);
	written_text(&w, false, "from <carol>");
	written_begin(&w, store, 2, 2);
	for (int i = 0; i < 250; i++)
		written_text(&w, i % 2, i == 77 ? "seventy-seven" : "text");
	written_sql(&w, "UPDATE message SET target = 79 WHERE id = 100");
	snprintf(path, sizeof path, "%s.pic", f.store);
	media = fopen(path, "w");
	assert_non_null(media);
	fputs("picture", media);
	fclose(media);
	for (int i = 0; i < 2; i++) {
		uint64_t id = written_file(&w, false, "../a pic.png", "look", "");

		written_sql(&w,
			    "INSERT INTO file(id, message, contact, is_ours, state, size, done,"
			    " changed_at, path) VALUES(randomblob(16), %d, 2, 0, %d, 7, 7, 1, "
			    "'%s%s')",
			    (int)id, TRANSFER_DONE, path, i ? ".gone" : "");
	}
	assert_int_equal(store_commit(store), 0);
	store_close(store);
}

static int set_up(void **state)
{
	const struct engine_config engine = { .store = f.store };
	struct history_export_config config = { .loop = &f.loop, .done = on_done };

	(void)state;
	memset(&f, 0, sizeof f);
	snprintf(f.store, sizeof f.store, "%s/%u.db", scratch, next);
	snprintf(f.file, sizeof f.file, "%s/%u.out", scratch, next++);
	write_history();
	assert_int_equal(
		engine_open(&f.engine, &engine, SECOND, 1000, f.reason, sizeof f.reason), 0);
	uv_loop_init(&f.loop);
	config.engine = f.engine;
	f.exporter = history_export_new(&config);
	return 0;
}

static void close_exporter(void)
{
	history_export_close(f.exporter);
	uv_run(&f.loop, UV_RUN_DEFAULT);
	history_export_free(f.exporter);
	f.exporter = NULL;
}

static int tear_down(void **state)
{
	(void)state;
	if (f.exporter)
		close_exporter();
	assert_int_equal(uv_loop_close(&f.loop), 0);
	engine_close(f.engine);
	free(page);
	page = NULL;
	return 0;
}

static int begin(const char *path, enum transcript_format format, const char *name)
{
	f.reason[0] = '\0';
	return history_export_begin(f.exporter, path, format, name, 1000, 7, f.reason,
				    sizeof f.reason);
}

static void run(void)
{
	while (f.answers == 0)
		uv_run(&f.loop, UV_RUN_ONCE);
}

static int64_t status(const char *key)
{
	struct json *j = json_object();
	int64_t n;

	history_export_status(f.exporter, j);
	n = json_int(j, key, -1);
	json_free(j);
	return n;
}

static const char *read_whole(const char *path)
{
	struct stat what;
	int fd = open(path, O_RDONLY);

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &what), 0);
	free(page);
	page = memory_new((size_t)what.st_size + 1);
	assert_int_equal(read(fd, page, (size_t)what.st_size), what.st_size);
	close(fd);
	return page;
}

static unsigned lines_of(const char *text)
{
	unsigned n = 0;

	for (; (text = strchr(text, '\n')) != NULL; text++)
		n++;
	return n;
}

static void all_conversations_become_lines(void **state)
{
	struct stat what;
	const char *text;

	(void)state;
	assert_int_equal(begin(f.file, TRANSCRIPT_JSONL, NULL), 0);
	assert_int_equal(begin(f.file, TRANSCRIPT_JSONL, NULL), ERR_BUSY);
	run();
	assert_int_equal(f.err, 0);
	assert_int_equal(status("messages"), 253);
	text = read_whole(f.file);
	assert_int_equal(lines_of(text), 253);
	assert_non_null(strstr(text, "seventy-seven"));
	assert_non_null(strstr(text, "from <carol>"));
	assert_int_equal(stat(f.file, &what), 0);
	assert_int_equal(what.st_mode & 0777, 0600);
}

static void one_conversation_becomes_a_page_with_its_files(void **state)
{
	char path[400];
	const char *text;

	(void)state;
	assert_int_equal(begin(f.file, TRANSCRIPT_HTML, "bob"), 0);
	run();
	assert_int_equal(f.err, 0);
	assert_int_equal(status("messages"), 252);
	assert_int_equal(status("files"), 1);
	assert_int_equal(status("skipped"), 1);
	snprintf(path, sizeof path, "%s/index.html", f.file);
	text = read_whole(path);
	assert_null(strstr(text, "carol"));
	assert_non_null(strstr(text, "</html>"));
	assert_non_null(strstr(text, "media/252-"));
	assert_non_null(strstr(text, "<a href=\"#m79\"><small>me</small> seventy-seven</a>"));
	assert_non_null(strstr(text, "<article id=\"m79\""));
	snprintf(path, sizeof path, "%s/media/252-___a_pic.png", f.file);
	assert_string_equal(read_whole(path), "picture");
}

static void nothing_of_others_is_written_over(void **state)
{
	int fd = open(f.file, O_WRONLY | O_CREAT, 0600);

	(void)state;
	close(fd);
	assert_int_equal(begin(f.file, TRANSCRIPT_JSONL, NULL), ERR_EXISTS);
	assert_int_equal(begin(f.file, TRANSCRIPT_HTML, NULL), ERR_EXISTS);
	assert_int_equal(begin("relative", TRANSCRIPT_HTML, NULL), ERR_FORMAT);
	assert_int_equal(begin("/proc/1/nowhere", TRANSCRIPT_JSONL, "nobody"), ERR_NOT_FOUND);
	unlink(f.file);
	/* It appears while the export goes on. */
	assert_int_equal(begin(f.file, TRANSCRIPT_JSONL, NULL), 0);
	fd = open(f.file, O_WRONLY | O_CREAT, 0600);
	close(fd);
	run();
	assert_int_equal(f.err, ERR_EXISTS);
	assert_int_equal(lines_of(read_whole(f.file)), 0);
}

static void a_file_of_another_name_stays(void **state)
{
	char other[400];
	FILE *file;

	(void)state;
	snprintf(other, sizeof other, "%s.new", f.file);
	file = fopen(other, "w");
	assert_non_null(file);
	fclose(file);
	assert_int_equal(begin(f.file, TRANSCRIPT_JSONL, NULL), 0);
	run();
	assert_int_equal(f.err, 0);
	assert_int_equal(access(other, F_OK), 0);
	unlink(other);
}

static void an_engine_that_ends_gives_it_up_and_leaves_nothing(void **state)
{
	char work[400];

	(void)state;
	for (int turns = 0; turns < 4; turns++) {
		f.answers = 0;
		assert_int_equal(begin(f.file, TRANSCRIPT_HTML, NULL), 0);
		for (int i = 0; i < turns; i++)
			uv_run(&f.loop, UV_RUN_ONCE);
		close_exporter();
		assert_int_equal(f.answers, 1);
		assert_int_equal(f.err, ERR_CLOSED);
		snprintf(work, sizeof work, "%s.palique-unfinished", f.file);
		assert_int_equal(access(work, F_OK), -1);
		assert_int_equal(access(f.file, F_OK), -1);
		f.exporter = history_export_new(&(struct history_export_config){
			.loop = &f.loop, .engine = f.engine, .done = on_done });
	}
}

int main(void)
{
#define EACH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		EACH(all_conversations_become_lines),
		EACH(one_conversation_becomes_a_page_with_its_files),
		EACH(nothing_of_others_is_written_over),
		EACH(a_file_of_another_name_stays),
		EACH(an_engine_that_ends_gives_it_up_and_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
