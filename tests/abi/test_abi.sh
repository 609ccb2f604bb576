#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What plugins that are compiled already rely on holds: the facts that are recorded for each
# version of the ABI, and a plugin that is compiled with the headers of each released one.
#
# After a change of the headers on purpose, `make abi-snapshot` records the version at hand anew,
# as long as it is not released.
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"
abi=$(cd "${srcdir:-$(dirname "$0")/..}/abi" && pwd)
headers=$(cd "$abi/../../container/include" && pwd)
library=$built/.libs/libbay.so

for tool in gcc readelf nm; do
	command -v $tool >/dev/null || { echo "SKIP: test_abi: no $tool"; exit 77; }
done
if [ "$(getconf LONG_BIT)" != 64 ]; then
	echo 'SKIP: test_abi: the facts are those of a machine of 64 bits'
	exit 77
fi

compare() {
	"$abi/facts" compare "$1" "$2" >"$dir/out" 2>"$dir/err"
	status=$?
}

begin 'all that is recorded holds'
"$abi/facts" make "$headers" "$library" >"$work/present" 2>"$dir/err" || fail 'no facts'
for version in "$abi"/*.*/; do
	version=${version%/}
	[ -f "$version/facts" ] || continue
	compare "$version/facts" "$work/present"
	[ "$status" -eq 0 ] ||
		fail "plugins of ABI ${version##*/} break (if that is not released, and meant: make abi-snapshot)"
done
present=$(sed -n '1s/^abi //p' "$work/present")
[ -f "$abi/$present/facts" ] || fail "ABI $present is not recorded: make abi-snapshot"

# tampered EXPRESSION WORDS: with this change of the present facts the comparison says so.
tampered() {
	sed -E "$1" "$work/present" >"$dir/present"
	! cmp -s "$work/present" "$dir/present" || fail "nothing is changed by $1"
	compare "$work/present" "$dir/present"
	[ "$status" -ne 0 ] || fail "not noticed: $1"
	says "$2"
}

# allowed EXPRESSION: this is no break.
allowed() {
	sed -E "$1" "$work/present" >"$dir/present"
	! cmp -s "$work/present" "$dir/present" || fail "nothing is changed by $1"
	compare "$work/present" "$dir/present"
	[ "$status" -eq 0 ] || fail "refused: $1"
}

begin 'a break is told from an addition'
tampered '/^symbol bay_reply /d' 'gone: symbol bay_reply'
tampered 's/^(symbol bay_reply BAY_)1.0$/\19.0/' 'is: symbol bay_reply'
tampered 's/^(field bay_plugin.handle) [0-9]+/\1 64/' 'was: field bay_plugin.handle'
tampered 's/^(struct bay_case) [0-9]+/\1 4096/' 'was: struct bay_case'
tampered 's/^(struct bay_plugin) [0-9]+/\1 8/' 'was: struct bay_plugin'
tampered 's/^(enum BAY_TIMEOUT) .*/\1 9/' 'was: enum BAY_TIMEOUT'
tampered 's/^(macro BAY_READABLE) .*/\1 4u/' 'was: macro BAY_READABLE'
tampered 's/^(function bay_reply .*)size_t/\1int/' 'was: function bay_reply'
tampered 's/^(typedef bay_task_fn .*)int/\1long/' 'was: typedef bay_task_fn'
tampered '$a symbol bay_new BAY_0.9' 'new: symbol bay_new'
tampered '$a symbol bay_new BAY_99.9' 'new: symbol bay_new'
allowed 's/^(struct bay_plugin) [0-9]+/\1 4096/'
allowed '/^field bay_case.unused /d'
allowed "\$a symbol bay_new BAY_$present"
allowed '$a enum BAY_NEW 99'

begin 'a release is recorded with its headers and never changed'
mkdir "$dir/abi"
cp "$abi/plugin.c" "$dir/abi/"
"$abi/facts" record "$dir/abi" "$headers" "$library" >"$dir/out" 2>&1 || fail 'it is not recorded'
"$abi/facts" record "$dir/abi" "$headers" "$library" >"$dir/out" 2>&1 || fail 'it is not recorded again'
"$abi/facts" release "$dir/abi" "$headers" "$library" >"$dir/out" 2>&1 || fail 'it is not released'
for again in record release; do
	if "$abi/facts" $again "$dir/abi" "$headers" "$library" >"$dir/out" 2>&1; then
		fail "a released one can be changed by $again"
	fi
	says 'is never changed'
done
compare "$dir/abi/$present/facts" "$work/present"
status_is 0
sed "\$a symbol bay_new BAY_$present" "$work/present" >"$dir/present"
compare "$dir/abi/$present/facts" "$dir/present"
status_is 1
says 'is released: raise the minor'
sed -e '1s/.*/abi 99.9/' -e '$a symbol bay_new BAY_99.8' "$work/present" >"$dir/present"
compare "$dir/abi/$present/facts" "$dir/present"
status_is 0

# The one made just now is that of the present headers.
case='plugins compiled with the headers of each version load and answer'
: >"$dir/services"
for version in "$abi"/*.*/ "$dir/abi"/*.*/; do
	[ -d "$version/include" ] || continue
	name=abi-$(basename "$version" | tr . -)
	case $version in "$dir"/*) name=$name-now ;; esac
	gcc -shared -fPIC -Wall -Wextra -I"$version/include" -o "$dir/plugins/$name.so" "$version/plugin.c" \
		>"$dir/out" 2>"$dir/err" || fail "$name does not compile"
	printf '[service %s]\nnumber = 9\nword = c\n' "$name" >>"$dir/services"
done
ini <"$dir/services"
start
sed -n 's/^\[service \(.*\)\]$/\1/p' "$dir/services" >"$dir/names"
while read -r name; do
	ctl call "$name"
	[ "$(cat "$dir/out")" = '9 1 2048 words 2 ran 1' ] || fail "$name answers otherwise"
	ctl stop "$name"
	status_is 0
	logs "service $name: it has answered 1"
done <"$dir/names"
echo "$(wc -l <"$dir/names") versions"
stop

finish
