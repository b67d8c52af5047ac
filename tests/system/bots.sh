#!/bin/sh
# bots.sh BUILD: programs that speak for an account: the ready ones, the examples of docs/bots.md, what a token allows and
# what not, and that nothing is lost when a bot or its engine is killed at any point.
BUILD=${1-build}
. "$(dirname "$0")/common.sh"
command -v python3 >/dev/null || fail "python3 is needed: tools/deps"
PATH=$(cd "$programs" && pwd):$PATH
export PATH
tool=$(dirname "$0")/bots_tool.py
bots=$(dirname "$0")/../../tools/bots

home() {
	echo "$folder/home-$1"
}
# starts LOG COMMAND...: in the background; $pid
starts() {
	log=$folder/$1.log
	shift
	PALIQUE_HOME=$(home ana) "$@" >>"$log" 2>&1 &
	pid=$!
	started="$started $pid"
}
ends() {
	kill -9 "$1" 2>/dev/null || true
	wait "$1" 2>/dev/null || true
}
# is_here NAME: the bot has subscribed (and then it hears all)
is_here() {
	peer ana bot ls --json | grep "\"name\":\"$1\"" | grep -qv '"acknowledged":"0"'
}
# hears TEXT: ben has got that line
hears() {
	peer ben history ana --limit 1000 --json | grep -F '"own":false' | grep -qF -- "\"text\":\"$1\""
}
# answers QUESTION ANSWER
answers() {
	peer ben send ana -- "$1" >/dev/null || fail "ben cannot send"
	until_true 20 hears "$2" || fail "no \"$2\" for \"$1\": $(peer ben history ana --limit 5; cat "$log")"
	checks=$((checks + 1))
}
tries() {
	python3 "$tool" "$(home ana)" "$@" || fail "$*"
	checks=$((checks + 1))
}

directory_port=$(free_port)
start_directory "127.0.0.1:$directory_port"
for name in ana ben eve; do
	make_home $name 'listen = 127.0.0.1:0'
	join $name "$(invite)" >/dev/null 2>&1 || fail "$name cannot join"
done
befriend ana ben
befriend ana eve

# --- a token goes to a file of this user's, and to nobody's screen ---

said=$(peer ana bot create echo --with ben --rate 600 2>&1)
token=$(cat "$(home ana)/bots/echo")
case $said in *"$token"*) fail "the token is shown: $said" ;; esac
case $token in palique-bot-???????????????????????????????????????????) ;; *) fail "no token: $token" ;; esac
[ "$(stat -c %a "$(home ana)/bots" "$(home ana)/bots/echo" | tr '\n' ' ')" = '700 600 ' ] || fail 'others may read the token'
says 0 palique-bot- peer ana bot create shown --with ben --show --json
says 0 '"name":"shown"' peer ana bot ls --json
grep -rqF "$token" "$(home ana)/store.db" && fail 'the store holds the token'
says 1 'already' peer ana bot create echo --with ben
says 4 'not a contact' peer ana bot create other --with nobody
says 2 'with whom' peer ana bot create other
[ ! -e "$(home ana)/bots/other" ] || fail 'a token of no bot'
says 0 removed peer ana bot remove shown
[ ! -e "$(home ana)/bots/shown" ] || fail 'the token of a bot that is gone'
# what is changed holds, what is not said stays; another token makes the one before void
says 2 'what is to be changed' peer ana bot change echo
says 4 'no bot called' peer ana bot change nobody --may read
says 0 'may propose, with ben, eve; 7 a minute' peer ana bot change echo --may propose --rate 7 --with ben eve
says 0 'may send, with ben; 7 a minute' peer ana bot change echo --may send --with ben --expires 1h
says 0 '"expires"' peer ana bot ls --json
says 0 '"rate":600' peer ana bot change echo --rate 600 --expires never --json
grep -q '"expires"' "$folder/out" && fail 'it still expires'
[ "$(cat "$(home ana)/bots/echo")" = "$token" ] || fail 'another token, unasked'
says 0 'Whoever reads that file' peer ana bot change echo --new-token
[ "$(cat "$(home ana)/bots/echo")" != "$token" ] || fail 'the same token'
PALIQUE_BOT_TOKEN=$token tries refused echo auth
ok 'tokens are made, kept, changed and removed'

# --- the ready bots ---

starts echo python3 "$bots/echo.py"
echo_pid=$pid
until_true 20 is_here echo || fail "echo is not there: $(cat "$log")"
answers 'hello there' 'hello there'
peer ben history ana --limit 1 --json | grep -q '"bot":"echo"' || fail 'a bot is not shown as one'
peer eve send ana 'who is there' >/dev/null
answers 'still here' 'still here'
peer eve history ana --json | grep -q '"own":false' && fail 'echo speaks where it may not'
ends "$echo_pid"

peer ana bot create reminder --with ben --rate 600 >/dev/null 2>&1
starts reminder python3 "$bots/reminder.py"
until_true 20 is_here reminder || fail "reminder is not there: $(cat "$log")"
answers '/remind 1s the oven' '⏰ the oven'
answers '/list' 'Nothing waits.'
answers '/forget 7' '/forget 1 forgets the first one of /list'
peer ben history ana --json | grep -q '"buttons":\["/list"\]' || fail 'no button'
# nobody ends it by what they say: a number without end, a list longer than a message
peer ben send ana -- "/forget $(printf '%5000s' '' | tr ' ' 9)" >/dev/null
for i in 1 2 3 4 5 6; do peer ben send ana -- "/remind 1w $(printf '%1000s' '' | sed 's/ /⏰/g')" >/dev/null; done
peer ben send ana -- /list >/dev/null
answers '/remind 1s that all' '⏰ that all'
ends "$pid"

peer ana bot create upper --with ben >/dev/null 2>&1
starts upper python3 "$bots/bridge.py" upper -- tr a-z A-Z
until_true 20 is_here upper || fail "upper is not there: $(cat "$log")"
# shellcheck disable=SC2016
answers 'quiet; $(touch /tmp/x) `id`' 'QUIET; $(TOUCH /TMP/X) `ID`'
ends "$pid"
# what it prints has an end, also where the program has none; nor does it wait for who does not listen
peer ana bot create endless --with ben >/dev/null 2>&1
starts endless python3 "$bots/bridge.py" endless --limit 4 -- yes
until_true 20 is_here endless || fail "endless is not there: $(cat "$log")"
answers 'without end' 'y\ny\n…'
ends "$pid"
peer ana bot create deaf --with ben --rate 600 >/dev/null 2>&1
starts deaf python3 "$bots/bridge.py" deaf --stay --timeout 0.2 -- sleep 600
until_true 20 is_here deaf || fail "deaf is not there: $(cat "$log")"
for i in 1 2 3 4 5; do peer ben send ana -- "$(printf '%16000s' '' | tr ' ' x)" >/dev/null; done
answers 'do you hear' '(it has ended; the next message begins it anew)'
ends "$pid"
peer ana bot create stay --with ben >/dev/null 2>&1
starts stay python3 "$bots/bridge.py" stay --stay -- sh -c 'n=0; while read -r l; do n=$((n + 1)); echo "$n: $l"; done'
until_true 20 is_here stay || fail "stay is not there: $(cat "$log")"
answers 'one' '1: one'
answers 'two' '2: two'
ends "$pid"
# what a program has begun ends with it
peer ana bot create late --with ben >/dev/null 2>&1
starts late python3 "$bots/bridge.py" late --timeout 1 -- sh -c 'echo begun; sleep 600 | cat'
until_true 20 is_here late || fail "late is not there: $(cat "$log")"
answers 'how long' 'begun\n(it took longer than 1 s and was ended)'
ends "$pid"
ok 'echo, reminder, and the bridge in both ways'

# --- the examples of docs/bots.md, as they stand there ---

# example N: the Nth ```sh of the page
example() {
	awk -v want="$1" '/^```sh$/ { n++; inside = n == want; next } /^```$/ { inside = 0 } inside' "$(dirname "$0")/../../docs/bots.md"
}
mkdir "$folder/example"
example 1 >"$folder/example/run"
grep -q 'recv --follow --exec' "$folder/example/run" || fail 'the first example is another one'
(cd "$folder/example" && exec setsid timeout -s KILL 600 env PALIQUE_HOME="$(home ana)" sh run >"$folder/example.log" 2>&1) &
started="$started $!"
log=$folder/example.log
answers '/hi' 'hello ben'
answers '/count a b c' '4'
before=$(peer ben history ana --limit 1000 --json | wc -l)
# what a program says is not answered
peer ana bot create other --with ben >/dev/null 2>&1
answers '/hi again' 'hello ben'
[ "$(peer ben history ana --limit 1000 --json | wc -l)" -le $((before + 2)) ] || fail 'programs answer each other'
peer ana stop >/dev/null 2>&1
if command -v jq >/dev/null; then
	example 2 >"$folder/example/run2"
	grep -q jq "$folder/example/run2" || fail 'the second example is another one'
	(cd "$folder/example" && exec setsid timeout -s KILL 600 env PALIQUE_HOME="$(home ana)" sh run2 >"$folder/example2.log" 2>&1) &
	reader=$!
	started="$started $reader"
	log=$folder/example2.log
	until_true 10 is_online ana || fail 'ana is away'
	answers 'ping' 'pong'
	kill -9 "-$reader" # what it reads counts as read
fi
example 3 >"$folder/example/run3"
peer ana bot remove echo >/dev/null 2>&1
sed 's/bob/ben/' "$folder/example/run3" >"$folder/example/run4"
PALIQUE_HOME=$(home ana) sh "$folder/example/run4" >/dev/null 2>&1 || fail 'the third example'
[ -e "$(home ana)/bots/echo" ] || fail 'no token of the third example'
awk '/^```python$/ { inside = 1; next } /^```$/ { inside = 0 } inside' "$(dirname "$0")/../../docs/bots.md" >"$folder/example/ten.py"
starts ten env PYTHONPATH="$(cd "$bots" && pwd)" python3 "$folder/example/ten.py"
until_true 20 is_here echo || fail "the example in Python is not there: $(cat "$log")"
answers '/hi you' 'hello ben'
peer ben history ana --json | grep -q '"buttons":\["/hi again"\]' || fail 'no button'
answers 'as I say' 'as I say'
ends "$pid"
ok 'the examples of docs/bots.md'

# --- recv --exec: conversations side by side, each in its order, and nothing is lost ---

recv() {
	log=$folder/recv.log
	: >"$log"
	setsid env PALIQUE_HOME="$(home ana)" MARKS="$folder/marks" palique recv --follow "$@" >"$log" 2>&1 &
	pid=$!
	started="$started $pid"
}
mkdir "$folder/marks"
cat >"$folder/side" <<'END'
#!/bin/sh
# eve's waits for ben's, and in a conversation nobody overtakes
mkdir "$MARKS/$PALIQUE_FROM" || { echo overtaken; exit; }
case $PALIQUE_TEXT in
wait) until [ -e "$MARKS/go" ]; do sleep 0.05; done ;;
go) touch "$MARKS/go" ;;
never) echo $$ >"$MARKS/never"; exec sleep 600 ;;
esac
rmdir "$MARKS/$PALIQUE_FROM"
echo "$PALIQUE_TEXT it is"
END
chmod +x "$folder/side"
for name in ben eve; do peer ana read $name >/dev/null 2>&1; done # what bots have answered is not read
recv --jobs 2 --exec-timeout 60s --exec "$folder/side"
peer eve send ana wait --wait delivered >/dev/null || fail 'eve cannot send'
for i in 1 2 3 go 4 5; do peer ben send ana "$i" >/dev/null; done
for i in 1 2 3 go 4 5; do until_true 30 hears "$i it is" || fail "no answer to $i: $(cat "$log")"; done
eve_hears() {
	peer eve history ana --json | grep -F '"own":false' | grep -qF 'wait it is'
}
until_true 30 eve_hears || fail "eve waits in vain: $(cat "$log")"
[ "$(peer ben history ana --limit 1000 --json | sed -n 's/.*"text":"\(.*\) it is".*/\1/p' | tr '\n' ' ')" = '1 2 3 go 4 5 ' ] ||
	fail "out of order: $(peer ben history ana)"
# killed in the middle of one, which comes again; and one that takes too long is ended
peer ben send ana never >/dev/null
until_true 30 test -s "$folder/marks/never" || fail "it is not begun: $(cat "$log")"
ends "$pid"
until_true 20 has_ended "$(cat "$folder/marks/never")" || fail 'a program outlives who began it'
rm -r "$folder/marks/never" "$folder/marks/ben"
recv --exec-timeout 1s --exec "$folder/side"
until_true 30 grep -q 'took longer than 1 s' "$log" || fail "it is not begun again, or not ended: $(cat "$log")"
is_read() {
	peer ana ls --json | grep '"name":"ben"' | grep -q '"unread":0,'
}
until_true 30 is_read || fail 'what took too long is to be done for ever'
ends "$pid" # a machine that does much else may need more than a second for what comes
rm -rf "$folder/marks/ben"
recv --exec-timeout 60s --exec "$folder/side"
answers 'after that' 'after that it is'
ends "$pid"
peer ben send ana 'after the chmod' --wait delivered >/dev/null
says 4 'there is no program' peer ana recv --exec "$folder/nothing"
chmod -x "$folder/side"
says 5 'chmod +x' peer ana recv --exec "$folder/side"
chmod +x "$folder/side"
recv --exec "$folder/side"
answers 'and this' 'and this it is'
hears 'after the chmod it is' || fail 'what no program could handle counts as read'
ends "$pid"
says 2 'for --exec' peer ana recv --jobs 2
says 0 'program speaks here' peer ana profile --bot yes
until_true 10 sh -c "'$programs/palique' --home '$(home ben)' profile ana | grep -q 'program speaks here'" || fail 'ben is not told that it is a bot'
says 0 '' peer ana profile --bot no
says 2 'yes or no' peer ana profile --bot maybe
ok 'recv --exec answers side by side, in order, at least once; an account says that it is a bot'

# --- proposals ---

peer ana bot create helper --with ben --may propose >/dev/null 2>&1
starts helper python3 "$bots/echo.py" helper
until_true 20 is_here helper || fail "helper is not there: $(cat "$log")"
number() {
	peer ana bot proposals --json | sed -n 's/^{"id":"\([0-9]*\)".*/\1/p' | head -n 1
}
waits() {
	[ -n "$(number)" ]
}
peer ben send ana 'first wish' >/dev/null
until_true 20 waits || fail "nothing is proposed: $(cat "$log")"
hears 'first wish' && fail 'it was said without a person'
says 0 '    | first wish' peer ana bot proposals
says 0 'in answer to message' peer ana bot proposals
says 0 'said to ben' peer ana bot approve "$(number)"
until_true 20 hears 'first wish' || fail 'approved and not said'
peer ben send ana 'second wish' >/dev/null
until_true 20 waits || fail 'nothing is proposed'
second=$(number)
says 0 'not said' peer ana bot reject "$second"
says 4 'no such proposal' peer ana bot approve "$second"
peer ben send ana 'third wish' >/dev/null
until_true 20 waits || fail 'nothing is proposed'
says 0 'said to ben' peer ana bot approve "$(number)" other words
until_true 20 hears 'other words' || fail 'approved and not said'
hears 'second wish' && fail 'rejected and said'
peer ben history ana --json | grep -F 'other words' | grep -q '"bot":"helper"' || fail 'not marked as of a bot'
ends "$pid"
ok 'proposals are approved, changed and rejected'

# --- what a token allows, and what not ---

peer ana bot create bad --with ben --rate 600 >/dev/null 2>&1
tries hostile bad ben eve
peer ana bot create few --with ben --rate 3 >/dev/null 2>&1
tries rate few ben 3
peer ana bot create short --with ben --expires 1s >/dev/null 2>&1
peer ana bot create long --with ben >/dev/null 2>&1
starts long python3 "$tool" "$(home ana)" ends long
long_log=$log
until_true 20 grep -q in "$log" || fail "long is not in: $(cat "$log")"
says 0 '' peer ana bot change long --expires 1s
peer ana bot create gone --with ben >/dev/null 2>&1
cp "$(home ana)/bots/gone" "$folder/gone"
starts gone python3 "$tool" "$(home ana)" ends gone
until_true 20 grep -q in "$log" || fail "gone is not in: $(cat "$log")"
peer ana bot remove gone >/dev/null 2>&1
until_true 10 grep -q over "$log" || fail 'a removed bot is still connected'
cp "$folder/gone" "$(home ana)/bots/gone"
tries refused gone auth
until_true 20 grep -q over "$long_log" || fail "an expired bot is still connected: $(cat "$long_log")"
tries refused short expired
tries floods bad
peer ana bot create failing --with ben --rate 600 >/dev/null 2>&1
tries module failing ben "$(peer ana status --json | sed 's/.*"pid":\([0-9]*\).*/\1/')"
is_online ana || fail 'the engine is not well'
ok 'a token does only what it may'

# --- at least once, whenever the bot or the engine dies ---

peer ana bot create once --with ben --rate 600 >/dev/null 2>&1
starts once python3 "$tool" "$(home ana)" dies once never 1
until_true 20 is_here once || fail "once is not there: $(cat "$log")"
ends "$pid"
n=0
for point in heard said acknowledged; do
	for count in 1 2; do
		n=$((n + 1))
		for i in 1 2 3; do peer ben send ana "m$n.$i" >/dev/null; done
		starts once python3 "$tool" "$(home ana)" dies once $point $count
		until_true 20 sh -c "! kill -0 $pid 2>/dev/null" || fail "it does not die at $point"
		wait "$pid" 2>/dev/null || true
		starts once python3 "$tool" "$(home ana)" dies once never 1
		for i in 1 2 3; do
			until_true 20 hears "re m$n.$i" || fail "m$n.$i was lost when it died at $point ($(cat "$log"))"
		done
		ends "$pid"
		checks=$((checks + 1))
	done
done
# the engine too, in the middle of it
starts once python3 "$tool" "$(home ana)" dies once never 1
for round in 1 2 3; do
	for i in 1 2 3 4 5; do peer ben send ana "e$round.$i" >/dev/null; done
	engine=$(peer ana status --json | sed 's/.*"pid":\([0-9]*\).*/\1/')
	for i in 6 7 8 9; do peer ben send ana "e$round.$i" --wait queued >/dev/null; done
	kill -9 "$engine"
	for i in 1 2 3 4 5 6 7 8 9; do
		until_true 60 hears "re e$round.$i" || fail "e$round.$i was lost with the engine ($(cat "$log"))"
	done
	checks=$((checks + 1))
done
ends "$pid"
ok 'nothing is lost when a bot or its engine is killed'
say "bots: $checks facts"
