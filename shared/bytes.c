#include "shared/bytes.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "shared/error.h"

enum { BUF_CAPACITY_FIRST = 64, MEMORY_SMALL = 1024 };

struct bytes bytes_of(const void *data, size_t size)
{
	assert(data || size == 0);
	return (struct bytes){ data, size };
}

struct bytes bytes_text(const char *text)
{
	return bytes_of(text, strlen(text));
}

bool bytes_equal(struct bytes a, struct bytes b)
{
	return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* How many bytes the character at the front of `b` has; 0: malformed. The second byte's
 * range keeps out overlong forms, surrogates and what is above U+10FFFF (RFC 3629
 * section 4). */
static size_t utf8_character(struct bytes b)
{
	static const struct {
		uint8_t from, to, size, second_from, second_to;
	} leads[] = {
		{ 0x01, 0x7f, 1, 0, 0 },       { 0xc2, 0xdf, 2, 0x80, 0xbf },
		{ 0xe0, 0xe0, 3, 0xa0, 0xbf }, { 0xe1, 0xec, 3, 0x80, 0xbf },
		{ 0xed, 0xed, 3, 0x80, 0x9f }, { 0xee, 0xef, 3, 0x80, 0xbf },
		{ 0xf0, 0xf0, 4, 0x90, 0xbf }, { 0xf1, 0xf3, 4, 0x80, 0xbf },
		{ 0xf4, 0xf4, 4, 0x80, 0x8f },
	};
	size_t row = 0, i;

	while (row < sizeof leads / sizeof leads[0] && b.data[0] > leads[row].to)
		row++;
	if (row == sizeof leads / sizeof leads[0] || b.data[0] < leads[row].from ||
	    b.size < leads[row].size)
		return 0;
	if (leads[row].size > 1 &&
	    (b.data[1] < leads[row].second_from || b.data[1] > leads[row].second_to))
		return 0;
	for (i = 2; i < leads[row].size; i++)
		if ((b.data[i] & 0xc0) != 0x80)
			return 0;
	return leads[row].size;
}

/* Eight bytes of ASCII, none of them NUL, as most texts are made of. */
static bool is_ascii_word(const uint8_t *data)
{
	const uint64_t ones = 0x0101010101010101, high = ones << 7;
	uint64_t word;

	memcpy(&word, data, sizeof word);
	return ((word | (word - ones)) & high) == 0;
}

bool bytes_is_utf8(struct bytes b)
{
	size_t size;

	for (; b.size > 0; b.data += size, b.size -= size) {
		size = b.size >= 8 && is_ascii_word(b.data) ? 8 : utf8_character(b);
		if (size == 0)
			return false;
	}
	return true;
}

/* One character from what is well-formed. */
static uint32_t take_character(struct bytes all, size_t *at)
{
	uint8_t first = all.data[(*at)++];
	unsigned more = first < 0x80 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
	uint32_t character = more ? first & (0x3fu >> more) : first;

	while (more-- > 0)
		character = character << 6 | (all.data[(*at)++] & 0x3f);
	return character;
}

static bool is_plain(uint32_t character)
{
	return character >= ' ' && (character < 0x7f || character > 0x9f) &&
	       character != 0x061c && character != 0x200e && character != 0x200f &&
	       (character < 0x2028 || character > 0x202e) &&
	       (character < 0x2066 || character > 0x2069) && character != 0xfeff;
}

bool bytes_is_line(struct bytes b)
{
	if (!bytes_is_utf8(b))
		return false;
	for (size_t at = 0; at < b.size;) {
		if (!is_plain(take_character(b, &at)))
			return false;
	}
	return true;
}

void buf_init(struct buf *b, size_t limit)
{
	*b = (struct buf){ .limit = limit };
}

void buf_clear(struct buf *b)
{
	if (b->data)
		sodium_memzero(b->data, b->capacity);
	free(b->data);
	*b = (struct buf){ .limit = b->limit };
}

/* Not realloc(): it would leave a copy of what may be a secret behind. */
static void buf_enlarge(struct buf *b, size_t needed)
{
	size_t capacity = b->capacity ? b->capacity : BUF_CAPACITY_FIRST;
	uint8_t *data;

	while (capacity < needed)
		capacity = capacity > SIZE_MAX / 2 ? needed : capacity * 2;
	if (b->limit && capacity > b->limit)
		capacity = b->limit;
	data = memory_new(capacity);
	if (b->size > 0)
		memcpy(data, b->data, b->size);
	if (b->data)
		sodium_memzero(b->data, b->capacity);
	free(b->data);
	b->data = data;
	b->capacity = capacity;
}

uint8_t *buf_room(struct buf *b, size_t more)
{
	size_t limit = b->limit ? b->limit : SIZE_MAX;

	if (b->size > limit || more > limit - b->size)
		return NULL;
	if (!b->data || more > b->capacity - b->size)
		buf_enlarge(b, b->size + more);
	return b->data + b->size;
}

void buf_grew(struct buf *b, size_t more)
{
	assert(more <= b->capacity - b->size);
	b->size += more;
}

int buf_append(struct buf *b, struct bytes more)
{
	uint8_t *room = buf_room(b, more.size);

	if (!room)
		return ERR_LIMIT;
	if (more.size > 0)
		memcpy(room, more.data, more.size);
	buf_grew(b, more.size);
	return 0;
}

void buf_drop_front(struct buf *b, size_t count)
{
	assert(count <= b->size);
	if (count == 0)
		return;
	memmove(b->data, b->data + count, b->size - count);
	b->size -= count;
}

struct bytes buf_view(const struct buf *b)
{
	return bytes_of(b->data, b->size);
}

/* calloc() passes over what a thread has at hand of small pieces. */
void *memory_new(size_t size)
{
	void *p = size <= MEMORY_SMALL ? malloc(size ? size : 1) : calloc(1, size);

	if (!p)
		abort();
	return size <= MEMORY_SMALL ? memset(p, 0, size) : p;
}

void *memory_array(size_t count, size_t size)
{
	void *p = calloc(count ? count : 1, size ? size : 1);

	if (!p)
		abort();
	return p;
}

void *memory_grow(void *p, size_t count, size_t size)
{
	p = reallocarray(p, count ? count : 1, size ? size : 1);
	if (!p)
		abort();
	return p;
}

char *memory_text(const char *text)
{
	size_t size = strlen(text) + 1;

	return memcpy(memory_new(size), text, size);
}

void bytes_to_hex(struct bytes b, char *out)
{
	sodium_bin2hex(out, BYTES_HEX_SIZE(b.size), b.data, b.size);
}

int bytes_from_hex(const char *text, uint8_t *out, size_t size)
{
	size_t got;
	const char *end;

	/* sodium_hex2bin() goes by length, so that a NUL inside cannot hide. */
	if (strlen(text) != size * 2)
		return ERR_FORMAT;
	if (size == 0)
		return 0;
	if (sodium_hex2bin(out, size, text, size * 2, NULL, &got, &end) != 0 || got != size ||
	    *end != '\0')
		return ERR_FORMAT;
	return 0;
}

void bytes_to_base64(struct bytes b, char *out)
{
	sodium_bin2base64(out, BYTES_BASE64_SIZE(b.size), b.data, b.size,
			  sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

int bytes_from_base64(const char *text, size_t length, uint8_t *out, size_t size)
{
	size_t got;
	const char *end;

	if (size > (SIZE_MAX - 2) / 4 || length != (size * 4 + 2) / 3)
		return ERR_FORMAT;
	if (size == 0)
		return 0;
	if (sodium_base642bin(out, size, text, length, NULL, &got, &end,
			      sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
	    got != size || end != text + length)
		return ERR_FORMAT;
	return 0;
}
