#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Changes of the configuration while the daemon runs: what is different is changed, all of it or
# nothing, and what is not different does not notice.
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"

# Nothing is taken before it is asked for.
ini() {
	{
		printf '[container]\nloops = 2\nlog_level = debug\nwatch = no\n'
		cat
	} >"$dir/bay.ini"
}

# The file as an editor saves it: a whole one takes the name of the old one.
new_ini() {
	{
		printf '[container]\nloops = 2\nlog_level = debug\nwatch = no\n'
		cat
	} >"$dir/.new.ini" && mv "$dir/.new.ini" "$dir/bay.ini"
}

# says_nothing_of TEXT: on standard output.
says_nothing_of() { ! grep -qF -- "$1" "$dir/out" || fail "says: $1"; }

# answers SERVICE ORDER TEXT
answers() {
	ctl call "$1" "$2"
	status_is 0
	[ "$(cat "$dir/out")" = "$3" ] || fail "$1 $2 answers $(cat "$dir/out"), not $3"
}

# reload_is CODE
reload_is() {
	ctl reload
	status_is "$1"
}

is_in_flight() { [ "$(field_of "$1" in_flight)" != 0 ]; }
is_busy_with() { [ "$(field_of reloads in_flight)" = "$1" ]; }
queue_has_waiters() { ctl_quiet queues --json | grep -q '"waiting_senders": *2'; }
queue_has_no_waiters() { ctl_quiet queues --json | grep -q '"waiting_senders": *0'; }
has_task() { ctl_quiet tasks "$1" | grep -q "$2"; }
is_gone() { ! kill -0 "$1" 2>/dev/null; }

# When a service came into its present state: another time is another start.
since_of() { ctl_quiet status "$1" --json | grep -o '"since_wall_ns": *[0-9]*'; }
image_of() { ctl_quiet status "$1" --json | grep -o '"image": *"[^"]*"'; }

begin 'live keys and settings are given to what runs'
plugin reloads
ini <<'END'
[service reloads]
text = one
timeout = 20s
END
start
answers reloads text one
since=$(since_of reloads)
image=$(image_of reloads)
ctl_behind held call reloads "hold $dir/go" --timeout 1m
wait_until 'it holds' is_in_flight reloads
new_ini <<'END'
[service reloads]
text = two
level = 5
timeout = 19s
concurrency = 3
queue = 7
queue_bytes = 8k
overflow = wait
drain_timeout = 1s
END
reload_is 0
says '~ reloads.text: one -> two'
says '~ reloads.level: - -> 5'
says '~ reloads.timeout: 20s -> 19s'
says 'configuration 2 is in force'
answers reloads text two
answers reloads level 5
# What was given out before stays.
answers reloads kept one
: >"$dir/go"
wait "$call"
[ "$(cat "$dir/held")" = 'one one two' ] || fail "a request that ran saw $(cat "$dir/held")"
answers reloads number 6
[ "$(since_of reloads)" = "$since" ] || fail 'it was started again'
[ "$(image_of reloads)" = "$image" ] || fail 'it has another image'
[ "$(field_of reloads concurrency)" = 3 ] || fail 'concurrency is not shown'
ctl queues
says wait
stop

begin 'a bound that is raised lets those in who wait for it'
plugin reloads
ini <<'END'
[service reloads]
concurrency = 1
queue = 1
overflow = wait
END
start
for i in 1 2 3 4; do
	ctl_behind "held$i" call reloads "hold $dir/go" --timeout 1m
	calls="${calls-} $call"
done
wait_until 'two wait before the queue' queue_has_waiters
new_ini <<'END'
[service reloads]
concurrency = 1
queue = 10
overflow = wait
END
reload_is 0
# While the first is still at it.
wait_until 'they are in the queue' queue_has_no_waiters
[ "$(field_of reloads queued)" = 3 ] || fail "$(field_of reloads queued) are queued"
new_ini <<'END'
[service reloads]
concurrency = 4
queue = 10
overflow = wait
END
reload_is 0
wait_until 'all are in' is_busy_with 4
: >"$dir/go"
for call in $calls; do
	wait "$call" || fail 'a call failed'
done
stop

begin 'what is not live makes a new generation, and no message is lost'
plugin reloads
ini <<'END'
[service reloads]
mode = first
END
start
ctl_behind load call reloads text --repeat 3000 --concurrency 8
for mode in second third fourth; do
	# With another number of instances it has to end before it begins anew.
	instances=one
	[ "$mode" != third ] || instances=per-loop
	new_ini <<END
[service reloads]
mode = $mode
instances = $instances
END
	reload_is 0
	says "-> $mode"
	says 'a new generation'
	answers reloads mode "$mode"
done
wait "$call" || fail "a call failed: $(cat "$dir/load")"
grep -q '3000' "$dir/load" || fail "not all were made: $(cat "$dir/load")"
[ "$(field_of reloads failed)" = 0 ] || fail 'calls have failed'
stop

begin 'services of which nothing is different do not notice'
plugin reloads
plugin reloads calm
ini <<'END'
[service calm]
text = still
[service reloads]
mode = 0
[service other]
plugin = reloads
END
start
since=$(since_of calm)
image=$(image_of calm)
ctl_behind load call calm number --repeat 4000 --concurrency 4
for i in 1 2 3 4 5 6; do
	new_ini <<END
[service reloads]
mode = $i

# It stands elsewhere now.
[service calm]
text = still
[service other$i]
plugin = reloads
END
	reload_is 0
	says_nothing_of calm
done
wait "$call" || fail "a call failed: $(cat "$dir/load")"
# The same instance has counted every one of them.
answers calm number 4001
[ "$(since_of calm)" = "$since" ] || fail 'it was started again'
[ "$(image_of calm)" = "$image" ] || fail 'it has another image'
[ "$(field_of calm failed)" = 0 ] || fail 'calls have failed'
ctl show calm text
says bay.ini:10
stop

begin 'services come and go'
plugin reloads
ini <<'END'
[service a]
plugin = reloads
[service b]
plugin = reloads
text = b
END
start
new_ini <<'END'
[service b]
plugin = reloads
text = b
[service c]
plugin = reloads
text = c
[service d]
plugin = reloads
enabled = no
END
ctl reload --dry-run
status_is 0
says '+ service c'
says '- service a'
says '+ service d'
answers a text none
ctl reload --dry-run --json
status_is 0
says '"sign":"+"'
says '"effect":"stop"'
reload_is 0
says 'configuration 2 is in force'
answers c text c
ctl call a text
status_is 4
complains 'there is no service a'
is_state d stopped || fail 'a disabled service was started'
[ "$(ctl_quiet list | tail -n +2 | cut -d ' ' -f 1 | tr '\n' ' ')" = 'b c d ' ] ||
	fail "the list is $(ctl_quiet list)"
# One that comes back is as any other.
new_ini <<'END'
[service a]
plugin = reloads
text = again
[service b]
plugin = reloads
text = b
END
reload_is 0
answers a text again
reload_is 0
says 'nothing is different: configuration 3 is still in force'
stop

begin 'keys of the container: some are live, others wait for a restart'
plugin reloads
ini <<'END'
[service reloads]
END
start
sed -i 's/^loops = 2/loops = 3/; s/^log_level = debug/log_level = info/' "$dir/bay.ini"
echo 'log_format = json' | sed -i '/^log_level/r /dev/stdin' "$dir/bay.ini"
reload_is 0
says '! container.loops: 2 -> 3'
says "waits for bayd's next start"
says '~ container.log_level: debug -> info'
says '~ container.log_format: text -> json'
logs '"level":"info"'
# It stays different until then.
ctl diff
status_is 0
says '! container.loops: 2 -> 3'
says_nothing_of log_level
reload_is 0
says 'configuration 2 is still in force'
stop

begin 'the log goes elsewhere, and stays where it was if it cannot'
plugin reloads
ini <<'END'
[service reloads]
END
start
sed -i "3a log = $dir/there.log" "$dir/bay.ini"
reload_is 0
grep -q 'is in force' "$dir/there.log" || fail 'the new log has nothing'
sed -i 's,^log = .*,log = /nowhere/at/all.log,' "$dir/bay.ini"
reload_is 5
complains '/nowhere/at/all.log'
ctl set container.log_level error
status_is 0
stop

begin 'a wrong file changes nothing and says all that is wrong'
plugin reloads
ini <<'END'
[service reloads]
text = one
END
start
cp "$dir/bay.ini" "$dir/good.ini"
new_ini <<'END'
[service reloads]
text = two
level = 77
timeout = soon
mod = x
[service new]
plugin = absent
END
reload_is 5
complains 'bay.ini:8: timeout = '
answers reloads text one
new_ini <<'END'
[service reloads]
text = two
level = 77
mod = x
[service new]
plugin = absent
END
for how in '' --dry-run; do
	# shellcheck disable=SC2086
	ctl reload $how
	status_is 5
	complains 'bay.ini:7: level: '
	complains "bay.ini:8: unknown key 'mod'; did you mean 'mode'?"
	complains 'bay.ini:10: service new: '
done
ctl reload --json
status_is 5
says '"status":"invalid"'
# These are not taken for what is meant.
: >"$dir/bay.ini"
reload_is 5
complains 'neither [container] nor a service'
echo '[service reloads]' >"$dir/bay.ini"
reload_is 5
complains 'has lost its section [container]'
rm "$dir/bay.ini"
reload_is 5
complains 'No such file'
mkdir "$dir/bay.ini"
reload_is 5
complains 'it is a directory'
rmdir "$dir/bay.ini"
ctl diff
status_is 5
answers reloads text one
ctl reload --history
[ "$(wc -l <"$dir/out")" -eq 2 ] || fail 'a wrong file is in the history'
cp "$dir/good.ini" "$dir/bay.ini"
reload_is 0
says 'nothing is different'
stop

begin 'when one service does not come up, all others are as before'
plugin reloads
plugin listens
ini <<'END'
[service bad]
plugin = reloads
mode = old
[service changed]
plugin = reloads
mode = old
[service live]
plugin = reloads
text = old
[service gone]
plugin = listens
address = unix:gone.sock
[service off]
plugin = reloads
enabled = no
[service calm]
plugin = reloads
END
start
since=$(since_of calm)
ctl_behind load call bad text --repeat 2000 --concurrency 4
new_ini <<END
[service bad]
plugin = reloads
mode = new
needs = $dir/missing
[service changed]
plugin = reloads
mode = new
[service live]
plugin = reloads
text = new
[service off]
plugin = reloads
[service calm]
plugin = reloads
[service added]
plugin = reloads
END
reload_is 10
complains 'service bad: '
complains 'missing is not there'
answers bad mode old
answers changed mode old
answers live text old
is_state gone ready || fail 'the service that was to go is not back'
is_state off stopped || fail 'the disabled service runs'
ctl status added
status_is 4
wait "$call" || fail "a call failed: $(cat "$dir/load")"
[ "$(since_of calm)" = "$since" ] || fail 'a service that is not different was started again'
ctl reload --history
[ "$(wc -l <"$dir/out")" -eq 2 ] || fail 'what was undone is in the history'
# And the same once it can.
touch "$dir/missing"
reload_is 0
answers bad mode new
answers changed mode new
answers live text new
is_state off ready || fail 'the enabled service does not run'
is_state added ready || fail 'the new service does not run'
ctl status gone
status_is 4
stop

begin 'a new generation that crashes is taken back'
plugin actor
plugin reloads
ini <<'END'
[service actor]
[service reloads]
END
start
new_ini <<'END'
[service actor]
init = crash
[service reloads]
mode = new
END
reload_is 10
complains 'service actor: init'
wait_until 'the actor is back' is_state actor ready
wait_until 'the other is back' is_state reloads ready
answers reloads mode plain
answers actor 'echo still here' 'still here'
stop

begin 'a service that has failed is started when it is corrected'
plugin reloads
ini <<END
[service reloads]
needs = $dir/missing
restart = no
END
start
is_state reloads failed || fail 'it has not failed'
new_ini <<'END'
[service reloads]
restart = no
END
reload_is 0
answers reloads text none
stop

begin 'who was stopped by hand stays stopped'
plugin reloads
ini <<'END'
[service reloads]
mode = one
END
start
ctl stop reloads
new_ini <<'END'
[service reloads]
mode = two
text = new
END
reload_is 0
is_state reloads stopped || fail 'it was started'
ctl start reloads
answers reloads mode two
stop

begin 'an address goes from one service to another'
plugin listens
ini <<'END'
[service one]
plugin = listens
address = unix:here.sock
[service keeps]
plugin = listens
address = unix:kept.sock
END
start
kept=$(stat -c %i "$dir/run/kept.sock")
new_ini <<'END'
[service two]
plugin = listens
address = unix:here.sock
[service keeps]
plugin = listens
address = unix:kept.sock
END
reload_is 0
is_state two ready || fail 'the second does not listen'
[ "$(stat -c %i "$dir/run/kept.sock")" = "$kept" ] || fail 'the socket of another was made again'
new_ini <<'END'
[service two]
plugin = listens
address = unix:there.sock
listen = unix:there.sock
[service keeps]
plugin = listens
address = unix:kept.sock
END
reload_is 0
# It listens in its run function, which begins when it serves.
wait_until 'it listens at the new address' test -S "$dir/run/there.sock"
wait_until 'it does not listen at the old one' test ! -e "$dir/run/here.sock"
stop

begin 'a storm of requests ends in what the file says last'
plugin reloads
ini <<'END'
[service reloads]
text = 0
mode = 0
END
start
storm=
i=0
while [ "$i" -lt 100 ]; do
	i=$((i + 1))
	new_ini <<END
[service reloads]
text = $i
mode = $((i / 10))
[service extra$((i % 3))]
plugin = reloads
END
	"$built/bayctl" -s "$dir/run/control.sock" reload --json >"$dir/storm.$i" 2>&1 &
	storm="$storm $!"
	# No more than the daemon takes of one user.
	if [ $((i % 50)) -eq 0 ]; then
		for call in $storm; do
			wait "$call" || fail "a reload of the storm failed: $(cat "$dir"/storm.*)"
		done
		storm=
	fi
done
answers reloads text 100
answers reloads mode 10
[ "$(ctl_quiet list | tail -n +2 | cut -d ' ' -f 1 | tr '\n' ' ')" = 'reloads extra1 ' ] ||
	fail "the list is $(ctl_quiet list)"
ctl diff
says 'nothing is different'
# Each was told the number of a configuration that its run brought about, or found.
last=$(grep -o '"number":[0-9]*' "$dir/storm.100")
ctl reload --json
says "$last"
stop

begin 'a hundred requests at once, while the file changes under them'
plugin reloads
# file_says N
file_says() {
	new_ini <<END
[service reloads]
text = $1
mode = $1
[service extra$(($1 % 3))]
plugin = reloads
END
}
file_says 0
start
: >"$dir/changing"
(
	n=0
	while [ -e "$dir/changing" ]; do
		n=$((n + 1))
		file_says $n
	done
	echo $n >"$dir/changes"
) &
changer=$!
storm=
i=0
# No more connections than the daemon takes of one user; the others come by signals.
while [ "$i" -lt 60 ]; do
	i=$((i + 1))
	ctl_behind "storm.$i" reload
	storm="$storm $call"
	[ "$i" -gt 40 ] || kill -HUP "$bayd"
done
for call in $storm; do
	wait "$call" || fail "a reload of the storm failed: $(cat "$dir"/storm.*)"
done
rm "$dir/changing"
wait "$changer"
[ "$(cat "$dir/changes")" -gt 1 ] || fail 'the file did not change meanwhile'
reload_is 0
answers reloads text "$(cat "$dir/changes")"
answers reloads mode "$(cat "$dir/changes")"
[ "$(ctl_quiet list | tail -n +2 | cut -d ' ' -f 1 | tr '\n' ' ')" = "reloads extra$(($(cat "$dir/changes") % 3)) " ] ||
	fail "the list is $(ctl_quiet list)"
ctl diff
says 'nothing is different'
stop

begin 'HUP reloads'
plugin reloads
ini <<'END'
[service reloads]
text = one
END
start
new_ini <<'END'
[service reloads]
text = two
END
kill -HUP "$bayd"
wait_until 'it is in force' has_logged 'configuration 2 is in force: reload by SIGHUP'
answers reloads text two
: >"$dir/bay.ini"
kill -HUP "$bayd"
wait_until 'it is refused' has_logged 'reload by SIGHUP: nothing has changed: '
answers reloads text two
stop

begin 'a key is set by hand, shown, and saved with all else as it was'
plugin reloads
ini <<'END'

# About the service.
[service reloads]
text    = one   ; the first one
timeout = 20s
END
cp "$dir/bay.ini" "$dir/before.ini"
start
ctl show reloads text
says bay.ini:8
ctl set reloads.text two
status_is 0
says '~ reloads.text: one -> two'
answers reloads text two
ctl show reloads text
says 'set by user'
ctl show reloads concurrency
says default
ctl diff
says '~ reloads.text: two -> one'
cmp -s "$dir/bay.ini" "$dir/before.ini" || fail 'the file was touched'
ctl set reloads.level 4 --save
status_is 0
ctl set reloads.text 'three; four' --save
status_is 0
ctl set reloads.queue 33 --save
status_is 0
ctl set container.log_level info --save
status_is 0
{
	printf '[container]\nloops = 2\nlog_level = info\nwatch = no\n'
	cat <<'END'

# About the service.
[service reloads]
text    = "three; four"   ; the first one
timeout = 20s
level   = 4
queue   = 33
END
} >"$dir/wanted.ini"
cmp -s "$dir/bay.ini" "$dir/wanted.ini" || fail "saved: $(diff "$dir/wanted.ini" "$dir/bay.ini")"
ctl diff
says 'nothing is different'
ctl show reloads level
says bay.ini:10
answers reloads text 'three; four'
# What is wrong, and what is not live.
ctl set reloads.level 77
status_is 5
complains 'level'
ctl set reloads.timeout soon
status_is 5
complains 'wants a duration'
ctl set reloads.mode new
status_is 5
complains 'cannot be changed in what runs'
ctl set container.loops 3
status_is 5
complains "waits for bayd's next start"
ctl set nobody.level 3
status_is 4
ctl set reloads.colour red
status_is 5
ctl show reloads colour
status_is 4
ctl show nobody
status_is 4
complains 'there is no service nobody'
ctl show container
status_is 0
says plugin_dir
# What is set by hand is gone with the next reload.
ctl set reloads.level 7
reload_is 0
says '~ reloads.level: 7 -> 4'
stop

begin 'what cannot be saved is said to be in force all the same'
plugin reloads
ini <<'END'
include = conf.d/*.ini
END
mkdir "$dir/conf.d"
printf '[service reloads]\ntext = one\n' >"$dir/conf.d/a.ini"
start
ctl set reloads.text two --save
status_is 0
grep -qx 'text = two' "$dir/conf.d/a.ini" || fail 'it was not saved in the file of its section'
[ "$(ls -A "$dir/conf.d")" = a.ini ] || fail "left in conf.d: $(ls -A "$dir/conf.d")"
echo 'nonsense' >>"$dir/bay.ini"
ctl set reloads.text three --save
status_is 1
complains 'it is in force, as configuration 3, but not saved: '
answers reloads text three
stop

begin 'a service is enabled and disabled for good'
plugin reloads
ini <<'END'
[service reloads]
[service other]
plugin = reloads
END
start
ctl disable reloads
status_is 0
is_state reloads stopped || fail 'it runs'
reload_is 0
is_state reloads stopped || fail 'a reload has started it'
stop
start
is_state reloads stopped || fail 'a restart of bayd has started it'
ctl enable reloads
status_is 0
answers reloads text none
answers other text none
stop

begin 'an earlier configuration comes back'
plugin reloads
ini <<'END'
[service reloads]
text = 1
END
start
for i in 2 3 4 5 6 7 8 9 10 11 12; do
	new_ini <<END
[service reloads]
text = $i
mode = $((i / 6))
[service s$i]
plugin = reloads
END
	reload_is 0
done
ctl reload --history
status_is 0
says 'reload by user'
[ "$(wc -l <"$dir/out")" -eq 11 ] || fail 'the history has not ten'
ctl rollback --config 5
status_is 0
says 'configuration 13 is in force'
answers reloads text 5
answers reloads mode 0
is_state s5 ready || fail 'its services are not back'
ctl status s12
status_is 4
ctl diff
says '~ reloads.text: 5 -> 12'
ctl rollback --config 2
status_is 4
complains 'no configuration 2'
ctl rollback
status_is 2
reload_is 0
answers reloads text 12
stop

begin 'a bayd that is killed in a reload leaves nothing that stops the next one'
plugin reloads
plugin slow
ini <<'END'
[service reloads]
mode = 0
END
for i in 1 2 3 4 5 6; do
	start
	new_ini <<END
[service reloads]
mode = $i
text = $i
instances = $((i % 2 + 1))
[service s$i]
plugin = reloads
[service t$i]
plugin = reloads
END
	ctl_behind killed reload
	# At another moment each time: at once, or when so much has been done.
	case $i in
	1) ;;
	2) wait_until 'it was examined' has_logged 'service s2' ;;
	3) wait_until 'it was begun' has_logged 'service reloads: stopping' ;;
	4) wait_until 'it starts' has_logged 'service reloads: starting' ;;
	5) wait_until 'one is there' has_logged 'service s5: ready' ;;
	6) wait "$call" ;;
	esac
	cells=$(children_of_bayd)
	kill -KILL "$bayd"
	wait "$bayd" 2>/dev/null
	bayd=
	wait "$call" 2>/dev/null
	for pid in $cells; do
		wait_until "process $pid is gone" is_gone "$pid"
	done
done
start
answers reloads text 6
is_state s6 ready || fail 'the last file is not what runs'
stop

begin 'who asks is refused or answered when bayd stops meanwhile'
plugin actor
ini <<'END'
[service actor]
END
start
new_ini <<'END'
[service actor]
init = wait
start_timeout = 20s
END
ctl_behind waiting reload
wait_until 'its init runs' has_task actor init
kill -TERM "$bayd"
wait "$call"
[ $? -eq 1 ] || fail "the reload says: $(cat "$dir/waiting")"
grep -q 'stop' "$dir/waiting" || fail "the reload says: $(cat "$dir/waiting")"
expect_exit 0

finish
