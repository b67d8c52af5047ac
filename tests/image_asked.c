#include "tests/image_asked.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <fcntl.h>
#include <unistd.h>

#include "shared/file.h"
#include "shared/job.h"

int ask_image(struct image_work *w)
{
	struct job job = { .kind = JOB_IMAGE, .task = w };

	return image_run(&job);
}

int look(struct image_work *w, const struct buf *image)
{
	*w = (struct image_work){ .given = buf_view(image) };
	return ask_image(w);
}

const char *scratch_path(const char *name)
{
	static char path[128];

	snprintf(path, sizeof path, "%s/%s", scratch, name);
	return path;
}

int look_at_path(struct image_work *w, const char *path)
{
	int err;

	*w = (struct image_work){ .path = memory_text(path) };
	err = ask_image(w);
	free(w->path);
	w->path = NULL;
	return err;
}

int look_at_file(struct image_work *w, const struct buf *image)
{
	int fd = open(scratch_path("image"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(file_write(fd, buf_view(image)), 0);
	close(fd);
	return look_at_path(w, scratch_path("image"));
}

static void check_quarters(const struct image_pixels *p, const char *order, unsigned near)
{
	static const struct {
		char name;
		uint8_t rgb[3];
	} colors[] = { { 'r', { 255, 0, 0 } },  { 'g', { 0, 255, 0 } },
		       { 'b', { 0, 0, 255 } },  { 'x', { 128, 128, 128 } },
		       { 'R', { 76, 76, 76 } }, { 'G', { 149, 149, 149 } },
		       { 'B', { 29, 29, 29 } }, { 'w', { 255, 255, 255 } },
		       { 'k', { 0, 0, 0 } } };

	for (unsigned quarter = 0; quarter < 4; quarter++) {
		unsigned x = p->width / 4 + quarter % 2 * (p->width / 2);
		unsigned y = p->height / 4 + quarter / 2 * (p->height / 2);
		const uint8_t *at = p->rgba + ((size_t)y * p->width + x) * 4;

		if (order[quarter] == '-') {
			assert_int_equal(at[3], 0);
			continue;
		}
		assert_int_equal(at[3], 255);
		for (unsigned i = 0; i < COUNT(colors); i++)
			for (int c = 0; colors[i].name == order[quarter] && c < 3; c++)
				if (abs(at[c] - colors[i].rgb[c]) > (int)near)
					fail_msg("quarter %u is %u %u %u instead of %c",
						 quarter, at[0], at[1], at[2], order[quarter]);
	}
}

void see_quarters(const struct buf *image, const char *order, unsigned near)
{
	struct image_pixels p;

	assert_int_equal(image_see(buf_view(image), 0, &p), 0);
	check_quarters(&p, order, near);
	free(p.rgba);
}
