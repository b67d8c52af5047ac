#include "peer/upnp.h"

#include <miniupnpc/miniupnpc.h>
#include <miniupnpc/upnpcommands.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "peer/child.h"
#include "peer/upnp_child.h"
#include "peer/upnp_line.h"
#include "shared/clock.h"
#include "shared/error.h"

enum {
	MEMORY_MAX = 64 << 20, /* bytes, beyond those of the program itself */
	SECONDS_MAX = 4,       /* of the processor */
	SSDP_PORT = 1900,
	SEARCH_MS = 900,        /* for the router's own answer */
	DISCOVER_MS = 2000,     /* for anybody's */
	DESCRIPTIONS_MAX = 4,   /* that are looked at */
	OTHER_PORTS = 3,        /* tried where ours is taken */
	LEASES_PERMANENT = 725, /* OnlyPermanentLeasesSupported */
	CONFLICT = 718,         /* ConflictInMappingEntry */
	INVALID_ARGS = 402,
	NO_SUCH_ENTRY = 714,
};

struct router {
	struct UPNPUrls urls;
	struct IGDdatas data;
};

/* --- a small room of its own --- */

static void shut_in(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_DUMPABLE, 0);
	signal(SIGPIPE, SIG_IGN);
	alarm(UPNP_DEADLINE_MS / 1000 + 1); /* if nobody kills us */
	child_limit_memory(MEMORY_MAX);
	child_limit(RLIMIT_CPU, SECONDS_MAX, 0);
	child_limit(RLIMIT_CORE, 0, 0);
	child_limit(RLIMIT_FSIZE, 0, 0); /* no file grows; a pipe is none */
	child_limit(RLIMIT_NOFILE, 32, 0);
}

/* --- finding the router --- */

/* The value of a header of an answer; false: there is none, or it is longer than `size` - 1. */
static bool header(const char *text, const char *name, char *out, size_t size)
{
	size_t length = strlen(name);

	for (const char *line = strchr(text, '\n'); line; line = strchr(line, '\n')) {
		line++;
		if (strncasecmp(line, name, length) != 0 || line[length] != ':')
			continue;
		line += length + 1;
		line += strspn(line, " \t");
		length = strcspn(line, "\r\n");
		if (length == 0 || length >= size)
			return false;
		memcpy(out, line, length);
		out[length] = '\0';
		return true;
	}
	return false;
}

static void keep_printable(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

static bool may_speak(const struct job *job, const char *url)
{
	struct address at;

	return url && strlen(url) <= JOB_URL_MAX && upnp_url_at(url, &at) == 0 &&
	       upnp_is_near(&job->addresses[1], &at);
}

static void send_search(int fd, const struct address *to)
{
	static const char *const kinds[] = { "2", "1" };
	struct sockaddr_storage raw;
	size_t size = address_to_sockaddr(to, false, &raw);
	char text[256];

	for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		int length = snprintf(text, sizeof text,
				      "M-SEARCH * HTTP/1.1\r\n"
				      "HOST: 239.255.255.250:1900\r\n"
				      "ST: urn:schemas-upnp-org:device:"
				      "InternetGatewayDevice:%s\r\n"
				      "MAN: \"ssdp:discover\"\r\n"
				      "MX: 1\r\n\r\n",
				      kinds[i]);

		(void)!sendto(fd, text, (size_t)length, 0, (struct sockaddr *)&raw,
			      (socklen_t)size);
	}
}

/* One datagram; true when it is the router's own and says where to read on. */
static bool hear_router(int fd, struct job *job)
{
	char text[1500];
	struct sockaddr_storage raw = { 0 };
	socklen_t raw_size = sizeof raw;
	struct address from;
	ssize_t got = recvfrom(fd, text, sizeof text - 1, MSG_DONTWAIT, (struct sockaddr *)&raw,
			       &raw_size);

	if (got <= 0 || address_from_sockaddr(&from, &raw) < 0 ||
	    !address_same_ip(&from, &job->addresses[1]))
		return false;
	text[got] = '\0';
	if (strncmp(text, "HTTP/1.1 200", 12) != 0 ||
	    !header(text, "LOCATION", job->url, sizeof job->url) || !may_speak(job, job->url)) {
		job->url[0] = '\0';
		return false;
	}
	if (!header(text, "SERVER", job->router, sizeof job->router))
		job->router[0] = '\0';
	keep_printable(job->router);
	return true;
}

/* Asks the router alone, which answers at once where it can (UPnP Device Architecture 1.1,
 * section 1.3.2); a search of the LAN waits for whoever there is. */
static bool ask_router(struct job *job)
{
	struct address from = job->addresses[0], to = job->addresses[1];
	struct sockaddr_storage raw;
	mono_ns begun = clock_now(), until = begun + SEARCH_MS * MILLISECOND;
	bool is_found = false;
	unsigned sent = 0;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	size_t size;

	from.port = 0;
	to.port = SSDP_PORT;
	size = address_to_sockaddr(&from, false, &raw);
	if (fd < 0 || bind(fd, (struct sockaddr *)&raw, (socklen_t)size) < 0)
		goto out;
	for (mono_ns at = begun; !is_found && at < until; at = clock_now()) {
		struct pollfd one = { .fd = fd, .events = POLLIN };

		if (sent == 0 || (sent == 1 && at > begun + SEARCH_MS / 3 * MILLISECOND)) {
			send_search(fd, &to);
			sent++;
		}
		if (poll(&one, 1, SEARCH_MS / 3) > 0)
			is_found = hear_router(fd, job);
	}
out:
	if (fd >= 0)
		close(fd);
	return is_found;
}

static bool is_connection(const struct IGDdatas_service *s)
{
	static const char *const kinds[] = { "urn:schemas-upnp-org:service:WANIPConnection:",
					     "urn:schemas-upnp-org:service:WANPPPConnection:" };

	for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (strncmp(s->servicetype, kinds[i], strlen(kinds[i])) == 0)
			return true;
	return false;
}

/* Reads the description. What it says of where commands go is looked at like itself. */
static bool read_description(struct router *r, const struct job *job, const char *url)
{
	char ours[64] = "";

	memset(r, 0, sizeof *r);
	if (!may_speak(job, url) ||
	    UPNP_GetIGDFromUrl(url, &r->urls, &r->data, ours, sizeof ours) != 1)
		return false;
	if (is_connection(&r->data.first) && may_speak(job, r->urls.controlURL))
		return true;
	FreeUPNPUrls(&r->urls);
	return false;
}

/* Whoever answers a search of the LAN; those at the router's own address first. */
static bool search(struct router *r, struct job *job)
{
	static const char *const kinds[] = {
		"urn:schemas-upnp-org:device:InternetGatewayDevice:1",
		"urn:schemas-upnp-org:device:InternetGatewayDevice:2",
		NULL,
	};
	char ours[ADDRESS_TEXT_SIZE];
	int error = 0, looked_at = 0;
	bool is_found = false;
	struct UPNPDev *all;

	upnp_print_ip(&job->addresses[0], ours, sizeof ours);
	/* Both at once: each alone would be waited for as long. */
	all = upnpDiscoverDevices(kinds, DISCOVER_MS, ours, NULL, UPNP_LOCAL_PORT_ANY, 0, 2,
				  &error, 1);
	for (int pass = 0; pass < 2; pass++) {
		for (struct UPNPDev *d = all; d && !is_found; d = d->pNext) {
			struct address at;
			bool is_own = d->descURL && upnp_url_at(d->descURL, &at) == 0 &&
				      address_same_ip(&at, &job->addresses[1]);

			if (is_own != (pass == 0) || !may_speak(job, d->descURL) ||
			    looked_at == DESCRIPTIONS_MAX)
				continue;
			looked_at++;
			is_found = read_description(r, job, d->descURL);
			if (is_found)
				snprintf(job->url, sizeof job->url, "%s", d->descURL);
		}
	}
	freeUPNPDevlist(all);
	return is_found;
}

static bool find(struct router *r, struct job *job)
{
	if (job->url[0] && read_description(r, job, job->url))
		return true;
	job->url[0] = '\0';
	if (ask_router(job) && read_description(r, job, job->url))
		return true;
	job->url[0] = '\0';
	return search(r, job);
}

/* --- one port --- */

static int add(const struct router *r, const struct job *job, uint16_t outer, uint32_t life)
{
	char ours[ADDRESS_TEXT_SIZE], port[8], outer_port[8], lease[16];

	upnp_print_ip(&job->addresses[0], ours, sizeof ours);
	snprintf(port, sizeof port, "%u", job->port);
	snprintf(outer_port, sizeof outer_port, "%u", outer);
	snprintf(lease, sizeof lease, "%u", life);
	return UPNP_AddPortMapping(r->urls.controlURL, r->data.first.servicetype, outer_port,
				   port, ours, "palique", "UDP", NULL, lease);
}

/* As granted; and whether it is there at all, as some routers say yes to everything. */
static int check(const struct router *r, struct job *job)
{
	char client[64] = "", port[64] = "", text[128] = "", enabled[64] = "", lease[64] = "";
	char outer_port[8];
	struct address at;
	int code;
	long life;

	snprintf(outer_port, sizeof outer_port, "%u", job->addresses[2].port);
	code = UPNP_GetSpecificPortMappingEntry(r->urls.controlURL, r->data.first.servicetype,
						outer_port, "UDP", NULL, client, port, text,
						enabled, lease);
	if (code != 0)
		return code == NO_SUCH_ENTRY ? code : 0; /* not all can tell */
	if (address_parse(&at, client, 1) < 0 || !address_same_ip(&at, &job->addresses[0]) ||
	    strtol(port, NULL, 10) != job->port)
		return CONFLICT;
	life = strtol(lease, NULL, 10);
	if (life > 0 && (unsigned long)life < job->life)
		job->life = (uint32_t)life;
	return 0;
}

/* Our own port if it can be had; for a time if it can be so. */
static int map(const struct router *r, struct job *job)
{
	uint16_t outer = job->addresses[2].port;
	uint32_t life = job->life;
	char ip[64] = "";
	int code = 0;

	for (int i = 0; i <= OTHER_PORTS; i++) {
		code = add(r, job, outer, life);
		if (life && (code == LEASES_PERMANENT || code == INVALID_ARGS)) {
			life = 0;
			code = add(r, job, outer, life);
		}
		if (code != CONFLICT)
			break;
		outer = (uint16_t)(1024 + randombytes_uniform(65536 - 1024));
	}
	job->addresses[2].port = outer;
	if (code == 0)
		code = check(r, job);
	if (code == 0)
		code = UPNP_GetExternalIPAddress(r->urls.controlURL, r->data.first.servicetype,
						 ip);
	job->code = code > 0 ? code : 0;
	if (code != 0)
		return code > 0 ? ERR_REFUSED : ERR_FORMAT;
	if (address_parse(&job->addresses[0], ip, outer) < 0 || job->addresses[0].family != 4 ||
	    !address_is_unicast(&job->addresses[0]))
		return ERR_FORMAT;
	return 0;
}

static int unmap(const struct router *r, struct job *job)
{
	char outer_port[8];
	int code;

	snprintf(outer_port, sizeof outer_port, "%u", job->addresses[2].port);
	code = UPNP_DeletePortMapping(r->urls.controlURL, r->data.first.servicetype, outer_port,
				      "UDP", NULL);
	job->code = code > 0 ? code : 0;
	return code == 0 || code == NO_SUCH_ENTRY ? 0 : code > 0 ? ERR_REFUSED : ERR_FORMAT;
}

static void say(const struct job *job)
{
	char line[UPNP_LINE_MAX];

	upnp_line_print(job, line);
	(void)!write(STDOUT_FILENO, line, strlen(line));
}

bool upnp_is_called(int argc, char *const *argv)
{
	return argc > 1 && strcmp(argv[1], UPNP_COMMAND) == 0;
}

int upnp_main(int argc, char *const *argv)
{
	static struct router r;
	struct job job;

	shut_in();
	if (sodium_init() < 0 || upnp_question_parse(&job, argc, argv) < 0)
		return 1;
	if (!find(&r, &job)) {
		job.err = ERR_NOT_FOUND;
		say(&job);
		return 0;
	}
	job.err = job.is_removal ? unmap(&r, &job) : map(&r, &job);
	FreeUPNPUrls(&r.urls);
	say(&job);
	return 0;
}
