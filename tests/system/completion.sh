#!/bin/sh
# completion.sh BUILD: what the scripts of `palique completion` offer in bash, zsh and fish, each asked as
# its own shell asks; and that names of contacts come from a running engine, and without one nothing does.
BUILD=${1-build}
. "$(dirname "$0")/common.sh"
PATH=$(cd "$programs" && pwd):$PATH
PALIQUE_HOME=$folder/home-ana
export PATH PALIQUE_HOME

# offered SHELL WORD...: one to a line; the last word is the one that is being typed
offered() {
	shell=$1
	shift
	case $shell in
	bash)
		# shellcheck disable=SC2016 # of the other shell
		bash --norc --noprofile -c 'source "$1"; shift; complete -p palique >/dev/null || exit 1
			compopt() { printf "%s\n" "$*"; }
			COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
			_palique "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
			printf "%s\n" "${COMPREPLY[@]}"' - "$folder/palique.bash" palique "$@"
		;;
	fish)
		HOME=$folder fish --no-config -c "source $folder/palique.fish; complete -C 'palique $*'" | cut -f 1
		;;
	esac
}
# offers SHELL WORDS... -- OFFERED...: all of these
offers() {
	shell=$1
	typed=
	shift
	while [ "$1" != -- ]; do
		typed="$typed $1"
		shift
	done
	shift
	# shellcheck disable=SC2086 # words are meant; an empty last one is a dot
	set -- "$typed" "$@"
	last=${typed##* }
	[ "$last" = . ] && last=
	# shellcheck disable=SC2086
	if [ "$shell" = bash ]; then
		offered bash ${typed% *} "$last" >"$folder/offered" 2>"$folder/err"
	else
		offered fish "$(echo ${typed% *} "$last")${last:+}$([ -n "$last" ] || echo ' ')" >"$folder/offered" 2>"$folder/err"
	fi
	shift
	for word; do
		grep -qxF -- "$word" "$folder/offered" ||
			fail "$shell:$typed: $word is not offered, but $(tr '\n' ' ' <"$folder/offered" | head -c 300) $(cat "$folder/err")"
	done
	[ ! -s "$folder/err" ] || fail "$shell:$typed: $(cat "$folder/err")"
	checks=$((checks + 1))
}
# offers_not SHELL WORDS... -- WORD...: the words before are looked at, and none of these is offered
offers_not() {
	offers "$1" "$2" "$3" --
	! grep -qxF -- "$4" "$folder/offered" || fail "$1: $2 $3: $4 is offered"
}

for shell in bash zsh fish; do
	palique completion $shell >"$folder/palique.$shell" || fail "no script for $shell"
	LC_ALL=es_ES.UTF-8 LANGUAGE=es palique completion $shell >"$folder/palique.es.$shell"
done
says 2 'one is bash, zsh or fish' palique completion tcsh
says 0 '"shell":"bash"' palique completion bash --json

port=$(free_port)
start_directory "127.0.0.1:$port"
make_home ana 'listen = 127.0.0.1:0'
join ana "$(invite)" >/dev/null 2>&1 || fail 'ana cannot join'
peer ana add benito >/dev/null || fail 'nobody is asked'
says 0 benito palique completion contacts
ok "the scripts are written ($checks)"

# What both are asked in the same words.
in_each() {
	shell=$1
	offers "$shell" se -- send search settings
	offers "$shell" send --ti -- --timeout
	offers "$shell" --home "$folder" hist -- history
	offers "$shell" send --wait . -- queued delivered
	offers "$shell" consent --json bob . -- direct relay never
	offers "$shell" consent . -- benito
	offers "$shell" files . -- benito accept cancel
	offers "$shell" forward 17 be -- benito
	offers "$shell" search words --with be -- benito
	offers "$shell" --home "$folder/home-ana" read be -- benito
	offers "$shell" recv --fo -- --follow
	offers "$shell" help comp -- completion
	offers_not "$shell" ls --fo --follow
	offers_not "$shell" daemon --re --ready-fd
}
in_each bash
offers bash send -f . -- '-o default'
offers bash settings --with=benito . -- keep
offers bash send --wait = del -- delivered
ok "bash ($checks)"

if command -v fish >/dev/null; then
	in_each fish
	offers fish send -f "$folder/palique.b" -- "$folder/palique.bash"
	HOME=$folder fish --no-config -c "source $folder/palique.es.fish; complete -C 'palique sen'" | grep -q mensaje ||
		fail 'fish is not told in Spanish'
	ok "fish ($checks)"
else
	say 'no fish here: its script was not run'
fi

# zsh completes only in its line editor: in a terminal of its own, where ^G shows the line.
if command -v zsh >/dev/null; then
	mkdir "$folder/zsh"
	cp "$folder/palique.zsh" "$folder/zsh/_palique"
	cat >"$folder/ask.zsh" <<'END'
zmodload zsh/zpty
zpty one zsh -f -i
say() { zpty -w -n one "$1" }
hear() { # WORDS: until they come
	local heard= all=
	repeat 400; do
		zpty -r -t one heard && all+=$heard || sleep 0.05
		[[ $all == *$1* ]] && return 0
	done
	print -r -- "not \"$1\" but: ${(V)all}"
	exit 1
}
say "PS1= PS2= fpath=($1 \$fpath); autoload -U compinit; compinit -u -d $1/dump; show() { zle -M \"<\$BUFFER>\" }; zle -N show; bindkey '^G' show; bindkey '^U' kill-whole-line; setopt no_beep; print rea''dy"$'\n'
hear ready
shift
while (( $# )); do
	say "$1"$'\t\a'
	hear "<$2>"
	say $'\025'
	shift 2
done
zpty -d one
END
	HOME=$folder TERM=dumb zsh -f "$folder/ask.zsh" "$folder/zsh" \
		'palique sto' 'palique stop ' \
		'palique send --wait del' 'palique send --wait delivered ' \
		'palique consent bob rel' 'palique consent bob relay ' \
		'palique --json send ben' 'palique --json send benito ' \
		"palique --home $folder/home-ana forward 17 b" "palique --home $folder/home-ana forward 17 benito " \
		'palique send --capt' 'palique send --caption ' \
		'palique ls --foll' 'palique ls --foll' \
		"palique send ben -f $folder/palique.b" "palique send ben -f $folder/palique.bash " \
		'palique help hist' 'palique help history ' >"$folder/zsh.log" 2>&1 || fail "zsh: $(cat "$folder/zsh.log")"
	checks=$((checks + 9))
	ok "zsh ($checks)"
else
	say 'no zsh here: its script was not run'
fi

# Without an engine: nothing, on neither stream, and none is begun.
peer ana stop >/dev/null 2>&1
[ "$(palique completion contacts 2>&1)" = '' ] || fail 'contacts are told by nobody'
[ "$(palique --home "$folder/none" completion contacts 2>&1)" = '' ] || fail 'contacts of no home'
[ ! -e "$folder/none" ] || fail 'a home was made'
[ ! -S "$folder/home-ana/engine.sock" ] || fail 'an engine was begun'
offers bash send be --
[ ! -s "$folder/offered" ] || [ "$(cat "$folder/offered")" = '' ] || fail 'somebody is offered without an engine'
ok "without an engine ($checks)"
say "completion: $checks facts"
