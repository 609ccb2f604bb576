#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# New code that gets a share of the messages first. ROUNDS=20 makes it longer.
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"

rounds=${ROUNDS-4}

# Nothing is taken before it is asked for.
ini() {
	{
		printf '[container]\nlog_level = debug\nwatch = no\n'
		cat
	} >"$dir/bay.ini"
}

# put PLUGIN [MARK]: the plugin file is this from now on; a mark makes it another file.
put() {
	cp "$built_plugins/$1.so" "$dir/plugins/.new"
	[ -z "${2-}" ] || printf '%s' "$2" >>"$dir/plugins/.new"
	mv "$dir/plugins/.new" "$dir/plugins/swaps.so"
}

answers() { [ "$(ctl_quiet call swaps version)" = "$1" ]; }
expect() { answers "$1" || fail "answers $(ctl_quiet call swaps version), not $1"; }

# Of the canary: canary_of KEY, empty without one.
canary_of() {
	ctl_quiet --json status swaps | tr -d '\n' | grep -o '"canary": *{[^}]*}' |
		grep -o "[{, ]\"$1\": *[0-9]*" | grep -o '[0-9]*$'
}
has_no_canary() { [ -z "$(canary_of share)" ]; }
in_flight() { [ "$(field_of swaps in_flight)" = "$1" ]; }
queued() { [ "$(field_of swaps queued)" = "$1" ]; }
images_mapped() { grep -o 'images/.*\.so' "/proc/$(cell_pid)/maps" | sort -u | wc -l; }
has_mapped() { [ "$(images_mapped)" -eq "$1" ]; }

# canary SHARE: of the present file, which has to become one.
canary() {
	ctl reload swaps --canary "$1"
	status_is 0
}

# versions N: what N calls are answered, one after the other.
versions() {
	n=0
	while [ $n -lt "$1" ]; do
		n=$((n + 1))
		ctl_quiet call swaps version
	done | tr -d '\n'
}

begin 'a canary gets its share in a regular turn until it is promoted'
put swaps_1
ini <<'END'
loops = 1
[service swaps]
END
start
put swaps_2
for wrong in 0 100% 0% -1 x % 10%% 1.5; do
	ctl reload swaps --canary "$wrong"
	status_is 2
done
ctl reload --canary 10%
status_is 2
ctl reload swaps --canary 10% --probation
status_is 2
ctl promote swaps
status_is 1
complains 'it has no canary; bayctl reload --canary starts one'
ctl abort swaps
status_is 1
complains 'it has no canary'
canary 10%
says 'swaps: generation 2 (2) has its share'
complains 'swaps: initialised'
got=$(versions 20)
[ "$got" = 11111111121111111112 ] || fail "in turn: $got"
ctl status swaps
says 'note: generation 2 (2) has 10% as canary'
says 'generation: 1 since '
says 'canary: 2 (2, sha256 '
says 'its own: 2 served, 0 failed (0.0%)'
says 'the others: 18 served, 0 failed (0.0%)'
ctl list
says 'generation 2 (2) has 10% as canary'
[ "$(field_of swaps served)" = 20 ] || fail "of all: $(field_of swaps served)"
ctl events swaps
says "swaps canary, generation 2 by user $(id -u), process "
says ') gets 10% of the messages of generation 1 (1)'
for again in 'reload swaps' 'reload swaps --canary 50' 'rollback swaps'; do
	# shellcheck disable=SC2086
	ctl $again
	status_is 1
	complains 'generation 2 runs as its canary: bayctl promote swaps or bayctl abort swaps ends that'
	complains '[canary-runs]'
done
ctl set swaps.concurrency 7
complains 'bayctl promote swaps or bayctl abort swaps ends that'
[ "$status" -ne 0 ] || fail 'it was changed'
[ "$(field_of swaps concurrency)" != 7 ] || fail 'it was changed'
ctl promote swaps
status_is 0
says 'swaps: generation 2 (2) serves'
[ "$(versions 10)" = 2222222222 ] || fail 'the old code has calls still'
has_no_canary || fail 'there is a canary still'
ctl status swaps
says 'note: on probation for '
says 'former: 1 (1, sha256 '
ctl events swaps
says ': to promote its canary'
says "swaps promoted, generation 2 by user $(id -u), process "
ctl set swaps.concurrency 7
status_is 0
ctl rollback swaps
status_is 0
expect 1
stop

begin 'how both fare is shown, and an abort ends the canary'
put swaps_1
ini <<'END'
loops = 1
[service swaps]
END
start
put swaps_fails
canary 25
[ "$(versions 20)" = 111111111111111 ] || fail 'it does not fail in its turn'
ctl status swaps
says 'its own: 0 served, 5 failed (100.0%)'
says 'the others: 15 served, 0 failed (0.0%)'
ctl_behind sleep.out call swaps "until $dir/end"
wait_until 'the old code has it' in_flight 1
ctl --json abort swaps
status_is 0
says '"outcome":"aborted"'
[ "$(versions 12)" = 111111111111 ] || fail 'it has its share still'
has_no_canary || fail 'there is a canary still'
touch "$dir/end"
wait "$call" || fail 'the old code lost its request'
wait_until 'it is gone' has_mapped 1
ctl events swaps
says "swaps aborted, generation 2 by user $(id -u), process "
ctl rollback swaps
status_is 1
complains 'there is no former generation'
# The file is what was tried: a plain reload takes it.
ctl reload swaps
status_is 0
says 'generation 3 (fails) serves'
stop

begin 'a share is exact under load, and no message is lost in any of its ends'
put swaps_1
plugin drives
drivers='[service driver1]
plugin = drives
[service driver2]
plugin = drives
'
ini <<END
loops = 2
[service swaps]
instances = per-loop
probation = 0
concurrency = 1000
overflow = wait
$drivers
END
start
drive() {
	for driver in driver1 driver2; do
		ctl call $driver 'begin 32 swaps'
		status_is 0
	done
}
halt() {
	for driver in driver1 driver2; do
		ctl call $driver halt
		status_is 0
		grep -q '^calls [1-9][0-9]* failed 0 wrong 0 sent [1-9][0-9]* lost 0 twice 0 ' "$dir/out" ||
			fail "$driver counted: $(cat "$dir/out")"
		[ -z "${VERBOSE-}" ] || sed "s/^/$driver: /" "$dir/out"
	done
}
served_more() { [ "$(field_of swaps served)" -gt $((before + 2000)) ]; }
run_on() {
	before=$(field_of swaps served)
	wait_until 'they are served' served_more
}
put swaps_2
canary 10%
drive
run_on
halt
own=$(canary_of served)
total=$((own + $(canary_of others_served)))
# Of each of two loops there may be the begin of a turn.
[ $((total / 10 - own)) -ge 0 ] || fail "$own of $total"
[ $((total / 10 - own)) -le 2 ] || fail "$own of $total"
[ "$(canary_of failed)$(canary_of others_failed)" = 00 ] || fail 'some have failed'
drive
n=0
while [ $n -lt "$rounds" ]; do
	n=$((n + 1))
	run_on
	ctl promote swaps
	status_is 0
	expect $((n % 2 + 1))
	put "swaps_$(((n + 1) % 2 + 1))"
	canary 33%
	run_on
	ctl abort swaps
	status_is 0
	expect $((n % 2 + 1))
	canary 50%
done
halt
ctl abort swaps
status_is 0
wait_until 'the others are gone' has_mapped 2
[ "$(field_of swaps restarts)" = 0 ] || fail 'it was restarted'
[ "$(field_of swaps in_flight)" = 0 ] || fail 'some are in flight'
stop

begin 'a canary that fails is given up, and only what it has is touched'
put swaps_1
ini <<'END'
loops = 1
[service swaps]
drain_timeout = 100ms
END
start
put swaps_2
canary 50%
ctl_behind old.out call swaps "until $dir/end"
old=$call
wait_until 'the old code has one' in_flight 1
ctl_behind new.out call swaps 'sleep 60000000000'
new=$call
wait_until 'the new code has one' in_flight 2
expect 1
ctl call swaps die
says 2
wait_until 'it is given up' has_no_canary
[ "$(versions 10)" = 1111111111 ] || fail 'it has its share still'
touch "$dir/end"
wait "$old" || fail 'the old code lost its request'
wait "$new" && fail 'the request of the canary came to its end'
grep -q 'canary: that of service swaps was given up' "$dir/new.out" || fail "says $(cat "$dir/new.out")"
ctl events swaps
says 'swaps aborted, generation 2: '
says 'goes on alone: it failed: '
is_state swaps ready || fail 'it is not ready'
[ "$(field_of swaps restarts)" = 0 ] || fail 'it was restarted'
stop

begin 'after a crash the old code is started without it'
put swaps_1
ini <<'END'
loops = 1
[service swaps]
END
start
put swaps_crashes
canary 50%
expect 1
ctl call swaps version
status_is 1
complains 'crashed: SIGABRT'
wait_until 'the old code is back' answers 1
[ "$(versions 10)" = 1111111111 ] || fail 'it has its share still'
has_no_canary || fail 'there is a canary still'
ctl events swaps
says 'swaps aborted, generation 2: '
says 'one of the two is to blame: it crashed: SIGABRT'
[ "$(field_of swaps restarts)" = 0 ] || fail 'that is no restart'
put swaps_init_fails
ctl reload swaps --canary 10%
status_is 10
complains 'this version does not start'
[ "$(versions 10)" = 1111111111 ] || fail 'it has a share'
put swaps_no_handler
ctl reload swaps --canary 10%
status_is 5
complains 'it has no handler'
stop

begin 'the state goes over when it is promoted'
put swaps_state_1
ini <<'END'
loops = 1
[service swaps]
END
start
ctl call swaps count
put swaps_state_2
canary 50%
ctl call swaps count
says '1 2'
ctl call swaps count
says '2 1'
ctl call swaps count
says '1 3'
ctl promote swaps
status_is 0
complains 'swaps: held'
complains 'swaps: handed-over'
ctl call swaps count
says '2 4'
put swaps_state_1
canary 50%
ctl promote swaps
status_is 10
complains 'import_state failed: its state is of form 2, and this version knows 1'
has_no_canary || fail 'there is a canary still'
ctl call swaps count
says '2 5'
ctl call swaps count
says '2 6'
ctl events swaps
says "swaps aborted, generation 3 by user $(id -u), process "
stop

begin 'a stop and a restart end it'
put swaps_1
ini <<'END'
loops = 1
[service swaps]
END
start
put swaps_2
canary 50%
ctl stop swaps
status_is 0
ctl events swaps
says "swaps aborted, generation 2 by user $(id -u), process "
says 'goes on alone: the service is stopped'
ctl reload swaps --canary 50%
status_is 1
complains 'it is stopped'
ctl start swaps
expect 2
put swaps_1
canary 50%
ctl restart swaps
status_is 0
has_no_canary || fail 'there is a canary still'
[ "$(versions 4)" = 1111 ] || fail 'it was not restarted with the file'
put swaps_2
canary 50%
stop

begin 'a pause and a drain are for both'
put swaps_1
plugin actor
ini <<'END'
loops = 1
[service swaps]
[service caller]
plugin = actor
END
start
put swaps_2
canary 50%
ctl pause swaps
status_is 0
ctl list
says 'paused by '
says '; generation 2 (2) has 50% as canary'
# One that would not go by the queue.
ctl_behind paused1 call caller 'call swaps version'
calls=$call
wait_until 'it is queued' queued 1
for n in 2 3 4; do
	ctl_behind "paused$n" call swaps version
	calls="$calls $call"
	wait_until 'it is queued' queued $n
done
[ "$(canary_of served)$(canary_of others_served)" = 00 ] || fail 'some were served in the pause'
ctl resume swaps
status_is 0
for call in $calls; do
	wait "$call" || fail 'a call was lost'
done
got=$(cat "$dir/paused1" "$dir/paused2" "$dir/paused3" "$dir/paused4" | tr -d '\n')
[ "$got" = called212 ] || fail "in turn: $got"
expect 1
ctl_behind slow call swaps "until $dir/end"
slow=$call
wait_until 'the canary has one' in_flight 1
ctl_behind drain drain swaps
drain=$call
wait_until 'it is waited for' grep -q 'swaps: 1 running' "$dir/drain"
touch "$dir/end"
wait "$drain" || fail "the drain failed: $(cat "$dir/drain")"
grep -qF 'swaps: drained' "$dir/drain" || fail "the drain says: $(cat "$dir/drain")"
wait "$slow" || fail 'the request of the canary was lost'
[ "$(canary_of served)" = 3 ] || fail 'it was not drained'
ctl promote swaps
status_is 0
is_state swaps drained || fail "it is $(state_of swaps)"
ctl resume swaps
expect 2
stop

begin 'a service with a canary stays in its cell'
plugin drives
cp "$built_plugins/actor.so" "$dir/plugins/swaps.so"
ini <<'END'
loops = 1
[service swaps]
cell = other
restart_delay = 10ms
[service beside]
plugin = drives
cell = other
END
start
is_back() { [ "$(ctl_quiet call swaps 'echo here')" = here ]; }
put actor 1
canary 50%
sed -i '/^cell = other/d' "$dir/bay.ini"
ctl reload
[ "$status" -ne 0 ] || fail 'it was moved'
complains '[canary-runs]'
[ "$(field_of swaps cell)" = other ] || fail 'it is in another cell'
[ "$(canary_of share)" = 50 ] || fail 'there is no canary'
ctl abort swaps
status_is 0
ctl reload
status_is 0
[ "$(field_of swaps cell)" = main ] || fail "it is in $(field_of swaps cell)"
is_back || fail 'it does not answer'
for n in 1 2 3; do
	ctl call swaps crash
	status_is 1
	wait_until 'it is back' is_back
done
[ "$(field_of swaps cell)" = swaps ] || fail 'it has no cell of its own'
put actor 2
canary 50%
ctl call swaps 'echo here'
status_is 0
ctl reset swaps
status_is 1
complains '[canary-runs]'
[ "$(field_of swaps cell)" = swaps ] || fail 'it was moved'
# A crash ends it, and the old code comes back where it was.
ctl call swaps crash
status_is 1
wait_until 'it is back' is_back
has_no_canary || fail 'there is a canary still'
[ "$(field_of swaps cell)" = swaps ] || fail 'it was moved'
ctl reset swaps
status_is 0
[ "$(field_of swaps cell)" = main ] || fail 'it was not moved back'
stop

begin 'a file that is watched waits for the end of the canary'
put swaps_1
ini <<'END'
loops = 1
[service swaps]
END
sed -i '/^watch/d' "$dir/bay.ini"
start
# The watch may be the first to see it.
n=0
while has_no_canary; do
	n=$((n + 1))
	[ $n -le 50 ] || break
	put swaps_2 "$n"
	ctl reload swaps --canary 50%
	status_is 0
done
put swaps_state_2 last
# Of a file that is written behind it is told when this one has been looked at.
cp "$built_plugins/actor.so" "$dir/plugins/other.so"
has_looked() { ctl_quiet events | grep -q 'other dropped-in'; }
wait_until 'the watch has looked' has_looked
[ -n "$(canary_of share)" ] || fail 'the canary is gone'
ctl abort swaps
status_is 0
sha256sum "$dir/plugins/swaps.so" | cut -c 1-64 >"$dir/sum"
is_last_file() { [ "$(field_of swaps sha256)" = "$(cat "$dir/sum")" ]; }
wait_until 'the file is taken' is_last_file
ctl events swaps
! grep -q refused "$dir/out" || fail 'it was refused meanwhile'
stop

finish
