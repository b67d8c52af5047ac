/* The account of a member, written into a store as if it had joined. */
#ifndef PALIQUE_TESTS_STORED_ACCOUNT_H
#define PALIQUE_TESTS_STORED_ACCOUNT_H

#include "peer/store.h"
#include "shared/certificate.h"
#include "shared/device_list.h"
#include "shared/name.h"

struct stored_account {
	const struct name *name;
	const struct identity *identity;
	const struct device *device;
	const struct knock *knock;
	const struct device_list *devices;
};

/* To be committed by the caller. The certificate is made here: label "test", serial 1. */
void stored_account_write(struct store *store, const struct stored_account *account);

#endif
