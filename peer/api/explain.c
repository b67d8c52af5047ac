#include "peer/api/explain.h"

#include <stdio.h>
#include <string.h>

#include "shared/error.h"
#include "shared/text.h"

/* clang-format off */
/* The first row that fits tells what happened, where error_text() alone would be too bare,
 * and what to type next. %s is whom it was about. */
static const struct hint {
	const char *method; /* NULL: any */
	int err;
	const char *sentence; /* NULL: error_text() */
	const char *next;
} hints[] = {
	{ "join", ERR_EXISTS, N_("the name %s is taken"), N_("palique join LINK --name OTHER-NAME") },
	{ "join", ERR_OFFLINE, NULL, N_("the same again, with the network and the address in the link checked") },
	{ "join", ERR_TIMEOUT, NULL, N_("the same again, with the network and the address in the link checked") },
	{ "join", ERR_FORMAT, NULL, N_("palique join LINK") },
	{ "join", ERR_LIMIT, NULL, N_("palique join LINK") },
	{ "join", ERR_NAME, N_("\"%s\" cannot be a name"), N_("palique join LINK --name NAME") },
	{ "join", ERR_STATE, NULL, "palique status" },
	{ "join", ERR_EXPIRED, N_("the invitation has expired"), N_("palique join NEW-LINK") },
	{ "join", ERR_REFUSED, NULL, N_("palique join NEW-LINK") },
	{ "login", ERR_AUTH, N_("wrong name or password"), N_("palique login %s@DIRECTORY") },
	{ "login", ERR_REFUSED, N_("this home holds another account than %s"), N_("palique --home OTHER-FOLDER login %s@DIRECTORY") },
	{ "host", ERR_FORMAT, NULL, "palique host --listen 0.0.0.0:7272" },
	{ "host", ERR_EXISTS, NULL, N_("palique host --listen ADDRESS:OTHER-PORT") },
	{ "host", ERR_IO, NULL, N_("palique host --listen ADDRESS:OTHER-PORT") },
	{ "hostStatus", ERR_STATE, N_("this engine hosts no directory"), "palique host" },
	{ "createInvite", ERR_STATE, NULL, "palique host" },
	{ "getLink", ERR_STATE, N_("there is no account here yet"), N_("palique join LINK") },
	{ "acceptContact", ERR_KEY_CHANGED, N_("%s shows yet another key now"), "palique accept %s" },
	{ "acceptContact", ERR_REFUSED, N_("the key that %s shows is that of another contact"), "palique ls" },
	{ "acceptContact", ERR_NOT_FOUND, N_("%s has not asked"), "palique add %s" },
	{ "addContact", ERR_EXISTS, N_("%s is a contact already"), "palique ls" },
	{ "addContact", ERR_STATE, N_("there is no account here yet"), N_("palique join LINK") },
	{ "addContact", ERR_REFUSED, NULL, "palique status" },
	{ "addContact", ERR_FORMAT, NULL, N_("palique add NAME") },
	{ "send", ERR_NOT_FOUND, N_("%s is not a contact"), "palique add %s" },
	{ "send", ERR_REFUSED, N_("%s is blocked"), "palique remove %s" },
	{ "send", ERR_LIMIT, NULL, N_("split -C 16384 FILE") },
	{ "send", ERR_FORMAT, NULL, N_("palique send %s TEXT") },
	{ "send", ERR_STATE, N_("there is no account here yet"), N_("palique join LINK") },
	{ "subscribe", ERR_LIMIT, N_("there was no such event yet"), "palique recv" },
	{ NULL, ERR_KEY_CHANGED, N_("%s shows another key; nothing is sent until you decide"), "palique doctor" },
	{ NULL, ERR_NOT_FOUND, N_("%s is not a contact"), "palique ls" },
	{ NULL, ERR_NAME, N_("\"%s\" cannot be a name"), "palique ls" },
	{ NULL, ERR_STATE, NULL, N_("palique join LINK") },
	{ NULL, ERR_OFFLINE, NULL, "palique doctor" },
	{ NULL, ERR_TIMEOUT, NULL, "palique doctor" },
	{ NULL, ERR_CORRUPT, NULL, "palique doctor" },
	{ NULL, ERR_FULL, NULL, "palique doctor" },
};
/* clang-format on */

/* `pattern` with its %s, of which there may be two, filled in. */
static void fill_in(char *out, size_t size, const char *pattern, const char *subject)
{
	size_t used = 0;

	if (size == 0)
		return;
	while (*pattern && used + 1 < size) {
		if (pattern[0] == '%' && pattern[1] == 's') {
			int more = snprintf(out + used, size - used, "%s", subject);
			used += (size_t)more < size - used ? (size_t)more : size - used - 1;
			pattern += 2;
		} else {
			out[used++] = *pattern++;
		}
	}
	out[used] = '\0';
}

void explain(const char *method, int err, const char *subject, char *message,
	     size_t message_size, char *next, size_t next_size)
{
	const char *whom = subject && *subject ? subject : "NAME";

	snprintf(message, message_size, "%s", error_text(err));
	*next = '\0';
	for (size_t i = 0; i < sizeof hints / sizeof *hints; i++) {
		if (hints[i].err != err || (hints[i].method && strcmp(hints[i].method, method)))
			continue;
		if (hints[i].sentence)
			fill_in(message, message_size, _(hints[i].sentence), whom);
		fill_in(next, next_size, _(hints[i].next), whom);
		return;
	}
}
