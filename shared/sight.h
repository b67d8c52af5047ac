/* Asking a directory by which address it sees a socket, outside QUIC: what STUN's binding does
 * (RFC 8489), and CHANGE-REQUEST (RFC 5780) in so far as it sends nothing to anybody but who
 * asks.
 *
 *   question  0x03 | "palq-see" (8) | nonce (16) | wants (1) | port (2, big-endian) | zeros to 64
 *   answer    0x04 | nonce (16) | family (1: 4 or 6) | IP (16, zeros behind a v4) | port (2)
 *
 * wants 0: an answer from where the question came to. SIGHT_CROSS: from an address, or a port
 * where there is but one address, that the directory is never asked at: it passes open filtering
 * only. SIGHT_PORT: from there too, but to `port` of the asker's IP instead: whether a mapping
 * lets strangers in. The answer is smaller than the question. */
#ifndef PALIQUE_SHARED_SIGHT_H
#define PALIQUE_SHARED_SIGHT_H

#include "shared/address.h"

enum { SIGHT_QUESTION_SIZE = 64, SIGHT_ANSWER_SIZE = 1 + 16 + 1 + 16 + 2 };
enum sight_wants { SIGHT_PLAIN = 0, SIGHT_CROSS = 1, SIGHT_PORT = 2 };

struct sight_nonce {
	uint8_t bytes[16];
};
struct sight_question {
	struct sight_nonce nonce;
	enum sight_wants wants;
	uint16_t port; /* SIGHT_PORT: not 0; else 0 */
};

void sight_question_encode(uint8_t out[SIGHT_QUESTION_SIZE], const struct sight_question *q);
/* ERR_FORMAT: not one. */
int sight_question_decode(struct sight_question *q, struct bytes datagram);
void sight_answer_encode(uint8_t out[SIGHT_ANSWER_SIZE], const struct sight_nonce *nonce,
			 const struct address *seen);
/* ERR_FORMAT: not one, or of no unicast address. */
int sight_answer_decode(struct sight_nonce *nonce, struct address *seen, struct bytes datagram);

#endif
