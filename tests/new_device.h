/* Alice's device and Bob, who have talked, and Alice's new device: engines on a calm network. One
 * such story for each test program. */
#ifndef PALIQUE_TESTS_NEW_DEVICE_H
#define PALIQUE_TESTS_NEW_DEVICE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/peer_fixture.h"

extern struct calm_net net;
extern struct peer old, fresh, bob; /* `old` and `fresh` are Alice's */

/* Alice and Bob with what they say in `talk`, and then the new device. */
int new_device_begin(void (*talk)(void));
int new_device_end(void **state);

static inline void pass(mono_ns length)
{
	calm_net_run(&net, length, NULL, NULL);
}

/* Each is told of the devices of the others. */
void tell_all(void);
/* It has time to arrive. */
static inline void say(struct peer *from, const char *to, const char *text)
{
	assert_int_equal(engine_send(from->engine, to, bytes_text(text), 0, 1), 0);
	pass(20 * MILLISECOND);
}

/* What is shown with somebody, as shown_read() has it. */
void assert_shows(struct peer *p, const char *with, const char *what);

#endif
