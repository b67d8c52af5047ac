/* Shell: begins the person's browser, where there is a screen. Never waits for it. */
#ifndef PALIQUE_PEER_BROWSER_H
#define PALIQUE_PEER_BROWSER_H

#include <stdbool.h>
#include <uv.h>

struct browser;
/* NULL: there is no screen here. */
struct browser *browser_new(uv_loop_t *loop);
/* Others may see the address among a process's arguments. ERR_BUSY: it is just begun; ERR_NOT_FOUND: there is
 * nothing that opens it. */
int browser_open(struct browser *b, const char *url);
/* To be called while the loop still runs once more. NULL is harmless; a browser that is open stays. */
void browser_close(struct browser *b);

#endif
