#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What happens to a service, and may be asked for, while it drains.
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"

# begin_drain VERB: the actor has a request that would last an hour and drains for as long.
# The bystander has one too, and the cell is to live on.
begin_drain() {
	plugin actor
	ini <<'END'
drain_timeout = 1h
[service actor]
drain_timeout = 1h
[service bystander]
plugin = actor
END
	start
	cell=$(cell_pid)
	ctl_behind slept call actor 'sleep 3600000000000'
	slept=$call
	ctl_behind other call bystander 'sleep 3600000000000'
	other=$call
	wait_until 'the calls are under way' both_in_flight
	[ "$1" = none ] || begin_stop "$1"
}

both_in_flight() { [ "$(field_of actor in_flight)$(field_of bystander in_flight)" = 11 ]; }

begin_stop() {
	ctl_behind "$1" "$1" actor
	first=$call
	wait_until 'it drains' is_state actor stopping
}

# The cell that there was is there, with what its other service had begun.
end_of_drain() {
	wait "$slept" && fail 'the call succeeded'
	[ "$(cell_pid)" = "$cell" ] || fail 'the cell has been replaced'
	kill -0 "$other" 2>/dev/null || fail "the bystander's call has ended: $(cat "$dir/other")"
	kill "$other" && wait "$other" 2>/dev/null
	ctl_quiet stop bystander --now
}

# answers PROCESS STATUS FILE [TEXT]
answers() {
	wait "$1"
	status=$?
	[ "$status" -eq "$2" ] || fail "$3: status $status, not $2: $(cat "$dir/$3")"
	grep -qF -- "${4-}" "$dir/$3" || fail "$3: does not say $4: $(cat "$dir/$3")"
}

begin 'a stop with --now cuts the drain of the one before, and both are answered'
begin_drain stop
ctl stop actor --now
status_is 0
answers "$first" 0 stop
is_state actor stopped || fail "it is $(state_of actor)"
end_of_drain
ctl start actor
status_is 0
stop

begin 'a second stop waits as long as the first'
begin_drain stop
ctl_behind second stop actor
second=$call
kill -0 "$first" || fail 'the first has not waited'
ctl stop actor --now
answers "$first" 0 stop
answers "$second" 0 second
logs "service actor: asked by user $(id -u), process"
logs "to stop it now"
end_of_drain
stop

for verb in start restart; do
	begin "a $verb during a drain starts it when that is over, and tells who stopped it"
	plugin actor
	ini <<'END'
[service actor]
drain_timeout = 1h
END
	start
	cell=$(cell_pid)
	ctl_behind slept call actor "until $dir/end"
	slept=$call
	wait_until 'the call is under way' eval '[ "$(field_of actor in_flight)" = 1 ]'
	begin_stop stop
	ctl_behind again $verb actor
	again=$call
	wait_until 'the wish is known' has_logged 'wanted again'
	touch "$dir/end"
	answers "$first" 1 stop 'somebody started the service meanwhile'
	answers "$again" 0 again
	is_state actor ready || fail "it is $(state_of actor)"
	answers "$slept" 0 slept
	[ "$(cell_pid)" = "$cell" ] || fail 'the cell has been replaced'
	stop
done

begin 'of a start and a stop during a drain the last counts'
begin_drain stop
ctl_behind started start actor
started=$call
wait_until 'the wish is known' has_logged 'wanted again'
is_state actor stopping || fail "it is $(state_of actor)"
ctl stop actor --now
status_is 0
answers "$first" 0 stop
answers "$started" 1 started 'somebody stopped the service meanwhile'
end_of_drain
stop

begin 'a restart that drains can be cut short too'
begin_drain restart
ctl stop actor --now
status_is 0
answers "$first" 1 restart 'somebody stopped the service meanwhile'
is_state actor stopped || fail "it is $(state_of actor)"
end_of_drain
stop

begin 'a handler that did not end and then did is stopped by a second stop, without its cell'
plugin actor
ini <<'END'
[service actor]
drain_timeout = 1ms
END
start
cell=$(cell_pid)
ctl_behind stayed call actor "stay-until $dir/end"
wait_until 'the call is under way' eval '[ "$(field_of actor in_flight)" = 1 ]'
ctl stop actor
status_is 1
complains 'bayctl stop tries again'
touch "$dir/end"
wait "$call"
ctl stop actor
status_is 0
is_state actor stopped || fail "it is $(state_of actor)"
[ "$(cell_pid)" = "$cell" ] || fail 'the cell has been replaced'
stop

begin 'a second signal cuts the drain of the end'
begin_drain none
kill "$other"
kill -TERM "$bayd"
wait_until 'it drains' has_logged 'service actor: stopping'
stop
wait "$slept" && fail 'the call succeeded'
! has_logged 'killed' || fail 'the cell was killed'

finish
