#include "directory/introduce.h"

bool introduce(const struct names *names, const struct presence *presence,
	       const struct watchers *watchers, name_id account, struct record *asker,
	       const struct name *name, introduce_tell *tell, void *user)
{
	struct wire_message to_asker = { .type = WIRE_INTRODUCTION };
	struct wire_message to_other = { .type = WIRE_INTRODUCTION };
	name_id other = names_find(names, name);
	bool is_introduced = false;

	if (other == NAMES_NONE || !watchers_mutual(watchers, account, other))
		return false;
	if (!record_is_published(asker))
		return false;
	to_asker.introduction.name = *name;
	to_other.introduction.name = *names_of(names, account);
	record_device(asker, &to_other.introduction.device);
	for (unsigned slot = 0; slot < PRESENCE_SLOTS; slot++) {
		struct record *r = presence_at(presence, other, slot);

		if (!r || r == asker || !record_is_published(r))
			continue;
		record_device(r, &to_asker.introduction.device);
		tell(user, asker, &to_asker);
		tell(user, r, &to_other);
		is_introduced = true;
	}
	return is_introduced;
}
