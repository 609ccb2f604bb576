#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The master owns the sockets that services listen on: who has connected is served, whatever
# happens to the cell and to the service meanwhile.
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"

client=$PWD/support/connect_to
manager=$PWD/support/pass_sockets

# address_of SERVICE: where it listens first; nothing when it does not.
address_of() {
	ctl_quiet status "$1" --json | tr -d '\n' | grep -o '"listeners": *\[[^]]*\]' |
		grep -o '"address": *"[^"]*"' | head -n 1 | sed 's/.*: *"\(.*\)"/\1/'
}

listens() { [ -n "$(address_of "$1")" ]; }
has_accepted() { [ "$(ctl_quiet call "$1" accepted)" = "$2" ]; }
has_connected() { grep -qs '^connected$' "$dir/$1"; }

# connect_behind FILE ADDRESS [LINE]: a client beside the test, its process is $connected; it has
# connected when this returns.
connect_behind() {
	file=$1
	shift
	"$client" "$@" >"$dir/$file" 2>&1 </dev/null &
	connected=$!
	wait_until "$file is connected" has_connected "$file"
}

# served FILE LINE PID: the client has been served the line, by this process.
served() {
	wait "$connected" || fail "$1 was not served: $(cat "$dir/$1")"
	grep -qx "$3 $2" "$dir/$1" || fail "$1 was not served by $3: $(cat "$dir/$1")"
}

# refused ADDRESS: nobody takes a connection there.
refused() {
	"$client" "$1" >"$dir/out" 2>"$dir/err" </dev/null
	status=$?
	[ "$status" -eq 2 ] || fail "a connection to $1 ended with $status"
}

# A client that keeps the service, and one behind it that has not been accepted.
keep_waiting() {
	before=$(ctl_quiet call "$1" accepted)
	connect_behind first "$(address_of "$1")"
	wait_until 'the first is accepted' has_accepted "$1" "$((before + 1))"
	connect_behind second "$(address_of "$1")" hello
}

for address in 127.0.0.1:0 unix:listens.sock; do
	begin "a client that has not been accepted is served by the next cell ($address)"
	plugin listens
	ini <<-END
	[service listens]
	address = $address
	END
	start
	wait_until 'it listens' listens listens
	where=$(address_of listens)
	keep_waiting listens
	old=$(cell_pid)
	kill -KILL "$old"
	is_replaced() { [ -n "$(cell_pid)" ] && [ "$(cell_pid)" != "$old" ] && is_state listens ready; }
	wait_until 'there is another cell' is_replaced
	served second hello "$(cell_pid)"
	[ "$(address_of listens)" = "$where" ] || fail "listens on $(address_of listens), not $where"

	case="a client that has not been accepted is served after a restart ($address)"
	keep_waiting listens
	ctl restart listens
	status_is 0
	served second hello "$(cell_pid)"
	[ "$(address_of listens)" = "$where" ] || fail "listens on $(address_of listens), not $where"

	case="a service that is stopped listens no more, and again when it is started ($address)"
	connect_behind third "$where"
	ctl stop listens
	status_is 0
	refused "$where"
	! listens listens || fail "still listens on $(address_of listens)"
	ctl status listens
	! grep -q '^ *listens on:' "$dir/out" || fail 'status shows a listener'
	ctl start listens
	status_is 0
	wait_until 'it listens again' listens listens
	connect_behind fourth "$(address_of listens)" again
	served fourth again "$(cell_pid)"
	ctl status listens
	says "listens on: $(address_of listens)"

	case="nothing of it is left ($address)"
	where=$(address_of listens)
	stop
	refused "$where"
done

begin 'a crash of the service itself does not cost a client, and giving it up does'
plugin listens
plugin actor
ini <<'END'
[service listens]
address = 127.0.0.1:0
restart = no
[service actor]
restart_delay = 10ms
END
start
wait_until 'it listens' listens listens
keep_waiting listens
old=$(cell_pid)
ctl call actor crash
is_replaced() { [ -n "$(cell_pid)" ] && [ "$(cell_pid)" != "$old" ] && is_state listens ready; }
wait_until 'there is another cell' is_replaced
served second hello "$(cell_pid)"
stop

begin 'an address belongs to one service at a time'
plugin listens
ini <<'END'
[service one]
plugin = listens
address = unix:one.sock
[service two]
plugin = listens
END
start
wait_until 'one listens' listens one
ctl call two 'try unix:one.sock'
says 'busy: listen on unix:one.sock: service one has it: stop that service, or name another address'
ctl stop one
status_is 0
ctl call two 'try unix:one.sock'
says ok
ctl start one
has_failed() { is_state one failed || [ -n "$(field_of one next_try_ns)" ]; }
wait_until 'one has failed' has_failed
ctl status one
says 'service two has it'
stop

begin 'a service listens where it may, and is told what to do where it may not'
plugin listens
ini <<'END'
[service free]
plugin = listens
[service bound]
plugin = listens
listen = http=127.0.0.1:0, unix:here.sock
END
start
ctl call free 'try 127.0.0.1:0'
says ok
ctl call free 'try 0.0.0.0:8080'
says 'not-permitted: listen on 0.0.0.0:8080: service free has no key listen'
says 'set listen = 0.0.0.0:8080 to allow it'
says 'bay.ini:'
ctl call free 'try unix:/tmp/bay-test-listeners.sock'
says 'not-permitted'
ctl call free 'try http'
says 'set listen = http=ADDRESS'
ctl call bound 'try http'
says ok
ctl call bound 'try unix:here.sock'
says ok
ctl status bound
says '(http)'
says '/run/here.sock'
ctl call bound 'try unix:there.sock'
says 'not-permitted: listen on unix:there.sock: service bound may not'
says 'add unix:there.sock there'
ctl call bound 'try localhost:80'
says 'invalid: listen on localhost:80: a name is no address'
stop

begin 'what is wrong in the configuration is told with its line'
plugin listens
ini <<'END'
[service listens]
listen = 127.0.0.1:80 example.org:81
END
check
status_is 5
complains 'bay.ini:5: listen = '
complains "'example.org:81': a name is no address"

# launch_with SOCKET...: as launch, by a service manager that passes these.
launch_with() {
	(cd "$dir" && exec "$manager" "$@" -- "$built/bayd" -c bay.ini >sockets 2>bayd.err) &
	bayd=$!
}

begin 'sockets of the service manager are served by their names and addresses'
plugin listens
ini <<'END'
[service one]
plugin = listens
address = web
listen = web
END
launch_with web=127.0.0.1:0
wait_until 'the daemon is ready' is_ready_or_gone
wait_until 'it listens' listens one
where=$(head -n 1 "$dir/sockets")
[ "$(address_of one)" = "$where" ] || fail "listens on $(address_of one), not $where"
connect_behind first "$where" hello
served first hello "$(cell_pid)"
ctl status one
says "listens on: $where (web), from the service manager"

case='they wait even while the service is stopped, and belong to nobody else'
ctl stop one
status_is 0
connect_behind second "$where" 'still there'
ctl start one
status_is 0
served second 'still there' "$(cell_pid)"

case='neither they nor the variables are passed on'
! tr '\0' '\n' <"/proc/$(cell_pid)/environ" | grep -q '^LISTEN_' || fail 'the cell has the variables'
stop

begin 'a socket of the service manager that no service wants is told'
plugin listens
ini <<'END'
[service listens]
END
launch_with stray=127.0.0.1:0
wait_until 'the daemon is ready' is_ready_or_gone
logs 'passed as stray, is for no service: name it in the key listen of one'
sockets=$(find "/proc/$(cell_pid)/fd" -lname 'socket:*' | wc -l)
[ "$sockets" -eq 1 ] || fail "the cell has $sockets sockets, not only that to bayd"
stop

begin 'what is wrong with such sockets keeps the daemon from its start'
ini <<'END'
END
launch_with web=none
expect_exit 1
logs 'cannot start: descriptor 3 (web), passed by the service manager, is no socket that listens'
(cd "$dir" && LISTEN_FDS=many LISTEN_PID=1 "$built/bayd" -c bay.ini >bayd.out 2>bayd.err)
status=$?
status_is 1
logs 'cannot start: LISTEN_FDS is "many"'

finish
