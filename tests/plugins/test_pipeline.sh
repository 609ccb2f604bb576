#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"
built_plugins=$(cd ../plugins && pwd)

# run REQUEST ITEMS CONSUMERS CAPACITY: the figures of a run that should be so large.
run() {
	ctl call pipeline "$1"
	status_is 0
	awk -v items="$2" -v consumers="$3" -v capacity="$4" '
		/^consumer / { taken += $4; count++ }
		/ produced, / {
			whole = $1 == items && $3 == items && $5 == 0 && $7 == 0 &&
				$11 <= capacity && $13 == capacity
		}
		END { exit !(whole && taken == items && count == consumers) }' "$dir/out" ||
		fail "'$1': not $2 items for $3 through $4"
}

held() { ctl_quiet stats pipeline --json | grep -o '"memory_bytes": *[0-9]*' | grep -o '[0-9]*$'; }
tasks() { ctl_quiet tasks "$1" --json | grep -o '"waiting_on"' | wc -l; }

begin 'nothing is lost, whatever the sizes'
plugin pipeline
ini <<'END'
[service pipeline]
items = 500
consumers = 4
capacity = 8

[service endless]
plugin = pipeline
work = 1h
END
start
run '' 500 4 8
run '1000' 1000 4 8
run '1000 5' 1000 5 8
run '1000 5 2' 1000 5 2
run '1000 5 0' 1000 5 0
run '0 1 1' 0 1 1
run '100000 64 65536' 100000 64 65536
run '3 64 1' 3 64 1
[ "$(held)" -eq 0 ] || fail "$(held) bytes are left"

case='everybody gets a share'
ctl call pipeline '1000 5 16'
[ "$(grep -c 'took 0$' "$dir/out")" -eq 0 ] || fail 'one got nothing'

case='the queue fills up and never more'
says 'at most 16 of 16 waiting'

case='a request that makes no sense is refused'
for text in x '-1' '5 0' '5 65' '1 1 -1' '1000001' '1 2 3 4' '5,5' '99999999999999999999'; do
	ctl call pipeline -- "$text"
	status_is 1
	complains 'pipeline wants: ITEMS'
done

case='when nobody waits any more all its tasks end'
ctl call endless '10 3 1' --timeout 50ms
status_is 8
gone() { [ "$(tasks endless)" -eq 0 ] && [ "$(field_of endless in_flight)" = 0 ]; }
wait_until 'its tasks have ended' gone
stop

finish
