/* The counters of a running directory in words, for its operator; programs take --json. */
#ifndef PALIQUE_DIRECTORY_SUMMARY_H
#define PALIQUE_DIRECTORY_SUMMARY_H

#include <stdio.h>

#include "shared/json.h"

/* `status` is what metrics_json() made. */
void summary_print(FILE *to, const struct json *status);

#endif
