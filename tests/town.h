/* A town: engines of some homes and a directory in one process, on a calm network. */
#ifndef PALIQUE_TESTS_TOWN_H
#define PALIQUE_TESTS_TOWN_H

#include "directory/server.h"
#include "peer/engine.h"
#include "tests/calm_net.h"

enum { TOWN_HOMES = 4 };

struct home {
	struct engine *engine;
	unsigned node;
	char path[160], downloads[160]; /* its store; where files go */
	struct event *events;
	unsigned count;
	uint64_t last_id;
	unsigned steps;
};

struct town {
	struct calm_net net;
	char folder[64];
	struct server *server;
	unsigned server_node;
	struct home homes[TOWN_HOMES];
	uint64_t tickets;
};

struct wait {
	struct home *home;
	enum event_kind kind;
	uint64_t ticket;
	unsigned count;
	const char *name;
};

/* What becomes of an image, where a test has some; else there are none. */
struct image_work;
extern int (*town_image)(struct image_work *work);

void forget_events(struct home *h);
const struct event *find_event(const struct home *h, enum event_kind kind);
unsigned count_events(const struct home *h, enum event_kind kind);
void start_server(struct town *t);
void stop_server(struct town *t);
void start_home(struct town *t, struct home *h);
void stop_home(struct town *t, struct home *h);
int build_town(void **state);
int raze_town(void **state);
bool has_answer(void *user);
int answer_of(struct town *t, struct home *h, uint64_t ticket);
bool has_events(void *user);
void wait_for(struct town *t, struct home *h, enum event_kind kind, unsigned count);
bool is_online(void *user);
void wait_online(struct town *t, struct home *h);
bool sees_online(void *user);
bool sees_offline(void *user);
void wait_seen(struct town *t, struct home *h, const char *name, bool is_up);
struct uri link_of(struct town *t, bool has_key);
int join(struct town *t, struct home *h, const char *name, bool has_key);
uint64_t say(struct town *t, struct home *h, const char *to, const char *text);
void befriend(struct town *t);
void assert_heard(const struct home *h, unsigned at, const char *text);

#define TOWN(test) cmocka_unit_test_setup_teardown(test, build_town, raze_town)

#endif
