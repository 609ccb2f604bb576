# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
# What tests of deadlocks that are told by themselves share.
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"

faults_of() { ctl_quiet events -n 2000 "$1" | grep -c " fault[ ,].*: deadlock: "; }
is_told() { [ "$(faults_of "$1")" -ge "$2" ]; }
is_over() { [ "$(ctl_quiet events -n 2000 "$1" | grep -c ' fault-over[ ,].*: deadlock')" -ge "$2" ]; }
is_healthy() { [ "$(field_of "$1" health)" = healthy ]; }
in_flight() { [ "$(field_of "$1" in_flight)" = "$2" ]; }

# call_to SERVICE ORDER: behind the test, its answer comes into $dir/SERVICE.out.
call_to() {
	ctl_behind "$1.out" call "$1" "$2" --timeout 1h
	echo "$call" >"$dir/$1.call"
}

# circle SERVICE...: of the plugin links; each calls the next, and the last one the first, when all are at it.
circle() {
	rm -f "$dir/go"
	first=$1
	while [ $# -gt 0 ]; do
		call_to "$1" "when $dir/go ${2-$first} echo x"
		wait_until "$1 is at work" in_flight "$1" 1
		shift
	done
	: >"$dir/go"
}

# ends SERVICE...: the calls to them, one way or another.
ends() {
	for name in "$@"; do
		wait "$(cat "$dir/$name.call")"
	done
}

# gets SERVICE TEXT: the call to it ends with this answer.
gets() {
	ends "$1"
	[ "$(cat "$dir/$1.out")" = "$2" ] || fail "the call to $1 got $(cat "$dir/$1.out")"
}

# give_up SERVICE: the call to it.
give_up() {
	kill "$(cat "$dir/$1.call")"
	ends "$1"
}

# are_told TIMES SERVICE...
are_told() {
	told_times=$1
	shift
	for service in "$@"; do
		wait_until "the deadlock of $service is told, time $told_times" is_told "$service" "$told_times"
	done
}

# are_well_again TIMES SERVICE...
are_well_again() {
	told_times=$1
	shift
	for service in "$@"; do
		wait_until "that of $service is over, time $told_times" is_over "$service" "$told_times"
		is_healthy "$service" || fail "$service is not well"
	done
}
