#include "peer/line.h"

#include <assert.h>
#include <sodium.h>

#include "shared/error.h"
#include "shared/frame.h"

void line_begin(struct line *l, struct link *link, enum wire_side from)
{
	line_clear(l);
	l->link = link;
	l->from = from;
	l->is_readable = true;
	buf_init(&l->out, LINE_OUT_MAX);
	buf_init(&l->scratch, FRAME_MAX);
}

void line_clear(struct line *l)
{
	buf_clear(&l->out);
	buf_clear(&l->scratch);
	sodium_memzero(l, sizeof *l);
}

int line_send(struct line *l, const struct wire_message *m)
{
	int err;

	assert(l->link);
	l->scratch.size = 0;
	err = wire_encode(m, &l->scratch);
	if (err < 0)
		return err;
	return frame_append(&l->out, buf_view(&l->scratch));
}

bool line_flush(struct line *l)
{
	size_t room, size = l->out.size;

	if (!l->link || size == 0)
		return false;
	room = link_room(l->link, LINK_CONTROL);
	if (size > room)
		size = room;
	if (size == 0 ||
	    link_write(l->link, LINK_CONTROL, bytes_of(l->out.data, size), false) < 0)
		return false;
	buf_drop_front(&l->out, size);
	return true;
}

size_t line_room(const struct line *l)
{
	size_t room = l->link ? link_room(l->link, LINK_CONTROL) : 0;

	return room > l->out.size ? room - l->out.size : 0;
}

void line_rest(struct line *l)
{
	if (l->taken > 0)
		link_consume(l->link, LINK_CONTROL, l->taken);
	l->ahead -= l->ahead < l->taken ? l->ahead : l->taken;
	l->taken = 0;
}

int line_ahead(struct line *l, struct wire_message *m)
{
	struct bytes all, contents;
	size_t total;
	bool is_end;

	assert(l->taken == 0);
	all = link_peek(l->link, LINK_CONTROL, &is_end);
	if (all.size <= l->ahead ||
	    frame_take(bytes_of(all.data + l->ahead, all.size - l->ahead), &contents, &total) !=
		    1 ||
	    wire_decode(m, contents, l->from) < 0)
		return 0;
	l->ahead += total;
	return 1;
}

int line_next(struct line *l, struct wire_message *m)
{
	struct bytes all, contents = { 0 };
	bool is_end = false;
	size_t total = 0;
	int err = 0;

	if (l->taken < LINE_TAKE_MAX) {
		all = link_peek(l->link, LINK_CONTROL, &is_end);
		if (all.size > 0)
			err = frame_take(bytes_of(all.data + l->taken, all.size - l->taken),
					 &contents, &total);
		l->is_readable = err == 1;
	}
	if (err == 0) {
		line_rest(l);
		return is_end ? ERR_CLOSED : 0;
	}
	if (err == 1)
		err = wire_decode(m, contents, l->from);
	if (err < 0)
		return err;
	l->taken += total;
	return 1;
}
