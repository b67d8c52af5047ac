#!/bin/sh
# reach.sh BUILD [CELL...|all]: two people find a direct path from anywhere to anywhere: NATs of many
# kinds, IPv6 only, a LAN with nothing else, port mappings, a relay, a directory with one address; who
# may have whose address; what the doctor says. Networks that change: tests/system/roam.sh; the whole
# matrix: tests/system/netlab.sh. Skipped, with the reason, where namespaces may not be made.
BUILD=${1-build}
[ $# = 0 ] || shift
cells=$*
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/lab.sh"
. "$(dirname "$0")/people.sh"
begin_reach reach a1 b1 a2 c1

# doctor_says HOST WORDS...: in plain words what the network is
doctor_says() {
	patient=$1
	shift
	peer "$patient" doctor >"$folder/doctor" 2>&1 || true
	for words; do
		grep -qF -- "$words" "$folder/doctor" || fail "the doctor of $patient does not say \"$words\": $(cat "$folder/doctor")"
	done
}
# status_says FROM TO WORDS: how somebody is reached, with the round trip
status_says() {
	peer "$1" status | grep -q "^ *$2 .*: $3.*[0-9] ms\$" || fail "the status of $1 does not tell of the path: $(peer "$1" status)"
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

pair prc-prc prc/prc a1 b1 punched
pair linux-sym linux/sym a1 b1 punched sprayed
pair symseq2 symseq/symseq a1 b1 punched sprayed
pair symblk symblk/symblk a1 b1 punched sprayed
pair v6only public,v4=off,v6=open/linux,v6=fw a1 b1 ipv6
pair same-nat linux,hosts=2 a1 a2 lan
pair same-subnet linux,net=192.168.1/linux,net=192.168.1 a1 b1 punched

# A router that maps, before another one where nothing but a mapping helps
mapped() {
	skip "$1" || lacks "$1" miniupnpd && return
	lab_up "$2"
	awake a1 b1
	online a1 b1 || fail "$1: they do not come online"
	until_true 10 holds_mapping a1 || fail "$1: no port is mapped: $(peer a1 status --json)"
	arrives a1 b1 10 || fail "$1: not delivered"
	until_true 5 is_kind b1 a1 mapped || fail "$1: the path is $(path_kind b1 a1)"
	good "$1: $kind, $took ms"
	asleep a1 b1
}
knows_nat() {
	for one; do
		! peer "$one" status --json | grep -q '"mapping":"unknown"\|"nat":null' || return 1
	done
}
asked_by() {
	peer "$1" ls | grep -q "^$2 "
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
	within LAN $took 2000
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
	within 'from the introduction to the first message' $best 120
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
	within blocked $took 3000
	doctor_says a1 'UDP does not get out of this network' 'another network, a phone'
	good "UDP blocked is said after $took ms"
	asleep a1
fi

# Doctor and status name the network, and what to do.
if ! skip doctor; then
	lab_up linux/symseq,v6=fw/sym
	awake a1 b1 c1
	online a1 b1 c1 || fail 'doctor: they do not come online'
	arrives a1 b1 10 || fail 'doctor: not delivered'
	until_true 10 knows_nat a1 b1 c1 || fail 'doctor: the NATs are not classed'
	doctor_says a1 'easy to get through' 'UDP gets out' 'only who is called gets in' 'no IPv6 here'
	doctor_says b1 'hard NAT, sequential ports' 'there is IPv6, where routers change no addresses'
	doctor_says c1 'hard NAT, symmetric'
	until_true 5 is_kind a1 b1 punched sprayed || fail "doctor: the path is $(path_kind a1 b1)"
	status_says a1 b1 'direct through the routers'
	good 'doctor and status name three NATs, IPv6, the path and its round trip'
	asleep a1 b1 c1
fi

# knows HOST ADDRESS: it is somewhere in the memory of its engine
knows() {
	[ "$("$net_tool" knows "$(pid_of "$1")" "$2")" != 0 ]
}

# A router before a carrier's one maps, and nobody is told of a port that leads nowhere.
if ! skip carrier && ! lacks carrier miniupnpd; then
	lab_up linux,upnp=all,cgn=sym,cgnnet=11.9.0/linux
	awake a1 b1
	online a1 b1 || fail 'carrier: they do not come online'
	until_true 10 holds_mapping a1 || fail "carrier: no port is mapped: $(peer a1 status --json)"
	arrives a1 b1 10 || fail 'carrier: not delivered'
	until_true 5 is_kind a1 b1 punched sprayed || fail "carrier: the path is $(path_kind a1 b1)"
	doctor_says a1 'there is a second router'
	! knows b1 "$(get ra outer)" || fail 'carrier: b1 is told of the port of the inner router'
	knows a1 "$(get ra outer)" || fail 'carrier: a1 does not know it either'
	good 'a port mapped behind a carrier is not published'
	asleep a1 b1
fi

# One address of the directory is enough: its two ports tell a NAT's class.
if ! skip one-address; then
	end_directory
	lab_names ${lab_directory4%% *}
	lab_ip dir addr del "${lab_directory4##* }/24" dev eth0
	begin_directory
	lab_up symseq/symseq/sym
	awake a1 b1 c1
	online a1 b1 c1 || fail 'one address: they do not come online'
	until_true 10 knows_nat a1 b1 c1 || fail 'one address: the NATs are not classed'
	doctor_says a1 'hard NAT, sequential ports'
	doctor_says c1 'hard NAT, symmetric'
	arrives a1 b1 10 || fail 'one address: not delivered'
	good "a directory of one address: both NATs are known, $took ms"
	asleep a1 b1 c1
	end_directory
	lab_names $lab_directory4 $lab_directory6
	lab_ip dir addr add "${lab_directory4##* }/24" dev eth0
	begin_directory
fi

# Who may not have our address gets none: not from the directory, not from a relay; and who may not
# reach us at all does not. b1 is given none by a1, a2 in the next room is never linked.
# hear NAME WHERE INTERFACE EXPRESSION: what passes there goes to $folder/heard-NAME
hear() {
	: >"$folder/heard-$1"
	ip netns exec "$lab-$2" tcpdump -l -n -p -i "$3" "$4" >"$folder/heard-$1" 2>"$folder/heard-error" &
	listeners="$listeners $!"
	started="$started $!"
	until_true 10 grep -q 'listening on' "$folder/heard-error" || fail "tcpdump: $(cat "$folder/heard-error")"
}
hear_all() {
	listeners=
	hear a1-b1 inet any "(ip host $(get ra outer) and ip host $(get rb outer)) or (ip6 net $(get a lan6):/64 and ip6 net $(get b lan6):/64)"
	hear a1-a2 a1 eth0 "ether host $(mac_of a1) and ether host $(mac_of a2)"
}
hear_no_more() {
	sleep 0.3 # for what they still hold
	for one in $listeners; do
		kill "$one" 2>/dev/null || true
		wait "$one" 2>/dev/null || true
	done
}
mac_of() {
	lab_ip "$1" link show dev eth0 | sed -n 's/.*ether \([^ ]*\).*/\1/p'
}
if ! skip consent && ! lacks consent tcpdump; then
	lab_up linux,hosts=2,net=192.168.77,v6=fw/prc,v6=fw/public
	lab_rebind a1 address # which nobody has seen
	lab_move a1
	awake a1
	peer a1 consent b1 relay >/dev/null
	peer a1 consent a2 never >/dev/null
	hear_all
	awake b1 c1
	online b1 c1 && until_true 10 sees_online a1 b1 || fail 'consent: they do not come online'
	peer c1 relay on >/dev/null
	arrives a1 b1 20 || fail 'consent: relay only, and not delivered'
	until_true 5 is_kind b1 a1 relayed || fail "consent: the path is $(path_kind b1 a1)"
	arrives b1 a1 20 || fail 'consent: not answered'
	for one in "$(get ra outer)" "$(get a1 address4)" "$(get a1 address6)"; do
		! knows b1 "$one" || fail "consent: b1 knows $one of a1"
		knows c1 "$one" || fail "consent: c1, who may, does not know $one"
	done
	awake a2
	online a2 || fail 'consent: a2 does not come online'
	! arrives a2 a1 2 || fail 'consent: never, and delivered'
	! arrives a1 a2 2 || fail 'consent: never, and delivered'
	hear_no_more
	for two in a1-b1 a1-a2; do
		! grep IP "$folder/heard-$two" || fail "consent: $two send to each other"
	done
	! knows a2 "$(get a1 address6)" || fail 'consent: a2 knows an address of a1'
	# With consent all that is there, or the above would prove nothing.
	hear_all
	peer a1 consent b1 direct >/dev/null
	peer a1 consent a2 direct >/dev/null
	until_true 20 is_kind a1 b1 ipv6 punched || fail "consent: with consent the path is $(path_kind a1 b1)"
	arrives a2 a1 20 || fail 'consent: direct again, and not delivered'
	hear_no_more
	for two in a1-b1 a1-a2; do
		grep -q IP "$folder/heard-$two" || fail "consent: nothing is to be heard of $two with consent either"
	done
	knows b1 "$(get a1 address6)" || fail 'consent: b1 does not know what it may'
	good "relay only: no datagram, no address between them; never: no connection; direct again: $(path_kind a1 b1)"
	peer c1 relay off >/dev/null
	asleep a1 a2 b1 c1
fi

# Strangers on a switch, without anything else: one hosts, a link brings the other.
if ! skip strangers; then
	lab_up lan,hosts=4
	make_home a3 'log = debug'
	make_home a4 'log = debug'
	with_password "$password" peer a3 host --name zoe >"$folder/host" 2>&1 || fail "strangers: $(cat "$folder/host")"
	guest=$(peer a3 invite 2>/dev/null | head -n 1)
	with_password "$password" peer a4 join "$guest" --name yan >"$folder/join" 2>&1 || fail "strangers: $(cat "$folder/host" "$folder/join")"
	peer a4 add "$(peer a3 link 2>/dev/null | head -n 1)" >/dev/null || fail 'strangers: the link is not taken'
	until_true 10 asked_by a3 yan || fail 'strangers: nobody is asked'
	peer a3 accept yan >/dev/null
	peer a4 send zoe 'hello, stranger' --wait delivered --timeout $((10 * patience)) >/dev/null || fail 'strangers: not delivered'
	until_true 5 is_kind a4 zoe lan || fail "strangers: the path is $(path_kind a4 zoe)"
	good 'strangers are introduced by a directory at home and a link'
	peer a4 stop >/dev/null
	peer a3 stop >/dev/null
fi

! directory status --json | grep -q '"SAY":[1-9]' || fail 'a message passed through the directory'
say "reach: $reached ways to meet and to stay in touch"
