/* Probes from nowhere, and with a good MAC around what the fuzzer chose. */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "shared/error.h"
#include "shared/probe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct symmetric_key pair = { { 1 } };
	static const struct device_public one = { { 2 } }, two = { { 3 } };
	static const struct knock knock_one = { { 4 } }, knock_two = { { 5 } };
	static struct probe_keys ours, theirs;
	static bool are_made;
	struct probe p, got;
	struct probe_tag tag;
	uint8_t out[PROBE_SIZE_MAX];
	int err;

	if (!are_made) {
		probe_keys_make(&ours, &pair, &one, &two, &knock_one, &knock_two);
		probe_keys_make(&theirs, &pair, &two, &one, &knock_two, &knock_one);
		are_made = true;
	}
	err = probe_decode(&p, bytes_of(data, size), &theirs);
	if ((err == ERR_FORMAT) != (probe_tag_of(&tag, bytes_of(data, size)) < 0))
		abort();
	/* what is accepted is exactly what we would have written */
	if (err == 0 && (probe_encode(out, &p, &ours) != size || memcmp(out, data, size) != 0))
		abort();
	memset(&p, 0, sizeof p);
	if (size < 1 + 2 * PROBE_NONCE_SIZE)
		return 0;
	p.is_answer = data[0] & 1;
	memcpy(p.nonce.bytes, data + 1, PROBE_NONCE_SIZE);
	if (p.is_answer)
		memcpy(p.echo.bytes, data + 1 + PROBE_NONCE_SIZE, PROBE_NONCE_SIZE);
	if (probe_decode(&got, bytes_of(out, probe_encode(out, &p, &ours)), &theirs) < 0 ||
	    got.is_answer != p.is_answer || memcmp(&got.nonce, &p.nonce, sizeof p.nonce) != 0 ||
	    memcmp(&got.echo, &p.echo, sizeof p.echo) != 0)
		abort();
	return 0;
}
