#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>
#include <sys/resource.h>

#include "shared/error.h"
#include "shared/worker.h"

struct answers {
	unsigned count;
	struct job last;
	uint64_t tickets;
};

static void on_answer(void *user, const struct job *answer)
{
	struct answers *a = user;

	a->count++;
	a->last = *answer;
	a->tickets |= answer->ticket;
}

static struct job resolve(const char *host, uint16_t port)
{
	struct job job = { .kind = JOB_RESOLVE, .port = port, .ticket = 1 };

	memcpy(job.host, host, strlen(host) + 1);
	job_run(&job);
	return job;
}

static void numbers_are_resolved_without_asking_anybody(void **state)
{
	struct job job = resolve("192.0.2.7", 7272);
	char text[ADDRESS_TEXT_SIZE];

	(void)state;
	assert_int_equal(job.err, 0);
	assert_int_equal(job.address_count, 1);
	address_print(&job.addresses[0], text);
	assert_string_equal(text, "192.0.2.7:7272");
	job = resolve("2001:db8::1", 1);
	assert_int_equal(job.err, 0);
	assert_int_equal(job.address_count, 1);
	address_print(&job.addresses[0], text);
	assert_string_equal(text, "[2001:db8::1]:1");
}

static void the_name_of_this_machine_is_resolved(void **state)
{
	struct job job = resolve("localhost", 5);

	(void)state;
	assert_int_equal(job.err, 0);
	assert_true(job.address_count >= 1);
	for (unsigned i = 0; i < job.address_count; i++) {
		assert_true(address_is_loopback(&job.addresses[i]));
		assert_int_equal(job.addresses[i].port, 5);
		for (unsigned j = 0; j < i; j++)
			assert_false(address_equal(&job.addresses[i], &job.addresses[j]));
	}
}

static void what_is_no_host_has_no_address(void **state)
{
	struct job job = resolve("", 1);

	(void)state;
	assert_int_equal(job.err, ERR_FORMAT);
	job = resolve("no such host", 1);
	assert_true(job.err < 0);
	assert_int_equal(job.address_count, 0);
	memset(job.host, 'a', sizeof job.host); /* without its end */
	job_run(&job);
	assert_int_equal(job.err, ERR_FORMAT);
}

static void a_password_is_stretched_as_the_table_says(void **state)
{
	struct job job = { .kind = JOB_STRETCH,
			   .ksf = KSF_ARGON2ID_64M,
			   .stretch = "password" };
	uint8_t expected[64];

	(void)state;
	assert_int_equal(ksf_stretch(KSF_ARGON2ID_64M, job.stretch, expected), 0);
	job_run(&job);
	assert_int_equal(job.err, 0);
	assert_memory_equal(job.stretch, expected, 64);
}

static void work_is_done_in_the_answer(void **state)
{
	struct job job = { .kind = JOB_WORK, .work = { .challenge = "w", .bits = 10 } };

	(void)state;
	job_run(&job);
	assert_int_equal(job.err, 0);
	assert_true(work_check(&job.work, job.nonce));
	job.work.bits = WORK_BITS_MAX + 1;
	job_run(&job);
	assert_int_equal(job.err, ERR_LIMIT);
}

static int map_nothing(struct job *job)
{
	job->life = 7;
	return ERR_REFUSED;
}

static void what_others_do_is_learned_from_them(void **state)
{
	struct job job = { .kind = JOB_UPNP };

	(void)state;
	job_run(&job);
	assert_int_equal(job.err, ERR_NOT_FOUND);
	worker_learn(JOB_UPNP, map_nothing);
	job_run(&job);
	assert_int_equal(job.err, ERR_REFUSED);
	assert_int_equal(job.life, 7);
}

static void each_answer_comes_on_the_loop_with_its_ticket(void **state)
{
	struct answers answers = { 0 };
	struct job job = { .kind = JOB_RESOLVE, .host = "127.0.0.1", .port = 9 };
	uv_loop_t loop;

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	for (unsigned i = 0; i < 8; i++) {
		job.ticket = 1u << i;
		worker_run(&loop, &job, on_answer, &answers);
	}
	assert_int_equal(answers.count, 0); /* never from inside the call */
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(answers.count, 8);
	assert_int_equal(answers.tickets, 0xff);
	assert_int_equal(answers.last.err, 0);
	assert_int_equal(answers.last.address_count, 1);
	assert_int_equal(uv_loop_close(&loop), 0);
}

static int say_priority(struct job *job)
{
	job->code = getpriority(PRIO_PROCESS, 0);
	return 0;
}

static void jobs_let_the_loop_go_first(void **state)
{
	struct job job = { .kind = JOB_UPNP };
	uv_loop_t loop;
	int own = getpriority(PRIO_PROCESS, 0);
	int behind = own + WORKER_BEHIND < 19 ? own + WORKER_BEHIND : 19;

	(void)state;
	worker_learn(JOB_UPNP, say_priority);
	assert_int_equal(uv_loop_init(&loop), 0);
	for (unsigned i = 0; i < 16;
	     i++) { /* some in the same thread: it goes back no further */
		struct answers answers = { 0 };

		worker_run(&loop, &job, on_answer, &answers);
		uv_run(&loop, UV_RUN_DEFAULT);
		assert_int_equal(answers.last.code, behind);
	}
	assert_int_equal(getpriority(PRIO_PROCESS, 0), own);
	assert_int_equal(uv_loop_close(&loop), 0);
}

/* The last one: whoever stops does no work any more. */
static void work_does_not_keep_a_program_that_ends(void **state)
{
	struct answers answers = { 0 };
	struct job job = { .kind = JOB_WORK, .work = { .bits = WORK_BITS_MAX } };
	uv_loop_t loop;

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	worker_run(&loop, &job, on_answer, &answers);
	worker_stop();
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(answers.count, 1);
	assert_int_equal(answers.last.err, ERR_CLOSED);
	assert_true(worker_has_stopped());
	assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_resolved_without_asking_anybody),
		cmocka_unit_test(the_name_of_this_machine_is_resolved),
		cmocka_unit_test(what_is_no_host_has_no_address),
		cmocka_unit_test(a_password_is_stretched_as_the_table_says),
		cmocka_unit_test(work_is_done_in_the_answer),
		cmocka_unit_test(what_others_do_is_learned_from_them),
		cmocka_unit_test(each_answer_comes_on_the_loop_with_its_ticket),
		cmocka_unit_test(jobs_let_the_loop_go_first),
		cmocka_unit_test(work_does_not_keep_a_program_that_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
