#include "peer/reach.h"

#include <stdlib.h>
#include <string.h>

#include "peer/directory_client.h"
#include "peer/events.h"
#include "peer/reach_inside.h"
#include "shared/error.h"

struct reach *reach_new(struct rooms *rooms)
{
	struct reach *r = memory_new(sizeof *r);

	r->rooms = rooms;
	r->away_since = r->alone_at = NEVER;
	return r;
}

/* --- links come and go --- */

/* A link carries its way's number, not its address: it may outlive the way. */
static struct way *way_of(struct reach *r, const struct link *link)
{
	uintptr_t number = (uintptr_t)link_user(link);

	for (unsigned i = 0; number && i < r->count; i++) {
		if (r->ways[i]->number == number && r->ways[i]->link == link)
			return r->ways[i];
	}
	return NULL;
}

/* What we decided about them counts from the moment of the decision. */
static bool is_let_in(const struct person *p, const struct link *link)
{
	enum consent consent = person_link_consent(p);

	return consent == CONSENT_DIRECT ||
	       (consent == CONSENT_RELAY && link_path(link).tunnel);
}

void reach_up(struct reach *r, struct link *link, struct person *p)
{
	const struct certificate *c = link_certificate(link);
	bool is_unseen = p && p->is_unseen;
	struct way *w = NULL;

	if (p && (!certificate_holds(c, r->rooms->wall) || !is_let_in(p, link)))
		p = NULL;
	if (p && device_public_equal(&c->device, link_device(link)))
		w = reach_way(r, p, link_device(link));
	if (!w) {
		/* An attempt of ours, perhaps, from before we decided otherwise. */
		struct way *ours = way_of(r, link);

		if (ours)
			reach_failed(r, ours);
		link_close(link, is_unseen ? LINK_CODE_BYE : LINK_CODE_NOT_CONTACT,
			   r->rooms->now);
		return;
	}
	/* What the way held before was its own attempt or a link that this one replaces: the
	 * endpoint keeps one to a device. */
	way_unlinked(w);
	link_set_user(link, (void *)w->number);
	way_linked(r->rooms, w, link);
	w->link_number = ++r->links;
	reach_on_path(r, w);
	reach_offer_all(r, w);
}

static bool is_anywhere(const struct person *p)
{
	for (unsigned i = 0; i < WIRE_DEVICES_MAX; i++) {
		if (p->ways[i] && p->ways[i]->is_present)
			return true;
	}
	return false;
}

/* It said goodbye, and there is no directory to say whether it came back. */
static void believe_goodbye(struct reach *r, struct way *w)
{
	w->has_left = w->is_present = false;
	if (!w->person->is_self && !is_anywhere(w->person))
		r->has_left = w->person->has_left = true;
}

struct person *reach_next_left(struct reach *r)
{
	for (unsigned i = 0; r->has_left && i < r->count; i++) {
		struct person *p = r->ways[i]->person;

		if (p->has_left) {
			p->has_left = false;
			return p;
		}
	}
	r->has_left = false;
	return NULL;
}

static void do_penance(struct reach *r, struct way *w)
{
	w->penance_until = w->retry_at = r->rooms->now + REACH_PENANCE;
}

void reach_broken(struct reach *r, struct way *w)
{
	reach_hang_up(r, w, LINK_CODE_PROTOCOL);
	do_penance(r, w);
}

/* The link tells each stream once until it was looked at: there are no more than streams. */
static void on_stream(struct reach *r, struct way *w, const struct link_event *event)
{
	if (event->stream == LINK_CONTROL) {
		if (event->kind == LINK_READABLE)
			w->line.is_readable = true;
		return;
	}
	if (r->stream_count == r->stream_capacity) {
		r->stream_capacity = r->stream_capacity ? 2 * r->stream_capacity : 16;
		r->streams = memory_grow(r->streams, r->stream_capacity, sizeof *r->streams);
	}
	r->streams[r->stream_count++] = (struct reach_stream_event){ w->number, w->link_number,
								     event->code, event->stream,
								     event->kind };
}

bool reach_next_stream(struct reach *r, struct reach_stream *event)
{
	while (r->stream_first < r->stream_count) {
		const struct reach_stream_event *e = &r->streams[r->stream_first++];
		struct way *w = reach_by_number(r, e->way);

		if (!w || w->state != WAY_LINKED || w->link_number != e->link_number)
			continue;
		*event = (struct reach_stream){ w, e->stream, e->kind, e->code };
		return true;
	}
	r->stream_first = r->stream_count = 0;
	return false;
}

static void on_down(struct reach *r, struct way *w, const struct link_event *event)
{
	enum way_state was = w->state;

	if (was == WAY_DIALLING) {
		reach_failed(r, w);
		return;
	}
	reach_look_no_more(w);
	way_unlinked(w);
	reach_tell_link(r, w->person);
	/* Somebody hidden from us had something to say, and has gone back. */
	if (!w->person->is_self && !w->person->is_online)
		w->is_present = false;
	if (event->error != ERR_CLOSED)
		return;
	if (event->code == LINK_CODE_PROTOCOL)
		do_penance(r, w);
	/* Perhaps it has not heard yet that this device is ours, or theirs: soon, then less often. */
	if (event->code == LINK_CODE_NOT_CONTACT)
		w->retry_at = r->rooms->now + reach_backoff(w->refusals++, REACH_RETRY_MAX);
	if (event->code == LINK_CODE_BYE) {
		w->retry_at = r->rooms->now + REACH_RETRY;
		w->has_left = true;
		if (!directory_client_is_online(r->rooms->directory))
			believe_goodbye(r, w);
	}
}

void reach_event(struct reach *r, const struct link_event *event)
{
	struct way *w;

	if (!event->link)
		return;
	w = way_of(r, event->link);
	if (!w)
		return;
	if (event->kind == LINK_DOWN) {
		on_down(r, w, event);
		return;
	}
	if (w->state != WAY_LINKED)
		return;
	if (event->kind == LINK_READABLE || event->kind == LINK_WRITABLE ||
	    event->kind == LINK_ABANDONED)
		on_stream(r, w, event);
	else if (event->kind == LINK_MOVED)
		reach_on_path(r, w);
	else if (event->kind == LINK_WORDS && way_words(r->rooms, w, event->data) < 0)
		reach_broken(r, w);
}

/* --- the step --- */

int reach_say(struct reach *r, struct way *w, const struct wire_message *m)
{
	(void)r;
	return w->state == WAY_LINKED ? line_send(&w->line, m) : ERR_STATE;
}

bool reach_next(struct reach *r, struct way **from, struct wire_message *m)
{
	if (!r->is_reading)
		reach_take_changes(r);
	for (r->is_reading = true; r->at < r->count; r->at++) {
		struct way *w = r->ways[r->at];
		int err;

		if (w->state != WAY_LINKED || !w->line.is_readable)
			continue;
		err = way_next(r->rooms, w, m);
		r->has_lists |= w->heard != NULL;
		if (err == 1) {
			*from = w;
			return true;
		}
		if (err == 0)
			continue;
		reach_hang_up(r, w, err == ERR_CLOSED ? LINK_CODE_BYE : LINK_CODE_PROTOCOL);
		do_penance(r, w);
	}
	r->is_reading = false;
	r->at = 0;
	return false;
}

static void step(struct reach *r, struct way *w)
{
	mono_ns now = r->rooms->now;

	reach_paths_step(r, w);
	if (w->state == WAY_LINKED)
		reach_watch(r, w);
	else if (w->state == WAY_DIALLING && now >= w->dial_until)
		reach_failed(r, w);
	if (w->has_left && w->is_present && !directory_client_is_online(r->rooms->directory))
		believe_goodbye(r, w);
	if (w->state != WAY_LINKED && now >= w->dial_at) {
		w->dial_at = NEVER;
		if (w->state == WAY_DIALLING)
			reach_offer_all(r, w);
		else if (w->punch && reach_wants(r, w))
			reach_dial(r, w);
	}
	if (w->state != WAY_IDLE)
		return;
	if (!reach_wants(r, w))
		w->stranded_since = NEVER;
	else if (now >= reach_retry_at(r, w) && w->dial_at == NEVER)
		reach_begin(r, w);
}

void reach_step(struct reach *r)
{
	reach_tell_again(r);
	reach_network_step(r);
	for (unsigned i = 0; i < r->count; i++)
		step(r, r->ways[i]);
}

static mono_ns deadline_of(const struct reach *r, const struct way *w)
{
	mono_ns deadline = w->punch ? punch_deadline(w->punch) : NEVER;

	if (w->state == WAY_LINKED) {
		deadline = mono_earlier(deadline, w->check_at);
		deadline = mono_earlier(deadline, way_deadline(w));
		if (!reach_is_alone(r) && !way_owes(w))
			deadline = mono_earlier(deadline, w->last_used + REACH_IDLE);
		deadline = mono_earlier(deadline, w->direct_at);
	} else {
		deadline = mono_earlier(deadline, w->dial_at);
		if (w->state == WAY_DIALLING)
			deadline = mono_earlier(deadline, w->dial_until);
		else if (w->dial_at == NEVER && reach_wants(r, w))
			deadline = mono_earlier(deadline, reach_retry_at(r, w));
	}
	return mono_earlier(deadline, reach_stranded_at(r, w));
}

mono_ns reach_deadline(const struct reach *r)
{
	mono_ns deadline = reach_network_deadline(r);

	for (unsigned i = 0; i < r->count; i++)
		deadline = mono_earlier(deadline, deadline_of(r, r->ways[i]));
	return deadline;
}

void reach_save(struct reach *r)
{
	reach_take_changes(r);
	for (unsigned i = 0; i < r->count; i++)
		way_save(r->rooms, r->ways[i]);
}

/* Should they answer us by dialling, the first of what we have for them goes with our answer. */
static void say_early(struct reach *r, struct way *w)
{
	struct buf words;

	w->early_due = false;
	buf_init(&words, ENDPOINT_EARLY_MAX);
	if (w->punch && w->state != WAY_LINKED)
		way_early(r->rooms, w, &words);
	endpoint_early(r->rooms->endpoint, &w->device, buf_view(&words));
	buf_clear(&words);
}

void reach_release(struct reach *r)
{
	reach_told(r);
	reach_take_changes(r); /* what is delivered, durably now */
	for (unsigned i = 0; i < r->count; i++) {
		if (r->ways[i]->early_due)
			say_early(r, r->ways[i]);
		way_release(r->rooms, r->ways[i]);
	}
}

void reach_undo(struct reach *r)
{
	r->has_missed = r->has_told;
	reach_take_changes(r);
	for (unsigned i = 0; i < r->count; i++)
		way_undo(r->rooms, r->ways[i]);
}

void reach_all_closed(struct reach *r)
{
	for (unsigned i = 0; i < r->count; i++) {
		if (r->ways[i]->state == WAY_LINKED)
			way_unlinked(r->ways[i]);
	}
}
