/* What a router answers about ports. */
#include <assert.h>

#include "peer/pcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pcp_answer a;

	if (pcp_decode(&a, bytes_of(data, size)) < 0)
		return 0;
	assert(a.kind <= NATPMP_MAP && size <= PCP_DATAGRAM_MAX);
	if (a.kind == PCP_MAP && a.result == 0 && a.life > 0)
		assert(address_is_unicast(&a.outer));
	if (a.kind == NATPMP_MAP && a.result == 0 && a.life > 0)
		assert(a.outer.port != 0);
	return 0;
}
