/* Where history that comes in belongs: a chain in the conversation of any two identities. */
#include <string.h>

#include "peer/conversations_inside.h"
#include "shared/error.h"

static int64_t find(struct conversations *c, const struct person *p,
		    const struct identity_public *theirs, const struct identity_public *ours)
{
	struct statement *s = db_sql(db_of(c), "SELECT id FROM conversation WHERE contact = ?"
					       " AND identity = ? AND ours = ?"
					       " ORDER BY id DESC LIMIT 1");
	int64_t id = 0;

	bind_int(s, 1, p->id);
	bind_bytes(s, 2, BYTES(theirs->bytes));
	bind_bytes(s, 3, BYTES(ours->bytes));
	if (db_step(s) == 1)
		id = column_int(s, 0);
	db_done(s);
	return id;
}

/* Below all others: the one of now is the newest. */
static int64_t make(struct conversations *c, const struct person *p,
		    const struct identity_public *theirs, const struct identity_public *ours)
{
	struct statement *s;

	store_write(c->rooms->store);
	s = db_sql(db_of(c), "INSERT INTO conversation(id, contact, identity, ours) VALUES("
			     "(SELECT min(min(id), 0) - 1 FROM conversation),?,?,?)");
	bind_int(s, 1, p->id);
	bind_bytes(s, 2, BYTES(theirs->bytes));
	bind_bytes(s, 3, BYTES(ours->bytes));
	return store_run(c->rooms->store, s) >= 0 ? db_last_id(db_of(c)) : 0;
}

int64_t conversations_find_chain(struct conversations *c, const struct person *p,
				 const struct identity_public *theirs,
				 const struct identity_public *ours,
				 const struct device_public *author, bool is_ours,
				 struct chain *chain)
{
	int64_t conversation = find(c, p, theirs, ours);

	if (conversation == 0)
		conversation = make(c, p, theirs, ours);
	chain_read(c, conversation, author, chain);
	chain->is_ours = is_ours;
	chain_make(c, conversation, author, chain);
	return conversation;
}

void conversations_recalled(struct conversations *c, const struct chain *chain,
			    uint64_t delivered, uint64_t read)
{
	struct statement *s;

	store_write(c->rooms->store);
	s = db_sql(db_of(c), "UPDATE chain SET delivered = CASE WHEN is_ours"
			     " THEN max(delivered, ?1) ELSE delivered END, read = max(read,"
			     " min(?2, max(next, coalesce((SELECT max(seq) + 1 FROM message"
			     " WHERE message.chain = ?3), 1)))) WHERE id = ?3");
	bind_int(s, 1, (int64_t)delivered);
	bind_int(s, 2, (int64_t)read);
	bind_int(s, 3, chain->id);
	store_run(c->rooms->store, s);
}
