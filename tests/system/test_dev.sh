#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# bayctl dev: what is saved is compiled, examined and served; what is not in order leaves the one
# before serving; and whatever ends it, nothing is left.
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"

unset MAKEFLAGS MFLAGS MAKELEVEL CFLAGS PKG_CONFIG_PATH
CC=$(configured CC)
export CC
dev=

# source TEXT [SETUP]: x.c, saved by a rename as editors do: a plugin that replies with the
# text and what it was called with, and whose init runs the setup.
source_is() {
	cat >"$dir/.x.c.new" <<END
#include <bay/bay.h>

struct settings { const char *end; };

static const struct bay_setting settings[] = {
	BAY_STRING(struct settings, end, "end", ".", "what comes last"),
	BAY_END
};

static int
init(struct bay_instance *instance)
{
	(void)instance;
	${2-}
	return BAY_OK;
}

static int
handle(struct bay_request *request)
{
	const struct settings *set = bay_settings(request);

	return bay_reply_printf(request, "$1 %s%s", bay_request_text(request), set->end);
}

BAY_PLUGIN(x, "1", .settings = settings, .init = init, .handle = handle);
END
	mv "$dir/.x.c.new" "$dir/x.c"
}

# dev ARGUMENT...: starts it, with a pipe as standard input (descriptor 8).
dev() {
	mkdir -p "$dir/tmp"
	: >"$dir/out"
	: >"$dir/err"
	[ -p "$dir/in" ] || mkfifo "$dir/in"
	(cd "$dir" && TMPDIR=$dir/tmp exec "$built/bayctl" dev "$@" <in >out 2>err 8>&-) &
	dev=$!
	exec 8>"$dir/in"
}

types() { echo "$1" >&8; }
has_said() { grep -qF -e "$1" "$dir/out"; }
has_complained() { grep -qF -e "$1" "$dir/err"; }
# has_compiled N: times, no more.
has_compiled() { [ "$(grep -c 'x: compiling' "$dir/out")" -eq "$1" ]; }
is_gone() { ! kill -0 "$1" 2>/dev/null; }

# ends CODE [SIGNAL]: it ends, by the signal if there is one, and leaves nothing.
ends() {
	pids=$(cat "/proc/$dev/task/$dev/children" 2>/dev/null)
	for pid in $pids; do
		pids="$pids $(cat "/proc/$pid/task/$pid/children" 2>/dev/null)"
	done
	[ -z "${2-}" ] || kill "-$2" "$dev"
	exec 8>&-
	wait "$dev"
	status=$?
	[ "$status" -eq "$1" ] || fail "it ended with $status, not $1"
	for pid in $pids; do
		wait_until "process $pid is gone" is_gone "$pid"
	done
	[ -z "$(ls -A "$dir/tmp")" ] || fail "left: $(ls -A "$dir/tmp")"
}

begin 'what is saved is served, and what is wrong with it is said'
source_is first
dev x.c --call Ada
wait_until 'the first version answers' has_said 'first Ada.'
types Bob
wait_until 'what is typed is a call' has_said 'first Bob.'
source_is second
wait_until 'the second version answers' has_said 'second Ada.'
# The compiler.
source_is third 'int = no_c_at_all;'
wait_until 'the compiler is heard' has_complained "expected identifier"
wait_until 'it is said what becomes of it' has_complained 'x was not compiled'
complains 'the one before goes on serving'
types Cyd
wait_until 'the second version goes on' has_said 'second Cyd.'
# The examiner.
source_is fourth 'extern int not_there(void); return not_there();'
wait_until 'the examiner is heard' has_complained "it needs the symbol 'not_there'"
wait_until 'it is refused' has_complained 'x was refused'
types Dee
wait_until 'the second version goes on' has_said 'second Dee.'
# The plugin itself.
source_is fifth 'return bay_instance_fail(instance, BAY_FAILED, "no luck today");'
wait_until 'the plugin is heard' has_complained 'no luck today'
wait_until 'it does not start' has_complained 'x did not start'
types Eve
wait_until 'the second version goes on' has_said 'second Eve.'
# Repaired, in place.
source_is sixth
wait_until 'the repaired version answers' has_said 'sixth Ada.'
sed 's/sixth/seventh/' "$dir/x.c" >"$dir/y" && cat "$dir/y" >"$dir/x.c"
wait_until 'the version written in place answers' has_said 'seventh Ada.'
# A header counts, other files do not.
rounds=$(grep -c 'x: compiling' "$dir/out")
touch "$dir/notes.txt" "$dir/x.o" "$dir/.x.c.swp"
types Guy
wait_until 'it answers' has_said 'seventh Guy.'
has_compiled "$rounds" || fail 'other files are changes, too'
echo '#define NOTHING' >"$dir/x.h"
wait_until 'a header is a change' has_compiled $((rounds + 1))
ends 0 INT

begin 'without a version that works it waits for one'
source_is first 'int = no_c_at_all;'
dev x.c
wait_until 'it says so' has_complained 'nothing runs yet; waiting for a change of x.c'
types Ada
wait_until 'it says that there is nobody' has_complained 'nothing runs yet: the line is not answered'
source_is second
wait_until 'it is ready' has_said 'x: ready'
types Bob
wait_until 'it answers' has_said 'second Bob.'
! has_said 'second Ada' || fail 'it answers what was asked before there was anybody'
ends 0 TERM

begin 'settings come as they are given, and wrong ones are refused'
source_is first
dev x.c --set 'end= "a;b" \' --call ''
wait_until 'the setting is used' has_said 'first  "a;b" \'
ends 0 HUP
dev x.c --set 'ned=x'
wait_until 'the setting is refused' has_complained "'ned'"
wait_until 'it waits' has_complained 'nothing runs yet'
ends 0 INT

begin 'flags are the compiler'"'"'s, a Makefile makes what it can'
source_is 'WORD " "'
sed -i 's/"WORD " " /WORD " /' "$dir/x.c"
dev x.c --call Ada -- '-DWORD="a word"'
wait_until 'the flag is used' has_said 'a word Ada.'
ends 0 INT
printf 'x.so: x.c\n\t$(CC) $(shell pkg-config --cflags bay) -DWORD=\\"made\\" -shared -fPIC -o $@ $<\n' \
	>"$dir/Makefile"
dev x.c --call Ada
wait_until 'the Makefile is used' has_said 'made Ada.'
ends 0 INT
[ -f "$dir/x.so" ] || fail 'it was another one'
printf 'other: x.c\n\tfalse\n' >"$dir/Makefile"
source_is alone
dev x.c --call Ada
wait_until 'a Makefile that knows no x.so is passed over' has_said 'alone Ada.'
ends 0 INT

begin 'with --json there are objects only'
source_is first
dev --json x.c --call Ada
wait_until 'it answers' has_said '"text":"first Ada."'
source_is second 'int = no_c_at_all;'
wait_until 'it refuses' has_said '"message":"x was not compiled"'
ends 0 INT
! grep -v '^{"schema":1,.*}$' "$dir/out" | grep -q . || fail "no object: $(grep -v '^{' "$dir/out")"

begin 'a call that takes its time is in nobody'"'"'s way'
source_is first
sed -i 's/return bay_reply_printf/(void)bay_sleep(3600 * BAY_SECOND); return bay_reply_printf/' "$dir/x.c"
dev x.c --call Ada
wait_until 'it is ready' has_said 'x: ready'
source_is second
wait_until 'the next version answers' has_said 'second Ada.'
ends 0 INT

begin 'the end of the container is the end'
source_is first
dev x.c --call Ada
wait_until 'it answers' has_said 'first Ada.'
pid=$(cat "/proc/$dev/task/$dev/children")
kill -KILL ${pid:-none}
ends 1
complains 'the private bayd has ended'

begin 'its container does not outlive it'
source_is first
dev x.c --call Ada
wait_until 'it answers' has_said 'first Ada.'
pid=$(cat "/proc/$dev/task/$dev/children")
kill -KILL "$dev"
wait "$dev" 2>/dev/null
exec 8>&-
wait_until 'bayd is gone' is_gone ${pid:-none}

begin 'at a terminal there is a prompt, and ^C ends it'
if command -v script >/dev/null; then
	source_is first
	mkdir "$dir/tmp"
	: >"$dir/out"
	mkfifo "$dir/in"
	(cd "$dir" && TMPDIR=$dir/tmp exec script -qec "'$built/bayctl' dev x.c" typescript <in >out 2>err) &
	dev=$!
	exec 8>"$dir/in"
	wait_until 'there is a prompt' has_said 'x> '
	types Ada
	wait_until 'it answers' has_said 'first Ada.'
	printf '\003' >&8
	wait "$dev"
	exec 8>&-
	[ -z "$(ls -A "$dir/tmp")" ] || fail "left: $(ls -A "$dir/tmp")"
else
	echo 'SKIP: there is no script(1)'
fi

begin 'what is no source is refused'
ctl dev x.so
status_is 2
complains 'is no source of a plugin'
ctl dev "$dir/x.c"
status_is 1
complains 'No such file'
source_is first
(cd "$dir" && TMPDIR=$dir "$built/bayctl" dev x.c --set nothing >out 2>err </dev/null)
complains 'it wants KEY=VALUE'
[ -z "$(find "$dir" -name 'bay-dev-*')" ] || fail 'it left its directory'

finish
