/* The folder of one account on this machine: which one it is, its lock, and the socket by
 * which faces reach its engine. */
#ifndef PALIQUE_PEER_HOME_H
#define PALIQUE_PEER_HOME_H

#include <stddef.h>

enum {
	HOME_PATH_MAX = 4096,
	HOME_SOCKET_MAX = 108, /* sun_path, NUL included */
};

struct home {
	char folder[HOME_PATH_MAX];
	char socket[HOME_SOCKET_MAX];
};

/* `option` (--home, may be NULL), else $PALIQUE_HOME, else $XDG_DATA_HOME/palique, else
 * $HOME/.local/share/palique; made with mode 0700 where it is missing. The socket is
 * FOLDER/engine.sock, or $XDG_RUNTIME_DIR/palique-HASH.sock where that would be too long.
 * ERR_REFUSED: others may write there. `reason` gets a sentence on failure. */
int home_find(struct home *home, const char *option, char *reason, size_t reason_size);

/* FOLDER/name; ERR_LIMIT when too long. */
int home_path(const struct home *home, const char *name, char out[HOME_PATH_MAX]);

/* Where files that others send go when nobody has said where: $XDG_DOWNLOAD_DIR, else
 * $HOME/Downloads, each where it is a folder; else FOLDER/downloads, which need not be there yet. */
int home_downloads(const struct home *home, char out[HOME_PATH_MAX]);

/* Takes FOLDER/lock, for as long as the process lives. Waits up to `seconds` for a holder
 * that is leaving. Returns the descriptor or ERR_LOCKED, ERR_IO; ERR_EXISTS: the holder is not
 * leaving, it was beginning and now listens on the socket (only looked at while it waits). */
int home_lock(const struct home *home, unsigned seconds);

/* Takes FOLDER/start.lock, as a command does that begins an engine: whoever holds it is alone in
 * beginning one, or in changing how it begins. Waits. The descriptor, or ERR_IO. */
int home_start_lock(const struct home *home);

/* A file of a few bytes (a port, an address), replaced as a whole. */
int home_remember(const struct home *home, const char *name, const char *text);
int home_recall(const struct home *home, const char *name, char *out, size_t size);

#endif
