#!/bin/sh
# campaign.sh BUILD [long]: faults that nothing may be lost over, and the sums of what was said and
# what happened. Short, as a part of the check; long (make campaign): 10,000 kills, and the world on
# simulated time until a million texts were said.
#   the world          power cuts, disks full and failing, stores locked, clocks moved, loss; simulated
#   kills              kill -9 of two persons' engines (one with two machines) and of the directory
#   disks              full disks on both sides, stores locked, with kills
#   clocks and loss    clocks moved by years both ways, 30 % of datagrams lost, others doubled and late
#   memory             each allocation refused in turn
# PALIQUE_CAMPAIGN_STAGES="memory disks": these alone. PALIQUE_CAMPAIGN_SEED, _SEEDS: the dice, how many worlds.
# The long form throws dice of its own each time; the short one the same, or the check would have its chances.
# Needs mount namespaces for the full disks; says so where there are none.
# The folder of a campaign that fails stays, with each stage's logs and homes, and is named.
if [ -z "${PALIQUE_CAMPAIGN-}" ] && unshare -rm true 2>/dev/null; then
	PALIQUE_CAMPAIGN=disks exec unshare -rm sh "$0" "$@"
fi
BUILD=${1-build}
length=${2-short}
. "$(dirname "$0")/common.sh"
PALIQUE_KEEP=${PALIQUE_KEEP-1}

if [ "$length" = long ]; then
	kills='kills=10000 seconds=1500' disks='kills=100000 seconds=120 calm=3' bad='kills=100000 seconds=120 calm=10'
	memory='kills=100000 seconds=300 memory=7' worlds=2000 tellers=2
else
	kills='kills=150 seconds=9' disks='kills=1000 seconds=6 calm=3' bad='kills=1000 seconds=6 calm=8'
	memory='kills=1000 seconds=6 memory=293' worlds=15 tellers=1
	PALIQUE_CAMPAIGN_SEED=${PALIQUE_CAMPAIGN_SEED-1000}
fi
worlds=${PALIQUE_CAMPAIGN_SEEDS-$worlds}
wanted=${PALIQUE_CAMPAIGN_STAGES-world kills clocks_and_loss memory disks}
seed=${PALIQUE_CAMPAIGN_SEED-$(od -An -N3 -tu4 /dev/urandom | tr -d ' ')}
tool=$BUILD/tests/system/campaign_tool
preload=$(cd "$BUILD" && pwd)/tests/system/fault_preload.so
sums=$folder/sums
began=$(date +%s)
bad_stages=''
stages=0
say "campaign: seed $seed, $length"

is_wanted() {
	case " $wanted " in *" $1 "*) ;; *) return 1 ;; esac
}

# stage NAME WORDS...: the harm of these words, done to engines whose accounts are there already
stage() {
	stage=$1
	shift
	is_wanted "$stage" || return 0
	stages=$((stages + 1))
	mkdir "$folder/$stage"
	stage_began=$(date +%s)
	# shellcheck disable=SC2086
	"$tool" programs="$programs" folder="$folder/$stage" seed="$seed" stage=$stages "$@" \
		directory="$folder/directory,$place" \
		engine="A,$folder/home-ana,ben${disk:+,$disk/a}" \
		engine="B,$folder/home-ben,ana${disk:+,$disk/b}" \
		engine="a,$folder/home-too,ben" >"$folder/$stage.log" 2>&1 || bad_stages="$bad_stages $stage"
	say "$stage, $(($(date +%s) - stage_began)) s:"
	grep -v '^SUM ' "$folder/$stage.log" | sed 's/^/	/'
	grep '^SUM ' "$folder/$stage.log" >>"$sums" || bad_stages="$bad_stages $stage"
}

# people: a directory and three engines with accounts, befriended, then all off
people() {
	rm -rf "$folder/directory" "$folder"/home-*
	place=127.0.0.1:$(free_port)
	start_directory "$place"
	for name in ana ben too; do
		if [ -n "$disk" ] && [ $name != too ]; then
			mkdir -p "$disk/${name%??}"
			mkdir -m 700 "$disk/${name%??}/home"
			ln -s "$disk/${name%??}/home" "$folder/home-$name"
		fi
		make_home $name 'listen = 127.0.0.1:0'
	done
	join ana "$(invite)" >/dev/null 2>&1 || fail 'ana cannot join'
	join ben "$(invite)" >/dev/null 2>&1 || fail 'ben cannot join'
	befriend ana ben
	link=$(sed -n '1s/\(palique:[^ ]*\).*/\1/p' "$folder/init.log")
	printf '%s\n' "$password" | peer too login "ana@$place" --password-fd 0 --no-input >"$folder/login.log" 2>&1 ||
		fail "ana cannot log in on another machine: $(cat "$folder/login.log")"
	until_true 20 sees_online too ben || fail 'the second machine does not see ben'
	for name in ana ben too; do
		peer $name stop >/dev/null
	done
	kill "$directory_pid"
	wait "$directory_pid" 2>/dev/null || true
}

# --- simulated: beside the others and behind them, since no clock of this machine counts there ---
world_pids=''
teller=0
while is_wanted world && [ $teller -lt $tellers ]; do
	SEEDS=$(((worlds + tellers - 1 - teller) / tellers)) FROM=$((seed + 1 + teller * worlds)) BEGINS=1 \
		nice -n 10 "$BUILD/tests/world/world_test" >"$folder/world-$teller.log" 2>&1 &
	world_pids="$world_pids $!"
	started="$started $!"
	teller=$((teller + 1))
done

# --- the real programs ---
disk=''
people
# shellcheck disable=SC2086
stage kills $kills
# shellcheck disable=SC2086
stage clocks_and_loss $bad clocks=1 loss=300 rate=100 preload="$preload"
# shellcheck disable=SC2086
stage memory $memory rate=100 preload="$preload"
disk=$folder/disk
mkdir "$disk" "$disk/a" "$disk/b"
if ! is_wanted disks; then
	:
elif [ -n "${PALIQUE_CAMPAIGN-}" ] && mount -t tmpfs -o size=24m tmpfs "$disk/a" 2>/dev/null &&
	mount -t tmpfs -o size=24m tmpfs "$disk/b" 2>/dev/null; then
	people
	# shellcheck disable=SC2086
	stage disks $disks full=1 locks=1 rate=100
	for name in ana ben; do
		peer $name stop >/dev/null 2>&1 || true
	done
	[ -z "$bad_stages" ] || cp -a "$disk" "$folder/disks-kept"
	umount -l "$disk/a" "$disk/b"
else
	say 'disks: not done: no disk of its own can be mounted here'
fi

teller=0
for pid in $world_pids; do
	log=$folder/world-$teller.log
	teller=$((teller + 1))
	if wait "$pid"; then
		say "world, done after $(($(date +%s) - began)) s:"
	else
		bad_stages="$bad_stages world"
		say 'world: FAILED'
		grep -aA 1 '^seed' "$log" || true
		grep -a '^story' "$log" | tail -n 1
	fi
	grep -a '^SUM ' "$log" >>"$sums" || bad_stages="$bad_stages world"
	grep -aE '^[0-9]+ seeds|simulated hours|^faults:|^disks:|^datagrams:' "$log" | sed 's/^/	/' || true
done

# --- the sums ---
say "all, $(($(date +%s) - began)) s:"
awk '{ for (i = 2; i <= NF; i++) { split($i, pair, "="); if (!(pair[1] in sum)) order[++names] = pair[1]
	sum[pair[1]] += pair[2] } }
	END { for (i = 1; i <= names; i++) { name = order[i]; printf "\t%12d  ", sum[name]
	gsub("_", " ", name); print name } }' "$sums"
[ -z "$bad_stages" ] || fail "something was violated:$bad_stages (seed $seed)"
sum_of() {
	sed -n "s/^SUM .*\\<$1=\\([0-9]*\\).*/\\1/p" "$2" | awk '{ n += $1 } END { print n + 0 }'
}
said=$(sum_of said "$sums")
if [ "$length" = long ] && [ -z "${PALIQUE_CAMPAIGN_SEEDS-}${PALIQUE_CAMPAIGN_STAGES-}" ]; then
	killed=$(sum_of kills "$folder/kills.log")
	[ "$said" -ge 1000000 ] || fail "only $said texts were said"
	[ "$killed" -ge 10000 ] || fail "only $killed engines were killed under load"
fi
say "campaign: $said said, nothing lost, nothing twice"
