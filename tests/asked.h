/* The local API as one face sees it: an engine in memory, lines that it is asked, and what comes back. */
#ifndef PALIQUE_TESTS_ASKED_H
#define PALIQUE_TESTS_ASKED_H

#include "peer/api/api.h"
#include "peer/home.h"
#include "shared/json.h"
#include "tests/peer_fixture.h"

enum { ASKED_LINES = 512 };

/* One face: the lines it was sent, parsed. */
struct asked_face {
	struct api_client *client;
	struct json *got[ASKED_LINES];
	unsigned count;
	bool is_deaf; /* takes no line */
};

extern struct asked {
	struct engine *engine;
	struct api *api;
	struct asked_face face;
	unsigned stops; /* how often the shell was told to stop */
	size_t backlog; /* what the shell says is unread; of a member only */
	size_t weight;  /* so much more of it for each line */
	mono_ns now;
	struct peer member; /* the engine's, where it has an account */
	struct home home;   /* its folder, where it has one */
} asked;

/* Set-ups: without an account, with one, and with one and a home. */
int asked_begin(void **state);
int asked_end(void **state);
int asked_begin_as_member(void **state);
int asked_end_as_member(void **state);
int asked_begin_at_home(void **state);
int asked_end_at_home(void **state);

#define EMPTY(test) cmocka_unit_test_setup_teardown(test, asked_begin, asked_end)
#define MEMBER(test)                                                                           \
	cmocka_unit_test_setup_teardown(test, asked_begin_as_member, asked_end_as_member)
#define AT_HOME(test)                                                                          \
	cmocka_unit_test_setup_teardown(test, asked_begin_at_home, asked_end_at_home)

/* Frees the lines that it was sent. */
void asked_forget(struct asked_face *f);
void asked_step(void);
/* Says one line and gives the answer, or NULL; events may have come around it. Until the next one. */
struct json *asked_line(const char *line);
struct json *asked_call(const char *method, const char *params);
/* Of an answer: 0, where it is no error; NULL. */
int64_t code_of(const struct json *answer);
const char *message_of(const struct json *answer);
const char *hint_of(const struct json *answer);
/* Of one that is no error. */
const struct json *result_in(const struct json *answer);
/* Says it to bob, who is asked to be a contact; its id. */
const char *asked_say(const char *text);

#endif
