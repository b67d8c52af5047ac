#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "peer/config.h"
#include "peer/home.h"
#include "shared/error.h"
#include "tests/scratch.h"

static char folder[256];
static char reason[512];
static unsigned next_folder;

/* A folder of its own for each test. */
static int fresh(void **state)
{
	(void)state;
	umask(022); /* a home is closed to others all the same */
	snprintf(folder, sizeof folder, "%s/%u", scratch, next_folder++);
	reason[0] = '\0';
	return 0;
}

static void write_file(const struct home *home, const char *name, const char *text, mode_t mode)
{
	char path[HOME_PATH_MAX];
	int fd;

	assert_int_equal(home_path(home, name, path), 0);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	fchmod(fd, mode);
	close(fd);
}

static void a_missing_home_is_made_for_its_owner_alone(void **state)
{
	struct home home;
	struct stat st;
	char deep[300];

	(void)state;
	snprintf(deep, sizeof deep, "%s/a/b", folder);
	assert_int_equal(home_find(&home, deep, reason, sizeof reason), 0);
	assert_int_equal(stat(home.folder, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_non_null(strstr(home.socket, "/a/b/engine.sock"));
}

static void the_option_wins_over_the_environment_and_that_over_xdg(void **state)
{
	struct home home;
	char one[300], two[300];

	(void)state;
	snprintf(one, sizeof one, "%s/one", folder);
	snprintf(two, sizeof two, "%s/two", folder);
	setenv("PALIQUE_HOME", one, 1);
	setenv("XDG_DATA_HOME", two, 1);
	assert_int_equal(home_find(&home, folder, reason, sizeof reason), 0);
	assert_string_equal(home.folder, folder);
	assert_int_equal(home_find(&home, NULL, reason, sizeof reason), 0);
	assert_string_equal(home.folder, one);
	unsetenv("PALIQUE_HOME");
	assert_int_equal(home_find(&home, NULL, reason, sizeof reason), 0);
	assert_non_null(strstr(home.folder, "/two/palique"));
	unsetenv("XDG_DATA_HOME");
	setenv("HOME", one, 1);
	assert_int_equal(home_find(&home, NULL, reason, sizeof reason), 0);
	assert_non_null(strstr(home.folder, "/one/.local/share/palique"));
}

static void a_home_that_others_can_write_is_refused(void **state)
{
	struct home home;

	(void)state;
	assert_int_equal(home_find(&home, folder, reason, sizeof reason), 0);
	chmod(folder, 0777);
	assert_int_equal(home_find(&home, folder, reason, sizeof reason), ERR_REFUSED);
	assert_non_null(strstr(reason, "chmod 700"));
}

static void a_long_path_puts_the_socket_into_the_runtime_folder(void **state)
{
	struct home home, other;
	char deep[600], run[300];

	(void)state;
	snprintf(deep, sizeof deep, "%s/%0150d", folder, 1);
	snprintf(run, sizeof run, "%s", scratch);
	setenv("XDG_RUNTIME_DIR", run, 1);
	assert_int_equal(home_find(&home, deep, reason, sizeof reason), 0);
	assert_true(strlen(home.socket) < HOME_SOCKET_MAX);
	assert_int_equal(strncmp(home.socket, run, strlen(run)), 0);
	snprintf(deep, sizeof deep, "%s/%0150d", folder, 2);
	assert_int_equal(home_find(&other, deep, reason, sizeof reason), 0);
	assert_string_not_equal(home.socket, other.socket);
	unsetenv("XDG_RUNTIME_DIR");
	assert_int_equal(home_find(&home, deep, reason, sizeof reason), ERR_LIMIT);
}

static void one_process_holds_the_home_at_a_time(void **state)
{
	struct home home;
	int lock, status;

	(void)state;
	assert_int_equal(home_find(&home, folder, reason, sizeof reason), 0);
	lock = home_lock(&home, 0);
	assert_true(lock >= 0);
	pid_t child = fork();
	if (child == 0)
		_exit(home_lock(&home, 0) == ERR_LOCKED ? 0 : 1);
	waitpid(child, &status, 0);
	assert_int_equal(status, 0);
	close(lock);
	lock = home_lock(&home, 0);
	assert_true(lock >= 0);
	close(lock);
}

static void who_waits_for_the_home_is_told_that_its_holder_is_there(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct home home;
	int lock, listener;

	(void)state;
	assert_int_equal(home_find(&home, folder, reason, sizeof reason), 0);
	lock = home_lock(&home, 0);
	assert_true(lock >= 0);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	memcpy(address.sun_path, home.socket, strlen(home.socket) + 1);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(home_lock(&home, 600), ERR_EXISTS);
	assert_int_equal(home_lock(&home, 0), ERR_LOCKED);
	/* one that listens no more is leaving */
	close(listener);
	close(lock);
	lock = home_lock(&home, 600);
	assert_true(lock >= 0);
	close(lock);
}

static void small_things_are_remembered(void **state)
{
	struct home home;
	char text[8];

	(void)state;
	assert_int_equal(home_find(&home, folder, reason, sizeof reason), 0);
	assert_int_equal(home_recall(&home, "port", text, sizeof text), ERR_NOT_FOUND);
	assert_int_equal(home_remember(&home, "port", "4711\n"), 0);
	assert_int_equal(home_recall(&home, "port", text, sizeof text), 0);
	assert_string_equal(text, "4711");
	assert_int_equal(home_remember(&home, "port", "123456789"), 0);
	assert_int_equal(home_recall(&home, "port", text, sizeof text), ERR_LIMIT);
}

/* --- peer.conf --- */

static int read_config(struct peer_config *config, const char *text)
{
	struct home home;
	char path[HOME_PATH_MAX];

	assert_int_equal(home_find(&home, folder, reason, sizeof reason), 0);
	write_file(&home, "peer.conf", text, 0600);
	home_path(&home, "peer.conf", path);
	return peer_config_read(config, path, reason, sizeof reason);
}

static void a_configuration_is_read(void **state)
{
	struct peer_config config;

	(void)state;
	assert_int_equal(read_config(&config, "# mine\nlisten = 0.0.0.0:7373\ndurable = no\n"
					      "device = laptop\nlog = debug\n"
					      "directory = dir.example.org\n"
					      "map-ports = no\nlan = off\n"
					      "metered = yes\n"),
			 0);
	assert_int_equal(config.listen.port, 7373);
	assert_int_equal(config.listen.family, 4);
	assert_true(config.is_port_chosen);
	assert_false(config.durable);
	assert_string_equal(config.device, "laptop");
	assert_int_equal(config.log, LOG_DEBUG);
	assert_string_equal(config.directory.host, "dir.example.org");
	assert_false(config.maps_ports);
	assert_false(config.has_lan);
	assert_int_equal(config.metered, METERED_YES);
	assert_int_equal(read_config(&config, "metered = no\n"), 0);
	assert_int_equal(config.metered, METERED_NO);
	assert_int_equal(read_config(&config, "metered = auto\n"), 0);
	assert_int_equal(config.metered, METERED_AUTO);
}

static void a_missing_configuration_is_the_default(void **state)
{
	struct peer_config config;

	(void)state;
	assert_int_equal(peer_config_read(&config, "/nowhere/peer.conf", reason, sizeof reason),
			 0);
	assert_true(config.durable);
	assert_int_equal(config.listen.port, 0);
	assert_false(config.is_port_chosen);
	assert_true(config.maps_ports);
	assert_true(config.has_lan);
	assert_int_equal(config.metered, METERED_AUTO);
}

static void a_wrong_line_is_named(void **state)
{
	char too_long[400];
	const char *const wrong[] = {
		"durable = yes\nlisten = nonsense\n",
		"durable = yes\nfrobnicate = 1\n",
		"durable = yes\ndurable = perhaps\n",
		"durable = yes\njust words\n",
		"durable = yes\n[section]\nlog = debug\n",
		"durable = yes\ndevice = \n",
		"durable = yes\nmap-ports = sometimes\n",
		"durable = yes\nlan = auto\n",
		"durable = yes\nmetered = maybe\n",
		"durable = yes\n[section]\n",
		too_long,
	};
	struct peer_config config;

	(void)state;
	snprintf(too_long, sizeof too_long, "durable = yes\n# %0300d\nlog = debug\n", 0);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		assert_int_equal(read_config(&config, wrong[i]), ERR_FORMAT);
		assert_non_null(strstr(reason, "peer.conf:2:"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_missing_home_is_made_for_its_owner_alone, fresh),
		cmocka_unit_test_setup(the_option_wins_over_the_environment_and_that_over_xdg,
				       fresh),
		cmocka_unit_test_setup(a_home_that_others_can_write_is_refused, fresh),
		cmocka_unit_test_setup(a_long_path_puts_the_socket_into_the_runtime_folder,
				       fresh),
		cmocka_unit_test_setup(one_process_holds_the_home_at_a_time, fresh),
		cmocka_unit_test_setup(who_waits_for_the_home_is_told_that_its_holder_is_there,
				       fresh),
		cmocka_unit_test_setup(small_things_are_remembered, fresh),
		cmocka_unit_test_setup(a_configuration_is_read, fresh),
		cmocka_unit_test_setup(a_missing_configuration_is_the_default, fresh),
		cmocka_unit_test_setup(a_wrong_line_is_named, fresh),
	};

	return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
