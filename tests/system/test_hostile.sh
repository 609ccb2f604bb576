#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What a plugin does to the links of its cell is the end of those links, and of nothing else: its
# neighbours serve on, say which cell it was, and have another link to it afterwards.
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"

case $(configured SANITIZER_CFLAGS) in
*thread*) not_with_sanitizer 'what a hostile plugin does to its links is a race, and is told' ;;
esac

pid_of() { ctl_quiet info --json | grep -o "\"$1\",\"pid\":[0-9]*" | grep -o '[0-9]*$'; }

# reply_is TEXT: of the last call.
reply_is() {
	status_is 0
	[ "$(cat "$dir/out")" = "$1" ] || fail "the reply is not '$1'"
}

# victim calls hostile, and bystander, which are in other cells each.
three_cells() {
	begin "$1"
	plugin links
	plugin hostile
	ini <<-END
	[service victim]
	plugin = links
	queue = 16
	[service bystander]
	plugin = links
	isolate = yes
	[service hostile]
	isolate = yes
	retry = 3
	END
	start
	ctl call victim 'call hostile echo linked'
	reply_is linked
	ctl call victim 'call bystander call hostile echo linked'
	reply_is linked
	victims="$(pid_of main) $(pid_of bystander)"
	offender=$(pid_of hostile)
}

is_told() { ctl_quiet events -n 50 | grep 'link-broken' | grep -q 'cell hostile'; }
is_linked_anew() { [ "$(ctl_quiet call victim 'call hostile echo anew')" = anew ]; }

# Everybody is as before, and has a new link.
all_are_well() {
	ctl call victim 'call bystander echo unharmed'
	reply_is unharmed
	wait_until 'there is another link' is_linked_anew
	ctl call bystander 'call hostile echo too'
	reply_is too
	[ "$(pid_of main) $(pid_of bystander)" = "$victims" ] || fail 'a cell that did nothing has ended'
	[ "$(pid_of hostile)" = "$offender" ] || fail 'the process of the offender is another one'
	for service in victim bystander; do
		is_state $service ready || fail "$service is $(state_of $service)"
		[ "$(field_of $service restarts)" -eq 0 ] || fail "$service was restarted"
	done
}

for order in garbage zeros ones run; do
	three_cells "a neighbour that writes over its links ($order) loses them"
	ctl call hostile $order
	reply_is 2
	# It is seen when somebody looks.
	is_linked_anew
	wait_until 'it is an event' is_told
	wait_until 'a cell says so' has_logged 'the link to cell'
	all_are_well
	stop
done

three_cells 'a neighbour cannot cut the memory of its links, only clear it'
ctl call hostile truncate
status_is 0
says 'shrank 0 grew 0'
# Only root may open what is mapped.
if grep -q '^2 opened 2 ' "$dir/out"; then
	says 'holes 2'
	is_linked_anew
	wait_until 'it is an event' is_told
fi
all_are_well
stop

three_cells 'a neighbour that wakes others for nothing, without end, loses its links'
ctl call hostile wakes --timeout 1m
reply_is 2
wait_until 'it is an event' is_told
wait_until 'it is said why' has_logged 'it wakes us for nothing, again and again'
all_are_well
stop

three_cells 'a neighbour that closes its ends has another link, with an event that says so'
ctl call hostile shut
reply_is 2
wait_until 'it is an event' is_told
ctl events -n 50
says 'its end was closed, and it goes on'
all_are_well
stop

three_cells 'a neighbour that sends without end waits, or is refused'
ctl call hostile 'send 5000 victim'
status_is 0
all_are_well
! is_told || fail 'the link was broken'
stop

finish
