/* The archive reader: files as they come, and such as were sealed under the passphrase, so that
 * what stands behind the seal is read too. The first byte says which. */
#include <assert.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "peer/archive.h"

enum { STREAM_AT = ARCHIVE_START - 24 };

static struct symmetric_key key;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return sodium_init() < 0 ? -1 : 0;
}

static void put(int fd, const void *data, size_t size)
{
	assert(write(fd, data, size) == (ssize_t)size);
}

/* A head, then messages whose lengths and tags the input chooses. */
static void seal(int fd, const uint8_t *data, size_t size)
{
	crypto_secretstream_xchacha20poly1305_state stream;
	static uint8_t plain[ARCHIVE_CHUNK], sealed[ARCHIVE_CHUNK + ARCHIVE_TAG];
	uint8_t start[ARCHIVE_START] = "palique\n\1\1";
	size_t want = ARCHIVE_HEAD;
	unsigned long long ad = sizeof start;

	crypto_secretstream_xchacha20poly1305_init_push(&stream, start + STREAM_AT, key.bytes);
	put(fd, start, sizeof start);
	while (size >= 2) {
		uint8_t tag = data[0] & 3;
		size_t length = want ? want : (size_t)data[1] * 257;
		size_t there = size - 2 < length ? size - 2 : length;

		memset(plain, 0, length);
		memcpy(plain, data + 2, there);
		crypto_secretstream_xchacha20poly1305_push(&stream, sealed, NULL, plain, length,
							   ad ? start : NULL, ad, tag);
		put(fd, sealed, length + ARCHIVE_TAG);
		data += 2 + there;
		size -= 2 + there;
		want = 0;
		ad = 0;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct archive_start start;
	struct symmetric_key store_key;
	int in, out;

	if (!size)
		return 0;
	in = memfd_create("archive", MFD_CLOEXEC);
	out = memfd_create("store", MFD_CLOEXEC);
	assert(in >= 0 && out >= 0);
	if (data[0] & 1)
		seal(in, data + 1, size - 1);
	else
		put(in, data + 1, size - 1);
	assert(lseek(in, 0, SEEK_SET) == 0);
	if (archive_start_read(in, &start) == 0 &&
	    archive_open(in, &start, &key, out, &store_key) < 0)
		assert(sodium_is_zero(store_key.bytes, sizeof store_key.bytes));
	close(in);
	close(out);
	return 0;
}
