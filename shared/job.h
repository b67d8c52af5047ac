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
	JOB_FILING, /* something is read, written, hashed or put in its place (peer/filing.h) */
	JOB_IMAGE,  /* a thumbnail is made (peer/image.h) */
};
enum { JOB_ADDRESSES_MAX = 16, JOB_ROUTER_MAX = 63, JOB_URL_MAX = 255 };

struct job {
	uint64_t ticket; /* the asker's; comes back with the answer */
	enum job_kind kind;
	enum ksf ksf;
	uint8_t stretch[64]; /* in, then out; wiped by who takes it */
	struct work work;
	uint64_t nonce; /* the answer to JOB_WORK */
	/* JOB_UPNP: `port` is ours; addresses[0] ours toward the router, [1] the router's, [2], if
	 * there is one, the outer one that we had. The answer has the outer one in [0]. */
	bool is_removal;
	uint32_t life;                   /* seconds; in the answer those granted */
	int code;                        /* out: ERR_REFUSED: the router's own */
	char router[JOB_ROUTER_MAX + 1]; /* out: what it calls itself; safe to print */
	char url[JOB_URL_MAX + 1]; /* where it describes itself: "" or as last told; out */
	char host[65];
	uint16_t port;
	void *task; /* JOB_FILING, JOB_IMAGE: the asker's, which nobody else touches until it is back */
	int err; /* the answer: 0 or what went wrong */
	unsigned address_count;
	struct address addresses[JOB_ADDRESSES_MAX];
};

#endif
