/* Can a name that exists be told from one that does not by how long the directory takes? Samples
 * of one step of a directory, from the message that came in to the answer that goes out, for
 * real and unknown names in random order; prints both means and Welch's t. What is asserted is that
 * the answers are alike; how much t may be is for people to judge, since it hangs on the machine:
 * SAMPLES=N for more than a few hundred ("make timing"). The keys that recovery codes are checked with
 * differ a little from one another in what they take, so that with very many samples of
 * the same thousand names t also shows which keys chance has given to either side. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "shared/error.h"
#include "shared/proof.h"
#include "tests/small_client.h"

enum { NAMES = 1000, SAMPLES_SHORT = 400, SAMPLES_OF_A_LINK = 400 };

static struct small_net net;
static struct small_client *guest;
static struct wire_message m;
static unsigned samples = SAMPLES_SHORT;
static unsigned on_this_link;
static uint8_t ke1[OPAQUE_KE1_SIZE];

/* --- the directory: names from 0 exist, the same from NAMES do not --- */

static struct name name_of(unsigned number)
{
	struct name name;
	uint8_t hash[8];
	char hex[17];

	/* nothing but its being there tells one from another: not its place in an order either */
	crypto_generichash(hash, sizeof hash, (uint8_t *)&number, sizeof number, NULL, 0);
	sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
	assert_int_equal(name_parse(&name, bytes_text(hex)), 0);
	return name;
}

static void add_account(struct registry *r, unsigned number)
{
	struct registry_new account = { .name = name_of(number) };
	struct wire_newcomer newcomer = { 0 };
	struct wire_first_vault vault = { 0 };
	struct registry_answer a;

	opaque_server_fake_record(account.record);
	randombytes_buf(newcomer.certificate.device.bytes, 32);
	randombytes_buf(newcomer.devices.identity.bytes, 32);
	device_list_add(&newcomer.devices, &newcomer.certificate.device, "a device", 1);
	newcomer.devices.version = 1;
	account.newcomer = &newcomer;
	account.vault = &vault;
	r->create(r, 1, &account, net.wall);
	assert_true(r->next(r, &a));
	assert_int_equal(a.err, 0);
	if (number % 2) { /* half of them have a recovery code */
		struct wire_recovery_put put = { 0 };
		struct identity code;

		identity_make(&code);
		put.prove = code.public;
		r->put_recovery(r, 1, &account.name, &put);
		assert_true(r->next(r, &a));
	}
}

static int begin(void **state)
{
	struct server_config config = { .registration = REGISTRATION_OPEN,
					.has_limits = true,
					.limits = limits_default() };
	struct opaque_client_random random;
	static struct opaque_client c;

	(void)state;
	for (unsigned i = 0; i < LIMIT_COUNT; i++)
		config.limits.size[i] = (struct bucket_size){ 1000000, 1 };
	small_net_begin(&net, &config);
	for (unsigned i = 0; i < NAMES; i++)
		add_account(server_registry(net.server), i);
	guest = small_client_new(&net, "guest");
	opaque_client_random(&random);
	opaque_login_start(&c, bytes_text("a guess"), &random, ke1);
	on_this_link = SAMPLES_OF_A_LINK;
	return 0;
}

static int end(void **state)
{
	(void)state;
	small_net_end(&net);
	return 0;
}

/* --- measuring --- */

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The step of the directory that answers `say`. */
static double time_of(const struct wire_message *say)
{
	double start, end_at;

	small_client_say(guest, say);
	small_client_flush(guest);
	start = seconds();
	net.server_at = server_step(net.server, net.now, net.wall);
	end_at = seconds();
	small_net_run(&net, 60 * MILLISECOND);
	return end_at - start;
}

/* Guests do not stay for ever. */
static void renew(void)
{
	if (++on_this_link < SAMPLES_OF_A_LINK)
		return;
	if (guest->link)
		small_client_hang_up(guest);
	small_client_dial(guest, LINK_NK);
	assert_true(guest->is_up);
	on_this_link = 0;
}

static double time_login(const struct name *name)
{
	struct wire_message say = { .type = WIRE_LOGIN_START };
	double t;

	say.login_start.name = *name;
	memcpy(say.login_start.ke1, ke1, sizeof ke1);
	t = time_of(&say);
	assert_true(small_client_hears(guest, WIRE_LOGIN_CHALLENGE, &m));
	assert_int_equal(m.login_challenge.ksf, KSF_ARGON2ID_64M);
	say = (struct wire_message){ .type = WIRE_LOGIN_FINISH };
	time_of(&say);
	assert_true(small_client_hears(guest, WIRE_REFUSAL, &m));
	assert_int_equal(m.refusal.error, ERR_AUTH);
	return t;
}

static double time_recovery(const struct name *name)
{
	struct wire_message say = { .type = WIRE_RECOVER };
	struct identity code;
	double t;

	identity_make(&code);
	say.recover.name = *name;
	proof_recover(say.recover.proof, &code, link_handshake_hash(guest->link), name);
	t = time_of(&say);
	assert_true(small_client_hears(guest, WIRE_REFUSAL, &m));
	assert_int_equal(m.refusal.about, WIRE_RECOVER);
	assert_int_equal(m.refusal.error, ERR_AUTH);
	assert_int_equal(m.refusal.retry_after, 0);
	return t;
}

/* --- figures --- */

struct sums {
	double n, mean, m2;
};

static void add(struct sums *s, double x)
{
	double delta = x - s->mean;

	s->n++;
	s->mean += delta / s->n;
	s->m2 += delta * (x - s->mean);
}

static double welch(const struct sums *a, const struct sums *b)
{
	double va = a->m2 / (a->n - 1) / a->n, vb = b->m2 / (b->n - 1) / b->n;

	return (a->mean - b->mean) / sqrt(va + vb);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Of all, and without the slowest tenth, which is other programs' doing. */
static void print(const char *what, const double *time, const bool *is_real)
{
	double *sorted = memory_array(samples, sizeof *sorted), limit;
	struct sums all[2] = { 0 }, most[2] = { 0 };

	memcpy(sorted, time, samples * sizeof *sorted);
	qsort(sorted, samples, sizeof *sorted, compare);
	limit = sorted[samples * 9 / 10];
	for (unsigned i = 0; i < samples; i++) {
		add(&all[is_real[i]], time[i]);
		if (time[i] < limit)
			add(&most[is_real[i]], time[i]);
	}
	printf("%s: n %u, real %.2f us, unknown %.2f us, t %.2f;"
	       " fastest nine tenths: real %.2f us, unknown %.2f us, t %.2f\n",
	       what, samples, all[1].mean * 1e6, all[0].mean * 1e6, welch(&all[1], &all[0]),
	       most[1].mean * 1e6, most[0].mean * 1e6, welch(&most[1], &most[0]));
	free(sorted);
}

static void measure(const char *what, double (*time_one)(const struct name *name))
{
	double *time = memory_array(samples, sizeof *time);
	bool *is_real = memory_array(samples, sizeof *is_real);

	for (unsigned i = 0; i < samples; i++) {
		unsigned number = randombytes_uniform(2 * NAMES);
		struct name name = name_of(number);

		renew();
		is_real[i] = number < NAMES;
		time[i] = time_one(&name);
	}
	print(what, time, is_real);
	free(time);
	free(is_real);
}

static void a_login_of_nobody_is_answered_like_any_other(void **state)
{
	(void)state;
	measure("LOGIN_START", time_login);
}

static void a_recovery_of_nobody_is_refused_like_any_other(void **state)
{
	(void)state;
	measure("RECOVER", time_recovery);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_login_of_nobody_is_answered_like_any_other,
						begin, end),
		cmocka_unit_test_setup_teardown(a_recovery_of_nobody_is_refused_like_any_other,
						begin, end),
	};
	const char *wanted = getenv("SAMPLES");

	if (sodium_init() < 0)
		return 1;
	if (wanted && atoi(wanted) >= 10)
		samples = (unsigned)atoi(wanted);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
