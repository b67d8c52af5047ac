#include "directory/checks.h"

bool checks_begin(struct checks *c, struct session *s, uint64_t nonce, mono_ns now)
{
	if (s->checked_since)
		return false;
	s->checked_since = now;
	s->check_nonce = nonce;
	s->checks = 0;
	s->next_check = c->first;
	c->first = s;
	return true;
}

void checks_forget(struct checks *c, struct session *s)
{
	struct session **at = &c->first;

	if (!s->checked_since)
		return;
	while (*at != s)
		at = &(*at)->next_check;
	*at = s->next_check;
	s->next_check = NULL;
	s->checked_since = 0;
}

static mono_ns next_moment(const struct session *s)
{
	unsigned seconds = s->checks < CHECK_TRIES ? s->checks : CHECK_SECONDS;

	return s->checked_since + seconds * SECOND;
}

struct session *checks_due(struct checks *c, mono_ns now, bool *is_gone)
{
	struct session *next;

	for (struct session *s = c->first; s; s = next) {
		next = s->next_check;
		if (s->checks && link_last_heard(s->link) > s->checked_since) {
			checks_forget(c, s);
			continue;
		}
		if (next_moment(s) > now)
			continue;
		*is_gone = s->checks == CHECK_TRIES;
		if (*is_gone)
			checks_forget(c, s);
		else
			s->checks++;
		return s;
	}
	return NULL;
}

mono_ns checks_deadline(const struct checks *c)
{
	mono_ns at = NEVER;

	for (const struct session *s = c->first; s; s = s->next_check)
		at = mono_earlier(at, next_moment(s));
	return at;
}
