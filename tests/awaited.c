#include "tests/awaited.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *it;

static void on_alarm(int number)
{
	(void)number;
	fprintf(stderr, "never in %d s: %s\n", AWAITED_S, it);
	exit(1); /* what was begun goes with it: worth more than the rules of signal handlers */
}

void awaited(const char *what)
{
	it = what;
	signal(SIGALRM, on_alarm);
	alarm(AWAITED_S);
}

void awaited_came(void)
{
	alarm(0);
}
