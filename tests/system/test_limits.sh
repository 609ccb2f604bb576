#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A service gets no more than its limits, what comes beyond them goes by its policy, and others
# notice nothing.
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"

loads_with() {
	plugin loads
	ini <<END
[service loads]
$1
END
	start
}

figure() {
	ctl_quiet stats loads --json | tr -d '\n' | grep -o "\"$1\": *-*[0-9]*" | head -n 1 | grep -o '[0-9]*$'
}
is() { [ "$(figure "$1")" = "$2" ]; }
expect() { is "$1" "$2" || fail "$1 is $(figure "$1"), not $2"; }

# sleepers COUNT: so many calls under way.
sleepers() {
	calls=
	for n in $(seq "$1"); do
		ctl_behind "sleeper$n" call loads wait
		calls="$calls $call"
	done
}

wake_up() {
	ctl 'do' loads let-go
	# shellcheck disable=SC2086
	wait $calls
}

begin 'max_inflight refuses by reject, with the bound in the text'
loads_with 'max_inflight = 2'
sleepers 2
wait_until 'two are under way' is in_flight 2
ctl call loads 'echo third'
status_is 1
complains 'max_inflight = 2'
expect rejected 1
expect in_flight 2
wake_up
wait_until 'they have ended' is in_flight 0
ctl call loads 'echo fourth'
says fourth
stop

begin 'max_inflight lets the senders wait by wait'
loads_with 'max_inflight = 1
overflow = wait'
sleepers 1
wait_until 'one is under way' is in_flight 1
ctl_behind waits call loads 'echo later'
wait_until 'one waits' eval '[ "$(ctl_quiet queues --json | grep -o "\"waiting_senders\": *1")" ]'
wake_up
wait_until 'it is answered' grep -q later "$dir/waits"
stop

begin 'max_inflight cannot drop what is being handled'
loads_with 'max_inflight = 1
overflow = drop-oldest'
sleepers 1
wait_until 'one is under way' is in_flight 1
ctl call loads 'echo more'
status_is 1
expect in_flight 1
wake_up
stop

begin 'a rate lets no more begin, and the others wait in the queue'
loads_with 'rate = 3/1h
queue = 2'
for n in 1 2 3; do
	ctl call loads "echo $n"
	says "$n"
done
for n in 1 2; do
	ctl_behind "late$n" call loads "echo $n" --timeout 0
done
wait_until 'two are queued' is queue 2
ctl call loads 'echo more'
status_is 1
complains 'queue of service loads is full'
expect served 3
# It is live, and what waits goes on by the new one.
ctl set loads.rate 0/1s
status_is 0
wait_until 'the rest is answered' is served 5
stop

begin 'what a rate has stopped goes on by itself'
loads_with 'rate = 10/100ms'
for n in $(seq 25); do
	ctl_behind "call$n" call loads "echo $n"
done
wait_until 'all are answered' is served 25
stop

begin 'tasks_max bounds the handlers and what they start'
loads_with 'tasks_max = 3'
sleepers 2
wait_until 'two are under way' is in_flight 2
ctl call loads 'spawn 1'
status_is 1
ctl call loads 'echo third'
says third
sleepers_before=$calls
ctl_behind third call loads wait
calls="$sleepers_before $call"
wait_until 'three are under way' is tasks 3
ctl_behind fourth call loads 'echo fourth'
wait_until 'one is queued' is queue 1
logs 'tasks_max = 3'
wake_up
wait_until 'it is answered' grep -q fourth "$dir/fourth"
stop

begin 'memory_max bounds what is allocated and queued'
loads_with 'memory_max = 100k'
ctl call loads 'hold 60000'
status_is 0
ctl call loads 'hold 60000'
status_is 1
complains 'no memory'
expect memory_bytes 60000
logs 'memory_max = 102400'
head -c 50000 /dev/zero >"$dir/large"
"$built/bayctl" -s "$dir/run/control.sock" call loads - <"$dir/large" >"$dir/out" 2>"$dir/err"
status=$?
status_is 1
complains 'memory_max = 102400'
ctl 'do' loads let-go
ctl call loads 'hold 60000'
status_is 0
stop

begin 'senders who wait for memory are let in when it is freed'
loads_with 'memory_max = 100k
overflow = wait'
ctl call loads 'hold 60000'
"$built/bayctl" -s "$dir/run/control.sock" call loads - <"$work/7/large" >"$dir/waits" 2>&1 &
call=$!
wait_until 'it waits' eval '[ "$(ctl_quiet queues --json | grep -o "\"waiting_senders\": *1")" ]'
ctl set loads.memory_max 0
wait_until 'it is answered' grep -q 'no such order' "$dir/waits"
wait "$call"
stop

begin 'limits can be set while it runs, and are checked'
loads_with ''
ctl set loads.max_inflight 1
status_is 0
sleepers 1
wait_until 'one is under way' is in_flight 1
ctl call loads 'echo second'
status_is 1
wake_up
ctl set loads.rate often
status_is 5
stop

finish
