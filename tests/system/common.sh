#!/bin/sh
# Shared by the tests of the real programs (and tools/try): a folder that goes away with
# everything started in it, free ports, waiting for a fact. Source it with BUILD set.
set -eu
export LC_ALL=C.UTF-8 LANGUAGE=en
programs=$BUILD/bin
net_tool=$BUILD/tests/system/net_tool
folder=$(mktemp -d "${TMPDIR:-/tmp}/palique-test-XXXXXX")
password='correct horse battery staple'
started=

say() {
	printf '%s\n' "$*"
}

fail() {
	printf 'FAILED: %s\n' "$*" >&2
	exit 1
}

ok() {
	say "ok: $*"
}

# typed WORD...: as one would type them, each behind a space
typed() {
	for word; do
		case $word in
		*[!A-Za-z0-9._:/=@-]*) printf " '%s'" "$word" ;;
		*) printf ' %s' "$word" ;;
		esac
	done
	echo
}

checks=0
# says EXIT WORDS COMMAND...: ends with that code and says these words, on either stream
says() {
	want=$1 words=$2
	shift 2
	got=0
	"$@" >"$folder/out" 2>"$folder/err" </dev/null || got=$?
	[ $got = "$want" ] || fail "exit code $got instead of $want: $* ($(cat "$folder/out" "$folder/err"))"
	cat "$folder/out" "$folder/err" | grep -qF -- "$words" ||
		fail "\"$words\" is not said by: $* ($(cat "$folder/out" "$folder/err"))"
	checks=$((checks + 1))
}

# What a script has to end before all else: it has its own function of this name.
ends_first() {
	:
}

# Ends what was started, and only that: the engines by their own command, or by their folder, the rest by number.
clean_up() {
	status=$?
	trap - EXIT
	trap '' HUP INT TERM
	set +e # or a failure would end this here
	ends_first
	for home in "$folder"/home-*; do
		[ -d "$home" ] || continue
		timeout 30 "$programs/palique" --home "$home" stop >/dev/null 2>&1
	done
	# one that hangs hears nothing of it
	for engine in $(grep -lasF -- "$folder/home-" /proc/[0-9]*/cmdline); do
		engine=${engine%/cmdline}
		kill -KILL "${engine##*/}" 2>/dev/null
	done
	for pid in $started; do
		kill "$pid" 2>/dev/null
	done
	wait 2>/dev/null
	if [ $status != 0 ] && [ -n "${PALIQUE_KEEP-}" ]; then
		say "kept: $folder" >&2
	else
		rm -rf "$folder"
	fi
	exit $status
}
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# A port of this host that nobody uses now, neither by UDP nor by TCP; below those that the kernel gives out,
# or a socket of whoever takes any would have it before it is used.
free_port() {
	while :; do
		port=$((20000 + $(od -An -N2 -tu2 /dev/urandom) % 12000))
		grep -qi ":$(printf %04X "$port") " /proc/net/udp /proc/net/udp6 /proc/net/tcp /proc/net/tcp6 2>/dev/null || break
	done
	echo "$port"
}

# A machine that does much else may take longer for all; PALIQUE_STRICT=yes: no longer
patience=${PALIQUE_STRICT:+1}
patience=${patience:-4}
# until_true SECONDS COMMAND...: waits until the command succeeds
until_true() {
	end=$(($(date +%s) + $1 * patience))
	shift
	while ! "$@" >/dev/null 2>&1; do
		[ "$(date +%s)" -lt "$end" ] || return 1
		sleep 0.05
	done
}

# has_ended PID: or it only waits for somebody to take note of its end
has_ended() {
	! grep -qs '^State:.[^XZ]' "/proc/$1/status"
}

directory() {
	command=$1
	shift
	"$programs/palique-directory" "$command" --data "$folder/directory" "$@"
}

# invite: the link of a fresh invitation
invite() {
	directory invite "$@" 2>/dev/null | head -n 1
}

# start_directory ADDR:PORT: begins one (made on first use) and waits until it answers
start_directory() {
	[ -d "$folder/directory" ] || directory init "$1" >"$folder/init.log" 2>&1 ||
		fail "init: $(cat "$folder/init.log")"
	"$programs/palique-directory" serve --data "$folder/directory" --listen "$1" \
		>>"$folder/directory.log" 2>&1 &
	directory_pid=$!
	started="$started $directory_pid"
	until_true 20 directory status || fail "the directory does not start: $(cat "$folder/directory.log")"
}

peer() {
	name=$1
	shift
	"$programs/palique" --home "$folder/home-$name" "$@"
}

# Peers of a test listen on loopback only.
make_home() {
	mkdir -m 700 -p "$folder/home-$1"
	[ -n "${2-}" ] && printf '%s\n' "$2" >"$folder/home-$1/peer.conf"
	return 0
}

# join NAME LINK
join() {
	printf '%s\n' "$password" | peer "$1" join "$2" --name "$1" --password-fd 0 --no-input
}

sees_online() {
	peer "$1" ls --json | grep "\"name\":\"$2\"" | grep -q '"online":true'
}

sees_offline() {
	peer "$1" ls --json | grep "\"name\":\"$2\"" | grep -q '"online":false'
}

is_connected() {
	peer "$1" ls --json | grep "\"name\":\"$2\"" | grep -q '"connected":true'
}

# befriend A B: A asks, B says yes, both see each other
befriend() {
	peer "$1" add "$2" >/dev/null
	peer "$2" add "$1" >/dev/null
	until_true 30 sees_online "$1" "$2" || fail "$1 does not see $2 come online"
	until_true 30 sees_online "$2" "$1" || fail "$2 does not see $1 come online"
}

# has HOME CONTACT TEXT: that conversation has the message once
has() {
	[ "$(peer "$1" history "$2" --limit 1000 --json | grep -cF "\"text\":\"$3\"")" = 1 ]
}

is_online() {
	peer "$1" status --json | grep -q '"account":{"state":"online"'
}

# with_password PASSWORD COMMAND...: it can be read from descriptor 3
with_password() {
	secret=$1
	shift
	printf '%s\n' "$secret" >"$folder/secret"
	"$@" --password-fd 3 --no-input 3<"$folder/secret"
}

# The texts that NAME has from WHOM, oldest first, one to a line (texts of these tests have
# neither quotes nor newlines)
texts_from() {
	pages=$folder/pages-$1-$2
	rm -rf "$pages"
	mkdir "$pages"
	page=9999 # the newest page comes first, so that they are named downwards
	before=
	while peer "$1" history "$2" --json --limit 1000 ${before:+--before "$before"} >"$pages/$page" &&
		[ -s "$pages/$page" ]; do
		before=$(sed -n '1s/^{"id":"\([0-9]*\)".*/\1/p' "$pages/$page")
		page=$((page - 1))
	done
	cat "$pages"/* | grep '"own":false' | sed 's/.*"text":"\([^"]*\)".*/\1/'
}

# delivered_exactly SAID GOT: every line of SAID stands in GOT once and in that order; a
# line of GOT that is not in SAID must stand in the file MAYBE (said, but never confirmed)
delivered_exactly() {
	sort "$2" | uniq -d >"$folder/twice"
	[ ! -s "$folder/twice" ] || fail "more than once: $(head -n 3 "$folder/twice")"
	grep -Fxf "$1" "$2" >"$folder/got-of-said" || true
	cmp -s "$1" "$folder/got-of-said" ||
		fail "said and not there, or out of order: $(diff "$1" "$folder/got-of-said" | head -n 5)"
	grep -vFxf "$1" "$2" >"$folder/got-else" || true
	if [ -s "$folder/got-else" ]; then
		[ -n "${3-}" ] && ! grep -vFxf "$3" "$folder/got-else" >"$folder/never-said" && return
		fail "never said: $(head -n 3 "$folder/got-else")"
	fi
}
