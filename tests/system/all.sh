#!/bin/sh
# all.sh BUILD: every test of the real programs but the long soak.
cd "$(dirname "$0")/../.." || exit 2
bad=0
for script in tests/system/*.sh; do
	case $script in
	*/all.sh | */common.sh | */lab.sh | */people.sh | */netlab.sh | */soak.sh) continue ;;
	esac
	echo "== $script"
	sh "$script" "${1-build}" || bad=1
done
exit $bad
