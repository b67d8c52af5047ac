/* The model as rows of a terminal: who there is, what was said, what is written, and what can be
 * done now. */
#ifndef PALIQUE_PEER_FACES_TUI_VIEW_H
#define PALIQUE_PEER_FACES_TUI_VIEW_H

#include "peer/faces/tui/model.h"
#include "peer/faces/tui/sheet.h"

/* The picture of a message, drawn for so many columns; NULL: none, or not yet. */
typedef const struct sheet *view_picture(void *context, const struct talk *t,
					 const struct said *s, unsigned columns);

/* Where things stand, in cells. */
struct places {
	unsigned columns, rows;
	unsigned bottom_rows;          /* of the words below everything */
	unsigned list_x, list_columns; /* 0: not shown */
	unsigned talk_x, talk_columns; /* 0: not shown */
	unsigned talk_y, talk_rows;    /* of the timeline */
	unsigned compose_y, compose_rows;
};

enum focus { FOCUS_COMPOSE, FOCUS_LIST, FOCUS_TALK };

struct view {
	struct places places;
	enum focus focus;
	bool shows_list_alone; /* where there is no room for both */
	size_t list_top;       /* first row of the list */
	char list_chosen[64];  /* name under the bar, while the list has the focus */
	const char *filter;    /* typed in the list; "" */
	char hint[256];        /* what can be done now */
	char notice[1024];
	bool is_error;
	bool is_lost, is_slow; /* the line to the engine */
	view_picture *picture;
	void *context;
};

void view_arrange(struct view *v, unsigned columns, unsigned rows, const struct model *m);
/* Where the timeline stands, before it is drawn: what is anchored stays, what is to be seen is. */
void view_settle(struct view *v, struct talk *t);
/* Draws everything and places the cursor. */
void view_draw(struct view *v, const struct model *m);
/* The words below everything: what is to be known, else what can be done now. */
void view_draw_bottom(const struct view *v);

/* The first line of what may not be safe. */
void view_put_safe(unsigned x, unsigned y, unsigned columns, enum style style,
		   const char *text);

/* The talk or message that is drawn there, or NULL. */
const char *view_name_at(const struct view *v, const struct model *m, unsigned x, unsigned y);
uint64_t view_message_at(const struct view *v, unsigned x, unsigned y);

/* The names of the list that pass the filter, in its order: the i-th, or NULL. */
struct talk *view_listed(const struct view *v, const struct model *m, size_t i);

/* Chooses the message before or behind the chosen one and brings it into sight; false: none there. */
bool view_choose(struct view *v, struct model *m, bool older);
/* Scrolls by rows, up where positive. */
void view_scroll(struct view *v, struct model *m, long rows);

/* One message laid out: the whole of what the timeline shows of it. The caller frees. */
struct sheet *view_message(const struct view *v, const struct talk *t, const struct said *s,
			   unsigned columns);
/* Presence in a sign and a word: "●", "online"; the style that goes with it. */
const char *view_presence(const struct json *contact, const char **words, enum style *style);
/* A path as people write it: ~ for their folder. `out`, or `path`. */
const char *view_path(const char *path, char *out, size_t size);
const char *
view_title(const struct talk *t); /* as the contact calls itself, or the name; not made safe */

#endif
