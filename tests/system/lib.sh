# SPDX-License-Identifier: BSD-2-Clause
# Helpers for tests that drive a private bayd through bayctl. To be sourced:
#
#	. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"
#
#	begin 'a service answers'
#	plugin actor
#	ini <<'END'
#	[service actor]
#	END
#	start
#	ctl call actor 'echo hello'
#	status_is 0
#	says hello
#	stop
#
#	finish
#
# Each case has a directory of its own, $dir, in which everything lies and the daemon runs.
# They run in the build folder of tests/. BAYD_WITH="valgrind ..." runs the daemon under
# something.
# shellcheck shell=sh
set -u
umask 022

built=$(cd ../container && pwd) || exit 99
built_plugins=$PWD/support/plugins
work=$(mktemp -d "${TMPDIR:-/tmp}/bay-system-XXXXXX") || exit 99
bayd=
case=
told=
status=
cases=0
failures=0

# A crash is to look as it does without a sanitizer.
ASAN_OPTIONS="handle_segv=0:${ASAN_OPTIONS-}"
TSAN_OPTIONS="handle_segv=0:${TSAN_OPTIONS-}"
export ASAN_OPTIONS TSAN_OPTIONS

cleanup() {
	[ -z "$bayd" ] || kill -KILL "$bayd" 2>/dev/null
	rm -rf "$work"
}
trap cleanup EXIT

fail() {
	echo "FAIL: $case: $*"
	failures=$((failures + 1))
	[ ! -f "$dir/out" ] || head -n 20 "$dir/out" | sed 's/^/  out: /'
	[ ! -f "$dir/err" ] || head -n 20 "$dir/err" | sed 's/^/  err: /'
	# The log once a case: what follows is mostly the consequence.
	[ "$told" != "$case" ] || return
	told=$case
	[ ! -f "$dir/bayd.err" ] || tail -n 40 "$dir/bayd.err" | sed 's/^/  bayd: /'
}

# A sanitizer that has something to say does not end every process that it says it of.
sanitizers_are_silent() {
	for file in "$dir/bayd.err" "$dir/bayd.out" "$dir/err"; do
		[ -f "$file" ] || continue
		! grep -m 1 -A 30 'ERROR: [A-Za-z]*Sanitizer\|WARNING: ThreadSanitizer\|: runtime error: ' "$file" ||
			fail 'a sanitizer complains'
	done
}

# begin TEXT: a new case. A daemon that the one before left is an error of that one.
begin() {
	[ -z "$case" ] || sanitizers_are_silent
	if [ -n "$bayd" ]; then
		fail 'its daemon still runs'
		kill -KILL "$bayd" 2>/dev/null
		wait "$bayd" 2>/dev/null
		bayd=
	fi
	case=$1
	cases=$((cases + 1))
	dir=$work/$cases
	mkdir -p "$dir/plugins"
}

# finish: the end of the test.
finish() {
	begin 'the end'
	echo "$((cases - 1)) cases, $failures failures"
	[ "$failures" -eq 0 ]
	exit
}

# plugin NAME [AS]: puts a test plugin into the plugin directory.
plugin() {
	cp "$built_plugins/$1.so" "$dir/plugins/.new" &&
		mv "$dir/plugins/.new" "$dir/plugins/${2-$1}.so" || fail "no plugin $1"
}

# ini: the configuration, from standard input, behind the keys that all tests want.
ini() {
	{
		printf '[container]\nloops = 2\nlog_level = debug\n'
		cat
	} >"$dir/bay.ini"
}

# install_tree ROOT: what is built, installed below the directory, by one test at a time. The
# make that runs the tests has nothing to do with it.
install_tree() {
	(
		unset MAKEFLAGS MFLAGS MAKELEVEL DESTDIR
		flock 9 && cd "$built/.." && make install DESTDIR="$1"
	) 9<"$built" >"$dir/make.out" 2>&1 && return
	fail 'make install'
	tail -n 20 "$dir/make.out"
}

# unless_installing COMMAND...: which links libbay-test.so of the build tree, runs with it or reads it.
# Installing takes that away for a moment, to link it anew.
unless_installing() { flock -s -o "$built" "$@"; }

# configured NAME: what configure has found for it.
configured() { echo "@$1@" | (cd "$built/.." && ./config.status -q --file=-); }

# not_with_sanitizer WHY: the test says nothing of memory or threads, and takes long with one.
not_with_sanitizer() {
	[ -n "$(configured SANITIZER_CFLAGS)" ] || return 0
	echo "SKIP: $(basename "$0" .sh) with a sanitizer: $1"
	exit 77
}

# installed DIRECTORY[/REST]: where that is, by the name that configure has for it.
installed() {
	(
		cd "$built/.." || exit
		for name in prefix exec_prefix datarootdir datadir PACKAGE_TARNAME "${1%%/*}"; do
			echo "$name=\"@$name@\""
		done | ./config.status -q --file=- >"$work/directories"
		. "$work/directories"
		eval "echo \"\$${1%%/*}${1#"${1%%/*}"}\""
	)
}

# wait_until WHAT COMMAND...: until the command succeeds; a failure after 30 s.
wait_until() {
	what=$1
	shift
	tries=600
	until "$@"; do
		tries=$((tries - 1))
		if [ "$tries" -eq 0 ]; then
			fail "waited in vain until $what"
			return 1
		fi
		pause
	done
}

# Between two looks at a state.
pause() { sleep 0.05; }

# launch: begins the start of the daemon.
launch() {
	# shellcheck disable=SC2086
	(cd "$dir" && exec ${BAYD_WITH-} "$built/bayd" -c bay.ini >bayd.out 2>bayd.err) &
	bayd=$!
}

# start: starts the daemon and waits until it is ready.
start() {
	launch
	wait_until 'the daemon is ready' is_ready_or_gone
	daemon_runs || fail 'the daemon did not start'
}

# expect_exit CODE: waits for the end of the daemon, which has this exit code.
expect_exit() {
	wait "$bayd"
	status=$?
	bayd=
	[ "$status" -eq "$1" ] || fail "bayd ended with $status, not $1"
}

# stop: stops it and looks whether anything is left.
stop() {
	children=$(children_of_bayd)
	kill -TERM "$bayd" || fail 'the daemon is gone'
	expect_exit 0
	leaves_nothing "$children"
}

# leaves_nothing PIDS: none of the processes is there, nor a file of the daemon's.
leaves_nothing() {
	for pid in $1; do
		! kill -0 "$pid" 2>/dev/null || fail "process $pid is left"
	done
	[ ! -e "$dir/run" ] || fail "left in run: $(ls -AR "$dir/run")"
}

daemon_runs() { [ -n "$bayd" ] && kill -0 "$bayd" 2>/dev/null; }

state_of_bayd() {
	ctl_quiet info --json | grep -o '"state": *"[a-z]*"' | head -n 1 | grep -o '[a-z]*"$' | tr -d '"'
}

is_ready_or_gone() { [ "$(state_of_bayd)" = ready ] || ! daemon_runs; }

# The processes that the daemon has started.
children_of_bayd() { cat "/proc/$bayd/task/$bayd/children"; }

# cell_pid: the process of the cell main.
cell_pid() { field_of_cell pid; }
field_of_cell() {
	ctl_quiet info --json | tr -d '\n' | grep -o '"cells": *\[[^]]*\]' |
		grep -o "\"$1\": *\"*[a-z0-9]*" | grep -o '[a-z0-9]*$'
}

# state_of SERVICE
state_of() { field_of "$1" state; }

# field_of SERVICE FIELD: a word or number.
field_of() {
	ctl_quiet status "$1" --json | tr -d '\n' | grep -o "\"$2\": *\"*[a-z0-9]*" | head -n 1 |
		grep -o '[a-z0-9]*$'
}

is_state() { [ "$(state_of "$1")" = "$2" ]; }
# Of plugins that know echo.
is_answered() { [ "$(ctl_quiet call "$1" 'echo here')" = here ]; }

# cell_is NAME FIELD: of the cell of this name; nothing if there is none.
cell_is() {
	ctl_quiet info --json | tr -d ' \n' | grep -o "{\"name\":\"$1\"[^}]*}" |
		grep -o "\"$2\":\"*[a-z0-9]*" | grep -o '[a-z0-9]*$'
}
# is_another NAME PID: it serves in another process than that.
is_another() { [ -n "$(cell_is "$1" pid)" ] && [ "$(cell_is "$1" pid)" != "$2" ] && [ "$(cell_is "$1" state)" = ready ]; }

# ctl ARGUMENT...: bayctl; its status is $status, its output $dir/out and $dir/err.
ctl() {
	"$built/bayctl" -s "$dir/run/control.sock" "$@" >"$dir/out" 2>"$dir/err" </dev/null
	status=$?
}

# The same without a trace, its output on standard output.
ctl_quiet() { "$built/bayctl" -s "$dir/run/control.sock" "$@" 2>/dev/null </dev/null; }

# ctl_behind FILE ARGUMENT...: bayctl beside the test, its process is $call, all that it says
# comes into the file.
ctl_behind() {
	file=$1
	shift
	# What an earlier one has said would be taken for its words.
	: >"$dir/$file"
	"$built/bayctl" -s "$dir/run/control.sock" "$@" >"$dir/$file" 2>&1 </dev/null &
	# shellcheck disable=SC2034
	call=$!
}

# check [OPTION...]: bayd -t; status and output as of ctl.
check() {
	(cd "$dir" && "$built/bayd" -t -c bay.ini "$@" >out 2>err </dev/null)
	status=$?
}

status_is() { [ "$status" -eq "$1" ] || fail "status $status, not $1"; }

# says TEXT, complains TEXT, logs TEXT: on standard output, on standard error, in the log.
says() { grep -qF -- "$1" "$dir/out" || fail "does not say: $1"; }
complains() { grep -qF -- "$1" "$dir/err" || fail "does not complain: $1"; }
logs() { grep -qF -- "$1" "$dir/bayd.err" || fail "does not log: $1"; }
has_logged() { grep -qF -- "$1" "$dir/bayd.err"; }
