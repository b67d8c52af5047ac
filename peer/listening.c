#include "peer/listening.h"

#include <stdio.h>
#include <stdlib.h>

#include "shared/error.h"
#include "shared/text.h"
#include "shared/udp_socket.h"

/* The port of the last time is tried first: contacts remember it when the directory is
 * away, and firewalls are opened for one port. */
int listening_begin(struct udp *udp, const struct home *home, const struct peer_config *config,
		    struct address *bound, char *reason, size_t reason_size)
{
	struct address wanted = config->listen;
	char text[ADDRESS_TEXT_SIZE], port[16];
	int err = ERR_NOT_FOUND;
	long last = 0;

	if (!config->is_port_chosen && home_recall(home, "port", port, sizeof port) == 0) {
		last = strtol(port, NULL, 10);
		if (last > 0 && last <= 65535) {
			wanted.port = (uint16_t)last;
			err = udp_listen(udp, &wanted, bound);
			wanted.port = 0;
		}
	}
	if (err < 0)
		err = udp_listen(udp, &wanted, bound);
	if (err < 0) {
		address_print(&wanted, text);
		snprintf(reason, reason_size,
			 _("cannot open the UDP port %s: %s; set another with listen in "
			   "%s/peer.conf"),
			 text, udp_socket_trouble(err), home->folder);
		return err;
	}
	snprintf(port, sizeof port, "%u\n", bound->port);
	if (!config->is_port_chosen && bound->port != last)
		home_remember(home, "port", port);
	return 0;
}
