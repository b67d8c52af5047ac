#include "directory/commands_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "directory/ask.h"
#include "directory/desk.h"
#include "directory/server.h"
#include "directory/service.h"
#include "directory/summary.h"
#include "shared/error.h"
#include "shared/file.h"
#include "shared/text.h"

static int make_parents(const char *path)
{
	char part[PATH_MAX];

	for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(part, sizeof part, "%.*s", (int)(slash - path), path);
		if (mkdir(part, 0755) < 0 && errno != EEXIST)
			return ERR_IO;
	}
	return 0;
}

/* A first directory.conf, so that the name is in one place from now on. */
static int write_config(const struct options *o, const struct directory_place *place)
{
	char path[PATH_MAX], name[URI_HOST_MAX + 9], text[URI_HOST_MAX + 128];
	int fd, size, err;

	desk_config_path(o, path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return errno == EEXIST ? 0 : ERR_IO; /* the operator's own: kept */
	place_print(place, name);
	size = snprintf(text, sizeof text, "# palique-directory.conf(5)\nname = %s\n", name);
	if (place->port != DIRECTORY_PORT)
		size += snprintf(text + size, sizeof text - (size_t)size, "listen = [::]:%u\n",
				 place->port);
	err = file_write(fd, bytes_of((const uint8_t *)text, (size_t)size));
	if (close(fd) < 0 && !err)
		err = ERR_IO;
	if (err < 0) /* half of a name would be another's */
		unlink(path);
	return err;
}

int command_init(const struct options *o)
{
	struct directory_place place;
	char reason[512] = "";
	struct json *j;
	int err;

	if (o->word_count && place_parse(&place, o->words[0]) < 0)
		return desk_fail_usage(o, ERR_FORMAT,
				       _("A public name is HOST or HOST:PORT, as "
					 "dir.example.org or 192.0.2.1:7272."));
	if (make_parents(o->data) < 0) {
		snprintf(reason, sizeof reason, _("%s cannot be made: %s."), o->data,
			 strerror(errno));
		return desk_fail(o, ERR_IO, reason);
	}
	err = server_init(o->data, reason, sizeof reason);
	if (err < 0)
		return desk_fail(o, err, reason);
	if (o->word_count && write_config(o, &place) < 0)
		return desk_fail(o, ERR_IO,
				 _("directory.conf could not be written. Set name = HOST "
				   "in it."));
	if (o->given & OPTION_JSON) {
		j = json_set_text(json_object(), "data", o->data);
		desk_print(j);
		json_free(j);
		return EXIT_OK;
	}
	printf("%s\n", o->data);
	fprintf(stderr,
		_("A directory is ready. Keep a copy of %s/keys in a safe place.\n"
		  "Start it:       palique-directory serve%s\n"
		  "Invite people:  palique-directory invite%s\n"
		  "Without the secrets of its key-holder nobody can log in by password again. "
		  "Have "
		  "them in three files, any two of which bring them back, and keep those "
		  "apart:\n"
		  "  palique-directory keyholder split FILE1 FILE2 FILE3%s\n"),
		o->data, desk_same_data(o), desk_same_data(o), desk_same_data(o));
	return EXIT_OK;
}

int command_serve(const struct options *o)
{
	char path[PATH_MAX], reason[PATH_MAX * 2] = "";
	struct service_place place;
	struct config c;
	int err = desk_config(o, &c, reason, sizeof reason);

	if (err < 0)
		return desk_fail(o, err, reason);
	log_init(c.log_level, c.log_json || c.json_given);
	desk_config_path(o, path);
	place = (struct service_place){
		.data = o->data,
		.config_path = path,
		.secrets = o->secrets,
		.keyholder_user = o->keyholder_user,
	};
	err = service_run(&place, &c, reason, sizeof reason);
	return err < 0 ? desk_fail(o, err, reason) : EXIT_OK;
}

int command_status(const struct options *o)
{
	struct json *q = desk_question("status"), *answer;
	char reason[512];
	int code, err = ask_running(&answer, o->data, q);

	json_free(q);
	if (err == ERR_OFFLINE) {
		snprintf(reason, sizeof reason,
			 _("No directory runs on %s. Start it: palique-directory serve%s"),
			 o->data, desk_same_data(o));
		return desk_fail(o, err, reason);
	}
	if (err < 0) {
		snprintf(reason, sizeof reason, _("The directory does not answer: %s."),
			 error_text(err));
		return desk_fail(o, err, reason);
	}
	if (desk_is_refusal(o, answer, &code)) {
		json_free(answer);
		return code;
	}
	if (o->given & OPTION_JSON)
		desk_print(answer);
	else
		summary_print(stdout, answer);
	json_free(answer);
	return EXIT_OK;
}

int command_check_config(const struct options *o)
{
	char path[PATH_MAX], reason[512] = "";
	struct config c;
	struct json *j;
	bool is_absent;
	int err;

	if (o->word_count)
		snprintf(path, sizeof path, "%s", o->words[0]);
	else
		desk_config_path(o, path);
	config_init(&c);
	err = config_read(&c, path, reason, sizeof reason);
	is_absent = err == ERR_NOT_FOUND && !o->word_count; /* the defaults hold then */
	if (err < 0 && !is_absent)
		return desk_fail(o, err, reason);
	if (o->given & OPTION_JSON) {
		j = json_set_text(json_object(), "file", path);
		desk_print(json_set_bool(j, "ok", true));
		json_free(j);
	} else {
		fprintf(stderr,
			is_absent ? _("There is no %s: the defaults hold.\n")
				  : _("%s is fine.\n"),
			path);
	}
	return EXIT_OK;
}
