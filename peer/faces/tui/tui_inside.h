/* The inside of the terminal's face: what its files share. */
#ifndef PALIQUE_PEER_FACES_TUI_TUI_INSIDE_H
#define PALIQUE_PEER_FACES_TUI_TUI_INSIDE_H

#include "peer/faces/tui/page.h"
#include "peer/faces/tui/screen.h"
#include "peer/faces/tui/tui.h"
#include "peer/faces/tui/view.h"

/* Who waits for an answer. `result` is borrowed; NULL: it failed, and the person was told. */
typedef void tui_answered(struct tui *tui, const struct json *result, void *context);

struct tui {
	const struct tui_config *config;
	struct client *client; /* NULL: the line is lost */
	struct model *model;
	struct view view;
	struct compose *bare;   /* what is typed where no conversation is open */
	struct page *page;      /* over everything; or NULL */
	struct compose *filter; /* of the list, while it has the focus */
	bool is_leaving, is_asked_to_leave;
	int64_t typed_at, notice_until, retry_at; /* ms of CLOCK_MONOTONIC */
	unsigned drawn;
	struct pending *pending;
	size_t pending_count, pending_capacity;
	struct pictures *pictures;
	unsigned width; /* of a page's text */
};

/* Calls; the answer goes to `answered` (NULL: it does not matter, but for an error), with `context`,
 * which is freed afterwards. Takes `params`. */
void tui_call(struct tui *tui, const char *method, struct json *take_params,
	      tui_answered *answered, void *take_context);
/* A line at the bottom for a while. */
void tui_tell(struct tui *tui, bool is_error, const char *words);
/* Shows a page in place of the one before; NULL: none. */
void tui_show(struct tui *tui, struct page *take_page);
/* The composer that is typed into now. */
struct compose *tui_compose(struct tui *tui);
int64_t tui_now(void);

/* --- commands (commands.c) --- */

/* A line that was typed: words to say, or a /command. */
void command_run(struct tui *tui, const char *line);
/* Completes the word before the cursor; again: the next one. */
void command_complete(struct tui *tui);
/* What can be done with what was typed so far: "" where nothing is known of it. */
void command_hint(const struct tui *tui, char *out, size_t size);
/* One of them by its name, with what stands behind it ("" for none). */
void command_do(struct tui *tui, const char *name, const char *rest);

/* --- pages (pages.c) --- */

void pages_help(struct tui *tui);
void pages_search(struct tui *tui, const char *words, const char *within);
void pages_safety(struct tui *tui, const char *name);
void pages_devices(struct tui *tui);
void pages_settings(struct tui *tui);
void pages_requests(struct tui *tui);
void pages_files(struct tui *tui);
void pages_forward(struct tui *tui, uint64_t id);
void pages_message(struct tui *tui, const char *name, uint64_t id);
void pages_contact(struct tui *tui, const char *name);
void pages_status(struct tui *tui);

/* --- pictures (pictures.c) --- */

struct pictures *pictures_new(void);
void pictures_free(struct pictures *p);
/* As view_picture: asks for it when it is first wanted. */
const struct sheet *pictures_of(void *tui, const struct talk *t, const struct said *s,
				unsigned columns);

#endif
