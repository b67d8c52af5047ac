/* The face in a browser: web. */
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "peer/faces/cli/cli.h"
#include "peer/faces/cli/output.h"
#include "shared/error.h"
#include "shared/text.h"

extern char **environ;

enum { PORT_MAX = 65535 };

/* Where somebody sits before a screen. */
bool cmd_has_screen(void)
{
	const char *display = getenv("DISPLAY"), *wayland = getenv("WAYLAND_DISPLAY");

	return (display && *display) || (wayland && *wayland);
}

/* Others may see the address among this process's arguments: it is of use to this user alone, since nobody
 * else's connections are heard. False: there is nothing that opens it. */
static bool open_browser(const char *url)
{
	static const char program[] = "xdg-open";
	char *arguments[] = { (char *)program, (char *)url, NULL };
	posix_spawn_file_actions_t actions;
	int status = -1;
	pid_t child;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", 0, 0);
	posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
	if (posix_spawnp(&child, program, &actions, NULL, arguments, environ) == 0)
		waitpid(child, &status, 0);
	posix_spawn_file_actions_destroy(&actions);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void print_address(const char *url, int port)
{
	const char *remote = getenv("SSH_CONNECTION");

	out_line("%s", url);
	if (remote && *remote)
		out_say(_("On the machine where you sit: ssh -L %d:127.0.0.1:%d THIS-MACHINE, "
			  "and "
			  "then this address in a browser there."),
			port, port);
}

static int stop(struct cli *c)
{
	struct json *result = NULL;
	int code = cli_call(c, "closeWeb", NULL, &result);

	if (code != EXIT_DONE)
		return code;
	out_done("%s", _("All pages in browsers are closed."));
	out_json(result);
	return EXIT_DONE;
}

int cmd_page(struct cli *c, struct json *take_params)
{
	struct json *result = NULL;
	const char *url;
	int code = cli_call(c, "openWeb", take_params, &result);

	if (code != EXIT_DONE)
		return code;
	url = json_text(result, "url");
	if (c->o.value[OPT_JSON]) {
		out_json(result);
		return EXIT_DONE;
	}
	if (!c->o.value[OPT_NO_OPEN] && cmd_has_screen() && url && open_browser(url))
		out_done("%s", _("The page opens in your browser."));
	else
		print_address(url ? url : "", (int)json_int(result, "port", 0));
	json_free(result);
	return EXIT_DONE;
}

int cmd_web(struct cli *c)
{
	struct json *params;
	long port;

	if (c->o.argument_count) {
		if (strcmp(c->o.arguments[0], "stop") != 0)
			return cli_usage(_("web takes nothing, or \"stop\""), "palique web");
		return stop(c);
	}
	if (options_number(&c->o, OPT_PORT, 1, PORT_MAX, 0, &port) < 0)
		return cli_usage(_("--port is a number from 1 to 65535"),
				 "palique web --port 7373");
	params = json_object();
	if (port)
		json_set_int(params, "port", port);
	return cmd_page(c, params);
}
