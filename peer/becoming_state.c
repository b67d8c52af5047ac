#include "peer/becoming_inside.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/error.h"
#include "shared/text.h"

/* --- beginning and end --- */

static int take_passwords(struct becoming *b, const struct becoming_wish *wish)
{
	int err = 0;

	if (wish->kind == BECOMING_LOGIN || wish->kind == BECOMING_PASSWD)
		err = entry_init(&b->proof, false, wish->password, wish->weakest);
	else
		err = entry_init(&b->setting, true, wish->password, wish->weakest);
	if (err == 0 && wish->kind == BECOMING_PASSWD)
		err = entry_init(&b->setting, true, wish->new_password, wish->weakest);
	return err;
}

int becoming_new(struct becoming **out, const struct becoming_wish *wish)
{
	struct becoming *b = sodium_malloc(sizeof *b);
	int err;

	if (!b)
		abort();
	memset(b, 0, sizeof *b);
	b->kind = wish->kind;
	b->name = wish->name;
	b->place = wish->place;
	b->ticket = wish->ticket;
	b->weakest = wish->weakest;
	b->begin_anew = wish->begin_anew;
	buf_init(&b->sealed, VAULT_SIZE_MAX);
	if (wish->directory_key) {
		b->directory_key = *wish->directory_key;
		b->has_key = true;
	}
	if (wish->code)
		snprintf(b->code, sizeof b->code, "%s", wish->code);
	if (wish->recovery)
		recovery_keys(&b->recovery, wish->recovery, &wish->name);
	if (wish->identity && wish->vault_key) {
		b->home_identity = *wish->identity;
		b->home_key = *wish->vault_key;
		b->has_home_key = true;
	}
	b->had_identity = wish->identity != NULL;
	if (wish->known)
		b->known = *wish->known;
	if (wish->devices)
		b->shorter = *wish->devices;
	err = take_passwords(b, wish);
	if (err < 0) {
		becoming_free(b);
		return err;
	}
	*out = b;
	return 0;
}

void becoming_free(struct becoming *b)
{
	if (!b)
		return;
	buf_clear(&b->sealed);
	vault_clear(&b->vault);
	sodium_free(b); /* wipes */
}

/* --- what the owner asks --- */

enum becoming_kind becoming_kind(const struct becoming *b)
{
	return b->kind;
}

const struct name *becoming_name(const struct becoming *b)
{
	return &b->name;
}

const struct directory_place *becoming_place(const struct becoming *b)
{
	return &b->place;
}

const struct device_public *becoming_directory_key(const struct becoming *b)
{
	return b->has_key ? &b->directory_key : NULL;
}

void becoming_pin(struct becoming *b, const struct device_public *key)
{
	b->directory_key = *key;
	b->has_key = b->is_pinned = true;
}

bool becoming_is_pinned(const struct becoming *b)
{
	return b->is_pinned;
}

uint64_t becoming_ticket(const struct becoming *b)
{
	return b->ticket;
}

const char *becoming_detail(const struct becoming *b)
{
	return b->detail;
}

bool becoming_is_working(const struct becoming *b)
{
	return b->stage == STAGE_WORKING;
}

const struct device_list *becoming_devices(const struct becoming *b)
{
	return &b->devices;
}

const struct vault *becoming_vault(const struct becoming *b)
{
	return b->has_vault ? &b->vault : NULL;
}

const struct symmetric_key *becoming_vault_key(const struct becoming *b)
{
	return b->has_vault_key ? &b->vault_key : NULL;
}

uint64_t becoming_vault_version(const struct becoming *b)
{
	return b->head.version;
}

bool becoming_is_kept(const struct becoming *b)
{
	return b->is_kept;
}

uint32_t becoming_failed(const struct becoming *b)
{
	return b->failed;
}

bool becoming_is_sent(const struct becoming *b)
{
	return b->stage == STAGE_LAST && b->is_said;
}

bool becoming_is_ready(const struct becoming *b)
{
	return b->stage == STAGE_LAST && !b->is_said;
}

bool becoming_is_setting(const struct becoming *b)
{
	return b->stage == STAGE_SET;
}

/* --- the steps --- */

int becoming_fail(struct becoming *b, int err, const char *detail)
{
	b->detail = detail;
	return err;
}

int becoming_go(struct becoming *b, enum stage stage, enum wire_type say)
{
	b->stage = stage;
	b->say = say;
	return BECOMING_ON;
}

int becoming_begin_setting(struct becoming *b)
{
	int err = entry_start(&b->setting);

	return err < 0 ? err : becoming_go(b, STAGE_SETTING, WIRE_PASSWORD_START);
}

int becoming_want_keys(struct becoming *b)
{
	becoming_go(b, STAGE_KEYS, 0);
	return BECOMING_WANTS_KEYS;
}

int becoming_begin_again(struct becoming *b)
{
	if (b->agains++ == BECOMING_AGAINS)
		return becoming_fail(b, ERR_BUSY,
				     N_("the account keeps changing: try again later"));
	b->sealed.size = 0;
	vault_clear(&b->vault);
	b->has_vault = b->has_vault_key = b->is_kept = b->is_said = false;
	memset(&b->head, 0, sizeof b->head);
	sodium_memzero(&b->work, sizeof b->work);
	becoming_go(b, STAGE_AWAY, 0);
	return BECOMING_AGAIN;
}
