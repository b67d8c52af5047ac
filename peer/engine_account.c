#include "peer/engine_inside.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "peer/account.h"
#include "peer/directory_client.h"
#include "peer/grants.h"
#include "peer/persons.h"
#include "peer/siblings.h"
#include "shared/error.h"

/* What was begun is durable, and said, before the call returns. */
static int settled(struct engine *e, int err)
{
	return err < 0 ? err : engine_settle(e);
}

int engine_join(struct engine *e, const struct uri *link, const char *name,
		struct bytes password, uint64_t ticket)
{
	return settled(e, account_join(e->rooms.account, link, name, password, ticket));
}

int engine_login(struct engine *e, const char *name, const struct directory_place *place,
		 const struct device_public *directory_key, struct bytes password,
		 bool begin_anew, uint64_t ticket)
{
	return settled(e, account_login(e->rooms.account, name, place, directory_key, password,
					begin_anew, ticket));
}

int engine_recover(struct engine *e, const char *name, const struct directory_place *place,
		   const struct device_public *directory_key, const struct recovery_code *code,
		   struct bytes new_password, uint64_t ticket)
{
	return settled(e, account_recover(e->rooms.account, name, place, directory_key, code,
					  new_password, ticket));
}

int engine_reset(struct engine *e, const struct uri *link, struct bytes new_password,
		 uint64_t ticket)
{
	return settled(e, account_reset(e->rooms.account, link, new_password, ticket));
}

int engine_passwd(struct engine *e, struct bytes old_password, struct bytes new_password,
		  bool everywhere, uint64_t ticket)
{
	return settled(e, account_passwd(e->rooms.account, old_password, new_password,
					 everywhere, ticket));
}

int engine_delete(struct engine *e, uint64_t ticket)
{
	return settled(e, account_delete(e->rooms.account, ticket));
}

int engine_rekey(struct engine *e, uint64_t ticket)
{
	return settled(e, account_rekey(e->rooms.account, ticket));
}

int engine_recovery(struct engine *e, struct recovery_code *code, uint64_t ticket)
{
	int err;

	if (code)
		recovery_make(code);
	err = settled(e, account_recovery(e->rooms.account, code, ticket));
	if (err < 0 && code)
		sodium_memzero(code, sizeof *code);
	return err;
}

const struct device_list *engine_devices(const struct engine *e)
{
	static const struct device_list none;

	/* Who was put out does not hear what becomes of the others. */
	if (account_standing(e->rooms.account) == STANDING_REFUSED)
		return &none;
	return account_devices(e->rooms.account);
}

const struct device_public *engine_device(const struct engine *e)
{
	return account_device(e->rooms.account);
}

bool engine_device_is_online(const struct engine *e, const struct device_public *device)
{
	if (device_public_equal(device, account_device(e->rooms.account)))
		return directory_client_is_online(e->rooms.directory);
	return siblings_is_online(&e->rooms, device);
}

int engine_name_device(struct engine *e, const struct device_public *device, const char *label,
		       uint64_t ticket)
{
	return settled(e, account_name_device(e->rooms.account, device, label, ticket));
}

int engine_revoke_device(struct engine *e, const struct device_public *device, uint64_t ticket)
{
	return settled(e, account_revoke_device(e->rooms.account, device, ticket));
}

int engine_grant_history(struct engine *e, const struct device_public *device, wall_ms since,
			 bool is_given)
{
	const struct device_list *all = account_devices(e->rooms.account);

	if (device_public_equal(device, account_device(e->rooms.account)) ||
	    (is_given && !device_list_find(all, device)))
		return ERR_NOT_FOUND;
	grants_give(e->rooms.grants, device, since, is_given);
	return engine_settle(e);
}

int engine_set_requests(struct engine *e, enum request_policy policy)
{
	if (account_standing(e->rooms.account) == STANDING_NONE)
		return ERR_STATE;
	account_set_requests(e->rooms.account, policy);
	return engine_settle(e);
}

enum request_policy engine_requests(const struct engine *e)
{
	return account_requests(e->rooms.account);
}

void engine_account(const struct engine *e, struct engine_account *out)
{
	account_fill(e->rooms.account, out);
}

void engine_directory_here(struct engine *e, const struct device_public *key,
			   const struct address *at)
{
	directory_client_here(e->rooms.directory, key, at);
}

/* --- the safety number --- */

enum { DIRECTORY_PRINT = 16, ID_SIZE = NAME_MAX + 1 + BYTES_BASE64_SIZE(DIRECTORY_PRINT) };

/* "name@" and BLAKE2b-128 of the directory's key, base64url. */
static struct safety_side side_of(uint8_t key[SAFETY_KEY_SIZE], char id[ID_SIZE],
				  const struct identity_public *identity,
				  const struct name *name,
				  const struct device_public *directory)
{
	uint8_t print[DIRECTORY_PRINT];
	char text[BYTES_BASE64_SIZE(DIRECTORY_PRINT)];

	crypto_generichash(print, sizeof print, directory->bytes, sizeof directory->bytes, NULL,
			   0);
	bytes_to_base64(BYTES(print), text);
	snprintf(id, ID_SIZE, "%s@%s", name->text, text);
	safety_key(key, identity);
	return (struct safety_side){ .key = bytes_of(key, SAFETY_KEY_SIZE),
				     .id = bytes_text(id) };
}

int engine_safety(struct engine *e, const char *text, struct engine_safety *out)
{
	const struct account *a = e->rooms.account;
	const struct identity_public *ours = account_identity(a);
	const struct device_public *directory = account_directory_key(a);
	uint8_t our_key[SAFETY_KEY_SIZE], their_key[SAFETY_KEY_SIZE];
	char our_id[ID_SIZE], their_id[ID_SIZE];
	struct safety_side us, them;
	const struct person *p;
	struct name name;
	int err = engine_is_readable(e) ? name_parse(&name, bytes_text(text)) : ERR_IO;

	if (err < 0)
		return err;
	p = persons_find(e->rooms.persons, &name);
	if (!p || p->is_removed)
		return ERR_NOT_FOUND;
	if (!p->has_identity || !ours || !directory)
		return ERR_STATE;
	us = side_of(our_key, our_id, ours, account_name(a), directory);
	them = side_of(their_key, their_id, p->is_key_changed ? &p->new_identity : &p->identity,
		       &p->name, directory);
	memset(out, 0, sizeof *out);
	out->is_verified = p->is_verified && !p->is_key_changed;
	out->is_key_changed = p->is_key_changed;
	err = safety_number(out->digits, us, them);
	return err < 0 ? err : safety_code(out->code, us, them);
}
