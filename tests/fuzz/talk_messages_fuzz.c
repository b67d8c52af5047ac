/* What a hostile contact, or a device of ours that was stolen, says on its link of conversations, what is read,
 * typed and shown, of history, and on streams of files, in any order, and how it answers when we
 * fetch: the engine refuses it or stays whole, and what it stores can be committed. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "peer/files.h"
#include "peer/filing.h"
#include "peer/persons.h"
#include "peer/profiles.h"
#include "shared/error.h"
#include "shared/frame.h"
#include "shared/job.h"
#include "shared/offer.h"
#include "tests/peer_fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STREAMS = 8, RUNS = 300, IDS = 6 };

struct liar {
	struct peer who;
	struct endpoint *endpoint;
	struct link *link;
	int64_t streams[STREAMS]; /* the last ones that either side opened */
	unsigned stream_count, node;
	uint64_t next; /* of its chain */
	struct message_hash last;
};

static struct peer us;
static struct liar liars[2]; /* the contact, the device of ours */
static struct calm_net net;
static unsigned our_node;
static char folder[] = "/tmp/palique-fuzz-XXXXXX";
static uint8_t ids[IDS][OFFER_ID_SIZE]; /* of files; the first is ours */

/* --- both sides --- */

static bool do_job(struct job *job)
{
	if (!files_next_job(us.rooms->files, job) &&
	    !profiles_next_job(us.rooms->profiles, job))
		return false;
	job->err = job->kind == JOB_FILING ? filing_run(job) : ERR_FORMAT;
	engine_job_done(us.engine, job);
	return true;
}

static mono_ns our_step(void *user, mono_ns now, wall_ms wall)
{
	mono_ns deadline = peer_step(user, now, wall);
	bool has_worked = false;
	struct job job;

	us.heard[0] = '\0';
	while (do_job(&job))
		has_worked = true;
	return has_worked ? now : deadline;
}

static void note_stream(struct liar *l, int64_t stream)
{
	for (unsigned i = 0; i < STREAMS && i < l->stream_count; i++) {
		if (l->streams[i] == stream)
			return;
	}
	l->streams[l->stream_count++ % STREAMS] = stream;
}

static mono_ns liar_step(void *user, mono_ns now, wall_ms wall)
{
	struct liar *l = user;
	struct link_event e;
	bool is_end;

	(void)now, (void)wall;
	while (endpoint_next(l->endpoint, &e)) {
		if (e.kind == LINK_UP) {
			l->link = e.link;
			l->stream_count = 0;
		} else if (e.kind == LINK_DOWN && e.link == l->link) {
			l->link = NULL;
		} else if (e.kind == LINK_READABLE) {
			if (e.stream != LINK_CONTROL)
				note_stream(l, e.stream);
			link_consume(e.link, e.stream,
				     link_peek(e.link, e.stream, &is_end).size);
		}
	}
	return NEVER;
}

static void pass(mono_ns length)
{
	calm_net_run(&net, length, NULL, NULL);
}

/* It comes (again) from a program of its own. */
static void connect_liar(struct liar *l)
{
	struct endpoint_config config = {
		.policy = ENDPOINT_ADMITTED,
		.device = l->who.device,
		.has_certificate = true,
		.certificate = l->who.certificate,
		.knock = l->who.knock,
		.idle_timeout = 45 * SECOND,
	};
	struct link_target t = {
		.pattern = LINK_IK,
		.device = us.device.public,
		.knock = us.knock,
		.address_count = 1,
		.addresses = { net.nodes[our_node].address },
	};

	if (l->link)
		return;
	net.nodes[l->node].endpoint = NULL;
	if (l->endpoint)
		endpoint_free(l->endpoint);
	l->endpoint = endpoint_new(&config, net.now);
	endpoint_admit(l->endpoint, &us.identity.public, false);
	net.nodes[l->node].endpoint = l->endpoint;
	(void)endpoint_dial(l->endpoint, &t, net.now);
	pass(100 * MILLISECOND);
}

static void offer_file(void)
{
	char path[64];
	struct engine_file file = { .to = "bob", .path = path };
	struct statement *s;

	snprintf(path, sizeof path, "%s/ours", folder);
	if (mkdir(path, 0700) == 0) {
		snprintf(path, sizeof path, "%s/ours/one", folder);
		fclose(fopen(path, "w"));
		path[strlen(path) - 4] = '\0';
	}
	(void)engine_send_file(us.engine, &file, 1);
	pass(SECOND);
	s = db_sql(store_db(us.rooms->store), "SELECT id FROM file");
	if (db_step(s) != 1 || column_copy(s, 0, ids[0], sizeof ids[0]) < 0)
		abort();
	db_done(s);
}

static void begin(void)
{
	calm_net_init(&net);
	peer_make(&us, "alice");
	peer_make(&liars[0].who, "bob");
	peer_make_sibling(&liars[1].who, &us);
	peer_open(&us, net.now, net.wall);
	our_node = calm_net_add(&net, engine_endpoint(us.engine), our_step, &us);
	files_set_downloads(us.rooms->files, folder);
	for (unsigned i = 0; i < 2; i++) {
		peer_hide(&liars[i].who);
		liars[i].node = calm_net_add(&net, NULL, liar_step, &liars[i]);
		liars[i].next = 1;
	}
	if (engine_add(us.engine, "bob", &liars[0].who.identity.public, NULL) < 0)
		abort();
	for (unsigned i = 0; i < 2; i++)
		peer_tell_presence(&us, &liars[i].who, &net.nodes[liars[i].node].address, true);
	for (unsigned i = 1; i < IDS; i++)
		memset(ids[i], (int)i, sizeof ids[i]);
	offer_file();
	peer_hide(&us);
}

static void empty_folder(void)
{
	char command[100];

	snprintf(command, sizeof command, "rm -rf '%s'/* '%s'/.palique*", folder, folder);
	if (system(command) != 0)
		abort();
}

static void leave(void)
{
	empty_folder();
	rmdir(folder);
}

static void end(void)
{
	for (unsigned i = 0; i < 2; i++) {
		endpoint_free(liars[i].endpoint);
		identity_wipe(&liars[i].who.identity);
	}
	memset(liars, 0, sizeof liars);
	peer_remove(&us);
	empty_folder();
}

/* --- what is said --- */

static uint8_t take(struct bytes *rest)
{
	uint8_t b = rest->size > 0 ? rest->data[0] : 0;

	if (rest->size > 0)
		*rest = bytes_of(rest->data + 1, rest->size - 1);
	return b;
}

/* Small ones, and the ends. */
static uint64_t number(struct bytes *rest)
{
	uint8_t b = take(rest);

	return b < 240    ? b
	       : b == 240 ? UINT64_MAX
	       : b == 241 ? INT64_MAX
	       : b == 242 ? CHAIN_MAX
	       : b == 243 ? CHAIN_MAX - 1
	       : b == 244 ? (uint64_t)1 << 62
			  : (uint64_t)b << (b & 15);
}

static const struct device_public *author(struct bytes *rest)
{
	uint8_t b = take(rest) % 3;

	return b == 2 ? &us.device.public : &liars[b].who.device.public;
}

static struct conversation_id conversation(void)
{
	return conversation_of(&us.identity.public, &liars[0].who.identity.public);
}

static struct bytes make_offer(struct bytes *rest)
{
	static const char *const names[] = { "a", "../b", "CON", ".x", "\xe2\x80\xae" };
	static struct buf encoded;
	struct offer o = { .size = take(rest) };
	uint8_t how = take(rest);

	memcpy(o.id, ids[how % IDS], sizeof o.id);
	o.is_folder = how & 64;
	o.name = bytes_text(names[how % 5]);
	if (o.is_folder) {
		o.manifest = 1 + take(rest) % 40;
		o.files = take(rest) % 4;
		o.size += o.manifest;
	}
	if (how & 128)
		o.thumbnail = o.name;
	encoded.size = 0;
	return offer_encode(&o, &encoded) == 0 ? buf_view(&encoded) : bytes_text("x");
}

static void make_say(struct wire_say *say, struct bytes *rest)
{
	static const char *const bodies[] = { "text", "", "a b", "<b>", "\xe2\x80\xae" };
	static uint8_t hash[32];
	uint8_t what = take(rest);

	say->conversation = conversation();
	say->author = *author(rest);
	say->seq = number(rest);
	say->time = (wall_ms)number(rest);
	say->kind = (enum say_kind)(1 + (what & 7));
	say->body = say->kind == SAY_FILE   ? make_offer(rest)
		    : say->kind == SAY_GONE ? BYTES(hash)
		    : say->kind == SAY_RETRACT || say->kind == SAY_TIMER
			    ? (struct bytes){ 0 }
			    : bytes_text(bodies[(what >> 3) % 5]);
	say->is_about = what & 64 || (say->kind >= SAY_EDIT && say->kind <= SAY_REACT);
	say->is_about &= say->kind != SAY_TIMER;
	say->about_author = *author(rest);
	say->about_seq = number(rest);
	if (say->kind == SAY_TEXT || say->kind == SAY_FILE || say->kind == SAY_TIMER)
		say->life = what & 128 ? take(rest) : 0;
}

static void make_history(struct wire_history *h, struct bytes *rest)
{
	h->count = take(rest) % 4;
	for (unsigned i = 0; i < h->count; i++) {
		struct wire_told *t = &h->list[i];

		t->at = number(rest);
		t->contact = liars[0].who.name;
		t->theirs = liars[0].who.identity.public;
		t->ours = us.identity.public;
		t->is_ours = take(rest) & 1;
		t->delivered = number(rest);
		t->read = number(rest);
		make_say(&t->say, rest);
	}
}

static void make(struct wire_message *m, struct liar *l, struct bytes *rest)
{
	memset(m, 0, sizeof *m);
	switch (take(rest) % 11) {
	case 0:
	case 1:
		m->type = WIRE_SAY;
		make_say(&m->say, rest);
		if (take(rest) < 200) {
			m->say.author = l->who.device.public;
			m->say.seq = l->next;
			m->say.previous = l->last;
		}
		break;
	case 2:
		m->type = WIRE_READ;
		m->read = (struct wire_read){ conversation(), *author(rest), number(rest) };
		break;
	case 3:
		m->type = WIRE_TYPING;
		m->typing = (struct wire_typing){ conversation(), take(rest) & 1 };
		break;
	case 4:
		m->type = WIRE_PROFILE;
		m->profile.number = number(rest);
		m->profile.availability = (enum availability)(take(rest) % 3);
		m->profile.title = bytes_text(take(rest) & 1 ? "a" : "");
		m->profile.picture = bytes_text(take(rest) & 1 ? "picture" : "");
		break;
	case 5:
		m->type = WIRE_PROFILE_HAVE;
		m->profile_have.number = number(rest);
		break;
	case 6:
		m->type = WIRE_GRANT;
		m->grant.number = number(rest);
		break;
	case 7:
		m->type = WIRE_HISTORY_GET;
		m->history_get.number = number(rest);
		m->history_get.goes_on = take(rest) & 1;
		m->history_get.before = number(rest);
		break;
	case 8:
		m->type = WIRE_FILE_STANDS;
		memcpy(m->file_stands.id, ids[take(rest) % IDS], sizeof m->file_stands.id);
		m->file_stands.error = -(int)(take(rest) % 22);
		break;
	case 9:
		m->type = WIRE_FILE_NOTED;
		memcpy(m->file_noted.id, ids[take(rest) % IDS], sizeof m->file_noted.id);
		m->file_noted.error = -(int)(take(rest) % 22);
		break;
	default:
		m->type = WIRE_HISTORY;
		make_history(&m->history, rest);
	}
}

static void write_message(struct liar *l, int64_t stream, const struct wire_message *m,
			  bool is_last)
{
	struct buf raw = { 0 }, frame = { 0 };

	if (wire_encode(m, &raw) == 0 && frame_append(&frame, buf_view(&raw)) == 0 &&
	    link_write(l->link, stream, buf_view(&frame), is_last) == 0 &&
	    m->type == WIRE_SAY && m->say.seq == l->next) {
		l->next++;
		l->last = message_hash(&m->say);
	}
	buf_clear(&raw);
	buf_clear(&frame);
}

/* --- streams --- */

static void open_stream(struct liar *l, struct bytes *rest)
{
	struct wire_message m = { .type = WIRE_FILE_GET };
	int64_t stream;

	if (link_open(l->link, &stream) < 0)
		return;
	note_stream(l, stream);
	memcpy(m.file_get.id, ids[take(rest) % IDS], sizeof m.file_get.id);
	m.file_get.offset = number(rest);
	write_message(l, stream, &m, false);
}

static void use_stream(struct liar *l, struct bytes *rest)
{
	static const uint8_t contents[256];
	struct wire_message m = { 0 };
	unsigned known = l->stream_count < STREAMS ? l->stream_count : STREAMS;
	int64_t stream;

	if (known == 0)
		return;
	stream = l->streams[take(rest) % known];
	switch (take(rest) % 6) {
	case 0:
		m.type = WIRE_FILE_HEAD;
		m.file_head.error = -(int)(take(rest) % 40);
		m.file_head.size = number(rest);
		break;
	case 1:
		m.type = WIRE_FILE_TAIL;
		m.file_tail.error = -(int)(take(rest) % 40);
		break;
	case 2:
		m.type = WIRE_FILE_DONE;
		m.file_done.error = -(int)(take(rest) % 40);
		break;
	case 3:
		(void)link_write(l->link, stream, bytes_of(contents, take(rest)), false);
		return;
	case 4:
		(void)link_write(l->link, stream,
				 bytes_of(rest->data, rest->size < 9 ? rest->size : 9),
				 take(rest) & 1);
		return;
	default:
		link_abandon(l->link, stream, take(rest));
		return;
	}
	write_message(l, stream, &m, take(rest) & 1);
}

static void act(struct liar *l, uint8_t what, struct bytes *rest)
{
	struct wire_message *m;

	if ((what & 3) == 2) {
		open_stream(l, rest);
	} else if ((what & 3) == 3) {
		use_stream(l, rest);
	} else {
		m = memory_new(sizeof *m);
		make(m, l, rest);
		write_message(l, LINK_CONTROL, m, false);
		free(m);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes rest = bytes_of(data, size);
	static unsigned runs;

	if (runs++ % RUNS == 0) {
		if (us.engine)
			end();
		else if (sodium_init() < 0 || !mkdtemp(folder) || atexit(leave) != 0)
			abort();
		begin();
	}
	for (unsigned i = 0; i < 2; i++)
		connect_liar(&liars[i]);
	while (rest.size > 0) {
		uint8_t what = take(&rest);
		struct liar *l = &liars[what >> 7];

		if (l->link)
			act(l, what, &rest);
		if (what & 64)
			pass(what & 32 ? 3 * SECOND : MILLISECOND);
	}
	pass(SECOND);
	/* The commit worked: what a stranger says is never our mistake. */
	if (us.counts[EVENT_ANSWER] > 0 && us.last[EVENT_ANSWER].error < 0)
		abort();
	return 0;
}
