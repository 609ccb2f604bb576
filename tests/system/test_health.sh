#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# How services are is one word: what their plugins say, and what can be seen from outside.
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"

is_health() { [ "$(field_of "$1" health)" = "$2" ]; }
has_event() { ctl_quiet events --json | grep -q "\"kind\": *\"$1\""; }

begin 'what a plugin says of itself is shown, is an event, and makes it unready'
plugin ails
ini <<'END'
[service ails]
health_interval = 10ms
END
start
ctl is-ready ails
status_is 0
is_health ails healthy || fail "it is $(field_of ails health)"
ctl status ails
says 'health: healthy'
ctl list
! grep -q HEALTH "$dir/out" || fail 'all are well, and the list has a column for it'
ctl call ails 'sick my disk is full'
wait_until 'it is not well' is_health ails unhealthy
ctl status ails
says 'health: unhealthy: my disk is full'
ctl list
says HEALTH
says unhealthy
says 'my disk is full'
ctl list --json
says '"health_reason":"my disk is full"'
ctl is-ready ails
status_is 3
says unhealthy
ctl is-ready ails --json
status_is 3
says '"state":"unhealthy"'
ctl is-active ails
status_is 0
says ready
logs 'service ails: unhealthy: my disk is full [service-health]'
has_event unhealthy || fail 'there is no event'
ctl call ails well
status_is 0
wait_until 'it is well again' is_health ails healthy
ctl is-ready ails
status_is 0
has_event healthy || fail 'there is no event'
# Nothing else followed from it.
[ "$(field_of ails restarts)" = 0 ] || fail 'it was restarted'
stop

begin 'a health function that does not answer is told, and ends with its service'
plugin ails
ini <<'END'
[service ails]
health_interval = 10ms
health_timeout = 10ms
END
start
for order in wait stay; do
	ctl call ails "$order"
	wait_until 'it is not well' is_health ails unhealthy
	ctl status ails
	says 'health: unhealthy: health did not end within health_timeout = 10ms'
	ctl call ails well
	wait_until 'it is well again' is_health ails healthy
done
ctl call ails wait
ctl stop ails
status_is 0
is_health ails down || fail "it is $(field_of ails health)"
ctl start ails
status_is 0
wait_until 'it is well again' is_health ails healthy
stop

begin 'other code speaks for itself'
plugin ails
ini <<'END'
[service ails]
health_interval = 10ms
stack = 128k
END
start
ctl call ails 'sick of it'
wait_until 'it is not well' is_health ails unhealthy
# A new generation, which has not been told anything.
sed -i 's/^stack = .*/stack = 64k/' "$dir/bay.ini"
ctl reload
status_is 0
wait_until 'the new one is well' is_health ails healthy
ctl call ails 'sick again'
wait_until 'it is not well' is_health ails unhealthy
stop

begin 'without an interval nobody is asked'
plugin ails
ini <<'END'
[service ails]
health_interval = 0
END
start
ctl call ails 'sick of it'
ctl call ails asked
[ "$(cat "$dir/out")" = 0 ] || fail "it was asked: $(cat "$dir/out")"
is_health ails healthy || fail "it is $(field_of ails health)"
stop

begin 'messages that wait for long make it degraded, and it stays ready'
plugin actor
ini <<'END'
[service actor]
concurrency = 1
health_queue = 10ms
END
start
is_health actor healthy || fail "it is $(field_of actor health)"
ctl_behind first call actor 'sleep 3600000000000'
first=$call
wait_until 'the first is under way' eval '[ "$(field_of actor in_flight)" = 1 ]'
ctl_behind second call actor 'sleep 3600000000000'
wait_until 'it is degraded' is_health actor degraded
ctl status actor
says 'health: degraded: a message has waited in its queue for'
ctl is-ready actor
status_is 0
# What is paused waits because somebody wants it to.
ctl pause actor
is_health actor healthy || fail "it is $(field_of actor health)"
ctl stop actor --now
wait "$first"
wait "$call"
stop

begin 'one that failed not long ago is degraded, until it is started by hand'
plugin actor
ini <<'END'
[service actor]
restart_delay = 1ms
[service bystander]
plugin = actor
END
start
ctl call actor crash
wait_until 'the actor serves again' eval '[ "$(ctl_quiet call actor "echo here")" = here ]'
is_health actor degraded || fail "it is $(field_of actor health)"
wait_until 'the bystander serves again' eval '[ "$(ctl_quiet call bystander "echo here")" = here ]'
is_health bystander healthy || fail 'the bystander has done nothing'
ctl status actor
says 'health: degraded: it failed'
ctl stop actor
ctl start actor
is_health actor healthy || fail "it is $(field_of actor health)"
stop

begin 'one that keeps its loop is unhealthy, whatever it would say'
plugin actor
ini <<'END'
[service actor]
[service bystander]
plugin = actor
END
start
# Long enough for it to have begun.
ctl call actor spin --timeout 1s
wait_until 'it is stuck' is_health actor unhealthy
ctl status actor
says 'health: unhealthy: its task handle has kept loop'
ctl is-ready actor
status_is 3
is_health bystander healthy || fail 'the bystander is blamed'
ctl stop actor --now
stop

finish
