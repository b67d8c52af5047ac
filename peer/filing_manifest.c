#include "peer/filing_manifest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer/filing_name.h"
#include "shared/error.h"
#include "shared/offer.h"
#include "shared/pack.h"

void manifest_clear(struct manifest *m)
{
	for (uint32_t i = 0; i < m->count; i++)
		free(m->list[i].path);
	free(m->list);
	*m = (struct manifest){ 0 };
}

int manifest_add(struct manifest *m, const char *path, bool is_folder, uint64_t size,
		 uint64_t modified)
{
	if (m->count >= OFFER_FILES_MAX || size > OFFER_SIZE_MAX - m->size)
		return ERR_LIMIT;
	if (m->count == m->capacity) {
		m->capacity = m->capacity ? 2 * m->capacity : 64;
		m->list = memory_grow(m->list, m->capacity, sizeof *m->list);
	}
	m->list[m->count++] = (struct manifest_entry){ .path = memory_text(path),
						       .is_folder = is_folder,
						       .size = size,
						       .at = m->size,
						       .modified = modified };
	m->size += size;
	m->files += !is_folder;
	return 0;
}

/* A folder stands right before what is in it. */
static int compare_paths(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	if (*a == *b)
		return 0;
	if (!*a || (*a == '/' && *b))
		return -1;
	if (!*b || *b == '/')
		return 1;
	return (uint8_t)*a < (uint8_t)*b ? -1 : 1;
}

static int compare(const void *a, const void *b)
{
	return compare_paths(((const struct manifest_entry *)a)->path,
			     ((const struct manifest_entry *)b)->path);
}

static void sort(struct manifest *m)
{
	uint64_t at = 0;

	if (m->count > 0)
		qsort(m->list, m->count, sizeof *m->list, compare);
	for (uint32_t i = 0; i < m->count; i++) {
		m->list[i].at = at;
		at += m->list[i].size;
	}
}

int manifest_encode(struct manifest *m, struct buf *out)
{
	struct pack p;

	sort(m);
	pack_begin(&p, out);
	pack_array(&p, m->count);
	for (uint32_t i = 0; i < m->count && p.err == 0; i++) {
		const struct manifest_entry *e = &m->list[i];
		char path[MANIFEST_PATH_MAX + 1];
		size_t length = strlen(e->path);

		if (length + e->is_folder >= sizeof path)
			return ERR_LIMIT;
		memcpy(path, e->path, length);
		if (e->is_folder)
			path[length++] = '/';
		pack_array(&p, 3);
		pack_text(&p, bytes_of(path, length));
		pack_uint(&p, e->size);
		pack_uint(&p, e->modified);
	}
	return pack_end(&p);
}

/* Each name of the path, made safe unless it is `own`. */
static int take_path(struct bytes said, bool own, char *out)
{
	size_t used = 0;
	unsigned depth = 0;

	for (;;) {
		const uint8_t *slash = said.size ? memchr(said.data, '/', said.size) : NULL;
		size_t size = slash ? (size_t)(slash - said.data) : said.size;
		int err = filing_safe_component(bytes_of(said.data, size), out + used);

		if (err < 0)
			return err;
		if (++depth > MANIFEST_DEPTH_MAX)
			return ERR_LIMIT;
		if (own)
			snprintf(out + used, FILING_NAME_MAX + 1, "%.*s", (int)size,
				 (const char *)said.data);
		used += strlen(out + used);
		if (!slash)
			return 0;
		out[used++] = '/';
		said = bytes_of(slash + 1, said.size - size - 1);
	}
}

static bool is_within(const char *path, const char *folder)
{
	size_t length = strlen(folder);

	return strncmp(path, folder, length) == 0 && path[length] == '/';
}

static int take_entry(struct manifest *m, struct unpack *u, bool own)
{
	/* Making it safe never makes it longer. */
	char path[MANIFEST_PATH_MAX + FILING_NAME_MAX + 2];
	struct bytes said;
	uint64_t size, modified;
	bool is_folder;
	int err;

	unpack_array_of(u, 3);
	said = unpack_text(u, MANIFEST_PATH_MAX);
	size = unpack_uint(u, OFFER_SIZE_MAX);
	modified = unpack_uint(u, INT64_MAX);
	if (u->err < 0)
		return u->err;
	is_folder = said.size > 1 && said.data[said.size - 1] == '/';
	if (is_folder)
		said.size--;
	if (is_folder && size > 0)
		return ERR_FORMAT;
	err = take_path(said, own, path);
	return err < 0 ? err : manifest_add(m, path, is_folder, size, modified);
}

static int compare_entries(const void *a, const void *b)
{
	return compare(*(const struct manifest_entry *const *)a,
		       *(const struct manifest_entry *const *)b);
}

/* No two of one name, and none inside of a file. */
static int check_names(const struct manifest *m)
{
	const struct manifest_entry **sorted = memory_array(m->count + 1, sizeof(void *));
	int err = 0;

	for (uint32_t i = 0; i < m->count; i++)
		sorted[i] = &m->list[i];
	qsort(sorted, m->count, sizeof(void *), compare_entries);
	for (uint32_t i = 1; i < m->count && err == 0; i++) {
		const char *before = sorted[i - 1]->path, *path = sorted[i]->path;

		if (strcmp(before, path) == 0 || is_within(path, before))
			err = ERR_FORMAT;
	}
	free(sorted);
	return err;
}

static int decode(struct manifest *m, struct bytes b, bool own)
{
	struct unpack u;
	uint32_t count;
	int err = 0;

	*m = (struct manifest){ 0 };
	unpack_begin(&u, b);
	count = unpack_array(&u, OFFER_FILES_MAX);
	for (uint32_t i = 0; i < count && err == 0 && u.err == 0; i++)
		err = take_entry(m, &u, own);
	if (err == 0)
		err = unpack_end(&u);
	if (err == 0)
		err = check_names(m);
	if (err < 0)
		manifest_clear(m);
	return err;
}

int manifest_decode(struct manifest *m, struct bytes b)
{
	return decode(m, b, false);
}

int manifest_decode_own(struct manifest *m, struct bytes b)
{
	return decode(m, b, true);
}
