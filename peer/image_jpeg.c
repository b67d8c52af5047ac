#include <stdio.h>

#include <jerror.h>
#include <jpeglib.h>
#include <setjmp.h>
#include <stdlib.h>

#include "peer/image_inside.h"
#include "shared/error.h"

enum {
	SCANS_MAX = 200,                 /* of a progressive one; a usual one has ten */
	COEFFICIENTS_MAX = 384 << 20,    /* bytes, which a progressive one needs at once */
	BLOCK_SIZE = 64 * sizeof(JCOEF), /* of one 8 x 8 block */
};

struct trouble {
	struct jpeg_error_mgr manager; /* the first: the library knows us by it */
	struct jpeg_progress_mgr progress;
	int err;
	jmp_buf failed;
};

static _Noreturn void on_error(j_common_ptr common)
{
	struct trouble *t = (struct trouble *)common->err;

	if (t->err == 0)
		t->err = t->manager.msg_code == JERR_OUT_OF_MEMORY ? ERR_LIMIT : ERR_FORMAT;
	longjmp(t->failed, 1);
}

/* A level below 0: the data is damaged, and what comes out is made up from there on. Some are
 * no such thing, and found in what cameras write. */
static void on_message(j_common_ptr common, int level)
{
	if (level >= 0)
		return;
	switch (common->err->msg_code) {
	case JWRN_EXTRANEOUS_DATA:
	case JWRN_JFIF_MAJOR:
	case JWRN_ADOBE_XFORM:
	case JWRN_NOT_SEQUENTIAL:
		return;
	default:
		on_error(common);
	}
}

static void on_progress(j_common_ptr common)
{
	j_decompress_ptr c = (j_decompress_ptr)common;

	if (c->input_scan_number > SCANS_MAX) {
		((struct trouble *)common->err)->err = ERR_LIMIT;
		on_error(common);
	}
}

static struct jpeg_error_mgr *begin_trouble(struct trouble *t)
{
	jpeg_std_error(&t->manager);
	t->manager.error_exit = on_error;
	t->manager.emit_message = on_message;
	return &t->manager;
}

/* Whether what has to be kept of it is too much. */
static bool is_too_much(const struct jpeg_decompress_struct *c)
{
	uint64_t blocks = 0;

	for (int i = 0; i < c->num_components; i++)
		blocks += (uint64_t)c->comp_info[i].width_in_blocks *
			  c->comp_info[i].height_in_blocks;
	return blocks * BLOCK_SIZE > COEFFICIENTS_MAX;
}

/* The library gives an eighth, a quarter or a half at less cost; as little as is still not smaller
 * than what is wanted. */
static void choose_scale(struct jpeg_decompress_struct *c, const struct image_pixels *small)
{
	c->scale_denom = 8;
	for (c->scale_num = 1; c->scale_num < 8; c->scale_num *= 2) {
		jpeg_calc_output_dimensions(c);
		if (c->output_width >= small->width && c->output_height >= small->height)
			return;
	}
}

/* Adobe's are stored the other way round (libjpeg.txt, "Special color spaces"). */
static void cmyk_to_rgba(uint8_t *row, uint32_t width, bool is_inverted)
{
	for (uint8_t *p = row; width; width--, p += 4) {
		unsigned black = is_inverted ? p[3] : 255 - p[3];

		for (int i = 0; i < 3; i++)
			p[i] = (uint8_t)((is_inverted ? p[i] : 255 - p[i]) * black / 255);
		p[3] = 255;
	}
}

static void begin(struct jpeg_decompress_struct *c, struct trouble *t, struct image *image)
{
	c->err = begin_trouble(t);
	jpeg_create_decompress(c);
	t->progress.progress_monitor = on_progress;
	c->progress = &t->progress;
	jpeg_mem_src(c, image->file.data, image->file.size);
	jpeg_read_header(c, TRUE);
	t->err = image_begin(image, c->image_width, c->image_height);
	if (t->err == 0 && jpeg_has_multiple_scans(c) && is_too_much(c))
		t->err = ERR_LIMIT;
	if (t->err < 0)
		on_error((j_common_ptr)c);
	c->out_color_space = c->num_components == 4 ? JCS_CMYK : JCS_EXT_RGBA;
	choose_scale(c, &image->small);
	jpeg_start_decompress(c);
	if (c->output_components != 4)
		ERREXIT(c, JERR_CONVERSION_NOTIMPL);
}

int image_jpeg_read(struct image *image)
{
	struct jpeg_decompress_struct c = { 0 };
	struct shrink *volatile shrink = NULL;
	uint8_t *volatile row = NULL;
	struct trouble t = { 0 };

	if (setjmp(t.failed))
		goto out;
	begin(&c, &t, image);
	row = memory_array(c.output_width, 4);
	shrink = shrink_new(c.output_width, c.output_height, image->small.width,
			    image->small.height);
	while (c.output_scanline < c.output_height) {
		uint32_t y = c.output_scanline;
		JSAMPROW rows[] = { row };

		jpeg_read_scanlines(&c, rows, 1);
		if (c.out_color_space == JCS_CMYK)
			cmyk_to_rgba(row, c.output_width, c.saw_Adobe_marker);
		shrink_row(shrink, y, 0, 1, c.output_width, row);
	}
	jpeg_finish_decompress(&c);
	shrink_take(shrink, image->small.rgba);
out:
	jpeg_destroy_decompress(&c);
	shrink_free(shrink);
	free(row);
	return t.err;
}

int image_jpeg_write(const struct image_pixels *p, int quality, struct buf *out)
{
	struct jpeg_compress_struct c = { 0 };
	unsigned char *data = NULL;
	unsigned long size = 0;
	struct trouble t = { 0 };

	if (setjmp(t.failed))
		goto out;
	c.err = begin_trouble(&t);
	jpeg_create_compress(&c);
	jpeg_mem_dest(&c, &data, &size);
	c.image_width = p->width;
	c.image_height = p->height;
	c.input_components = 4;
	c.in_color_space = JCS_EXT_RGBX;
	jpeg_set_defaults(&c);
	jpeg_set_quality(&c, quality, TRUE);
	c.optimize_coding = TRUE;
	jpeg_start_compress(&c, TRUE);
	while (c.next_scanline < c.image_height) {
		JSAMPROW rows[] = { p->rgba + (size_t)c.next_scanline * p->width * 4 };

		jpeg_write_scanlines(&c, rows, 1);
	}
	jpeg_finish_compress(&c);
	t.err = buf_append(out, bytes_of(data, size));
out:
	jpeg_destroy_compress(&c);
	free(data);
	return t.err;
}
