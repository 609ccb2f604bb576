#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"
built_plugins=$(cd ../plugins && pwd)

begin 'an integer is squared, and nothing else is'
plugin square
ini <<'END'
[service square]
END
start
for pair in '5 25' '-3 9' '0 0' '3037000499 9223372030926249001' \
	'-3037000499 9223372030926249001'; do
	ctl call square "${pair% *}"
	status_is 0
	[ "$(cat "$dir/out")" = "${pair#* }" ] || fail "${pair% *}: not ${pair#* }"
done
ctl call square ' 12 '
says 144
for text in '' five 1.5 '5 5' 9223372036854775808; do
	ctl call square "$text"
	status_is 1
	complains 'square wants one integer'
done
ctl call square 3037000500
status_is 1
complains 'the square of 3037000500 has more than 64 bits'
stop

finish
