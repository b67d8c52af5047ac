#include "directory/commands_inside.h"

#include <stdio.h>
#include <string.h>

#include "directory/copies.h"
#include "directory/desk.h"
#include "shared/error.h"
#include "shared/text.h"

enum { REASON_SIZE = 3 * PATH_MAX };

static void said(const struct options *o, const struct copies_report *r)
{
	struct json *j;

	if (!(o->given & OPTION_JSON)) {
		printf("%s\n", r->folder);
		fprintf(stderr,
			ngettext("%d account, ", "%d accounts, ", (unsigned)r->accounts),
			(int)r->accounts);
		fprintf(stderr, r->has_config ? _("the directory's key, directory.conf.\n")
					      : _("the directory's key; no directory.conf.\n"));
		return;
	}
	j = json_set_text(json_object(), "folder", r->folder);
	json_set_int(j, "accounts", (int64_t)r->accounts);
	json_set_bool(j, "has_config", r->has_config);
	desk_print(j);
	json_free(j);
}

int command_backup(const struct options *o)
{
	char reason[REASON_SIZE] = "";
	struct copies_report report;
	int err = copies_backup(&report, o->data, o->words[0], reason, sizeof reason);

	if (err < 0)
		return desk_fail_told(o, err, reason);
	said(o, &report);
	if (!(o->given & OPTION_JSON))
		fprintf(stderr,
			_("The secrets of the key-holder are not in it, and must not be kept "
			  "beside it: who has both can guess passwords. For them: "
			  "palique-directory keyholder split FILE FILE FILE%s\n"),
			desk_same_data(o));
	return EXIT_OK;
}

/* Who has the secrets, if anybody can be asked already; NULL is no failure. */
static struct holder *holder_here(const struct options *o)
{
	char reason[REASON_SIZE];
	struct holder *h = NULL;
	struct desk d = { 0 };

	if (desk_config(o, &d.config, reason, sizeof reason) < 0 ||
	    desk_holder(&h, &d, o, reason, sizeof reason) < 0)
		return NULL;
	return h;
}

int command_restore(const struct options *o)
{
	bool is_rehearsal = o->given & OPTION_DRY_RUN;
	struct holder *holder = holder_here(o);
	char reason[REASON_SIZE] = "";
	struct copies_report report;
	bool is_holder_here;
	int err = copies_restore(&report, o->data, o->words[0], holder, is_rehearsal, reason,
				 sizeof reason);

	is_holder_here = holder != NULL;
	if (is_holder_here)
		holder->close(holder);
	if (err < 0)
		return desk_fail_told(o, err, reason);
	said(o, &report);
	if (o->given & OPTION_JSON)
		return EXIT_OK;
	if (!is_holder_here)
		fprintf(stderr,
			_("The key-holder is not here, so that it is the right one could not "
			  "be checked. Bring its secrets back: palique-directory keyholder "
			  "join "
			  "FILE FILE%s\n"),
			desk_same_data(o));
	if (is_rehearsal)
		fprintf(stderr,
			_("All is whole. Nothing was changed: without --dry-run it would "
			  "be restored.\n"));
	else
		fprintf(stderr, _("Restored. Start it: palique-directory serve%s\n"),
			desk_same_data(o));
	return EXIT_OK;
}
