#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "peer/filing.h"
#include "peer/filing_hash.h"
#include "peer/filing_manifest.h"
#include "shared/error.h"
#include "shared/job.h"
#include "shared/pack.h"
#include "tests/scratch.h"

/* --- names --- */

static void assert_name(const char *said, const char *wanted)
{
	char name[FILING_NAME_MAX + 1];

	filing_safe_name(bytes_text(said), name);
	assert_string_equal(name, wanted);
}

static void a_name_is_made_safe(void **state)
{
	(void)state;
	assert_name("photo.jpg", "photo.jpg");
	assert_name("a b ñandú 猫.txt", "a b ñandú 猫.txt");
	assert_name("../../etc/passwd", "passwd");
	assert_name("C:\\Windows\\win.ini", "win.ini");
	assert_name("/", "file");
	assert_name("", "file");
	assert_name("..", "file");
	assert_name("...", "file");
	assert_name(" . ", "file");
	assert_name(".bashrc", "bashrc");
	assert_name("-rf", "rf");
	assert_name("~root", "root");
	assert_name("name. . ", "name");
	assert_name("a\tb\nc\x1b[2Jd\x7f", "a_b_c_[2Jd_");
	assert_name("photo\xe2\x80\xaegpj.exe", "photo_gpj.exe"); /* right-to-left override */
	assert_name("\xe2\x81\xa6x\xe2\x81\xa9", "_x_");          /* isolates */
	assert_name("a\xe2\x80\x8b"
		    "b",
		    "a_b"); /* nothing wide */
	assert_name("\xff\xfe"
		    "bad",
		    "__bad");
	assert_name("a<b>c|d?e*f\"g:h", "a_b_c_d_e_f_g_h");
	assert_name("CON", "_CON");
	assert_name("nul.txt", "_nul.txt");
	assert_name("com1.log", "_com1.log");
	assert_name("console", "console");
}

static void a_long_name_is_cut_between_characters_and_keeps_its_extension(void **state)
{
	char said[600] = "", name[FILING_NAME_MAX + 1];

	(void)state;
	for (unsigned i = 0; i < 120; i++)
		memcpy(said + 4 * i, "\xf0\x9f\x98\x80", 4);
	memcpy(said + 480, ".tar.gz", 8);
	filing_safe_name(bytes_text(said), name);
	assert_true(strlen(name) <= FILING_NAME_MAX - 8);
	assert_true(bytes_is_utf8(bytes_text(name)));
	assert_string_equal(name + strlen(name) - 7, ".tar.gz");
	filing_numbered(name, 9999, said);
	assert_true(strlen(said) <= FILING_NAME_MAX);
	assert_non_null(strstr(said, " (9999).tar.gz"));
}

static void a_number_stands_before_the_extension(void **state)
{
	char name[FILING_NAME_MAX + 1];

	(void)state;
	filing_numbered("a.txt", 1, name);
	assert_string_equal(name, "a.txt");
	filing_numbered("a.txt", 2, name);
	assert_string_equal(name, "a (2).txt");
	filing_numbered("noext", 12, name);
	assert_string_equal(name, "noext (12)");
	filing_numbered("a.this is no extension", 2, name);
	assert_string_equal(name, "a.this is no extension (2)");
}

/* --- manifests --- */

struct said {
	const char *path;
	uint64_t size;
};

static int decode(const struct said *list, unsigned count, struct manifest *m)
{
	struct buf b = { 0 };
	struct pack p;
	int err;

	pack_begin(&p, &b);
	pack_array(&p, count);
	for (unsigned i = 0; i < count; i++) {
		pack_array(&p, 3);
		pack_text(&p, bytes_text(list[i].path));
		pack_uint(&p, list[i].size);
		pack_uint(&p, 0);
	}
	assert_int_equal(pack_end(&p), 0);
	err = manifest_decode(m, buf_view(&b));
	buf_clear(&b);
	return err;
}

static void a_manifest_that_leads_out_of_its_folder_is_refused(void **state)
{
	static const char *const bad[] = { "/etc/passwd", "..",   "../a", "a/../b", "a/..", ".",
					   "./a",         "a//b", "",     "/",      "a/./b" };
	struct manifest m;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(decode(&(struct said){ bad[i], 0 }, 1, &m), ERR_FORMAT);
		assert_null(m.list);
	}
	assert_int_equal(decode((struct said[]){ { "a", 1 }, { "a", 2 } }, 2, &m), ERR_FORMAT);
	assert_int_equal(decode((struct said[]){ { "a/b", 1 }, { "a", 2 } }, 2, &m),
			 ERR_FORMAT);
	assert_int_equal(
		decode((struct said[]){ { "a:b", 1 }, { "a;b", 2 }, { "a?b", 1 } }, 3, &m),
		ERR_FORMAT); /* one name, made safe */
	assert_int_equal(decode(&(struct said){ "a/", 1 }, 1, &m), ERR_FORMAT);
	assert_int_equal(decode((struct said[]){ { "a", OFFER_SIZE_MAX }, { "b", 1 } }, 2, &m),
			 ERR_LIMIT);
}

static void a_manifest_is_read_as_it_was_written(void **state)
{
	struct manifest m;

	(void)state;
	assert_int_equal(
		decode((struct said[]){ { "z:1", 4 }, { "a/.git/x\n", 5 }, { "a/none/", 0 } },
		       3, &m),
		0);
	assert_int_equal(m.count, 3);
	assert_int_equal(m.files, 2);
	assert_int_equal(m.size, 9);
	assert_string_equal(m.list[0].path, "z_1");
	assert_string_equal(m.list[1].path, "a/.git/x_");
	assert_int_equal(m.list[1].at, 4);
	assert_true(m.list[2].is_folder);
	manifest_clear(&m);
}

/* --- the worker --- */

static int run(struct filing_work *w)
{
	struct job job = { .kind = JOB_FILING, .task = w };

	return filing_run(&job);
}

static void path_in(const char *name, char out[300])
{
	snprintf(out, 300, "%.100s/%.150s", scratch, name);
}

static struct filing_work *begin_in(const char *folder, uint64_t size)
{
	static uint8_t number;
	uint8_t id[OFFER_ID_SIZE] = { ++number };
	struct filing_work *w = filing_work_new(FILING_BEGIN);

	w->folder = memory_text(folder);
	w->name = memory_text("name.txt");
	filing_part_name(id, w->part);
	w->size = size;
	return w;
}

static int go_on(struct filing_work *w, enum filing_task what)
{
	w->what = what;
	return run(w);
}

static void put(struct filing_work *w, size_t size)
{
	w->data.size = 0;
	memset(buf_room(&w->data, size), 'x', size);
	buf_grew(&w->data, size);
}

static int size_of(const char *path, mode_t *mode)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return -1;
	*mode = st.st_mode;
	return (int)st.st_size;
}

static void store_one(const char *folder, char path[300])
{
	struct filing_work *w = begin_in(folder, 3);

	assert_int_equal(run(w), 0);
	put(w, 3);
	assert_int_equal(go_on(w, FILING_WRITE), 0);
	assert_int_equal(go_on(w, FILING_FINISH), 0);
	assert_int_equal(go_on(w, FILING_PLACE), 0);
	snprintf(path, 300, "%s", w->path);
	filing_work_free(w);
}

static void what_is_stored_gets_a_name_that_is_free_and_is_nobody_elses_to_read(void **state)
{
	char folder[300], path[300];
	mode_t mode;

	(void)state;
	path_in("made/for/it", folder);
	store_one(folder, path);
	assert_non_null(strstr(path, "made/for/it/name.txt"));
	assert_int_equal(size_of(path, &mode), 3);
	assert_int_equal(mode, S_IFREG | 0600);
	store_one(folder, path);
	assert_non_null(strstr(path, "/name (2).txt"));
}

static void a_link_in_the_place_of_a_name_is_not_followed(void **state)
{
	char folder[300], path[300], link[300], victim[300];
	mode_t mode;

	(void)state;
	path_in("links", folder);
	path_in("links/name.txt", link);
	path_in("victim", victim);
	assert_int_equal(mkdir(folder, 0700), 0);
	assert_int_equal(symlink(victim, link), 0);
	store_one(folder, path);
	assert_non_null(strstr(path, "/name (2).txt"));
	assert_int_equal(size_of(victim, &mode), -1);
}

static void a_link_in_the_place_of_a_part_is_refused(void **state)
{
	char folder[300], link[400], victim[300];
	struct filing_work *w;
	mode_t mode;

	(void)state;
	path_in("parts", folder);
	path_in("victim", victim);
	assert_int_equal(mkdir(folder, 0700), 0);
	w = begin_in(folder, 3);
	snprintf(link, sizeof link, "%s/%s", folder, w->part);
	assert_int_equal(symlink(victim, link), 0);
	assert_int_equal(run(w), ERR_REFUSED);
	assert_int_equal(size_of(victim, &mode), -1);
	filing_work_free(w);
}

/* Between choosing the name and giving it. */
static void somebody_who_is_quicker_keeps_the_name(void **state)
{
	char folder[300], path[300];
	struct filing_work *w;
	mode_t mode;
	FILE *file;

	(void)state;
	path_in("quick", folder);
	w = begin_in(folder, 3);
	assert_int_equal(run(w), 0);
	put(w, 3);
	assert_int_equal(go_on(w, FILING_WRITE), 0);
	assert_int_equal(go_on(w, FILING_FINISH), 0);
	file = fopen(w->path, "w");
	fclose(file);
	assert_int_equal(go_on(w, FILING_PLACE), ERR_EXISTS);
	assert_int_equal(go_on(w, FILING_PLACE), 0);
	path_in("quick/name.txt", path);
	assert_int_equal(size_of(path, &mode), 0);
	path_in("quick/name (2).txt", path);
	assert_int_equal(size_of(path, &mode), 3);
	/* Said twice, as after a crash. */
	assert_int_equal(go_on(w, FILING_PLACE), 0);
	filing_work_free(w);
}

static void more_than_was_offered_is_not_stored(void **state)
{
	char folder[300];
	struct filing_work *w;

	(void)state;
	path_in("more", folder);
	w = begin_in(folder, 3);
	assert_int_equal(run(w), 0);
	put(w, 4);
	assert_int_equal(go_on(w, FILING_WRITE), ERR_FORMAT);
	assert_int_equal(w->done, 0);
	assert_int_equal(go_on(w, FILING_FINISH), ERR_STATE);
	filing_work_free(w);
}

/* A manifest within hostile contents: nothing outside of the part, nothing left behind it. */
static void a_folder_whose_manifest_lies_is_refused(void **state)
{
	struct manifest m = { 0 };
	struct buf said = { 0 };
	char folder[300];
	struct filing_work *w;

	(void)state;
	path_in("liar", folder);
	manifest_add(&m, "a", false, 5, 0);
	assert_int_equal(manifest_encode(&m, &said), 0);
	manifest_clear(&m);
	for (unsigned i = 0; i < 3; i++) {
		w = begin_in(folder, said.size + 5 + (i == 0));
		w->is_folder = true;
		w->files = i == 1 ? 2 : 1;
		w->manifest_size = (uint32_t)said.size - (i == 2);
		assert_int_equal(run(w), 0);
		buf_append(&w->data, buf_view(&said));
		assert_int_equal(go_on(w, FILING_WRITE), ERR_FORMAT);
		assert_int_equal(w->done, 0);
		assert_int_equal(go_on(w, FILING_REMOVE), 0);
		filing_work_free(w);
	}
	buf_clear(&said);
	assert_int_equal(rmdir(folder), 0);
}

/* --- folders of our own --- */

static void write_in(const char *name, const char *text)
{
	char path[300];
	FILE *file;

	path_in(name, path);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int look_at(const char *name, struct filing_work **w)
{
	char path[300];

	path_in(name, path);
	*w = filing_work_new(FILING_LOOK);
	(*w)->path = memory_text(path);
	return run(*w);
}

static void make_in(const char *name)
{
	char path[300];

	path_in(name, path);
	assert_int_equal(mkdir(path, 0700), 0);
}

/* Windows takes no ':'; a disk here does, and what is sent is read by what it is called here. */
static void a_folder_is_read_by_the_names_it_has_here(void **state)
{
	struct filing_work *w;

	(void)state;
	make_in("odd");
	make_in("odd/in\\side");
	write_in("odd/what? why.txt", "abc");
	write_in("odd/in\\side/a:b*", "defg");
	assert_int_equal(look_at("odd", &w), 0);
	assert_int_equal(go_on(w, FILING_OPEN), 0);
	w->offset = w->manifest_size;
	w->size -= w->manifest_size;
	assert_int_equal(go_on(w, FILING_READ), 0);
	assert_int_equal(w->data.size, 7);
	assert_memory_equal(w->data.data, "defgabc", 7);
	filing_work_free(w);
}

static void a_folder_that_cannot_be_sent_says_where_and_why(void **state)
{
	char deep[300] = "deep";
	size_t size = strlen(deep);
	struct filing_work *w;

	(void)state;
	make_in("latin");
	write_in("latin/fine", "");
	make_in("latin/sub");
	write_in("latin/sub/\xe9t\xe9", "");
	assert_int_equal(look_at("latin", &w), ERR_FORMAT);
	assert_string_equal(w->where, "sub/\xe9t\xe9");
	filing_work_free(w);

	make_in("twice");
	write_in("twice/a:b", "");
	write_in("twice/a_b", "");
	assert_int_equal(look_at("twice", &w), ERR_EXISTS);
	filing_work_free(w);

	make_in(deep);
	for (unsigned i = 0; i < MANIFEST_DEPTH_MAX; i++) {
		size += (size_t)snprintf(deep + size, sizeof deep - size, "/d");
		make_in(deep);
	}
	assert_int_equal(look_at("deep", &w), 0);
	filing_work_free(w);
	snprintf(deep + size, sizeof deep - size, "/x");
	write_in(deep, "");
	assert_int_equal(look_at("deep", &w), ERR_LIMIT);
	assert_string_equal(w->where, deep + 5);
	filing_work_free(w);
}

static void a_folder_that_is_another_one_now_is_not_even_begun(void **state)
{
	struct filing_work *w;

	(void)state;
	make_in("changing");
	write_in("changing/a", "abc");
	write_in("changing/z", "xyz");
	assert_int_equal(look_at("changing", &w), 0);
	write_in("changing/z", "longer");
	assert_int_equal(go_on(w, FILING_OPEN), ERR_CORRUPT);
	assert_null(w->source);
	filing_work_free(w);
}

static void what_was_stored_is_known_again(void **state)
{
	uint8_t hash[32];
	char folder[300];
	struct filing_work *w, *again;
	struct filing_hash h;

	(void)state;
	path_in("again", folder);
	w = begin_in(folder, (3 << 20) + 5);
	assert_int_equal(run(w), 0);
	put(w, 2 << 20);
	assert_int_equal(go_on(w, FILING_WRITE), 0);
	assert_int_equal(go_on(w, FILING_SYNC), 0);
	put(w, 1000); /* that nobody took note of */
	assert_int_equal(go_on(w, FILING_WRITE), 0);
	again = begin_in(folder, w->size);
	memcpy(again->part, w->part, sizeof again->part);
	filing_work_free(w);
	again->done = 2 << 20;
	assert_int_equal(run(again), 0);
	assert_int_equal(again->done, 2 << 20);
	assert_int_equal(go_on(again, FILING_CHECK), 0);
	assert_int_equal(again->offset, 2 << 20);
	put(again, (1 << 20) + 5);
	assert_int_equal(go_on(again, FILING_WRITE), 0);
	filing_hash_begin(&h, (3 << 20) + 5);
	put(again, (3 << 20) + 5);
	filing_hash_add(&h, buf_view(&again->data));
	filing_hash_end(&h, hash);
	assert_int_equal(go_on(again, FILING_FINISH), 0);
	assert_memory_equal(again->hash, hash, sizeof hash);
	filing_work_free(again);
}

/* What a transfer brings, in rooms as it gives them: whole batches, and what came too slowly for one. */
static void a_large_file_is_stored_as_it_came(void **state)
{
	static const size_t parts[] = { 1 << 20, (3 << 20) + 5,   (1 << 20) - 5, 4 << 20,
					100,     (4 << 20) - 100, 4 << 20,       12345 };
	enum { SIZE = (17 << 20) + 12345 };
	uint8_t *contents = malloc(SIZE), *there = malloc(SIZE), hash[32];
	char folder[300], path[400];
	struct filing_hash h;
	struct filing_work *w;
	size_t at = 0;
	int fd;

	(void)state;
	path_in("large", folder);
	randombytes_buf(contents, SIZE);
	w = begin_in(folder, SIZE);
	assert_int_equal(run(w), 0);
	for (unsigned i = 0; i < sizeof parts / sizeof *parts; i++) {
		filing_room(&w->data, FILING_BATCH);
		memcpy(w->data.data, contents + at, parts[i]);
		buf_grew(&w->data, parts[i]);
		assert_int_equal(go_on(w, FILING_WRITE), 0);
		at += parts[i];
		assert_int_equal(w->done, at);
	}
	assert_int_equal(at, SIZE);
	snprintf(path, sizeof path, "%s/%s", folder, w->part);
	fd = open(path, O_RDONLY);
	assert_int_equal(read(fd, there, SIZE), SIZE);
	assert_int_equal(read(fd, hash, 1), 0);
	close(fd);
	assert_memory_equal(there, contents, SIZE);
	assert_int_equal(go_on(w, FILING_FINISH), 0);
	filing_hash_begin(&h, SIZE);
	for (at = 0; at < SIZE; at += 1000) /* never several pieces at once */
		filing_hash_add(&h,
				bytes_of(contents + at, SIZE - at < 1000 ? SIZE - at : 1000));
	filing_hash_end(&h, hash);
	assert_memory_equal(w->hash, hash, sizeof hash);
	filing_work_free(w);
	free(contents);
	free(there);
}

/* --- stored by one thread, hashed by another --- */

static struct filing_work *part_of(struct filing_work *w, const uint8_t *contents, size_t size)
{
	struct filing_work *write = filing_work_new(FILING_WRITE);

	write->sink = w->sink;
	w->sink = NULL;
	filing_room(&write->data, size);
	memcpy(write->data.data, contents, size);
	buf_grew(&write->data, size);
	return write;
}

static void what_is_hashed_beside_being_stored_has_the_same_hash(void **state)
{
	static const size_t parts[] = { WIRE_FILE_PIECE, 3 * WIRE_FILE_PIECE + 5,
					2 * WIRE_FILE_PIECE - 5 };
	enum { SIZE = 6 * WIRE_FILE_PIECE };
	uint8_t *contents = malloc(SIZE), hash[32];
	char folder[300];
	struct filing_hash h;
	struct filing_work *w;
	size_t at = 0;

	(void)state;
	path_in("beside", folder);
	randombytes_buf(contents, SIZE);
	w = begin_in(folder, SIZE);
	assert_int_equal(run(w), 0);
	for (unsigned i = 0; i < sizeof parts / sizeof *parts; i++) {
		struct filing_work *write = part_of(w, contents + at, parts[i]);
		struct filing_work *sum = filing_sum_of(write);
		struct filing_work *first = i % 2 ? sum : write, *last = i % 2 ? write : sum;

		assert_int_equal(run(first), 0);
		assert_int_equal(run(last), 0);
		at += parts[i];
		assert_int_equal(write->done, at);
		filing_summed(write->sink, sum->sum);
		w->sink = write->sink;
		write->sink = NULL;
		assert_false(filing_work_is_last(first));
		assert_null(first->data.data);
		assert_true(filing_work_is_last(last));
		assert_memory_equal(last->data.data, contents + at - parts[i], parts[i]);
		filing_work_free(first);
		filing_work_free(last);
	}
	assert_int_equal(go_on(w, FILING_FINISH), 0);
	filing_hash_begin(&h, SIZE);
	filing_hash_add(&h, bytes_of(contents, SIZE));
	filing_hash_end(&h, hash);
	assert_memory_equal(w->hash, hash, sizeof hash);
	filing_work_free(w);
	free(contents);
}

static void of_two_works_that_nobody_did_each_can_go_first(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct filing_work *w, *write, *sum;
		uint8_t contents[100] = { 1 };
		char folder[300];

		path_in("two", folder);
		w = begin_in(folder, sizeof contents);
		assert_int_equal(run(w), 0);
		write = part_of(w, contents, sizeof contents);
		sum = filing_sum_of(write);
		filing_work_free(i ? sum : write);
		filing_work_free(i ? write : sum);
		filing_work_free(w);
	}
}

/* --- a full disk --- */

static void a_disk_that_is_full_keeps_what_has_come(void **state)
{
	char folder[300], other[300];
	struct filing_work *w;
	FILE *file;

	(void)state;
	path_in("small", folder);
	assert_int_equal(mkdir(folder, 0700), 0);
	if (mount("none", folder, "tmpfs", 0, "size=4m") < 0) {
		print_message("a disk of its own needs root: not tried\n");
		skip();
	}
	w = begin_in(folder, 8 << 20);
	assert_int_equal(run(w), ERR_FULL);
	filing_work_free(w);
	w = begin_in(folder, 3 << 20);
	assert_int_equal(run(w), 0);
	put(w, 1 << 20);
	assert_int_equal(go_on(w, FILING_WRITE), 0);
	assert_int_equal(go_on(w, FILING_SYNC), 0);
	snprintf(other, sizeof other, "%.250s/other", folder);
	file = fopen(other, "w");
	assert_int_equal(ftruncate(fileno(file), 0), 0);
	for (unsigned i = 0; i < 5 << 20 && putc('y', file) != EOF; i++)
		continue;
	fclose(file);
	put(w, 1 << 20);
	assert_int_equal(go_on(w, FILING_WRITE), ERR_FULL);
	assert_int_equal(w->done, 1 << 20);
	unlink(other);
	put(w, 2 << 20);
	assert_int_equal(go_on(w, FILING_WRITE), 0);
	assert_int_equal(go_on(w, FILING_FINISH), 0);
	assert_int_equal(go_on(w, FILING_PLACE), 0);
	filing_work_free(w);
	assert_int_equal(umount(folder), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_is_made_safe),
		cmocka_unit_test(a_long_name_is_cut_between_characters_and_keeps_its_extension),
		cmocka_unit_test(a_number_stands_before_the_extension),
		cmocka_unit_test(a_manifest_that_leads_out_of_its_folder_is_refused),
		cmocka_unit_test(a_manifest_is_read_as_it_was_written),
		cmocka_unit_test(
			what_is_stored_gets_a_name_that_is_free_and_is_nobody_elses_to_read),
		cmocka_unit_test(a_link_in_the_place_of_a_name_is_not_followed),
		cmocka_unit_test(a_link_in_the_place_of_a_part_is_refused),
		cmocka_unit_test(somebody_who_is_quicker_keeps_the_name),
		cmocka_unit_test(more_than_was_offered_is_not_stored),
		cmocka_unit_test(a_folder_whose_manifest_lies_is_refused),
		cmocka_unit_test(a_folder_is_read_by_the_names_it_has_here),
		cmocka_unit_test(a_folder_that_cannot_be_sent_says_where_and_why),
		cmocka_unit_test(a_folder_that_is_another_one_now_is_not_even_begun),
		cmocka_unit_test(what_was_stored_is_known_again),
		cmocka_unit_test(a_large_file_is_stored_as_it_came),
		cmocka_unit_test(what_is_hashed_beside_being_stored_has_the_same_hash),
		cmocka_unit_test(of_two_works_that_nobody_did_each_can_go_first),
		cmocka_unit_test(a_disk_that_is_full_keeps_what_has_come),
	};

	return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
