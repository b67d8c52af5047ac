#include "peer/way.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "peer/account.h"
#include "peer/persons.h"
#include "shared/error.h"
#include "shared/frame.h"

/* --- the talks --- */

static void wake(struct way *w, struct talk *t)
{
	if (t->is_awake)
		return;
	t->is_awake = true;
	t->next_awake = NULL;
	*w->awake_end = t;
	w->awake_end = &t->next_awake;
}

static void let_sleep(struct way *w, struct talk *t)
{
	struct talk **at = &w->awake;

	if (!t->is_awake)
		return;
	while (*at != t)
		at = &(*at)->next_awake;
	*at = t->next_awake;
	if (!*at)
		w->awake_end = at;
	t->is_awake = false;
}

static unsigned place_of(const struct way *w, const struct conversation_id *id)
{
	unsigned low = 0, high = w->talk_count;

	while (low < high) {
		unsigned middle = (low + high) / 2;

		if (memcmp(w->talks[middle]->id.bytes, id->bytes, sizeof id->bytes) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct talk *find_talk(const struct way *w, const struct conversation_id *id)
{
	unsigned at = place_of(w, id);

	if (at < w->talk_count &&
	    memcmp(w->talks[at]->id.bytes, id->bytes, sizeof id->bytes) == 0)
		return w->talks[at];
	return NULL;
}

static void add_talk(struct rooms *rooms, struct way *w, struct person *p)
{
	struct talk *t = talk_new(rooms, p, &w->device, w->person->is_self);
	unsigned at = place_of(w, &t->id);

	if (w->talk_count == w->talk_capacity) {
		w->talk_capacity = w->talk_capacity ? 2 * w->talk_capacity : 1;
		w->talks = memory_grow(w->talks, w->talk_capacity, sizeof(struct talk *));
	}
	memmove(w->talks + at + 1, w->talks + at, (w->talk_count - at) * sizeof(struct talk *));
	w->talks[at] = t;
	w->talk_count++;
	if (w->state == WAY_LINKED) {
		talk_linked(rooms, t);
		/* A HAVE of theirs was passed over, if they said one. */
		t->debt.is_late = t->debt.is_sibling;
	}
	wake(w, t);
}

static void remove_talk(struct way *w, unsigned at)
{
	struct talk *t = w->talks[at];

	let_sleep(w, t);
	w->talk_count--;
	memmove(w->talks + at, w->talks + at + 1, (w->talk_count - at) * sizeof(struct talk *));
	talk_free(t);
}

/* Other ids, or another row of the store: rare enough to look at each. */
static void remove_talks_of(struct way *w, const struct person *p)
{
	for (unsigned i = w->talk_count; i-- > 0;) {
		if (w->talks[i]->person == p)
			remove_talk(w, i);
	}
}

static bool is_of_way(const struct way *w, const struct person *p)
{
	return p->conversation && (p == w->person || p->conversation->has_identity);
}

struct talk *way_attend(struct rooms *rooms, struct way *w, struct person *p)
{
	struct talk *t = is_of_way(w, p) ? find_talk(w, &p->conversation->wire) : NULL;

	if (t && t->person == p && talk_is_of_now(t)) {
		wake(w, t);
		return t;
	}
	remove_talks_of(w, p);
	/* Under one id there is one talk: a second person of the same identity is not contacted,
	 * and what is said there waits. */
	if (!is_of_way(w, p) || find_talk(w, &p->conversation->wire))
		return NULL;
	add_talk(rooms, w, p);
	return find_talk(w, &p->conversation->wire);
}

void way_forget(struct way *w, const struct person *p)
{
	remove_talks_of(w, p);
}

uint64_t way_missing(const struct way *w)
{
	uint64_t missing = 0;

	for (unsigned i = 0; i < w->talk_count; i++)
		missing += w->talks[i]->missing;
	return missing;
}

bool way_owes(const struct way *w)
{
	for (const struct talk *t = w->awake; t; t = t->next_awake) {
		if (outbox_owes(t->person, &t->debt))
			return true;
	}
	return false;
}

/* --- the life of a way --- */

struct way *way_new(struct rooms *rooms, struct person *p, const struct device_public *device)
{
	struct way *w = memory_new(sizeof *w);

	w->person = p;
	w->device = *device;
	w->check_at = w->announced_at = w->dial_at = w->stranded_since = NEVER;
	w->direct_at = NEVER;
	w->awake_end = &w->awake;
	if (!p->is_self) {
		add_talk(rooms, w, p);
		return w;
	}
	for (unsigned i = 0; (p = persons_at(rooms->persons, i)) != NULL; i++)
		way_attend(rooms, w, p);
	return w;
}

void way_free(struct way *w)
{
	if (!w)
		return;
	for (unsigned i = 0; i < w->talk_count; i++)
		talk_free(w->talks[i]);
	free(w->talks);
	free(w->heard);
	punch_free(w->punch);
	line_clear(&w->line);
	sodium_memzero(&w->probe_keys, sizeof w->probe_keys);
	free(w);
}

void way_linked(struct rooms *rooms, struct way *w, struct link *link)
{
	line_begin(&w->line, link, WIRE_FROM_PEER);
	w->link = link;
	w->state = WAY_LINKED;
	w->failures = 0;
	w->retry_at = 0;
	w->suspect_at = 0;
	w->announced_at = w->dial_at = w->stranded_since = NEVER;
	w->has_left = w->is_wanted = w->is_lost = w->early_due = false;
	w->moved_at = w->pinged_until = 0;
	w->last_used = rooms->now;
	w->devices_said = 0;
	for (unsigned i = 0; i < w->talk_count; i++) {
		talk_linked(rooms, w->talks[i]);
		wake(w, w->talks[i]);
	}
}

void way_unlinked(struct way *w)
{
	line_clear(&w->line);
	w->link = NULL;
	w->state = WAY_IDLE;
	w->link_number = 0;
	w->path_kind = PATH_NONE;
	w->is_lost = false;
	w->check_at = w->announced_at = w->dial_at = w->direct_at = NEVER;
	for (unsigned i = 0; i < w->talk_count; i++)
		talk_unlinked(w->talks[i]);
}

/* --- what the device says --- */

static const struct conversation_id *conversation_in(const struct wire_message *m)
{
	switch (m->type) {
	case WIRE_SAY:
		return &m->say.conversation;
	case WIRE_ACK:
		return &m->ack.conversation;
	case WIRE_HAVE:
		return &m->have.conversation;
	case WIRE_DELIVERED:
		return &m->delivered.conversation;
	default:
		return NULL;
	}
}

/* One waits to be judged, the newest said: a flood costs one check in a step. */
static int on_devices(struct way *w, const struct device_list *said)
{
	const struct device_list *known = &w->person->devices;

	if (said->version == 0)
		return ERR_FORMAT;
	if (said->version <= known->version &&
	    identity_public_equal(&said->identity, &known->identity))
		return 0;
	if (w->heard && w->heard->version > said->version)
		return 0;
	if (!w->heard)
		w->heard = memory_new(sizeof *w->heard);
	*w->heard = *said;
	return 0;
}

/* Neither of a conversation, nor said on streams of files. */
static bool is_for_rooms_above(enum wire_type type)
{
	return (type >= WIRE_RECORD && type <= WIRE_PROFILE_HAVE) ||
	       (type >= WIRE_GRANT && type <= WIRE_FILE_NOTED);
}

int way_message(struct rooms *rooms, struct way *w, const struct wire_message *m)
{
	const struct conversation_id *id = conversation_in(m);
	struct talk *t = id ? find_talk(w, id) : NULL;

	/* Where somebody is, is said on a link that is there; it does not keep it. */
	if (m->type < WIRE_RECORD || m->type > WIRE_THERE)
		w->last_used = rooms->now;
	w->refusals = 0;
	if (m->type == WIRE_DEVICES)
		return on_devices(w, &m->devices.devices);
	if (!id)
		return is_for_rooms_above(m->type) ? 1 : ERR_FORMAT;
	if (!t || !talk_is_of_now(t)) {
		/* A device of ours may know people whom we do not know yet: when we do, HAVE
		 * asks for what was passed over. */
		return w->person->is_self ? 0 : ERR_FORMAT;
	}
	wake(w, t);
	return talk_message(rooms, t, m);
}

static void charge(struct rooms *rooms, struct way *w, const struct wire_message *m)
{
	bool is_costly;

	if (m->type != WIRE_SAY || w->person->is_self)
		return;
	is_costly = m->say.kind == SAY_FILE || m->say.body.size > WAY_COSTLY_SIZE;
	if (!is_costly && m->say.kind != SAY_EDIT)
		return;
	if (w->costly_until < rooms->now)
		w->costly_until = rooms->now;
	w->costly_until += is_costly ? WAY_COSTLY_EACH : WAY_COSTLY_EACH / 4;
}

/* When more may be read; 0: at any time. */
static mono_ns paid_at(const struct way *w)
{
	const mono_ns at_once = WAY_COSTLY_AT_ONCE * WAY_COSTLY_EACH;

	return w->costly_until > at_once ? w->costly_until - at_once : 0;
}

/* Of what waits, acknowledgements are heard now. In their turn they change nothing any more; one that is
 * wrong breaks the line then. */
static void rest(struct rooms *rooms, struct way *w)
{
	struct wire_message m;

	line_rest(&w->line);
	while (line_ahead(&w->line, &m) == 1) {
		if (m.type == WIRE_ACK)
			(void)way_message(rooms, w, &m);
	}
}

int way_next(struct rooms *rooms, struct way *w, struct wire_message *m)
{
	int err;

	if (paid_at(w) > rooms->now) {
		rest(rooms, w);
		return 0;
	}
	while ((err = line_next(&w->line, m)) == 1) {
		charge(rooms, w, m);
		err = way_message(rooms, w, m);
		if (err == 0 && paid_at(w) > rooms->now) {
			rest(rooms, w);
			return 0;
		}
		if (err != 0)
			return err;
	}
	if (w->line.is_readable)
		rooms->has_more = true;
	return err;
}

/* Nothing is asked for because of it, and what the line says afterwards is judged as if it had
 * not been there. */
static int on_word(struct rooms *rooms, struct way *w, const struct wire_message *m)
{
	struct talk *t;
	uint64_t highest;
	int err;

	if (m->type != WIRE_SAY)
		return ERR_FORMAT;
	t = find_talk(w, &m->say.conversation);
	if (!t || !talk_is_of_now(t) || m->say.seq != t->chain.next)
		return 0;
	highest = t->highest;
	err = way_message(rooms, w, m);
	t->highest = highest;
	return err;
}

int way_words(struct rooms *rooms, struct way *w, struct bytes words)
{
	struct wire_message m;
	struct bytes contents;
	size_t total;
	int err;

	while (words.size > 0) {
		err = frame_take(words, &contents, &total);
		if (err == 0)
			return ERR_FORMAT;
		if (err == 1)
			err = wire_decode(&m, contents, WIRE_FROM_PEER);
		if (err == 0)
			err = on_word(rooms, w, &m);
		if (err < 0)
			return err;
		words = bytes_of(words.data + total, words.size - total);
	}
	return 0;
}

/* --- what we say --- */

void way_save(struct rooms *rooms, struct way *w)
{
	for (struct talk *t = w->awake; t; t = t->next_awake)
		talk_save(rooms, t);
}

static void say_devices(struct rooms *rooms, struct way *w)
{
	const struct device_list *ours = account_devices(rooms->account);
	struct wire_message *m;

	if (ours->version == w->devices_said)
		return;
	m = memory_new(sizeof *m);
	m->type = WIRE_DEVICES;
	m->devices.devices = *ours;
	if (line_send(&w->line, m) != ERR_FULL)
		w->devices_said = ours->version;
	free(m);
}

/* Each that is awake has its turn, in order; who sent stands behind the others next time. */
static void release_talks(struct rooms *rooms, struct way *w)
{
	struct talk *list = w->awake, *sent = NULL, **sent_end = &sent, *t;

	w->awake = NULL;
	w->awake_end = &w->awake;
	while ((t = list) != NULL) {
		bool is_linked = w->state == WAY_LINKED, has_sent;

		list = t->next_awake;
		has_sent = is_linked && talk_release(rooms, t, &w->line);
		t->has_heard = t->is_awake = false;
		t->next_awake = NULL;
		if (has_sent) {
			w->last_used = rooms->now;
			*sent_end = t;
			sent_end = &t->next_awake;
		} else if (!talk_is_quiet(t, is_linked)) {
			wake(w, t);
		}
	}
	while ((t = sent) != NULL) {
		sent = t->next_awake;
		wake(w, t);
	}
}

void way_early(struct rooms *rooms, struct way *w, struct buf *out)
{
	for (struct talk *t = w->awake; t; t = t->next_awake) {
		if (talk_is_of_now(t) && outbox_owes(t->person, &t->debt))
			outbox_early(rooms->outbox, t->person, &t->debt, out);
	}
}

void way_release(struct rooms *rooms, struct way *w)
{
	if (w->state == WAY_LINKED && person_is_open(w->person))
		say_devices(rooms, w);
	if (w->awake && (w->state != WAY_LINKED || person_is_open(w->person)))
		release_talks(rooms, w);
	if (w->state == WAY_LINKED && person_is_open(w->person) && line_flush(&w->line))
		w->check_at = mono_earlier(w->check_at, rooms->now + way_patience(w));
}

mono_ns way_patience(const struct way *w)
{
	mono_ns patience = 3 * link_round_trip(w->link);

	return patience > WAY_PATIENCE ? patience : WAY_PATIENCE;
}

mono_ns way_deadline(const struct way *w)
{
	mono_ns deadline = w->line.is_readable && paid_at(w) > 0 ? paid_at(w) : NEVER;

	for (const struct talk *t = w->awake; t; t = t->next_awake)
		deadline = mono_earlier(deadline, talk_deadline(t));
	return deadline;
}

void way_undo(struct rooms *rooms, struct way *w)
{
	for (struct talk *t = w->awake; t; t = t->next_awake)
		talk_undo(rooms, t, w->state == WAY_LINKED);
}
