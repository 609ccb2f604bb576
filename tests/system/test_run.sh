#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# bayctl run: a plugin by itself, without daemon and configuration.
# wait_until calls what looks as if nobody did.
# shellcheck disable=SC2317

# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"

samples=$(cd ../plugins && pwd)

# run ARGUMENT...: bayctl run, with standard input from the test; outcome as of ctl.
run() {
	(cd "$dir" && exec "$built/bayctl" run "$@" >"$dir/out" 2>"$dir/err")
	status=$?
}

# run_behind ARGUMENT...: beside the test; the process is $runner.
run_behind() {
	rm -f "$dir/err"
	(cd "$dir" && exec "$built/bayctl" run "$@" >out 2>err </dev/null) &
	runner=$!
}

# replies TEXT: that, and nothing else.
replies() { [ "$(cat "$dir/out")" = "$1" ] || fail "replies '$(cat "$dir/out")', not '$1'"; }

has_said() { grep -qsF -- "$1" "$dir/err"; }

# A line of the log without time, process and level.
logged() { grep -cF -- "info service $1" "$dir/err"; }

# Whether the process that runs the plugin has used half a second of processor time.
has_worked() {
	child=$(cat "/proc/$runner/task/$runner/children" 2>/dev/null) && [ -n "$child" ] &&
		[ "$(cut -d ' ' -f 14 "/proc/${child% }/stat")" -gt 50 ]
}

# Tells it to end; whether it has.
is_gone_when_told() { ! kill -TERM "$runner" 2>/dev/null; }

expect_end() {
	wait "$runner"
	status=$?
}

begin 'a plugin is called once'
run "$samples/square.so" --call 5 </dev/null
status_is 0
replies 25
[ ! -s "$dir/err" ] || fail 'something is on standard error'
run "$samples/square.so" --call five </dev/null
status_is 1
complains 'bayctl: invalid: square wants one integer'
run --call=-3 "$samples/square.so" </dev/null
replies 9

begin 'each line is a request'
printf '1\n2\nx\n3' | (run "$samples/square.so" --repl; exit "$status")
status=$?
status_is 1
replies "$(printf '1\n4\n9')"
complains 'square wants one integer'
printf 'a\n\nc\n' >"$dir/lines"
run "$samples/echo.so" --repl <"$dir/lines"
status_is 0
replies "$(printf 'a\n\nc')"
run "$samples/echo.so" --repl </dev/null
status_is 0
run "$samples/echo.so" --repl <&-
status_is 0

begin 'settings are those of the plugin, and checked'
run "$samples/sleeper.so" --set delay=1ms --set 'text=so it is' --call x </dev/null
replies 'so it is'
run "$samples/sleeper.so" --set dealy=1ms --call x </dev/null
status_is 5
complains "sleeper.so: setting dealy: no such setting; did you mean 'delay'?"
run "$samples/sleeper.so" --set delay --call x </dev/null
status_is 2
complains '--set wants KEY=VALUE, not "delay"'
run "$samples/sleeper.so" --call x --repl </dev/null
status_is 2

begin 'a day passes at once when the clock is moved'
run "$samples/sleeper.so" --set delay=24h --virtual-time --call x </dev/null
status_is 0
replies 'done'
run "$samples/sleeper.so" --set delay=24h --virtual-time --timeout 3h --call x </dev/null
status_is 8
complains 'bayctl: timeout: '

begin 'it calls other services that are run beside it'
run "$built_plugins/actor.so" --with "$samples/square.so" --with "quick=$built_plugins/actor.so" \
	--set quick.text=here --call 'call quick' </dev/null
status_is 1
complains 'no such order'
run "$samples/both.so" --with "service1=$samples/sleeper.so" --with "service2=$samples/sleeper.so" \
	--set first=service1 --set second=service2 --set service1.delay=1ms --set service2.text=two --set service2.delay=2ms --call x </dev/null
status_is 0
says two
run "$built_plugins/actor.so" --call 'call nobody' </dev/null
status_is 1
complains 'not-found'
run "$built_plugins/actor.so" --with "actor=$samples/square.so" --call x </dev/null
status_is 2
complains 'two services called actor'
run "$samples/square.so" --set other.key=1 --call 5 </dev/null
status_is 2
complains 'there is no service other here'

begin 'what runs by itself runs to its end'
run "$built_plugins/ticks.so" --set every=1h --set count=3 --virtual-time </dev/null
status_is 0
[ "$(logged 'ticks: tick')" -eq 3 ] || fail 'not three ticks'
complains '2026-01-01T03:00:00.000Z run info service ticks: tick 3'
complains 'farewell'
run "$built_plugins/ticks.so" --set every=1h --set count=2 --set 'failure=it rains' --virtual-time </dev/null
status_is 1
complains 'bayctl: service ticks has failed: it rains'
run "$samples/square.so" </dev/null
status_is 2
complains 'answers requests and does nothing by itself: give --call TEXT or --repl'

begin 'a signal ends it as a daemon would'
for signal in INT TERM; do
	run_behind "$built_plugins/ticks.so" --set every=1ms
	wait_until 'it ticks' has_said 'tick 2'
	kill "-$signal" "$runner"
	expect_end
	status_is 0
	complains 'farewell'
done

begin 'what does not come back is killed by the second signal, and named'
run_behind "$built_plugins/actor.so" --call spin
wait_until 'it spins' has_worked
wait_until 'it is gone' is_gone_when_told
expect_end
status_is 1
complains 'bayctl: killed: the code of service actor was at work and did not come back'

begin 'a crash is told with its service'
run "$built_plugins/actor.so" --call crash </dev/null
status_is 1
complains 'bayctl: crashed: SIGSEGV in service actor at address 0x0 in task handle: access through a null pointer'
run "$built_plugins/actor.so" --call 'exit 7' </dev/null
status_is 1
complains 'ended the process with exit code 7 in service actor'
run "$built_plugins/actor.so" --set init=crash --call 'echo x' </dev/null
status_is 1
complains 'in init of service actor'
run "$built_plugins/actor.so" --set init=fail --call 'echo x' </dev/null
status_is 1
complains 'actor.so: init failed: init was told to fail'

begin 'a plugin that is not in order is refused with the words of the examiner'
while IFS='|' read -r name reason; do
	run "$built_plugins/$name.so" --call x </dev/null
	status_is 5
	complains "$name.so: $reason"
done <<'END'
no_note|no Bay note in it: is it a Bay plugin?
no_handler|it has neither .handle nor .run, so it could do nothing
unknown_flag|it has flags that this container does not know
mismatch_abi|its descriptor says ABI
bad_settings|
crashes|it crashed: SIG
exits|it ended the process with exit code 0 while it was loaded or unloaded: look at its constructors and destructors
END
printf 'no shared object' >"$dir/text.so"
run ./text.so --call x </dev/null
status_is 5
run ./nothing.so --call x </dev/null
status_is 4
complains 'nothing.so: No such file or directory'

begin 'what the code of a plugin leaves behind is ended'
run "$built_plugins/flees.so" --call x </dev/null
status_is 1
for process in /proc/[0-9]*; do
	[ "$(cat "$process/comm" 2>/dev/null)" != bay-test-flees ] ||
		! tr '\0' ' ' <"$process/cmdline" | grep -qF "$built_plugins/flees.so" || fail "$process is left"
done

begin 'with --json all is objects'
printf '2\nx\n' >"$dir/lines"
run "$samples/square.so" --repl --json <"$dir/lines"
status_is 1
says '{"schema":1,"ok":true,"data":{"text":"4"}}'
says '{"schema":1,"ok":false,"error":{"code":"failed","message":"invalid: square wants one integer","status":"invalid"}}'
[ ! -s "$dir/err" ] || fail 'something is on standard error'
run "$built_plugins/actor.so" --call crash --json </dev/null
status_is 1
says '"ok":false'
run "$built_plugins/ticks.so" --set every=1h --set count=1 --virtual-time --json </dev/null
status_is 0
complains '"text":"tick 1"'

begin 'a task that waits for what never comes is told'
run "$built_plugins/actor.so" --call 'sleep 9223372036854775807' --virtual-time </dev/null
status_is 1
complains 'nothing can happen any more'
complains 'the task handle waits in bay_sleep'

finish
