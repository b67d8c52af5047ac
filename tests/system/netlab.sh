#!/bin/sh
# netlab.sh BUILD [RUNS [CELL...]]: the matrix of reach. Two people in each of the networks of
# netlab.expected meet through the directory: did they connect, by which kind of path, how long
# from the introduction to the first message; beside the figures there, and which are worse.
# With one cell: netlab.sh BUILD 1 prc-sym. PALIQUE_LOGS=FOLDER keeps the engines' logs there.
BUILD=${1-build}
runs=${2-1}
[ $# -gt 2 ] && shift 2 || set --
cells=" $* "
here=$(dirname "$0")
. "$here/common.sh"
. "$here/lab.sh"
. "$here/people.sh"
patience=1 # what is measured here waits no longer than it says
ends_first() {
	lab_end
}
lab_begin || {
	say "netlab: skipped: $lab_missing"
	exit 0
}
limit=8     # seconds for a message
settle=0.5  # seconds in which everybody learns what NAT is before them, as the prototype did
slack=20    # milliseconds that a median of real programs may differ and be as good; and half, where
spread=300  # so many were measured: those are draws, not times
began=$(date +%s)
worse=''
slower=''
count=0

# cables WHERE:MS:JITTER:PERCENT,...
cables() {
	wait_before=$settle
	relay=''
	is_cold=''
	most=''
	for cable in $(echo "$1" | tr , ' '); do
		case $cable in
		-) ;;
		relay) relay=c1 ;;
		cold) is_cold=yes ;;
		killed) is_cold=killed ;;
		most:*) most=${cable#*:} ;;
		settle:*) wait_before=${cable#*:} ;;
		*) lab_wire $(echo "$cable" | tr : ' ') ;;
		esac
	done
}

# introduced FROM TO: microseconds; when the first of both was introduced in this life
introduced() {
	{
		logged "$1" introduced
		logged "$2" introduced
	} | sort -n | head -n 1
}

# meet FROM TO WANTED: sets kind ('' if they did not) and ms ('' if not known)
meet() {
	kind=''
	ms=''
	why=''
	if [ -n "$is_cold" ]; then
		meet_cold "$1" "$2"
		return
	fi
	awake "$1" "$2" $relay
	if [ "$3" != lan ] || [ "$spec" != "lan,hosts=2" ]; then
		if ! online "$1" "$2" $relay; then
			why='not online'
			[ -z "${PALIQUE_LOGS-}" ] || for host in $1 $2 $relay; do
				peer "$host" status >"$PALIQUE_LOGS/$cell-$run-$host-status"
				peer "$host" ls >>"$PALIQUE_LOGS/$cell-$run-$host-status"
			done
			return 0
		fi
	fi
	sleep "$wait_before"
	begun=$(clock_ms)
	peer "$1" send "$2" "$cell $run" --wait delivered --timeout $limit >/dev/null 2>&1 || return 0
	ended=$(clock_ms)
	timed "$1" "$2"
}

# What waits for somebody who comes online only then; the directory, and who says it, may believe
# that they are there already.
meet_cold() {
	awake "$1" $relay
	if [ "$is_cold" = killed ]; then
		awake "$2"
		online "$1" "$2" || return 0
		kill -9 "$(peer "$2" status --json | sed 's/.*"pid":\([0-9]*\).*/\1/')"
	fi
	online "$1" $relay || return 0
	sleep "$settle"
	peer "$1" send "$2" "$cell $run" --wait queued >/dev/null
	begun=$(clock_ms)
	awake "$2"
	until_true $limit has "$2" "$1" "$cell $run" || return 0
	ended=$(clock_ms)
	timed "$1" "$2"
}

has_path() {
	case $(path_kind "$1" "$2") in '' | null) return 1 ;; esac
}

# timed FROM TO: they have met
timed() {
	until_true 3 has_path "$1" "$2" || true # words may arrive before their sender knows that
	kind=$(path_kind "$1" "$2")
	kind=${kind:-connected}
	heard=$(logged "$2" heard | head -n 1)
	first=$(introduced "$1" "$2")
	[ -z "$is_cold" ] || first=$(logged "$2" introduced | head -n 1) # what came before led nowhere
	[ -n "$first" ] || first=$((begun * 1000))
	if [ -n "$heard" ]; then
		ms=$(((heard - first + 500) / 1000))
		[ $ms -ge 0 ] || ms=0 # it needed no introduction
	else
		ms=$((ended - begun))
	fi
}

# blocked HOST: how long until it says that UDP is blocked
blocked() {
	kind=''
	begun=$(clock_ms)
	awake "$1"
	until_true 10 says_blocked "$1" || return 0
	ms=$(($(clock_ms) - begun))
	kind=blocked
}
says_blocked() {
	peer "$1" status --json | grep -q '"udpBlocked":true'
}

# What could not be said must not be under way in the next network.
drain() {
	lab_up public,hosts=2/public
	awake "$1" "$2"
	until_true 30 owes_nothing "$1" || fail "$cell: $1 has still not said what it could not"
	until_true 30 owes_nothing "$2" || fail "$cell: $2 has still not said what it could not"
	asleep "$1" "$2"
}
owes_nothing() {
	peer "$1" status --json | grep -q '"queued":0'
}

median() {
	tr ' ' '\n' | grep . | sort -n | awk '{ v[NR] = $1 } END { if (NR) print v[int((NR + 1) / 2)] }'
}

# cell of the table: all of its runs
measure() {
	why=''
	cell=$1 spec=$2 from=$3 to=$4 old_runs=$5 old_ms=$6 wanted=$7
	times='' kinds='' reasons='' good=0 run=0
	while [ $run -lt "$runs" ]; do
		run=$((run + 1))
		lab_up "$spec"
		map_ports=no
		case $spec in *upnp=*) map_ports=yes ;; esac
		cables "$8"
		if [ "$wanted" = blocked ]; then
			blocked "$from"
		else
			meet "$from" "$to" "$wanted"
		fi
		if [ -n "$kind" ]; then
			good=$((good + 1))
			times="$times $ms"
			case " $kinds " in *" $kind "*) ;; *) kinds="$kinds $kind" ;; esac
		fi
		[ -z "$why" ] || reasons=$why
		for host in $from $to $relay; do
			[ -z "${PALIQUE_LOGS-}" ] || cp "$folder/home-$host/engine.log" "$PALIQUE_LOGS/$cell-$run-$host"
		done
		asleep "$from" "$to" $relay
		[ -n "$kind" ] || drain "$from" "$to"
	done
	count=$((count + 1))
	judge
}

judge() {
	ms=$(echo "$times" | median)
	slowest=$(echo "${times:-0}" | tr ' ' '\n' | sort -n | tail -n 1)
	verdict=''
	needed=$runs
	case $wanted in
	none | luck) needed=0 ;;
	esac
	[ "$old_runs" != - ] && [ "$wanted" != luck ] && needed=$((old_runs * runs / 3))
	case $wanted in
	none) [ $good = 0 ] || verdict='connected, and it cannot be' ;;
	direct) case $kinds in *relayed*) verdict='not direct' ;; esac ;;
	luck) ;;
	*)
		[ $good = 0 ] || [ "$kinds" = " $wanted" ] || verdict="not $wanted"
		;;
	esac
	if [ $good -lt $needed ]; then
		verdict="WORSE${reasons:+ ($reasons)}"
		worse="$worse $cell"
	elif [ -n "$verdict" ]; then
		worse="$worse $cell"
	elif [ -n "$most" ] && [ "$slowest" -gt "$most" ]; then
		verdict="once $slowest ms"
		slower="$slower $cell"
	elif [ "$wanted" = blocked ] && [ "$ms" -gt 3000 ]; then
		verdict='slower than 3 s'
		slower="$slower $cell"
	elif [ "$old_ms" != - ] && [ -n "$ms" ] && [ "$wanted" != luck ] &&
		[ "$ms" -gt $((old_ms + slack + (old_ms >= spread ? old_ms / 2 : 0))) ]; then
		verdict=slower
		slower="$slower $cell"
	fi
	case $old_runs in
	-) before='-' ;;
	0) before='0/3' ;;
	*) before="$old_runs/3 $old_ms ms" ;;
	esac
	printf '%-16s %-14s %-14s %-10s %s\n' "$cell" "$before" "$good/$runs${ms:+ $ms ms}" "$(echo $kinds)" "$verdict"
}

people a1 b1 a2 c1
lab_up public,hosts=2/public/public
awake c1
peer c1 relay on >/dev/null || fail 'relay on'
asleep c1
printf '%-16s %-14s %-14s %-10s\n' network before now path
while read -r line; do
	case $line in
	'' | '#'*) continue ;;
	esac
	set -- $line
	case $cells in
	'  ' | *" $1 "*) measure "$@" </dev/null ;;
	esac
done <"$here/netlab.expected"
say
say "worse:${worse:- none}"
say "slower:${slower:- none}"
say "netlab: $count networks, $runs runs each, in $(($(date +%s) - began)) s"
lab_end
# What is no meeting of two: the same as in tools/check, each within its exact bound.
if [ -z "$(echo $cells)" ]; then
	for other in reach roam; do
		PALIQUE_STRICT=yes sh "$here/$other.sh" "$BUILD" all || worse="$worse $other"
	done
fi
[ -z "$worse" ]
