#!/bin/sh
# terminal.sh BUILD: the terminal's face with the real programs under tmux. Two people and a directory go the whole
# way twice, once ana in English and ben in Spanish, once the other way round: join, add, accept, chat, answer, react,
# edit, an image, a file that is interrupted and one that is taken back, search, another device. Beside them, once, what
# has no language: sizes, keys, many messages, an engine that hangs and one that ends, the line mode of screen readers.
#   terminal.sh BUILD en es: that way alone; terminal.sh BUILD once: the rest alone
BUILD=${1-build}
. "$(dirname "$0")/common.sh"

command -v tmux >/dev/null || {
	say 'skipped: there is no tmux'
	exit 0
}
if [ -z "${2-}" ]; then
	for part in 'en es' 'es en' once; do
		# shellcheck disable=SC2086 # two words
		sh "$0" "$BUILD" $part >"$folder/$part" 2>&1 &
		started="$started $!"
	done
	failed=0
	for part in $started; do
		wait "$part" || failed=1
	done
	cat "$folder/en es" "$folder/es en" "$folder/once"
	started=
	exit $failed
fi

terminals=palique-$$
in_tmux() {
	tmux -u -L "$terminals" -f /dev/null "$@"
}
ends_first() {
	in_tmux kill-server >/dev/null 2>&1
}

# What is read, by a name of ours, in each language
readings='how|1, 2, 3 or 4|1, 2, 3 o 4
link|the link|el enlace
own name|your name at the directory|tu nombre en el directorio
your name|your name, as|tu nombre, como
password|password|contraseña
once more|once more|otra vez
opens|Enter opens the conversations|Intro abre las conversaciones
nobody|Nobody is here yet|Aún no hay nadie aquí
quit|Ctrl+Q quit|Ctrl+Q sale
was asked|was asked|Se ha pedido contacto
wants|wants to talk with you|quiere hablar contigo
who asks|Who wants to talk with you|Quién quiere hablar contigo
online|online|en línea
types|types …|escribe …
edited|(edited)|(cambiado)
deleted|(deleted)|(borrado)
e edit|e edit · d delete|e cambiar · d borrar
sends|Enter sends|Intro envía
you|you:|tú:
safety|Safety number with|Número de seguridad con
the same|v: they are the same|v: son iguales
verified|verified ✔|verificado ✔
fetch|/fetch gets it|/fetch lo trae
goes on|/fetch goes on|/fetch continúa
lost|The line to the engine is lost|Se perdió la línea con el motor
arrived|has arrived|ha llegado
withdrawn|the other side has withdrawn it|el otro lado lo ha retirado
cancelled|cancelled|cancelado
search|Search: seven|Búsqueda: seven
r reply|r reply|r responder
this one|this one|este
to decide|Esc closes|Esc cierra
blocked|Blocked|Bloqueados
stand|How you stand|Cómo estás
here|on this machine|en este equipo
settings|Settings|Ajustes
devices|Your devices|Tus dispositivos
changed|The password is changed|La contraseña ha cambiado
goes back|Enter goes back|Intro vuelve
until now|the password until now|la contraseña hasta ahora
new one|choose a new password|elige una contraseña nueva'
languages= # "NAME LANGUAGE" in lines
# reading NAME WHAT
reading() {
	printf '%s\n' "$readings" | awk -F'|' -v what="$2" -v l="$(printf '%s\n' "$languages" | sed -n "s/^$1 //p" | tail -n 1)" \
		'$1 == what { print l == "es" ? $3 : $2; found = 1 } END { if (!found) print "nothing is known of: " what }'
}

# opens NAME LANGUAGE COLUMNSxROWS COMMAND...: in a terminal of its own
opens() {
	who=$1 language=$2 size=$3
	shift 3
	languages="$languages
$who $language"
	in_tmux new-session -d -s "$who" -x "${size%x*}" -y "${size#*x}" \
		env -u NO_COLOR LC_ALL=C.UTF-8 LANGUAGE="$language" TERM="${terminal-tmux-256color}" "$@"
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
# What all see: one may wait for another
all_shown() {
	in_tmux list-sessions -F '#{session_name}' | while read -r who; do
		printf '\n%s sees:\n%s\n' "$who" "$(shown "$who")"
	done
}
is_shown() {
	shown "$1" | grep -qF -- "$2"
}
# sees NAME WORDS: until they stand on the screen
sees() {
	until_true 15 is_shown "$1" "$2" || fail "$1 does not see \"$2\": $(all_shown)"
	checks=$((checks + 1))
}
is_not_shown() {
	! is_shown "$1" "$2"
}
loses() {
	until_true 15 is_not_shown "$1" "$2" || fail "$1 still sees \"$2\": $(shown "$1")"
	checks=$((checks + 1))
}
# reads NAME WHAT: the same of what is in their language
reads() {
	sees "$1" "$(reading "$1" "$2")"
}
reads_no_more() {
	loses "$1" "$(reading "$1" "$2")"
}
is_gone() {
	! in_tmux has-session -t "$1" 2>/dev/null
}
# Some of the file has come
has_begun() {
	shown "$1" | grep -qE '[1-9][0-9]* %'
}
has_ended() {
	! kill -0 "$1" 2>/dev/null
}
begin() {
	port=$(free_port)
	start_directory "127.0.0.1:$port"
	for name; do
		make_home "$name" 'listen = 127.0.0.1:0'
	done
}

# the_way LANGUAGE_OF_ANA LANGUAGE_OF_BEN
the_way() {
	begin ana ben ana2
	mkdir "$folder/got"

	# --- who has no account is asked in lines, and then is there ---
	face ana "$1" 80x24
	reads ana how
	writes ana 1
	reads ana link
	writes ana "$(invite)"
	reads ana 'own name'
	writes ana ana
	reads ana password
	writes ana "$password"
	reads ana 'once more'
	writes ana "$password"
	reads ana opens
	types ana Enter
	reads ana nobody
	join ben "$(invite)" >/dev/null 2>&1 || fail 'ben cannot join'
	peer ben settings downloads "$folder/got" >/dev/null
	face ben "$2" 100x30
	reads ben quit

	# --- add and accept ---
	writes ana '/add ben'
	reads ana 'was asked'
	reads ben wants
	writes ben '/requests'
	reads ben 'who asks'
	types ben a
	sees ana 'ben'
	types ben Escape
	reads_no_more ben 'who asks'
	writes ana '/chat ben'
	sees ana "ben  $(reading ana online)"
	writes ben '/chat ana'
	sees ben "ana  $(reading ben online)"
	ok "$1 $2: contacts ($checks)"

	# --- talk ---
	writes ana 'at seven or at eight? :heart:'
	sees ben 'at seven or at eight? ❤️'
	sees ana '✓✓'
	types ben -l 'a las'
	reads ana types
	types ben M-Enter
	types ben -l 'ocho'
	types ben Enter
	sees ana 'ocho'
	writes ana '/reply at eight it is'
	sees ben "▏$(reading ben you) a las"
	sees ben 'at eight it is'
	writes ben '/react :+1:'
	sees ana '👍'
	writes ana '/edit at nine it is'
	reads ben edited
	sees ben 'at nine it is'
	writes ana 'a slip'
	sees ben 'a slip'
	types ana BTab
	reads ana 'e edit'
	types ana d
	reads ben deleted
	loses ben 'a slip'
	# pasted text is not sent before Enter, however many lines it has
	printf 'first line\nsecond \033[31mline' >"$folder/pasted"
	in_tmux load-buffer "$folder/pasted"
	in_tmux paste-buffer -p -t ana
	sees ana 'second '
	reads ana sends
	types ana Enter
	sees ben 'second '
	types ana -l '/saf'
	types ana Tab
	sees ana '/safety ['
	types ana Enter
	reads ana safety
	reads ana 'the same'
	types ana v
	reads ana verified
	types ana Escape
	sees ana "ben  $(reading ana online) ✔"
	# what comes from outside is shown and not obeyed
	peer ben send ana "$(printf 'evil \033[2J\342\200\256text')" >/dev/null
	sees ana 'evil \u001b[2J\u202etext'
	ok "$1 $2: talk ($checks)"

	# --- an image, a file that is interrupted, and one that is taken back ---
	printf '%s' 'iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAE0lEQVR4nGP8z8DAwMDAxMDAAAAQHgEBjAr8GQAAAABJRU5ErkJggg==' |
		base64 -d >"$folder/a picture.png"
	writes ana "/file $folder/a picture.png"
	sees ben '▣ a picture.png'
	peer ben settings accept-up-to 0 >/dev/null
	head -c 90000000 /dev/zero >"$folder/film.bin"
	writes ana "/file $folder/film.bin the film"
	reads ben fetch
	writes ben '/fetch'
	until_true 15 has_begun ben || fail "nothing comes: $(shown ben)"
	writes ben '/pause'
	reads ben 'goes on'
	is_shown ben ' 0 %;' && fail "what has come is not counted: $(shown ben)"
	peer ana stop >/dev/null
	reads ana lost
	types ana Enter
	reads_no_more ana lost
	writes ben '/fetch'
	until_true 30 cmp "$folder/film.bin" "$folder/got/film.bin" || fail "the file has not come: $(shown ben)"
	sees ben "→ $folder/got/film.bin"
	writes ben '/files all'
	sees ben "film.bin  $(reading ben arrived)"
	types ben Escape
	loses ben "$(reading ben arrived), 100"
	writes ana "/file $folder/film.bin a second time"
	sees ben 'a second time'
	writes ana '/cancel'
	reads ana cancelled
	reads ben withdrawn
	ok "$1 $2: files ($checks)"

	# --- search, and to where it was said ---
	writes ben '/search seven'
	reads ben search
	types ben Enter
	sees ben 'at seven or at eight?'
	reads ben 'r reply'
	types ben Escape

	# --- how one stands; another password, asked on the terminal itself; another device, with it ---
	writes ana '/status'
	reads ana stand
	reads ana here
	types ana Escape
	reads_no_more ana stand
	writes ana '/passwd'
	reads ana 'until now'
	writes ana "$password"
	reads ana 'new one'
	writes ana "another $password"
	reads ana 'once more'
	writes ana "another $password"
	reads ana changed
	reads ana 'goes back'
	loses ana "another $password"
	types ana Enter
	sees ana "ben  $(reading ana online)"
	face ana2 "$2" 80x24
	reads ana2 how
	writes ana2 3
	reads ana2 'your name'
	writes ana2 "ana@127.0.0.1:$port"
	reads ana2 password
	writes ana2 "another $password"
	reads ana2 opens
	types ana2 Enter
	sees ana2 'ben'
	writes ana '/devices'
	reads ana 'this one'
	until_true 15 sh -c '[ "$(tmux -u -L "$1" capture-pane -p -t ana | grep -cE "$2|$3")" -ge 2 ]' - "$terminals" "$(reading ana 'this one')," "$(reading ana online)," ||
		fail "one device is shown: $(shown ana)"
	types ana Escape
	reads_no_more ana 'this one'
	writes ana2 '/chat ben'
	writes ana2 'from the other one'
	sees ben 'from the other one'
	sees ana 'from the other one'
	ok "$1 $2: search, password, devices ($checks)"

	# --- nothing more is heard of somebody, and they may ask again ---
	writes ben '/block ana'
	reads_no_more ben here
	writes ben '/requests'
	reads ben blocked
	types ben u
	reads_no_more ben blocked
	types ben Escape
	writes ben '/add ana'
	reads ben 'was asked'
	ok "$1 $2: blocked and not ($checks)"
}

once() {
	begin ana ben eve
	for name in ana ben eve; do
		join "$name" "$(invite)" >/dev/null 2>&1 || fail "$name cannot join"
	done
	befriend ana ben
	face ben en 80x24
	sees ben 'ana'
	types ben Enter

	# --- many messages: what is far back, by Home, by a search and page by page; the newest again ---
	seq -f 'number %.0f of many' 3000 | peer ana chat ben >/dev/null 2>&1
	sees ben 'number 2999 of many' # the newest stands in the list, too
	sees ben '· number 2999 of many' # who goes on is not named again
	types ben Home
	sees ben 'number 1 of many'
	sees ben 'End to the newest'
	types ben End
	sees ben 'number 2999 of many'
	types ben -N 40 PPage
	loses ben 'number 2999 of many'
	writes ben '/search 1500'
	sees ben 'Search: 1500'
	types ben Enter
	sees ben 'number 1500 of many'
	sees ben 'r reply'
	types ben -N 6 NPage
	types ben Escape
	types ben Escape
	sees ben 'number 2999 of many'
	# one endless message does not push all else out of sight
	peer ana send ben "$(seq 2000)" >/dev/null
	sees ben 'lines more: /info'
	ok "many ($checks)"

	# --- keys as terminals send them that are another one than they say; those that nobody knows ---
	types ben -l 'ab'
	types ben -H 1b 5b 31 7e # Home of a console
	types ben -l 'X'
	types ben -H 1b 5b 34 7e # End
	types ben -l 'Y'
	types ben -H 1b 5b 32 37 3b 36 3b 39 37 7e
	types ben -l 'Z'
	sees ben '> XabYZ'
	types ben C-u
	ok "keys ($checks)"

	# --- small, wide, and back; settings; keys go on while the engine hangs ---
	in_tmux resize-window -t ben -x 20 -y 6
	sees ben '>'
	in_tmux resize-window -t ben -x 10 -y 3
	sees ben 'too small'
	in_tmux resize-window -t ben -x 250 -y 40
	sees ben 'F1 help'
	writes ben '/set bell off'
	sees ben 'Done.'
	grep -q '"bell":false' "$folder/home-ben/terminal.json" || fail 'the bell was not kept'
	writes ben '/settings'
	sees ben 'accept-up-to'
	types ben Escape
	loses ben 'accept-up-to'
	engine=$(pgrep -f "palique daemon --foreground --home $folder/home-ben " || true)
	[ -n "$engine" ] || fail "ben's engine is not found"
	kill -STOP "$engine"
	writes ben 'said while it hangs'
	sees ben 'Waiting for the engine'
	types ben -l 'still heard'
	sees ben 'still heard'
	kill -CONT "$engine"
	until_true 15 has ana ben 'said while it hangs' || fail 'what was said meanwhile is lost'
	types ben C-u
	# and while the face hangs, the engine goes on
	face_pid=$(in_tmux list-panes -t ben -F '#{pane_pid}')
	kill -STOP "$face_pid"
	seq -f 'while %.0f hangs' 2000 | peer ana chat ben >/dev/null 2>&1
	until_true 15 has ben ana 'while 2000 hangs' || fail 'a face that hangs holds its engine up'
	kill -CONT "$face_pid"
	sees ben 'while 1999 hangs'
	kill -9 "$engine"
	sees ben 'The line to the engine is lost'
	types ben Enter
	loses ben 'The line to the engine is lost'
	ok "hangs ($checks)"

	# --- the terminal is given back ---
	types ben C-q
	until_true 10 is_gone ben || fail "ben cannot leave: $(shown ben)"
	until_true 10 has_ended "$face_pid" || fail 'the face goes on'
	opens ben en 80x24 sh
	writes ben "'$programs/palique' --home '$folder/home-ben'"
	sees ben 'Ctrl+Q quit'
	types ben C-z
	sees ben 'Stopped'
	writes ben fg
	sees ben 'Ctrl+Q quit'
	types ben C-q
	loses ben 'Ctrl+Q quit'
	writes ben 'echo left with $?'
	sees ben 'left with 0'
	# other terminals, few colours or none
	for terminal in vt100 linux xterm-256color; do
		opens "$terminal" en 40x12 env NO_COLOR=1 "$programs/palique" --home "$folder/home-ben"
		sees "$terminal" 'while 2000 hangs'
		types "$terminal" Enter
		sees "$terminal" 'while 1999 hangs'
		types "$terminal" C-q
	done
	ok "given back ($checks)"

	# --- line by line: each makes sense by itself, and nothing is drawn ---
	writes ben "TERM=dumb '$programs/palique' --home '$folder/home-ben'"
	sees ben '/chat NAME opens a conversation'
	writes ben '/chat ana'
	writes ben 'in a line'
	sees ben 'delivered'
	peer eve add ben >/dev/null
	sees ben '* eve wants to talk with you: /accept eve'
	writes ben '/accept eve'
	sees ben 'eve is your contact'
	writes ben '/safety'
	sees ben 'You and ana'
	is_shown ben '█' && fail "a code is drawn: $(shown ben)"
	peer ben stop >/dev/null
	sees ben 'the engine has ended'
	writes ben 'after that'
	until_true 15 has ana ben 'after that' || fail "the line mode did not outlive its engine: $(shown ben)"
	writes ben '/quit'
	sees ben 'left the chat'
	ok "lines ($checks)"
}

case $2 in
once) once ;;
*) the_way "$2" "$3" ;;
esac
