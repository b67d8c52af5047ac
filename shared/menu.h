/* What programs show to be chosen: the buttons under a message, and the commands of an account that is a bot.
 * Both are a text of lines, one for each, without a newline at the end; empty: none. Lines hold nothing that
 * a line of a face cannot show as what it is: no controls, nothing that turns its direction. */
#ifndef PALIQUE_SHARED_MENU_H
#define PALIQUE_SHARED_MENU_H

#include "shared/bytes.h"

enum {
	MENU_BUTTONS_MAX = 8, /* under one message */
	MENU_BUTTON_MAX = 64, /* bytes of UTF-8 of a label, at least 1 */
	MENU_COMMANDS_MAX = 32,
	MENU_NAME_MAX = 32,   /* bytes of a command's name: [a-z0-9_-], at least 1 */
	MENU_ABOUT_MAX = 128, /* bytes of UTF-8 of what it is for, at least 1 */
	MENU_BUTTONS_SIZE = MENU_BUTTONS_MAX * (MENU_BUTTON_MAX + 1) - 1,
	MENU_COMMAND_SIZE = MENU_NAME_MAX + 1 + MENU_ABOUT_MAX,
	MENU_COMMANDS_SIZE = MENU_COMMANDS_MAX * (MENU_COMMAND_SIZE + 1) - 1,
};

/* 0, also of an empty text; ERR_FORMAT, ERR_LIMIT. */
int menu_check_buttons(struct bytes lines);
/* Each line is a name, a space, and what it is for. */
int menu_check_commands(struct bytes lines);

/* Takes the next line off the front; false: there is none. */
bool menu_next(struct bytes *lines, struct bytes *line);
/* Name and the rest of a line of commands, which was checked. */
void menu_split(struct bytes line, struct bytes *name, struct bytes *about);

#endif
