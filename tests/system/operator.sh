#!/bin/sh
# operator.sh BUILD: what an operator does with a directory, with the real programs: init, a
# key-holder as a process of its own, accounts by invitation, ban and unban, kick, a one-time
# link for a password, open invitations; a wrong configuration, a clean end; a backup while it
# runs, loss of the disk, and everybody back with their accounts from backup and two of three
# shares. The log of it all names nobody.
BUILD=${1-build}
. "$(dirname "$0")/common.sh"

data=$folder/directory
secrets=$folder/keyholder
socket=$folder/keyholder.sock
port=$(free_port)
health=$(free_port)
at=127.0.0.1:$port

http() {
	"$net_tool" http "$health" "$1"
}
is_ready() {
	http /readyz | grep -q '^HTTP/1.1 200'
}
# not_ready PART: and says which part it is
not_ready() {
	http /readyz >"$folder/ready" && grep -q '^HTTP/1.1 503' "$folder/ready" && grep -q "^$1 " "$folder/ready" &&
		! grep -q "^$1 ok" "$folder/ready"
}
logged() {
	grep -q " $1\b" "$folder/directory.log"
}
is_up() {
	peer "$1" status --json | grep -q '"state":"online"'
}
is_down() {
	! is_up "$1"
}
figure() {
	http /metrics | sed -n "s/^palique_directory_$1 //p"
}
configure() {
	printf 'name = %s\nlisten = %s\nlog = debug\nhealth-listen = 127.0.0.1:%s\nkeyholder = %s\nrestart-seconds = 1\n' \
		"$at" "$at" "$health" "$socket" >"$data/directory.conf"
}
start_keyholder() {
	"$programs/palique-directory" keyholder serve --secrets "$secrets" --socket "$socket" \
		>>"$folder/keyholder.log" 2>&1 &
	keyholder_pid=$!
	started="$started $keyholder_pid"
}
start_serve() {
	NOTIFY_SOCKET=$folder/notify WATCHDOG_USEC=1000000 "$programs/palique-directory" serve --data "$data" >>"$folder/directory.log" 2>&1 &
	directory_pid=$!
	started="$started $directory_pid"
	until_true 20 is_ready || fail "the directory does not become ready: $(http /readyz; cat "$folder/directory.log")"
}
end() {
	kill "$1"
	code=0
	wait "$1" || code=$?
	[ $code = 0 ] || fail "it ended with $code: $(tail -n 3 "$folder/directory.log")"
}

# --- a directory and its key-holder ---
says 0 "$data" directory init "$at"
says 0 "$secrets" "$programs/palique-directory" keyholder move --data "$data" --secrets "$secrets"
[ ! -e "$data/keyholder/secrets" ] || fail "the secrets are still beside the accounts"
configure
says 0 'is fine' directory check-config
# what is told to a service manager
"$net_tool" notify "$folder/notify" 1000000 >"$folder/notified" &
started="$started $!"
until_true 10 [ -S "$folder/notify" ]
told() {
	grep -q "^$1" "$folder/notified"
}
start_keyholder
start_serve
until_true 10 told 'READY=1$' || fail 'the service manager is not told that it is ready'
until_true 10 told 'WATCHDOG=1$' || fail 'the watchdog hears nothing'
http /livez | grep -q '^ok' || fail 'it does not live'
[ "$(figure accounts)" = 0 ] || fail 'accounts are counted wrong'
says 3 'Another process serves' directory serve
says 0 'people online' directory status
ok 'a directory and its key-holder'

# --- accounts by invitation ---
for name in anatolia benedicto; do
	make_home $name 'listen = 127.0.0.1:0'
	join $name "$(invite)" >/dev/null 2>&1 || fail "$name cannot join"
done
befriend anatolia benedicto
says 0 'For carolina alone' directory invite carolina
once=$(head -n 1 "$folder/out")
says 0 'for 3 more people' sh -c '"$@" invite --count 3 --data "$0" >/dev/null && "$@" invite list --data "$0"' "$data" "$programs/palique-directory"
directory invite list --json >"$folder/list"
[ "$(grep -c '"kind":"invitation"' "$folder/list")" = 2 ] || fail "open invitations: $(cat "$folder/list")"
handle=$(sed -n 's/.*"handle":"\([0-9a-f]*\)".*"name":"carolina".*/\1/p' "$folder/list")
says 0 "$handle" directory invite revoke "$handle"
says 4 'no such invitation' directory invite revoke "$handle"
says 1 '8 digits' directory invite revoke x
make_home carolina 'listen = 127.0.0.1:0'
says 5 'not valid here' with_password x peer carolina join "$once" --name carolina
[ "$(figure accounts)" = 2 ] || fail 'accounts are counted wrong'
says 0 'benedicto' directory user list
ok 'accounts by invitation; one taken back'

# --- kick, ban, unban ---
before=$(figure key_logins_total)
says 0 'come back by themselves' directory user kick benedicto
came_back() {
	[ "$(figure key_logins_total)" -gt "$before" ] && is_up benedicto
}
until_true 30 came_back || fail 'who was kicked does not come back'
says 0 'unban' directory user ban benedicto
is_told() {
	peer benedicto status | grep -q 'suspended'
}
until_true 30 is_told || fail "who is banned is not told: $(peer benedicto status 2>&1)"
says 1 'try: ask the operator of the directory' peer benedicto doctor
! grep -q UDP.passes "$folder/out" || fail 'who is banned is sent to look at the network'
until_true 30 sees_offline anatolia benedicto || fail 'who is banned is still shown online'
says 0 'banned' directory user list
says 5 'suspended' with_password "$password" peer benedicto login "benedicto@$at"
says 0 'benedicto' directory user unban benedicto
peer benedicto stop >/dev/null # a device that is started anew looks at once
until_true 30 is_up benedicto || fail 'who is unbanned does not come back'
until_true 30 sees_online anatolia benedicto || fail 'who is unbanned is not seen'
says 4 'no account of that name' directory user ban nobody
says 2 'passwd-reset NAME' directory user explode benedicto
ok 'kicked, banned, unbanned'

# --- a one-time link ---
says 0 'palique reset LINK' directory user passwd-reset anatolia
grep -qF "palique login anatolia@" "$folder/err" && ! grep -q '@DIRECTORY' "$folder/err" ||
	fail "where to log in is not said: $(cat "$folder/err")"
reset=$(head -n 1 "$folder/out")
case $reset in palique:$at/r/*\?k=*) ;; *) fail "no link for a password: $reset" ;; esac
directory invite list --json | grep -q '"kind":"passwd-reset"' || fail 'the one-time code is not listed'
make_home again 'listen = 127.0.0.1:0'
says 0 '' with_password 'another pass phrase' peer again reset "$reset"
says 5 '' with_password 'another pass phrase' peer again reset "$reset"
until_true 30 is_up anatolia || fail 'a device is put out by the reset of the password'
ok 'a new password by a link that works once'

# --- configuration ---
says 0 '' directory check-config
printf 'registration = maybe\n' >>"$data/directory.conf"
says 1 'directory.conf:7: registration' directory check-config
kill -HUP "$directory_pid"
until_true 10 logged config-kept || fail 'a wrong configuration is not complained of'
grep -q 'directory.conf:7' "$folder/directory.log" || fail 'the log does not say where it is wrong'
is_up anatolia || fail 'a wrong configuration puts people out'
configure
kill -HUP "$directory_pid"
until_true 10 logged config-reloaded || fail 'a right configuration is not taken'
until_true 10 told 'RELOADING=1 MONOTONIC_USEC=[1-9]' || fail 'the service manager hears nothing of a reload'
ready_again() {
	grep -v WATCHDOG "$folder/notified" | tail -n 1 | grep -q '^READY=1$'
}
until_true 10 ready_again || fail 'the service manager is not told that the reload is done'
ok 'a wrong configuration changes nothing'

# --- the key-holder dies and comes back ---
kill -9 "$keyholder_pid"
wait "$keyholder_pid" 2>/dev/null || true
until_true 20 not_ready keyholder || fail 'nobody misses the key-holder'
until_true 20 logged keyholder-lost || fail 'the log does not miss the key-holder'
is_up anatolia || fail 'a device is put out when the key-holder dies'
start_keyholder
until_true 20 is_ready || fail 'the key-holder is not found again'
until_true 20 logged keyholder-back || fail 'the log does not see the key-holder come back'
says 0 'You are daniela@' with_password "$password" peer carolina join "$(invite)" --name daniela
ok 'the key-holder may die'

# --- a clean end ---
end "$directory_pid"
logged stopped || fail 'it does not say that it stopped'
until_true 10 told 'STOPPING=1$' || fail 'the service manager is not told of the end'
until_true 20 is_down anatolia || fail 'a client does not hear that the directory ends'
start_serve
until_true 30 is_up anatolia || fail 'a client does not return'
until_true 30 is_up benedicto || fail 'a client does not return'
ok 'told to come back, and back'

# --- backup, loss of the disk, restore ---
says 0 '' directory backup "$folder/backup"
says 0 '' "$programs/palique-directory" keyholder split --secrets "$secrets" "$folder/s1" "$folder/s2" "$folder/s3"
end "$directory_pid"
end "$keyholder_pid"
rm -rf "$data" "$secrets" "$socket"
says 0 '' directory restore --dry-run "$folder/backup"
[ ! -e "$data" ] || fail 'a rehearsal writes'
says 0 '' directory restore "$folder/backup"
rm "$folder/s2"
says 0 '' "$programs/palique-directory" keyholder join --secrets "$secrets" "$folder/s3" "$folder/s1"
configure
"$programs/palique-directory" serve --data "$data" >"$folder/alone.log" 2>&1 &
directory_pid=$!
started="$started $directory_pid"
until_true 20 grep -q ' keyholder-awaited .*do=' "$folder/alone.log" || fail 'nobody is told that the key-holder is waited for'
kill "$directory_pid"
wait "$directory_pid" 2>/dev/null || true
start_keyholder
start_serve
for name in anatolia benedicto carolina; do
	until_true 60 is_up $name || fail "$name does not come back after the restore: $(peer $name status 2>&1)"
done
until_true 30 sees_online anatolia benedicto || fail 'contacts do not see one another after the restore'
says 0 'delivered' peer anatolia send benedicto 'here again' --wait delivered
says 0 'Logged in as benedicto' with_password "$password" peer benedicto login "benedicto@$at"
ok 'the disk is lost, nobody is'

# --- what the logs say of whom ---
end "$directory_pid"
end "$keyholder_pid"
! grep -iE 'anatolia|benedicto|carolina|daniela' "$folder/directory.log" "$folder/keyholder.log" ||
	fail 'a log names people'
grep -vE ' (health-)?listening ' "$folder/directory.log" >"$folder/log" || true
! grep -E '([0-9]{1,3}\.){3}[0-9]{1,3}|::1' "$folder/log" "$folder/keyholder.log" ||
	fail 'a log has addresses'
ok 'the logs name nobody'
say 'operator: a directory is made, kept, lost and brought back'
