/* What this program calls itself. */
#ifndef PALIQUE_SHARED_VERSION_H
#define PALIQUE_SHARED_VERSION_H

#define PALIQUE_VERSION "0.3"

#endif
