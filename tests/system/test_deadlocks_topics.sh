#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A publisher that waits for a subscriber in another cell, which waits for it, is told by itself, with all that are
# in the circle; one whose subscriber is slow is not. FAULTS=100 does it so often.
# shellcheck source=tests/system/deadlocks.sh
. "${srcdir:-$(dirname "$0")/..}/system/deadlocks.sh"

times=${FAULTS-2}
# More than there is room for on the way.
many=2000

# cells TEXT [MORE [INI]]: pub in main and sub in a cell of its own, each with one handler. MORE is for sub.
cells() {
	begin "$1"
	plugin topics
	plugin links
	ini <<-END
	drain_timeout = 1s
	[service pub]
	plugin = topics
	concurrency = 1
	health_queue = 0s
	timeout = 0
	patterns = back
	slow = wait
	messages = 1
	reads = no
	[service sub]
	plugin = topics
	concurrency = 1
	timeout = 0
	isolate = yes
	patterns = news
	slow = wait
	messages = 1
	reads = no
	${2-}
	${3-}
	END
	start
}

is_queued() { [ "$(field_of "$1" queued)" -eq 1 ]; }
has_some() { [ "$(ctl_quiet call "$1" size)" -gt 0 ] 2>/dev/null; }

# knows PUBLISHER TOPIC SUBSCRIBER: that it is subscribed to; then nothing is on its way.
heard() {
	ctl_quiet call "$1" "publish $2 0" >>"$dir/published"
	has_some "$3"
}
knows() {
	: >"$dir/published"
	wait_until "$1 knows that there is $3" heard "$@"
	# All that was published since it did.
	while has_some "$3"; do
		ctl call "$3" 'take 1'
		pause
	done
}

# floods PUBLISHER TOPIC SUBSCRIBER: who does not read; until there is no room.
floods() {
	knows "$@"
	call_to "$1" "flood $many $2"
	wait_until "$1 publishes" has_some "$3"
}

cells "a publisher and its subscriber in another cell that wait for each other are told, $times times"
i=0
while [ "$i" -lt "$times" ]; do
	i=$((i + 1))
	floods pub news sub
	call_to sub 'call pub count'
	are_told "$i" pub sub
	give_up sub
	are_well_again "$i" pub sub
	ctl call sub "take $many"
	says taken
	gets pub "$many"
done
for service in pub sub; do
	ctl events -n 2000 "$service"
	for word in 'task [0-9]* handle (pub) in cell main' 'the way to cell sub in cell main' \
		'the subscription of sub to news in cell sub' 'task [0-9]* handle (sub) in cell sub'; do
		[ "$(grep -c " fault[ ,].*deadlock: .*$word.*\[service-deadlock\]" "$dir/out")" -eq "$times" ] ||
			fail "$service: not $times times: $word"
	done
	[ "$(grep -c ' fault-over[ ,]' "$dir/out")" -eq "$times" ] || fail "$service: it is not over $times times"
done
[ "$times" -lt 10 ] || echo "  deadlock of a publisher and a subscriber of two cells: reported $i of $times times"
stop

cells 'two that publish for each other are told, and whoever asks for the tasks sees it'
knows sub back pub
floods pub news sub
call_to sub "flood $many back"
are_told 1 pub sub
ctl tasks
for word in 'deadlock: .*the way to cell sub in cell main' 'deadlock: .*the way to cell main in cell sub'; do
	grep -q "$word" "$dir/out" || fail "the tasks do not say: $word"
done
give_up pub
are_well_again 1 pub sub
give_up sub
stop

cells 'a publisher whose subscriber reads again is not told, nor when that waits for others' 'pause = 300ms' '[service here]
plugin = links
concurrency = 1
timeout = 0
[service there]
plugin = links
concurrency = 1
timeout = 0
isolate = yes'
floods pub news sub
ctl call sub read
says reads
# Only its reader is no part of it.
call_to sub 'call pub count'
wait_until 'it waits' is_queued pub
circle here there
are_told 1 here there
for service in pub sub; do
	[ "$(faults_of $service)" -eq 0 ] || fail "$service is told"
	is_healthy $service || fail "$service is not well"
done
give_up here
gets there x
give_up sub
give_up pub
stop

finish
