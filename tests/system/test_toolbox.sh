#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Every function that plugins may call, called by a plugin: tests/support/plugins/toolbox.
# A row is an operation of it and what the reply has to be; behind "fails" what the failure
# says. Rows that end in * only have to begin so.
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"

samples=$(cd ../plugins && pwd)

# answers WANTED: what bayctl printed, on either stream, without the code of a failure.
answers() {
	answer=$(cat "$dir/out" "$dir/err" | sed 's/ \[[a-z-]*\]$//')
	case $answer in
	"$1") ;;
	"${1%\*}"*) [ "${1%\*}" != "$1" ] || fail "$operation: not '$1'" ;;
	*) fail "$operation: not '$1'" ;;
	esac
}

rows() {
	while IFS='|' read -r operation wanted; do
		ctl call toolbox "$operation"
		case $wanted in
		'fails '*)
			[ "$status" -eq 1 ] || fail "$operation: status $status"
			answers "bayctl: ${wanted#fails }"
			;;
		*)
			[ "$status" -eq 0 ] || fail "$operation: status $status"
			answers "$wanted"
			;;
		esac
	done
}

begin 'each operation sees what it should'
plugin toolbox
plugin leaf_sleeps
cp "$samples/echo.so" "$dir/plugins/" || fail 'no sample echo'
ini <<'END'
[service toolbox]
[service echo]
[service leaf_sleeps]
[service narrow]
plugin = toolbox
concurrency = 1
queue = 1
[service thin]
plugin = toolbox
concurrency = 1
drain_timeout = 10ms
END
start

rows <<'END'
message-bytes|3 same-with-nul null: 0 ''
message-text abc|abc-7 5
message-numbers|-9223372036854775808 ' -42 ' ok -42 '9223372036854775807' ok 9223372036854775807 '9223372036854775808' invalid 77 '4 2' invalid 77 '' invalid 77
request xyz|11 bytes same-data same-text deadline-near traced wants-reply
12|ok 12
number|invalid 77
instance|toolbox 0 hello same-settings same-state current running
reply-text abc|abc
reply-printf abc|<abc>
reply-int64|-9223372036854775808
reply-message abc|abc
note|taken
reply-twice|first
note|ok then invalid
reply-never|fails service toolbox ended without a reply
return-busy|fails service toolbox: busy
fail this|fails told to fail: this
fail-with-ok|fails a failure without a status
note|failed
statuses|ok failed timeout canceled closed full not-found busy invalid no-memory io too-big loop peer-died not-permitted unknown
clocks|goes-on wall after in-time past for-ever
sleep|ok slept ok slept ok
memory|zero kept zero kept refused zero
END
rows <<'END'
spawn-join|spawned a b ok ok io
yield|a b a b a b ok ok
go|ok a ok
go-fail|free ok canceled: task careless failed: io
join-timeout|timeout going-on busy canceled canceled: enough of it
cancel because of it|canceled canceled canceled because of it ok
task|0 busy '' 1 closed '' no-reply
free|canceled: its handle was freed
leave-task|left
note|canceled: its owner has ended
deadline|of-the-request
identity|handle ok renamed bay_sleep ok ok 1 ok end-of-renamed:canceled canceled by number
task-local|user none ok child:ada ok ada
gather|busy busy gather ok: ok ok none ok
gather-fail|gather io: canceled ok io a sibling failed
gather-timeout|gather timeout: timeout deadline
gather-null|gather no-memory: canceled
wait-first|ok 1: busy io busy timeout busy
gather-all|ok: timeout: io ok timeout deadline
wait-tasks|any ok: ok io busy error ok: ok io busy all timeout: ok io busy
scope-close|go ok join io close ok
scope-fail|go ok close io patient canceled: task careless failed: io not-me
scope-cancel enough|ok ok close ok early canceled: enough late canceled: enough
scope-deadline|go ok inherited timeout close timeout not-me
scope-options|ok 1 full wait io ok wait io a:io c:full close io
deadline-block|ok ok timeout timeout ok ok not-me invalid
shield|commit ok 0 canceled: enough invalid
scope-forget|ok
note|canceled: its owner has ended
scope-instance|ok
open-gate|open
note|gate closed, without a deadline
END
rows <<'END'
channel-rendezvous|full busy put ok ok one get ok two ok
channel-bound|ok ok full 2 waits one ok two three busy
channel-close|ok putter closed getter closed closed early closed closed
channel-timeout|timeout ok timeout 1
channel-cancel|ok ok one canceled nothing
channel-destroy|closed
queue-order|queue: one two three queue: three two one queue: two one three
queue-bytes|too-big empty ok 10 full timeout one
queue-join|2 timeout ok 0 closed
queue-close-now|open 2 2 closed ok
lock|00 ok 11 invalid ok 10 busy invalid canceled ok
lock-forgotten|ok 0
condition|invalid ok ok canceled-1 ok-1 ok-1 ok-1 timeout 0
semaphore|busy ok 1 ok timeout invalid too-big 2
event|1 canceled ok ok 0 timeout
barrier|2 ok-2 ok-0 ok-1 2 failed-9 failed-9 1 0 timeout
promise|0 busy ok closed ok gold 0 busy ok closed io no gold 0 busy ok closed canceled no need
once|0 io ok ok 1 2
select|0 ok one 3 ok 2 ok 4 ok 1 closed
descriptors|0 2 ok timeout ok 1 ok closed
addresses [::1]:80|ok [::1]:80 1 80 1 ok 0 [::1]:8080 invalid
stream-reads|ok ok line 4 21 too-big ok until ok ok four ok re ok ok st 1 ok
stream-writes|ok ok ok ok ok 0 ok 5 ok ok
stream-serve|ok ok ok 1 ok 1 ok hello closed ok io refused
stream-open|ok ok from a pipe
ticks|ok in-time ok missed-some no-drift 0 ok ok timeout
sleep-wall|ok slept ok
blocking|ok 7 42 timeout freed refused
datagrams|ok ok ping from-client ok longer-of-12 timeout closed ok io refused
groups|ok busy ok not-found
names|ok 127.0.0.1:80 ok [::1]:80 invalid 'look up a..b: a part of the name is empty' invalid
process|ok pid busy taken -1 ok exit-3 ok signal-10 closed ok signal-15
process-run abc|ABC 3 ok exit-4 8 not-found (start /no/such: execute it: No such file or directory)
process-select|timeout ok 1 ok exit-5
signals|not-permitted ok timeout ok 1 from-me ok 1
arena abc|zero grew shrank same <ab>
call abc|abc '' ok same-handle
monitor toolbox|ok ready 0 timeout invalid
call-names|nobody ? null not-found no-reply (there is no service 'nobody') not-found no-reply (there is no such service (no handle))
call-failure|io no-reply (told to fail: twice) fine ''
call-timeout|timeout no-reply (the deadline had passed before the call) timeout no-reply (*
note|gate *
call-leaf|invalid no-reply (service leaf_sleeps is a leaf (BAY_LEAF) and its handler called bay_sleep, which may suspend [misuse-leaf])
call-circle|fails services call each other in a circle, or max_depth = 64 is too small: toolbox -> toolbox -> *
call-inherit|ok inherited
as-completed|ok 2 ok io ok call closed
note|gate *
start|ok one once two once
start-missing|1 not-found (there is no service 'nobody') not-found
start-free|0 gate canceled: its handle was freed ''
fail-from|fails told to fail: this
note|gather io
note|gate canceled: a sibling failed
fail-from-canceled enough|fails the call to service toolbox was cancelled: enough
note|gate canceled: enough
fail-from-nothing|fails none of the 1 tasks has failed
tell-inherited|*
traceparent|00-*
relay echo text|text
relay-send echo text|sent
trace-begin|ok passed-on invalid new
send x|ok not-found
note|x one-way
leave-note hello|left
note|hello wants-reply
topics|ok ok ok ok invalid 2 1 ok box.a.b:first ok 0 box.a.b:first timeout
topic-slow|ok ok ok ok ok ok 2 3
cross|fails with whom?
send-later later|ok ok not-found ok
note|later one-way
send-full|full (the queue of service narrow is full (1 message, 4 bytes)) canceled
END
# Another run may be going on.
rows <<END
stream-accept unix:@toolbox-$$|ok timeout ok ok 1 '' ok
END

case='a slow subscriber is named'
logs 'service toolbox: its subscription to slow.* is too slow (2 messages, 1048576 bytes at most): 1 lost'
ctl queues --json
status_is 0
grep -A20 '"service": *"toolbox"' "$dir/out" | tr -d ' \n' | grep -q '"topic_waiting":2,"topic_lost":3' ||
	fail "the queues do not say so: $(cat "$dir/out")"

case='a reply of any bytes comes through'
ctl call toolbox reply-bytes
printf 'a\000b' | cmp -s - "$dir/out" || fail 'not the bytes'

case='a handler waits until another lets it go on'
ctl_behind waited call toolbox wait
waits() { [ "$(field_of toolbox in_flight)" = 1 ]; }
wait_until 'it waits' waits
ctl call toolbox open-gate
wait "$call"
[ "$(cat "$dir/waited")" = 'went through' ] || fail "not through: $(cat "$dir/waited")"

case='a deadlock is seen, and named in full'
ctl_behind waited call toolbox 'deadlock broken up'
tells() { grep -q -- "$1" "$dir/out" || fail "does not tell: $1"; }
is_deadlocked() { ctl_quiet tasks toolbox | grep -q 'which waits for.*: deadlock'; }
wait_until 'they wait for each other' is_deadlocked
ctl tasks toolbox
tells 'lock south held by task [0-9]* up, which waits for lock north held by task [0-9]* down: deadlock'
tells 'lock north held by task [0-9]* down, which waits for lock south held by task [0-9]* up: deadlock'
tells '^deadlock: task [0-9]* .* (toolbox) -> task [0-9]* .* (toolbox) -> task'
[ "$(grep -c '^deadlock: ' "$dir/out")" = 1 ] || fail 'the circle is told more than once'
ctl tasks --json
[ "$(grep -o '"deadlock": *"task ' "$dir/out" | wc -l)" -eq 2 ] || fail "not in --json: $(cat "$dir/out")"
ctl call toolbox open-gate
wait "$call"
[ "$(cat "$dir/waited")" = 'canceled ok' ] || fail "not broken up: $(cat "$dir/waited")"
logs 'waits for lock north held by task'
logs 'careless ended without releasing lock forgotten'

case='a deadlock of two services is seen'
ctl_behind waited call toolbox 'knot'
are_deadlocked() { ctl_quiet tasks | grep -q '^deadlock: '; }
wait_until 'they wait for each other' are_deadlocked
ctl tasks
tells '^deadlock: task [0-9]* handle ([nt][a-z]*) -> the queue of [nt][a-z]* -> task [0-9]* handle ([nt][a-z]*) -> the queue of'
ctl tasks --json
tells '"deadlock": *"task [0-9]* handle (narrow) -> the queue of thin -> task [0-9]* handle (thin) -> the queue of narrow -> '
tells '"deadlock": *"task [0-9]* handle (thin) -> the queue of narrow -> task [0-9]* handle (narrow) -> the queue of thin -> '
[ "$(grep -o '"deadlock": *"task ' "$dir/out" | wc -l)" -eq 2 ] || fail 'others are marked'
ctl stop thin
status_is 0
wait "$call"
[ "$(cat "$dir/waited")" = ok ] || fail "not broken up: $(cat "$dir/waited")"

case='a function on a helper thread is named for who waits for it'
mkfifo "$dir/fifo"
ctl_behind waited call toolbox 'block-on '"$dir/fifo"
blocks() { ctl_quiet tasks toolbox | grep -q 'blocking open'; }
wait_until 'it is shown as blocking' blocks
: >"$dir/fifo"
wait "$call"
[ "$(cat "$dir/waited")" = 'ok opened' ] || fail "not opened: $(cat "$dir/waited")"

case='streams speak in secret'
if ! command -v openssl >/dev/null; then
	echo "SKIP: $case: no openssl to make a certificate with"
elif openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
	-addext subjectAltName=DNS:localhost -keyout "$dir/key.pem" -out "$dir/certificate.pem" 2>"$dir/openssl.err"; then
	cat "$dir/certificate.pem" "$dir/key.pem" >"$dir/own.pem"
	operation='tls'
	ctl call toolbox 'tls '"$dir/own.pem"
	case $(cat "$dir/out") in
	'not-found not-found') echo "SKIP: $case: built without OpenSSL" ;;
	*) answers "ok ok ok '' ok ok TLSv1.3 /CN=localhost ok in secret ok" ;;
	esac
else
	fail "no certificate: $(cat "$dir/openssl.err")"
fi

case='a stream is named for who waits for it'
mkfifo "$dir/lines"
ctl_behind waited call toolbox 'stream-wait '"$dir/lines"
waits_for_stream() { ctl_quiet tasks toolbox | grep -q 'stream fd [0-9]* read'; }
wait_until 'it is shown as waiting' waits_for_stream
echo 'a line' >"$dir/lines"
wait "$call"
[ "$(cat "$dir/waited")" = 'ok a line' ] || fail "not read: $(cat "$dir/waited")"

case='streams end with the service that forgot them'
# The cell has one more for a moment now and then, to see how many there are: the least of some looks.
descriptors() {
	for _ in 1 2 3; do
		find "/proc/$(cell_pid)/fd" | wc -l
	done | sort -n | head -n 1
}
ctl stop toolbox
status_is 0
ctl start toolbox
# A loop that never watched a descriptor makes what it needs for that: each has its turn.
for _ in $(seq "$(nproc)"); do
	ctl call toolbox 'stream-forget 127.0.0.1:0'
	ctl stop toolbox
	ctl start toolbox
done
before=$(descriptors)
operation=stream-forget
ctl call toolbox 'stream-forget 127.0.0.1:0'
answers 'ok ok'
has_open() { [ "$(descriptors)" -eq "$1" ]; }
wait_until 'there are three more' has_open $((before + 3))
ctl stop toolbox
logs 'it ended and left 3 objects open: closed now'
ctl start toolbox
wait_until "there are $before again" has_open "$before"

case='a process that is forgotten ends with its service, and what it has started too'
forget() {
	ctl call toolbox 'process-forget '"$1"
	# shellcheck disable=SC2046
	set -- $(cat "$dir/out")
	[ $# -eq 2 ] || fail 'nothing was started'
	child=$1
	grandchild=$2
}
is_gone() { ! kill -0 "$1" 2>/dev/null || grep -q '^State:.[ZX]' "/proc/$1/status"; }
forget 'sleep 1000 & echo $!; wait'
! is_gone "$child" && ! is_gone "$grandchild" || fail 'they are not there'
ctl stop toolbox
status_is 0
is_gone "$child" || fail 'the child is left'
wait_until 'what it has started is gone' is_gone "$grandchild"
ctl start toolbox
status_is 0

case='a file is watched'
operation=watch-file
ctl call toolbox 'watch-file '"$dir/watched"
answers 'not-found ok timeout ok watched 4 ok watched 32'

case='a signal to the cell comes to all who want it, and does nothing otherwise'
operation=signal-wait
cell=$(cell_pid)
kill -HUP "$cell"
ctl_behind one call toolbox signal-wait
first=$call
ctl_behind two call narrow signal-wait
wait_for_hup() { [ "$(ctl_quiet tasks "$1" | grep -c 'signal SIGHUP')" = 1 ]; }
wait_until 'the first waits' wait_for_hup toolbox
wait_until 'the second waits' wait_for_hup narrow
kill -HUP "$cell"
wait "$first"
wait "$call"
[ "$(cat "$dir/one") $(cat "$dir/two")" = 'ok 1 ok 1' ] || fail "not told: $(cat "$dir/one" "$dir/two")"
# They have left their subscriptions open.
ctl stop toolbox
ctl stop narrow
logs 'service toolbox: it ended and left 1 signal open'
kill -HUP "$cell"
ctl start toolbox
ctl start narrow
ctl call toolbox 12
answers 'ok 12'
[ "$(cell_pid)" = "$cell" ] || fail 'the cell is another'

case='memory is counted on the service that holds it'
held() { ctl_quiet stats toolbox --json | grep -o '"memory_bytes": *[0-9]*' | grep -o '[0-9]*$'; }
operation=hold
before=$(held)
ctl call toolbox hold
answers held
[ "$(held)" -ge $((before + 1000000)) ] || fail "$before before, $(held) after"
ctl call toolbox drop
[ "$(held)" -eq "$before" ] || fail "$before before, $(held) after all"

case='the log says who wrote, and the level decides'
operation=log
ctl call toolbox 'log me'
answers '1111 evaluated 1'
for level in error warn info plain; do
	logs "service toolbox: toolbox $level me"
done
logs 'debug service toolbox: toolbox debug 1'

case='stop comes before fini'
ctl stop toolbox
status_is 0
logs 'stop of toolbox'
grep -A1 'stop of toolbox' "$dir/bayd.err" | grep -q 'fini of toolbox' || fail 'not in this order'
stop

begin 'what the level switches off is not even evaluated'
plugin toolbox
cat >"$dir/bay.ini" <<'END'
[container]
log_level = info
[service toolbox]
END
start
operation=log
ctl call toolbox 'log me'
answers '1110 evaluated 0'
logs 'toolbox info me'
! has_logged 'toolbox debug' || fail 'logs debug'
stop

begin 'a service is held by its function on a helper thread, and its code stays'
plugin toolbox
ini <<'END'
[service toolbox]
drain_timeout = 10ms
END
start
mkfifo "$dir/fifo"
ctl_behind waited call toolbox 'block-on '"$dir/fifo"
wait_until 'it is shown as blocking' blocks
ctl stop toolbox
status_is 1
complains '1 of its functions on helper threads does not come back: open has run for'
wait "$call"
[ "$(cat "$dir/waited")" = 'canceled not opened' ] || fail "not cancelled: $(cat "$dir/waited")"
: >"$dir/fifo"
ctl stop toolbox
status_is 0
ctl start toolbox
ctl call toolbox blocking
status_is 0
stop

begin 'a socket that a service leaves open is closed when it stops'
plugin toolbox
ini <<'END'
[service toolbox]
[service other]
plugin = toolbox
END
start
ctl call toolbox 'left-open 127.0.0.1:0'
status_is 0
address=$(sed -n 's/^ok //p' "$dir/out")
ctl call other "left-open $address"
says 'busy open a socket'
ctl call toolbox "left-open unix:$dir/left.sock"
says 'ok unix:'
[ -S "$dir/left.sock" ] || fail 'no file of the socket'
ctl restart toolbox
status_is 0
logs 'service toolbox: it ended and left 2 sockets open: closed now'
[ ! -e "$dir/left.sock" ] || fail 'the file of the socket is still there'
ctl call other "left-open $address"
says "ok $address"
stop
begin 'processes end with their cell, however that ends'
plugin toolbox
ini <<'END'
[service toolbox]
[service bystander]
plugin = toolbox
END
start
is_new_cell() { [ "$(cell_pid)" != "$cell" ] && is_state toolbox ready; }
for way in KILL SEGV; do
	operation="process-forget, $way"
	cell=$(cell_pid)
	forget 'sleep 1000 & echo $!; trap "" TERM; wait; sleep 1000'
	! is_gone "$child" && ! is_gone "$grandchild" || fail 'they are not there'
	kill -"$way" "$cell"
	wait_until 'the child is gone' is_gone "$child"
	wait_until 'what it has started is gone' is_gone "$grandchild"
	wait_until 'the service is back' is_new_cell
done
forget 'sleep 1000 & echo $!; trap "" TERM; wait; sleep 1000'
stop
wait_until 'the child is gone' is_gone "$child"
wait_until 'what it has started is gone' is_gone "$grandchild"

begin 'helper threads are as many as the container and the service allow'
plugin toolbox
ini <<'END'
blocking_threads = 2
[service toolbox]
blocking_threads = 1
[service other]
plugin = toolbox
END
start
mkfifo "$dir/fifo"
blocked() { [ "$(ctl_quiet tasks | grep -c 'blocking open')" = "$1" ]; }
helpers() { cat /proc/"$(cell_pid)"/task/*/comm | grep -c '^blocking$'; }
block() {
	ctl_behind "waited$1" call "$2" 'block-on '"$dir/fifo"
	calls="$calls $call"
	wait_until "call $1 blocks" blocked "$1"
	[ "$(helpers)" = "$3" ] || fail "$(helpers) helper threads after call $1"
}
calls=
block 1 toolbox 1
block 2 toolbox 1
block 3 other 2
block 4 other 2
# The other end, for all of them.
exec 3<>"$dir/fifo"
for call in $calls; do
	wait "$call" || fail 'a call failed'
done
exec 3<&-
stop

begin 'a crash on a helper thread is blamed on the service whose function it was'
plugin toolbox
ini <<'END'
[service toolbox]
[service bystander]
plugin = toolbox
END
start
ctl call toolbox block-crash
status_is 1
complains 'crashed: SIGSEGV'
complains 'service toolbox'
logs 'cell main: crashed: SIGSEGV in service toolbox'
logs 'in task crasher'
stop

begin 'an init that fails gives its reason'
plugin toolbox
ini <<'END'
[service toolbox]
fail_init = yes
greeting = a friend
restart = no
END
start
is_state toolbox failed || fail "is $(state_of toolbox)"
ctl status toolbox
says 'init was told to fail, by a friend'
ctl call toolbox note
status_is 1
stop

begin 'a run that fails is the failure of its service'
plugin toolbox
ini <<'END'
[service toolbox]
fail_run = yes
greeting = a friend
restart = no
END
start
wait_until 'the service has failed' is_state toolbox failed
ctl status toolbox
says 'run was told to fail, by a friend'
stop

finish
