#!/bin/sh
# lab_check.sh BUILD: does the laboratory do what it says? Every kind of NAT maps and filters as
# it is named, measured as RFC 5780 does; carriers, hairpins, port mappings, loss, delay, moves.
# Skipped, with the reason, where namespaces may not be made.
BUILD=${1-build}
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/lab.sh"
ends_first() {
	lab_end
}
lab_begin || {
	say "lab_check: skipped: $lab_missing"
	exit 0
}
one=${lab_directory4% *}
lab_in dir "$nat_tool" answer $lab_directory4 $lab_directory6 >"$folder/answer" &
started="$started $!"
until_true 5 grep -q ready "$folder/answer" || fail 'no stand-in for the directory'
bad=0

# expect WHAT WANTED GOT
expect() {
	checks=$((checks + 1))
	case $3 in
	$2) ;;
	*)
		say "$1: expected $2, measured $3"
		bad=$((bad + 1))
		;;
	esac
}
# classes HOST...: measures them all at once
classes() {
	waiting=
	for host; do
		lab_in "$host" "$nat_tool" class $lab_directory4 >"$folder/class-$host" &
		waiting="$waiting $!"
	done
	wait $waiting
}
# What is not as it should be is measured three times: two sockets may have the same place in a
# router's table, or one the port of another whose mapping is still there.
class_is() {
	wanted="mapping $2, filtering by $3, ports $4, hairpin $5"
	for again in 1 2; do
		[ "$(cat "$folder/class-$1")" = "$wanted" ] || classes "$1"
	done
	expect "$1" "$wanted" "$(cat "$folder/class-$1")"
}
six() {
	expect "$1 by IPv6" "$2" "$(lab_in "$1" "$nat_tool" open "${lab_directory6%% *}")"
}
# asked HOST COUNT MS [WHOM]: from one port, always the same
asked() {
	lab_in "$1" "$nat_tool" ask "${4-$one}" 5555 "$2" "$3"
}
seen() {
	asked "$1" 1 3000 | sed 's/.* seen //'
}

lab_up public/fw/fc/arc/prc/linux/symadm/symseq/symblk/sym/symeif
classes $lab_hosts
class_is a1 none none kept yes
class_is b1 none port kept yes
class_is c1 endpoint-independent none changed no
class_is d1 endpoint-independent address changed no
class_is e1 endpoint-independent port changed no
class_is f1 endpoint-independent port kept no
class_is g1 address-dependent port random no
class_is h1 port-dependent port sequential no
class_is i1 port-dependent port block no
class_is j1 port-dependent port random no
class_is k1 port-dependent none random no

lab_up linux,cgn=prc/linux,cgn=sym/linux,cgn=prc@x,cgnhairpin/fc,cgn=prc@x/fc,hosts=2,hairpin/prc,hosts=2,hairpin,isolate/linux,udp=off/linux,reject/linux,leaky/linux,scanban=200
classes $lab_hosts
class_is a1 endpoint-independent port changed no
class_is b1 port-dependent port random no
class_is c1 endpoint-independent port changed yes
class_is d1 endpoint-independent port changed yes
class_is e1 endpoint-independent none changed yes
class_is f1 endpoint-independent port changed yes
expect 'UDP blocked' blocked "$(cat "$folder/class-g1")"
class_is h1 endpoint-independent port kept no
class_is i1 endpoint-independent port kept no
class_is j1 endpoint-independent port kept no
# Two of one LAN hear each other, unless they are kept apart.
for pair in e:heard:3000 f:silence:300; do
	site=${pair%%:*}
	patience_ms=${pair##*:}
	pair=${pair%:*}
	lab_in "${site}2" "$nat_tool" hear "$(get "${site}2" address4)" 60000 >"$folder/hear" &
	hearer=$!
	until_true 5 grep -q ready "$folder/hear" || fail 'nobody hears'
	expect "multicast at $site" "${pair#*:}" \
		"$(lab_in "${site}1" "$nat_tool" call "$(get "${site}1" address4)" "$patience_ms")"
	kill $hearer 2>/dev/null || true
	wait $hearer 2>/dev/null || true
done

lab_up public,v4=off,v6=open/linux,v6=fw/sym,v6=open/public/linux,v6=fw,cgn=sym
six a1 open
six b1 filtered
six c1 open
six d1 blocked
six e1 filtered
expect 'a1 by IPv4' 'answered 0' "$(asked a1 1 100)"

if command -v miniupnpd >/dev/null; then
	lab_up sym,upnp=all/linux,upnp=pmp/linux,upnp=all,cgn=sym/linux,upnp=igd/linux
	for pair in a1:reachable b1:reachable 'c1:refused 3' d1:silent e1:silent; do
		host=${pair%%:*}
		expect "NAT-PMP at $host" "${pair#*:}" \
			"$(lab_in "$host" "$nat_tool" map "$(get "${host%1}" gate4)" 40001 "$one")"
	done
else
	say 'lab_check: no miniupnpd: port mappings are not checked'
fi

# between WHAT LOW HIGH NUMBER
between() {
	expect "$1 ($4)" yes "$([ "$4" -ge "$2" ] && [ "$4" -le "$3" ] && echo yes || echo no)"
}
lab_up linux/prc/public
lab_wire a1 0 0 20
between 'of 300, 20 % lost each way' 100 235 "$(asked a1 300 80 | sed 's/answered \([0-9]*\).*/\1/')"
lab_wire a1 25
between 'microseconds, 25 ms each way' 50000 $((70000 * patience)) "$(asked a1 10 3000 | sed 's/.* median \([0-9]*\).*/\1/')"
lab_wire ra 10
between 'microseconds, 10 ms more' 70000 $((95000 * patience)) "$(asked a1 10 3000 | sed 's/.* median \([0-9]*\).*/\1/')"
lab_wire a1 0
lab_wire ra 0
expect 'no more loss' 'answered 50 *' "$(asked a1 50 3000)"
for host in a1 b1; do
	before=$(seen $host)
	lab_rebind $host
	after=$(seen $host)
	expect "the address of $host, bound anew" "${before% *} *" "$after"
	checks=$((checks + 1))
	[ "$before" != "$after" ] || { say "$host: the same port"; bad=$((bad + 1)); }
	lab_rebind $host address
	checks=$((checks + 1))
	case $(seen $host) in "${before% *} "*) say "$host: the same address"; bad=$((bad + 1)) ;; esac
done
lab_move a1
expect 'a new lease' '11.0.1.*' "$(seen a1)"
lab_move a1 b
expect 'a1 at b' '11.0.2.*' "$(seen a1)"
lab_move a1 c
expect 'a1 at c' "$(get a1 address4) 5555" "$(seen a1)"
lab_move c1
expect 'a new public lease' "$(get c1 address4) 5555" "$(seen c1)"
lab_block b1 on
expect blocked 'answered 0' "$(asked b1 2 100)"
lab_block b1 off
expect 'not blocked' 'answered 2 *' "$(asked b1 2 3000)"

[ $bad = 0 ] || fail "$bad of $checks"
say "lab_check: $checks facts about the laboratory are so"
