/* What is taken is exactly what we would have written. */
#include <stdlib.h>
#include <string.h>

#include "shared/sight.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sight_question question;
	struct sight_nonce nonce;
	struct address seen;
	uint8_t asked[SIGHT_QUESTION_SIZE], answer[SIGHT_ANSWER_SIZE];

	if (sight_question_decode(&question, bytes_of(data, size)) == 0) {
		sight_question_encode(asked, &question);
		if (size != sizeof asked || memcmp(asked, data, sizeof asked) != 0)
			abort();
	}
	if (sight_answer_decode(&nonce, &seen, bytes_of(data, size)) == 0) {
		sight_answer_encode(answer, &nonce, &seen);
		if (size != sizeof answer || memcmp(answer, data, sizeof answer) != 0)
			abort();
	}
	return 0;
}
