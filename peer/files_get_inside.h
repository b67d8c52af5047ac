/* Inside of what fetches, from the bottom up: files_sources.c knows from whom, files_get.c how one file
 * comes, files_waiting.c which ones. */
#ifndef PALIQUE_PEER_FILES_GET_INSIDE_H
#define PALIQUE_PEER_FILES_GET_INSIDE_H

#include "peer/files_inside.h"

enum { DEVICES_MAX = WIRE_DEVICES_MAX }; /* whose word is remembered that they have it not */

enum get_state {
	GET_WAITING,   /* for who has it, or its turn */
	GET_BEGINNING, /* opened, and what is here read again */
	GET_READY,     /* nobody is asked at this moment */
	GET_RUNNING,   /* on a stream */
	GET_FINISHING,
	GET_NAMED, /* its name waits for the commit, or is being given */
	GET_STORED,
	GET_OVER, /* failed, or not wanted any more */
};

struct get {
	struct file_row row;
	struct device_public author;
	bool has_author;
	enum get_state state;
	bool is_unsaved; /* NAMED, STORED: the commit of its row failed */
	bool is_dropped; /* OVER: what came goes, too */
	struct filing_sink *sink;
	bool is_working,
		is_half_done;    /* of a FILING_WRITE and its FILING_SUM one is back, ... */
	int half_err;            /* ... with this */
	struct filing_hash *sum; /* ... that of the FILING_SUM */
	struct file_stream stream;
	bool has_head, has_tail;
	uint8_t tail[32];
	struct buf in, spare; /* of filing_room(); what is written now comes back as `spare` */
	uint64_t received, stored, durable;
	mono_ns in_since, synced_at, heard_at, retry_at, backoff, began_at;
	uint64_t began_from; /* `received` at began_at */
	unsigned turns;      /* how often it gave way to others */
	struct {
		struct device_public device;
		mono_ns until;
	} elsewhere[DEVICES_MAX];
	unsigned elsewhere_next;
	struct file_rate rate;
};

/* --- files_sources.c --- */

void get_free(struct files *f, struct get *g);
/* Its stream is no more. */
void get_let_go(struct files *f, struct get *g, enum files_code code);
void get_save(struct files *f, struct get *g);
/* In its row, and told; memory goes on until what is under way has ended. */
void get_fail(struct files *f, struct get *g, int err);
/* The same for a reason that is found here: its author is told. */
void get_fail_here(struct files *f, struct get *g, int err);
/* Asked again after a while, ever more seldom; meanwhile it stands so, for that reason or 0. */
void get_rest(struct files *f, struct get *g, enum transfer_state state, int err);
void get_note_elsewhere(struct get *g, const struct device_public *device, mono_ns until);
/* Somebody who may have it is linked. */
bool get_has_source(struct files *f, struct get *g);
/* They are dialled. */
void get_ask_sources(struct files *f, struct get *g);
/* Asked for on a stream; false: of nobody at this moment. */
bool get_request(struct files *f, struct get *g);
/* Nobody is dialled for what nobody wants any more. Takes `before`. */
void gets_ask_no_more(struct files *f, uintptr_t *before, unsigned count);
unsigned gets_running(const struct files *f);
/* A place is free: who gave way lets those who did so less go first, for as long as a turn. */
bool get_is_behind(struct files *f, const struct get *g);
/* All places are taken: of those that have had their turn, of a contact with more than this one has, a
 * slow one goes behind the others, or the one that began first. */
bool get_make_place(struct files *f, struct get *for_it);

/* --- files_get.c --- */

mono_ns get_step(struct files *f, struct get *g);
/* It gets its name. */
void get_place(struct files *f, struct get *g);

#endif
