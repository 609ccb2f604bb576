#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Several cells in one container: what happens in one of them is nothing to the others.
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"

has_no_cell() { [ -n "$(cell_is main pid)" ] && [ -z "$(cell_is "$1" pid)" ]; }
is_in() { [ "$(field_of "$1" cell)" = "$2" ] || fail "$1 is in $(field_of "$1" cell), not $2"; }

# is_as_before NAME PID: the process of that cell has not been touched.
is_as_before() {
	[ "$(cell_is "$1" pid) $(cell_is "$1" restarts)" = "$2 0" ] || fail "cell $1 is not what it was"
}

# One service in main, two in the cell risky, and one by itself. What a test changes it reloads itself.
four_services() {
	plugin actor
	ini <<END
watch = no
[cell risky]
loops = 1
[service calm]
plugin = actor
[service first]
plugin = actor
cell = risky
[service second]
plugin = actor
cell = risky
[service lone]
plugin = actor
isolate = yes
restart_delay = 10ms
${1-}
END
}

begin 'services are in the cells that they name'
four_services
start
is_in calm main
is_in first risky
is_in second risky
is_in lone lone
[ "$(cell_is main loops) $(cell_is risky loops) $(cell_is lone loops)" = '2 1 2' ] || fail 'their loops'
[ "$(ctl_quiet info --json | grep -o '"rss_bytes"' | wc -l)" -eq 3 ] || fail 'there are not three cells'
for service in calm first second lone; do
	is_answered $service || fail "$service does not answer"
done
ctl list
says 'CELL'
ctl status first
says 'cell: risky'
ctl tasks --json
for service in calm first second lone; do
	says "\"service\":\"$service\""
done
says '"cell":"lone"'
ctl show lone isolate
says 'yes'
ctl show first cell
says 'risky'
ctl show cell.risky
says 'loops'
says 'bay.ini:6'
ctl show cell.lone
status_is 4
complains 'cell lone has no section'
complains 'bayctl show container'
ctl show cell.nowhere
status_is 4
complains 'there is no cell nowhere'
ctl stats
says 'risky'
stop

begin 'a cell that is killed disturbs no call to another'
four_services
start
calm=$(cell_is main pid)
lone=$(cell_is lone pid)
ctl_behind other call calm "until $dir/end"
other=$call
ctl_behind lost call first 'sleep 3600000000000'
wait_until 'both calls are under way' eval \
	'[ "$(field_of first in_flight)$(field_of calm in_flight)" = 11 ]'
kill -KILL "$(cell_is risky pid)"
! wait "$call" || fail 'the call to the cell that was killed succeeded'
grep -q 'cell risky was killed by SIGKILL' "$dir/lost" || fail "it says: $(cat "$dir/lost")"
touch "$dir/end"
wait "$other" || fail "the call to another cell failed: $(cat "$dir/other")"
wait_until 'the first answers' is_answered first
wait_until 'the second answers' is_answered second
is_as_before main "$calm"
is_as_before lone "$lone"
[ "$(field_of calm failed) $(field_of calm restarts)" = '0 0' ] || fail 'calm has failures'
[ "$(cell_is risky restarts)" = 1 ] || fail 'risky was not started again'
stop

begin 'a service that crashes by itself harms nobody, however often'
four_services
start
calm=$(cell_is main pid)
risky=$(cell_is risky pid)
for _ in 1 2 3 4; do
	ctl call lone crash
	status_is 1
	complains 'cell lone crashed: SIGSEGV in service lone'
	is_answered calm || fail 'calm does not answer'
	is_answered first || fail 'first does not answer'
	wait_until 'it is back' is_answered lone
done
is_as_before main "$calm"
is_as_before risky "$risky"
# It cannot be moved any further.
! has_logged 'isolated' || fail 'it was isolated'
stop

begin 'who crashes a shared cell again and again gets one of its own, until it is reset'
four_services
start
for _ in 1 2 3; do
	ctl call first crash
	status_is 1
	wait_until 'the first answers' is_answered first
	wait_until 'the second answers' is_answered second
done
is_in first first
is_in second risky
[ "$(field_of first isolated) $(field_of second isolated)" = 'true false' ] || fail 'isolated is not told'
ctl status first
says 'its own, since it crashed the one that it shared'
ctl events first
says 'isolated'
says '[service-isolated]'
risky=$(cell_is risky pid)
ctl call first crash
wait_until 'the first answers' is_answered first
[ "$(cell_is risky pid)" = "$risky" ] || fail 'it still takes others with it'
ctl reset first
status_is 0
says 'first: ready'
is_in first risky
is_answered first || fail 'it does not answer where it was'
[ "$(field_of first isolated)" = false ] || fail 'it is still told as isolated'
wait_until 'its own cell has ended' has_no_cell first
ctl reset nobody
status_is 4
stop

begin 'on_crash = stay leaves it where it is'
four_services '[service third]
plugin = actor
cell = risky
on_crash = stay
restart_delay = 10ms'
start
for _ in 1 2 3 4; do
	ctl call third crash
	status_is 1
	wait_until 'the third answers' is_answered third
done
is_in third risky
stop

begin 'a reload moves services, adds cells and ends those that nobody is in'
four_services
start
calm=$(cell_is main pid)
ctl call lone 'echo counted'
ctl_behind slow call lone "until $dir/end"
slow=$call
wait_until 'the call is under way' eval '[ "$(field_of lone in_flight)" = 1 ]'
sed -i -e 's/^isolate = yes/cell = other/' -e 's/^cell = risky/isolate = yes/' "$dir/bay.ini"
ctl diff
says 'lone.cell: main -> other'
says 'first.isolate: no -> yes'
ctl_behind reload reload
reload=$call
wait_until 'it is on its way' eval '[ "$(state_of lone)" = stopping ] || [ "$(field_of lone cell)" = other ]'
# Who comes now waits, and is served in the other cell.
ctl_behind here call lone 'echo here'
here=$call
touch "$dir/end"
wait "$here" || fail "who came meanwhile was refused: $(cat "$dir/here")"
[ "$(cat "$dir/here")" = here ] || fail "who came meanwhile is answered: $(cat "$dir/here")"
wait "$reload" || fail "the reload failed: $(cat "$dir/reload")"
wait "$slow" || fail "the call under way failed: $(cat "$dir/slow")"
grep -q slept "$dir/slow" || fail "the call under way was lost: $(cat "$dir/slow")"
is_in lone other
is_in first first
is_in second second
is_as_before main "$calm"
wait_until 'nobody is in risky' has_no_cell risky
wait_until 'nobody is in lone' has_no_cell lone
for service in calm first second lone; do
	is_answered $service || fail "$service does not answer"
done
# What was counted in the former cell, which has gone, is not lost.
[ "$(field_of lone served)" -ge 4 ] || fail "served: $(field_of lone served)"
sed -i '/^\[service lone\]/,$d' "$dir/bay.ini"
ctl reload
status_is 0
wait_until 'nobody is in other' has_no_cell other
stop

begin 'a move that fails is undone'
four_services
start
sed -i -e 's/^isolate = yes/cell = other\ninit = crash/' "$dir/bay.ini"
ctl reload
status_is 10
is_in lone lone
wait_until 'it serves as before' is_answered lone
wait_until 'nobody is in other' has_no_cell other
stop

begin 'another section of a cell replaces its process, and no call fails'
four_services
start
calm=$(cell_is main pid)
risky=$(cell_is risky pid)
ctl_behind slow call first "until $dir/end"
wait_until 'the call is under way' eval '[ "$(field_of first in_flight)" = 1 ]'
sed -i 's/^\[cell risky\]/&\nfds_max = 128/; s/^loops = 1$/loops = 3/' "$dir/bay.ini"
ctl reload
status_is 0
says 'cell risky.loops: 1 -> 3'
says 'the cell is replaced'
touch "$dir/end"
wait_until 'it has three loops' eval '[ "$(cell_is risky loops) $(cell_is risky state)" = "3 ready" ]'
wait_until 'it is another process' eval '[ "$(cell_is risky pid)" != "$risky" ]'
wait_until 'the first answers' is_answered first
wait "$call" || fail "the call under way was lost: $(cat "$dir/slow")"
is_as_before main "$calm"
grep -q 'open files *128 *128 ' "/proc/$(cell_is risky pid)/limits" || fail 'it has not the limit'
stop

begin 'a reload adds a cell with its section'
four_services
start
printf '[cell late]\nfds_max = 64\n[service late]\nplugin = actor\ncell = late\n' >>"$dir/bay.ini"
ctl reload
status_is 0
is_in late late
is_answered late || fail 'late does not answer'
stop

begin 'what is wrong with cells is told with its place'
plugin actor
ini <<'END'
[cell x]
user = nobody-of-this-name
colour = red
[service actor]
isolate = yes
cell = x
[service other]
plugin = actor
cell = actor
END
check
status_is 5
complains "bay.ini:6: unknown key 'colour' in [cell NAME]"
complains 'bay.ini:8: isolate = yes: the service has cell = x too'
complains 'bay.ini:12: cell = actor: that is the own cell of service actor'
sed -i -e /colour/d -e /isolate/d "$dir/bay.ini"
check
status_is 5
complains 'bay.ini:5: user: there is no user of this name: nobody-of-this-name'
four_services
start
printf '[cell y]\ngroup = nobody-of-this-name\n' >>"$dir/bay.ini"
ctl reload
status_is 5
complains 'there is no group of this name: nobody-of-this-name'
stop

if [ "$(id -u)" != 0 ] || ! id nobody >/dev/null 2>&1; then
	echo 'SKIP: test_cells: a cell as another user: not root, or there is no user nobody'
elif ! setpriv --reuid nobody --clear-groups test -x "$built/bay-cell"; then
	echo "SKIP: test_cells: a cell as another user: nobody may not go to $built"
else
	begin 'a cell runs as its user, and gets no new privileges'
	four_services
	sed -i 's/^\[cell risky\]/&\nuser = nobody/' "$dir/bay.ini"
	chmod 711 "$work" "$dir"
	start
	[ "$(stat -c %U "/proc/$(cell_is risky pid)")" = nobody ] || fail 'risky is not nobody'
	[ "$(stat -c %U "/proc/$(cell_is main pid)")" = root ] || fail 'main is not root'
	grep -q '^NoNewPrivs:.*1' "/proc/$(cell_is risky pid)/status" || fail 'it may get new privileges'
	grep -q '^NoNewPrivs:.*0' "/proc/$(cell_is main pid)/status" || fail 'main may not'
	is_answered first || fail 'first does not answer'
	stop
fi

finish
