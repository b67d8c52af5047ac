#include "tests/world/sayings.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "shared/bytes.h"

struct saying *sayings_note(struct sayings *s, const void *text, size_t size)
{
	struct saying *new;

	if (s->count == s->capacity) {
		s->capacity = s->capacity ? s->capacity * 2 : 16;
		s->list = memory_grow(s->list, s->capacity, sizeof *s->list);
	}
	new = &s->list[s->count++];
	*new = (struct saying){ .size = size, .text = memory_new(size + 1) };
	memcpy(new->text, text, size);
	return new;
}

void sayings_clear(struct sayings *s)
{
	for (size_t i = 0; i < s->count; i++)
		free(s->list[i].text);
	free(s->list);
	*s = (struct sayings){ 0 };
}

void sayings_turn_round(struct sayings *s)
{
	for (size_t i = 0, j = s->count; j > 0 && i < --j; i++) {
		struct saying keep = s->list[i];

		s->list[i] = s->list[j];
		s->list[j] = keep;
	}
}

bool saying_equal(const struct saying *a, const struct saying *b)
{
	return a->size == b->size && memcmp(a->text, b->text, a->size) == 0;
}

static bool lies_at(const struct sayings *whole, const struct sayings *piece, size_t at,
		    bool to_the_end)
{
	for (size_t i = 0; i < piece->count; i++, at++) {
		while (at < whole->count && whole->list[at].fate == UNANSWERED &&
		       !saying_equal(&whole->list[at], &piece->list[i]))
			at++;
		if (at == whole->count || !saying_equal(&whole->list[at], &piece->list[i]))
			return false;
	}
	while (to_the_end && at < whole->count && whole->list[at].fate == UNANSWERED)
		at++;
	return !to_the_end || at == whole->count;
}

size_t sayings_find(const struct sayings *whole, const struct sayings *piece, size_t from,
		    bool to_the_end)
{
	for (size_t at = from; at <= whole->count; at++)
		if (lies_at(whole, piece, at, to_the_end))
			return at;
	return SIZE_MAX;
}

bool sayings_contain(const struct sayings *whole, const struct sayings *piece)
{
	bool *is_taken = memory_array(whole->count + 1, sizeof *is_taken);
	size_t found = 0;

	for (size_t i = 0; i < piece->count; i++) {
		size_t at = 0;

		while (at < whole->count &&
		       (is_taken[at] || !saying_equal(&whole->list[at], &piece->list[i])))
			at++;
		if (at == whole->count)
			break;
		is_taken[at] = true;
		found++;
	}
	free(is_taken);
	return found == piece->count;
}
