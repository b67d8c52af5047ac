#!/bin/sh
# notify.sh BUILD: what the desktop is told on a real session bus: who, or what, or nothing; one notification that is
# replaced, however much comes; nothing of what a face looks at; and that without a bus, with one that nobody
# listens at, and with one that dies everything else goes on.
BUILD=${1-build}
. "$(dirname "$0")/common.sh"
unset DISPLAY WAYLAND_DISPLAY DBUS_SESSION_BUS_ADDRESS
command -v dbus-daemon >/dev/null || { say 'notify: skipped: no dbus-daemon here'; exit 0; }
XDG_RUNTIME_DIR=$folder/run
export XDG_RUNTIME_DIR
mkdir -m 700 "$XDG_RUNTIME_DIR"
shown=$folder/shown

mkdir "$folder/bin"
cat >"$folder/bin/xdg-open" <<EOF
#!/bin/sh
printf '%s\n' "\$@" >>"$folder/opened"
EOF
chmod +x "$folder/bin/xdg-open"
PATH=$folder/bin:$PATH
DISPLAY=:0 # somebody sits there; nothing of it is drawn upon
export DISPLAY

begin_bus() {
	dbus-daemon --session --address="unix:path=$XDG_RUNTIME_DIR/bus" --nofork >>"$folder/bus.log" 2>&1 &
	bus=$!
	started="$started $bus"
	until_true 10 test -S "$XDG_RUNTIME_DIR/bus" || fail "no bus: $(cat "$folder/bus.log")"
}
# begin_desktop CAPABILITY...
begin_desktop() {
	: >"$shown"
	rm -f "$folder/told"
	mkfifo "$folder/told"
	"$BUILD/tests/system/desktop_tool" "$@" <"$folder/told" >"$shown" 2>"$folder/desktop.log" &
	desktop=$!
	started="$started $desktop"
	exec 7>"$folder/told"
	until_true 10 grep -qx ready "$shown" || fail "no desktop: $(cat "$folder/desktop.log")"
}
shows() {
	until_true 15 grep -qE -- "$1" "$shown" || fail "\"$1\" is not shown: $(cat "$shown")"
	checks=$((checks + 1))
}
shows_not() {
	! grep -qE -- "$1" "$shown" || fail "\"$1\" is shown: $(cat "$shown")"
	checks=$((checks + 1))
}
set_ana() {
	peer ana settings notifications "$1" >/dev/null || fail "no setting $1"
}
# hold LINE: ana's engine is told, on a connection that stays until $holder ends
hold() {
	rm -f "$folder/hold"
	mkfifo "$folder/hold"
	exec 8<>"$folder/hold"
	"$programs/palique" --home "$folder/home-ana" rpc <"$folder/hold" >"$folder/rpc" 2>&1 &
	holder=$!
	started="$started $holder"
	printf '%s\n' "$1" >&8
	until_true 10 grep -q '"result"' "$folder/rpc" || fail "it is not answered: $(cat "$folder/rpc")"
}

at=127.0.0.1:$(free_port)
start_directory "$at"
for name in ana ben cai; do
	make_home $name 'listen = 127.0.0.1:0'
	join $name "$(invite)" >/dev/null 2>&1 || fail "$name cannot join"
done
befriend ana cai

# --- no bus, and nobody at it ---
peer cai send ana 'before any bus' --wait delivered >/dev/null || fail 'without a bus nothing arrives'
peer ana read cai >/dev/null 2>&1
peer ana stop >/dev/null
begin_bus
peer cai send ana 'nobody shows it' >/dev/null
peer ana status >/dev/null
until_true 20 has ana cai 'nobody shows it' || fail 'with nobody at the bus nothing arrives'
peer ana read cai >/dev/null 2>&1
peer ana stop >/dev/null
ok 'no bus, and nobody there'

# --- a request ---
begin_desktop actions body body-markup
peer ana status >/dev/null
peer ben add ana >/dev/null
shows '^show 1 0 default Open\|ben wants to talk with you\|'
peer ana accept ben >/dev/null
shows '^close 1$'
until_true 20 sees_online ben ana || fail 'ben does not see ana'

# --- who, and not what ---
peer ben send ana 'the secret' --wait delivered >/dev/null
shows '^show 2 0 default Open\|ben\|A new message$'
shows_not secret
for i in $(seq 20); do
	printf '%s\n' "$i"
done >"$folder/lines"
peer ben chat ana <"$folder/lines" >/dev/null
shows '^show 2 2 default Open\|ben\|21 new messages$'
[ "$(grep -c '^show' "$shown")" -lt 15 ] || fail "a flood is shown: $(cat "$shown")"
ok 'who, and not what'

# --- a click ---
echo 'click 2' >&7
until_true 15 grep -q '#t=.*&chat=ben$' "$folder/opened" || fail 'a click opens nothing'
echo 'click 77' >&7
peer ana read ben >/dev/null 2>&1
shows '^close 2$'
[ "$(grep -c . "$folder/opened")" = 1 ] || fail 'a click on nothing of ours opens something'
ok 'a click'

# --- what, and none of it is markup ---
set_ana all
peer ben send ana '<b>bold</b> & <a href="http://evil">x</a> %s' --wait delivered >/dev/null
peer cai send ana 'hola' --wait delivered >/dev/null
shows '\|cai\|hola$'
sleep 1 # nothing is to come, and that cannot be waited for
shows_not 'ben\|<b>'
ok 'who has just read is told nothing'
peer ana read cai >/dev/null 2>&1

# --- looked at ---
hold '{"jsonrpc":"2.0","id":1,"method":"looking","params":{"conversation":"ben"}}'
: >"$shown"
peer ben send ana 'looked at' --wait delivered >/dev/null
kill $holder
wait $holder 2>/dev/null || true
hold '{"jsonrpc":"2.0","id":1,"method":"looking","params":{"notifies":true}}'
peer ben send ana 'told by a face' --wait delivered >/dev/null
kill $holder
wait $holder 2>/dev/null || true
sleep 10 # what was read a moment ago counts as looked at for so long
peer ben send ana '<b>bold</b> & %s' --wait delivered >/dev/null
shows '\|ben\|&lt;b&gt;bold&lt;/b&gt; &amp; %s$'
shows_not 'looked at'
shows_not 'told by a face'
ok 'looked at'

# --- not wanted ---
: >"$shown"
peer ana status busy >/dev/null
peer ben send ana 'while busy' --wait delivered >/dev/null
peer ana status available >/dev/null
set_ana off
peer ben send ana 'while off' --wait delivered >/dev/null
set_ana all
peer ben send ana 'wanted again' --wait delivered >/dev/null
shows 'wanted again$'
shows_not 'while (busy|off)'
says 2 'off, names' peer ana settings notifications loud
ok 'not wanted'

# --- a desktop that cannot click nor read markup, and one that dies ---
exec 7>&-
kill $desktop 2>/dev/null || true
wait $desktop 2>/dev/null || true
kill $bus
wait $bus 2>/dev/null || true
peer ben send ana 'the bus is dead' --wait delivered >/dev/null || fail 'with a dead bus nothing arrives'
peer ana stop >/dev/null
rm -f "$XDG_RUNTIME_DIR/bus"
begin_bus
begin_desktop body
LANGUAGE=es "$programs/palique" --home "$folder/home-ana" status >/dev/null
peer ana read ben >/dev/null 2>&1
peer cai send ana 'a < b' --wait delivered >/dev/null
shows '^show [0-9]* 0\|cai\|a < b$'
set_ana names
peer cai send ana 'otra' --wait delivered >/dev/null
shows '\|cai\|2 mensajes nuevos$'
ok "notify: $checks checks"
