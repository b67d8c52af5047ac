#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "peer/image_inside.h"

/* A row of `width` pixels is divided into width * small_width parts: each pixel has small_width of
 * them and each small one `width`, so that the share of every one in its neighbours is a whole
 * number, and no order of adding them up makes a difference. */
struct share {
	uint32_t cell;  /* the small pixel that the first part belongs to */
	uint32_t first; /* parts in it; the others are in the next */
};

struct shrink {
	uint32_t width, height, small_width, small_height;
	struct share *columns; /* by x */
	uint32_t *row;         /* sums of a row: red, green, blue (times alpha), alpha */
	uint64_t *sums;        /* of all */
};

static struct share share_of(uint32_t at, uint32_t size, uint32_t small_size)
{
	uint64_t from = (uint64_t)at * small_size;
	struct share s = { .cell = (uint32_t)(from / size) };
	uint64_t border = ((uint64_t)s.cell + 1) * size;

	s.first = border - from < small_size ? (uint32_t)(border - from) : small_size;
	return s;
}

struct shrink *shrink_new(uint32_t width, uint32_t height, uint32_t small_width,
			  uint32_t small_height)
{
	struct shrink *s = memory_new(sizeof *s);

	/* then 255 * 255 * width, of a row, fits in 32 bits */
	assert(width <= IMAGE_SIDE_MAX && height <= IMAGE_SIDE_MAX);
	assert(small_width > 0 && small_width <= width);
	assert(small_height > 0 && small_height <= height);
	s->width = width;
	s->height = height;
	s->small_width = small_width;
	s->small_height = small_height;
	s->columns = memory_array(width, sizeof *s->columns);
	s->row = memory_array(((size_t)small_width + 1) * 4, sizeof *s->row);
	s->sums = memory_array((size_t)small_width * small_height * 4, sizeof *s->sums);
	for (uint32_t x = 0; x < width; x++)
		s->columns[x] = share_of(x, width, small_width);
	return s;
}

static void add_to(uint64_t *sums, const uint32_t *row, size_t count, uint32_t times)
{
	for (size_t i = 0; i < count; i++)
		sums[i] += (uint64_t)row[i] * times;
}

void shrink_row(struct shrink *s, uint32_t y, uint32_t x, uint32_t step, uint32_t count,
		const uint8_t *rgba)
{
	size_t cells = (size_t)s->small_width * 4;
	struct share rows = share_of(y, s->height, s->small_height);
	uint64_t *sums = s->sums + rows.cell * cells;

	assert(y < s->height && step > 0);
	assert(count == 0 || x + (uint64_t)(count - 1) * step < s->width);
	memset(s->row, 0, (cells + 4) * sizeof *s->row);
	for (uint32_t i = 0; i < count; i++, x += step, rgba += 4) {
		struct share share = s->columns[x];
		uint32_t alpha = rgba[3], rest = s->small_width - share.first;
		uint32_t red = rgba[0] * alpha, green = rgba[1] * alpha, blue = rgba[2] * alpha;
		uint32_t *cell = s->row + (size_t)share.cell * 4;

		cell[0] += red * share.first;
		cell[1] += green * share.first;
		cell[2] += blue * share.first;
		cell[3] += alpha * share.first;
		cell[4] += red * rest; /* behind the last cell lies one that gets 0 */
		cell[5] += green * rest;
		cell[6] += blue * rest;
		cell[7] += alpha * rest;
	}
	add_to(sums, s->row, cells, rows.first);
	if (rows.first < s->small_height)
		add_to(sums + cells, s->row, cells, s->small_height - rows.first);
}

void shrink_take(const struct shrink *s, uint8_t *rgba)
{
	size_t count = (size_t)s->small_width * s->small_height;
	uint64_t parts = (uint64_t)s->width * s->height;

	for (size_t i = 0; i < count; i++, rgba += 4) {
		const uint64_t *sum = s->sums + i * 4;
		uint64_t alpha = sum[3];

		for (int c = 0; c < 3; c++)
			rgba[c] = alpha ? (uint8_t)((sum[c] + alpha / 2) / alpha) : 0;
		rgba[3] = (uint8_t)((alpha + parts / 2) / parts);
	}
}

void shrink_free(struct shrink *s)
{
	if (!s)
		return;
	free(s->columns);
	free(s->row);
	free(s->sums);
	free(s);
}
