#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What a monitoring system is given keeps the rules of its format, by our own reading of them and
# by that of promtool.
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"

busy_container() {
	plugin loads
	plugin actor
	ini <<END
[service loads]
[service actor]
concurrency = 1
[cell other]
[service away]
plugin = actor
cell = other
[service broken]
plugin = actor
init = fail
restart = no
END
	launch
	wait_until 'the services run' eval '[ "$(state_of away)" = ready ] && [ "$(state_of broken)" = failed ]'
	for order in 'echo a' 'fail b' 'sleep 1000000'; do
		ctl call actor "$order"
	done
	ctl call loads 'hold 1000'
	ctl call actor 'echo many' --repeat 300
}

begin 'both forms keep their rules'
busy_container
ctl stats --openmetrics
status_is 0
says '# EOF'
says 'bay_service_memory_bytes{service="loads"} 1000'
says 'bay_service_failed_total{service="actor"} 1'
says 'bay_service_ready{service="broken"} 0'
says 'bay_loop_lag_seconds_bucket{cell="other",loop="1",le="+Inf"} '
support/check_metrics <"$dir/out" 2>"$dir/err" || fail "it says: $(cat "$dir/err")"
cp "$dir/out" "$work/openmetrics"
ctl stats actor --openmetrics
support/check_metrics <"$dir/out" 2>"$dir/err" || fail "of one service: $(cat "$dir/err")"
ctl stats --prometheus
status_is 0
says '# TYPE bay_service_calls_total counter'
support/check_metrics typed <"$dir/out" 2>"$dir/err" || fail "it says: $(cat "$dir/err")"
cp "$dir/out" "$work/prometheus"
ctl stats --openmetrics --json
status_is 2
stop

begin 'promtool has nothing to say'
if command -v promtool >/dev/null; then
	for form in openmetrics prometheus; do
		promtool check metrics <"$work/$form" >"$dir/out" 2>"$dir/err" || fail "of $form"
		[ ! -s "$dir/err" ] || fail "of $form: $(cat "$dir/err")"
	done
else
	echo 'SKIP: there is no promtool here'
fi

finish
