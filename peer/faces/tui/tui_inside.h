/* The inside of the terminal's face: what its files share. */
#ifndef PALIQUE_PEER_FACES_TUI_TUI_INSIDE_H
#define PALIQUE_PEER_FACES_TUI_TUI_INSIDE_H

#include "peer/faces/tui/page.h"
#include "peer/faces/tui/screen.h"
#include "peer/faces/tui/tui.h"
#include "peer/faces/tui/view.h"
#include "peer/faces/tui/wishes.h"

/* Who waits for an answer. `result` is borrowed; NULL: it failed, and the person was told. It is called
 * once in any case, also where nothing could be sent. */
typedef void tui_answered(struct tui *tui, const struct json *result, void *context);

/* Makes a page and shows it, now or when an answer comes; made again it has what is new. */
typedef void tui_page(struct tui *tui, const char *words, uint64_t id);

struct tui {
	const struct tui_config *config;
	struct client *client; /* NULL: the line is lost */
	struct model *model;
	struct view view;
	struct compose *bare; /* what is typed where no conversation is open */
	struct page *page;    /* over everything; or NULL */
	struct { /* what makes it, to make it again; `make` is NULL: none is wanted */
		tui_page *make;
		char words[1200];
		uint64_t id;
	} again;
	struct wishes wishes;
	struct compose *filter; /* of the list, while it has the focus */
	bool is_leaving, is_asked_to_leave;
	int64_t typed_at, notice_at, notice_until, retry_at; /* ms of CLOCK_MONOTONIC */
	unsigned drawn;
	struct pending *pending;
	size_t pending_count, pending_capacity;
	struct pictures *pictures;
	unsigned width;     /* of a page's text */
	char looked_at[64]; /* the conversation that the engine was told is on the screen */
	int64_t slow_since; /* the engine owes an answer since then; 0: it answers */
};

/* Calls; the answer goes to `answered` (NULL: it does not matter, but for an error), with `context`,
 * which is freed afterwards. Takes `params`. */
void tui_call(struct tui *tui, const char *method, struct json *take_params,
	      tui_answered *answered, void *take_context);
/* A line at the bottom for a while. */
void tui_tell(struct tui *tui, bool is_error, const char *words);
/* Shows a page in place of the one before; NULL: none. One that is not wanted any more is freed. */
void tui_show(struct tui *tui, struct page *take_page);
void tui_open_page(struct tui *tui, tui_page *make, const char *words, uint64_t id);
void tui_refresh_page(struct tui *tui);
/* A new line to the engine, with all that is to be known; what is being written stays. */
void tui_connect_again(struct tui *tui, bool may_start);
/* The composer that is typed into now. */
struct compose *tui_compose(struct tui *tui);
int64_t tui_now(void);

/* --- keys (keys.c, keys_places.c) --- */

void keys_typed(struct tui *tui, const struct input *in);
/* Those of the list, of the chosen message, of the page; false: it has no meaning there. */
bool keys_in_list(struct tui *tui, const struct input *in);
bool keys_in_talk(struct tui *tui, const struct input *in);
bool keys_on_page(struct tui *tui, const struct input *in);
void keys_open_list(struct tui *tui);
void keys_leave_list(struct tui *tui, bool is_chosen); /* to the one under the bar */

/* --- what is shown (shown.c) --- */

void tui_draw(struct tui *tui);
size_t tui_page_rows(const struct tui *tui); /* of a page that are seen at a time */

/* --- commands (commands.c) --- */

/* A line that was typed: words to say, or a /command. */
void command_run(struct tui *tui, const char *line);
/* Completes the word before the cursor; again: the next one. */
void command_complete(struct tui *tui);
/* What can be done with what was typed so far: "" where nothing is known of it. */
void command_hint(const struct tui *tui, char *out, size_t size);
/* One of them by its name, with what stands behind it ("" for none). */
void command_do(struct tui *tui, const char *name, const char *rest);

/* --- pages (pages.c, pages_people.c, pages_own.c, pages_bots.c) --- */

tui_page pages_help;
tui_page pages_search;  /* words; id 1: in the open conversation alone */
tui_page pages_files;   /* id 1: those that are over, too */
tui_page pages_forward; /* a message */
tui_page pages_message; /* name, message */
tui_page pages_safety;  /* name */
tui_page pages_contact; /* name */
tui_page pages_requests;
tui_page pages_devices;
tui_page pages_settings;
tui_page pages_status;
tui_page pages_link;      /* ours, with a QR code */
tui_page pages_proposals; /* of programs with a token */
tui_page pages_bots;
tui_page pages_invite; /* to the directory that is hosted here */

/* --- pictures (pictures.c) --- */

struct pictures *pictures_new(void);
void pictures_free(struct pictures *p);
void pictures_forget(struct tui *tui); /* all are drawn anew, or no more */
/* As view_picture: asks for it when it is first wanted. */
const struct sheet *pictures_of(void *tui, const struct talk *t, const struct said *s,
				unsigned columns);

#endif
