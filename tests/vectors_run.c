#include "tests/vectors_run.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "shared/error.h"

/* Told by the beginning of the name; the longer comes first. */
static const struct {
	const char *beginning;
	vectors_kind *run;
} kinds[] = {
	{ "noise_ik_must_refuse", vectors_noise_must_refuse },
	{ "noise_", vectors_noise },
	{ "opaque_must_refuse", vectors_opaque_must_refuse },
	{ "opaque_", vectors_opaque },
	{ "oprf_", vectors_oprf },
	{ "expand_", vectors_expand },
	{ "ristretto255_", vectors_ristretto },
	{ "merkle_", vectors_merkle },
	{ "quic_", vectors_quic },
	{ "safety_number_", vectors_safety },
	{ "argon2id_", vectors_argon2id },
	{ "wycheproof_x25519", vectors_x25519 },
	{ "wycheproof_chacha20_poly1305", vectors_chacha },
	{ "wycheproof_hkdf_sha512", vectors_hkdf },
	{ "wycheproof_hmac_sha512", vectors_hmac },
	{ "wycheproof_ed25519", vectors_ed25519 },
};

/* ---- Cases ---- */

void *vectors_memory(struct vectors *v, size_t size)
{
	void *p = memory_new(size);

	v->taken = memory_grow(v->taken, v->taken_count + 1, sizeof *v->taken);
	v->taken[v->taken_count++] = p;
	return p;
}

static void case_clear(struct vectors *v)
{
	while (v->taken_count > 0)
		free(v->taken[--v->taken_count]);
	free(v->taken);
	v->taken = NULL;
	v->problem[0] = '\0';
	v->is_foreign = false;
}

void vectors_expect(struct vectors *v, bool is_right, const char *what)
{
	if (!is_right && v->problem[0] == '\0')
		snprintf(v->problem, sizeof v->problem, "%s", what);
}

void vectors_case(struct vectors *v, const char *label, size_t i, const struct json *j,
		  vectors_run *run)
{
	case_clear(v);
	run(v, j);
	if (v->problem[0] != '\0') {
		v->failed++;
		printf("%s: %s %zu: %s\n", v->name, label, i, v->problem);
	} else if (v->is_foreign) {
		v->foreign++;
	} else {
		v->passed++;
	}
	case_clear(v);
}

void vectors_list(struct vectors *v, vectors_run *run)
{
	const struct json *list = json_get(v->root, "vectors");
	size_t i;

	vectors_expect(v, json_is_array(list) && json_count(list) > 0, "no list of vectors");
	if (v->problem[0] != '\0')
		return;
	for (i = 0; i < json_count(list); i++)
		vectors_case(v, "case", i, json_at(list, i), run);
}

/* ---- Fields ---- */

static bool is_known(const char *known, const char *key)
{
	size_t length = strlen(key);
	const char *word;

	for (word = known; *word != '\0'; word += strspn(word, " ")) {
		size_t size = strcspn(word, " ");

		if (size - (word[size - 1] == '?') == length && memcmp(word, key, length) == 0)
			return true;
		word += size;
	}
	return false;
}

void vectors_fields(struct vectors *v, const struct json *j, const char *known)
{
	char line[VECTORS_PROBLEM_MAX], key[64];
	const struct json *value;
	const char *name, *word;
	void *it = NULL;

	vectors_expect(v, json_is_object(j), "not an object");
	while (json_is_object(j) && (name = json_each(j, &it, &value))) {
		snprintf(line, sizeof line, "unknown field \"%s\"", name);
		vectors_expect(v, is_known(known, name), line);
	}
	for (word = known; *word != '\0'; word += strspn(word, " ")) {
		size_t size = strcspn(word, " ");

		snprintf(key, sizeof key, "%.*s", (int)size, word);
		word += size;
		snprintf(line, sizeof line, "field \"%s\" is missing", key);
		vectors_expect(v, key[size - 1] == '?' || json_has(j, key), line);
	}
}

static void wrong_form(struct vectors *v, const char *key)
{
	char line[VECTORS_PROBLEM_MAX];

	snprintf(line, sizeof line, "field \"%s\" is missing or of another form", key);
	vectors_expect(v, false, line);
}

struct bytes vectors_text(struct vectors *v, const struct json *j, const char *key)
{
	const char *text = json_text(j, key);

	if (!text)
		wrong_form(v, key);
	return bytes_text(text ? text : "");
}

struct bytes vectors_hex_of(struct vectors *v, struct bytes text)
{
	char *copy = vectors_memory(v, text.size + 1);
	uint8_t *out = vectors_memory(v, text.size / 2 + 1);

	if (text.size > 0)
		memcpy(copy, text.data, text.size);
	vectors_expect(v, bytes_from_hex(copy, out, text.size / 2) == 0, "not hexadecimal");
	return bytes_of(out, text.size / 2);
}

struct bytes vectors_base64_of(struct vectors *v, struct bytes text)
{
	uint8_t *out = vectors_memory(v, text.size + 1);
	size_t size = 0;
	const char *end = NULL;

	if (text.size == 0)
		return bytes_of(out, 0);
	vectors_expect(v,
		       sodium_base642bin(out, text.size, (const char *)text.data, text.size,
					 NULL, &size, &end,
					 sodium_base64_VARIANT_ORIGINAL) == 0 &&
			       end == (const char *)text.data + text.size,
		       "not base64");
	return bytes_of(out, size);
}

struct bytes vectors_hex(struct vectors *v, const struct json *j, const char *key)
{
	return vectors_hex_of(v, vectors_text(v, j, key));
}

const uint8_t *vectors_sized(struct vectors *v, const struct json *j, const char *key,
			     size_t size)
{
	struct bytes b = vectors_hex(v, j, key);

	if (b.size == size)
		return b.data;
	wrong_form(v, key);
	return vectors_memory(v, size);
}

uint64_t vectors_int(struct vectors *v, const struct json *j, const char *key)
{
	const char *text = json_text(j, key);
	int64_t n = json_int(j, key, -1);

	if (text && text[0] != '\0' && strspn(text, "0123456789") == strlen(text))
		return strtoull(text, NULL, 10);
	if (n < 0)
		wrong_form(v, key);
	return n < 0 ? 0 : (uint64_t)n;
}

bool vectors_bool(struct vectors *v, const struct json *j, const char *key)
{
	bool is_true = json_bool(j, key, false);

	if (is_true != json_bool(j, key, true))
		wrong_form(v, key);
	return is_true;
}

void vectors_same(struct vectors *v, const struct json *j, const char *key, struct bytes ours)
{
	char line[VECTORS_PROBLEM_MAX];

	if (!json_has(j, key))
		return;
	snprintf(line, sizeof line, "\"%s\" comes out differently", key);
	vectors_expect(v, bytes_equal(vectors_hex(v, j, key), ours), line);
}

void vectors_same_text(struct vectors *v, const struct json *j, const char *key,
		       const char *ours)
{
	char line[VECTORS_PROBLEM_MAX];

	if (!json_has(j, key))
		return;
	snprintf(line, sizeof line, "\"%s\" is not \"%s\"", key, ours);
	vectors_expect(v, bytes_equal(vectors_text(v, j, key), bytes_text(ours)), line);
}

/* ---- Files ---- */

static bool file_read(struct buf *out, const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *room;
	size_t got = 1;
	bool is_whole;

	if (!file)
		return false;
	while (got > 0 && (room = buf_room(out, 65536))) {
		got = fread(room, 1, 65536, file);
		buf_grew(out, got);
	}
	is_whole = !ferror(file) && feof(file);
	fclose(file);
	return is_whole;
}

/* Our JSON has 64-bit signed integers; vectors of hostile tree sizes have larger ones. They
 * become strings, which vectors_int() takes as well. */
static void quote_large_numbers(struct buf *out, struct bytes text)
{
	bool is_string = false;
	size_t i, length;

	for (i = 0; i < text.size; i += length) {
		for (length = 0; !is_string && i + length < text.size &&
				 text.data[i + length] >= '0' && text.data[i + length] <= '9';)
			length++;
		if (length > 18)
			buf_append_byte(out, '"');
		if (length == 0) {
			if (text.data[i] == '"')
				is_string = !is_string;
			length = is_string && text.data[i] == '\\' && i + 1 < text.size ? 2 : 1;
		}
		buf_append(out, bytes_of(text.data + i, length));
		if (length > 18)
			buf_append_byte(out, '"');
	}
}

static vectors_kind *kind_of(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (strncmp(name, kinds[i].beginning, strlen(kinds[i].beginning)) == 0)
			return kinds[i].run;
	return NULL;
}

static void file_run(struct vectors *v, const char *path)
{
	struct buf raw = { .limit = VECTORS_FILE_MAX }, text = { 0 };
	struct json *root = NULL;
	vectors_kind *run = kind_of(v->name);

	vectors_expect(v, run != NULL, "a kind of file that is not understood");
	vectors_expect(v, file_read(&raw, path), "cannot be read");
	quote_large_numbers(&text, buf_view(&raw));
	if (v->problem[0] == '\0')
		vectors_expect(v, json_parse(&root, buf_view(&text)) == 0, "not JSON");
	if (v->problem[0] == '\0') {
		v->root = root;
		run(v);
	}
	if (v->problem[0] == '\0' && v->passed + v->failed + v->foreign == 0)
		vectors_expect(v, false, "no case in it");
	if (v->problem[0] != '\0') {
		printf("%s: %s\n", v->name, v->problem);
		v->failed++;
	}
	case_clear(v);
	json_free(root);
	buf_clear(&raw);
	buf_clear(&text);
}

static int is_vectors(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return length > 5 && strcmp(entry->d_name + length - 5, ".json") == 0;
}

unsigned vectors_run_folder(const char *folder, unsigned *passed)
{
	struct dirent **entries = NULL;
	int count = scandir(folder, &entries, is_vectors, alphasort), i;
	unsigned failed = 0;

	*passed = 0;
	if (count <= 0) {
		printf("%s: no vectors there\n", folder);
		failed++;
	}
	for (i = 0; i < count; i++) {
		struct vectors v = { .name = entries[i]->d_name };
		char path[4096];

		snprintf(path, sizeof path, "%s/%s", folder, v.name);
		file_run(&v, path);
		printf("%s: %u passed, %u failed", v.name, v.passed, v.failed);
		if (v.foreign > 0)
			printf(", %u do not apply", v.foreign);
		printf("\n");
		*passed += v.passed;
		failed += v.failed;
		free(entries[i]);
	}
	free(entries);
	return failed;
}
