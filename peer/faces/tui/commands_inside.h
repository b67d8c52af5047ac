/* What the files of the commands share. A command gets what stands behind its word, "" for nothing. */
#ifndef PALIQUE_PEER_FACES_TUI_COMMANDS_INSIDE_H
#define PALIQUE_PEER_FACES_TUI_COMMANDS_INSIDE_H

#include "peer/faces/tui/commands.h"

/* The open conversation; NULL: has said that there is none. */
struct talk *command_talk(struct tui *tui);
/* A name that was typed, or that of the open conversation; NULL: has said what is wanted. */
const char *command_name(struct tui *tui, const char *rest);
/* "on" and "off" in either language; -1: neither, and has said so. */
int command_on_or_off(struct tui *tui, const char *rest);
/* Answers: says "Done.", or the context's words. */
tui_answered command_done;

/* A path that was typed, from / on; the caller frees. NULL: there is no memory of where we are. */
char *command_path(const char *path);

/* A command of palique on the terminal itself, with what stands behind it. False: there is none of that name. */
bool command_outside(struct tui *tui, const char *name, const char *rest);

/* Says it to the open conversation, as an answer or another text where that was begun. */
void command_say(struct tui *tui, const char *text);

/* messages and files (commands_talk.c) */
command_does do_reply, do_edit, do_react, do_delete, do_forward, do_info, do_press, do_file,
	do_fetch, do_save, do_pause, do_cancel;
/* contacts (commands_people.c) */
command_does do_add, do_accept, do_block, do_unblock, do_remove, do_safety, do_verify,
	do_unverify, do_about, do_timer, do_keep, do_read_marks, do_consent, do_hide, do_unhide,
	do_forget;
/* what one is and has oneself (commands_own.c) */
command_does do_available, do_away, do_busy, do_invisible, do_status, do_name, do_picture,
	do_link, do_invite, do_devices, do_device, do_settings, do_set, do_bell, do_web,
	do_proposals, do_approve, do_reject, do_bots, do_bot;

#endif
