#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What a service uses is counted for it and for nobody else, and shown while it uses it.
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"

two_services() {
	plugin loads
	plugin actor
	ini <<END
[service loads]
${1-}
[service actor]
END
}

# figure SERVICE NAME: of its account.
figure() {
	ctl_quiet stats "$1" --json | tr -d '\n' | grep -o "\"$2\": *-*[0-9]*" | head -n 1 | grep -o '[0-9]*$'
}

# all_figures NAME: of all loops or services, one a line.
all_figures() { ctl_quiet stats --json | grep -o "\"$1\": *-*[0-9]*" | grep -o '[0-9]*$'; }

above() { [ "$(figure "$1" "$2")" -gt "$3" ]; }

begin 'the time of a processor is counted while every loop hangs'
plugin loads
plugin actor
ini <<'END'
[service loads]
[service actor]
instances = per-loop
END
start
for loop in 1 2; do
	ctl_behind "spin$loop" call actor spin --timeout 0
done
wait_until 'the time goes up' above actor cpu_ns 200000000
wait_until 'it goes on to do so' above actor cpu_ns 400000000
[ "$(figure loads cpu_ns)" -lt 100000000 ] || fail "the other has had $(figure loads cpu_ns) ns"
ctl stats
status_is 0
says 'LAG-P99'
kill -KILL "$(cell_pid)"
wait_until 'it is served again' eval '[ "$(ctl_quiet call actor "echo here")" = here ]'
above actor cpu_ns 400000000 || fail 'what the cell that died had counted is lost'
stop

begin 'a helper thread counts too'
two_services
start
ctl call loads 'blocks 50000000'
status_is 0
above loads cpu_ns 49000000 || fail "it has had $(figure loads cpu_ns) ns"
stop

begin 'tasks are counted, those that handle requests and others'
two_services
start
[ "$(figure loads tasks)" = 0 ] || fail "tasks before: $(figure loads tasks)"
# Its run.
[ "$(figure actor tasks)" = 1 ] || fail "tasks of the other: $(figure actor tasks)"
ctl call loads 'spawn 7'
status_is 0
[ "$(figure loads tasks)" = 7 ] || fail "tasks: $(figure loads tasks)"
ctl_behind sleeper call loads wait
wait_until 'there are eight' eval '[ "$(figure loads tasks)" = 8 ]'
ctl 'do' loads let-go
wait_until 'all have ended' eval '[ "$(figure loads tasks)" = 0 ]'
stop

begin 'it is known how much of its stack a service needs'
two_services
start
ctl call actor 'echo here'
ctl call loads 'deep 60000'
status_is 0
used=$(figure loads stack_used_bytes)
[ "$used" -ge 60000 ] || fail "it says $used"
[ "$used" -lt 200000 ] || fail "it says $used"
[ "$(figure actor stack_used_bytes)" -lt 60000 ] || fail "the other: $(figure actor stack_used_bytes)"
ctl stats loads
says 'bytes used at most, of 256k'
stop

begin 'what it allocates and what waits for it is its memory'
two_services 'concurrency = 1'
start
ctl call loads 'hold 100000'
[ "$(figure loads memory_bytes)" = 100000 ] || fail "memory: $(figure loads memory_bytes)"
[ "$(figure actor memory_bytes)" = 0 ] || fail "the other: $(figure actor memory_bytes)"
ctl 'do' loads let-go
[ "$(figure loads memory_bytes)" = 0 ] || fail "memory after: $(figure loads memory_bytes)"
ctl pause actor
ctl send actor 'echo 7890'
[ "$(figure actor queue_bytes)" = 9 ] || fail "queued: $(figure actor queue_bytes)"
stop

begin 'a loop that is kept is late, by as long as it was kept'
two_services
start
ctl call loads 'burn 300000000'
status_is 0
late=false
for lag in $(all_figures max_ns); do
	[ "$lag" -lt 300000000 ] || late=true
done
$late || fail "none is: $(all_figures max_ns | tr '\n' ' ')"
stop

finish
