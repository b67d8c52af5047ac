#include "shared/extra_sockets.h"

enum { FREE, HELD, LET_GO };

uint16_t extra_sockets_take(struct extra_sockets *x)
{
	for (unsigned i = 0; i < PATH_EXTRA_MAX; i++) {
		unsigned n = (x->turn + i) % PATH_EXTRA_MAX;

		if (x->state[n] != FREE)
			continue;
		x->state[n] = HELD;
		x->turn = (n + 1) % PATH_EXTRA_MAX;
		return PATH_EXTRA + n;
	}
	return 0;
}

void extra_sockets_release(struct extra_sockets *x, uint16_t socket)
{
	unsigned n = (unsigned)socket - PATH_EXTRA;

	if (socket < PATH_EXTRA || n >= PATH_EXTRA_MAX || x->state[n] != HELD)
		return;
	x->state[n] = LET_GO;
	x->let_go++;
}

bool extra_sockets_next(struct extra_sockets *x, const bool is_used[PATH_EXTRA_MAX],
			uint16_t *socket)
{
	for (unsigned n = 0; n < PATH_EXTRA_MAX && x->let_go > 0; n++) {
		if (x->state[n] != LET_GO || is_used[n])
			continue;
		x->state[n] = FREE;
		x->let_go--;
		*socket = PATH_EXTRA + n;
		return true;
	}
	return false;
}
