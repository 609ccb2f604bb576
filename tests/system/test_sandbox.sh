#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Cells with sandbox = yes: a plugin that tries to get at bayd, at other cells and at files is
# refused, the same plugin outside is not, and what plugins need works inside.
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"

# The leak checker looks at its own process by ptrace, which is what a sandbox is there against.
ASAN_OPTIONS="detect_leaks=0:$ASAN_OPTIONS"
export ASAN_OPTIONS

# pid_of NAME: the process of that cell.
pid_of() {
	ctl_quiet info --json | tr -d ' \n' | grep -o "{\"name\":\"$1\"[^}]*}" |
		grep -o '"pid":[0-9]*' | grep -o '[0-9]*$'
}

# may SERVICE ORDER, may_not SERVICE ORDER: the attempt succeeds; the kernel refuses it.
may() {
	ctl call "$1" "$2"
	[ "$status" -eq 0 ] || fail "$1: $2 is refused"
}
may_not() {
	ctl call "$1" "$2"
	[ "$status" -eq 1 ] || fail "$1: $2 succeeds"
	grep -q 'refused: \(Operation not permitted\|Permission denied\)' "$dir/err" || fail "$1: $2"
}

# is_sandboxed PID
is_sandboxed() { grep -qs '^Seccomp:.*2' "/proc/$1/status"; }

# The same plugin inside a sandbox and outside, and somebody who does what he is told. What a test
# changes it reloads itself.
inside_and_outside() {
	plugin intruder
	plugin actor
	mkdir -p "$dir/files"
	ini <<END
watch = no
[cell held]
sandbox = yes
writable = $dir/files
${1-}
[cell free]
[service inside]
plugin = intruder
cell = held
[service outside]
plugin = intruder
cell = free
[service calm]
plugin = actor
END
}

begin 'a sandbox that there cannot be is an error with its remedy'
inside_and_outside
check
if grep -q 'sandbox = yes: ' "$dir/err"; then
	why=$(sed -n 's/.*sandbox = yes: //p' "$dir/err")
	status_is 5
	complains 'bay.ini:6: sandbox = yes: '
	complains 'give the cell a user of its own instead [config-sandbox]'
	[ "$failures" -eq 0 ] || finish
	echo "SKIP: test_sandbox: $why"
	exit 77
fi
status_is 0
says 'configuration is fine'

begin 'what could not be writable is told with its place'
inside_and_outside
for list in relative "$dir/nowhere" "$dir/bay.ini" "$dir" "$dir/plugins" "$dir/files $dir/run"; do
	mkdir -p "$dir/run"
	sed -i "s,^writable = .*,writable = $list," "$dir/bay.ini"
	check
	status_is 5
	complains 'bay.ini:7: writable: '
	complains '[config-sandbox]'
done
rmdir "$dir/run"
sed -i '/^sandbox/d' "$dir/bay.ini"
check
status_is 5
complains 'it wants sandbox = yes'

begin 'what is inside gets at nobody, and what is outside does'
inside_and_outside
start
free=$(pid_of free)
# Its constructor is run by the examiner, too.
if [ -z "$(configured SANITIZER_CFLAGS)" ]; then
	logs 'examiner info prints: a Unix socket is refused here'
fi
image=$(ls "$dir"/run/images/actor.*.so)
is_sandboxed "$(pid_of held)" || fail 'the cell is in no sandbox'
! is_sandboxed "$free" || fail 'the other one is in one too'
for target in "$bayd" "$(pid_of main)" "$free"; do
	for order in ptrace signal mem fds peek pidfd limit owner; do
		may_not inside "$order $target"
	done
done
may_not inside "write $image"
may_not inside "write $dir/bay.ini"
may_not inside "shorten $dir/bay.ini"
for place in . run run/images plugins; do
	may_not inside "plant $dir/$place"
done
may_not inside "connect $dir/run/control.sock"
may_not inside dumpable
for call in unshare setns mount umount2 pivot_root chroot bpf kexec_load keyctl add_key perf_event_open \
	userfaultfd io_uring_setup init_module pidfd_getfd process_vm_writev open_by_handle_at move_mount \
	fchmod fchmodat2; do
	may_not inside "call $call"
done
# So that it can be seen that these are attempts.
for order in signal pidfd limit owner; do
	may outside "$order $bayd"
done
may outside "write $image"
may outside "shorten $dir/bay.ini"
may outside "plant $dir/run"
may outside "connect $dir/run/control.sock"
may outside dumpable
[ "$(pid_of free)" = "$free" ] || fail 'the other cell has ended'
is_answered calm || fail 'calm does not answer'
[ -z "$(ls "$dir/files")" ] || fail 'something is left in its directory'
stop

begin 'a sandboxed cell has no privilege left, and nobody of its user looks into it'
inside_and_outside
start
held=$(pid_of held)
for set in CapInh CapPrm CapEff CapBnd CapAmb; do
	[ "$(id -u)" != 0 ] && [ $set = CapBnd ] && continue
	grep -q "^$set:.*0000000000000000" "/proc/$held/status" || fail "it has $set"
done
grep -q '^NoNewPrivs:.*1' "/proc/$held/status" || fail 'it may get new privileges'
grep -q 'core file size *0 *0 ' "/proc/$held/limits" || fail 'it may dump core'
if [ "$(id -u)" != 0 ]; then
	may_not outside "mem $held"
	may_not outside "ptrace $held"
fi
stop

begin 'what plugins need works inside'
inside_and_outside
printf '[service crane]\nplugin = actor\ncell = held\n' >>"$dir/bay.ini"
start
may inside "work $dir/files"
[ -z "$(ls "$dir/files")" ] || fail 'its file is left'
ctl call crane 'call calm echo here'
status_is 0
ctl call calm 'call crane echo here'
status_is 0
is_answered crane || fail 'it does not answer'
# Ends as others do, and comes back.
held=$(pid_of held)
ctl call crane crash
status_is 1
complains 'cell held crashed: SIGSEGV in service crane at address 0x0'
wait_until 'it is back' is_answered crane
ctl call crane abort
status_is 1
complains 'SIGABRT'
wait_until 'it is back again' is_answered crane
is_sandboxed "$(pid_of held)" || fail 'the next one is in no sandbox'
plugin intruder
ctl reload inside
status_is 0
may inside "work $dir/files"
ctl restart inside
status_is 0
may_not inside "plant $dir"
stop

begin 'a service takes its sandbox along when it is moved out of its cell'
plugin actor
ini <<'END'
[cell held]
sandbox = yes
[service first]
plugin = actor
cell = held
restart_delay = 10ms
[service second]
plugin = actor
cell = held
restart_delay = 10ms
[service lone]
plugin = actor
isolate = yes
[cell lone]
sandbox = yes
END
start
is_sandboxed "$(pid_of lone)" || fail 'the isolated one is in no sandbox'
for _ in 1 2 3; do
	ctl call first crash
	status_is 1
	wait_until 'the first answers' is_answered first
	wait_until 'the second answers' is_answered second
done
[ "$(field_of first cell)" = first ] || fail 'it was not moved'
is_sandboxed "$(pid_of first)" || fail 'it has left its sandbox'
stop

begin 'a reload puts a cell into a sandbox, and takes it out again'
inside_and_outside
sed -i '/^sandbox/d; /^writable/d' "$dir/bay.ini"
start
may inside "plant $dir/run"
sed -i 's/^\[cell held\]/&\nsandbox = yes/' "$dir/bay.ini"
ctl reload
status_is 0
says 'cell held.sandbox: no -> yes'
wait_until 'it is another process' eval 'is_sandboxed "$(pid_of held)"'
wait_until 'it is ready' is_state inside ready
may_not inside "plant $dir/run"
sed -i '/^sandbox/d' "$dir/bay.ini"
ctl reload
status_is 0
wait_until 'it is outside' eval '! is_sandboxed "$(pid_of held)"'
wait_until 'it is ready' is_state inside ready
may inside "plant $dir/run"
stop

if [ "$(id -u)" != 0 ] || ! id nobody >/dev/null 2>&1; then
	echo 'SKIP: test_sandbox: as another user: not root, or there is no user nobody'
elif ! setpriv --reuid nobody --clear-groups test -x "$built/bay-cell"; then
	echo "SKIP: test_sandbox: as another user: nobody may not go to $built"
else
	begin 'a cell may have a user and a sandbox'
	inside_and_outside 'user = nobody'
	chmod 711 "$work" "$dir"
	chown nobody "$dir/files"
	start
	[ "$(stat -c %U "/proc/$(pid_of held)/environ")" = root ] || fail 'its own user may look into it'
	grep -q "^Uid:.$(id -u nobody)" "/proc/$(pid_of held)/status" || fail 'it is not nobody'
	may inside "work $dir/files"
	may_not inside "signal $(pid_of free)"
	may_not inside "connect $dir/run/control.sock"
	stop
fi

finish
