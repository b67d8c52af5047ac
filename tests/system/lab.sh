#!/bin/sh
# The laboratory: networks with NATs of every kind in namespaces of their own, and the real
# programs in them. Source it after common.sh, and begin with lab_begin.
#
# A network is described by sites, separated by '/', each a kind and options:
#	lab_up prc,hosts=2/sym,v6=fw
# has behind the first router (ra) the hosts a1 and a2, behind the second (rb) b1. Kinds:
#	public	an address without NAT or filter	fw	the same behind a stateful firewall
#	fc arc prc	one outer port for each inner one; lets in everybody | known
#		addresses | known addresses and ports
#	linux	as prc, and the outer port is the inner one where it is free
#	symadm	another outer port for each address that is spoken to
#	symseq symblk sym	another one for each address and port: one after the other |
#		at random among 512 | at random
#	symeif	as symseq's partners, but lets in everybody
#	lan	a switch and nothing else
# Options: hosts=N, net=A.B.C (of the LAN), hairpin, isolate (hosts do not hear each other),
# cgn=KIND[@NAME] (behind a carrier's NAT; cgnhairpin; cgnnet=A.B.C, what it gives out), v4=off, v6=open|fw, upnp=all|igd|pmp,
# udp=off, reject (tells strangers by ICMP), leaky (strays make conntrack state), life=SECONDS (of
# a mapping), flows=N (at a time for each host), scanban=N (strays in a second; then 60 s silence).
#
# Addresses: the directory's are in 11.255.0 and 11.255.1; site number I is 11.0.I outside and
# 192.168.(10+I) inside; v6 2a0f:1ab:I::. They look public to miniupnpd, and never leave the namespaces.
# The core drops packets with a TTL below 10: what opens the own NAT dies before the other one.

lab=pl$$
lab_spaces=''
lab_kept=''      # those that outlive lab_down
lab_processes='' # of this lab_up
lab_hosts=''
lab_cgns=''
lab_ports=32768 # outer ports of a NAT that maps by a table
wire_tool=$BUILD/tests/system/wire_tool
nat_tool=$BUILD/tests/system/nat_tool
lab_directory4='11.255.0.10 11.255.1.10'
lab_directory6='2a0f:1ab:ff::10 2a0f:1ab:ff:1::10'

# What a site, router or host is: put NAME WHAT VALUE, $(get NAME WHAT)
put() {
	eval "lab_$1_$2=\${3-}"
}
get() {
	eval "printf %s \"\${lab_$1_$2-}\""
}
lab_random() {
	echo $(($(od -An -N4 -tu4 /dev/urandom) % $1))
}

# lab_in NAME COMMAND...: runs it there; the directory has a name there, too
lab_in() {
	lab_where=$lab-$1
	shift
	ip netns exec "$lab_where" sh -c 'mount --bind "$0" /etc/hosts && exec "$@"' "$folder/hosts" "$@"
}
lab_ip() {
	lab_where=$lab-$1
	shift
	ip -n "$lab_where" "$@"
}
lab_nft() {
	ip netns exec "$lab-$1" nft -f -
}

# lab_space NAME FORWARDS(0|1)
lab_space() {
	ip netns add "$lab-$1"
	lab_spaces="$lab_spaces $1"
	ip netns exec "$lab-$1" sh -c "
		cd /proc/sys/net
		echo $2 >ipv4/ip_forward
		echo $2 >ipv6/conf/all/forwarding
		for each in all default; do
			echo 0 >ipv4/conf/\$each/rp_filter
			echo 0 >ipv4/conf/\$each/send_redirects
			echo 0 >ipv6/conf/\$each/accept_dad
			echo 0 >ipv6/conf/\$each/accept_ra
		done
		echo 0 >ipv4/icmp_ratelimit
		for each in bridge/bridge-nf-call-*; do
			if [ -e \$each ]; then echo 0 >\$each; fi
		done"
	lab_ip "$1" link set lo up
}

# lab_bridge SPACE NAME [ADDRESS...]; its hardware address must not follow its ports
lab_bridge() {
	lab_space=$1 lab_name=$2
	shift 2
	lab_ip "$lab_space" link add "$lab_name" address "$(od -An -N5 -tx1 /dev/urandom | sed 's/^/02/; s/ /:/g')" \
		type bridge mcast_snooping 0
	for lab_address; do
		lab_ip "$lab_space" addr add "$lab_address" dev "$lab_name" $(lab_flag "$lab_address")
	done
	lab_ip "$lab_space" link set "$lab_name" up
}
lab_flag() {
	case $1 in *:*) echo nodad ;; esac
}

# lab_cable SPACE BRIDGE PORT OTHER INTERFACE: from a port of a bridge to an interface
lab_cable() {
	ip link add "$3" netns "$lab-$1" type veth peer name "$5" netns "$lab-$4"
	lab_ip "$1" link set "$3" master "$2" up
	lab_ip "$4" link set "$5" up
}

# lab_names ADDRESS...: those of the directory
lab_names() {
	{
		printf '%s localhost\n' 127.0.0.1 ::1
		printf '%s directory.test\n' "$@"
	} >"$folder/hosts"
}

# lab_begin: true, or it says in $lab_missing why not
lab_begin() {
	lab_missing=
	for lab_name in ip nft conntrack; do
		command -v $lab_name >/dev/null || lab_missing="no command $lab_name"
	done
	[ -n "$lab_missing" ] && return 1
	if ! ip netns add "$lab-inet" 2>/dev/null; then
		lab_missing='network namespaces may not be made here (needs root)'
		return 1
	fi
	if ! echo 'table inet try { chain c { type nat hook postrouting priority 0; masquerade fully-random; }; }' |
		lab_nft inet 2>/dev/null; then
		lab_missing='no NAT by nftables in this kernel, or programs may not be run in namespaces'
		ip netns del "$lab-inet"
		return 1
	fi
	ip netns del "$lab-inet"
	lab_names $lab_directory4 $lab_directory6
	awk -v n=$lab_ports -v first=$((10000 + $(lab_random 20000))) 'BEGIN {
		for (i = 0; i < n; i++) printf "%s%d:%d", i ? ", " : "", i, first + i }' >"$folder/lab-ports"
	lab_space inet 1
	# The rest of the internet is not there, and says so by silence.
	for lab_net in 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 100.64.0.0/10 0.0.0.0/0; do
		lab_ip inet route add blackhole $lab_net
	done
	lab_ip inet -6 route add blackhole default
	lab_nft inet <<-RULES
		table inet core {
			chain forward {
				type filter hook forward priority 0;
				ip ttl < 10 drop
				ip6 hoplimit < 10 drop
			}
		}
	RULES
	lab_space dir 0
	lab_bridge inet brdir 11.255.0.1/24 11.255.1.1/24 2a0f:1ab:ff::1/64 2a0f:1ab:ff:1::1/64
	lab_cable inet brdir pdir dir eth0
	for lab_address in $lab_directory4; do
		lab_ip dir addr add "$lab_address/24" dev eth0
	done
	for lab_address in $lab_directory6; do
		lab_ip dir addr add "$lab_address/64" dev eth0 nodad
	done
	lab_ip dir route add default via 11.255.0.1
	lab_ip dir -6 route add default via 2a0f:1ab:ff::1
	lab_kept=$lab_spaces
	lab_spaces=
}

# --- NATs ---

# lab_by_table KEY: one of the ports of the table for each
lab_by_table() {
	map="$out : jhash $1 mod $lab_ports seed $seed map @ports"
}
# The rules of a router, as it is now.
lab_rules() {
	local kind outer life seed drop stray table scanban flows in out map let_in first dynamic
	kind=$(get "$1" kind) outer=$(get "$1" outer) life=$(get "$1" life) seed=$(get "$1" seed)
	drop=drop
	[ -n "$(get "$1" reject)" ] && drop=reject
	stray="iifname wan $drop"
	[ -n "$(get "$1" scanban)" ] && stray='iifname wan jump stray'
	for table in 'inet filter' 'inet upnpnat' 'ip nat'; do
		echo "table $table { }; delete table $table"
	done
	echo "table inet filter {
		chain miniupnpd { }"
	scanban=$(get "$1" scanban)
	[ -n "$scanban" ] && echo "
		set strays { type ipv4_addr; flags dynamic,timeout; timeout 10s; size 65535; }
		set banned { type ipv4_addr; flags dynamic,timeout; timeout 60s; size 65535; }
		chain bans { type filter hook prerouting priority -310; iifname wan ip saddr @banned drop; }
		chain stray {
			meta nfproto ipv4 update @strays { ip saddr limit rate over $scanban/second burst $scanban packets } add @banned { ip saddr }
			$drop
		}"
	flows=$(get "$1" flows)
	[ -n "$flows" ] && echo 'set flows { type ipv4_addr; flags dynamic; size 65535; }'
	echo 'chain forward { type filter hook forward priority 0; policy drop;'
	[ -n "$(get "$1" blocked)" ] && echo "meta l4proto udp $drop"
	[ -z "$(get "$1" hairpin)" ] && [ "$kind" != fw ] && echo "iifname lan ip daddr $outer $drop"
	echo 'ct state established,related accept
		jump miniupnpd
		meta nfproto ipv4 ct status dnat accept'
	[ "$(get "$1" v6)" = open ] && echo 'meta nfproto ipv6 accept'
	[ -n "$flows" ] && echo "iifname lan meta l4proto udp ct state new add @flows { ip saddr ct count over $flows } drop"
	echo "iifname lan accept
		meta l4proto icmpv6 accept
		$stray
		}"
	[ -z "$(get "$1" leaky)" ] && echo "chain input { type filter hook input priority 0;
		iifname wan ct state established,related accept
		iifname wan meta l4proto { icmp, icmpv6 } accept
		$stray
		}"
	echo '}'
	[ "$kind" = fw ] && return
	[ -n "$(get "$1" upnp)" ] && echo 'table inet upnpnat {
		chain in { }
		chain out { }
		chain before { type nat hook prerouting priority -110; jump in; }
		chain after { type nat hook postrouting priority 90; jump out; }
		}'
	echo "table ip nat {
		map ports { typeof numgen inc mod $lab_ports : udp sport; elements = { $(cat "$folder/lab-ports") }; }"
	in="iifname wan ip daddr $outer meta l4proto udp"
	out="oifname wan meta l4proto udp snat ip to $outer"
	map=
	let_in=
	case $kind in
	fc | symeif) let_in='' ;;
	arc) let_in='udp dport . ip saddr @known_addresses' ;;
	prc) let_in='udp dport . ip saddr . udp sport @known' ;;
	*) let_in=none ;;
	esac
	case $kind in
	fc | arc | prc) lab_by_table 'ip saddr . udp sport' ;;
	linux) [ "$(get "$1" rebound)" -gt 0 ] && lab_by_table 'ip saddr . udp sport' ;;
	symadm) lab_by_table 'ip saddr . udp sport . ip daddr' ;;
	symeif) lab_by_table 'ip saddr . udp sport . ip daddr . udp dport' ;;
	symseq) map="$out : numgen inc mod $lab_ports map @ports" ;;
	symblk)
		first=$((1024 + 512 * (seed % 120)))
		map="$out:$first-$((first + 511)) fully-random"
		;;
	sym) map="$out:1024-65535 fully-random" ;;
	esac
	if [ "$let_in" != none ]; then
		dynamic="flags dynamic,timeout; timeout ${life}s; size 65535;"
		echo "map inner { type inet_service : ipv4_addr . inet_service; $dynamic }
			set known { type inet_service . ipv4_addr . inet_service; $dynamic }
			set known_addresses { type inet_service . ipv4_addr; $dynamic }
			chain before { type nat hook prerouting priority dstnat;
				$in $let_in dnat ip to udp dport map @inner
			}
			chain learn { type filter hook postrouting priority 300;
				oifname wan meta l4proto udp ip saddr $outer ct direction original update @inner { udp sport : ct original ip saddr . ct original proto-src }
				oifname wan meta l4proto udp ip saddr $outer update @known { udp sport . ip daddr . udp dport }
				oifname wan meta l4proto udp ip saddr $outer update @known_addresses { udp sport . ip daddr }
			}"
	fi
	echo "chain after { type nat hook postrouting priority srcnat;
		$map
		oifname wan snat ip to $outer
		}
	}"
}

lab_apply() {
	local life
	lab_rules "$1" >"$folder/lab-rules"
	lab_nft "$1" <"$folder/lab-rules" || fail "the rules of $1 are not taken"
	life=$(get "$1" life)
	ip netns exec "$lab-$1" sh -c "
		echo $((life < 30 ? life : 30)) >/proc/sys/net/netfilter/nf_conntrack_udp_timeout
		echo $life >/proc/sys/net/netfilter/nf_conntrack_udp_timeout_stream"
}

# The addresses outside, and the route back to them. A router whose inner hosts meet at its
# outer address does not own that: packets to it leave, and come back as from outside.
lab_outside() {
	local net slot up outer own inner
	net=$(get "$1" net4) slot=$(get "$1" slot) up=$(get "$1" up) outer=$(get "$1" outer)
	own=$outer
	lab_ip "$1" addr flush dev wan scope global
	if [ -n "$(get "$1" hairpin)" ]; then
		own=$net.$((slot + 100))
		lab_ip "$up" route replace "$outer/32" via "$own"
	fi
	lab_ip "$1" addr add "$own/24" dev wan
	[ "$own" = "$outer" ] || lab_ip "$1" route replace "$outer/32" via "$net.1"
	lab_ip "$1" route replace default via "$net.1"
	[ "$(get "$1" kind)" != fw ] ||
		lab_ip "$up" route replace "$(get "$1" lan4).0/24" via "$own"
	[ -n "$(get "$1" v6)" ] || return 0
	net=$(get "$1" net6) inner=$(get "$1" lan6)
	lab_ip "$1" -6 addr replace "$net:$slot/64" dev wan nodad
	lab_ip "$1" -6 route replace default via "$net:1"
	lab_ip "$up" -6 route replace "$inner:/64" via "$net:$slot"
	[ "$up" = inet ] || # a carrier passes IPv6 on
		lab_ip inet -6 route replace "$inner:/64" via "$(get "$up" net6):$(get "$up" slot)"
}

# lab_router NAME UP BRIDGE: what else it is has been put
lab_router() {
	local lan6
	lab_space "$1" 1
	put "$1" up "$2"
	put "$1" bridge "$3"
	put "$1" seed "$(lab_random 1000000)"
	put "$1" rebound 0
	put "$1" wire_pid ''
	put "$1" upnp_pid ''
	[ -n "$(get "$1" life)" ] || put "$1" life 120
	put "$1" outer "$(get "$1" net4).$(get "$1" slot)"
	lab_cable "$2" "$3" "w$1" "$1" wan
	lan6=$(get "$1" lan6)
	lab_bridge "$1" lan "$(get "$1" lan4).1/24" ${lan6:+$lan6:1/64}
	lab_outside "$1"
	lab_apply "$1"
}

lab_upnp() {
	local what conf
	what=$(get "$1" upnp)
	[ -n "$what" ] || return 0
	command -v miniupnpd >/dev/null || fail 'no miniupnpd'
	conf=$folder/lab-upnp-$1
	cat >"$conf" <<-CONF
		ext_ifname=wan
		listening_ip=lan
		http_port=5000
		enable_upnp=$([ "$what" = pmp ] && echo no || echo yes)
		enable_natpmp=$([ "$what" = igd ] && echo no || echo yes)
		min_lifetime=1
		max_lifetime=86400
		secure_mode=yes
		system_uptime=yes
		uuid=$(cat /proc/sys/kernel/random/uuid)
		serial=1
		model_number=1
		minissdpdsocket=$folder/lab-no-ssdp
		upnp_table_name=filter
		upnp_nat_table_name=upnpnat
		upnp_forward_chain=miniupnpd
		upnp_nat_chain=in
		upnp_nat_postrouting_chain=out
		allow 1024-65535 $(get "$1" lan4).0/24 1024-65535
		deny 0-65535 0.0.0.0/0 0-65535
	CONF
	[ -z "$(get "$1" hairpin)" ] || echo "ext_ip=$(get "$1" outer)" >>"$conf"
	ip netns exec "$lab-$1" miniupnpd -d -f "$conf" -P "$conf.pid" >>"$conf.log" 2>&1 &
	put "$1" upnp_pid $!
	lab_processes="$lab_processes $!"
	until_true 5 lab_listens "$1" ":14E7 " || fail "miniupnpd does not start: $(cat "$conf.log")"
}
# lab_listens SPACE :PORT (in hex): by UDP; 14E7 is NAT-PMP's, 076C that of SSDP
lab_listens() {
	ip netns exec "$lab-$1" cat /proc/net/udp /proc/net/udp6 | grep -q "$2" ||
		ip netns exec "$lab-$1" cat /proc/net/udp | grep -q ':076C '
}

# --- sites and hosts ---

lab_site() {
	local site i each kind rest option value has4 has6 host
	site=$(echo abcdefghijklmnop | cut -c "$1")
	i=$1
	for each in hosts net hairpin isolate cgn cgnhairpin cgnnet carrier v4 v6 upnp udp reject leaky life flows scanban; do
		put "$site" "$each" ''
		put "r$site" "$each" ''
	done
	put "$site" hosts 1
	kind=${2%%,*}
	rest=${2#"$kind"}
	while [ -n "$rest" ]; do
		rest=${rest#,}
		option=${rest%%,*}
		rest=${rest#"$option"}
		value=${option#*=}
		[ "$value" = "$option" ] && value=yes
		put "$site" "${option%%=*}" "$value"
	done
	put "$site" kind "$kind"
	put "$site" next $((100 + i))
	has4=yes
	[ "$(get "$site" v4)" = off ] && has4=
	has6=$(get "$site" v6)
	put "$site" at inet
	put "$site" bridge "br$i"
	put "$site" gate4 ''
	put "$site" gate6 ''
	case $kind in
	lan)
		lab_space "sw$site" 0
		lab_bridge "sw$site" lan
		put "$site" at "sw$site"
		put "$site" bridge lan
		put "$site" lan4 ${has4:+192.168.$((50 + i))}
		put "$site" lan6 ${has6:+fd00:$i:1:}
		;;
	public)
		lab_bridge inet "br$i" "11.0.$i.1/24" "2a0f:1ab:$i::1/64"
		put "$site" lan4 ${has4:+11.0.$i}
		put "$site" lan6 ${has6:+2a0f:1ab:$i:0:}
		put "$site" gate4 "11.0.$i.1"
		put "$site" gate6 "2a0f:1ab:$i::1"
		;;
	*)
		lab_home
		;;
	esac
	host=1
	while [ $host -le "$(get "$site" hosts)" ]; do
		put "$site$host" site "$site"
		put "$site$host" wire_pid ''
		put "$site$host" address4 ''
		put "$site$host" address6 ''
		lab_space "$site$host" 0
		lab_plug "$site$host"
		lab_hosts="$lab_hosts $site$host"
		host=$((host + 1))
	done
}

# The router of a site that has one
lab_home() {
	local router each lan4 cgn carrier
	router=r$site
	for each in hairpin v6 upnp reject leaky life flows scanban; do
		put "$router" $each "$(get "$site" $each)"
	done
	put "$router" blocked ''
	[ "$(get "$site" udp)" = off ] && put "$router" blocked yes
	put "$router" kind "$kind"
	lan4=$(get "$site" net)
	[ -n "$lan4" ] || lan4=192.168.$((10 + i))
	[ "$kind" = fw ] && lan4=11.1.$i
	put "$router" lan4 "$lan4"
	put "$router" lan6 ${has6:+2a0f:1ab:$i:1:}
	cgn=$(get "$site" cgn)
	if [ -n "$cgn" ]; then
		lab_carrier
		put "$router" net4 "$(get "$carrier" lan4)"
		put "$router" net6 "$(get "$carrier" lan6)"
		put "$router" slot $((10 + i))
		lab_router "$router" "$carrier" lan
	else
		lab_bridge inet "br$i" "11.0.$i.1/24" "2a0f:1ab:$i::1/64"
		put "$router" net4 "11.0.$i"
		put "$router" net6 "2a0f:1ab:$i:0:"
		put "$router" slot 2
		lab_router "$router" inet "br$i"
	fi
	put "$site" at "$router"
	put "$site" bridge lan
	put "$site" lan4 ${has4:+"$(get "$router" lan4)"}
	put "$site" lan6 "$(get "$router" lan6)"
	put "$site" gate4 "$(get "$router" lan4).1"
	put "$site" gate6 "$(get "$router" lan6):1"
	lab_upnp "$router"
}

# The carrier's NAT that $site names, made when it is named first
lab_carrier() {
	local name number each
	name=${cgn#*@}
	[ "$name" = "$cgn" ] && name=$site
	carrier=cgn$name
	put "$site" carrier "$carrier"
	case " $lab_cgns " in *" $carrier "*) return ;; esac
	set -- $lab_cgns
	number=$((200 + $#))
	lab_cgns="$lab_cgns $carrier"
	for each in upnp reject leaky life flows scanban blocked; do
		put "$carrier" $each ''
	done
	put "$carrier" kind "${cgn%@*}"
	put "$carrier" hairpin "$(get "$site" cgnhairpin)"
	put "$carrier" v6 open
	put "$carrier" net4 "11.0.$number"
	put "$carrier" net6 "2a0f:1ab:$number:0:"
	put "$carrier" lan4 "$(get "$site" cgnnet)"
	[ -n "$(get "$carrier" lan4)" ] || put "$carrier" lan4 "100.64.$number"
	put "$carrier" lan6 "2a0f:1ab:$number:2:"
	put "$carrier" slot 2
	lab_bridge inet "br$number" "11.0.$number.1/24" "2a0f:1ab:$number::1/64"
	lab_router "$carrier" inet "br$number"
}

# lab_plug HOST: a cable into the network of its site, and the next address there
lab_plug() {
	local site at
	site=$(get "$1" site)
	at=$(get "$site" at)
	lab_cable "$at" "$(get "$site" bridge)" "p$1" "$1" eth0
	[ -z "$(get "$site" isolate)" ] ||
		lab_ip "$at" link set "p$1" type bridge_slave isolated on
	lab_lease "$1"
}

# lab_lease HOST: another address where it is
lab_lease() {
	local site number family net gate address
	site=$(get "$1" site)
	number=$(($(get "$site" next) + 1))
	put "$site" next $number
	lab_ip "$1" addr flush dev eth0 scope global
	for family in 4 6; do
		net=$(get "$site" lan$family) gate=$(get "$site" gate$family)
		[ -n "$net" ] || continue
		if [ $family = 4 ]; then
			address=$net.$number
			lab_ip "$1" addr add "$address/24" dev eth0
		else
			address=$net:$number
			lab_ip "$1" -6 addr add "$address/64" dev eth0 nodad
		fi
		put "$1" address$family "$address"
		[ -z "$gate" ] || lab_ip "$1" -$family route replace default via "$gate"
	done
}

# lab_up SPEC: the network, in place of the last one
lab_up() {
	local rest number part
	lab_down
	rest=$1/
	number=0
	while [ -n "$rest" ]; do
		number=$((number + 1))
		part=${rest%%/*}
		rest=${rest#*/}
		lab_site $number "$part"
	done
}

lab_remove() {
	local pid
	for lab_name; do
		for pid in $(ip netns pids "$lab-$lab_name" 2>/dev/null); do
			kill "$pid" 2>/dev/null || true
		done
		ip netns del "$lab-$lab_name" 2>/dev/null || true
	done
}
lab_down() {
	local pid
	[ -z "$lab_processes" ] || sleep 0.3 # what is under way in a slow wire arrives: goodbyes
	for pid in $lab_processes; do
		kill "$pid" 2>/dev/null || true
	done
	for pid in $lab_processes; do
		wait "$pid" 2>/dev/null || true
	done
	# shellcheck disable=SC2086
	lab_remove $lab_spaces
	for lab_name in $(lab_ip inet -o link show 2>/dev/null | sed 's/^[0-9]*: \([^:@]*\).*/\1/'); do
		case $lab_name in
		lo | brdir | pdir) ;;
		*) lab_ip inet link del "$lab_name" 2>/dev/null || true ;; # both ends go at once
		esac
	done
	# Rules would take hold of a later interface of the same name.
	ip netns exec "$lab-inet" nft list tables netdev 2>/dev/null | sed 's/^/delete /' | lab_nft inet 2>/dev/null || true
	lab_spaces='' lab_processes='' lab_hosts='' lab_cgns=''
}
# Everything, with what was started in it
lab_end() {
	for lab_name in $started; do
		kill "$lab_name" 2>/dev/null || true
	done
	for lab_name in $started; do
		wait "$lab_name" 2>/dev/null || true
	done
	started=
	lab_down
	# shellcheck disable=SC2086
	lab_remove $lab_kept
	lab_kept=
}

# --- what happens to a network ---

# lab_wire NAME MS [JITTER [PERCENT]]: the cable of a host, or the one outside of a router, delays
# each way and loses. 0: a cable again.
lab_wire() {
	local at port bridge site pid
	case $1 in
	r? | cgn*) at=$(get "$1" up) port=w$1 bridge=$(get "$1" bridge) ;;
	*)
		site=$(get "$1" site)
		at=$(get "$site" at) port=p$1 bridge=$(get "$site" bridge)
		;;
	esac
	pid=$(get "$1" wire_pid)
	if [ -n "$pid" ]; then
		kill "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
		put "$1" wire_pid ''
		lab_ip "$at" link del "d$1" 2>/dev/null || true
		echo "table netdev wire$1 { }; delete table netdev wire$1" | lab_nft "$at"
		lab_ip "$at" link set "$port" master "$bridge" 2>/dev/null || true
	fi
	[ "$2 ${4-0}" = '0 0' ] && return
	lab_ip "$at" link set "$port" nomaster
	lab_ip "$at" link add "d$1" type veth peer name "e$1"
	lab_ip "$at" link set "e$1" master "$bridge" up
	lab_ip "$at" link set "d$1" up
	lab_nft "$at" <<-RULES
		table netdev wire$1 { }; delete table netdev wire$1
		table netdev wire$1 {
			chain near { type filter hook ingress device "$port" priority 0; policy drop; }
			chain far { type filter hook ingress device "d$1" priority 0; policy drop; }
		}
	RULES
	ip netns exec "$lab-$at" "$wire_tool" "$port" "d$1" "$2" "${3-0}" "${4-0}" >"$folder/lab-wire-$1" 2>&1 &
	put "$1" wire_pid $!
	lab_processes="$lab_processes $!"
	until_true 5 grep -q ready "$folder/lab-wire-$1" || fail "no wire: $(cat "$folder/lab-wire-$1")"
}

# The NATs between a host and the core, the nearest first
lab_routers() {
	local site
	site=$(get "$1" site)
	case $(get "$site" at) in
	r?) echo "r$site" $(get "$site" carrier) ;;
	esac
}

# lab_rebind HOST [address]: its NATs forget all mappings and map to other ports; the outermost
# gets another address, too
lab_rebind() {
	local routers router pid
	routers=$(lab_routers "$1")
	for router in $routers; do
		put "$router" seed "$(lab_random 1000000)"
		put "$router" rebound $(($(get "$router" rebound) + 1))
		if [ "${2-}" = address ] && [ "$router" = "${routers##* }" ]; then
			put "$router" outer "$(get "$router" net4).$(($(get "$router" slot) + $(get "$router" rebound)))"
			lab_outside "$router"
		fi
		pid=$(get "$router" upnp_pid)
		[ -z "$pid" ] || kill "$pid" 2>/dev/null || true
		lab_apply "$router"
		ip netns exec "$lab-$router" conntrack -F >/dev/null 2>&1 || true
		lab_upnp "$router"
	done
}

# lab_move HOST [SITE]: a new lease, or its cable is pulled and put in at another site
lab_move() {
	if [ $# = 1 ] || [ "$2" = "$(get "$1" site)" ]; then
		lab_lease "$1"
		return
	fi
	[ -z "$(get "$1" wire_pid)" ] || lab_wire "$1" 0
	lab_ip "$1" link del eth0
	put "$1" site "$2"
	lab_plug "$1"
}

# lab_second HOST SITE: another cable, into that site, which is taken rather than the first from now
# on. lab_pull HOST: the first is pulled.
lab_second() {
	local at site number
	lab_ip "$1" route del default
	lab_ip "$1" route add default via "$(get "$(get "$1" site)" gate4)" metric 600
	site=$2
	at=$(get "$site" at)
	number=$(($(get "$site" next) + 1))
	put "$site" next $number
	lab_cable "$at" "$(get "$site" bridge)" "q$1" "$1" eth1
	lab_ip "$1" addr add "$(get "$site" lan4).$number/24" dev eth1
	lab_ip "$1" route add default via "$(get "$site" gate4)" metric 100
	put "$1" site "$site"
	put "$1" address4 "$(get "$site" lan4).$number"
}
lab_pull() {
	lab_ip "$1" link del eth0
}

# lab_block HOST on|off: its router drops all UDP
lab_block() {
	set -- "$2" $(lab_routers "$1")
	put "$2" blocked ''
	[ "$1" = on ] && put "$2" blocked yes
	lab_apply "$2"
}
