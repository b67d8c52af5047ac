/* peer.conf: the few things of an engine that a person may want otherwise. Every key has a
 * default; docs/man/palique.conf.5 describes them. */
#ifndef PALIQUE_PEER_CONFIG_H
#define PALIQUE_PEER_CONFIG_H

#include "shared/address.h"
#include "shared/certificate.h"
#include "shared/log.h"
#include "shared/uri.h"

enum config_metered { METERED_AUTO, METERED_YES, METERED_NO };

struct peer_config {
	struct address listen; /* listen = ADDR:PORT; default [::]:0, any free port */
	bool is_port_chosen;   /* the file names a port: never another one */
	bool durable;          /* durable = yes: a message survives a power cut */
	char device[CERTIFICATE_LABEL_MAX +
		    1];     /* device = what other devices see; default: host name */
	enum log_level log; /* log = error, warning, notice, info, debug */
	bool has_directory;
	struct directory_place directory; /* directory = HOST[:PORT]: where `login NAME` goes */
	bool maps_ports;             /* map-ports = yes: asks the router for an open port */
	bool has_lan;                /* lan = yes: announces itself on the LAN */
	enum config_metered metered; /* metered = auto, yes or no */
};

/* A missing file is fine. ERR_FORMAT, ERR_IO: `reason` gets "FILE:LINE: what is wrong". */
int peer_config_read(struct peer_config *c, const char *path, char *reason, size_t reason_size);

#endif
