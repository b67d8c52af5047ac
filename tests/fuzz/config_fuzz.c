#include "directory/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char reason[256];
	struct config c;

	config_init(&c);
	if (config_parse(&c, "fuzz.conf", bytes_of(data, size), reason, sizeof reason) < 0)
		return 0;
	if (c.listen_count > CONFIG_LISTEN_MAX || c.online_max < 1 || c.contacts_max < 1)
		__builtin_trap();
	return 0;
}
