#include "shared/quic_wire.h"

#include <assert.h>

#include "shared/error.h"

enum { LONG_FORM = 0x80, TYPE_INITIAL = 0, TYPE_RETRY = 3, VERSION_ONE = 1 };

static void version_write(uint8_t *p, uint32_t v)
{
	p[0] = v >> 24;
	p[1] = v >> 16;
	p[2] = v >> 8;
	p[3] = v;
}

static uint32_t version_read(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* A variable-length integer (RFC 9000 section 16) at *at; moves on. False: cut off. */
static bool varint(const uint8_t *p, size_t size, size_t *at, uint64_t *value)
{
	size_t length;

	if (*at >= size)
		return false;
	length = (size_t)1 << (p[*at] >> 6);
	if (length > size - *at)
		return false;
	*value = p[*at] & 63;
	for (size_t i = 1; i < length; i++)
		*value = *value << 8 | p[*at + i];
	*at += length;
	return true;
}

/* Moves over `count` bytes; false: there are not so many. */
static bool skip(size_t size, size_t *at, uint64_t count)
{
	if (count > size - *at)
		return false;
	*at += count;
	return true;
}

/* The size of the long-header packet at the beginning of `p` (RFC 9000 section 17.2), 0: broken. */
static size_t packet_size(const uint8_t *p, size_t size)
{
	unsigned type = p[0] >> 4 & 3;
	uint64_t length;
	size_t at = 5;

	if (at >= size || !skip(size, &at, 1 + (uint64_t)p[at]) || at >= size ||
	    !skip(size, &at, 1 + (uint64_t)p[at]))
		return 0;
	if (type == TYPE_RETRY)
		return size;
	if (type == TYPE_INITIAL &&
	    (!varint(p, size, &at, &length) || !skip(size, &at, length)))
		return 0;
	if (!varint(p, size, &at, &length) || !skip(size, &at, length))
		return 0;
	return at;
}

static int exchange(uint8_t *p, size_t size, uint32_t from, uint32_t to)
{
	while (size > 0 && p[0] & LONG_FORM) {
		size_t length;

		if (size < 7 || version_read(p + 1) != from)
			return ERR_FORMAT;
		length = packet_size(p, size);
		if (length == 0)
			return ERR_FORMAT;
		version_write(p + 1, to);
		p += length;
		size -= length;
	}
	return 0;
}

int quic_wire_in(uint8_t *datagram, size_t size)
{
	return exchange(datagram, size, QUIC_VERSION_OURS, VERSION_ONE);
}

void quic_wire_out(uint8_t *datagram, size_t size)
{
	int err = exchange(datagram, size, VERSION_ONE, QUIC_VERSION_OURS);

	assert(err == 0);
	(void)err;
}

bool quic_wire_is_long(const uint8_t *datagram, size_t size)
{
	return size > 0 && datagram[0] & LONG_FORM;
}

struct bytes quic_wire_dcid(const uint8_t *datagram, size_t size)
{
	if (!quic_wire_is_long(datagram, size))
		return size > QUIC_CID_SIZE ? bytes_of(datagram + 1, QUIC_CID_SIZE)
					    : bytes_of(NULL, 0);
	if (size < 7 || datagram[5] > size - 6)
		return bytes_of(NULL, 0);
	return bytes_of(datagram + 6, datagram[5]);
}
