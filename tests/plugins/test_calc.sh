#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The sample in C++.
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"
built_plugins=$(cd ../plugins && pwd)
if [ ! -f "$built_plugins/calc.so" ]; then
	echo 'SKIP: test_calc: built without a compiler for C++17'
	exit 77
fi

begin 'expressions are worked out, and what is wrong is said with its place'
plugin calc
ini <<'END'
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

case='its code goes when it is replaced'
ctl restart calc
status_is 0
ctl call calc '2 + 2'
says 4
ctl inspect "$dir/plugins/calc.so"
grep -q 'unloadable *yes' "$dir/out" || grep -q sanitizer "$dir/out" || fail 'it is not unloadable'
stop

finish
