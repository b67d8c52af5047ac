#include "directory/sights.h"

#include <string.h>

void sights_set(struct sights *all, const struct sight *list, unsigned count)
{
	all->count = count < SIGHTS_MAX ? count : SIGHTS_MAX;
	memcpy(all->list, list, all->count * sizeof *list);
}

/* How far an address leads. */
enum reach { REACH_MACHINE, REACH_LINK, REACH_PRIVATE, REACH_WORLD };

static enum reach reach_of(const struct address *a)
{
	if (address_is_loopback(a))
		return REACH_MACHINE;
	if (address_is_link_local(a))
		return REACH_LINK;
	return address_is_private(a) ? REACH_PRIVATE : REACH_WORLD;
}

/* --- what clients are told --- */

/* Answers are only to be compared where they come from one side of all NATs: of a family a client
 * is told addresses that lead equally far, as far as the one it came to does for it. */
static enum reach reach_told(const struct sights *all, const struct path *path, uint8_t family)
{
	enum reach own = reach_of(&path->local), client = reach_of(&path->remote);

	if (path->local.family == family && own == client)
		return own;
	for (unsigned i = 0; i < all->count; i++)
		if (all->list[i].at.family == family &&
		    reach_of(&all->list[i].at) == REACH_WORLD)
			return REACH_WORLD;
	return client;
}

/* Another address of a private network that the machine happens to be in leads its clients nowhere,
 * or to somebody else; and one of an interface in v6 means nothing without the interface. */
static bool is_for(const struct sight *s, const struct path *path, enum reach reach)
{
	if (s->kind == SIGHT_HIDDEN || reach_of(&s->at) != reach)
		return false;
	if (reach == REACH_LINK && s->at.family == 6)
		return false;
	return reach == REACH_WORLD || s->is_named || path->local.family != s->at.family ||
	       address_same_ip(&s->at, &path->local);
}

/* The better, the lower: where the client came to, then what the operator named; and of one
 * address the main port first. */
static unsigned rank(const struct sight *s, const struct path *path)
{
	unsigned at = address_same_ip(&s->at, &path->local) ? 0 : s->is_named ? 1 : 2;

	return at * 2 + (s->kind == SIGHT_FURTHER);
}

static bool is_told(const struct address *out, unsigned count, const struct address *a)
{
	for (unsigned i = 0; i < count; i++)
		if (address_equal(&out[i], a))
			return true;
	return false;
}

/* The best of `family` that is not told yet; NULL: none. */
static const struct sight *best(const struct sights *all, const struct path *path,
				uint8_t family, const struct address *out, unsigned count)
{
	enum reach reach = reach_told(all, path, family);
	const struct sight *found = NULL;

	for (unsigned i = 0; i < all->count; i++) {
		const struct sight *s = &all->list[i];

		if (s->at.family != family || !is_for(s, path, reach) ||
		    is_told(out, count, &s->at))
			continue;
		if (!found || rank(s, path) < rank(found, path))
			found = s;
	}
	return found;
}

unsigned sights_for(const struct sights *all, const struct path *path,
		    struct address out[WIRE_SIGHTS_MAX])
{
	/* three of v4 tell its NATs apart; one of v6 whether it works at all */
	static const struct {
		uint8_t family;
		unsigned until;
	} turns[] = {
		{ 4, WIRE_SIGHTS_MAX - 1 },
		{ 6, WIRE_SIGHTS_MAX },
		{ 4, WIRE_SIGHTS_MAX },
	};
	const struct sight *s;
	unsigned count = 0;

	for (size_t i = 0; i < sizeof turns / sizeof turns[0]; i++)
		while (count < turns[i].until &&
		       (s = best(all, path, turns[i].family, out, count))) {
			out[count] = s->at;
			out[count++].scope = 0;
		}
	return count;
}

/* --- answers --- */

/* From where the asker has never been spoken to. Another address is only taken where it surely
 * leads to the asker: one that the operator named, or one of the whole world's, that leads as far
 * as the one asked at. */
static const struct sight *hidden_for(const struct sights *all, const struct path *path)
{
	const struct sight *same = NULL;

	for (unsigned i = 0; i < all->count; i++) {
		const struct sight *s = &all->list[i];
		enum reach reach = reach_of(&s->at);

		if (s->kind != SIGHT_HIDDEN || s->at.family != path->remote.family)
			continue;
		if (address_same_ip(&s->at, &path->local))
			same = s;
		else if (reach == reach_of(&path->local) &&
			 (s->is_named || reach == REACH_WORLD))
			return s;
	}
	return same;
}

static bool is_hidden(const struct sights *all, uint16_t socket)
{
	for (unsigned i = 0; i < all->count; i++)
		if (all->list[i].socket == socket && all->list[i].kind == SIGHT_HIDDEN)
			return true;
	return false;
}

bool sights_answer(const struct sights *all, const struct path *path,
		   const struct sight_question *q, struct path *back)
{
	const struct sight *from;

	if (!address_is_unicast(&path->remote) || is_hidden(all, path->socket))
		return false;
	*back = *path;
	if (q->wants == SIGHT_PLAIN)
		return true;
	from = hidden_for(all, path);
	if (!from)
		return false;
	back->socket = from->socket;
	back->local = from->at;
	if (q->wants == SIGHT_PORT)
		back->remote.port = q->port;
	return true;
}
