#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "peer/image_inside.h"
#include "shared/error.h"

struct reading {
	struct image *image;
	struct bytes left;
	struct shrink *shrink;
	uint8_t *row;
	int err;
	jmp_buf failed;
};

static void on_error(png_structp png, png_const_charp text)
{
	struct reading *r = png_get_error_ptr(png);

	(void)text;
	longjmp(r->failed, 1);
}

static void on_warning(png_structp png, png_const_charp text)
{
	(void)png;
	(void)text;
}

static void on_read(png_structp png, png_bytep out, png_size_t size)
{
	struct reading *r = png_get_io_ptr(png);

	if (size > r->left.size)
		png_error(png, "cut short");
	memcpy(out, r->left.data, size);
	r->left.data += size;
	r->left.size -= size;
}

static png_voidp on_malloc(png_structp png, png_alloc_size_t size)
{
	struct reading *r = png_get_mem_ptr(png);
	void *p = malloc(size);

	if (!p)
		r->err = ERR_LIMIT;
	return p;
}

static void on_free(png_structp png, png_voidp p)
{
	(void)png;
	free(p);
}

/* What is not pixels is not even read: text, profiles, Exif, times. */
static void leave_out(png_structp png)
{
	static const uint8_t chunks[] = "bKGD\0cHRM\0eXIf\0gAMA\0hIST\0iCCP\0iTXt\0oFFs\0pCAL\0"
					"pHYs\0sBIT\0sCAL\0sPLT\0sRGB\0tEXt\0tIME\0zTXt";

	png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, 0);
	png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, chunks, sizeof chunks / 5);
	png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX); /* image_begin() decides */
	png_set_chunk_malloc_max(png, IMAGE_FILE_MAX);
}

/* All kinds become RGBA of 8 bits. */
static void begin(struct reading *r, png_structp png, png_infop info)
{
	png_read_info(png, info);
	r->err = image_begin(r->image, png_get_image_width(png, info),
			     png_get_image_height(png, info));
	if (r->err < 0)
		png_error(png, "too large");
	png_set_expand(png);
	png_set_scale_16(png);
	png_set_gray_to_rgb(png);
	png_set_add_alpha(png, 0xff, PNG_FILLER_AFTER);
	png_read_update_info(png, info);
	if (png_get_rowbytes(png, info) != (size_t)r->image->width * 4)
		png_error(png, "not RGBA");
	r->row = memory_array(r->image->width, 4);
	r->shrink = shrink_new(r->image->width, r->image->height, r->image->small.width,
			       r->image->small.height);
}

/* Interlaced ones come as seven small images, one after another; no whole one is kept. */
static void read_passes(struct reading *r, png_structp png)
{
	uint32_t width = r->image->width, height = r->image->height;

	for (int pass = 0; pass < PNG_INTERLACE_ADAM7_PASSES; pass++) {
		uint32_t columns = PNG_PASS_COLS(width, pass),
			 rows = PNG_PASS_ROWS(height, pass);

		for (uint32_t y = 0; columns && y < rows; y++) {
			png_read_row(png, r->row, NULL);
			shrink_row(r->shrink, PNG_ROW_FROM_PASS_ROW(y, pass),
				   PNG_PASS_START_COL(pass), PNG_PASS_COL_OFFSET(pass), columns,
				   r->row);
		}
	}
}

static void read_all(struct reading *r, png_structp png, png_infop info)
{
	begin(r, png, info);
	if (png_get_interlace_type(png, info) == PNG_INTERLACE_ADAM7) {
		read_passes(r, png);
	} else {
		for (uint32_t y = 0; y < r->image->height; y++) {
			png_read_row(png, r->row, NULL);
			shrink_row(r->shrink, y, 0, 1, r->image->width, r->row);
		}
	}
	png_read_end(png, NULL);
	shrink_take(r->shrink, r->image->small.rgba);
}

int image_png_read(struct image *image)
{
	struct reading r = { .image = image, .left = image->file };
	png_structp png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, &r, on_error,
						   on_warning, &r, on_malloc, on_free);
	png_infop info = png ? png_create_info_struct(png) : NULL;

	if (!info) {
		png_destroy_read_struct(&png, NULL, NULL);
		return ERR_LIMIT;
	}
	if (setjmp(r.failed)) {
		if (r.err == 0)
			r.err = ERR_FORMAT;
	} else {
		leave_out(png);
		png_set_read_fn(png, &r, on_read);
		read_all(&r, png, info);
	}
	png_destroy_read_struct(&png, &info, NULL);
	shrink_free(r.shrink);
	free(r.row);
	return r.err;
}
