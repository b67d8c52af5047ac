/* The command line. main.c gives it what lies outside of the faces. */
#ifndef PALIQUE_PEER_FACES_CLI_CLI_H
#define PALIQUE_PEER_FACES_CLI_CLI_H

#include "peer/faces/cli/options.h"
#include "peer/faces/client.h"

enum exit_code {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_NO_ENGINE = 3,
	EXIT_NOT_FOUND = 4,
	EXIT_REFUSED = 5,
	EXIT_QUEUED = 6,
	EXIT_TIMEOUT = 7,
	EXIT_INTERRUPTED = 130,
};

enum { CLI_PATH_MAX = 4096 };

struct cli_daemon {
	const char *home;            /* --home, or NULL */
	int ready_fd, passphrase_fd; /* -1: none */
	bool begin_anew, is_verbose, is_quiet;
};

enum cli_lock { LOCK_NO_KEY, LOCK_OPEN, LOCK_LOCKED };

/* Those below find_home() return 0 or an error, and then `reason` has a sentence. */
struct cli_programs {
	/* Which home (`option`: --home or NULL) and where its engine's socket is. */
	int (*find_home)(const char *option, char *folder, size_t folder_size, char *socket,
			 size_t socket_size, char *reason, size_t reason_size);
	/* The engine itself, until it ends; returns an exit code. */
	int (*run_daemon)(const struct cli_daemon *options);
	/* The lock of the home's store. They take about a second. */
	int (*look_at_lock)(const char *home, enum cli_lock *lock, char *reason,
			    size_t reason_size);
	int (*lock)(const char *home, const char *passphrase, char *reason, size_t reason_size);
	int (*change_lock)(const char *home, const char *passphrase, const char *fresh,
			   char *reason, size_t reason_size);
	int (*remove_lock)(const char *home, const char *passphrase, char *reason,
			   size_t reason_size);
	/* No engine may run in the home. */
	int (*import_account)(const char *home, const char *file, const char *passphrase,
			      char *reason, size_t reason_size);
	/* A stranger's image, decoded in a process of its own: red, green, blue, alpha of so many
	 * pixels, 320 x 320 at most, the caller's to free. ERR_FORMAT, ERR_LIMIT, ERR_IO, and no reason. */
	int (*see)(struct bytes image, uint32_t *width, uint32_t *height, uint8_t **rgba);
};

/* Reads the command line and does it. Returns the process's exit code. */
int cli_run(int argc, char **argv, const struct cli_programs *programs);

/* --- for the commands --- */

struct cli {
	const struct cli_programs *programs;
	struct options o;
	char home[CLI_PATH_MAX];
	char socket[128];
	struct client *client; /* NULL until cli_engine() */
	bool begin_anew;       /* an engine that cli_engine() begins: see struct client_place */
	struct exec *exec;     /* of recv --exec; else NULL */
};

/* Finds the home. Exit code; has said why if it is not 0. */
int cli_home(struct cli *c);
/* Connects, beginning an engine if there is none. Exit code. */
int cli_engine(struct cli *c);
/* Calls; `result` is the caller's to free. Exit code; has said why if it is not 0. */
int cli_call(struct cli *c, const char *method, struct json *take_params, struct json **result);
/* The same for what takes its time: tells meanwhile what the engine says of it. */
int cli_call_slowly(struct cli *c, const char *method, struct json *take_params,
		    struct json **result);
/* Waits, less than three seconds in all since the engine was begun, until it knows what it asked its network;
 * `status` is its status then, the caller's to free. Exit code; has said why if it is not 0. */
int cli_settled_status(struct cli *c, bool needs_all, struct json **status);
/* Ends the engine if one runs, and waits for its end. Exit code; has said why. */
int cli_stop(struct cli *c, bool *was_running);
/* Says it and returns the exit code that stands for it. */
int cli_fail(const struct client_error *error);
int cli_failed(int err, const char *message, const char *hint);
int cli_usage(const char *message, const char *hint);
/* The words behind the first `from` arguments, with a space between; the caller frees. */
char *cli_rest(const struct cli *c, int from);
/* From / on: the engine stands in another folder than the person. The caller frees. */
char *cli_absolute(const char *file);
/* What is said when the person presses Ctrl-C from now on (NULL: nothing), and the file that is removed
 * then (NULL: none). Both must live on. */
void cli_when_interrupted(const char *words, const char *file);

/* A password, asked for once or (`is_new`) twice. Exit code; has said why. */
struct secret;
int cli_password(struct cli *c, struct secret *secret, const char *question, bool is_new);
/* --yes, or the person's word for it. EXIT_DONE: yes; else has said what to do. */
int cli_sure(struct cli *c, const char *question);

int cmd_terminal(struct cli *c); /* nothing was typed but options */
int cmd_plain(struct cli *c);    /* and --plain was among them */
int cmd_join(struct cli *c);
int cmd_login(struct cli *c);
int cmd_recover(struct cli *c);
int cmd_reset(struct cli *c);
int cmd_passwd(struct cli *c);
int cmd_recovery(struct cli *c);
int cmd_devices(struct cli *c);
int cmd_account(struct cli *c);
int cmd_backup(struct cli *c);
int cmd_export(struct cli *c);
int cmd_import(struct cli *c);
int cmd_lock(struct cli *c);
int cmd_unlock(struct cli *c);
int cmd_host(struct cli *c);
int cmd_invite(struct cli *c);
int cmd_link(struct cli *c);
int cmd_add(struct cli *c);
int cmd_accept(struct cli *c);
int cmd_block(struct cli *c);
int cmd_unblock(struct cli *c);
int cmd_remove(struct cli *c);
int cmd_requests(struct cli *c);
int cmd_consent(struct cli *c);
int cmd_relay(struct cli *c);
int cmd_safety(struct cli *c);
int cmd_verify(struct cli *c);
int cmd_ls(struct cli *c);
int cmd_send(struct cli *c);
int cmd_reply(struct cli *c);
int cmd_edit(struct cli *c);
int cmd_react(struct cli *c);
int cmd_delete(struct cli *c);
int cmd_forward(struct cli *c);
int cmd_read(struct cli *c);
int cmd_search(struct cli *c);
int cmd_show(struct cli *c);
int cmd_files(struct cli *c);
int cmd_timer(struct cli *c);
int cmd_forget(struct cli *c);
int cmd_profile(struct cli *c);
int cmd_hide(struct cli *c);
int cmd_unhide(struct cli *c);
int cmd_settings(struct cli *c);
int cmd_availability(struct cli *c);
int cmd_recv(struct cli *c);
int cmd_history(struct cli *c);
int cmd_chat(struct cli *c);
int cmd_status(struct cli *c);
int cmd_doctor(struct cli *c);
int cmd_web(struct cli *c);
int cmd_open(struct cli *c);
int cmd_bot(struct cli *c);
int cmd_rpc(struct cli *c);
int cmd_stop(struct cli *c);
int cmd_daemon(struct cli *c);
int cmd_completion(struct cli *c);

/* The page in the browser, with these parameters of openWeb; without a screen its address is printed. Exit
 * code; has said why. */
int cmd_page(struct cli *c, struct json *take_params);
bool cmd_has_screen(void);
/* --name, or asked for with the login name as the usual answer. Exit code; has said why. */
struct name;
int cmd_choose_name(struct cli *c, struct name *name);
/* Asks for a password, and makes the account at the directory of the link. Exit code; has said why. */
int cmd_join_with(struct cli *c, const char *link, const struct name *name,
		  struct json **account);
/* Who one is now: `word` has two %s, for the name and the directory; and the contact link; with
 * `next` its QR code and, beside it, what to do next. */
void cmd_print_account(const struct json *account, const char *word, const char *next);
/* Fills in `name` and `directory` from NAME@DIRECTORY, or from NAME alone where peer.conf or
 * the account tells which directory. Exit code; has said why. */
int cmd_where(struct cli *c, struct json *params);
/* What a login has brought, told and as JSON. Takes `result`. */
int cmd_logged_in(struct cli *c, struct json *take_result, bool was_empty);
bool cmd_has_account(struct cli *c);
bool cmd_status_has_account(const struct json *status); /* the result of `status` */
/* EXIT_DONE where this home has one and its directory lets it in; else has said what to do. */
int cmd_needs_account(struct cli *c);
/* " (direct 127.0.0.1:40123, 0.4 ms)" of a contact or a `connection`; "" without one. */
const char *cmd_way(const struct json *contact);
/* The same in full: "linked: direct through the routers, 203.0.113.7:4711, 43 ms". */
void cmd_path(const struct json *contact, char *words, size_t size);
/* With --json: one flat object, the event's name before its fields. */
void cmd_json_event(const char *event, const struct json *fields);
/* Something good to know from a notification with `detail`, on standard error. */
void cmd_notice(const struct json *params);
/* Why this device is not at its directory, if it is not: revoked, suspended, no answer. */
void cmd_standing(struct cli *c);
/* That the key of a contact is another one, and what to do, from a `keyChanged`. */
void cmd_key_changed(const struct json *params, char *words, size_t size);

/* --- what was said --- */

bool cmd_is(const struct json *o, const char *key, const char *value);
/* One message as lines: when, its number, who, what, and what became of it. `m` is a Message, or a
 * `receive` or `sent`. */
void cmd_print(const struct json *m);
bool cmd_is_own(const struct json *m);
/* What became of one later, from a `changed`; of a file, from a `transferProgress`: for a person who
 * follows. */
void cmd_print_change(const struct json *params);
void cmd_print_transfer(const struct json *t);
/* "[image PNG 1920x1080, 2.1 MB: a cat]" */
void cmd_file_words(const struct json *file, char *words, size_t size);
/* What a folder held and was not sent: leftOut of an answer to sendFile, or NULL. */
void cmd_left_out(const struct json *left);
/* How far a transfer is: in figures; and in words, with what to type. */
void cmd_transfer_figures(const struct json *t, char *words, size_t size);
void cmd_transfer_words(const struct json *t, bool is_own, const char *name, const char *id,
			char *words, size_t size);
/* Everything of theirs up to and with `up_to`. */
void cmd_mark_read(struct cli *c, const char *name, uint64_t up_to);
/* A stored message in the shape of a `receive`, so that readers meet one shape only. */
struct json *cmd_as_receive(const struct json *m);
/* The number of a message as people type it (17, #17, [17]): its digits, valid until the next call.
 * NULL: it is none. */
const char *cmd_id(const char *typed);
/* The message with all that is known of it; an image is drawn. Exit code. */
int cmd_show_message(struct cli *c, const char *id);
/* The first argument as such a number; exit code, has said why. */
int cmd_take_id(struct cli *c, const char *typed, char id[24]);

/* The words behind the first argument, or standard input where that is "-"; the caller frees. Exit code; has
 * said why. */
int cmd_text(const struct cli *c, char **text);
/* All of standard input into a file of the engine's; `spool` is of newSpool, the caller's to free. Exit code;
 * has said why. */
int cmd_spool_input(struct cli *c, struct json **spool);

/* "available", "away", "busy" in words, of a contact or a profile. */
const char *cmd_availability_words(const struct json *o);

/* How the wait for a transfer has ended. */
enum cmd_wait {
	WAIT_ARRIVED,
	WAIT_NOT_BEGUN, /* nobody has fetched anything in the time given */
	WAIT_ENDED,     /* cancelled, or failed: `transfer` says why */
	WAIT_CLOSED,    /* the engine has ended */
};
/* Shows how the file of message `id` gets on, from notifications (subscribed before), until it is
 * where it is to be. `begin_ms`: how long to wait for its first byte, and then between two of
 * them; CLIENT_FOREVER. `transfer` is as it was told last, the caller's to free; may be NULL. */
enum cmd_wait cmd_wait_for_file(struct cli *c, const char *label, const char *id,
				int64_t begin_ms, struct json **transfer);
/* Fetches the file of message `id`, and shows how it gets on. Exit code. */
int cmd_fetch(struct cli *c, const char *id);

#endif
