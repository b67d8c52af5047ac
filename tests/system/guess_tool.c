/* guess_tool LINK NAME SECONDS GUESSERS: so many machines, each in a network of its own (10.1.I.2,
 * which must be addresses of this host), guess the password of NAME at the directory of LINK
 * as fast as it lets them: over and over on one link, and on the next when it ends. They do no
 * work. Says how much was answered with a challenge and how much refused. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/frame.h"
#include "shared/opaque.h"
#include "shared/proof.h"
#include "shared/udp.h"
#include "shared/uri.h"
#include "shared/wire.h"

enum { GUESSERS_MAX = 250 };

struct guesser {
	struct endpoint *endpoint;
	struct udp *udp;
	struct link *link;
	struct buf inbox;
};

static uv_loop_t loop;
static struct link_target target;
static struct name name;
static uint64_t challenged, refused, links;

static void guess(struct guesser *g)
{
	struct wire_message m = { .type = WIRE_LOGIN_START, .login_start.name = name };
	struct buf contents = { 0 }, frame = { 0 };
	struct opaque_client_random random;
	struct opaque_client client = { 0 };

	opaque_client_random(&random);
	if (opaque_login_start(&client, bytes_text("a guess"), &random, m.login_start.ke1) <
		    0 ||
	    wire_encode(&m, &contents) < 0 || frame_append(&frame, buf_view(&contents)) < 0)
		abort();
	(void)link_write(g->link, LINK_CONTROL, buf_view(&frame), false);
	buf_clear(&contents);
	buf_clear(&frame);
}

static void hear(struct guesser *g)
{
	struct bytes contents;
	bool is_end;
	size_t total;
	struct bytes view = link_peek(g->link, LINK_CONTROL, &is_end);

	buf_append(&g->inbox, view);
	link_consume(g->link, LINK_CONTROL, view.size);
	while (frame_take(buf_view(&g->inbox), &contents, &total) == 1) {
		struct wire_message m;

		if (wire_decode(&m, contents, WIRE_FROM_DIRECTORY) < 0)
			abort();
		challenged += m.type == WIRE_LOGIN_CHALLENGE;
		refused += m.type == WIRE_REFUSAL;
		buf_drop_front(&g->inbox, total);
		guess(g);
	}
}

static void dial(struct guesser *g, mono_ns now)
{
	buf_clear(&g->inbox);
	g->link = endpoint_dial(g->endpoint, &target, now);
}

static mono_ns turn(void *user, mono_ns now)
{
	struct guesser *g = user;
	struct link_event e;

	while (endpoint_next(g->endpoint, &e)) {
		if (!g->link || e.link != g->link)
			continue;
		if (e.kind == LINK_UP) {
			links++;
			guess(g);
		}
		if (e.kind == LINK_READABLE)
			hear(g);
		if (e.kind == LINK_DOWN)
			dial(g, now);
	}
	return NEVER;
}

static void begin(struct guesser *g, unsigned number)
{
	struct endpoint_config config = { .policy = ENDPOINT_ADMITTED,
					  .idle_timeout = 20 * SECOND,
					  .keep_alive = NEVER };
	struct address at = { .family = 4, .ip = { 10, 1, (uint8_t)number, 2 } }, bound;

	device_make(&config.device);
	g->endpoint = endpoint_new(&config, clock_now());
	if (udp_new(&g->udp, &loop, g->endpoint, turn, g) < 0 ||
	    udp_listen(g->udp, &at, &bound) < 0) {
		fprintf(stderr, "10.1.%u.2 is no address of this host\n", number);
		exit(1);
	}
	dial(g, clock_now());
	udp_wake(g->udp);
}

static void on_end(uv_timer_t *timer)
{
	uv_stop(timer->loop);
}

int main(int argc, char **argv)
{
	static struct guesser all[GUESSERS_MAX];
	unsigned count = argc == 5 ? (unsigned)strtoul(argv[4], NULL, 10) : 0;
	struct uri uri;
	uv_timer_t timer;

	if (sodium_init() < 0 || count < 1 || count > GUESSERS_MAX ||
	    uri_parse(&uri, argv[1]) < 0 || !uri.has_directory_key ||
	    name_parse(&name, bytes_text(argv[2])) < 0 ||
	    address_parse(&target.addresses[0], uri.place.host, uri.place.port) < 0) {
		fprintf(stderr, "usage: guess_tool LINK NAME SECONDS GUESSERS\n");
		return 2;
	}
	target.pattern = LINK_NK;
	target.device = uri.directory_key;
	target.knock = knock_of_directory(&uri.directory_key);
	target.address_count = 1;
	uv_loop_init(&loop);
	for (unsigned i = 0; i < count; i++)
		begin(&all[i], i + 1);
	uv_timer_init(&loop, &timer);
	uv_timer_start(&timer, on_end, strtoul(argv[3], NULL, 10) * 1000, 0);
	uv_run(&loop, UV_RUN_DEFAULT);
	printf("challenged %llu refused %llu links %llu\n", (unsigned long long)challenged,
	       (unsigned long long)refused, (unsigned long long)links);
	return 0;
}
