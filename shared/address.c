#include "shared/address.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "shared/error.h"

static const uint8_t mapped_prefix[12] = {
	[10] = 0xff, [11] = 0xff
}; /* RFC 4291 section 2.5.5.2 */

static bool is_mapped(const uint8_t ip[16])
{
	return memcmp(ip, mapped_prefix, sizeof mapped_prefix) == 0;
}

/* From 16 bytes: a v4-mapped address becomes the v4 address it stands for. */
static void set_v6(struct address *a, const uint8_t ip[16])
{
	if (is_mapped(ip)) {
		a->family = 4;
		memcpy(a->ip, ip + 12, 4);
	} else {
		a->family = 6;
		memcpy(a->ip, ip, 16);
	}
}

/* Decimal without sign, leading zeros or anything behind it. */
static int parse_number(const char *text, uint64_t max, uint64_t *out)
{
	uint64_t sum = 0;

	if (!text[0] || (text[0] == '0' && text[1]))
		return ERR_FORMAT;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return ERR_FORMAT;
		sum = sum * 10 + (uint64_t)(*text - '0');
		if (sum > max)
			return ERR_FORMAT;
	}
	*out = sum;
	return 0;
}

static int parse_ip(struct address *a, char *ip)
{
	char *percent = strchr(ip, '%');
	uint64_t scope = 0;
	uint8_t v6[16];

	if (percent) {
		*percent = '\0';
		if (parse_number(percent + 1, UINT32_MAX, &scope) < 0 || scope == 0)
			return ERR_FORMAT;
	}
	if (!percent && inet_pton(AF_INET, ip, a->ip) == 1) {
		a->family = 4;
		return 0;
	}
	if (inet_pton(AF_INET6, ip, v6) != 1)
		return ERR_FORMAT;
	set_v6(a, v6);
	a->scope = (uint32_t)scope;
	return percent && (a->family != 6 || !address_is_link_local(a)) ? ERR_FORMAT : 0;
}

int address_parse(struct address *a, const char *text, uint16_t default_port)
{
	char copy[ADDRESS_TEXT_SIZE];
	size_t length = strnlen(text, sizeof copy);
	struct address parsed = { 0 };
	uint64_t port = default_port;
	char *ip = copy, *colon, *close;

	if (length == sizeof copy)
		return ERR_FORMAT;
	memcpy(copy, text, length + 1);

	colon = strchr(copy, ':');
	if (copy[0] == '[') {
		ip = copy + 1;
		close = strchr(ip, ']');
		if (!close || (close[1] && close[1] != ':'))
			return ERR_FORMAT;
		colon = close[1] ? close + 1 : NULL;
		*close = '\0';
		if (!strchr(ip, ':'))
			return ERR_FORMAT; /* brackets are for v6 */
	} else if (colon && strchr(colon + 1, ':')) {
		colon = NULL; /* a bare v6 address */
	}
	if (colon) {
		if (parse_number(colon + 1, UINT16_MAX, &port) < 0)
			return ERR_FORMAT;
		*colon = '\0';
	} else if (default_port == 0) {
		return ERR_FORMAT;
	}
	if (parse_ip(&parsed, ip) < 0)
		return ERR_FORMAT;
	parsed.port = (uint16_t)port;
	*a = parsed;
	return 0;
}

void address_print(const struct address *a, char out[ADDRESS_TEXT_SIZE])
{
	char ip[INET6_ADDRSTRLEN], scope[16] = "";

	if (a->family == 0) {
		snprintf(out, ADDRESS_TEXT_SIZE, "-");
		return;
	}
	inet_ntop(a->family == 4 ? AF_INET : AF_INET6, a->ip, ip, sizeof ip);
	if (a->scope)
		snprintf(scope, sizeof scope, "%%%" PRIu32, a->scope);
	snprintf(out, ADDRESS_TEXT_SIZE, a->family == 4 ? "%s%s:%u" : "[%s%s]:%u", ip, scope,
		 a->port);
}

bool address_same_ip(const struct address *a, const struct address *b)
{
	return a->family == b->family && a->scope == b->scope &&
	       memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

bool address_equal(const struct address *a, const struct address *b)
{
	return address_same_ip(a, b) && a->port == b->port;
}

/* A block of addresses: the first `bits` of `ip`. */
struct block {
	uint8_t family, bits, ip[4];
};

static bool is_in(const struct address *a, const struct block *block)
{
	if (a->family != block->family)
		return false;
	for (unsigned bit = 0; bit < block->bits; bit += 8) {
		unsigned left = block->bits - bit;
		uint8_t mask = left >= 8 ? 0xff : (uint8_t)(0xff << (8 - left));

		if ((a->ip[bit / 8] & mask) != block->ip[bit / 8])
			return false;
	}
	return true;
}

static bool is_in_any(const struct address *a, const struct block *blocks, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (is_in(a, &blocks[i]))
			return true;
	return false;
}

bool address_is_loopback(const struct address *a)
{
	static const struct block v4 = { 4, 8, { 127 } };
	static const uint8_t v6[16] = { [15] = 1 };

	return is_in(a, &v4) || (a->family == 6 && memcmp(a->ip, v6, 16) == 0);
}

bool address_is_link_local(const struct address *a)
{
	static const struct block blocks[] = { { 4, 16, { 169, 254 } },
					       { 6, 10, { 0xfe, 0x80 } } };

	return is_in_any(a, blocks, 2);
}

bool address_is_private(const struct address *a)
{
	static const struct block blocks[] = {
		{ 4, 8, { 10 } },       { 4, 12, { 172, 16 } }, { 4, 16, { 192, 168 } },
		{ 4, 10, { 100, 64 } }, { 6, 7, { 0xfc } },
	};

	return is_in_any(a, blocks, sizeof blocks / sizeof blocks[0]);
}

bool address_is_global(const struct address *a)
{
	return a->family != 0 && !address_is_loopback(a) && !address_is_link_local(a) &&
	       !address_is_private(a);
}

bool address_is_multicast(const struct address *a)
{
	static const struct block blocks[] = { { 4, 4, { 0xe0 } }, { 6, 8, { 0xff } } };

	return is_in_any(a, blocks, 2);
}

bool address_is_unicast(const struct address *a)
{
	static const uint8_t zero[16];
	static const struct block not_unicast[] = {
		{ 4, 8, { 0 } },    /* "this network", RFC 6890 */
		{ 4, 3, { 0xe0 } }, /* multicast, reserved and broadcast */
		{ 6, 8, { 0xff } }, /* multicast */
	};

	if ((a->family != 4 && a->family != 6) || a->port == 0)
		return false;
	if (a->family == 6 && memcmp(a->ip, zero, 16) == 0)
		return false;
	return !is_in_any(a, not_unicast, sizeof not_unicast / sizeof not_unicast[0]);
}

struct address address_prefix(const struct address *a)
{
	struct address prefix = { .family = a->family };

	memcpy(prefix.ip, a->ip, a->family == 4 ? 3 : 6);
	return prefix;
}

int address_encode(const struct address *a, struct buf *out)
{
	size_t ip_size = a->family == 4 ? 4 : 16;
	uint8_t wire[ADDRESS_WIRE_MAX];

	if (a->family != 4 && a->family != 6)
		return ERR_FORMAT;
	memcpy(wire, a->ip, ip_size);
	wire[ip_size] = (uint8_t)(a->port >> 8);
	wire[ip_size + 1] = (uint8_t)a->port;
	return buf_append(out, bytes_of(wire, ip_size + 2));
}

int address_decode(struct address *a, struct bytes b)
{
	struct address decoded = { 0 };

	if (b.size != 6 && b.size != 18)
		return ERR_FORMAT;
	if (b.size == 18 && is_mapped(b.data))
		return ERR_FORMAT; /* one address, one form */
	decoded.family = b.size == 6 ? 4 : 6;
	memcpy(decoded.ip, b.data, b.size - 2);
	decoded.port = (uint16_t)(b.data[b.size - 2] << 8 | b.data[b.size - 1]);
	*a = decoded;
	return 0;
}

size_t address_to_sockaddr(const struct address *a, bool mapped, void *sockaddr)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(a->port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(a->port) };

	if (a->family == 4 && !mapped) {
		memcpy(&v4.sin_addr, a->ip, 4);
		memcpy(sockaddr, &v4, sizeof v4);
		return sizeof v4;
	}
	if (a->family == 4) {
		memcpy(v6.sin6_addr.s6_addr, mapped_prefix, sizeof mapped_prefix);
		memcpy(v6.sin6_addr.s6_addr + 12, a->ip, 4);
	} else {
		memcpy(v6.sin6_addr.s6_addr, a->ip, 16);
		v6.sin6_scope_id = a->scope;
	}
	memcpy(sockaddr, &v6, sizeof v6);
	return sizeof v6;
}

int address_from_sockaddr(struct address *a, const void *sockaddr)
{
	struct address found = { 0 };
	sa_family_t family;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	memcpy(&family, (const uint8_t *)sockaddr + offsetof(struct sockaddr, sa_family),
	       sizeof family);
	if (family == AF_INET) {
		memcpy(&v4, sockaddr, sizeof v4);
		found.family = 4;
		found.port = ntohs(v4.sin_port);
		memcpy(found.ip, &v4.sin_addr, 4);
	} else if (family == AF_INET6) {
		memcpy(&v6, sockaddr, sizeof v6);
		found.port = ntohs(v6.sin6_port);
		set_v6(&found, v6.sin6_addr.s6_addr);
		/* The kernel may name an interface for other addresses too; only here it counts. */
		if (address_is_link_local(&found) && found.family == 6)
			found.scope = v6.sin6_scope_id;
	} else {
		return ERR_FORMAT;
	}
	*a = found;
	return 0;
}
