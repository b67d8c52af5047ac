/* A folder's manifest: what is taken stays within the folder, and is written again as it was read. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "peer/filing_manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct manifest m, again;
	struct buf b = { 0 };
	uint64_t at = 0;

	if (manifest_decode(&m, (struct bytes){ data, size }) < 0) {
		assert(!m.list && m.count == 0);
		return 0;
	}
	for (uint32_t i = 0; i < m.count; i++) {
		const char *path = m.list[i].path;

		assert(path[0] && path[0] != '/' && strncmp(path, "../", 3) != 0);
		assert(!strstr(path, "/../") && !strstr(path, "//") && strcmp(path, "..") != 0);
		assert(m.list[i].at == at);
		at += m.list[i].size;
	}
	assert(at == m.size);
	if (manifest_encode(&m, &b) == 0) {
		assert(manifest_decode(&again, buf_view(&b)) == 0);
		assert(again.count == m.count && again.size == m.size);
		manifest_clear(&again);
	}
	buf_clear(&b);
	manifest_clear(&m);
	return 0;
}
