#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What a cell may have: with more memory or threads it is replaced and no call fails, with far
# more it is killed, and its neighbours never notice.
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"
not_with_sanitizer 'it takes memory and threads of its own'

has_event() { ctl_quiet events | grep -qF -- "$1"; }

# hungry KEYS: a service in a cell with these limits, one that shares it, and one that does not. What a
# test changes it reloads itself.
hungry() {
	plugin intruder
	plugin actor
	ini <<END
watch = no
[cell bounded]
$1
[service greedy]
plugin = intruder
cell = bounded
[service beside]
plugin = actor
cell = bounded
[service calm]
plugin = actor
END
}

begin 'a cell that outgrows its memory is replaced, and no call fails'
hungry 'memory_max = 96M'
start
before=$(cell_is bounded pid)
calm=$(cell_is main pid)
ctl call greedy 'grow 40'
status_is 0
ctl_behind slow call beside 'sleep 2000000000'
slow=$call
wait_until 'the call is under way' eval '[ "$(field_of beside in_flight)" = 1 ]'
ctl call greedy 'grow 60'
status_is 0
wait_until 'it is another process' is_another bounded "$before"
wait "$slow" || fail "the call under way failed: $(cat "$dir/slow")"
grep -q slept "$dir/slow" || fail "the call under way was lost: $(cat "$dir/slow")"
ctl_quiet events | grep -q 'cell bounded: it has [0-9]*M of memory' || fail 'no event says how much it had'
has_event '(memory_max = 96M), of which service greedy has 100M: it is replaced [cell-limit]' ||
	fail "no event says why: $(ctl_quiet events)"
logs 'cell bounded: is replaced: it has '
wait_until 'the other one answers' is_answered beside
[ "$(cell_is main pid) $(cell_is main restarts)" = "$calm 0" ] || fail 'the other cell was touched'
[ "$(field_of greedy failed)$(field_of beside failed)" = 00 ] || fail 'a call has failed'
stop

begin 'one that outgrows it by far is killed, and says so to who waits'
hungry 'memory_max = 64M'
start
before=$(cell_is bounded pid)
ctl_behind lost call beside 'sleep 3600000000000'
wait_until 'the call is under way' eval '[ "$(field_of beside in_flight)" = 1 ]'
ctl call greedy 'grow 300'
! wait "$call" || fail 'the call to a cell that was killed succeeded'
grep -q 'cell bounded was killed, because it has .*M of memory (memory_max = 64M)' "$dir/lost" ||
	fail "it says: $(cat "$dir/lost")"
grep -q '\[cell-limit\]' "$dir/lost" || fail 'it has another code'
has_event 'it is killed [cell-limit]' || fail 'no event says so'
wait_until 'it is another process' is_another bounded "$before"
wait_until 'the other one answers' is_answered beside
is_answered calm || fail 'calm does not answer'
stop

begin 'one that has too many threads is replaced, and one that has far too many is killed'
hungry 'tasks_max = 40'
start
before=$(cell_is bounded pid)
ctl call greedy 'threads 10'
status_is 0
had=$(ls "/proc/$before/task" | wc -l)
# One more than it may have: with more it could be seen while they become so many.
ctl call greedy "threads $((41 - had))"
status_is 0
wait_until 'it is another process' is_another bounded "$before"
has_event 'cell bounded: it has 41 threads (tasks_max = 40): it is replaced [cell-limit]' ||
	fail "no event says why: $(ctl_quiet events)"
wait_until 'it answers' is_answered beside
before=$(cell_is bounded pid)
ctl call greedy 'threads 100'
wait_until 'it is another process' is_another bounded "$before"
logs '(tasks_max = 40) [cell-limit]'
wait_until 'it answers' is_answered beside
stop

begin 'another limit counts from the reload on, for the process that is there'
hungry 'memory_max = 512M'
start
before=$(cell_is bounded pid)
ctl call greedy 'grow 60'
status_is 0
sed -i 's/^memory_max = .*/memory_max = 55M/' "$dir/bay.ini"
ctl reload
status_is 0
says 'cell bounded.memory_max: 512M -> 55M'
wait_until 'it is another process' is_another bounded "$before"
has_event '(memory_max = 55M)' || fail 'it was replaced for something else'
ctl show cell.bounded memory_max
says '55M'
ctl show cell.bounded tasks_max
says 'none'
stop

begin 'a cell of less weight is nicer than others'
hungry 'cpu_weight = 25'
start
[ "$(ps -o ni= -p "$(cell_is bounded pid)" | tr -d ' ')" = 6 ] || fail 'it is not as nice as it should be'
for thread in /proc/"$(cell_is bounded pid)"/task/*; do
	[ "$(sed 's/.*) //' "$thread/stat" | cut -d ' ' -f 17)" = 6 ] ||
		fail "a thread is not: $(cat "$thread/stat")"
done
[ "$(ps -o ni= -p "$(cell_is main pid)" | tr -d ' ')" = "$(ps -o ni= -p "$bayd" | tr -d ' ')" ] || fail 'the other one is'
stop

begin 'limits that cannot be are told with their place'
hungry 'memory_max = 5
tasks_max = 2
cpu_weight = 0'
check
status_is 5
complains "bay.ini:6: memory_max = '5': wants none, or a size such as"
complains "bay.ini:7: tasks_max = '2': wants none, or a number from 8"
complains "bay.ini:8: cpu_weight = '0'"

finish
