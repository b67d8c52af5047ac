/* What the process that talks UPnP says, should it have been taken over. */
#include <assert.h>
#include <string.h>

#include "peer/upnp_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct job job = { .kind = JOB_UPNP }, again = job;
	char line[UPNP_LINE_MAX];

	if (upnp_line_parse(&job, bytes_of(data, size)) < 0)
		return 0;
	upnp_line_print(&job, line);
	assert(upnp_line_parse(&again, bytes_of(line, strlen(line) - 1)) == 0);
	assert(again.err == job.err && again.address_count == job.address_count);
	assert(strcmp(again.url, job.url) == 0 && strcmp(again.router, job.router) == 0);
	return 0;
}
