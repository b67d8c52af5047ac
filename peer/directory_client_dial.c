#include "peer/directory_client_inside.h"

#include <sodium.h>
#include <string.h>

#include "peer/account.h"
#include "peer/candidates.h"
#include "shared/error.h"
#include "shared/text.h"

#define KEEP_ALIVE     (24500 * MILLISECOND) /* homes forget a UDP mapping after 30 s */
#define SILENCE        (60 * SECOND)
#define DIAL           (10 * SECOND)
#define KEY_QUERY      (5 * SECOND)
#define ABSENT         (1500 * MILLISECOND) /* and two more Initials: it would have answered */
#define SUSPENDED      60 /* seconds, and as many at random: then look again */
#define BACKOFF_MAX_MS 60000

/* --- the end of a line --- */

bool directory_client_is_restarting(const struct directory_client *d)
{
	return d->is_restarting || account_wants_call(d->rooms->account);
}

void directory_client_enter(struct directory_client *d, enum state state, mono_ns length)
{
	d->state = state;
	d->until = length == NEVER ? NEVER : d->rooms->now + length;
}

void directory_client_hang_up(struct directory_client *d, enum link_code code)
{
	struct link *link = d->link;

	if (d->state == STATE_ONLINE)
		account_set_online(d->rooms->account, NULL, NULL);
	line_clear(&d->line);
	d->link = NULL;
	d->check_at = NEVER;
	if (link)
		link_close(link, code, d->rooms->now);
	directory_client_enter(d, STATE_REST, NEVER);
}

/* Full jitter: a directory that comes back is not met by everyone at once. */
static mono_ns backoff(struct directory_client *d)
{
	uint32_t cap = d->failures < 6 ? 1000u << d->failures : BACKOFF_MAX_MS;

	d->failures++;
	return (d->wait_ms + randombytes_uniform(cap + 1)) * MILLISECOND;
}

void directory_client_lost(struct directory_client *d, int err, const char *trouble)
{
	d->link = NULL;
	directory_client_hang_up(d, LINK_CODE_BYE);
	if (d->is_guest) {
		account_guest_down(d->rooms->account, err, trouble);
		return;
	}
	account_set_trouble(d->rooms->account, err, trouble);
	directory_client_enter(d, STATE_WAITING, backoff(d));
	d->wait_ms = 0;
}

void directory_client_drop(struct directory_client *d, int err, enum link_code code,
			   const char *trouble)
{
	if (d->link)
		link_close(d->link, code, d->rooms->now);
	directory_client_lost(d, err, trouble);
}

void directory_client_wait_out_suspension(struct directory_client *d)
{
	/* Still a member: it may be lifted any time. */
	d->wait_ms = (SUSPENDED + randombytes_uniform(SUSPENDED)) * 1000;
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
	directory_client_enter(d, STATE_DIALLING, DIAL + SECOND);
	d->link = endpoint_dial(d->rooms->endpoint, &target, d->rooms->now);
	if (!d->link)
		directory_client_lost(d, ERR_OFFLINE,
				      N_("the directory cannot be reached from here"));
}

void directory_client_ask_key(struct directory_client *d)
{
	uint8_t question[KEY_QUERY_SIZE];

	key_query_encode(question, &d->nonce);
	for (unsigned i = 0; i < d->address_count; i++) {
		struct path path = { .remote = d->addresses[i] };

		endpoint_send_stray(d->rooms->endpoint, &path, BYTES(question), 0);
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
	directory_client_enter(d, STATE_ASKING_KEY, KEY_QUERY);
	directory_client_ask_key(d);
}

void directory_client_begin(struct directory_client *d)
{
	struct account *a = d->rooms->account;
	enum standing standing = account_standing(a);
	const struct directory_place *place = account_place(a);

	d->is_guest = account_is_becoming(a);
	directory_client_enter(d, STATE_REST, NEVER);
	if (!d->is_guest && standing != STANDING_PENDING && standing != STANDING_MEMBER) {
		d->away_at = NEVER;
		return;
	}
	d->away_at = mono_earlier(d->away_at, d->rooms->now + ABSENT);
	if (d->has_here && account_directory_key(a) &&
	    device_public_equal(account_directory_key(a), &d->here_key)) {
		d->addresses[0] = d->here;
		d->address_count = 1;
		found(d);
		return;
	}
	d->address_count = 0;
	if (place_address(place, &d->addresses[0]) == 0) {
		d->address_count = 1;
		found(d);
		return;
	}
	d->is_job_given = false;
	directory_client_enter(d, STATE_RESOLVING, NEVER);
}

bool directory_client_next_job(struct directory_client *d, struct job *job)
{
	const struct directory_place *place = account_place(d->rooms->account);

	if (d->state != STATE_RESOLVING || d->is_job_given || directory_client_is_restarting(d))
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
		directory_client_lost(d, ERR_OFFLINE,
				      N_("the directory's name cannot be resolved"));
	else
		found(d);
}

bool directory_client_on_stray(struct directory_client *d, const struct link_event *event)
{
	struct device_public key;

	if (d->state != STATE_ASKING_KEY || directory_client_is_restarting(d) ||
	    key_answer_decode(&key, event->data, &d->nonce) < 0)
		return false;
	account_pin_directory(d->rooms->account, &key);
	dial(d);
	return true;
}
