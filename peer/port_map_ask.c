#include "peer/port_map_inside.h"

#include <sodium.h>
#include <string.h>

#include "shared/log.h"

static const char *way_of(const struct port_ask *a)
{
	return !a->is_pcp ? "nat-pmp" : a->family == 4 ? "pcp" : "pcp6";
}

void port_ask_tell_nonsense(struct port_ask *a, const char *why)
{
	if (a->was_told)
		return;
	a->was_told = true;
	log_event(LOG_WARNING, "router-makes-no-sense", "way", way_of(a), "why", why, NULL);
}

static bool is_same(const struct address *a, const struct address *b)
{
	return a->family == b->family && address_equal(a, b) && a->scope == b->scope;
}

static void ask_anew(struct port_ask *a, mono_ns now)
{
	a->is_waiting = true;
	a->has_ip = a->has_port = false;
	a->tries = 0;
	a->due = now;
}

static struct port_ask empty(const struct port_ask *a)
{
	return (struct port_ask){ .is_pcp = a->is_pcp, .family = a->family, .key = a->key };
}

/* The same one after a crash: a router lets nobody else touch what lives on there (RFC 6887
 * section 11.3). Another one elsewhere, so that routers do not know us again. A router of v6 goes
 * by several addresses, and our own there says which network it is. */
static void make_nonce(struct port_ask *a)
{
	crypto_generichash_state state;
	uint8_t hash[crypto_generichash_BYTES_MIN];

	crypto_generichash_init(&state, a->key, 32, sizeof hash);
	if (a->family == 4)
		crypto_generichash_update(&state, a->gateway.ip, sizeof a->gateway.ip);
	crypto_generichash_update(&state, a->toward.ip, sizeof a->toward.ip);
	crypto_generichash_final(&state, hash, sizeof hash);
	memcpy(a->nonce.bytes, hash, sizeof a->nonce.bytes);
	sodium_memzero(&state, sizeof state);
}

void port_ask_begin(struct port_ask *a, const struct address *gateway,
		    const struct address *toward, bool is_anew, mono_ns now)
{
	struct address there = *gateway;

	there.port = PCP_PORT;
	if (!gateway->family || !toward->family) {
		*a = empty(a);
		return;
	}
	if (is_same(&a->gateway, &there) && is_same(&a->toward, toward)) {
		/* What is held stays meanwhile. */
		if (is_anew)
			ask_anew(a, now);
		return;
	}
	*a = empty(a);
	a->state = PORT_MAP_ASKING;
	a->gateway = there;
	a->toward = *toward;
	/* The port that contacts know already would be best. */
	a->outer.family = a->family;
	a->outer.port = toward->port;
	make_nonce(a);
	ask_anew(a, now);
}

/* --- asking --- */

static void send(const struct port_ask *a, struct endpoint *e, struct bytes question)
{
	const struct path path = { .local = a->toward, .remote = a->gateway };

	endpoint_send_stray(e, &path, question, 0);
}

static void send_pcp(const struct port_ask *a, struct endpoint *e, uint32_t life)
{
	struct pcp_question q = {
		.nonce = a->nonce, .client = a->toward, .outer = a->outer, .life = life
	};
	uint8_t out[PCP_MAP_SIZE];

	pcp_map_encode(out, &q);
	send(a, e, BYTES(out));
}

static void send_natpmp(const struct port_ask *a, struct endpoint *e, uint32_t life)
{
	uint8_t out[NATPMP_MAP_SIZE];

	/* RFC 6886 section 3.4: who takes a mapping away asks for port 0 */
	natpmp_map_encode(out, a->toward.port, life ? a->outer.port : 0, life);
	send(a, e, BYTES(out));
}

static void ask(const struct port_ask *a, struct endpoint *e)
{
	uint8_t address[NATPMP_ADDRESS_SIZE];

	if (a->is_pcp) {
		send_pcp(a, e, PORT_MAP_LIFE / SECOND);
		return;
	}
	if (!a->has_ip) {
		natpmp_address_encode(address);
		send(a, e, BYTES(address));
	}
	if (!a->has_port)
		send_natpmp(a, e, PORT_MAP_LIFE / SECOND);
}

static void lose(struct port_ask *a, enum port_map_state state)
{
	if (a->state == PORT_MAP_HELD)
		a->outer = (struct address){ .family = a->family, .port = a->outer.port };
	a->state = state;
}

/* Half of what is left, and half again, as long as nobody answers. */
static void give_up(struct port_ask *a, mono_ns now)
{
	a->is_waiting = false;
	if (a->state != PORT_MAP_HELD) {
		a->state = PORT_MAP_SILENT;
		a->due = now + PORT_ASK_LATEST;
		return;
	}
	a->due = now + (a->ends - now) / 2;
	if (a->due < now + PORT_ASK_SOONEST)
		a->due = now + PORT_ASK_SOONEST;
}

mono_ns port_ask_step(struct port_ask *a, struct endpoint *e, mono_ns now)
{
	if (a->state == PORT_MAP_OFF)
		return NEVER;
	if (a->state == PORT_MAP_HELD && now >= a->ends)
		lose(a, PORT_MAP_ASKING);
	if (now >= a->due) {
		if (!a->is_waiting)
			ask_anew(a, now);
		if (a->tries == PORT_ASK_TRIES) {
			give_up(a, now);
		} else {
			ask(a, e);
			a->due = now + (PORT_ASK_FIRST << a->tries++);
		}
	}
	return a->state == PORT_MAP_HELD ? mono_earlier(a->due, a->ends) : a->due;
}

void port_ask_end(struct port_ask *a, struct endpoint *e)
{
	/* What was asked for and not answered may have been done. */
	if (a->state == PORT_MAP_HELD || (a->state == PORT_MAP_ASKING && a->tries > 0)) {
		if (a->is_pcp)
			send_pcp(a, e, 0);
		else
			send_natpmp(a, e, 0);
	}
	*a = empty(a);
}

/* --- hearing --- */

static mono_ns between(mono_ns v, mono_ns low, mono_ns high)
{
	return v < low ? low : v > high ? high : v;
}

static void note_epoch(struct port_ask *a, uint32_t epoch, mono_ns now)
{
	if (a->has_epoch && !pcp_epoch_goes_on(a->epoch, epoch, (now - a->epoch_at) / SECOND))
		a->has_forgotten = true;
	a->has_epoch = true;
	a->epoch = epoch;
	a->epoch_at = now;
}

static void refuse(struct port_ask *a, int error, uint32_t life, mono_ns now)
{
	lose(a, PORT_MAP_REFUSED);
	a->error = error;
	a->is_waiting = false;
	a->due = now + between(life * SECOND, PORT_ASK_LATEST / 15, PORT_ASK_LATEST);
	log_event(LOG_DEBUG, "port-refused", "way", way_of(a), "code", log_int(error), NULL);
}

static void hold(struct port_ask *a, const struct address *outer, uint32_t life, mono_ns now)
{
	mono_ns lasts = between(life, 1, PORT_LIFE_MAX) * SECOND;

	a->state = PORT_MAP_HELD;
	a->outer = *outer;
	a->error = 0;
	a->is_waiting = false;
	a->ends = now + lasts;
	a->due = now + between(lasts / 2, PORT_ASK_SOONEST, PORT_ASK_LATEST);
	log_event(LOG_DEBUG, "port-held", "way", way_of(a), "seconds",
		  log_int((int64_t)(lasts / SECOND)), NULL);
}

/* Nobody who is outside would go there. */
static bool makes_sense(const struct port_ask *a, const struct address *outer)
{
	return outer->family == a->family && !address_is_loopback(outer) &&
	       !address_is_link_local(outer);
}

static void hear_pcp(struct port_ask *a, const struct pcp_answer *answer, mono_ns now)
{
	if (memcmp(answer->nonce.bytes, a->nonce.bytes, sizeof a->nonce.bytes) != 0 ||
	    answer->port != a->toward.port) {
		port_ask_tell_nonsense(a, "not what was asked");
		return;
	}
	note_epoch(a, answer->epoch, now);
	if (answer->result != 0) {
		refuse(a, answer->result, answer->life, now);
	} else if (answer->life == 0 || !makes_sense(a, &answer->outer)) {
		port_ask_tell_nonsense(a, answer->life ? "an outer address that is none"
						       : "granted for no time");
		refuse(a, 0, 0, now);
	} else {
		hold(a, &answer->outer, answer->life, now);
	}
}

static void hear_natpmp(struct port_ask *a, const struct pcp_answer *answer, mono_ns now)
{
	struct address outer = { .family = 4 };

	note_epoch(a, answer->epoch, now);
	if (answer->result != 0) {
		refuse(a, answer->result, 0, now);
		return;
	}
	if (answer->kind == NATPMP_ADDRESS) {
		memcpy(a->ip, answer->outer.ip, sizeof a->ip);
		a->has_ip = true;
	} else if (answer->port != a->toward.port) {
		port_ask_tell_nonsense(a, "not what was asked");
		return;
	} else if (answer->life == 0) {
		port_ask_tell_nonsense(a, "granted for no time");
		refuse(a, 0, 0, now);
		return;
	} else {
		a->port = answer->outer.port;
		a->life = answer->life;
		a->has_port = true;
	}
	if (!a->has_ip || !a->has_port)
		return;
	memcpy(outer.ip, a->ip, sizeof a->ip);
	outer.port = a->port;
	if (makes_sense(a, &outer)) {
		hold(a, &outer, a->life, now);
	} else {
		port_ask_tell_nonsense(a, "an outer address that is none");
		refuse(a, 0, 0, now);
	}
}

void port_ask_hear(struct port_ask *a, const struct pcp_answer *answer, mono_ns now)
{
	/* Each question is answered once; what comes unasked, and floods, change nothing. */
	if (a->state == PORT_MAP_OFF || !a->is_waiting || a->tries == 0)
		return;
	if (answer->kind == PCP_OTHER_VERSION) {
		lose(a, PORT_MAP_SILENT);
		a->is_waiting = false;
		a->due = now + PORT_ASK_LATEST;
	} else if (a->is_pcp) {
		hear_pcp(a, answer, now);
	} else {
		hear_natpmp(a, answer, now);
	}
}
