#!/bin/sh
# terminal.sh BUILD: the terminal's face with the real programs under tmux, one person in English and one in
# Spanish: join, add, accept, chat, answer, react, edit, an image, a file that is interrupted, search, another
# device, an engine that hangs and one that ends; and the line mode of screen readers.
BUILD=${1-build}
. "$(dirname "$0")/common.sh"

command -v tmux >/dev/null || {
	say 'skipped: there is no tmux'
	exit 0
}
terminals=palique-$$
in_tmux() {
	tmux -u -L "$terminals" -f /dev/null "$@"
}
end_terminals() {
	status=$?
	in_tmux kill-server >/dev/null 2>&1 || true
	(exit $status)
	clean_up
}
trap end_terminals EXIT

# opens NAME LANGUAGE COLUMNSxROWS COMMAND...: in a terminal of its own
opens() {
	who=$1 language=$2 size=$3
	shift 3
	in_tmux new-session -d -s "$who" -x "${size%x*}" -y "${size#*x}" \
		env -u NO_COLOR LC_ALL=C.UTF-8 LANGUAGE="$language" TERM=tmux-256color "$@"
}
face() {
	opens "$1" "$2" "$3" "$programs/palique" --home "$folder/home-$1"
}
types() {
	who=$1
	shift
	in_tmux send-keys -t "$who" "$@"
}
# writes NAME LINE: and Enter
writes() {
	in_tmux send-keys -t "$1" -l -- "$2"
	in_tmux send-keys -t "$1" Enter
}
shown() {
	in_tmux capture-pane -p -t "$1"
}
is_shown() {
	shown "$1" | grep -qF -- "$2"
}
# sees NAME WORDS: until they stand on the screen
sees() {
	until_true 15 is_shown "$1" "$2" || fail "$1 does not see \"$2\": $(shown "$1")"
	checks=$((checks + 1))
}
is_not_shown() {
	! is_shown "$1" "$2"
}
loses() {
	until_true 15 is_not_shown "$1" "$2" || fail "$1 still sees \"$2\": $(shown "$1")"
	checks=$((checks + 1))
}
is_gone() {
	! in_tmux has-session -t "$1" 2>/dev/null
}

port=$(free_port)
start_directory "127.0.0.1:$port"
for name in ana ben eve; do
	make_home $name 'listen = 127.0.0.1:0'
done
mkdir "$folder/got"

# --- who has no account is asked in lines, and then is there ---
face ana en 80x24
sees ana '1, 2, 3 or 4'
writes ana 1
sees ana 'the link'
writes ana "$(invite)"
sees ana 'your name'
writes ana ana
sees ana 'password'
writes ana "$password"
sees ana 'once more'
writes ana "$password"
sees ana 'Enter opens the conversations'
types ana Enter
sees ana '/add NAME adds somebody'
join ben "$(invite)" >/dev/null 2>&1 || fail 'ben cannot join'
peer ben settings downloads "$folder/got" >/dev/null
face ben es 100x30
sees ben 'Ctrl+Q sale'
ok "begun ($checks)"

# --- add and accept ---
writes ana '/add ben'
sees ana 'ben was asked'
sees ben 'ana quiere hablar contigo'
writes ben '/requests'
sees ben 'Quién quiere hablar contigo'
types ben a
sees ana 'ben'
types ben Escape
loses ben 'Quién quiere hablar contigo'
writes ana '/chat ben'
sees ana 'ben  online'
writes ben '/chat ana'
sees ben 'ana  en línea'
ok "contacts ($checks)"

# --- talk ---
writes ana 'at seven or at eight? :heart:'
sees ben 'at seven or at eight? ❤️'
sees ana '✓✓'
types ben -l 'a las'
sees ana 'types'
types ben M-Enter
types ben -l 'ocho'
types ben Enter
sees ana 'ocho'
writes ana '/reply at eight it is'
sees ben '▏tú: a las'
sees ben 'at eight it is'
writes ben '/react :+1:'
sees ana '👍'
writes ana '/edit at nine it is'
sees ben '(cambiado)'
sees ben 'at nine it is'
writes ana 'a slip'
sees ben 'a slip'
types ana BTab
sees ana 'd delete'
types ana d
sees ben '(borrado)'
loses ben 'a slip'
# pasted text is not sent before Enter, however many lines it has
printf 'first line\nsecond \033[31mline' >"$folder/pasted"
in_tmux load-buffer "$folder/pasted"
in_tmux paste-buffer -p -t ana
sees ana 'second '
sees ana 'Enter sends'
types ana Enter
sees ben 'second '
types ana -l '/saf'
types ana Tab
sees ana '/safety [NAME]'
types ana Enter
sees ana 'Safety number with ben'
sees ana 'v: they are the same'
types ana v
sees ana 'verified'
types ana Escape
sees ana 'ben  online ✔'
# what comes from outside is shown and not obeyed
peer ben send ana "$(printf 'evil \033[2J\342\200\256text')" >/dev/null
sees ana 'evil \u001b[2J\u202etext'
ok "talk ($checks)"

# --- an image, and a file that is interrupted ---
printf '%s' 'iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAE0lEQVR4nGP8z8DAwMDAxMDAAAAQHgEBjAr8GQAAAABJRU5ErkJggg==' |
	base64 -d >"$folder/a picture.png"
writes ana "/file $folder/a picture.png"
sees ben 'a picture.png'
peer ben settings accept-up-to 0 >/dev/null
head -c 60000000 /dev/urandom >"$folder/film.bin"
writes ana "/file $folder/film.bin the film"
sees ben '/fetch'
writes ben '/fetch'
sees ben '%'
writes ben '/pause'
sees ben '/fetch continúa'
peer ana stop >/dev/null
sees ana 'The line to the engine is lost'
types ana Enter
loses ana 'The line to the engine is lost'
writes ben '/fetch'
until_true 30 cmp "$folder/film.bin" "$folder/got/film.bin" || fail "the file has not come: $(shown ben)"
sees ben "→ $folder/got/film.bin"
writes ben '/files all'
sees ben 'film.bin  ha llegado'
types ben Escape
ok "files ($checks)"

# --- search, and to where it was said ---
loses ben 'ha llegado, 100'
writes ben '/search seven'
sees ben 'Búsqueda: seven'
types ben Enter
sees ben 'at seven or at eight?'
sees ben 'r responder'
types ben Escape
ok "search ($checks)"

# --- another device ---
make_home ana2 'listen = 127.0.0.1:0'
printf '%s\n' "$password" | peer ana2 login "ana@127.0.0.1:$port" --password-fd 0 --no-input >/dev/null 2>&1 ||
	fail 'no second device'
writes ana '/devices'
sees ana 'this one'
until_true 15 sh -c '[ "$(tmux -u -L "$1" capture-pane -p -t ana | grep -cE "this one|online")" -ge 2 ]' - "$terminals" ||
	fail "one device is shown: $(shown ana)"
types ana Escape
loses ana 'this one'
ok "devices ($checks)"

# --- small, wide, and back; settings; keys go on while the engine hangs ---
in_tmux resize-window -t ana -x 20 -y 6
sees ana '>'
in_tmux resize-window -t ana -x 10 -y 3
sees ana 'too small'
in_tmux resize-window -t ana -x 250 -y 40
sees ana 'Ctrl+G list'
writes ana '/set bell off'
sees ana 'Done.'
grep -q '"bell":false' "$folder/home-ana/terminal.json" || fail 'the bell was not kept'
writes ana '/settings'
sees ana 'accept-up-to'
types ana Escape
loses ana 'accept-up-to'
engine=$(cat "$folder/home-ana/engine.pid" 2>/dev/null || pgrep -f "^palique daemon --foreground --home $folder/home-ana " || true)
if [ -n "$engine" ]; then
	kill -STOP "$engine"
	writes ana 'said while it hangs'
	sees ana 'Waiting for the engine'
	types ana -l 'still heard'
	sees ana 'still heard'
	kill -CONT "$engine"
	sees ben 'said while it hangs'
	types ana C-u
fi
ok "hangs ($checks)"

# --- the terminal is given back ---
face_pid=$(in_tmux list-panes -t ben -F '#{pane_pid}')
types ben C-q
until_true 10 is_gone ben || fail "ben cannot leave: $(shown ben)"
kill -0 "$face_pid" 2>/dev/null && fail 'the face goes on'
opens eve en 80x24 sh
writes eve "'$programs/palique' --home '$folder/home-ana'"
sees eve 'Ctrl+Q quit'
types eve C-z
sees eve 'Stopped'
writes eve fg
sees eve 'Ctrl+Q quit'
types eve C-q
loses eve 'Ctrl+Q quit'
writes eve 'echo left with $?'
sees eve 'left with 0'
writes eve "TERM=dumb '$programs/palique' --home '$folder/home-ana'"
sees eve '/chat NAME opens a conversation'
writes eve '/chat ben'
writes eve 'in a line'
sees eve 'delivered'
writes eve '/quit'
sees eve 'left the chat'
ok "given back ($checks)"
