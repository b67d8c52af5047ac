#include "directory/notify.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void notify_send(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t length = path ? strlen(path) : 0;
	int fd;

	if (length < 2 || length >= sizeof to.sun_path || !strchr("/@", path[0]))
		return;
	memcpy(to.sun_path, path, length);
	if (to.sun_path[0] == '@')
		to.sun_path[0] = 0;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&to,
	       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length));
	close(fd);
}

void notify_reloading(mono_ns now)
{
	char text[64];

	snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
		 (uint64_t)(now / 1000));
	notify_send(text);
}

static uint64_t number_in(const char *name)
{
	const char *text = getenv(name);
	char *end;
	uint64_t n;

	if (!text || text[0] < '0' || text[0] > '9')
		return 0;
	n = strtoull(text, &end, 10);
	return *end ? 0 : n;
}

mono_ns notify_watchdog(void)
{
	uint64_t usec = number_in("WATCHDOG_USEC"), pid = number_in("WATCHDOG_PID");

	if (!usec || usec > UINT32_MAX * UINT64_C(1000) || (pid && pid != (uint64_t)getpid()))
		return NEVER;
	return (mono_ns)(usec / 2) * 1000;
}
