/* With whom: who is answered, which of two links to a device stays, what comes of an attempt. */
#include "shared/endpoint_inside.h"
#include "shared/error.h"

/* Who has shown, or in an attempt of ours is to show, this identity. */
static bool is_with(const struct link *l, const struct identity_public *who)
{
	if (l->certificate)
		return identity_public_equal(&l->certificate->identity, who);
	return l->handshake && l->handshake->has_identity &&
	       identity_public_equal(&l->handshake->identity, who);
}

static void cut_off(struct endpoint *e, struct link *l, uint64_t code)
{
	if (l->state == LINK_IS_UP) {
		endpoint_say_goodbye(e, l, code, e->home.now);
		endpoint_down(e, l, ERR_REFUSED, 0);
	} else if (l->state == LINK_SHAKING && l->is_initiator) {
		endpoint_down(e, l, ERR_REFUSED, 0);
	} else if (l->state == LINK_SHAKING) {
		endpoint_destroy(e, l);
	}
}

void endpoint_dismiss(struct endpoint *e, const struct identity_public *who)
{
	struct link *l, *next;
	void *how = cid_map_get(e->admitted, BYTES(who->bytes));

	if (how)
		cid_map_remove(e->admitted, BYTES(who->bytes), how);
	for (l = e->links; l; l = next) {
		next = l->next;
		if (is_with(l, who))
			cut_off(e, l, LINK_CODE_NOT_CONTACT);
	}
}

bool endpoint_is_relayed_only(const struct endpoint *e, const struct identity_public *who)
{
	return cid_map_get(e->admitted, BYTES(who->bytes)) == &e->relayed_only;
}

/* Whether it goes, or could go, another way than through a tunnel. */
static bool is_direct(const struct link *l)
{
	if (l->state != LINK_SHAKING || !l->fan)
		return !l->path.tunnel;
	for (unsigned i = 0; i < l->fan->count; i++)
		if (!l->fan->ways[i].path.tunnel)
			return true;
	return false;
}

void endpoint_admit(struct endpoint *e, const struct identity_public *who, bool relayed_only)
{
	struct link *l, *next;

	cid_map_put(e->admitted, BYTES(who->bytes),
		    relayed_only ? (void *)&e->relayed_only : (void *)e);
	for (l = e->links; l; l = next) {
		next = l->next;
		if (!is_with(l, who))
			continue;
		l->is_relayed_only = relayed_only;
		if (relayed_only && is_direct(l))
			cut_off(e, l, LINK_CODE_BYE);
	}
}

/* --- two that dial each other --- */

static bool is_admitted(const struct endpoint *e, struct link *l)
{
	const struct identity_public *who;

	if (!l->certificate)
		return false;
	who = &l->certificate->identity;
	if (!cid_map_get(e->admitted, BYTES(who->bytes)))
		return false;
	l->is_relayed_only = endpoint_is_relayed_only(e, who);
	return !l->is_relayed_only || l->path.tunnel;
}

int endpoint_judge(void *owner, struct link *l)
{
	struct endpoint *e = owner;
	struct link *ours;

	if (e->config.policy == ENDPOINT_ADMITTED && !is_admitted(e, l))
		return ERR_REFUSED;
	if (!l->has_device)
		return 0;
	if (device_public_equal(&l->device, &e->config.device.public))
		return ERR_REFUSED; /* our own first message, sent back */
	ours = device_links_tie_holder(&e->devices, &l->device, e->home.now);
	if (ours) {
		/* Refused, but where it came from is where they can be reached now: what
		 * punches through a NAT that gives each destination its own port. */
		link_add_path(ours, &l->path);
		return ERR_REFUSED;
	}
	if (e->config.policy == ENDPOINT_ADMITTED) {
		struct link *crowding = half_open_crowding(&e->half_open, l);

		if (crowding)
			endpoint_destroy(e, crowding);
	}
	device_links_add(&e->devices, l);
	link_set_early(l, early_of(&e->early, &l->device));
	return 0;
}

/* False: there is a better one, and `l` is gone. */
static bool win_device(struct endpoint *e, struct link *l, mono_ns now)
{
	if (!device_links_better(&e->devices, l))
		return true;
	event_queue_forget(&e->home.events, l); /* it was never up */
	if (l->is_initiator) {
		endpoint_replace(e, l, now);
	} else {
		endpoint_say_goodbye(e, l, LINK_CODE_REPLACED, now);
		endpoint_let_go(e, l, now);
	}
	return false;
}

static void replace_others(struct endpoint *e, struct link *l, mono_ns now)
{
	struct link *x, *next;

	for (x = device_links_of(&e->devices, &l->device); x; x = next) {
		next = x->same_next;
		if (x != l && (x->state == LINK_IS_UP || x->is_initiator))
			endpoint_replace(e, x, now);
	}
}

static void give_token(struct endpoint *e, struct link *l, mono_ns now)
{
	uint8_t token[DOOR_ADDRESS_TOKEN_SIZE];

	if (e->config.policy != ENDPOINT_ANYONE || l->is_initiator || l->is_unproved)
		return;
	door_address_token_make(e->home.door, token, &l->path.remote, now);
	ngtcp2_conn_submit_new_token(l->conn, token, sizeof token);
}

static bool came_up(struct endpoint *e, struct link *l, mono_ns now)
{
	half_open_remove(&e->half_open, l);
	e->counters.handshakes++;
	if (l->certificate)
		l->is_relayed_only = endpoint_is_relayed_only(e, &l->certificate->identity);
	if (l->is_relayed_only && !l->path.tunnel) {
		event_queue_forget(&e->home.events, l); /* dialled without knowing who it is */
		cut_off(e, l, LINK_CODE_BYE);
		return false;
	}
	if (l->has_device && !win_device(e, l, now))
		return false;
	if (l->has_device) {
		replace_others(e, l, now);
		early_set(&e->early, &l->device, bytes_of(NULL, 0));
	}
	give_token(e, l, now);
	return true;
}

static void failed(struct endpoint *e, struct link *l, mono_ns now)
{
	int error = l->error;

	l->error = 0;
	if (l->state == LINK_SHAKING && l->has_news_up)
		event_queue_forget(&e->home.events, l);
	if (l->state == LINK_SHAKING && !l->is_initiator) {
		e->counters.refused++;
		endpoint_destroy(e, l); /* and not a byte back */
		return;
	}
	if (error == ERR_FORMAT)
		endpoint_say_goodbye(e, l, LINK_CODE_PROTOCOL, now);
	endpoint_down(e, l, error, l->error_code);
}

/* Acts on what the last call has left in the link. False: it is over, perhaps freed. */
bool endpoint_settle(struct endpoint *e, struct link *l, mono_ns now)
{
	if (l->error) {
		failed(e, l, now);
		return false;
	}
	if (l->has_news_up && l->state == LINK_IS_UP) {
		l->has_news_up = false;
		return came_up(e, l, now);
	}
	if (l->has_moved) {
		l->has_moved = false;
		event_queue_add(&e->home.events,
				&(struct link_event){ .kind = LINK_MOVED, .link = l });
	}
	if (l->has_proved) {
		l->has_proved = false;
		give_token(e, l, now);
	}
	return true;
}
