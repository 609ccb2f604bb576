#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The traces of requests, in two cells: from outside, through services, and out again.
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"

id=4bf92f3577b34da6a3ce929d0e0e4736
header=00-$id-00f067aa0ba902b7-01

begin 'a traceparent is taken, passed on and given back'
plugin toolbox
ini <<'END'
[cell far]
[service toolbox]
[service remote]
plugin = toolbox
cell = far
END
start
for service in toolbox remote; do
	ctl call --traceparent "$header" "$service" traceparent
	status_is 0
	case $(cat "$dir/out") in
	"$header") fail "$service: the span is the caller's" ;;
	00-$id-????????????????-01) ;;
	*) fail "$service: $(cat "$dir/out")" ;;
	esac
	first=$(cat "$dir/out")
	ctl call --json --traceparent "$header" "$service" traceparent
	says "\"traceparent\":\"00-$id-"
	[ "$first" != "$(cat "$dir/out")" ] || fail 'each request has the same span'
done

case='a reply tells of its request what the handler knows'
ctl call --json toolbox traceparent
text=$(sed -n 's/.*"text":"\([^"]*\)".*/\1/p' "$dir/out")
[ -n "$text" ] || fail "$(cat "$dir/out")"
says "\"traceparent\":\"$text\""

case='what is no traceparent is ignored and begins a new trace'
for wrong in x "00-$id-0000000000000000-01" "00-00000000000000000000000000000000-00f067aa0ba902b7-01" "$header-more" \
	"ff${header#00}"; do
	ctl call --traceparent "$wrong" toolbox traceparent
	status_is 0
	case $(cat "$dir/out") in
	00-$id-*) fail "$wrong is taken" ;;
	00-????????????????????????????????-????????????????-00) ;;
	*) fail "$wrong: $(cat "$dir/out")" ;;
	esac
done

stop

# --- the log -------------------------------------------------------------------------------

begin 'lines of the log belong to the trace of the request that they are written for'
plugin toolbox
plugin actor
ini <<'END'
[cell far]
[service toolbox]
[service actor]
cell = far
END
start
ctl call actor 'log of nobody'
status_is 0
ctl call --traceparent "$header" toolbox 'relay actor log of somebody'
status_is 0
wait_until 'both are in the log' sh -c "'$built/bayctl' -s '$dir/run/control.sock' log actor -n 1000 | grep -c 'there: of' | grep -qx 2"
ctl log --json -n 1000
for place in here there; do
	grep "$place: of nobody" "$dir/out" | grep -q '"trace"' && fail "$place: nobody has a trace"
	grep "$place: of somebody" "$dir/out" | grep -q "\"trace\":\"$id\",\"text\"" || fail "$place: somebody has none"
done
ctl log --trace "$id" -n 1000
status_is 0
[ "$(sed 's/.*cell far info service actor: //' "$dir/out")" = "$(printf 'here: of somebody\nthere: of somebody')" ] ||
	fail "of the trace are: $(cat "$dir/out")"
ctl log --trace "$id" toolbox
status_is 0
[ ! -s "$dir/out" ] || fail "of the toolbox are: $(cat "$dir/out")"

case='an id that is none is refused'
for wrong in "$header" 00000000000000000000000000000000 "${id}0"; do
	ctl log --trace "$wrong"
	status_is 2
	complains "--trace: '$wrong' is not valid"
done
stop

# --- bayctl trace --------------------------------------------------------------------------

# begin_trace NAME WORDS: bayctl trace --json in the background, with its output in $dir/NAME; waits
# until what comes is recorded.
begin_trace() {
	name=$1
	shift
	: >"$dir/$name"
	"$built/bayctl" -s "$dir/run/control.sock" --json trace "$@" >"$dir/$name" 2>"$dir/$name.err" </dev/null &
	tracer=$!
	wait_until "$name has begun" grep -q '"begun":' "$dir/$name"
}

# rows NAME: what a tracer was told: level, service, cell, way, status of each hop.
rows() {
	sed -n 's/.*"hops":\[\(.*\)\].*/\1/p' "$dir/$1" | sed 's/},{/\n/g' |
		sed 's/.*"level":\([0-9]*\),"service":"\([^"]*\)","cell":"\([^"]*\)","way":"\([^"]*\)","one_way":\([a-z]*\).*"status":"\([^"]*\)".*/\1 \2 \3 \4 \5 \6/'
}

# tells NAME: the rows are those of standard input.
tells() {
	cat >"$dir/wanted"
	rows "$1" >"$dir/rows"
	cmp -s "$dir/wanted" "$dir/rows" || fail "$1 tells: $(cat "$dir/rows")"
}

ended_with() {
	wait "$tracer"
	[ $? -eq "$1" ] || fail "the tracer ended with another code than $1: $(cat "$dir/$name.err")"
}

begin 'a request is told with all that is called for it, in both cells'
plugin toolbox
cp "$(cd ../plugins && pwd)/echo.so" "$dir/plugins/" || fail 'no sample echo'
ini <<'END'
[cell far]
loops = 1
[service toolbox]
[service remote]
plugin = toolbox
cell = far
[service echo]
[service echo-far]
plugin = echo
cell = far
END
start
ctl call remote 'relay echo warm'
begin_trace one toolbox --limit 2
ctl call echo 'nothing to do with it'
ctl call --traceparent "$header" toolbox 'relay remote relay echo-far text'
status_is 0
says text
ctl call toolbox 'relay remote fail so'
status_is 1
ended_with 0
tells one <<'END'
0 toolbox main queued false ok
1 remote far cell false ok
2 echo-far far direct false ok
0 toolbox main queued false io
1 remote far cell false io
END
grep -q "\"trace\":\"$id\"" "$dir/one" || fail 'the trace is another one'
grep -q '"parent":"00f067aa0ba902b7"' "$dir/one" || fail 'it does not come from the span of the header'
[ "$(tail -n 1 "$dir/one")" = '{"schema":1,"ok":true,"data":{"ended":{"requests":2,"lost":0}}}' ] ||
	fail "the end: $(tail -n 1 "$dir/one")"

case='who is recorded is sampled for others, and nobody else is'
begin_trace sampled toolbox --limit 1
ctl call toolbox 'relay remote traceparent'
says '-01'
ended_with 0
ctl call toolbox 'relay remote traceparent'
says '-00'

case='several trace at once, each its service, and none sees what is above it'
begin_trace above toolbox --limit 1
above=$tracer
begin_trace below remote --limit 2
ctl call toolbox 'relay remote relay echo-far text'
ctl call remote 'relay echo-far text'
ended_with 0
tells below <<'END'
0 remote far cell false ok
1 echo-far far direct false ok
0 remote far queued false ok
1 echo-far far direct false ok
END
grep -q '"caller":"toolbox"' "$dir/below" || fail 'it does not say who has called'
tracer=$above name=above
ended_with 0
tells above <<'END'
0 toolbox main queued false ok
1 remote far cell false ok
2 echo-far far direct false ok
END

case='only requests of one trace'
begin_trace mine toolbox --traceparent "$header" --limit 1
ctl call toolbox 'relay echo another'
ctl call --traceparent "$header" toolbox 'relay remote mine'
ended_with 0
grep -q "\"trace\":\"$id\"" "$dir/mine" || fail 'it is another one'
[ "$(grep -c '"request":' "$dir/mine")" -eq 1 ] || fail 'there are more'

case='what is sent one way is told when it has ended'
begin_trace sent toolbox
ctl call toolbox 'relay-send remote relay echo-far text'
wait_until 'both are told' sh -c "cat '$dir/sent' | tr '{' '\n' | grep -c '\"service\":\"echo-far\"' | grep -q 1"
kill -TERM "$tracer"
wait "$tracer" 2>/dev/null
rows sent | sort >"$dir/rows"
grep -q ' remote far cell true ok$' "$dir/rows" || fail "what was sent: $(cat "$dir/rows")"
grep -q ' echo-far far direct false ok$' "$dir/rows" || fail "what that has called: $(cat "$dir/rows")"

case='its time is up'
begin_trace timed toolbox --for 200ms
ended_with 0
[ "$(tail -n 1 "$dir/timed")" = '{"schema":1,"ok":true,"data":{"ended":{"requests":0,"lost":0}}}' ] ||
	fail "the end: $(tail -n 1 "$dir/timed")"

case='when the last one goes, nothing is recorded any more'
begin_trace gone toolbox
ctl call toolbox 'relay remote traceparent'
says '-01'
kill -KILL "$tracer"
wait "$tracer" 2>/dev/null
not_sampled() {
	ctl call toolbox 'relay remote traceparent'
	case $(cat "$dir/out") in *-00) ;; *) return 1 ;; esac
}
wait_until 'the service is not recorded any more' not_sampled

case='for people'
ctl_quiet trace toolbox --limit 1 >"$dir/table" &
tracer=$!
sampled() {
	ctl call toolbox 'relay remote traceparent'
	case $(cat "$dir/out") in *-01) ;; *) return 1 ;; esac
}
wait_until 'it has begun' sampled
wait "$tracer" || fail 'it did not end well'
grep -q '^SERVICE  *CELL  *WAY  *AT  *WAIT  *RUN  *TOTAL  *STATUS$' "$dir/table" || fail "$(cat "$dir/table")"
grep -q '^toolbox  *main  *queued  *0  *[0-9.]*[mu]*s  *[0-9.]*[mu]*s  *[0-9.]*[mu]*s  *ok$' "$dir/table" || fail "$(cat "$dir/table")"
grep -q '^  remote  *far  *cell ' "$dir/table" || fail "$(cat "$dir/table")"

case='a cell that is replaced is told, too'
begin_trace again remote --limit 1
kill -KILL "$(ctl_quiet info --json | tr '{' '\n' | sed -n 's/.*"name":"far","pid":\([0-9]*\).*/\1/p')"
remote_sampled() {
	ctl call remote traceparent
	case $(cat "$dir/out") in *-01) ;; *) return 1 ;; esac
}
wait_until 'what comes to the next cell is recorded' remote_sampled
ended_with 0
tells again <<'END'
0 remote far queued false ok
END

case='a cell that crashes is told of to its last hop'
plugin actor
cat >>"$dir/bay.ini" <<'END'
[service actor]
cell = far
instances = one
restart_delay = 10ms
start_limit = 1000/1m
on_crash = stay
[service bystander]
plugin = actor
cell = far
END
ctl reload
status_is 0
ctl call actor 'echo warm'
status_is 0
ctl call toolbox 'relay actor echo warm'
status_is 0
begin_trace crashing toolbox --limit 3 --for 30s
ctl_behind parked call toolbox "relay bystander until $dir/never"
in_flight() { ctl_quiet status bystander --json | grep -q '"in_flight":1'; }
wait_until 'one is parked' in_flight
ctl call toolbox 'relay actor echo last words'
status_is 0
ctl call toolbox 'relay actor crash'
[ "$status" -ne 0 ] || fail 'the crash succeeded'
! wait "$call" || fail 'the parked one succeeded'
ended_with 0
rows crashing | sort >"$dir/rows"
for row in '1 actor far cell false ok' '1 actor far cell false peer-died' '1 bystander far cell false peer-died'; do
	grep -qx "$row" "$dir/rows" || fail "it does not tell '$row': $(cat "$dir/rows")"
done
sed 's/},{/\n/g' "$dir/crashing" | grep '"crashed":true' >"$dir/crashed"
[ "$(grep -c . "$dir/crashed")" -eq 1 ] || fail "crashed: $(cat "$dir/crashed")"
grep -q '"service":"actor"' "$dir/crashed" || fail "another one crashed: $(cat "$dir/crashed")"
grep -q '"run_ns":[1-9]' "$dir/crashed" || fail "it does not say how long that ran: $(cat "$dir/crashed")"

again() {
	ctl call actor 'echo again'
	[ "$status" -eq 0 ]
}

case='the hops of the last moment are read before the page goes'
wait_until 'the cell is back' again
begin_trace moment actor --limit 1 --for 30s
ctl call actor 'last bystander echo so'
ended_with 0
tells moment <<'END'
0 actor far queued false peer-died
1 bystander far direct false ok
END
grep -q '"crashed":true' "$dir/moment" || fail 'none crashed'

case='a crash on another thread is that of the hop it worked for'
wait_until 'the cell is back' again
begin_trace there actor --limit 1 --for 30s
ctl call actor crash-there
ended_with 0
tells there <<'END'
0 actor far queued false peer-died
END
grep -q '"crashed":true' "$dir/there" || fail 'none crashed'

case='so is who was killed since its loop hung, and nobody else'
ctl set actor.stall_kill 1s
status_is 0
wait_until 'the cell is back' again
begin_trace spinning actor --limit 1 --for 30s
ctl call actor spin
ended_with 0
tells spinning <<'END'
0 actor far queued false peer-died
END
# With TSan a loop that spins never looks at a signal.
case $(configured SANITIZER_CFLAGS) in
*thread*) ;;
*) grep -q '"crashed":true' "$dir/spinning" || fail 'it does not say that it was the one' ;;
esac
wait_until 'the cell is back' again
begin_trace killed actor --limit 1 --for 30s
ctl_behind parked call actor "until $dir/never"
wait_until 'it is parked' sh -c "'$built/bayctl' -s '$dir/run/control.sock' status actor --json | grep -q '\"in_flight\":1'"
kill -KILL "$(ctl_quiet info --json | tr '{' '\n' | sed -n 's/.*"name":"far","pid":\([0-9]*\).*/\1/p')"
! wait "$call" || fail 'the call succeeded'
ended_with 0
tells killed <<'END'
0 actor far queued false peer-died
END
! grep -q '"crashed":true' "$dir/killed" || fail 'it is said to have crashed'
wait_until 'the cell is back' again

case='a service that moves is recorded where it is, and not where it was'
is_in() { ctl_quiet list --json | tr '{' '\n' | grep '"name":"toolbox"' | grep -q "\"cell\":\"$1\""; }
toolbox_sampled() {
	ctl call toolbox traceparent
	case $(cat "$dir/out") in *-01) ;; *) return 1 ;; esac
}
begin_trace moved toolbox
wait_until 'it is recorded' toolbox_sampled
sed -i 's/^\[service toolbox\]$/&\ncell = far/' "$dir/bay.ini"
ctl reload
status_is 0
wait_until 'it is in the other cell' is_in far
wait_until 'it is recorded there' toolbox_sampled
kill -KILL "$tracer"
wait "$tracer" 2>/dev/null
toolbox_not_sampled() { ! toolbox_sampled; }
wait_until 'it is not recorded any more' toolbox_not_sampled
sed -i '/^\[service toolbox\]$/{n;d}' "$dir/bay.ini"
ctl reload
status_is 0
wait_until 'it is back' is_in main
toolbox_sampled && fail 'it is recorded for nobody'

case='a service that is not there, and too many who look'
ctl trace nothing --for 1s
status_is 4
ctl trace toolbox --for never
status_is 2
ctl trace toolbox --limit 0
status_is 2
ctl trace toolbox --traceparent rubbish
status_is 2
complains "--traceparent: 'rubbish' is not valid"
stop

begin 'while a loop of the cell hangs it begins all the same, and says so'
plugin actor
plugin toolbox
ini <<'END'
[service actor]
stall_kill = 0s
restart_delay = 10ms
instances = one
[service toolbox]
END
start
ctl_behind spins call actor spin
hangs() { ctl_quiet status actor --json | grep -q '"silent_loops":\[{'; }
wait_until 'its loop hangs' hangs
begin_trace hung toolbox --for 200ms
ended_with 0
grep -q '"begun":"toolbox","slow":true' "$dir/hung" || fail "it does not say so: $(cat "$dir/hung")"
ctl set actor.stall_kill 1s
status_is 0
! wait "$call" || fail 'the call succeeded'
answers() { [ "$(ctl_quiet call toolbox 'relay actor echo x' 2>/dev/null)" = x ]; }
wait_until 'another cell serves' answers
stop

begin 'what is taken back before its queue had it is told as that'
plugin links
ini <<'END'
[service links]
concurrency = 1
queue = 1
overflow = wait
END
start
ctl_behind hangs call links hang
hangs=$call
at_work() { [ "$(field_of links in_flight)" = 1 ]; }
wait_until 'one is at work' at_work
ctl_behind waits call links 'echo x'
waits=$call
full() { [ "$(field_of links queued)" = 1 ]; }
wait_until 'its queue is full' full
begin_trace withdrawn links --limit 3 --for 30s
# On a busy machine the time of one may be over before it comes to the cell: then another.
are_withdrawn() {
	ctl send links note --timeout 50ms
	status_is 8
	grep -q '"ended":' "$dir/withdrawn"
}
wait_until 'three are told' are_withdrawn
ended_with 0
[ "$(rows withdrawn | grep -c '^0 links main queued true canceled$')" -eq 3 ] || fail "told: $(rows withdrawn)"
kill "$hangs" "$waits"
wait "$hangs" "$waits" 2>/dev/null
stop

finish
