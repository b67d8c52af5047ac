#include "peer/image_inside.h"
#include "shared/error.h"

/* `size` shrunk as `side` is to become `small_side`. */
static uint32_t in_proportion(uint32_t size, uint32_t side, uint32_t small_side)
{
	uint32_t small = (uint32_t)(((uint64_t)size * small_side + side / 2) / side);

	return small ? small : 1;
}

int image_begin(struct image *image, uint32_t width, uint32_t height)
{
	uint32_t side = width > height ? width : height, small_side = image->task->side;

	if (width == 0 || height == 0)
		return ERR_FORMAT;
	if (side > IMAGE_SIDE_MAX || (uint64_t)width * height > image->task->pixels_max)
		return ERR_LIMIT;
	if (small_side > side)
		small_side = side;
	image->width = width;
	image->height = height;
	image->small.width = in_proportion(width, side, small_side);
	image->small.height = in_proportion(height, side, small_side);
	image->small.rgba = memory_array((size_t)image->small.width * image->small.height, 4);
	return 0;
}
