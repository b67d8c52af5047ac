#!/bin/sh
# browser.sh BUILD [PART...]: the page in Chromium, on real engines and a directory: the first minute, talk, files that are
# cut off, devices, both languages, hostile texts, long histories; axe-core in every view. Parts: words of the names in
# tests/web/*.js; each can be run alone. FIREFOX=/usr/bin/firefox-esr: in that one. PALIQUE_SHOTS=FOLDER: pictures
BUILD=${1-build}
[ $# = 0 ] || shift
cd "$(dirname "$0")/../.." || exit 2
modules=$PWD/build/web-tests
for tool in node npm "${CHROMIUM-/usr/bin/chromium}"; do
	command -v "$tool" >/dev/null || {
		echo "$tool is not there: tools/deps installs it" >&2
		exit 1
	}
done
if ! cmp -s tests/web/package-lock.json "$modules/package-lock.json"; then
	mkdir -p "$modules"
	cp tests/web/package.json "$modules/"
	(cd "$modules" && cp ../../tests/web/package-lock.json . && npm ci --ignore-scripts --no-audit --no-fund >npm.log 2>&1) || {
		rm -f "$modules/package-lock.json"
		cat "$modules/npm.log" >&2
		echo 'browser: skipped: npm cannot fetch playwright-core and axe-core'
		exit 0
	}
fi
# A network of their own: the directory that is begun in the browser takes the usual ports.
if [ -z "${PALIQUE_BROWSER-}" ]; then
	if [ "$(id -u)" = 0 ] && unshare -n true 2>/dev/null; then
		PALIQUE_BROWSER=own exec unshare -n sh "tests/system/browser.sh" "$BUILD" "$@"
	elif unshare -rn true 2>/dev/null; then
		PALIQUE_BROWSER=own exec unshare -rn sh "tests/system/browser.sh" "$BUILD" "$@"
	fi
fi
[ -z "${PALIQUE_BROWSER-}" ] || ip link set lo up
. tests/system/common.sh
start_directory "127.0.0.1:$(free_port)"
# Waited for beside, so that a signal is heard meanwhile; what it and the browser make for themselves goes with the folder.
PALIQUE_BIN=$programs PALIQUE_FOLDER=$folder TMPDIR=$folder NODE_PATH=$modules/node_modules \
	node "tests/web/${PALIQUE_SCRIPT-parts}.js" "$@" &
node=$!
ends_first() { # before it begins engines anew that are ended here
	kill $node 2>/dev/null
	wait $node
}
wait $node
