#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "directory/metrics.h"
#include "shared/error.h"

static int accounts_err;
static bool is_holder_there;
static char folder[64];

static int list(struct registry *r, bool (*each)(void *user, const struct registry_user *u),
		void *user)
{
	(void)r;
	(void)each;
	(void)user;
	return accounts_err;
}

static bool is_there(const struct holder *h)
{
	(void)h;
	return is_holder_there;
}

static struct registry registry = { .list = list };
static const struct holder holder = { .is_there = is_there };

static int begin(void **state)
{
	(void)state;
	accounts_err = 0;
	is_holder_there = true;
	snprintf(folder, sizeof folder, "/tmp/palique-fitness-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	return rmdir(folder);
}

static void all_is_well_and_nothing_is_left_behind(void **state)
{
	struct fitness f;

	(void)state;
	fitness_check(&f, folder, &registry, &holder, 1);
	assert_true(fitness_is_ready(&f));
	assert_true(f.disk_free > 0);
	fitness_check(&f, folder, &registry, NULL, 1);
	assert_true(fitness_is_ready(&f));
}

static void each_part_is_missed_by_itself(void **state)
{
	struct fitness f;

	(void)state;
	accounts_err = ERR_CORRUPT;
	fitness_check(&f, folder, &registry, &holder, 1);
	assert_int_equal(f.err[FITNESS_ACCOUNTS], ERR_CORRUPT);
	assert_false(fitness_is_ready(&f));
	accounts_err = 0;
	is_holder_there = false;
	fitness_check(&f, folder, &registry, &holder, 1);
	assert_int_equal(f.err[FITNESS_KEYHOLDER], ERR_OFFLINE);
	assert_false(fitness_is_ready(&f));
	is_holder_there = true;
	fitness_check(&f, folder, &registry, &holder, 0);
	assert_int_equal(f.err[FITNESS_SOCKET], ERR_CLOSED);
	assert_false(fitness_is_ready(&f));
	fitness_check(&f, "/nonexistent", &registry, &holder, 1);
	assert_int_equal(f.err[FITNESS_DISK], ERR_IO);
	assert_false(fitness_is_ready(&f));
}

/* What a line of the text may look like: a comment, or a name, labels and a number. */
static void check_line(const char *line, const char *family)
{
	char name[128];
	unsigned long long value;

	if (sscanf(line, "%127[a-z_]%*[{]%*[^}]} %llu", name, &value) != 2 &&
	    sscanf(line, "%127[a-z_] %llu", name, &value) != 2)
		fail_msg("no sample: %s", line);
	assert_string_equal(name, family);
}

static void the_text_is_as_prometheus_wants_it(void **state)
{
	struct server_status status = {
		.online_devices = 3,
		.logins = 4,
		.traffic.received = 5,
		.uptime = 6 * SECOND,
		.messages_in[WIRE_LIST] = 7,
	};
	struct fitness f = { .err[FITNESS_KEYHOLDER] = ERR_OFFLINE, .disk_free = 8 };
	struct buf out = { 0 };
	char *text, family[128] = "", kind[16];
	unsigned families = 0;

	(void)state;
	metrics_text(&out, &status, &f);
	assert_int_equal(out.data[out.size - 1], '\n');
	buf_append_byte(&out, 0);
	text = (char *)out.data;
	assert_non_null(strstr(text, "\npalique_directory_online_devices 3\n"));
	assert_non_null(strstr(text, "\npalique_directory_logins_total 4\n"));
	assert_non_null(strstr(text, "\npalique_directory_datagrams_received_total 5\n"));
	assert_non_null(strstr(text, "\npalique_directory_uptime_seconds 6\n"));
	assert_non_null(strstr(text, "_messages_in_total{type=\"LIST\"} 7\n"));
	assert_non_null(strstr(text, "\npalique_directory_ready 0\n"));
	assert_non_null(strstr(text, "_part_ready{part=\"keyholder\"} 0\n"));
	assert_non_null(strstr(text, "_part_ready{part=\"accounts\"} 1\n"));
	assert_non_null(strstr(text, "\npalique_directory_disk_free_bytes 8\n"));
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		if (strncmp(line, "# HELP ", 7) == 0) {
			families++;
			assert_int_equal(sscanf(line, "# HELP %127[a-z_] ", family), 1);
			line = strtok(NULL, "\n"); /* TYPE stands behind HELP */
			assert_int_equal(sscanf(line, "# TYPE %*[a-z_] %15s", kind), 1);
			assert_non_null(strstr(line, family));
			if (strcmp(kind, "counter") == 0)
				assert_non_null(strstr(family, "_total"));
			else
				assert_string_equal(kind, "gauge");
			continue;
		}
		check_line(line, family);
	}
	assert_true(families > 20);
	buf_clear(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_is_well_and_nothing_is_left_behind, begin,
						end),
		cmocka_unit_test_setup_teardown(each_part_is_missed_by_itself, begin, end),
		cmocka_unit_test(the_text_is_as_prometheus_wants_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
