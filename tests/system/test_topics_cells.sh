#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What is published in one cell gets to the subscriptions of others: once, in its order, with what
# each says for the case that it is too slow.
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"

# of NAME ORDER: what it replies.
of() { ctl_quiet call "$@"; }
has() { [ "$(of "$1" "$2")" = "$3" ]; }
is() { has "$@" || fail "$1 $2 is '$(of "$1" "$2")', not '$3'"; }
has_some() { [ "$(of "$1" count)" -gt 0 ] 2>/dev/null; }

# A subscription is known elsewhere in a moment.
heard() {
	of "$1" "publish $2 0" >"$dir/published"
	has_some "$3"
}

# known PUBLISHER TOPIC SUBSCRIBER...: they get what it publishes; all begin anew.
known() {
	publisher=$1
	topic=$2
	shift 2
	for subscriber; do
		wait_until "$subscriber gets what $publisher publishes" heard "$publisher" "$topic" "$subscriber"
	done
	# What was published until then is on its way, before this.
	of "$publisher" "publish $topic 4711" >"$dir/published"
	for subscriber; do
		wait_until "$subscriber has all of that" has "$subscriber" last 4711
		of "$subscriber" forget >"$dir/published"
	done
}

# pub in main, drop and wait in cells of their own, of one loop. More lines are for [service drop], [service
# wait], [container].
three_cells() {
	begin "$1"
	plugin topics
	ini <<-END
	${4-}
	[cell drops]
	loops = 1
	[cell waits]
	loops = 1
	[service pub]
	plugin = topics
	concurrency = 16
	restart_delay = 10ms
	[service drop]
	plugin = topics
	patterns = news.* gone.>
	cell = drops
	restart_delay = 10ms
	${2-}
	[service wait]
	plugin = topics
	patterns = news.*
	slow = wait
	cell = waits
	restart_delay = 10ms
	${3-}
	END
	start
}

three_cells 'patterns, topics and messages are as in one cell'
known pub news.hello drop wait
for topic in news.one news.two.three gone.four news gone.five.six; do
	ctl call pub "publish $topic $topic"
	says ok
done
wait_until 'all has come' has drop count 3
is drop texts 'news.one gone.four gone.five.six'
is drop topics 'news.one gone.four gone.five.six'
wait_until 'all has come' has wait texts news.one
of pub 'publish news.none' >"$dir/published"
wait_until 'an empty one has come' has drop count 4
is drop topics 'news.one gone.four gone.five.six news.none'
# Nobody sees the services of the container's own.
ctl list
[ "$(grep -c . "$dir/out")" -eq 4 ] || fail 'there are other services than those of the ini'
ctl queues
! grep -q '@' "$dir/out" || fail 'there are other queues than those of the ini'
ctl call @topics x
status_is 4
stop

three_cells 'the order of one publisher is kept, and nothing is lost where he waits'
known pub news.hello drop wait
ctl call pub 'flood 20000 news.many'
says 20000
wait_until 'all has come' has wait last 20000
is wait count 20000
is wait order kept
is wait lost 0
wait_until 'the last has come' has drop last 20000
is drop order kept
# What was too much is counted where it was for.
lost() { [ "$(($(of drop count) + $(of drop lost)))" -eq "$1" ]; }
wait_until 'each has come or is counted' lost 20000
stop

begin 'what is too large for usual subscriptions gets to those that have room'
plugin topics
ini <<END
[service pub]
plugin = topics
[service drop]
plugin = topics
patterns = large
bytes = 256M
isolate = yes
[service wait]
plugin = topics
patterns = large
bytes = 256M
slow = wait
isolate = yes
[service small]
plugin = topics
patterns = large
slow = wait
isolate = yes
END
start
known pub large drop wait small
for size in 5000 20000 3000000 60000000; do
	ctl call pub "large $size large"
	says ok
	ctl call drop forget
	wait_until 'it has come' has wait bytes "$size"
	ctl call wait forget
done
wait_until 'it has lost two' has small lost 2
is small bytes 25000
ctl call pub 'large 67108864 large'
says too-big
stop

begin 'a message goes over once for all subscriptions of a cell and their class'
plugin topics
ini <<END
[service pub]
plugin = topics
[service first]
plugin = topics
patterns = a.b a.* >
cell = other
[service second]
plugin = topics
patterns = a.b a.>
cell = other
[cell other]
END
start
known pub a.b first second
ctl call pub 'publish a.b 1'
wait_until 'it has come' has first texts '1 1 1'
wait_until 'it has come' has second texts '1 1'
# Nor does it come back: whoever published it has it from nobody else.
ctl call second 'publish a.b 2'
wait_until 'it has come' has second texts '1 1 2 2'
wait_until 'it has come' has first texts '1 1 1 2 2 2'
stop

begin 'more patterns than can be said are said as everything'
plugin topics
ini <<END
[service pub]
plugin = topics
[service drop]
plugin = topics
patterns = news.*
many = 2000
isolate = yes
END
start
known pub news.hello drop
ctl call pub 'publish nothing.for 1'
ctl call pub 'publish news.one 2'
wait_until 'it has come' has drop texts 2
stop

# hang NAME: its loop stands still, until "go" is there.
hang() {
	ctl_behind hang.out call "$1" "hang $dir/go" --timeout 1h
	hangs=$call
	wait_until "$1 hangs" is_hung "$1"
}
is_waiting_for_room() { ctl_quiet tasks pub | grep -q 'for room in a subscription'; }
is_hung() { ! "$built/bayctl" -s "$dir/run/control.sock" call "$1" count --timeout 200ms >"$dir/published" 2>&1; }

three_cells 'a cell that hangs holds up nobody whose messages may be dropped'
known pub news.hello drop wait
hang drop
ctl call pub 'flood 5000 news.many'
says 5000
wait_until 'all has come elsewhere' has wait last 5000
is wait count 5000
wait_until 'it is said' has_logged 'cell drops is too slow for what is published here'
: >"$dir/go"
wait "$hangs"
wait_until 'it goes on' has drop last 5000
is drop order kept
wait_until 'each has come or is counted' lost 5000
stop

sees_room() { [ "$(of pub 'within 1000 news.one 6000')" = ok ]; }

three_cells 'one that hangs and is waited for holds up publishers until their deadline'
known pub news.hello drop wait
hang wait
ctl call pub 'flood 5000 news.many' --timeout 1s
status_is 8
ctl call pub 'within 1 news.one 5001'
says timeout
# The others have it all the same.
wait_until 'it has come' has drop last 5001
: >"$dir/go"
wait "$hangs"
wait_until 'there is room again' sees_room
wait_until 'it goes on' has wait last 6000
is wait order kept
stop

fills_up() {
	of pub 'publish news.hello 0' >"$dir/published"
	ctl_quiet queues --json | tr -d ' \n' | grep -q '"service":"wait"[^}]*"topic_waiting":[1-9]'
}

three_cells 'who does not read is waited for' '' 'reads = no
messages = 10'
wait_until 'wait is known' fills_up
known pub gone.hello drop
ctl call pub 'flood 1000 news.many'
says 1000
wait_until 'all has come elsewhere' has drop last 1000
ctl call wait read
wait_until 'all has come' has wait last 1000
is wait order kept
is wait lost 0
stop

pid_of() { cell_is "$1" pid; }

three_cells 'a cell that dies lets its publishers go, and hears again when it is back'
known pub news.hello drop wait
before=$(pid_of waits)
hang wait
ctl_behind flood.out call pub 'flood 20000 news.many' --timeout 1h
flood=$call
wait_until 'the publisher waits' is_waiting_for_room
kill -KILL "$before"
wait "$flood" || fail 'the publisher did not go on'
[ "$(cat "$dir/flood.out")" = 20000 ] || fail "the publisher says '$(cat "$dir/flood.out")'"
wait "$hangs"
wait_until 'it is back' is_another waits "$before"
known pub news.hello drop wait
before=$(pid_of drops)
kill -KILL "$before"
wait_until 'it is back' is_another drops "$before"
known pub news.hello drop wait
# And so does one that is back and publishes.
before=$(pid_of main)
kill -KILL "$before"
wait_until 'it is back' is_another main "$before"
known pub news.hello drop wait
ctl call pub 'flood 500 news.many'
says 500
wait_until 'all has come' has wait count 500
wait_until 'all has come' has drop count 500
stop

three_cells 'a service takes its topics along when it stops, is swapped, or moves'
known pub news.hello drop wait
ctl stop drop
status_is 0
ctl call pub 'publish news.one 1'
says ok
ctl start drop
status_is 0
known pub news.hello drop wait
is drop lost 0
sed -i 's/^cell = drops/cell = waits/' "$dir/bay.ini"
ctl reload
status_is 0
[ "$(field_of drop cell)" = waits ] || fail 'it has not moved'
known pub news.hello drop wait
ctl call pub 'flood 100 news.many'
wait_until 'all has come' has wait count 100
wait_until 'all has come' has drop count 100
sed -i '/^.service drop/,$s/^cell = waits/cell = main/' "$dir/bay.ini"
ctl reload
status_is 0
known pub news.hello drop wait
ctl reload wait
status_is 0
known pub news.hello drop wait
sed -i 's/^patterns = news.*$/patterns = other/' "$dir/bay.ini"
ctl reload
status_is 0
known pub other drop wait
ctl call pub 'publish news.one 1'
ctl call pub 'publish other 2'
wait_until 'the new one has come' has wait texts 2
wait_until 'the new one has come' has drop texts 2
stop

logs_stopped() { has_logged 'cell pub debug service pub: stopped'; }
is_gone() { ! kill -0 "$1" 2>/dev/null; }

begin 'what a cell publishes last gets over before it ends'
plugin topics
ini <<END
drain_timeout = 1m
[cell waits]
loops = 1
[service wait]
plugin = topics
patterns = news.*
slow = wait
cell = waits
[service pub]
plugin = topics
isolate = yes
END
start
known pub news.hello wait
hang wait
ctl call pub 'flood 1000 news.many'
says 1000
before=$(pid_of pub)
sed -i '/^.service pub/,$d' "$dir/bay.ini"
ctl reload
status_is 0
wait_until 'it serves no more' logs_stopped
kill -0 "$before" || fail 'its cell does not wait'
: >"$dir/go"
wait "$hangs"
wait_until 'all has come' has wait count 1000
wait_until 'its cell has ended' is_gone "$before"
stop

three_cells 'bayd ends while publishers wait' '' 'reads = no
messages = 10' 'drain_timeout = 100ms'
known pub news.hello drop
ctl_behind flood.out call pub 'flood 20000 news.many' --timeout 1h
flood=$call
wait_until 'the publisher waits' is_waiting_for_room
stop
wait "$flood"

finish
