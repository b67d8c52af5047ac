/* palique: one program. Joins the faces to the engine's shell, which they do not know. */
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "peer/daemon.h"
#include "peer/faces/cli/cli.h"
#include "peer/faces/web/web.h"
#include "peer/home.h"
#include "peer/image.h"
#include "peer/import.h"
#include "peer/store_key.h"
#include "peer/upnp.h"
#include "shared/error.h"
#include "shared/text.h"

static int find_home(const char *option, char *folder, size_t folder_size, char *socket,
		     size_t socket_size, char *reason, size_t reason_size)
{
	struct home home;
	int err = home_find(&home, option, reason, reason_size);

	if (err < 0)
		return err;
	if (snprintf(folder, folder_size, "%s", home.folder) >= (int)folder_size ||
	    snprintf(socket, socket_size, "%s", home.socket) >= (int)socket_size)
		return ERR_LIMIT;
	return 0;
}

static struct web *make_web(uv_loop_t *loop, const struct daemon_web_calls *calls, void *user)
{
	const struct web_calls same = { .connect = calls->connect,
					.line = calls->line,
					.disconnect = calls->disconnect,
					.spool = calls->spool };

	return web_new(loop, &same, user);
}

static int run_daemon(const struct cli_daemon *o)
{
	static const struct daemon_web web = { .make = make_web,
					       .open = web_open,
					       .close = web_close,
					       .free = web_free,
					       .send = web_page_send,
					       .backlog = web_page_backlog };
	struct daemon_options options = {
		.home = o->home,
		.ready_fd = o->ready_fd,
		.passphrase_fd = o->passphrase_fd,
		.begin_anew = o->begin_anew,
		.is_verbose = o->is_verbose,
		.is_quiet = o->is_quiet,
		.web = &web,
	};

	return daemon_run(&options);
}

/* --- what holds keys for a moment, without an engine --- */

/* Nothing of this process is to be read by others or to be written to a disk; and no engine
 * begins meanwhile. The descriptor of the start lock, or an error. */
static int enter(struct home *home, const char *folder, char *reason, size_t reason_size)
{
	struct rlimit none = { 0, 0 };
	int lock, err = home_find(home, folder, reason, reason_size);

	if (err < 0)
		return err;
	umask(077);
	signal(SIGXFSZ, SIG_IGN);
	lock = prctl(PR_SET_DUMPABLE, 0) < 0 || setrlimit(RLIMIT_CORE, &none) < 0
		       ? ERR_IO
		       : home_start_lock(home);
	if (lock < 0)
		snprintf(reason, reason_size, _("cannot write in %s: %s"), home->folder,
			 error_text(lock));
	return lock;
}

static int look_at_lock(const char *folder, enum cli_lock *lock, char *reason,
			size_t reason_size)
{
	static const enum cli_lock locks[] = {
		[STORE_KEY_NONE] = LOCK_NO_KEY,
		[STORE_KEY_PLAIN] = LOCK_OPEN,
		[STORE_KEY_LOCKED] = LOCK_LOCKED,
	};
	enum store_key_kind kind;
	struct home home;
	int err = home_find(&home, folder, reason, reason_size);

	if (err == 0)
		err = store_key_look(&home, &kind, reason, reason_size);
	if (err == 0)
		*lock = locks[kind];
	return err;
}

static int lock_home(const char *folder, const char *passphrase, char *reason,
		     size_t reason_size)
{
	struct home home;
	int lock = enter(&home, folder, reason, reason_size), err = lock;

	if (lock < 0)
		return err;
	err = store_key_lock(&home, bytes_text(passphrase), KSF_ARGON2ID_256M, reason,
			     reason_size);
	close(lock);
	return err;
}

static int change_lock(const char *folder, const char *passphrase, const char *fresh,
		       char *reason, size_t reason_size)
{
	struct home home;
	int lock = enter(&home, folder, reason, reason_size), err = lock;

	if (lock < 0)
		return err;
	err = store_key_change(&home, bytes_text(passphrase), bytes_text(fresh),
			       KSF_ARGON2ID_256M, reason, reason_size);
	close(lock);
	return err;
}

static int remove_lock(const char *folder, const char *passphrase, char *reason,
		       size_t reason_size)
{
	struct home home;
	int lock = enter(&home, folder, reason, reason_size), err = lock;

	if (lock < 0)
		return err;
	err = store_key_free(&home, bytes_text(passphrase), reason, reason_size);
	close(lock);
	return err;
}

static int import(const char *folder, const char *file, const char *passphrase, char *reason,
		  size_t reason_size)
{
	struct home home;
	int lock = enter(&home, folder, reason, reason_size), err = lock;

	if (lock < 0)
		return err;
	err = import_account(&home, file, bytes_text(passphrase), reason, reason_size);
	close(lock);
	return err;
}

static int see(struct bytes image, uint32_t *width, uint32_t *height, uint8_t **rgba)
{
	struct image_pixels pixels;
	int err = image_see(image, 0, &pixels);

	if (err < 0)
		return err;
	*width = pixels.width;
	*height = pixels.height;
	*rgba = pixels.rgba;
	return 0;
}

int main(int argc, char **argv)
{
	static const struct cli_programs programs = {
		.find_home = find_home,
		.run_daemon = run_daemon,
		.look_at_lock = look_at_lock,
		.lock = lock_home,
		.change_lock = change_lock,
		.remove_lock = remove_lock,
		.import_account = import,
		.see = see,
	};

	if (upnp_is_called(argc, argv))
		return upnp_main(argc, argv);
	if (image_is_called(argc, argv))
		return image_main(argc, argv);
	text_init();
	signal(SIGPIPE, SIG_IGN);
	if (sodium_init() < 0) {
		fprintf(stderr, "palique: %s\n", _("the cryptographic library cannot start"));
		return EXIT_FAILED;
	}
	return cli_run(argc, argv, &programs);
}
