#include <string.h>

#include <webp/decode.h>
#include <webp/encode.h>

#include "peer/image_inside.h"
#include "shared/error.h"

enum {
	RIFF_HEADER = 12,
	CHUNK_HEADER = 8,
	FRAME_HEADER = 16, /* of an ANMF, before the frame itself */
	CHUNKS_MAX = 64,   /* looked at */
};

static uint32_t little(const uint8_t *at)
{
	return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
	       (uint32_t)at[3] << 24;
}

/* Of an animation the first frame (WebP Container Specification, "Animation"): what is in it is an
 * image without a header. */
static int first_frame(struct bytes file, struct bytes *frame)
{
	size_t at = RIFF_HEADER;

	for (int i = 0; i < CHUNKS_MAX && at < file.size && file.size - at >= CHUNK_HEADER;
	     i++) {
		uint32_t size = little(file.data + at + 4);

		if (size > file.size - at - CHUNK_HEADER)
			break;
		if (memcmp(file.data + at, "ANMF", 4) == 0 && size > FRAME_HEADER) {
			*frame = bytes_of(file.data + at + CHUNK_HEADER + FRAME_HEADER,
					  size - FRAME_HEADER);
			return 0;
		}
		at += CHUNK_HEADER + (size_t)size + (size & 1);
	}
	return ERR_FORMAT;
}

int image_webp_read(struct image *image)
{
	struct bytes file = image->file;
	WebPDecoderConfig config;
	VP8StatusCode status;
	int err = ERR_FORMAT;

	if (!WebPInitDecoderConfig(&config) ||
	    WebPGetFeatures(file.data, file.size, &config.input) != VP8_STATUS_OK)
		return err;
	if (config.input.has_animation) {
		err = first_frame(image->file, &file);
		if (err < 0)
			return err;
		if (WebPGetFeatures(file.data, file.size, &config.input) != VP8_STATUS_OK)
			return ERR_FORMAT;
	}
	err = image_begin(image, (uint32_t)config.input.width, (uint32_t)config.input.height);
	if (err < 0)
		return err;
	config.options.use_scaling = image->small.width != image->width ||
				     image->small.height != image->height;
	config.options.scaled_width = (int)image->small.width;
	config.options.scaled_height = (int)image->small.height;
	config.output.colorspace = MODE_RGBA;
	config.output.is_external_memory = 1;
	config.output.u.RGBA.rgba = image->small.rgba;
	config.output.u.RGBA.stride = (int)image->small.width * 4;
	config.output.u.RGBA.size = (size_t)image->small.width * image->small.height * 4;
	status = WebPDecode(file.data, file.size, &config);
	WebPFreeDecBuffer(&config.output);
	return status == VP8_STATUS_OK              ? 0
	       : status == VP8_STATUS_OUT_OF_MEMORY ? ERR_LIMIT
						    : ERR_FORMAT;
}

int image_webp_write(const struct image_pixels *p, int quality, struct buf *out)
{
	WebPMemoryWriter writer;
	WebPPicture picture;
	WebPConfig config;
	int err = ERR_LIMIT;

	if (!WebPConfigPreset(&config, WEBP_PRESET_PICTURE, (float)quality) ||
	    !WebPPictureInit(&picture))
		return ERR_VERSION;
	config.alpha_quality = quality;
	WebPMemoryWriterInit(&writer);
	picture.width = (int)p->width;
	picture.height = (int)p->height;
	picture.writer = WebPMemoryWrite;
	picture.custom_ptr = &writer;
	if (WebPPictureImportRGBA(&picture, p->rgba, (int)p->width * 4) &&
	    WebPEncode(&config, &picture))
		err = buf_append(out, bytes_of(writer.mem, writer.size));
	WebPPictureFree(&picture);
	WebPMemoryWriterClear(&writer);
	return err;
}
