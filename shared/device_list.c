#include "shared/device_list.h"

#include <assert.h>
#include <string.h>

#include <sodium.h>

#include "shared/error.h"
#include "shared/pack.h"

static const char DOMAIN[] = "palique-devices-v1";
static const char SUCCESSOR[] = "palique-successor-v1";

enum {
	DOMAIN_SIZE = sizeof DOMAIN - 1,
	SUCCESSOR_SIZE = sizeof SUCCESSOR - 1,
	SIGNATURE_SIZE = 64,
	VOUCHED_SIZE = SUCCESSOR_SIZE + 32 + 32,
	FORM_SIZE_MAX = DOMAIN_SIZE + DEVICE_LIST_SIZE_MAX,
};

/* --- what a list may be, whether we made it or read it ---------------------------------- */

static bool is_twice(const struct device_list *l)
{
	for (unsigned i = 0; i < l->count; i++)
		for (unsigned j = 0; j < i; j++)
			if (device_public_equal(&l->devices[i].device, &l->devices[j].device))
				return true;
	for (unsigned i = 0; i < l->past_count; i++) {
		if (identity_public_equal(&l->past[i].identity, &l->identity))
			return true;
		for (unsigned j = 0; j < i; j++)
			if (identity_public_equal(&l->past[i].identity, &l->past[j].identity))
				return true;
	}
	return false;
}

static struct bytes label_of(const struct listed_device *d)
{
	return bytes_of(d->label, strnlen(d->label, sizeof d->label));
}

static int check(const struct device_list *l)
{
	if (l->version < 1 || l->version > INT64_MAX || l->count < 1 ||
	    l->count > DEVICE_LIST_MAX || l->past_count > DEVICE_LIST_PAST_MAX)
		return ERR_LIMIT;
	for (unsigned i = 0; i < l->count; i++)
		if (!label_is_good(label_of(&l->devices[i])))
			return ERR_FORMAT;
	return is_twice(l) ? ERR_FORMAT : 0;
}

/* --- changing one ------------------------------------------------------------------------ */

static struct listed_device *find(struct device_list *l, const struct device_public *device)
{
	for (unsigned i = 0; i < l->count; i++)
		if (device_public_equal(&l->devices[i].device, device))
			return &l->devices[i];
	return NULL;
}

const struct listed_device *device_list_find(const struct device_list *l,
					     const struct device_public *device)
{
	return find((struct device_list *)(uintptr_t)l, device); /* changes nothing */
}

int device_list_add(struct device_list *l, const struct device_public *device,
		    const char *label, wall_ms since)
{
	struct listed_device *d = find(l, device);

	if (!d) {
		if (l->count >= DEVICE_LIST_MAX)
			return ERR_FULL;
		d = &l->devices[l->count++];
		d->device = *device;
		d->since = since;
	}
	memset(d->label, 0, sizeof d->label);
	memcpy(d->label, label, label_cut(label));
	return 0;
}

static bool is_label_taken(const struct device_list *l, const char *label)
{
	for (unsigned i = 0; i < l->count; i++)
		if (!strcmp(l->devices[i].label, label))
			return true;
	return false;
}

void device_list_distinct(const struct device_list *l, const char *label,
			  char out[CERTIFICATE_LABEL_MAX + 1])
{
	char wish[CERTIFICATE_LABEL_MAX + 1] = "", number[16];
	size_t room;

	memcpy(wish, label, label_cut(label));
	memcpy(out, wish, sizeof wish);
	/* one of more numbers than there are devices is free */
	for (unsigned i = 2; wish[0] && is_label_taken(l, out); i++) {
		snprintf(number, sizeof number, " %u", i);
		room = CERTIFICATE_LABEL_MAX - strlen(number);
		if (strlen(wish) > room)
			wish[room] = '\0';
		wish[label_cut(wish)] = '\0'; /* no letter is cut in two */
		snprintf(out, CERTIFICATE_LABEL_MAX + 1, "%s%s", wish, number);
	}
}

int device_list_remove(struct device_list *l, const struct device_public *device)
{
	struct listed_device *d = find(l, device), *end = l->devices + l->count;

	if (!d)
		return ERR_NOT_FOUND;
	memmove(d, d + 1, (size_t)(end - d - 1) * sizeof *d);
	l->count--;
	l->devices[l->count] = (struct listed_device){ 0 };
	return 0;
}

/* --- bytes ------------------------------------------------------------------------------- */

/* Appends what the signature covers, without the domain. */
static int encode_body(const struct device_list *l, struct buf *out)
{
	struct pack p;

	pack_begin(&p, out);
	pack_array(&p, 4);
	pack_bin(&p, BYTES(l->identity.bytes));
	pack_uint(&p, l->version);
	pack_array(&p, l->count);
	for (unsigned i = 0; i < l->count; i++) {
		pack_array(&p, 3);
		pack_bin(&p, BYTES(l->devices[i].device.bytes));
		pack_int(&p, l->devices[i].since);
		pack_text(&p, label_of(&l->devices[i]));
	}
	pack_array(&p, l->past_count);
	for (unsigned i = 0; i < l->past_count; i++) {
		pack_array(&p, 2);
		pack_bin(&p, BYTES(l->past[i].identity.bytes));
		pack_bin(&p, BYTES(l->past[i].signature));
	}
	return pack_end(&p);
}

/* The domain and the body; returns the size. Only of a list that passed check(). */
static size_t signed_form(uint8_t out[FORM_SIZE_MAX], const struct device_list *l)
{
	struct buf form = { .data = out, .capacity = FORM_SIZE_MAX, .limit = FORM_SIZE_MAX };
	int err = buf_append(&form, bytes_of(DOMAIN, DOMAIN_SIZE));

	if (err == 0)
		err = encode_body(l, &form);
	assert(err == 0 && form.size <= FORM_SIZE_MAX - SIGNATURE_SIZE);
	return form.size;
}

int device_list_encode(const struct device_list *l, struct buf *out)
{
	uint8_t form[FORM_SIZE_MAX];
	int err = check(l);
	size_t size;

	if (err < 0)
		return err;
	size = signed_form(form, l);
	memcpy(form + size, l->signature, sizeof l->signature);
	return buf_append(out,
			  bytes_of(form + DOMAIN_SIZE, size - DOMAIN_SIZE + SIGNATURE_SIZE));
}

static void decode_device(struct listed_device *d, struct unpack *u)
{
	struct bytes label;

	unpack_array_of(u, 3);
	unpack_bin_to(u, d->device.bytes, sizeof d->device.bytes);
	d->since = unpack_int(u);
	label = unpack_text(u, LABEL_MAX);
	if (u->err == 0 && label.size > 0)
		memcpy(d->label, label.data, label.size);
}

int device_list_decode(struct device_list *l, struct bytes b)
{
	struct device_list got = { 0 };
	struct unpack u;
	int err;

	if (b.size > DEVICE_LIST_SIZE_MAX)
		return ERR_LIMIT;
	if (b.size < SIGNATURE_SIZE)
		return ERR_FORMAT;
	memcpy(got.signature, b.data + b.size - SIGNATURE_SIZE, SIGNATURE_SIZE);
	unpack_begin(&u, bytes_of(b.data, b.size - SIGNATURE_SIZE));
	unpack_array_of(&u, 4);
	unpack_bin_to(&u, got.identity.bytes, sizeof got.identity.bytes);
	got.version = unpack_uint(&u, INT64_MAX);
	got.count = unpack_array(&u, DEVICE_LIST_MAX);
	for (unsigned i = 0; i < got.count && u.err == 0; i++)
		decode_device(&got.devices[i], &u);
	got.past_count = unpack_array(&u, DEVICE_LIST_PAST_MAX);
	for (unsigned i = 0; i < got.past_count && u.err == 0; i++) {
		unpack_array_of(&u, 2);
		unpack_bin_to(&u, got.past[i].identity.bytes, sizeof got.past[i].identity);
		unpack_bin_to(&u, got.past[i].signature, sizeof got.past[i].signature);
	}
	err = unpack_end(&u);
	if (err == 0)
		err = check(&got);
	if (err == 0)
		*l = got;
	return err;
}

/* --- signatures -------------------------------------------------------------------------- */

void device_list_sign(struct device_list *l, const struct identity *by)
{
	uint8_t form[FORM_SIZE_MAX];

	/* The last identity before vouched for this one and no other. */
	assert(l->past_count == 0 || identity_public_equal(&l->identity, &by->public));
	assert(l->version < INT64_MAX);
	l->identity = by->public;
	l->version++;
	assert(check(l) == 0);
	crypto_sign_detached(l->signature, NULL, form, signed_form(form, l), by->secret.bytes);
}

static void vouched(uint8_t out[VOUCHED_SIZE], const struct identity_public *old,
		    const struct identity_public *new)
{
	memcpy(out, SUCCESSOR, SUCCESSOR_SIZE);
	memcpy(out + SUCCESSOR_SIZE, old->bytes, sizeof old->bytes);
	memcpy(out + SUCCESSOR_SIZE + 32, new->bytes, sizeof new->bytes);
}

void device_list_succeed(struct device_list *l, const struct identity *from,
			 const struct identity_public *to)
{
	struct past_identity *last;
	uint8_t text[VOUCHED_SIZE];

	assert(identity_public_equal(&l->identity, &from->public));
	if (l->past_count == DEVICE_LIST_PAST_MAX) {
		memmove(l->past, l->past + 1, sizeof l->past - sizeof l->past[0]);
		l->past_count--;
	}
	last = &l->past[l->past_count++];
	last->identity = from->public;
	vouched(text, &from->public, to);
	crypto_sign_detached(last->signature, NULL, text, sizeof text, from->secret.bytes);
	l->identity = *to;
}

int device_list_verify(const struct device_list *l)
{
	uint8_t form[FORM_SIZE_MAX], text[VOUCHED_SIZE];

	if (check(l) < 0 ||
	    crypto_sign_verify_detached(l->signature, form, signed_form(form, l),
					l->identity.bytes) != 0)
		return ERR_AUTH;
	for (unsigned i = 0; i < l->past_count; i++) {
		const struct past_identity *p = &l->past[i];
		bool is_last = i + 1 == l->past_count;

		vouched(text, &p->identity, is_last ? &l->identity : &l->past[i + 1].identity);
		if (crypto_sign_verify_detached(p->signature, text, sizeof text,
						p->identity.bytes) != 0)
			return ERR_AUTH;
	}
	return 0;
}

bool device_list_follows(uint64_t version, uint64_t known)
{
	if (!known)
		return version > 0 && version <= INT64_MAX / 2; /* room for those that follow */
	return version > known && version - known <= DEVICE_LIST_LEAP;
}

bool device_list_descends(const struct device_list *l, const struct identity_public *old)
{
	if (identity_public_equal(&l->identity, old))
		return true;
	for (unsigned i = 0; i < l->past_count; i++)
		if (identity_public_equal(&l->past[i].identity, old))
			return true;
	return false;
}
