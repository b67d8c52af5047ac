#include "shared/qr.h"

#include <qrencode.h>
#include <stdio.h>

#include "shared/error.h"

enum { MARGIN = 2, SVG_MARGIN = 4, WIDE = 37 };

/* Above and below: those of the longest links would else not fit on a terminal of 24 rows. */
static int margin_of(const QRcode *code)
{
	return code->width > WIDE ? 1 : MARGIN;
}

static bool is_dark(const QRcode *code, int x, int y)
{
	x -= MARGIN;
	y -= margin_of(code);
	if (x < 0 || y < 0 || x >= code->width || y >= code->width)
		return false;
	return code->data[y * code->width + x] & 1;
}

int qr_print(struct buf *out, const char *text)
{
	/* Light modules are drawn, dark ones left as background. */
	static const char *const half[2][2] = { { "█", "▀" }, { "▄", " " } };
	QRcode *code = QRcode_encodeString(text, 0, QR_ECLEVEL_L, QR_MODE_8, 1);
	struct buf lines = { .limit = 65536 };
	int err = 0, height;

	if (!code)
		return ERR_LIMIT;
	height = code->width + 2 * margin_of(code);
	for (int y = 0; y < height && !err; y += 2) {
		for (int x = 0; x < code->width + 2 * MARGIN && !err; x++) {
			bool top = is_dark(code, x, y);
			/* below the last row of an odd height there is nothing to draw */
			bool bottom = y + 1 >= height || is_dark(code, x, y + 1);

			err = buf_append(&lines, bytes_text(half[top][bottom]));
		}
		if (!err)
			err = buf_append_byte(&lines, '\n');
	}
	if (!err)
		err = buf_append(out, buf_view(&lines));
	buf_clear(&lines);
	QRcode_free(code);
	return err;
}

int qr_svg(struct buf *out, const char *text)
{
	QRcode *code = QRcode_encodeString(text, 0, QR_ECLEVEL_M, QR_MODE_8, 1);
	struct buf svg = { .limit = 1 << 20 };
	char part[256];
	int side, err;

	if (!code)
		return ERR_LIMIT;
	side = code->width + 2 * SVG_MARGIN;
	snprintf(part, sizeof part,
		 "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" "
		 "shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h%dv%dH0z\"/>"
		 "<path d=\"",
		 side, side, side, side);
	err = buf_append(&svg, bytes_text(part));
	for (int i = 0; i < code->width * code->width && !err; i++) {
		if (!(code->data[i] & 1))
			continue;
		snprintf(part, sizeof part, "M%d %dh1v1h-1z", i % code->width + SVG_MARGIN,
			 i / code->width + SVG_MARGIN);
		err = buf_append(&svg, bytes_text(part));
	}
	if (!err)
		err = buf_append(&svg, bytes_text("\"/></svg>\n"));
	if (!err)
		err = buf_append(out, buf_view(&svg));
	buf_clear(&svg);
	QRcode_free(code);
	return err;
}
