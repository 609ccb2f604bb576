#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Services of a group are started again together, by its strategy.
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"

# group STRATEGY KEYS...: services a, b and c, each with the keys. What a test changes it reloads itself.
group() {
	strategy=$1
	shift
	plugin actor
	{
		echo 'watch = no'
		for service in a b c; do
			printf '[service %s]\nplugin = actor\ngroup = team\n' "$service"
			[ $# -eq 0 ] || printf '%s\n' "$@"
		done
		printf '[group team]\nstrategy = %s\n' "$strategy"
	} | ini
}

restarts() { echo "$(field_of a restarts) $(field_of b restarts) $(field_of c restarts)"; }
states() { echo "$(state_of a) $(state_of b) $(state_of c)"; }
have_restarted() { [ "$(restarts)" = "$1" ] && [ "$(states)" = 'ready ready ready' ]; }
are() { [ "$(states)" = "$1" ]; }
# The order in which they became ready, the last time.
order() { grep -o 'master info service [abc]: ready' "$dir/bayd.err" | tail -n "$1" | cut -c 21 | tr -d '\n'; }

begin 'one-for-one starts nobody but the one that failed'
group one-for-one 'restart_delay = 10ms'
start
ctl status b
says 'group: team (one-for-one): a, b, c'
ctl call b give-up
wait_until 'b is back' have_restarted '0 1 0'
stop

begin 'one-for-all starts all of them again, one after the other'
group one-for-all 'restart_delay = 10ms'
start
[ "$(order 3)" = abc ] || fail "they started as $(order 3)"
ctl call b give-up
wait_until 'all have been started again' have_restarted '1 1 1'
[ "$(order 3)" = abc ] || fail "they started as $(order 3)"
says_stopped() { grep -o 'master info service [ac]: stopped' "$dir/bayd.err" | cut -c 21 | tr -d '\n'; }
[ "$(says_stopped)" = ca ] || fail "they stopped as $(says_stopped)"
ctl events
says 'to restart it with b of its group team, which has failed'
stop

begin 'at the end of the daemon those that started last stop first'
for strategy in one-for-all rest-for-one; do
	group $strategy 'isolate = yes'
	start
	stop
	stops=$(grep -o 'master info service [abc]: stopped' "$dir/bayd.err" | cut -c 21 | tr -d '\n')
	case $stops in
	cb*) ;;
	*) fail "with $strategy they stopped as $stops" ;;
	esac
done

begin 'who fails on probation takes the group along'
group one-for-all 'probation = 1h' 'restart_delay = 10ms'
start
{ cat "$dir/plugins/actor.so" && echo other; } >"$dir/plugins/.new"
mv "$dir/plugins/.new" "$dir/plugins/actor.so"
ctl reload b
status_is 0
[ "$(restarts)" = '0 0 0' ] || fail "restarts: $(restarts)"
ctl call b give-up
wait_until 'the others have been started again' eval '[ "$(field_of a restarts) $(field_of c restarts)" = "1 1" ]'
wait_until 'all are ready' are 'ready ready ready'
logs 'is rolled back to generation 1'
[ "$(order 3)" = abc ] || fail "they started as $(order 3)"
stop

begin 'rest-for-one starts those behind it again'
group rest-for-one 'restart_delay = 10ms'
start
ctl call b give-up
wait_until 'two have been started again' have_restarted '0 1 1'
[ "$(order 2)" = bc ] || fail "they started as $(order 2)"
ctl call a give-up
wait_until 'all have been started again' have_restarted '1 2 2'
ctl call c give-up
wait_until 'one has been started again' have_restarted '1 2 3'
stop

begin 'it is the same over cells, whose processes stay'
group one-for-all 'restart_delay = 10ms' 'isolate = yes'
start
cells() { ctl_quiet info --json | tr -d '\n' | grep -o '"name": *"[ac]", *"pid": *[0-9]*'; }
before=$(cells)
[ -n "$before" ] || fail 'no cells'
ctl call b crash
wait_until 'all have been started again' have_restarted '1 1 1'
[ "$(order 3)" = abc ] || fail "they started as $(order 3)"
[ "$(cells)" = "$before" ] || fail 'another cell was replaced'
stop

begin 'a crash in a cell that all share is one of all, too'
group rest-for-one 'restart_delay = 10ms'
start
ctl call b crash
wait_until 'all have been started again' are 'ready ready ready'
[ "$(order 3)" = abc ] || fail "they started as $(order 3)"
stop

begin 'while one waits for its next try the others have failed, and a start by hand brings all'
group one-for-all 'restart_delay = 1h'
start
ctl call c give-up
wait_until 'all have failed' are 'failed failed failed'
ctl status a
says 'reason: c of its group team has failed: it gave up'
says '[service-group]'
ctl start c
status_is 0
wait_until 'all are back' are 'ready ready ready'
[ "$(order 3)" = abc ] || fail "they started as $(order 3)"
stop

begin 'one that is given up takes the others with it, until it is started or stopped by hand'
group one-for-all 'start_limit = 1/1m'
start
ctl call a give-up
wait_until 'all have failed' are 'failed failed failed'
logs 'service a: failed: it gave up; given up after 1 failures'
ctl start a
wait_until 'all are back' are 'ready ready ready'
ctl call a give-up
wait_until 'all have failed' are 'failed failed failed'
ctl stop a
wait_until 'the others go on without' are 'stopped ready ready'
stop

begin 'one that is not to be started again is nothing to the others'
group one-for-all 'restart = no'
start
ctl call b give-up
wait_until 'it has failed' are 'ready failed ready'
[ "$(restarts)" = '0 0 0' ] || fail "restarts: $(restarts)"
ctl stop b
ctl stop a
ctl start a
status_is 0
are 'ready stopped ready' || fail "they are $(states)"
stop

begin 'the keys of the order come before that of the files'
group one-for-all 'restart_delay = 10ms'
sed -i 's/^\[service a\]$/&\nafter = c/' "$dir/bay.ini"
start
ctl status a
says 'group: team (one-for-all): c, a, b'
[ "$(order 3)" = cab ] || fail "they started as $(order 3)"
ctl call a give-up
wait_until 'all have been started again' have_restarted '1 1 1'
[ "$(order 3)" = cab ] || fail "they started as $(order 3)"
stop

begin 'the strategy is live, and a group that is not there is an error'
group one-for-one 'restart_delay = 10ms'
start
sed -i 's/^strategy = .*/strategy = one-for-all/' "$dir/bay.ini"
ctl diff
says 'group team.strategy: one-for-one -> one-for-all'
ctl reload
status_is 0
[ "$(restarts)" = '0 0 0' ] || fail "restarts: $(restarts)"
ctl show group.team strategy
says one-for-all
ctl status a --json
says '"strategy":"one-for-all"'
ctl call a give-up
wait_until 'all have been started again' have_restarted '1 1 1'
sed -i '0,/^group = team/s//group = tea/' "$dir/bay.ini"
ctl reload
status_is 5
complains "group = 'tea': there is no such [group NAME]; did you mean 'team'? [config-group]"
stop

finish
