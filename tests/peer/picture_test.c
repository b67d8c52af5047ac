/* Images in a terminal. Without libchafa nothing is drawn, and these tests are skipped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <pty.h>
#include <unistd.h>

#include "peer/faces/cli/output.h"
#include "peer/faces/cli/picture.h"
#include "shared/error.h"

enum { WIDTH = 320, HEIGHT = 200 };

static uint8_t rgba[HEIGHT][WIDTH][4];

/* Red on the left, blue on the right, and a white disc between them. */
static void paint(void)
{
	for (int y = 0; y < HEIGHT; y++) {
		for (int x = 0; x < WIDTH; x++) {
			int dx = x - WIDTH / 2, dy = y - HEIGHT / 2;
			bool is_disc = dx * dx + dy * dy < 70 * 70;

			rgba[y][x][0] = is_disc || x < WIDTH / 2 ? 255 : 0;
			rgba[y][x][1] = is_disc ? 255 : 0;
			rgba[y][x][2] = is_disc || x >= WIDTH / 2 ? 255 : 0;
			rgba[y][x][3] = 255;
		}
	}
}

static char *draw(uint32_t width, uint32_t height, struct picture_terminal t)
{
	char *text;

	paint();
	text = picture_draw(rgba[0][0], width, height, &t);
	if (!text)
		skip();
	return text;
}

static struct picture_terminal terminal(enum picture_colors colors)
{
	return (struct picture_terminal){
		.colors = colors, .has_unicode = true, .columns = 64, .rows = 24
	};
}

static void count(const char *text, unsigned *columns, unsigned *rows)
{
	unsigned now = 0;

	*columns = 0;
	*rows = 1;
	for (; *text; text++) {
		if (*text == '\n') {
			(*rows)++;
			now = 0;
		} else if (((uint8_t)*text & 0xc0) != 0x80) {
			now++;
		}
		if (now > *columns)
			*columns = now;
	}
}

static void a_picture_is_no_larger_than_its_terminal(void **state)
{
	static const unsigned cases[][6] = {
		/* image, terminal, drawn */
		{ 320, 200, 64, 24, 64, 20 }, { 320, 200, 10, 24, 10, 3 },
		{ 320, 200, 64, 5, 16, 5 },   { 320, 200, 1, 1, 1, 1 },
		{ 8, 8, 64, 24, 8, 4 },       { 320, 1, 64, 24, 64, 1 },
		{ 1, 200, 64, 24, 1, 24 },    { 1, 1, 64, 24, 1, 1 },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct picture_terminal t = terminal(PICTURE_PLAIN);
		unsigned columns, rows;
		char *text;

		t.columns = cases[i][2];
		t.rows = cases[i][3];
		text = draw(cases[i][0], cases[i][1], t);
		count(text, &columns, &rows);
		assert_int_equal(columns, cases[i][4]);
		assert_int_equal(rows, cases[i][5]);
		free(text);
	}
}

static void colors_are_those_that_the_terminal_has(void **state)
{
	char *text;

	(void)state;
	text = draw(WIDTH, HEIGHT, terminal(PICTURE_TRUE));
	assert_non_null(strstr(text, "8;2;25"));
	free(text);
	text = draw(WIDTH, HEIGHT, terminal(PICTURE_256));
	assert_non_null(strstr(text, "8;5;196"));
	assert_null(strstr(text, "8;2;25"));
	free(text);
	text = draw(WIDTH, HEIGHT, terminal(PICTURE_16));
	assert_non_null(strchr(text, '\033'));
	assert_null(strstr(text, "8;5;"));
	assert_null(strstr(text, "8;2;25"));
	free(text);
}

static void without_colors_there_is_text_alone(void **state)
{
	struct picture_terminal t = terminal(PICTURE_PLAIN);
	char *text;

	(void)state;
	text = draw(WIDTH, HEIGHT, t);
	assert_null(strchr(text, '\033'));
	assert_non_null(strstr(text, "█"));
	free(text);
	t.has_unicode = false;
	text = draw(WIDTH, HEIGHT, t);
	for (const char *p = text; *p; p++)
		assert_true((*p >= ' ' && *p <= '~') || *p == '\n');
	free(text);
}

/* What a test program's standard output is, while it lasts. */
static int swapped = -1;

static void swap_output(int fd)
{
	struct options o = { 0 };

	fflush(stdout);
	swapped = dup(STDOUT_FILENO);
	dup2(fd, STDOUT_FILENO);
	assert_int_equal(out_init(&o), 0);
}

static void swap_back(void)
{
	fflush(stdout);
	dup2(swapped, STDOUT_FILENO);
	close(swapped);
}

static int see_error;

static int see(struct bytes image, uint32_t *width, uint32_t *height, uint8_t **out)
{
	assert_int_equal(image.size, 5);
	if (see_error < 0)
		return see_error;
	paint();
	*width = WIDTH;
	*height = HEIGHT;
	*out = malloc(sizeof rgba);
	memcpy(*out, rgba, sizeof rgba);
	return 0;
}

static void a_picture_is_shown_on_a_terminal_only(void **state)
{
	static const struct cli_programs programs = { .see = see };
	struct cli c = { .programs = &programs };
	struct winsize size = { .ws_col = 40, .ws_row = 50 };
	int main_fd, other_fd, elsewhere, no_terminal, broken, shown;
	unsigned columns, rows;
	char text[65536];
	size_t size_read = 0;
	ssize_t got;

	(void)state;
	free(draw(WIDTH, HEIGHT, terminal(PICTURE_PLAIN))); /* skipped without libchafa */
	unsetenv("COLORTERM");
	setenv("NO_COLOR", "1", 1);
	elsewhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
	swap_output(elsewhere);
	no_terminal = picture_show(&c, bytes_text("image"), 0);
	swap_back();
	assert_int_equal(no_terminal, ERR_STATE);
	close(elsewhere);

	assert_int_equal(openpty(&main_fd, &other_fd, NULL, NULL, &size), 0);
	swap_output(other_fd);
	see_error = ERR_FORMAT;
	broken = picture_show(&c, bytes_text("image"), 0);
	see_error = 0;
	shown = picture_show(&c, bytes_text("image"), 30);
	swap_back();
	assert_int_equal(broken, ERR_FORMAT);
	assert_int_equal(shown, 0);
	close(other_fd); /* then there is an end */
	while ((got = read(main_fd, text + size_read, sizeof text - 1 - size_read)) > 0)
		size_read += (size_t)got;
	text[size_read] = '\0';
	assert_null(strchr(text, '\033'));
	for (char *p = text; *p; p++) /* a terminal's line ends; not one of them at the end */
		if (*p == '\r')
			memmove(p, p + 1, strlen(p));
	text[strlen(text) - 1] = '\0';
	count(text, &columns, &rows);
	assert_int_equal(columns, 30);
	assert_int_equal(rows, 9);
	close(main_fd);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_picture_is_no_larger_than_its_terminal),
		cmocka_unit_test(colors_are_those_that_the_terminal_has),
		cmocka_unit_test(without_colors_there_is_text_alone),
		cmocka_unit_test(a_picture_is_shown_on_a_terminal_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
