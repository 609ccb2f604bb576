#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The daemon begins and ends: well, twice, with a wrong configuration, by every signal.
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"

begin 'it starts, answers, stops and leaves nothing'
plugin actor
ini <<'END'
[service actor]
END
start
ctl call actor 'echo hello'
status_is 0
says hello
ctl info
says 'services: 1'
logs 'ready: 1 service runs, 0 failed'
stop
logs 'ended'

begin 'it runs without any service'
ini </dev/null
start
ctl list
status_is 0
stop

begin 'a directory that was there stays'
plugin actor
ini <<'END'
[service actor]
END
mkdir -m 700 "$dir/run"
start
children=$(children_of_bayd)
kill -TERM "$bayd"
expect_exit 0
[ -d "$dir/run" ] || fail 'run is gone'
rmdir "$dir/run" || fail "left in run: $(ls -AR "$dir/run")"
leaves_nothing "$children"

begin 'a second daemon is refused, named the first, and does no harm'
plugin actor
ini <<'END'
[service actor]
END
start
(cd "$dir" && "$built/bayd" -c bay.ini >out 2>err)
status=$?
status_is 1
complains "in use by another bayd (process $bayd)"
complains "$dir/run"
ctl call actor 'echo still'
says still
stop

begin 'who starts a daemon hears why it cannot start, wherever its log goes'
ini <<'END'
log = bay.log
END
start
(cd "$dir" && "$built/bayd" -c bay.ini >out 2>err)
status=$?
status_is 1
complains 'bayd: cannot start: runtime_dir'
complains "in use by another bayd (process $bayd)"
grep -q 'cannot start: runtime_dir' "$dir/bay.log" || fail 'the log does not say it'
stop

begin 'a wrong configuration stops the start, with every complaint and its line'
plugin actor
ini <<'END'
concurency = 4
[service actor]
concurrency = many
queue = 0
level = 10
txet = hello
[service actor]
END
launch
expect_exit 5
cp "$dir/bayd.err" "$dir/err"
complains 'bay.ini:4:'
complains 'bay.ini:6:'
complains 'bay.ini:7:'
# what only the plugin knows, together with the rest
complains 'bay.ini:8: level'
complains "bay.ini:9: unknown key 'txet'; did you mean 'text'?"
complains 'bay.ini:10:'
leaves_nothing ''
check
status_is 5
complains 'bay.ini:6:'

begin 'wrong settings of a plugin stop the start, with every complaint and its line'
plugin actor
ini <<'END'
[service actor]
level = 10
txet = hello
[service second]
plugin = actor
init = sideways
END
launch
expect_exit 5
cp "$dir/bayd.err" "$dir/err"
complains 'bay.ini:5: level:'
complains 'bay.ini:6: '
complains 'text'
complains 'bay.ini:9: init:'
leaves_nothing ''
check
status_is 5
complains 'bay.ini:5: level:'
complains 'bay.ini:9: init:'

begin 'the check finds nothing wrong and leaves nothing'
plugin actor
mkdir "$dir/tmp"
ini <<'END'
[service actor]
[service second]
plugin = actor
END
TMPDIR=$dir/tmp check
status_is 0
says 'configuration is fine: 2 services'
rmdir "$dir/tmp" || fail "left: $(ls -AR "$dir/tmp")"
leaves_nothing ''

begin 'the check names plugins that would be refused'
ini <<'END'
[service ghost]
END
check
status_is 5
complains 'bay.ini:4: service ghost: '
complains 'plugins/ghost.so'

begin 'a file that is not there is the configuration that is wrong'
check -c nowhere.ini
status_is 5
complains nowhere.ini

begin 'the command line is checked'
ini </dev/null
check --nonsense
status_is 2
complains 'usage: bayd'
check more
status_is 2
check -V
status_is 0
says 'bayd '
check --help
status_is 0
says 'usage: bayd'

begin 'a user that does not exist is a complaint'
ini <<'END'
user = no-such-user-here
END
check
status_is 5
complains 'bay.ini:4: user: there is no user of this name: no-such-user-here'
launch
expect_exit 5

begin 'TERM lets requests under way end, and the socket answers meanwhile'
plugin actor
ini <<'END'
[service actor]
END
start
ctl_behind slept call actor "until $dir/end"
wait_until 'the call is under way' eval '[ "$(field_of actor in_flight)" = 1 ]'
kill -TERM "$bayd"
wait_until 'it drains' eval '[ "$(state_of_bayd)" = draining ]'
ctl call actor 'echo late'
status_is 1
complains 'stopping'
touch "$dir/end"
wait "$call" || fail 'the call failed'
grep -q slept "$dir/slept" || fail "the call says: $(cat "$dir/slept")"
expect_exit 0
leaves_nothing ''

begin 'a second TERM ends it at once'
plugin actor
ini <<'END'
drain_timeout = 1h
[service actor]
END
start
ctl_behind slept call actor 'sleep 3600000000000'
wait_until 'the call is under way' eval '[ "$(field_of actor in_flight)" = 1 ]'
kill -TERM "$bayd"
wait_until 'it drains' eval '[ "$(state_of_bayd)" = draining ]'
kill -TERM "$bayd"
expect_exit 0
logs 'stopping now'
leaves_nothing ''
! wait "$call" || fail 'the call was answered'

begin 'TERM while a service still starts ends it'
plugin actor
ini <<'END'
[service actor]
init = wait
start_timeout = 1h
END
launch
wait_until 'its init runs' eval '[ "$(state_of actor)" = starting ] && [ "$(field_of_cell state)" = ready ]'
children=$(children_of_bayd)
kill -TERM "$bayd"
expect_exit 0
leaves_nothing "$children"

begin 'TERM while an init keeps its loop ends it, and a second one at once'
plugin actor
ini <<'END'
drain_timeout = 1h
[service actor]
init = spin
start_timeout = 1h
END
launch
wait_until 'its init runs' eval '[ "$(state_of actor)" = starting ] && [ "$(field_of_cell state)" = ready ]'
children=$(children_of_bayd)
kill -TERM "$bayd"
wait_until 'it drains' eval '[ "$(state_of_bayd)" = draining ]'
kill -TERM "$bayd"
expect_exit 0
leaves_nothing "$children"

begin 'what does not end within drain_timeout is cancelled'
plugin actor
ini <<'END'
drain_timeout = 100ms
[service actor]
END
start
ctl_behind slept call actor 'sleep 3600000000000'
wait_until 'the call is under way' eval '[ "$(field_of actor in_flight)" = 1 ]'
children=$(children_of_bayd)
kill -TERM "$bayd"
expect_exit 0
! wait "$call" || fail 'the call was answered'
leaves_nothing "$children"
logs 'service actor: its time to drain is over: 1 request is cancelled'

begin 'what does not even end when it is cancelled costs its cell'
plugin actor
ini <<'END'
drain_timeout = 100ms
[service actor]
END
start
ctl_behind stayed call actor 'stay 3600000000000'
wait_until 'the call is under way' eval '[ "$(field_of actor in_flight)" = 1 ]'
children=$(children_of_bayd)
kill -TERM "$bayd"
expect_exit 0
! wait "$call" || fail 'the call was answered'
leaves_nothing "$children"
logs 'service actor: refuses to stop: 1 request has not ended'

begin 'who keeps a loop is named when the daemon ends'
plugin actor
ini <<'END'
drain_timeout = 10ms
[service actor]
[service spinner]
plugin = actor
END
start
ctl_behind spun call spinner 'toil treadmill'
wait_until 'the call is under way' eval '[ "$(field_of spinner in_flight)" = 1 ]'
kill -TERM "$bayd"
expect_exit 0
! wait "$call" || fail 'the call was answered'
logs 'service spinner: refuses to stop: 1 request has not ended, and its task treadmill ran on loop'
! has_logged 'service actor: refuses' || fail 'the actor is blamed'

begin 'a cell that is killed while it drains ends the daemon well'
plugin actor
ini <<'END'
drain_timeout = 1h
[service actor]
END
start
ctl_behind slept call actor 'sleep 3600000000000'
wait_until 'the call is under way' eval '[ "$(field_of actor in_flight)" = 1 ]'
children=$(children_of_bayd)
kill -TERM "$bayd"
wait_until 'it drains' eval '[ "$(state_of_bayd)" = draining ]'
kill -KILL "$(cell_pid)"
expect_exit 0
! wait "$call" || fail 'the call was answered'
grep -q 'killed by SIGKILL' "$dir/slept" || fail "the call says: $(cat "$dir/slept")"
leaves_nothing "$children"

begin 'a control socket elsewhere goes with the daemon'
ini <<'END'
control = ../elsewhere.sock
END
launch
wait_until 'it is ready' has_logged 'ready: 0 services run'
[ -S "$dir/elsewhere.sock" ] || fail 'there is no socket'
kill -TERM "$bayd"
expect_exit 0
[ ! -e "$dir/elsewhere.sock" ] || fail 'the socket is left'
leaves_nothing ''

begin 'INT ends it at once, even when a loop hangs'
plugin actor
ini <<'END'
[service actor]
END
start
# Long enough for it to have begun.
ctl call actor spin --timeout 1s
status_is 8
kill -INT "$bayd"
expect_exit 0
leaves_nothing ''

begin 'signals that go on until it is gone end it well all the same'
plugin actor
ini <<'END'
[service actor]
END
start
children=$(children_of_bayd)
while kill -TERM "$bayd" 2>/dev/null; do :; done
expect_exit 0
leaves_nothing "$children"

begin 'shutdown by bayctl stops it'
ini </dev/null
start
ctl shutdown
status_is 0
expect_exit 0
leaves_nothing ''

begin 'when bayctl says that it has stopped, the next one can start'
plugin actor
ini <<'END'
[service actor]
END
for _ in 1 2 3 4 5 6 7 8 9 10; do
	start
	ctl shutdown
	status_is 0
	leaves_nothing ''
	expect_exit 0
done

begin 'HUP reads the configuration again, USR2 is refused in the log, and both do no harm'
ini </dev/null
start
kill -HUP "$bayd"
wait_until 'it says so' has_logged 'nothing is different: reload by SIGHUP'
kill -USR2 "$bayd"
wait_until 'it says so' has_logged 'SIGUSR2 is ignored'
ctl ping
status_is 0
stop

begin 'USR1 opens the log file again'
ini <<'END'
log = bay.log
END
start
mv "$dir/bay.log" "$dir/bay.log.1"
kill -USR1 "$bayd"
wait_until 'there is a new one' test -s "$dir/bay.log"
grep -q 'log opened again' "$dir/bay.log" || fail "in the log: $(cat "$dir/bay.log")"
mv "$dir/bay.log" "$dir/old.log"
mkdir "$dir/bay.log"
kill -USR1 "$bayd"
wait_until 'it says that it cannot' grep -q \
	'the log file cannot be opened again, so lines go on to the old one: Is a directory' "$dir/old.log"
stop

begin 'a killed daemon takes its cell along, and a new one starts in its place'
plugin actor
ini <<'END'
[service actor]
END
start
children=$(children_of_bayd)
[ -n "$children" ] || fail 'it has no children'
kill -KILL "$bayd"
wait "$bayd" 2>/dev/null
bayd=
for pid in $children; do
	wait_until "process $pid is gone" eval "! kill -0 $pid 2>/dev/null"
done
[ -e "$dir/run/control.sock" ] || fail 'there is no stale socket to speak of'
start
ctl call actor 'echo again'
says again
# The directory was made by the first, and for no other purpose.
stop

begin 'files that look like copies of plugins are safe in directories that others made'
plugin actor
ini <<'END'
image_dir = copies
[service actor]
END
mkdir -m 700 "$dir/run" "$dir/run/copies"
echo precious >"$dir/run/copies/actor.1.so"
start
ctl call actor 'echo hello'
says hello
kill -TERM "$bayd"
expect_exit 0
[ "$(find "$dir/run" -type f)" = "$dir/run/copies/actor.1.so" ] ||
	fail "in run: $(ls -AR "$dir/run")"
grep -q precious "$dir/run/copies/actor.1.so" || fail 'the file is changed'

begin 'a link in the place of the image directory is not followed'
plugin actor
ini <<'END'
[service actor]
END
mkdir -m 700 "$dir/run" "$dir/victim"
echo precious >"$dir/victim/actor.1.so"
ln -s ../victim "$dir/run/images"
launch
expect_exit 1
logs 'is a symbolic link'
[ -s "$dir/victim/actor.1.so" ] || fail 'the file is gone'

begin 'what cannot be printed is a failure'
"$built/bayd" -V >/dev/full 2>"$dir/err"
status=$?
status_is 1
complains 'No space left on device'
"$built/bayd" -h >/dev/full 2>"$dir/err"
status=$?
status_is 1

begin 'a log that nobody reads keeps nobody waiting, and what is lost is told'
plugin actor
ini <<'END'
[service actor]
END
mkfifo "$dir/pipe"
# For writing too, or opening it would wait for the other end.
exec 9<>"$dir/pipe"
(cd "$dir" && exec "$built/bayd" -c bay.ini >bayd.out 2>pipe 9>&-) &
bayd=$!
wait_until 'the daemon is ready' is_ready_or_gone
# The pipe from the cell takes some twenty lines at once.
ctl --timeout 60s call actor 'chat 10' --repeat 100
status_is 0
ctl --timeout 30s ping
status_is 0
cat <&9 >"$dir/bayd.err" &
reader=$!
ctl call actor 'chat 1'
says said
wait_until 'it is told what was lost' has_logged 'lost, because nobody took them'
kill "$reader"
wait "$reader" 2>/dev/null
ctl --timeout 60s call actor 'chat 10' --repeat 100
stop
exec 9>&-

begin 'a pipe is no log file, and is not waited for'
mkfifo "$dir/pipe"
ini <<'END'
log = pipe
END
launch
expect_exit 1
logs 'open the log file'
logs 'neither a file nor a device'

begin 'a log that cannot be written is told on standard error'
plugin actor
ini <<'END'
log = /dev/full
[service actor]
END
start
logs 'the log file /dev/full cannot be written: No space left on device'
ctl call actor 'echo hello'
says hello
stop

begin 'a path longer than a socket address works'
plugin actor
ini <<'END'
runtime_dir = run-with-a-name-that-is-so-long-that-no-socket-address-could-ever-hold-it-whatever-comes-in-front-of-it-in-the-path
[service actor]
END
launch
long=$dir/run-with-a-name-that-is-so-long-that-no-socket-address-could-ever-hold-it-whatever-comes-in-front-of-it-in-the-path
wait_until 'it is ready' has_logged 'ready: 1 service runs'
"$built/bayctl" -s "$long/control.sock" call actor 'echo far' >"$dir/out" 2>"$dir/err"
says far
kill -TERM "$bayd"
expect_exit 0
[ ! -e "$long" ] || fail 'the directory is left'

finish
