#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"
built_plugins=$(cd ../plugins && pwd)

now_ms() { echo $(($(date +%s%N) / 1000000)); }
sleeps() { [ "$(field_of "$1" in_flight)" = 1 ]; }

begin 'it sleeps as long as it is told, and no longer than anybody wants'
plugin sleeper
ini <<'END'
[service nap]
plugin = sleeper
delay = 300ms
text = good morning

[service winter]
plugin = sleeper
delay = 90d
END
start
begun=$(now_ms)
ctl call nap
status_is 0
says 'good morning'
[ $(($(now_ms) - begun)) -ge 300 ] || fail 'it slept too short'

ctl call --timeout 50ms winter
status_is 8

case='who stops it while it sleeps tells the caller why'
ctl_behind asleep call winter
wait_until 'it sleeps' sleeps winter
ctl stop --now winter
status_is 0
wait "$call"
status=$?
status_is 1
grep -q 'woken before the time: service winter is stopping' "$dir/asleep" ||
	fail "the caller was told: $(cat "$dir/asleep")"
stop

begin 'a setting that makes no sense is refused with its line'
plugin sleeper
ini <<'END'
[service nap]
plugin = sleeper
delay = soon
END
check
status_is 5
complains 'bay.ini:6: '
complains delay

finish
