#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Code that is swapped while it serves: every message is counted. SWAPS=1000 makes it longer than its
# 60, 30 with the thread sanitizer.
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"

swaps=60
# Mappings that there may be more. The thread sanitizer has some for each fiber that there was at once.
more_maps=40
case $(configured SANITIZER_CFLAGS) in
*thread*) more_maps=160 swaps=30 ;;
esac
swaps=${SWAPS-$swaps}
client=$PWD/support/connect_to
sources=${srcdir:-$(dirname "$0")/..}

# Nothing is taken before it is asked for.
ini() {
	{
		printf '[container]\nloops = 2\nlog_level = debug\nwatch = no\n'
		cat
	} >"$dir/bay.ini"
}

# put PLUGIN [AS [MARK]]: the plugin file is this from now on; a mark makes it another file.
put() {
	cp "$built_plugins/$1.so" "$dir/plugins/.new"
	[ -z "${3-}" ] || printf '%s' "$3" >>"$dir/plugins/.new"
	mv "$dir/plugins/.new" "$dir/plugins/${2-swaps}.so"
}

answers() { [ "$(ctl_quiet call swaps version)" = "$1" ]; }
expect() { answers "$1" || fail "answers $(ctl_quiet call swaps version), not $1"; }
generation_of() { field_of "$1" generation; }

# Of the cell: images that are mapped, mappings, descriptors, resident kilobytes.
images_mapped() { grep -o 'images/.*\.so' "/proc/$(cell_pid)/maps" | sort -u | wc -l; }
maps_of() { wc -l <"/proc/$1/maps"; }
fds_of() { find "/proc/$1/fd" -type l 2>/dev/null | wc -l; }
kilobytes_of() { awk '/^VmRSS/ { print $2 }' "/proc/$1/status"; }
has_mapped() { [ "$(images_mapped)" -le "$1" ]; }

# Callers from outside, until the file is gone: every call has to be answered.
call_from_outside() {
	while [ -e "$dir/calling" ]; do
		"$built/bayctl" -q -s "$dir/run/control.sock" call swaps 'echo hello' --repeat 200 --concurrency 8 \
			>>"$dir/outside.out" 2>&1 </dev/null || echo failed >>"$dir/outside.failed"
	done
}
begin_outside() {
	: >"$dir/calling"
	call_from_outside &
	outside=$!
}
end_outside() {
	rm "$dir/calling"
	wait "$outside"
	[ ! -e "$dir/outside.failed" ] || fail "calls from outside failed: $(grep -m 3 bayctl "$dir/outside.out")"
	[ -s "$dir/outside.out" ] || fail 'nobody called from outside'
}

begin_drivers() {
	for driver in driver1 driver2; do
		ctl call $driver 'begin 32 swaps'
		status_is 0
	done
}
end_drivers() {
	for driver in driver1 driver2; do
		ctl call $driver halt
		status_is 0
		grep -q '^calls [1-9][0-9]* failed 0 wrong 0 sent [1-9][0-9]* lost 0 twice 0 ' "$dir/out" ||
			fail "$driver counted: $(cat "$dir/out")"
		[ -z "${VERBOSE-}" ] || echo "$driver: $(cat "$dir/out")"
	done
}

# newest_event: its number. refusals_since NUMBER: how many files of the service were not taken.
newest_event() { ctl_quiet events -n 1 --json | grep -o '"number": *[0-9]*' | grep -o '[0-9]*$'; }
refusals_since() { ctl_quiet events --since "$1" swaps | grep -c ' swaps refused\| swaps rolled-back'; }

# cut_somewhere FILE: the plugin file is the first part of that one, cut at any byte.
size=$(wc -c <"$built_plugins/swaps_2.so")
cut_somewhere() {
	at=$(($(od -An -N4 -tu4 /dev/urandom) % (size - 1) + 1))
	head -c "$at" "$1" >"$dir/plugins/.new"
	mv "$dir/plugins/.new" "$dir/plugins/swaps.so"
}

drivers='[service driver1]
plugin = drives
[service driver2]
plugin = drives
'

begin 'a reload puts the present file in the place of the code that serves'
put swaps_1
ini <<'END'
[service swaps]
END
start
expect 1
put swaps_2
ctl reload swaps
status_is 0
says 'swaps: generation 2 (2) serves'
complains 'swaps: examined'
complains 'swaps: initialised'
expect 2
ctl status swaps
says 'note: on probation for '
says 'generation: 2 since '
says 'former: 1 (1, sha256 '
ctl list
says 'on probation for '
logs "service swaps: asked by user $(id -u), process "
logs "service swaps: swapped by user $(id -u), process "
logs ') serves instead of generation 1 (1)'
ctl events swaps
says "swaps swapped, generation 2 by user $(id -u), process "
ctl reload swaps
status_is 0
says 'swaps: is running that already: generation 2 (2)'
ctl rollback swaps
status_is 0
says 'swaps: generation 1 (1) serves'
expect 1
ctl rollback swaps
status_is 0
expect 2
put swaps_1
ctl restart swaps
status_is 0
expect 1
ctl rollback swaps
expect 2
ctl reload nobody
status_is 4
ctl stop swaps
ctl reload swaps
status_is 1
complains 'it is stopped; bayctl start starts it'
ctl --json reload swaps nobody
status_is 1
stop

begin 'many swaps under load lose no message and leave nothing behind'
put swaps_1
plugin drives
ini <<END
[service swaps]
instances = per-loop
probation = 0
concurrency = 1000
overflow = wait
$drivers
END
start
begin_drivers
begin_outside
half=$((swaps / 2))
n=0
while [ $n -lt "$swaps" ]; do
	n=$((n + 1))
	put "swaps_$((n % 2 + 1))"
	ctl reload swaps
	[ "$status" -eq 0 ] || { fail "swap $n: status $status"; break; }
	if [ $n -eq $half ]; then
		wait_until 'the old generations are gone' has_mapped 2
		maps=$(maps_of "$(cell_pid)")
		fds=$(fds_of "$(cell_pid)")
		bayd_fds=$(fds_of "$bayd")
		kilobytes=$(kilobytes_of "$(cell_pid)")
		bayd_kilobytes=$(kilobytes_of "$bayd")
	fi
done
end_outside
wait_until 'the old generations are gone' has_mapped 2
[ "$(maps_of "$(cell_pid)")" -le $((maps + more_maps)) ] || fail "mappings: $maps, then $(maps_of "$(cell_pid)")"
[ "$(fds_of "$(cell_pid)")" -le $((fds + 4)) ] || fail "descriptors: $fds, then $(fds_of "$(cell_pid)")"
[ "$(fds_of "$bayd")" -le $((bayd_fds + 16)) ] || fail "of bayd: $bayd_fds, then $(fds_of "$bayd")"
# What counts the messages grows, and what came from outside has its caches.
[ "$(kilobytes_of "$(cell_pid)")" -le $((kilobytes * 2 + 20000)) ] ||
	fail "memory: $kilobytes kB, then $(kilobytes_of "$(cell_pid)")"
[ "$(kilobytes_of "$bayd")" -le $((bayd_kilobytes * 2 + 20000)) ] ||
	fail "memory of bayd: $bayd_kilobytes kB, then $(kilobytes_of "$bayd")"
end_drivers
[ "$(field_of swaps restarts)" = 0 ] || fail 'it was restarted'
[ "$(generation_of swaps)" -gt "$swaps" ] || fail "generation $(generation_of swaps)"
[ "$(find "$dir/run/images" -name 'swaps.*.so' | wc -l)" -le 2 ] || fail 'images are left'
stop

begin 'bad files under load leave what serves'
put swaps_1
plugin drives
ini <<END
[service swaps]
instances = per-loop
probation = 0
concurrency = 1000
overflow = wait
$drivers
END
start
begin_drivers
begin_outside
n=0
refused=0
while [ $n -lt $((swaps / 4)) ]; do
	n=$((n + 1))
	before=$(newest_event)
	case $((n % 6)) in
	0) put abi_major ;;
	1) cut_somewhere "$built_plugins/swaps_2.so" ;;
	2) put crashes ;;
	3) put exits ;;
	4) put swaps_init_fails ;;
	5) if [ $n -eq 5 ]; then put hangs; else put undefined; fi ;;
	esac
	ctl reload swaps
	# Hardly anything is cut off so late that all of it is there.
	case $status in
	5 | 10)
		refused=$((refused + 1))
		[ "$(refusals_since "$before")" -eq 1 ] || fail "bad file $n: $(refusals_since "$before") events" ;;
	0) [ $((n % 6)) -eq 1 ] || fail "bad file $n was swapped to" ;;
	*) fail "bad file $n: status $status" ;;
	esac
	[ $n -ne 5 ] || complains 'it hung while it was loaded'
	put "swaps_$((n % 2 + 1))" swaps
	ctl reload swaps
	status_is 0
	expect $((n % 2 + 1))
done
end_outside
end_drivers
[ -z "${VERBOSE-}" ] || echo "bad files: $refused of $n refused, each with its event"
stop

begin 'every second file crashes on probation, and the code before it is back'
put swaps_1
ini <<END
[service swaps]
instances = per-loop
overflow = wait
END
start
begin_outside
n=0
while [ $n -lt $((swaps / 10)) ]; do
	n=$((n + 1))
	before=$(newest_event)
	put swaps_crashes swaps $n
	ctl reload swaps
	# It may be called, and crash, before it is said that it serves.
	[ "$status" -eq 10 ] || status_is 0
	has_come_back() { ctl_quiet events --since "$before" swaps | grep -q ' swaps rolled-back.*crashed: SIGABRT'; }
	wait_until 'it is rolled back' has_come_back
	wait_until 'the code before it is back' answers $(((n + 1) % 2 + 1))
	put swaps_$((n % 2 + 1)) swaps $n
	ctl reload swaps
	status_is 0
	expect $((n % 2 + 1))
done
rm "$dir/calling"
wait "$outside"
# Those that were in the cell then are told how it ended, and nobody is told anything else.
! grep bayctl: "$dir/outside.out" | grep -v 'crashed: SIGABRT' ||
	fail "calls failed otherwise: $(grep bayctl: "$dir/outside.out" | grep -v -m 3 'crashed: SIGABRT')"
[ -z "${VERBOSE-}" ] || echo "crashes on probation: $n, each with its event"
stop

begin 'the old code is started again when the new one crashes the cell'
put swaps_1
ini <<'END'
[service swaps]
END
start
put swaps_init_crashes
ctl reload swaps
status_is 10
complains 'crashed: SIGABRT'
complains 'generation 1 (1) serves on'
expect 1
put swaps_crashes
ctl reload swaps
status_is 0
ctl call swaps version
status_is 1
wait_until 'the old code is back' answers 1
logs 'is rolled back to generation 1 (1): on probation, it crashed: SIGABRT'
ctl events swaps
says 'rolled back to generation 1 (1): on probation, it crashed: SIGABRT'
[ "$(field_of swaps restarts)" = 0 ] || fail 'that is no restart'
ctl rollback swaps
status_is 1
complains 'there is no former generation'
stop

begin 'kill -9 of a cell says nothing about the code on probation, nor do the requests lost with it'
put swaps_1
put swaps_1 other
ini <<'END'
[service swaps]
probation = 12s
[service other]
plugin = other
probation = 1h
END
start
for n in 1 2 3 4 5 6 7 8 9 10; do ctl_quiet call swaps count >"$dir/counted"; done
put swaps_2
put swaps_2 other
ctl_behind reload.out reload --probation swaps
reload=$call
ctl reload other
status_is 0
wait_until 'the new code serves' answers 2
ctl_behind lost.out call swaps 'stay 3600000000000' --repeat 40 --concurrency 40
lost=$call
all_in_flight() { [ "$(field_of swaps in_flight)" = 40 ]; }
wait_until 'they are in it' all_in_flight
killed=$(cell_pid)
ctl status swaps
says 'note: on probation for '
kill -KILL "$killed"
wait "$lost"
is_replaced() { [ "$(cell_pid)" != "$killed" ] && is_state swaps ready && is_state other ready; }
wait_until 'there is another cell' is_replaced
expect 2
ctl status other
says 'note: on probation for '
! ctl_quiet events | grep 'rolled-back' || fail 'it was rolled back'
wait "$reload"
status=$?
status_is 0
expect 2
stop

begin 'the old code serves again when the new one fails too often'
put swaps_1
ini <<'END'
[service swaps]
END
start
ctl call swaps count
says '1 1'
put swaps_fails
ctl_behind reload.out reload --probation swaps
reload=$call
gone() { ! kill -0 "$reload" 2>/dev/null; }
fails_or_is_back() { ctl_quiet call swaps version; gone; }
wait_until 'it is rolled back' fails_or_is_back
wait "$reload"
status=$?
status_is 10
grep -q 'rolled back to generation 1 (1): on probation, .* requests failed' "$dir/reload.out" ||
	fail "says $(cat "$dir/reload.out")"
expect 1
# It was kept as it was.
ctl call swaps count
says '1 2'
stop

begin 'a probation that is passed ends the old generation'
put swaps_1
ini <<'END'
[service swaps]
probation = 1h
END
start
put swaps_2
ctl reload swaps
[ "$(images_mapped)" -eq 2 ] || fail 'the old code is not kept'
stop
ini <<'END'
[service swaps]
probation = 300ms
END
start
put swaps_1
ctl reload --probation swaps
status_is 0
says 'swaps: generation 2 (1) serves'
logs 'generation 2 has passed its probation'
ctl events swaps
says 'swaps promoted, generation 2: '
wait_until 'the old code is gone' has_mapped 1
stop

begin 'the state goes over'
put swaps_state_1
ini <<'END'
[service swaps]
END
start
ctl call swaps count
put swaps_state_2
ctl reload swaps
status_is 0
complains 'swaps: held'
complains 'swaps: handed-over'
ctl call swaps count
says '2 2'
put swaps_state_1 swaps again
ctl reload swaps
status_is 10
complains 'import_state failed: its state is of form 2, and this version knows 1'
ctl call swaps count
says '2 3'
stop

begin 'what lingers is shown, and the cell is replaced when it is too much'
put swaps_nodelete
ini <<'END'
max_lingering = 3
[service swaps]
probation = 0
END
start
cell=$(cell_pid)
begin_outside
lingering_of() { ctl_quiet status swaps | grep -c ': [0-9]*: it is linked with -z nodelete'; }
n=0
while [ $n -lt 8 ]; do
	n=$((n + 1))
	put swaps_nodelete swaps "$n"
	ctl reload swaps
	status_is 0
	linger=$(lingering_of)
	[ "$linger" -le 4 ] || fail "$linger linger"
done
end_outside
[ "$(cell_pid)" != "$cell" ] || fail 'the cell was not replaced'
logs 'generations linger in it (max_lingering = 3)'
[ "$(field_of swaps restarts)" = 0 ] || fail 'it was restarted'
put swaps_nodelete swaps last
ctl reload swaps
lingers() { [ "$(lingering_of)" -ge 1 ]; }
wait_until 'it lingers' lingers
ctl status swaps
says 'lingering: '
says ': it is linked with -z nodelete'
ctl events swaps
says 'swaps lingers, generation '
logs 'drained: cell main has ended its requests and is replaced: '
stop

begin 'what refuses to end lingers until it has'
put swaps_1
ini <<'END'
[service swaps]
probation = 0
drain_timeout = 0
END
start
ctl_behind stay.out call swaps 'stay 6000000000'
in_flight() { [ "$(field_of swaps in_flight)" = 1 ]; }
wait_until 'it is in flight' in_flight
put swaps_2
ctl reload swaps
status_is 0
refuses() { ctl_quiet status swaps | grep -q 'lingering: 1: 1 handler refuses to stop'; }
wait_until 'it lingers' refuses
expect 2
wait "$call"
lingers_no_more() { ! ctl_quiet status swaps | grep -q 'lingering'; }
wait_until 'it has ended' lingers_no_more
stop

begin 'connections are accepted throughout'
put listens listens
ini <<END
[service listens]
address = unix:$dir/run/web.sock
probation = 0
END
start
: >"$dir/calling"
(
	while [ -e "$dir/calling" ]; do
		"$client" "unix:$dir/run/web.sock" hello >"$dir/connected" 2>&1
		grep -q ' hello' "$dir/connected" || { echo cut && cat "$dir/connected"; } >>"$dir/cut"
		echo served >>"$dir/served"
	done
) &
clients=$!
n=0
while [ $n -lt 40 ]; do
	n=$((n + 1))
	put listens listens "$n"
	ctl reload listens
	status_is 0
done
rm "$dir/calling"
wait "$clients"
[ ! -e "$dir/cut" ] || fail "connections failed: $(head -n 3 "$dir/cut")"
[ "$(wc -l <"$dir/served")" -gt 10 ] || fail 'hardly anybody connected'
stop

begin 'a file that is exchanged all the time is loaded only as it was examined'
put swaps_1
ini <<'END'
[service swaps]
probation = 0
END
start
: >"$dir/exchanging"
(
	while [ -e "$dir/exchanging" ]; do
		cp "$built_plugins/swaps_2.so" "$dir/plugins/.a" && mv "$dir/plugins/.a" "$dir/plugins/swaps.so"
		cat "$built_plugins/swaps_init_crashes.so" >"$dir/plugins/.b" && mv "$dir/plugins/.b" "$dir/plugins/swaps.so"
		cp "$built_plugins/crashes.so" "$dir/plugins/swaps.so"
		cp "$built_plugins/abi_major.so" "$dir/plugins/swaps.so"
		cp "$built_plugins/swaps_1.so" "$dir/plugins/swaps.so"
	done
) &
exchange=$!
n=0
while [ $n -lt 25 ]; do
	n=$((n + 1))
	ctl reload swaps
	case $status in
	0 | 5 | 10) ;;
	*) fail "status $status" ;;
	esac
	answers 1 || answers 2 || fail 'what serves is neither'
done
rm "$dir/exchanging"
wait "$exchange"
stop

begin 'many reloads at once end with the last file'
put swaps_1
ini <<'END'
[service swaps]
probation = 0
END
start
n=0
calls=
while [ $n -lt 20 ]; do
	n=$((n + 1))
	put swaps_$((n % 2 + 1)) swaps "$n"
	ctl_behind "reload.$n" reload swaps
	calls="$calls $call"
done
put swaps_2 swaps last
ctl reload swaps
status_is 0
for call in $calls; do
	wait "$call"
	status=$?
	# A file that is replaced while it is copied is refused.
	[ "$status" -eq 5 ] || status_is 0
done
! grep -q bayctl: "$dir"/reload.* || ! grep -h bayctl: "$dir"/reload.* | grep -v 'changed while it was copied' ||
	fail 'a reload of many was refused for another reason'
expect 2
sha256sum "$dir/plugins/swaps.so" | cut -c 1-64 >"$dir/sum"
[ "$(field_of swaps sha256)" = "$(cat "$dir/sum")" ] || fail 'it is not the last file'
stop

begin 'a bayd that is killed in a swap leaves nothing in the way of the next'
put swaps_state_1
ini <<'END'
[service swaps]
drain_timeout = 60s
END
start
ctl_behind sleep.out call swaps 'sleep 50000000000'
wait_until 'it is in flight' in_flight
put swaps_state_2
ctl_behind reload.out reload swaps
is_held() { grep -q initialised "$dir/reload.out"; }
wait_until 'the swap is under way' is_held
children=$(children_of_bayd)
kill -KILL "$bayd"
wait "$bayd" 2>/dev/null
for pid in $children; do
	dead() { ! kill -0 "$pid" 2>/dev/null; }
	wait_until 'the cell is gone' dead
done
wait
start
expect 2
[ "$(find "$dir/run/images" -name '*.so' | wc -l)" -eq 1 ] || fail 'old images are left'
stop

begin 'two generations of a C++ plugin do not see the data of each other'
if ! command -v g++ >/dev/null 2>&1; then
	echo 'SKIP: no g++'
else
	for version in 1 2; do
		g++ -std=gnu++20 -O1 -fPIC -shared -I"$sources/../container/include" \
			-DINLINE_VERSION="\"$version\"" -DINLINE_WORDS=$((version * 8)) \
			-o "$dir/inline_$version.so" "$sources/support/plugins/swaps_inline.cc" || fail 'g++ failed'
	done
	nm -D "$dir/inline_1.so" | grep -q ' u the_table' || fail 'its variable is not unique'
	cp "$dir/inline_1.so" "$dir/plugins/swaps.so"
	ini <<'END'
[service swaps]
END
	start
	ctl call swaps
	says '1 1'
	cp "$dir/inline_2.so" "$dir/plugins/.n"
	mv "$dir/plugins/.n" "$dir/plugins/swaps.so"
	ctl reload swaps
	status_is 0
	ctl call swaps
	says '2 1'
	ctl call swaps
	says '2 2'
	# The first one was kept, and is as it was.
	[ "$(images_mapped)" -eq 2 ] || fail 'only one is there'
	ctl rollback swaps
	ctl call swaps
	says '1 2'
	wait_until 'the second one is gone' has_mapped 1
	stop
fi

finish
