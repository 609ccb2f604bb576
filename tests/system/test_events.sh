#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Everything that changes is an event, which says who asked for it and why; who follows them
# misses none, and is told when he does.
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"

me="user $(id -u), process"

# happened LINE...: the events are these, each a pattern for a whole line behind the number.
happened() {
	ctl_quiet events --lines 1000 | sed 's/^[^ ]* *[0-9]* //; /^bayd watching: /d' >"$dir/events"
	for pattern; do printf '%s\n' "$pattern"; done >"$dir/patterns"
	[ "$(wc -l <"$dir/events")" -eq $# ] || fail "other events: $(cat "$dir/events")"
	while read -r event <&3 && read -r pattern <&4; do
		printf '%s\n' "$event" | grep -qE "^$pattern\$" || fail "not $pattern: $event"
	done 3<"$dir/events" 4<"$dir/patterns"
}

# newest: the number of the last event.
newest() { ctl_quiet events -n 1 --json | grep -o '"number": *[0-9]*' | grep -o '[0-9]*$'; }

# has_event TEXT
has_event() { ctl_quiet events --lines 1000 | grep -qF -- "$1"; }

begin 'a life of a service, as events'
plugin actor
ini <<'END'
[service actor]
restart_delay = 0
[service never]
plugin = actor
enabled = no
END
start
wait_until 'the directory is watched' has_event 'bayd watching'
ctl stop actor
ctl start actor
ctl restart actor
ctl call actor crash
wait_until 'it is back' has_event 'actor restarted, generation 3 ('
ctl start never
ctl stop never --now
took='\([0-9.]+[a-z]+\)'
happened \
	"bayd begun: bayd .* with .*/bay.ini" \
	"actor loaded, generation 1 $took: .* from .*/plugins/actor.so" \
	"actor started, generation 1 $took" \
	"bayd up $took: 1 service runs, 0 failed" \
	"actor asked, generation 1 by $me [0-9]+: to stop it" \
	"actor stopped, generation 1 by $me [0-9]+" \
	"actor asked, generation 1 by $me [0-9]+: to start it" \
	"actor loaded, generation 2 by $me [0-9]+ $took: .*" \
	"actor started, generation 2 by $me [0-9]+ $took" \
	"actor asked, generation 2 by $me [0-9]+: to restart it" \
	"actor loaded, generation 3 by $me [0-9]+ $took: .*" \
	"actor stopped, generation 2 by $me [0-9]+" \
	"actor restarted, generation 3 by $me [0-9]+ $took" \
	"bayd crashed: cell main crashed: SIGSEGV in service actor .*" \
	"actor crashed, generation 3: crashed: SIGSEGV.*" \
	"actor restarted, generation 3 $took" \
	"never asked by $me [0-9]+: to start it" \
	"never loaded, generation 4 by $me [0-9]+ $took: .*" \
	"never started, generation 4 by $me [0-9]+ $took" \
	"never asked, generation 4 by $me [0-9]+: to stop it now" \
	"never stopped, generation 4 by $me [0-9]+"
# The audit trail is in the log too.
logs "service actor: asked by $me"
ctl events never
[ "$(wc -l <"$dir/out")" -eq 5 ] || fail 'other events of the service'
ctl events nobody
status_is 4
stop

begin 'what does not work is an event with the reason'
plugin actor
plugin crashes bad
ini <<'END'
[service fails]
plugin = actor
init = fail
restart = no
[service gives_up]
plugin = actor
init = fail
restart_delay = 0
start_limit = 2/1m
[service refused]
plugin = bad
[service works]
plugin = actor
END
start
has_event 'fails failed, generation' || fail 'no event of the failure'
has_event 'refused refused: ' || fail 'no event of the refusal'
wait_until 'it gives up' has_event 'gives_up gave-up, generation'
plugin crashes actor
ctl restart works
status_is 5
has_event "works refused, generation" || fail 'no event of the refused restart'
[ "$(state_of works)" = ready ] || fail 'it does not serve any more'
stop

begin 'each change of the configuration is an event, and so is one that is refused'
plugin actor
ini <<'END'
watch = no
[service actor]
END
start
# has_matching PATTERN: an event, as happened has it.
has_matching() {
	ctl_quiet events --lines 1000 | sed 's/^[^ ]* *[0-9]* //' | grep -qE "^$1\$" ||
		fail "no event: $1: $(ctl_quiet events --lines 1000)"
}
ctl set actor.timeout 7s
status_is 0
has_matching "actor set by $me [0-9]+: set actor.timeout = 7s by .*"
printf '[service other]\nplugin = actor\n' >>"$dir/bay.ini"
ctl reload
status_is 0
has_matching "bayd reloaded by $me [0-9]+: reload by .*"
ctl rollback --config 1
status_is 0
has_matching "bayd rolled-back by $me [0-9]+: rollback to 1 by .*"
printf 'colour = red\n[nonsense]\n' >>"$dir/bay.ini"
ctl reload
status_is 5
has_matching "bayd refused by $me [0-9]+: .*unknown section .*nonsense.*"
count=$(newest)
ctl reload --dry-run
[ "$(newest)" = "$count" ] || fail 'looking is an event'
kill -HUP "$bayd"
wait_until 'the signal is told' has_event 'bayd refused by signal'
stop

begin 'who follows gets every event, and goes on where he was'
plugin actor
ini <<'END'
[service actor]
END
start
# That one comes at any time, or twice: to who follows, and to who follows after that.
wait_until 'the directory is watched' has_event 'bayd watching'
ctl_behind followed events -f --since 0 --json
follower=$call
ctl restart actor
last=$(newest)
follower_has() { grep -q "\"number\": *$1[,}]" "$dir/followed"; }
wait_until 'the follower has it' follower_has "$last"
kill "$follower"
wait "$follower"
ctl stop actor
ctl start actor
ctl_behind followed2 events -f --since "$last" --json
follower=$call
ctl stop actor
more=$(newest)
follower_has2() { grep -q "\"number\": *$1[,}]" "$dir/followed2"; }
wait_until 'the follower has it' follower_has2 "$more"
cat "$dir/followed" "$dir/followed2" | grep -o '"number": *[0-9]*' | grep -o '[0-9]*$' >"$dir/numbers"
seq 1 "$more" | cmp -s - "$dir/numbers" || fail "the numbers are: $(tr '\n' ' ' <"$dir/numbers")"
# The end of the daemon is the last event, and the end of the follower.
ctl shutdown
expect_exit 0
wait "$follower"
grep -q '"kind": *"ending".*"by": *"user"' "$dir/followed2" || fail 'the end is not told'

begin 'a number of another daemon is not taken for one of this one'
ini </dev/null
start
ctl events --since 100000
status_is 0
says 'the daemon was started again'
says 'bayd begun'
kill -TERM "$bayd"
expect_exit 0

# 33 times 64 that are asked to stop are more events than are kept.
begin 'who comes back too late is told what he has lost'
plugin actor
names=$(seq -f 'actor%g' 64)
for name in $names; do printf '[service %s]\nplugin = actor\nenabled = no\n' "$name"; done | ini
start
first=$(newest)
round=0
while [ "$round" -lt 33 ]; do
	# shellcheck disable=SC2086 # a list of names
	ctl_quiet stop $names >/dev/null || fail 'no stop'
	round=$((round + 1))
done
ctl events --since "$first" --json
status_is 0
lost=$(head -n 1 "$dir/out" | grep -o '"count": *[0-9]*' | grep -o '[0-9]*$')
next=$(sed -n 2p "$dir/out" | grep -o '"number": *[0-9]*' | grep -o '[0-9]*$')
[ "$((first + lost + 1))" -eq "$next" ] || fail "lost $lost behind $first, then $next"
[ "$(tail -n +2 "$dir/out" | wc -l)" -eq 2048 ] || fail 'not as many as are kept'
ctl events --since "$first"
says "($lost events are lost here"
stop

finish
