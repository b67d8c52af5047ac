#include "shared/offer.h"

#include "shared/coder.h"
#include "shared/error.h"

enum { OFFER_FIELDS = 12 };

static void fields(struct coder *c, struct offer *o)
{
	coder_nest(c, OFFER_FIELDS);
	coder_fixed(c, o->id, sizeof o->id);
	coder_number(c, &o->size, 0, OFFER_SIZE_MAX);
	coder_flag(c, &o->is_folder);
	coder_number32(c, &o->files, 0, o->is_folder ? OFFER_FILES_MAX : 0);
	coder_number32(c, &o->manifest, o->is_folder, o->is_folder ? OFFER_MANIFEST_MAX : 0);
	coder_text(c, &o->name, 1, OFFER_NAME_MAX);
	coder_text(c, &o->type, 0, OFFER_TYPE_MAX);
	coder_text(c, &o->caption, 0, OFFER_CAPTION_MAX);
	coder_text(c, &o->alt, 0, OFFER_ALT_MAX);
	coder_number32(c, &o->width, 0, UINT16_MAX);
	coder_number32(c, &o->height, o->width > 0, o->width > 0 ? UINT16_MAX : 0);
	coder_bytes(c, &o->thumbnail, 0, OFFER_THUMBNAIL_MAX);
	coder_check(c, o->size >= o->manifest, ERR_FORMAT);
}

int offer_encode(const struct offer *offer, struct buf *out)
{
	size_t before = out->size;
	struct pack p;
	struct coder c = { .to = &p };
	int err;

	pack_begin(&p, out);
	fields(&c, (struct offer *)(uintptr_t)offer); /* only read: there is a `to` */
	err = pack_end(&p);
	if (err < 0)
		out->size = before;
	return err;
}

int offer_decode(struct offer *offer, struct bytes b)
{
	struct unpack u;
	struct coder c = { .from = &u };
	int err;

	*offer = (struct offer){ 0 };
	unpack_begin(&u, b);
	fields(&c, offer);
	err = unpack_end(&u);
	if (err < 0)
		*offer = (struct offer){ 0 };
	return err;
}
