/* What somebody typed as a recovery code: refused, or a code that prints as words which mean
 * the same. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "shared/error.h"
#include "shared/recovery.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const languages[] = { "en", "es" };
	struct recovery_code code, again;
	char text[RECOVERY_TEXT_SIZE];
	unsigned bad = 99;
	int err = recovery_parse(&code, bytes_of(data, size), &bad);

	if (bad > RECOVERY_WORDS || (bad && err != ERR_FORMAT))
		abort();
	if (err < 0)
		return 0;
	for (int i = 0; i < 2; i++) {
		recovery_print(text, &code, languages[i]);
		if (recovery_parse(&again, bytes_text(text), NULL) < 0 ||
		    memcmp(&again, &code, sizeof code) != 0)
			abort();
	}
	return 0;
}
