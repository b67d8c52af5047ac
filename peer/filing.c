#include "peer/filing.h"

#include <stdlib.h>

#include "peer/filing_inside.h"
#include "shared/job.h"

struct filing_work *filing_work_new(enum filing_task what)
{
	struct filing_work *w = memory_new(sizeof *w);

	w->what = what;
	return w;
}

bool filing_work_is_last(struct filing_work *w)
{
	bool is = !w->sharers || --*w->sharers == 0;

	if (is)
		free(w->sharers);
	else
		w->data = (struct buf){ 0 };
	w->sharers = NULL;
	return is;
}

struct filing_work *filing_sum_of(struct filing_work *write)
{
	struct filing_work *w = filing_work_new(FILING_SUM);

	w->sum = memory_new(sizeof *w->sum);
	*w->sum = *filing_sink_hash(write->sink);
	w->data = write->data;
	w->sharers = write->sharers = memory_new(sizeof *w->sharers);
	*w->sharers = 2;
	return w;
}

static int add_to_sum(struct filing_work *w)
{
	filing_hash_add(w->sum, buf_view(&w->data));
	return 0;
}

void filing_summed(struct filing_sink *sink, const struct filing_hash *sum)
{
	*filing_sink_hash(sink) = *sum;
}

void filing_work_free(struct filing_work *w)
{
	if (!w)
		return;
	free(w->path);
	free(w->folder);
	free(w->name);
	free(w->where);
	buf_clear(&w->manifest);
	if (filing_work_is_last(w))
		filing_room_free(&w->data);
	free(w->sum);
	filing_source_free(w->source);
	filing_sink_free(w->sink);
	free(w);
}

int filing_run(struct job *job)
{
	static int (*const tasks[])(struct filing_work * w) = {
		[FILING_LOOK] = filing_look,     [FILING_OPEN] = filing_open,
		[FILING_READ] = filing_read,     [FILING_HASH] = filing_hash,
		[FILING_BEGIN] = filing_begin,   [FILING_CHECK] = filing_check,
		[FILING_WRITE] = filing_write,   [FILING_SYNC] = filing_sync,
		[FILING_FINISH] = filing_finish, [FILING_PLACE] = filing_place,
		[FILING_REMOVE] = filing_clear,  [FILING_SUM] = add_to_sum,
	};
	struct filing_work *w = job->task;

	return tasks[w->what](w);
}
