#!/bin/sh
# all.sh BUILD MOST [NAME...]: every bench here, and of the faces in a browser and in a terminal ("faces"), one after the
# other, none for more than MOST seconds. NAME: engine, faces, ...: that one alone.
# Whatever ends it, what it began ends with it.
set -u
build=$1 most=$2
shift 2
cd "$(dirname "$0")/../.." || exit 2
if [ $# = 0 ]; then
	for name in tests/bench/*_bench.c; do
		name=${name##*/}
		set -- "$@" "${name%_bench.c}"
	done
	set -- "$@" faces
fi
running=
failed=

# stop CODE: with the process group of what runs
stop() {
	trap '' HUP INT TERM
	[ -z "$running" ] || kill "$running"
	wait
	exit "$1"
}
trap 'stop 129' HUP
trap 'stop 130' INT
trap 'stop 143' TERM

for name; do
	case $name in
	faces) set -- sh tests/system/browser.sh "$build" ;;
	*) set -- "$build/tests/bench/${name}_bench" ;;
	esac
	PALIQUE_BIN=$build/bin PALIQUE_SCRIPT=bench PALIQUE_PATIENCE=300 timeout -k 30 "$most" "$@" &
	running=$!
	wait $running
	code=$?
	running=
	[ $code = 0 ] && continue
	failed="$failed $name"
	[ $code != 124 ] || echo "$name: not done in $most s" >&2
done
[ -z "$failed" ] || {
	echo "FAILED:$failed" >&2
	exit 1
}
