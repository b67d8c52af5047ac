#!/bin/sh
# talk.sh BUILD: all that two people do in a conversation, typed as people would, right and wrong, in
# English and in Spanish, with the real programs: answers, edits, reactions, what is taken back, files and
# folders, pipes, searches, what is shown and set; and that --json is one object to a line.
BUILD=${1-build}
. "$(dirname "$0")/common.sh"

says_in_spanish() {
	LC_ALL=es_ES.UTF-8 LANGUAGE=es says "$@"
	! grep -qE '(^|[^-])(try|the|NAME|FILE|TEXT)( |:|$)' "$folder/err" ||
		fail "English in Spanish: $(cat "$folder/err")"
}
one_object_a_line() {
	"$@" --json >"$folder/out" 2>/dev/null </dev/null || true
	[ -s "$folder/out" ] || fail "no JSON from: $*"
	! grep -qv '^{.*}$' "$folder/out" || fail "not one object a line: $* ($(cat "$folder/out"))"
	checks=$((checks + 1))
}
# last NAME WHOM: the number of the newest message
last() {
	peer "$1" history "$2" --limit 1 --json | sed 's/^{"id":"\([0-9]*\)".*/\1/'
}
# shows NAME WHOM WORDS: until the conversation says so
shows() {
	until_true 20 sh -c '"$1" --home "$2" history "$3" --limit 50 | grep -qF -- "$4"' - \
		"$programs/palique" "$folder/home-$1" "$2" "$3" ||
		fail "$1 is not shown \"$3\": $(peer "$1" history "$2")"
	checks=$((checks + 1))
}

port=$(free_port)
start_directory "127.0.0.1:$port"
for name in ana ben eve; do
	make_home $name 'listen = 127.0.0.1:0'
	join $name "$(invite)" >/dev/null 2>&1 || fail "$name cannot join"
	mkdir "$folder/got-$name"
	peer $name settings downloads "$folder/got-$name" >/dev/null || fail "no downloads folder for $name"
done
befriend ana ben

# --- what was said ---
says 0 'delivered' peer ana send ben 'at seven or at eight?' --wait delivered --timeout $((20 * patience))
# What the engine says by itself is in the language of who hears it, not of who has begun it.
LC_ALL=es_ES.UTF-8 LANGUAGE=es peer ben recv --follow >"$folder/heard" 2>&1 &
follower=$!
started="$started $follower"
until_true 10 grep -qF 'at seven or at eight?' "$folder/heard" || fail "nothing is followed: $(cat "$folder/heard")"
asked=$(last ben ana)
says 0 'delivered' peer ben reply "$asked" at eight --timeout $((20 * patience))
shows ana ben ', to "at seven or at eight?": at eight'
until_true 10 grep -qF 'si olvidas la contraseña' "$folder/heard" || fail "a notice is not in Spanish: $(cat "$folder/heard")"
kill $follower
says_in_spanish 0 'si olvidas la contraseña' peer ben recv --since 0
said=$(last ben ana)
says 0 'at nine (edited)' peer ben edit "$said" at nine
shows ana ben 'at nine (edited)'
says 5 'only who wrote it' peer ana edit "$(last ana ben)" 'at ten'
says_in_spanish 5 'solo quien lo escribió' peer ana edit "$(last ana ben)" 'at ten'
says 0 'you: 👍 ok' peer ana react "$(last ana ben)" 👍 ok
shows ben ana 'ana: 👍 ok'
says 1 'up to 8' peer ana react "$(last ana ben)" 1 2 3 4 5 6 7 8 9
says_in_spanish 1 'hasta 8' peer ana react "$(last ana ben)" 1 2 3 4 5 6 7 8 9
peer ana react "$(last ana ben)" >/dev/null || fail 'a reaction cannot be taken back'
until_true 20 sh -c '! "$1" --home "$2" history ana | grep -q 👍' - "$programs/palique" "$folder/home-ben" ||
	fail 'the reaction stays'
says 5 'delete '"$(last ana ben)"' --here' peer ana delete "$(last ana ben)"
says 0 'taken back; a mark stays' peer ben delete "$said"
shows ana ben '(taken back)'
says 1 'is gone' peer ben edit "$said" 'at ten'
says 0 'deleted on this machine' peer ana delete "$(last ana ben)" --here
shows ben ana '(taken back)'
says 2 'is not the number of a message' peer ana edit seven x
says_in_spanish 2 'no es el número de un mensaje' peer ana edit seven x
says 4 'there is no message 999999' peer ana reply 999999 x
says_in_spanish 4 'no hay mensaje 999999' peer ana show 999999
says 2 'nothing to send' peer ana send ben
says 2 'go with a file' peer ana send ben x --alt y
says 0 'delivered' peer ana send ben "$(printf 'two\nlines \033[31m')" --timeout $((20 * patience))
shows ben ana '\u001b[31m'
says 0 'Nothing new of ana' sh -c 'peer() { "$1" --home "$2" read ana; }; peer "$@" >/dev/null 2>&1; peer "$@"' - "$programs/palique" "$folder/home-ben"
shows ana ben '✔✔'
ok "what was said ($checks)"

# --- whoever is no contact yet is written to by link ---
link=$(peer eve link 2>/dev/null | head -n 1)
says 0 'has not accepted yet' peer ana send "$link" 'we met on Monday'
until_true 20 sh -c '"$1" --home "$2" ls | grep -q "asks you"' - "$programs/palique" "$folder/home-eve" || fail 'eve is not asked'
says 0 'your contact' peer eve accept ana
shows eve ana 'we met on Monday'
says 2 'neither a name nor the link' peer ana send 'palique:nobody' x
says 0 'It goes on to eve' peer ana forward "$(last ana ben)" eve
shows eve ana '(forwarded)'
says_in_spanish 4 'no hay mensaje 999999' peer ana forward 999999 eve
ok "by link, and onwards ($checks)"

# --- what is typed behind a slash, on a terminal ---
if command -v script >/dev/null; then
	says 0 'delivered' peer ben send ana 'one for the chat' --wait delivered --timeout $((20 * patience))
	about=$(last ana ben)
	printf '%s\n' /help "/forward $about eve" "/delete $about --here" '/delete --here 999999' '/show x' /quit |
		script -qec "'$programs/palique' --home '$folder/home-ana' chat ben" /dev/null >"$folder/out" 2>&1 || true
	for words in '/delete N [--here]' 'It goes on to eve.' 'deleted on this machine' 'no message 999999' 'first the number of a message'; do
		grep -qF -- "$words" "$folder/out" || fail "a chat does not say \"$words\": $(cat "$folder/out")"
		checks=$((checks + 1))
	done
	! peer ana history ben | grep -qF 'one for the chat' || fail 'what was deleted here is here'
	shows eve ana 'one for the chat'
	shows ben ana 'one for the chat'
	ok "behind a slash ($checks)"
fi

# --- files ---
head -c 3000000 /dev/urandom >"$folder/a file.bin"
says 0 'has arrived at ben' peer ana send ben -f "$folder/a file.bin" --timeout $((20 * patience)) look at this
cmp "$folder/a file.bin" "$folder/got-ben/a file.bin" || fail 'another file has arrived'
shows ben ana '[file a file.bin, 3.0 MB] look at this'
says 0 'has arrived at ben' peer ana send ben -f "$folder/a file.bin" --timeout $((20 * patience))
[ "$(find "$folder/got-ben" -type f | wc -l)" = 2 ] || fail 'one file has taken the place of another'
printf 'by a pipe\n' | peer ana send ben -f - --name note.txt --timeout $((20 * patience)) >/dev/null || fail 'a pipe is not sent'
[ "$(cat "$folder/got-ben/note.txt")" = 'by a pipe' ] || fail 'what came by a pipe is another thing'
until_true 20 sh -c '[ -z "$(ls -A "$1")" ]' - "$folder/home-ana/spool" || fail 'what was spooled stays'
mkdir -p "$folder/album/deep"
printf 1 >"$folder/album/one"
printf 2 >"$folder/album/deep/two"
printf 3 >"$folder/album/deep/a:b?"
says 0 'has arrived at ben' peer ana send ben -f "$folder/album" --timeout $((20 * patience))
mv "$folder/album/deep/a:b?" "$folder/album/deep/a_b_" # what it is called where some disk would not take it
diff -r "$folder/album" "$folder/got-ben/album" || fail 'another folder has arrived'
printf 4 >"$folder/album/deep/a?b?"
printf 5 >"$folder/album/deep/$(printf '\351')"
says 2 'is not UTF-8: rename it' peer ana send ben -f "$folder/album"
says_in_spanish 2 'no es UTF-8' peer ana send ben -f "$folder/album"
says 2 'not UTF-8' peer ana send ben -f "$folder/album/deep/$(printf '\351')"
rm "$folder/album/deep/$(printf '\351')"
says 1 'would become one' peer ana send ben -f "$folder/album"
printf '' >"$folder/empty"
says 0 'has arrived at ben' peer ana send ben -f "$folder/empty" --timeout $((20 * patience))
[ -f "$folder/got-ben/empty" ] && [ ! -s "$folder/got-ben/empty" ] || fail 'an empty file does not arrive'
says 4 'there is no file' peer ana send ben -f "$folder/no such file"
says_in_spanish 4 'no hay archivo' peer ana send ben -f "$folder/no such file"
says 5 'neither a file nor a folder' peer ana send ben -f /dev/null
says 2 'not both' peer ana send ben -f "$folder/empty" words --caption more
says 2 'no / in it' peer ana send ben -f "$folder/empty" --name ../x
says 0 'is set' peer ben settings accept-up-to 1k
says 0 'announced' peer ana send ben -f "$folder/a file.bin" --timeout 3
until_true 20 sh -c '"$1" --home "$2" files | grep -q "palique files accept"' - "$programs/palique" "$folder/home-ben" || fail 'no offer is listed'
offer=$(last ben ana)
says 0 'a file.bin, 3.0 MB' peer ben files ana
says_in_spanish 0 'sin traer: palique files accept' peer ben files
mkdir "$folder/elsewhere"
says 0 "saved: $folder/elsewhere/a file.bin" peer ben files accept "$offer" --to "$folder/elsewhere" --timeout $((20 * patience))
says 1 'nothing to fetch' peer ben files accept "$offer"
says_in_spanish 1 'no hay nada que traer' peer ben accept "$offer"
says 0 'are on their way' peer ben files
says 0 'announced' peer ana send ben -f "$folder/a file.bin" --name again.bin --timeout 3
until_true 20 sh -c '"$1" --home "$2" files | grep -q again.bin' - "$programs/palique" "$folder/home-ben" || fail 'no second offer'
peer ben files accept "$(last ben ana)" --to - 2>/dev/null | cmp - "$folder/a file.bin" || fail 'standard output is another thing'
peer ben files accept "$(last ben ana)" --to - | cmp - "$folder/a file.bin" || fail 'what is here is not written to standard output'
says 1 'cannot be written to standard output' sh -c '"$1" --home "$2" files accept "$3" --to - >/dev/full' - "$programs/palique" "$folder/home-ben" "$(last ben ana)"
says 0 'announced' peer ana send ben -f "$folder/a file.bin" --name never.bin --timeout 3
says 0 'It is cancelled' peer ana files cancel "$(last ana ben)"
says 1 'not on its way' peer ana files cancel "$(last ana ben)"
says 4 'has no file' peer ana files pause 999999
says 2 'files accept, pause, resume or cancel' peer ana files fetch 1
says 2 'is not the number' peer ana files accept x
one_object_a_line peer ben files --all
one_object_a_line peer ana send ben -f "$folder/empty" --timeout $((20 * patience))
ok "files ($checks)"

# --- finding it again ---
says 0 'seven' peer ana search SEV
says 0 'you to ben' peer ana search seven --with ben
says 0 'Nothing was found' peer ana search nowhere
says_in_spanish 0 'No se encontró nada' peer ana search nowhere
says 2 'no word in this' peer ana search '?!'
says 2 'up to 1024 bytes' peer ana search "$(head -c 2000 /dev/zero | tr '\0' x)"
says_in_spanish 2 'palique help search' peer ana search "$(head -c 2000 /dev/zero | tr '\0' x)"
says 0 'a file.bin' peer ben show "$offer"
says 0 'look at this' peer ben history ana --after "$asked"
says 2 'not both' peer ben history ana --after 1 --before 2
one_object_a_line peer ana search seven
one_object_a_line peer ana show "$(last ana ben)"
says 0 'holds what was said' peer ana export ben "$folder/said.jsonl" --format jsonl
grep -q 'at seven' "$folder/said.jsonl" || fail 'what was said is not in the export'
says 0 'holds what was said' peer ana export "$folder/page" --all --format html
grep -q 'at seven' "$folder/page/index.html" || fail 'what was said is not in the page'
says 1 'something of that name' peer ana export ben "$folder/said.jsonl" --format jsonl
says 2 'jsonl or html' peer ana export ben "$folder/x" --format pdf
says 2 'palique backup FILE' peer ana export ben "$folder/x" 2>/dev/null || true
ok "finding it again ($checks)"

# --- how one is seen, and what is set ---
says 0 'see you as: away' peer ben status away
until_true 20 sh -c '"$1" --home "$2" ls | grep -q "^ben .*away"' - "$programs/palique" "$folder/home-ana" || fail 'ana does not see that ben is away'
says 0 'seen as    away' peer ben status
says_in_spanish 0 'Los contactos te ven como: con otra cosa' peer ben status busy
says 2 'available, away, busy or invisible' peer ben status asleep
says 0 'Benjamin' peer ben profile --name Benjamin --status 'back at three'
until_true 20 sh -c '"$1" --home "$2" profile ben | grep -q "back at three"' - "$programs/palique" "$folder/home-ana" || fail 'ana does not see the line'
says 2 'no PNG, JPEG or WebP' peer ben profile --picture "$folder/empty"
printf '\211PNG\r\n\032\n\0\0\0\rIHDR\0\1\0\0\0\1\0\0\010\002\0\0\0\343\346\247\264\0\0\0\0IDAT\065\257\006\036' >"$folder/huge.png" # and nothing behind that
says 1 'too large: up to' peer ben profile --picture "$folder/huge.png"
says 4 'no such file' peer ben profile --picture "$folder/no such file"
says 2 'only your own' peer ben profile ana --name x
says 0 'does not see that you are there' peer ana hide ben
until_true 20 sees_offline ben ana || fail 'ben still sees who hides'
says 0 'sees again' peer ana unhide ben
until_true 20 sees_online ben ana || fail 'ben does not see who hides no more'
says 0 'You are invisible' peer ana status invisible
until_true 20 sees_offline ben ana || fail 'ben sees somebody invisible'
says 0 'as: available' peer ana status available
until_true 20 sees_online ben ana || fail 'ben does not see ana again'
says 0 'accept-up-to  1k' peer ben settings
says_in_spanish 0 'read-marks    sí' peer ben settings
says 0 'is set' peer ben settings read-marks off --with ana
says 0 'read-marks    off (for this contact alone)' peer ben settings --with ana
says_in_spanish 0 'read-marks    no (solo para este contacto)' peer ben settings --with ana
says 0 'keep          forever (as for everybody)' peer ben settings --with ana
says 0 'is set' peer ben settings keep 30d --with ana
says 0 'keep          30 days (for this contact alone)' peer ben settings --with ana
says 0 '"keepDays":30,"keepDaysOwn":true' peer ben settings --with ana --json
says 0 'is set' peer ben settings keep default --with ana
says 0 'keep          forever (as for everybody)' peer ben settings --with ana
says 0 'timer         off' peer ben settings --with ana
says 4 'is not a contact' peer ben settings --with nobody
says 0 'is set' peer ben settings keep 90d
says 2 '500k, 50M, 2G' peer ben settings accept-up-to much
says 2 'on or off' peer ben settings read-marks maybe
says 2 '90d, or forever' peer ben settings keep x
says 4 'no such folder' peer ben settings downloads "$folder/no such folder"
says 2 'can be set for one contact' peer ben settings downloads / --with ana
says 2 'settings are' peer ben settings colour blue
says_in_spanish 2 'los ajustes son' peer ben settings colour blue
says 0 'stays' peer ana timer ben
says 0 'have not agreed' peer ana timer ben 1d
until_true 20 sh -c '"$1" --home "$2" timer ana | grep -q "if you want it, too"' - "$programs/palique" "$folder/home-ben" || fail 'ben does not hear of the timer'
says 0 'disappears after 24 h' peer ben timer ana 1d
says 0 'delivered' peer ben send ana 'not for long' --timeout $((20 * patience))
shows ana ben '(disappears after 24 h)'
says 2 'a time is' peer ana timer ben soon
says 0 'if you want it, too' peer ana timer ben off
one_object_a_line peer ana timer ben
one_object_a_line peer ana settings
one_object_a_line peer ana profile
one_object_a_line peer ana profile ben
one_object_a_line peer ana hide eve
says 2 'give --yes' peer ana forget ben --no-input
says 0 'is deleted here' peer ana forget ben --yes
says 0 'Nothing was said' peer ana history ben
shows ben ana 'at seven'
ok "how one is seen, and what is set ($checks)"

say "talk: $checks things typed"
