#!/bin/sh
# account.sh BUILD: the whole life of an account, with the real programs on loopback: invite,
# join, first message, recovery code; a second device by name and password alone, talk on both;
# another password; the recovery code on a third machine; revoke, safety numbers, another
# identity, block, who may ask, the operator's link, the end.
BUILD=${1-build}
. "$(dirname "$0")/common.sh"

says_in_spanish() {
	LC_ALL=es_ES.UTF-8 LANGUAGE=es says "$@"
}
# with LINES COMMAND...: these lines can be read from descriptor 3, one after the other
with() {
	printf '%s\n' "$1" >"$folder/secret"
	shift
	"$@" --no-input 3<"$folder/secret"
}
everywhere() { # everywhere CONTACT TEXT HOME...: on all these of our devices
	with_whom=$1 text=$2
	shift 2
	for home; do
		until_true 30 has "$home" "$with_whom" "$text" || fail "$home does not have \"$text\": $(peer "$home" history "$with_whom")"
	done
}
is_refused() {
	peer "$1" status --json | grep -q '"account":{"state":"refused"'
}
# is_kept HOME: what changed there is in the vault at the directory
is_kept() {
	peer "$1" status --json | grep -q '"vaultDue":false'
}
# field HOME CONTACT JSON: of that contact
field() {
	peer "$1" ls --json | grep "\"name\":\"$2\"" | grep -q -- "$3"
}
knows() {
	peer "$1" ls --json | grep -q "\"name\":\"$2\""
}
digits() {
	peer "$1" safety "$2" --json | sed -n 's/.*"digits":"\([0-9]*\)".*/\1/p'
}
asks() { # asks WHOM WHO
	field "$1" "$2" '"state":"requests"'
}

port=$(free_port)
at="127.0.0.1:$port"
start_directory "$at"
for home in ana ana2 ana3 ana4 ben dan eve kim kim2 zoe zoe2; do
	make_home $home 'listen = 127.0.0.1:0'
done

# --- becoming somebody; the first message; the paper ---
for name in ana ben dan eve kim zoe; do
	join $name "$(invite)" >/dev/null 2>&1 || fail "$name cannot join"
done
befriend ana ben
says 0 'no code yet' peer ana status
says 0 'palique recovery' peer ana send ben 'the first of all' --wait delivered
peer ana send ben 'the second' --wait delivered >"$folder/out" 2>&1 || fail 'the second message is not delivered'
! grep -q 'palique recovery' "$folder/out" || fail 'the recovery code is offered twice'
says 2 'no terminal' peer ana recovery
peer ana recovery --force --json >"$folder/void" 2>"$folder/err" || fail "no recovery code: $(cat "$folder/void" "$folder/err")"
says 2 'give --yes' peer ana recovery --force --no-input
peer ana recovery --force --yes --json >"$folder/paper" || fail 'no other recovery code'
phrase=$(sed -n 's/.*"words":"\([a-z ]*\)".*/\1/p' "$folder/paper")
void_phrase=$(sed -n 's/.*"words":"\([a-z ]*\)".*/\1/p' "$folder/void")
[ "$(echo "$phrase" | wc -w)" = 12 ] || fail "not twelve words: $(cat "$folder/paper")"
says 0 'a code on paper' peer ana status
LC_ALL=es_ES.UTF-8 LANGUAGE=es peer ben recovery --force --json | grep -q '"language":"es"' ||
	fail 'the words are not in Spanish'
ok 'joined, said the first message, wrote the recovery code down'

# --- a second device by name and password alone ---
until_true 30 is_kept ana || fail "the vault is not at the directory: $(peer ana status --json)"
says 5 'name or password is wrong' with wrong peer ana2 login "ana@$at" --password-fd 3
says 0 'Logged in as ana@' with "$password" peer ana2 login "ana@$at" --password-fd 3
grep -q '1 contact came back' "$folder/err" || fail "the contact did not come back: $(cat "$folder/out" "$folder/err")"
grep -q 'palique devices name' "$folder/err" || fail 'nobody says that a device can be named'
field ana2 ben '"state":"mutual"' || fail "ben is no contact on the second device: $(peer ana2 ls)"
peer ana status --json | sed 's/.*"fingerprint":"\([^"]*\)".*/\1/' >"$folder/one"
peer ana2 status --json | sed 's/.*"fingerprint":"\([^"]*\)".*/\1/' >"$folder/two"
cmp -s "$folder/one" "$folder/two" || fail 'the two devices have different identities'
[ "$(peer ana2 devices --json | sed 's/.*"name":"\([^"]*\)".*/\1/' | sort | uniq -d)" = '' ] ||
	fail "two devices with one name: $(peer ana2 devices)"
this=$(peer ana2 devices --json | grep '"current":true' | sed 's/.*"id":"\([^"]*\)".*/\1/')
says 0 'called "kitchen"' peer ana2 devices name "$this" kitchen
until_true 20 sh -c '"$1" --home "$2" devices | grep -q kitchen' - "$programs/palique" "$folder/home-ana" ||
	fail 'the first device does not hear of the name'
[ "$(peer ana devices --json | wc -l)" = 2 ] || fail "not two devices: $(peer ana devices)"
says_in_spanish 0 'kitchen' peer ana devices
grep -q 'en línea' "$folder/out" || fail "not in Spanish: $(cat "$folder/out")"
ok 'a second device by name and password alone; the contact came back'

# --- talk on both ---
until_true 20 sees_online ana2 ben || fail 'the second device does not see ben'
says 0 '' peer ben send ana 'to both of you' --wait delivered
everywhere ben 'to both of you' ana ana2
says 0 '' peer ana send ben 'from the first device' --wait delivered
everywhere ben 'from the first device' ana ana2
everywhere ana 'from the first device' ben
says 0 '' peer ana2 send ben 'from the kitchen' --wait delivered
everywhere ben 'from the kitchen' ana ana2
everywhere ana 'from the kitchen' ben
peer ana2 stop >/dev/null
says 0 '' peer ben send ana 'while the kitchen is asleep' --wait delivered
says 0 '' peer ana send ben 'also while it is asleep' --wait delivered
until_true 20 is_online ana2 || fail 'the second device does not come back'
everywhere ben 'while the kitchen is asleep' ana2
everywhere ben 'also while it is asleep' ana2
peer ana2 recv --since 0 --json </dev/null | grep '"event":"sent"' | grep -F 'from the first device' |
	grep -q '"otherDevice":true' || fail 'the kitchen is not told what the first device said'
peer ana2 recv --since 0 </dev/null | grep -q 'you: from the first device' || fail 'the kitchen does not show what the first device said'
ok 'sent and received shown on both devices, also after one was away'

# --- another password ---
changed='another password entirely'
says 5 'the old password is wrong' with "not the password
$changed" peer ana passwd --password-fd 3
says 0 'your devices stay' with "$password
$changed" peer ana passwd --password-fd 3
until_true 20 is_online ana2 || fail 'the other device was logged out'
says 0 '' peer ben send ana 'after the new password' --wait delivered
everywhere ben 'after the new password' ana ana2
says 5 'name or password is wrong' with "$password" peer ana3 login "ana@$at" --password-fd 3
ok 'the password changed; the other device stayed, the old password opens nothing'

# --- the password forgotten: the paper, on a third machine ---
anew='the third password'
says 2 'word 2' with "$(echo "$phrase" | awk '{ $2 = "xyzzy"; print }')
$anew" peer ana3 recover "ana@$at" --words-fd 3 --password-fd 3
says 2 '12 words' with 'only three words' peer ana3 recover "ana@$at" --words-fd 3 --password-fd 3
if command -v script >/dev/null; then
	# Who types the words may try again: three times.
	for i in 1 2 3 4; do
		echo "$phrase" | awk '{ $2 = "xyzzy"; print }'
	done | script -qec "'$programs/palique' --home '$folder/home-ana3' recover 'ana@$at'" /dev/null >"$folder/out" 2>&1 || true
	[ "$(grep -c 'word 2 is none' "$folder/out")" = 3 ] || fail "the words are not asked for again: $(cat "$folder/out")"
fi
says 5 'no account of that name has this recovery code' with "$void_phrase
$anew" peer ana3 recover "ana@$at" --words-fd 3 --password-fd 3
says 0 'The new password is set' with "$phrase
$anew" peer ana3 recover "ana@$at" --words-fd 3 --password-fd 3
grep -q '1 contact came back' "$folder/err" || fail "recover brings nothing back: $(cat "$folder/out" "$folder/err")"
until_true 20 is_online ana3 || fail 'the third machine is not online'
says 0 '' peer ben send ana 'welcome back' --wait delivered
everywhere ben 'welcome back' ana ana2 ana3
[ "$(peer ana devices --json | wc -l)" = 3 ] || fail "not three devices: $(peer ana devices)"
ok 'the recovery code opened the account on a third machine'

# --- revoke: how long until it is cut off ---
says 2 'give --yes' peer ana devices revoke kitchen --no-input
says 5 'the device you are at' peer ana2 devices revoke kitchen --yes
says 4 'no device goes by' peer ana devices revoke cellar --yes
until_true 20 is_online ana2 || fail 'the second device is not online'
mkfifo "$folder/typed"
peer ana2 chat ben <"$folder/typed" >"$folder/chat-out" 2>&1 &
chat_pid=$!
started="$started $chat_pid"
exec 4>"$folder/typed" # open, and nothing is typed
until_true 20 grep -q 'is online' "$folder/chat-out" || fail 'no chat begins'
before=$(date +%s%N)
says 0 'is revoked' peer ana devices revoke kitchen --yes
until_true 10 is_refused ana2 || fail "the revoked device is not cut off: $(peer ana2 status)"
say "   cut off $((($(date +%s%N) - before) / 1000000)) ms after the command began (two programs begun in it)"
until_true 10 grep -qF "palique login ana@$at" "$folder/chat-out" || fail "an open chat does not say that its device is revoked: $(cat "$folder/chat-out")"
exec 4>&-
wait $chat_pid || true
until_true 20 field ben ana '"devices":2' || fail "ben does not hear of the revoked device: $(peer ben ls --json)"
got=0
peer ana2 send ben 'from beyond' --wait delivered --timeout 2 >"$folder/out" 2>&1 || got=$?
[ $got != 0 ] || fail 'a revoked device still delivers'
! has ben ana 'from beyond' || fail 'ben takes a message from a revoked device'
says 0 '' peer ben send ana 'not for the kitchen' --wait delivered
everywhere ben 'not for the kitchen' ana ana3
! has ana2 ben 'not for the kitchen' || fail 'a revoked device still hears'
says 1 'palique login' peer ana2 doctor
says 0 'palique login' peer ana2 status
says 0 'palique login' peer ana2 ls
says 0 'palique login' peer ana2 send ben 'still there?' --wait queued
says 0 'palique login' peer ana2 chat ben
says 5 "palique login ana@$at" peer ana2 recovery --force --yes
says 5 "palique login ana@$at" peer ana2 account renew --yes
says 5 "palique login ana@$at" peer ana2 passwd --no-input
says 5 "palique login ana@$at" peer ana2 account renew --no-input
says 0 'palique login' peer ana2 devices
! grep -q 'no account' "$folder/err" || fail "a revoked device is told that it has no account: $(cat "$folder/err")"
! peer ana2 doctor | grep -q firewall || fail "a revoked device is sent to look at firewalls: $(peer ana2 doctor)"
ok 'revoked: cut off, refused by the contact, hears nothing'

# --- that nobody stands between ---
[ "$(digits ana ben)" = "$(digits ben ana)" ] || fail 'the safety numbers differ'
[ "$(digits ana ben | tr -d '\n' | wc -c)" = 60 ] || fail 'the safety number has not 60 digits'
[ "$(digits ana ben)" != "$(digits ana3 eve 2>/dev/null || true)" ] || fail 'all safety numbers are the same'
says 5 'not the numbers' peer ana verify ben 000000000000000000000000000000000000000000000000000000000000
says 2 '60 digits' peer ana verify ben 1234
says 2 'give the digits' peer ana verify ben --no-input
# As they are read aloud, in groups of five.
# shellcheck disable=SC2046 # the groups are words
says 0 'ben is verified' peer ana verify ben $(digits ben ana | sed 's/...../& /g')
says 0 'verified' peer ana ls
until_true 20 field ana3 ben '"verified":true' || fail 'the other device does not hear that ben is verified'
says 0 'not marked as verified' peer ana verify ben --undo
says 0 'ana is verified' peer ben verify ana "$(peer ana safety ben --json | sed -n 's/.*"code":"\([^"]*\)".*/\1/p')"
says_in_spanish 0 'palique verify ben' peer ana safety ben
ok 'safety numbers: equal on both sides, compared, shared between devices'

# --- another identity, which the old one vouches for: a verified contact decides ---
says 0 'has a new identity' peer ana account renew --yes
until_true 20 is_online ana || fail 'ana is not online with the new identity'
until_true 20 is_refused ana3 || fail 'the other device is still logged in after a new identity'
until_true 20 field ben ana '"keyChanged":true' || fail "ben does not hear of the new key: $(peer ben ls --json)"
field ben ana '"keyChange":{"signed":true}' || fail 'the change is not signed by the old key'
says 5 'nothing is sent' peer ben send ana 'stop'
says 0 'palique accept ana' peer ben safety ana
says 0 'the new key' peer ben safety ana
says 0 'is accepted' peer ben accept ana
until_true 20 sees_online ben ana || fail 'ben does not see ana after accepting the new key'
says 0 '' peer ben send ana 'to the new key' --wait delivered --timeout $((20 * patience))
everywhere ben 'to the new key' ana
[ "$(digits ana ben)" = "$(digits ben ana)" ] || fail 'the safety numbers differ after a new identity'
says 0 'Logged in as ana' with "$anew" peer ana3 login "ana@$at" --password-fd 3
until_true 20 is_online ana3 || fail 'ana3 cannot log in after a new identity'
ok 'a new identity: the verified contact was asked, the other device logged in anew'

# --- blocked: learns nothing ---
befriend ben eve
says 0 'is blocked' peer ben block eve
until_true 30 sees_offline eve ben || fail 'eve still sees ben online'
says 0 'eve' peer ben ls
says 0 'queued' peer eve send ben 'are you there?'
! peer eve ls | grep -qi block || fail "eve learns that she is blocked: $(peer eve ls)"
! has ben eve 'are you there?' || fail 'a blocked person is heard'
says 1 'eve is not blocked' sh -c '"$1" --home "$2" unblock eve >/dev/null && "$1" --home "$2" add eve >/dev/null && "$1" --home "$2" unblock eve' - "$programs/palique" "$folder/home-ben"
ok 'a blocked person sees somebody who is not there'

# --- who may ask ---
says 0 'Anyone' peer ben requests
says 2 'anyone, link or none' peer ben requests friends
link_of_ben=$(peer ben link --json | sed 's/.*"link":"\([^"]*\)".*/\1/')
# What ana hears of, who is asked last, ben would have heard of by then.
not_heard() { # not_heard WHO WHOM: asks ben, then ana
	peer "$1" add "$2" >/dev/null
	peer "$1" add ana >/dev/null
	until_true 20 asks ana "$1" || fail "$1 does not reach ana"
	! knows ben "$1" || fail "ben hears of $1"
}
says 0 'Nobody may ask' peer ben requests none
not_heard zoe "$link_of_ben"
says 0 'your contact link' peer ben requests link
not_heard kim ben
peer dan add "$link_of_ben" >/dev/null
until_true 20 asks ben dan || fail 'a request with the link is not heard'
! knows ben kim || fail 'a request without the link is heard late'
says_in_spanish 0 'enlace' peer ben requests
ok 'requests: from nobody, with the link only'

# --- the operator's link: a new password that opens no vault ---
reset=$(directory user passwd-reset zoe 2>/dev/null | grep -o 'palique:[^ ]*' | head -n 1)
[ -n "$reset" ] || fail 'the operator has no link to set a password anew'
says 2 'not a link to set' with "$anew" peer zoe2 reset "palique:$at" --password-fd 3
says 0 'The password of zoe is set' with "$anew" peer zoe2 reset "$reset" --password-fd 3
says 5 'link' with "$anew" peer zoe2 reset "$reset" --password-fd 3
says 5 'sealed with an older' with "$anew" peer zoe2 login "zoe@$at" --password-fd 3
grep -q 'palique recover zoe@' "$folder/err" || fail "what to do is not said: $(cat "$folder/err")"
says 0 'Logged in as zoe' with "$anew" peer zoe login "zoe@$at" --password-fd 3
says 0 'Logged in as zoe' with "$anew" peer zoe2 login "zoe@$at" --password-fd 3
ok "the operator's link sets a password; the device at hand opens the vault to it"

# --- another identity, and a contact who had not verified: a notice, and what was queued waits ---
befriend kim dan
peer kim stop >/dev/null
until_true 30 sees_offline dan kim || fail 'dan does not see kim leave'
says 0 'queued' peer dan send kim 'sealed for the old key'
peer dan stop >/dev/null
says 0 'has a new identity' peer kim account renew --yes
until_true 20 field dan kim '"held":1' || fail "what was queued before does not wait: $(peer dan ls --json)"
field dan kim '"keyChanged":false' || fail 'a signed change stops who had not verified'
until_true 20 sees_online dan kim || fail 'dan does not see kim with the new key'
says 0 '1 message from before the new key of kim waits' peer dan send kim 'to the new key' --wait delivered
! has kim dan 'sealed for the old key' || fail 'a queued message went to the new key unasked'
says 1 'palique accept kim' peer dan doctor
says 0 'the 1 message that waited is sent now' peer dan accept kim
everywhere dan 'sealed for the old key' kim
ok 'a new identity: a notice, and what was queued before waited for a yes'

# --- nothing opens the vault any more: another identity, unsigned ---
reset=$(directory user passwd-reset kim 2>/dev/null | grep -o 'palique:[^ ]*' | head -n 1)
says 0 'The password of kim is set' with "$anew" peer kim2 reset "$reset" --password-fd 3
says 0 'Logged in as kim' with "$anew" peer kim2 login "kim@$at" --password-fd 3 --begin-anew
grep -q 'no contacts to bring back' "$folder/err" || fail "contacts out of a sealed vault: $(cat "$folder/err")"
until_true 20 is_online kim2 || fail 'kim is not online with the new identity'
peer kim2 add dan >/dev/null
until_true 20 field dan kim '"keyChanged":true' || fail "dan does not hear of the new key: $(peer dan ls --json)"
field dan kim '"keyChange":{"signed":false}' || fail 'an unsigned change is taken for a signed one'
says 5 'nothing is sent' peer dan send kim 'who are you?'
says 1 'shows another key' peer dan doctor
says 0 'key changed' peer dan ls
says_in_spanish 5 'no se envía nada' peer dan send kim 'who are you?'
says 0 'is accepted' peer dan accept kim
ok 'begun anew: the contact stops until they decide'

# --- the end ---
says 2 'give --yes' peer ana account delete --no-input
says 0 'is gone' peer ana account delete --yes
peer ana status --json | grep -q '"state":"none"' || fail "an account is left: $(peer ana status)"
until_true 30 sees_offline ben ana || fail 'ben still sees ana online'
until_true 20 is_refused ana3 || fail 'the other device of a deleted account is still there'
! directory user list --json | grep -q '"ana"' || fail 'the directory still has the account'
says 0 'the first of all' peer ana history ben
says 5 'name or password is wrong' with "$anew" peer ana4 login "ana@$at" --password-fd 3
! grep -aqE "$changed|$anew|$(echo "$phrase" | cut -d ' ' -f 1-3)" "$folder"/home-*/engine.log "$folder"/directory.log ||
	fail 'a password or a recovery code stands in a log'
ok 'deleted: gone at the directory and here, contacts told, the history stays'
