#include "directory/login_inside.h"

#include <sodium.h>

#include "shared/error.h"

/* Work that was asked for a moment ago still pays where the price has gone up by so many
 * bits since; beyond that many challenges could be collected while they were cheap. */
enum { WORK_SLACK = 2 };

int login_refuse(struct wire_message *reply, enum wire_type about, int err)
{
	reply->type = WIRE_REFUSAL;
	reply->refusal = (struct wire_refusal){ .about = about, .error = err };
	return 1;
}

int login_refuse_answer(struct wire_message *reply, enum wire_type about, int err)
{
	switch (err) {
	case ERR_AUTH:
	case ERR_STATE:
	case ERR_NOT_FOUND:
	case ERR_EXISTS:
	case ERR_REFUSED:
	case ERR_EXPIRED:
	case ERR_SUSPENDED:
		return login_refuse(reply, about, err);
	}
	login_refuse(reply, about, err == ERR_BUSY ? ERR_BUSY : ERR_OFFLINE);
	reply->refusal.retry_after = LOGIN_RETRY_SECONDS;
	return 1;
}

static bool is_paid(struct login *l, const struct name *name, const struct wire_work *work,
		    enum wire_type about, unsigned bits)
{
	unsigned asked = l->work.bits;
	bool is_paid = work && work->is_done && asked && l->work_about == about &&
		       name_equal(&l->work_name, name) && asked + WORK_SLACK >= bits &&
		       work_check(&l->work, work->nonce);

	l->work.bits = 0; /* one try, one payment */
	return is_paid;
}

static void ask_for_work(struct login *l, const struct name *name, enum wire_type about,
			 unsigned bits, struct work *out)
{
	randombytes_buf(l->work.challenge, sizeof l->work.challenge);
	l->work.bits = (uint8_t)(bits < WORK_BITS_MAX ? bits : WORK_BITS_MAX);
	l->work_name = *name;
	l->work_about = about;
	*out = l->work;
}

static int take(struct login *l, const enum limit *which, unsigned count,
		const struct name *name, mono_ns now, uint32_t *retry_after)
{
	struct limits *limits = l->desk->limits;

	for (unsigned i = 0; i < count; i++)
		if (limits_take(limits, which[i], &l->from, name, now, retry_after) < 0) {
			while (i-- > 0)
				limits_give_back(limits, which[i], &l->from, name);
			return ERR_BUSY;
		}
	return 0;
}

int login_charge(struct login *l, const enum limit *which, unsigned count,
		 const struct name *name, const struct wire_work *work, enum wire_type about,
		 const struct login_turn *t)
{
	struct limits *limits = l->desk->limits;
	uint32_t retry_after = 0;
	unsigned bits = 0;

	login_failed(l);
	if (take(l, which, count, name, t->now, &retry_after) < 0) {
		for (unsigned i = 0; i < count; i++) {
			unsigned more = limits_work(limits, which[i], &l->from, name, t->now);

			bits = more > bits ? more : bits;
		}
		if (!bits || !is_paid(l, name, work, about, bits)) {
			login_refuse(t->reply, about, ERR_BUSY);
			t->reply->refusal.retry_after = retry_after;
			if (bits && work)
				ask_for_work(l, name, about, bits, &t->reply->refusal.work);
			return 1;
		}
		for (unsigned i = 0; i < count; i++)
			limits_overdraw(limits, which[i], &l->from, name, t->now);
	}
	l->work.bits = 0;
	l->name = *name;
	l->charged_count = count;
	for (unsigned i = 0; i < count; i++)
		l->charged[i] = which[i];
	return 0;
}

void login_refund(struct login *l)
{
	while (l->charged_count > 0)
		limits_give_back(l->desk->limits, l->charged[--l->charged_count], &l->from,
				 &l->name);
	l->is_answered = false;
}

void login_failed(struct login *l)
{
	if (l->is_answered)
		failures_add(l->desk->failures, &l->name);
	l->is_answered = false;
	l->charged_count = 0;
}
