#include "shared/menu.h"

#include <string.h>

#include "shared/error.h"

/* A line that can be read and pressed: not of spaces alone. */
static bool is_line(struct bytes line)
{
	size_t spaces = 0;

	while (spaces < line.size && line.data[spaces] == ' ')
		spaces++;
	return spaces < line.size && bytes_is_line(line);
}

bool menu_next(struct bytes *lines, struct bytes *line)
{
	const uint8_t *end;

	if (lines->size == 0)
		return false;
	end = memchr(lines->data, '\n', lines->size);
	*line = bytes_of(lines->data, end ? (size_t)(end - lines->data) : lines->size);
	*lines = end ? bytes_of(end + 1, lines->size - line->size - 1) : (struct bytes){ 0 };
	return true;
}

void menu_split(struct bytes line, struct bytes *name, struct bytes *about)
{
	const uint8_t *space = line.size > 0 ? memchr(line.data, ' ', line.size) : NULL;
	size_t size = space ? (size_t)(space - line.data) : line.size;

	*name = bytes_of(line.data, size);
	*about = space ? bytes_of(space + 1, line.size - size - 1) : (struct bytes){ 0 };
}

static int check_button(struct bytes line)
{
	if (line.size > MENU_BUTTON_MAX)
		return ERR_LIMIT;
	return is_line(line) ? 0 : ERR_FORMAT;
}

static int check_command(struct bytes line)
{
	struct bytes name, about;

	menu_split(line, &name, &about);
	if (name.size > MENU_NAME_MAX || about.size > MENU_ABOUT_MAX)
		return ERR_LIMIT;
	for (size_t i = 0; i < name.size; i++) {
		uint8_t c = name.data[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_' && c != '-')
			return ERR_FORMAT;
	}
	return name.size > 0 && about.size > 0 && is_line(about) ? 0 : ERR_FORMAT;
}

static int check(struct bytes lines, unsigned max, int (*check_line)(struct bytes line))
{
	struct bytes line;
	int err = 0;

	/* An end of line behind the last one would be a second form of the same. */
	if (lines.size > 0 && lines.data[lines.size - 1] == '\n')
		return ERR_FORMAT;
	for (unsigned count = 0; err == 0 && menu_next(&lines, &line); count++)
		err = count < max ? check_line(line) : ERR_LIMIT;
	return err;
}

int menu_check_buttons(struct bytes lines)
{
	return check(lines, MENU_BUTTONS_MAX, check_button);
}

int menu_check_commands(struct bytes lines)
{
	return check(lines, MENU_COMMANDS_MAX, check_command);
}
