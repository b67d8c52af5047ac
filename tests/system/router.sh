#!/bin/sh
# router.sh BUILD: an engine and real routers (miniupnpd) in the laboratory. By PCP, NAT-PMP and
# UPnP each it gets its port mapped, keeps it, gets it again from a router that forgot, and gives it
# back when it leaves. Skipped, with the reason, where namespaces may not be made.
BUILD=${1-build}
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/lab.sh"
. "$(dirname "$0")/people.sh"
ends_first() {
	lab_end
}
lab_begin || {
	say "router: skipped: $lab_missing"
	exit 0
}
command -v miniupnpd >/dev/null || {
	say 'router: skipped: no miniupnpd'
	exit 0
}

# mapped ROUTER HOST: to which port of the host the router lets strangers in
mapped() {
	ip netns exec "$lab-$1" nft list table inet upnpnat 2>/dev/null |
		sed -n "s/.*dnat ip to $(get "$2" address4):\([0-9]*\).*/\1/p" | sort -u
}
is_mapped() {
	[ -n "$(mapped "$1" "$2")" ]
}
is_not_mapped() {
	[ -z "$(mapped "$1" "$2")" ]
}
# pinholes ROUTER: how many it has in its firewall of IPv6
pinholes() {
	ip netns exec "$lab-$1" nft list chain inet filter miniupnpd | grep -c '@nh,192,128' || true
}
has_no_pinhole() {
	[ "$(pinholes "$1")" = 0 ]
}
port_of() {
	cat "$folder/home-$1/port"
}
pid_of() {
	peer "$1" status --json | sed 's/.*"pid":\([0-9]*\).*/\1/'
}
is_gone() {
	! flock -n "$folder/home-$1/lock" true || return 0
	return 1
}
# told HOST EVENT WAY [TIMES]
told() {
	[ "$(grep -c " $2 way=$3 " "$folder/home-$1/engine.log")" -ge "${4-1}" ]
}
# again ROUTER SECONDS: it starts anew, with nothing in mind, and lets mappings live so long at most
again() {
	kill "$(get "$1" upnp_pid)"
	wait "$(get "$1" upnp_pid)" 2>/dev/null || true
	for chain in in out; do
		ip netns exec "$lab-$1" nft flush chain inet upnpnat $chain
	done
	sed -i "s/^max_lifetime=.*/max_lifetime=$2/" "$folder/lab-upnp-$1"
	ip netns exec "$lab-$1" miniupnpd -d -f "$folder/lab-upnp-$1" -P "$folder/lab-upnp-$1.pid" \
		>>"$folder/lab-upnp-$1.log" 2>&1 &
	put "$1" upnp_pid $!
	lab_processes="$lab_processes $!"
	until_true 5 lab_listens "$1" ":14E7 " || fail "the router $1 does not start again"
}
trouble() {
	say "$(tail -n 30 "$folder/home-$1/engine.log")"
	fail "$2"
}

lab_up linux,upnp=all,v6=fw/linux,upnp=pmp/linux,upnp=igd/linux,upnp=all,cgn=sym/linux/linux,upnp=all,v6=fw
for one in a1 b1 c1 d1 e1 f1; do
	make_home $one 'log = debug'
done
again rb 8
# Routers of IPv6 announce themselves by their link-local addresses.
inside=$(lab_ip rf -6 addr show dev lan scope link | sed -n 's/.*inet6 \(fe80[^/]*\).*/\1/p')
lab_ip f1 -6 route replace default via "$inside" dev eth0
awake a1 b1 c1 d1 e1 f1

for pair in a1:pcp a1:pcp6 a1:nat-pmp a1:upnp b1:pcp b1:nat-pmp c1:upnp f1:pcp6; do
	one=${pair%:*}
	until_true 10 told $one port-held "${pair#*:}" || trouble $one "$pair: no port is mapped"
done
for one in a1 b1 c1; do
	[ "$(mapped "r${one%1}" $one)" = "$(port_of $one)" ] ||
		trouble $one "$one: the router has $(mapped "r${one%1}" $one), not $(port_of $one)"
done
for router in ra rf; do
	[ "$(pinholes $router)" = 1 ] || fail "$router: $(pinholes $router) pinholes"
done
say 'each way maps the port'

# A crash gives nothing back; who comes back is known.
kill -9 "$(pid_of b1)"
until_true 5 is_gone b1 || fail 'b1 does not die'
is_mapped rb b1 || fail 'b1: its port is gone with it'
wake_one b1
until_true 10 told b1 port-held pcp || trouble b1 'b1: after a crash the router knows it no more'
say 'after a crash the router knows us again'

until_true 20 told b1 port-held pcp 3 || trouble b1 'nothing is renewed'
is_mapped rb b1 || fail 'b1: renewed, and not there'
say 'what lives for a short time is renewed'

again rb 8
until_true 20 is_mapped rb b1 || trouble b1 'a router that forgot is not told again'
say 'a router that forgot is told again'

until_true 10 told d1 port-refused pcp || trouble d1 'd1: a router behind a carrier maps?'
told d1 port-held pcp && trouble d1 'd1: held all the same'
said=$(grep -h 'router-makes-no-sense' "$folder"/home-*/engine.log || true)
[ -z "$said" ] || fail "honest routers make no sense: $said"
is_mapped re e1 && fail 'e1: there is nobody to map anything'

was=$(port_of a1)
begun=$(clock_ms)
asleep a1 b1 c1 d1 e1 f1
took=$(($(clock_ms) - begun))
for one in a1 b1 c1; do
	until_true 20 is_not_mapped "r${one%1}" $one || trouble $one "$one: its port $was stays mapped"
done
for router in ra rf; do
	# This router forgets whose a pinhole is when it is asked for it again, as by who hears the first answer
	# late, and lets nobody take it back.
	! grep -q 'updating pinhole' "$folder/lab-upnp-$router.log" || continue
	until_true 20 has_no_pinhole $router || trouble "${router#r}1" "$router: its pinhole stays"
done
say "all is given back at the end ($took ms for six)"

# Switched off it asks nobody, and what was given before is taken back at once.
wake_one a1
until_true 10 told a1 port-held upnp || trouble a1 'a1: not again'
printf 'log = debug\nmap-ports = no\n' >"$folder/home-a1/peer.conf"
kill -HUP "$(pid_of a1)"
until_true 10 is_not_mapped ra a1 || trouble a1 'a1: switched off, and still mapped'
asleep a1
say 'switched off it takes back what it had'
