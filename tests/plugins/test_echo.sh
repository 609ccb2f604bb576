#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"
built_plugins=$(cd ../plugins && pwd)

# same FILE: echo gives its bytes back.
same() {
	"$built/bayctl" -s "$dir/run/control.sock" call echo - <"$1" >"$dir/out" 2>"$dir/err"
	status=$?
	status_is 0
	cmp -s "$1" "$dir/out" || fail "not the $(wc -c <"$1") bytes of $(basename "$1")"
}

begin 'every byte comes back, however many there are'
plugin echo
ini <<'END'
[service echo]
END
start
: >"$dir/nothing"
printf 'a\000b\377\n\000' >"$dir/not-text"
head -c 65537 /dev/urandom >"$dir/a-little-more-than-64k"
head -c 3000000 /dev/urandom >"$dir/3-megabytes"
for file in nothing not-text a-little-more-than-64k 3-megabytes not-text; do
	same "$dir/$file"
done
ctl call echo 'Grüße'
says 'Grüße'
stop

finish
