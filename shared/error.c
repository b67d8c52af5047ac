#include "shared/error.h"

#include "shared/text.h"

static const struct {
	const char *name, *text;
} errors[] = {
	[-ERR_OK] = { "ok", N_("done") },
	[-ERR_FORMAT] = { "format", N_("malformed data") },
	[-ERR_LIMIT] = { "limit", N_("larger than the limit") },
	[-ERR_AUTH] = { "auth", N_("a password, signature or proof does not hold") },
	[-ERR_STATE] = { "state", N_("not possible in this state") },
	[-ERR_NOT_FOUND] = { "not-found", N_("not found") },
	[-ERR_EXISTS] = { "exists", N_("already there") },
	[-ERR_REFUSED] = { "refused", N_("refused") },
	[-ERR_BUSY] = { "busy", N_("too many requests now; try again later") },
	[-ERR_IO] = { "io", N_("reading or writing failed") },
	[-ERR_FULL] = { "full", N_("no room left") },
	[-ERR_CORRUPT] = { "corrupt", N_("the stored data is damaged") },
	[-ERR_LOCKED] = { "locked", N_("another process is using it") },
	[-ERR_VERSION] = { "version", N_("made by a newer or unknown version") },
	[-ERR_EXPIRED] = { "expired", N_("expired") },
	[-ERR_OFFLINE] = { "offline", N_("cannot be reached now") },
	[-ERR_TIMEOUT] = { "timeout", N_("no answer in time") },
	[-ERR_NAME] = { "name", N_("not a valid user name") },
	[-ERR_KEY_CHANGED] = { "key-changed", N_("the contact's identity key has changed") },
	[-ERR_CLOSED] = { "closed", N_("the other end is gone") },
	[-ERR_SUSPENDED] = { "suspended", N_("the directory's operator has suspended this account") },
};

_Static_assert(sizeof errors / sizeof errors[0] == -ERR_LAST, "one row for each error");

const char *error_text(int err)
{
	if (err > 0 || err <= ERR_LAST)
		return _("unknown error");
	return _(errors[-err].text);
}

const char *error_name(int err)
{
	if (err > 0 || err <= ERR_LAST)
		return "unknown";
	return errors[-err].name;
}
