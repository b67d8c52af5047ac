#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <sodium.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shared/error.h"
#include "shared/udp.h"
#include "shared/udp_socket.h"

struct side {
	struct endpoint_config config;
	struct identity identity;
	struct endpoint *e;
	struct udp *udp;
	struct address address;
	struct link *link;
	size_t to_write, received;
	unsigned strays, downs;
	bool is_echoing;
	uint64_t received_sum;
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
	s->e = endpoint_new(&s->config, udp_now());
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
		endpoint_close_all(sides[i].e, LINK_CODE_BYE, udp_now());
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
	assert_non_null(endpoint_dial(sides[0].e, &t, udp_now()));
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
	link_close(sides[0].link, LINK_CODE_BYE, udp_now());
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
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
