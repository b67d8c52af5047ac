#!/bin/sh
# cli.sh BUILD: what two people and an operator type, right and wrong, with the real
# programs: exit codes, the main sentence of each mistake, what to type next; in English and
# in Spanish; and that --json is one object to a line.
BUILD=${1-build}
. "$(dirname "$0")/common.sh"

# says_in_spanish EXIT WORDS COMMAND...: and not a word of English that it would have said
says_in_spanish() {
	LC_ALL=es_ES.UTF-8 LANGUAGE=es says "$@"
	! grep -qE '(^|[^-])(try|the|NAME|LINK|TEXT)( |:|$)' "$folder/err" ||
		fail "English in Spanish: $(cat "$folder/err")"
}
# one_object_a_line COMMAND...
one_object_a_line() {
	"$@" --json >"$folder/out" 2>/dev/null </dev/null || true
	[ -s "$folder/out" ] || fail "no JSON from: $*"
	! grep -qv '^{.*}$' "$folder/out" || fail "not one object a line: $* ($(cat "$folder/out"))"
	checks=$((checks + 1))
}

# --- the operator ---
data=$folder/directory
says 4 "palique-directory init --data $data" directory serve
says 3 "palique-directory serve --data $data" directory status
says 2 'HOST or HOST:PORT' directory init 'not a host'
says 0 "palique-directory serve --data $data" directory init 127.0.0.1
says 1 'never written over' directory init
says 2 'Try: palique-directory status' "$programs/palique-directory" statsu
says 2 'no option --dta' "$programs/palique-directory" link --dta x
says 2 'list | add|remove|ban' "$programs/palique-directory" user
says 2 'A name is 2 to 32' directory invite 'Ñ'
says 2 '1 to 10000' directory invite --count 0
says 0 'Nobody yet' directory user list
says 4 'no account of that name' directory user remove nobody
port=$(free_port)
start_directory "127.0.0.1:$port"
says 3 "palique-directory status --data $data" directory serve
says 0 'people online' directory status
says_in_spanish 0 'personas en línea' directory status
mkdir -m 700 "$folder/second"
"$programs/palique-directory" init --data "$folder/second/d" >/dev/null 2>&1
says 1 'in use by another program' "$programs/palique-directory" serve --data "$folder/second/d" --listen "127.0.0.1:$port"
says 1 "--data $folder/second/d --listen ADDRESS:OTHER-PORT" "$programs/palique-directory" serve --data "$folder/second/d" --listen "127.0.0.1:$port"
says 1 'no such address' "$programs/palique-directory" serve --data "$folder/second/d" --listen 192.0.2.1:7272
for command in status link invite 'invite list' 'invite revoke 0badc0de' 'user list' 'user remove nobody' 'user ban nobody' 'user passwd-reset nobody'; do
	# shellcheck disable=SC2086 # two words are meant
	[ "$command" = 'user list' ] || one_object_a_line directory $command
done
ok "the operator's commands ($checks)"

# --- becoming somebody ---
for name in ana ben eve; do
	make_home $name 'listen = 127.0.0.1:0'
done
link="palique:127.0.0.1:$port"
says 2 'there is no command jion' peer ana jion
says 2 'palique join' peer ana jion
says 2 'NAME TEXT...' peer ana send
says_in_spanish 2 'NOMBRE TEXTO...' peer ana send
says 2 'there is no option --nmae' peer ana join "$link" --nmae x
says 2 'not the link of a directory' peer ana join http://x
says 2 'cannot be a name' peer ana join "$link" --name A
says 2 'a name is needed' peer ana join "$link" --no-input
says 2 'give --password-fd' peer ana join "$link" --name ana --no-input
says 2 'the password is empty' with_password '' peer ana join "$link" --name ana
says 5 'by invitation only' with_password x peer ana join "$link" --name ana
says 5 'the invitation is not valid here' with_password x peer ana join "$link/i/AAAAAAAAAAAAAAAA" --name ana
says_in_spanish 5 'la invitación no vale aquí' with_password x peer ana join "$link/i/AAAAAAAAAAAAAAAA" --name ana
says 1 'cannot be resolved' with_password x peer ana join palique:no-such-host.invalid --name ana
once=$(invite | sed "s/127.0.0.1/127.0.0.1:$port/")
says 0 'You are ana@' with_password "$password" peer ana join "$once" --name ana
says 5 'has expired or was used' with_password x peer ben join "$once" --name ben
says 1 'that name is taken' with_password x peer ben join "$(invite | sed "s/127.0.0.1/127.0.0.1:$port/")" --name ana
says 1 'has an account already' with_password x peer ana join "$once" --name zoe
keyless=$(invite | sed "s/127.0.0.1/127.0.0.1:$port/; s/?k=.*//")
says 0 'believed at first sight' with_password "$password" peer ben join "$keyless" --name ben
says 5 'name or password is wrong' with_password wrong peer ana login "ana@127.0.0.1:$port"
says 0 'Logged in as ana' with_password "$password" peer ana login "ana@127.0.0.1:$port"
says 0 'Logged in as ana' with_password "$password" peer ana login ana
says 5 'holds another account' with_password x peer ana login "zoe@127.0.0.1:$port"
says 5 'name or password is wrong' with_password wrong peer eve login "ana@127.0.0.1:$port"
says 5 'name or password is wrong' with_password wrong peer eve login "nobody@127.0.0.1:$port"
says 2 'NAME@DIRECTORY' peer eve login ana --no-input
says 1 'no account here yet' peer eve link
says 1 'no account here yet' peer eve account delete --yes
says 1 'no account here yet' peer eve recovery --force
says 1 'no account here yet' with_password 'x
y' peer eve passwd
says 0 'palique join LINK' peer eve devices
# Nobody is asked for a password in vain.
says 1 'palique login NAME@DIRECTORY' peer eve passwd --no-input
says 1 'no account here yet' peer eve account renew --no-input
says 1 'no account here yet' peer eve export "$folder/eve.palique" --no-input
says 1 'no account here yet' peer eve requests none
says 1 'no account here yet' peer eve recovery remove --no-input
says 2 'cannot be a name' peer eve login "x+y@127.0.0.1:$port" --no-input
says 2 'palique recover NAME@DIRECTORY' peer eve recover ana --no-input
says 5 'palique --home OTHER-FOLDER login zoe@' peer ana login "zoe@127.0.0.1:$port" --no-input
says 5 'palique --home OTHER-FOLDER recover zoe@' peer ana recover "zoe@127.0.0.1:$port" --no-input
says 1 'the address of the directory checked' with_password x peer eve login ana@no-such-host.invalid
says 2 'has 1 to 32 letters' peer ana devices name x "$(printf '%090d' 0)"
says 2 'has 1 to 32 letters' peer ana devices name x ''
says 4 'nothing.palique cannot be read' peer eve import "$folder/nothing.palique"
says 2 'account renew' peer ana account rename
says 2 'devices name DEVICE NEW-NAME' peer ana devices rename x
says 2 'give --yes' peer ana account delete --no-input
says 5 'the device you are at' peer ana devices revoke "$(peer ana devices --json | sed 's/.*"id":"\([^"]*\)".*/\1/')" --yes
says 2 'no terminal' peer ana recovery
says 2 'not a link to set' with_password x peer ana reset "$link"
says 2 'could not be read' peer ana recover "ana@127.0.0.1:$port" --words-fd 0
says 2 'give --words-fd' peer ana recover "ana@127.0.0.1:$port" --no-input
says 5 'the old password is wrong' with_password 'not it
another' peer ana passwd
says 0 'stay logged in' with_password "$password
$password" peer ana passwd
says_in_spanish 2 'palique help account' peer ana account rename
one_object_a_line peer ana devices
says_in_spanish 1 'palique join ENLACE' peer eve link
ok "becoming somebody ($checks)"

# --- whom one knows ---
says 0 'Nobody yet' peer ana ls
says 4 'ben is not a contact' peer ana send ben hello
says 4 'zoe has not asked' peer ana accept zoe
says 5 'your own name' peer ana add ana
says 2 'neither a name nor the link' peer ana add 'x y'
says 0 'when they accept' peer ana add ben hello
says 1 'was asked already' peer ana add ben
says 1 'has not accepted yet' peer ana accept ben
says 0 'has not accepted yet' peer ana send ben 'first of all'
until_true 20 sh -c '"$1" --home "$2" ls | grep -q "asks you"' - "$programs/palique" "$folder/home-ben" ||
	fail 'the request does not arrive'
says 0 'asks you (palique accept ana)' peer ben ls
says 0 'ana is your contact' peer ben accept ana
says 1 'ana is a contact already' peer ben accept ana
until_true 20 sees_online ana ben || fail 'ana does not see ben'
until_true 20 sees_online ben ana || fail 'ben does not see ana'
says 0 'eve is blocked' peer ana block eve
says 5 'eve is blocked' peer ana send eve x
says 1 'palique unblock eve' peer ana accept eve
says 0 'not blocked any more' peer ana unblock eve
says 4 'not blocked' peer ana unblock eve
says 0 'eve is blocked' peer ana block eve
says 0 'no contact any more' peer ana remove eve
says 4 'is not a contact' peer ana safety zoe
says 2 '60 digits' peer ana verify ben 12345
says 5 'not the numbers' peer ana verify ben 000000000000000000000000000000000000000000000000000000000000
says 2 'needs no digits' peer ana verify ben 12345 --undo
says 0 'palique verify ben' peer ana safety ben
says_in_spanish 0 'palique verify ben' peer ana safety ben
says 0 'Anyone' peer ana requests
says_in_spanish 2 'palique requests anyone' peer ana requests friends
says 0 'may have your addresses' peer ana consent ben
says 0 'no connection is made' peer ana consent ben never
says 0 'palique consent' peer ana ls
says 0 'no connection is made' peer ana status
says_in_spanish 0 'no se establece ninguna conexión' peer ana consent ben
says 0 'only through a contact of both' peer ana consent ben relay
says 0 'may have your addresses' peer ana consent ben direct
says 2 'palique consent ben relay' peer ana consent ben sometimes
says 4 'zoe is not a contact' peer ana consent zoe relay
says 2 'NAME [direct|relay|never]' peer ana consent
says 0 'off (palique relay on' peer ana relay
says 0 'relays for your contacts, up to 256 kB' peer ana relay on
says 0 'up to 64 kB' peer ana relay on --rate 64k
says 0 'on, up to 64 kB/s' peer ana relay
peer ana doctor 2>&1 | grep -q 'relays for contacts' || fail 'the doctor does not know that it relays'
says 2 'from 16k to 256M' peer ana relay on --rate 1
says 2 'from 16k to 256M' peer ana relay on --rate 64x
says 2 'goes with "on"' peer ana relay --rate 64k
says 2 'on or off' peer ana relay maybe
says_in_spanish 2 'palique relay on' peer ana relay maybe
says 0 'does not relay' peer ana relay off
says 1 'no account here yet' peer eve relay on
one_object_a_line peer ana consent ben
one_object_a_line peer ana relay
one_object_a_line peer ana relay off
one_object_a_line peer ana ls
one_object_a_line peer ana status
one_object_a_line peer ana link
one_object_a_line peer ana send zoe x
one_object_a_line peer ana safety ben
one_object_a_line peer ana verify ben --yes
one_object_a_line peer ana requests
ok "whom one knows ($checks)"

# --- saying and hearing ---
# Asked for through the API, which like everything marks nothing as read by itself.
unread() {
	peer ben ls --json | grep -q "\"unread\":$1,"
}
until_true 20 unread 2 || fail 'the first messages do not arrive'
says 0 'first of all' peer ben recv
says 0 'Nothing new' peer ben recv
says_in_spanish 0 'Nada nuevo' peer ben recv
says 0 'delivered' peer ana send ben 'say "hi" \ and 😀 ñ' --wait delivered
says 0 'linked: on this machine, 127.0.0.1:' peer ana status
says 0 'on this machine 127.0.0.1:' peer ana ls
peer ana doctor 2>&1 | grep -q 'connected on this machine' || fail "the doctor does not name the path: $(peer ana doctor)"
peer ana ls --json | grep -q '"pathKind":"loopback"' || fail "no kind of path: $(peer ana ls --json)"
says 0 'say "hi" \ and 😀 ñ' peer ben history ana
unread 0 || fail 'reading the history marks nothing as read'
first=$(peer ben history ana --json | sed -n '1s/^{"id":"\([0-9]*\)".*/\1/p')
says 0 'Nothing older' peer ben history ana --before "$first"
says 4 'no such message is of them' peer ben history ana --before 999999
says 2 'number of a message' peer ben history ana --before x
says 2 'id of an event' peer ben recv --since x
says 2 'from 1 to 1000' peer ben history ana --limit 0
says 2 'the message is empty' peer ana send ben ''
says 2 'no option --wiat' peer ana send ben x --wiat delivered
says 2 'queued or delivered' peer ana send ben x --wait long
says 0 'delivered' peer ana send ben --wait delivered -- --wait is a word
says 0 '--wait is a word' peer ben recv
head -c 16384 /dev/zero | tr '\0' x | peer ana send ben - --wait delivered >/dev/null ||
	fail 'a message of 16 KiB is refused'
head -c 16385 /dev/zero | tr '\0' x | peer ana send ben - >"$folder/out" 2>&1 && fail 'a message of one byte more is taken'
grep -q 16384 "$folder/out" || fail 'the limit is not named'
printf '\377\n' | peer ana send ben - >"$folder/out" 2>&1 && fail 'what is no UTF-8 is sent'
says 7 '' peer ben recv --follow --timeout 1
peer ben stop >/dev/null
until_true 30 sees_offline ana ben || fail 'ana does not see ben leave'
says 6 'ben is offline' peer ana send ben later --wait delivered --timeout 1
one_object_a_line peer ana history ben
peer ana status --json | grep -q '"queued":1' || fail 'one message should be queued'
peer ana send ben more --json --wait queued | grep -q '"state":"queued"' || fail 'send --json does not say queued'
! peer ana ls --json | grep -qE '[0-9]\.[0-9]{10}' || fail 'figures with more digits than they are worth'
ok "saying and hearing ($checks)"

# --- the engine ---
printf '{"jsonrpc":"2.0","id":1,"method":"version"}\nnonsense\n' | peer ana rpc >"$folder/out"
[ "$(wc -l <"$folder/out")" = 2 ] || fail "rpc: $(cat "$folder/out")"
head -c 2000000 /dev/zero | tr '\0' x | peer ana rpc >"$folder/out" 2>&1 && fail 'an endless line is taken'
grep -q 'a line holds at most' "$folder/out" || fail "rpc on an endless line: $(cat "$folder/out")"
says 3 'another engine runs' peer ana daemon --foreground
says 0 'the engine runs' peer ana daemon
says 0 'the engine has ended' peer ana stop
says 0 'no engine was running' peer ana stop
printf 'listen = 127.0.0.1:%s\n' "$port" >"$folder/home-ana/peer.conf"
says 3 'in use by another program' peer ana status
printf 'listen = 127.0.0.1:0\n' >"$folder/home-ana/peer.conf"
chmod 777 "$folder/home-ana"
says 1 "chmod 700 $folder/home-ana" peer ana status
chmod 700 "$folder/home-ana"
mv "$folder/home-ana/store.key" "$folder/kept.key"
says 3 'store.key is missing' peer ana status
mv "$folder/kept.key" "$folder/home-ana/store.key"
says 0 'ana@' peer ana status
kill "$directory_pid"
wait "$directory_pid" || true
until_true 30 sh -c '! "$1" --home "$2" status | grep -q ", online"' - "$programs/palique" "$folder/home-ana" ||
	fail 'ana does not notice that the directory is gone'
says 1 'no line to the directory' peer ana doctor
says_in_spanish 1 'sin línea con el directorio' peer ana doctor
[ -z "$(NO_COLOR=1 peer ana ls --color auto | tr -d '[:print:][:space:]✔ñ')" ] || fail 'colours in a pipe'
ok "the engine ($checks)"

# --- a directory at home ---
make_home host 'listen = 127.0.0.1:0'
home_port=$(free_port)
says 0 'this machine only' with_password "$password" peer host host --name host --listen "127.0.0.1:$home_port"
says 1 'in use by another program' peer host host --listen "127.0.0.1:$(peer host status --json | sed 's/.*"port":\([0-9]*\).*/\1/')"
says 0 "runs at 127.0.0.1:$home_port" peer host host
home_port=$(free_port)
says 0 "runs at 127.0.0.1:$home_port" peer host host --listen "127.0.0.1:$home_port"
says 2 'from 1 to 1000' peer host invite --count 0
says 2 'a time from 1m' peer host invite --expires never
one_object_a_line peer host invite
guest=$(peer host invite 2>/dev/null | head -n 1)
says 0 'You are eve@' with_password "$password" peer eve join "$guest" --name eve
says 0 'host is asked' peer eve add "$(peer host link 2>/dev/null | head -n 1)" 'hello, "host"'
until_true 20 sh -c '"$1" --home "$2" ls | grep -q "hello"' - "$programs/palique" "$folder/home-host" ||
	fail 'the greeting does not arrive'
says 0 'eve is your contact' peer host accept eve
says 0 'delivered' peer host send eve hola --wait delivered
peer host stop >/dev/null
until_true 20 sees_offline eve host || fail 'who takes the directory along is still shown online'
says 0 'host@' peer host status
says 0 'delivered' peer host send eve 'back again' --wait delivered
ok "a directory at home ($checks)"

say "cli: $checks things typed"
