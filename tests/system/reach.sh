#!/bin/sh
# reach.sh BUILD: two people find a direct path from anywhere to anywhere, and keep it: NATs of
# many kinds, IPv6 only, a LAN with nothing else, port mappings, a relay, networks that change
# under a conversation, and no directory. The whole matrix is tests/system/netlab.sh. Skipped,
# with the reason, where namespaces may not be made.
BUILD=${1-build}
only=" ${2-} "
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/lab.sh"
. "$(dirname "$0")/people.sh"
trap 'status=$?; keep_logs; lab_end; (exit $status); clean_up' EXIT
keep_logs() {
	[ "$status" != 0 ] || return 0
	for home in "$folder"/home-*; do
		say "-- ${home##*/}" >&2
		tail -n 15 "$home/engine.log" >&2 || true
		peer "${home##*-}" ls >&2 || true
	done
	tail -n 5 "$folder/directory.log" >&2 || true
}
lab_begin || {
	say "reach: skipped: $lab_missing"
	exit 0
}
people a1 b1 a2 c1
reached=0
# skip NAME: not asked for on the command line
skip() {
	case $only in
	'  ' | *" $1 "*) return 1 ;;
	esac
}
good() {
	reached=$((reached + 1))
	ok "$*"
}

# arrives FROM TO SECONDS: something said is delivered
arrives() {
	took=$(clock_ms)
	peer "$1" send "$2" "from $1 at $took" --wait delivered --timeout "$3" >/dev/null 2>&1
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

# pair NAME SPEC FROM TO KIND...: they see each other, and talk over such a path
pair() {
	skip "$1" && return
	what=$1 from=$3 to=$4
	lab_up "$2"
	shift 4
	kinds=$*
	awake "$from" "$to"
	online "$from" "$to" || fail "$what: they do not come online"
	arrives "$from" "$to" 10 || fail "$what: not delivered"
	until_true 5 is_kind "$from" "$to" $kinds || fail "$what: the path is $(path_kind "$from" "$to")"
	good "$what: $kind, $took ms"
	asleep "$from" "$to"
}

pair 'prc x prc' prc/prc a1 b1 punched
pair 'linux x sym' linux/sym a1 b1 punched sprayed
pair symseq2 symseq/symseq a1 b1 punched sprayed
pair symblk symblk/symblk a1 b1 punched sprayed
pair 'IPv6 only' public,v4=off,v6=open/linux,v6=fw a1 b1 ipv6
pair 'same NAT' linux,hosts=2 a1 a2 lan
pair 'same subnet' linux,net=192.168.1/linux,net=192.168.1 a1 b1 punched

# A router that maps, before another one where nothing but a mapping helps
mapped() {
	skip "$1" && return
	lab_up "$2"
	awake a1 b1
	online a1 b1 || fail "$1: they do not come online"
	until_true 10 holds_mapping a1 || fail "$1: no port is mapped: $(peer a1 status --json)"
	arrives a1 b1 10 || fail "$1: not delivered"
	until_true 5 is_kind b1 a1 mapped || fail "$1: the path is $(path_kind b1 a1)"
	good "$1: $kind, $took ms"
	asleep a1 b1
}
holds_mapping() {
	ip netns exec "$lab-ra" nft list table inet upnpnat | grep -q 'dnat '
}
mapped UPnP sym,upnp=igd/sym
mapped NAT-PMP sym,upnp=pmp/sym

# Nothing but a switch: no router, no directory
if ! skip LAN; then
	lab_up lan,hosts=2
	awake a1 a2
	arrives a1 a2 10 || fail 'LAN: not delivered'
	until_true 5 is_kind a1 a2 lan || fail "LAN: the path is $(path_kind a1 a2)"
	[ $took -le 2000 ] || fail "LAN: found after $took ms"
	good "LAN without a directory: $took ms"
	asleep a1 a2
fi

# Where nothing direct works, a contact of both
if ! skip relay; then
	lab_up sym/sym/public
	awake a1 b1 c1
	online a1 b1 c1 || fail 'relay: they do not come online'
	peer c1 relay on >/dev/null || fail 'relay: cannot be switched on'
	arrives a1 b1 20 || fail 'relay: not delivered'
	is_kind a1 b1 relayed punched sprayed || fail "relay: the path is $(path_kind a1 b1)"
	good "relay: $kind, $took ms"
	asleep a1 b1 c1
fi

# The bound of the introduction: 40 ms each way, of which 20 are between each and the core. A
# round trip is 80 ms, one to the directory 40.
if ! skip bound; then
	lab_up prc/prc
	lab_wire ra 20
	lab_wire rb 20
	best=''
	for again in 1 2 3; do
		awake a1
		until_true 10 is_online a1 || fail 'bound: a1 does not come online'
		sleep 0.3 # it learns its NAT; the contact is what must be fast
		peer a1 send b1 "waiting $again" --wait queued >/dev/null
		awake b1
		until_true 20 has b1 a1 "waiting $again" || fail 'bound: not delivered'
		heard=$(logged b1 heard | head -n 1)
		first=$({ logged a1 introduced; logged b1 introduced; } | sort -n | head -n 1)
		[ -n "$heard" ] && [ -n "$first" ] || fail 'bound: the logs do not say when'
		took=$(((heard - first) / 1000))
		[ -n "$best" ] && [ $best -le $took ] || best=$took
		asleep a1 b1
	done
	[ $best -le 120 ] || fail "bound: $best ms from the introduction to the first message, at most 120 allowed"
	good "introduction to first message at 40 ms each way: $best ms, of 120"
fi

says_blocked() {
	peer "$1" status --json | grep -q '"udpBlocked":true'
}
if ! skip blocked; then
	lab_up linux,udp=off
	begun=$(clock_ms)
	awake a1
	until_true 10 says_blocked a1 || fail 'blocked: it does not say so'
	took=$(($(clock_ms) - begun))
	[ $took -lt 3000 ] || fail "blocked: said after $took ms"
	peer a1 doctor 2>&1 | grep -qi 'udp' || fail 'blocked: the doctor does not say so'
	good "UDP blocked is said after $took ms"
	asleep a1
fi

# stream FROM TO COUNT: says so many things, one after the other, and counts them
stream() {
	number=0
	while [ $number -lt "$3" ]; do
		number=$((number + 1))
		text="$moment $1 says $number"
		peer "$1" send "$2" "$text" --wait queued >/dev/null || return 1
		printf '%s\n' "$text" >>"$folder/said-$1"
		sleep 0.03
	done
}
# after HOST WHOM MS: how long after that moment (wall clock) the next thing arrived, in ms
after() {
	peer "$1" history "$2" --limit 1000 --json | grep '"own":false' |
		sed 's/.*"arrivedAt":\([0-9]*\).*/\1/' | sort -n |
		awk -v at="$3" '$1 > at { print $1 - at; exit }'
}
arrived_all() {
	texts_from "$1" "$2" | grep "^$moment " >"$folder/got"
	[ "$(grep -c . "$folder/got")" = "$3" ]
}
# both ways, while CHANGE... happens after half of it: every text arrives once, in order, and
# goes on soon after
throughout() {
	again=no
	once "$@"
	[ $again ] && once "$@"
	return 0
}
once() {
	moment=$1
	[ $again = no ] || moment="$1 again"
	shift
	rm -f "$folder"/said-*
	stream a1 b1 100 &
	one=$!
	stream b1 a1 100 &
	other=$!
	until_true 20 grep -q 'says 40$' "$folder/said-a1"
	"$@"
	changed=$(date +%s%3N)
	wait $one || fail "$moment: a1 cannot say everything"
	wait $other || fail "$moment: b1 cannot say everything"
	until_true 20 arrived_all b1 a1 100 || fail "$moment: b1 has $(grep -c . "$folder/got") of 100"
	delivered_exactly "$folder/said-a1" "$folder/got"
	until_true 20 arrived_all a1 b1 100 || fail "$moment: a1 has $(grep -c . "$folder/got") of 100"
	delivered_exactly "$folder/said-b1" "$folder/got"
	to_b=$(after b1 a1 "$changed")
	to_a=$(after a1 b1 "$changed")
	if [ "${to_a:-0}" -gt "$soon" ] || [ "${to_b:-0}" -gt "$soon" ]; then
		# The machine may have been busy with something else.
		[ $again = no ] || fail "$moment: goes on after $to_b and $to_a ms, at most $soon allowed"
		say "$moment: goes on after $to_b and $to_a ms: once more"
		again=yes
		return
	fi
	again=''
	good "$moment: nothing lost, goes on after ${to_b:-0} and ${to_a:-0} ms ($(path_kind a1 b1))"
}
both_move() {
	lab_move a1 c
	lab_move b1 d
}
bind_both() {
	lab_rebind a1
	lab_rebind b1
}
if ! skip roaming; then
	lab_up linux/prc/prc/linux
	awake a1 b1
	online a1 b1 || fail 'roaming: they do not come online'
	arrives a1 b1 10 || fail 'roaming: not delivered'
	soon=1000
	throughout rebinding lab_rebind a1
	throughout 'a new lease' lab_move a1
	throughout 'another network' lab_move a1 c
	soon=3000 # found by the directory
	throughout 'both at once' both_move
	throughout 'both rebound' bind_both
	asleep a1 b1
fi

# The directory is gone, and two who begin again elsewhere meet through a third.
third() {
	skip "$1" && return
	lab_up "$2"
	awake a1 b1 c1
	online a1 b1 c1 || fail "$1: they do not come online"
	for two in 'a1 b1' 'a1 c1' 'b1 c1'; do
		arrives $two 10 || fail "$1: $two do not meet"
	done
	end_directory
	asleep a1 b1
	for one in a1 b1; do
		lab_move $one
		lab_rebind $one address
	done
	begun=$(clock_ms)
	awake a1 b1
	arrives a1 b1 60 || fail "$1: not delivered"
	took=$(($(clock_ms) - begun))
	[ $took -lt 5000 ] || fail "$1: they meet after $took ms"
	good "$1: no directory, new addresses: they meet through a third $took ms after they begin ($(path_kind a1 b1))"
	asleep a1 b1 c1
	begin_directory
}
third third linux/linux/public
third 'third, prc' prc/prc/public

! directory status --json | grep -q '"SAY":[1-9]' || fail 'a message passed through the directory'
say "reach: $reached ways to meet and to stay in touch"
