#!/bin/sh
# web.sh BUILD: the browser's face from outside, by clients that behave badly: who gets in and who does not, what is
# refused before it is read, files both ways, WebSockets full of garbage, a page that reads nothing; and that the
# engine minds none of it.
BUILD=${1-build}
. "$(dirname "$0")/common.sh"
web_tool=$BUILD/tests/system/web_tool

# get_in NAME: a session: $port of 127.0.0.1, $cookie, $key
get_in() {
	url=$(peer "$1" web --no-open) || fail "no web: $url"
	port=${url#http://127.0.0.1:}
	token=${port#*t=}
	port=${port%%/*}
	site=http://127.0.0.1:$port
	curl -s -X POST "$site/session" -d "{\"token\":\"$token\"}" -D "$folder/head" -o "$folder/body"
	cookie=$(sed -n 's/^Set-Cookie: palique-[0-9]*=\([^;]*\);.*/\1/p' "$folder/head")
	key=$(sed -n 's/^{"key":"\([^"]*\)"}$/\1/p' "$folder/body")
	[ -n "$cookie" ] && [ -n "$key" ] || fail "no session: $(cat "$folder/head")"
}
# status CURL-ARGUMENTS...: the answer's status; its body is $folder/body then
status() {
	curl -s -o "$folder/body" -w '%{http_code}' "$@" || true
}
# answers STATUS CURL-ARGUMENTS...
answers() {
	want=$1
	shift
	got=$(status "$@")
	[ "$got" = "$want" ] || fail "$got instead of $want: $*"
	checks=$((checks + 1))
}
with_both() {
	want=$1
	shift
	answers "$want" -b "palique-$port=$cookie" -H "X-Palique-Key: $key" "$@"
}
# page LINE...: what a page is answered
page() {
	printf '%s\n' "$@" | "$web_tool" socket "$port" "$cookie" "$key" $#
}
alive() {
	peer ana status --json | grep -q '"version"' || fail "the engine is not well after: $*"
	answers 200 "$site/"
}
last() {
	peer "$1" history "$2" --limit 1 --json | sed 's/^{"id":"\([0-9]*\)".*/\1/'
}

directory_port=$(free_port)
start_directory "127.0.0.1:$directory_port"
for name in ana ben; do
	make_home $name 'listen = 127.0.0.1:0'
	join $name "$(invite)" >/dev/null 2>&1 || fail "$name cannot join"
	mkdir "$folder/got-$name"
	peer $name settings downloads "$folder/got-$name" >/dev/null || fail "no downloads folder for $name"
done
befriend ana ben

# --- who gets in ---
get_in ana
answers 403 -X POST "$site/session" -d "{\"token\":\"$token\"}" # once only
answers 403 -X POST "$site/session" -d '{"token":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}'
answers 403 -X POST "$site/session" -d '{"token":""}'
answers 400 -X POST "$site/session" -d '{"token":7}'
answers 400 -X POST "$site/session" -d 'token=x'
answers 400 -X POST "$site/session" -d '[]'
with_both 204 "$site/session"
answers 401 "$site/session"
answers 401 -b "palique-$port=$cookie" "$site/session"
answers 401 -H "X-Palique-Key: $key" "$site/session"
answers 401 -b "palique-$port=$key" -H "X-Palique-Key: $cookie" "$site/session"
answers 401 -b "palique-$port=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" -H 'X-Palique-Key: AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' "$site/session"
answers 401 -b "palique-1=$cookie" -H "X-Palique-Key: $key" "$site/session"
# Another program of this machine may set cookies of our name; ours counts all the same.
answers 204 -b "palique-$port=evil; palique-$port=$cookie" -H "X-Palique-Key: $key" "$site/session"
for path in thumbnail/1 image/1 picture/ben picture/ upload/0123456789abcdef0123456789abcdef; do
	answers 401 "$site/$path"
	answers 401 -b "palique-$port=$cookie" "$site/$path"
	answers 401 -H "X-Palique-Key: $key" "$site/$path"
done
answers 401 "$site/file/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
answers 401 -X POST -d '' "$site/ticket/1"
first_cookie=$cookie first_key=$key
get_in ana
answers 401 -b "palique-$port=$first_cookie" -H "X-Palique-Key: $key" "$site/session" # of two sessions
with_both 204 -X POST -d '' "$site/session/end"
with_both 401 "$site/session"
answers 204 -b "palique-$port=$first_cookie" -H "X-Palique-Key: $first_key" "$site/session"
cookie=$first_cookie key=$first_key
ok "who gets in ($checks)"

# --- where from ---
for host in "localhost:$port" "evil.example:$port" "127.0.0.1" "127.0.0.1:1" "127.0.0.1.evil.example:$port" "127.0.0.1:$port.evil.example" \
	"[::1]:$port" "0.0.0.0:$port" "127.1:$port" "2130706433:$port" "127.0.0.1:0$port" " 127.0.0.1:$port,evil"; do
	answers 421 -H "Host: $host" "$site/"
	with_both 421 -H "Host: $host" "$site/session"
done
answers 421 -H 'Host:' "$site/"
for origin in null http://evil.example "http://localhost:$port" "https://127.0.0.1:$port" http://127.0.0.1 "http://127.0.0.1:$port.evil.example" "http://127.0.0.1:1" "http://127.0.0.1:$port/"; do
	with_both 403 -H "Origin: $origin" "$site/session"
	answers 403 -X POST -H "Origin: $origin" -d '{}' "$site/session"
done
for from in cross-site same-site SAME-ORIGIN ''; do
	with_both 403 -H "Sec-Fetch-Site: ${from:-x}" "$site/session"
done
with_both 204 -H "Origin: $site" -H 'Sec-Fetch-Site: same-origin' "$site/session"
for method in HEAD OPTIONS DELETE PATCH PUT POST; do
	got=$(status -X "$method" -m 5 "$site/")
	case $got in
	4* | 000) checks=$((checks + 1)) ;;
	*) fail "$method / is answered by $got" ;;
	esac
done
for path in /nothing /assets/ /assets/../index.html /assets/%2e%2e%2findex.html /assets/..%2f..%2fetc%2fpasswd /assets/.hidden /assets/app.js%00.html \
	//etc/passwd /../../etc/passwd /upload/../store.db /picture/../../x /texts/../es /index.html/.. '/assets/a%0d%0aX: y' /session/ /SESSION; do
	got=$(status --path-as-is -m 5 "$site$path")
	case $got in
	200) grep -q 'root:\|SQLite' "$folder/body" && fail "$path gives what it should not" ;;
	esac
	[ "$got" != 200 ] || cmp -s "$folder/body" peer/faces/web/page/index.html || fail "$path is answered by 200"
	checks=$((checks + 1))
done
curl -s -D "$folder/head" -o "$folder/body" "$site/"
for words in "default-src 'none'" "script-src 'self'" "require-trusted-types-for 'script'" "trusted-types 'none'" "frame-ancestors 'none'" 'X-Frame-Options: DENY' \
	'X-Content-Type-Options: nosniff' 'Referrer-Policy: no-referrer' 'Cross-Origin-Opener-Policy: same-origin' 'Cross-Origin-Resource-Policy: same-origin' no-store; do
	grep -qF "$words" "$folder/head" || fail "the page is not sent with $words"
	checks=$((checks + 1))
done
tag=$(curl -s -D - -o "$folder/body" "$site/assets/app.js" | sed -n 's/^ETag: \("[0-9a-f]*"\).*/\1/p')
answers 304 -H "If-None-Match: $tag" "$site/assets/app.js"
answers 200 -H 'If-None-Match: "0"' "$site/assets/app.js"
answers 200 "$site/texts/es"
answers 404 "$site/texts/xx"
answers 200 -b "palique-$port=$cookie" "$site/qr?text=palique%3Aana"
answers 400 -b "palique-$port=$cookie" "$site/qr"
answers 401 "$site/qr?text=x"
# Nobody else of this machine: their bytes are not even read.
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	got=0
	setpriv --reuid 65534 --clear-groups curl -s -m 5 "$site/" >"$folder/body" || got=$?
	[ $got != 0 ] && [ ! -s "$folder/body" ] || fail 'another user of the machine is answered'
	checks=$((checks + 1))
fi
ok "where from ($checks)"

# --- heads and bodies that are none ---
head -c 30000 /dev/zero | tr '\0' a >"$folder/long"
got=$(status -m 30 -H "X-Long: $(cat "$folder/long")" "$site/")
[ "$got" != 200 ] || fail 'an endless header is taken'
answers 421 -m 30 -H "Host: $(head -c 2000 "$folder/long")" "$site/"
got=$(status -m 30 -H "Cookie: palique-$port=$(head -c 9000 "$folder/long")" -H "X-Palique-Key: $key" "$site/session")
[ "$got" = 401 ] || fail "an endless cookie is answered by $got"
with_both 413 -m 30 -X POST --data-binary "@$folder/long" "$site/session/end"
with_both 411 -m 30 -X POST -H 'Transfer-Encoding: chunked' -d '{}' "$site/session/end"
for request in 'GET / HTTP/1.1' 'GET' '' 'G' 'GET  HTTP/1.1' 'GET / HTTP/9.9' 'BREW / HTTP/1.1' 'CONNECT 127.0.0.1:22 HTTP/1.1' 'GET http://evil.example/ HTTP/1.1' \
	'GET /socket HTTP/1.1' 'PRI * HTTP/2.0' "$(head -c 300 /dev/urandom | tr -d '\0\n')"; do
	printf '%s\r\nHost: 127.0.0.1:%s\r\nConnection: close\r\n\r\n' "$request" "$port" | timeout 30 "$web_tool" raw "$port" >"$folder/body"
	checks=$((checks + 1))
done
for upgrade in foo h2c 'websocket, h2c' WebSocket; do
	printf 'GET / HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nUpgrade: %s\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n\r\n' "$port" "$upgrade" |
		timeout 30 "$web_tool" raw "$port" >"$folder/body"
	! grep -q '^HTTP/1.1 101' "$folder/body" || fail "an upgrade to $upgrade"
	checks=$((checks + 1))
done
three_answers() {
	printf 'GET / HTTP/1.1\r\nHost: 127.0.0.1:%s\r\n\r\nGET /assets/app.js HTTP/1.1\r\nHost: 127.0.0.1:%s\r\n\r\nGET /session HTTP/1.1\r\nHost: 127.0.0.1:%s\r\n\r\n' "$port" "$port" "$port" |
		timeout 30 "$web_tool" raw "$port" >"$folder/body"
	[ "$(grep -c '^HTTP/1.1 ' "$folder/body")" = 3 ]
}
until_true 10 three_answers || fail 'three requests on one connection are not three answers'
head -c 200000 /dev/urandom | timeout 30 "$web_tool" raw "$port" >/dev/null || true
alive 'garbage'
ok "heads and bodies ($checks)"

# --- many, and slow ones ---
mkfifo "$folder/hold"
"$web_tool" many "$port" 100 30 <"$folder/hold" >"$folder/closed" &
started="$started $!"
exec 4>"$folder/hold"
until_true 30 test -s "$folder/closed" || fail 'a hundred connections are not answered'
[ "$(cat "$folder/closed")" -ge 30 ] || fail "of a hundred connections $(cat "$folder/closed") are closed"
peer ana status --json >/dev/null || fail 'the engine does not answer beside a hundred connections'
# The patience with the others ends.
until_true 60 sh -c 'curl -s -m 2 -o "$1" "$2"' - "$folder/body" "$site/" || fail 'half requests keep everybody out'
exec 4>&-
ok "many and slow ($checks)"

# --- what a page may ask ---
page '{"jsonrpc":"2.0","id":1,"method":"listContacts"}' | grep -q '"name":"ben"' || fail 'a page does not see contacts'
for line in '{"method":"stop"}' '{"method":"openWeb"}' '{"method":"closeWeb"}' '{"method":"exportAccount","params":{"path":"/tmp/x","passphrase":"y"}}' \
	'{"method":"sendFile","params":{"conversation":"ben","path":"/etc/passwd"}}' '{"method":"acceptFile","params":{"id":"1","folder":"/tmp"}}' \
	'{"method":"setSettings","params":{"downloads":"/tmp"}}' '{"method":"createBot"}' '{"method":"authenticate"}'; do
	line="{\"jsonrpc\":\"2.0\",\"id\":1,${line#?}"
	page "$line" | grep -q '"kind":"refused"' || fail "a page may: $line ($(page "$line"))"
	checks=$((checks + 1))
done
page '{"jsonrpc":"2.0","id":1,"method":"setProfile","params":{"picture":"/etc/passwd"}}' | grep -q '"kind":"not-found"' || fail 'a page names a path as a picture'
for line in '{"jsonrpc":"2.0","id":1,"method":"nothing"}' '[]' '{' '{"id":1}' '"x"' '{"jsonrpc":"2.0","id":1,"id":2,"method":"status"}' '{"jsonrpc":"2.0","id":1,"method":"status","params":[]}'; do
	page "$line" | grep -q '"error"' || fail "no error: $line"
	checks=$((checks + 1))
done
[ -n "$(peer ana status --json)" ] || fail 'the engine has ended'
for what in reserved opcode binary utf8 length oversize endless control; do
	[ "$(timeout 120 "$web_tool" garbage "$port" "$cookie" "$key" $what)" = closed ] || fail "$what is not the end of a socket"
	checks=$((checks + 1))
done
"$web_tool" garbage "$port" "$cookie" "$key" fragments | grep -q '^pong {.*"result"' || fail 'a message in fragments, and a ping between'
"$web_tool" garbage "$port" "$key" "$cookie" fragments | grep -q '^HTTP/1.1 401' || fail 'a socket without a session'
"$web_tool" garbage "$port" "$cookie" "$cookie" fragments | grep -q '^HTTP/1.1 401' || fail 'a socket without a key'
answers 403 -m 5 -b "palique-$port=$cookie" -H "Sec-WebSocket-Protocol: palique, palique.$key" -H 'Origin: http://evil.example' -H 'Upgrade: websocket' \
	-H 'Connection: Upgrade' -H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' "$site/socket"
answers 426 -b "palique-$port=$cookie" -H "X-Palique-Key: $key" "$site/socket"
alive 'garbage in sockets'
ok "what a page may ask ($checks)"

# --- files ---
head -c 3000000 /dev/urandom >"$folder/film"
spool=$(page '{"jsonrpc":"2.0","id":1,"method":"newSpool"}' | sed 's/.*"spool":"\([0-9a-f]*\)".*/\1/')
head -c 1000000 "$folder/film" >"$folder/begin"
tail -c +1000001 "$folder/film" >"$folder/rest"
with_both 200 -X PUT --data-binary "@$folder/begin" "$site/upload/$spool?offset=0"
grep -q '^{"length":1000000}$' "$folder/body" || fail "uploaded: $(cat "$folder/body")"
with_both 409 -X PUT --data-binary "@$folder/rest" "$site/upload/$spool?offset=999999"
with_both 409 -X PUT --data-binary "@$folder/rest" "$site/upload/$spool?offset=0"
with_both 400 -X PUT --data-binary "@$folder/rest" "$site/upload/$spool?offset=-1"
with_both 400 -X PUT --data-binary "@$folder/rest" "$site/upload/$spool"
with_both 404 -X PUT --data-binary "@$folder/rest" "$site/upload/00000000000000000000000000000000?offset=0"
# A line that breaks in the midst of it: what came is there, and it goes on behind that.
{
	printf 'PUT /upload/%s?offset=1000000 HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nCookie: palique-%s=%s\r\nX-Palique-Key: %s\r\nContent-Length: 2000000\r\n\r\n' "$spool" "$port" "$port" "$cookie" "$key"
	head -c 500000 "$folder/rest"
} | "$web_tool" raw "$port" >/dev/null
uploaded() {
	status -b "palique-$port=$cookie" -H "X-Palique-Key: $key" "$site/upload/$spool" >/dev/null
	length=$(sed -n 's/^{"length":\([0-9]*\)}$/\1/p' "$folder/body")
	[ "${length:-0}" -gt 1000000 ]
}
until_true 20 uploaded || fail "nothing of a broken upload is there: $(cat "$folder/body")"
# The engine may still be busy with what it got before.
goes_on() {
	uploaded && tail -c +$((length + 1)) "$folder/film" >"$folder/rest" &&
		[ "$(status -b "palique-$port=$cookie" -H "X-Palique-Key: $key" -X PUT --data-binary "@$folder/rest" "$site/upload/$spool?offset=$length")" = 200 ]
}
until_true 20 goes_on || fail "a broken upload does not go on: $(cat "$folder/body")"
cmp "$folder/film" "$folder/home-ana/spool/$spool" || fail 'what was uploaded is another file'
page "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"sendFile\",\"params\":{\"conversation\":\"ben\",\"spool\":\"$spool\",\"name\":\"la película \\\"1\\\".mkv\"}}" | grep -q '"result"' || fail 'a spool is not sent'
until_true 30 sh -c 'cmp -s "$1" "$2"/*' - "$folder/film" "$folder/got-ben" || fail "ben gets another file: $(peer ben files --all)"
until_true 20 peer ben history ana || fail 'no history'
get_in ben
message=$(last ben ana)
ticket() {
	with_both 200 -X POST -d '' "$site/ticket/$message"
	sed 's/.*:"//; s/".*//' "$folder/body"
}
one=$(ticket)
curl -s -b "palique-$port=$cookie" -D "$folder/head" -o "$folder/body" "$site/file/$one"
cmp "$folder/film" "$folder/body" || fail 'a download is another file'
for words in 'Content-Disposition: attachment; filename' nosniff "default-src 'none'" sandbox 'Content-Type: application/octet-stream' no-store 'Content-Length: 3000000'; do
	grep -q -- "$words" "$folder/head" || fail "a download without $words"
done
answers 206 -b "palique-$port=$cookie" -r 1000-1999 "$site/file/$one"
tail -c +1001 "$folder/film" | head -c 1000 | cmp - "$folder/body" || fail 'other bytes of a range'
answers 206 -b "palique-$port=$cookie" -r -7 "$site/file/$one"
tail -c 7 "$folder/film" | cmp - "$folder/body" || fail 'other last bytes'
answers 416 -b "palique-$port=$cookie" -r 3000000- "$site/file/$one"
answers 401 "$site/file/$one"
answers 404 -b "palique-$port=$cookie" "$site/file/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
answers 404 -b "palique-$port=$cookie" "$site/file/$message"
with_both 404 "$site/image/$message" # it is none
with_both 404 "$site/thumbnail/$message"
with_both 404 "$site/thumbnail/99999999999999999999"
with_both 404 "$site/picture/nobody"
get_in ana
answers 404 -b "palique-$port=$cookie" "$site/file/$one" # of another engine
ok "files ($checks)"

# --- a disk that is full: what fits is there, and the page is told ---
make_home dan 'listen = 127.0.0.1:0'
(ulimit -f 4096 && peer dan status >/dev/null) # blocks of 512 bytes
get_in dan
spool=$(page '{"jsonrpc":"2.0","id":1,"method":"newSpool"}' | sed 's/.*"spool":"\([0-9a-f]*\)".*/\1/')
with_both 507 -X PUT --data-binary "@$folder/film" "$site/upload/$spool?offset=0"
uploaded || fail 'of an upload that did not fit nothing is there'
[ "$length" -le 2097152 ] || fail "more is there than fits: $length"
with_both 204 "$site/session"
get_in ana
ok "a full disk ($checks)"

# --- a page that reads nothing, while more is said than it may leave unread ---
exec 5>&-
mkfifo "$folder/hold-deaf"
"$web_tool" deaf "$port" "$cookie" "$key" <"$folder/hold-deaf" >"$folder/deaf" &
started="$started $!"
exec 4>"$folder/hold-deaf"
until_true 20 grep -q deaf "$folder/deaf" || fail 'no deaf page'
mkfifo "$folder/hold-rpc"
peer ana rpc <"$folder/hold-rpc" >"$folder/heard" &
started="$started $!"
exec 5>"$folder/hold-rpc"
printf '{"jsonrpc":"2.0","id":1,"method":"subscribe"}\n' >&5
until_true 20 grep -q lastEventId "$folder/heard" || fail 'no subscription'
count=1500
text=$(head -c 12000 /dev/zero | tr '\0' x)
i=0
while [ $i -lt $count ]; do
	i=$((i + 1))
	printf '{"jsonrpc":"2.0","method":"send","params":{"conversation":"ana","text":"%s %s"}}\n' "$i" "$text"
done >"$folder/flood"
peer ben rpc <"$folder/flood" >/dev/null
all_heard() {
	[ "$(grep -c '"method":"receive"' "$folder/heard")" = $count ]
}
until_true 120 all_heard || fail "beside a deaf page $(grep -c '"method":"receive"' "$folder/heard") of $count were heard"
alive 'a deaf page'
page '{"jsonrpc":"2.0","id":1,"method":"status"}' | grep -q '"result"' || fail 'no page beside a deaf one'
exec 4>&- 5>&-
ok "a page that reads nothing ($checks)"

# --- without the library's part for this loop: the engine runs as ever, and says what to install ---
plugin=$(find /usr/lib /lib /usr/local/lib -name 'libwebsockets-evlib_uv.so' 2>/dev/null | head -n 1)
if [ "$(id -u)" = 0 ] && [ -n "$plugin" ] && unshare -m true 2>/dev/null; then
	make_home cid 'listen = 127.0.0.1:0'
	unshare -m sh -c 'mount --bind /dev/null "$1" && exec "$2" --home "$3" status' - "$plugin" "$programs/palique" "$folder/home-cid" >/dev/null ||
		fail 'no engine without the plugin'
	says 4 'libwebsockets-evlib-uv' peer cid web --no-open
	says 0 'account' peer cid status
	ok "without the library ($checks)"
fi

# --- the end ---
says 0 'closed' peer ana web stop
[ "$(status -m 5 "$site/")" = 000 ] || fail 'it listens after web stop'
for i in 1 2 3 4 5 6 7 8; do
	get_in ana
	"$web_tool" deaf "$port" "$cookie" "$key" </dev/null >/dev/null
	peer ana web stop >/dev/null
done
says 0 "http://127.0.0.1:$port/" peer ana web --no-open --port "$port"
says 1 'already' peer ana web --no-open --port $((port + 1))
says 2 '--port' peer ana web --port x
peer ana stop >/dev/null
[ "$(status -m 5 "$site/")" = 000 ] || fail 'it listens after the engine'
ok "the end ($checks)"
echo "web: $checks checks"
