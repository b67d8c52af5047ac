#include "peer/sighting.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "peer/candidates.h"
#include "shared/sight.h"
#include "shared/wire.h"

/* An answer from elsewhere is as fast as the others; who has them and waited this long goes on
 * without it. */
#define CROSS_GRACE (60 * MILLISECOND)

/* The main socket's questions in the order they are asked; and those of a socket of its own. */
enum {
	ASKED_MAX = 16,
	SIGHTS_MAX = WIRE_SIGHTS_MAX + 1,
	CROSS = SIGHTS_MAX,
	PORT,
	FRESH,
	QUESTIONS = FRESH + SIGHTS_MAX
};

struct question {
	bool is_asked, is_answered;
	struct sight_nonce nonce;
	struct address seen; /* is_answered */
};

/* Questions that are asked together. */
struct round {
	unsigned first, count, tries;
	mono_ns next; /* NEVER: all answered, or given up */
	mono_ns began;
};

/* What went to an address that the directory named and that has not answered. */
struct asked_ip {
	struct address ip;
	unsigned count;
	mono_ns since;
	bool has_answered;
};

struct sighting {
	struct rooms *rooms;
	struct network network; /* as it was when we asked */
	struct address sights[SIGHTS_MAX];
	struct asked_ip asked[ASKED_MAX];
	unsigned sight_count;
	struct address line; /* to the directory: there it answers */
	bool is_online;
	struct question questions[QUESTIONS];
	struct round main, cross, port, fresh;
	uint16_t socket, outer_port; /* of `fresh`, of `port` */
	mono_ns main_done_at;        /* NEVER: not yet */
	mono_ns fresh_at;            /* when a hard NAT was last looked at anew; NEVER: never */
	struct sighting_report report;
};

struct sighting *sighting_new(struct rooms *rooms)
{
	struct sighting *s = memory_new(sizeof *s);

	s->rooms = rooms;
	s->main.next = s->cross.next = s->port.next = s->fresh.next = NEVER;
	s->fresh_at = s->main_done_at = NEVER;
	return s;
}

void sighting_free(struct sighting *s)
{
	free(s);
}

/* --- asking --- */

/* NULL: it is not among them, and there is no place for it. */
static struct asked_ip *find_asked(struct sighting *s, const struct address *a)
{
	struct asked_ip *place = NULL;

	for (unsigned i = 0; i < ASKED_MAX; i++) {
		struct asked_ip *known = &s->asked[i];

		if (address_same_ip(&known->ip, a))
			return known;
		if (!place &&
		    (known->ip.family == 0 || s->rooms->now >= known->since + SIGHTING_REST))
			place = known;
	}
	if (place)
		*place = (struct asked_ip){ .ip = *a, .since = s->rooms->now };
	return place;
}

/* A directory may name anybody's address, and say so anew each time we come. */
static bool may_ask(struct sighting *s, const struct address *a)
{
	struct asked_ip *asked;

	if (address_same_ip(a, &s->line))
		return true;
	asked = find_asked(s, a);
	if (!asked)
		return false;
	if (s->rooms->now >= asked->since + SIGHTING_REST) {
		asked->since = s->rooms->now;
		asked->count = 0;
	}
	return asked->has_answered || asked->count++ < SIGHTING_UNANSWERED;
}

static void ask(struct sighting *s, unsigned index)
{
	struct question *q = &s->questions[index];
	struct sight_question question = { .wants = SIGHT_PLAIN };
	uint8_t out[SIGHT_QUESTION_SIZE];
	struct path path = { .remote = s->sights[0] };

	if (!q->is_asked)
		randombytes_buf(&q->nonce, sizeof q->nonce);
	q->is_asked = true;
	question.nonce = q->nonce;
	if (index < s->sight_count) {
		path.remote = s->sights[index];
	} else if (index >= FRESH) {
		path.remote = s->sights[index - FRESH];
		path.socket = s->socket;
	} else if (index == CROSS) {
		question.wants = SIGHT_CROSS;
	} else {
		question.wants = SIGHT_PORT;
		question.port = s->outer_port;
	}
	if (!may_ask(s, &path.remote))
		return;
	sight_question_encode(out, &question);
	endpoint_send_stray(s->rooms->endpoint, &path, BYTES(out), 0);
}

static void begin_round(struct sighting *s, struct round *r, unsigned first, unsigned count)
{
	memset(&s->questions[first], 0, count * sizeof s->questions[0]);
	*r = (struct round){
		.first = first, .count = count, .next = s->rooms->now, .began = s->rooms->now
	};
}

static bool is_answered(const struct sighting *s, const struct round *r)
{
	for (unsigned i = 0; i < r->count; i++)
		if (!s->questions[r->first + i].is_answered)
			return false;
	return true;
}

/* What is seen of the answers so far, in the order of the questions. */
static unsigned samples_of(const struct sighting *s, const struct round *r,
			   struct address out[SIGHTS_MAX])
{
	unsigned count = 0;

	for (unsigned i = 0; i < r->count; i++)
		if (s->questions[r->first + i].is_answered)
			out[count++] = s->questions[r->first + i].seen;
	return count;
}

static bool is_going(const struct round *r)
{
	return r->next != NEVER;
}

static void end_round(struct sighting *s, struct round *r)
{
	r->next = NEVER;
	if (r != &s->fresh || s->socket == 0)
		return;
	endpoint_release_socket(s->rooms->endpoint, s->socket);
	s->socket = 0;
}

/* --- what it means --- */

static void tell(struct sighting *s, const struct nat *nat)
{
	s->report.nat = *nat;
	own_candidates_set_nat(s->rooms->candidates, nat);
}

static void begin_fresh(struct sighting *s)
{
	end_round(s, &s->fresh);
	s->socket = endpoint_extra_socket(s->rooms->endpoint);
	if (s->socket != 0)
		begin_round(s, &s->fresh, FRESH, s->sight_count);
}

static struct nat classify(struct sighting *s, const struct round *r)
{
	struct address samples[SIGHTS_MAX], ours = { 0 };
	unsigned count = samples_of(s, r, samples);
	struct nat nat;

	if (count > 0 && network_has(&s->network, &samples[0])) {
		ours = samples[0];
		ours.port = s->network.port;
	}
	if (count > NAT_SAMPLES_MAX)
		count = NAT_SAMPLES_MAX;
	nat = nat_classify(samples, count, &ours);
	nat.filtering = s->report.nat.filtering;
	return nat;
}

static void conclude_filtering(struct sighting *s)
{
	struct nat nat = s->report.nat;

	if (s->questions[CROSS].is_answered)
		nat.filtering = NAT_OPEN;
	else if (nat.filtering == NAT_FILTER_UNKNOWN)
		nat.filtering = NAT_FILTERED;
	tell(s, &nat);
}

/* The main socket's answers are all there, or as many as will come. */
static void conclude_main(struct sighting *s)
{
	struct address samples[SIGHTS_MAX];
	unsigned count = samples_of(s, &s->main, samples);
	struct nat nat = classify(s, &s->main);

	end_round(s, &s->main);
	s->main_done_at = s->rooms->now;
	s->report.answered = count;
	if (count > 0)
		s->report.seen = samples[0];
	/* The line itself may be of v6, or what it told older than a NAT's memory. */
	if (count > 0 && (nat_is_easy(&nat) || s->line.family != 4))
		own_candidates_set_observed(s->rooms->candidates, &samples[0]);
	/* The line's port was given long before the others: from a socket of its own is told
	 * what kind it is. Until then that it is not easy. */
	if (!nat_is_easy(&nat) && nat.mapping != NAT_UNKNOWN && s->is_online)
		begin_fresh(s);
	tell(s, &nat);
	s->report.is_done = !is_going(&s->fresh) && !is_going(&s->cross);
}

static void conclude_fresh(struct sighting *s)
{
	struct nat nat = classify(s, &s->fresh);

	end_round(s, &s->fresh);
	s->fresh_at = s->rooms->now; /* asked in vain, too: nobody waits for it twice */
	/* An easy NAT here: it has changed its mind, or the other answers came late. */
	if (nat.mapping != NAT_UNKNOWN)
		tell(s, &nat);
	s->report.is_done = !is_going(&s->main) && !is_going(&s->cross);
}

/* --- what happens --- */

static void begin(struct sighting *s)
{
	const struct nat unknown = { 0 };

	end_round(s, &s->fresh);
	s->network = *own_candidates_network(s->rooms->candidates);
	s->main.next = s->cross.next = NEVER;
	s->fresh_at = s->main_done_at = NEVER;
	memset(s->questions, 0, sizeof s->questions);
	s->report.is_done = true;
	s->report.asked = s->sight_count;
	s->report.answered = 0;
	s->report.seen = (struct address){ 0 };
	if (s->sight_count == 0) {
		tell(s, &unknown);
		return;
	}
	/* What was known is taken for true until something else is: an introduction may come
	 * meanwhile. */
	s->report.nat.filtering = NAT_FILTER_UNKNOWN;
	s->report.is_done = false;
	begin_round(s, &s->main, 0, s->sight_count);
	begin_round(s, &s->cross, CROSS, 1);
	if (s->report.port == PORT_TRYING)
		begin_round(s, &s->port, PORT, 1);
}

static void add_sight(struct sighting *s, const struct address *a)
{
	if (a->family != 4 || !address_is_unicast(a) || s->sight_count == SIGHTS_MAX)
		return;
	for (unsigned i = 0; i < s->sight_count; i++)
		if (address_equal(&s->sights[i], a))
			return;
	s->sights[s->sight_count++] = *a;
}

void sighting_welcomed(struct sighting *s, const struct address *main,
		       const struct address *sights, unsigned count)
{
	s->sight_count = 0;
	/* Where the line goes is the first of them, if it is one at all: seen from different sides
	 * of a router they would say nothing. */
	for (unsigned i = 0; i < count; i++)
		add_sight(s, &sights[i]);
	if (s->sight_count == 0)
		add_sight(s, main);
	s->line = *main;
	s->is_online = true;
	begin(s);
}

void sighting_offline(struct sighting *s)
{
	s->is_online = false;
	s->main.next = s->cross.next = NEVER;
	end_round(s, &s->port);
	end_round(s, &s->fresh);
	s->report.is_done = true;
	if (s->report.port == PORT_TRYING)
		s->report.port = PORT_UNTRIED;
}

void sighting_try_port(struct sighting *s, uint16_t outer_port)
{
	s->outer_port = outer_port;
	s->report.port = PORT_TRYING;
	if (s->is_online && s->sight_count > 0)
		begin_round(s, &s->port, PORT, 1);
}

bool sighting_refresh(struct sighting *s)
{
	bool is_old = s->fresh_at == NEVER || s->rooms->now - s->fresh_at > SIGHTING_FRESH;

	if (!s->is_online || s->report.nat.mapping != NAT_SEQUENTIAL || !is_old)
		return true;
	if (!is_going(&s->fresh) && !is_going(&s->main))
		begin_fresh(s);
	return !is_going(&s->fresh) && !is_going(&s->main);
}

static void on_answer(struct sighting *s, unsigned index)
{
	if (index == PORT) {
		s->report.port = PORT_OPEN;
		end_round(s, &s->port);
	} else if (index == CROSS) {
		end_round(s, &s->cross);
		s->report.is_done = !is_going(&s->main) && !is_going(&s->fresh);
		if (!is_going(&s->main))
			conclude_filtering(s);
	} else if (index < FRESH && is_answered(s, &s->main)) {
		conclude_main(s);
		if (s->questions[CROSS].is_answered)
			conclude_filtering(s);
	} else if (index >= FRESH && is_answered(s, &s->fresh)) {
		conclude_fresh(s);
	}
}

static void note_answer(struct sighting *s, const struct address *from)
{
	for (unsigned i = 0; i < ASKED_MAX; i++) {
		if (address_same_ip(&s->asked[i].ip, from))
			s->asked[i].has_answered = true;
	}
}

bool sighting_stray(struct sighting *s, const struct path *path, struct bytes data)
{
	struct sight_nonce nonce;
	struct address seen;

	/* Who has not heard the question cannot know the nonce. */
	if (sight_answer_decode(&nonce, &seen, data) < 0)
		return false;
	for (unsigned i = 0; i < QUESTIONS; i++) {
		struct question *q = &s->questions[i];

		if (!q->is_asked || sodium_memcmp(&q->nonce, &nonce, sizeof nonce) != 0)
			continue;
		if (q->is_answered || seen.family != 4)
			return true;
		q->is_answered = true;
		q->seen = seen;
		note_answer(s, &path->remote);
		on_answer(s, i);
		return true;
	}
	return false;
}

/* True once: nothing more will come. */
static bool step_round(struct sighting *s, struct round *r)
{
	if (s->rooms->now < r->next)
		return false;
	if (r->tries == SIGHTING_TRIES)
		return true;
	for (unsigned i = 0; i < r->count; i++)
		if (!s->questions[r->first + i].is_answered)
			ask(s, r->first + i);
	r->tries++;
	r->next = s->rooms->now + SIGHTING_AGAIN;
	return false;
}

static mono_ns grace_end(const struct sighting *s)
{
	bool is_waiting = is_going(&s->cross) && s->main_done_at != NEVER &&
			  s->report.nat.filtering == NAT_FILTER_UNKNOWN &&
			  s->report.nat.mapping != NAT_UNKNOWN;

	return is_waiting ? s->main_done_at + CROSS_GRACE : NEVER;
}

mono_ns sighting_step(struct sighting *s)
{
	if (!s->is_online)
		return NEVER;
	if (!network_equal(&s->network, own_candidates_network(s->rooms->candidates)))
		begin(s);
	if (step_round(s, &s->main))
		conclude_main(s);
	if (step_round(s, &s->fresh))
		conclude_fresh(s);
	if (step_round(s, &s->cross)) {
		end_round(s, &s->cross);
		s->report.is_done = !is_going(&s->main) && !is_going(&s->fresh);
		if (s->report.answered > 0)
			conclude_filtering(s);
	}
	if (step_round(s, &s->port)) {
		end_round(s, &s->port);
		s->report.port = PORT_SHUT;
	}
	/* Most likely it is filtered; should an answer come after all, it is corrected. */
	if (grace_end(s) <= s->rooms->now)
		conclude_filtering(s);
	return mono_earlier(
		mono_earlier(s->main.next, s->cross.next),
		mono_earlier(mono_earlier(s->port.next, s->fresh.next), grace_end(s)));
}

struct sighting_report sighting_report(const struct sighting *s)
{
	return s->report;
}
