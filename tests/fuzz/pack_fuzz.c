/* The first half chooses what to ask the second for; what is taken, written again, is what was read. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "shared/pack.h"

static void copy_one(struct unpack *u, struct pack *p, uint8_t choice)
{
	uint32_t count;
	struct bytes b;
	uint64_t n;
	int64_t i;
	bool is;

	switch (choice % 7) {
	case 0:
		n = unpack_uint(u, choice & 8 ? UINT64_MAX : 1000);
		if (!u->err)
			pack_uint(p, n);
		break;
	case 1:
		i = unpack_int(u);
		if (!u->err)
			pack_int(p, i);
		break;
	case 2:
		is = unpack_bool(u);
		if (!u->err)
			pack_bool(p, is);
		break;
	case 3:
		if (unpack_is_nil(u))
			pack_nil(p);
		break;
	case 4:
		b = unpack_bin(u, choice & 8 ? SIZE_MAX : 100);
		if (!u->err)
			pack_bin(p, b);
		break;
	case 5:
		b = unpack_text(u, choice & 8 ? SIZE_MAX : 100);
		if (!u->err)
			pack_text(p, b);
		break;
	case 6:
		count = unpack_array(u, choice & 8 ? UINT32_MAX : 100);
		if (!u->err)
			pack_array(p, count);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf again = { 0 };
	struct unpack u;
	struct pack p;
	size_t choices = size / 2;

	unpack_begin(&u, bytes_of(data + choices, size - choices));
	pack_begin(&p, &again);
	for (size_t i = 0; i < choices && !u.err; i++)
		copy_one(&u, &p, data[i]);
	if (pack_end(&p) < 0)
		abort();
	if (!bytes_equal(buf_view(&again), bytes_of(data + choices, again.size)))
		abort();
	buf_clear(&again);
	return 0;
}
