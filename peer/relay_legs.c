/* The ways that circuits run over, and what is said about circuits. */
#include <sodium.h>

#include "peer/relay_inside.h"
#include "shared/error.h"

struct way *relay_way_numbered(const struct relay *r, uintptr_t number)
{
	struct way *w;

	for (unsigned i = 0; (w = reach_way_at(r->rooms->reach, i)) != NULL; i++) {
		if (w->number == number)
			return w;
	}
	return NULL;
}

struct way *relay_leg_way(const struct relay *r, const struct relay_leg *leg)
{
	struct way *w = leg->way ? relay_way_numbered(r, leg->way) : NULL;

	return w && w->state == WAY_LINKED && w->link_number == leg->link_number ? w : NULL;
}

bool relay_leg_is(const struct relay_leg *leg, const struct way *w, uint32_t circuit)
{
	return leg->way == w->number && leg->link_number == w->link_number &&
	       leg->circuit == circuit;
}

uint32_t relay_new_circuit(struct relay *r, const struct way *w)
{
	r->next_circuit += 2;
	return link_is_initiator(w->link) ? r->next_circuit & ~1u : r->next_circuit | 1u;
}

bool relay_is_theirs(const struct way *w, uint32_t circuit)
{
	return (circuit & 1u) == (link_is_initiator(w->link) ? 1u : 0u);
}

bool relay_is_fit(const struct way *w)
{
	return w->state == WAY_LINKED && w->path_kind != PATH_RELAYED &&
	       person_is_open(w->person) && person_consent(w->person) < CONSENT_NEVER;
}

void relay_target(uint8_t out[16], const uint8_t nonce[16], const struct person *p,
		  const struct device_public *device)
{
	static const char label[] = "palique-relay-v1";
	crypto_generichash_state state;

	crypto_generichash_init(&state, nonce, 16, 16);
	crypto_generichash_update(&state, (const uint8_t *)label, sizeof label - 1);
	crypto_generichash_update(&state, p->identity.bytes, sizeof p->identity.bytes);
	crypto_generichash_update(&state, device->bytes, sizeof device->bytes);
	crypto_generichash_final(&state, out, 16);
}

void relay_say_answer(struct relay *r, struct way *to, uint32_t circuit, int error)
{
	struct wire_message m = { .type = WIRE_RELAY_ANSWER };

	m.relay_answer.circuit = circuit;
	m.relay_answer.error = error;
	m.relay_answer.rate = r->rate;
	reach_say(r->rooms->reach, to, &m);
}

void relay_say_close(struct relay *r, const struct relay_leg *leg)
{
	struct wire_message m = { .type = WIRE_RELAY_CLOSE };
	struct way *w = relay_leg_way(r, leg);

	m.relay_close.circuit = leg->circuit;
	if (w)
		reach_say(r->rooms->reach, w, &m);
}
