#include "tests/nat_box.h"

#include <stdlib.h>
#include <string.h>

const char *const nat_box_names[BOX_KINDS] = {
	"public", "fw",     "fc",     "arc",    "prc", "linux",
	"symeif", "symadm", "symseq", "symblk", "sym",
};

/* RFC 4787's two questions. */
enum scope { ANY, ADDRESS, PORT };
static const struct {
	enum scope mapping, filtering;
} kinds[BOX_KINDS] = {
	[BOX_PUBLIC] = { ANY, ANY },   [BOX_FW] = { ANY, PORT },
	[BOX_FC] = { ANY, ANY },       [BOX_ARC] = { ANY, ADDRESS },
	[BOX_PRC] = { ANY, PORT },     [BOX_LINUX] = { PORT, PORT },
	[BOX_SYMEIF] = { PORT, ANY },  [BOX_SYMADM] = { ADDRESS, PORT },
	[BOX_SYMSEQ] = { PORT, PORT }, [BOX_SYMBLK] = { PORT, PORT },
	[BOX_SYM] = { PORT, PORT },
};

#define LIFE_UNANSWERED (30 * SECOND) /* Linux */
#define LIFE_ANSWERED   (120 * SECOND)
#define STRAY_LIFE      (30 * SECOND)
#define BAN             (60 * SECOND)

static void begin(struct nat_box *b)
{
	b->count = 0;
	b->stray_count = 0;
	b->next_port = (uint16_t)dice_between(&b->dice, 10000, 30000);
	b->block = (uint16_t)(1024 + 512 * dice_below(&b->dice, 120));
}

void nat_box_init(struct nat_box *b, enum nat_box_kind kind, const struct address *outside,
		  uint64_t seed)
{
	*b = (struct nat_box){ .kind = kind, .outside = *outside };
	b->outside.port = 0;
	dice_init(&b->dice, seed, 0x4e41);
	begin(b);
}

void nat_box_clear(struct nat_box *b)
{
	free(b->flows);
	b->flows = NULL;
	b->count = b->capacity = 0;
}

void nat_box_rebind(struct nat_box *b, const struct address *outside)
{
	if (outside)
		b->outside = *outside;
	b->outside.port = 0;
	begin(b);
}

static bool is_within(enum scope scope, const struct address *a, const struct address *b)
{
	return scope == ANY || (scope == ADDRESS ? address_same_ip(a, b) : address_equal(a, b));
}

static void forget_old(struct nat_box *b, mono_ns now)
{
	unsigned kept = 0;

	if (now < b->forget_at)
		return;
	/* No flow that begins later is too old before that, either. */
	b->forget_at = now + LIFE_UNANSWERED;
	for (unsigned i = 0; i < b->count; i++) {
		const struct nat_box_flow *f = &b->flows[i];
		mono_ns until = f->used_at + (f->is_answered ? LIFE_ANSWERED : LIFE_UNANSWERED);

		if (now >= until)
			continue;
		b->forget_at = mono_earlier(b->forget_at, until);
		b->flows[kept++] = *f;
	}
	b->count = kept;
}

/* No two flows to one destination may look the same to it; and what a stray has begun is taken. */
static bool is_taken(const struct nat_box *b, uint16_t port, const struct address *inside,
		     const struct address *to, mono_ns now)
{
	uint64_t first = b->stray_count > NAT_BOX_STRAYS ? b->stray_count - NAT_BOX_STRAYS : 0;
	enum scope mapping = kinds[b->kind].mapping;

	for (unsigned i = 0; i < b->count; i++) {
		const struct nat_box_flow *f = &b->flows[i];

		if (f->port == port && (mapping == ANY ? !address_equal(&f->inside, inside)
						       : is_within(mapping, &f->remote, to)))
			return true;
	}
	for (uint64_t i = first; b->is_leaky && i < b->stray_count; i++) {
		const struct nat_box_stray *s = &b->strays[i % NAT_BOX_STRAYS];

		if (s->port == port && now - s->at < STRAY_LIFE && address_equal(&s->from, to))
			return true;
	}
	return false;
}

static uint16_t choose(struct nat_box *b)
{
	switch (b->kind) {
	case BOX_SYMSEQ:
		return b->next_port++;
	case BOX_SYMBLK:
		return (uint16_t)(b->block + dice_below(&b->dice, 512));
	default:
		return (uint16_t)dice_between(&b->dice, 1024, 65535);
	}
}

/* 0: there is none. */
static uint16_t allocate(struct nat_box *b, const struct address *inside,
			 const struct address *to, mono_ns now)
{
	uint16_t port;

	if (b->kind == BOX_LINUX && !is_taken(b, inside->port, inside, to, now))
		return inside->port;
	for (int tries = 0; tries < 2000; tries++) {
		port = choose(b);
		if (port >= 1024 && !is_taken(b, port, inside, to, now))
			return port;
	}
	return 0;
}

static void add_flow(struct nat_box *b, const struct address *inside,
		     const struct address *remote, uint16_t port, mono_ns now)
{
	if (b->count == b->capacity) {
		b->capacity = b->capacity ? b->capacity * 2 : 16;
		b->flows = memory_grow(b->flows, b->capacity, sizeof *b->flows);
	}
	b->flows[b->count++] = (struct nat_box_flow){
		.inside = *inside, .remote = *remote, .port = port, .used_at = now
	};
}

static bool is_nat(const struct nat_box *b)
{
	return b->kind != BOX_PUBLIC && b->kind != BOX_FW;
}

bool nat_box_out(struct nat_box *b, const struct address *inside, const struct address *to,
		 mono_ns now, struct address *as)
{
	uint16_t port = is_nat(b) ? 0 : inside->port;
	struct nat_box_flow *exact = NULL;

	if (b->drops_udp)
		return false;
	*as = *inside;
	if (b->kind == BOX_PUBLIC)
		return true;
	forget_old(b, now);
	for (unsigned i = 0; i < b->count && !exact; i++) {
		struct nat_box_flow *f = &b->flows[i];

		/* They may be thousands: what is cheap to compare first. */
		if (f->inside.port != inside->port || !address_equal(&f->inside, inside))
			continue;
		if (f->remote.port == to->port && address_equal(&f->remote, to))
			exact = f;
		else if (port == 0 && is_within(kinds[b->kind].mapping, &f->remote, to))
			port = f->port;
	}
	if (exact) {
		exact->used_at = now;
		port = exact->port;
	} else {
		if (b->quota > 0 && b->count >= b->quota)
			return false;
		if (port == 0)
			port = allocate(b, inside, to, now);
		if (port == 0)
			return false;
		add_flow(b, inside, to, port, now);
	}
	if (is_nat(b)) {
		*as = b->outside;
		as->port = port;
	}
	return true;
}

/* As nft's `limit rate over n/second burst n packets`. */
static struct nat_box_source *source_of(struct nat_box *b, const struct address *from)
{
	struct nat_box_source *oldest = &b->sources[0];

	for (unsigned i = 0; i < NAT_BOX_SOURCES; i++) {
		if (address_same_ip(&b->sources[i].ip, from))
			return &b->sources[i];
		if (b->sources[i].at < oldest->at)
			oldest = &b->sources[i];
	}
	*oldest = (struct nat_box_source){ .ip = *from, .tokens = b->scan_limit };
	return oldest;
}

static void note_stray(struct nat_box *b, const struct address *from, const struct address *to,
		       mono_ns now)
{
	struct nat_box_source *s = source_of(b, from);

	b->strays[b->stray_count++ % NAT_BOX_STRAYS] = (struct nat_box_stray){ .from = *from,
									       .port = to->port,
									       .at = now };
	if (b->scan_limit == 0)
		return;
	s->tokens += (double)(now - s->at) / (double)SECOND * b->scan_limit;
	if (s->tokens > b->scan_limit)
		s->tokens = b->scan_limit;
	s->at = now;
	s->tokens -= 1;
	if (s->tokens < 0) {
		s->banned_until = now + BAN;
		b->bans++;
	}
}

/* What comes in where nobody called begins a flow too: its answers leave by the port it came to. */
static void answer_by_same_port(struct nat_box *b, const struct address *inside,
				const struct address *remote, uint16_t port, mono_ns now)
{
	for (unsigned i = 0; i < b->count; i++) {
		struct nat_box_flow *f = &b->flows[i];

		if (address_equal(&f->inside, inside) && address_equal(&f->remote, remote)) {
			f->port = port;
			return;
		}
	}
	add_flow(b, inside, remote, port, now);
}

bool nat_box_in(struct nat_box *b, const struct address *from, const struct address *to,
		mono_ns now, struct address *inside)
{
	if (b->drops_udp)
		return false;
	*inside = *to;
	if (b->kind == BOX_PUBLIC)
		return true;
	forget_old(b, now);
	if (b->scan_limit > 0 && source_of(b, from)->banned_until > now)
		return false;
	for (unsigned i = 0; i < b->count; i++) {
		struct nat_box_flow *f = &b->flows[i];

		if ((is_nat(b) ? f->port == to->port : address_equal(&f->inside, to)) &&
		    is_within(kinds[b->kind].filtering, &f->remote, from)) {
			f->is_answered = true;
			f->used_at = now;
			*inside = f->inside;
			answer_by_same_port(b, inside, from, to->port, now);
			return true;
		}
	}
	note_stray(b, from, to, now);
	return false;
}
