#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Services of several cells that wait for each other are told by themselves, all that are in the circle and
# nobody else, and no more when that is over. FAULTS=100 does it so often.
# shellcheck source=tests/system/deadlocks.sh
. "${srcdir:-$(dirname "$0")/..}/system/deadlocks.sh"

times=${FAULTS-2}

# three_cells TEXT [INI]: here in main, there and alone in cells of their own; each handles one request
# at a time.
three_cells() {
	begin "$1"
	plugin links
	ini <<-END
	[service here]
	plugin = links
	concurrency = 1
	timeout = 0
	[service there]
	plugin = links
	concurrency = 1
	timeout = 0
	isolate = yes
	[service alone]
	plugin = links
	concurrency = 1
	timeout = 0
	isolate = yes
	${2-}
	END
	start
}

three_cells "services of two cells that wait for each other are told, until one of them gives up, $times times"
i=0
while [ "$i" -lt "$times" ]; do
	i=$((i + 1))
	circle here there
	are_told "$i" here there
	# The other call ends well by that.
	case $((i % 2)) in
	1) given_up=here other=there ;;
	0) given_up=there other=here ;;
	esac
	give_up $given_up
	gets $other x
	are_well_again "$i" here there
done
for service in here there; do
	ctl events -n 2000 "$service"
	for word in 'task [0-9]* handle (here) in cell main' 'task [0-9]* handle (there) in cell there'; do
		[ "$(grep -c " fault[ ,].*deadlock: .*$word.*\[service-deadlock\]" "$dir/out")" -eq "$times" ] ||
			fail "$service: not $times times: $word"
	done
	[ "$(grep -c ' fault-over[ ,]' "$dir/out")" -eq "$times" ] || fail "$service: it is not over $times times"
	[ "$(field_of "$service" restarts)" -eq 0 ] || fail "$service was restarted"
done
[ "$times" -lt 10 ] || echo "  deadlock of two cells: reported $i of $times times"
stop

three_cells 'who is in it is not well for all who ask, and who only waits for it is'
circle here there
are_told 1 here there
call_to alone 'call here echo x'
wait_until 'it waits, too' in_flight alone 1
for service in here there; do
	ctl is-ready "$service"
	status_is 3
	ctl status "$service"
	says 'health: unhealthy: deadlock: task '
done
ctl list
[ "$(grep -c '^\(here\|there\) .* unhealthy .*deadlock: task ' "$dir/out")" -eq 2 ] || fail 'the list does not say so'
is_healthy alone || fail 'who only waits is not well'
give_up there
gets here x
gets alone x
are_well_again 1 here there
for service in here there; do
	ctl is-ready "$service"
	status_is 0
done
[ "$(faults_of alone)" -eq 0 ] || fail 'who only waited was told'
stop

three_cells 'three cells in a circle are told'
circle here there alone
are_told 1 here there alone
ctl events alone
for word in 'handle (here) in cell main' 'handle (there) in cell there' 'handle (alone) in cell alone'; do
	grep -q " fault[ ,].*deadlock: .*$word" "$dir/out" || fail "not in the circle: $word"
done
give_up there
gets here x
gets alone x
are_well_again 1 here there alone
stop

three_cells 'who waits for a handler that only takes long is not told, and keeps nothing up' '[service slow]
plugin = links
isolate = yes
timeout = 0
[service patient]
plugin = links
isolate = yes
timeout = 0'
for service in patient alone; do
	call_to $service "call slow hang-until $dir/done"
done
wait_until 'both are with it' in_flight slow 2
# They stand still for longer than those, and still do when that is over.
circle here there
are_told 1 here there
give_up here
gets there x
are_well_again 1 here there
for service in slow patient alone; do
	[ "$(faults_of $service)" -eq 0 ] || fail "$service is told"
	is_healthy $service || fail "$service is not well"
done
: >"$dir/done"
gets patient free
gets alone free
stop

three_cells 'a cell that dies ends its part of it'
circle here there
are_told 1 here there
kill -KILL "$(cell_is there pid)"
ends there here
wait_until 'here is well again' is_over here 1
wait_until 'there serves again' is_healthy there
ctl call here 'call there echo again'
says again
[ "$(faults_of there)" -eq 1 ] || fail 'it is told again'
stop

three_cells 'one that is restarted has no part in it any more'
circle here there
are_told 1 here there
ctl restart there
status_is 0
ends there here
wait_until 'here is well again' is_over here 1
is_healthy there || fail 'there is not well'
stop

three_cells 'a cell that answers to nothing holds up nothing' '[service patient]
plugin = links
isolate = yes
timeout = 0'
call_to patient 'call alone hang'
wait_until 'it waits for another cell' in_flight alone 1
for i in 1 2 3; do
	circle here there
	are_told "$i" here there
	# It has stood for longer than these.
	[ "$i" -gt 1 ] || kill -STOP "$(cell_is patient pid)"
	give_up here
	gets there x
	are_well_again "$i" here there
done
kill -CONT "$(cell_is patient pid)"
[ "$(faults_of patient)" -eq 0 ] || fail 'it is told itself'
give_up patient
stop

finish
