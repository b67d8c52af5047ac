#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer/conversations.h"
#include "peer/events.h"
#include "peer/files_inside.h"
#include "peer/image.h"
#include "peer/settings.h"
#include "peer/store.h"
#include "shared/error.h"
#include "shared/text.h"

#define DAY ((wall_ms)86400000)
enum {
	AUTO_MANIFEST = 32, /* bytes of a manifest that count as much as one file */
	NONE_AT_ONCE = 200, /* rows that turn out to have no thumbnail, in a step */
};

/* What was fetched of one contact without being asked for, in a day. */
struct unasked {
	int64_t contact;
	wall_ms since;
	unsigned count;
	uint64_t bytes;
};

/* What somebody wants to send, while it is looked at. */
struct sending {
	int64_t to;
	bool is_spooled, is_forwarded;
	char *name, *type, *alt, *caption; /* or NULL */
	uint64_t reply_to, ticket;
	struct name bot; /* empty: a person */
	uint64_t speaker;
	struct filing_work *found; /* taken out of the answer */
	enum image_kind image;
};

/* --- sending --- */

static void sending_free(struct files *f, struct sending *s)
{
	files_disown(f, s);
	for (unsigned i = 0; i < FILES_SENDING; i++) {
		if (f->sendings[i] == s)
			f->sendings[i] = NULL;
	}
	free(s->name);
	free(s->type);
	free(s->alt);
	free(s->caption);
	filing_work_free(s->found);
	free(s);
}

/* What was made for this alone goes with it. `where`: in a folder, or NULL. */
static void give_up(struct files *f, struct sending *s, const char *path, const char *where,
		    int err)
{
	events_answer(f->rooms->events, s->ticket, err, where, 0);
	if (s->is_spooled && path) {
		struct filing_work *w = filing_work_new(FILING_REMOVE);

		w->path = memory_text(path);
		files_remove_later(f, w);
	}
	sending_free(f, s);
}

static struct bytes text_of(const char *text)
{
	return text ? bytes_text(text) : bytes_of(NULL, 0);
}

static const char *name_of(const struct sending *s)
{
	const char *slash = strrchr(s->found->path, '/');

	return s->name ? s->name : slash && slash[1] ? slash + 1 : "/";
}

static const char *type_of(const struct sending *s)
{
	const struct filing_work *w = s->found;
	const char *type = NULL;

	if (s->type || w->is_folder)
		return s->type ? s->type : "inode/directory";
	if (s->image != IMAGE_NONE)
		type = image_type(s->image);
	if (!type)
		type = filing_type_of_head(bytes_of(w->head, w->head_size));
	if (!type)
		type = filing_type_of_name(name_of(s));
	return *type ? type : "application/octet-stream";
}

static int say_offer(struct files *f, struct sending *s, struct person *p,
		     const struct offer *offer, uint64_t *id)
{
	struct buf body = { 0 };
	struct to_say say = { .kind = SAY_FILE,
			      .target = s->reply_to,
			      .is_forwarded = s->is_forwarded,
			      .bot = bytes_text(s->bot.text),
			      .speaker = s->speaker };
	int err;

	buf_init(&body, WIRE_SAY_MAX);
	err = offer_encode(offer, &body);
	say.body = buf_view(&body);
	if (err == 0)
		err = conversations_say_entry(f->rooms->conversations, p, &say, id);
	buf_clear(&body);
	return err;
}

static void say(struct files *f, struct sending *s, const struct image_work *image)
{
	struct filing_work *w = s->found;
	struct person *p = files_person(f, s->to);
	struct file_row row = { .size = w->size,
				.contact = s->to,
				.is_ours = true,
				.state = TRANSFER_OFFERED,
				.path = w->path,
				.modified = w->modified,
				.flags = FILE_HERE | (w->is_folder ? FILE_FOLDER : 0) |
					 (s->is_spooled ? FILE_SPOOLED : 0),
				.files = w->files,
				.manifest_size = w->manifest_size };
	struct offer offer = { .size = w->size,
			       .is_folder = w->is_folder,
			       .files = w->files,
			       .manifest = w->manifest_size,
			       .name = text_of(name_of(s)),
			       .type = text_of(type_of(s)),
			       .caption = text_of(s->caption),
			       .alt = text_of(s->alt) };
	int err = person_may_be_told(p);

	randombytes_buf(row.id, sizeof row.id);
	memcpy(offer.id, row.id, sizeof offer.id);
	if (image) {
		offer.width = image->width;
		offer.height = image->height;
		offer.thumbnail = bytes_of(image->thumbnail, image->size);
	}
	if (err == 0)
		err = say_offer(f, s, p, &offer, &row.message);
	if (err == 0)
		err = file_row_add(f, &row, buf_view(&w->manifest), offer.thumbnail);
	if (err < 0) {
		give_up(f, s, w->path, NULL, err);
		return;
	}
	events_answer_said(f->rooms->events, s->ticket, row.message, f->rooms->wall);
	events_left_out(f->rooms->events, w->links, w->others);
	sending_free(f, s);
}

/* Without a thumbnail it is a file as any other. */
static void on_thumbnail(struct files *f, void *owner, const struct job *answer)
{
	struct image_work *image = answer->task;

	say(f, owner, answer->err == 0 && image->size > 0 ? image : NULL);
}

static void on_looked(struct files *f, void *owner, const struct job *answer)
{
	struct sending *s = owner;
	struct filing_work *w = answer->task;
	struct image_work *image;

	if (answer->err < 0) {
		give_up(f, s, w->path, w->where, answer->err);
		return;
	}
	s->found = memory_new(sizeof *w);
	*s->found = *w;
	memset(w, 0, sizeof *w); /* freed by who ordered it: with nothing in it */
	w = s->found;
	if (!w->is_folder && w->head_size >= 16)
		s->image = image_sniff(bytes_of(w->head, w->head_size));
	if (s->image == IMAGE_NONE || w->size > IMAGE_FILE_MAX) {
		say(f, s, NULL);
		return;
	}
	image = memory_new(sizeof *image);
	image->path = memory_text(w->path);
	files_order(f, JOB_IMAGE, image, on_thumbnail, s);
}

static char *copy(const char *text)
{
	return text && *text ? memory_text(text) : NULL;
}

static int check(const char *text, size_t max)
{
	if (!text)
		return 0;
	if (strlen(text) > max)
		return ERR_LIMIT;
	return bytes_is_utf8(bytes_text(text)) ? 0 : ERR_FORMAT;
}

int files_check(const struct file_wish *wish)
{
	int err = wish->path[0] != '/' ? ERR_FORMAT : 0;

	if (err == 0)
		err = check(wish->name, OFFER_NAME_MAX);
	if (err == 0)
		err = check(wish->type, OFFER_TYPE_MAX);
	if (err == 0)
		err = check(wish->alt, OFFER_ALT_MAX);
	if (err == 0)
		err = check(wish->caption, OFFER_CAPTION_MAX);
	return err;
}

int files_send(struct files *f, const struct file_wish *wish)
{
	struct sending *s;
	struct filing_work *w;
	unsigned at = 0;
	int err = person_may_be_told(wish->to);

	if (err == 0)
		err = files_check(wish);
	if (err < 0)
		return err;
	while (at < FILES_SENDING && f->sendings[at])
		at++;
	if (at == FILES_SENDING)
		return ERR_BUSY;
	s = f->sendings[at] = memory_new(sizeof *s);
	s->to = wish->to->id;
	s->is_spooled = wish->is_spooled;
	s->is_forwarded = wish->is_forwarded;
	s->reply_to = wish->reply_to;
	if (wish->bot)
		snprintf(s->bot.text, sizeof s->bot.text, "%s", wish->bot);
	s->speaker = wish->speaker;
	s->ticket = wish->ticket;
	s->name = copy(wish->name);
	s->type = copy(wish->type);
	s->alt = copy(wish->alt);
	s->caption = copy(wish->caption);
	w = filing_work_new(FILING_LOOK);
	w->path = memory_text(wish->path);
	w->is_spooled = wish->is_spooled;
	files_order(f, JOB_FILING, w, on_looked, s);
	return 0;
}

void sendings_clear(struct files *f)
{
	for (unsigned i = 0; i < FILES_SENDING; i++) {
		if (f->sendings[i])
			sending_free(f, f->sendings[i]);
	}
	free(f->unasked);
}

/* --- what others offer --- */

static struct unasked *unasked_of(struct files *f, int64_t contact)
{
	struct unasked *u = NULL;

	for (unsigned i = 0; i < f->unasked_count && !u; i++) {
		if (f->unasked[i].contact == contact)
			u = &f->unasked[i];
	}
	if (!u) {
		f->unasked = memory_grow(f->unasked, f->unasked_count + 1, sizeof *u);
		u = &f->unasked[f->unasked_count++];
		*u = (struct unasked){ .contact = contact, .since = f->rooms->wall };
	}
	if (f->rooms->wall > u->since + DAY || f->rooms->wall < u->since - DAY)
		*u = (struct unasked){ .contact = contact, .since = f->rooms->wall };
	return u;
}

/* As history, from another device of ours: nobody waits for it. */
static bool is_recalled(struct files *f, uint64_t message)
{
	struct statement *s = db_sql(store_db(f->rooms->store),
				     "SELECT place <= 0 FROM message WHERE id = ?");
	bool is_old;

	bind_int(s, 1, (int64_t)message);
	is_old = db_step(s) != 1 || column_int(s, 0);
	db_done(s);
	return is_old;
}

static bool is_taken_unasked(struct files *f, const struct person *p, const struct offer *offer)
{
	/* What is empty takes room on the disk, too: a file, or a folder on the way to one, takes two bytes
	 * of a manifest at least. */
	unsigned count = 1 + offer->files + offer->manifest / AUTO_MANIFEST;
	uint64_t most = FILES_AUTO_BYTES;
	struct engine_settings settings;
	struct unasked *u;

	settings_read(f->rooms->store, &settings);
	if (offer->size > settings.accept_up_to || settings.accept_up_to == 0 ||
	    p->state != CONTACT_MUTUAL || (!settings.downloads[0] && !f->downloads))
		return false;
	u = unasked_of(f, p->id);
	if (settings.accept_up_to > most)
		most = settings.accept_up_to; /* one as large as the person said comes */
	if (count > FILES_AUTO_DAY - u->count || u->bytes > most ||
	    offer->size > most - u->bytes)
		return false;
	u->count += count;
	u->bytes += offer->size;
	return true;
}

static void offered(struct files *f, const struct conversation_news *n)
{
	struct file_row row = { .message = n->message,
				.contact = n->person->id,
				.is_ours = n->is_ours,
				.state = TRANSFER_OFFERED };
	struct offer offer;
	char name[OFFER_NAME_MAX + 1];

	if (n->is_here || offer_decode(&offer, n->offer) < 0)
		return;
	memcpy(row.id, offer.id, sizeof row.id);
	row.size = offer.size;
	row.flags = offer.is_folder ? FILE_FOLDER : 0;
	row.files = offer.files;
	row.manifest_size = offer.manifest;
	snprintf(name, sizeof name, "%.*s", (int)offer.name.size,
		 (const char *)offer.name.data);
	row.name = name;
	if (!n->is_ours && !is_recalled(f, n->message) &&
	    is_taken_unasked(f, n->person, &offer)) {
		row.state = TRANSFER_WAITING;
		row.flags |= FILE_UNASKED;
	}
	if (offer.thumbnail.size > 0 &&
	    file_rows_unchecked(f, n->person->id, FILES_THUMBNAILS) < FILES_THUMBNAILS) {
		row.flags |= FILE_UNCHECKED;
		f->has_unchecked = true;
	}
	/* An id that is in use already is somebody's lie: there is no such file. */
	if (file_row_add(f, &row, bytes_of(NULL, 0), bytes_of(NULL, 0)) < 0)
		return;
	if (row.state == TRANSFER_WAITING) {
		row.folder = files_folder(f, NULL);
		file_row_save(f, &row);
		free(row.folder);
		f->is_stale = true;
	}
}

static void wiped(struct files *f, const struct conversation_news *n)
{
	struct file_row row;

	if (file_row_of_message(f, n->message, &row) != 1)
		return;
	files_end(f, &row, FILES_CODE_CANCELLED, true);
	file_row_remove(f, &row);
	file_row_clear(&row);
}

void offers_news(struct files *f)
{
	struct conversation_news n;

	while (conversations_next_news(f->rooms->conversations, &n)) {
		if (n.kind == NEWS_FILE)
			offered(f, &n);
		else if (n.kind == NEWS_WIPED)
			wiped(f, &n);
	}
}

/* --- thumbnails of others: one at a time --- */

static void on_checked(struct files *f, void *owner, const struct job *answer)
{
	const struct image_work *image = answer->task;
	bool is_one = answer->err == 0 && image->size > 0;
	struct file_row row;

	(void)owner;
	f->is_checking = false;
	if (answer->err == ERR_CLOSED) {
		f->has_unchecked = false; /* we are leaving: in the next life */
		return;
	}
	if (file_row_of_message(f, f->checked, &row) != 1)
		return;
	file_row_set_thumbnail(f, f->checked,
			       bytes_of(image->thumbnail, is_one ? image->size : 0));
	if (is_one)
		file_tell(f, &row);
	file_row_clear(&row);
}

/* Out of the message, which is there as it was said. */
static bool read_thumbnail(struct files *f, uint64_t message, struct image_work *image)
{
	struct statement *s = db_sql(store_db(f->rooms->store),
				     "SELECT body FROM message WHERE id = ? AND kind = ?");
	struct offer offer;
	bool is_there;

	bind_int(s, 1, (int64_t)message);
	bind_int(s, 2, SAY_FILE);
	is_there = db_step(s) == 1 && offer_decode(&offer, column_bytes(s, 0)) == 0 &&
		   offer.thumbnail.size > 0;
	if (is_there) {
		uint8_t *given = memory_new(offer.thumbnail.size);

		memcpy(given, offer.thumbnail.data, offer.thumbnail.size);
		image->given = bytes_of(given, offer.thumbnail.size);
	}
	db_done(s);
	return is_there;
}

/* Of one contact after the other: who sends many waits longest. */
static bool next_unchecked(struct files *f)
{
	int found = file_row_unchecked(f, f->checked_of, &f->checked_of, &f->checked);

	if (found == 0)
		found = file_row_unchecked(f, -1, &f->checked_of, &f->checked);
	f->has_unchecked = found != 0;
	return found == 1;
}

void offers_step(struct files *f)
{
	struct image_work *image;

	if (f->is_checking || !f->has_unchecked || store_is_writing(f->rooms->store))
		return;
	image = memory_new(sizeof *image);
	for (unsigned i = 0; i < NONE_AT_ONCE && next_unchecked(f); i++) {
		if (read_thumbnail(f, f->checked, image)) {
			f->is_checking = true;
			files_order(f, JOB_IMAGE, image, on_checked, f);
			return;
		}
		/* It has none: of an older store. */
		file_row_set_thumbnail(f, f->checked, bytes_of(NULL, 0));
		f->rooms->has_more = true;
	}
	free(image);
}
