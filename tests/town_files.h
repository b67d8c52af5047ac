/* Files on disk, and what becomes of them between the homes of a town. */
#ifndef PALIQUE_TESTS_TOWN_FILES_H
#define PALIQUE_TESTS_TOWN_FILES_H

#include "shared/link.h"
#include "shared/wire.h"
#include "tests/town.h"

/* --- on disk --- */

enum { LARGE = 5 * 1024 * 1024 + 12345 }; /* bytes: more than arrives at once */

void path_in(const struct town *t, const char *name, char out[200]);
/* The same bytes each time; its path. */
void make_file(const struct town *t, const char *name, size_t size, char path[200]);
/* A folder with large and empty files, a hidden one, and folders within. */
void make_folder(const struct town *t, char path[200]);
/* Two files, or two folders with all that is in them. */
bool are_equal(const char *a, const char *b);

/* --- offered and heard of --- */

/* The message's id, there; where it was heard, heard(). */
uint64_t offer(struct town *t, struct home *from, const char *to, const char *path);
uint64_t offer_as(struct town *t, struct home *from, const char *to,
		  const struct engine_file *file);
uint64_t heard(struct town *t, struct home *home);
/* What is no larger, of any size: fetched without being asked, from now on. */
void accept_up_to(struct home *home, uint64_t bytes);
void accept_all(struct home *home);

struct seen {
	enum transfer_state state;
	uint64_t done;
	int error;
	uint8_t file[16]; /* its id */
	char path[300];
};
struct seen see(struct home *home, uint64_t id);
void await(struct town *t, struct home *home, uint64_t id, enum transfer_state state);
/* It runs, and so many bytes are here. */
void await_bytes(struct town *t, struct home *home, uint64_t id, uint64_t bytes);

/* --- between them --- */

/* An `is_cut`: nobody reaches anybody but the directory. */
bool is_apart(void *user, const struct calm_net_node *from, const struct calm_net_node *to);
/* What the first home has sent. */
uint64_t bytes_between(const struct town *t);
/* The link to one who is linked, and a message said on one of its streams, as a liar would. */
struct link *link_to(struct home *home, const char *name);
void say_on(struct link *link, int64_t stream, const struct wire_message *m);
/* What a machine that was killed in the midst would find in its store. */
void sql(struct home *home, const char *what);

#endif
