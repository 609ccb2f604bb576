#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The demo, in a tree of its own so that one that runs already is not in the way.
set -u
umask 022

srcdir=${srcdir:-$(dirname "$0")/..}
demo=$(cd "$srcdir/../plugins" && pwd)/demo.sh
work=$(mktemp -d "${TMPDIR:-/tmp}/bay-demo-test-XXXXXX") || exit 99
trap 'rm -rf "$work"' EXIT
failures=0

fail() {
	echo "FAIL: $case: $*"
	sed 's/^/  out: /' "$work/out"
	failures=$((failures + 1))
}

# begin TEXT: a tree as after make.
begin() {
	case=$1
	rm -rf "$work/tree"
	mkdir -p "$work/tree/plugins" "$work/tmp"
	ln -s "$(cd ../container && pwd)" "$work/tree/container"
	cp ../plugins/*.so "$work/tree/plugins/" || fail 'no plugins'
}

# run ARGUMENT...: the demo; its status is $status, its output $work/out.
run() {
	TMPDIR=$work/tmp "$demo" "$@" "$work/tree" </dev/null >"$work/out" 2>&1
	status=$?
}

leaves_nothing() {
	left=$(cd "$work" && find tmp tree ! -name '*.so' | LC_ALL=C sort | tr '\n' ' ')
	[ "$left" = 'tmp tree tree/container tree/plugins ' ] || fail "left: $left"
}

begin 'it shows what is right, with the time, and leaves nothing'
# On a busy machine, the two that sleep may be late.
for try in 1 2 3; do
	run --once
	[ "$(grep -c 'WRONG$' "$work/out")" -eq 1 ] && grep -q 'bayctl call both .*WRONG$' "$work/out" || break
	echo "busy: try $try: $(grep 'WRONG$' "$work/out")"
done
[ "$status" -eq 0 ] || fail "status $status"
[ "$(grep -cE '^  \$ bay.* [0-9]+\.[0-9]{3} s  ok$' "$work/out")" -eq 7 ] ||
	fail 'not seven lines with ok'
grep -qE '^  \$ bayctl call both +2\.[0-9]{3} s  ok$' "$work/out" ||
	fail 'both did not take 2 s'
! grep -q "$(printf '\033')" "$work/out" || fail 'colours, and no terminal'
! grep -q Serving "$work/out" || fail 'serves, and no terminal'
leaves_nothing

begin 'a wrong answer is the failure of all'
cp ../plugins/echo.so "$work/tree/plugins/square.so"
run
[ "$status" -eq 1 ] || fail "status $status"
grep -qE '^  \$ bayctl call square 5 .* WRONG$' "$work/out" || fail 'does not say which is wrong'
[ "$(grep -c 'ok$' "$work/out")" -eq 6 ] || fail 'the others are not right'
leaves_nothing

begin 'a container that does not start is a failure'
rm "$work/tree/plugins/both.so"
run --once
[ "$status" -eq 1 ] || fail "status $status"
grep -q 'both.so' "$work/out" || fail 'does not say what is missing'
leaves_nothing

begin 'a tree that is not built is told what to do'
rm "$work/tree/container"
run --once
[ "$status" -eq 1 ] || fail "status $status"
grep -q 'run make' "$work/out" || fail 'does not say so'
run --nonsense
[ "$status" -eq 2 ] || fail "status $status of nonsense"

run nonsense
[ "$status" -eq 1 ] && grep -q usage "$work/out" || fail 'no usage for a directory that is not there'

begin 'who reads only the beginning leaves nothing running'
TMPDIR=$work/tmp "$demo" --once "$work/tree" </dev/null 2>"$work/out" | head -n 3 >/dev/null
leaves_nothing

begin 'plugins that others could replace are told before, with what to do'
chmod g+w "$work/tree/plugins"
run --once
[ "$status" -eq 1 ] || fail "status $status"
grep -q "chmod -R go-w $work/tree" "$work/out" || fail 'does not say what to do'

# With script(1) there is a terminal; what is written to the fifo is typed on it.
if ! script -qec true /dev/null >/dev/null 2>&1 </dev/null; then
	echo 'SKIP: the demo on a terminal: script(1) or a pseudo-terminal is missing'
else
	begin 'on a terminal it serves, from where it says, until Ctrl-C'
	mkfifo "$work/typed"
	TMPDIR=$work/tmp TERM=xterm script -qefc "$demo $work/tree" "$work/out" \
		<"$work/typed" >/dev/null 2>&1 &
	terminal=$!
	exec 3>"$work/typed"
	tries=600
	until grep -q 'bayctl help' "$work/out" || [ "$tries" -eq 0 ]; do
		tries=$((tries - 1))
		sleep 0.05
	done
	grep -qF "cd $work/tree" "$work/out" || fail 'does not say where'
	[ "$(cd "$work/tree" && container/bayctl call square 12)" = 144 ] || fail 'does not serve'
	grep -q "$(printf '\033\\[32mok')" "$work/out" || fail 'no colours'
	printf '\003' >&3
	wait "$terminal"
	status=$?
	exec 3>&-
	[ "$status" -eq 0 ] || fail "status $status"
	rm "$work/typed"
	leaves_nothing
fi

[ "$failures" -eq 0 ] || exit 1
echo 'all as it should be'
