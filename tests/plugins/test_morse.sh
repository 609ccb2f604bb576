#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The sample in Rust.
# shellcheck source=tests/system/lib.sh
srcdir=${srcdir:-$(dirname "$0")/..}
. "$srcdir/system/lib.sh"
built_plugins=$(cd ../plugins && pwd)
if [ ! -f "$built_plugins/morse.so" ]; then
	echo 'SKIP: test_morse: built without rustc'
	exit 77
fi

begin 'a text has a Morse code, or a reason why not'
plugin morse
ini <<'END'
watch = no
[service morse]
END
start
ctl call morse 'SOS at 9'
[ "$(cat "$dir/out")" = '... --- ... / .- - / ----.' ] || fail 'another code'
ctl call morse ''
status_is 0
[ ! -s "$dir/out" ] || fail 'a code of nothing'
ctl call morse 'a+b'
status_is 1
complains "there is no sign for '+'"
printf 'a\377' >"$dir/bytes"
"$built/bayctl" -s "$dir/run/control.sock" call morse - <"$dir/bytes" >"$dir/out" 2>"$dir/err"
status=$?
status_is 1
complains 'invalid utf-8'
ctl status morse
says 1.0.0

case='another version takes its place'
if command -v rustc >/dev/null; then
	sed 's/b"1\.0\.0/b"1.0.1/' "$srcdir/../plugins/morse/morse.rs" >"$dir/morse.rs"
	MAKEFLAGS='' rustc --edition 2021 --crate-type cdylib -O -o "$dir/plugins/.morse.so" "$dir/morse.rs" \
		>"$dir/out" 2>"$dir/err" || fail 'it does not compile'
	mv "$dir/plugins/.morse.so" "$dir/plugins/morse.so"
	ctl reload morse
	status_is 0
	says '1.0.1'
	[ "$(field_of morse generation)" = 2 ] || fail 'it is not the second generation'
	ctl status morse
	says 1.0.1
fi
ctl call morse e
[ "$(cat "$dir/out")" = . ] || fail 'it does not answer'
stop

finish
