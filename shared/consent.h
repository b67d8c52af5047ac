/* Who may have our addresses: a decision for each contact, kept in the vault, known to the
 * directory, which acts on it, and to nobody else. */
#ifndef PALIQUE_SHARED_CONSENT_H
#define PALIQUE_SHARED_CONSENT_H

enum consent {
	CONSENT_DIRECT = 0, /* addresses are given, links are direct where they can be */
	CONSENT_RELAY = 1,  /* no address: only through a common contact that relays */
	CONSENT_NEVER = 2,  /* no address and no link at all; what is written waits */
};

#endif
