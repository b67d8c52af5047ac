#include "peer/api/doctor_inside.h"

static void add(struct findings *f, const char *check, const char *text, const char *hint,
		bool is_remark)
{
	struct json *row = json_set_text(json_object(), "check", check);

	json_set_bool(row, "ok", hint == NULL);
	json_set_bool(row, "remark", is_remark);
	json_set_text(row, "text", text);
	json_set_text(row, "hint", hint ? hint : "");
	json_add(f->list, row);
	f->is_well = f->is_well && !hint;
}

void doctor_note(struct findings *f, const char *check, const char *text, const char *hint)
{
	add(f, check, text, hint, false);
}

void doctor_remark(struct findings *f, const char *check, const char *text)
{
	add(f, check, text, NULL, true);
}
