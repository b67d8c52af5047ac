#include "directory/holder_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "directory/holding.h"
#include "shared/error.h"
#include "shared/log.h"

struct link_line; /* one connection; outlives us while libuv closes it */

/* A ring of what waits: tickets that were asked, answers that were not taken. */
struct ring {
	size_t first, count, room, size;
	uint8_t *items;
};

struct socket_holder {
	struct holder calls; /* first: what others know of it */
	uv_loop_t *loop, own_loop;
	struct holder_dialer dialer;
	void (*on_answers)(void *user);
	void *user;
	struct link_line *line; /* NULL: not connected */
	bool is_alone, is_met, has_key, is_closing;
	unsigned hung_up; /* times that a line ended before the key was told */
	uint8_t key[32];
	uint64_t redial;  /* ms */
	unsigned handles; /* open */
	uv_timer_t due;   /* to dial again, or to give up waiting */
	uv_timer_t told;  /* something is to be taken */
	struct ring asked, answers;
};

struct link_line {
	uv_pipe_t pipe;
	struct socket_holder *of; /* NULL: it is given up */
	uint8_t in[HOLDING_ANSWER_SIZE];
	size_t in_size;
	struct buf out, flying;
	uv_write_t write;
};

/* --- rings --- */

static void *ring_add(struct ring *r)
{
	if (r->count == r->room) {
		size_t room = r->room ? r->room * 2 : 16;
		uint8_t *items = memory_array(room, r->size);

		for (size_t i = 0; i < r->count; i++)
			memcpy(items + i * r->size,
			       r->items + (r->first + i) % r->room * r->size, r->size);
		if (r->room)
			sodium_memzero(r->items, r->room * r->size);
		free(r->items);
		r->items = items;
		r->room = room;
		r->first = 0;
	}
	return r->items + (r->first + r->count++) % r->room * r->size;
}

static bool ring_take(struct ring *r, void *out)
{
	uint8_t *item;

	if (!r->count)
		return false;
	item = r->items + r->first * r->size;
	memcpy(out, item, r->size);
	sodium_memzero(item, r->size);
	r->first = (r->first + 1) % r->room;
	r->count--;
	return true;
}

static void ring_clear(struct ring *r)
{
	if (r->room)
		sodium_memzero(r->items, r->room * r->size);
	free(r->items);
	*r = (struct ring){ .size = r->size };
}

/* --- telling --- */

static void on_told(uv_timer_t *timer)
{
	struct socket_holder *s = timer->data;

	if (s->on_answers && s->answers.count)
		s->on_answers(s->user);
}

static void add_answer(struct socket_holder *s, const struct holder_answer *a)
{
	memcpy(ring_add(&s->answers), a, sizeof *a);
	/* not from inside of who asked: the loop tells */
	if (!uv_is_active((uv_handle_t *)&s->told))
		uv_timer_start(&s->told, on_told, 0, 0);
}

static void refuse(struct socket_holder *s, uint64_t ticket, int err)
{
	struct holder_answer a = { .ticket = ticket, .err = err };

	add_answer(s, &a);
}

/* --- the line --- */

static void on_due(uv_timer_t *timer);

static void on_line_closed(uv_handle_t *handle)
{
	struct link_line *l = handle->data;

	buf_clear(&l->out);
	buf_clear(&l->flying);
	sodium_memzero(l->in, sizeof l->in);
	free(l);
}

/* The line is over: whoever waits is told, and after a while it is dialled again. */
static void lose(struct socket_holder *s, const char *why)
{
	struct link_line *l = s->line;
	bool was_met = s->is_met;
	uint64_t ticket;

	if (l) {
		l->of = NULL;
		uv_close((uv_handle_t *)&l->pipe, on_line_closed);
	}
	s->line = NULL;
	s->is_met = false;
	s->hung_up += l && !was_met;
	while (ring_take(&s->asked, &ticket))
		refuse(s, ticket, ERR_OFFLINE);
	if (s->is_closing)
		return;
	if (was_met)
		log_event(LOG_WARNING, "keyholder-line-lost", "reason", why, NULL);
	uv_timer_start(&s->due, on_due, s->redial, 0);
	s->redial = s->redial * 2 < HOLDER_REDIAL_MAX ? s->redial * 2 : HOLDER_REDIAL_MAX;
}

static void flush(struct link_line *l);

static void on_written(uv_write_t *request, int status)
{
	struct link_line *l = request->data;

	if (l->flying.size)
		sodium_memzero(l->flying.data, l->flying.size);
	l->flying.size = 0;
	if (!l->of)
		return;
	if (status < 0)
		lose(l->of, uv_strerror(status));
	else if (l->out.size)
		flush(l);
}

/* What is asked while one write is under way leaves with the next, together. */
static void flush(struct link_line *l)
{
	struct buf written = l->flying;
	uv_buf_t out;

	l->flying = l->out;
	l->out = written;
	out = uv_buf_init((char *)l->flying.data, (unsigned)l->flying.size);
	l->write.data = l;
	if (uv_write(&l->write, (uv_stream_t *)&l->pipe, &out, 1, on_written) < 0) {
		l->flying.size = 0; /* and the timer gives the line up */
		return;
	}
}

static void say(struct socket_holder *s, const struct holding_question *q)
{
	uint8_t frame[HOLDING_QUESTION_SIZE];

	holding_ask(frame, q);
	(void)buf_append(&s->line->out, BYTES(frame));
	if (!s->line->flying.size)
		flush(s->line);
	/* an answer must come, or it is not there any more */
	if (!uv_is_active((uv_handle_t *)&s->due))
		uv_timer_start(&s->due, on_due, HOLDER_ANSWER_SECONDS * 1000, 0);
}

/* The first answer of a line is the key. False: it is not the one we know. */
static bool meet(struct socket_holder *s, const struct holder_answer *a)
{
	if (a->err ||
	    (s->has_key && sodium_memcmp(s->key, a->held.evaluated, sizeof s->key) != 0)) {
		log_event(LOG_ERROR, "wrong-keyholder", "do",
			  "the key-holder has other secrets than before: bring back the right "
			  "ones",
			  NULL);
		return false;
	}
	memcpy(s->key, a->held.evaluated, sizeof s->key);
	s->has_key = s->is_met = true;
	s->redial = HOLDER_REDIAL_MIN;
	s->hung_up = 0;
	if (s->on_answers) /* who waited for the key may go on */
		uv_timer_start(&s->told, on_told, 0, 0);
	return true;
}

/* False: it makes no sense. */
static bool take_answer(struct socket_holder *s, const uint8_t frame[HOLDING_ANSWER_SIZE])
{
	struct holder_answer a;
	uint64_t ticket;
	bool is_good = true;

	uv_timer_stop(&s->due);
	if (holding_read_answer(&a, frame) < 0)
		return false;
	if (!s->is_met) {
		is_good = meet(s, &a);
	} else if (!ring_take(&s->asked, &ticket)) {
		is_good = false;
	} else if (ticket != a.ticket) {
		refuse(s, ticket, ERR_OFFLINE); /* as the others that wait will be */
		is_good = false;
	} else {
		add_answer(s, &a);
		if (s->asked.count)
			uv_timer_start(&s->due, on_due, HOLDER_ANSWER_SECONDS * 1000, 0);
	}
	sodium_memzero(&a, sizeof a);
	return is_good;
}

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *room)
{
	struct link_line *l = handle->data;

	(void)suggested;
	*room = uv_buf_init((char *)l->in + l->in_size, (unsigned)(sizeof l->in - l->in_size));
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *room)
{
	struct link_line *l = stream->data;

	(void)room;
	if (!l->of)
		return;
	if (size < 0) {
		lose(l->of, uv_strerror((int)size));
		return;
	}
	l->in_size += (size_t)size;
	if (l->in_size < sizeof l->in)
		return;
	l->in_size = 0;
	if (!take_answer(l->of, l->in))
		lose(l->of, "not an answer");
}

static void dial(struct socket_holder *s)
{
	struct holding_question key = { .kind = HOLDING_KEY };
	int fd = s->dialer.dial(s->dialer.user);
	struct link_line *l;

	if (fd < 0) {
		lose(s, error_name(fd));
		return;
	}
	l = memory_new(sizeof *l);
	l->of = s;
	buf_init(&l->out,
		 HOLDER_OUTSTANDING_MAX * HOLDING_QUESTION_SIZE + HOLDING_QUESTION_SIZE);
	buf_init(&l->flying, l->out.limit);
	if (uv_pipe_init(s->loop, &l->pipe, 0) != 0)
		abort();
	l->pipe.data = l;
	s->line = l;
	if (uv_pipe_open(&l->pipe, fd) < 0 ||
	    uv_read_start((uv_stream_t *)&l->pipe, on_room, on_read) < 0) {
		lose(s, "no stream");
		return;
	}
	say(s, &key);
}

/* Time to dial again, or nothing came for too long. */
static void on_due(uv_timer_t *timer)
{
	struct socket_holder *s = timer->data;

	if (s->line)
		lose(s, "no answer in time");
	else
		dial(s);
}

/* --- the row --- */

static void socket_ask(struct holder *h, uint64_t ticket, const struct name *name,
		       const uint8_t blinded[32], const uint8_t *keyshare)
{
	struct socket_holder *s = (struct socket_holder *)h;
	struct holding_question q = {
		.kind = keyshare ? HOLDING_LOGIN : HOLDING_REGISTER,
		.ticket = ticket,
		.name = *name,
	};

	if (!s->is_met) {
		refuse(s, ticket, ERR_OFFLINE);
		return;
	}
	if (s->asked.count == HOLDER_OUTSTANDING_MAX) {
		refuse(s, ticket, ERR_BUSY);
		return;
	}
	memcpy(q.blinded, blinded, sizeof q.blinded);
	if (keyshare)
		memcpy(q.keyshare, keyshare, sizeof q.keyshare);
	memcpy(ring_add(&s->asked), &ticket, sizeof ticket);
	say(s, &q);
}

static bool socket_next(struct holder *h, struct holder_answer *answer)
{
	struct socket_holder *s = (struct socket_holder *)h;

	while (s->is_alone && s->asked.count && !s->answers.count)
		uv_run(s->loop, UV_RUN_ONCE);
	return ring_take(&s->answers, answer);
}

static const uint8_t *socket_public_key(const struct holder *h)
{
	const struct socket_holder *s = (const struct socket_holder *)h;

	return s->has_key ? s->key : NULL;
}

static bool socket_is_there(const struct holder *h)
{
	return ((const struct socket_holder *)h)->is_met;
}

static void destroy(struct socket_holder *s)
{
	ring_clear(&s->asked);
	ring_clear(&s->answers);
	if (s->dialer.close)
		s->dialer.close(s->dialer.user);
	free(s);
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct socket_holder *s = handle->data;

	if (--s->handles == 0 && !s->is_alone)
		destroy(s);
}

static void socket_close(struct holder *h)
{
	struct socket_holder *s = (struct socket_holder *)h;

	s->is_closing = true;
	lose(s, NULL);
	uv_close((uv_handle_t *)&s->due, on_timer_closed);
	uv_close((uv_handle_t *)&s->told, on_timer_closed);
	if (!s->is_alone)
		return;
	uv_run(s->loop, UV_RUN_DEFAULT);
	uv_loop_close(s->loop);
	destroy(s);
}

static struct socket_holder *holder_new(uv_loop_t *loop, const struct holder_dialer *dialer)
{
	struct socket_holder *s = memory_new(sizeof *s);

	signal(SIGPIPE, SIG_IGN); /* a write to one who is gone is an error, not the end */
	s->calls = (struct holder){
		.ask = socket_ask,
		.next = socket_next,
		.public_key = socket_public_key,
		.is_there = socket_is_there,
		.close = socket_close,
	};
	s->is_alone = !loop;
	s->loop = loop ? loop : &s->own_loop;
	if (s->is_alone && uv_loop_init(s->loop) < 0)
		abort();
	s->dialer = *dialer;
	s->redial = HOLDER_REDIAL_MIN;
	s->asked.size = sizeof(uint64_t);
	s->answers.size = sizeof(struct holder_answer);
	uv_timer_init(s->loop, &s->due);
	uv_timer_init(s->loop, &s->told);
	s->due.data = s->told.data = s;
	s->handles = 2;
	uv_timer_start(&s->due, on_due, 0, 0);
	return s;
}

struct holder *holder_socket_new(uv_loop_t *loop, const struct holder_dialer *dialer,
				 void (*on_answers)(void *user), void *user)
{
	struct socket_holder *s = holder_new(loop, dialer);

	s->on_answers = on_answers;
	s->user = user;
	return &s->calls;
}

struct holder *holder_socket_alone(const struct holder_dialer *dialer)
{
	return &holder_new(NULL, dialer)->calls;
}

int holder_socket_meet(struct holder *h, mono_ns patience, bool is_final)
{
	struct socket_holder *s = (struct socket_holder *)h;
	uint64_t until;

	uv_update_time(s->loop);
	until = uv_now(s->loop) + patience / MILLISECOND;
	while (!s->is_met) {
		if (is_final && s->hung_up)
			return ERR_CLOSED;
		/* its own timer is never further away than the longest wait to redial */
		if (uv_now(s->loop) >= until)
			return ERR_OFFLINE;
		uv_run(s->loop, UV_RUN_ONCE);
	}
	return 0;
}

/* --- dialling a path --- */

static int dial_path(void *user)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *path = user;
	size_t size = strlen(path);
	int fd;

	if (size >= sizeof address.sun_path)
		return ERR_LIMIT;
	memcpy(address.sun_path, path, size);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return ERR_IO;
	if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
		return fd;
	close(fd);
	return errno == EACCES || errno == EPERM ? ERR_REFUSED : ERR_OFFLINE;
}

struct holder_dialer holder_dialer_path(const char *path)
{
	return (struct holder_dialer){
		.dial = dial_path,
		.user = memory_text(path),
		.close = free,
	};
}
