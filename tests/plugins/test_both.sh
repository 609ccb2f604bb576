#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"
built_plugins=$(cd ../plugins && pwd)

now_ms() { echo $(($(date +%s%N) / 1000000)); }

begin 'both are asked at once and answer in the order of the ini'
plugin both
plugin sleeper
plugin echo
plugin square
ini <<'END'
[service both]
first = slow
second = quick

[service slow]
plugin = sleeper
delay = 1200ms
text = slow done

[service quick]
plugin = sleeper
delay = 1s
text = quick done

[service same]
plugin = both
first = echo
second = echo
[service echo]

[service half]
plugin = both
first = winter
second = square
[service winter]
plugin = sleeper
delay = 90d
[service square]

[service lonely]
plugin = both
first = echo
second = nobody
END
start
# One after the other they never take less; on a busy machine it may be late at once, too.
for try in 1 2 3 4 5; do
	begun=$(now_ms)
	ctl call both
	took=$(($(now_ms) - begun))
	[ "$took" -ge 2200 ] || break
	echo "busy: try $try took $took ms"
done
status_is 0
[ "$(cat "$dir/out")" = "$(printf 'slow done\nquick done')" ] || fail 'not both, in this order'
[ "$took" -ge 1200 ] || fail "took $took ms, less than the slower one"
[ "$took" -lt 2200 ] || fail "took $took ms, as long as one after the other"

case='the request goes to both'
ctl call same 'hello'
[ "$(cat "$dir/out")" = "$(printf 'hello\nhello')" ] || fail 'not twice hello'

case='when one fails the other is not waited for'
ctl call half five
status_is 1
complains 'square wants one integer'
idle() { [ "$(field_of winter in_flight)" = 0 ]; }
wait_until 'the other one was cancelled' idle

case='a service that is not there is named'
ctl call lonely
status_is 1
complains "there is no service 'nobody'"
ctl call nobody
status_is 4
stop

begin 'what it asks has to be said'
plugin both
ini <<'END'
[service both]
first = echo
END
check
status_is 5
complains second

begin 'what it asks has to be a name'
plugin both
ini <<'END'
[service both]
first = echo
second = no name
END
start
is_state both failed || fail "is $(state_of both)"
ctl status both
says 'second = no name: no name of a service'
stop

finish
