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

finish
