/* Checks of everything an engine can see, in plain words with what to do. What only another
 * process can see (does the directory's name resolve here?) the face adds. */
#ifndef PALIQUE_PEER_API_DOCTOR_H
#define PALIQUE_PEER_API_DOCTOR_H

#include "peer/api/call.h"

/* The method `doctor`. */
int doctor_run(struct call *call);

#endif
