#include "peer/faces/cli/progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "peer/faces/cli/output.h"

void progress_begin(struct progress *p, const char *label, int64_t now_ms)
{
	memset(p, 0, sizeof *p);
	snprintf(p->label, sizeof p->label, "%s", label);
	p->began_ms = now_ms;
	p->tenth = -1;
	p->is_terminal = isatty(STDERR_FILENO);
}

static void draw(struct progress *p, int64_t done, int64_t whole, const char *figures)
{
	char bar[PROGRESS_BAR_WIDTH + 1];
	double part = whole > 0 ? (double)done / (double)whole : 1;
	int full = (int)(part * PROGRESS_BAR_WIDTH);

	for (int i = 0; i < PROGRESS_BAR_WIDTH; i++)
		bar[i] = i < full ? '#' : '.';
	bar[PROGRESS_BAR_WIDTH] = '\0';
	fflush(stdout);
	fprintf(stderr, "\r\033[K  %s [%s] %s", p->label, bar, figures);
	fflush(stderr);
	p->has_bar = true;
}

void progress_show(struct progress *p, int64_t done, int64_t whole, const char *figures,
		   int64_t now_ms)
{
	int tenth = whole > 0 ? (int)((double)done / (double)whole * 10) : 10;

	if (out_is_silent() || now_ms - p->began_ms < PROGRESS_BAR_AFTER_MS)
		return;
	if (p->is_terminal) {
		draw(p, done, whole, figures);
	} else if (tenth > p->tenth) {
		out_say("  %s: %s", p->label, figures);
		p->tenth = tenth;
	}
}

void progress_end(struct progress *p)
{
	if (p->has_bar) {
		fputs("\r\033[K", stderr);
		fflush(stderr);
	}
	p->has_bar = false;
}
