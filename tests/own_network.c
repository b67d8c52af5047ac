#include "tests/own_network.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

static int put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? -1 : write(fd, text, strlen(text));

	if (fd >= 0)
		close(fd);
	return size < 0 ? -1 : 0;
}

const char *own_network_enter(void)
{
	char map[64];

	if (system("ip -V >/dev/null 2>&1") != 0)
		return "no ip command (iproute2)";
	if (unshare(CLONE_NEWNET) < 0) {
		snprintf(map, sizeof map, "0 %u 1", (unsigned)getuid());
		if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
			return "network namespaces may not be made here";
		if (put("/proc/self/setgroups", "deny") < 0 ||
		    put("/proc/self/uid_map", map) < 0)
			return "nobody may be root in a namespace here";
	}
	if (system("ip link set lo up 2>/dev/null") != 0)
		return "interfaces may not be changed in a namespace here";
	if (system("ip link add look0 type veth peer name look1 2>/dev/null") != 0)
		return "this kernel makes no veth interfaces";
	return system("ip link del look0") == 0 ? NULL : "interfaces cannot be removed here";
}

void own_network_ip(const char *format, ...)
{
	char command[512];
	va_list args;
	int size = snprintf(command, sizeof command, "ip ");

	va_start(args, format);
	vsnprintf(command + size, sizeof command - (size_t)size, format, args);
	va_end(args);
	assert_int_equal(system(command), 0);
}
