/* A person at a terminal of 80x24: begins a program there, waits for each of its questions, and types the next
 * answer. What stood on the terminal goes to standard output.
 *
 *   typist_tool ANSWER... -- COMMAND...
 *
 * Ends as the program does; 99 when it asks more than there are answers. "typist: N questions" is the last line
 * on standard error. A question is what stands at the end of a line that has not ended, behind ": " or "] ", and stays. */
#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROWS = 24, COLUMNS = 80, QUIET_MS = 150, PATIENCE_MS = 120 * 1000, TOO_MANY = 99 };

static char tail[3]; /* the last two bytes it has said */

static void hear(const char *bytes, size_t size)
{
	if (fwrite(bytes, 1, size, stdout) != size)
		exit(1);
	for (size_t i = 0; i < size; i++) {
		tail[0] = tail[1];
		tail[1] = bytes[i];
	}
}

static int is_question(void)
{
	return !strcmp(tail, ": ") || !strcmp(tail, "] ");
}

static void type(int terminal, const char *answer)
{
	char line[1024];
	int size = snprintf(line, sizeof line, "%s\n", answer);

	tail[0] = tail[1] = 0;
	if (write(terminal, line, (size_t)size) < 0)
		exit(1);
}

int main(int argc, char **argv)
{
	struct winsize size = { .ws_row = ROWS, .ws_col = COLUMNS };
	int answers = 1, asked = 0, terminal, status = 0;
	pid_t child;

	while (answers < argc && strcmp(argv[answers], "--") != 0)
		answers++;
	if (answers + 1 >= argc)
		return 2;
	child = forkpty(&terminal, NULL, NULL, &size);
	if (child < 0)
		return 1;
	if (child == 0) {
		execvp(argv[answers + 1], argv + answers + 1);
		_exit(127);
	}
	for (;;) {
		struct pollfd at = { .fd = terminal, .events = POLLIN };
		char bytes[4096];
		ssize_t got;
		bool is_asked = is_question() && asked + 1 < answers;
		int is_ready = poll(&at, 1, is_asked ? QUIET_MS : PATIENCE_MS);

		if (is_ready == 0 && is_asked) {
			type(terminal, argv[++asked]);
			continue;
		}
		if (is_ready == 0) {
			fprintf(stderr, "typist: it waits for more\n");
			kill(child, SIGKILL);
			return TOO_MANY;
		}
		got = read(terminal, bytes, sizeof bytes);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) /* EIO: nobody has it open any more */
			break;
		hear(bytes, (size_t)got);
	}
	waitpid(child, &status, 0);
	fprintf(stderr, "typist: %d questions\n", asked);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
