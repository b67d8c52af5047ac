#include <stdlib.h>

#include "peer/filing_inside.h"

void filing_room(struct buf *b, size_t size)
{
	if (!b->data || b->capacity < size) {
		filing_room_free(b);
		b->capacity = (size / FILING_PAGE + 1) * FILING_PAGE;
		b->data = aligned_alloc(FILING_PAGE, b->capacity);
		if (!b->data)
			abort();
	}
	b->size = 0;
}

void filing_room_free(struct buf *b)
{
	free(b->data);
	*b = (struct buf){ .limit = b->limit };
}
