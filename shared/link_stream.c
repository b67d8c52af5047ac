#include "shared/link_stream.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "shared/endpoint.h"

enum {
	PIECE_MIN = 1024,
	PIECE_MAX = 64 << 10,
	BULK_FROM = 8 << 10,
	IN_MIN = 2048,
	IN_KEPT = 4 << 20
};

struct stream *stream_find(const struct link_streams *all, int64_t id)
{
	for (struct stream *s = all->list; s; s = s->next)
		if (s->id == id)
			return s;
	return NULL;
}

struct stream *stream_add(struct link_streams *all, int64_t id)
{
	struct stream *s = memory_new(sizeof *s);

	s->id = id;
	s->next = all->list;
	all->list = s;
	return s;
}

/* What others than the control stream carry lies in files, in clear, at both ends: wiping it would cost a
 * tenth of what sealing it costs. */
static bool is_secret(const struct stream *s)
{
	return s->id == LINK_CONTROL;
}

static void piece_free(const struct stream *s, struct stream_piece *p)
{
	if (is_secret(s))
		sodium_memzero(p->data, p->size);
	free(p);
}

void stream_drop_queue(struct stream *s)
{
	while (s->first) {
		struct stream_piece *p = s->first;

		s->first = p->next;
		piece_free(s, p);
	}
	s->last = s->unsent = NULL;
	s->queued = s->unsent_at = 0;
}

void stream_drop_unsent(struct stream *s)
{
	struct stream_piece *p = s->unsent, *next;

	if (!p)
		return;
	s->queued -= p->size - s->unsent_at;
	sodium_memzero(p->data + s->unsent_at, p->size - s->unsent_at);
	p->size = s->unsent_at;
	while ((next = p->next)) {
		s->queued -= next->size;
		p->next = next->next;
		piece_free(s, next);
	}
	s->last = p;
	s->unsent = NULL;
	if (p == s->first && p->size == p->acknowledged)
		stream_drop_queue(s);
}

static void in_drop(struct stream *s)
{
	if (s->in && is_secret(s))
		sodium_memzero(s->in, s->in_first + s->in_size);
	free(s->in);
	s->in = NULL;
}

static void in_free(struct stream *s)
{
	in_drop(s);
	s->in_first = s->in_size = s->in_capacity = 0;
}

size_t stream_drop_unread(struct stream *s)
{
	size_t unread = s->in_size;

	in_free(s);
	return unread;
}

static void stream_free(struct stream *s)
{
	stream_drop_queue(s);
	in_free(s);
	free(s);
}

void stream_remove(struct link_streams *all, struct stream *s)
{
	struct stream **at = &all->list;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	if (all->turn == s)
		all->turn = s->next;
	stream_free(s);
}

void streams_clear(struct link_streams *all)
{
	while (all->list)
		stream_remove(all, all->list);
}

static struct stream_piece *piece_new(const struct stream *s, size_t wanted)
{
	size_t capacity = s->queued > BULK_FROM ? PIECE_MAX : PIECE_MIN;
	struct stream_piece *p;

	if (capacity < wanted)
		capacity = wanted < PIECE_MAX ? wanted : PIECE_MAX;
	p = malloc(sizeof *p + capacity);
	if (!p)
		abort();
	*p = (struct stream_piece){ .capacity = capacity };
	return p;
}

void stream_queue(struct stream *s, struct bytes data)
{
	while (data.size > 0) {
		struct stream_piece *p = s->last;
		size_t part;

		if (!p || p->size == p->capacity) {
			p = piece_new(s, data.size);
			if (s->last)
				s->last->next = p;
			else
				s->first = p;
			s->last = p;
		}
		if (!s->unsent) {
			s->unsent = p;
			s->unsent_at = p->size;
		}
		part = p->capacity - p->size < data.size ? p->capacity - p->size : data.size;
		memcpy(p->data + p->size, data.data, part);
		p->size += part;
		s->queued += part;
		data.data += part;
		data.size -= part;
	}
}

static bool wants_to_send(const struct stream *s)
{
	if (!s->is_known || s->is_over || s->is_abandoned || s->is_last_sent ||
	    (s->unsent && s->is_blocked))
		return false;
	return s->unsent || s->has_last || !s->is_announced;
}

size_t stream_unsent(const struct stream *s, ngtcp2_vec *parts, bool *is_last)
{
	const struct stream_piece *p = s->unsent;
	size_t at = s->unsent_at, count = 0;

	for (; p && count < STREAM_VECTORS; p = p->next, at = 0) {
		parts[count].base = (uint8_t *)p->data + at;
		parts[count].len = p->size - at;
		count++;
	}
	*is_last = s->has_last && !p;
	return count;
}

void stream_sent(struct stream *s, size_t count)
{
	s->is_announced = true;
	while (count > 0) {
		size_t left = s->unsent->size - s->unsent_at;

		if (count < left) {
			s->unsent_at += count;
			return;
		}
		count -= left;
		s->unsent = s->unsent->next;
		s->unsent_at = 0;
	}
}

void stream_acknowledged(struct stream *s, size_t count)
{
	assert(count <= s->queued);
	s->queued -= count;
	while (count > 0) {
		struct stream_piece *p = s->first;
		size_t part = p->size - p->acknowledged;

		if (count < part) {
			p->acknowledged += count;
			return;
		}
		count -= part;
		s->first = p->next;
		if (!s->first)
			s->last = NULL;
		piece_free(s, p);
	}
}

struct stream *streams_next_sender(struct link_streams *all, bool may_bulk)
{
	struct stream *control = stream_find(all, LINK_CONTROL), *s, *from;

	if (control && wants_to_send(control))
		return control;
	if (!may_bulk)
		return NULL;
	from = all->turn ? all->turn : all->list;
	s = from;
	while (s) {
		if (wants_to_send(s)) {
			all->turn = s->next;
			return s;
		}
		s = s->next ? s->next : all->list;
		if (s == from)
			break;
	}
	return NULL;
}

void stream_arrived(struct stream *s, struct bytes data)
{
	size_t needed = s->in_size + data.size;

	if (data.size == 0)
		return;
	if (s->in_first + needed > s->in_capacity) {
		size_t capacity = s->in_capacity ? s->in_capacity : IN_MIN;
		uint8_t *in;

		while (capacity < needed + needed / 2)
			capacity *= 2;
		if (capacity == s->in_capacity) {
			memmove(s->in, s->in + s->in_first, s->in_size);
		} else {
			in = malloc(capacity);
			if (!in)
				abort();
			if (s->in_size)
				memcpy(in, s->in + s->in_first, s->in_size);
			in_drop(s);
			s->in = in;
			s->in_capacity = capacity;
		}
		s->in_first = 0;
	}
	memcpy(s->in + s->in_first + s->in_size, data.data, data.size);
	s->in_size += data.size;
}

struct bytes stream_view(const struct stream *s)
{
	return s->in_size ? bytes_of(s->in + s->in_first, s->in_size) : bytes_of(NULL, 0);
}

void stream_consumed(struct stream *s, size_t count)
{
	assert(count <= s->in_size);
	s->in_first += count;
	s->in_size -= count;
	if (s->in_size > 0)
		return;
	/* An idle link holds no buffers; where a file runs, more comes at once. */
	if (s->id == LINK_CONTROL || s->is_ended || s->in_capacity > IN_KEPT)
		in_free(s);
	else
		s->in_first = 0;
}
