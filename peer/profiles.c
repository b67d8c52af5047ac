#include "peer/profiles.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "peer/account.h"
#include "peer/directory_client.h"
#include "peer/events.h"
#include "peer/persons.h"
#include "peer/profiles_inside.h"
#include "peer/reach.h"
#include "peer/settings.h"
#include "shared/error.h"

struct profiles *profiles_new(struct rooms *rooms)
{
	struct profiles *s = memory_new(sizeof *s);

	s->rooms = rooms;
	profiles_load(s);
	return s;
}

void profiles_free(struct profiles *s)
{
	if (!s)
		return;
	for (unsigned i = 0; i <= PROFILES_CHECKS; i++)
		profiles_check_over(&s->checks[i]);
	buf_clear(&s->picture);
	buf_clear(&s->said);
	buf_clear(&s->menu);
	buf_clear(&s->handed);
	free(s);
}

/* What was said last may have told of what is undone: the truth is told behind it. */
void profiles_reload(struct profiles *s)
{
	struct way *w;

	profiles_load(s);
	s->raised_at = 0; /* it may be what is undone */
	for (unsigned i = 0; (w = reach_way_at(s->rooms->reach, i)) != NULL; i++) {
		if (!version_equal(&w->profile.told, known_of(s, w)))
			w->profile.ask_at = s->rooms->now;
		if (version_is_newer(&w->profile.said, &s->ours.version))
			memset(&w->profile.said, 0, sizeof w->profile.said);
	}
}

/* --- ours --- */

void profiles_ours(const struct profiles *s, struct profile *out)
{
	memset(out, 0, sizeof *out);
	out->availability = s->ours.availability;
	out->is_invisible = account_is_invisible(s->rooms->account);
	memcpy(out->title, s->ours.title, sizeof out->title);
	memcpy(out->status, s->ours.status, sizeof out->status);
	out->picture = buf_view(&s->picture);
	out->is_bot = s->ours.is_bot;
}

struct wire_profile profiles_form(const struct profiles *s)
{
	return (struct wire_profile){
		.number = s->ours.version.number,
		.availability = s->ours.availability,
		.title = bytes_text(s->ours.title),
		.status = bytes_text(s->ours.status),
		.picture = buf_view(&s->said),
		.is_bot = s->ours.is_bot,
		.menu = buf_view(&s->menu),
	};
}

static void tell(struct profiles *s, const struct name *name)
{
	struct event e = { .kind = EVENT_PROFILE, .name = *name };

	events_add(s->rooms->events, &e);
}

/* What was changed here becomes the newest of all. */
void profiles_publish(struct profiles *s)
{
	uint64_t now = s->rooms->wall > 0 ? (uint64_t)s->rooms->wall : 1;
	struct version *v = &s->ours.version;
	struct wire_profile form;

	v->number = now > v->number ? now : v->number + 1;
	form = profiles_form(s);
	v->mark = profile_mark(&form);
	s->is_made_here = true;
	profiles_write(s, NULL, &s->ours, buf_view(&s->menu), &s->picture, &s->said);
	settings_set_number(s->rooms->store, "profile_made", (int64_t)v->number);
	tell(s, account_name(s->rooms->account));
}

/* One line that can be shown. */
static int check_line(const char *text, size_t max)
{
	if (!text)
		return 0;
	if (strlen(text) > max)
		return ERR_LIMIT;
	for (const char *c = text; *c; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return ERR_FORMAT;
	}
	return bytes_is_utf8(bytes_text(text)) ? 0 : ERR_FORMAT;
}

static void set_picture(struct profiles *s, struct bytes picture)
{
	s->picture.size = s->said.size = 0;
	buf_append(&s->picture, picture);
	buf_append(&s->said, picture);
	s->ours.has_picture = picture.size > 0;
	memset(s->ours.picture_hash, 0, sizeof s->ours.picture_hash);
}

int profiles_set(struct profiles *s, const struct profiles_change *change, uint64_t ticket)
{
	struct check *wish = &s->checks[PROFILES_CHECKS];
	bool is_waiting = change->picture && *change->picture;
	int err = check_line(change->title, WIRE_TITLE_MAX);

	if (err == 0)
		err = check_line(change->status, WIRE_STATUS_MAX);
	if (err == 0 && change->availability && *change->availability > BUSY)
		err = ERR_FORMAT;
	if (err == 0 && is_waiting && wish->work)
		err = ERR_BUSY;
	if (err < 0)
		return err;
	if (change->availability)
		s->ours.availability = *change->availability;
	if (change->title)
		memcpy(s->ours.title, change->title, strlen(change->title) + 1);
	if (change->status)
		memcpy(s->ours.status, change->status, strlen(change->status) + 1);
	if (change->picture && !is_waiting)
		set_picture(s, (struct bytes){ 0 });
	if (change->is_bot)
		s->ours.is_bot = *change->is_bot;
	if (change->availability || change->title || change->status || change->is_bot ||
	    (change->picture && !is_waiting))
		profiles_publish(s);
	if (!is_waiting) {
		events_answer(s->rooms->events, ticket, 0, NULL, 0);
		return 0;
	}
	wish->is_wish = true;
	wish->ticket = ticket;
	profiles_check(wish, change->picture, (struct bytes){ 0 });
	return 0;
}

void profiles_set_menu(struct profiles *s, struct bytes menu)
{
	if (bytes_equal(buf_view(&s->menu), menu))
		return;
	s->menu.size = 0;
	buf_append(&s->menu, menu);
	profiles_publish(s);
}

/* What is known of a link goes with it. */
void profiles_follow_link(const struct profiles *s, struct way *w)
{
	if (w->profile.link == w->link_number)
		return;
	w->profile.link = w->link_number;
	w->profile.ask_at = s->rooms->now;
	w->profile.say_at = 0;
	w->profile.has_told = false;
	memset(&w->profile.said, 0, sizeof w->profile.said);
	memset(&w->profile.told, 0, sizeof w->profile.told);
}

/* --- hearing --- */

/* Everybody of theirs who is linked hears that we have it. */
static void thank(const struct person *p, mono_ns at)
{
	for (unsigned i = 0; i < WIRE_DEVICES_MAX; i++) {
		if (p->ways[i])
			p->ways[i]->profile.ask_at = mono_earlier(p->ways[i]->profile.ask_at,
								  at);
	}
}

static void take_theirs(struct profiles *s, struct person *p, const struct shown *shown,
			struct bytes menu, const struct buf *picture, bool is_same_picture)
{
	if (!p->shown)
		p->shown = memory_new(sizeof *p->shown);
	*p->shown = *shown;
	p->shown->whose = p->identity;
	p->shown->stored_at = s->rooms->now;
	if (is_same_picture)
		profiles_rewrite(s, p, shown, menu);
	else
		profiles_write(s, p, shown, menu, picture, NULL);
	tell(s, &p->name);
	thank(p, s->rooms->now);
}

static void take_ours(struct profiles *s, const struct shown *shown, struct bytes menu,
		      const struct buf *picture, struct bytes said)
{
	s->ours = *shown;
	s->picture.size = s->said.size = s->menu.size = 0;
	buf_append(&s->menu, menu);
	if (picture)
		buf_append(&s->picture, buf_view(picture));
	buf_append(&s->said, said);
	s->is_made_here = false;
	profiles_write(s, NULL, shown, menu, &s->picture, &s->said);
	tell(s, account_name(s->rooms->account));
	thank(persons_self(s->rooms->persons), s->rooms->now);
}

static void copy_text(char *out, struct bytes text)
{
	if (text.size > 0)
		memcpy(out, text.data, text.size);
	out[text.size] = '\0';
}

static void shown_of(struct shown *out, const struct wire_profile *said)
{
	memset(out, 0, sizeof *out);
	out->version = (struct version){ said->number, profile_mark(said) };
	out->availability = said->availability;
	out->is_bot = said->is_bot;
	copy_text(out->title, said->title);
	copy_text(out->status, said->status);
	if (said->picture.size)
		crypto_generichash(out->picture_hash, sizeof out->picture_hash,
				   said->picture.data, said->picture.size, NULL, 0);
}

/* Not now: told what we have, they say it again. */
static void later(struct profiles *s, struct way *from, mono_ns wait)
{
	from->profile.ask_at = s->rooms->now + wait + randombytes_uniform(1000) * MILLISECOND;
}

static void begin_check(struct profiles *s, struct way *from, const struct shown *shown,
			struct bytes menu, struct bytes picture)
{
	struct check *c = profiles_free_check(s, from->person);

	if (!c) {
		later(s, from, SECOND);
		return;
	}
	c->is_ours = from->person->is_self;
	c->name = from->person->name;
	c->shown = *shown;
	c->menu.size = 0;
	buf_append(&c->menu, menu);
	profiles_check(c, NULL, picture);
	if (from->person->shown)
		from->person->shown->checked_at = s->rooms->now;
}

static void hear_theirs(struct profiles *s, struct way *from, const struct wire_profile *said)
{
	struct person *p = from->person;
	mono_ns now = s->rooms->now;
	struct shown shown;
	bool is_same;

	shown_of(&shown, said);
	if (!version_is_newer(&shown.version, version_of(p))) {
		thank(p, now);
		return;
	}
	if (p->shown && p->shown->stored_at &&
	    now < p->shown->stored_at + PROFILES_STORE_EACH) {
		later(s, from, p->shown->stored_at + PROFILES_STORE_EACH - now);
		return;
	}
	is_same = p->shown && memcmp(p->shown->picture_hash, shown.picture_hash,
				     sizeof shown.picture_hash) == 0;
	if (is_same || said->picture.size == 0) {
		shown.has_picture = is_same && p->shown->has_picture;
		shown.checked_at = p->shown ? p->shown->checked_at : 0;
		take_theirs(s, p, &shown, said->menu, NULL, is_same);
	} else if (p->shown && p->shown->checked_at &&
		   now < p->shown->checked_at + PROFILES_CHECK_EACH) {
		later(s, from, p->shown->checked_at + PROFILES_CHECK_EACH - now);
	} else {
		begin_check(s, from, &shown, said->menu, said->picture);
	}
}

static void hear_ours(struct profiles *s, struct way *from, const struct wire_profile *said)
{
	uint64_t now = s->rooms->wall > 0 ? (uint64_t)s->rooms->wall : 0;
	struct shown shown;

	shown_of(&shown, said);
	if (shown.version.number > now + PROFILES_AHEAD)
		return; /* for ever the last one: of a device that was stolen */
	if (!version_is_newer(&shown.version, &s->ours.version))
		thank(from->person, s->rooms->now);
	else if (said->picture.size == 0)
		take_ours(s, &shown, said->menu, NULL, said->picture);
	else
		begin_check(s, from, &shown, said->menu, said->picture);
}

static void hear_have(struct profiles *s, struct way *from,
		      const struct wire_profile_have *have)
{
	struct version had;

	from->profile.has_told = true;
	from->profile.has = (struct version){ have->number, have->mark };
	/* What they could not take when it was said is said again. */
	memset(&from->profile.said, 0, sizeof from->profile.said);
	if (!version_equal(&from->profile.has, &s->ours.version))
		return;
	profiles_read_had(s, from, &had);
	if (!version_equal(&had, &from->profile.has))
		profiles_write_had(s, from);
}

int profiles_hear(struct profiles *s, struct way *from, const struct wire_message *m)
{
	if (from->state != WAY_LINKED || !person_is_open(from->person))
		return 0;
	profiles_follow_link(s, from);
	if (m->type == WIRE_PROFILE_HAVE)
		hear_have(s, from, &m->profile_have);
	else if (from->person->is_self)
		hear_ours(s, from, &m->profile);
	else
		hear_theirs(s, from, &m->profile);
	return 0;
}

/* --- pictures that were looked at --- */

static void picture_made(struct profiles *s, struct check *c, int err)
{
	if (err == 0) {
		set_picture(s, bytes_of(c->work->thumbnail, c->work->size));
		profiles_publish(s);
	}
	events_answer(s->rooms->events, c->ticket, err, NULL, 0);
}

/* What is no picture is none; the rest of the profile counts. */
static void picture_checked(struct profiles *s, struct check *c, int err)
{
	struct person *p = c->is_ours ? NULL : persons_find(s->rooms->persons, &c->name);
	struct buf picture = { 0 };

	if (err == 0)
		buf_append(&picture, bytes_of(c->work->thumbnail, c->work->size));
	c->shown.has_picture = err == 0;
	c->shown.checked_at = s->rooms->now;
	if (c->is_ours && version_is_newer(&c->shown.version, &s->ours.version))
		take_ours(s, &c->shown, buf_view(&c->menu), &picture, buf_view(&c->said));
	else if (p && person_is_open(p) && version_is_newer(&c->shown.version, version_of(p)))
		take_theirs(s, p, &c->shown, buf_view(&c->menu), &picture, false);
	buf_clear(&picture);
}

bool profiles_job_done(struct profiles *s, struct job *job)
{
	for (unsigned i = 0; i <= PROFILES_CHECKS; i++) {
		struct check *c = &s->checks[i];

		if (!c->work || !c->is_given || job->kind != JOB_IMAGE || job->task != c->work)
			continue;
		if (c->is_wish)
			picture_made(s, c, job->err);
		else
			picture_checked(s, c, job->err);
		profiles_check_over(c);
		return true;
	}
	return false;
}

/* --- what is shown --- */

void profiles_fill(const struct person *p, struct contact *out)
{
	if (!p->shown || p->is_removed || p->state != CONTACT_MUTUAL)
		return;
	out->availability = p->shown->availability;
	memcpy(out->title, p->shown->title, sizeof out->title);
	memcpy(out->status, p->shown->status, sizeof out->status);
	out->has_picture = p->shown->has_picture;
	out->is_bot = p->shown->is_bot;
}

void profiles_menu(struct profiles *s, const struct person *p, struct bytes *menu)
{
	struct statement *st;

	*menu = p ? (struct bytes){ 0 } : buf_view(&s->menu);
	if (!p || !p->shown || p->state != CONTACT_MUTUAL)
		return;
	s->handed.size = 0;
	st = db_sql(store_db(s->rooms->store), "SELECT menu FROM profile WHERE contact = ?");
	bind_int(st, 1, p->id);
	if (db_step(st) == 1)
		buf_append(&s->handed, column_bytes(st, 0));
	db_done(st);
	*menu = buf_view(&s->handed);
}

int profiles_picture(struct profiles *s, const struct person *p, struct bytes *picture)
{
	struct statement *st;

	if (!p->shown || !p->shown->has_picture || p->state != CONTACT_MUTUAL)
		return ERR_NOT_FOUND;
	s->handed.size = 0;
	st = db_sql(store_db(s->rooms->store), "SELECT picture FROM profile WHERE contact = ?");
	bind_int(st, 1, p->id);
	if (db_step(st) == 1)
		buf_append(&s->handed, column_bytes(st, 0));
	db_done(st);
	*picture = buf_view(&s->handed);
	return picture->size ? 0 : ERR_NOT_FOUND;
}
