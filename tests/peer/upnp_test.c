/* The process that talks UPnP, against a router in another process that may be honest or not. This
 * program is what is begun anew, as palique is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "peer/upnp.h"
#include "peer/upnp_child.h"
#include "peer/upnp_line.h"
#include "shared/bytes.h"
#include "shared/error.h"
#include "shared/worker.h"

enum manner {
	HONEST,
	TAKEN,           /* our port is another's: 718 until a third one */
	PERMANENT,       /* 725 for anything but 0 */
	UNWILLING,       /* 606 */
	YES_MAN,         /* says yes, and does nothing */
	MUTE,            /* takes connections and says nothing */
	ENDLESS,         /* a description without end */
	ABSURD,          /* one of elements in elements */
	ELSEWHERE,       /* its description is at another address */
	CONTROLLED,      /* ... or takes commands there */
	FULL_OF_RUBBISH, /* an outer address that is none */
};

/* What the router has seen; shared with its process. */
struct seen {
	unsigned searches, descriptions, added, removed, elsewhere;
	unsigned outer, life;
	unsigned long described; /* bytes of a description without end that were taken */
};

static struct seen *seen;
static struct address router_at, ours, other_at;
static uint16_t http_port;
static pid_t router_pid;

/* --- the router --- */

static int bound_socket(int type, const struct address *at, uint16_t *port)
{
	struct sockaddr_storage raw;
	socklen_t size = (socklen_t)address_to_sockaddr(at, false, &raw);
	int one = 1, fd = socket(AF_INET, type, 0);
	struct address got;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	assert_int_equal(bind(fd, (struct sockaddr *)&raw, size), 0);
	size = sizeof raw;
	assert_int_equal(getsockname(fd, (struct sockaddr *)&raw, &size), 0);
	assert_int_equal(address_from_sockaddr(&got, &raw), 0);
	if (port)
		*port = got.port;
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 16), 0);
	return fd;
}

static void print_base(const struct address *at, char out[64])
{
	snprintf(out, 64, "http://%u.%u.%u.%u:%u", at->ip[0], at->ip[1], at->ip[2], at->ip[3],
		 http_port);
}

static void answer_search(int fd, enum manner manner)
{
	char text[1024], base[64];
	struct sockaddr_storage from;
	socklen_t size = sizeof from;
	ssize_t got = recvfrom(fd, text, sizeof text, 0, (struct sockaddr *)&from, &size);

	if (got <= 0)
		return;
	seen->searches++;
	print_base(manner == ELSEWHERE ? &other_at : &router_at, base);
	got = snprintf(text, sizeof text,
		       "HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\n"
		       "ST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n"
		       "Location: %s/root.xml\r\nSERVER: Box/1 UPnP/1.1 \x01Test/2\r\n\r\n",
		       base);
	sendto(fd, text, (size_t)got, 0, (struct sockaddr *)&from, size);
}

static void put(int fd, const char *text)
{
	(void)!send(fd, text, strlen(text), MSG_NOSIGNAL);
}

static void put_body(int fd, int status, const char *body)
{
	char head[256];

	snprintf(head, sizeof head,
		 "HTTP/1.1 %d X\r\nContent-Type: text/xml\r\nContent-Length: %zu\r\n"
		 "Connection: close\r\n\r\n",
		 status, strlen(body));
	put(fd, head);
	put(fd, body);
}

static void describe(int fd, enum manner manner)
{
	static char chunk[64 << 10];
	char body[2048], base[64];

	seen->descriptions++;
	for (size_t i = 0; i < sizeof chunk; i++)
		chunk[i] = "<device><service>x"[i % 18];
	if (manner == ENDLESS || manner == ABSURD) {
		put(fd, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<root>");
		for (long i = 0; manner == ENDLESS || i < 256; i++)
			if (send(fd, chunk, sizeof chunk, MSG_NOSIGNAL) < 0)
				return;
			else
				seen->described += sizeof chunk;
		return;
	}
	print_base(manner == CONTROLLED ? &other_at : &router_at, base);
	snprintf(body, sizeof body,
		 "<?xml version=\"1.0\"?><root xmlns=\"urn:schemas-upnp-org:device-1-0\">"
		 "<device><deviceType>urn:schemas-upnp-org:device:InternetGatewayDevice:1"
		 "</deviceType><deviceList><device><serviceList><service>"
		 "<serviceType>urn:schemas-upnp-org:service:WANCommonInterfaceConfig:1"
		 "</serviceType><controlURL>%s/c</controlURL><eventSubURL>/e</eventSubURL>"
		 "<SCPDURL>/s</SCPDURL></service></serviceList><deviceList><device>"
		 "<serviceList><service><serviceType>"
		 "urn:schemas-upnp-org:service:WANIPConnection:1</serviceType>"
		 "<controlURL>%s/ctl</controlURL><eventSubURL>/e</eventSubURL>"
		 "<SCPDURL>/s</SCPDURL></service></serviceList></device></deviceList>"
		 "</device></deviceList></device></root>",
		 base, base);
	put_body(fd, 200, body);
}

static unsigned value_of(const char *request, const char *element)
{
	const char *at = strstr(request, element);

	at = at ? strchr(at, '>') : NULL;
	return at ? (unsigned)strtoul(at + 1, NULL, 10) : 0;
}

static void say_no(int fd, int code)
{
	char body[512];

	snprintf(body, sizeof body,
		 "<s:Envelope><s:Body><s:Fault><detail><UPnPError><errorCode>%d</errorCode>"
		 "</UPnPError></detail></s:Fault></s:Body></s:Envelope>",
		 code);
	put_body(fd, 500, body);
}

static void say_yes(int fd, const char *action, const char *values)
{
	char body[1024];

	snprintf(body, sizeof body,
		 "<s:Envelope><s:Body><u:%sResponse "
		 "xmlns:u=\"urn:schemas-upnp-org:service:WANIPConnection:1\">%s</u:%sResponse>"
		 "</s:Body></s:Envelope>",
		 action, values, action);
	put_body(fd, 200, body);
}

static void add_mapping(int fd, enum manner manner, const char *request)
{
	seen->added++;
	if (manner == UNWILLING)
		say_no(fd, 606);
	else if (manner == TAKEN && seen->added < 3)
		say_no(fd, 718);
	else if (manner == PERMANENT && value_of(request, "<NewLeaseDuration") != 0)
		say_no(fd, 725);
	else {
		seen->outer = value_of(request, "<NewExternalPort");
		seen->life = value_of(request, "<NewLeaseDuration");
		say_yes(fd, "AddPortMapping", "");
	}
}

static void tell_mapping(int fd, enum manner manner)
{
	char values[512];

	if (manner == YES_MAN) {
		say_no(fd, 714);
		return;
	}
	snprintf(values, sizeof values,
		 "<NewInternalPort>7273</NewInternalPort><NewInternalClient>%u.%u.%u.%u"
		 "</NewInternalClient><NewEnabled>1</NewEnabled>"
		 "<NewPortMappingDescription>palique</NewPortMappingDescription>"
		 "<NewLeaseDuration>%u</NewLeaseDuration>",
		 ours.ip[0], ours.ip[1], ours.ip[2], ours.ip[3], seen->life ? 1800 : 0);
	say_yes(fd, "GetSpecificPortMappingEntry", values);
}

static void take_command(int fd, enum manner manner, const char *request)
{
	if (strstr(request, "#AddPortMapping"))
		add_mapping(fd, manner, request);
	else if (strstr(request, "#GetSpecificPortMappingEntry"))
		tell_mapping(fd, manner);
	else if (strstr(request, "#GetExternalIPAddress"))
		say_yes(fd, "GetExternalIPAddress",
			manner == FULL_OF_RUBBISH
				? "<NewExternalIPAddress>255.255.255.255</NewExternalIPAddress>"
				: "<NewExternalIPAddress>203.0.113.9</NewExternalIPAddress>");
	else if (strstr(request, "#DeletePortMapping")) {
		seen->removed++;
		seen->outer = value_of(request, "<NewExternalPort");
		say_yes(fd, "DeletePortMapping", "");
	} else
		say_no(fd, 401);
}

static void serve(int listener, enum manner manner)
{
	char request[8192];
	size_t size = 0, wanted = 0;
	int fd = accept(listener, NULL, NULL);

	if (fd < 0)
		return;
	if (manner == MUTE) /* and is left open */
		return;
	for (;;) {
		ssize_t got = recv(fd, request + size, sizeof request - 1 - size, 0);
		const char *body, *length;

		if (got <= 0)
			break;
		size += (size_t)got;
		request[size] = '\0';
		body = strstr(request, "\r\n\r\n");
		length = strstr(request, "Content-Length:");
		wanted = length ? strtoul(length + 15, NULL, 10) : 0;
		if (!body || size < (size_t)(body + 4 - request) + wanted)
			continue;
		if (strncmp(request, "GET ", 4) == 0)
			describe(fd, manner);
		else
			take_command(fd, manner, request);
		break;
	}
	shutdown(fd, SHUT_WR);
	close(fd);
}

static void be_router(enum manner manner, int udp, int tcp, int elsewhere)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		struct pollfd all[3] = { { .fd = udp, .events = POLLIN },
					 { .fd = tcp, .events = POLLIN },
					 { .fd = elsewhere, .events = POLLIN } };

		poll(all, 3, -1);
		if (all[0].revents)
			answer_search(udp, manner);
		if (all[1].revents)
			serve(tcp, manner);
		if (all[2].revents) {
			seen->elsewhere++;
			serve(elsewhere, HONEST);
		}
	}
}

static void start_router(enum manner manner)
{
	struct address ssdp = router_at, http = router_at, there = other_at;
	int udp, tcp, elsewhere;

	memset(seen, 0, sizeof *seen);
	ssdp.port = 1900;
	http.port = 0;
	udp = bound_socket(SOCK_DGRAM, &ssdp, NULL);
	tcp = bound_socket(SOCK_STREAM, &http, &http_port);
	there.port = http_port;
	elsewhere = bound_socket(SOCK_STREAM, &there, NULL);
	router_pid = fork();
	assert_true(router_pid >= 0);
	if (router_pid == 0)
		be_router(manner, udp, tcp, elsewhere);
	close(udp);
	close(tcp);
	close(elsewhere);
}

static int stop_router(void **state)
{
	(void)state;
	if (router_pid > 0) {
		kill(router_pid, SIGKILL);
		waitpid(router_pid, NULL, 0);
	}
	router_pid = 0;
	return 0;
}

static struct job ask(bool is_removal)
{
	struct job job = { .kind = JOB_UPNP,
			   .is_removal = is_removal,
			   .port = 7273,
			   .life = 7200,
			   .address_count = 2,
			   .addresses = { ours, router_at } };

	worker_learn(JOB_UPNP, upnp_child_run);
	job_run(&job);
	return job;
}

/* What has to be seen of a removal: a machine that does much else may not come so far in the time that one
 * has, and it is asked for again. */
static int ask_until(const unsigned *is_seen)
{
	int err = ask(true).err;

	for (unsigned i = 0; i < 10 && *is_seen == 0; i++)
		err = ask(true).err;
	return err;
}

/* --- with a router --- */

static void a_port_is_mapped_at_the_router(void **state)
{
	struct job job;
	char text[ADDRESS_TEXT_SIZE];

	(void)state;
	start_router(HONEST);
	job = ask(false);
	assert_int_equal(job.err, 0);
	address_print(&job.addresses[0], text);
	assert_string_equal(text, "203.0.113.9:7273");
	assert_int_equal(job.life, 1800); /* as granted */
	assert_string_equal(job.router, "Box/1 UPnP/1.1 ?Test/2");
	assert_int_equal(seen->outer, 7273);
	/* The second time it is known where to ask. */
	seen->searches = 0;
	job.addresses[2] = job.addresses[0];
	job.addresses[0] = ours;
	job.addresses[1] = router_at;
	job.address_count = 3;
	job.is_removal = true;
	job_run(&job);
	assert_int_equal(job.err, 0);
	assert_int_equal(seen->removed, 1);
	assert_int_equal(seen->searches, 0);
}

static void another_port_is_taken_where_ours_is_not_to_be_had(void **state)
{
	struct job job;

	(void)state;
	start_router(TAKEN);
	job = ask(false);
	assert_int_equal(job.err, 0);
	assert_int_equal(seen->added, 3);
	assert_int_equal(job.addresses[0].port, seen->outer);
}

static void a_router_that_knows_no_leases_is_asked_without(void **state)
{
	struct job job;

	(void)state;
	start_router(PERMANENT);
	job = ask(false);
	assert_int_equal(job.err, 0);
	assert_int_equal(seen->life, 0);
	assert_int_equal(job.life, 7200); /* so it is looked at again */
}

static void a_router_may_say_no(void **state)
{
	struct job job;

	(void)state;
	start_router(UNWILLING);
	job = ask(false);
	assert_int_equal(job.err, ERR_REFUSED);
	assert_int_equal(job.code, 606);
	assert_int_equal(seen->added, 1);
}

static void a_yes_is_looked_at(void **state)
{
	struct job job;

	(void)state;
	start_router(YES_MAN);
	job = ask(false);
	assert_int_equal(job.err, ERR_REFUSED);
	assert_int_equal(job.code, 714);
}

/* --- with one that wants no good --- */

static void a_router_that_never_answers_is_not_waited_for(void **state)
{
	(void)state;
	start_router(MUTE);
	assert_int_equal(ask(true).err, ERR_TIMEOUT);
}

static void a_description_without_end_ends_the_child_only(void **state)
{
	int err;

	(void)state;
	start_router(ENDLESS);
	err = ask_until(&seen->descriptions);
	assert_true(err == ERR_FORMAT || err == ERR_NOT_FOUND || err == ERR_TIMEOUT);
	assert_true(seen->descriptions > 0);
	assert_true(seen->described < 100 << 20); /* its memory has an end */
}

static void an_absurd_description_is_no_router(void **state)
{
	int err;

	(void)state;
	start_router(ABSURD);
	err = ask_until(&seen->descriptions);
	assert_true(err == ERR_NOT_FOUND || err == ERR_FORMAT || err == ERR_TIMEOUT);
	assert_true(seen->descriptions > 0);
}

/* Or still looks, where others answer late. */
static bool found_nobody(int err)
{
	return err == ERR_NOT_FOUND || err == ERR_TIMEOUT;
}

static void nobody_is_sent_to_another_place(void **state)
{
	(void)state;
	start_router(ELSEWHERE);
	assert_true(found_nobody(ask_until(&seen->searches)));
	assert_true(seen->searches > 0);
	assert_int_equal(seen->elsewhere, 0);
	assert_int_equal(seen->descriptions, 0);
}

static void no_command_goes_to_another_place(void **state)
{
	(void)state;
	start_router(CONTROLLED);
	assert_true(found_nobody(ask_until(&seen->descriptions)));
	assert_true(seen->descriptions > 0);
	assert_int_equal(seen->elsewhere, 0);
	assert_int_equal(seen->added, 0);
}

static void an_outer_address_that_is_none_is_refused(void **state)
{
	(void)state;
	start_router(FULL_OF_RUBBISH);
	assert_int_equal(ask(false).err, ERR_FORMAT);
}

/* --- the line --- */

static void a_question_survives_its_arguments(void **state)
{
	char text[UPNP_ARGUMENTS][UPNP_ARGUMENT_SIZE], *argv[UPNP_ARGUMENTS];
	struct job job = { .kind = JOB_UPNP,
			   .is_removal = true,
			   .port = 7273,
			   .life = 7200,
			   .address_count = 3,
			   .url = "http://192.0.2.1:5000/root.xml" };
	struct job back;

	(void)state;
	address_parse(&job.addresses[0], "192.0.2.7", 1);
	address_parse(&job.addresses[1], "192.0.2.1", 1);
	address_parse(&job.addresses[2], "203.0.113.9:4000", 0);
	upnp_question_print(&job, text);
	for (int i = 0; i < UPNP_ARGUMENTS; i++)
		argv[i] = text[i];
	assert_true(upnp_is_called(UPNP_ARGUMENTS, argv));
	assert_int_equal(upnp_question_parse(&back, UPNP_ARGUMENTS, argv), 0);
	assert_true(back.is_removal);
	assert_int_equal(back.port, 7273);
	assert_int_equal(back.life, 7200);
	assert_true(address_same_ip(&back.addresses[0], &job.addresses[0]));
	assert_true(address_same_ip(&back.addresses[1], &job.addresses[1]));
	assert_int_equal(back.addresses[2].port, 4000);
	assert_string_equal(back.url, job.url);
	argv[5] = "0";
	assert_int_equal(upnp_question_parse(&back, UPNP_ARGUMENTS, argv), ERR_FORMAT);
}

static void an_answer_survives_its_line(void **state)
{
	struct job job = { .kind = JOB_UPNP,
			   .life = 7200,
			   .address_count = 1,
			   .router = "A box/2",
			   .url = "http://192.0.2.1:5000/root.xml" };
	struct job back = { .kind = JOB_UPNP };
	char line[UPNP_LINE_MAX];

	(void)state;
	address_parse(&job.addresses[0], "203.0.113.9:4000", 0);
	upnp_line_print(&job, line);
	assert_int_equal(upnp_line_parse(&back, bytes_of(line, strlen(line) - 1)), 0);
	assert_int_equal(back.err, 0);
	assert_int_equal(back.life, 7200);
	assert_true(address_equal(&back.addresses[0], &job.addresses[0]));
	assert_string_equal(back.router, job.router);
	assert_string_equal(back.url, job.url);
}

static void a_line_that_is_not_one_changes_nothing(void **state)
{
	static const char *const lines[] = {
		"",
		"0",
		"0 0 7200 203.0.113.9:4000 -",   /* no room for a router */
		"0 0 7200 203.0.113.9 - ",       /* no port */
		"0 0 7200 255.255.255.255:1 - ", /* nobody's */
		"0 0 7200 [2001:db8::1]:1 - ",   /* not v4 */
		"0 0 -1 203.0.113.9:4000 - ",
		"0 0 4294967296 203.0.113.9:4000 - ",
		"0 0 7200 - - ",
		"5 0 0 203.0.113.9:4000 - ",
		"99 0 0 - - ",
		"-5 0 0 - - ",
		"0 0 7200 203.0.113.9:4000 ftp://192.0.2.1/ ",
		"0 0 7200 203.0.113.9:4000 http://box/ ",
		"0 0 7200 203.0.113.9:4000 - a\x1b[2Jb",
		"0 0 7200 203.0.113.9:4000 - "
		"0123456789012345678901234567890123456789012345678901234567890123",
	};
	struct job job = { .kind = JOB_UPNP }, before = job;

	(void)state;
	for (unsigned i = 0; i < sizeof lines / sizeof *lines; i++) {
		assert_int_equal(upnp_line_parse(&job, bytes_text(lines[i])), ERR_FORMAT);
		assert_memory_equal(&job, &before, sizeof job);
	}
}

static void a_url_is_an_address_or_nothing(void **state)
{
	static const char *const bad[] = {
		"",
		"http://",
		"https://192.0.2.1/",
		"http://192.0.2.1",
		"http://192.0.2.1:80",
		"http://192.0.2.1@203.0.113.9/",
		"http://192.0.2.1:0/",
		"http://192.0.2.1:70000/",
		"http://[::1]/",
		"http://router/",
		"http://3221225985/",
		"http://192.0.2.1.evil.example/",
	};
	struct address at, gateway;

	(void)state;
	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(upnp_url_at(bad[i], &at), ERR_FORMAT);
	assert_int_equal(upnp_url_at("http://192.0.2.1/x", &at), 0);
	assert_int_equal(at.port, 80);
	assert_int_equal(upnp_url_at("http://192.0.2.1:5000/", &at), 0);
	assert_int_equal(at.port, 5000);
	address_parse(&gateway, "192.0.2.254", 1);
	assert_true(upnp_is_near(&gateway, &at));
	address_parse(&gateway, "192.0.3.1", 1);
	assert_false(upnp_is_near(&gateway, &at));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_port_is_mapped_at_the_router, stop_router),
		cmocka_unit_test_teardown(another_port_is_taken_where_ours_is_not_to_be_had,
					  stop_router),
		cmocka_unit_test_teardown(a_router_that_knows_no_leases_is_asked_without,
					  stop_router),
		cmocka_unit_test_teardown(a_router_may_say_no, stop_router),
		cmocka_unit_test_teardown(a_yes_is_looked_at, stop_router),
		cmocka_unit_test_teardown(a_router_that_never_answers_is_not_waited_for,
					  stop_router),
		cmocka_unit_test_teardown(a_description_without_end_ends_the_child_only,
					  stop_router),
		cmocka_unit_test_teardown(an_absurd_description_is_no_router, stop_router),
		cmocka_unit_test_teardown(nobody_is_sent_to_another_place, stop_router),
		cmocka_unit_test_teardown(no_command_goes_to_another_place, stop_router),
		cmocka_unit_test_teardown(an_outer_address_that_is_none_is_refused,
					  stop_router),
		cmocka_unit_test(a_question_survives_its_arguments),
		cmocka_unit_test(an_answer_survives_its_line),
		cmocka_unit_test(a_line_that_is_not_one_changes_nothing),
		cmocka_unit_test(a_url_is_an_address_or_nothing),
	};
	unsigned pid = (unsigned)getpid();

	if (upnp_is_called(argc, argv))
		return upnp_main(argc, argv);
	if (sodium_init() < 0)
		return 1;
	prctl(PR_SET_DUMPABLE,
	      0); /* as the engine is; what begins itself anew must be able to */
	seen = mmap(NULL, sizeof *seen, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		    0);
	/* A network of this test's own; what is elsewhere is on another. */
	router_at = (struct address){ .family = 4,
				      .ip = { 127, (uint8_t)(pid >> 8), (uint8_t)pid, 1 } };
	ours = other_at = router_at;
	ours.ip[3] = 2;
	other_at.ip[1] ^= 0x80;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
