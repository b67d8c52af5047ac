#!/bin/sh
# kill9.sh BUILD [ROUNDS]: engines and the directory die by kill -9 at random moments while
# two persons talk. Every message that `send` reported queued arrives exactly once, in order.
BUILD=${1-build}
rounds=${2-20}
. "$(dirname "$0")/common.sh"

start_at=127.0.0.1:$(free_port)
start_directory "$start_at"
for name in ana ben; do
	make_home $name 'listen = 127.0.0.1:0'
	join $name "$(invite)" >/dev/null 2>&1 || fail "$name cannot join"
done
befriend ana ben

pid_of() {
	peer "$1" status --json | sed 's/.*"pid":\([0-9]*\).*/\1/'
}

# talk FROM TO: says numbered texts until told to end; notes which were confirmed
talk() {
	number=0
	while [ ! -e "$folder/enough" ]; do
		number=$((number + 1))
		text="$1 says $number."
		printf '%s\n' "$text" >>"$folder/tried-$1"
		if peer "$1" send "$2" "$text" >/dev/null 2>&1; then
			printf '%s\n' "$text" >>"$folder/said-$1"
		fi
	done
}

talk ana ben &
talk_ana=$!
talk ben ana &
talk_ben=$!
started="$started $talk_ana $talk_ben"

round=0
while [ $round -lt "$rounds" ]; do
	round=$((round + 1))
	sleep "0.$(od -An -N1 -tu1 /dev/urandom | awk '{ printf "%02d", $1 % 60 + 5 }')"
	case $((round % 3)) in
	0)
		kill -9 "$directory_pid"
		wait "$directory_pid" 2>/dev/null || true
		start_directory "$start_at"
		;;
	1) kill -9 "$(pid_of ana)" 2>/dev/null || true ;;
	2) kill -9 "$(pid_of ben)" 2>/dev/null || true ;;
	esac
done
touch "$folder/enough"
wait $talk_ana $talk_ben

# all_there FROM TO: nothing is owed any more
all_there() {
	peer "$2" status >/dev/null # who was killed last begins anew with a command
	peer "$1" ls --json | grep "\"name\":\"$2\"" | grep -q '"queued":0'
}
until_true 60 all_there ana ben || fail 'ana still owes ben something after a minute'
until_true 60 all_there ben ana || fail 'ben still owes ana something after a minute'
for pair in ana:ben ben:ana; do
	from=${pair%:*}
	to=${pair#*:}
	texts_from "$to" "$from" >"$folder/got-$from"
	delivered_exactly "$folder/said-$from" "$folder/got-$from" "$folder/tried-$from"
	say "$from to $to: $(wc -l <"$folder/said-$from") confirmed of $(wc -l <"$folder/tried-$from") tries, all there once and in order"
done
say "kill9: $rounds kills, nothing lost"
