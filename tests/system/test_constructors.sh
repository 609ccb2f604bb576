#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Plugins whose constructors are well behaved before the examiner and not in the cell: theirs
# is the blame, and the others run.
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"

# begin_spoiled NAME: a service of that name is loaded beside another one.
begin_spoiled() {
	begin "a constructor that $1"
	plugin spoils_cell "$1"
	plugin actor
	ini <<END
[service $1]
start_timeout = 100ms
[service actor]
start_timeout = 100ms
END
	start
}

# is_blamed NAME REASON
is_blamed() {
	is_state "$1" failed || fail "it is $(state_of "$1")"
	ctl status "$1"
	says "reason: $2"
	is_answered actor || fail 'the actor does not answer'
	[ "$(field_of_cell restarts)" = 1 ] || fail "the cell restarted $(field_of_cell restarts) times"
}

begin_spoiled crashes
is_blamed crashes 'its code crashed: SIGABRT: abort() was called'
logs 'cell main: crashed: SIGABRT in loading service crashes'
stop

begin_spoiled exits
is_blamed exits 'its code ended the process with exit code 0'
stop

begin_spoiled hangs
is_blamed hangs 'init hung: it did not end within start_timeout = 100ms, nor within 3s more'
stop

begin_spoiled takes_handlers
is_answered actor || fail 'the actor does not answer'
is_state takes_handlers ready || fail "it is $(state_of takes_handlers)"
logs 'its code took the handler of signal 11'
ctl call takes_handlers x
status_is 1
complains 'SIGSEGV in service takes_handlers at address 0x10 in task handle'
stop

begin_spoiled takes_pipe
is_state takes_pipe ready || fail "it is $(state_of takes_pipe)"
ctl call takes_pipe x
says refused
is_answered actor || fail 'the actor does not answer'
stop

if [ "$(id -u)" = 0 ]; then
	begin_spoiled changes_user
	is_blamed changes_user 'its code ended the process with exit code 1'
	logs 'its code made the cell user 12345 instead of 0'
	stop
else
	echo 'SKIP: test_constructors: changing the user: not root'
fi

# --- what is left behind ---

# child_of PID: its first child. A bare system has no pgrep.
child_of() {
	grep -ls "^PPid:[[:space:]]*$1\$" /proc/[0-9]*/status | sed -n '1s,^/proc/\([0-9]*\)/.*,\1,p'
}

begin 'what a constructor forks ends with its cell'
plugin forks
plugin actor
ini <<'END'
[service forks]
[service actor]
END
start
is_answered actor || fail 'the actor does not answer'
forked=$(child_of "$(cell_pid)")
[ -n "$forked" ] || fail 'nothing was forked'
kill -KILL "$(cell_pid)"
wait_until 'the actor answers' is_answered actor
is_gone() { ! kill -0 "$1" 2>/dev/null || grep -q '^State:.Z' "/proc/$1/status"; }
wait_until 'the forked process is gone' is_gone "$forked"
forked=$(child_of "$(cell_pid)")
stop
wait_until 'the forked process is gone, too' is_gone "$forked"

# Those of this name that began in our directory: others may run this test, too.
count_fled() {
	grep -lx bay-test-flees /proc/[0-9]*/comm 2>/dev/null | while read -r comm; do
		readlink "${comm%comm}cwd"
	done | grep -cx "$dir"
}
nobody_fled() { [ "$(count_fled)" -eq 0 ]; }

begin 'what leaves the process group ends with the daemon'
plugin flees
plugin actor
ini <<'END'
[service flees]
[service actor]
END
start
is_answered actor || fail 'the actor does not answer'
# That of the cell.
wait_until 'one has fled' eval '[ "$(count_fled)" -gt 0 ]'
stop
nobody_fled || fail 'somebody is left'
logs '(bay-test-flees), which a plugin has left behind, is killed'
check
status_is 0
nobody_fled || fail 'the check leaves somebody'

finish
