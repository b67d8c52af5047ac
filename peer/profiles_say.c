/* Who is told of ours, and called for it. */
#include <string.h>

#include "peer/account.h"
#include "peer/directory_client.h"
#include "peer/persons.h"
#include "peer/profiles_inside.h"
#include "peer/reach.h"
#include "shared/error.h"

#define PROFILES_AGAIN (100 * MILLISECOND) /* where a line had no room */

/* --- saying --- */

/* False: no room now. */
static bool say_have(struct profiles *s, struct way *w)
{
	const struct version *v = known_of(s, w);
	struct wire_message m = { .type = WIRE_PROFILE_HAVE };

	m.profile_have.number = v->number;
	m.profile_have.mark = v->mark;
	w->profile.told = *v;
	return reach_say(s->rooms->reach, w, &m) == 0;
}

static bool say_profile(struct profiles *s, struct way *w)
{
	struct wire_message m = { .type = WIRE_PROFILE };

	m.profile = profiles_form(s);
	return reach_say(s->rooms->reach, w, &m) == 0;
}

static void call(struct profiles *s, struct way *w)
{
	w->profile.called_for = s->ours.version;
	w->profile.called_until = s->rooms->now + PROFILES_CALL_FOR;
}

/* Whether each other device of ours says that it knows nothing newer; who is there and silent is called. */
static bool is_all_we_know(struct profiles *s)
{
	struct person *self = persons_self(s->rooms->persons);
	unsigned known = 1;

	for (unsigned i = 0; i < WIRE_DEVICES_MAX; i++) {
		struct way *w = self->ways[i];

		if (!w)
			continue;
		if (w->state == WAY_LINKED && w->profile.link == w->link_number &&
		    w->profile.has_told && version_equal(&w->profile.has, &s->ours.version))
			known++;
		else if (w->state != WAY_LINKED && w->is_present &&
			 s->rooms->now >= w->profile.called_until)
			call(s, w);
	}
	return known == account_devices(s->rooms->account)->count;
}

/* They have a newer one of ours than we: this machine began anew, or was put back from an old copy. What we
 * show now counts, unless a device of ours may know better. */
static void outdo(struct profiles *s, const struct version *theirs)
{
	uint64_t now = s->rooms->wall > 0 ? (uint64_t)s->rooms->wall : 0;

	if (theirs->number > now + PROFILES_AHEAD / 2 ||
	    (s->raised_at && s->rooms->now < s->raised_at + PROFILES_RAISE_EACH) ||
	    !is_all_we_know(s))
		return;
	s->raised_at = s->rooms->now;
	if (theirs->number > s->ours.version.number)
		s->ours.version.number = theirs->number;
	profiles_publish(s);
}

static mono_ns say(struct profiles *s, struct way *w)
{
	const struct version *ours = &s->ours.version;
	mono_ns now = s->rooms->now, deadline = NEVER;

	profiles_follow_link(s, w);
	if (now >= w->profile.ask_at)
		w->profile.ask_at = say_have(s, w) ? NEVER : now + PROFILES_AGAIN;
	deadline = w->profile.ask_at;
	if (w->profile.has_told && !w->person->is_self &&
	    version_is_newer(&w->profile.has, ours))
		outdo(s, &w->profile.has);
	if (!w->profile.has_told || !version_is_newer(ours, &w->profile.has) ||
	    version_equal(ours, &w->profile.said))
		return deadline;
	if (now >= w->profile.say_at) {
		if (say_profile(s, w)) {
			w->profile.said = *ours;
			w->profile.say_at = now + PROFILES_STORE_EACH;
			return deadline;
		}
		w->profile.say_at = now + PROFILES_AGAIN;
	}
	return mono_earlier(deadline, w->profile.say_at);
}

/* --- calling --- */

static bool is_calling(const struct profiles *s, const struct way *w)
{
	return w->state != WAY_LINKED && w->is_present && person_may_link(w->person) &&
	       !w->person->is_unseen && s->rooms->now < w->profile.called_until &&
	       version_equal(&w->profile.called_for, &s->ours.version);
}

/* It is there, lacks what we show, and was not called for that. */
static bool is_to_call(struct profiles *s, const struct way *w)
{
	struct version had;

	if (w->state == WAY_LINKED || !w->is_present || !person_may_link(w->person) ||
	    w->person->is_unseen || version_equal(&w->profile.called_for, &s->ours.version))
		return false;
	profiles_read_had(s, w, &had);
	return version_is_newer(&s->ours.version, &had);
}

/* One in a step, from where the last one was; false: nobody. */
static bool call_next(struct profiles *s, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct way *w = reach_way_at(s->rooms->reach, s->call_place++ % count);

		if (!is_to_call(s, w)) {
			/* Asked the store once for each. */
			if (w->state != WAY_LINKED && w->is_present && !w->person->is_unseen)
				w->profile.called_for = s->ours.version;
			continue;
		}
		call(s, w);
		w->is_called = true;
		return true;
	}
	return false;
}

static mono_ns call_those_who_lack_it(struct profiles *s, unsigned count, unsigned called)
{
	mono_ns now = s->rooms->now;

	if (!s->is_made_here || count == 0 || called >= PROFILES_CALLED ||
	    !directory_client_is_online(s->rooms->directory))
		return NEVER;
	if (now < s->call_at)
		return s->call_at;
	if (!call_next(s, count))
		return NEVER;
	s->call_at = now + PROFILES_CALL_EACH;
	return s->call_at;
}

/* --- the step --- */

static void forget_strangers(struct profiles *s)
{
	struct person *p;

	if (account_standing(s->rooms->account) == STANDING_NONE && s->ours.version.number) {
		profiles_drop(s, NULL);
		memset(&s->ours, 0, sizeof s->ours);
		s->picture.size = s->said.size = s->menu.size = 0;
	}
	for (unsigned i = 0; (p = persons_at(s->rooms->persons, i)) != NULL; i++) {
		if (p->shown && (p->is_removed || p->state == CONTACT_BLOCKED))
			profiles_drop(s, p);
	}
}

mono_ns profiles_step(struct profiles *s)
{
	mono_ns deadline = NEVER;
	unsigned called = 0, count = 0;
	struct way *w;

	forget_strangers(s);
	for (; (w = reach_way_at(s->rooms->reach, count)) != NULL; count++) {
		w->is_called = is_calling(s, w);
		called += w->is_called;
		if (w->is_called)
			deadline = mono_earlier(deadline, w->profile.called_until);
		if (w->state == WAY_LINKED && person_is_open(w->person) &&
		    !w->person->is_unseen)
			deadline = mono_earlier(deadline, say(s, w));
	}
	return mono_earlier(deadline, call_those_who_lack_it(s, count, called));
}
