#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Services that require, want or are after others: whatever starts or stops them, they take their
# turn; and a configuration in which they cannot is refused.
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"

# section NAME [KEY=VALUE...]: of a service of the plugin turns, which writes its steps down.
section() {
	printf '[service %s]\nplugin = turns\njournal = %s\n' "$1" "$dir/journal"
	shift
	[ $# -eq 0 ] || printf '%s\n' "$@"
}

# ini: nothing is taken before it is asked for.
ini() {
	{
		printf '[container]\nloops = 2\nlog_level = debug\nwatch = no\n'
		cat
	} >"$dir/.new.ini" && mv "$dir/.new.ini" "$dir/bay.ini"
	: >"$dir/journal"
	plugin turns
}

# journal_is LINE...: all that has been written down since the last time.
journal_is() {
	printf '%s\n' "$@" | diff - "$dir/journal" >&2 || fail 'other steps'
	: >"$dir/journal"
}

nothing_is_written() { [ ! -s "$dir/journal" ] || fail "steps: $(cat "$dir/journal")"; }
has_written() { grep -qx "$1" "$dir/journal"; }
# are_state STATE SERVICE...
are_state() {
	state=$1
	shift
	for service in "$@"; do
		is_state "$service" "$state" || fail "$service is $(state_of "$service"), not $state"
	done
}

has_stopped() { is_state "$1" stopped; }
waits_for() { ctl_quiet status "$1" --json | tr -d '\n' | grep -q "\"waits_for\": *\[ *\"$2\" *\]"; }
is_in_flight() { [ "$(field_of "$1" in_flight)" = 1 ]; }
since_of() { ctl_quiet status "$1" --json | grep -o '"since_wall_ns": *[0-9]*'; }
is_not_ready() { [ "$(state_of_bayd)" != ready ] || fail 'the daemon is ready too early'; }

# --- start -------------------------------------------------------------------------------

begin 'a service starts when those that it requires, wants or is after are ready'
{
	section web 'requires = db' 'wants = cache' 'after = log'
	section log "gate = $dir/gate-log"
	section cache "gate = $dir/gate-cache"
	section db "gate = $dir/gate-db" 'enabled = no'
} | ini
launch
# Those that follow nobody begin at the same time: none of the gates is open.
wait_until 'the three have begun' eval 'has_written "init log" && has_written "init cache" &&
	has_written "init db"'
! has_written 'init web' || fail 'web has begun'
touch "$dir/gate-db" "$dir/gate-log"
wait_until 'only cache is waited for' waits_for web cache
ctl list
says 'waits for cache'
ctl status web
says 'web: starting'
says 'waits for cache'
says 'requires: db'
! has_written 'init web' || fail 'web has begun'
is_not_ready
touch "$dir/gate-cache"
wait_until 'the daemon is ready' is_ready_or_gone
[ "$(tail -n 2 "$dir/journal" | tr '\n' ' ')" = 'init web ready web ' ] || fail 'web was not last'
ctl blame web
says 'web: ready at '
says '  cache: ready at '
ctl blame
grep -q '^web .* cache$' "$dir/out" || fail 'web did not wait for cache'
ctl deps
says 'web: ready'
says '  requires db: ready'
says '  wants cache: ready'
says '  after log: ready'
ctl deps db
says 'named by web: ready (requires)'
: >"$dir/journal"
kill -TERM "$bayd"
expect_exit 0
[ "$(head -n 1 "$dir/journal")" = 'stop web' ] || fail 'web was not the first to stop'
[ "$(wc -l <"$dir/journal")" -eq 4 ] || fail 'not all have stopped'

begin 'the end of a chain is stopped first, and can call the others until then'
{
	section a
	section b 'requires = a' 'calls = a'
	section c 'after = b' 'calls = b'
} | ini
start
journal_is 'init a' 'ready a' 'init b' 'ready b' 'init c' 'ready c'
kill -TERM "$bayd"
expect_exit 0
journal_is 'stop c: called b' 'stop b: called a' 'stop a'

# --- failures ----------------------------------------------------------------------------

begin 'a service whose required one fails is not started, until that is ready'
{
	section c 'requires = b'
	section b 'requires = a'
	section w 'wants = a'
	section o 'after = a'
	section a "refuse = $dir/refuse" 'restart = no'
} | ini
touch "$dir/refuse"
start
are_state failed a b c
are_state ready w o
! has_written 'init b' || fail 'b has begun'
ctl status b
says 'it requires a, which has failed: init failed: it was told to refuse [service-requires]'
ctl status c
says 'it requires b, which has failed: it requires a'
ctl start c
status_is 1
complains 'it requires b, which has failed: it requires a'
ctl explain service-requires
status_is 0
rm "$dir/refuse"
: >"$dir/journal"
ctl start a
status_is 0
wait_until 'the others follow' is_state c ready
journal_is 'init a' 'ready a' 'init b' 'ready b' 'init c' 'ready c'
stop

begin 'a service that is tried again brings those along that require it'
{
	section a "refuse = $dir/refuse" 'restart_delay = 20ms' 'start_limit = 1000/1m'
	section b 'requires = a'
} | ini
touch "$dir/refuse"
start
is_state b failed || fail "b is $(state_of b)"
ctl stop b
rm "$dir/refuse"
wait_until 'a is ready' is_state a ready
has_stopped b || fail 'b was started, and somebody had stopped it'
ctl start b
status_is 0
stop

# --- by hand ------------------------------------------------------------------------------

begin 'a start by hand brings along what is needed, a stop what requires it'
{
	section a 'enabled = no'
	section b 'requires = a' 'enabled = no'
	section c 'requires = b' 'enabled = no'
	section d 'wants = a' 'enabled = no'
} | ini
start
nothing_is_written
ctl start c
status_is 0
says 'c: ready'
says 'with it: a, b'
journal_is 'init a' 'ready a' 'init b' 'ready b' 'init c' 'ready c'
ctl start d
status_is 0
! grep -q 'with it' "$dir/out" || fail 'a runs already'
: >"$dir/journal"
ctl stop a
status_is 0
says 'with it: b, c'
journal_is 'stop c' 'stop b' 'stop a'
is_state d ready || fail 'd only wants it'
ctl events b
says 'to stop it with a'
ctl start a
status_is 0
has_stopped b || fail 'b was started'
ctl start c --json
grep -q '"also": *\[' "$dir/out" || fail 'the reply does not tell'
stop

begin 'a restart takes those with it that require it'
{
	section a
	section b 'requires = a'
	section w 'wants = a'
} | ini
start
since=$(since_of w)
: >"$dir/journal"
ctl restart a
status_is 0
says 'with it: b'
wait_until 'b is there again' has_written 'ready b'
journal_is 'stop b' 'stop a' 'init a' 'ready a' 'init b' 'ready b'
[ "$(since_of w)" = "$since" ] || fail 'w was restarted'
ctl reload a
status_is 0
nothing_is_written
stop

begin 'a stop waits for one that does not end, and says so'
{
	section a
	printf '[service busy]\nplugin = actor\nrequires = a\ndrain_timeout = 1ms\n'
} | ini
plugin actor
start
ctl_behind stayed call busy "stay-until $dir/end"
stayed=$call
wait_until 'the call is under way' is_in_flight busy
ctl stop a
status_is 1
complains 'it stops after busy, which does not end'
is_state a ready || fail "a is $(state_of a)"
ctl list
says 'stops after busy'
touch "$dir/end"
wait "$stayed"
ctl stop busy
wait_until 'a stops by itself' has_stopped a
stop

# --- the end of a cell -------------------------------------------------------------------------

begin 'the next cell starts them in their order'
{
	section a "gate = $dir/gate"
	section b 'requires = a'
} | ini
touch "$dir/gate"
start
: >"$dir/journal"
rm "$dir/gate"
kill -KILL "$(cell_pid)"
wait_until 'a begins' has_written 'init a'
wait_until 'b waits' waits_for b a
! has_written 'init b' || fail 'b has begun'
touch "$dir/gate"
wait_until 'b is ready' has_written 'ready b'
journal_is 'init a' 'ready a' 'init b' 'ready b'
stop

# --- configuration -----------------------------------------------------------------------------

begin 'a circle, an unknown name and a service that waits for itself are refused'
{
	section a 'requires = b'
	section b 'after = c'
	section c 'wants = a'
	section d 'after = aa, d'
} | ini
check
status_is 5
complains 'bay.ini:8: requires = b: services wait for each other: a -> b -> c -> a [config-order]'
complains 'bay.ini:20: after = aa, d: there is no [service aa]; did you mean'
complains 'bay.ini:20: after = aa, d: a service does not wait for itself [config-order]'

begin 'bayd -t examines what is started for others'
{
	section a 'requires = b'
	printf '[service b]\nenabled = no\nplugin = nowhere\n'
} | ini
check
status_is 5
complains 'nowhere'

begin 'a circle in a reload leaves all as it was'
{
	section a
	section b 'after = a'
} | ini
start
since=$(since_of a)$(since_of b)
{
	section a 'after = b'
	section b 'after = a'
	section c
} | ini
ctl reload
status_is 5
complains 'services wait for each other: a -> b -> a'
ctl set a.requires b
status_is 5
complains 'services wait for each other: a -> b -> a'
ctl set a.requires nobody
status_is 5
complains 'there is no [service nobody]'
[ "$(since_of a)$(since_of b)" = "$since" ] || fail 'they were restarted'
ctl show a after
grep -q '^after *- ' "$dir/out" || fail 'it has another value'
ctl status c
status_is 4
stop
journal_is 'stop b' 'stop a'

begin 'the keys change live, and count from the next stop on'
{
	section a
	section b
} | ini
start
since=$(since_of a)$(since_of b)
{
	section a
	section b 'requires = a' 'calls = a'
} | sed '/calls/d' | ini
ctl reload --dry-run
says '~ b.requires: "" -> a'
ctl reload
status_is 0
says '~ b.requires: "" -> a'
[ "$(since_of a)$(since_of b)" = "$since" ] || fail 'they were restarted'
ctl set b.after a
status_is 0
ctl stop a
says 'with it: b'
journal_is 'stop b' 'stop a'
stop

begin 'a reload starts what new services need, and undoes that when one of them fails'
{
	section a 'enabled = no'
} | ini
start
{
	section c 'requires = b' "refuse = $dir/refuse"
	section b 'requires = a'
	section a 'enabled = no'
} | ini
touch "$dir/refuse"
ctl reload
status_is 10
complains 'it was told to refuse'
ctl status b
status_is 4
has_stopped a || fail "a is $(state_of a)"
journal_is 'init a' 'ready a' 'init b' 'ready b' 'init c' 'stop b' 'stop a'
rm "$dir/refuse"
ctl reload
status_is 0
journal_is 'init a' 'ready a' 'init b' 'ready b' 'init c' 'ready c'
# What is removed together ends in its order, too.
{
	section a 'enabled = no'
} | ini
ctl reload
status_is 0
journal_is 'stop c' 'stop b'
stop

begin 'a reload does without what is only wanted'
section a | ini
start
{
	section a
	section b 'wants = w'
	section w 'enabled = no' "refuse = $dir/refuse" 'restart = no'
} | ini
touch "$dir/refuse"
ctl reload
status_is 0
are_state ready b
are_state failed w
journal_is 'init w' 'init b' 'ready b'
stop

begin 'what listens ends before others begin, and after those that follow it'
{
	printf '[service a]\nplugin = listens\naddress = unix:a.sock\n'
	section b 'requires = a'
	section c 'after = b'
} | ini
plugin listens
start
wait_until 'a listens' eval 'ctl_quiet status a | grep -q a.sock'
printf '[service d]\nplugin = listens\naddress = unix:a.sock\n' | ini
ctl reload
status_is 0
journal_is 'stop c' 'stop b'
wait_until 'd listens' eval 'ctl_quiet status d | grep -q a.sock'
ctl_quiet events -n 100 >"$dir/out"
[ "$(grep -o '[a-d] \(stopped\|started\)' "$dir/out" | tail -n 4 | tr '\n' ',')" = \
	'c stopped,b stopped,a stopped,d started,' ] || fail 'another order'
stop

begin 'enable and disable take others with them'
{
	section a 'enabled = no'
	section b 'requires = a' 'enabled = no'
} | ini
start
ctl enable b
status_is 0
journal_is 'init a' 'ready a' 'init b' 'ready b'
ctl enable a
ctl disable a
status_is 0
journal_is 'stop b' 'stop a'
has_stopped b || fail "b is $(state_of b)"
stop

begin 'a reload that is undone brings those back that it stopped with another'
{
	section a
	section b 'requires = a'
	section c
} | ini
plugin actor
start
{
	section a 'enabled = no'
	section b 'requires = a'
	section c
	printf '[service d]\nplugin = actor\ninit = fail\n'
} | ini
plugin actor
ctl reload
status_is 10
are_state ready a b
stop

finish
