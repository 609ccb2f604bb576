#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# bayd is killed at many moments of a swap, a reload and a file that is dropped in, and started again:
# it starts clean each time, with what the files say now, and nothing of the one before is left. KILLS
# is how many moments there are of each.
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"

kills=${KILLS-12}

# Whoever adopts it may take a while to reap it.
has_died() { ! grep -q '^State:.[^Z]' "/proc/$1/status" 2>/dev/null; }

# kill_bayd: as a crash of it would be; its processes see that by themselves.
kill_bayd() {
	children=$(children_of_bayd)
	kill -KILL "$bayd"
	wait "$bayd" 2>/dev/null
	bayd=
	for pid in $children; do
		wait_until "process $pid is gone" has_died "$pid"
	done
}

# after N: a little, and a little more each time.
after() { sleep "$(($1 * $1 / 1000)).$(printf %03d $(($1 * $1 % 1000)))"; }

# --- one swap, stage by stage --------------------------------------------------------------

put() {
	{ cat "$built_plugins/$1.so" && printf '%s' "$2"; } >"$dir/plugins/.new"
	mv "$dir/plugins/.new" "$dir/plugins/swaps.so"
}
answers() { [ "$(ctl_quiet call swaps version)" = "$1" ]; }
has_one_image() {
	[ "$(find "$dir/run/images" -name '*.so' | wc -l)" -eq 1 ] || fail "old images are left: $(ls "$dir/run/images")"
}

# reload_until STAGE: of a reload that begins, as soon as it says so; it is asked for before the
# first of them, and swapped when it has ended. The process is $reload.
reload_until() {
	[ -p "$dir/stages" ] || mkfifo "$dir/stages"
	"$built/bayctl" -s "$dir/run/control.sock" reload swaps >"$dir/stages" 2>&1 </dev/null &
	reload=$!
	exec 7<"$dir/stages"
	[ "$1" != asked ] || return 0
	said=
	while read -r line <&7; do
		[ "$line" != "swaps: $1" ] || return 0
		said="$said $line;"
	done
	[ "$1" = swapped ] || fail "it did not say that it is $1, but$said"
}

begin 'killed at each stage of a swap'
ini <<'END'
watch = no
[service swaps]
END
for stage in asked examined loaded initialised held handed-over swapped; do
	put swaps_state_1 $stage
	start
	put swaps_state_2 $stage
	reload_until $stage
	kill_bayd
	cat <&7 >/dev/null
	exec 7<&-
	wait "$reload"
	start
	answers 2 || fail "killed when it was $stage: $(ctl_quiet call swaps version) serves"
	has_one_image
	stop
done

# --- any moment ----------------------------------------------------------------------------

begin 'killed at any moment of swaps'
ini <<'END'
watch = no
[service swaps]
probation = 0
[service other]
plugin = actor
END
plugin actor
put swaps_1 0
start
n=0
while [ "$n" -lt "$kills" ]; do
	n=$((n + 1))
	version=$((n % 2 + 1))
	put swaps_$version $n
	ctl_behind reload.out reload swaps
	after $n
	kill_bayd
	wait "$call"
	start
	answers $version || fail "kill $n: $(ctl_quiet call swaps version) serves, not $version"
	[ "$(ctl_quiet call other 'echo here')" = here ] || fail "kill $n: the other does not serve"
	[ "$(find "$dir/run/images" -name '*.so' | wc -l)" -eq 2 ] || fail "kill $n: old images are left"
done
stop

begin 'killed at any moment of reloads'
plugin reloads
plugin listens
# say N: what the file says from now on.
say() {
	{
		printf '[container]\nloops = 2\nlog_level = debug\nwatch = no\n'
		printf '[service reloads]\nmode = %s\ntext = %s\n' "$1" "$1"
		printf '[service added%s]\nplugin = reloads\n' "$1"
		printf '[service web]\nplugin = listens\naddress = unix:web%s.sock\n' $(($1 % 2))
	} >"$dir/.new.ini"
	mv "$dir/.new.ini" "$dir/bay.ini"
}
say 0
start
n=0
while [ "$n" -lt "$kills" ]; do
	n=$((n + 1))
	say $n
	ctl_behind reload.out reload
	after $n
	kill_bayd
	wait "$call"
	start
	[ "$(ctl_quiet call reloads mode)$(ctl_quiet call reloads text)" = "$n$n" ] || fail "kill $n: it is not as the file says"
	is_state added$n ready || fail "kill $n: the new service is $(state_of added$n)"
	wait_until 'its socket is there' test -S "$dir/run/web$((n % 2)).sock"
	[ ! -e "$dir/run/web$(((n + 1) % 2)).sock" ] || fail "kill $n: the socket of before is left"
	ctl diff
	says 'nothing is different'
done
stop

begin 'killed at any moment of files that are dropped in'
ini <<'END'
autoload = yes
[service swaps]
probation = 0
END
put swaps_1 0
start
n=0
while [ "$n" -lt "$kills" ]; do
	n=$((n + 1))
	version=$((n % 2 + 1))
	put swaps_$version $n
	cp "$built_plugins/good.so" "$dir/plugins/.good"
	mv "$dir/plugins/.good" "$dir/plugins/new$n.so"
	after $((n + 12))
	kill_bayd
	start
	wait_until 'the new service runs' is_state new$n ready
	answers $version || fail "kill $n: $(ctl_quiet call swaps version) serves, not $version"
done
stop

finish
