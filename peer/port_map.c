#include "peer/port_map_inside.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "peer/account.h"
#include "peer/candidates.h"
#include "peer/sighting.h"
#include "shared/error.h"
#include "shared/kdf.h"
#include "shared/log.h"

enum { ASK_PCP, ASK_NATPMP, ASK_PCP6, ASKS };
/* A directory that sees us elsewhere each time is no reason. */
#define MOVED_AGAIN (10 * SECOND)
#define UPNP_AGAIN  (3600 * SECOND) /* after it failed: it is much ado, and shouts on the LAN */

struct upnp {
	enum port_map_state state;
	struct address gateway, toward;
	struct address outer; /* HELD */
	bool is_running;      /* a job */
	uint64_t ticket;
	mono_ns due, ends;
	int error;
	bool was_told;
	char router[JOB_ROUTER_MAX + 1], url[JOB_URL_MAX + 1];
};

struct port_map {
	struct rooms *rooms;
	uint8_t key[32];
	bool is_enabled, is_over;
	struct port_ask asks[ASKS];
	struct upnp upnp;
	struct address observed; /* when the ways were last begun */
	mono_ns moved_after;     /* seen elsewhere before, it is not asked anew for that */
	uint32_t wakes;
	uint16_t tried_port; /* by strangers; 0: none */
	bool is_behind_told;
	bool has_removal; /* a job to be taken: switched off while something was held */
	struct job removal;
};

struct port_map *port_map_new(struct rooms *rooms)
{
	struct port_map *m = memory_new(sizeof *m);

	m->rooms = rooms;
	m->is_enabled = true;
	if (rooms->account)
		kdf_label(m->key, sizeof m->key,
			  account_device_keys(rooms->account)->secret.bytes,
			  "palique port mappings");
	else
		randombytes_buf(m->key, sizeof m->key);
	m->asks[ASK_PCP] = (struct port_ask){ .is_pcp = true, .family = 4, .key = m->key };
	m->asks[ASK_NATPMP] = (struct port_ask){ .family = 4, .key = m->key };
	m->asks[ASK_PCP6] = (struct port_ask){ .is_pcp = true, .family = 6, .key = m->key };
	return m;
}

void port_map_free(struct port_map *m)
{
	if (m)
		sodium_memzero(m->key, sizeof m->key);
	free(m);
}

/* --- UPnP, which is a job --- */

static void upnp_begin(struct upnp *u, const struct address *gateway,
		       const struct address *toward, bool is_anew, mono_ns now)
{
	bool is_there = gateway->family && toward->family;

	if (is_there && address_equal(&u->gateway, gateway) &&
	    address_equal(&u->toward, toward)) {
		if (is_anew && !u->is_running)
			u->due = now;
		return;
	}
	/* The answer to a job that is under way will be that of nobody. */
	*u = (struct upnp){ .ticket = u->ticket + 1, .due = NEVER };
	if (!is_there)
		return;
	u->state = PORT_MAP_ASKING;
	u->gateway = *gateway;
	u->toward = *toward;
	u->due = now;
}

static struct job upnp_job(const struct upnp *u, bool is_removal)
{
	struct job job = { .ticket = u->ticket,
			   .kind = JOB_UPNP,
			   .is_removal = is_removal,
			   .life = PORT_MAP_LIFE / SECOND,
			   .port = u->toward.port,
			   .address_count = 2 };

	job.addresses[0] = u->toward;
	job.addresses[1] = u->gateway;
	if (u->outer.family)
		job.addresses[job.address_count++] = u->outer;
	memcpy(job.url, u->url, sizeof job.url);
	return job;
}

static void upnp_fail(struct upnp *u, const struct job *answer, mono_ns now)
{
	u->state = answer->err == ERR_REFUSED ? PORT_MAP_REFUSED : PORT_MAP_SILENT;
	u->error = answer->code;
	u->outer.family = 0;
	u->url[0] = '\0';
	u->due = now + UPNP_AGAIN;
	if (answer->err == ERR_REFUSED)
		log_event(LOG_DEBUG, "port-refused", "way", "upnp", "code",
			  log_int(answer->code), NULL);
	/* Nobody there is the usual thing; a child that had to be killed is not. */
	if (answer->err == ERR_NOT_FOUND || answer->err == ERR_REFUSED ||
	    answer->err == ERR_CLOSED || u->was_told)
		return;
	u->was_told = true;
	log_event(LOG_WARNING, "router-makes-no-sense", "way", "upnp", "why",
		  log_error(answer->err), NULL);
}

void port_map_job_done(struct port_map *m, const struct job *answer)
{
	struct upnp *u = &m->upnp;
	mono_ns now = m->rooms->now, life;

	if (answer->kind != JOB_UPNP || !u->is_running || answer->ticket != u->ticket ||
	    answer->is_removal)
		return;
	u->is_running = false;
	if (answer->err == 0 &&
	    (answer->address_count < 1 || answer->addresses[0].family != 4 ||
	     !address_is_unicast(&answer->addresses[0]) ||
	     address_is_loopback(&answer->addresses[0]))) {
		struct job nonsense = { .err = ERR_FORMAT };

		upnp_fail(u, &nonsense, now);
		return;
	}
	memcpy(u->router, answer->router, sizeof u->router);
	if (answer->err < 0) {
		upnp_fail(u, answer, now);
		return;
	}
	memcpy(u->url, answer->url, sizeof u->url);
	u->state = PORT_MAP_HELD;
	u->outer = answer->addresses[0];
	life = answer->life < 1               ? SECOND
	       : answer->life > PORT_LIFE_MAX ? PORT_LIFE_MAX * SECOND
					      : answer->life * SECOND;
	u->ends = now + life;
	u->due = now + (life / 2 > 60 * SECOND ? life / 2 : 60 * SECOND);
	log_event(LOG_DEBUG, "port-held", "way", "upnp", "seconds",
		  log_int((int64_t)(life / SECOND)), NULL);
}

static mono_ns upnp_step(struct upnp *u, mono_ns now)
{
	if (u->state == PORT_MAP_OFF)
		return NEVER;
	if (u->state == PORT_MAP_HELD && now >= u->ends && !u->is_running) {
		u->state = PORT_MAP_ASKING;
		u->due = now;
	}
	if (u->is_running || now >= u->due)
		return NEVER; /* port_map_next_job() has it, or had */
	return u->state == PORT_MAP_HELD ? mono_earlier(u->due, u->ends) : u->due;
}

bool port_map_next_job(struct port_map *m, struct job *job)
{
	struct upnp *u = &m->upnp;

	if (m->has_removal) {
		m->has_removal = false;
		*job = m->removal;
		return true;
	}
	if (u->state == PORT_MAP_OFF || u->is_running || m->rooms->now < u->due)
		return false;
	u->ticket++;
	u->is_running = true;
	*job = upnp_job(u, false);
	return true;
}

/* --- the network --- */

/* Something else translates between the router and the directory, or the router lies. */
static bool is_behind(const struct port_map *m, const struct address *outer)
{
	const struct address *seen = own_candidates_observed(m->rooms->candidates);

	if (outer->family != 4)
		return false;
	if (seen->family == 4 && address_is_global(seen))
		return !address_same_ip(outer, seen);
	return !address_is_global(outer);
}

static void look_at_network(struct port_map *m)
{
	static const struct address none;
	const struct network *n = own_candidates_network(m->rooms->candidates);
	const struct address *seen = own_candidates_observed(m->rooms->candidates);
	/* Seen elsewhere or after a sleep, the router may be another one at the same place. */
	mono_ns now = m->rooms->now;
	bool is_moved = seen->family == 4 && m->observed.family == 4 &&
			!address_same_ip(seen, &m->observed) && now >= m->moved_after;
	bool is_anew = n->wakes != m->wakes || is_moved, is_on = m->is_enabled && !m->is_over;
	struct address toward4 = n->toward4, toward6 = n->toward6;

	m->wakes = n->wakes;
	if (is_moved)
		m->moved_after = now + MOVED_AGAIN;
	if (is_moved || m->observed.family != 4)
		m->observed = *seen;
	toward4.port = toward6.port = n->port;
	port_ask_begin(&m->asks[ASK_PCP], is_on ? &n->gateway4 : &none, &toward4, is_anew, now);
	port_ask_begin(&m->asks[ASK_NATPMP], is_on ? &n->gateway4 : &none, &toward4, is_anew,
		       now);
	port_ask_begin(&m->asks[ASK_PCP6], is_on ? &n->gateway6 : &none, &toward6, is_anew,
		       now);
	upnp_begin(&m->upnp, is_on ? &n->gateway4 : &none, &toward4, is_anew, now);
}

/* One way has noticed that the router forgot: the others are not asked of their own accord for
 * a while. */
static void look_at_epochs(struct port_map *m)
{
	bool has_forgotten = false;

	for (unsigned i = 0; i < ASKS; i++) {
		if (m->asks[i].has_forgotten && m->asks[i].family == 4)
			has_forgotten = true;
		m->asks[i].has_forgotten = false;
	}
	if (!has_forgotten || m->upnp.state != PORT_MAP_HELD || m->upnp.is_running)
		return;
	m->upnp.due = m->rooms->now;
}

static void tell_behind(struct port_map *m, const struct address *outer)
{
	if (m->is_behind_told || !own_candidates_observed(m->rooms->candidates)->family)
		return;
	m->is_behind_told = true;
	log_event(LOG_NOTICE, "mapping-is-not-outside", "is_private",
		  address_is_private(outer) ? "yes" : "no", NULL);
}

static void take(struct port_map *m, const struct address *outer, struct address *list,
		 unsigned *count)
{
	bool is_hidden = is_behind(m, outer);

	list[(*count)++] = *outer;
	if (is_hidden)
		tell_behind(m, outer);
	if (is_hidden || outer->family != 4 || outer->port == m->tried_port ||
	    !m->rooms->sighting)
		return;
	m->tried_port = outer->port;
	sighting_try_port(m->rooms->sighting, outer->port);
}

static void tell_candidates(struct port_map *m)
{
	struct address list[ASKS + 1];
	unsigned count = 0;

	for (unsigned i = 0; i < ASKS; i++)
		if (m->asks[i].state == PORT_MAP_HELD)
			take(m, &m->asks[i].outer, list, &count);
	if (m->upnp.state == PORT_MAP_HELD)
		take(m, &m->upnp.outer, list, &count);
	own_candidates_set_mapped(m->rooms->candidates, list, count);
}

mono_ns port_map_step(struct port_map *m)
{
	mono_ns now = m->rooms->now, deadline = NEVER;

	look_at_network(m);
	for (unsigned i = 0; i < ASKS; i++)
		deadline = mono_earlier(deadline,
					port_ask_step(&m->asks[i], m->rooms->endpoint, now));
	look_at_epochs(m);
	deadline = mono_earlier(deadline, upnp_step(&m->upnp, now));
	tell_candidates(m);
	return deadline;
}

bool port_map_stray(struct port_map *m, const struct path *path, struct bytes data)
{
	struct pcp_answer answer;
	bool is_ours = false, is_answer = pcp_decode(&answer, data) == 0, is_for_pcp;

	is_for_pcp = is_answer && answer.kind == PCP_OTHER_VERSION
			     ? answer.version == 0
			     : is_answer && answer.kind == PCP_MAP;
	for (unsigned i = 0; i < ASKS; i++) {
		struct port_ask *a = &m->asks[i];

		if (!a->gateway.family || path->tunnel ||
		    !address_equal(&a->gateway, &path->remote) ||
		    a->gateway.scope != path->remote.scope)
			continue;
		is_ours = true;
		if (!is_answer)
			port_ask_tell_nonsense(a, "not an answer");
		else if (a->is_pcp == is_for_pcp)
			port_ask_hear(a, &answer, m->rooms->now);
	}
	return is_ours;
}

/* --- off, and the end --- */

static bool end(struct port_map *m, bool is_held, struct job *job)
{
	struct upnp *u = &m->upnp;

	for (unsigned i = 0; i < ASKS; i++)
		port_ask_end(&m->asks[i], m->rooms->endpoint);
	if (is_held)
		*job = upnp_job(u, true);
	*u = (struct upnp){ .ticket = u->ticket + 1, .due = NEVER };
	own_candidates_set_mapped(m->rooms->candidates, NULL, 0);
	return is_held;
}

void port_map_set_enabled(struct port_map *m, bool is_enabled)
{
	const struct upnp *u = &m->upnp;

	/* What a job is about to map is not told to us any more. */
	if (m->is_enabled && !is_enabled)
		m->has_removal = end(m, u->state == PORT_MAP_HELD || u->is_running,
				     &m->removal);
	m->is_enabled = is_enabled;
}

bool port_map_goodbye(struct port_map *m, struct job *job)
{
	m->is_over = true;
	/* For a router that is only being looked for nobody waits. */
	return end(m, m->upnp.state == PORT_MAP_HELD, job);
}

/* --- what it comes to --- */

static struct port_map_report report_ask(const struct port_map *m, const struct port_ask *a)
{
	struct port_map_report r = { .state = a->state, .error = a->error };

	if (a->state == PORT_MAP_HELD) {
		r.outer = a->outer;
		r.is_behind = is_behind(m, &a->outer);
	}
	return r;
}

struct port_map_report port_map_report(const struct port_map *m, enum port_map_way way)
{
	const struct upnp *u = &m->upnp;
	struct port_map_report r = { 0 };

	if (way != PORT_MAP_UPNP) {
		r = report_ask(m, &m->asks[way == PORT_MAP_PCP ? ASK_PCP : ASK_NATPMP]);
		if (way == PORT_MAP_PCP && r.state != PORT_MAP_HELD &&
		    (m->asks[ASK_PCP6].state == PORT_MAP_HELD || r.state == PORT_MAP_OFF))
			r = report_ask(m, &m->asks[ASK_PCP6]);
		memcpy(r.router, u->router, sizeof r.router);
		return r;
	}
	r.state = u->state;
	r.error = u->error;
	memcpy(r.router, u->router, sizeof r.router);
	if (u->state == PORT_MAP_HELD) {
		r.outer = u->outer;
		r.is_behind = is_behind(m, &u->outer);
	}
	return r;
}
