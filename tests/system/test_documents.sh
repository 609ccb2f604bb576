#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What the documents show is so: their plugins compile and answer, their configurations are
# right or wrong as they say, and nothing that there is to know is left out.
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"

top=$srcdir/..
readme=$top/README.md
page=$top/docs/bay-plugin.7
samples=$(cd ../plugins && pwd)

# block LANGUAGE: the first block of that language in the README.
block() {
	awk -v begin="\`\`\`$1" '$0 == begin { on = 1; next } /^```/ { if (on) exit } on' "$readme"
}

# literal N: the display number N of the man page, as it is read.
literal() {
	awk -v wanted="$1" '/^\.Bd -literal/ { on = ++n == wanted; next } /^\.Ed/ { on = 0 } on' "$page" |
		sed 's/\\&//g'
}

# compile NAME: plugins/NAME.so from NAME.c, without a warning.
compile() {
	"${CC:-cc}" -shared -fPIC -Wall -Wextra -Werror -I"$top/container/include" \
		-o "$dir/plugins/$1.so" "$dir/$1.c" >"$dir/out" 2>"$dir/err" || fail "$1.c does not compile"
}

begin 'the plugins compile and answer as they say'
command -v "${CC:-cc}" >/dev/null || fail 'there is no compiler'
block c >"$dir/square.c"
literal 1 >"$dir/hello.c"
compile square
compile hello
ini <<'END'
[service square]
[service hello]
END
start
ctl call square 5
[ "$(cat "$dir/out")" = 25 ] || fail 'not 25'
ctl call square five
complains 'square wants one integer'
ctl call hello world
[ "$(cat "$dir/out")" = 'hello, world' ] || fail 'not hello, world'
stop

begin 'the configuration is right, and with two mistakes wrong as shown'
for sample in square sleeper echo; do
	cp "$samples/$sample.so" "$dir/plugins/" || fail "no sample $sample"
done
block ini >"$dir/bay.ini"
check
status_is 0
start
ctl call square 5
says 25
stop
sed -i 's/^delay /dealy /; s/= wait /= wiat /' "$dir/bay.ini"
check
status_is 5
grep '^    bay.ini:[0-9]*: ' "$readme" | sed 's/^    //' >"$dir/shown"
[ -s "$dir/shown" ] || fail 'the README shows no complaints'
cmp -s "$dir/shown" "$dir/err" || fail "the README shows: $(cat "$dir/shown")"

# block_with LANGUAGE WORD: the block of that language that has the word.
block_with() {
	awk -v begin="\`\`\`$1" -v word="$2" '
		$0 == begin { on = 1; text = ""; next }
		/^```/ { if (on && index(text, word)) { printf "%s", text; exit } on = 0 }
		on { text = text $0 "\n" }' "$readme"
}

begin 'programs of other languages answer as they say'
cp "$samples/exec.so" "$dir/plugins/" || fail 'no exec.so'
block_with ini 'service upper' | ini
if command -v python3 >/dev/null; then
	block_with python import >"$dir/backwards.py"
	block_with ini 'service backwards' | sed "s|/srv/backwards|$dir|" >>"$dir/bay.ini"
else
	echo "SKIP: test_documents: $case: no python3"
fi
start
ctl call upper hello
[ "$(cat "$dir/out")" = HELLO ] || fail 'not HELLO'
if [ -f "$dir/backwards.py" ]; then
	ctl call backwards 'ab
c'
	[ "$(cat "$dir/out")" = "$(printf 'c\nba')" ] || fail 'not backwards'
fi
stop

begin 'every setting of the sample for other languages is in the man page'
grep -oE '^	BAY_[A-Z0-9]+\(struct exec_settings, [a-z_.]+, "[a-z_]+"' "$top/plugins/exec/exec.c" |
	grep -oE '"[a-z_]+"' | tr -d '"' >"$dir/settings"
[ "$(wc -l <"$dir/settings")" -ge 18 ] || fail 'no settings were found'
while read -r setting; do
	grep -qE "^\.It Ic ([a-z_]+ , )*$setting( |\$)" "$page" || fail "bay-plugin(7) lacks $setting"
done <"$dir/settings"

begin 'the man page tells of every function, status and setting'
nm -D --defined-only "$built/.libs/libbay.so" |
	sed -n 's/^.* \(bay_[a-z0-9_]*\)@@BAY_1.*$/\1/p' >"$dir/functions"
[ -s "$dir/functions" ] || fail 'no functions were found'
while read -r function; do
	grep -qE "^(\.It )?\.?Fn $function( |\$)" "$page" || fail "bay-plugin(7) lacks $function"
done <"$dir/functions"
for word in $(grep -hoE '^	BAY_[A-Z_]+ = ' "$top/container/include/bay/status.h" | tr -d '=\t ') \
	$(grep -oE '^#define BAY_[A-Z0-9]+\(type_' "$top/container/include/bay/setting.h" |
		sed 's/#define //; s/(.*//'); do
	grep -qE "^\.It (Dv|Ic) $word " "$page" || fail "bay-plugin(7) lacks $word"
done
grep -oE '^\.It Fn bay_[a-z0-9_]+' "$page" | sed 's/.* //' | sort -u >"$dir/told"
while read -r function; do
	grep -qE "\b$function\(" "$top"/container/include/bay/*.h || fail "there is no $function"
done <"$dir/told"

begin 'the man page of libbay-test tells of every function of it'
unless_installing nm -D --defined-only "$built/.libs/libbay-test.so" |
	sed -n 's/^.* \(bay_test_[a-z0-9_]*\)@@BAY_TEST.*$/\1/p' >"$dir/functions"
[ -s "$dir/functions" ] || fail 'no functions were found'
while read -r function; do
	grep -qE "^\.It Fn $function( |\$)" "$top/docs/bay-test.7" || fail "bay-test(7) lacks $function"
done <"$dir/functions"

begin 'the README names every folder, and every verb that there is is in the news'
for folder in "$top"/container/*/; do
	name=container/$(basename "$folder")
	case $name in
	container/include | container/autom4te.cache) continue ;;
	esac
	set -- "$folder"*.[ch]
	[ ! -f "$1" ] || grep -qF "    $name/" "$readme" || fail "the README lacks $name"
done
ctl help
grep -oE '^  [a-z]+' "$dir/out" >"$dir/verbs"
[ "$(wc -l <"$dir/verbs")" -ge 18 ] || fail 'no verbs were found'
while read -r verb; do
	[ "$verb" = help ] || grep -qw "$verb" "$top/NEWS.md" || fail "NEWS.md lacks the verb $verb"
done <"$dir/verbs"

begin 'bayctl(1) tells of every kind of event'
grep -oE '^	ROW\([A-Z_]+, "[a-z-]+"' "$top/container/master/event_log.h" | sed 's/.*"\(.*\)"/\1/' >"$dir/kinds"
[ -s "$dir/kinds" ] || fail 'no kinds were found'
while read -r kind; do
	grep -q "^\.It Li $kind\$" "$top/docs/bayctl.1" || fail "bayctl(1) lacks the kind $kind"
done <"$dir/kinds"

if command -v mandoc >/dev/null; then
	begin 'the man pages are well formed'
	mandoc -T lint -W warning "$top"/docs/*.[1-8] >"$dir/out" 2>"$dir/err" || fail 'mandoc complains'
fi

finish
