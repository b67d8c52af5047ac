#include "shared/peer_record.h"

#include <assert.h>
#include <string.h>

#include <sodium.h>

#include "shared/coder.h"
#include "shared/error.h"

static const char DOMAIN[] = "palique-peer-record-v1";

enum { DOMAIN_SIZE = sizeof DOMAIN - 1, FIELDS = 7 };

/* What low and high mean, and that they are nothing where they mean nothing. */
static bool is_sound(const struct nat *nat)
{
	switch (nat->mapping) {
	case NAT_SEQUENTIAL:
		return nat->low >= 1 && nat->high >= 1 && nat->high <= NAT_STEP_MAX;
	case NAT_BLOCK:
		return nat->low < nat->high;
	default:
		return nat->low == 0 && nat->high == 0;
	}
}

static void nat_fields(struct coder *c, struct nat *nat)
{
	uint64_t mapping = nat->mapping, filtering = nat->filtering;

	coder_nest(c, 4);
	coder_number(c, &mapping, NAT_UNKNOWN, NAT_RANDOM);
	coder_number(c, &filtering, NAT_FILTER_UNKNOWN, NAT_FILTERED);
	if (!c->to) {
		nat->mapping = (enum nat_mapping)mapping;
		nat->filtering = (enum nat_filtering)filtering;
	}
	coder_number16(c, &nat->low, 0, UINT16_MAX);
	coder_number16(c, &nat->high, 0, UINT16_MAX);
	coder_check(c, is_sound(nat), ERR_FORMAT);
}

/* All that the signature covers; the signature is the last field. */
static void signed_fields(struct coder *c, struct peer_record *r)
{
	coder_nest(c, FIELDS);
	coder_fixed(c, r->device.bytes, sizeof r->device.bytes);
	coder_number(c, &r->number, 1, UINT64_MAX);
	coder_fixed(c, r->knock.bytes, sizeof r->knock.bytes);
	nat_fields(c, &r->nat);
	coder_flag(c, &r->is_relay);
	coder_candidates(c, &r->candidates);
}

/* Writes only what it reads: there is a `to`. */
static struct peer_record *to_be_written(const struct peer_record *r)
{
	return (struct peer_record *)(uintptr_t)r;
}

struct signed_form {
	uint8_t bytes[DOMAIN_SIZE + PEER_RECORD_SIZE_MAX];
	size_t size;
};

static int form_signed(struct signed_form *form, const struct peer_record *r)
{
	struct buf out = { .data = form->bytes,
			   .capacity = sizeof form->bytes,
			   .limit = sizeof form->bytes };
	struct pack p;
	struct coder c = { .to = &p };
	int err;

	err = buf_append(&out, bytes_of(DOMAIN, DOMAIN_SIZE));
	assert(err == 0);
	pack_begin(&p, &out);
	signed_fields(&c, to_be_written(r));
	form->size = out.size;
	return pack_end(&p);
}

void peer_record_sign(struct peer_record *r, const struct identity *by)
{
	struct signed_form form;
	int err = form_signed(&form, r);

	assert(err == 0);
	(void)err;
	crypto_sign_detached(r->signature, NULL, form.bytes, form.size, by->secret.bytes);
}

int peer_record_verify(const struct peer_record *r, const struct identity_public *by)
{
	struct signed_form form;

	if (form_signed(&form, r) < 0)
		return ERR_AUTH;
	if (crypto_sign_verify_detached(r->signature, form.bytes, form.size, by->bytes) != 0)
		return ERR_AUTH;
	return 0;
}

bool peer_record_equal(const struct peer_record *a, const struct peer_record *b)
{
	struct signed_form of_a, of_b;

	if (a->number == 0 || b->number == 0)
		return a->number == b->number;
	if (memcmp(a->signature, b->signature, sizeof a->signature) != 0)
		return false;
	return form_signed(&of_a, a) == 0 && form_signed(&of_b, b) == 0 &&
	       bytes_equal(bytes_of(of_a.bytes, of_a.size), bytes_of(of_b.bytes, of_b.size));
}

int peer_record_encode(const struct peer_record *r, struct buf *out)
{
	size_t before = out->size;
	struct pack p;
	struct coder c = { .to = &p };
	int err;

	pack_begin(&p, out);
	signed_fields(&c, to_be_written(r));
	pack_bin(&p, BYTES(r->signature));
	err = pack_end(&p);
	if (err < 0)
		out->size = before;
	return err;
}

int peer_record_decode(struct peer_record *r, struct bytes b)
{
	struct unpack u;
	struct coder c = { .from = &u };
	int err;

	memset(r, 0, sizeof *r);
	if (b.size > PEER_RECORD_SIZE_MAX)
		return ERR_LIMIT;
	unpack_begin(&u, b);
	signed_fields(&c, r);
	coder_fixed(&c, r->signature, sizeof r->signature);
	err = unpack_end(&u);
	if (err < 0)
		memset(r, 0, sizeof *r);
	return err;
}
