#include "tests/two_chains.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

struct side two_sides[2];

static struct side *other(struct side *s)
{
	return s == &alice ? &bob : &alice;
}

void step(struct side *s)
{
	peer_step(&s->peer, NOW, s->wall);
}

struct person *them(struct side *s)
{
	return peer_person(&s->peer, other(s)->peer.name.text);
}

static void open_side(struct side *s, const char *name)
{
	peer_make(&s->peer, name);
	peer_open(&s->peer, NOW, WALL);
	s->wall = WALL;
}

static void read_chain(struct side *s)
{
	conversations_chain(s->peer.rooms->conversations, them(s),
			    &other(s)->peer.device.public, false, &s->chain);
}

int begin_chains(void **state)
{
	(void)state;
	memset(&alice, 0, sizeof alice);
	memset(&bob, 0, sizeof bob);
	open_side(&alice, "alice");
	open_side(&bob, "bob");
	peer_befriend(&alice.peer, &bob.peer);
	step(&alice);
	step(&bob);
	read_chain(&alice);
	read_chain(&bob);
	return 0;
}

int end_chains(void **state)
{
	(void)state;
	peer_remove(&alice.peer);
	peer_remove(&bob.peer);
	return 0;
}

/* --- saying, by the calls of faces --- */

uint64_t done(struct side *s, int err)
{
	assert_int_equal(err, 0);
	step(s);
	assert_int_equal(s->peer.last[EVENT_ANSWER].error, 0);
	return s->peer.last[EVENT_ANSWER].message_id;
}

uint64_t say_text(struct side *s, const char *text, uint64_t reply_to)
{
	return done(s, engine_send(s->peer.engine, other(s)->peer.name.text, bytes_text(text),
				   reply_to, 1));
}

void edit(struct side *s, uint64_t id, const char *text)
{
	done(s, engine_edit(s->peer.engine, id, bytes_text(text), 1));
}

void react(struct side *s, uint64_t id, const char *text)
{
	done(s, engine_react(s->peer.engine, id, bytes_text(text), 1));
}

void retract(struct side *s, uint64_t id)
{
	done(s, engine_retract(s->peer.engine, id, 1));
}

/* --- what goes from one to the other --- */

struct delivery {
	struct side *to;
	enum heard heard[64];
	unsigned count;
};

enum heard hear(struct side *to, const struct wire_say *say)
{
	struct wire_message m = { .type = WIRE_SAY, .say = *say }, decoded;
	struct buf raw = { 0 };
	enum heard heard;

	assert_int_equal(wire_encode(&m, &raw), 0);
	assert_int_equal(wire_decode(&decoded, buf_view(&raw), WIRE_FROM_PEER), 0);
	heard = conversations_hear(to->peer.rooms->conversations, them(to), &to->chain,
				   &decoded.say, false);
	buf_clear(&raw);
	return heard;
}

static bool deliver(void *user, const struct wire_say *say)
{
	struct delivery *d = user;

	d->heard[d->count++] = hear(d->to, say);
	return d->count < 64;
}

unsigned bring(struct side *from)
{
	struct delivery d = { .to = other(from) };

	assert_int_equal(conversations_said(from->peer.rooms->conversations, them(from),
					    d.to->chain.next, deliver, &d),
			 0);
	for (unsigned i = 0; i < d.count; i++)
		assert_int_equal(d.heard[i], HEARD_NEW);
	step(d.to);
	return d.count;
}

void bring_all(void)
{
	bring(&alice);
	bring(&bob);
}

struct wire_say theirs(enum say_kind kind, uint64_t seq, const char *text, uint64_t about)
{
	return (struct wire_say){
		.conversation = them(&alice)->conversation->wire,
		.author = bob.peer.device.public,
		.seq = seq,
		.time = WALL + (wall_ms)seq,
		.kind = kind,
		.body = bytes_text(text),
		.is_about = about > 0,
		.about_author = bob.peer.device.public,
		.about_seq = about,
	};
}

void chain_up(struct wire_say *says, unsigned count)
{
	struct message_hash last = alice.chain.last;

	for (unsigned i = 0; i < count; i++) {
		says[i].previous = last;
		last = message_hash(&says[i]);
		assert_int_equal(hear(&alice, &says[i]), HEARD_NEW);
	}
	step(&alice);
}

/* --- what is seen --- */

static bool show(void *user, const struct message *m)
{
	char *out = user;
	size_t used = strlen(out);

	snprintf(out + used, 2000 - used, "%s%.*s%s%s%.*s/%.*s;", m->is_ours ? ">" : "<",
		 (int)m->text.size, (const char *)m->text.data, m->is_edited ? "*" : "",
		 m->is_retracted ? "#"
		 : m->is_gone    ? "~"
				 : "",
		 (int)m->our_reactions.size, (const char *)m->our_reactions.data,
		 (int)m->their_reactions.size, (const char *)m->their_reactions.data);
	return true;
}

const char *seen_by(struct side *s)
{
	static char text[2][2000];
	char *out = text[s == &bob];

	*out = '\0';
	assert_int_equal(engine_history_after(s->peer.engine, other(s)->peer.name.text, 0, 100,
					      show, out),
			 0);
	return out;
}

void both_see(const char *as_alice)
{
	char mirrored[2000];
	size_t i = 0;

	assert_string_equal(seen_by(&alice), as_alice);
	for (; as_alice[i]; i++)
		mirrored[i] = as_alice[i] == '>' ? '<' : as_alice[i] == '<' ? '>' : as_alice[i];
	mirrored[i] = '\0';
	assert_string_equal(seen_by(&bob), mirrored);
}

static bool copy_id(void *user, const struct message *m)
{
	*(uint64_t *)user = m->id;
	return false;
}

uint64_t newest(struct side *s)
{
	uint64_t id = 0;

	engine_history(s->peer.engine, other(s)->peer.name.text, 0, 1, copy_id, &id);
	return id;
}
