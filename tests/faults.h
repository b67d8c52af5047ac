/* What tests/system/fault_preload.c does to a program, in a file that both have mapped. */
#ifndef PALIQUE_TESTS_FAULTS_H
#define PALIQUE_TESTS_FAULTS_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

struct faults {
	uint64_t fail_allocation; /* which one, from 1; 0: none */
	pid_t allocating_pid;     /* of this process alone, so not of its children */
	atomic_uint_fast64_t allocations, refused;
	int64_t clock_offset_s;
	uint32_t loss, duplicate, reorder; /* of a thousand datagrams sent */
	atomic_uint_fast64_t lost, doubled, late;
};

#endif
