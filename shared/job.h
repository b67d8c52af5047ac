/* Work that blocks leaves a core as a request and returns as an answer: the shell runs
 * it in a worker thread, a test answers it as it likes. */
#ifndef PALIQUE_SHARED_JOB_H
#define PALIQUE_SHARED_JOB_H

#include "shared/address.h"
#include "shared/ksf.h"
#include "shared/work.h"

enum job_kind {
	JOB_STRETCH, /* ksf_stretch() */
	JOB_RESOLVE, /* a host name to addresses */
	JOB_WORK,    /* work_solve() */
	JOB_UPNP,    /* a port mapped, renewed or removed at the router (peer/upnp.h) */
};
enum { JOB_ADDRESSES_MAX = 16 };

struct job {
	uint64_t ticket; /* the asker's; comes back with the answer */
	enum job_kind kind;
	enum ksf ksf;
	uint8_t stretch[64]; /* in, then out; wiped by who takes it */
	struct work work;
	uint64_t nonce; /* the answer to JOB_WORK */
	bool is_removal; /* JOB_UPNP; `port` ours, addresses[0] toward the router, then the outer one */
	uint32_t life;   /* JOB_UPNP: seconds; then those granted */
	char router[64]; /* JOB_UPNP: out: what it calls itself */
	char host[65];
	uint16_t port;
	int err; /* the answer: 0 or what went wrong */
	unsigned address_count;
	struct address addresses[JOB_ADDRESSES_MAX];
};

#endif
