/* Lines of a face against the method table, over an engine whose store is in memory. */
#include <sodium.h>
#include <string.h>

#include "peer/api/api.h"

static int on_send(void *connection, struct bytes line)
{
	(void)connection;
	return line.size ? 0 : -1;
}

static void on_stop(void *user)
{
	(void)user;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct engine *engine;
	static mono_ns now = SECOND;
	struct engine_config config = { .device_label = "fuzz", .ksf = KSF_ARGON2ID_64M };
	struct api_config shell = { .send = on_send, .stop = on_stop };
	char reason[256];

	if (!engine && (sodium_init() < 0 ||
			engine_open(&engine, &config, now, 1, reason, sizeof reason) < 0))
		return 0;
	shell.engine = engine;
	struct api *api = api_new(&shell);
	struct api_client *client = api_connect(api, &now);
	while (size) {
		const uint8_t *end = memchr(data, '\n', size);
		size_t line = end ? (size_t)(end - data) : size;
		api_line(client, bytes_of(data, line));
		engine_step(engine, now += MILLISECOND, 1);
		api_step(api);
		line += end != NULL;
		data += line;
		size -= line;
	}
	api_free(api);
	return 0;
}
