#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# "do" is a verb of bayctl here.
# shellcheck disable=SC1010
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"
built_plugins=$(cd ../plugins && pwd)
poem=$srcdir/../plugins/wordcount/raven.txt

# feed SERVICE FILE: sends the text of a file.
feed() {
	"$built/bayctl" -s "$dir/run/control.sock" call "$1" - <"$2" >"$dir/out" 2>"$dir/err"
	status=$?
	status_is 0
}

# words LENGTH <TEXT: "count word" of the words with so many letters, counted by other means.
words() {
	tr -cs "[:alnum:]'" '\n' | tr '[:upper:]' '[:lower:]' | sed "s/^'*//; s/'*$//" |
		awk -v length_min="$1" 'length >= length_min' | LC_ALL=C sort | uniq -c |
		LC_ALL=C sort -k1,1nr -k2 | awk '{ print $1, $2 }'
}

# top_is FILE: what was said is the head of this list.
top_is() {
	awk '{ print $1, $2 }' "$dir/out" >"$dir/top"
	head -n "$(wc -l <"$dir/top")" "$1" | cmp -s - "$dir/top" ||
		fail "not the head of $(basename "$1")"
}

begin 'the words of a poem are counted'
plugin wordcount
ini <<'END'
[service wordcount]
[service long]
plugin = wordcount
shortest = 5
[service small]
plugin = wordcount
max_words = 3
END
start
words 1 <"$poem" >"$dir/all"
words 5 <"$poem" >"$dir/long"
feed wordcount "$poem"
says "$(awk '{ n += $1 } END { print n " words, " NR " different, 0 left out" }' "$dir/all")"
ctl call wordcount /top
top_is "$dir/all"
[ "$(wc -l <"$dir/out")" -eq 10 ] || fail 'not ten'
ctl call wordcount '/top 100'
top_is "$dir/all"
feed long "$poem"
ctl call long '/top 25'
top_is "$dir/long"
[ "$(wc -l <"$dir/out")" -eq 25 ] || fail 'not 25'

case='counts stay from text to text, until they are to be forgotten'
feed wordcount "$poem"
awk '{ print 2 * $1, $2 }' "$dir/all" >"$dir/twice"
ctl call wordcount '/top 20'
top_is "$dir/twice"
raven=$(awk '$2 == "raven" { print 2 * $1 }' "$dir/all")
ctl do wordcount forget raven
says "'raven' forgotten"
awk '$2 != "raven"' "$dir/twice" >"$dir/ravenless"
ctl call wordcount '/top 50'
top_is "$dir/ravenless"
ctl call wordcount never
says "$(awk -v raven="$raven" '{ all += $1 } END { print all - raven + 1 }' "$dir/twice") words"
ctl do wordcount forget raven
status_is 1
complains 'has not been counted'
ctl do wordcount forget a b
status_is 2
ctl do wordcount forget
says forgotten
ctl call wordcount "It's 'quoted' and it's IT'S, naïve"
ctl call wordcount '/top 2'
[ "$(cat "$dir/out")" = "$(printf "     3  it's\n     1  and")" ] || fail "not it's"

case='no more words than allowed are kept'
ctl call small 'b a b c b c d e d'
says '6 words, 3 different, 3 left out'
ctl call small "a $(printf '%040d' 7)"
says '7 words, 3 different, 4 left out'
ctl call small /top
[ "$(cat "$dir/out")" = "$(printf '     3  b\n     2  a\n     2  c')" ] || fail 'not b a c'

case='commands that make no sense are refused'
for text in / /tops '/top 0' '/top 101' '/top x' '/top 1 2'; do
	ctl call wordcount "$text"
	status_is 1
	complains 'wordcount knows /top N'
done

case='texts that come at the same time are all counted'
ctl do wordcount forget
count=0
while [ "$count" -lt 40 ]; do
	cat "$poem"
	count=$((count + 1))
done >"$dir/book"
pids=
for _ in 1 2 3 4; do
	"$built/bayctl" -s "$dir/run/control.sock" call wordcount - <"$dir/book" >/dev/null &
	pids="$pids $!"
done
for pid in $pids; do
	wait "$pid" || fail 'a text was not counted'
done
awk '{ print 160 * $1, $2 }' "$dir/all" >"$dir/books"
ctl call wordcount '/top 50'
top_is "$dir/books"
stop

finish
