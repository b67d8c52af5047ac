/* What makes a shell complete our commands, and the names of contacts, which the scripts ask for while
 * somebody types. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "peer/faces/cli/cli.h"
#include "peer/faces/cli/completion.h"
#include "peer/faces/cli/options_table.h"
#include "peer/faces/cli/output.h"
#include "shared/text.h"

enum { CONTACTS_MS = 500 }; /* somebody waits with a finger on the key */

/* --- what the three have in common --- */

void completion_text(FILE *out, const char *text, const char *quote, const char *also)
{
	for (; text && *text; text++) {
		if (*text == '\'')
			fputs(quote, out);
		else
			fprintf(out, "%s%c", strchr(also, *text) ? "\\" : "", *text);
	}
}

void completion_commands(FILE *out)
{
	for (unsigned i = 0; i < COMMAND_COUNT; i++)
		fprintf(out, "%s%s", i ? " " : "", command_rows[i].name);
}

void completion_letters(FILE *out, void (*put)(FILE *out, const char *command,
					       const struct option_row *row))
{
	for (unsigned i = 0; i < COMMAND_COUNT; i++)
		for (unsigned o = 0; o < OPTION_COUNT; o++)
			if ((command_rows[i].options & OPTION_BIT(o)) && option_rows[o].value &&
			    option_rows[o].letter)
				put(out, command_rows[i].name, &option_rows[o]);
}

/* --- the names --- */

/* Silent where there is no engine, whatever the reason: what is typed is not to be disturbed. */
static int say_contacts(struct cli *c)
{
	struct client_error error;
	struct client_place place = { .home = c->home, .socket = c->socket };
	const char *home = c->o.value[OPT_HOME];
	char reason[512];
	struct json *result = NULL;
	const struct json *list;

	/* A home that was not typed to its end is not to be made. */
	if ((home && access(home, F_OK) < 0) ||
	    c->programs->find_home(home, c->home, sizeof c->home, c->socket, sizeof c->socket,
				   reason, sizeof reason) < 0 ||
	    client_open(&c->client, &place, false, &error) < 0 ||
	    client_call(c->client, "listContacts", NULL, CONTACTS_MS, &result, &error) < 0)
		return EXIT_DONE;
	list = json_get(result, "contacts");
	for (size_t i = 0; list && i < json_count(list); i++)
		out_line("%s", out_safe(json_text(json_at(list, i), "name")));
	out_json(json_keep(result));
	json_free(result);
	return EXIT_DONE;
}

/* --- the command --- */

static const struct shell_row {
	const char *name;
	void (*write)(FILE *out);
} shells[] = {
	{ "bash", completion_bash },
	{ "zsh", completion_zsh },
	{ "fish", completion_fish },
};

int cmd_completion(struct cli *c)
{
	const char *wanted = c->o.arguments[0];

	if (!strcmp(wanted, "contacts"))
		return say_contacts(c);
	for (size_t i = 0; i < sizeof shells / sizeof *shells; i++) {
		char *text = NULL;
		size_t size;
		FILE *out;

		if (strcmp(shells[i].name, wanted))
			continue;
		out = open_memstream(&text, &size);
		assert(out);
		shells[i].write(out);
		fclose(out);
		text[size - 1] = '\0'; /* its last newline, which the line brings */
		out_line("%s", text);
		out_json(json_set_text(json_set_text(json_object(), "shell", wanted), "script",
				       text));
		free(text);
		return EXIT_DONE;
	}
	return cli_usage(_("one is bash, zsh or fish"), "palique help completion");
}
