/* Who may have our addresses: a decision for each contact, kept in the vault, known to the
 * directory, which acts on it, and to nobody else. */
#ifndef PALIQUE_SHARED_CONSENT_H
#define PALIQUE_SHARED_CONSENT_H

enum consent {
	CONSENT_DIRECT = 0, /* addresses are given, links are direct where they can be */
	CONSENT_RELAY = 1,  /* no address: only through a common contact that relays */
	CONSENT_NEVER = 2,  /* no address and no link at all; what is written waits */
	/* Not even that we are online (XEP-0186): the directory tells them nothing of us, and us what it
	 * may of them. For the time being, in place of one of those above. */
	CONSENT_HIDDEN = 3,
};

#endif
