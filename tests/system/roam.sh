#!/bin/sh
# roam.sh BUILD [CELL...|all]: networks change under a conversation: addresses, NATs, a cable for
# Wi-Fi, a sleep; and without the directory two who moved meet through a third. What was said arrives
# once, in order, and soon. `suspend` takes a minute and has to be asked for. Skipped, with the reason,
# where namespaces may not be made.
BUILD=${1-build}
[ $# = 0 ] || shift
cells=$*
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/lab.sh"
. "$(dirname "$0")/people.sh"
begin_reach roam a1 b1 c1

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
	stream a1 b1 60 &
	one=$!
	stream b1 a1 60 &
	other=$!
	until_true 20 grep -q 'says 25$' "$folder/said-a1"
	"$@"
	changed=$(date +%s%3N)
	wait $one || fail "$moment: a1 cannot say everything"
	wait $other || fail "$moment: b1 cannot say everything"
	until_true 20 arrived_all b1 a1 60 || fail "$moment: b1 has $(grep -c . "$folder/got") of 60"
	delivered_exactly "$folder/said-a1" "$folder/got"
	until_true 20 arrived_all a1 b1 60 || fail "$moment: a1 has $(grep -c . "$folder/got") of 60"
	delivered_exactly "$folder/said-b1" "$folder/got"
	to_b=$(after b1 a1 "$changed")
	to_a=$(after a1 b1 "$changed")
	[ "${to_a:-0}" -ge "${to_b:-0}" ] || to_a=$to_b
	if [ "${to_a:-0}" -gt "$soon" ] && [ $again = no ]; then
		# The machine may have been busy with something else.
		say "$moment: goes on after $to_a ms: once more"
		again=yes
		return
	fi
	within "$moment: goes on after" "${to_a:-0}" "$soon"
	again=''
	good "$moment: nothing lost, goes on after ${to_a:-0} ms, of $soon ($(path_kind a1 b1))"
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
	soon=1000
	throughout 'Wi-Fi, then a cable too' lab_second a1 a
	throughout 'the cable alone' lab_pull a1
	asleep a1 b1
fi

# A machine sleeps for longer than a link lives without a word, and wakes up in another network.
if ! skip_long suspend; then
	lab_up linux/prc/prc
	moment=suspend soon=1000
	awake a1 b1
	online a1 b1 || fail 'suspend: they do not come online'
	arrives a1 b1 10 || fail 'suspend: not delivered'
	rm -f "$folder"/said-*
	stream b1 a1 60 &
	other=$!
	until_true 20 grep -q 'says 25$' "$folder/said-b1"
	sleeper=$(pid_of a1)
	kill -STOP "$sleeper"
	lab_ip a1 link set eth0 down
	wait $other || fail 'suspend: b1 cannot say everything'
	until_true 60 sees_offline b1 a1 || fail 'suspend: a1 is shown online all the time'
	sleep 30
	lab_move a1 c
	changed=$(date +%s%3N)
	kill -CONT "$sleeper"
	until_true 20 arrived_all a1 b1 60 || fail "suspend: a1 has $(grep -c . "$folder/got") of 60"
	delivered_exactly "$folder/said-b1" "$folder/got"
	took=$(after a1 b1 "$changed")
	until_true 10 sees_online b1 a1 || fail 'suspend: a1 is still shown offline'
	presence=$(($(date +%s%3N) - changed))
	within 'suspend: goes on after' "$took" $soon
	good "suspend: nothing lost, goes on after $took ms, of $soon; shown online after at most $presence ms"
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
	within "$1: they meet after" $took 5000
	good "$1: no directory, new addresses: they meet through a third $took ms after they begin ($(path_kind a1 b1))"
	asleep a1 b1 c1
	begin_directory
}
third third linux/linux/public
third third-prc prc/prc/public

! directory status --json | grep -q '"SAY":[1-9]' || fail 'a message passed through the directory'
say "roam: $reached changes of networks outlived"
