#!/bin/sh
# soak.sh BUILD MINUTES: two engines chat for so long while the directory restarts every
# minute; every message arrives exactly once and in order. Built with AddressSanitizer by
# `make soak`, so that what goes wrong in an hour is heard of.
BUILD=${1-build/asan}
minutes=${2-60}
case $minutes in
'' | *[!0-9]* | 0*)
	echo "MINUTES=$minutes: a number from 1 is wanted" >&2
	exit 2
	;;
esac
. "$(dirname "$0")/common.sh"

start_at=127.0.0.1:$(free_port)
start_directory "$start_at"
for name in ana ben; do
	make_home $name 'listen = 127.0.0.1:0'
	join $name "$(invite)" >/dev/null 2>&1 || fail "$name cannot join"
done
befriend ana ben

talk() {
	number=0
	while [ ! -e "$folder/enough" ]; do
		number=$((number + 1))
		text="$1 says $number."
		peer "$1" send "$2" "$text" >/dev/null || fail "send failed for: $text"
		printf '%s\n' "$text" >>"$folder/said-$1"
		sleep 0.2
	done
}
talk ana ben &
talk_ana=$!
talk ben ana &
talk_ben=$!
started="$started $talk_ana $talk_ben"

pid_of() {
	peer "$1" status --json | sed 's/.*"pid":\([0-9]*\).*/\1/'
}
resident() {
	awk '/^VmRSS/ { print $2 }' "/proc/$1/status"
}
ana=$(pid_of ana)
ben=$(pid_of ben)
minute=0
while [ $minute -lt "$minutes" ]; do
	minute=$((minute + 1))
	sleep 58
	for pid in $ana $ben $talk_ana $talk_ben; do
		kill -0 "$pid" 2>/dev/null || fail "process $pid ended in minute $minute"
	done
	if [ $((minute % 2)) = 0 ]; then
		kill "$directory_pid"
	else
		kill -9 "$directory_pid"
	fi
	wait "$directory_pid" 2>/dev/null || true
	start_directory "$start_at"
	say "minute $minute: said $(wc -l <"$folder/said-ana") and $(wc -l <"$folder/said-ben"), resident $(resident "$ana") and $(resident "$ben") kB"
done
touch "$folder/enough"
wait $talk_ana $talk_ben || fail 'a sender stopped'

all_there() {
	peer "$1" ls --json | grep "\"name\":\"$2\"" | grep -q '"queued":0'
}
for pair in ana:ben ben:ana; do
	from=${pair%:*}
	to=${pair#*:}
	until_true 60 all_there "$from" "$to" || fail "$from still owes $to something after a minute"
	until_true 60 sees_online "$from" "$to" || fail "$from does not see $to online at the end"
	texts_from "$to" "$from" >"$folder/got-$from"
	delivered_exactly "$folder/said-$from" "$folder/got-$from"
	say "$from to $to: $(wc -l <"$folder/said-$from") messages, all there once and in order"
done
[ "$(pid_of ana)" = "$ana" ] && [ "$(pid_of ben)" = "$ben" ] || fail 'an engine was started anew'
for name in ana ben; do
	peer $name stop >/dev/null || fail "$name does not stop"
done
grep -l 'ERROR: AddressSanitizer\|runtime error\|LeakSanitizer' "$folder"/*.log "$folder"/home-*/*.log 2>/dev/null &&
	fail 'a sanitizer spoke'
say "soak: $minutes minutes, the directory restarted each minute, nothing lost"
