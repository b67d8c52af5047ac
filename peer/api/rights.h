/* What a program with a token may call, and with which parameters: a table, and what is not in it is refused.
 * Pure: whose a message is the caller finds out. */
#ifndef PALIQUE_PEER_API_RIGHTS_H
#define PALIQUE_PEER_API_RIGHTS_H

#include "peer/bots.h"
#include "peer/event.h"
#include "shared/json.h"

/* What is taken out of an answer (peer/api/narrow.h). */
enum right_view { VIEW_ALL, VIEW_MESSAGES, VIEW_CONTACTS, VIEW_STATUS };

struct right {
	const char *method;
	enum bot_may may;   /* the least that it takes */
	const char *params; /* that may be given, with a space between */
	const char *
		conversation; /* the parameter that names one of its conversations, never left out; NULL: none */
	const char *
		message; /* ... a message of one of them, which may be left out where the method allows it */
	bool is_own;     /* the message is one that it said itself */
	bool is_counted; /* by its rate */
	enum right_view view;
};
/* NULL: no program may call it. */
const struct right *right_find(const char *method);

/* Before it is looked whose the message is: ERR_REFUSED. */
int right_check(const struct right *right, const struct bot *bot, const struct json *params);

/* Whether it is told of an event. */
bool right_hears(const struct bot *bot, const struct event *event);

#endif
