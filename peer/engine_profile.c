/* What faces ask about presence, profiles, and what was read and typed. */
#include "peer/engine_inside.h"

#include <string.h>

#include "peer/account.h"
#include "peer/contacts.h"
#include "peer/marks.h"
#include "peer/persons.h"
#include "peer/profiles.h"
#include "shared/error.h"

/* Who is there, removed or not. */
static int find(struct engine *e, const char *text, struct person **p)
{
	struct name name;
	int err = engine_is_readable(e) ? name_parse(&name, bytes_text(text)) : ERR_IO;

	if (err < 0)
		return err;
	*p = persons_find(e->rooms.persons, &name);
	return *p ? 0 : ERR_NOT_FOUND;
}

/* --- profiles --- */

void engine_profile(const struct engine *e, struct profile *out)
{
	profiles_ours(e->rooms.profiles, out);
}

int engine_set_profile(struct engine *e, const struct engine_profile_change *change,
		       uint64_t ticket)
{
	const struct profiles_change what = {
		.availability = change->availability,
		.title = change->title,
		.status = change->status,
		.picture = change->picture,
		.is_bot = change->is_bot,
	};
	int err;

	if (!engine_is_readable(e))
		return ERR_IO;
	if (account_standing(e->rooms.account) == STANDING_NONE)
		return ERR_STATE;
	err = profiles_set(e->rooms.profiles, &what, ticket);
	if (err < 0)
		return err;
	if (change->is_invisible)
		contacts_set_invisible(e->rooms.contacts, *change->is_invisible);
	return engine_settle(e);
}

int engine_picture(struct engine *e, const char *name, struct bytes *picture)
{
	struct person *p;
	int err = find(e, name, &p);

	return err < 0 ? err : profiles_picture(e->rooms.profiles, p, picture);
}

int engine_menu(struct engine *e, const char *name, struct bytes *menu)
{
	struct person *p = NULL;
	int err = name ? find(e, name, &p) : 0;

	if (err == 0)
		profiles_menu(e->rooms.profiles, p, menu);
	return err;
}

int engine_hide_from(struct engine *e, const char *text, bool is_hidden)
{
	struct name name;
	int err = engine_is_readable(e) ? name_parse(&name, bytes_text(text)) : ERR_IO;

	if (err == 0)
		err = contacts_set_hidden(e->rooms.contacts, &name, is_hidden);
	return err < 0 ? err : engine_settle(e);
}

/* --- what was read and typed --- */

int engine_set_read_marks(struct engine *e, const char *text, int tells_read)
{
	struct person *p;
	int err = find(e, text, &p);

	if (err < 0)
		return err;
	err = contacts_set_read_marks(e->rooms.contacts, &p->name,
				      tells_read < 0 ? -1 : tells_read > 0);
	if (err < 0)
		return err;
	marks_changed(e->rooms.marks, p);
	return engine_settle(e);
}

int engine_mark_read(struct engine *e, const char *text, uint64_t up_to)
{
	struct person *p;
	int err = find(e, text, &p);

	if (err < 0)
		return err;
	marks_read(e->rooms.marks, p, up_to);
	return engine_settle(e);
}

int engine_typing(struct engine *e, const char *text, bool is_typing)
{
	struct person *p;
	int err = find(e, text, &p);

	if (err == 0)
		err = person_may_be_told(p);
	if (err == 0)
		marks_type(e->rooms.marks, p, is_typing);
	return err;
}

/* --- people who are no contacts yet --- */

int engine_whom(struct engine *e, const char *to, struct name *name)
{
	const struct person *p;
	struct uri link;
	int err;

	if (strncmp(to, "palique:", 8) != 0)
		return name_parse(name, bytes_text(to));
	err = uri_parse(&link, to);
	if (err == 0 && (link.kind != URI_CONTACT || !link.has_identity))
		err = ERR_FORMAT;
	if (err < 0)
		return err;
	*name = link.name;
	p = persons_find(e->rooms.persons, name);
	if (p && p->state == CONTACT_BLOCKED && !p->is_removed)
		return ERR_REFUSED;
	/* One who is listed already is written to; the link then vouches for the key. */
	err = contacts_add(e->rooms.contacts, name, &link.identity, NULL);
	return err < 0 ? err : engine_settle(e);
}
