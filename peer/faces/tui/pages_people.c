/* Pages about contacts: who asks, all about one, the safety number. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "peer/faces/tui/pages_inside.h"
#include "shared/text.h"

/* The number in rows of three groups, beside the code. */
static void add_number(struct sheet *s, const char *digits, const char *code, bool is_verified)
{
	char words[256] = "";
	size_t used = 0;

	for (size_t i = 0; i + 5 <= strlen(digits) && used < 200; i += 5)
		used += (size_t)snprintf(words + used, sizeof words - used, "%.5s%s",
					 digits + i, i % 15 == 10 ? "\n" : " ");
	snprintf(words + used, sizeof words - used, "\n%s",
		 is_verified ? _("verified ✔") : _("the same? v"));
	if (code)
		pages_qr(s, code, STYLE_STRONG, words);
	else
		sheet_add(s, STYLE_STRONG, words);
}

static bool key_of_safety(struct tui *tui, char letter, const char *item)
{
	(void)item;
	if (letter != 'v' && letter != 'u')
		return false;
	tui_call(tui, letter == 'v' ? "verifyContact" : "unverifyContact",
		 json_set_text(json_object(), "name", tui->again.words), NULL, NULL);
	return true;
}

static void on_safety(struct tui *tui, const struct json *result, void *context)
{
	const char *digits = json_text(result, "digits"), *code = json_text(result, "code");
	struct page *p;
	struct sheet *s;
	char title[128];

	if (!result || !digits)
		return;
	snprintf(title, sizeof title, _("Safety number with %s"), (const char *)context);
	p = pages_begin(tui, title, NULL);
	s = page_sheet(p);
	if (json_bool(result, "keyChanged", false))
		sheet_add(s, STYLE_BAD,
			  _("This is of the other key that they show. /accept takes it."));
	else
		sheet_add(s, STYLE_PLAIN,
			  _("Is it the same on both sides? Then nobody stands between."));
	sheet_break(s);
	add_number(s, digits, code, json_bool(result, "verified", false));
	page_set_keys(p,
		      json_bool(result, "verified", false)
			      ? _("u takes it back · / command · Esc closes")
			      : _("v: they are the same · / command · Esc closes"),
		      key_of_safety);
	tui_show(tui, p);
}

void pages_safety(struct tui *tui, const char *words, uint64_t id)
{
	(void)id;
	tui_call(tui, "getSafety", json_set_text(json_object(), "name", words), on_safety,
		 memory_text(words));
}

static void on_person_chosen(struct tui *tui, const char *item)
{
	tui_show(tui, NULL);
	model_choose(tui->model, item);
	tui->view.focus = FOCUS_COMPOSE;
	tui->view.shows_list_alone = false;
}

static bool key_of_request(struct tui *tui, char letter, const char *item)
{
	const char *method = letter == 'a'   ? "acceptContact"
			     : letter == 'b' ? "blockContact"
			     : letter == 'u' ? "removeContact"
					     : NULL;
	struct talk *t = item ? model_find(tui->model, item) : NULL;
	const char *state = t ? json_text(t->contact, "state") : NULL;

	/* what stands there asks, or is blocked: either can be taken back from the other only */
	if (letter == 'u' && (!state || strcmp(state, "blocked") != 0))
		return true;

	if (!method || !item)
		return false;
	tui_call(tui, method, json_set_text(json_object(), "name", item), NULL, NULL);
	return true;
}

/* All of one state; true: there are any. */
static bool add_people(struct tui *tui, struct page *p, const char *state)
{
	struct sheet *s = page_sheet(p);
	bool is_any = false;

	for (size_t i = 0; i < model_count(tui->model); i++) {
		const struct talk *t = model_at(tui->model, i);
		const char *greeting = json_text(t->contact, "greeting");

		if (!json_text(t->contact, "state") ||
		    strcmp(json_text(t->contact, "state"), state) != 0)
			continue;
		page_item(p, t->name);
		sheet_add(s, STYLE_STRONG, t->name);
		if (greeting)
			sheet_addf(s, STYLE_PLAIN, "  “%s”", greeting);
		is_any = true;
	}
	page_item(p, NULL);
	return is_any;
}

static bool is_any_blocked(const struct tui *tui)
{
	for (size_t i = 0; i < model_count(tui->model); i++) {
		const char *state = json_text(model_at(tui->model, i)->contact, "state");

		if (state && !strcmp(state, "blocked"))
			return true;
	}
	return false;
}

void pages_requests(struct tui *tui, const char *words, uint64_t id)
{
	struct page *p = pages_begin(tui, _("Who wants to talk with you"), on_person_chosen);
	bool is_any = add_people(tui, p, "requests"), is_blocked = is_any_blocked(tui);

	(void)words;
	(void)id;
	sheet_add(page_sheet(p), STYLE_FAINT,
		  is_any ? _("Whoever you say yes to sees when you are there, and can write to "
			     "you.")
			 : _("Nobody, at this moment."));
	if (is_blocked) {
		pages_heading(page_sheet(p), _("Blocked"));
		add_people(tui, p, "blocked");
	}
	page_set_keys(
		p,
		is_any && is_blocked
			? _("a accepts · b blocks · u unblocks · Enter opens · Esc closes")
		: is_blocked ? _("u unblocks, they may ask again · / command · Esc closes")
		: is_any     ? _("a accepts · b blocks · Enter opens · Esc closes")
			     : _("/ command · Esc closes"),
		key_of_request);
	tui_show(tui, p);
}

void pages_contact(struct tui *tui, const char *words, uint64_t id)
{
	struct talk *t = model_find(tui->model, words);
	const struct json *c = t ? t->contact : NULL, *timer = json_get(c, "timer");
	const char *presence;
	enum style style;
	struct page *p;
	struct sheet *s;
	char title[128], number[160];

	(void)id;
	if (!c) {
		tui_tell(tui, true, _("That is no contact."));
		return;
	}
	snprintf(title, sizeof title, _("About %s"), words);
	p = pages_begin(tui, title, NULL);
	s = page_sheet(p);
	view_presence(c, &presence, &style);
	pages_row(s, _("name to show"), view_title(t));
	pages_row(s, _("presence"), presence);
	if (json_bool(c, "bot", false))
		pages_row(s, _("who speaks there"), _("a program, and nobody reads"));
	if (json_text(c, "status"))
		pages_row(s, _("status"), json_text(c, "status"));
	if (json_bool(c, "connected", false)) {
		snprintf(number, sizeof number, "%s, %.1f ms",
			 pages_word(json_text(c, "pathKind")), json_real(c, "roundTripMs", 0));
		pages_row(s, _("connection"), number);
	}
	pages_time(json_int(c, "lastSeen", 0), number, sizeof number);
	pages_row(s, _("last seen"), number);
	pages_row(s, _("verified"), pages_yes_or_no(json_bool(c, "verified", false)));
	if (json_text(c, "fingerprint"))
		pages_row(s, _("fingerprint"), json_text(c, "fingerprint"));
	pages_row(s, _("is told what I read"),
		  pages_yes_or_no(json_bool(c, "readMarks", false)));
	pages_row(s, _("I am invisible to them"),
		  pages_yes_or_no(json_bool(c, "hidden", false)));
	snprintf(number, sizeof number, "%lld s", (long long)json_int(timer, "seconds", 0));
	pages_row(s, _("messages disappear after"),
		  json_int(timer, "seconds", 0) ? number : _("they stay"));
	pages_row(s, _("may have my addresses"), pages_word(json_text(c, "consent")));
	snprintf(number, sizeof number, "%lld", (long long)json_int(c, "devices", 0));
	pages_row(s, _("devices"), number);
	snprintf(number, sizeof number, "%lld", (long long)json_int(c, "queued", 0));
	pages_row(s, _("waiting to be delivered"), number);
	tui_show(tui, p);
}
