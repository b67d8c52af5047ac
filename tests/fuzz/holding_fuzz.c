/* What a directory that was taken over says to its key-holder, and what it hears of one: read
 * and written again it is the same, and no question makes the key-holder fall. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "directory/keyholder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct opaque_server secrets;
static struct keyholder *keyholder;

static void ask(const uint8_t *data, mono_ns now)
{
	uint8_t answer[HOLDING_ANSWER_SIZE], again[HOLDING_QUESTION_SIZE];
	struct holding_question q;
	struct holder_answer a;

	if (keyholder_answer(keyholder, data, answer, now) < 0)
		return;
	if (holding_read_answer(&a, answer) < 0 || holding_read_question(&q, data) < 0 ||
	    a.ticket != q.ticket)
		abort();
	holding_ask(again, &q);
	if (memcmp(again, data, sizeof again) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t again[HOLDING_ANSWER_SIZE];
	struct holder_answer a;

	if (!keyholder) {
		struct keyholder_limits limits = keyholder_limits_default();

		if (sodium_init() < 0)
			abort();
		opaque_server_make(&secrets);
		keyholder = keyholder_new(&secrets, &limits);
	}
	if (size >= HOLDING_ANSWER_SIZE && holding_read_answer(&a, data) == 0) {
		holding_answer(again, &a);
		if (memcmp(again, data, sizeof again) != 0)
			abort();
	}
	for (size_t at = 0; at + HOLDING_QUESTION_SIZE <= size; at += HOLDING_QUESTION_SIZE)
		ask(data + at, at * SECOND);
	return 0;
}
