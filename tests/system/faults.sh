#!/bin/sh
# faults.sh BUILD: a directory whose disk is full, read-only or damaged, or whose accounts
# another program has, at the start and while it runs: it stays up and says what is the matter
# and what to do, or does not start and says so; what was kept before is there afterwards. On a
# small disk of its own, in a mount namespace; skipped, with the reason, where none may be made.
if [ -z "${PALIQUE_FAULTS-}" ]; then
	if ! unshare -rm true 2>/dev/null; then
		echo 'faults: skipped: mount namespaces may not be made here'
		exit 0
	fi
	PALIQUE_FAULTS=1 exec unshare -rm sh "$0" "$@"
fi
BUILD=${1-build}
. "$(dirname "$0")/common.sh"

disk=$folder/disk
data=$disk/directory
port=$(free_port)
health=$(free_port)

operator() {
	command=$1
	shift
	"$programs/palique-directory" "$command" --data "$data" "$@"
}
is_ready() {
	"$net_tool" http "$health" /readyz | grep -q '^HTTP/1.1 200'
}
# not_ready PART REASON
not_ready() {
	"$net_tool" http "$health" /readyz >"$folder/ready" && grep -q '^HTTP/1.1 503' "$folder/ready" &&
		grep -q "^$1 $2" "$folder/ready"
}
logged() {
	grep -q " $1\b" "$folder/directory.log"
}
begin() {
	: >"$folder/directory.log"
	"$programs/palique-directory" serve --data "$data" >>"$folder/directory.log" 2>&1 &
	directory_pid=$!
	started="$started $directory_pid"
	until_true 20 is_ready || fail "it does not become ready: $(cat "$folder/directory.log" "$folder/ready")"
}
end() {
	kill "$directory_pid"
	code=0
	wait "$directory_pid" || code=$?
	[ $code = 0 ] || fail "it ended with $code: $(cat "$folder/directory.log")"
}
fill() {
	cat /dev/zero >>"$disk/filler" 2>/dev/null || true
	# what is freed by others is taken too
	cat /dev/zero >>"$disk/filler" 2>/dev/null || true
}

mkdir "$disk"
mount -t tmpfs -o size=8m tmpfs "$disk" 2>/dev/null || {
	say 'faults: skipped: no disk of its own can be mounted here'
	exit 0
}
ends_first() {
	[ ! -e "$folder/home-ana" ] || peer ana stop >/dev/null 2>&1
	umount -l "$disk"
}
says 0 "$data" operator init "127.0.0.1:$port"
printf 'listen = 127.0.0.1:%s\nhealth-listen = 127.0.0.1:%s\n' "$port" "$health" >"$data/directory.conf"
printf '%s\n' "$password" | operator user add --password-fd 0 kept >/dev/null 2>&1 || fail 'no account can be made'

# --- a full disk ---
begin
fill
says 1 'Make room on the disk' operator invite
until_true 20 not_ready disk full || fail "the full disk is not told: $(cat "$folder/ready")"
until_true 20 logged disk-not-writable || fail 'the log does not tell the full disk'
grep 'disk-not-writable' "$folder/directory.log" | grep -q 'do=.*make room' || fail 'the log does not say what to do'
says 0 'kept' operator user list
says 0 'people online' operator status
rm "$disk/filler"
until_true 20 is_ready || fail 'it does not recover from the full disk'
until_true 20 logged disk-writable || fail 'the log does not tell that the disk is writable again'
says 0 'palique:' operator invite
end
fill
: >"$folder/directory.log"
"$programs/palique-directory" serve --data "$data" >>"$folder/directory.log" 2>&1 &
directory_pid=$!
started="$started $directory_pid"
# it serves who is there and says what is the matter, or says that it cannot
tells() {
	logged disk-not-writable || grep -qE 'Make room|No space left' "$folder/directory.log"
}
until_true 20 tells || fail "a full disk at the start: $(cat "$folder/directory.log")"
kill "$directory_pid" 2>/dev/null || true
wait "$directory_pid" || true
rm "$disk/filler"
ok 'a full disk'

# --- a disk that is read-only ---
begin
# A remount is refused while files are open for writing; who runs keeps what it has.
if mount -o remount,ro "$disk" 2>/dev/null; then
	until_true 20 not_ready disk refused || fail 'the read-only disk is not told'
	mount -o remount,rw "$disk"
fi
end
mount -o remount,ro "$disk" || fail 'the disk cannot be made read-only'
says 1 "$data" operator serve
says 1 "$data" operator init
mount -o remount,rw "$disk"
ok 'a disk that is read-only'

# --- another program has the accounts ---
mkfifo "$folder/hold"
# hold FILE START COUNT: locks these bytes as SQLite does, until let_go
hold() {
	"$net_tool" lock "$@" <"$folder/hold" >"$folder/held" &
	holder=$!
	started="$started $holder"
	exec 5>"$folder/hold"
	until_true 10 grep -q locked "$folder/held" || fail "cannot lock $1"
}
let_go() {
	exec 5>&-
	wait "$holder"
}
hold "$data/accounts.db" 0x40000000 512
says 3 'in use by another process' operator serve
let_go
begin
hold "$data/accounts.db-shm" 120 1 # who writes
says 3 'another process is using it. Nothing was changed' operator invite
says 0 'people online' operator status
let_go
says 0 'palique:' operator invite
end
ok 'another program has the accounts'

# --- damage ---
cp -r "$data" "$folder/whole"
dd if=/dev/urandom of="$data/accounts.db" bs=1024 count=8 conv=notrunc 2>/dev/null
says 1 'help restore' operator serve
says 1 'help restore' operator user list
cp "$folder/whole/accounts.db" "$data/accounts.db"
head -c 20 "$folder/whole/keys" >"$data/keys"
says 1 'keys' operator serve
cp "$folder/whole/keys" "$data/keys"
chmod 644 "$data/keys"
says 5 'keys' operator serve
chmod 600 "$data/keys"
mv "$data/keyholder" "$folder/away"
says 1 'keyholder join' operator serve
mv "$folder/away" "$data/keyholder"
begin
says 0 'kept' operator user list
end
ok 'damage is told by name, and what was there before is there'
# --- a full disk at somebody's home ---
rm -rf "$data" # of the disk, which is the home's from here on
start_directory "127.0.0.1:$port"
make_home ben 'listen = 127.0.0.1:0'
ln -s "$disk/home" "$folder/home-ana"
mkdir -m 700 "$disk/home"
echo 'listen = 127.0.0.1:0' >"$disk/home/peer.conf"
for name in ana ben; do
	join $name "$(invite)" >/dev/null 2>&1 || fail "$name cannot join"
done
befriend ana ben
says 0 '' peer ana send ben 'before' --wait delivered
fill
# what fits into the room that the store has already is kept
got=0
until [ $got != 0 ]; do
	got=0
	peer ana send ben "$(head -c 12000 /dev/zero | tr '\0' x)" >"$folder/out" 2>&1 || got=$?
done
grep -q 'no room left' "$folder/out" || fail "a full disk is not told: $(cat "$folder/out")"
says 1 'make room' peer ana doctor
says 0 'before' peer ana history ben
is_online ana || fail 'a full disk puts its home out'
says 7 '' peer ben send ana 'into the full disk' --wait delivered --timeout 2
peer ana stop >/dev/null
says 3 'df -h' peer ana status
rm "$disk/filler"
until_true 30 has ana ben 'into the full disk' || fail 'what was said to a full disk is lost'
says 0 '' peer ana send ben 'after' --wait delivered
has ben ana 'before' && has ben ana 'after' || fail 'a full disk lost something'
peer ana stop >/dev/null
rm "$folder/home-ana"
ok "a full disk at somebody's home"
say 'faults: a disk full, read-only, locked, damaged'
