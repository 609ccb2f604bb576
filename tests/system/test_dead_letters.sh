#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A message over which cells crash again and again is put away instead of being sent once more, and
# is there when everything has been killed.
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"

two_cells() {
	begin "$1"
	plugin links
	ini <<-END
	[cell risky]
	[service here]
	plugin = links
	[service there]
	plugin = links
	cell = risky
	restart_delay = 1ms..5ms
	start_limit = 100/1m
	${2-}
	END
	start
}

numbers() { ctl_quiet dlq ls there --quiet | awk '{print $1}' | tr '\n' ' '; }
has_letters() { [ "$(numbers)" = "$1" ]; }
crashes() { ctl_quiet crash --json | grep -o '"service": *"there"' | wc -l; }

two_cells 'a message is put away after two crashes, though it might be sent again' 'retry = 50'
ctl call here 'call there crash'
status_is 1
complains 'service there: cell risky has ended: it crashed over this message'
complains 'after 2 crashes'
wait_until 'it is there' has_letters '1 '
[ "$(crashes)" -eq 2 ] || fail "there were $(crashes) crashes"
logs 'dead-letter'
ctl dlq show there 1
status_is 0
[ "$(cat "$dir/out")" = crash ] || fail "it is $(cat "$dir/out")"
ctl dlq ls there --json
says '"crashes":2'
ctl call here 'call there crash'
wait_until 'the other one is there' has_letters '2 1 '
wait_until 'it serves again' is_state there ready
ctl call here 'call there echo unharmed'
[ "$(cat "$dir/out")" = unharmed ] || fail 'the service does not answer'
ctl dlq purge there 1
status_is 0
has_letters '2 ' || fail "there are $(numbers)"
ctl dlq show there 1
status_is 4
ctl dlq purge there
says '1 dead letter of there purged'
has_letters '' || fail "there are $(numbers)"
stop

two_cells 'one that has only waited in a cell that crashed is no dead letter' 'retry = 50
concurrency = 1'
ctl_behind hangs.out call here 'call there hang'
hangs=$call
wait_until 'the callee is at work' eval '[ "$(field_of there in_flight)" = 1 ]'
ctl_behind waits.out call here 'call there echo patient'
waits=$call
wait_until 'one waits' eval '[ "$(field_of there queued)" = 1 ]'
# A death from outside is nobody's fault.
# shellcheck disable=SC2034
old=$(ctl_quiet crash --json | wc -c)
kill -KILL "$(ctl_quiet info --json | tr -d '\n' | grep -o '"name": *"risky", *"pid": *[0-9]*' | grep -o '[0-9]*$')"
wait_until 'there is a report of that' eval '[ "$(ctl_quiet crash --json | wc -c)" != "$old" ]'
wait_until 'the callee is at work again' eval '[ "$(field_of there in_flight)" = 1 ]'
has_letters '' || fail "there are $(numbers)"
kill "$hangs" "$waits" 2>/dev/null
wait "$hangs" "$waits"
ctl stop there --now
ctl shutdown --now
expect_exit 0

two_cells 'without poison it is sent as often as retry says' 'retry = 3
poison = 0'
ctl call here 'call there crash'
status_is 1
complains 'service there: cell risky has ended'
[ "$(crashes)" -eq 4 ] || fail "there were $(crashes) crashes"
has_letters '' || fail "there are $(numbers)"
stop

two_cells 'letters outlive all processes, and are sent again when somebody says so' 'poison = 1'
ctl call here "call there crash-once $dir/mark"
status_is 1
wait_until 'it is there' has_letters '1 '
kill -KILL "$bayd"
expect_exit 137
start
has_letters '1 ' || fail "there are $(numbers)"
ctl dlq replay there
status_is 0
says '1 dead letter of there replayed'
has_letters '' || fail "there are $(numbers)"
wait_until 'it is served' eval '[ "$(field_of there served)" -ge 1 ]'
[ "$(crashes)" -eq 1 ] || fail "there were $(crashes) crashes"
stop

two_cells 'no more are kept than was said' 'poison = 1
dead_letters = 2'
# shellcheck disable=SC2034
for number in 1 2 3; do
	wait_until 'it serves' is_state there ready
	ctl call here 'call there crash'
	wait_until 'it is there' eval 'numbers | grep -q "^$number "'
done
has_letters '3 2 ' || fail "there are $(numbers)"
ctl dlq ls nowhere
status_is 4
ctl dlq sell there
status_is 2
ctl dlq show there
status_is 2
stop

finish
