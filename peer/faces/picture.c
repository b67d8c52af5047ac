#include "peer/faces/picture.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "shared/bytes.h"
#include "shared/error.h"

/* Of libchafa's interface 0 (since 1.6) what we use, under its own names: chafa-canvas.h,
 * chafa-canvas-config.h, chafa-symbol-map.h, chafa-term-db.h, chafa-common.h; and a GString. */
enum {
	CANVAS_MODE_TRUECOLOR = 0,
	CANVAS_MODE_INDEXED_240 = 2, /* not the sixteen that people choose themselves */
	CANVAS_MODE_INDEXED_16 = 3,
	CANVAS_MODE_FGBG = 5,
	PIXEL_RGBA8_UNASSOCIATED = 4,
	DITHER_DIFFUSION = 2,
	SYMBOLS_SPACE = 1 << 0,
	SYMBOLS_SOLID = 1 << 1,
	SYMBOLS_STIPPLE = 1 << 2,
	SYMBOLS_BLOCK = 1 << 3,
	SYMBOLS_BORDER = 1 << 4,
	SYMBOLS_HALF = 1 << 8 | 1 << 9,
	SYMBOLS_ASCII = 1 << 14,
};
struct g_string {
	char *text;
	size_t size, capacity;
};

static struct {
	void *(*config_new)(void);
	void (*config_set_geometry)(void *config, int columns, int rows);
	void (*config_set_mode)(void *config, int mode);
	void (*config_set_dither)(void *config, int mode);
	void (*config_set_symbols)(void *config, void *symbols);
	void (*config_unref)(void *config);
	void *(*symbols_new)(void);
	void (*symbols_add)(void *symbols, int tags);
	void (*symbols_unref)(void *symbols);
	void *(*canvas_new)(const void *config);
	void (*canvas_draw)(void *canvas, int pixel_type, const uint8_t *pixels, int width,
			    int height, int row_size);
	struct g_string *(*canvas_print)(void *canvas, void *terminal);
	uint32_t (*canvas_char)(void *canvas, int x, int y);
	void (*canvas_colors)(void *canvas, int x, int y, int *front, int *back);
	void (*canvas_unref)(void *canvas);
	void *(*database)(void);
	void *(*terminal)(void *database);
	void (*terminal_unref)(void *terminal);
	void (*set_threads)(int count);
	char *(*string_free)(struct g_string *string, int with_text);
} chafa;

static const struct {
	const char *name;
	void *at; /* a function pointer */
} functions[] = {
	{ "chafa_canvas_config_new", &chafa.config_new },
	{ "chafa_canvas_config_set_geometry", &chafa.config_set_geometry },
	{ "chafa_canvas_config_set_canvas_mode", &chafa.config_set_mode },
	{ "chafa_canvas_config_set_dither_mode", &chafa.config_set_dither },
	{ "chafa_canvas_config_set_symbol_map", &chafa.config_set_symbols },
	{ "chafa_canvas_config_unref", &chafa.config_unref },
	{ "chafa_symbol_map_new", &chafa.symbols_new },
	{ "chafa_symbol_map_add_by_tags", &chafa.symbols_add },
	{ "chafa_symbol_map_unref", &chafa.symbols_unref },
	{ "chafa_canvas_new", &chafa.canvas_new },
	{ "chafa_canvas_draw_all_pixels", &chafa.canvas_draw },
	{ "chafa_canvas_print", &chafa.canvas_print },
	{ "chafa_canvas_get_char_at", &chafa.canvas_char },
	{ "chafa_canvas_get_raw_colors_at", &chafa.canvas_colors },
	{ "chafa_canvas_unref", &chafa.canvas_unref },
	{ "chafa_term_db_get_default", &chafa.database },
	{ "chafa_term_db_get_fallback_info", &chafa.terminal },
	{ "chafa_term_info_unref", &chafa.terminal_unref },
	{ "chafa_set_n_threads", &chafa.set_threads },
	{ "g_string_free", &chafa.string_free },
};

/* Once. It stays: what of GLib runs at unloading is not worth it. */
bool picture_can_draw(void)
{
	static void *library;

	if (library)
		return true;
	library = dlopen("libchafa.so.0", RTLD_NOW | RTLD_LOCAL);
	for (size_t i = 0; library && i < sizeof functions / sizeof functions[0]; i++) {
		void *function = dlsym(library, functions[i].name);

		if (function) {
			memcpy(functions[i].at, &function, sizeof function);
			continue;
		}
		dlclose(library);
		library = NULL;
	}
	if (library)
		chafa.set_threads(1); /* a thumbnail is not worth a second one */
	return library != NULL;
}

/* A character is twice as high as wide. Small ones are not blown up beyond a character a pixel. */
static void fit(uint32_t width, uint32_t height, const struct picture_terminal *t, int *columns,
		int *rows)
{
	uint64_t w = width < t->columns ? width : t->columns;
	uint64_t h = (w * height / width + 1) / 2;

	if (h > t->rows) {
		h = t->rows;
		w = h * 2 * width / height;
	}
	*columns = w ? (int)w : 1;
	*rows = h ? (int)h : 1;
}

static int symbols_of(const struct picture_terminal *t)
{
	if (!t->has_unicode)
		return SYMBOLS_SPACE | SYMBOLS_ASCII;
	if (t->has_few_glyphs)
		return SYMBOLS_SPACE | SYMBOLS_SOLID | SYMBOLS_STIPPLE | SYMBOLS_HALF;
	return SYMBOLS_SPACE | SYMBOLS_BLOCK | SYMBOLS_BORDER;
}

/* The image in so many cells; the caller gives it up. */
static void *canvas_of(const uint8_t *rgba, uint32_t width, uint32_t height,
		       const struct picture_terminal *t, int columns, int rows)
{
	static const int modes[] = {
		[PICTURE_PLAIN] = CANVAS_MODE_FGBG,
		[PICTURE_16] = CANVAS_MODE_INDEXED_16,
		[PICTURE_256] = CANVAS_MODE_INDEXED_240,
		[PICTURE_TRUE] = CANVAS_MODE_TRUECOLOR,
	};
	void *config = chafa.config_new(), *symbols = chafa.symbols_new(), *canvas;

	chafa.symbols_add(symbols, symbols_of(t));
	chafa.config_set_symbols(config, symbols);
	chafa.config_set_geometry(config, columns, rows);
	chafa.config_set_mode(config, modes[t->colors]);
	if (t->colors == PICTURE_PLAIN)
		chafa.config_set_dither(config, DITHER_DIFFUSION);
	canvas = chafa.canvas_new(config);
	chafa.canvas_draw(canvas, PIXEL_RGBA8_UNASSOCIATED, rgba, (int)width, (int)height,
			  (int)width * 4);
	chafa.symbols_unref(symbols);
	chafa.config_unref(config);
	return canvas;
}

char *picture_draw(const uint8_t *rgba, uint32_t width, uint32_t height,
		   const struct picture_terminal *t)
{
	void *canvas, *terminal;
	struct g_string *drawn;
	int columns, rows;
	char *text;

	if (!picture_can_draw())
		return NULL;
	fit(width, height, t, &columns, &rows);
	canvas = canvas_of(rgba, width, height, t, columns, rows);
	terminal = chafa.terminal(chafa.database());
	drawn = chafa.canvas_print(canvas, terminal);
	text = memory_text(drawn->text);
	chafa.string_free(drawn, 1);
	chafa.terminal_unref(terminal);
	chafa.canvas_unref(canvas);
	return text;
}

/* UTF-8 of a character that a canvas has. */
static void encode(uint32_t c, char out[5])
{
	memset(out, 0, 5);
	if (c < 0x80) {
		out[0] = (char)c;
	} else if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
	} else {
		out[0] = (char)(0xf0 | c >> 18);
		out[1] = (char)(0x80 | (c >> 12 & 0x3f));
		out[2] = (char)(0x80 | (c >> 6 & 0x3f));
		out[3] = (char)(0x80 | (c & 0x3f));
	}
}

/* In the cube of 6x6x6 that a terminal's 256 have from 16 on: 0, 95, 135, 175, 215, 255. */
static uint8_t nearest(uint32_t color)
{
	unsigned index = 0;

	for (int shift = 16; shift >= 0; shift -= 8) {
		unsigned part = color >> shift & 0xff;

		index = index * 6 + (part < 48 ? 0 : part < 115 ? 1 : (part - 35) / 40);
	}
	return (uint8_t)(16 + index);
}

static void take_colors(struct picture_cell *c, int front, int back, bool is_true)
{
	if (is_true) {
		c->true_front = front >= 0 ? (uint32_t)front & 0xffffff : 0;
		c->true_back = back >= 0 ? (uint32_t)back & 0xffffff : 0;
		c->front = nearest(c->true_front);
		c->back = nearest(c->true_back);
	} else {
		c->front = front >= 0 && front < 256 ? (uint8_t)front : 0;
		c->back = back >= 0 && back < 256 ? (uint8_t)back : 0;
	}
}

int picture_cells(struct picture_cells *out, const uint8_t *rgba, uint32_t width,
		  uint32_t height)
{
	struct picture_terminal t = { .colors = out->has_true_colors ? PICTURE_TRUE
								     : PICTURE_256,
				      .has_unicode = true,
				      .columns = out->columns,
				      .rows = out->rows };
	int columns, rows;
	void *canvas;

	if (!picture_can_draw())
		return ERR_NOT_FOUND;
	fit(width, height, &t, &columns, &rows);
	canvas = canvas_of(rgba, width, height, &t, columns, rows);
	out->columns = (unsigned)columns;
	out->rows = (unsigned)rows;
	out->list = memory_array((size_t)columns * (size_t)rows, sizeof *out->list);
	for (int i = 0; i < columns * rows; i++) {
		struct picture_cell *c = &out->list[i];
		int front, back;
		uint32_t sign = chafa.canvas_char(canvas, i % columns, i / columns);

		chafa.canvas_colors(canvas, i % columns, i / columns, &front, &back);
		take_colors(c, front, back, out->has_true_colors);
		encode(sign ? sign : ' ', c->text);
	}
	chafa.canvas_unref(canvas);
	return 0;
}

void picture_cells_free(struct picture_cells *cells)
{
	free(cells->list);
	cells->list = NULL;
}
