#include "tests/stored_account.h"

#include <assert.h>

#include "peer/account.h"

void stored_account_write(struct store *store, const struct stored_account *a)
{
	struct buf bytes = { 0 }, devices = { 0 };
	struct certificate certificate;
	struct statement *s;
	int err;

	certificate_make(&certificate, a->identity, &a->device->public, "test", 1, 0);
	store_write(store);
	s = db_sql(store_db(store), "INSERT INTO account(one, standing, name, host, port,"
				    " directory_key, identity_public, identity_secret,"
				    " device_public, device_secret, certificate, knock,"
				    " devices)"
				    " VALUES(1,?,?,'directory.example',7272,?,?,?,?,?,?,?,?)");
	bind_int(s, 1, STANDING_MEMBER);
	bind_text(s, 2, a->name->text);
	bind_bytes(s, 3, BYTES(a->device->public.bytes)); /* a key like any other */
	bind_bytes(s, 4, BYTES(a->identity->public.bytes));
	bind_bytes(s, 5, BYTES(a->identity->secret.bytes));
	bind_bytes(s, 6, BYTES(a->device->public.bytes));
	bind_bytes(s, 7, BYTES(a->device->secret.bytes));
	err = certificate_encode(&certificate, &bytes);
	assert(err == 0);
	bind_bytes(s, 8, buf_view(&bytes));
	bind_bytes(s, 9, BYTES(a->knock->bytes));
	err = device_list_encode(a->devices, &devices);
	assert(err == 0);
	bind_bytes(s, 10, buf_view(&devices));
	store_run(store, s);
	buf_clear(&bytes);
	buf_clear(&devices);
}
