#!/bin/sh
# qr.sh BUILD: on a terminal of 80x24 each QR code with its words fits, and says what it stands for: read from the
# screen as a camera would, with colours (light and dark as they are written) and without (on a dark screen).
BUILD=${1-build}
. "$(dirname "$0")/common.sh"
typist=$BUILD/tests/system/typist_tool
export TERM=xterm-256color

# painted FILE: the code on a screen as an image; a module is 4x4 pixels, a character two modules high
painted() {
	sed 's/\x1b\[[0-9;]*m//g; s/\r$//; s/█/F/g; s/▀/T/g; s/▄/B/g' "$1" | grep -aE '^[FTB ]*F[FTB ]{18}' |
		awk '{ line[NR] = $0; n = match($0, /[^FTB ]/); w = n ? n - 1 : length($0); if (w > width) width = w }
		END {
			wide = 0
			for (i = 1; i <= length(line[1]) && substr(line[1], i, 1) == "F"; i++) wide = i
			print "P2", (wide + 8) * 4, (NR * 2 + 8) * 4, 1
			for (r = -4; r < NR * 2 + 4; r++) {
				row = ""
				for (c = -4; c < wide + 4; c++) {
					at = r >= 0 && r < NR * 2 && c >= 0 && c < wide ? substr(line[int(r / 2) + 1], c + 1, 1) : "F"
					on = at == "F" || (at == "T" && r % 2 == 0) || (at == "B" && r % 2 == 1)
					row = row (on ? " 1 1 1 1" : " 0 0 0 0")
				}
				for (k = 0; k < 4; k++) print row
			}
		}'
}
# fits WHAT ROWS COMMAND...: so many rows at most, 80 columns, and the code says WHAT (a pattern)
fits() {
	what=$1 rows=$2
	shift 2
	"$typist" -- "$programs/palique" --home "$folder/home-ana" "$@" >"$folder/screen" 2>"$folder/err" || fail "$*: $(cat "$folder/screen" "$folder/err")"
	sed 's/\x1b\[[0-9;]*m//g; s/\r$//' "$folder/screen" >"$folder/plain"
	sed 's/█/F/g; s/▀/T/g; s/▄/B/g; s/✔/v/g' "$folder/plain" >"$folder/counted" # not all awk know UTF-8
	# A line longer than the screen takes another row.
	took=$(awk '{ n += int((length($0) + 79) / 80); if (!length($0)) n++ } END { print n }' "$folder/counted")
	[ "$took" -le "$rows" ] || fail "$* takes $took rows: $(cat "$folder/plain")"
	wide=$(grep -a FF "$folder/counted" | awk '{ if (length($0) > n) n = length($0) } END { print n + 0 }')
	[ "$wide" -gt 20 ] && [ "$wide" -le 80 ] || fail "$* is $wide columns wide: $(cat "$folder/plain")"
	checks=$((checks + 1))
	command -v zbarimg >/dev/null || return 0
	painted "$folder/screen" >"$folder/code.pgm"
	zbarimg -q --raw "$folder/code.pgm" >"$folder/read" 2>/dev/null || fail "$*: it cannot be read: $(cat "$folder/plain")"
	grep -qE -- "$what" "$folder/read" || fail "$*: it says $(cat "$folder/read")"
	checks=$((checks + 1))
}

port=$(free_port)
make_home ana 'listen = 127.0.0.1:0'
make_home ben 'listen = 127.0.0.1:0'
printf '%s\n' "$password" | peer ana host --name ana --listen "127.0.0.1:$port" --password-fd 0 --no-input >/dev/null 2>&1 || fail 'no host'
join ben "$(peer ana invite 2>/dev/null)" >/dev/null 2>&1 || fail 'ben cannot join'
befriend ana ben

for colors in always never; do
	link=$(peer ana link 2>/dev/null)
	fits "^$(echo "$link" | sed 's/[?.]/\\&/g')\$" 23 link --color=$colors
	fits '^palique:127.0.0.1:[0-9]*/i/' 23 invite --color=$colors
	fits . 23 safety ben --color=$colors
done
grep -qa "$(printf '\033')\[" "$folder/screen" && fail 'colours where there are none'
fits . 23 safety ben --color=always
grep -qa "$(printf '\033')\[97;40m" "$folder/screen" || fail 'the colours of the code are left to the terminal'
command -v zbarimg >/dev/null || say 'qr: no zbarimg here: the codes were not read'
ok "qr: $checks checks"
