#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Whatever goes wrong in a plugin is reported with its kind, its service and its task, and the
# reports are there when everything has been killed. FAULTS=100 does each so often.
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"
not_with_sanitizer 'it has its own words for the ends of a process'

times=${FAULTS-2}

faulty() {
	plugin faults victim
	plugin actor bystander
	ini <<END
[service victim]
restart_delay = 1ms..5ms
start_limit = 1000/1m
on_crash = stay
${1-}
[service bystander]
END
	# Its code stays each time that it ends, since it begins threads; that is not to replace the cell.
	sed -i 's/^loops/max_lingering = 1000\nloops/' "$dir/bay.ini"
}

# The newest report is this one.
newest_report() { ctl_quiet crash --json | grep -o '"number": *[0-9]*' | head -n 1 | grep -o '[0-9]*$'; }
is_reported() { [ "$(newest_report)" = "$1" ]; }

# field_of_report FIELD: of what bayctl crash --json said last, in $dir/out.
field_of_report() { grep -o "\"$1\": *\"*[a-zA-Z0-9_-]*" "$dir/out" | head -n 1 | grep -o '[a-zA-Z0-9_-]*$'; }

# reports KIND ORDER: does that to the victim, many times, and looks at each report.
reports() {
	i=0
	while [ "$i" -lt "$times" ]; do
		i=$((i + 1))
		number=$((number + 1))
		wait_until 'the victim serves' is_state victim ready
		ctl call victim "$2"
		wait_until "report $number is there" is_reported "$number" || return
		ctl crash "$number" --json
		facts="$(field_of_report kind) $(field_of_report service) $(field_of_report task)"
		[ "$facts" = "$1 victim planted" ] || fail "$2, time $i: it says $facts"
	done
	wait_until 'the victim serves' is_state victim ready
	wait_until 'the bystander answers' is_answered bystander
	counts "$1"
}

# line_is_told: where fault_null writes, in $dir/out; no_line_is_told: it is not.
line=$(grep -n '(uintptr_t)8 = 1' "${srcdir:-$(dirname "$0")/..}/support/plugins/faults.c" | cut -d : -f 1)
[ -z "$(configured HAVE_LIBDW_TRUE)" ] || line=
line_is_told() { [ -z "$line" ] || says " at faults.c:$line in victim.1.so"; }
no_line_is_told() { ! grep -q 'faults.c' "$dir/out" || fail 'there are lines'; }

# What make chaos shows.
counts() { [ "$times" -lt 10 ] || echo "  $1: reported $i of $times times"; }

begin "each kind of crash is named, $times times"
faulty
start
number=0
reports null-pointer null
reports wild-pointer wild
reports stack-overflow overflow
reports abort abort
reports assertion assert
reports double-free double-free
reports exit exit
stop

begin "a task that spins is reported and its cell replaced, $times times"
faulty 'stall_warn = 200ms
stall_kill = 1s'
start
number=0
reports stalled 'stuck 3'
logs 'service victim: task planted is in fault_spin'
ctl crash victim
says 'fault_spin'
says 'bay_sleep, called by planted_stuck'
stop

begin 'a loop that is stuck is told with its frames and what its task waited in, while it is stuck'
faulty 'instances = per-loop
stall_warn = 200ms
stall_kill = 0'
start
ctl_behind stuck call victim 'stuck 3'
wait_until 'it is told' has_logged 'service victim: task planted is in fault_spin'
logs 'before, it waited in bay_sleep, bay_sleep, bay_sleep'
kill -0 "$call" || fail 'it is not stuck any more'
# What is not bound to that loop goes on at the other one.
for _ in 1 2 3 4 5 6 7 8; do
	ctl call victim here
	status_is 0
done
ctl crash
! grep -q stalled "$dir/out" || fail 'there is a report of what goes on'
kill -KILL "$(cell_pid)"
! wait "$call" || fail 'the call was answered'
wait_until 'the victim serves again' is_state victim ready
stop

begin 'two services that wait for each other are named'
faulty 'concurrency = 1'
plugin faults partner
cat >>"$dir/bay.ini" <<'END'
[service partner]
concurrency = 1
END
start
ctl_behind one call victim "cross partner $dir/one.mark $dir/other.mark" --timeout 1h
one=$call
ctl_behind other call partner "cross victim $dir/other.mark $dir/one.mark" --timeout 1h
other=$call
is_deadlocked() { ctl_quiet tasks | grep -q '^deadlock: '; }
wait_until 'they wait for each other' is_deadlocked
ctl tasks
circle=$(grep '^deadlock: ' "$dir/out")
for word in '(victim)' '(partner)' handle; do
	case $circle in
	*"$word"*) ;;
	*) fail "$word is not in: $circle" ;;
	esac
done
is_answered bystander || fail 'the bystander does not answer'
ctl shutdown --now
expect_exit 0
wait "$one" "$other"

# A fault that does not end the service: how often it was told, and that the newest says this of it.
faults_of() { ctl_quiet events -n 2000 "$1" | grep -c " fault[ ,].*: $2: "; }
is_told() { [ "$(faults_of "$1" "$2")" -ge "$3" ]; }
is_healthy() { [ "$(field_of "$1" health)" = healthy ]; }

# tells_deadlocks KEYS WORD...: a partner with these keys and the victim wait for each other, many times; each
# time the circle has these words, and is over when one of the calls is given up.
tells_deadlocks() {
	faulty 'concurrency = 1'
	plugin faults partner
	printf '[service partner]\nconcurrency = 1\n%s\n' "$1" >>"$dir/bay.ini"
	shift
	start
	i=0
	while [ "$i" -lt "$times" ]; do
		i=$((i + 1))
		rm -f "$dir"/*.mark
		ctl_behind one call victim "cross partner $dir/one.mark $dir/other.mark" --timeout 1h
		one=$call
		ctl_behind other call partner "cross victim $dir/other.mark $dir/one.mark" --timeout 1h
		other=$call
		for service in victim partner; do
			wait_until "the deadlock of $service is told, time $i" is_told $service deadlock "$i"
		done
		[ "$i" -gt 1 ] || {
			ctl status victim
			says 'deadlock: task '
			[ "$(field_of victim health)" = unhealthy ] || fail 'it is called well'
			is_answered bystander || fail 'the bystander does not answer'
		}
		# It stands until then, so it is told once.
		kill "$one"
		wait "$one" "$other"
		for service in victim partner; do
			wait_until "$service is well again" is_healthy $service
			wait_until "$service serves" is_state $service ready
		done
	done
	logs '[service-deadlock]'
	for service in victim partner; do
		ctl events -n 2000 $service
		for word in "$@"; do
			[ "$(grep -c " fault[ ,].*deadlock: .*$word" "$dir/out")" -eq "$times" ] || fail "not $times times: $word"
		done
		[ "$(grep -c ' fault-over[ ,]' "$dir/out")" -eq "$times" ] || fail "$service: it is not over $times times"
		[ "$(field_of $service restarts)" -eq 0 ] || fail "$service was restarted"
	done
	ctl events -n 2000 bystander
	! grep -q ' fault[ ,]' "$dir/out" || fail 'the bystander is blamed'
}

begin "a deadlock of two services is told by itself, and is over when one of the calls is given up, $times times"
tells_deadlocks '' ' handle (victim)' ' handle (partner)'
counts deadlock
stop

begin "the same of two services in two cells, $times times"
tells_deadlocks 'isolate = yes' ' handle (victim) in cell main' ' handle (partner) in cell partner' \
	'the queue of partner in cell partner' 'the queue of victim in cell main'
counts 'deadlock of two cells'
stop

# told_each SERVICE KIND WHAT CALLED ORDER [BEFORE]: does that many times, and each time starts the
# service anew; BEFORE: how often it was told by then.
told_each() {
	i=0
	before=${6-0}
	while [ "$i" -lt "$times" ]; do
		i=$((i + 1))
		ctl call "$4" "$5"
		status_is 0
		wait_until "$2 is told, time $i" is_told "$1" "$2" $((i + before))
		[ "$i" -gt 1 ] || is_answered bystander || fail 'the bystander does not answer'
		is_state "$1" ready || fail "$1 is not ready"
		ctl restart "$1"
		status_is 0
		wait_until "$1 is well" is_healthy "$1"
	done
	ctl events -n 2000 "$1"
	[ "$(grep -c " fault[ ,].*$2: .*$3" "$dir/out")" -eq $((times + before)) ] || fail "not $times times: $2: $3"
	counts "$2"
}

begin "what leaks memory grows to its limit and no further, $times times"
faulty 'memory_max = 1M'
start
told_each victim memory-limit 'it has as much as it may (memory_max = 1M)' victim 'grow 1000'
# Who leaks, and is not started anew by anybody, gets another cell.
ctl call victim 'grow 1000'
[ "$(cat "$dir/out")" -le 16 ] || fail "it got $(cat "$dir/out") pieces of 64 KiB"
logs 'it has ended without freeing 1048576 bytes of bay_alloc()'
[ "$(sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$(cell_pid)/status")" -lt 300000 ] || fail 'the cell has grown'
before=$(cell_pid)
is_answered_again() { [ "$(ctl_quiet call victim 'here')" = here ]; }
wait_until 'it answers in another cell' is_answered_again
[ "$(cell_pid)" != "$before" ] || fail 'the cell was not replaced'
logs 'service victim does nothing and has kept all of its memory (memory_max = 1M): it is replaced'
is_state victim ready || fail 'it is not ready'
is_answered bystander || fail 'the bystander does not answer'
stop

begin 'a cache that frees what it needs keeps its cell'
faulty 'memory_max = 1M'
start
before=$(cell_pid)
ctl call victim 'cache 40'
status_is 0
wait_until 'it is told that there is no more' is_told victim memory-limit 1
# Long enough for a leak.
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
	ctl call victim 'cache 4'
	says 4
	sleep 0.2
done
[ "$(cell_pid)" = "$before" ] || fail 'its cell was replaced'
stop

begin "a flood is refused as the policy says, and told, $times times"
faulty 'concurrency = 1
queue = 8'
plugin faults flooder
printf '[service flooder]\n' >>"$dir/bay.ini"
start
ctl call flooder 'flood victim 80'
[ "$(cat "$dir/out")" -lt 20 ] || fail "$(cat "$dir/out") of 80 were taken"
ctl queues --json
wait_until 'it is over by itself' eval 'ctl_quiet events victim | grep -q "fault-over[ ,].*: queue-overflow: [67][0-9] messages were refused"'
is_healthy victim || fail 'it is not well afterwards'
ctl restart victim
told_each victim queue-overflow 'more come than it handles (overflow = reject, queue = 8)' flooder 'flood victim 80' 1
stop

begin "who does not read its subscriptions is told, $times times"
faulty
plugin faults publisher
printf '[service publisher]\n' >>"$dir/bay.ini"
start
i=0
while [ "$i" -lt "$times" ]; do
	i=$((i + 1))
	ctl call victim subscribe
	status_is 0
	ctl call publisher 'publish 40'
	status_is 0
	wait_until "it is told, time $i" is_told victim slow-reader "$i"
	is_answered bystander || fail 'the bystander does not answer'
	ctl restart victim
	wait_until 'it is well' is_healthy victim
done
ctl events -n 2000 victim
[ "$(grep -c ' fault[ ,].*slow-reader: .*messages were lost' "$dir/out")" -eq "$times" ] || fail "not $times times"
counts slow-reader
stop

begin "what opens descriptors and does not close them is told, $times times"
faulty
start
i=0
# Another one works, too, but not when they become more.
while [ "$i" -lt "$times" ]; do
	i=$((i + 1))
	number=$(faults_of victim fd-leak)
	leaks_until_told() {
		ctl call victim 'fds 4'
		[ "$(cat "$dir/out")" = 4 ] || fail "it got $(cat "$dir/out")"
		[ "$(faults_of victim fd-leak)" -gt "$number" ]
	}
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		is_answered bystander || fail 'the bystander does not answer'
		pause
	done
	wait_until "it is told, time $i" leaks_until_told
	is_state victim ready || fail 'it is not ready'
	ctl restart victim
	wait_until 'it is well' is_healthy victim
done
ctl events -n 2000 victim
[ "$(grep -c ' fault[ ,].*fd-leak: .* descriptors were opened and not closed while victim worked' "$dir/out")" -ge "$times" ] ||
	fail "not $times times"
ctl events -n 2000 bystander
! grep -q ' fault[ ,]' "$dir/out" || fail 'the bystander is blamed'
counts fd-leak
stop

begin 'a cell that has nearly all descriptors that it may have is replaced'
faulty 'cell = leaky'
plugin faults busy
printf '[cell honest]\nfds_max = 128\n[cell leaky]\nfds_max = 128\n[service busy]\ncell = honest\n' >>"$dir/bay.ini"
start
# Who has as many sockets as it may keeps them, and its cell.
ctl call busy 'sockets 1000'
[ "$(cat "$dir/out")" -gt 64 ] || fail "it got $(cat "$dir/out") sockets"
[ "$(cat "$dir/out")" -lt 128 ] || fail "it got $(cat "$dir/out") sockets"
ctl call victim 'fds 1000'
[ "$(cat "$dir/out")" -lt 128 ] || fail "it got $(cat "$dir/out") descriptors"
is_answered bystander || fail 'the bystander does not answer'
wait_until 'its cell is replaced' has_logged 'are open (see fds_max), most by service victim: it is replaced'
gets_some() { [ "$(ctl_quiet call victim 'fds 4')" = 4 ]; }
wait_until 'it has descriptors again' gets_some
is_state victim ready || fail 'it is not ready'
# The other cell has lived for longer than it takes when this one is replaced again.
ctl call victim 'fds 1000'
limits_of() { ctl_quiet events -n 2000 | grep -c " limit.*cell $1"; }
is_replaced_again() { [ "$(limits_of leaky)" -eq 2 ]; }
wait_until 'its cell is replaced again' is_replaced_again
[ "$(limits_of honest)" -eq 0 ] || fail 'who leaks nothing is replaced'
stop

begin "a thread that is left running is told, $times times"
faulty
start
i=0
while [ "$i" -lt "$times" ]; do
	i=$((i + 1))
	ctl call victim thread
	status_is 0
	ctl restart victim
	status_is 0
	wait_until "it is told, time $i" is_told victim thread-leak "$i"
	is_answered bystander || fail 'the bystander does not answer'
	wait_until 'it serves' is_state victim ready
done
ctl events -n 2000 victim
[ "$(grep -c ' fault[ ,].*thread-leak: 1 thread that it has begun runs on after its end' "$dir/out")" -eq "$times" ] ||
	fail "not $times times"
# One that begins no thread is not told of, and that of another is not its.
ctl restart bystander
ctl events bystander
! grep -q fault "$dir/out" || fail 'the bystander is blamed'
counts thread-leak
stop

begin 'a client that follows the log and does not read harms nobody'
faulty
start
"$built/bayctl" -s "$dir/run/control.sock" log -f >"$dir/followed" 2>&1 &
reader=$!
resident() { sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$bayd/status"; }
follows() { [ -s "$dir/followed" ]; }
wait_until 'it follows' follows
# What the pipe of libtool's script started is the client itself.
for pid in $reader $(cat "/proc/$reader/task/$reader/children"); do
	kill -STOP "$pid"
done
before=$(resident)
for _ in 1 2 3 4 5 6 7 8; do
	ctl call bystander 'chat 500'
	status_is 0
	ctl call victim here
	says here
done
[ "$(resident)" -lt $((before + 20000)) ] || fail "bayd has grown from $before to $(resident) kB"
for pid in $reader $(cat "/proc/$reader/task/$reader/children"); do
	kill -CONT "$pid"
done
# Then it goes on, with what is kept of what it missed.
ctl stop bystander
goes_on() { grep -q 'service bystander: stopped' "$dir/followed"; }
wait_until 'it goes on' goes_on
for pid in $(cat "/proc/$reader/task/$reader/children") $reader; do
	kill "$pid"
done
wait "$reader"
stop

begin 'what a service leaves open or running is told when it ends'
faulty
start
ctl call victim leak
status_is 0
ctl call victim thread
status_is 0
ctl stop victim
status_is 0
logs 'service victim: it ended and left 1'
wait_until 'the thread is told' eval 'ctl_quiet events victim | grep -q "victim lingers.*: it starts threads"'
is_answered bystander || fail 'the bystander does not answer'
stop

begin 'a report tells what was done, where and with which message'
faulty
start
ctl call victim 'null and a secret'
wait_until 'it is reported' is_reported 1
ctl crash victim
status_is 0
says 'crash 1: null-pointer'
says 'null and a secret'
says 'address: 0x8'
says 'fault_null'
says '#0  '
says 'in victim.1.so (build-id '
line_is_told
says 'thread: loop '
# Its cell's last words are there: that the service was ready, at the least.
says 'last lines of the cell'
ctl crash
status_is 0
says 'null-pointer'
ctl crash 7
status_is 4
complains 'there is no report 7'
ctl crash bystander
status_is 4
stop

begin 'a message that is to stay secret is not in the report'
faulty 'crash_content = no'
start
ctl call victim 'null and a secret'
wait_until 'it is reported' is_reported 1
ctl crash 1
says '17 bytes, which are not shown'
! grep -rq 'a secret' "$dir/state" || fail 'it is in the file'
stop

begin 'reports outlive all processes, and can be read without a daemon'
faulty
start
ctl call victim null
wait_until 'it is reported' is_reported 1
kill -KILL "$bayd"
expect_exit 137
(cd "$dir" && "$built/bayctl" crash --offline victim >out 2>err) || fail 'it cannot be read'
says 'crash 1: null-pointer'
line_is_told
# Another build lies where the code lay.
cp -f "$built_plugins/good.so" "$dir/run/images/victim.1.so"
BAY_STATE=$dir/state ctl crash --offline victim
says 'fault_null'
no_line_is_told
BAY_STATE=$dir/state ctl crash --offline --json
says '"kind"'
BAY_STATE=$dir/none ctl crash --offline
status_is 0
start
ctl crash 1
says 'crash 1: null-pointer'
ctl call victim null
wait_until 'the next has the next number' is_reported 2
stop

begin 'no more reports are kept than was said'
faulty
sed -i 's/^loops/crash_reports = 2\nloops/' "$dir/bay.ini"
start
for number in 1 2 3; do
	wait_until 'the victim serves' is_state victim ready
	ctl call victim null
	wait_until 'it is reported' is_reported "$number"
done
[ "$(ls "$dir/state/crashes")" = "2.json
3.json" ] || fail "there are $(ls "$dir/state/crashes")"
stop

begin 'a state_dir that cannot be written costs the reports and nothing else'
faulty
: >"$dir/state"
start
ctl call victim null
wait_until 'that is said' has_logged '[state-dir]'
wait_until 'the bystander answers' is_answered bystander
stop

finish
