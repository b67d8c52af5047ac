#include "peer/api/explain.h"

#include <stdio.h>
#include <string.h>

#include "shared/error.h"
#include "shared/text.h"

/* clang-format off */
/* The first row that fits tells what happened, where error_text() alone would be too bare,
 * and what to type next. %s is whom it was about. */
static const struct hint {
	const char *method; /* NULL: any */
	int err;
	const char *sentence; /* NULL: error_text() */
	const char *next;
} hints[] = {
	{ "join", ERR_EXISTS, N_("the name %s is taken"), N_("palique join LINK --name OTHER-NAME") },
	{ "join", ERR_OFFLINE, NULL, N_("the same again, with the network and the address in the link checked") },
	{ "join", ERR_TIMEOUT, NULL, N_("the same again, with the network and the address in the link checked") },
	{ "join", ERR_FORMAT, NULL, N_("palique join LINK") },
	{ "join", ERR_LIMIT, NULL, N_("palique join LINK") },
	{ "join", ERR_NAME, N_("\"%s\" cannot be a name"), N_("palique join LINK --name NAME") },
	{ "join", ERR_STATE, NULL, "palique status" },
	{ "join", ERR_EXPIRED, N_("the invitation has expired"), N_("palique join NEW-LINK") },
	{ "join", ERR_REFUSED, NULL, N_("palique join NEW-LINK") },
	{ "login", ERR_AUTH, N_("wrong name or password"), N_("palique login %s; if it is forgotten: palique recover %s") },
	{ "login", ERR_REFUSED, N_("this home holds another account than %s"), N_("palique --home OTHER-FOLDER login %s") },
	{ "login", ERR_KEY_CHANGED, N_("the password is right, but the vault is sealed with an older one"), N_("palique recover %s; without a recovery code: palique login %s --begin-anew") },
	{ "login", ERR_CORRUPT, N_("what the directory keeps of %s is damaged or forged, and was not taken"), N_("ask its operator; another device of yours can put it right by coming online") },
	{ "login", ERR_STATE, N_("other devices changed the account at the same time"), "palique login %s" },
	{ "login", ERR_FULL, N_("%s has as many devices as an account can have"), N_("palique devices revoke DEVICE, on one of them") },
	{ "login", ERR_NAME, NULL, N_("palique login NAME@DIRECTORY") },
	{ "login", ERR_FORMAT, NULL, N_("palique login NAME@DIRECTORY") },
	{ "login", ERR_OFFLINE, NULL, N_("the same again, with the network and the address of the directory checked") },
	{ "login", ERR_TIMEOUT, NULL, N_("the same again, with the network and the address of the directory checked") },
	{ "recover", ERR_OFFLINE, NULL, N_("the same again, with the network and the address of the directory checked") },
	{ "recover", ERR_TIMEOUT, NULL, N_("the same again, with the network and the address of the directory checked") },
	{ "recover", ERR_AUTH, N_("these words do not open %s: another name, another directory, or an older code"), "palique recover %s" },
	{ "recover", ERR_REFUSED, N_("this home holds another account than %s"), N_("palique --home OTHER-FOLDER recover %s") },
	{ "recover", ERR_NOT_FOUND, N_("these words do not open %s: another name, another directory, or an older code"), "palique recover %s" },
	{ "recover", ERR_CORRUPT, N_("what the directory keeps of %s is damaged or forged, and was not taken"), N_("ask its operator; another device of yours can put it right by coming online") },
	{ "recover", ERR_STATE, N_("other devices changed the account at the same time"), "palique recover %s" },
	{ "recover", ERR_FULL, N_("%s has as many devices as an account can have"), N_("palique devices revoke DEVICE, on one of them") },
	{ "recover", ERR_FORMAT, NULL, "palique recover %s" },
	{ "recover", ERR_NAME, NULL, N_("palique recover NAME@DIRECTORY") },
	{ "resetPassword", ERR_FORMAT, NULL, N_("palique reset 'palique:HOST/r/CODE?k=KEY'") },
	{ "resetPassword", ERR_EXPIRED, N_("the link is used or too old"), N_("ask the operator for another one") },
	{ "resetPassword", ERR_REFUSED, N_("the link is not valid here, or used already"), N_("ask the operator for another one") },
	{ "resetPassword", ERR_AUTH, N_("the link is not valid here, or used already"), N_("ask the operator for another one") },
	{ "resetPassword", ERR_NOT_FOUND, N_("the link is not valid here, or used already"), N_("ask the operator for another one") },
	{ "changePassword", ERR_AUTH, N_("the old password is wrong; nothing has changed"), "palique passwd" },
	{ "changePassword", ERR_FORMAT, NULL, "palique passwd" },
	{ "changePassword", ERR_TIMEOUT, NULL, "palique passwd" },
	{ "deleteAccount", ERR_STATE, N_("this needs the directory, and it does not answer: nothing has changed"), "palique doctor" },
	{ "deleteAccount", ERR_OFFLINE, N_("this needs the directory, and it does not answer: nothing has changed"), "palique doctor" },
	{ "changePassword", ERR_STATE, N_("this needs the directory, and it does not answer: nothing has changed"), "palique doctor" },
	{ "changePassword", ERR_OFFLINE, N_("this needs the directory, and it does not answer: nothing has changed"), "palique doctor" },
	{ "renewIdentity", ERR_STATE, N_("this needs the directory, and it does not answer: nothing has changed"), "palique doctor" },
	{ "renewIdentity", ERR_OFFLINE, N_("this needs the directory, and it does not answer: nothing has changed"), "palique doctor" },
	{ "createRecoveryCode", ERR_STATE, N_("this needs the directory, and it does not answer: nothing has changed"), "palique doctor" },
	{ "createRecoveryCode", ERR_OFFLINE, N_("this needs the directory, and it does not answer: an older code may still be the one that counts"), "palique doctor" },
	{ "removeRecoveryCode", ERR_STATE, N_("this needs the directory, and it does not answer: nothing has changed"), "palique doctor" },
	{ "nameDevice", ERR_STATE, N_("this needs the directory, and it does not answer: nothing has changed"), "palique doctor" },
	{ "nameDevice", ERR_NOT_FOUND, N_("there is no such device"), "palique devices" },
	{ "nameDevice", ERR_FORMAT, NULL, N_("palique devices name DEVICE NEW-NAME") },
	{ "revokeDevice", ERR_STATE, N_("this needs the directory, and it does not answer: nothing has changed"), "palique doctor" },
	{ "revokeDevice", ERR_REFUSED, N_("this is the device you are at: revoke it from another one, or end the account"), "palique devices" },
	{ "revokeDevice", ERR_NOT_FOUND, N_("there is no such device"), "palique devices" },
	{ "revokeDevice", ERR_FORMAT, NULL, "palique devices" },
	{ "getSafety", ERR_STATE, N_("the key of %s is not known yet: they have to accept first, or give you their link"), "palique ls" },
	{ "verifyContact", ERR_STATE, N_("the key of %s is not known yet: they have to accept first, or give you their link"), "palique ls" },
	{ "verifyContact", ERR_AUTH, N_("these are not the numbers of you and %s: read them once more, and if they stay different, somebody stands between you"), "palique safety %s" },
	{ "verifyContact", ERR_KEY_CHANGED, N_("%s shows another key now: accept it first, then compare"), "palique accept %s" },
	{ "setRequests", ERR_STATE, N_("there is no account here yet"), N_("palique join LINK, or palique login NAME@DIRECTORY") },
	{ "setRequests", ERR_FORMAT, NULL, "palique requests anyone" },
	{ "setConsent", ERR_FORMAT, NULL, "palique consent %s relay" },
	{ "setRelay", ERR_LIMIT, NULL, "palique relay on --rate 16k" },
	{ "host", ERR_FORMAT, NULL, "palique host --listen 0.0.0.0:7272" },
	{ "host", ERR_EXISTS, NULL, N_("palique host --listen ADDRESS:OTHER-PORT") },
	{ "host", ERR_IO, NULL, N_("palique host --listen ADDRESS:OTHER-PORT") },
	{ "hostStatus", ERR_STATE, N_("this engine hosts no directory"), "palique host" },
	{ "createInvite", ERR_STATE, NULL, "palique host" },
	{ "getLink", ERR_STATE, N_("there is no account here yet"), N_("palique join LINK, or palique login NAME@DIRECTORY") },
	{ "acceptContact", ERR_KEY_CHANGED, N_("%s shows yet another key now"), "palique accept %s" },
	{ "acceptContact", ERR_REFUSED, N_("the key that %s shows is that of another contact"), "palique ls" },
	{ "acceptContact", ERR_NOT_FOUND, N_("%s has not asked"), "palique add %s" },
	{ "addContact", ERR_EXISTS, N_("%s is a contact already"), "palique ls" },
	{ "addContact", ERR_STATE, N_("there is no account here yet"), N_("palique join LINK, or palique login NAME@DIRECTORY") },
	{ "addContact", ERR_REFUSED, NULL, "palique status" },
	{ "addContact", ERR_FORMAT, NULL, N_("palique add NAME") },
	{ "send", ERR_NOT_FOUND, N_("%s is not a contact"), "palique add %s" },
	{ "send", ERR_REFUSED, N_("%s is blocked"), "palique unblock %s" },
	{ "send", ERR_LIMIT, NULL, N_("split -C 16384 FILE") },
	{ "send", ERR_FORMAT, NULL, N_("palique send %s TEXT") },
	{ "send", ERR_STATE, N_("%s wants to talk with you and waits for your answer"), "palique accept %s" },
	{ "send", ERR_KEY_CHANGED, N_("%s shows another key; nothing is sent until you decide"), "palique doctor" },
	{ "sendFile", ERR_NOT_FOUND, N_("there is no such file, or %s is not a contact"), "palique ls" },
	{ "sendFile", ERR_REFUSED, N_("this is neither a file nor a folder that can be read, or %s is blocked"), N_("palique send %s -f FILE") },
	{ "sendFile", ERR_LIMIT, NULL, N_("palique send %s -f FILE") },
	{ "sendFile", ERR_FORMAT, NULL, N_("palique send %s -f FILE") },
	{ "sendFile", ERR_STATE, N_("%s wants to talk with you and waits for your answer"), "palique accept %s" },
	{ "sendFile", ERR_IO, N_("the file cannot be read"), N_("palique send %s -f FILE") },
	{ "forward", ERR_NOT_FOUND, N_("there is no message %s, or no such contact"), N_("palique history NAME") },
	{ "forward", ERR_REFUSED, N_("%s is blocked"), "palique unblock %s" },
	{ "forward", ERR_STATE, N_("message %s is gone, or not here whole: it cannot be forwarded"), N_("palique show ID") },
	{ "forward", ERR_LIMIT, N_("the words with this file are too long to go on with it"), N_("palique show ID") },
	{ "editMessage", ERR_NOT_FOUND, N_("there is no message %s"), N_("palique history NAME") },
	{ "editMessage", ERR_REFUSED, N_("message %s is not yours: only who wrote it can change it"), N_("palique reply %s TEXT") },
	{ "editMessage", ERR_STATE, N_("message %s is gone and cannot be changed"), N_("palique history NAME") },
	{ "editMessage", ERR_EXPIRED, N_("message %s was said before a key changed: that conversation has ended, and what was said in it stays as it is at both"), N_("palique reply %s TEXT") },
	{ "editMessage", ERR_KEY_CHANGED, N_("the contact of message %s shows another key; nothing is sent until you decide"), "palique ls" },
	{ "editMessage", ERR_FORMAT, NULL, N_("palique edit %s TEXT") },
	{ "editMessage", ERR_LIMIT, NULL, N_("palique edit %s TEXT") },
	{ "deleteMessage", ERR_NOT_FOUND, N_("there is no message %s"), N_("palique history NAME") },
	{ "deleteMessage", ERR_REFUSED, N_("message %s is not yours: you can delete it here alone"), "palique delete %s --here" },
	{ "deleteMessage", ERR_STATE, N_("message %s is gone already"), N_("palique history NAME") },
	{ "deleteMessage", ERR_EXPIRED, N_("message %s was said before a key changed: it cannot be taken back from them any more, but you can delete it here"), "palique delete %s --here" },
	{ "deleteMessage", ERR_KEY_CHANGED, N_("the contact of message %s shows another key; nothing is sent until you decide"), "palique ls" },
	{ "sendReaction", ERR_NOT_FOUND, N_("there is no message %s"), N_("palique history NAME") },
	{ "sendReaction", ERR_STATE, N_("message %s is gone: nobody can react to it"), N_("palique history NAME") },
	{ "sendReaction", ERR_EXPIRED, N_("message %s was said before a key changed: that conversation has ended, and reactions do not reach it"), N_("palique reply %s TEXT") },
	{ "sendReaction", ERR_KEY_CHANGED, N_("the contact of message %s shows another key; nothing is sent until you decide"), "palique ls" },
	{ "sendReaction", ERR_FORMAT, NULL, "palique react %s 👍" },
	{ "sendReaction", ERR_LIMIT, NULL, "palique react %s 👍" },
	{ "setTimer", ERR_STATE, N_("there is no account here yet"), N_("palique join LINK, or palique login NAME@DIRECTORY") },
	{ "getMessage", ERR_NOT_FOUND, N_("there is no message %s"), N_("palique history NAME") },
	{ "getThumbnail", ERR_NOT_FOUND, N_("there is no message %s"), N_("palique history NAME") },
	{ "getThumbnail", ERR_STATE, NULL, "palique show %s" },
	{ "getMessages", ERR_FORMAT, NULL, N_("palique history NAME") },
	{ "getMessages", ERR_NOT_FOUND, N_("nothing was said with %s, or no such message is of them"), "palique ls" },
	{ "searchMessages", ERR_FORMAT, NULL, N_("palique search WORDS") },
	{ "acceptFile", ERR_NOT_FOUND, N_("message %s has no file"), "palique files" },
	{ "acceptFile", ERR_STATE, N_("there is nothing to fetch of message %s"), "palique show %s" },
	{ "acceptFile", ERR_FORMAT, NULL, "palique files accept %s" },
	{ "acceptFile", ERR_REFUSED, N_("nothing can be written into that folder"), N_("palique files accept %s --to FOLDER") },
	{ "pauseFile", ERR_NOT_FOUND, N_("message %s has no file"), "palique files" },
	{ "pauseFile", ERR_STATE, N_("the file of message %s is not on its way"), "palique files" },
	{ "cancelFile", ERR_NOT_FOUND, N_("message %s has no file"), "palique files" },
	{ "cancelFile", ERR_STATE, N_("the file of message %s is not on its way"), "palique files" },
	{ "getPicture", ERR_NOT_FOUND, NULL, N_("palique profile NAME") },
	{ "setProfile", ERR_NOT_FOUND, N_("there is no such file"), N_("palique profile --picture FILE") },
	{ "setProfile", ERR_FORMAT, N_("this is no PNG, JPEG or WebP image, or a broken one"), N_("palique profile --help") },
	{ "setProfile", ERR_LIMIT, N_("this image is too large: up to 64 MB, 100 million pixels and 30000 on a side"), N_("palique profile --picture FILE") },
	{ "setProfile", ERR_IO, N_("the image cannot be read"), N_("palique profile --picture FILE") },
	{ "setSettings", ERR_NOT_FOUND, N_("there is no such folder"), N_("palique settings downloads FOLDER") },
	{ "setSettings", ERR_FORMAT, NULL, N_("palique settings downloads FOLDER") },
	{ "grantHistory", ERR_NOT_FOUND, N_("there is no such device"), "palique devices" },
	{ "grantHistory", ERR_FORMAT, NULL, "palique devices" },
	{ "grantHistory", ERR_REFUSED, N_("this is the device you are at"), "palique devices" },
	{ "subscribe", ERR_LIMIT, N_("there was no such event yet"), "palique recv" },
	{ "openWeb", ERR_EXISTS, NULL, "palique web" },
	{ "createBot", ERR_EXISTS, NULL, "palique bot" },
	{ "createBot", ERR_NAME, N_("\"%s\" cannot be a name"), N_("palique bot create NAME --with CONTACT") },
	{ "changeBot", ERR_NOT_FOUND, NULL, "palique bot" },
	{ "removeBot", ERR_NOT_FOUND, NULL, "palique bot" },
	{ "approveProposal", ERR_NOT_FOUND, NULL, "palique bot proposals" },
	{ "rejectProposal", ERR_NOT_FOUND, NULL, "palique bot proposals" },
	{ NULL, ERR_SUSPENDED, N_("the operator of the directory has suspended this account"), N_("ask the operator of the directory") },
	{ NULL, ERR_BUSY, N_("too many attempts for this name or from this network; your own devices stay logged in"), N_("the same again in some minutes") },
	{ NULL, ERR_VERSION, NULL, "palique --version" },
	{ NULL, ERR_KEY_CHANGED, N_("%s shows another key; nothing is sent until you decide"), "palique doctor" },
	{ "exportAccount", ERR_NOT_FOUND, NULL, N_("palique backup FILE") },
	{ "exportHistory", ERR_EXISTS, NULL, N_("palique export %s OTHER-PATH --format html") },
	{ NULL, ERR_NOT_FOUND, N_("%s is not a contact"), "palique ls" },
	{ NULL, ERR_NAME, N_("\"%s\" cannot be a name"), "palique ls" },
	{ NULL, ERR_STATE, NULL, N_("palique join LINK, or palique login NAME@DIRECTORY") },
	{ NULL, ERR_OFFLINE, NULL, "palique doctor" },
	{ NULL, ERR_TIMEOUT, NULL, "palique doctor" },
	{ NULL, ERR_CORRUPT, NULL, "palique doctor" },
	{ NULL, ERR_FULL, NULL, "palique doctor" },
};
/* clang-format on */

/* `pattern` with its %s, of which there may be two, filled in. */
static void fill_in(char *out, size_t size, const char *pattern, const char *subject)
{
	size_t used = 0;

	if (size == 0)
		return;
	while (*pattern && used + 1 < size) {
		if (pattern[0] == '%' && pattern[1] == 's') {
			int more = snprintf(out + used, size - used, "%s", subject);
			used += (size_t)more < size - used ? (size_t)more : size - used - 1;
			pattern += 2;
		} else {
			out[used++] = *pattern++;
		}
	}
	out[used] = '\0';
}

void explain(const char *method, int err, const char *subject, char *message,
	     size_t message_size, char *next, size_t next_size)
{
	const char *whom = subject && *subject ? subject : "NAME";

	snprintf(message, message_size, "%s", error_text(err));
	*next = '\0';
	for (size_t i = 0; i < sizeof hints / sizeof *hints; i++) {
		if (hints[i].err != err || (hints[i].method && strcmp(hints[i].method, method)))
			continue;
		if (hints[i].sentence)
			fill_in(message, message_size, _(hints[i].sentence), whom);
		fill_in(next, next_size, _(hints[i].next), whom);
		return;
	}
}
