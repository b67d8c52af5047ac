#include "shared/link_path.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "shared/error.h"
#include "shared/link.h"

enum { SAY_CHALLENGE = 1, SAY_ANSWER = 2 };

/* --- proving an address --- */

static void ask_proof(struct link *l, mono_ns now)
{
	struct link_proof *p = &l->proof;

	randombytes_buf(p->challenge, sizeof p->challenge);
	p->is_wanted = p->is_due = true;
	p->wait = LINK_CHALLENGE_WAIT;
	p->at = now + p->wait;
}

static void is_proved(struct link *l)
{
	l->is_unproved = l->proof.is_wanted = l->proof.is_due = false;
	l->proved_path = l->path;
}

static void not_proved(struct link *l, size_t size)
{
	l->is_unproved = true;
	l->unproved_from = size;
	l->unproved_sent = 0;
}

void link_path_up(struct link *l, mono_ns now)
{
	if (l->is_unproved)
		ask_proof(l, now);
	else
		l->proved_path = l->path;
}

int link_proof_receive(struct link *l, struct bytes data)
{
	struct link_proof *p = &l->proof;

	if (data.size != LINK_PROOF_SIZE)
		return ERR_FORMAT;
	if (data.data[0] == SAY_CHALLENGE) {
		memcpy(p->answer, data.data + 1, sizeof p->answer);
		p->is_answer_due = true;
		l->unrest.has_data =
			true; /* until it is proved they can say little: keep asking */
		return 0;
	}
	if (data.data[0] != SAY_ANSWER)
		return ERR_FORMAT;
	/* A late one, to a challenge of before, is no error. */
	if (!p->is_wanted || sodium_memcmp(p->challenge, data.data + 1, sizeof p->challenge))
		return 0;
	is_proved(l);
	l->has_proved = true;
	l->has_moved = p->is_moved;
	p->is_moved = false;
	return 0;
}

size_t link_proof_next(const struct link *l, uint8_t out[LINK_PROOF_SIZE])
{
	const struct link_proof *p = &l->proof;

	if (!p->is_due && !p->is_answer_due)
		return 0;
	out[0] = p->is_answer_due ? SAY_ANSWER : SAY_CHALLENGE;
	memcpy(out + 1, p->is_answer_due ? p->answer : p->challenge, LINK_CHALLENGE_SIZE);
	return LINK_PROOF_SIZE;
}

void link_proof_sent(struct link *l, const uint8_t out[LINK_PROOF_SIZE])
{
	if (out[0] == SAY_ANSWER)
		l->proof.is_answer_due = false;
	else
		l->proof.is_due = false;
}

void link_proof_tick(struct link *l, mono_ns now)
{
	struct link_proof *p = &l->proof;

	if (!p->is_wanted || now < p->at)
		return;
	p->is_due = true;
	if (p->wait < LINK_CHALLENGE_WAIT_MAX)
		p->wait *= 2;
	p->at = now + p->wait;
}

mono_ns link_proof_at(const struct link *l)
{
	return l->proof.is_wanted ? l->proof.at : NEVER;
}

/* --- following --- */

void link_stay_small(struct link *l, mono_ns now)
{
	l->small_for = l->small_for ? l->small_for * 2 : LINK_SIZE_PENALTY;
	if (l->small_for > LINK_SIZE_PENALTY_MAX)
		l->small_for = LINK_SIZE_PENALTY_MAX;
	l->small_until = now + l->small_for;
}

/* A new path may carry less, and the library does not try that again; in a tunnel it has not
 * grown. */
static void be_careful(struct link *l, const struct path *from, mono_ns now)
{
	if (!from->tunnel && l->small_until < now + LINK_SIZE_PENALTY)
		l->small_until = now + LINK_SIZE_PENALTY;
}

static void move_to(struct link *l, const struct path *path, size_t size, mono_ns now)
{
	bool is_known = path_same_remote(path, &l->proved_path);

	be_careful(l, &l->path, now);
	l->has_moved = path->tunnel != l->path.tunnel && path->tunnel;
	l->path = *path;
	link_unrest_begin(l, true, now); /* what went to the old place may be lost */
	if (is_known || path->tunnel) {
		is_proved(l);
		return;
	}
	not_proved(l, size);
	l->proof.is_moved = true;
	ask_proof(l, now);
}

/* During the handshake. A responder goes where the newest packet came from; but who is
 * there can have had the answer elsewhere. An initiator goes to who answers first; if the
 * same question went to several addresses the answer does not show at which it arrived. */
static void settle_on(struct link *l, const struct path *path, size_t size)
{
	bool is_proved_there = l->fan ? link_fan_proves(l->fan, path)
				      : path->tunnel || path_same_remote(path, &l->path);

	if (!is_proved_there)
		not_proved(l, size);
	else
		l->unproved_from += size;
	l->path = *path;
	free(l->fan);
	l->fan = NULL;
}

/* Where the newest authentic packet came from is where the other side is. */
void link_follow(struct link *l, const struct path *path, size_t size, mono_ns now)
{
	bool is_new = l->crypto.has_new[LEVEL_DATA];

	if (l->state == LINK_SHAKING) {
		is_new = is_new || l->crypto.has_new[LEVEL_INITIAL] ||
			 l->crypto.has_new[LEVEL_HANDSHAKE];
		if ((is_new || l->fan) && (!l->is_initiator || l->is_path_fixed))
			settle_on(l, path, size);
		return;
	}
	if (path_equal(path, &l->path)) {
		l->unproved_from += size;
		l->left_until = 0;
	} else if (is_new && !(now < l->left_until && path_equal(path, &l->left_path))) {
		move_to(l, path, size, now);
	}
}

void link_move(struct link *l, const struct path *path, mono_ns now)
{
	mono_ns late = 3 * link_round_trip(l);

	if (l->state != LINK_IS_UP || path_equal(path, &l->path) ||
	    (l->is_relayed_only && !path->tunnel))
		return;
	l->left_path = l->path;
	l->left_until = now + (late > LINK_LEFT_HELD ? late : LINK_LEFT_HELD);
	be_careful(l, &l->path, now);
	l->path = *path;
	l->proof.is_moved = false;
	is_proved(l);
	link_unrest_begin(l, false, now); /* the old path may still be good */
}

void link_unsettle(struct link *l, mono_ns now)
{
	/* From where we were there may be no way back any more. */
	l->path.local.family = 0;
	link_unrest_begin(l, true, now);
}

/* How large the next datagram may be; 0: none now. */
size_t link_size_allowed(const struct link *l, mono_ns now)
{
	size_t size = LINK_DATAGRAM_SAFE;

	if (l->state == LINK_IS_UP && now >= l->small_until)
		size = !l->is_loopback                        ? ENDPOINT_DATAGRAM_MAX
		       : address_is_loopback(&l->path.remote) ? ENDPOINT_LOOPBACK_MAX
							      : LINK_DATAGRAM_SAFE;
	if (l->path.tunnel && size > LINK_CARRIED_MAX)
		size = LINK_CARRIED_MAX;
	if (l->is_unproved) {
		uint64_t most = LINK_AMPLIFICATION * l->unproved_from;
		uint64_t left = most > l->unproved_sent ? most - l->unproved_sent : 0;

		if (left < size)
			size = left;
		/* The library must fill up handshake packets, or nothing. */
		if (!l->is_confirmed && size < LINK_DATAGRAM_SAFE)
			size = 0;
	}
	return size;
}
