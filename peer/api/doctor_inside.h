/* The inside of the doctor, for the files that make it up and nobody else: doctor_findings.c (what
 * was found), doctor_network.c, and above both doctor.c. */
#ifndef PALIQUE_PEER_API_DOCTOR_INSIDE_H
#define PALIQUE_PEER_API_DOCTOR_INSIDE_H

#include "peer/api/doctor.h"

struct findings {
	struct json *list;
	bool is_well;
};

/* --- doctor_findings.c --- */

/* `hint` NULL: it is well; else what to do. */
void doctor_note(struct findings *f, const char *check, const char *text, const char *hint);
/* Neither good nor bad: to be known. */
void doctor_remark(struct findings *f, const char *check, const char *text);

/* --- doctor_network.c --- */

/* What the network is, what works in it, and what would help. */
void doctor_check_network(struct findings *f, const struct call *call,
			  const struct engine_account *account);
/* The part of it beyond this machine. */
void doctor_check_reach(struct findings *f, const struct engine_reach *reach,
			const struct engine_account *account);
/* How a contact is reached who is linked, in words: "bob is connected: ...". */
void doctor_describe_path(const struct contact *c, char *text, size_t size);

#endif
