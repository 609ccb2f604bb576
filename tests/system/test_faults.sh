#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Whatever goes wrong in a plugin is reported with its kind, its service and its task, and the
# reports are there when everything has been killed. FAULTS=100 does each so often.
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"
not_with_sanitizer 'it has its own words for the ends of a process'

times=${FAULTS-2}

faulty() {
	plugin faults victim
	plugin actor bystander
	ini <<END
[service victim]
restart_delay = 1ms..5ms
start_limit = 1000/1m
on_crash = stay
${1-}
[service bystander]
END
}

is_answered() { [ "$(ctl_quiet call "$1" 'echo here')" = here ]; }

# The newest report is this one.
newest_report() { ctl_quiet crash --json | grep -o '"number": *[0-9]*' | head -n 1 | grep -o '[0-9]*$'; }
is_reported() { [ "$(newest_report)" = "$1" ]; }

# field_of_report FIELD: of what bayctl crash --json said last, in $dir/out.
field_of_report() { grep -o "\"$1\": *\"*[a-zA-Z0-9_-]*" "$dir/out" | head -n 1 | grep -o '[a-zA-Z0-9_-]*$'; }

# reports KIND ORDER: does that to the victim, many times, and looks at each report.
reports() {
	i=0
	while [ "$i" -lt "$times" ]; do
		i=$((i + 1))
		number=$((number + 1))
		wait_until 'the victim serves' is_state victim ready
		ctl call victim "$2"
		wait_until "report $number is there" is_reported "$number" || return
		ctl crash "$number" --json
		facts="$(field_of_report kind) $(field_of_report service) $(field_of_report task)"
		[ "$facts" = "$1 victim planted" ] || fail "$2, time $i: it says $facts"
	done
	wait_until 'the victim serves' is_state victim ready
	wait_until 'the bystander answers' is_answered bystander
}

begin "each kind of crash is named, $times times"
faulty
start
number=0
reports null-pointer null
reports wild-pointer wild
reports stack-overflow overflow
reports abort abort
reports assertion assert
reports double-free double-free
reports exit exit
stop

begin "a task that spins is reported and its cell replaced, $times times"
faulty 'stall_warn = 200ms
stall_kill = 1s'
start
number=0
reports stalled 'stuck 3'
logs 'service victim: task planted is in fault_spin'
ctl crash victim
says 'fault_spin'
says 'bay_sleep, called by planted_stuck'
stop

begin 'a loop that is stuck is told with its frames and what its task waited in, while it is stuck'
faulty 'instances = per-loop
stall_warn = 200ms
stall_kill = 0'
start
ctl_behind stuck call victim 'stuck 3'
wait_until 'it is told' has_logged 'service victim: task planted is in fault_spin'
logs 'before, it waited in bay_sleep, bay_sleep, bay_sleep'
kill -0 "$call" || fail 'it is not stuck any more'
# What is not bound to that loop goes on at the other one.
for _ in 1 2 3 4 5 6 7 8; do
	ctl call victim here
	status_is 0
done
ctl crash
! grep -q stalled "$dir/out" || fail 'there is a report of what goes on'
kill -KILL "$(cell_pid)"
! wait "$call" || fail 'the call was answered'
wait_until 'the victim serves again' is_state victim ready
stop

begin 'two services that wait for each other are named'
faulty 'concurrency = 1'
plugin faults partner
cat >>"$dir/bay.ini" <<'END'
[service partner]
concurrency = 1
END
start
ctl_behind one call victim "cross partner $dir/one.mark $dir/other.mark"
one=$call
ctl_behind other call partner "cross victim $dir/other.mark $dir/one.mark"
other=$call
is_deadlocked() { ctl_quiet tasks | grep -q '^deadlock: '; }
wait_until 'they wait for each other' is_deadlocked
ctl tasks
circle=$(grep '^deadlock: ' "$dir/out")
for word in '(victim)' '(partner)' handle; do
	case $circle in
	*"$word"*) ;;
	*) fail "$word is not in: $circle" ;;
	esac
done
is_answered bystander || fail 'the bystander does not answer'
ctl shutdown --now
expect_exit 0
wait "$one" "$other"

begin 'what a service leaves open or running is told when it ends'
faulty
start
ctl call victim leak
status_is 0
ctl call victim thread
status_is 0
ctl stop victim
status_is 0
logs 'service victim: it ended and left 1'
wait_until 'the thread is told' eval 'ctl_quiet events victim | grep -q "victim lingers.*: it starts threads"'
is_answered bystander || fail 'the bystander does not answer'
stop

begin 'a report tells what was done, where and with which message'
faulty
start
ctl call victim 'null and a secret'
wait_until 'it is reported' is_reported 1
ctl crash victim
status_is 0
says 'crash 1: null-pointer'
says 'null and a secret'
says 'address: 0x8'
says 'fault_null'
says '#0  '
says 'in victim.1.so (build-id '
says 'thread: loop '
# Its cell's last words are there: that the service was ready, at the least.
says 'last lines of the cell'
ctl crash
status_is 0
says 'null-pointer'
ctl crash 7
status_is 4
complains 'there is no report 7'
ctl crash bystander
status_is 4
stop

begin 'a message that is to stay secret is not in the report'
faulty 'crash_content = no'
start
ctl call victim 'null and a secret'
wait_until 'it is reported' is_reported 1
ctl crash 1
says '17 bytes, which are not shown'
! grep -rq 'a secret' "$dir/state" || fail 'it is in the file'
stop

begin 'reports outlive all processes, and can be read without a daemon'
faulty
start
ctl call victim null
wait_until 'it is reported' is_reported 1
kill -KILL "$bayd"
expect_exit 137
(cd "$dir" && "$built/bayctl" crash --offline victim >out 2>err) || fail 'it cannot be read'
says 'crash 1: null-pointer'
BAY_STATE=$dir/state ctl crash --offline --json
says '"kind"'
BAY_STATE=$dir/none ctl crash --offline
status_is 0
start
ctl crash 1
says 'crash 1: null-pointer'
ctl call victim null
wait_until 'the next has the next number' is_reported 2
stop

begin 'no more reports are kept than was said'
faulty
sed -i 's/^loops/crash_reports = 2\nloops/' "$dir/bay.ini"
start
for number in 1 2 3; do
	wait_until 'the victim serves' is_state victim ready
	ctl call victim null
	wait_until 'it is reported' is_reported "$number"
done
[ "$(ls "$dir/state/crashes")" = "2.json
3.json" ] || fail "there are $(ls "$dir/state/crashes")"
stop

begin 'a state_dir that cannot be written costs the reports and nothing else'
faulty
: >"$dir/state"
start
ctl call victim null
wait_until 'that is said' has_logged '[state-dir]'
wait_until 'the bystander answers' is_answered bystander
stop

finish
