#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Whatever a plugin does to its cell, bayd survives it, says who it was, and serves again.
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"

two_services() {
	plugin actor
	ini <<END
[service actor]
${1-}
[service bystander]
plugin = actor
END
}

begin 'a killed cell is replaced and served again at once'
two_services
start
old=$(cell_pid)
kill -KILL "$old"
wait_until 'the actor answers' is_answered actor
wait_until 'the bystander answers' is_answered bystander
[ "$(cell_pid)" != "$old" ] || fail 'it is the same cell'
[ "$(field_of_cell restarts)" = 1 ] || fail "restarts: $(field_of_cell restarts)"
[ "$(field_of actor restarts)" = 1 ] || fail "restarts: $(field_of actor restarts)"
logs 'cell main: was killed by SIGKILL'
stop

begin 'a crash in a handler is blamed on its service, and the caller is told'
two_services
start
ctl call actor 'echo counted'
ctl call actor crash
status_is 1
complains 'crashed: SIGSEGV'
complains 'service actor'
logs 'cell main: crashed: SIGSEGV in service actor'
wait_until 'the bystander answers' is_answered bystander
wait_until 'the actor answers' is_answered actor
# What was counted in the old cell is still there.
[ "$(field_of actor served)" -ge 2 ] || fail "served: $(field_of actor served)"
[ "$(field_of bystander state)" = ready ] || fail 'the bystander is not ready'
stop

begin 'all calls under way in a cell that dies are answered'
two_services
start
ctl_behind other call bystander 'sleep 3600000000000'
wait_until 'the call is under way' eval '[ "$(field_of bystander in_flight)" = 1 ]'
ctl call actor crash
! wait "$call" || fail 'the call succeeded'
grep -q 'crashed: SIGSEGV in service actor' "$dir/other" || fail "it says: $(cat "$dir/other")"
# Each of the two has failed, once.
for service in actor bystander; do
	counts="$(field_of $service served) $(field_of $service failed)"
	[ "$counts" = '0 1' ] || fail "$service: served and failed are $counts"
done
stop

begin 'what a plugin prints is in the log, up to its last words'
two_services
start
ctl call actor 'print here I am'
status_is 0
wait_until 'the line is there' has_logged 'cell main info prints: here I am'
wait_until 'the other line is there' has_logged 'cell main warn prints: beside it'
ctl call actor abort
complains 'SIGABRT'
wait_until 'the last words are there' has_logged 'cell main warn prints: last words'
[ ! -s "$dir/bayd.out" ] || fail "on standard output: $(cat "$dir/bayd.out")"
wait_until 'the actor answers' is_answered actor
stop

begin 'a handler that ends the process is told with its exit code'
two_services
start
ctl call actor 'exit 3'
status_is 1
complains 'ended the process with exit code 3'
wait_until 'the actor answers' is_answered actor
stop

begin 'a service that crashes too often is given up, and the others are not'
two_services 'restart_delay = 10ms
start_limit = 3/1m'
start
for _ in 1 2 3; do
	wait_until 'the actor answers' is_answered actor
	ctl call actor crash
done
wait_until 'it has failed' is_state actor failed
ctl status actor
says 'given up after 3 failures within 1m (start_limit)'
wait_until 'the bystander answers' is_answered bystander
# The operator may start it again, from nothing.
ctl start actor
status_is 0
is_answered actor || fail 'it does not answer'
stop

begin 'a service with restart = no stays down after its own crash only'
two_services 'restart = no'
start
kill -KILL "$(cell_pid)"
wait_until 'the actor answers' is_answered actor
ctl call actor crash
wait_until 'it has failed' is_state actor failed
wait_until 'the bystander answers' is_answered bystander
is_state actor failed || fail "the actor is $(state_of actor)"
ctl call actor 'echo x'
status_is 1
complains 'service actor is failed: crashed: SIGSEGV'
stop

begin 'the wait for the next try is told, and a start by hand does not wait'
two_services 'restart_delay = 30m..40m'
start
ctl call actor crash
wait_until 'it has failed' is_state actor failed
ctl status actor
grep -q 'next try in [34][0-9]m' "$dir/out" || fail 'the next try is not told'
ctl list
grep -q 'next try in [34][0-9]m' "$dir/out" || fail 'the next try is not told'
[ "$(field_of actor next_try_ns)" -gt 1200000000000 ] || fail "next try: $(field_of actor next_try_ns)"
ctl start actor
status_is 0
is_answered actor || fail 'it does not answer'
stop

begin 'restart = on-hang leaves what crashed, restart = always takes what crashes in init'
plugin actor
ini <<'END'
[service actor]
restart = on-hang
[service hopeless]
plugin = actor
init = crash
restart = always
restart_delay = 1ms
start_limit = 3/1m
END
start
wait_until 'the hopeless one is given up' has_logged 'given up after 3 failures within 1m (start_limit)'
wait_until 'the actor answers' is_answered actor
ctl call actor crash
wait_until 'it has failed' is_state actor failed
is_answered actor && fail 'it was started again'
ctl status actor
! grep -q 'next try' "$dir/out" || fail 'it is to be tried again'
stop

begin 'a service that gives up by itself is started again after its delay'
two_services 'restart_delay = 10ms'
start
ctl call actor give-up
wait_until 'it has given up' has_logged 'service actor: failed: it gave up'
wait_until 'the actor answers' is_answered actor
[ "$(field_of actor restarts)" = 1 ] || fail "restarts: $(field_of actor restarts)"
[ "$(field_of_cell restarts)" = 0 ] || fail 'the cell was replaced for that'
stop

for kind in crash exit; do
	begin "an init that does $kind fails its service and nobody else"
	two_services "init = $kind"
	start
	is_state actor failed || fail "the actor is $(state_of actor)"
	wait_until 'the bystander answers' is_answered bystander
	ctl status actor
	case $kind in
	crash) says 'init crashed: SIGSEGV' ;;
	exit) says 'init ended the process with exit code 0' ;;
	esac
	[ "$(field_of_cell restarts)" = 1 ] || fail "restarts: $(field_of_cell restarts)"
	stop
done

begin 'an init that hangs is ended, fails its service and nobody else'
two_services 'init = spin
start_timeout = 200ms'
start
is_state actor failed || fail "the actor is $(state_of actor)"
wait_until 'the bystander answers' is_answered bystander
ctl status actor
says 'init hung: it did not end within start_timeout = 200ms, nor within 3s more'
stop

begin 'an init that waits for ever is ended without harm to the cell'
two_services 'init = wait
restart = no
start_timeout = 200ms'
start
is_state actor failed || fail "the actor is $(state_of actor)"
is_answered bystander || fail 'the bystander does not answer'
[ "$(field_of_cell restarts)" = 0 ] || fail "restarts: $(field_of_cell restarts)"
ctl status actor
says 'reason: init did not end within start_timeout = 200ms'
stop

begin 'an init that fails is told with its reason and tried again until given up'
two_services 'init = fail
restart_delay = 1ms
start_limit = 3/1m'
start
wait_until 'it is given up' has_logged 'given up after 3 failures'
ctl status actor
says 'init was told to fail'
is_answered bystander || fail 'the bystander does not answer'
stop

begin 'reports come from a daemon whose loops all hang'
plugin actor
ini <<'END'
loops = 1
[service actor]
[service bystander]
plugin = actor
END
sed -i '0,/^loops = 2$/{/^loops = 2$/d}' "$dir/bay.ini"
start
# Long enough for it to have begun.
ctl call actor spin --timeout 1s
status_is 8
for report in ping info list 'status actor' stats queues 'log -n 5'; do
	# shellcheck disable=SC2086
	ctl $report
	status_is 0
done
ctl tasks
says 'loop 0'
says 'service actor'
ctl call bystander 'echo hello' --timeout 200ms
status_is 8
ctl stop actor --now
status_is 0
wait_until 'the bystander answers' is_answered bystander
is_state actor stopped || fail "the actor is $(state_of actor)"
stop

begin 'a loop that hangs is named with the service and the task that keep it'
plugin actor
ini <<'END'
[service actor]
[service bystander]
plugin = actor
END
sed -i 's/^loops = 2$/loops = 1/' "$dir/bay.ini"
start
ctl call bystander 'echo hello'
tells() { ctl_quiet $1 | grep -q "^loop 0 does not answer: it is busy in service actor, task $2, for "; }
for order in 'spin handle' 'toil breadwinner'; do
	wait_until 'the actor answers' eval '[ "$(ctl_quiet call actor "echo here")" = here ]'
	ctl tasks
	! grep -q 'does not answer' "$dir/out" || fail 'an idle loop does not answer'
	ctl call --timeout 1s actor "$order"
	status_is 8
	wait_until 'the loop is silent' tells status '[a-z]*'
	for report in status 'status actor' tasks 'tasks --tree'; do
		tells "$report" "${order#* }" || fail "bayctl $report does not name the task"
	done
	ctl status bystander
	! grep -q 'does not answer' "$dir/out" || fail 'the bystander is blamed'
	ctl stop actor --now
	ctl start actor
	status_is 0
done
stop

begin 'who wants a loop that hangs to be ended sets stall_kill beside it, and hears which one it is'
plugin actor
ini <<'END'
[service actor]
stall_kill = 0s
restart_delay = 10ms
instances = one
END
start
before=$(cell_pid)
ctl_behind spins call actor spin
hangs() { ctl_quiet status actor --json | grep -q '"silent_loops":\[{'; }
wait_until 'its loop hangs' hangs
ctl set actor.queue 7
status_is 10
complains 'its loops have not taken the change'
complains '(loop 0 hangs in service actor, task handle)'
ctl set actor.stall_kill 1s
status_is 0
is_another() { [ "$(cell_pid)" != "$before" ] && [ "$(state_of actor)" = ready ]; }
wait_until 'another cell serves' is_another
! wait "$call" || fail 'the call succeeded'
ctl set actor.queue 7
status_is 0
stop

begin 'an idle loop tells how many tasks it has'
plugin actor
ini <<'END'
[service actor]
END
sed -i 's/^loops = 2$/loops = 1/' "$dir/bay.ini"
start
ctl_behind slept call actor 'sleep 3600000000000'
wait_until 'the call is under way' eval '[ "$(field_of actor in_flight)" = 1 ]'
tasks_of_loop() {
	ctl_quiet stats --json | tr -d ' \n' | grep -o '"loop":0,[^{}]*' | grep -o '"tasks":[0-9]*'
}
# The call and the actor's run.
wait_until 'both tasks are told' eval '[ "$(tasks_of_loop)" = "\"tasks\":2" ]'
ctl stop actor --now
status_is 0
wait_until 'none is told' eval '[ "$(tasks_of_loop)" = "\"tasks\":0" ]'
wait "$call"
stop

finish
