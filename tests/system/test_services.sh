#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Services and their plugin files: started, stopped, restarted, refused.
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"

is_pinged() { ctl_quiet ping >"$dir/ping"; }

begin 'a missing, a broken and a cut plugin fail their services, and others run'
plugin actor
echo 'this is no plugin' >"$dir/plugins/garbage.so"
head -c 3000 "$dir/plugins/actor.so" >"$dir/plugins/cut.so"
ini <<'END'
[service missing]
[service garbage]
[service cut]
[service actor]
END
start
is_answered actor || fail 'the actor does not answer'
for service in missing garbage cut; do
	is_state $service failed || fail "$service is $(state_of $service)"
	ctl status $service
	says 'reason: plugin '
	ctl call $service 'echo x'
	status_is 1
	complains "service $service is failed: plugin "
	ctl is-failed actor $service
	status_is 0
done
ctl is-ready actor
status_is 0
ctl is-ready
status_is 3
ctl is-active -q missing
status_is 3
ctl is-failed actor
status_is 3
ctl is-ready acter
status_is 4
complains 'did you mean "actor"?'
stop

begin 'plugins that end the examiner fail their services, with the reason'
plugin actor
plugin crashes
plugin exits
ini <<'END'
[service crashes]
[service exits]
[service actor]
END
start
is_answered actor || fail 'the actor does not answer'
ctl status crashes
says 'SIGSEGV'
ctl status exits
says 'ended the process with exit code 0'
stop

begin 'while plugins are examined the daemon answers, and what is asked for is heeded'
plugin actor
plugin actor other
plugin hangs
ini <<'END'
[service actor]
[service hangs]
[service other]
END
launch
wait_until 'it answers' is_pinged
# All of this comes before the one that hangs is given up, 5 s later: no more of it than has to be.
ctl_behind early call actor 'echo early'
early=$call
ctl list
for service in actor hangs other; do
	grep -q "^$service  *starting " "$dir/out" || fail "$service is not starting"
done
ctl_behind stopped stop other
ctl info --json
grep -q '"state": *"starting"' "$dir/out" || fail 'it is not starting'
says '"main"'
ctl --timeout 100ms call actor 'echo early'
status_is 8
complains 'service actor did not start before the deadline'
wait_until 'the daemon is ready' is_ready_or_gone
wait "$call" || fail 'the stop failed'
wait "$early" || fail 'the call failed'
[ "$(cat "$dir/early")" = early ] || fail "it was answered with $(cat "$dir/early")"
is_answered actor || fail 'the actor does not answer'
is_state other stopped || fail "it is $(state_of other)"
is_state hangs failed || fail "it is $(state_of hangs)"
logs 'the plugin of service hangs takes long to be loaded or unloaded: 500ms so far'
ctl start other
status_is 0
is_answered other || fail 'it does not answer'
stop

begin 'a shutdown while plugins are examined ends the daemon at once'
plugin hangs
ini <<'END'
[service hangs]
END
launch
wait_until 'it answers' is_pinged
children=$(children_of_bayd)
ctl shutdown
status_is 0
expect_exit 0
leaves_nothing "$children"
! has_logged 'it hung' || fail 'the examination went on'

begin 'a plugin finds the library beside it'
plugin uses_origin
plugin actor
ini <<'END'
[service uses_origin]
[service actor]
END
chmod 755 "$work" "$dir"
start
ctl status uses_origin
says "the library 'libbay-test-helper.so', which is not found: put it into "
says '/plugins/lib, or where ldconfig looks'
mkdir "$dir/plugins/lib"
cp "$built_plugins/libbay-test-helper.so" "$dir/plugins/lib/"
ctl start uses_origin
status_is 0
grep -q "$dir/plugins/lib/libbay-test-helper.so" "/proc/$(cell_pid)/maps" || fail 'it is not the one'
if [ "$(id -u)" = 0 ]; then
	chmod 700 "$dir/plugins/lib"
	ctl restart uses_origin
	status_is 5
	complains 'libbay-test-helper.so cannot be looked for by user'
fi
ctl stop uses_origin
! grep -q libbay-test-helper.so "/proc/$(cell_pid)/maps" || fail 'it stays'
stop

begin 'a failed service starts once its file is there'
ini <<'END'
[service actor]
END
start
ctl start actor
status_is 5
complains 'plugins/actor.so'
plugin actor
ctl start actor
status_is 0
is_answered actor || fail 'it does not answer'
stop

begin 'a stopped service stays stopped, also in a new cell'
plugin actor
ini <<'END'
[service actor]
[service bystander]
plugin = actor
END
start
ctl stop actor
status_is 0
ctl stop actor
status_is 0
kill -KILL "$(cell_pid)"
wait_until 'the bystander answers' is_answered bystander
is_state actor stopped || fail "it is $(state_of actor)"
ctl call actor 'echo x'
status_is 1
complains 'service actor is stopped'
ctl start actor
status_is 0
is_answered actor || fail 'it does not answer'
ctl start actor
status_is 0
stop

begin 'a disabled service is not started, and may be'
plugin actor
ini <<'END'
[service actor]
enabled = no
END
start
is_state actor stopped || fail "it is $(state_of actor)"
ctl start actor
status_is 0
is_answered actor || fail 'it does not answer'
stop

begin 'a plugin that calls a service which does not run is told why'
plugin actor
ini <<'END'
[service actor]
[service off]
plugin = actor
enabled = no
[service missing]
[service bad]
plugin = actor
init = fail
restart = no
END
start
says_call() {
	ctl call actor "call $1"
	status_is 1
	complains "$2"
}
says_call off 'closed: service off is stopped'
says_call missing 'closed: service missing has failed: plugin '
says_call bad 'closed: service bad has failed: init failed: init was told to fail'
says_call nobody "not-found: there is no service 'nobody'"
# A new cell learns it, too, and what an operator changes.
kill -KILL "$(cell_pid)"
wait_until 'the actor answers' is_answered actor
says_call off 'closed: service off is stopped'
says_call missing 'closed: service missing has failed: plugin '
says_call bad 'closed: service bad has failed: init failed: init was told to fail'
ctl stop missing
says_call missing 'closed: service missing is stopped'
stop

begin 'an unknown service is named, with the one that was meant'
plugin actor
ini <<'END'
[service actor]
END
start
ctl call acter x
status_is 4
complains 'there is no service acter; did you mean actor?'
for verb in start stop restart status; do
	ctl $verb nobody
	status_is 4
done
stop

begin 'numbers that are no status of Bay are told as they are'
plugin actor
ini <<'END'
[service actor]
[service odd]
plugin = actor
init = odd
restart = no
END
start
ctl status odd
says 'reason: init failed: it returned -77, which is no status of Bay'
ctl call actor 'return 4711'
status_is 1
complains 'service actor: it returned 4711, which is no status of Bay'
ctl send actor 'return 4712'
status_is 0
wait_until 'it is told' has_logged 'failed: it returned 4712, which is no status of Bay'
stop

begin 'what a handler ends with is its own failure, not an error of the container'
plugin actor
ini <<'END'
[service actor]
END
start
number=1
for word in failed timeout canceled closed full not-found busy invalid no-memory io too-big loop \
	peer-died not-permitted; do
	ctl call actor "end $number by choice"
	status_is 1
	complains 'by choice'
	ctl call --json actor "end $number by choice"
	status_is 1
	says '"code":"handler-failed","error":"io.bayd.Container.Failed"'
	says "\"status\":\"$word\""
	number=$((number + 1))
done

case='the container has its own'
ctl call --json --timeout 100ms actor 'sleep 3600000000000'
status_is 8
says '"code":"timeout","error":"io.bayd.Container.Timeout"'
ctl call --json acter x
status_is 4
says '"code":"not-found","error":"io.bayd.Container.NotFound"'
says '"status":"not-found"'
stop

begin 'a restart takes the file as it is now'
plugin good actor
ini <<'END'
watch = no
[service actor]
END
start
[ "$(ctl_quiet status actor --json | grep -o '"version": *"[0-9.]*"')" = '"version": "1.2.3"' ] ||
	ctl_quiet status actor --json | grep -q '"version":"1.2.3"' || fail 'it is another plugin'
plugin actor
ctl restart actor
status_is 0
is_answered actor || fail 'the new one does not answer'
# Only the copy in use is kept, and the one before, for a rollback: one that is made because the file has
# changed goes as soon as it is known to be the same.
are_kept() { [ "$(ls "$dir/run/images")" = "$(printf '%s\n' "$@")" ]; }
wait_until 'no other images are kept' are_kept actor.1.so actor.2.so
stop

begin 'what is done to the file of a service that runs does nothing to it'
plugin actor
ini <<'END'
[service actor]
END
start
cell=$(cell_pid)
size=$(wc -c <"$dir/plugins/actor.so")
: >"$dir/plugins/actor.so"
is_answered actor || fail 'it does not answer when its file is empty'
head -c "$size" /dev/urandom >"$dir/plugins/actor.so"
is_answered actor || fail 'it does not answer when its file is overwritten'
for cut in 1 63 64 1000 4096 $((size / 2)) $((size - 1)); do
	head -c "$cut" "$built_plugins/actor.so" >"$dir/plugins/actor.so"
	ctl restart actor
	status_is 5
	is_answered actor || fail "it does not answer after a file of $cut bytes was refused"
done
cat "$built_plugins/actor.so" >"$dir/plugins/actor.so"
ctl restart actor
status_is 0
[ "$(cell_pid)" = "$cell" ] || fail 'the cell has been replaced'
stop

begin 'a restart with a file that is refused leaves the old one running'
plugin actor
ini <<'END'
[service actor]
END
start
echo 'no plugin any more' >"$dir/plugins/.new"
mv "$dir/plugins/.new" "$dir/plugins/actor.so"
ctl restart actor
status_is 5
complains 'plugin '
is_answered actor || fail 'the old one does not answer'
wait_until 'its image alone is kept' are_kept actor.1.so
# Not even a crash needs the file.
kill -KILL "$(cell_pid)"
wait_until 'the actor answers' is_answered actor
stop

begin 'a stop waits for the requests under way'
plugin actor
ini <<'END'
[service actor]
END
start
ctl_behind slept call actor "until $dir/end"
slept=$call
wait_until 'the call is under way' eval '[ "$(field_of actor in_flight)" = 1 ]'
ctl_behind stopped stop actor
wait_until 'it stops' is_state actor stopping
touch "$dir/end"
wait "$call" || fail "the stop failed: $(cat "$dir/stopped")"
wait "$slept" || fail "the call failed: $(cat "$dir/slept")"
stop

begin 'a stop with --now cancels them'
plugin actor
ini <<'END'
[service actor]
drain_timeout = 1h
END
start
ctl_behind slept call actor 'sleep 3600000000000'
wait_until 'the call is under way' eval '[ "$(field_of actor in_flight)" = 1 ]'
ctl stop actor --now
status_is 0
! wait "$call" || fail 'the call succeeded'
stop

begin 'a call that is killed is cancelled in its service, and a message that was sent is not'
plugin actor
ini <<'END'
[service actor]
END
start
in_flight_is() { [ "$(field_of actor in_flight)" = "$1" ]; }
for signal in KILL TERM; do
	ctl_behind killed call actor 'sleep 3600000000000' --timeout 2h
	killed=$call
	wait_until 'the handler runs' in_flight_is 1
	kill -"$signal" "$killed"
	wait "$killed"
	wait_until 'the handler has ended' in_flight_is 0
done
[ "$(field_of actor failed)" = 2 ] || fail "$(field_of actor failed) have failed, not the 2 that were killed"
ctl send actor "until $dir/file"
status_is 0
wait_until 'the handler runs' in_flight_is 1
: >"$dir/file"
wait_until 'the handler has ended' in_flight_is 0
[ "$(field_of actor failed)" = 2 ] || fail "$(field_of actor failed) have failed, not the 2 that were killed"
stop

begin 'a service that refuses to stop says so, and --now ends it with its cell'
plugin actor
ini <<'END'
[service actor]
drain_timeout = 10ms
[service bystander]
plugin = actor
END
start
ctl_behind stayed call actor 'stay 3600000000000'
wait_until 'the call is under way' eval '[ "$(field_of actor in_flight)" = 1 ]'
ctl stop actor
[ "$status" -ne 0 ] || fail 'it stopped'
complains 'bayctl stop --now'
is_state actor stopping || fail "it is $(state_of actor)"
ctl start actor
[ "$status" -ne 0 ] || fail 'it started'
is_answered bystander || fail 'the bystander does not answer'
ctl stop actor --now
status_is 0
is_state actor stopped || fail "it is $(state_of actor)"
wait_until 'the bystander answers' is_answered bystander
! wait "$call" || fail 'the call succeeded'
ctl start actor
status_is 0
is_answered actor || fail 'it does not answer'
stop

begin 'large messages pass through unread, both ways'
plugin actor
ini <<'END'
[service actor]
END
start
{
	printf 'echo '
	head -c 1000000 /dev/zero | tr '\0' x
} >"$dir/large"
"$built/bayctl" -s "$dir/run/control.sock" call actor - <"$dir/large" >"$dir/reply" 2>"$dir/err" ||
	fail 'the call failed'
[ "$(wc -c <"$dir/reply")" -ge 1000000 ] || fail "the reply has $(wc -c <"$dir/reply") bytes"
stop

begin 'the log shows what happens while it is followed'
plugin actor
ini <<'END'
[service actor]
END
start
ctl_behind followed log -f -n 0 actor
# It follows from some moment on: what happens then is repeated until it is seen.
sees_a_stop() {
	ctl_quiet stop actor
	ctl_quiet start actor
	grep -q 'service actor: stopped' "$dir/followed"
}
wait_until 'a stop is seen' sees_a_stop
kill "$call"
wait "$call" 2>/dev/null
stop

if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null 2>&1; then
	# The tree may lie where only root may go.
	mkdir -p "$work/programs/.libs"
	cp "$built/bayd" "$built/bayctl" "$work/programs/"
	cp -P "$built/.libs/bay-cell" "$built/.libs/"libbay.so* "$work/programs/.libs/"
	chmod -R a+rX "$work/programs"
	built=$work/programs

	begin 'cells run as another user, and the others may not steer'
	plugin actor
	chmod 755 "$work" "$dir" "$dir/plugins"
	ini <<'END'
user = nobody
control_mode = 0666
[service actor]
END
	start
	is_answered actor || fail 'it does not answer'
	[ "$(stat -c %U "/proc/$(cell_pid)")" = nobody ] || fail 'the cell is not nobody'
	setpriv --reuid 12345 --regid 12345 --clear-groups "$built/bayctl" \
		-s "$dir/run/control.sock" call actor 'echo x' >"$dir/out" 2>"$dir/err"
	status=$?
	status_is 6
	kill -KILL "$(cell_pid)"
	wait_until 'it answers again' is_answered actor
	stop

	begin 'members of the group may steer, and not shut down'
	plugin actor
	chmod 755 "$work" "$dir"
	ini <<'END'
control_mode = 0660
control_group = daemon
[service actor]
END
	start
	member() {
		setpriv --reuid 12345 --regid 12345 --groups "$(getent group daemon | cut -d: -f3)" \
			"$built/bayctl" -s "$dir/run/control.sock" "$@" >"$dir/out" 2>"$dir/err"
		status=$?
	}
	member call actor 'echo x'
	status_is 0
	member stop actor
	status_is 0
	member shutdown
	status_is 6
	stop
else
	echo 'SKIP: test_services: users and groups: not root, or no setpriv'
fi

finish
