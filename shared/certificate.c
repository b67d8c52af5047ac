#include "shared/certificate.h"

#include <assert.h>
#include <string.h>

#include <sodium.h>

#include "shared/error.h"
#include "shared/label.h"

static const char DOMAIN[] = "palique-device-v1";

enum {
	DOMAIN_SIZE = sizeof DOMAIN - 1,
	FIXED_SIZE = 32 + 32 + 8 + 8 + 1, /* what comes before the label */
	SIGNATURE_SIZE = 64,
};

static uint8_t *put(uint8_t *to, const void *from, size_t size)
{
	if (size > 0)
		memcpy(to, from, size);
	return to + size;
}

static uint8_t *put_u64(uint8_t *to, uint64_t v)
{
	size_t i;

	for (i = 0; i < 8; i++)
		to[i] = v >> (56 - 8 * i);
	return to + 8;
}

static uint64_t get_u64(const uint8_t *from)
{
	uint64_t v = 0;
	size_t i;

	for (i = 0; i < 8; i++)
		v = v << 8 | from[i];
	return v;
}

/* The domain and everything the signature covers; returns the size. */
static size_t signed_form(uint8_t out[DOMAIN_SIZE + CERTIFICATE_SIZE_MAX],
			  const struct certificate *c)
{
	size_t length = strnlen(c->label, sizeof c->label);
	uint8_t *end = out;

	assert(length <= CERTIFICATE_LABEL_MAX);
	end = put(end, DOMAIN, DOMAIN_SIZE);
	end = put(end, c->identity.bytes, sizeof c->identity.bytes);
	end = put(end, c->device.bytes, sizeof c->device.bytes);
	end = put_u64(end, c->serial);
	end = put_u64(end, (uint64_t)c->not_after);
	*end++ = (uint8_t)length;
	end = put(end, c->label, length);
	return end - out;
}

void certificate_make(struct certificate *c, const struct identity *by,
		      const struct device_public *device, const char *label, uint64_t serial,
		      wall_ms not_after)
{
	uint8_t form[DOMAIN_SIZE + CERTIFICATE_SIZE_MAX];
	size_t length = label_cut(label);

	*c = (struct certificate){
		.identity = by->public,
		.device = *device,
		.serial = serial,
		.not_after = not_after,
	};
	memcpy(c->label, label, length);
	crypto_sign_detached(c->signature, NULL, form, signed_form(form, c), by->secret.bytes);
}

int certificate_verify(const struct certificate *c)
{
	uint8_t form[DOMAIN_SIZE + CERTIFICATE_SIZE_MAX];

	if (crypto_sign_verify_detached(c->signature, form, signed_form(form, c),
					c->identity.bytes) != 0)
		return ERR_AUTH;
	return 0;
}

bool certificate_holds(const struct certificate *c, wall_ms now)
{
	return c->not_after == 0 || now <= c->not_after;
}

int certificate_encode(const struct certificate *c, struct buf *out)
{
	uint8_t form[DOMAIN_SIZE + CERTIFICATE_SIZE_MAX];
	size_t size = signed_form(form, c);
	uint8_t *end = put(form + size, c->signature, sizeof c->signature);

	return buf_append(out, bytes_of(form + DOMAIN_SIZE, end - form - DOMAIN_SIZE));
}

int certificate_decode(struct certificate *c, struct bytes b)
{
	struct certificate got = { 0 };
	const uint8_t *p = b.data;
	size_t length;

	if (b.size < FIXED_SIZE + SIGNATURE_SIZE)
		return ERR_FORMAT;
	if (b.size > CERTIFICATE_SIZE_MAX)
		return ERR_LIMIT;
	length = p[FIXED_SIZE - 1];
	if (length > CERTIFICATE_LABEL_MAX)
		return ERR_LIMIT;
	if (b.size != FIXED_SIZE + length + SIGNATURE_SIZE ||
	    !label_is_good(bytes_of(p + FIXED_SIZE, length)))
		return ERR_FORMAT;

	memcpy(got.identity.bytes, p, sizeof got.identity.bytes);
	memcpy(got.device.bytes, p + 32, sizeof got.device.bytes);
	got.serial = get_u64(p + 64);
	got.not_after = (wall_ms)get_u64(p + 72);
	memcpy(got.label, p + FIXED_SIZE, length);
	memcpy(got.signature, p + FIXED_SIZE + length, sizeof got.signature);
	*c = got;
	return 0;
}
