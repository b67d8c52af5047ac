#!/bin/sh
# first_minutes.sh BUILD: the first minutes of two people and their host, typed at terminals: a directory, two
# invitations, two accounts, a contact, a message, an image, the browser. Counts the commands and the questions and
# fails where there are more than ought to be; tells the time.
BUILD=${1-build}
. "$(dirname "$0")/common.sh"
typist=$BUILD/tests/system/typist_tool
commands=0
questions=0
began=$(date +%s%N)
unset DISPLAY WAYLAND_DISPLAY

# types WHO QUESTIONS ANSWER... -- WORD...: a command with its answers, and no more questions than so many
types() {
	who=$1 most=$2
	shift 2
	home=$folder/home-$who
	words=
	for word; do
		[ "$words" ] || [ "$word" != -- ] || words=' '
	done
	code=0
	before=$(date +%s%N)
	USER=$who PALIQUE_HOME=$home "$typist" "$@" >"$folder/screen" 2>"$folder/typist" || code=$?
	took=$((($(date +%s%N) - before) / 1000000))
	[ $code = 0 ] || fail "$who: exit code $code: $(cat "$folder/screen" "$folder/typist")"
	asked=$(sed -n 's/^typist: \([0-9]*\) questions$/\1/p' "$folder/typist")
	[ "$asked" -le "$most" ] || fail "$who is asked $asked questions instead of $most: $(cat "$folder/screen")"
	commands=$((commands + 1))
	questions=$((questions + asked))
	while [ "$1" != -- ]; do shift; done
	shift
	shown=palique
	case $1 in *directory) shown=palique-directory ;; esac
	shift
	printf '%-6s $ %s%s   (%s questions, %s ms)\n' "$who" "$shown" "$(typed "$@" | sed "s|$folder/||g")" "$asked" "$took"
}
screen_says() {
	grep -qE -- "$1" "$folder/screen" || fail "the screen does not say \"$1\": $(cat "$folder/screen")"
}

for name in alice bob; do
	make_home $name 'listen = 127.0.0.1:0'
done
at=127.0.0.1:$(free_port)

# --- the host: init and invite; who runs it as a service has it begun, here the test does ---
types host 0 -- "$programs/palique-directory" init --data "$folder/directory" "$at"
start_directory "$at"
types host 0 -- "$programs/palique-directory" invite --data "$folder/directory" --count 2
invitation=$(grep -ao 'palique:[^ '"'"']*' "$folder/screen" | head -n 1 | tr -d '\r')
screen_says '█'

# --- a name and a password, and one is there: the name is offered, and a password of words ---
for name in alice bob; do
	types $name 2 '' '' -- "$programs/palique" join "$invitation"
	screen_says '^    ([a-z]+ ){4}[a-z]+'
	screen_says "You are $name@"
	screen_says '█'
done

# --- they find each other ---
types alice 0 -- "$programs/palique" add "bob@$at" "hi, it is Alice"
asks() {
	peer bob ls --json | grep '"name":"alice"' | grep -q '"state":"requests"'
}
until_true 20 asks || fail 'bob does not hear that alice asks'
types bob 0 -- "$programs/palique" accept alice

# --- and talk ---
until_true 20 sees_online alice bob || fail 'alice does not see bob'
types alice 0 -- "$programs/palique" send bob hola
screen_says 'delivered'
base64 -d >"$folder/foto.png" <<'PNG'
iVBORw0KGgoAAAANSUhEUgAAAGAAAABACAIAAABqVuVZAAABhUlEQVR42u3TN06DURCF0VtTDxlMjmswGUwGk3OOS2CJLIeaiin8F4A1tue9Zu
QrnXZ0pU8aiJTJAJE5MkA658mggRbIAOlaJIMGWiIDpHuZDBpohQyQntW4vr8+/8s7oYHWIqqb5nemPEOQ3ko4DevUGuXY0kDrsTRZp2iUOgfp
2wikpTq1RmmLGmgzCkedopF/FNK/FYU/UMKoBtoOwV2naOTchQzshJAayLurgXZDSA7k3IUM7oWQGsi7q4H2Q0gO5NyFlKohpAby7mqggxCSAz
l3IUOHUfjrJIxqoKMoEgL5RyHDx4F46qQtaqCTWFqskzoHGTkNp9k6ObY00FlETdTJMwQZPY+rfpqsExroggyQsUsyaKArMkDGr8mggW7IAJm4
JYMGuiMDZPKeDBrogQyQqUcyaKAnMkCmn8mggV7IAJl5JYMGeiMDZPadDChXP/7oKFUaap8rMId9Beaw8cX4YnwxvhhfjC/GF+OL8cWYgy/GF+
OL8cX4Ynwxvlh7RfwBajo3Z7RwPWoAAAAASUVORK5CYII=
PNG
types alice 0 -- "$programs/palique" send bob -f "$folder/foto.png"
has_image() {
	peer bob history alice --limit 1 --json | grep -q '"hasThumbnail":true'
}
until_true 20 has_image || fail 'the image does not arrive'

# --- the same in a browser ---
types alice 0 -- "$programs/palique" web
screen_says 'http://127\.0\.0\.1:[0-9]*/#t='

say "first minutes: $commands commands, $questions questions, $((($(date +%s%N) - began) / 1000000)) ms with the engines' own starts"
# Those of the script that is to be beaten: init, invite; join (name, password) twice; add, accept, send, send -f,
# web.
[ $commands -le 9 ] || fail "$commands commands"
[ $questions -le 4 ] || fail "$questions questions"
ok "first minutes"
