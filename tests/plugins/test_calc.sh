#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The sample in C++.
# shellcheck source=tests/system/lib.sh
srcdir=${srcdir:-$(dirname "$0")/..}
. "$srcdir/system/lib.sh"
built_plugins=$(cd ../plugins && pwd)
if [ ! -f "$built_plugins/calc.so" ]; then
	echo 'SKIP: test_calc: built without a compiler for C++17'
	exit 77
fi

begin 'expressions are worked out, and what is wrong is said with its place'
plugin calc
ini <<'END'
watch = no
[service calc]
END
start
while IFS='|' read -r text result; do
	ctl call calc "$text"
	[ "$(cat "$dir/out")" = "$result" ] || fail "$text is not $result"
done <<'END'
1|1
 2 * (3 + 4) |14
2 + 3 * 4 - 10 / 3|11
--5 - -(2)|7
9223372036854775807 - 1|9223372036854775806
END
while IFS='|' read -r text why; do
	ctl call calc "$text"
	status_is 1
	complains "$why"
done <<'END'
|a number is missing at character 1
1 2|an operator is missing at character 3
(1|a bracket is not closed at character 3
1 / (2 - 2)|a division by zero
9223372036854775807 + 1|more than 64 bits
99999999999999999999|more than 64 bits
(0 - 9223372036854775807 - 1) / (0 - 1)|more than 64 bits
END
ctl call calc "$(printf '%05000d' 0 | tr 0 '(')"
status_is 1
complains 'too many brackets and signs'
ctl call calc '1 + 1'
says 2

case='another version takes its place'
compiler=
for candidate in "${CXX:-g++}" g++ clang++; do
	[ -n "$compiler" ] || ! command -v "$candidate" >/dev/null || compiler=$candidate
done
if [ -n "$compiler" ]; then
	sed 's/"1\.0\.0"/"1.0.1"/' "$srcdir/../plugins/calc/calc.cc" >"$dir/calc.cc"
	"$compiler" -std=c++17 -shared -fPIC -I"$srcdir/../container/include" -o "$dir/plugins/.calc.so" \
		"$dir/calc.cc" >"$dir/out" 2>"$dir/err" || fail 'it does not compile'
	mv "$dir/plugins/.calc.so" "$dir/plugins/calc.so"
	ctl reload calc
	status_is 0
	says '1.0.1'
	[ "$(field_of calc generation)" = 2 ] || fail 'it is not the second generation'
	ctl status calc
	says 1.0.1
	ctl call calc '2 + 2'
	says 4
fi
ctl inspect "$built_plugins/calc.so"
grep -q 'unloadable *yes' "$dir/out" || grep -q sanitizer "$dir/out" || fail 'it is not unloadable'
stop

finish
