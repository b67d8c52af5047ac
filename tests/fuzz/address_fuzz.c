/* An address that is taken, as text or from the wire, comes back from either form. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "shared/address.h"

static void check_text(const char *text)
{
	char out[ADDRESS_TEXT_SIZE];
	struct address a, b;

	if (address_parse(&a, text, 0) < 0)
		return;
	address_print(&a, out);
	if (address_parse(&b, out, 0) < 0 || memcmp(&a, &b, sizeof a) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[ADDRESS_TEXT_SIZE * 2];
	struct buf again = { 0 };
	struct address a, b;
	uint8_t sockaddr[128];

	if (size < sizeof text) {
		memcpy(text, data, size);
		text[size] = '\0';
		check_text(text);
	}
	if (address_decode(&a, bytes_of(data, size)) < 0)
		return 0;
	if (address_encode(&a, &again) < 0 ||
	    !bytes_equal(buf_view(&again), bytes_of(data, size)))
		abort();
	address_to_sockaddr(&a, true, sockaddr);
	if (address_from_sockaddr(&b, sockaddr) < 0 || memcmp(&a, &b, sizeof a) != 0)
		abort();
	address_print(&a, text);
	check_text(text);
	buf_clear(&again);
	return 0;
}
