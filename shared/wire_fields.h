/* The fields of every message, in the order of wire.h: for the table in wire.c. They are kept
 * in files by who says them: wire_account.c, wire_session.c, wire_talk.c. */
#ifndef PALIQUE_SHARED_WIRE_FIELDS_H
#define PALIQUE_SHARED_WIRE_FIELDS_H

#include "shared/coder.h"
#include "shared/wire.h"

/* Encodes or decodes those of `m` behind its type. */
typedef void wire_fields(struct coder *c, struct wire_message *m);

extern wire_fields fields_register_start, fields_register_challenge, fields_register_finish,
	fields_login_start, fields_login_challenge, fields_login_finish, fields_login_done,
	fields_enrol, fields_recover, fields_reset, fields_reset_done;

extern wire_fields fields_welcome, fields_publish, fields_list, fields_list_add,
	fields_list_remove, fields_presence, fields_asked, fields_introduce,
	fields_introduction, fields_suspect, fields_check_nonce, fields_check_answer,
	fields_leaving, fields_observed;

extern wire_fields fields_password_start, fields_password_challenge, fields_password_finish,
	fields_vault_get, fields_vault_part, fields_vault_put, fields_vault_now, fields_devices,
	fields_devices_put, fields_devices_done, fields_recovery_put, fields_delete_account;

extern wire_fields fields_have, fields_say, fields_ack, fields_delivered, fields_record,
	fields_forwarding, fields_where, fields_there, fields_relay_open, fields_relay_offer,
	fields_relay_answer, fields_relay_close, fields_read, fields_typing, fields_profile,
	fields_profile_have, fields_file_get, fields_file_head, fields_file_tail,
	fields_file_done, fields_file_stands, fields_file_noted, fields_grant,
	fields_history_get, fields_history;

/* Of a SAY alone: it is hashed without the rest of the large union. */
void fields_of_say(struct coder *c, struct wire_say *s);
void fields_of_profile(struct coder *c, struct wire_profile *p);
void fields_of_profile_program(struct coder *c, struct wire_profile *p);
/* nil stands for an address that is not known: family 0. */
void fields_of_maybe_address(struct coder *c, struct address *a);
/* Of one that is there: number above 0. */
void fields_of_record(struct coder *c, struct peer_record *r);

#endif
