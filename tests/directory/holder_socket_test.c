#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "directory/commands.h"
#include "directory/holder_socket.h"
#include "directory/keyholder.h"
#include "directory/keyholder_child.h"
#include "directory/keyholder_process.h"
#include "directory/sandbox.h"
#include "directory/secrets.h"
#include "shared/error.h"

/* The test is the key-holder at the other end of a pair of sockets, or has a real one in a
 * process of its own. */
static struct opaque_server secrets;
static struct keyholder *core;
static uv_loop_t loop;
static struct holder *holder;
static int other_end = -1; /* of the line that was dialled last */
static unsigned dialled, told;
static bool is_away;

static int dial_us(void *user)
{
	int pair[2];

	(void)user;
	dialled++;
	if (is_away)
		return ERR_OFFLINE;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	if (other_end >= 0)
		close(other_end);
	other_end = pair[1];
	return pair[0];
}

static void on_answers(void *user)
{
	(void)user;
	told++;
}

static int begin(void **state)
{
	struct keyholder_limits limits = keyholder_limits_default();
	struct holder_dialer dialer = { .dial = dial_us };

	(void)state;
	opaque_server_make(&secrets);
	core = keyholder_new(&secrets, &limits);
	is_away = false;
	dialled = told = 0;
	uv_loop_init(&loop);
	holder = holder_socket_new(&loop, &dialer, on_answers, NULL);
	return 0;
}

static int end(void **state)
{
	(void)state;
	holder->close(holder);
	uv_run(&loop, UV_RUN_DEFAULT);
	if (other_end >= 0)
		close(other_end);
	other_end = -1;
	keyholder_free(core);
	return uv_loop_close(&loop); /* not 0 where a handle was left */
}

/* Runs the loop until `count` questions have come. */
static void hear(uint8_t *questions, unsigned count)
{
	size_t size = 0, wanted = (size_t)count * HOLDING_QUESTION_SIZE;

	while (size < wanted) {
		ssize_t got;

		uv_run(&loop, UV_RUN_NOWAIT);
		got = other_end < 0
			      ? 0
			      : recv(other_end, questions + size, wanted - size, MSG_DONTWAIT);
		if (got > 0)
			size += (size_t)got;
	}
}

static void answer(const uint8_t *question)
{
	uint8_t frame[HOLDING_ANSWER_SIZE];

	assert_int_equal(keyholder_answer(core, question, frame, SECOND), 0);
	assert_int_equal(write(other_end, frame, sizeof frame), sizeof frame);
}

static void become_acquainted(void)
{
	uint8_t question[HOLDING_QUESTION_SIZE];

	hear(question, 1);
	answer(question);
	assert_int_equal(holder_socket_meet(holder, 10 * SECOND, false), 0);
}

static void ask(struct holder *h, uint64_t ticket, uint8_t blinded[32])
{
	struct name ana = { "ana" };
	uint8_t keyshare[32];

	crypto_core_ristretto255_random(blinded);
	crypto_core_ristretto255_random(keyshare);
	h->ask(h, ticket, &ana, blinded, keyshare);
}

static struct holder_answer next(void)
{
	struct holder_answer a;

	while (!holder->next(holder, &a))
		uv_run(&loop, UV_RUN_ONCE);
	return a;
}

static void the_key_is_asked_for_first(void **state)
{
	uint8_t question[HOLDING_QUESTION_SIZE], blinded[32];
	struct holding_question q;

	(void)state;
	assert_null(holder->public_key(holder));
	assert_false(holder->is_there(holder));
	hear(question, 1);
	assert_int_equal(holding_read_question(&q, question), 0);
	assert_int_equal(q.kind, HOLDING_KEY);
	ask(holder, 1, blinded); /* too early */
	assert_int_equal(next().err, ERR_OFFLINE);
	answer(question);
	assert_int_equal(holder_socket_meet(holder, 10 * SECOND, false), 0);
	assert_true(holder->is_there(holder));
	assert_memory_equal(holder->public_key(holder), secrets.public, 32);
}

static void many_are_asked_at_once_and_answered_in_order(void **state)
{
	enum { MANY = 100 };
	uint8_t questions[MANY * HOLDING_QUESTION_SIZE], blinded[MANY][32];

	(void)state;
	become_acquainted();
	told = 0;
	for (int i = 0; i < MANY; i++)
		ask(holder, 1000 + i, blinded[i]);
	hear(questions, MANY);
	for (int i = 0; i < MANY; i++)
		answer(questions + i * HOLDING_QUESTION_SIZE);
	for (int i = 0; i < MANY; i++) {
		struct holder_answer a = next();
		struct opaque_held expected;

		assert_int_equal(a.ticket, 1000 + i);
		assert_int_equal(a.err, 0);
		opaque_hold(&secrets, bytes_text("ana"), blinded[i], NULL, &expected);
		assert_memory_equal(a.held.evaluated, expected.evaluated, 32);
	}
	while (!told)
		uv_run(&loop, UV_RUN_ONCE);
}

static void what_is_outstanding_when_the_line_breaks_is_told(void **state)
{
	uint8_t questions[3 * HOLDING_QUESTION_SIZE], blinded[32];

	(void)state;
	become_acquainted();
	for (int i = 0; i < 3; i++)
		ask(holder, i, blinded);
	hear(questions, 3);
	answer(questions);
	assert_int_equal(next().err, 0);
	close(other_end);
	other_end = -1;
	for (int i = 1; i < 3; i++) {
		struct holder_answer a = next();

		assert_int_equal(a.ticket, i);
		assert_int_equal(a.err, ERR_OFFLINE);
	}
	assert_false(holder->is_there(holder));
	assert_non_null(holder->public_key(holder)); /* known once and for all */
	/* and it is dialled anew */
	become_acquainted();
	assert_int_equal(dialled, 2);
	ask(holder, 9, blinded);
	hear(questions, 1);
	answer(questions);
	assert_int_equal(next().err, 0);
}

static void another_key_than_before_is_not_spoken_with(void **state)
{
	uint8_t question[HOLDING_QUESTION_SIZE], byte;
	struct keyholder_limits limits = keyholder_limits_default();
	struct opaque_server right = secrets;

	(void)state;
	become_acquainted();
	close(other_end);
	other_end = -1;
	opaque_server_make(&secrets);
	keyholder_free(core);
	core = keyholder_new(&secrets, &limits);
	hear(question, 1);
	answer(question);
	while (recv(other_end, &byte, 1, MSG_DONTWAIT) != 0) /* until we are hung up on */
		uv_run(&loop, UV_RUN_ONCE);
	assert_false(holder->is_there(holder));
	assert_memory_equal(holder->public_key(holder), right.public, 32);
	secrets = right;
	become_acquainted();
}

static void who_says_nonsense_is_hung_up_on(void **state)
{
	uint8_t question[HOLDING_QUESTION_SIZE], blinded[32], byte;
	uint8_t nonsense[HOLDING_ANSWER_SIZE] = { 99 };

	(void)state;
	become_acquainted();
	ask(holder, 5, blinded);
	hear(question, 1);
	assert_int_equal(write(other_end, nonsense, sizeof nonsense), sizeof nonsense);
	assert_int_equal(next().err, ERR_OFFLINE);
	assert_int_equal(recv(other_end, &byte, 1, 0), 0);
	become_acquainted();
	/* an answer nobody asked for */
	answer(question);
	assert_int_equal(recv(other_end, &byte, 1, MSG_DONTWAIT), -1);
	while (holder->is_there(holder))
		uv_run(&loop, UV_RUN_ONCE);
	assert_int_equal(recv(other_end, &byte, 1, 0), 0);
}

static void answers_in_another_order_are_not_believed(void **state)
{
	uint8_t questions[2 * HOLDING_QUESTION_SIZE], blinded[32];

	(void)state;
	become_acquainted();
	ask(holder, 1, blinded);
	ask(holder, 2, blinded);
	hear(questions, 2);
	answer(questions + HOLDING_QUESTION_SIZE);
	assert_int_equal(next().err, ERR_OFFLINE);
	assert_int_equal(next().err, ERR_OFFLINE);
	assert_false(holder->is_there(holder));
}

static void who_is_away_is_dialled_again_and_again(void **state)
{
	(void)state;
	is_away = true;
	while (dialled < 4)
		uv_run(&loop, UV_RUN_ONCE);
	assert_int_equal(holder_socket_meet(holder, MILLISECOND, false), ERR_OFFLINE);
	is_away = false;
	become_acquainted();
}

/* --- processes --- */

static char folder[64], apart[96], socket_path[96];

static void make_folder(void)
{
	char reason[512];

	snprintf(folder, sizeof folder, "/tmp/palique-holder-XXXXXX");
	assert_non_null(mkdtemp(folder));
	assert_int_equal(chmod(folder, 0755), 0);
	snprintf(apart, sizeof apart, "%s/keyholder", folder);
	snprintf(socket_path, sizeof socket_path, "%s/socket", folder);
	assert_int_equal(secrets_make(apart, reason, sizeof reason), 0);
}

static void remove_folder(void)
{
	char path[128];

	snprintf(path, sizeof path, "%s/secrets", apart);
	unlink(path);
	unlink(socket_path);
	rmdir(apart);
	assert_int_equal(rmdir(folder), 0);
}

static pid_t start(const struct keyholder_process *config)
{
	pid_t pid = fork();
	char reason[512] = "";

	assert_true(pid >= 0);
	if (pid)
		return pid;
	_exit(keyholder_process_run(config, reason, sizeof reason) < 0);
}

static int wait_for(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

/* One question by whoever we are; 0, or why not. */
static int ask_alone(void)
{
	struct holder_dialer dialer = holder_dialer_path(socket_path);
	struct holder *h = holder_socket_alone(&dialer);
	int err = holder_socket_meet(h, 10 * SECOND, true);
	struct holder_answer a = { 0 };
	uint8_t blinded[32];

	if (!err) {
		ask(h, 77, blinded);
		assert_true(h->next(h, &a));
		assert_int_equal(a.ticket, 77);
		err = a.err;
	}
	h->close(h);
	return err;
}

static void a_process_answers_dies_and_ends(void **state)
{
	struct keyholder_process config;
	pid_t pid;
	int status;

	(void)state;
	make_folder();
	config = (struct keyholder_process){ .folder = apart,
					     .line = -1,
					     .socket = socket_path };
	pid = start(&config);
	assert_int_equal(ask_alone(), 0);
	assert_int_equal(ask_alone(), 0);
	kill(pid, SIGKILL);
	wait_for(pid);
	/* the dead socket is replaced */
	pid = start(&config);
	assert_int_equal(ask_alone(), 0);
	/* a living one is not */
	assert_int_equal(WEXITSTATUS(wait_for(start(&config))), 1);
	assert_int_equal(ask_alone(), 0);
	kill(pid, SIGTERM);
	status = wait_for(pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	remove_folder();
}

static void only_allowed_users_are_heard(void **state)
{
	struct keyholder_process config;
	pid_t pid, asker;

	(void)state;
	if (geteuid() != 0)
		skip(); /* only root can be two people */
	make_folder();
	config = (struct keyholder_process){
		.folder = apart,
		.line = -1,
		.socket = socket_path,
		.allowed = { 12345 },
		.allowed_count = 1,
	};
	pid = start(&config);
	assert_int_equal(ask_alone(), 0);
	for (uid_t uid = 12344; uid <= 12346; uid++) {
		asker = fork();
		if (!asker)
			_exit(setresuid(uid, uid, uid) < 0 ? 99 : -ask_alone());
		assert_int_equal(WEXITSTATUS(wait_for(asker)), uid == 12345 ? 0 : -ERR_CLOSED);
	}
	kill(pid, SIGTERM);
	wait_for(pid);
	remove_folder();
}

static void what_is_no_socket_is_not_replaced(void **state)
{
	struct keyholder_process config;
	char reason[512];
	int fd;

	(void)state;
	make_folder();
	fd = open(socket_path, O_WRONLY | O_CREAT, 0600);
	close(fd);
	config = (struct keyholder_process){
		.folder = apart, .line = -1, .socket = socket_path, .is_unprotected = true
	};
	assert_int_equal(keyholder_process_run(&config, reason, sizeof reason), ERR_EXISTS);
	assert_int_equal(access(socket_path, F_OK), 0);
	remove_folder();
}

static void a_child_is_started_anew_when_it_dies(void **state)
{
	struct holder_dialer dialer;
	struct holder *h;
	uint8_t blinded[32], key[32];
	struct holder_answer a;

	(void)state;
	make_folder();
	dialer = keyholder_child(apart, NULL, false);
	h = holder_socket_alone(&dialer);
	assert_int_equal(holder_socket_meet(h, 30 * SECOND, true), 0);
	memcpy(key, h->public_key(h), sizeof key);
	for (int i = 0; i < 3; i++) {
		ask(h, i, blinded);
		assert_true(h->next(h, &a));
		assert_int_equal(a.err, 0);
	}
	/* whose process id we do not know: the only child of ours is it */
	{
		char path[64], line[64] = "";
		FILE *f;

		snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
		f = fopen(path, "r");
		if (f && fgets(line, sizeof line, f) && atoi(line) > 1)
			kill(atoi(line), SIGKILL);
		if (f)
			fclose(f);
	}
	/* dead now or in a moment: a question is answered, or refused, but never lost */
	ask(h, 50, blinded);
	assert_true(h->next(h, &a));
	assert_int_equal(a.ticket, 50);
	assert_true(a.err == 0 || a.err == ERR_OFFLINE);
	while (a.err) {
		assert_int_equal(holder_socket_meet(h, 30 * SECOND, false), 0);
		ask(h, 51, blinded);
		assert_true(h->next(h, &a));
	}
	assert_memory_equal(h->public_key(h), key, sizeof key);
	h->close(h);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	remove_folder();
}

static void a_child_without_secrets_is_given_up(void **state)
{
	struct holder_dialer dialer = keyholder_child("/nonexistent/palique", NULL, false);
	struct holder *h = holder_socket_alone(&dialer);

	(void)state;
	assert_int_equal(holder_socket_meet(h, 30 * SECOND, true), ERR_CLOSED);
	h->close(h);
}

/* --- what is given up --- */

static void in_the_sandbox(void (*what)(void), int expected_signal)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		struct sandbox s = { 0 };
		char reason[512];

		if (sandbox_enter(&s, reason, sizeof reason) < 0)
			_exit(1);
		what();
		_exit(0);
	}
	status = wait_for(pid);
	if (expected_signal) {
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), expected_signal);
	} else {
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
	}
}

static void do_nothing(void)
{
}

static void do_open(void)
{
	(void)!open("/etc/hostname", O_RDONLY);
}

static void do_socket(void)
{
	(void)!socket(AF_INET, SOCK_STREAM, 0);
}

static void do_execute(void)
{
	execl("/bin/true", "true", (char *)NULL);
}

static void do_fork(void)
{
	if (fork() == 0)
		_exit(0);
}

static void do_write_elsewhere(void)
{
	if (write(7, "x", 1) != -1 || errno != EBADF)
		abort();
}

static void what_was_given_up_ends_who_tries_it(void **state)
{
	(void)state;
	in_the_sandbox(do_nothing, 0);
	in_the_sandbox(do_open, SIGSYS);
	in_the_sandbox(do_socket, SIGSYS);
	in_the_sandbox(do_execute, SIGSYS);
	in_the_sandbox(do_fork, SIGSYS);
	assert_int_equal(dup2(2, 7), 7);
	in_the_sandbox(do_write_elsewhere, 0);
	close(7);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
#define ROW(name) cmocka_unit_test_setup_teardown(name, begin, end)
		ROW(the_key_is_asked_for_first),
		ROW(many_are_asked_at_once_and_answered_in_order),
		ROW(what_is_outstanding_when_the_line_breaks_is_told),
		ROW(another_key_than_before_is_not_spoken_with),
		ROW(who_says_nonsense_is_hung_up_on),
		ROW(answers_in_another_order_are_not_believed),
		ROW(who_is_away_is_dialled_again_and_again),
		cmocka_unit_test(a_process_answers_dies_and_ends),
		cmocka_unit_test(only_allowed_users_are_heard),
		cmocka_unit_test(what_is_no_socket_is_not_replaced),
		cmocka_unit_test(a_child_is_started_anew_when_it_dies),
		cmocka_unit_test(a_child_without_secrets_is_given_up),
		cmocka_unit_test(what_was_given_up_ends_who_tries_it),
	};

	if (sodium_init() < 0)
		return 1;
	signal(SIGPIPE, SIG_IGN);
	/* begun anew as the child of a test */
	if (argc > 2 && strcmp(argv[1], "keyholder") == 0)
		return commands_run(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
