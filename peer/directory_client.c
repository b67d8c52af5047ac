#include "peer/directory_client.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer/account.h"
#include "peer/candidates.h"
#include "peer/line.h"
#include "peer/store.h"
#include "shared/error.h"
#include "shared/key_query.h"
#include "shared/text.h"

#define KEEP_ALIVE        (24500 * MILLISECOND) /* homes forget a UDP mapping after 30 s */
#define SILENCE           (60 * SECOND)
#define UNANSWERED        (5 * SECOND) /* then it is dead for us */
#define DIAL              (10 * SECOND)
#define KEY_QUERY         (5 * SECOND)
#define GUEST             (180 * SECOND) /* for the whole password exchange, with work */
#define SUSPENDED         60             /* seconds, and as many at random: then look again */
#define SUSPENDED_TROUBLE N_("the directory's operator has suspended this account; ask there")
#define WELCOME           (10 * SECOND)
#define SETTLED           (10 * SECOND) /* the directory has repeated who is online */
#define BACKOFF_MAX_MS    60000
/* What one says is heard as fast as it may be stored and checked for ever: a burst, and so much in
 * each second. A message counts as its bytes and a thousand more. */
#define HEARD_BURST   ((int64_t)32 << 20)
#define HEARD_RATE    ((int64_t)512 << 10)
#define HEARD_MESSAGE 1024
#define HEARD_PAUSE   (100 * MILLISECOND)

enum state {
	STATE_REST,    /* nobody to be */
	STATE_WAITING, /* until `until` */
	STATE_RESOLVING,
	STATE_ASKING_KEY,
	STATE_DIALLING,
	STATE_UP, /* a guest's exchange, or WELCOME to come */
	STATE_ONLINE,
};

struct directory_client {
	struct rooms *rooms;
	enum state state;
	bool is_guest, is_restarting, is_job_given;
	bool has_here; /* a directory in our own process */
	struct device_public here_key;
	struct address here;
	uint64_t job; /* number of the last one: older answers are not ours */
	struct address addresses[JOB_ADDRESSES_MAX];
	unsigned address_count;
	struct key_query_nonce nonce;
	mono_ns ask_at; /* the key again */
	mono_ns until;  /* end of this state; NEVER */
	mono_ns check_at, settled_at;
	unsigned failures;
	uint32_t wait_ms; /* asked for by the directory */
	struct link *link;
	struct line line;
	int64_t patience; /* what may still be heard now; below 0: it waits */
	mono_ns patient_at;
	struct buf token; /* spares a returning sender one round trip */
	bool is_token_new;
};

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
	d->until = d->check_at = d->settled_at = NEVER;
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

/* The line we have is not wanted any more: the next step hangs up and calls again. */
static bool is_restarting(const struct directory_client *d)
{
	return d->is_restarting || account_wants_call(d->rooms->account);
}

static void enter(struct directory_client *d, enum state state, mono_ns length)
{
	d->state = state;
	d->until = length == NEVER ? NEVER : d->rooms->now + length;
}

/* --- the end of a line --- */

static void hang_up(struct directory_client *d, enum link_code code)
{
	struct link *link = d->link;

	if (d->state == STATE_ONLINE)
		account_set_online(d->rooms->account, NULL, NULL);
	line_clear(&d->line);
	d->link = NULL;
	d->check_at = NEVER;
	if (link)
		link_close(link, code, d->rooms->now);
	enter(d, STATE_REST, NEVER);
}

/* Full jitter: a directory that comes back is not met by everyone at once. */
static mono_ns backoff(struct directory_client *d)
{
	uint32_t cap = d->failures < 6 ? 1000u << d->failures : BACKOFF_MAX_MS;

	d->failures++;
	return (d->wait_ms + randombytes_uniform(cap + 1)) * MILLISECOND;
}

/* The line is gone (the link too): wait, then try again; a guest gives up. */
static void lost(struct directory_client *d, int err, const char *trouble)
{
	d->link = NULL;
	hang_up(d, LINK_CODE_BYE);
	if (d->is_guest) {
		account_guest_down(d->rooms->account, err, trouble);
		return;
	}
	account_set_trouble(d->rooms->account, err, trouble);
	enter(d, STATE_WAITING, backoff(d));
	d->wait_ms = 0;
}

static void drop(struct directory_client *d, int err, enum link_code code, const char *trouble)
{
	if (d->link)
		link_close(d->link, code, d->rooms->now);
	lost(d, err, trouble);
}

/* --- the way to a line --- */

static void dial(struct directory_client *d)
{
	const struct device_public *key = account_directory_key(d->rooms->account);
	struct link_target target = {
		.pattern = d->is_guest ? LINK_NK : LINK_IK,
		.device = *key,
		.knock = knock_of_directory(key),
		.token = buf_view(&d->token),
		.give_up_after = DIAL,
		.keep_alive = KEEP_ALIVE,
		.idle_timeout = SILENCE,
	};

	for (unsigned i = 0; i < d->address_count && i < CANDIDATES_MAX; i++)
		target.addresses[target.address_count++] = d->addresses[i];
	account_calls(d->rooms->account);
	enter(d, STATE_DIALLING, DIAL + SECOND);
	d->link = endpoint_dial(d->rooms->endpoint, &target, d->rooms->now);
	if (!d->link)
		lost(d, ERR_OFFLINE, N_("the directory cannot be reached from here"));
}

static void ask_key(struct directory_client *d)
{
	uint8_t question[KEY_QUERY_SIZE];

	key_query_encode(question, &d->nonce);
	for (unsigned i = 0; i < d->address_count; i++) {
		struct path path = { .remote = d->addresses[i] };

		endpoint_send_stray(d->rooms->endpoint, &path, BYTES(question));
	}
	d->ask_at = d->rooms->now + KEY_QUERY_RETRY_MS * MILLISECOND;
}

/* Addresses are known: now the key, then the link. */
static void found(struct directory_client *d)
{
	if (account_directory_key(d->rooms->account)) {
		dial(d);
		return;
	}
	randombytes_buf(&d->nonce, sizeof d->nonce);
	enter(d, STATE_ASKING_KEY, KEY_QUERY);
	ask_key(d);
}

static void begin(struct directory_client *d)
{
	struct account *a = d->rooms->account;
	enum standing standing = account_standing(a);
	const struct directory_place *place = account_place(a);
	char text[URI_HOST_MAX + 3];

	d->is_guest = account_is_becoming(a);
	enter(d, STATE_REST, NEVER);
	if (!d->is_guest && standing != STANDING_PENDING && standing != STANDING_MEMBER)
		return;
	if (d->has_here && account_directory_key(a) &&
	    device_public_equal(account_directory_key(a), &d->here_key)) {
		d->addresses[0] = d->here;
		d->address_count = 1;
		found(d);
		return;
	}
	snprintf(text, sizeof text, strchr(place->host, ':') ? "[%s]" : "%s", place->host);
	d->address_count = 0;
	if (address_parse(&d->addresses[0], text, place->port) == 0) {
		d->address_count = 1;
		found(d);
		return;
	}
	d->is_job_given = false;
	enter(d, STATE_RESOLVING, NEVER);
}

bool directory_client_next_job(struct directory_client *d, struct job *job)
{
	const struct directory_place *place = account_place(d->rooms->account);

	if (d->state != STATE_RESOLVING || d->is_job_given || is_restarting(d))
		return false;
	memset(job, 0, sizeof *job);
	job->kind = JOB_RESOLVE;
	job->ticket = ++d->job;
	memcpy(job->host, place->host, sizeof place->host);
	job->port = place->port;
	d->is_job_given = true;
	return true;
}

void directory_client_resolved(struct directory_client *d, const struct job *answer)
{
	if (d->state != STATE_RESOLVING || !d->is_job_given || answer->ticket != d->job)
		return;
	d->address_count = 0;
	for (unsigned i = 0; i < answer->address_count && i < JOB_ADDRESSES_MAX; i++)
		d->addresses[d->address_count++] = answer->addresses[i];
	if (answer->err < 0 || d->address_count == 0)
		lost(d, ERR_OFFLINE, N_("the directory's name cannot be resolved"));
	else
		found(d);
}

/* --- events of the link --- */

static void on_up(struct directory_client *d)
{
	line_begin(&d->line, d->link, WIRE_FROM_DIRECTORY);
	enter(d, STATE_UP, d->is_guest ? GUEST : WELCOME);
	if (d->is_guest)
		account_guest_up(d->rooms->account, link_handshake_hash(d->link));
}

static int on_refusal(struct directory_client *d, const struct wire_message *m);
static int on_leaving(struct directory_client *d, const struct wire_message *m);

static void wait_out_suspension(struct directory_client *d)
{
	/* Still a member: it may be lifted any time. */
	d->wait_ms = (SUSPENDED + randombytes_uniform(SUSPENDED)) * 1000;
}

/* The end comes together with the last that was said: why, and until when. */
static int last_words(struct directory_client *d)
{
	struct wire_message m;
	int err = 0;

	while (!err && d->line.link && line_next(&d->line, &m) == 1) {
		if (m.type == WIRE_LEAVING)
			on_leaving(d, &m);
		else if (m.type == WIRE_REFUSAL && m.refusal.error == ERR_SUSPENDED)
			err = ERR_SUSPENDED;
		else if (m.type == WIRE_REFUSAL && d->state != STATE_ONLINE)
			err = on_refusal(d, &m);
	}
	return err;
}

static void on_down(struct directory_client *d, const struct link_event *event)
{
	bool is_closed = event->error == ERR_CLOSED;
	const char *trouble = N_("the directory cannot be reached");
	int why = is_closed && !d->is_guest ? last_words(d) : 0;

	if (why == ERR_SUSPENDED) {
		wait_out_suspension(d);
		lost(d, why, SUSPENDED_TROUBLE);
		return;
	}
	if (is_closed && event->code == LINK_CODE_UNKNOWN && !d->is_guest) {
		d->link = NULL;
		hang_up(d, LINK_CODE_BYE);
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
		lost(d, ERR_EXISTS, N_("another copy of this home is connected"));
		return;
	}
	lost(d, event->error, trouble);
}

static void on_stray(struct directory_client *d, const struct link_event *event)
{
	struct device_public key;

	if (d->state != STATE_ASKING_KEY || is_restarting(d) ||
	    key_answer_decode(&key, event->data, &d->nonce) < 0)
		return;
	account_pin_directory(d->rooms->account, &key);
	dial(d);
}

bool directory_client_event(struct directory_client *d, const struct link_event *event)
{
	if (event->kind == STRAY) {
		on_stray(d, event);
		return true;
	}
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

/* --- what the directory says --- */

/* Beside 0 and errors: rooms above want to hear it. */
enum { FOR_OTHERS = 1 };

static int on_other(struct directory_client *d, const struct wire_message *m)
{
	(void)d;
	(void)m;
	return FOR_OTHERS;
}

static int on_presence(struct directory_client *d, const struct wire_message *m)
{
	struct account *a = d->rooms->account;

	if (name_equal(&m->presence.name, account_name(a)))
		account_told_devices(a, &m->presence.devices);
	return FOR_OTHERS;
}

static int on_welcome(struct directory_client *d, const struct wire_message *m)
{
	struct account *a = d->rooms->account;

	if (d->state != STATE_UP || !name_equal(&m->welcome.name, account_name(a)))
		return ERR_STATE;
	enter(d, STATE_ONLINE, NEVER);
	d->failures = 0;
	d->settled_at = d->rooms->now + SETTLED;
	own_candidates_set_observed(d->rooms->candidates, &m->welcome.observed);
	account_welcomed(a, &m->welcome);
	account_set_clock(a, m->welcome.now - d->rooms->wall);
	account_set_online(a, &m->welcome.observed, link_handshake_hash(d->link));
	return FOR_OTHERS;
}

/* Once online, an answer to what we asked; before, to who we are. */
static int on_refusal(struct directory_client *d, const struct wire_message *m)
{
	int err;

	if (m->refusal.error == ERR_SUSPENDED)
		return ERR_SUSPENDED;
	if (d->state == STATE_ONLINE) {
		err = account_message(d->rooms->account, m);
		return err < 0 ? err : FOR_OTHERS;
	}
	if (m->refusal.error == ERR_BUSY) {
		d->wait_ms = m->refusal.retry_after < 3600 ? m->refusal.retry_after * 1000
							   : 3600000;
		return ERR_BUSY;
	}
	return ERR_REFUSED;
}

static int on_check(struct directory_client *d, const struct wire_message *m)
{
	struct wire_message answer = { .type = WIRE_CHECK_ANSWER };

	answer.check_answer.nonce = m->check.nonce;
	return line_send(&d->line, &answer);
}

static int on_account(struct directory_client *d, const struct wire_message *m)
{
	return account_message(d->rooms->account, m);
}

static int on_leaving(struct directory_client *d, const struct wire_message *m)
{
	uint32_t seconds = m->leaving.retry_after < 3600 ? m->leaving.retry_after : 3600;

	d->wait_ms = seconds * 1000 + randombytes_uniform(seconds * 500 + 1);
	return 0;
}

static const struct {
	enum wire_type type;
	int (*hear)(struct directory_client *d, const struct wire_message *m);
	bool needs_welcome;
} rows[] = {
	{ WIRE_WELCOME, on_welcome, false },      { WIRE_REFUSAL, on_refusal, false },
	{ WIRE_CHECK, on_check, true },           { WIRE_PRESENCE, on_presence, true },
	{ WIRE_INTRODUCTION, on_other, true },    { WIRE_ASKED, on_other, true },
	{ WIRE_VAULT_PART, on_other, true },      { WIRE_VAULT_NOW, on_other, true },
	{ WIRE_LEAVING, on_leaving, false },      { WIRE_LOGIN_CHALLENGE, on_account, true },
	{ WIRE_LOGIN_DONE, on_account, true },    { WIRE_PASSWORD_CHALLENGE, on_account, true },
	{ WIRE_PASSWORD_DONE, on_account, true }, { WIRE_DEVICES_DONE, on_account, true },
	{ WIRE_RECOVERY_DONE, on_account, true }, { WIRE_DELETE_DONE, on_account, true },
};

static int on_message(struct directory_client *d, const struct wire_message *m)
{
	if (d->is_guest)
		return account_message(d->rooms->account, m);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (rows[i].type == m->type &&
		    (d->state == STATE_ONLINE || !rows[i].needs_welcome))
			return rows[i].hear(d, m);
	}
	return ERR_STATE;
}

static void on_broken(struct directory_client *d, int err)
{
	if (err == ERR_REFUSED && !d->is_guest) {
		hang_up(d, LINK_CODE_BYE);
		account_unknown(d->rooms->account);
	} else if (err == ERR_SUSPENDED && !d->is_guest) {
		wait_out_suspension(d);
		drop(d, err, LINK_CODE_BYE, SUSPENDED_TROUBLE);
	} else if (err == ERR_BUSY || err == ERR_CLOSED) {
		drop(d, err, LINK_CODE_BYE, N_("the directory is busy"));
	} else {
		drop(d, ERR_FORMAT, LINK_CODE_PROTOCOL, N_("the directory broke the protocol"));
	}
}

/* Whether it has said more than can be heard: what follows waits in the link, which then takes
 * no more. */
static bool is_flooding(struct directory_client *d)
{
	mono_ns passed = d->rooms->now - d->patient_at;

	if (passed >= HEARD_PAUSE) {
		d->patient_at = d->rooms->now;
		d->patience += passed > 100 * SECOND
				       ? HEARD_BURST
				       : (int64_t)(passed / MILLISECOND) * HEARD_RATE / 1000;
		if (d->patience > HEARD_BURST)
			d->patience = HEARD_BURST;
	}
	return d->patience < 0;
}

bool directory_client_next(struct directory_client *d, struct wire_message *m)
{
	size_t taken;
	int err = 0;

	if (!d->line.link || !d->line.is_readable || (d->line.taken == 0 && is_flooding(d)))
		return false;
	while (!is_restarting(d) &&
	       (taken = d->line.taken, err = line_next(&d->line, m)) == 1) {
		d->patience -= (int64_t)(d->line.taken - taken) + HEARD_MESSAGE;
		err = on_message(d, m);
		if (err == FOR_OTHERS)
			return true;
		if (err < 0)
			break;
	}
	if (is_restarting(d))
		return false;
	if (err < 0)
		on_broken(d, err);
	else if (d->line.is_readable)
		d->rooms->has_more = true;
	return false;
}

bool directory_client_take_settled(struct directory_client *d)
{
	if (d->rooms->now < d->settled_at)
		return false;
	d->settled_at = NEVER;
	return d->state == STATE_ONLINE;
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
		drop(d, ERR_TIMEOUT, LINK_CODE_BYE, N_("the directory does not answer"));
	} else {
		d->check_at = since + UNANSWERED;
	}
}

static void on_timeout(struct directory_client *d)
{
	d->until = NEVER;
	switch (d->state) {
	case STATE_WAITING:
		begin(d);
		break;
	case STATE_ASKING_KEY:
	case STATE_DIALLING:
	case STATE_UP:
		drop(d, ERR_TIMEOUT, LINK_CODE_BYE, N_("the directory cannot be reached"));
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
	if (is_restarting(d)) {
		account_called(d->rooms->account);
		d->is_restarting = false;
		d->failures = 0;
		hang_up(d, LINK_CODE_BYE);
		begin(d);
	}
	if (d->state == STATE_ASKING_KEY && now >= d->ask_at)
		ask_key(d);
	deadline = mono_earlier(d->until, mono_earlier(d->check_at, d->settled_at));
	if (d->state == STATE_ASKING_KEY)
		deadline = mono_earlier(deadline, d->ask_at);
	if (d->line.link && d->line.is_readable && d->patience < 0)
		deadline = mono_earlier(deadline, now + HEARD_PAUSE);
	return deadline;
}

bool directory_client_is_online(const struct directory_client *d)
{
	return d->state == STATE_ONLINE;
}

/* --- what we say --- */

void directory_client_send(struct directory_client *d, const struct wire_message *m)
{
	if (d->line.link && line_send(&d->line, m) == ERR_FULL)
		d->is_restarting = true;
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
	return d->line.link && !is_restarting(d) &&
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
	return is_restarting(d) ? d->rooms->now : d->check_at;
}
