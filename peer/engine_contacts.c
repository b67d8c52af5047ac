/* What faces ask about contacts. */
#include "peer/engine_inside.h"

#include <string.h>

#include "peer/contacts.h"
#include "peer/events.h"
#include "peer/history.h"
#include "peer/marks.h"
#include "peer/persons.h"
#include "peer/profiles.h"
#include "shared/error.h"

/* A name as people type it; ERR_NAME, ERR_IO. */
static int read_name(struct engine *e, const char *text, struct name *name)
{
	return engine_is_readable(e) ? name_parse(name, bytes_text(text)) : ERR_IO;
}

/* The changes by name differ only in the function. */
static int change(struct engine *e, const char *text,
		  int (*how)(struct contacts *c, const struct name *name))
{
	struct name name;
	int err = read_name(e, text, &name);

	if (err == 0)
		err = how(e->rooms.contacts, &name);
	return err < 0 ? err : engine_settle(e);
}

int engine_add(struct engine *e, const char *text, const struct identity_public *identity,
	       const char *greeting)
{
	struct name name;
	int err = read_name(e, text, &name);

	if (err == 0)
		err = contacts_add(e->rooms.contacts, &name, identity, greeting);
	return err < 0 ? err : engine_settle(e);
}

int engine_accept(struct engine *e, const char *name)
{
	return change(e, name, contacts_accept);
}

int engine_block(struct engine *e, const char *name)
{
	return change(e, name, contacts_block);
}

int engine_remove(struct engine *e, const char *name)
{
	return change(e, name, contacts_remove);
}

int engine_verify(struct engine *e, const char *text, bool is_verified)
{
	struct name name;
	int err = read_name(e, text, &name);

	if (err == 0)
		err = contacts_verify(e->rooms.contacts, &name, is_verified);
	return err < 0 ? err : engine_settle(e);
}

int engine_set_consent(struct engine *e, const char *text, enum consent consent)
{
	struct name name;
	int err = read_name(e, text, &name);

	if (err == 0)
		err = contacts_set_consent(e->rooms.contacts, &name, consent);
	return err < 0 ? err : engine_settle(e);
}

static void fill(struct engine *e, const struct person *p, struct contact *out)
{
	const struct name *relay;

	contacts_fill(p, out);
	profiles_fill(p, out);
	marks_fill(e->rooms.marks, p, out);
	relay = out->path_kind == PATH_RELAYED
			? relay_of_tunnel(e->rooms.relay, out->path.tunnel)
			: NULL;
	if (relay)
		out->relay = *relay;
}

int engine_contact(struct engine *e, const char *text, struct contact *out)
{
	const struct person *p;
	struct name name;
	int err = read_name(e, text, &name);

	if (err < 0)
		return err;
	p = persons_find(e->rooms.persons, &name);
	if (!p || p->is_removed)
		return ERR_NOT_FOUND;
	fill(e, p, out);
	return 0;
}

int engine_contact_at(struct engine *e, unsigned index, struct contact *out)
{
	const struct person *p;

	if (!engine_is_readable(e))
		return ERR_IO;
	for (unsigned i = 0; (p = persons_at(e->rooms.persons, i)) != NULL; i++) {
		if (p->is_removed || index-- > 0)
			continue;
		fill(e, p, out);
		return 0;
	}
	return ERR_NOT_FOUND;
}

int engine_events_since(struct engine *e, uint64_t since, engine_each_event *each, void *user)
{
	return history_since(&e->rooms, since, each, user);
}

uint64_t engine_last_event(const struct engine *e)
{
	return events_last(e->rooms.events);
}
