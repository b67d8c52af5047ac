#!/bin/sh
# People in the laboratory: a directory, and homes that move from network to network. Source it
# after lab.sh. A home has the name of the host it is at (home-a1 at a1), and its people know
# each other from the start.

# Both programs where they live.
directory() {
	command=$1
	shift
	ip netns exec "$lab-dir" "$programs/palique-directory" "$command" --data "$folder/directory" "$@"
}
peer() {
	name=$1
	shift
	lab_in "$name" "$programs/palique" --home "$folder/home-$name" "$@"
}

begin_directory() {
	ip netns exec "$lab-dir" "$programs/palique-directory" serve --data "$folder/directory" \
		>>"$folder/directory.log" 2>&1 &
	directory_pid=$!
	started="$started $directory_pid"
	until_true 20 directory status || fail "no directory: $(cat "$folder/directory.log")"
}
end_directory() {
	kill "$directory_pid"
	wait "$directory_pid" 2>/dev/null || true
}

# people HOST...: each joins and is a contact of every other one; all are asleep afterwards
people() {
	local known one other
	lab_up public,hosts=2/public/public/public
	if [ ! -d "$folder/directory" ]; then
		directory init directory.test:7272 >"$folder/init.log" 2>&1 ||
			fail "init: $(cat "$folder/init.log")"
		# Here one device comes and goes all the time.
		printf '%s\n' 'listen = [::]:7272' 'visits-per-device = 100000' >>"$folder/directory/directory.conf"
		begin_directory
	fi
	known=
	for one in "$@"; do
		make_home "$one" 'log = debug'
		join "$one" "$(invite)" >"$folder/join.log" 2>&1 || fail "$one cannot join: $(cat "$folder/join.log")"
		for other in $known; do
			befriend "$other" "$one"
		done
		known="$known $one"
	done
	asleep "$@"
}

# Several at once; wait for them
each() {
	local what waiting one
	what=$1
	shift
	waiting=
	for one in "$@"; do
		$what "$one" &
		waiting="$waiting $!"
	done
	for one in $waiting; do
		wait "$one" || return 1
	done
}
# Who ends while it still looks for a router's UPnP waits for that: where there is no such router, and
# nothing is to be learned of it, it does not look.
wake_one() {
	printf 'log = debug\nmap-ports = %s\n' "${map_ports-yes}" >"$folder/home-$1/peer.conf"
	: >"$folder/home-$1/engine.log"
	peer "$1" daemon >/dev/null 2>"$folder/wake-$1" || fail "$1 does not wake: $(cat "$folder/wake-$1")"
}
awake() {
	each wake_one "$@"
}
# fell HOST: its engine began more than once since it was woken: it had fallen
fell() {
	[ "$(grep -c ' started ' "$folder/home-$1/engine.log")" -gt 1 ]
}
asleep_one() {
	! fell "$1" || fail "the engine of $1 fell: $(cat "$folder/home-$1/engine.log")"
	peer "$1" stop >/dev/null 2>&1 || true
}
asleep() {
	each asleep_one "$@"
}
# online HOST...: each is, and sees the others be so
online() {
	local one other
	for one in "$@"; do
		until_true 10 is_online "$one" || return 1
		for other in "$@"; do
			[ "$one" = "$other" ] || until_true 10 sees_online "$one" "$other" || return 1
		done
	done
}

# contact HOST WHOM FIELD: what its engine says of them ("" if nothing)
contact() {
	peer "$1" ls --json | grep "\"name\":\"$2\"" | sed -n "s/.*\"$3\":\"\{0,1\}\([^\",}]*\).*/\1/p"
}
path_kind() {
	contact "$1" "$2" pathKind
}

# Milliseconds of a clock that starts anywhere
clock_ms() {
	sed 's/^\([0-9]*\)\.\([0-9][0-9]\).*/\1\20/' /proc/uptime
}
# logged HOST EVENT: when (microseconds), each time
logged() {
	sed -n "s/.* debug $2 .*us=\([0-9]*\).*/\1/p" "$folder/home-$1/engine.log"
}

# --- what the tests of reach and of roaming share ---

reached=0
# begin_reach BUILD NAME HOST...: the laboratory and these people, or it ends the test, with the reason
begin_reach() {
	ends_first() {
		keep_logs
		lab_end
	}
	lab_begin || {
		say "$1: skipped: $lab_missing"
		exit 0
	}
	shift
	people "$@"
}
keep_logs() {
	[ "$status" != 0 ] || return 0
	for home in "$folder"/home-*; do
		say "-- ${home##*/}" >&2
		grep -v ' heard us=' "$home/engine.log" | tail -n 15 >&2 || true
		[ ! -e "/run/netns/$lab-${home##*-}" ] || peer "${home##*-}" ls >&2 || true
	done
	tail -n 5 "$folder/directory.log" >&2 || true
}
# skip CELL: not asked for on the command line; skip_long: has to be asked for
skip() {
	case " $cells " in
	'  ' | *" $1 "* | ' all ') return 1 ;;
	esac
}
# lacks CELL COMMAND: without that program it cannot be tried
lacks() {
	! command -v "$2" >/dev/null || return 1
	say "not tried: $1 (no $2)"
}
skip_long() {
	[ -z "$cells" ] || skip "$1"
}
good() {
	reached=$((reached + 1))
	ok "$*"
}
# within WHAT MS BOUND: what took so long may take so long, and with PALIQUE_STRICT no longer. Without
# it that is only said: it may be the machine, that does much else
within() {
	[ "$2" -gt "$3" ] || return 0
	[ -z "${PALIQUE_STRICT-}" ] || fail "$1: $2 ms, at most $3 allowed"
	say "$1: $2 ms, where $3 are meant"
}

# arrives FROM TO SECONDS: something said is delivered
arrives() {
	took=$(clock_ms)
	peer "$1" send "$2" "from $1 at $took" --wait delivered --timeout $(($3 * patience)) >/dev/null 2>&1
	status=$?
	took=$(($(clock_ms) - took))
	return $status
}
# is_kind FROM TO KIND...: the path is of one of these
is_kind() {
	kind=$(path_kind "$1" "$2")
	shift 2
	case " $* " in
	*" $kind "*) ;;
	*) return 1 ;;
	esac
}
pid_of() {
	peer "$1" status --json | sed 's/.*"pid":\([0-9]*\).*/\1/'
}
