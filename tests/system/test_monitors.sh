#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A service is told what becomes of another one, in its own cell and in others.
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"

# The last thing that the watcher was told is this.
heard() { grep -o 'service watcher: actor is .*' "$dir/bayd.err" | tail -n 1 | grep -qF "$1"; }

for keys in '' 'isolate = yes'; do
	where=${keys:-the same cell}
	begin "it is told of a failure, a stop, a start and other code ($where)"
	plugin actor
	plugin watches
	ini <<END
[service watcher]
plugin = watches
whom = actor
[service actor]
restart_delay = 1h
stack = 128k
$keys
END
	start
	wait_until 'it is told of the first start' heard 'is ready, 0 failures, 0 replaced'
	ctl call watcher x
	says 'ok ready timeout'
	ctl call actor give-up
	wait_until 'it is told of the failure' heard 'is failed, 1 failures, 0 replaced: it gave up'
	ctl start actor
	wait_until 'it is told that it serves again' heard 'is ready, 1 failures, 0 replaced'
	ctl stop actor
	wait_until 'it is told of the stop' heard 'is stopped, 1 failures'
	ctl call watcher x
	says 'ok stopped timeout'
	ctl start actor
	wait_until 'it is told of the start' heard 'is ready, 1 failures, 0 replaced'
	sed -i 's/^stack = .*/stack = 64k/' "$dir/bay.ini"
	ctl reload
	status_is 0
	wait_until 'it is told of the other code' heard 'is ready, 1 failures, 1 replaced'
	[ "$(field_of watcher failed)" = 0 ] || fail 'the watcher has failed'
	# It ends while it waits.
	ctl stop watcher
	status_is 0
	stop
done

begin 'it is told that another cell has died, and that a name means nothing'
plugin actor
plugin watches
ini <<'END'
[service watcher]
plugin = watches
whom = actor
[service actor]
cell = other
[service guilty]
plugin = actor
cell = other
[service lost]
plugin = watches
whom = nobody
END
start
wait_until 'it is told of the first start' heard 'is ready, 0 failures'
ctl call lost x
says 'ok unknown timeout'
ctl call guilty crash
wait_until 'it is told of the crash of another' heard 'is ready, 1 failures, 0 replaced'
stop

finish
