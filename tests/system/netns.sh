#!/bin/sh
# netns.sh BUILD: two peers and a directory on networks made for it: one LAN with IPv4, one
# with IPv6 only, and two peers each behind a NAT of its own, who meet by the introduction.
# Skipped, with the reason, where network namespaces may not be made.
BUILD=${1-build}
. "$(dirname "$0")/common.sh"

tag=pq$$
skip() {
	say "netns: skipped: $*"
	exit 0
}
command -v ip >/dev/null || skip 'no ip command (iproute2)'
command -v nft >/dev/null || skip 'no nft command (nftables)'
ip netns add $tag-probe 2>/dev/null || skip 'network namespaces may not be made here (needs root)'
if ip netns exec $tag-probe true 2>/dev/null; then
	ip netns del $tag-probe
else
	ip netns del $tag-probe
	skip 'programs may not be run in a network namespace here'
fi

spaces=
space() {
	ip netns add "$tag-$1"
	spaces="$spaces $tag-$1"
	ip -n "$tag-$1" link set lo up
}

# Each network is torn down, with what runs in it, before the next.
tear_down() {
	for home in "$folder"/home-*; do
		[ -d "$home" ] && "$programs/palique" --home "$home" stop >/dev/null 2>&1
	done
	for pid in $started; do
		kill "$pid" 2>/dev/null
	done
	wait 2>/dev/null
	for one in $spaces; do
		ip netns del "$one" 2>/dev/null
	done
	started=
	spaces=
	rm -rf "$folder"/home-* "$folder/directory"
	return 0
}
trap 'status=$?; tear_down; (exit $status); clean_up' EXIT

in_space() {
	where=$tag-$1
	shift
	ip netns exec "$where" "$@"
}

# A directory and peers that live in the namespace of their name.
directory() {
	command=$1
	shift
	in_space dir "$programs/palique-directory" "$command" --data "$folder/directory" "$@"
}
peer() {
	name=$1
	shift
	in_space "$name" "$programs/palique" --home "$folder/home-$name" "$@"
}
start_directory() {
	directory init "$1" >"$folder/init.log" 2>&1 || fail "init: $(cat "$folder/init.log")"
	in_space dir "$programs/palique-directory" serve --data "$folder/directory" --listen "$1" \
		>"$folder/directory.log" 2>&1 &
	started="$started $!"
	until_true 20 directory status || fail "no directory: $(cat "$folder/directory.log")"
}

# cable SPACE ADDRESS BRIDGE_SPACE BRIDGE [NAME]: an interface eth0 (or NAME) on a switch
cables=0
cable() {
	cables=$((cables + 1))
	ip -n "$tag-$1" link add "${5-eth0}" type veth peer name "port$cables" netns "$tag-$3"
	case $2 in
	*:*) ip -n "$tag-$1" addr add "$2" dev "${5-eth0}" nodad ;;
	*) ip -n "$tag-$1" addr add "$2" dev "${5-eth0}" ;;
	esac
	ip -n "$tag-$1" link set "${5-eth0}" up
	ip -n "$tag-$3" link set "port$cables" master "$4" up
}
switch() {
	ip -n "$tag-$1" link add "$2" type bridge
	ip -n "$tag-$1" link set "$2" up
}

# talk WHERE: both join, meet, say something both ways over a path between the two
talk() {
	for name in ana ben; do
		make_home $name
		join $name "$(invite)" >/dev/null 2>&1 || fail "$1: $name cannot join"
	done
	befriend ana ben
	for pair in ana:ben ben:ana; do
		from=${pair%:*}
		to=${pair#*:}
		peer "$from" send "$to" "hello from $from" --wait delivered --timeout 20 >/dev/null ||
			fail "$1: $from's message does not arrive; $(peer "$from" ls)"
		texts_from "$to" "$from" | grep -qx "hello from $from" || fail "$1: $to does not have it"
	done
	is_connected ana ben || fail "$1: no direct path"
	path=$(peer ana ls --json | grep '"name":"ben"' | sed 's/.*"address":"\([^"]*\)".*/\1/')
	case $path in
	$2) say "$1: direct path $path, both ways delivered" ;;
	*) fail "$1: the path is $path, expected $2" ;;
	esac
	directory status --json | grep -q '"SAY":[1-9]' && fail "$1: a message passed through the directory"
	tear_down
}

lan() {
	space lan
	switch lan wires
	for host in dir:1 ana:2 ben:3; do
		space "${host%:*}"
		cable "${host%:*}" "$1${host#*:}/$2" lan wires
	done
}

lan 10.77.0. 24
start_directory 10.77.0.1:7272
talk 'one LAN, IPv4' '10.77.0.3:*'

lan fd77::  64
start_directory '[fd77::1]:7272'
talk 'one LAN, IPv6 only' '\[fd77::3\]:*'

# nat NAME PUBLIC INSIDE: a router that masquerades, keeps ports where it can, and lets
# nothing in that was not asked for
nat() {
	space "$1"
	space "home-$1"
	switch "home-$1" wires
	cable "$1" "$2/24" internet wires wan
	cable "$1" "$3.1/24" "home-$1" wires inside
	in_space "$1" sysctl -qw net.ipv4.ip_forward=1
	in_space "$1" nft -f - <<-RULES
		table ip home {
			chain out { type nat hook postrouting priority srcnat; oifname "wan" masquerade; }
			chain in { type filter hook input priority filter; iifname "wan" ct state new drop; }
			chain through { type filter hook forward priority filter; iifname "wan" ct state new drop; }
		}
	RULES
}
space internet
switch internet wires
space dir
cable dir 198.18.0.1/24 internet wires
nat router-a 198.18.0.11 10.1.0
nat router-b 198.18.0.12 10.2.0
space ana
cable ana 10.1.0.2/24 home-router-a wires
ip -n $tag-ana route add default via 10.1.0.1
space ben
cable ben 10.2.0.2/24 home-router-b wires
ip -n $tag-ben route add default via 10.2.0.1
start_directory 198.18.0.1:7272
talk 'each behind a NAT' '198.18.0.12:*'

say 'netns: three networks, a direct path in each'
