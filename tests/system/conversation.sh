#!/bin/sh
# conversation.sh BUILD: the main job as tools/try shows it, which checks each step itself;
# here that it ends well without a terminal, and that its transcript tells of each step.
BUILD=${1-build}
cd "$(dirname "$0")/../.." || exit 2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
PALIQUE_BUILD=$BUILD sh tools/try </dev/null >"$log" 2>&1 || {
	cat "$log"
	exit 1
}
for words in 'online' 'the path' 'delivered' 'left' 'came back' 'every byte is the same' 'What had arrived was not sent again' 'No message passed through the directory'; do
	grep -qi "$words" "$log" || {
		cat "$log"
		echo "FAILED: the transcript does not say \"$words\""
		exit 1
	}
done
echo "conversation: $(wc -l <"$log") lines of transcript, every step as promised"
