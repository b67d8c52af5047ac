#!/bin/sh
# open.sh BUILD: what a palique: link leads to when it is clicked or typed: the browser where there is a screen,
# questions in a terminal; and that a hostile link gets nothing: no option, no command, nothing without a yes.
BUILD=${1-build}
. "$(dirname "$0")/common.sh"
typist=$BUILD/tests/system/typist_tool
unset DISPLAY WAYLAND_DISPLAY

# A desktop whose browser notes what it is to open.
mkdir "$folder/bin"
cat >"$folder/bin/xdg-open" <<EOF
#!/bin/sh
printf '%s\n' "\$@" >"$folder/opened"
EOF
chmod +x "$folder/bin/xdg-open"
PATH=$folder/bin:$PATH
# clicked LINK: as the desktop file says it
clicked() {
	rm -f "$folder/opened"
	DISPLAY=:0 peer ana open -- "$1" </dev/null
}
# types HOME LINK ANSWER...: open in a terminal of that person
types() {
	home=$folder/home-$1 what=$2
	shift 2
	"$typist" "$@" -- "$programs/palique" --home "$home" open "$what" >"$folder/out" 2>"$folder/err"
}
contacts() {
	peer ana ls --json | grep -c '"name"' || true
}

at=127.0.0.1:$(free_port)
start_directory "$at"
for name in ana ben cai; do
	make_home $name 'listen = 127.0.0.1:0'
done
join ben "$(invite)" >/dev/null 2>&1 || fail 'ben cannot join'

# --- joining ---
link=$(invite)
clicked "$link" >"$folder/out" || fail "an invitation is not opened: $(cat "$folder/out")"
sed -n 's/^http:.*#t=.*&link=//p' "$folder/opened" | grep -q '^palique%3A127.0.0.1' || fail "the browser is not given the link: $(cat "$folder/opened")"
! peer ana status --json | grep -q '"name":"ana"' || fail 'a click has made an account'
if types ana "$link" n; then fail 'no is taken for yes'; fi
grep -q 'Nothing was done' "$folder/out" || fail "no is not confirmed: $(cat "$folder/out")"
types ana "$link" y ana "$password" "$password" || fail "ana cannot join by a link: $(cat "$folder/out" "$folder/err")"
grep -q 'typist: 4 questions' "$folder/err" || fail "so many questions: $(cat "$folder/err")"
ok 'an invitation'

# --- a contact ---
link=$(peer ben link 2>/dev/null)
clicked "$link" >/dev/null || fail 'a contact link is not opened'
grep -q 'link=palique%3Aben' "$folder/opened" || fail "the browser is not given the link: $(cat "$folder/opened")"
[ "$(contacts)" = 0 ] || fail 'a click has added somebody'
if types ana "$link" n; then fail 'no is taken for yes'; fi
[ "$(contacts)" = 0 ] || fail 'who was not wanted is asked'
types ana "$link" y || fail "ben is not asked: $(cat "$folder/out")"
[ "$(contacts)" = 1 ] || fail 'ben is not asked'
says 2 'nobody to ask' peer ana open --plain --no-input "$link"
if types cai "$link" y; then fail 'who has no account has added somebody'; fi
grep -q 'palique join' "$folder/out" || fail "who has no account is not told what to do: $(cat "$folder/out")"
ok 'a contact link'

# --- a new password ---
link=$(directory user passwd-reset ben 2>/dev/null | grep -o 'palique:[^ ]*' | head -n 1)
says 0 "palique reset '$link'" peer ana open --plain "$link"
ok 'a link of the operator'

# --- hostile links ---

long=palique:$(head -c 100000 /dev/zero | tr '\0' a)
for link in '' ' ' -- --help --home=/ -rf 'http://evil.example/' 'file:///etc/passwd' 'javascript:alert(1)' 'palique:' 'palique:-rf/i/x' "palique:a'b" \
	"palique:\$(touch $folder/pwned)" 'palique:`x`' 'palique:ben@' 'palique:ben@h?i=x' 'palique:h/i/../../x' 'palique:h/i/a b' \
	"palique:h/i/x
--help" "$(printf 'palique:h/i/\033[31mx')" 'palique:h?k=&k=' "palique:ben@h;xdg-open" 'alique:ben@h' 'ben@h' "$long"; do
	rm -f "$folder/opened"
	got=0
	DISPLAY=:0 peer ana open -- "$link" </dev/null >"$folder/out" 2>&1 || got=$?
	[ $got = 2 ] && [ ! -e "$folder/opened" ] || fail "\"$(echo "$link" | head -c 60)\" is opened: $got $(head -c 300 "$folder/out")"
	[ "$(wc -c <"$folder/out")" -lt 500 ] || fail 'a long link is answered at length'
	! LC_ALL=C grep -q "$(printf '\033')" "$folder/out" || fail 'a link speaks to the terminal'
	checks=$((checks + 1))
done
[ ! -e "$folder/pwned" ] || fail 'a link was a command'
[ "$(contacts)" = 1 ] || fail 'a hostile link has added somebody'
ok "hostile links ($checks)"

# --- line by line ---
printf '/quit\n' | peer ana --plain >"$folder/out" 2>"$folder/err" || fail "--plain: $(cat "$folder/err")"
grep -q ben "$folder/out" || fail "the conversations are not listed: $(cat "$folder/out")"
ok "open: $checks checks"
