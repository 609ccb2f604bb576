#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Services that are paused, resumed and drained by hand.
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"

client=$PWD/support/connect_to

# One loop: calls between the services take the direct way.
ini() {
	{
		printf '[container]\nloops = 1\nlog_level = debug\nwatch = no\n'
		cat
	} >"$dir/bay.ini"
}

# put PLUGIN [AS [MARK]]: the plugin file is this from now on; a mark makes it another file.
put() {
	cp "$built_plugins/$1.so" "$dir/plugins/.new"
	[ -z "${3-}" ] || printf '%s' "$3" >>"$dir/plugins/.new"
	mv "$dir/plugins/.new" "$dir/plugins/${2-$1}.so"
}

has_queued() { [ "$(field_of "$1" queued)" = "$2" ]; }
has_in_flight() { [ "$(field_of "$1" in_flight)" = "$2" ]; }
expect_state() { is_state "$1" "$2" || fail "$1 is $(state_of "$1"), not $2"; }

# answers PROCESS STATUS FILE [TEXT]
answers() {
	wait "$1"
	status=$?
	[ "$status" -eq "$2" ] || fail "$3: status $status, not $2: $(cat "$dir/$3")"
	grep -qF -- "${4-}" "$dir/$3" || fail "$3: does not say $4: $(cat "$dir/$3")"
}

# What the actor has printed, in one line.
printed() { grep -o 'prints: n[0-9]*' "$dir/bayd.err" | grep -o 'n[0-9]*$' | tr '\n' ' '; }
has_printed() { [ "$(printed)" = "$1" ]; }

begin 'a paused service begins nothing, takes what comes, and serves it in order when it is resumed'
put actor
ini <<'END'
[service actor]
concurrency = 1
queue = 5
overflow = reject
END
start
ctl pause actor
status_is 0
says 'actor: paused'
expect_state actor paused
ctl list
says 'paused'
says "paused by user $(id -u), process "
ctl status
says '1 paused'
ctl_behind call1 call actor 'echo hello'
call1=$call
wait_until 'the call is queued' has_queued actor 1
for n in 1 2 3 4; do
	ctl send actor "print n$n"
	status_is 0
done
ctl send actor 'print n5'
status_is 1
complains 'the queue of service actor is full'
ctl pause actor
status_is 0
has_queued actor 5 || fail "$(field_of actor queued) are queued, not 5"
[ "$(field_of actor served)" = 0 ] || fail 'it has served something'
ctl resume actor
status_is 0
says 'actor: ready'
answers "$call1" 0 call1 hello
wait_until 'all is printed' has_printed 'n1 n2 n3 n4 '
ctl events actor
says "actor paused, generation 1 by user $(id -u), process "
says "actor resumed, generation 1 by user $(id -u), process "
[ "$(grep -c ' paused, ' "$dir/out")" -eq 1 ] || fail 'a second pause is an event'
ctl resume actor
status_is 0
ctl pause nobody
status_is 4
ctl pause actor --json
says '"state":"paused"'
case='a caller waits for a paused service until its deadline, and is told why'
ctl call actor 'echo hello' --timeout 200ms
status_is 8
complains 'it is paused [service-paused]'
stop

begin 'calls that take the direct way are held, too, and what runs ends'
put actor
cp "$built/../plugins/.libs/square.so" "$dir/plugins/square.so"
ini <<'END'
[service caller]
plugin = actor
[service actor]
[service square]
END
start
direct_of() { ctl_quiet stats "$1" --json | grep -o '"direct": *[0-9]*' | grep -o '[0-9]*$'; }
for service in actor square; do
	ctl call caller "call $service 7"
	[ "$(direct_of $service)" = 1 ] || fail "the call to $service was not direct"
	ctl pause $service
	ctl_behind $service call caller "call $service 7"
	waits=$call
	wait_until "the call to $service is queued" has_queued $service 1
	[ "$(direct_of $service)" = 1 ] || fail "the call to $service was direct"
	ctl resume $service
	wait "$waits"
	ctl call caller "call $service 7"
	[ "$(direct_of $service)" = 2 ] || fail "calls to $service are not direct again"
done
ctl_behind slept call actor "until $dir/end"
slept=$call
wait_until 'it waits' has_in_flight actor 1
ctl pause actor
ctl_behind itself call actor 'echo hello'
itself=$call
wait_until 'what comes is queued' has_queued actor 1
touch "$dir/end"
answers "$slept" 0 slept slept
has_queued actor 1 || fail 'what came was begun'
ctl resume actor
answers "$itself" 0 itself hello
stop

begin 'a pause outlives restarts, new code, another configuration and the cell'
put swaps_1 swaps
put actor
ini <<'END'
[service swaps]
[service actor]
END
start
ctl pause swaps
ctl_behind call1 call swaps 'echo hello'
call1=$call
wait_until 'the call is queued' has_queued swaps 1
put swaps_2 swaps
ctl reload swaps
status_is 0
says 'generation 2 (2) serves'
expect_state swaps paused
has_queued swaps 1 || fail 'the swap has begun what is queued'
ctl rollback swaps
status_is 0
expect_state swaps paused
has_queued swaps 1 || fail 'the rollback has begun what is queued'
ctl restart swaps
status_is 0
says 'swaps: paused'
has_queued swaps 1 || fail 'the restart has not kept what is queued'
ctl set swaps.queue 99
status_is 0
for keys in 'stack = 256K' 'instances = one'; do
	ini <<END
[service swaps]
$keys
[service actor]
END
	ctl reload
	status_is 0
	expect_state swaps paused
	has_queued swaps 1 || fail "the reload with $keys has not kept what is queued"
done
ctl resume swaps
answers "$call1" 0 call1 '2 hello'
ctl pause swaps
ctl call actor crash
wait_until 'it is there again' is_state swaps paused
ctl_behind call2 call swaps 'echo again'
call2=$call
wait_until 'the call is queued' has_queued swaps 1
ctl resume swaps
answers "$call2" 0 call2 '2 again'
case='a stop ends a pause, and what is queued is refused'
ctl pause swaps
ctl_behind call3 call swaps 'echo lost'
call3=$call
wait_until 'the call is queued' has_queued swaps 1
ctl stop swaps
status_is 0
answers "$call3" 1 call3 'service swaps: it has stopped'
ctl pause swaps
status_is 1
complains 'service swaps: it does not run'
ctl start swaps
says 'swaps: ready'
[ "$(ctl_quiet call swaps 'echo hello')" = '2 hello' ] || fail 'it does not serve'
case='a pause is forgotten by another bayd'
ctl pause swaps
stop
start
expect_state swaps ready
stop

begin 'a cell with messages for a paused service is not replaced'
put swaps_nodelete swaps
put actor
ini <<'END'
max_lingering = 1
[service swaps]
probation = 0
[service actor]
END
start
cell=$(cell_pid)
ctl pause actor
ctl send actor 'print n1'
for mark in a b c; do
	put swaps_nodelete swaps $mark
	ctl reload swaps
	status_is 0
done
three_linger() { [ "$(ctl_quiet status swaps --json | grep -o 'it is linked with -z nodelete' | wc -l)" -ge 3 ]; }
wait_until 'three linger' three_linger
[ "$(cell_pid)" = "$cell" ] || fail 'the cell has been replaced'
ctl resume actor
wait_until 'it is printed' has_printed 'n1 '
is_replaced() { [ -n "$(cell_pid)" ] && [ "$(cell_pid)" != "$cell" ] && is_state actor ready; }
wait_until 'the cell is replaced' is_replaced
stop

begin 'a pause of a service whose cell is being replaced is done when nothing of it runs any more'
put swaps_nodelete swaps
put actor
ini <<'END'
max_lingering = 1
drain_timeout = 1h
[service swaps]
probation = 0
[service actor]
END
start
cell=$(cell_pid)
ctl_behind slept call actor "until $dir/end"
slept=$call
wait_until 'it waits' has_in_flight actor 1
for mark in a b; do
	put swaps_nodelete swaps $mark
	ctl reload swaps
	status_is 0
done
wait_until 'the cell takes nothing more' is_state actor starting
{
	ctl_quiet pause actor >"$dir/paused" || exit 1
	! kill -0 "$cell" 2>/dev/null || echo 'the cell that is replaced goes on'
} >"$dir/early" &
paused=$!
has_heard_of_pause() { ctl_quiet events actor | grep -q ' paused, '; }
wait_until 'it is to be paused' has_heard_of_pause
touch "$dir/end"
answers "$slept" 0 slept slept
wait "$paused" || fail 'the pause failed'
[ ! -s "$dir/early" ] || fail "$(cat "$dir/early")"
wait_until 'it is paused in the next cell' is_state actor paused
stop

begin 'a paused service accepts no connection before it is resumed'
put listens
ini <<'END'
[service listens]
address = unix:listens.sock
END
start
socket=$dir/run/listens.sock
wait_until 'it listens' test -S "$socket"
ctl pause listens
"$client" "unix:$socket" hello >"$dir/first" 2>&1 </dev/null &
first=$!
wait_until 'it is connected' grep -qs '^connected$' "$dir/first"
put listens listens a
ctl reload listens
status_is 0
put listens listens b
ctl restart listens
status_is 0
ctl resume listens
answers "$first" 0 first "$(cell_pid) hello"
[ "$(ctl_quiet call listens accepted)" = 1 ] || fail 'it has not accepted one'
case='a drain lets the connections end that there are'
"$client" "unix:$socket" >"$dir/second" 2>&1 </dev/null &
second=$!
has_accepted() { [ "$(ctl_quiet call listens accepted)" = "$1" ]; }
wait_until 'it is accepted' has_accepted 2
ctl drain listens --timeout 300ms
status_is 8
complains '0 running, 0 queued, 1 connection'
complains 'it goes on: bayctl status listens shows what is left'
expect_state listens draining
kill "$second"
wait "$second" 2>/dev/null
wait_until 'it is drained' is_state listens drained
stop

begin 'a pause goes along to another cell, and its end back from there'
put actor
ini <<'END'
[service actor]
END
start
ctl pause actor
echo 'cell = far' >>"$dir/bay.ini"
ctl reload
status_is 0
[ "$(field_of actor cell)" = far ] || fail "it is in $(field_of actor cell)"
expect_state actor paused
ctl --timeout 200ms call actor 'echo hello'
complains '[service-paused]'
ctl resume actor
[ "$(ctl_quiet call actor 'echo hello')" = hello ] || fail 'it does not serve there'
# Cell main knew it as paused.
sed -i '/^cell = far/d' "$dir/bay.ini"
ctl reload
status_is 0
[ "$(field_of actor cell)" = main ] || fail "it is in $(field_of actor cell)"
[ "$(ctl_quiet --timeout 60s call actor 'echo hello')" = hello ] || fail 'it does not serve here'
case='what is queued meanwhile is no victim of that'
ctl pause actor
ctl send actor 'print n1'
echo 'cell = far' >>"$dir/bay.ini"
ctl reload
status_is 10
complains 'its 1 message cannot go along to another cell'
complains 'bayctl resume actor'
[ "$(field_of actor cell)" = main ] || fail "it is in $(field_of actor cell)"
expect_state actor paused
has_queued actor 1 || fail 'its message is lost'
ctl resume actor
wait_until 'it is printed' has_printed 'n1 '
ctl pause actor
ctl reload
status_is 0
[ "$(field_of actor cell)" = far ] || fail "it is in $(field_of actor cell)"
stop

begin 'a drain refuses what comes and ends what there is'
put actor
ini <<'END'
[service actor]
concurrency = 1
[service other]
plugin = actor
END
start
ctl pause other
ctl_behind held call actor 'call other echo hello'
held=$call
wait_until 'it waits for the other' has_queued other 1
ctl send actor 'print n1'
ctl send actor 'print n2'
ctl_behind drain drain actor
drain=$call
wait_until 'what is left is told' grep -q 'actor: 1 running, 2 queued' "$dir/drain"
ctl resume other
answers "$drain" 0 drain 'actor: drained'
answers "$held" 0 held called
wait_until 'all is printed' has_printed 'n1 n2 '
expect_state actor drained
ctl call actor 'echo hello'
status_is 1
complains "service actor takes no new requests: it was drained by user $(id -u) [service-drained]"
ctl send actor 'echo hello'
status_is 1
ctl call other 'call actor echo hello'
status_is 1
complains 'closed: service actor takes no new requests'
ctl events actor
says "actor asked, generation 1 by user $(id -u), process "
says "actor drained, generation 1 by user $(id -u), process "
case='a drained service is drained in the next cell, too, and resumed'
ctl call other crash
wait_until 'it is there again' is_state actor drained
ctl restart actor
status_is 0
says 'actor: dr'
wait_until 'it is drained' is_state actor drained
ctl resume actor
says 'actor: ready'
[ "$(ctl_quiet call actor 'echo hello')" = hello ] || fail 'it does not serve'
case='a drain that nobody waits for goes on, and can be taken back'
ctl_behind slept call actor 'sleep 3600000000000'
slept=$call
wait_until 'it sleeps' has_in_flight actor 1
ctl drain actor --no-wait
status_is 0
says 'actor: draining'
expect_state actor draining
ctl_behind drain drain actor
drain=$call
wait_until 'it waits' grep -q '1 running' "$dir/drain"
ctl resume actor
answers "$drain" 1 drain 'somebody resumed it meanwhile'
ctl_behind drain drain actor
drain=$call
wait_until 'it waits' grep -q '1 running' "$dir/drain"
ctl stop actor --now
answers "$drain" 1 drain 'somebody stopped it meanwhile'
answers "$slept" 1 slept
ctl drain actor
status_is 1
ctl drain actor --no-wait
status_is 1
complains 'it does not run'
stop

begin 'what a request that runs waits for is not refused by a drain'
put actor
ini <<'END'
[service actor]
[service other]
plugin = actor
END
start
ctl pause other
ctl_behind chain call actor 'call other call actor echo hello'
chain=$call
wait_until 'it waits for the other' has_queued other 1
ctl_behind drain drain actor
drain=$call
wait_until 'it drains' is_state actor draining
ctl resume other
answers "$chain" 0 chain called
answers "$drain" 0 drain 'actor: drained'
case='a service that calls itself waits for itself while it is paused'
ctl resume actor
ctl pause other
ctl_behind chain call actor 'call other call actor echo hello'
chain=$call
wait_until 'it waits for the other' has_queued other 1
ctl pause actor
ctl resume other
wait_until 'it waits for itself' has_queued actor 1
ctl resume actor
answers "$chain" 0 chain called
stop

begin 'nothing is lost under load, however often a service is paused'
put swaps_1 swaps
put drives
ini <<'END'
[service swaps]
queue = 100000
[service driver]
plugin = drives
END
sed -i 's/loops = 1/loops = 2/' "$dir/bay.ini"
start
ctl call driver 'begin 32 swaps'
n=0
while [ "$n" -lt "${PAUSES-40}" ]; do
	ctl pause swaps
	status_is 0
	[ $((n % 8)) -ne 0 ] || ctl reload swaps
	has_in_flight swaps 0 || wait_until 'what runs has ended' has_in_flight swaps 0
	served=$(field_of swaps served)
	# All loops have gone round before this is answered.
	ctl pause swaps
	[ "$(field_of swaps served)" = "$served" ] || fail 'a request was begun while it was paused'
	ctl resume swaps
	status_is 0
	n=$((n + 1))
done
ctl call driver halt
status_is 0
grep -q '^calls [1-9][0-9]* failed 0 wrong 0 sent [1-9][0-9]* lost 0 twice 0 ' "$dir/out" ||
	fail "the callers have seen: $(cat "$dir/out")"
stop

finish
