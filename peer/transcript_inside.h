/* Inside of transcript: transcript_page.c is the HTML, transcript.c the rest. */
#ifndef PALIQUE_PEER_TRANSCRIPT_INSIDE_H
#define PALIQUE_PEER_TRANSCRIPT_INSIDE_H

#include "peer/transcript.h"

void transcript_page_begin(struct buf *out, const char *account, wall_ms now);
void transcript_page_end(struct buf *out);
void transcript_page_with(struct buf *out, const struct name *name);
void transcript_page_message(struct buf *out, const struct message *m, const char *media,
			     struct bytes quote);
void transcript_page_quote(struct buf *out, const struct message *m);

#endif
