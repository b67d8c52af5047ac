/* A conversation written down for people and programs outside: each message as a line of JSON, or as a
 * piece of a page of HTML that is whole by itself, without a script. What others wrote never becomes
 * markup; control and bidirectional characters are shown as what they are. docs/history.md. */
#ifndef PALIQUE_PEER_TRANSCRIPT_H
#define PALIQUE_PEER_TRANSCRIPT_H

#include "peer/event.h"

enum transcript_format { TRANSCRIPT_JSONL, TRANSCRIPT_HTML };
enum { TRANSCRIPT_NAME_MAX = 96 };   /* of a copied file, NUL included */
enum { TRANSCRIPT_QUOTE_MAX = 120 }; /* bytes of a quoted first line */

/* Each appends to `out`. The page's beginning and end; of JSON lines nothing. */
void transcript_begin(enum transcript_format format, struct buf *out, const char *account,
		      wall_ms now);
void transcript_end(enum transcript_format format, struct buf *out);
/* What follows was said with this person. */
void transcript_with(enum transcript_format format, struct buf *out, const struct name *name);
/* `media`: the copy of its file, relative to the page; NULL: there is none. `quote`: what transcript_quote() made of
 * the message that it replies to; empty: that is not here. */
void transcript_message(enum transcript_format format, struct buf *out, const struct message *m,
			const char *media, struct bytes quote);
/* Whose it is, and how it begins, with a link to it; of JSON lines nothing. */
void transcript_quote(enum transcript_format format, struct buf *out, const struct message *m);

/* What the copy of a message's file is called: the message's id and of the name what is safe
 * anywhere; what a browser might run is given another ending. */
void transcript_media_name(const struct message *m, char out[TRANSCRIPT_NAME_MAX]);

/* Text of others as HTML, with *bold*, _italic_ and `code` rendered. */
void transcript_html_text(struct buf *out, struct bytes text);

#endif
