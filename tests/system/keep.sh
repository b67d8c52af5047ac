#!/bin/sh
# keep.sh BUILD: an account that is kept, with the real programs on loopback: into a file while
# somebody writes to it, out of it in another home, where the talk goes on; what is refused,
# and that nothing is left of it; the lock of a home, and what can be seen from outside while it is
# open; crashes in the middle of all of it; a store that is gone.
BUILD=$(cd "${1-build}" && pwd) || exit 2
. "$(dirname "$0")/common.sh"

# with LINES COMMAND...: the passphrase, and perhaps another, can be read from descriptor 3
with() {
	printf '%s\n' "$1" >"$folder/secret"
	shift
	"$@" --passphrase-fd 3 --no-input 3<"$folder/secret"
}
pid_of() {
	peer "$1" status --json | sed 's/.*"pid":\([0-9]*\).*/\1/'
}
# What stands in a home, but for what every command leaves there
contents() {
	(cd "$folder/home-$1" && find . -type f ! -name lock ! -name start.lock ! -name engine.log \
		! -name port -exec sha256sum {} + | sort)
}
phrase='four words and more'

at=127.0.0.1:$(free_port)
start_directory "$at"
for home in ana anew again ben; do
	make_home $home 'listen = 127.0.0.1:0'
done
for home in ana ben; do
	join $home "$(invite)" >/dev/null 2>&1 || fail "$home cannot join"
done
befriend ana ben
peer ben send ana 'before the file' >/dev/null
until_true 20 has ana ben 'before the file' || fail 'ana does not hear ben'

# What more there is besides texts
id_of() { # HOME WITH WORDS
	peer "$1" history "$2" --json | grep -F "$3" | sed 's/^[^0-9]*"id":"\([0-9]*\)".*/\1/' | tail -n 1
}
head -c 100000 /dev/urandom >"$folder/noise.bin"
peer ben send ana -f "$folder/noise.bin" --caption 'a harpsichord' >/dev/null
peer ana send ben 'xylophones' >/dev/null
peer ana edit "$(id_of ana ben xylophones)" 'a violin' >/dev/null
peer ana react "$(id_of ana ben 'before the file')" '+' >/dev/null
peer ana settings keep 400d >/dev/null
peer ana settings read-marks off --with ben >/dev/null
peer ana profile --name 'Ana L.' --status 'on the way' >/dev/null
peer ben profile --name 'Ben B.' >/dev/null
shows() { # HOME WORDS COMMAND...
	home=$1 words=$2
	shift 2
	peer "$home" "$@" --json | grep -qF -- "$words"
}
until_true 20 shows ana '"state":"done"' files --all || fail 'a file does not come'
until_true 20 shows ana 'Ben B.' profile ben || fail 'a profile does not come'

# --- export ---
file=$folder/ana.palique
says 2 '--passphrase-fd N' peer ana export "$file" --no-input
says 2 'this needs: FILE' peer ana backup
says 5 'inside of the home itself' with "$phrase" peer ana export "$folder/home-ana/copy"
says 4 'no such folder' with "$phrase" peer ana export "$folder/nowhere/copy"
says 4 'palique backup FILE' with "$phrase" peer ana export "$folder/nowhere/copy"
echo precious >"$file"
says 1 '--force' with "$phrase" peer ana export "$file"
grep -qx precious "$file" || fail 'a file was written over'
(
	number=0
	while [ ! -e "$folder/enough" ]; do
		number=$((number + 1))
		peer ben send ana "meanwhile $number" >/dev/null || exit 1
		echo $number >"$folder/number"
	done
) &
writer=$!
started="$started $writer"
says 0 'holds the account and its history' with "$phrase" peer ana export "$file" --force
touch "$folder/enough"
wait $writer || fail 'ben could not write meanwhile'
count=$(cat "$folder/number")
until_true 20 has ana ben "meanwhile $count" || fail 'what was written meanwhile is not here'
[ "$(stat -c %a "$file")" = 600 ] || fail 'others may read the file'
[ ! -e "$file.new" ] || fail "$file.new is left"
[ -z "$(find "$folder/home-ana" -name 'export*')" ] || fail 'a copy is left in the home'
! grep -qa 'before the file' "$file" || fail 'the file is legible'
(cd "$folder" && says 0 '"exported":true' with "$phrase" peer ana export relative.palique --json) || exit 1
[ -s "$folder/relative.palique" ] || fail 'a relative name leads elsewhere'
ok "export while ben wrote $count messages"

# An engine that dies in the middle leaves nothing that lasts.
with "$phrase" peer ana export "$folder/killed.palique" >/dev/null 2>&1 &
export_pid=$!
sleep 0.2
kill -9 "$(pid_of ana)"
wait $export_pid || [ ! -e "$folder/killed.palique" ] || fail 'half an export has the name of a whole one'
with "$phrase" peer ana export "$folder/killed.palique" --force >/dev/null 2>&1 || fail 'no export after a crash'
[ -z "$(find "$folder/home-ana" -name 'export*')" ] || fail 'a copy is left in the home'
[ ! -e "$folder/killed.palique.new" ] || fail 'FILE.new is left'
ok 'a crash in the middle of an export'

# --- import: what is refused, and leaves no trace ---
peer ana send ben 'the last of the old home' >/dev/null
until_true 20 has ben ana 'the last of the old home' || fail 'ben does not hear ana'
with "$phrase" peer ana export "$file" --force >/dev/null 2>&1 || fail 'no export over a file that is there'
says 1 'has an account already' with "$phrase" peer ben import "$file"
contents anew >"$folder/before"
says 5 'passphrase is wrong' with 'four words' peer anew import "$file"
head -c 20000 "$file" >"$folder/short"
says 1 'cut short' with "$phrase" peer anew import "$folder/short"
cp "$file" "$folder/forged"
printf 'not what stood here' | dd of="$folder/forged" bs=1 seek=30000 conv=notrunc 2>/dev/null
says 1 'nothing was changed' with "$phrase" peer anew import "$folder/forged"
says 2 'not a file that palique backup wrote' with "$phrase" peer anew import "$0"
says 4 'No such file' with "$phrase" peer anew import "$folder/nowhere"
says 4 "$folder/nowhere cannot be read" with "$phrase" peer anew import "$folder/nowhere"
contents anew | cmp -s - "$folder/before" || fail "something is left: $(contents anew)"
ok 'wrong passphrase, cut, forged, foreign: nothing is left'

# --- import: the talk goes on ---
peer ana stop >/dev/null
says 0 'ana@' with "$phrase" peer anew import "$file"
until_true 20 is_online anew || fail "not online: $(peer anew status)"
for text in 'before the file' "meanwhile $count" 'the last of the old home'; do
	has anew ben "$text" || fail "the history lacks \"$text\""
done
for words in a violin harpsi; do
	shows anew '"snippet"' search $words || fail "\"$words\" is not found"
done
says 0 'Nothing was found' peer anew search xylophones
for fact in '"reactions":{"ours":"+"' '"editedAt"' '"state":"done"'; do
	shows anew "$fact" history ben --limit 1000 || fail "the history lacks $fact"
done
shows anew '"keepDays":400' settings || fail 'a setting is lost'
shows anew '"readMarks":false' ls || fail 'what was set for one is lost'
shows anew 'on the way' profile || fail 'the profile is lost'
shows anew 'Ben B.' profile ben || fail "ben's profile is lost"
until_true 20 sees_online ben ana || fail 'ben does not see ana come back'
peer ben send ana 'are you here now?' >/dev/null
until_true 20 has anew ben 'are you here now?' || fail 'nothing arrives in the new home'
peer anew send ben 'I am' >/dev/null
until_true 20 has ben ana 'I am' || fail 'nothing leaves the new home'
says 1 'has an account already' with "$phrase" peer anew import "$file"
ok 'the talk goes on in the new home'

# An import that is killed leaves the home as it was, or the account whole.
for after in 0.02 0.1 0.3 0.5 0.6 0.7 0.8 0.9; do
	rm -rf "$folder/home-again"
	make_home again 'listen = 127.0.0.1:0'
	printf '%s\n' "$phrase" >"$folder/secret"
	timeout -s KILL $after "$programs/palique" --home "$folder/home-again" import "$file" \
		--passphrase-fd 3 --no-input >/dev/null 2>&1 3<"$folder/secret" || true
	with "$phrase" peer again import "$file" >"$folder/out" 2>&1 ||
		grep -q 'has an account already' "$folder/out" || fail "after $after s: $(cat "$folder/out")"
	has again ben 'before the file' || fail "after $after s the history is not there"
	[ -z "$(find "$folder/home-again" -name '*.import*')" ] || fail 'something is left of an import'
	peer again stop >/dev/null
done
rm -rf "$folder/home-again"
ok 'killed in the middle of an import, eight times'

# --- lock ---
says 1 'no lock yet' peer anew lock --change
says 0 'palique unlock' with "$phrase" peer anew lock
says 3 'this home is locked' peer anew status
says 3 'palique unlock' peer anew send ben 'from a locked home'
says 3 '"kind":"locked"' peer anew ls --json
says 3 'this home is locked' peer anew daemon --foreground
says 0 'palique unlock' peer anew lock --no-input
says 5 'does not open this home' with 'four words' peer anew unlock
says 1 'cannot be looked into' with "$phrase" peer anew import "$file"
until_true 20 sees_offline ben ana || fail 'ana is locked and ben sees her online'
peer ben send ana 'wait for me' >/dev/null
says 0 'is unlocked' with "$phrase" peer anew unlock
says 0 'unlocked already' peer anew unlock --no-input
until_true 20 has anew ben 'wait for me' || fail 'an unlocked home hears nothing'
ok 'locked and unlocked'

# What of the passphrase and the process can be seen from outside
pid=$(pid_of anew)
for where in cmdline environ; do
	! tr '\0' '\n' <"/proc/$pid/$where" | grep -qF "$phrase" || fail "the passphrase is in $where"
done
! grep -rqaF "$phrase" "$folder/home-anew" || fail 'the passphrase is in the home'
grep -q '^Max core file size *0 *0 ' "/proc/$pid/limits" || fail 'the engine may dump core'
kill -9 "$pid"
until_true 10 has_ended "$pid" || fail 'the engine outlives kill -9'
says 3 'this home is locked' peer anew status
ok 'nothing to be seen; and locked again after kill -9'

says 5 'does not open' with 'wrong
new' peer anew lock --change
says 0 'another passphrase' with "$phrase
new" peer anew lock --change
says 5 'does not open' with "$phrase" peer anew unlock --remove
printf 'new\n' >"$folder/secret"
"$programs/palique" --home "$folder/home-anew" daemon --foreground --passphrase-fd 3 \
	3<"$folder/secret" >"$folder/foreground.log" 2>&1 &
started="$started $!"
until_true 20 is_online anew || fail "a service cannot unlock: $(cat "$folder/foreground.log")"
peer anew lock >/dev/null || fail 'a locked home does not lock again'
says 0 'lock is gone' with new peer anew unlock --remove
has anew ben 'wait for me' || fail 'the history is gone'
peer anew stop >/dev/null
ok 'another passphrase, a service, no lock any more'

# A lock that is killed leaves the key in the open or locked, never anything else.
for after in 0.02 0.2 0.3 0.4 0.5 0.6 0.8 1; do
	printf '%s\n' "$phrase" >"$folder/secret"
	timeout -s KILL $after "$programs/palique" --home "$folder/home-anew" lock \
		--passphrase-fd 3 --no-input >/dev/null 2>&1 3<"$folder/secret" || true
	with "$phrase" peer anew unlock --remove >/dev/null 2>&1 || fail "after $after s the home does not open"
	peer anew status >/dev/null 2>&1 || fail "after $after s the engine does not begin"
	peer anew stop >/dev/null
done
has anew ben 'wait for me' || fail 'the history is gone'
ok 'killed in the middle of a lock, eight times'

# --- a store that is gone ---
peer anew stop >/dev/null
mv "$folder/home-anew/store.db" "$folder/lost.db"
says 3 'is gone' peer anew status
says 3 'palique daemon --begin-anew' peer anew ls
[ ! -e "$folder/home-anew/store.db" ] || fail 'a store was begun anew unasked'
mv "$folder/lost.db" "$folder/home-anew/store.db"
has anew ben 'wait for me' || fail 'the store that came back is not used'
peer anew stop >/dev/null
rm "$folder/home-anew/store.db"
says 0 'the engine runs' peer anew daemon --begin-anew
says 0 'none yet' peer anew status
says 0 'ana@' with "$phrase" peer anew import "$file"
has anew ben 'before the file' || fail 'the copy is not what it was'
ok 'a store that is gone is said, begun anew when told, and brought back from the file'

say 'keep: an account was carried, locked and found again'
