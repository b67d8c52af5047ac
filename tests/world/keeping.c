/* Persons keep their accounts: passwords, recovery codes, devices, keys. */
#include <stdio.h>
#include <string.h>

#include "shared/error.h"
#include "tests/world/people_inside.h"

enum {
	QUIET_S = 3,  /* datagrams of a machine that died are at most so long under way */
	READY_S = 10, /* a machine that came in anew has its contacts */
};

void keeping_new_password(struct people *p, unsigned person, char out[PASSWORD_SIZE])
{
	struct person_life *me = &p->persons[person];

	snprintf(out, PASSWORD_SIZE, "p%u-%u-%08x%08x", person, ++me->passwords,
		 (unsigned)dice_next(people_dice(p)), (unsigned)dice_next(people_dice(p)));
}

/* --- answers --- */

static void password_is(struct people *p, unsigned person, const char *password)
{
	struct person_life *me = &p->persons[person];

	if (password != me->password)
		memcpy(me->password, password, sizeof me->password);
	me->maybe[0] = '\0';
	me->is_wrong = me->is_maybe_wrong = me->tries_maybe = false;
}

/* It may count by now, or the one before. */
static void password_may_be(struct people *p, unsigned person, const char *password)
{
	struct person_life *me = &p->persons[person];

	memcpy(me->maybe, password, sizeof me->maybe);
	me->is_wrong = me->is_maybe_wrong = false;
	me->quiet_until = world_now(p->world) + QUIET_S * SECOND;
}

static void password_is_wrong(struct people *p, unsigned machine, const char *password)
{
	struct person_life *me = &p->persons[p->machines[machine].person];

	if (me->maybe[0] && strcmp(password, me->maybe) == 0)
		me->is_maybe_wrong = true;
	else
		me->is_wrong = true;
	if (me->is_wrong && (!me->maybe[0] || me->is_maybe_wrong))
		world_fail(p->world, "machine %u: %s", machine,
			   me->maybe[0] ? "neither the password nor the one that was not "
					  "confirmed is taken"
					: "the confirmed password is not taken");
}

static void on_login(struct people *p, unsigned machine, int err)
{
	struct machine_use *u = &p->machines[machine];

	if (err == 0) {
		p->counts.logins++;
		u->ready = world_now(p->world) + READY_S * SECOND;
		password_is(p, u->person, u->password);
	} else if (err == ERR_AUTH) {
		password_is_wrong(p, machine, u->password);
	} else if (err == ERR_KEY_CHANGED) {
		world_fail(p->world, "machine %u: the vault stays sealed", machine);
	}
}

static void on_recovered(struct people *p, unsigned machine, int err)
{
	struct machine_use *u = &p->machines[machine];

	u->by_code = false;
	if (err == 0) {
		p->counts.recoveries++;
		u->ready = world_now(p->world) + READY_S * SECOND;
		password_is(p, u->person, u->password);
	} else if (err == ERR_AUTH || err == ERR_NOT_FOUND) {
		world_fail(p->world, "machine %u: the recovery code is not taken", machine);
	} else {
		password_may_be(p, u->person, u->password);
	}
}

static void on_passwd(struct people *p, unsigned machine, int err)
{
	struct machine_use *u = &p->machines[machine];

	if (err == 0) {
		p->counts.passwords++;
		password_is(p, u->person, u->password);
	} else if (err == ERR_AUTH) {
		world_fail(p->world, "machine %u: the old password is not taken", machine);
	} else {
		password_may_be(p, u->person, u->password);
	}
}

void keeping_answered(struct people *p, unsigned machine, int err)
{
	struct machine_use *u = &p->machines[machine];
	struct person_life *me = &p->persons[u->person];

	switch (u->doing) {
	case DOING_LOGIN:
		on_login(p, machine, err);
		break;
	case DOING_RECOVER:
		on_recovered(p, machine, err);
		break;
	case DOING_PASSWD:
		on_passwd(p, machine, err);
		break;
	case DOING_CODE:
		me->has_code = err == 0;
		if (err < 0)
			me->quiet_until = world_now(p->world) + QUIET_S * SECOND;
		me->code = u->code;
		p->counts.codes += err == 0;
		break;
	case DOING_REVOKE:
		p->counts.revocations += err == 0;
		break;
	case DOING_REKEY:
		p->counts.rekeys += err == 0;
		break;
	default:
		break;
	}
}

/* --- what a person begins --- */

static void others_may_be_out(struct people *p, unsigned machine)
{
	struct person_life *me = &p->persons[p->machines[machine].person];

	me->throws_out = true;
	for (unsigned m = me->first; m < me->first + me->machines; m++)
		if (m != machine)
			people_home(p, m)->may_be_out = true;
}

void people_change_password(struct people *p, unsigned person, bool everywhere)
{
	struct person_life *me = &p->persons[person];
	struct machine_use *u = &p->machines[me->hand];
	struct engine *e = people_hands(p, me->hand);

	if (!e || me->maybe[0] || people_is_proving(p, person) ||
	    !people_begin(p, me->hand, DOING_PASSWD))
		return;
	keeping_new_password(p, person, u->password);
	if (engine_passwd(e, bytes_text(me->password), bytes_text(u->password), everywhere,
			  u->ticket) < 0)
		people_undo(p, me->hand);
	else if (everywhere)
		others_may_be_out(p, me->hand);
}

void people_make_code(struct people *p, unsigned person)
{
	struct person_life *me = &p->persons[person];
	struct machine_use *u = &p->machines[me->hand];
	struct engine *e = people_hands(p, me->hand);

	/* Nobody shows the code while it becomes another one. */
	if (!e || people_is_proving(p, person) || !people_begin(p, me->hand, DOING_CODE))
		return;
	if (engine_recovery(e, &u->code, u->ticket) < 0)
		people_undo(p, me->hand);
	else
		me->has_code = false;
}

void people_rekey(struct people *p, unsigned person)
{
	struct person_life *me = &p->persons[person];
	struct machine_use *u = &p->machines[me->hand];
	struct engine *e = people_hands(p, me->hand);

	if (!e || !people_begin(p, me->hand, DOING_REKEY))
		return;
	if (engine_rekey(e, u->ticket) < 0) {
		people_undo(p, me->hand);
		return;
	}
	p->was_rekeyed[person] = true;
	for (unsigned b = 1; b <= p->count; b++)
		p->is_unsettled[person][b] = p->is_unsettled[b][person] = true;
	others_may_be_out(p, me->hand);
}

void people_name_a_device(struct people *p, unsigned person)
{
	struct person_life *me = &p->persons[person];
	struct engine *e = people_hands(p, me->hand);
	const struct device_list *l = e ? engine_devices(e) : NULL;
	struct device_public key;
	char label[16];

	if (!l || l->count == 0 || !people_begin(p, me->hand, DOING_NAME))
		return;
	key = l->devices[dice_below(people_dice(p), l->count)].device;
	snprintf(label, sizeof label, "machine %u", (unsigned)dice_below(people_dice(p), 100));
	if (engine_name_device(e, &key, label, p->machines[me->hand].ticket) < 0)
		people_undo(p, me->hand);
}

static bool revoke(struct people *p, unsigned person, const struct device_public *key)
{
	struct person_life *me = &p->persons[person];
	struct engine *e = people_hands(p, me->hand);
	unsigned home = people_home_of(p, key);

	if (!e || !people_begin(p, me->hand, DOING_REVOKE))
		return false;
	if (engine_revoke_device(e, key, p->machines[me->hand].ticket) < 0) {
		people_undo(p, me->hand);
		return false;
	}
	p->homes[home].may_be_out = true;
	return true;
}

bool people_revoke(struct people *p, unsigned machine)
{
	unsigned person = p->machines[machine].person;

	return p->machines[machine].home && p->persons[person].hand != machine &&
	       revoke(p, person, &people_home(p, machine)->key);
}

void people_lose_machine(struct people *p, unsigned machine, bool by_code)
{
	struct machine_use *u = &p->machines[machine];
	struct person_life *me = &p->persons[u->person];

	if (!me->has_joined || !u->home || p->home_count + p->machine_count >= HOMES_MAX)
		return;
	if (u->doing != DOING_NOTHING) {
		keeping_answered(p, machine, ERR_TIMEOUT);
		people_undo(p, machine);
	}
	people_home(p, machine)->is_gone = true;
	u->home = 0;
	u->by_code = by_code;
	me->has_lost = true;
	world_wipe(p->world, machine);
}

void people_shut_out(struct people *p, unsigned machine)
{
	/* Who has nothing yet cannot lose it; and the first one lets the others in. */
	p->machines[machine].is_shut_out = p->persons[p->machines[machine].person].has_joined;
}

bool people_shuts_out(const struct people *p, unsigned person)
{
	const struct person_life *me = &p->persons[person];

	for (unsigned m = me->first; m < me->first + me->machines; m++)
		if (p->machines[m].is_shut_out)
			return true;
	return false;
}

void people_unshut(struct people *p, unsigned machine)
{
	p->machines[machine].is_shut_out = false;
}

void people_hold_back(struct people *p, unsigned machine, mono_ns how_long)
{
	p->machines[machine].next = world_now(p->world) + how_long;
}

/* --- what a person sees to --- */

/* A device that stands in the list and is none of the person's machines any more. */
static void revoke_the_lost(struct people *p, unsigned person)
{
	const struct device_list *l = engine_devices(people_hands(p, p->persons[person].hand));

	for (unsigned i = 0; i < l->count; i++) {
		unsigned home = people_home_of(p, &l->devices[i].device);

		if (!home || p->homes[home].person != person) {
			world_fail(p->world, "person %u has a device of nobody", person);
		} else if (p->homes[home].is_gone ||
			   p->machines[p->homes[home].machine].is_shut_out) {
			revoke(p, person, &p->homes[home].key);
			return;
		}
	}
}

void keeping_tend(struct people *p, unsigned person)
{
	struct person_life *me = &p->persons[person];

	if (p->machines[me->hand].doing != DOING_NOTHING)
		return;
	/* Which password counts is found out by showing them. */
	if (me->maybe[0] && !people_is_proving(p, person) &&
	    world_now(p->world) >= p->machines[me->hand].next) {
		people_home(p, me->hand)->may_be_out = true;
		people_come_in(p, me->hand);
		return;
	}
	if (dice_chance(people_dice(p), 200))
		revoke_the_lost(p, person);
}
