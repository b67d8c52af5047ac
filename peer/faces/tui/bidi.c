#include "peer/faces/tui/bidi.h"

#include <dlfcn.h>
#include <stdint.h>

/* Of libfribidi's interface 0 (since 1.0) the one function that we use, under its own name:
 * fribidi.h, fribidi-bidi-types.h. A place is counted from the left in `seen`. */
enum { PAR_LTR = 0x00000110, PAR_RTL = 0x00000111 };
typedef int8_t log2vis(const uint32_t *text, int count, uint32_t *direction, uint32_t *seen,
		       int *place_of, int *from_of, int8_t *levels);

static log2vis *load(void)
{
	static log2vis *function;
	static bool is_tried;
	void *library;

	if (is_tried)
		return function;
	is_tried = true;
	library = dlopen("libfribidi.so.0", RTLD_NOW | RTLD_LOCAL);
	if (library)
		*(void **)&function = dlsym(library, "fribidi_log2vis");
	return function;
}

bool bidi_is_right_to_left(wchar_t c)
{
	return (c >= 0x590 && c <= 0x8ff) || (c >= 0xfb1d && c <= 0xfdff) ||
	       (c >= 0xfe70 && c <= 0xfefe) || (c >= 0x10800 && c <= 0x10fff) ||
	       (c >= 0x1e800 && c <= 0x1efff);
}

bool bidi_is_left_to_right(wchar_t c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c >= 0xc0 && c < 0x2000 && !bidi_is_right_to_left(c)) ||
	       (c >= 0x2c00 && c < 0xfb1d && (c < 0x3000 || c > 0x3004));
}

bool bidi_can_order(void)
{
	return load() != NULL;
}

bool bidi_order(const wchar_t *text, size_t count, bool is_right_to_left, wchar_t *seen,
		size_t *from)
{
	uint32_t in[BIDI_MAX], out[BIDI_MAX], direction = is_right_to_left ? PAR_RTL : PAR_LTR;
	int from_of[BIDI_MAX];
	bool is_needed = is_right_to_left;

	for (size_t i = 0; i < count && !is_needed; i++)
		is_needed = bidi_is_right_to_left(text[i]);
	if (!is_needed || count > BIDI_MAX || !load())
		return false;
	for (size_t i = 0; i < count; i++)
		in[i] = (uint32_t)text[i];
	if (load()(in, (int)count, &direction, out, NULL, from_of, NULL) == 0)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (from_of[i] < 0 || (size_t)from_of[i] >= count)
			return false;
		seen[i] = (wchar_t)out[i];
		from[i] = (size_t)from_of[i];
	}
	return true;
}
