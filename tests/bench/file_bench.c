/* A file of 1 GiB from one engine to the other, checked by hash and on the disk, beside scp of the same
 * file to an sshd of the bench's own, and beside libsodium's sealing; messages while a file runs.
 * All over loopback, all files in one folder ($TMPDIR or /tmp); the programs are in $PALIQUE_BIN. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/household.h"

enum {
	RUNS = 3,
	PIECE = 1 << 20,
	MESSAGES = 2000,
	MESSAGES_MAX = 200000,
	WARM = 100,
	SEALED = 16 << 10,
};
#define SIZE ((uint64_t)1 << 30)
#define MB   1e6

/* One way to bring the file over: seconds until the program says that it is there, until it is on the
 * disk, and of the processor at either side. */
struct run {
	double took, durable, sending, receiving;
};

static char source[96], copy[128];
static pid_t engines[2];

/* Of a process with all its threads, and the children that it has waited for. */
static double processor_s(pid_t pid)
{
	unsigned long own[2] = { 0 };
	long children[2] = { 0 };
	char path[64];
	FILE *file;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	file = fopen(path, "r");
	if (!file || fscanf(file,
			    "%*d %*s %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u"
			    " %lu %lu %ld %ld",
			    &own[0], &own[1], &children[0], &children[1]) != 4)
		give_up("no %s", path);
	fclose(file);
	return (double)(own[0] + own[1] + (unsigned long)(children[0] + children[1])) /
	       (double)sysconf(_SC_CLK_TCK);
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(double *of)
{
	qsort(of, RUNS, sizeof *of, by_size);
	return of[RUNS / 2];
}

/* --- the file --- */

static void make_file(void)
{
	static uint8_t piece[PIECE];
	struct statvfs v;
	int fd = open(source, O_WRONLY | O_CREAT | O_EXCL, 0600);

	if (fd < 0 || fstatvfs(fd, &v) < 0)
		give_up("%s: %s", source, strerror(errno));
	if ((uint64_t)v.f_bavail * v.f_frsize < 3 * SIZE)
		give_up("%s: there is no room for two files of 1 GiB", household_folder());
	for (uint64_t at = 0; at < SIZE; at += PIECE) {
		randombytes_buf(piece, sizeof piece);
		if (write(fd, piece, sizeof piece) != sizeof piece)
			give_up("%s: %s", source, strerror(errno));
	}
	fsync(fd);
	close(fd);
}

static double until_on_disk(void)
{
	double began = now_s();
	int fd = open(copy, O_RDONLY);

	if (fd < 0 || fsync(fd) < 0)
		give_up("%s: %s", copy, strerror(errno));
	close(fd);
	return now_s() - began;
}

/* The copy is what was sent; then it goes. */
static void check_copy(void)
{
	static uint8_t pieces[2][PIECE];
	int fds[2] = { open(source, O_RDONLY), open(copy, O_RDONLY) };

	for (uint64_t at = 0; at < SIZE; at += PIECE) {
		for (unsigned i = 0; i < 2; i++) {
			if (read(fds[i], pieces[i], PIECE) != PIECE)
				give_up("%s is not whole", copy);
		}
		if (memcmp(pieces[0], pieces[1], PIECE) != 0)
			give_up("%s is not what was sent", copy);
	}
	close(fds[0]);
	close(fds[1]);
	unlink(copy);
	sync();
}

/* --- scp --- */

static const char run_sshd[] = "/run/sshd"; /* wanted by one that root begins */
static bool has_made_run_sshd;
static unsigned ssh_port;
static pid_t sshd;

static void clean_up(void)
{
	if (has_made_run_sshd)
		rmdir(run_sshd);
}

static bool can_connect(unsigned port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	bool is = connect(fd, (struct sockaddr *)&to, sizeof to) == 0;

	close(fd);
	return is;
}

/* Host and user keys, what either side knows of the other, and the configuration. */
static void make_ssh_files(const char *in)
{
	char command[1200];

	snprintf(command, sizeof command,
		 "cd '%s' && ssh-keygen -q -t ed25519 -N '' -f host && "
		 "ssh-keygen -q -t ed25519 -N '' -f user && cp user.pub may_come && "
		 "echo \"[127.0.0.1]:%u $(cut -d' ' -f1,2 host.pub)\" >known && "
		 "printf '%%s\\n' 'ListenAddress 127.0.0.1' 'Port %u' 'HostKey %s/host' "
		 "'PidFile none' 'AuthorizedKeysFile %s/may_come' 'StrictModes no' "
		 "'PasswordAuthentication no' 'PermitRootLogin prohibit-password' "
		 "'Subsystem sftp internal-sftp' >conf",
		 in, ssh_port, ssh_port, in, in);
	if (system(command) != 0)
		give_up("no keys for ssh");
}

/* False: there is none here. */
static bool sshd_begin(void)
{
	static const char *const places[] = { "/usr/sbin/sshd", "/usr/local/sbin/sshd",
					      "/usr/bin/sshd" };
	double until = now_s() + HOUSEHOLD_PATIENCE_S;
	const char *program = NULL;
	char in[96], conf[128];

	for (unsigned i = 0; !program && i < sizeof places / sizeof *places; i++)
		program = access(places[i], X_OK) == 0 ? places[i] : NULL;
	if (!program || system("command -v scp ssh-keygen >/dev/null") != 0)
		return false;
	snprintf(in, sizeof in, "%s/ssh", household_folder());
	snprintf(conf, sizeof conf, "%s/conf", in);
	ssh_port = household_free_port(SOCK_STREAM);
	mkdir(in, 0700);
	make_ssh_files(in);
	if (geteuid() == 0)
		has_made_run_sshd = mkdir(run_sshd, 0755) == 0;
	sshd = household_run(program,
			     (const char *const[]){ program, "-D", "-e", "-f", conf, NULL });
	while (!can_connect(ssh_port)) {
		if (now_s() > until || waitpid(sshd, NULL, WNOHANG) == sshd)
			give_up("sshd does not begin: see %s/log", household_folder());
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	}
	return true;
}

static double children_s(void)
{
	struct rusage u;

	getrusage(RUSAGE_CHILDREN, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static struct run run_scp(void)
{
	const struct passwd *me = getpwuid(getuid());
	struct run r = { 0 };
	char command[1024];
	double began;

	snprintf(copy, sizeof copy, "%s/copy", household_folder());
	snprintf(command, sizeof command,
		 "scp -q -F none -B -i '%s/ssh/user' -o IdentitiesOnly=yes"
		 " -o UserKnownHostsFile='%s/ssh/known' -o GlobalKnownHostsFile=none"
		 " -P %u '%s' '%s@127.0.0.1:%s'",
		 household_folder(), household_folder(), ssh_port, source,
		 me ? me->pw_name : "root", copy);
	r.sending = children_s();
	r.receiving = processor_s(sshd);
	began = now_s();
	if (system(command) != 0)
		give_up("scp failed: see %s/log", household_folder());
	r.took = now_s() - began;
	r.durable = r.took + until_on_disk();
	/* The session's process has ended, but sshd may not have waited for it yet. */
	nanosleep(&(struct timespec){ .tv_nsec = 300000000 }, NULL);
	r.sending = children_s() - r.sending;
	r.receiving = processor_s(sshd) - r.receiving;
	check_copy();
	return r;
}

/* --- ours --- */

/* Offered by the first, accepted by the second. */
static void begin_transfer(struct face *a, struct face *b)
{
	char name[16];
	struct json *line, *params;
	uint64_t id = 0;

	household_name(2, name);
	params = json_set_text(json_object(), "conversation", name);
	face_say(a, "sendFile", json_set_text(params, "path", source));
	do {
		line = face_next(b);
		if (face_is_told(line, "receive"))
			json_id(json_get(line, "params"), "id", &id);
		json_free(line);
	} while (id == 0);
	params = json_set_id(json_object(), "id", id);
	face_say(b, "acceptFile", json_set_text(params, "folder", household_folder()));
}

/* Whether the line tells that the file is there: then it is in `copy`. */
static bool is_done(const struct json *line)
{
	const struct json *params = json_get(line, "params");
	const char *state = json_text(params, "state"), *path = json_text(params, "path");

	if (!face_is_told(line, "transferProgress") || !state)
		return false;
	if (strcmp(state, "failed") == 0)
		give_up("the file failed: %s", json_text(params, "reason"));
	if (strcmp(state, "done") != 0 || !path)
		return false;
	snprintf(copy, sizeof copy, "%s", path);
	return true;
}

static struct run run_ours(struct face *a, struct face *b)
{
	struct run r = { .sending = processor_s(engines[0]),
			 .receiving = processor_s(engines[1]) };
	double began = now_s();
	bool is = false;

	begin_transfer(a, b);
	while (!is) {
		struct json *line = face_next(b);

		is = is_done(line);
		json_free(line);
	}
	r.took = r.durable = now_s() - began;
	r.sending = processor_s(engines[0]) - r.sending;
	r.receiving = processor_s(engines[1]) - r.receiving;
	check_copy();
	return r;
}

/* A message from the one face to the other; false: meanwhile the file came. */
static bool one_message(struct face *a, struct face *b, unsigned number)
{
	bool is_there = false, is_over = false;

	face_say(a, "send", household_message(2, number));
	while (!is_there) {
		struct json *line = face_next(b);

		is_there = face_is_told(line, "receive");
		is_over |= is_done(line);
		json_free(line);
	}
	return !is_over;
}

static void measure_messages(struct face *a, struct face *b)
{
	static double times[MESSAGES_MAX];
	unsigned count = 0;
	double began;

	for (int i = -WARM; i < MESSAGES; i++) {
		began = now_s();
		one_message(a, b, (unsigned)(i + WARM));
		if (i >= 0)
			times[i] = now_s() - began;
	}
	household_tell("100-byte message, API to API, nothing else", times, MESSAGES, "");
	began = now_s();
	begin_transfer(a, b);
	for (bool goes_on = true; goes_on && count < MESSAGES_MAX; count++) {
		double said = now_s();

		goes_on = one_message(a, b, count);
		times[count] = now_s() - said;
	}
	household_tell("the same, while the file runs", times, count, "(beside it)");
	printf("%-52s %7.0f MB/s\n", "the file meanwhile",
	       (double)SIZE / MB / (now_s() - began));
	check_copy();
}

/* --- sealing --- */

static double sealing_rate(void)
{
	static uint8_t data[SEALED + crypto_aead_chacha20poly1305_ietf_ABYTES];
	uint8_t key[crypto_aead_chacha20poly1305_ietf_KEYBYTES] = { 1 };
	uint8_t nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES] = { 0 };
	double began = now_s(), took;
	uint64_t sealed = 0;

	do {
		for (unsigned i = 0; i < 256; i++, sealed += SEALED) {
			sodium_increment(nonce, sizeof nonce);
			crypto_aead_chacha20poly1305_ietf_encrypt(data, NULL, data, SEALED,
								  NULL, 0, NULL, nonce, key);
		}
		took = now_s() - began;
	} while (took < 1);
	return (double)sealed / MB / took;
}

/* --- all --- */

static double rate(double seconds)
{
	return (double)SIZE / MB / seconds;
}

/* The medians of `runs`, in their place. */
static struct run tell(const char *what, const struct run *runs)
{
	double took[RUNS], durable[RUNS], sending[RUNS], receiving[RUNS];
	const double gb = (double)SIZE / 1e9;
	struct run r;

	for (unsigned i = 0; i < RUNS; i++) {
		took[i] = runs[i].took;
		durable[i] = runs[i].durable;
		sending[i] = runs[i].sending;
		receiving[i] = runs[i].receiving;
	}
	r = (struct run){ median(took), median(durable), median(sending), median(receiving) };
	printf("%-52s %7.0f MB/s, on the disk %.0f MB/s (%.2f s; of %u: %.2f to %.2f)\n", what,
	       rate(r.took), rate(r.durable), r.durable, RUNS, durable[0], durable[RUNS - 1]);
	printf("%-52s %7.2f s/GB sending, %.2f s/GB receiving\n", "  processor", r.sending / gb,
	       r.receiving / gb);
	return r;
}

static void meet(struct face *a, struct face *b, const char *link)
{
	for (unsigned i = 0; i < 2; i++) {
		household_configure(i + 1, true);
		engines[i] = household_start(i + 1);
	}
	face_connect(a, 1);
	face_connect(b, 2);
	face_join(a, 1, link);
	face_join(b, 2, link);
	face_add(a, 2);
	face_add(b, 1);
	face_wait_for(a, 2, "online");
	face_do(b, "subscribe", NULL);
}

int main(void)
{
	struct run ours[RUNS], scp[RUNS], we, they;
	double sealing[RUNS], seals;
	char link[256];
	struct face a, b;
	bool has_scp;

	if (sodium_init() < 0)
		return 1;
	household_begin(link);
	atexit(clean_up);
	snprintf(source, sizeof source, "%s/file", household_folder());
	puts("file_bench: two engines and a directory, loopback; 1 GiB of random bytes, "
	     "cached");
	has_scp = sshd_begin();
	make_file();
	meet(&a, &b, link);
	for (unsigned i = 0; i < RUNS; i++) {
		if (has_scp)
			scp[i] = run_scp();
		ours[i] = run_ours(&a, &b);
		sealing[i] = sealing_rate();
	}
	we = tell("1 GiB, hashed at both ends, synced, named", ours);
	if (has_scp) {
		they = tell("  scp (which syncs nothing; then fsync: on the disk)", scp);
		printf("%-52s %7.2f (goal: over 1), both on the disk %.2f\n",
		       "  ours by scp's, speed", they.took / we.took,
		       they.durable / we.durable);
	} else {
		puts("  scp: there is no sshd here (tools/deps bench installs one): nothing "
		     "beside "
		     "it");
	}
	seals = median(sealing);
	printf("%-52s %7.0f MB/s: the file runs at %.0f %% of it\n",
	       "  ChaCha20-Poly1305 by libsodium, 16 kB, one core", seals,
	       100 * rate(we.took) / seals);
	measure_messages(&a, &b);
	face_close(&a);
	face_close(&b);
	return 0;
}
