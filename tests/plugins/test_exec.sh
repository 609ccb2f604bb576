#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Programs as services of a whole container: their samples, their deaths, their floods.
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"
srcdir=${srcdir:-$(dirname "$0")/..}
built_plugins=$(cd ../plugins && pwd)
samples=$(cd "$srcdir/../plugins/exec/samples" && pwd)

# call_bytes SERVICE FILE: calls with the bytes of a file, the reply comes to $dir/reply.
call_bytes() {
	"$built/bayctl" -s "$dir/run/control.sock" call "$1" - <"$2" >"$dir/reply" 2>"$dir/err"
	status=$?
}

reply_is() { [ "$(cat "$dir/out")" = "$1" ] || fail "not '$1'"; }

# The processes that the cell has started.
workers() { cat /proc/"$(cell_pid)"/task/*/children; }
has_workers() { [ "$(workers | wc -w)" -eq "$1" ]; }
# is_answered SERVICE TEXT REPLY
is_answered() { [ "$(ctl_quiet call "$1" "$2")" = "$3" ]; }
is_busy() { [ "$(field_of "$1" in_flight)" = 1 ]; }
is_gone() { ! kill -0 "$1" 2>/dev/null; }
other_worker() { workers | grep -q '[0-9]' && ! workers | grep -qw "$1"; }

# stop_all: stops, and no worker is left.
stop_all() {
	left=$(workers)
	stop
	leaves_nothing "$left"
}

begin 'a process for each request takes any bytes and gives any'
plugin exec
ini <<'END'
[service cat]
plugin = exec
command = cat
reply_max = 600k

[service deaf]
plugin = exec
command = sh -c "exec <&-; echo nothing was read"

[service fails]
plugin = exec
command = sh -c "echo this is why >&2; exit 7"
END
start
ctl call cat hello
reply_is hello
ctl call cat ''
status_is 0
[ ! -s "$dir/out" ] || fail 'something of nothing'
head -c 500000 /dev/urandom >"$dir/bytes"
call_bytes cat "$dir/bytes"
cmp -s "$dir/bytes" "$dir/reply" || fail 'other bytes came back'
head -c 700000 /dev/zero >"$dir/many"
call_bytes cat "$dir/many"
status_is 1
complains 'more than 614400 bytes (reply_max)'
call_bytes deaf "$dir/many"
[ "$(cat "$dir/reply")" = 'nothing was read' ] || fail 'a program has to read'
ctl call fails
status_is 1
complains 'the program ended with exit code 7: this is why'
logs ': this is why'
has_workers 0 || fail "left: $(workers)"
stop_all

begin 'a worker answers line for line, and fails those that it wants to fail'
plugin exec
ini <<END
[service sum]
plugin = exec
mode = line
directory = $samples
command = sh sum.sh
failure = "error: "
END
start
ctl call sum '1 2 3'
reply_is 6
first=$(workers)
ctl call sum '4 five'
status_is 1
complains 'five is no whole number'
ctl call sum ''
reply_is 0
ctl call sum '1
2'
status_is 1
complains 'is one line'
[ "$(workers)" = "$first" ] || fail 'another worker'

case='a worker that is killed is replaced, without a request'
kill -KILL "${first% }"
wait_until 'there is another worker' other_worker "${first% }"
ctl call sum '40 2'
reply_is 42

case='who is killed under load fails a request and no more'
ctl_behind load --json call --repeat 3000 --concurrency 4 sum '1 1'
for _ in 1 2 3 4 5; do
	for worker in $(workers); do
		kill -KILL "$worker" 2>/dev/null
		wait_until 'it is gone' is_gone "$worker"
	done
	pause
done
wait "$call"
# One that has not answered yet was among them, so the next start may take a moment.
wait_until 'it answers' is_answered sum '2 2' 4
[ "$(workers | wc -w)" -le 4 ] || fail "too many workers: $(workers)"

case='a restart ends the workers and has others'
first=$(workers)
ctl restart sum
status_is 0
for worker in $first; do
	is_gone "$worker" || fail "worker $worker is left"
done
ctl call sum '1 1'
reply_is 2
stop_all

begin 'who overruns, floods or stops in the middle costs its own request'
plugin exec
ini <<'END'
[service actor]
plugin = exec
mode = line
max_workers = 2
reply_time = 2s
reply_max = 100k
command = sh -c "while read -r line; do eval \"$line\"; done"

[service dies]
plugin = exec
mode = line
command = sh -c "echo no licence >&2; exit 9"
END
start
ctl call actor 'echo fine'
reply_is fine
ctl call actor 'sleep 1000'
status_is 1
complains 'did not answer in time and was killed'
ctl call actor 'cat /dev/zero'
status_is 1
complains 'more than 102400 bytes (reply_max)'
ctl call actor 'printf half; exit 4'
status_is 1
complains 'ended with exit code 4, in the middle of its reply'
ctl call actor 'kill -SEGV $$'
status_is 1
complains 'was ended by SIGSEGV'
# The second in a row that died with its first request.
wait_until 'it answers' is_answered actor 'echo fine' fine
ctl call actor 'yes an error | head -n 20000 >&2; echo still fine'
reply_is 'still fine'
# Who asks no more does not leave the worker at it.
ctl call --timeout 300ms actor 'sleep 1000'
status_is 8
ctl call actor 'echo fine again'
reply_is 'fine again'

case='a stop lets what is under way finish, and cuts short what does not'
mkfifo "$dir/gate"
ctl_behind slow call actor "read line <'$dir/gate'; echo finished"
slow=$call
wait_until 'it is under way' is_busy actor
ctl_behind stopping stop actor
wait_until 'it is being stopped' is_state actor stopping
echo >"$dir/gate"
wait "$call" || fail "it was not stopped: $(cat "$dir/stopping")"
wait "$slow"
[ "$(cat "$dir/slow")" = finished ] || fail "the caller was told: $(cat "$dir/slow")"
ctl start actor
status_is 0
ctl_behind slow call actor 'sleep 1000'
wait_until 'it is under way' is_busy actor
ctl stop --now actor
status_is 0
wait "$call" && fail 'it was answered'
grep -q 'service actor is stopping' "$dir/slow" || fail "the caller was told: $(cat "$dir/slow")"

case='a program that dies at once is started less and less often'
ctl call dies
status_is 1
complains 'ended with exit code 9: no licence'
logs 'no licence; the next start in 100 ms'
stop_all

begin 'when the cell is killed its workers are too, and the next has new ones'
plugin exec
ini <<'END'
[service pid]
plugin = exec
mode = line
min_workers = 2
command = sh -c "while read -r line; do echo $$; done"
END
start
wait_until 'there are two workers' has_workers 2
old=$(workers)
kill -KILL "$(cell_pid)"
for worker in $old; do
	wait_until 'the workers are gone' is_gone "$worker"
done
wait_until 'the service is ready' is_state pid ready
ctl call pid
status_is 0
echo "$old" | grep -qw "$(cat "$dir/out")" && fail 'an old worker answers'
stop_all

begin 'settings without sense are told with their line'
plugin exec
ini <<'END'
[service a]
plugin = exec
[service b]
plugin = exec
command = cat
mode = lines
END
check
status_is 5
complains command
complains 'bay.ini:9: '
ini <<'END'
[service c]
plugin = exec
mode = line
command = no-such-program -x
[service d]
plugin = exec
command = sh -c 'x
END
start
ctl status c
says 'start no-such-program: execute it: No such file or directory'
ctl status d
says 'command: a quote is not closed'
stop_all

if command -v python3 >/dev/null; then
	begin 'the sample in Python answers'
	plugin exec
	ini <<-END
	[service words]
	plugin = exec
	mode = length
	directory = $samples
	command = python3 words.py
	END
	start
	ctl call words 'a rose is a rose'
	reply_is '{"a": 2, "rose": 2, "is": 1}'
	ctl call words ''
	reply_is '{}'
	printf '\377\n\377' >"$dir/bytes"
	call_bytes words "$dir/bytes"
	status_is 1
	complains 'not UTF-8'
	stop_all
else
	echo 'SKIP: test_exec: the sample in Python: no python3'
fi

if command -v node >/dev/null; then
	begin 'the sample in JavaScript answers'
	plugin exec
	ini <<-END
	[service slug]
	plugin = exec
	mode = line
	directory = $samples
	command = node slug.js
	END
	start
	ctl call slug 'Crème brûlée, twice'
	reply_is creme-brulee-twice
	stop_all
else
	echo 'SKIP: test_exec: the sample in JavaScript: no node'
fi

finish
