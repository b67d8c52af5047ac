#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <sodium.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shared/error.h"
#include "shared/udp.h"
#include "shared/udp_socket.h"
#include "tests/own_network.h"

struct side {
	struct endpoint_config config;
	struct identity identity;
	struct endpoint *e;
	struct udp *udp;
	struct address address;
	struct link *link;
	size_t to_write, received;
	unsigned strays, downs;
	struct path stray; /* of the last */
	uint8_t said;      /* its first byte */
};

static uv_loop_t loop;
static struct side sides[2];

static void write_more(struct side *s)
{
	static const uint8_t zeros[65536];

	while (s->to_write > 0 && s->link) {
		size_t part = s->to_write < sizeof zeros ? s->to_write : sizeof zeros;

		if (link_write(s->link, LINK_CONTROL, bytes_of(zeros, part), false) < 0)
			break;
		s->to_write -= part;
	}
}

static mono_ns step(void *user, mono_ns now)
{
	struct side *s = user;
	struct link_event event;
	struct bytes view;
	bool is_end;

	(void)now;
	while (endpoint_next(s->e, &event)) {
		switch (event.kind) {
		case LINK_UP:
			s->link = event.link;
			break;
		case LINK_DOWN:
			s->link = NULL;
			s->downs++;
			break;
		case LINK_READABLE:
			view = link_peek(event.link, event.stream, &is_end);
			s->received += view.size;
			link_consume(event.link, event.stream, view.size);
			break;
		case STRAY:
			s->strays++;
			s->stray = event.path;
			s->said = event.data.data[0];
			break;
		default:
			break;
		}
	}
	write_more(s);
	return NEVER;
}

static void side_make(struct side *s, const char *at)
{
	struct address address;

	*s = (struct side){ 0 };
	identity_make(&s->identity);
	s->config = (struct endpoint_config){ .policy = ENDPOINT_ADMITTED,
					      .has_certificate = true,
					      .idle_timeout = 30 * SECOND,
					      .keep_alive = NEVER };
	device_make(&s->config.device);
	randombytes_buf(s->config.knock.bytes, sizeof s->config.knock.bytes);
	certificate_make(&s->config.certificate, &s->identity, &s->config.device.public, "d", 1,
			 0);
	s->e = endpoint_new(&s->config, clock_now());
	assert_int_equal(udp_new(&s->udp, &loop, s->e, step, s), 0);
	assert_int_equal(address_parse(&address, at, 0), 0);
	assert_int_equal(udp_listen(s->udp, &address, &s->address), 0);
	assert_true(s->address.port != 0);
}

static void begin(const char *at)
{
	uv_loop_init(&loop);
	for (int i = 0; i < 2; i++)
		side_make(&sides[i], at);
	for (int i = 0; i < 2; i++)
		endpoint_admit(sides[i].e, &sides[!i].identity.public, false);
}

static void end(void)
{
	for (int i = 0; i < 2; i++) {
		endpoint_close_all(sides[i].e, LINK_CODE_BYE, clock_now());
		udp_close(sides[i].udp);
	}
	uv_run(&loop, UV_RUN_DEFAULT);
	for (int i = 0; i < 2; i++)
		endpoint_free(sides[i].e);
	assert_int_equal(uv_loop_close(&loop), 0);
}

static void dial(const char *ip)
{
	struct link_target t = { .device = sides[1].config.device.public,
				 .knock = sides[1].config.knock,
				 .has_identity = true,
				 .identity = sides[1].identity.public,
				 .address_count = 1 };

	assert_int_equal(address_parse(&t.addresses[0], ip, sides[1].address.port), 0);
	assert_non_null(endpoint_dial(sides[0].e, &t, clock_now()));
	udp_wake(sides[0].udp);
}

/* The loop waits for what has to come; the whole test is what can hang, never a sleep. */
static void run_until_up(void)
{
	while (!sides[0].link || !sides[1].link)
		uv_run(&loop, UV_RUN_ONCE);
}

static void two_endpoints_meet(const char *at, const char *ip)
{
	begin(at);
	dial(ip);
	run_until_up();
	sides[0].to_write = 1000;
	sides[1].to_write = 1000;
	udp_wake(sides[0].udp);
	udp_wake(sides[1].udp);
	while (sides[0].received < 1000 || sides[1].received < 1000)
		uv_run(&loop, UV_RUN_ONCE);
	assert_true(link_path(sides[1].link).remote.port == sides[0].address.port);
	end();
}

static void two_endpoints_meet_over_v4(void **state)
{
	(void)state;
	two_endpoints_meet("127.0.0.1:0", "127.0.0.1");
}

static void two_endpoints_meet_over_v6(void **state)
{
	(void)state;
	two_endpoints_meet("[::1]:0", "::1");
}

static void a_v6_wildcard_takes_v4_too(void **state)
{
	(void)state;
	two_endpoints_meet("[::]:0", "127.0.0.1");
}

static void the_answer_comes_from_the_address_spoken_to(void **state)
{
	(void)state;
	begin("0.0.0.0:0");
	dial("127.0.0.2");
	run_until_up();
	assert_int_equal(link_path(sides[0].link).remote.ip[3], 2);
	assert_int_equal(link_path(sides[1].link).local.ip[3], 2);
	end();
}

static void much_data_arrives_whole(void **state)
{
	enum { MUCH = 32 << 20 };

	(void)state;
	begin("127.0.0.1:0");
	dial("127.0.0.1");
	run_until_up();
	sides[0].to_write = MUCH;
	udp_wake(sides[0].udp);
	while (sides[1].received < MUCH)
		uv_run(&loop, UV_RUN_ONCE);
	assert_int_equal(sides[1].received, MUCH);
	end();
}

static void a_goodbye_arrives_before_the_socket_is_gone(void **state)
{
	(void)state;
	begin("127.0.0.1:0");
	dial("127.0.0.1");
	run_until_up();
	link_close(sides[0].link, LINK_CODE_BYE, clock_now());
	sides[0].link = NULL;
	udp_close(sides[0].udp);
	sides[0].udp = NULL;
	while (sides[1].downs == 0)
		uv_run(&loop, UV_RUN_ONCE);
	end();
}

static void what_is_not_quic_is_handed_on(void **state)
{
	struct sockaddr_storage raw;
	size_t size;
	int fd;

	(void)state;
	begin("127.0.0.1:0");
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	size = address_to_sockaddr(&sides[0].address, false, &raw);
	assert_int_equal(sendto(fd, "\1hello", 6, 0, (struct sockaddr *)&raw, size), 6);
	while (sides[0].strays == 0)
		uv_run(&loop, UV_RUN_ONCE);
	close(fd);
	end();
}

static void a_bound_port_cannot_be_bound_again(void **state)
{
	struct address again;

	(void)state;
	begin("127.0.0.1:0");
	assert_int_equal(udp_listen(sides[0].udp, &sides[1].address, &again), ERR_EXISTS);
	assert_int_equal(udp_socket_try(&sides[1].address), ERR_EXISTS);
	end();
}

/* --- hops, extra sockets --- */

/* A plain socket of somebody else. */
static int stranger(const char *at, struct address *bound)
{
	struct sockaddr_storage raw;
	socklen_t size;
	struct address address;
	int fd, one = 1;

	assert_int_equal(address_parse(&address, at, 1), 0);
	address.port = 0;
	fd = socket(address.family == 4 ? AF_INET : AF_INET6, SOCK_DGRAM, 0);
	size = (socklen_t)address_to_sockaddr(&address, false, &raw);
	assert_int_equal(bind(fd, (struct sockaddr *)&raw, size), 0);
	assert_int_equal(setsockopt(fd, IPPROTO_IP, IP_RECVTTL, &one, sizeof one), 0);
	size = sizeof raw;
	assert_int_equal(getsockname(fd, (struct sockaddr *)&raw, &size), 0);
	assert_int_equal(address_from_sockaddr(bound, &raw), 0);
	return fd;
}

/* Runs the loop until it gets something: the hops it still had, and from where. */
static int heard_with(int fd, uint8_t *first, struct address *from)
{
	struct pollfd one = { .fd = fd, .events = POLLIN };
	_Alignas(struct cmsghdr) uint8_t control[256];
	struct sockaddr_storage raw;
	uint8_t data[100];
	struct iovec part = { data, sizeof data };
	struct msghdr m = { .msg_name = &raw,
			    .msg_namelen = sizeof raw,
			    .msg_iov = &part,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof control };
	int hops = -1;

	while (poll(&one, 1, 0) == 0)
		uv_run(&loop, UV_RUN_ONCE);
	assert_true(recvmsg(fd, &m, 0) > 0);
	*first = data[0];
	assert_int_equal(address_from_sockaddr(from, &raw), 0);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TTL)
			memcpy(&hops, CMSG_DATA(c), sizeof hops);
	return hops;
}

static void send_stray(struct side *s, const struct path *path, const char *text, uint8_t ttl)
{
	endpoint_send_stray(s->e, path, bytes_text(text), ttl);
	udp_wake(s->udp);
}

static void hops_are_as_told_from(const char *at)
{
	static const uint8_t wanted[] = { 5, 0, 1, 5, 5 };
	struct path path = { 0 };
	struct address from;
	uint8_t said;
	int fd, usual;

	begin(at);
	fd = stranger("127.0.0.1", &path.remote);
	send_stray(&sides[0], &path, "\1", 0);
	usual = heard_with(fd, &said, &from);
	assert_true(usual > 5);
	/* What goes together in one message has the same hops, or it does not go together. */
	for (unsigned i = 0; i < sizeof wanted; i++) {
		char text[] = { (char)('0' + i), 0 };

		if (i == 3) /* from a chosen address too */
			address_parse(&path.local, "127.0.0.1", 1);
		send_stray(&sides[0], &path, text, wanted[i]);
	}
	for (unsigned i = 0; i < sizeof wanted; i++) {
		assert_int_equal(heard_with(fd, &said, &from), wanted[i] ? wanted[i] : usual);
		assert_int_equal(said, '0' + i);
		assert_int_equal(from.port, sides[0].address.port);
	}
	close(fd);
	end();
}

static void a_datagram_makes_so_many_hops(void **state)
{
	(void)state;
	hops_are_as_told_from("0.0.0.0:0");
}

static void a_datagram_of_a_v6_socket_makes_so_many_hops_in_v4(void **state)
{
	(void)state;
	hops_are_as_told_from("[::]:0");
}

static void send_to(int fd, const struct address *to, const char *text)
{
	struct sockaddr_storage raw;
	size_t size = address_to_sockaddr(to, false, &raw);

	assert_int_equal(
		sendto(fd, text, strlen(text), 0, (struct sockaddr *)&raw, (socklen_t)size),
		strlen(text));
}

static void an_extra_socket_lives_from_its_first_word_to_its_release(void **state)
{
	struct path path = { 0 };
	struct address from, own;
	uint8_t said;
	int fd;

	(void)state;
	begin("[::]:0");
	fd = stranger("127.0.0.1", &path.remote);
	path.socket = endpoint_extra_socket(sides[0].e);
	assert_true(path.socket >= PATH_EXTRA);
	send_stray(&sides[0], &path, "\1", 7);
	assert_int_equal(heard_with(fd, &said, &from), 7);
	assert_int_not_equal(from.port, sides[0].address.port);
	send_stray(&sides[0], &path, "\1", 0); /* the same one again */
	heard_with(fd, &said, &own);
	assert_int_equal(own.port, from.port);
	send_to(fd, &from, "\2answer");
	while (sides[0].strays == 0)
		uv_run(&loop, UV_RUN_ONCE);
	assert_int_equal(sides[0].stray.socket, path.socket);
	assert_int_equal(sides[0].stray.remote.port, path.remote.port);
	assert_int_equal(udp_socket_try(&own), ERR_EXISTS);
	endpoint_release_socket(sides[0].e, path.socket);
	udp_wake(sides[0].udp);
	while (udp_socket_try(&own) != 0)
		uv_run(&loop, UV_RUN_ONCE);
	close(fd);
	end();
}

static void there_are_many_extra_sockets(void **state)
{
	static bool is_seen[65536];
	struct path path = { 0 };
	struct address from;
	uint8_t said;
	int fd;

	(void)state;
	memset(is_seen, 0, sizeof is_seen);
	begin("0.0.0.0:0");
	fd = stranger("127.0.0.1", &path.remote);
	for (unsigned i = 0; i < PATH_EXTRA_MAX; i++) {
		path.socket = endpoint_extra_socket(sides[0].e);
		assert_true(path.socket >= PATH_EXTRA);
		send_stray(&sides[0], &path, "\1", 0);
		heard_with(fd, &said, &from);
		assert_false(is_seen[from.port]);
		is_seen[from.port] = true;
	}
	assert_int_equal(endpoint_extra_socket(sides[0].e), 0);
	close(fd);
	end(); /* closes them all, or the loop would not end */
}

/* Where nobody listens the kernel answers with an ICMP error. */
static void an_icmp_error_ends_nothing(void **state)
{
	struct path nowhere = { 0 }, path = { 0 };
	struct address from;
	uint8_t said;
	int fd;

	(void)state;
	begin("[::]:0");
	fd = stranger("127.0.0.1", &nowhere.remote);
	close(fd);
	fd = stranger("127.0.0.1", &path.remote);
	for (unsigned i = 0; i < 3; i++) {
		send_stray(&sides[0], &nowhere, "\1", 0);
		send_stray(&sides[0], &path, "\2", 0);
		heard_with(fd, &said, &from);
		assert_int_equal(said, 2);
	}
	send_to(fd, &from, "\3");
	close(fd);
	end();
}

/* --- multicast, in a network of its own --- */

static struct address groups[2];
static uint32_t link_index;

static void run_until_strays(unsigned first, unsigned second)
{
	while (sides[0].strays < first || sides[1].strays < second)
		uv_run(&loop, UV_RUN_ONCE);
}

static void both_join(const uint32_t *links, unsigned count)
{
	for (int i = 0; i < 2; i++)
		assert_int_equal(udp_join(sides[i].udp, groups, 2, links, count), 0);
}

static void everybody_on_a_link_hears_what_is_said_to_a_group(void **state)
{
	(void)state;
	begin("[::]:0");
	both_join(&link_index, 1);
	for (unsigned g = 0; g < 2; g++) {
		struct path path = { .remote = groups[g] };

		path.remote.scope = link_index;
		sides[0].strays = sides[1].strays = 0;
		send_stray(&sides[0], &path, "\5", 1);
		run_until_strays(1, 1);
		for (int i = 0; i < 2; i++) {
			assert_int_equal(sides[i].said, 5);
			/* From the main socket, so that an answer reaches it; not to be
			 * answered from the group's address. */
			assert_int_equal(sides[i].stray.remote.port, sides[0].address.port);
			assert_int_equal(sides[i].stray.remote.family, groups[g].family);
			assert_int_equal(sides[i].stray.local.family, 0);
			assert_int_equal(sides[i].stray.socket, 0);
		}
		assert_int_equal(sides[0].stray.remote.scope,
				 groups[g].family == 6 ? link_index : 0);
	}
	end();
}

static void the_source_says_the_link_of_v4(void **state)
{
	struct path path = { .remote = groups[0] };

	(void)state;
	begin("[::]:0");
	both_join(&link_index, 1);
	address_parse(&path.local, "10.9.9.1", 1);
	send_stray(&sides[1], &path, "\5", 1);
	run_until_strays(1, 1);
	assert_true(address_same_ip(&sides[0].stray.remote, &path.local));
	end();
}

static void what_is_sent_to_the_port_of_a_group_alone_is_not_heard(void **state)
{
	struct path path = { .remote = groups[0] };
	struct address alone = groups[0], self;
	int fd;

	(void)state;
	begin("[::]:0");
	both_join(&link_index, 1);
	fd = stranger("127.0.0.1", &self);
	assert_int_equal(address_parse(&alone, "127.0.0.1", groups[0].port), 0);
	send_to(fd, &alone, "\6");
	path.remote.scope = link_index;
	send_stray(&sides[0], &path, "\5", 1);
	run_until_strays(1, 1);
	assert_int_equal(sides[0].strays + sides[1].strays, 2);
	assert_int_equal(sides[0].said, 5);
	close(fd);
	end();
}

static void a_link_that_is_made_anew_is_joined_anew(void **state)
{
	struct path path = { .remote = groups[0] };

	(void)state;
	begin("[::]:0");
	both_join(&link_index, 1);
	own_network_ip("link del group0");
	both_join(NULL, 0);
	own_network_ip("link add group0 index %u type veth peer name group1", link_index);
	own_network_ip("link set group0 up");
	own_network_ip("link set group1 up");
	own_network_ip("addr add 10.9.9.1/24 dev group0");
	both_join(&link_index, 1);
	path.remote.scope = link_index;
	send_stray(&sides[0], &path, "\5", 1);
	run_until_strays(1, 1);
	end();
}

static void make_link(void)
{
	own_network_ip("link add group0 type veth peer name group1");
	own_network_ip("link set group0 up");
	own_network_ip("link set group1 up");
	own_network_ip("addr add 10.9.9.1/24 dev group0");
	own_network_ip("addr add fe80::9/64 dev group0 nodad");
	link_index = if_nametoindex("group0");
	assert_int_equal(address_parse(&groups[0], "239.255.71.72:7271", 0), 0);
	assert_int_equal(address_parse(&groups[1], "[ff02::7172]:7271", 0), 0);
}

static int in_own_network(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everybody_on_a_link_hears_what_is_said_to_a_group),
		cmocka_unit_test(the_source_says_the_link_of_v4),
		cmocka_unit_test(what_is_sent_to_the_port_of_a_group_alone_is_not_heard),
		cmocka_unit_test(a_link_that_is_made_anew_is_joined_anew),
	};
	const char *why_not = own_network_enter();

	if (why_not) {
		printf("multicast: skipped: %s\n", why_not);
		return 0;
	}
	make_link();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_endpoints_meet_over_v4),
		cmocka_unit_test(two_endpoints_meet_over_v6),
		cmocka_unit_test(a_v6_wildcard_takes_v4_too),
		cmocka_unit_test(the_answer_comes_from_the_address_spoken_to),
		cmocka_unit_test(much_data_arrives_whole),
		cmocka_unit_test(a_goodbye_arrives_before_the_socket_is_gone),
		cmocka_unit_test(what_is_not_quic_is_handed_on),
		cmocka_unit_test(a_bound_port_cannot_be_bound_again),
		cmocka_unit_test(a_datagram_makes_so_many_hops),
		cmocka_unit_test(a_datagram_of_a_v6_socket_makes_so_many_hops_in_v4),
		cmocka_unit_test(an_extra_socket_lives_from_its_first_word_to_its_release),
		cmocka_unit_test(there_are_many_extra_sockets),
		cmocka_unit_test(an_icmp_error_ends_nothing),
	};
	int failed;

	if (sodium_init() < 0)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	return failed ? failed : in_own_network();
}
