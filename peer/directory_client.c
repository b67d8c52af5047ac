#include "peer/directory_client_inside.h"

#include <sodium.h>
#include <stdlib.h>

#include "peer/account.h"
#include "peer/store.h"
#include "shared/error.h"
#include "shared/text.h"

#define UNANSWERED (5 * SECOND)   /* then it is dead for us */
#define ASLEEP     (30 * SECOND)  /* no keep-alive was answered for so long: we were missed */
#define GUEST      (180 * SECOND) /* for the whole password exchange, with work */
#define WELCOME    (10 * SECOND)

static void read_token(struct directory_client *d)
{
	struct statement *s = db_sql(store_db(d->rooms->store), "SELECT token FROM directory");

	if (db_step(s) == 1)
		(void)buf_append(&d->token, column_bytes(s, 0));
	db_done(s);
}

struct directory_client *directory_client_new(struct rooms *rooms)
{
	struct directory_client *d = memory_new(sizeof *d);

	d->rooms = rooms;
	d->until = d->check_at = d->settled_at = d->away_at = NEVER;
	d->is_restarting = true;
	d->patience = HEARD_BURST;
	buf_init(&d->token, ENDPOINT_TOKEN_MAX);
	read_token(d);
	return d;
}

void directory_client_free(struct directory_client *d)
{
	if (!d)
		return;
	line_clear(&d->line);
	buf_clear(&d->token);
	free(d);
}

void directory_client_here(struct directory_client *d, const struct device_public *key,
			   const struct address *at)
{
	d->has_here = true;
	d->here_key = *key;
	d->here = *at;
}

/* --- events of the link --- */

static void on_up(struct directory_client *d)
{
	line_begin(&d->line, d->link, WIRE_FROM_DIRECTORY);
	directory_client_enter(d, STATE_UP, d->is_guest ? GUEST : WELCOME);
	if (d->is_guest)
		account_guest_up(d->rooms->account, link_handshake_hash(d->link));
}

static void on_down(struct directory_client *d, const struct link_event *event)
{
	bool is_closed = event->error == ERR_CLOSED;
	const char *trouble = N_("the directory cannot be reached");
	int why = is_closed && !d->is_guest ? directory_client_last_words(d) : 0;

	if (why == ERR_SUSPENDED) {
		directory_client_wait_out_suspension(d);
		directory_client_lost(d, why, SUSPENDED_TROUBLE);
		return;
	}
	if (is_closed && event->code == LINK_CODE_UNKNOWN && !d->is_guest) {
		d->link = NULL;
		directory_client_hang_up(d, LINK_CODE_BYE);
		account_unknown(d->rooms->account);
		return;
	}
	if (is_closed && event->code == LINK_CODE_RESTART) {
		d->failures = 0;
		trouble = N_("the directory hung up for a while (perhaps it starts anew); this "
			     "device comes back by itself");
	}
	if (is_closed && event->code == LINK_CODE_REPLACED) {
		/* The same keys elsewhere: without a pause the two would fight for the line. */
		d->failures = 6;
		directory_client_lost(d, ERR_EXISTS,
				      N_("another copy of this home is connected"));
		return;
	}
	directory_client_lost(d, event->error, trouble);
}

bool directory_client_event(struct directory_client *d, const struct link_event *event)
{
	if (event->kind == STRAY)
		return directory_client_on_stray(d, event);
	if (!event->link || event->link != d->link)
		return false;
	switch (event->kind) {
	case LINK_UP:
		on_up(d);
		break;
	case LINK_READABLE:
		d->line.is_readable |= event->stream == LINK_CONTROL;
		break;
	case LINK_TOKEN:
		d->token.size = 0;
		d->is_token_new = buf_append(&d->token, event->data) == 0;
		break;
	case LINK_DOWN:
		on_down(d, event);
		break;
	default:
		break;
	}
	return true;
}

void directory_client_moved(struct directory_client *d)
{
	if (d->line.link && d->rooms->now >= link_last_heard(d->link) + ASLEEP) {
		d->failures = 0;
		directory_client_drop(d, ERR_TIMEOUT, LINK_CODE_BYE,
				      N_("the directory does not answer"));
		d->until = d->rooms->now;
	} else if (d->line.link) {
		link_unsettle(d->link, d->rooms->now);
		link_ping(d->link);
		d->check_at = mono_earlier(d->check_at, d->rooms->now + UNANSWERED);
	} else if (d->state == STATE_WAITING && d->failures < 6) {
		d->until = d->rooms->now;
	} else if (d->state == STATE_DIALLING && !d->is_guest) {
		d->is_restarting = true;
	}
}

/* --- what is due --- */

/* A line that does not answer is dead for us long before QUIC gives up. */
static void watch(struct directory_client *d)
{
	mono_ns since;

	d->check_at = NEVER;
	if (d->state != STATE_UP && d->state != STATE_ONLINE)
		return;
	since = link_unanswered_since(d->link);
	if (since == NEVER)
		return;
	if (d->rooms->now >= since + UNANSWERED) {
		d->failures = 0;
		directory_client_drop(d, ERR_TIMEOUT, LINK_CODE_BYE,
				      N_("the directory does not answer"));
	} else {
		d->check_at = since + UNANSWERED;
	}
}

static void on_timeout(struct directory_client *d)
{
	d->until = NEVER;
	switch (d->state) {
	case STATE_WAITING:
		directory_client_begin(d);
		break;
	case STATE_ASKING_KEY:
	case STATE_DIALLING:
	case STATE_UP:
		directory_client_drop(d, ERR_TIMEOUT, LINK_CODE_BYE,
				      N_("the directory cannot be reached"));
		break;
	default:
		break;
	}
}

mono_ns directory_client_step(struct directory_client *d)
{
	mono_ns now = d->rooms->now, deadline;

	if (now >= d->until)
		on_timeout(d);
	watch(d);
	if (directory_client_is_restarting(d)) {
		account_called(d->rooms->account);
		d->is_restarting = false;
		d->failures = 0;
		directory_client_hang_up(d, LINK_CODE_BYE);
		directory_client_begin(d);
	}
	if (d->state == STATE_ASKING_KEY && now >= d->ask_at)
		directory_client_ask_key(d);
	deadline = mono_earlier(d->until, mono_earlier(d->check_at, d->settled_at));
	if (d->state == STATE_ASKING_KEY)
		deadline = mono_earlier(deadline, d->ask_at);
	if (d->rooms->now < d->away_at)
		deadline = mono_earlier(deadline, d->away_at);
	if (d->line.link && d->line.is_readable && d->patience < 0)
		deadline = mono_earlier(deadline, now + HEARD_PAUSE);
	return deadline;
}

bool directory_client_is_online(const struct directory_client *d)
{
	return d->state == STATE_ONLINE;
}

bool directory_client_is_asking(const struct directory_client *d)
{
	switch (d->state) {
	case STATE_REST:
	case STATE_ONLINE:
		return false;
	case STATE_WAITING:
		return d->address_count > 0 && d->failures > 0;
	default:
		return true;
	}
}

bool directory_client_is_away(const struct directory_client *d)
{
	return d->state != STATE_ONLINE && (d->failures > 0 || d->rooms->now >= d->away_at);
}

struct address directory_client_address(const struct directory_client *d)
{
	return d->link ? link_path(d->link).remote : (struct address){ 0 };
}

/* --- what we say --- */

void directory_client_send(struct directory_client *d, const struct wire_message *m)
{
	if (d->line.link && line_send(&d->line, m) == ERR_FULL)
		d->is_restarting = true;
}

void directory_client_ping(struct directory_client *d)
{
	if (d->state != STATE_ONLINE)
		return;
	link_ping(d->link);
	d->check_at = mono_earlier(d->check_at, d->rooms->now + UNANSWERED);
}

void directory_client_introduce(struct directory_client *d, const struct name *name)
{
	struct wire_message m = { .type = WIRE_INTRODUCE };

	m.introduce.name = *name;
	if (d->state == STATE_ONLINE)
		directory_client_send(d, &m);
}

void directory_client_suspect(struct directory_client *d, const struct name *name,
			      const struct device_public *device)
{
	struct wire_message m = { .type = WIRE_SUSPECT };

	m.suspect.name = *name;
	m.suspect.device = *device;
	if (d->state == STATE_ONLINE)
		directory_client_send(d, &m);
}

void directory_client_save(struct directory_client *d)
{
	struct statement *s;

	if (!d->is_token_new || !store_is_writing(d->rooms->store))
		return;
	d->is_token_new = false;
	s = db_sql(store_db(d->rooms->store),
		   "INSERT OR REPLACE INTO directory(one, token) VALUES(1,?)");
	bind_bytes(s, 1, buf_view(&d->token));
	store_run(d->rooms->store, s);
}

/* The line that we have is the one that our account wants to speak on. */
static bool may_say(const struct directory_client *d)
{
	return d->line.link && !directory_client_is_restarting(d) &&
	       (d->is_guest ? d->state == STATE_UP : d->state == STATE_ONLINE);
}

void directory_client_release(struct directory_client *d)
{
	struct wire_message m;

	while (may_say(d) && account_next(d->rooms->account, &m)) {
		directory_client_send(d, &m);
		sodium_memzero(&m, sizeof m);
	}
	if (line_flush(&d->line))
		d->check_at = mono_earlier(d->check_at, d->rooms->now + UNANSWERED);
}

mono_ns directory_client_deadline(const struct directory_client *d)
{
	return directory_client_is_restarting(d) ? d->rooms->now : d->check_at;
}
