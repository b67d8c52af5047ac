/* Buttons and commands of others: what is taken can be split into lines of their limits. And a program's request: what
 * the table lets through names a conversation of its own. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "peer/api/rights.h"
#include "shared/menu.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void split(struct bytes lines)
{
	struct bytes line, name, about;
	unsigned count = 0;

	while (menu_next(&lines, &line)) {
		menu_split(line, &name, &about);
		assert(line.size > 0 && line.size <= MENU_COMMAND_SIZE);
		assert(name.size + about.size <= line.size);
		count++;
	}
	assert(count <= MENU_COMMANDS_MAX);
}

static void ask(struct bytes line)
{
	struct bot bot = { .id = 1, .name = { "echo" }, .may = BOT_SENDS, .names = " bob dan " };
	struct json *params;
	const struct right *right;

	if (line.size == 0 || json_parse(&params, bytes_of(line.data + 1, line.size - 1)) < 0)
		return;
	right = right_find(line.data[0] % 2 ? "send" : "getMessages");
	if (json_is_object(params) && right_check(right, &bot, params) == 0) {
		const char *name = json_text(params, "conversation");

		assert(name && (!strcmp(name, "bob") || !strcmp(name, "dan")));
	}
	json_free(params);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes b = bytes_of(data, size);

	if (menu_check_buttons(b) == 0)
		split(b);
	if (menu_check_commands(b) == 0)
		split(b);
	ask(b);
	return 0;
}
