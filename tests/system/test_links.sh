#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Services of one cell call those of another: as inside one cell, and when the other dies or goes
# wild.
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"

# The pid of a cell, by its name.
pid_of() { ctl_quiet info --json | grep -o "\"$1\",\"pid\":[0-9]*" | grep -o '[0-9]*$'; }

# reply_is TEXT: of the last call.
reply_is() {
	status_is 0
	[ "$(cat "$dir/out")" = "$1" ] || fail "the reply is not '$1'"
}

# here calls there, in another cell; alone is in a third one.
three_cells() {
	begin "$1"
	plugin links
	ini <<-END
	[cell risky]
	[service here]
	plugin = links
	[service there]
	plugin = links
	cell = risky
	queue_bytes = 128M
	${2-}
	[service alone]
	plugin = links
	isolate = yes
	END
	start
}

is_at_work() { [ "$(ctl_quiet call there hanging)" -gt 0 ]; }
has_noted() { [ "$(ctl_quiet call there count)" = "$1" ]; }
was_canceled() { [ "$(ctl_quiet call there canceled)" = "$1" ]; }

three_cells 'calls go from cell to cell and back'
ctl call here 'call there echo hello'
reply_is hello
ctl call here 'call there call alone call here echo round'
reply_is round
ctl call here 'gather there alone'
reply_is 'there alone'
ctl call here 'call there fail because of this'
status_is 1
complains 'because of this'
ctl call here 'send there note'
reply_is sent
wait_until 'it has been noted' has_noted 1
ctl call here 'call nowhere echo x'
status_is 1
complains "there is no service 'nowhere'"
stop

three_cells 'bodies of all sizes come back the same'
for size in 5000 16384 16385 1000000 67108864; do
	ctl call here "large $size there"
	reply_is 'the same'
done
ctl call here 'large 67108865 there'
status_is 1
complains 'larger than what goes from cell to cell (64 MiB)'
stop

three_cells 'a deadline and a cancellation reach the other cell'
# On a busy machine the time of one may be over before it begins there: then another.
times_out() {
	ctl call here 'within 50 there hang' --json
	status_is 1
	# Whichever of the two cells is first to see it.
	says '"status":"timeout","message":"service there'
	was_canceled deadline
}
wait_until 'the callee is cancelled' times_out
ctl call here 'cancel there'
reply_is canceled
wait_until 'the callee is cancelled' was_canceled 'changed my mind'
stop

three_cells 'a circle through two cells is refused' 'concurrency = 1'
ctl call there 'call here call there echo never'
status_is 1
complains 'the call could only be served after its own caller: there -> here -> there'
stop

three_cells 'the task list says in which cell the callee is'
ctl_behind call.out call here 'call there hang'
wait_until 'the callee is at work' is_at_work
ctl tasks here
says 'bay_call there in cell risky'
ctl tasks --json
[ "$(grep -o '"deadlock":"' "$dir/out" | wc -l)" -eq 0 ] || fail 'what waits for another cell is no deadlock'
kill -KILL "$(pid_of risky)"
wait "$call"
stop

in_flight() { [ "$(field_of "$1" in_flight)" = "$2" ]; }
is_deadlocked() { ctl_quiet tasks | grep -q '^deadlock: '; }

# here and there call each other and have no more room. cross: both are at it.
cross() {
	ctl_behind crossed.here call here "when $dir/go there echo x" --timeout 1h
	from_here=$call
	ctl_behind crossed.there call there "when $dir/go here echo x" --timeout 1h
	from_there=$call
	wait_until 'here is at work' in_flight here 1
	wait_until 'there is at work' in_flight there 1
	: >"$dir/go"
}

begin 'services of two cells that wait for each other are told'
plugin links
ini <<END
[service here]
plugin = links
concurrency = 1
timeout = 0
[service there]
plugin = links
isolate = yes
concurrency = 1
timeout = 0
[service healthy]
plugin = links
isolate = yes
END
start
cross
wait_until 'they wait for each other' is_deadlocked
ctl tasks
circle=$(grep '^deadlock: ' "$dir/out")
one='task [0-9]* handle (here) in cell main -> the queue of there in cell there'
two='task [0-9]* handle (there) in cell there -> the queue of here in cell main'
echo "$circle" | grep -qx "deadlock: $one -> $two -> task [0-9]* handle (here) in cell main" ||
	echo "$circle" | grep -qx "deadlock: $two -> $one -> task [0-9]* handle (there) in cell there" ||
	fail "the circle is $circle"
[ "$(echo "$circle" | wc -l)" -eq 1 ] || fail 'it is told more than once'
# Whichever of them is asked for; others are not in it.
for service in here there; do
	ctl tasks $service --json
	says '"deadlock":"task '
done
ctl_behind healthy.out call healthy 'call here echo x' --timeout 1h
waits=$call
wait_until 'it waits, too' in_flight healthy 1
ctl tasks healthy --json
! grep '"deadlock":' "$dir/out" || fail 'who waits for a circle is in none'
# One of them is broken up.
kill "$from_here"
kill -KILL "$(pid_of there)"
wait "$from_here" "$from_there" "$waits"
is_free() { ! is_deadlocked; }
wait_until 'there is none any more' is_free
stop

three_cells 'who called a cell that is killed is told at once'
ctl_behind call.out call here 'call there hang'
wait_until 'the callee is at work' is_at_work
old=$(pid_of risky)
kill -KILL "$old"
wait "$call"
[ $? -eq 1 ] || fail 'the call did not fail'
grep -q 'service there: cell risky has ended' "$dir/call.out" || fail "the call says: $(cat "$dir/call.out")"
# The next call waits for the next cell.
ctl call here 'call there echo again'
reply_is again
[ "$(pid_of risky)" != "$old" ] || fail 'it is the same cell'
ctl call alone 'call there echo again'
reply_is again
ctl call here 'echo unharmed'
reply_is unharmed
stop

three_cells 'a crash of the callee costs its cell and nothing else'
ctl call here 'call there crash'
status_is 1
complains 'service there: cell risky has ended'
ctl call here 'call there echo again'
reply_is again
ctl call here 'call alone echo unharmed'
reply_is unharmed
[ "$(field_of here restarts)" -eq 0 ] || fail 'here was restarted'
stop

three_cells 'what may be asked again is asked again' 'retry = 1'
ctl call here "call there crash-once $dir/mark"
reply_is twice
# And no more often than that.
ctl call here 'call there crash'
status_is 1
complains 'service there: cell risky has ended'
ctl set there.retry 0
status_is 0
wait_until 'it is there again' is_state there ready
ctl call here "call there crash-once $dir/other-mark"
status_is 1
complains 'service there: cell risky has ended'
stop

has_waiting_sender() { ctl_quiet queues --json | grep -q '"service":"there"[^}]*"waiting_senders":1,'; }
has_in_flight() { [ "$(field_of there in_flight)" = 1 ]; }
waits_for_risky() { ctl_quiet tasks here --json | grep -q 'there in cell risky'; }
has_queued() { [ "$(field_of there queued)" = 1 ]; }

three_cells 'a full queue in another cell says so to whoever calls' 'queue = 1
concurrency = 1'
ctl_behind first.out call here 'call there hang'
first=$call
wait_until 'the callee is at work' has_in_flight
ctl_behind second.out call here 'call there hang'
second=$call
wait_until 'one waits' has_queued
ctl call here 'call there echo full'
status_is 1
complains 'the queue of service there is full (1 message'
ctl call here 'send there note'
status_is 1
complains 'the queue of service there is full (1 message'
kill -KILL "$(pid_of risky)"
wait "$first"
wait "$second"
grep -q 'cell risky has ended' "$dir/second.out" || fail "the second says: $(cat "$dir/second.out")"
stop

three_cells 'who waits for room in another cell gets it' 'queue = 1
concurrency = 1
overflow = wait
timeout = 0'
ctl_behind first.out call here "call there hang-until $dir/go"
wait_until 'the callee is at work' has_in_flight
ctl_behind second.out call here 'call there note'
wait_until 'one waits' has_queued
ctl_behind third.out call here 'send there note'
wait_until 'a sender waits for room' has_waiting_sender
[ ! -s "$dir/third.out" ] || fail 'the third does not wait'
ctl call here 'within 20 there echo late'
status_is 1
complains 'did not answer before the deadline'
: >"$dir/go"
wait "$call"
grep -q sent "$dir/third.out" || fail "the third says: $(cat "$dir/third.out")"
wait_until 'both are noted' has_noted 2
stop

is_in_cell() { [ "$(field_of there cell)" = "$1" ]; }
# The call waits in the cell to which the service comes, while the last one still drains.
three_cells 'what waits for a service that comes into the cell of its caller is served there' 'drain_timeout = 20s'
ctl_behind first.out call alone "call there hang-until $dir/go"
first=$call
wait_until 'the callee is at work' has_in_flight
sed -i 's/^cell = risky$/cell = main/' "$dir/bay.ini"
ctl_behind reload.out reload
reload=$call
wait_until 'it drains' is_state there stopping
ctl_behind second.out call here 'call there echo moved'
second=$call
wait_until 'the call waits' waits_for_risky
: >"$dir/go"
wait "$first"
wait "$second"
grep -qx moved "$dir/second.out" || fail "the call says: $(cat "$dir/second.out")"
wait "$reload"
is_in_cell main || fail 'it is not in cell main'
stop

# here is in flight in a cell that is being replaced, and is about to call the one that moves there.
begin 'a service serves on where it is until the cell that it moves to has been replaced'
plugin links
ini <<'END'
drain_timeout = 1h
[cell busy]
loops = 1
[service here]
plugin = links
cell = busy
timeout = 0
[service there]
plugin = links
[service alone]
plugin = links
isolate = yes
concurrency = 1
timeout = 0
END
start
ctl_behind first.out call alone "hang-until $dir/go" --timeout 1h
first=$call
is_in_flight() { [ "$(field_of "$1" in_flight)" = 1 ]; }
wait_until 'alone is at work' is_in_flight alone
ctl_behind second.out call here 'call alone call there echo served' --timeout 1h
second=$call
wait_until 'here has called' eval '[ "$(field_of alone queued)" = 1 ]'
old=$(pid_of busy)
sed -i 's/^loops = 1$/loops = 2/' "$dir/bay.ini"
ctl reload
status_is 0
wait_until 'the cell is to be replaced' is_state here starting
sed -i 's/^\[service there\]$/&\ncell = busy/' "$dir/bay.ini"
ctl_behind reload.out reload
reload=$call
waits_or_moves() { is_state there starting || has_logged 'service there: it moves when cell busy has been replaced'; }
wait_until 'the reload is under way' waits_or_moves
is_state there ready || fail 'it has ended where it was'
: >"$dir/go"
has_ended() { ! kill -0 "$1" 2>/dev/null; }
for each in "$first" "$second" "$reload"; do
	wait_until 'calls and reload have ended' has_ended "$each" || break
done
if has_ended "$second" && has_ended "$reload"; then
	wait "$second" || fail "the call says: $(cat "$dir/second.out")"
	wait "$reload" || fail "the reload says: $(cat "$dir/reload.out")"
	[ "$(pid_of busy)" != "$old" ] || fail 'the cell was not replaced'
	is_in_cell busy || fail 'it has not moved'
	stop
else
	kill -KILL "$bayd" "$first" "$second" "$reload" 2>/dev/null
	wait "$bayd"
	bayd=
fi

# Garbage is seen when somebody looks: the call that does goes over the next link.
three_cells 'a plugin that writes garbage over its links harms nobody else' 'retry = 1'
for caller in here alone; do
	ctl call "$caller" 'call there echo before'
	reply_is before
done
old=$(pid_of main)
ctl call there scribble
reply_is 2
# Links that are closed for garbage are made again.
for caller in here alone; do
	ctl call "$caller" 'call there echo after'
	reply_is after
done
ctl call here 'call alone echo unharmed'
reply_is unharmed
[ "$(pid_of main)" = "$old" ] || fail 'cell main has ended'
wait_until 'it is an event' sh -c "'$built/bayctl' -s '$dir/run/control.sock' events -n 50 | grep -q link-broken"
stop

finish
