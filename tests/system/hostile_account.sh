#!/bin/sh
# hostile_account.sh BUILD: what others try with an account and with the directory's secrets, against
# the real programs: the key-holder stopped, killed and knocked at by who may not; what it may
# still do; passwords where they should not stand; a flood of guesses from many networks.
BUILD=${1-build}
. "$(dirname "$0")/common.sh"

passed() {
	say "ok: $*"
}
is_online() {
	peer "$1" status --json | grep -q '"account":{"state":"online"'
}
keyholder() {
	pgrep -P "$directory_pid"
}
has_keyholder() {
	keyholder | grep -q .
}
milliseconds() {
	echo $(($(date +%s%N) / 1000000))
}
login() { # login HOME: as ana, on another machine
	make_home "$1" 'listen = 127.0.0.1:0'
	printf '%s\n' "$password" | peer "$1" login "ana@127.0.0.1:$port" --password-fd 0 --no-input
}

port=$(free_port)
start_directory "127.0.0.1:$port"
for name in ana ben; do
	make_home $name 'listen = 127.0.0.1:0'
	join $name "$(invite)" >/dev/null 2>&1 || fail "$name cannot join"
done
befriend ana ben

# --- what the key-holder still may, once it serves ---
holder=$(keyholder)
grep -q '^CapEff:	0000000000000000' "/proc/$holder/status" || fail 'the key-holder has capabilities'
grep -q '^NoNewPrivs:	1' "/proc/$holder/status" || fail 'the key-holder can gain privileges'
if [ -d /proc/sys/kernel/seccomp ]; then
	grep -q '^Seccomp:	2' "/proc/$holder/status" || fail 'the calls of the key-holder are not filtered'
fi
[ "$(find "/proc/$holder/fd" -type l | wc -l)" -le 5 ] || fail "the key-holder has files open: $(ls -l "/proc/$holder/fd")"
grep -q '^Max core file size *0 *0' "/proc/$holder/limits" || fail 'the key-holder may dump core'
! tr '\0' ' ' <"/proc/$holder/cmdline" | grep -q "$password" || fail 'secrets in a command line'
passed 'the key-holder has neither capabilities, files, calls nor a core to give away'

# --- it is stopped, and killed in the middle of logins ---
kill -STOP "$holder"
login ana2 >"$folder/stopped" 2>&1 &
waiting=$!
until_true 10 grep -q stretching "$folder/stopped" || sleep 1
peer ana send ben 'while it is stopped' --wait delivered --timeout $((10 * patience)) >/dev/null || fail 'nothing is delivered while the key-holder is stopped'
peer ben stop >/dev/null
until_true 5 is_online ben || fail 'a device does not come in while the key-holder is stopped'
directory status >/dev/null || fail 'the directory does not answer while the key-holder is stopped'
kill -CONT "$holder"
wait $waiting || login ana2 >"$folder/out" 2>&1 || fail "no login after it goes on: $(cat "$folder/out")"
for turn in 1 2 3; do
	(
		sleep 0.0$turn
		kill -KILL "$(keyholder)"
	) &
	killer=$!
	login "killed$turn" >"$folder/out" 2>&1 || true
	wait $killer
	until_true 10 has_keyholder || fail 'the key-holder is not started anew'
done
login ana3 >"$folder/out" 2>&1 || login ana3 >"$folder/out" 2>&1 || fail "no login after the kills: $(cat "$folder/out")"
kill -0 "$directory_pid" || fail 'the directory died with its key-holder'
passed 'a key-holder that is stopped or killed keeps nobody out but logins by password, for a moment'

# --- where a password could be found afterwards ---
! grep -rqF "$password" "$folder"/*.log "$folder/directory" "$folder"/home-*/engine.log || fail 'a password stands in a log or a store'
for engine in ana ana3; do
	pid=$(peer $engine status --json | sed 's/.*"pid":\([0-9]*\).*/\1/')
	! tr '\0' ' ' <"/proc/$pid/environ" | grep -qF "$password" || fail 'a password stands in the environment of an engine'
	grep -q '^Max core file size *0 *0' "/proc/$pid/limits" || fail 'an engine may dump core'
done
[ -z "$(find "$folder/directory" "$folder"/home-* -perm /077 ! -name '*.conf' ! -type l)" ] ||
	fail "others may read: $(find "$folder/directory" "$folder"/home-* -perm /077 ! -name '*.conf' ! -type l)"
passed 'no password in logs, stores, environments or cores; no file that others may read'

# --- whoever may not ask the key-holder ---
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	chmod 755 "$folder"
	mkdir -m 755 "$folder/apart"
	"$programs/palique-directory" keyholder serve --secrets "$folder/directory/keyholder" \
		--socket "$folder/apart/socket" >/dev/null 2>"$folder/apart.log" &
	apart=$!
	started="$started $apart"
	until_true 10 test -S "$folder/apart/socket"
	cp "$net_tool" "$folder/apart/tool"
	turn=0
	while [ $turn -lt 200 ]; do
		head -c 500 /dev/urandom | setpriv --reuid 65534 --regid 65534 --clear-groups \
			"$folder/apart/tool" lines "$folder/apart/socket" >"$folder/answered" 2>/dev/null || true
		[ ! -s "$folder/answered" ] || fail 'the key-holder answers another user'
		turn=$((turn + 1))
	done
	[ "$(wc -l <"$folder/apart.log")" -lt 10 ] || fail "whoever knocks fills the log: $(wc -l <"$folder/apart.log") lines"
	grep -q refused "$folder/apart.log" || fail 'nobody is told who knocks'
	head -c 5000 /dev/urandom | "$net_tool" lines "$folder/apart/socket" >"$folder/answered" 2>/dev/null || true
	kill -0 $apart || fail 'the key-holder dies of what makes no sense'
	passed 'another user is not heard, 200 times, and the log has one line of it'
else
	say 'skipped: another user at the key-holder (needs root)'
fi

# --- a flood of guesses at one name, from a hundred networks ---
tag=pqx$$
if command -v ip >/dev/null && ip netns add $tag-d 2>/dev/null && ip netns exec $tag-d true 2>/dev/null; then
	ends_first() {
		ip netns del $tag-d
		ip netns del $tag-n
	}
	ip netns add $tag-n
	ip link add d0 netns $tag-d type veth peer name n0 netns $tag-n
	for end in d n; do
		ip -n $tag-$end link set lo up
		ip -n $tag-$end link set ${end}0 up
	done
	ip -n $tag-d addr add 10.0.0.1/8 dev d0
	ip -n $tag-n addr add 10.0.0.2/8 dev n0
	number=1
	while [ $number -le 100 ]; do
		ip -n $tag-n addr add 10.1.$number.2/8 dev n0
		number=$((number + 1))
	done
	besieged() {
		command=$1
		shift
		ip netns exec $tag-d "$programs/palique-directory" "$command" --data "$folder/besieged" "$@"
	}
	peer() {
		name=$1
		shift
		ip netns exec $tag-n "$programs/palique" --home "$folder/home-$name" "$@"
	}
	besieged init 10.0.0.1:7272 >/dev/null 2>&1 || fail 'no second directory'
	ip netns exec $tag-d "$programs/palique-directory" serve --data "$folder/besieged" \
		--listen 10.0.0.1:7272 >>"$folder/besieged.log" 2>&1 &
	started="$started $!"
	until_true 20 besieged status || fail "the second directory does not start: $(cat "$folder/besieged.log")"
	link=$(besieged invite 2>/dev/null | head -n 1)
	make_home eve 'listen = 10.0.0.2:0'
	join eve "$link" >/dev/null 2>&1 || fail 'eve cannot join'
	ip netns exec $tag-n "$BUILD/tests/system/guess_tool" "$(echo "$link" | sed 's,/i/[^?]*,,')" eve 12 100 >"$folder/guesses" &
	guessers=$!
	sleep 2
	worst=0
	for turn in 1 2 3; do
		peer eve stop >/dev/null
		before=$(milliseconds)
		until_true 20 is_online eve || fail 'the owner does not come in'
		took=$(($(milliseconds) - before))
		[ $took -le $worst ] || worst=$took
	done
	make_home eve2 'listen = 10.0.0.2:0'
	before=$(milliseconds)
	printf '%s\n' "$password" | peer eve2 login eve@10.0.0.1 --password-fd 0 --no-input >"$folder/out" 2>&1 ||
		fail "the owner does not come in on a new machine: $(cat "$folder/out")"
	took=$(($(milliseconds) - before))
	wait $guessers
	[ "$(sed 's/challenged \([0-9]*\) .*/\1/' "$folder/guesses")" -le 80 ] || fail "so many guesses were answered: $(cat "$folder/guesses")"
	[ "$(sed 's/.*refused \([0-9]*\) .*/\1/' "$folder/guesses")" -ge 1000 ] || fail "not a flood: $(cat "$folder/guesses")"
	passed "guesses from a hundred networks in 12 s: $(cat "$folder/guesses"); the owner's device came in within $worst ms, a new machine in $took ms"
else
	say 'skipped: the flood of guesses (needs network namespaces)'
fi
