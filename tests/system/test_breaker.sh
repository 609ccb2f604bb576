#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Calls to a service that fails are refused for a time, and what it dies of is not sent again too often.
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"

has_event() { ctl_quiet events -n 200 --json | grep -q "\"kind\": *\"$1\""; }
breaker_is() { ctl_quiet status there --json | grep -q "\"breakers\":\[.*\"state\":\"$1\""; }
is_closed() { ctl_quiet status there --json | grep -q '"breakers":\[\]'; }
figure() { ctl_quiet stats there --json | grep -o "\"$1\":[0-9]*" | grep -o '[0-9]*$'; }

# reply_is TEXT: of the last call.
reply_is() {
	status_is 0
	[ "$(cat "$dir/out")" = "$1" ] || fail "the reply is not '$1'"
}

# fails N CALLER ORDER: N calls that fail.
fails() {
	count=$1
	while [ "$count" -gt 0 ]; do
		ctl call "$2" "$3"
		status_is 1
		count=$((count - 1))
	done
}

# here and near are in cell main, there in another one. Four calls are enough, whenever they were.
two_cells() {
	begin "$1"
	plugin links
	ini <<-END
	[cell risky]
	[service here]
	plugin = links
	[service near]
	plugin = links
	breaker = 50%
	breaker_calls = 4
	breaker_window = 1h
	breaker_delay = 1h
	[service there]
	plugin = links
	cell = risky
	restart_delay = 1ms
	start_limit = 100/1h
	breaker = ${3-50%}
	breaker_calls = 4
	breaker_window = 1h
	${2-}
	END
	start
}

two_cells 'calls to a service of another cell are refused when half of them fail' 'breaker_delay = 1h'
# What the caller did wrong is no failure of the service.
fails 4 here 'call there fail it is not for you'
fails 3 here 'call there break of it'
is_closed || fail 'three of seven are enough'
fails 1 here 'call there break of it'
breaker_is open || fail 'four of eight are not enough'
ctl call here 'call there note'
status_is 1
complains 'calls to service there are refused, since 50% of 8 calls failed (breaker = 50%): next try in'
complains '[breaker-open]'
ctl call there count
reply_is 0
# Each cell has seen what it has seen, and nobody waits for what goes one way.
ctl call there 'echo here you are'
reply_is 'here you are'
ctl call here 'send there note'
reply_is sent
ctl status there
says 'health: degraded: its breaker in cell main is open: 50% of 8 calls failed'
says 'breaker: open in cell main: 50% of 8 calls failed, next try in'
says '1 by a breaker'
ctl list
says 'its breaker in cell main is open'
ctl is-ready there
status_is 0
logs 'in cell main: 50% of 8 calls failed (breaker = 50%), next try in'
has_event breaker-open || fail 'there is no event'
[ "$(figure breaker_refused)" = 1 ] || fail "$(figure breaker_refused) were refused"
[ "$(figure breaker_opened)" = 1 ] || fail "it has opened $(figure breaker_opened) times"
ctl stats --openmetrics
says 'bay_service_breaker_refused_total{service="there"} 1'
ctl reset there
status_is 0
wait_until 'it is closed' is_closed
wait_until 'it is an event' has_event breaker-closed
ctl call here 'call there echo again'
reply_is again
stop

two_cells 'after a while some calls are let through, and decide' 'breaker_delay = 1ms
breaker_trials = 1'
fails 4 here 'call there break of it'
has_broken() {
	ctl_quiet call here 'call there break again' >/dev/null
	opened=$(figure breaker_opened)
	[ "${opened:-0}" -ge "$1" ]
}
wait_until 'the trial fails' has_broken 2
has_event breaker-half-open || fail 'there is no event'
is_served() { [ "$(ctl_quiet call here 'call there echo well')" = well ]; }
wait_until 'the trial does well' is_served
is_closed || fail 'it is not closed'
ctl call here 'call there echo and on'
reply_is 'and on'
stop

two_cells 'so it is with one of the same cell, whoever calls' 'breaker_delay = 1h'
fails 2 here 'call near break of it'
fails 2 near 'break of it'
ctl call here 'call near echo x'
status_is 1
complains 'calls to service near are refused, since 100% of 4 calls failed'
ctl call near 'echo x'
status_is 1
complains '[breaker-open]'
ctl call here 'call there echo another'
reply_is another
stop

two_cells 'one that is too slow has failed' 'breaker_delay = 1h'
fails 4 here 'within 20 there hang'
breaker_is open || fail 'its callers wait'
ctl call here 'call there echo x'
status_is 1
complains 'calls to service there are refused, since 100% of 4 calls failed'
stop

two_cells 'so has one that dies' 'breaker_delay = 1h'
fails 4 here 'call there crash'
breaker_is open || fail 'its callers make it die again'
ctl call here 'call there echo x'
status_is 1
complains 'calls to service there are refused, since 100% of 4 calls failed'
stop

two_cells 'what is refused can be changed while it runs' 'breaker_delay = 1h'
fails 4 here 'call there break of it'
breaker_is open || fail 'it is not open'
ctl set there.breaker no
status_is 0
wait_until 'it is closed' is_closed
fails 8 here 'call there break of it'
is_closed || fail 'it is off and opens'
ctl set there.breaker_calls 2
ctl set there.breaker 90%
status_is 0
fails 2 here 'call there break of it'
breaker_is open || fail 'it is on and does not open'
ctl show there breaker
says '90%'
ctl set there.breaker 101%
status_is 5
complains 'wants no, or a percentage from 1% to 100%'
stop

two_cells 'a service that dies gets no more again than its budget' 'retry = 1
retry_budget = 50%
retry_budget_min = 0' no
ctl call here "call there crash-once $dir/mark"
status_is 1
complains 'it is not sent again: 0 of 1 requests were in the last 10 s (retry_budget = 50%) [retry-budget]'
[ "$(figure retries_refused)" = 1 ] || fail 'it was not counted'
ctl set there.retry_budget 1000%
status_is 0
ctl call here "call there crash-once $dir/mark-2"
reply_is twice
ctl set there.retry_budget no
status_is 0
ctl call here "call there crash-once $dir/mark-3"
reply_is twice
[ "$(figure retries)" = 2 ] || fail "$(figure retries) were sent again"
ctl set there.retry_budget 1%
ctl set there.retry_budget_min 1
ctl call here "call there crash-once $dir/mark-4"
reply_is twice
ctl status there
says 'sent again: 3, and 1 not, the retry budget being spent'
stop

finish
