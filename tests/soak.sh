#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The system tests of swaps, kills, files and full disks with larger numbers than `make check` gives them,
# again and again; those of swaps and of what lingers count every message. Last come the figures of calls
# beside a thousand swaps, which are shown and not judged. `make soak` runs it in the build folder of
# tests/. The environment may say how much:
#
#	SWAPS      of one service under 64 callers (1000), every second file bad for a quarter of them
#	LINGERING  swaps to code that cannot be unloaded, for each reason (60)
#	KILLS      of bayd in swaps, in reloads and in files that are dropped in (60 of each)
#	BURST      plugin files at once (500)
#	SOAK_ROUNDS  of all of it (1)
set -u

swaps=${SWAPS-1000}
rounds=${SOAK_ROUNDS-1}
here=${srcdir:-$(dirname "$0")}
results=
failed=0
skipped=0

# run WHAT COMMAND...: its output, and a line of the summary.
run() {
	what=$1
	shift
	echo
	echo "== $what"
	begin=$(date +%s)
	"$@"
	code=$?
	case $code in
	0) how='all well' ;;
	77) how='could not run' skipped=$((skipped + 1)) ;;
	*) how="FAILED ($code)" failed=$((failed + 1)) ;;
	esac
	results="$results$(printf '%-66s %5d s  %s' "$what" $(($(date +%s) - begin)) "$how")
"
}

system() { VERBOSE=1 srcdir=$here "$here/system/test_$1.sh"; }

swap() { SWAPS=$swaps system swap; }
linger() { LINGERING=${LINGERING-60} system lingering; }
kill_bayd() { KILLS=${KILLS-60} system kill; }
drop_in() { BURST=${BURST-500} system drop_in; }
latency() {
	command -v python3 >/dev/null || return 77
	BENCH_SWAPS=$swaps python3 "$here/bench/run" --no-peers --runs 1 \
		swap swap_call_p50 swap_call_p99 swap_call_p99_quiet swap_call_p99_ratio
}

round=0
while [ $round -lt "$rounds" ]; do
	round=$((round + 1))
	run "$swaps swaps, and $((swaps / 4)) bad files, with every message counted" swap
	run "${LINGERING-60} swaps for each reason to stay in memory" linger
	run "${KILLS-60} times killed in swaps, in reloads and with files dropped in" kill_bayd
	run "files that come, change and go, ${BURST-500} of them at once" drop_in
	run 'a hundred requests to reload at once, and all else that changes' system reload
	run 'full disks' system full_disk
	run 'directories, files and descriptors that are not there' system bad_places
	run "the latency of calls beside $swaps swaps" latency
done

echo
echo "$round rounds, $failed failures, $skipped could not run"
printf '%s' "$results"
[ $failed -eq 0 ]
