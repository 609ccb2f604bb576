#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Every mistake that a beginner makes with the functions for plugins is told with the function, the
# service and a code, also where it is a fault in memory, and costs that service's cell at most.
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"

if grep -q '^SANITIZER_CFLAGS = .*-fsanitize' ../container/Makefile; then
	sanitized=yes
	echo 'SKIP: test_misuse: faults in memory: a sanitizer reports them before Bay does'
else
	sanitized=
fi

# told CODE FUNCTION: a new line of the log names this function with this code.
told() {
	tail -n +"$seen" "$dir/bayd.err" >"$dir/new"
	grep -F "$2" "$dir/new" | grep -qF "[$1]"
}

# makes MISTAKE: calls for it; what is logged from here on is new.
makes() {
	seen=$(($(wc -l <"$dir/bayd.err") + 1))
	ctl call misuse "$1"
}

serves() { ctl_quiet call misuse 'null message_free' >"$dir/served"; }

begin 'what is a mistake at the wrong moment is told, and the service goes on'
plugin misuse
plugin leaf_sleeps
plugin actor
ini <<'END'
[service misuse]
[service leaf_sleeps]
[service actor]
END
start
cell=$(cell_pid)
while read -r mistake code function; do
	[ -z "$sanitized" ] || [ "$code" != misuse-freed ] || continue
	makes "$mistake"
	status_is 0
	wait_until "$mistake is told" told "$code" "$function"
	grep -F "[$code]" "$dir/new" | grep -q 'misuse' || fail "$mistake: without the service"
done <<'END'
sleep-on-thread misuse-thread bay_sleep
reply-on-thread misuse-thread bay_reply_text
lock-on-thread misuse-thread bay_lock_acquire
sleep-in-blocking misuse-task bay_sleep
sleep-in-callback misuse-task bay_sleep
reply-twice misuse-reply bay_reply_int64
fail-after-reply misuse-reply bay_fail
free-lent-message misuse-message bay_message_free
free-message-twice misuse-freed bay_message_free
use-destroyed-channel misuse-freed bay_channel_put
use-destroyed-lock misuse-freed bay_lock_acquire
free-task-twice misuse-freed bay_task_free
release-what-is-not-mine misuse-owner bay_lock_release
lock-twice misuse-argument bay_lock_acquire
join-myself misuse-argument bay_join
free-myself misuse-owner bay_task_free
hold-the-loop loop-held handle
END
wait_until 'the end of the hold is told' has_logged 'until now [loop-held]'
makes forget-to-reply
status_is 1
complains 'service misuse ended without a reply [misuse-no-reply]'
ctl call leaf_sleeps x
status_is 1
complains 'called bay_sleep, which may suspend [misuse-leaf]'
[ "$(cell_pid)" = "$cell" ] || fail 'the cell has ended'

case='a request whose handler is over cannot be answered'
makes keep-request
ctl_behind holder call misuse hold-the-loop
holder=$call
is_held() { [ "$(field_of misuse in_flight)" = 1 ]; }
wait_until 'another request is there' is_held
makes reply-late
[ -n "$sanitized" ] || grep -qF 'the same piece of memory' "$dir/err" ||
	wait_until 'the late answer is told' told misuse-freed bay_reply_text
wait "$holder"

case='NULL is either fine or told, and where it is a fault it names the function'
sed -n 's/^	{"\(.*\)", call_.*},$/\1/p' "$srcdir/support/plugins/misuse/null.c" >"$dir/functions"
[ "$(wc -l <"$dir/functions")" -ge 200 ] || fail 'no functions were found'
# Faults in memory are a sanitizer's to tell, and end the process then.
[ -z "$sanitized" ] || : >"$dir/functions"
faults=0
exact=0
while read -r function; do
	cell=$(cell_pid)
	makes "null $function"
	[ "$status" -ne 0 ] || continue
	faults=$((faults + 1))
	! grep -qF ", in bay_$function()" "$dir/err" || exact=$((exact + 1))
	# Where it ends by calling another one of ours, only that one may be left to be named.
	grep -qE "crashed: SIGSEGV in service misuse .*, in bay_[a-z0-9_]+\(\).* \[misuse-null\]" "$dir/err" ||
		fail "$function: $(cat "$dir/err")"
	ctl start misuse
	wait_until 'it serves again' serves
done <"$dir/functions"
[ -n "$sanitized" ] || [ "$faults" -gt 0 ] || fail 'no fault was made'
[ "$exact" -ge $((faults * 9 / 10)) ] || fail "only $exact of $faults named what was called"
ctl call actor 'echo still there'
status_is 0

if [ -z "$sanitized" ]; then
	case='faults on a thread of its own are the service'"'"'s'
	makes 'thread address_text'
	complains 'crashed: SIGSEGV in service misuse'
	complains 'in bay_address_text(), on a thread that is no loop [misuse-thread]'
	ctl start misuse
	wait_until 'it serves again' serves

	case='what spoils the heap ends the cell with a report'
	for mistake in free-memory-twice free-foreign-memory; do
		makes "$mistake"
		complains 'in bay_free(): was it given what is freed already? [misuse-freed]'
		logs 'service misuse: bay_free: '
		ctl start misuse
		wait_until 'it serves again' serves
	done
	ctl call actor 'echo still there'
	status_is 0
fi
stop

begin 'what belongs to another loop is told'
plugin misuse
ini <<'END'
[service misuse]
instances = per-loop
END
start
makes keep-lock
is_told() {
	ctl_behind other call misuse hold-the-loop
	other=$call
	ctl_quiet call misuse use-kept-lock >"$dir/served"
	wait "$other"
	told misuse-owner bay_lock_acquire
}
wait_until 'another loop has used it' is_told
stop

finish
