/* Small images of messages, fetched once and drawn with characters. What decodes them is a process
 * of its own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer/faces/picture.h"
#include "peer/faces/tui/tui_inside.h"
#include "shared/bytes.h"

enum { PICTURES = 64, COLUMNS = 40, ROWS = 12, THUMBNAIL_MAX = 1 << 20 };

struct one {
	uint64_t id;
	unsigned columns;
	bool is_here;
	struct sheet *sheet; /* NULL: cannot be drawn */
};

struct pictures {
	struct one list[PICTURES];
	size_t next; /* the oldest makes room */
};

struct wanted {
	uint64_t id;
	unsigned columns;
};

struct pictures *pictures_new(void)
{
	return memory_new(sizeof(struct pictures));
}

void pictures_free(struct pictures *p)
{
	for (size_t i = 0; p && i < PICTURES; i++)
		sheet_free(p->list[i].sheet);
	free(p);
}

void pictures_forget(struct tui *tui)
{
	pictures_free(tui->pictures);
	tui->pictures = pictures_new();
	for (size_t i = 0; i < model_count(tui->model); i++) {
		struct talk *t = model_at(tui->model, i);

		for (size_t k = 0; k < t->count; k++)
			t->list[k].width = 0;
	}
	model_touch(tui->model);
}

static struct one *find(struct pictures *p, uint64_t id, unsigned columns)
{
	for (size_t i = 0; i < PICTURES; i++)
		if (p->list[i].id == id && p->list[i].columns == columns)
			return &p->list[i];
	return NULL;
}

/* Cells of `rgba` as lines of a sheet. */
static struct sheet *drawn(const uint8_t *rgba, uint32_t width, uint32_t height,
			   unsigned columns)
{
	struct picture_cells cells = { .columns = columns < COLUMNS ? columns : COLUMNS,
				       .rows = ROWS,
				       .has_true_colors = screen_has_true_colors() };
	struct sheet *s;

	if (picture_cells(&cells, rgba, width, height) < 0)
		return NULL;
	s = sheet_new(cells.columns);
	for (unsigned y = 0; y < cells.rows; y++) {
		for (unsigned x = 0; x < cells.columns; x++) {
			const struct picture_cell *c = &cells.list[y * cells.columns + x];
			sheet_add_piece(
				s, &(struct piece){ .text = c->text,
						    .columns = 1,
						    .color = 1u + c->front + 256u * c->back,
						    .has_true_colors = cells.has_true_colors,
						    .front = c->true_front,
						    .back = c->true_back });
		}
		sheet_break(s);
	}
	picture_cells_free(&cells);
	return s;
}

static void on_thumbnail(struct tui *tui, const struct json *result, void *context)
{
	const struct wanted *w = context;
	struct one *one = find(tui->pictures, w->id, w->columns);
	const char *data = json_text(result, "data");
	uint32_t width, height;
	uint8_t *bytes, *rgba = NULL;
	struct talk *t = model_open(tui->model);
	struct said *s = t ? talk_find(t, w->id) : NULL;
	size_t length = data ? strlen(data) : 0,
	       size = length / 4 * 3 + (length % 4 ? length % 4 - 1 : 0);

	if (!one || !data || size > THUMBNAIL_MAX)
		return;
	one->is_here = true;
	bytes = memory_new(size + 1);
	if (bytes_from_base64(data, length, bytes, size) == 0 &&
	    tui->config->see(bytes_of(bytes, size), &width, &height, &rgba) == 0)
		one->sheet = drawn(rgba, width, height, w->columns);
	free(rgba);
	free(bytes);
	if (s)
		s->width = 0; /* it takes more rows now */
	model_touch(tui->model);
}

const struct sheet *pictures_of(void *context, const struct talk *t, const struct said *s,
				unsigned columns)
{
	struct tui *tui = context;
	struct pictures *p = tui->pictures;
	struct one *one = find(p, s->id, columns);
	struct wanted *w;

	(void)t;
	if (one || !tui->wishes.images || screen_colors() < 256 || columns < 8 ||
	    !json_bool(json_get(s->message, "file"), "hasThumbnail", false))
		return one ? one->sheet : NULL;
	one = &p->list[p->next];
	p->next = (p->next + 1) % PICTURES;
	sheet_free(one->sheet);
	*one = (struct one){ .id = s->id, .columns = columns };
	w = memory_new(sizeof *w);
	*w = (struct wanted){ .id = s->id, .columns = columns };
	tui_call(tui, "getThumbnail", json_set_id(json_object(), "id", s->id), on_thumbnail, w);
	return NULL;
}
