#include "peer/pcp.h"

#include <string.h>

#include "shared/error.h"

enum {
	VERSION_PCP = 2,
	VERSION_NATPMP = 0,
	OPCODE_MAP = 1, /* of both: NAT-PMP's 1 is UDP */
	OPCODE_ADDRESS = 0,
	IS_ANSWER = 0x80,
	PROTOCOL_UDP = 17,
	UNSUPPORTED_VERSION = 1, /* of both */
	PCP_HEAD = 24,
	NATPMP_HEAD = 8,
	NATPMP_ADDRESS_ANSWER = 12,
	NATPMP_MAP_ANSWER = 16,
};

/* RFC 6887 section 5: every address is a v6 one */
static const uint8_t mapped_prefix[12] = { [10] = 0xff, [11] = 0xff };

static void put16(uint8_t *out, uint16_t v)
{
	out[0] = (uint8_t)(v >> 8);
	out[1] = (uint8_t)v;
}

static void put32(uint8_t *out, uint32_t v)
{
	put16(out, (uint16_t)(v >> 16));
	put16(out + 2, (uint16_t)v);
}

static uint16_t get16(const uint8_t *in)
{
	return (uint16_t)(in[0] << 8 | in[1]);
}

static uint32_t get32(const uint8_t *in)
{
	return (uint32_t)get16(in) << 16 | get16(in + 2);
}

static void put_ip(uint8_t out[16], uint8_t family, const uint8_t *ip)
{
	if (family == 4) {
		memcpy(out, mapped_prefix, sizeof mapped_prefix);
		memcpy(out + 12, ip, 4);
	} else {
		memcpy(out, ip, 16);
	}
}

static struct address get_ip(const uint8_t in[16])
{
	struct address a = { .family = 6 };

	if (memcmp(in, mapped_prefix, sizeof mapped_prefix) == 0) {
		a.family = 4;
		memcpy(a.ip, in + 12, 4);
	} else {
		memcpy(a.ip, in, 16);
	}
	return a;
}

/* RFC 6887 sections 7.1 and 11.1 */
void pcp_map_encode(uint8_t out[PCP_MAP_SIZE], const struct pcp_question *q)
{
	static const uint8_t any[16];
	bool has_wish = q->outer.family == q->client.family;

	memset(out, 0, PCP_MAP_SIZE);
	out[0] = VERSION_PCP;
	out[1] = OPCODE_MAP;
	put32(out + 4, q->life);
	put_ip(out + 8, q->client.family, q->client.ip);
	memcpy(out + 24, q->nonce.bytes, sizeof q->nonce.bytes);
	out[36] = PROTOCOL_UDP;
	put16(out + 40, q->client.port);
	put16(out + 42, has_wish ? q->outer.port : 0);
	put_ip(out + 44, q->client.family, has_wish ? q->outer.ip : any);
}

/* RFC 6886 section 3.2 */
void natpmp_address_encode(uint8_t out[NATPMP_ADDRESS_SIZE])
{
	out[0] = VERSION_NATPMP;
	out[1] = OPCODE_ADDRESS;
}

/* RFC 6886 section 3.3 */
void natpmp_map_encode(uint8_t out[NATPMP_MAP_SIZE], uint16_t port, uint16_t outer_port,
		       uint32_t life)
{
	memset(out, 0, NATPMP_MAP_SIZE);
	out[0] = VERSION_NATPMP;
	out[1] = OPCODE_MAP;
	put16(out + 4, port);
	put16(out + 6, outer_port);
	put32(out + 8, life);
}

/* RFC 6887 sections 7.2 and 11.1 */
static int decode_pcp(struct pcp_answer *a, struct bytes d)
{
	if (d.size < PCP_HEAD || d.size % 4 != 0)
		return ERR_FORMAT;
	a->result = d.data[3];
	a->life = get32(d.data + 4);
	a->epoch = get32(d.data + 8);
	if (a->result == UNSUPPORTED_VERSION) {
		a->kind = PCP_OTHER_VERSION;
		return 0;
	}
	if (d.data[1] != (IS_ANSWER | OPCODE_MAP) || d.size < PCP_MAP_SIZE ||
	    d.data[36] != PROTOCOL_UDP)
		return ERR_FORMAT;
	a->kind = PCP_MAP;
	memcpy(a->nonce.bytes, d.data + 24, sizeof a->nonce.bytes);
	a->port = get16(d.data + 40);
	if (a->result != 0)
		return 0;
	a->outer = get_ip(d.data + 44);
	a->outer.port = get16(d.data + 42);
	/* What is taken away again may be told with any address. */
	return a->life == 0 || address_is_unicast(&a->outer) ? 0 : ERR_FORMAT;
}

/* RFC 6886 sections 3.2, 3.3 and 3.5 */
static int decode_natpmp(struct pcp_answer *a, struct bytes d)
{
	if (d.size < NATPMP_HEAD)
		return ERR_FORMAT;
	a->result = get16(d.data + 2);
	a->epoch = get32(d.data + 4);
	if (a->result == UNSUPPORTED_VERSION) {
		a->kind = PCP_OTHER_VERSION;
		return 0;
	}
	if (d.data[1] == (IS_ANSWER | OPCODE_ADDRESS)) {
		struct address tried = { .family = 4, .port = 1 };

		a->kind = NATPMP_ADDRESS;
		if (a->result != 0)
			return 0;
		if (d.size != NATPMP_ADDRESS_ANSWER)
			return ERR_FORMAT;
		memcpy(tried.ip, d.data + 8, 4);
		if (!address_is_unicast(&tried))
			return ERR_FORMAT;
		tried.port = 0;
		a->outer = tried;
		return 0;
	}
	if (d.data[1] != (IS_ANSWER | OPCODE_MAP))
		return ERR_FORMAT;
	a->kind = NATPMP_MAP;
	if (d.size != NATPMP_MAP_ANSWER)
		return a->result != 0 ? 0 : ERR_FORMAT;
	a->port = get16(d.data + 8);
	a->outer.port = get16(d.data + 10);
	a->life = get32(d.data + 12);
	return a->result != 0 || a->life == 0 || a->outer.port != 0 ? 0 : ERR_FORMAT;
}

int pcp_decode(struct pcp_answer *out, struct bytes d)
{
	struct pcp_answer a = { 0 };
	int err = ERR_FORMAT;

	if (d.size < 2 || d.size > PCP_DATAGRAM_MAX || !(d.data[1] & IS_ANSWER))
		return ERR_FORMAT;
	a.version = d.data[0];
	if (a.version == VERSION_PCP)
		err = decode_pcp(&a, d);
	else if (a.version == VERSION_NATPMP)
		err = decode_natpmp(&a, d);
	if (err == 0)
		*out = a;
	return err;
}

bool pcp_epoch_goes_on(uint32_t before, uint32_t epoch, uint64_t elapsed)
{
	uint64_t theirs;

	if ((uint64_t)epoch + 1 < before)
		return false;
	theirs = epoch > before ? epoch - before : 0;
	return elapsed + 2 >= theirs - theirs / 16 && theirs + 2 >= elapsed - elapsed / 16;
}
