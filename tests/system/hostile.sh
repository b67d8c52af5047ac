#!/bin/sh
# hostile.sh BUILD: what strangers and accidents bring to the real programs: malformed
# datagrams, lines, links, configuration and stores. Nothing dies, grows or is answered that
# should not be; nothing unreadable is overwritten.
BUILD=${1-build}
. "$(dirname "$0")/common.sh"

port=$(free_port)
start_directory "127.0.0.1:$port"
for name in ana ben; do
	make_home $name 'listen = 127.0.0.1:0'
	join $name "$(invite)" >/dev/null 2>&1 || fail "$name cannot join"
done
befriend ana ben
checks=0
passed() {
	checks=$((checks + 1))
	say "ok: $*"
}

resident() {
	awk '/^VmRSS/ { print $2 }' "/proc/$1/status"
}
# flood PID ADDRESS PORT: twice so many malformed datagrams; memory must not follow
flood() {
	"$net_tool" garbage "$2" "$3" 20000 >"$folder/flood"
	before=$(resident "$1")
	"$net_tool" garbage "$2" "$3" 60000 >"$folder/flood"
	after=$(resident "$1")
	[ $((after - before)) -lt 4096 ] || fail "port $3: memory grew from $before to $after kB"
}

# --- datagrams ---
engine=$(peer ana status --json | sed 's/.*"pid":\([0-9]*\).*/\1/')
peer_port=$(peer ana status --json | sed 's/.*"port":\([0-9]*\).*/\1/')
flood "$engine" 127.0.0.1 "$peer_port"
grep -q 'answered 0 bytes' "$folder/flood" || fail "a peer answers a stranger: $(cat "$folder/flood")"
passed "a peer stays silent: $(cat "$folder/flood")"
"$net_tool" ask-key 127.0.0.1 "$peer_port" | grep -q 'answered 0 bytes' ||
	fail 'a peer answers who asks for a directory'
"$net_tool" ask-key 127.0.0.1 "$port" | grep -q 'answered 49 bytes' ||
	fail 'the directory does not say its key'
passed 'a peer does not answer the question for a key, a directory does'
flood "$directory_pid" 127.0.0.1 "$port"
grep -q 'answered 0 bytes' "$folder/flood" || fail "the directory answers garbage: $(cat "$folder/flood")"
passed "the directory stays silent: $(cat "$folder/flood")"
peer ana send ben 'after the flood' --wait delivered --timeout $((20 * patience)) >/dev/null || fail 'no delivery after the flood'
passed 'a message is delivered after it'

# --- lines to the local API ---
socket=$folder/home-ana/engine.sock
{
	printf 'not json\n{}\n[]\n{"jsonrpc":"2.0"}\n{"jsonrpc":"2.0","id":1,"method":"nothing"}\n'
	printf '{"jsonrpc":"2.0","id":2,"method":"send","params":{"conversation":7}}\n'
	printf '{"jsonrpc":"2.0","id":3,"method":"send","params":[]}\n'
	printf '{"jsonrpc":"2.0","id":4,"id":4,"method":"status"}\n'
	printf '\377\376\n\n\001\n'
	i=0
	while [ $i -lt 200 ]; do
		printf '['
		i=$((i + 1))
	done
	printf '\n{"jsonrpc":"2.0","id":9,"method":"version"}\n'
} | "$net_tool" lines "$socket" >"$folder/answers"
grep -q '"id":9' "$folder/answers" || fail "the API does not answer after malformed lines"
[ "$(grep -c '"error"' "$folder/answers")" -ge 6 ] || fail 'malformed lines are not refused one by one'
passed "malformed lines: $(grep -c '"error"' "$folder/answers") errors, then an answer"
head -c 20000000 /dev/zero | tr '\0' 'x' | "$net_tool" lines "$socket" >"$folder/answers" || true
[ "$(resident "$engine")" -lt 100000 ] || fail "an endless line grew the engine to $(resident "$engine") kB"
kill -0 "$engine" || fail 'the engine died over an endless line'
passed 'an endless line is refused'

# --- what a person may type wrongly ---
# refused EXIT COMMAND...: ends with that code and says why, without a trace of a crash
refused() {
	want=$1
	shift
	got=0
	"$@" >"$folder/out" 2>"$folder/err" </dev/null || got=$?
	[ $got = "$want" ] || fail "exit code $got instead of $want: $* ($(cat "$folder/err"))"
	[ -s "$folder/err" ] || fail "nothing is said about: $*"
}
for link in 'palique:' 'palique:?k=x' 'http://x' 'palique:x/i/' "palique:$(head -c 300 /dev/zero | tr '\0' a)" \
	'palique:h?k=AAAA' 'palique:h:99999'; do
	make_home nobody 'listen = 127.0.0.1:0'
	got=0
	printf 'secret\n' | peer nobody join "$link" --name nobody --password-fd 0 --no-input >"$folder/out" 2>"$folder/err" || got=$?
	[ $got != 0 ] && [ $got -lt 8 ] || fail "join \"$link\" ends with $got"
	[ -s "$folder/err" ] || fail "nothing is said about the link \"$link\""
done
passed 'malformed links'
refused 4 peer ana send nobody-known hello
refused 1 peer ana send ben "$(head -c 16385 /dev/zero | tr '\0' x)"
grep -q 16384 "$folder/err" || fail 'the limit of a message is not named'
refused 2 peer ana send
refused 2 peer ana frobnicate
passed 'unknown names, too long a message (limit named), usage'
for name in A b 'x y' "$(head -c 33 /dev/zero | tr '\0' a)" '-a' 'ñandu'; do
	got=0
	peer ana add "$name" >"$folder/out" 2>"$folder/err" </dev/null || got=$?
	case $name:$got in
	A:*) ;; # lower-cased it is one letter: refused too
	esac
	[ $got != 0 ] || fail "the name \"$name\" is taken for one"
done
passed 'malformed names'

# --- configuration: the line is named ---
printf 'listen = 127.0.0.1:0\nlisten = nonsense\n' >"$folder/bad.conf"
make_home bad "$(cat "$folder/bad.conf")"
got=0
peer bad status >"$folder/out" 2>"$folder/err" || got=$?
[ $got != 0 ] || fail 'a wrong peer.conf is accepted'
grep -q 'peer.conf:2' "$folder/err" || fail "the line is not named: $(cat "$folder/err")"
mkdir -m 700 "$folder/other"
cp "$folder/bad.conf" "$folder/other/directory.conf"
got=0
"$programs/palique-directory" check-config --data "$folder/other" >"$folder/out" 2>"$folder/err" || got=$?
[ $got != 0 ] && grep -q 'directory.conf:2' "$folder/err" ||
	fail "directory.conf: the line is not named: $(cat "$folder/err")"
passed 'wrong configuration names file and line'

# --- stores that cannot be read ---
peer ben stop >/dev/null
head -c 20000 /dev/urandom >"$folder/home-ben/store.db"
sum=$(cksum <"$folder/home-ben/store.db")
got=0
peer ben status >"$folder/out" 2>"$folder/err" || got=$?
kept=
for file in "$folder/home-ben"/store.db*; do
	[ "$(cksum <"$file")" = "$sum" ] && kept=$file
done
[ -n "$kept" ] || fail 'an unreadable store was overwritten'
cat "$folder/out" "$folder/err" | grep -q . || fail 'nobody is told that the store cannot be read'
passed "an unreadable store is kept ($(basename "$kept"))"
kill "$directory_pid"
wait "$directory_pid" || true
cp "$folder/directory/accounts.db" "$folder/accounts.kept"
head -c 20000 /dev/urandom >"$folder/directory/accounts.db"
rm -f "$folder/directory/accounts.db-wal"
sum=$(cksum <"$folder/directory/accounts.db")
got=0
directory serve --listen "127.0.0.1:$port" >"$folder/out" 2>"$folder/err" </dev/null &
bad=$!
started="$started $bad"
until_true 10 test -s "$folder/err" || fail 'the directory says nothing about its store'
kept=
for file in "$folder/directory"/accounts.db*; do
	[ "$(cksum <"$file")" = "$sum" ] && kept=$file
done
[ -n "$kept" ] || fail "the directory's unreadable store was overwritten"
passed "the directory keeps its unreadable store ($(basename "$kept"))"

say "hostile: $checks groups of bad input, nothing died"
