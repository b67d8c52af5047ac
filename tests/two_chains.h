/* Alice and Bob, who know each other, as engines without a network: what one says is brought to the other entry
 * by entry, and what both are shown is compared. */
#ifndef PALIQUE_TESTS_TWO_CHAINS_H
#define PALIQUE_TESTS_TWO_CHAINS_H

#include "peer/persons.h"
#include "tests/peer_fixture.h"

#define NOW  SECOND
#define WALL ((wall_ms)1700000000000)

/* What one of the two holds of the other. */
struct side {
	struct peer peer;
	struct chain chain;
	wall_ms wall;
};
extern struct side two_sides[2];
#define alice (two_sides[0])
#define bob   (two_sides[1])

int begin_chains(void **state);
int end_chains(void **state);
#define CHAINS(test) cmocka_unit_test_setup_teardown(test, begin_chains, end_chains)

void step(struct side *s);
/* The other, as a contact here. */
struct person *them(struct side *s);

/* --- saying, by the calls of faces --- */

/* What `err`, returned by such a call, has come to: the message's id. */
uint64_t done(struct side *s, int err);
uint64_t say_text(struct side *s, const char *text, uint64_t reply_to);
void edit(struct side *s, uint64_t id, const char *text);
void react(struct side *s, uint64_t id, const char *text);
void retract(struct side *s, uint64_t id);

/* --- what goes from one to the other --- */

enum heard hear(struct side *to, const struct wire_say *say);
/* All that the other has not, how much that was; from both. */
unsigned bring(struct side *from);
void bring_all(void);
/* What Bob says, as it goes on the wire: entry `seq` of his chain, about his entry `about` (0: none). */
struct wire_say theirs(enum say_kind kind, uint64_t seq, const char *text, uint64_t about);
/* Alice hears these, one behind the other. */
void chain_up(struct wire_say *says, unsigned count);

/* --- what is seen --- */

/* All messages: ">text*#ours/theirs;" each: ">" ours, "<" theirs, "*" edited, "#" taken back, "~" gone, reactions. */
const char *seen_by(struct side *s);
/* Of what stands there from the view of Alice. */
void both_see(const char *as_alice);
uint64_t newest(struct side *s);

#endif
