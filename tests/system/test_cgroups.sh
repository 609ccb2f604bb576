#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Cells in control groups of the kernel: what stands in them, that the kernel slows down what grows too fast
# and bayd still says why it ends it, and that nothing is left.
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"
not_with_sanitizer 'it takes memory and threads of its own'

skip() {
	echo "SKIP: $(basename "$0" .sh): $1"
	exit 77
}

# A group of our own below the first one there is, or nothing.
tree=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
[ -n "$tree" ] || skip 'there is no cgroup v2'
for controller in memory pids cpu; do
	grep -qw "$controller" "$tree/cgroup.subtree_control" ||
		skip "the groups in $tree have no controller $controller"
done
group=$tree/bay-test-$$
mkdir "$group" 2>/dev/null || skip "no group can be made in $tree"
other=
all_have_left() { [ -z "$(find "$group" -name cgroup.procs -exec cat {} + 2>/dev/null)" ]; }
# A group can be removed when nobody is in it any more: first whoever is, however the test has ended.
leave_group() {
	cleanup
	[ -z "$other" ] || kill -KILL "$other" 2>/dev/null
	wait_until 'all have left the groups' all_have_left
	find "$group" -depth -type d -exec rmdir {} + 2>/dev/null
}
trap leave_group EXIT

has_event() { ctl_quiet events | grep -q -- "$1"; }
# group_of CELL: where its process is; value CELL FILE.
group_of() { grep -lx "$(cell_is "$1" pid)" "$group"/cell-"$1".*/cgroup.procs | sed 's/.cgroup.procs$//'; }
value() { cat "$(group_of "$1")/$2"; }
value_is() { [ "$(value "$1" "$2")" = "$3" ] || fail "$2 of $1 is $(value "$1" "$2"), not $3"; }
groups() { find "$group" -mindepth 1 -type d | wc -l; }

hungry() {
	plugin intruder
	plugin actor
	{
		printf '[container]\nloops = 2\nlog_level = debug\n%s\n' "${2-cgroup = $group}"
		cat <<END
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
	} >"$dir/bay.ini"
}

begin 'each cell has a group with its limits, and bayd one of its own'
hungry 'memory_max = 64M
tasks_max = 40
cpu_weight = 300'
start
ctl info
says "limits: control groups in $group (memory, pids, cpu)"
grep -qx "$bayd" "$group/master/cgroup.procs" || fail 'bayd is not in master'
[ -n "$(group_of bounded)" ] || fail "the cell is in no group: $(ls -R "$group")"
value_is bounded memory.high $((84 << 20))
value_is bounded memory.max $((96 << 20))
value_is bounded memory.oom.group 1
value_is bounded pids.max 80
value_is bounded cpu.weight 300
value_is main memory.max max
value_is main pids.max max
value_is main cpu.weight 100
[ "$(awk '{ print $19 }' "/proc/$(cell_is bounded pid)/stat")" = 0 ] || fail 'it has another nice value, too'
[ "$(groups)" -eq 3 ] || fail "there are $(groups) groups"
# Live, and after a crash in the next group, with nothing left of the last.
hungry 'memory_max = 128M
tasks_max = 40
cpu_weight = 300'
ctl reload
status_is 0
value_is bounded memory.high $((168 << 20))
before=$(cell_is bounded pid)
kill -KILL "$before"
wait_until 'it is another process' is_another bounded "$before"
value_is bounded memory.high $((168 << 20))
[ "$(groups)" -eq 3 ] || fail "there are $(groups) groups after a crash"
stop
[ "$(groups)" -eq 0 ] || fail "left: $(ls -R "$group")"

begin 'a cell that outgrows its memory is replaced, and no call fails'
hungry 'memory_max = 96M'
start
before=$(cell_is bounded pid)
ctl call greedy 'grow 40'
status_is 0
ctl_behind slow call beside 'sleep 2000000000'
slow=$call
wait_until 'the call is under way' eval '[ "$(field_of beside in_flight)" = 1 ]'
ctl call greedy 'grow 60'
status_is 0
wait_until 'it is another process' is_another bounded "$before"
wait "$slow" || fail "the call under way failed: $(cat "$dir/slow")"
has_event 'cell bounded: it has [0-9]*M of memory (memory_max = 96M).*: it is replaced \[cell-limit\]' ||
	fail "no event says why: $(ctl_quiet events)"
[ "$(field_of greedy failed)$(field_of beside failed)" = 00 ] || fail 'a call has failed'
stop

begin 'what grows as fast as it can is ended by bayd before the kernel has to'
hungry 'memory_max = 64M'
start
before=$(cell_is bounded pid)
ctl_behind lost call beside 'sleep 3600000000000'
wait_until 'the call is under way' eval '[ "$(field_of beside in_flight)" = 1 ]'
ctl call greedy 'grow 600'
! wait "$call" || fail 'the call to a cell that was killed succeeded'
wait_until 'it is another process' is_another bounded "$before"
has=$(sed -n 's/.*was killed, because it has \([0-9]*\)M of memory (memory_max = 64M).*/\1/p' "$dir/lost")
[ "${has:-97}" -le 96 ] || fail "it says: $(cat "$dir/lost")"
[ -z "${VERBOSE-}" ] || echo "ended with ${has}M"
ctl crash
says 'bounded'
is_answered calm || fail 'calm does not answer'
[ "$(cell_is main restarts)" = 0 ] || fail 'the other cell was touched'
stop

begin 'one that the kernel has to end all the same is reported as one that had too much'
hungry 'memory_max = 64M'
start
before=$(cell_is bounded pid)
# As if bayd had come too late.
echo $((20 << 20)) >"$(group_of bounded)/memory.max"
ctl call greedy 'grow 60'
wait_until 'it is another process' is_another bounded "$before"
has_event 'cell bounded was killed, because it had more memory than even the kernel lets it have (memory_max = 64M) \[cell-limit\]' ||
	fail "no event says so: $(ctl_quiet events)"
stop

begin 'one that has too many threads, as the kernel counts them, is replaced'
hungry 'tasks_max = 40'
start
before=$(cell_is bounded pid)
has=$(value bounded pids.current)
ctl call greedy "threads $((42 - has))"
wait_until 'it is another process' is_another bounded "$before"
has_event 'cell bounded: it has 4[0-9] threads (tasks_max = 40): it is replaced \[cell-limit\]' ||
	fail "no event says why: $(ctl_quiet events)"
stop

begin 'a bayd that is killed leaves groups, and the next one removes them'
hungry 'memory_max = 64M'
start
mkdir "$group/cell-bounded.77"
kill -KILL "$bayd"
wait "$bayd" 2>/dev/null
bayd=
is_empty() { [ -z "$(cat "$group"/*/cgroup.procs)" ]; }
wait_until 'its cells have ended' is_empty
[ "$(groups)" -ge 3 ] || fail 'there is nothing to be removed'
start
[ "$(groups)" -eq 3 ] || fail "there are $(groups) groups: $(ls "$group")"
[ ! -e "$group/cell-bounded.77" ] || fail 'an old one is left'
stop
[ "$(groups)" -eq 0 ] || fail "left: $(ls -R "$group")"

begin 'a group in which others are is left alone'
hungry 'memory_max = 64M'
sleep 1000 &
other=$!
echo $other >"$group/cgroup.procs"
start
ctl info
says "limits: watched by bayd (no control groups: $group: process $other is in it, too)"
logs "cells get no control groups: $group: process $other is in it, too"
[ "$(groups)" -eq 0 ] || fail 'there are groups'
stop
kill $other
wait $other 2>/dev/null
other=

begin 'what is delegated is taken without being asked'
hungry 'memory_max = 64M' ''
cat >"$dir/into" <<END
#!/bin/sh
echo \$\$ >"$group/cgroup.procs"
exec "\$@"
END
chmod +x "$dir/into"
BAYD_WITH=$dir/into
start
ctl info
says "limits: watched by bayd (no control groups: $group is not delegated to bayd"
stop
if command -v setfattr >/dev/null && setfattr -n trusted.delegate -v 1 "$group" 2>/dev/null; then
	start
	ctl info
	says "limits: control groups in $group (memory, pids, cpu)"
	value_is bounded memory.high $((84 << 20))
	stop
	[ "$(groups)" -eq 0 ] || fail "left: $(ls -R "$group")"
fi
BAYD_WITH=

finish
