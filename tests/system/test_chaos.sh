#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A storm of crashes, and of kills: who calls is answered, who stands beside is not touched, and
# nothing is left. The environment may say how much (tests/chaos.sh does):
#
#	CRASHES  of the service that breaks (210, 70 with the thread sanitizer)
#	KILLS    of cells, one each 100 ms (30, 10 with the thread sanitizer)
#	QUIET    calls of the healthy one before the storm, and after it (500)
#	STRICT   not empty: what takes longer than it should is a failure, too
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"

case $(configured SANITIZER_CFLAGS) in
*address*) not_with_sanitizer 'it keeps what was freed, and tells of what is freed twice' ;;
esac

share=1
case $(configured SANITIZER_CFLAGS) in
*thread*) share=3 ;;
esac
crashes=${CRASHES-$((210 / share))}
kills=${KILLS-$((30 / share))}
quiet=${QUIET-500}
strict=${STRICT-}
early=$((crashes / 5))
# What there may be that was not before: kB resident, and mappings. The thread sanitizer remembers of
# all memory who used it.
growth=3072
more_maps=6
[ $share -eq 1 ] || growth=$((8 * growth)) more_maps=$((8 * more_maps))

# Four cells, of which main is empty: driver calls the two others all the time.
four_cells() {
	begin "$1"
	plugin storm
	ini <<-END
	log_level = warn
	[service driver]
	plugin = storm
	cell = driver
	file = $dir/figures
	spins = yes
	start_limit = 1000/1s
	restart_delay = 0
	[service healthy]
	plugin = storm
	cell = steady
	start_limit = 1000/1s
	restart_delay = 0
	[service fragile]
	plugin = storm
	isolate = yes
	start_limit = 1000/1s
	restart_delay = 0
	stall_kill = 500ms
	END
	sed -i '/^log_level = debug$/d' "$dir/bay.ini"
	start
}

# wait_long COMMAND...: until it succeeds; ten minutes without anything that happens are too many.
wait_long() {
	before=
	tries=6000
	until "$@"; do
		now=$(ctl_quiet call driver figures)
		[ "$now" = "$before" ] || tries=6000
		before=$now
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || fail "waited in vain until $*" || return
		sleep 0.1
	done
}

# figure NAME: as it was counted last.
look() { ctl_quiet call driver figures >"$dir/counted"; }
figure() { sed -n "s/^$1 //p" "$dir/counted"; }
ctl_storm() {
	ctl call driver "$1"
	status_is 0
}
is_over() { look && [ "$(figure left)" = 0 ]; }
has_called() { look && [ "$(figure healthy_quiet_calls)" -ge "$1" ]; }
all_ready() {
	for service in driver healthy fragile; do
		is_state "$service" ready || return
	done
}

pid_of() { ctl_quiet info --json | grep -o "\"$1\",\"pid\":[0-9]*" | grep -o '[0-9]*$'; }

# Descriptors, mappings and resident kB of what does not crash, and what lies in run.
measure() {
	for name in master main driver steady; do
		pid=$bayd
		[ "$name" = master ] || pid=$(pid_of "$name")
		set -- "/proc/$pid/fd"/*
		echo "$name $# $(grep -c '' "/proc/$pid/maps") $(sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$pid/status")"
	done
	echo "run $(find "$dir/run" | grep -c '') 0 0"
}

# Between two measures.
nothing_has_grown() {
	while read -r name fds maps kb; do
		# shellcheck disable=SC2046
		set -- $(grep "^$name " "$dir/after")
		[ "$name" = run ] || echo "  $name: descriptors $fds -> $2, mappings $maps -> $3, resident $kb -> $4 kB"
		[ "$2" -le $((fds + 1)) ] || fail "$name has more descriptors, or files"
		[ "$3" -le $((maps + more_maps)) ] || fail "$name has more mappings"
		[ "$4" -le $((kb + growth)) ] || fail "$name has more memory"
	done <"$dir/before"
}

tell() {
	for target in healthy fragile; do
		echo "  $target: $(figure ${target}_begun) calls, $(figure ${target}_ok) answered," \
			"$(figure ${target}_died) whose cell died, $(figure ${target}_timeout) out of time," \
			"$(figure ${target}_other) otherwise; $(figure ${target}_late) late"
	done
}

# Each call of the load has ended in time, but for those that are under way: 4 callers and the storm.
all_have_ended() {
	for target in healthy fragile; do
		ended=$(($(figure ${target}_ok) + $(figure ${target}_died) + $(figure ${target}_timeout) + $(figure ${target}_other)))
		[ "$(figure ${target}_begun)" -ge "$ended" ] || fail "$target has more answers than calls"
		[ "$(figure ${target}_begun)" -le $((ended + ${1-0} + 5)) ] || fail "$target: a call has not ended"
		[ "$(figure ${target}_late)" -eq 0 ] || fail "$target: a call ended long after its deadline"
		[ "$(figure ${target}_wrong)" -eq 0 ] || fail "$target: a wrong answer"
	done
}

four_cells "$crashes crashes harm nobody else"
wait_long has_called "$quiet"
began=$(date +%s)
ctl_storm 'phase 1'
ctl_storm "storm $early"
wait_long is_over
wait_until 'it is there again' all_ready
measure >"$dir/before"
ctl_storm "storm $((crashes - early))"
wait_long is_over
wait_until 'it is there again' all_ready
measure >"$dir/after"
took=$(($(date +%s) - began))
ctl_storm 'phase 0'
wait_long has_called $((2 * quiet))
echo "$crashes crashes in $took s, of which null $(figure null), abort $(figure abort)," \
	"overflow $(figure overflow), double-free $(figure double-free), exit $(figure exit)," \
	"rings $(figure rings), spin $(figure spin)"
tell
echo "  healthy: p50 $(figure healthy_quiet_p50_ns) ns quiet, $(figure healthy_storm_p50_ns) ns in the storm;" \
	"p99 $(figure healthy_quiet_p99_ns) ns quiet, $(figure healthy_storm_p99_ns) ns in the storm"
echo "  fragile: p50 $(figure fragile_quiet_p50_ns) ns quiet, $(figure fragile_storm_p50_ns) ns in the storm;" \
	"p99 $(figure fragile_quiet_p99_ns) ns quiet, $(figure fragile_storm_p99_ns) ns in the storm"
all_have_ended
for way in null abort overflow double-free exit rings spin; do
	[ "$(figure $way)" -ge $((crashes / 9)) ] || fail "it did not break by $way"
done
# All but the writer of garbage die of it.
[ "$(field_of fragile restarts)" -ge $((crashes * 2 / 3)) ] || fail "restarts: $(field_of fragile restarts)"
[ "$(figure healthy_begun)" -le $(($(figure healthy_ok) + 4)) ] || fail 'a call to the healthy one failed'
for service in driver healthy; do
	[ "$(field_of $service restarts)" -eq 0 ] || fail "$service was restarted"
done
[ "$(figure fragile_other)" -eq 0 ] || fail "a call ended with $(figure fragile_failure)"
nothing_has_grown
[ -z "$strict" ] || [ "$(figure healthy_storm_p99_ns)" -lt $((2 * $(figure healthy_quiet_p99_ns))) ] ||
	fail 'p99 of the healthy one is more than twice that of the quiet'
stop

# random BELOW
random() { echo $(($(od -An -N4 -tu4 /dev/urandom) % $1)); }

four_cells "$kills kills of cells at random"
wait_until 'all are called' has_called 500
began=$(date +%s)
killed=0
rounds=0
while [ "$rounds" -lt "$kills" ]; do
	rounds=$((rounds + 1))
	# shellcheck disable=SC2046
	set -- $(children_of_bayd)
	if [ $# -gt 0 ]; then
		shift "$(random $#)"
		kill -KILL "$1" 2>/dev/null && killed=$((killed + 1))
	fi
	sleep 0.1
done
daemon_runs || fail 'bayd has ended'
wait_long all_ready
look
called=$(figure healthy_ok)
goes_on() { look && [ "$(figure healthy_ok)" -gt "$called" ]; }
wait_until 'calls are answered again' goes_on
echo "$killed cells killed in $(($(date +%s) - began)) s"
tell
# Those of a driver that was killed have not ended, 9 each time.
all_have_ended $((9 * ($(field_of driver restarts) + 1)))
stop

four_cells 'the end of bayd is that of its cells'
wait_until 'all are called' has_called 500
children=$(children_of_bayd)
kill -KILL "$bayd"
began=$(date +%s%N)
wait "$bayd" 2>/dev/null
bayd=
all_gone() {
	for pid in $children; do
		# Whoever inherits them may leave them lying.
		! grep -qs '^State:[^Z]*$' "/proc/$pid/status" || return 1
	done
}
pause() { sleep 0.01; }
wait_until 'all cells are gone' all_gone
took=$((($(date +%s%N) - began) / 1000000))
echo "all cells were gone $took ms after bayd"
[ -z "$strict" ] || [ "$took" -le 1000 ] || fail 'they took more than a second'

finish
