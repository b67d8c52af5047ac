#include "tests/image_maker.h"

#include <stdio.h>

#include <jpeglib.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>
#include <webp/encode.h>
#include <zlib.h>

/* The same each time. */
static void noise(uint32_t x, uint32_t y, uint8_t rgb[3])
{
	uint32_t hash = x * 2654435761U + y * 2246822519U;

	hash = (hash ^ hash >> 15) * 2246822519U;
	hash = (hash ^ hash >> 13) * 3266489917U;
	hash ^= hash >> 16;
	for (int i = 0; i < 3; i++)
		rgb[i] = (uint8_t)(hash >> (8 * i));
}

/* Of a pixel, as RGBA. */
static void paint(const struct maker *m, unsigned x, unsigned y, uint8_t rgba[4])
{
	static const uint8_t quarters[4][4] = { { 255, 0, 0, 255 },
						{ 0, 255, 0, 255 },
						{ 0, 0, 255, 255 },
						{ 128, 128, 128, 255 } };
	unsigned quarter = (x >= m->width / 2 ? 1 : 0) + (y >= m->height / 2 ? 2 : 0);

	memcpy(rgba, quarters[quarter], 4);
	if (m->is_noise)
		noise(x, y, rgba);
	if (m->color == MAKER_RGBA && quarter == 2)
		rgba[3] = 0;
}

static uint8_t luma(const uint8_t rgba[4])
{
	return (uint8_t)((rgba[0] * 299 + rgba[1] * 587 + rgba[2] * 114) / 1000);
}

/* --- PNG --- */

static void on_write(png_structp png, png_bytep data, png_size_t size)
{
	buf_append(png_get_io_ptr(png), bytes_of(data, size));
}

static void on_flush(png_structp png)
{
	(void)png;
}

static void put_bits(uint8_t *row, unsigned x, unsigned depth, unsigned value)
{
	unsigned shift = 8 - depth - x * depth % 8;

	row[x * depth / 8] |= (uint8_t)(value << shift);
}

static void png_row(const struct maker *m, unsigned y, uint8_t *row, unsigned channels)
{
	for (unsigned x = 0; x < m->width; x++) {
		uint8_t rgba[4];

		paint(m, x, y, rgba);
		if (m->color == MAKER_GREY) {
			rgba[0] = luma(rgba);
			if (m->depth < 8)
				put_bits(row, x, m->depth, rgba[0] >> (8 - m->depth));
		} else if (m->color == MAKER_PALETTE) {
			unsigned index = (x >= m->width / 2 ? 1 : 0) +
					 (y >= m->height / 2 ? 2 : 0);

			rgba[0] = (uint8_t)index;
			if (m->depth < 8)
				put_bits(row, x, m->depth, index & ((1U << m->depth) - 1));
		}
		for (unsigned c = 0; m->depth >= 8 && c < channels; c++)
			for (unsigned i = 0; i < m->depth / 8; i++)
				row[(x * channels + c) * m->depth / 8 + i] = rgba[c];
	}
}

static void png_metadata(png_structp png, png_infop info)
{
	png_text text = { .compression = PNG_TEXT_COMPRESSION_NONE,
			  .key = (char *)"Comment",
			  .text = (char *)MAKER_SECRET };

	png_set_text(png, info, &text, 1);
	png_set_eXIf_1(png, info, sizeof MAKER_SECRET, (png_bytep)MAKER_SECRET);
	png_set_tIME(png, info, &(png_time){ 2026, 11, 22, 12, 0, 0 });
}

void maker_png(const struct maker *m, struct buf *out)
{
	static const int types[] = { [MAKER_RGB] = PNG_COLOR_TYPE_RGB,
				     [MAKER_RGBA] = PNG_COLOR_TYPE_RGBA,
				     [MAKER_GREY] = PNG_COLOR_TYPE_GRAY,
				     [MAKER_PALETTE] = PNG_COLOR_TYPE_PALETTE };
	static const png_color palette[] = {
		{ 255, 0, 0 }, { 0, 255, 0 }, { 0, 0, 255 }, { 128, 128, 128 }
	};
	png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
	png_infop info = png_create_info_struct(png);
	unsigned channels = m->color == MAKER_RGB ? 3 : m->color == MAKER_RGBA ? 4 : 1;
	size_t row_size = ((size_t)m->width * channels * m->depth + 7) / 8;
	uint8_t **rows = memory_array(m->height, sizeof *rows);

	png_set_write_fn(png, out, on_write, on_flush);
	png_set_compression_level(png, 1);
	png_set_IHDR(png, info, m->width, m->height, (int)m->depth, types[m->color],
		     m->is_interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
		     PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
	if (m->color == MAKER_PALETTE)
		png_set_PLTE(png, info, palette, m->depth == 1 ? 2 : 4);
	if (!m->is_plain)
		png_metadata(png, info);
	png_write_info(png, info);
	for (unsigned y = 0; y < m->height; y++) {
		rows[y] = memory_new(row_size);
		png_row(m, y, rows[y], channels);
	}
	png_write_image(png, rows);
	png_write_end(png, info);
	png_destroy_write_struct(&png, &info);
	for (unsigned y = 0; y < m->height; y++)
		free(rows[y]);
	free(rows);
}

static void put_number(uint8_t *at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> (24 - i * 8));
}

static void put_chunk(struct buf *out, const char *name, struct bytes data)
{
	uint8_t head[8], tail[4];
	uLong crc;

	put_number(head, (uint32_t)data.size);
	memcpy(head + 4, name, 4);
	crc = crc32(crc32(0, head + 4, 4), data.data, (uInt)data.size);
	put_number(tail, (uint32_t)crc);
	buf_append(out, BYTES(head));
	buf_append(out, data);
	buf_append(out, BYTES(tail));
}

void maker_png_claims(uint32_t width, uint32_t height, struct bytes data, struct buf *out)
{
	uint8_t header[13] = { [8] = 8, [9] = PNG_COLOR_TYPE_RGBA };
	uLongf size = compressBound(data.size);
	uint8_t *packed = memory_new(size);

	put_number(header, width);
	put_number(header + 4, height);
	compress2(packed, &size, data.data, data.size, 9);
	buf_append(out, bytes_text("\x89PNG\r\n\x1a\n"));
	put_chunk(out, "IHDR", BYTES(header));
	put_chunk(out, "IDAT", bytes_of(packed, size));
	put_chunk(out, "IEND", bytes_of("", 0));
	free(packed);
}

/* --- JPEG --- */

static void put_u16(struct buf *out, unsigned value, bool is_little)
{
	uint8_t raw[2] = { (uint8_t)(value >> 8), (uint8_t)value };

	if (is_little) {
		raw[0] = (uint8_t)value;
		raw[1] = (uint8_t)(value >> 8);
	}
	buf_append(out, BYTES(raw));
}

static void put_u32(struct buf *out, unsigned value, bool is_little)
{
	put_u16(out, is_little ? value & 0xffff : value >> 16, is_little);
	put_u16(out, is_little ? value >> 16 : value & 0xffff, is_little);
}

/* A camera's maker, the orientation, and a place behind them. */
static void exif(const struct maker *m, struct buf *out)
{
	bool little = m->is_little;

	buf_append(out, bytes_of("Exif\0\0", 6));
	buf_append(out, bytes_text(little ? "II" : "MM"));
	put_u16(out, 42, little);
	put_u32(out, 8, little);
	put_u16(out, 2, little);
	put_u16(out, 0x010f, little); /* Make */
	put_u16(out, 2, little);
	put_u32(out, sizeof MAKER_SECRET, little);
	put_u32(out, 8 + 2 + 24 + 4, little);
	put_u16(out, 0x0112, little); /* Orientation */
	put_u16(out, 3, little);
	put_u32(out, 1, little);
	put_u16(out, m->orientation, little);
	put_u16(out, 0, little);
	put_u32(out, 0, little);
	buf_append(out, BYTES(MAKER_SECRET));
}

static void jpeg_metadata(struct jpeg_compress_struct *c, const struct maker *m)
{
	static const char profile[] = "ICC_PROFILE\0\1\1" MAKER_SECRET;
	static const char xmp[] = "http://ns.adobe.com/xap/1.0/\0<x>" MAKER_SECRET "</x>";
	struct buf b = { 0 };

	if (m->orientation) {
		exif(m, &b);
		jpeg_write_marker(c, JPEG_APP0 + 1, b.data, (unsigned)b.size);
		buf_clear(&b);
	}
	if (m->is_plain)
		return;
	jpeg_write_marker(c, JPEG_APP0 + 1, (const JOCTET *)xmp, sizeof xmp);
	jpeg_write_marker(c, JPEG_APP0 + 2, (const JOCTET *)profile, sizeof profile);
	jpeg_write_marker(c, JPEG_COM, (const JOCTET *)MAKER_SECRET, sizeof MAKER_SECRET);
}

static void jpeg_pixel(const struct maker *m, unsigned x, unsigned y, uint8_t *at)
{
	uint8_t rgba[4];

	paint(m, x, y, rgba);
	switch (m->color) {
	case MAKER_GREY:
		*at = luma(rgba);
		break;
	case MAKER_CMYK: /* Adobe's: inverted */
		memcpy(at, rgba, 3);
		at[3] = 255;
		break;
	default:
		memcpy(at, rgba, 3);
	}
}

void maker_jpeg(const struct maker *m, struct buf *out)
{
	struct jpeg_compress_struct c = { 0 };
	struct jpeg_error_mgr errors;
	unsigned char *data = NULL;
	unsigned long size = 0;
	uint8_t *row;

	c.err = jpeg_std_error(&errors);
	jpeg_create_compress(&c);
	jpeg_mem_dest(&c, &data, &size);
	c.image_width = m->width;
	c.image_height = m->height;
	c.input_components = m->color == MAKER_GREY ? 1 : m->color == MAKER_CMYK ? 4 : 3;
	c.in_color_space = m->color == MAKER_GREY   ? JCS_GRAYSCALE
			   : m->color == MAKER_CMYK ? JCS_CMYK
						    : JCS_RGB;
	jpeg_set_defaults(&c);
	if (m->color == MAKER_CMYK)
		jpeg_set_colorspace(&c, JCS_YCCK);
	jpeg_set_quality(&c, 90, TRUE);
	if (m->is_interlaced)
		jpeg_simple_progression(&c);
	jpeg_start_compress(&c, TRUE);
	jpeg_metadata(&c, m);
	row = memory_array(m->width, 4);
	for (unsigned y = 0; y < m->height; y++) {
		for (unsigned x = 0; x < m->width; x++)
			jpeg_pixel(m, x, y, row + (size_t)x * (unsigned)c.input_components);
		jpeg_write_scanlines(&c, &row, 1);
	}
	jpeg_finish_compress(&c);
	buf_append(out, bytes_of(data, size));
	jpeg_destroy_compress(&c);
	free(row);
	free(data);
}

/* --- WebP --- */

static void put_riff(struct buf *out, const char *name, struct bytes data)
{
	buf_append(out, bytes_text(name));
	put_u32(out, (unsigned)data.size, true);
	buf_append(out, data);
	if (data.size % 2)
		buf_append_byte(out, 0);
}

static void put_u24(struct buf *out, unsigned value)
{
	put_u16(out, value & 0xffff, true);
	buf_append_byte(out, (uint8_t)(value >> 16));
}

/* A file of what it holds. */
static void riff(const struct buf *body, struct buf *out)
{
	buf_append(out, bytes_text("RIFF"));
	put_u32(out, (unsigned)body->size + 4, true);
	buf_append(out, bytes_text("WEBP"));
	buf_append(out, buf_view(body));
}

static void vp8x(const struct maker *m, unsigned flags, struct buf *out)
{
	struct buf head = { 0 };

	put_u32(&head, flags, true);
	put_u24(&head, m->width - 1);
	put_u24(&head, m->height - 1);
	put_riff(out, "VP8X", buf_view(&head));
	buf_clear(&head);
}

/* The chunks of one image without those of a file. */
static void webp_image(const struct maker *m, struct buf *out)
{
	uint8_t *rgba = memory_array((size_t)m->width * m->height, 4), *data = NULL;
	size_t size, from = 12;

	for (unsigned y = 0; y < m->height; y++)
		for (unsigned x = 0; x < m->width; x++)
			paint(m, x, y, rgba + ((size_t)y * m->width + x) * 4);
	size = m->is_lossless ? WebPEncodeLosslessRGBA(rgba, (int)m->width, (int)m->height,
						       (int)m->width * 4, &data)
			      : WebPEncodeRGBA(rgba, (int)m->width, (int)m->height,
					       (int)m->width * 4, 90, &data);
	if (size > 16 && memcmp(data + 12, "VP8X", 4) == 0)
		from += 8 + 10;
	buf_append(out, bytes_of(data + from, size - from));
	WebPFree(data);
	free(rgba);
}

void maker_webp(const struct maker *m, struct buf *out)
{
	enum { HAS_ICC = 0x20, HAS_ALPHA = 0x10, HAS_EXIF = 0x08, HAS_XMP = 0x04 };
	struct buf body = { 0 };

	if (m->is_plain) {
		if (m->color == MAKER_RGBA && !m->is_lossless)
			vp8x(m, HAS_ALPHA, &body);
		webp_image(m, &body);
	} else {
		vp8x(m, HAS_ICC | HAS_EXIF | HAS_XMP | (m->color == MAKER_RGBA ? HAS_ALPHA : 0),
		     &body);
		put_riff(&body, "ICCP", BYTES(MAKER_SECRET));
		webp_image(m, &body);
		put_riff(&body, "EXIF", BYTES(MAKER_SECRET));
		put_riff(&body, "XMP ", BYTES(MAKER_SECRET));
	}
	riff(&body, out);
	buf_clear(&body);
}

static void put_frame(const struct maker *m, struct buf *out)
{
	struct buf frame = { 0 };

	put_u24(&frame, 0);
	put_u24(&frame, 0);
	put_u24(&frame, m->width - 1);
	put_u24(&frame, m->height - 1);
	put_u24(&frame, 100); /* ms */
	buf_append_byte(&frame, 0);
	webp_image(m, &frame);
	put_riff(out, "ANMF", buf_view(&frame));
	buf_clear(&frame);
}

void maker_webp_animation(const struct maker *m, struct buf *out)
{
	struct buf body = { 0 };
	struct maker second = *m;

	second.is_noise = true;
	vp8x(m, 0x02 | 0x10, &body);
	put_riff(&body, "ANIM", BYTES("\0\0\0\0\0")); /* background, loops */
	put_frame(m, &body);
	put_frame(&second, &body);
	riff(&body, out);
	buf_clear(&body);
}
