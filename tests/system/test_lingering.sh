#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Code that cannot be unloaded, for every reason that there is: it stays in the cell and says why, and
# before there is too much of it the cell is replaced, without a failed call. LINGERING=N is how many
# swaps there are for each reason.
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"

swaps=${LINGERING-7}
most=2

# put PLUGIN MARK: the plugin file is this from now on, and another one than before.
put() {
	{ cat "$built_plugins/$1.so" && printf '%s' "$2"; } >"$dir/plugins/.new"
	mv "$dir/plugins/.new" "$dir/plugins/swaps.so"
}

call_from_outside() {
	while [ -e "$dir/calling" ]; do
		"$built/bayctl" -q -s "$dir/run/control.sock" call swaps 'echo hello' --repeat 100 --concurrency 8 \
			>"$dir/outside.out" 2>&1 </dev/null || cat "$dir/outside.out" >>"$dir/outside.failed"
		echo called >>"$dir/called"
	done
}

has_event() { ctl_quiet events --lines 10000 swaps | grep -qF -- "$1"; }
lingering() { ctl_quiet status swaps | grep -c ': [0-9]*: '"$1"; }
has_been_replaced() { has_logged 'cell main has ended its requests and is replaced: '; }

# lingers PLUGIN REASON
lingers() {
	begin "code stays: $2"
	put "$1" 0
	ini <<END
watch = no
max_lingering = $most
[service swaps]
instances = per-loop
probation = 0
overflow = wait
END
	start
	cell=$(cell_pid)
	: >"$dir/calling"
	call_from_outside &
	caller=$!
	n=0
	while [ $n -lt "$swaps" ]; do
		n=$((n + 1))
		put "$1" "$n"
		ctl reload swaps
		status_is 0
		# One more may be on its way out while the cell is about to be replaced.
		count=$(lingering "$2")
		[ "$count" -le $((most + 2)) ] || fail "$count linger after swap $n"
	done
	wait_until 'it is told' has_event 'swaps lingers, generation '
	has_event ": $2" || fail "not for this reason: $(ctl_quiet events swaps | grep lingers)"
	wait_until 'the cell is replaced' has_been_replaced
	rm "$dir/calling"
	wait "$caller"
	[ ! -e "$dir/outside.failed" ] || fail "calls failed: $(head -n 3 "$dir/outside.failed")"
	[ -s "$dir/called" ] || fail 'nobody called'
	[ "$(cell_pid)" != "$cell" ] || fail 'it is the same cell'
	[ "$(field_of swaps restarts)" = 0 ] || fail 'that is no restart of the service'
	[ "$(ctl_quiet call swaps version)" != '' ] || fail 'it does not serve'
	stop
}

lingers swaps_nodelete 'it is linked with -z nodelete'
lingers swaps_stays_local 'it has thread-local objects with destructors'
lingers swaps_stays_thread 'it starts threads'
lingers swaps_stays_key 'it has destructors of thread-specific data'
lingers swaps_stays_signal 'it sets signal handlers'
lingers swaps_stays_end 'it runs code at the end of the process'
lingers swaps_stays_clings 'something else in the process still uses it'

# What other swaps leave is unloaded: the counter-sample.
begin 'code that may be unloaded does not stay'
put swaps_1 0
ini <<END
watch = no
max_lingering = $most
[service swaps]
probation = 0
END
start
cell=$(cell_pid)
n=0
while [ $n -lt "$swaps" ]; do
	n=$((n + 1))
	put swaps_1 "$n"
	ctl reload swaps
	status_is 0
done
[ "$(cell_pid)" = "$cell" ] || fail 'the cell was replaced'
! has_event 'swaps lingers' || fail 'it lingers'
stop

finish
