#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Plugin files come, change and go while bayd runs, in every way in which people put files into a
# directory: each is taken once, when it is whole, and what does not work harms nothing that runs.
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"

# make_version N FILE: the plugin actor, whose reply to "text" is N with four characters.
make_version() {
	sed "s/\x00done\x00/\x00$1\x00/" "$built_plugins/actor.so" >"$2"
	! cmp -s "$built_plugins/actor.so" "$2" || fail "there is no version $1"
}

# is_version N [SERVICE]
is_version() { [ "$(ctl_quiet call "${2-actor}" text)" = "$1" ]; }

# events_of [SERVICE]: all kinds of its events, or of all, in a line.
events_of() {
	ctl_quiet events --lines 10000 --json ${1+"$1"} | grep -o '"kind": *"[a-z-]*"' |
		sed 's/.*"\([a-z-]*\)"$/\1/' | tr '\n' ' '
}

# count_events KIND: how many there are.
count_events() { events_of | tr ' ' '\n' | grep -c "^$1\$"; }
has_count() { [ "$(count_events "$1")" -eq "$2" ]; }
has_event() { ctl_quiet events --lines 10000 | grep -qF -- "$1"; }

# nothing_more: waits until a file that is put there now is told of, so that all that was there
# before it has been dealt with; and takes it away again.
witnesses=0
nothing_more() {
	witnesses=$((witnesses + 1))
	cp "$built_plugins/no_note.so" "$dir/plugins/witness$witnesses.so"
	wait_until 'the witness is seen' has_event "plugin witness$witnesses "
	rm "$dir/plugins/witness$witnesses.so"
}

one_service() {
	plugin actor
	ini <<END
plugin_dir = plugins
${1-}
[service actor]
END
	start
	wait_until 'the directory is watched' has_event 'bayd watching'
}

# --- every way to replace a file -----------------------------------------------------------

# replaced_by WAY COMMAND...: the command puts new.so in the place of plugins/actor.so.
replaced_by() {
	way=$1
	shift
	number=$((number + 1))
	version=v$(printf %03d "$number")
	make_version "$version" "$dir/new.so"
	(cd "$dir" && "$@") || fail "$way does not work"
	wait_until "the file that came by $way serves" is_version "$version"
	wait_until "one change by $way" has_count swapped "$number"
}

rename_over() { cp new.so plugins/.part && mv plugins/.part plugins/actor.so; }
temporary_name() { cp new.so plugins/actor.so.tmp && mv plugins/actor.so.tmp plugins/actor.so; }
overwrite() { cat new.so >plugins/actor.so; }
copy() { cp new.so plugins/actor.so; }
copy_with_time() { cp -p new.so plugins/actor.so; }
remove_first() { rm plugins/actor.so && cp new.so plugins/actor.so; }
hard_link() { cp new.so linked.so && rm plugins/actor.so && ln linked.so plugins/actor.so; }
install_it() { install -m 0755 new.so plugins/actor.so; }
move_from_elsewhere() { mv new.so plugins/actor.so; }
in_pieces() {
	split -b 16384 new.so piece.
	began=$(date +%s%N)
	: >plugins/actor.so
	for piece in piece.*; do cat "$piece" >>plugins/actor.so; done
	# Who leaves half a file alone for that long gets it refused, and a busy machine may make anybody.
	[ $((($(date +%s%N) - began) / 1000000)) -lt 150 ] || : >paused
	rm piece.*
}

all_ways() {
	number=0
	replaced_by 'rename over' rename_over
	replaced_by 'a temporary name' temporary_name
	replaced_by 'overwriting in place' overwrite
	replaced_by cp copy
	replaced_by 'cp -p' copy_with_time
	replaced_by 'rm and cp' remove_first
	replaced_by ln hard_link
	replaced_by install install_it
	replaced_by mv move_from_elsewhere
	replaced_by 'pieces' in_pieces
	! command -v rsync >/dev/null ||
		replaced_by rsync rsync --checksum new.so plugins/actor.so
	command -v strip >/dev/null && before=$(wc -c <"$dir/plugins/actor.so") &&
		strip --strip-debug "$dir/plugins/actor.so" && [ "$(wc -c <"$dir/plugins/actor.so")" -lt "$before" ] &&
		number=$((number + 1)) && wait_until 'strip is one change' has_count swapped "$number"
	nothing_more
	has_count swapped "$number" || fail "$(count_events swapped) swaps, not $number: $(events_of actor)"
	[ -e "$dir/paused" ] || [ "$(count_events refused)" = 0 ] || fail "something was refused: $(events_of)"
}

begin 'a file that is replaced is taken once, in whatever way it comes'
one_service
all_ways
stop

begin 'the same where nobody tells of changes'
one_service 'watch = poll'
has_event 'by a look twice a second, as watch = poll asks for' || fail 'it does not say how it looks'
all_ways
stop

begin 'a linker is one change'
if command -v "${CC:-cc}" >/dev/null; then
	plugin actor
	ini <<'END'
[service linked]
[service actor]
END
	cat >"$dir/linked.c" <<'END'
#include <bay/bay.h>
static int
handle(struct bay_request *request)
{
	return bay_reply(request, VERSION, sizeof(VERSION) - 1);
}
BAY_PLUGIN(linked, VERSION, .handle = handle);
END
	link_it() {
		"${CC:-cc}" -shared -fPIC -DVERSION="\"$1\"" -I"$srcdir/../container/include" \
			-o "$dir/plugins/linked.so" "$dir/linked.c" 2>"$dir/err" || fail 'it is not linked'
	}
	answers_linked() { [ "$(ctl_quiet call linked)" = "$1" ]; }
	start
	[ "$(state_of linked)" = failed ] || fail 'it runs without a file'
	link_it 1.0
	wait_until 'it runs' answers_linked 1.0
	link_it 1.1
	wait_until 'it is another one' answers_linked 1.1
	nothing_more
	has_count swapped 1 || fail "other events: $(events_of linked)"
	stop
else
	echo 'SKIP: a linker: there is no compiler'
fi

begin 'what is no change is none: touch, chmod, another name for it'
one_service
loaded=$(events_of actor)
touch "$dir/plugins/actor.so"
chmod 0700 "$dir/plugins/actor.so"
ln "$dir/plugins/actor.so" "$dir/elsewhere.so"
cp "$built_plugins/actor.so" "$dir/plugins/.hidden.so"
cp "$built_plugins/actor.so" "$dir/plugins/actor.so.bak"
cp "$built_plugins/actor.so" "$dir/plugins/actor.so~"
nothing_more
[ "$(events_of actor)" = "$loaded" ] || fail "other events: $(events_of actor)"
# The witness only.
[ "$(count_events dropped-in)" = 1 ] || fail "something was taken: $(events_of)"
stop

# --- half a file ---------------------------------------------------------------------------

begin 'half a file is not tried while it is written, and is refused until it is completed'
one_service
size=$(wc -c <"$built_plugins/actor.so")
make_version half "$dir/new.so"
# Held open: nobody can tell that it is whole.
exec 9>"$dir/plugins/actor.so"
head -c $((size / 2)) "$dir/new.so" >&9
nothing_more
[ "$(count_events refused)" = 0 ] || fail "half a file was tried: $(events_of actor)"
is_version 'done' || fail 'what ran does not serve'
tail -c +$((size / 2 + 1)) "$dir/new.so" >&9
exec 9>&-
wait_until 'the whole file serves' is_version half
[ "$(count_events refused)" = 0 ] || fail "half a file was tried: $(events_of actor)"
# Left behind at some length, by a copy that died. Each is another refusal.
refused=0
last=half
for cut in 1 $((size / 7)) $((size / 3)) $((size / 2 + 13)) $((size * 4 / 5)) $((size - 1)); do
	next=c$(printf %03d "$refused")
	make_version "$next" "$dir/new.so"
	head -c "$cut" "$dir/new.so" >"$dir/plugins/actor.so"
	refused=$((refused + 1))
	wait_until "a file cut at $cut is refused" has_count refused "$refused"
	is_version "$last" || fail 'what ran does not serve'
	cat "$dir/new.so" >"$dir/plugins/actor.so"
	last=$next
	wait_until 'the completed file serves' is_version "$last"
done
stop

# --- bad files -----------------------------------------------------------------------------

begin 'a bad file is an event, and what ran goes on'
one_service
refused=0
# bad NAME TEXT: that plugin is refused, with the reason.
bad() {
	plugin "$1" actor
	refused=$((refused + 1))
	wait_until "$1 is refused" has_count refused "$refused"
	has_event "$2" || fail "no reason: $2: $(ctl_quiet events -n 1)"
	is_version 'done' || fail "what ran does not serve beside $1"
}
bad no_note 'note'
bad abi_major 'ABI'
bad crashes 'SIGSEGV'
bad exits 'exit'
bad undefined 'it needs the symbol'
bad bad_settings 'setting'
bad unknown_flag 'flag'
: >"$dir/plugins/actor.so"
wait_until 'an empty file is refused' has_event 'it is empty'
refused=$((refused + 1))
ln -sf "$built_plugins/actor.so" "$dir/plugins/actor.so"
wait_until 'a link is refused' has_event 'it is a symbolic link: put the file itself there'
refused=$((refused + 1))
rm "$dir/plugins/actor.so"
mkdir "$dir/plugins/actor.so"
wait_until 'a directory is refused' has_event 'it is a directory'
refused=$((refused + 1))
rmdir "$dir/plugins/actor.so"
make_version open "$dir/plugins/.new"
chmod 0666 "$dir/plugins/.new"
mv "$dir/plugins/.new" "$dir/plugins/actor.so"
wait_until 'a file that all may write is refused' has_event 'can be written by everybody: chmod o-w it'
refused=$((refused + 1))
is_version 'done' || fail 'what ran does not serve'
nothing_more
has_count refused "$refused" || fail "tried more than once: $(events_of)"
# The same file, mended.
chmod 0644 "$dir/plugins/actor.so"
wait_until 'the mended file serves' is_version open
[ "$(field_of actor restarts)" = 0 ] || fail 'it was started again by itself'
stop

begin 'code that does not start is put back'
one_service
make_version good "$dir/new.so"
(cd "$dir" && rename_over)
wait_until 'it serves' is_version good
# The setting that it begins with is one that fails; only a new generation reads it.
sed 's/\x00well\x00/\x00fail\x00/' "$built_plugins/actor.so" >"$dir/new.so"
! cmp -s "$dir/new.so" "$built_plugins/actor.so" || fail 'there is no file that fails'
(cd "$dir" && rename_over)
wait_until 'the former is back' has_count rolled-back 1
wait_until 'it serves' is_version good
[ "$(count_events stopped)" = 0 ] || fail 'it was stopped for that'
[ "$(field_of actor restarts)" = 0 ] || fail 'it was started again'
logs 'service actor: rolled-back by watch: generation '
stop

begin 'a file that may not be read is told, and taken when it may be'
if [ "$(id -u)" -ne 0 ]; then
	one_service
	make_version read "$dir/new.so"
	chmod 0 "$dir/new.so"
	mv "$dir/new.so" "$dir/plugins/actor.so"
	wait_until 'it is told' has_event 'Permission denied'
	chmod 0600 "$dir/plugins/actor.so"
	wait_until 'it serves' is_version read
	stop
else
	echo 'SKIP: a file that may not be read: root may read all'
fi

begin 'without descriptors a file waits until there are some'
if command -v prlimit >/dev/null; then
	one_service
	make_version late "$dir/new.so"
	prlimit --pid "$bayd" --nofile=12:
	(cd "$dir" && rename_over)
	wait_until 'it is told' has_logged 'Too many open files'
	prlimit --pid "$bayd" --nofile=1024:
	is_version 'done' || is_version late || fail 'what ran does not serve'
	wait_until 'it serves' is_version late
	stop
else
	echo 'SKIP: without descriptors: there is no prlimit'
fi

begin 'the file of somebody else is refused'
if [ "$(id -u)" -eq 0 ]; then
	one_service
	make_version mine "$dir/new.so"
	chown 12345 "$dir/new.so"
	mv "$dir/new.so" "$dir/plugins/actor.so"
	wait_until 'it is told' has_event 'belongs to user 12345, who could put other code there: chown it'
	is_version 'done' || fail 'what ran does not serve'
	chown 0 "$dir/plugins/actor.so"
	wait_until 'it serves' is_version mine
	stop
else
	echo 'SKIP: the file of somebody else: only root can make one'
fi

# --- files that come and go ----------------------------------------------------------------

begin 'a service whose plugin was missing starts when it comes'
plugin actor
ini <<'END'
[service actor]
[service late]
[service disabled]
plugin = late
enabled = no
END
start
[ "$(state_of late)" = failed ] || fail 'it runs without a file'
plugin actor late
wait_until 'it runs' is_version 'done' late
[ "$(state_of disabled)" = stopped ] || fail 'the disabled one runs'
ctl stop late
make_version next "$dir/plugins/late.so"
nothing_more
[ "$(state_of late)" = stopped ] || fail 'what was stopped by hand was started'
ctl start late
is_version next late || fail 'it was started with the old file'
stop

begin 'a file that no section names is let be without autoload'
one_service
plugin actor other
wait_until 'it is told' has_event 'plugin other dropped-in by watch: no service names it, and autoload is off'
ctl status other
status_is 4
stop

begin 'with autoload it becomes a service of its name, until it is removed'
plugin actor
plugin actor before
ini <<'END'
autoload = yes
[service actor]
END
start
wait_until 'what was there before runs' is_version 'done' before
plugin actor other
wait_until 'it runs' is_version 'done' other
ctl status other
says autoload
make_version next "$dir/new.so"
mv "$dir/new.so" "$dir/plugins/other.so"
wait_until 'its new code serves' is_version next other
# Drained: what it has been asked is answered first.
ctl_behind call call other "until $dir/end"
wait_until 'the call is under way' eval '[ "$(field_of other in_flight)" = 1 ]'
rm "$dir/plugins/other.so"
wait_until 'it drains' is_state other stopping
touch "$dir/end"
wait_until 'it is removed' has_count removed 1
wait "$call" || fail "its last call failed: $(cat "$dir/call")"
ctl status other
status_is 4
[ "$(events_of other)" = 'added started swapped file-gone stopped removed ' ] ||
	fail "other events: $(events_of other)"
plugin actor other
wait_until 'it is back' is_version 'done' other
# A reload lets it be, until a section names it.
ctl reload
status_is 0
is_version 'done' other || fail 'a reload has ended it'
printf '[service other]\nplugin = actor\ntext = "told"\n' >>"$dir/bay.ini"
ctl reload
status_is 0
is_version told other || fail 'it is not as its section says'
rm "$dir/plugins/other.so"
# An invalid name, and one that is taken by a service with another plugin.
plugin actor 'bad name'
wait_until 'a bad name is told' has_event 'no service can be called as this file is'
stop

begin 'the file of a configured service goes, and it runs on'
one_service
rm "$dir/plugins/actor.so"
wait_until 'it is told' has_count file-gone 1
ctl list
says 'its plugin file is gone'
ctl status actor
says 'its plugin file is gone'
is_version 'done' || fail 'it does not run on'
plugin actor
wait_until 'it is told' has_count file-back 1
ctl list
! grep -q 'file is gone' "$dir/out" || fail 'it is still called gone'
[ "$(count_events swapped)" = 0 ] || fail 'the same file was swapped'
stop

begin 'the directory goes and comes back, and what ran does not notice'
plugin actor
ini <<'END'
autoload = yes
[service actor]
END
start
plugin actor other
wait_until 'it runs' is_version 'done' other
mv "$dir/plugins" "$dir/away"
wait_until 'it is told' has_event 'No such file or directory; what runs goes on'
is_version 'done' || fail 'it does not run'
is_version 'done' other || fail 'the other does not run'
mv "$dir/away" "$dir/plugins"
wait_until 'it is watched again' has_count watching 2
plugin actor third
wait_until 'a third one runs' is_version 'done' third
[ "$(count_events removed)$(count_events swapped)$(count_events file-gone)" = 000 ] ||
	fail "something was touched: $(events_of)"
# Another directory in its place, in which one is missing.
cp -r "$dir/plugins" "$dir/other"
rm "$dir/other/third.so"
mv "$dir/plugins" "$dir/away"
mv "$dir/other" "$dir/plugins"
wait_until 'the third is gone' has_count removed 1
is_version 'done' other || fail 'the other does not run'
stop

begin 'nothing is watched with watch = no'
plugin actor
ini <<'END'
watch = no
[service actor]
END
start
make_version next "$dir/new.so"
mv "$dir/new.so" "$dir/plugins/actor.so"
ctl restart actor
is_version next || fail 'the restart did not take it'
[ "$(count_events watching)" = 0 ] || fail 'it is watched'
stop

# --- the configuration ---------------------------------------------------------------------

# timeout_is SECONDS: of the service actor.
timeout_is() { ctl_quiet show actor timeout | grep -qw "$1"; }
has_reloaded() { [ "$(count_events reloaded)" -eq "$1" ]; }

with_includes() {
	plugin actor
	mkdir "$dir/conf.d"
	ini <<END
include = conf.d/*.ini
[service actor]
timeout = 5s
END
	start
	wait_until 'the files are watched' has_event 'configuration files in'
}

begin 'a changed configuration is taken by itself'
with_includes
sed -i 's/^timeout = .*/timeout = 6s/' "$dir/bay.ini"
wait_until 'the key is taken' timeout_is 6s
has_event 'bayd reloaded by watch: reload by watch' || fail 'it does not say who asked'
printf '[service other]\nplugin = actor\n' >"$dir/conf.d/other.ini"
wait_until 'the new service runs' is_version 'done' other
rm "$dir/conf.d/other.ini"
is_gone() { ctl_quiet status other >/dev/null; [ $? -eq 4 ]; }
wait_until 'it is gone' is_gone
# What is set back by hand is not undone by the files, which have not changed.
ctl rollback --config 1
status_is 0
timeout_is 5s || fail 'it is not back'
printf '; a comment\n' >"$dir/conf.d/unrelated.txt"
nothing_more
timeout_is 5s || fail 'the file was taken again'
stop

begin 'a configuration that is wrong, empty or gone is told, and nothing changes'
with_includes
cp "$dir/bay.ini" "$dir/good.ini"
refused=0
# harmless WHAT: one more refusal, and all goes on.
harmless() {
	refused=$((refused + 1))
	wait_until "$1 is refused" has_count refused "$refused"
	timeout_is 5s || fail "$1 was taken"
	is_version 'done' || fail "it does not serve beside $1"
}
sed -i 's/^timeout = .*/timeout = never/' "$dir/bay.ini"
harmless 'a wrong value'
has_event "timeout = 'never'" || fail 'no reason'
: >"$dir/bay.ini"
harmless 'an empty file'
printf '[service actor]\ntimeout = 9s\n' >"$dir/bay.ini"
harmless 'one that has lost [container]'
rm "$dir/bay.ini"
harmless 'a missing file'
sed 's/^timeout = .*/timeout = 7s/' "$dir/good.ini" >"$dir/.new"
mv "$dir/.new" "$dir/bay.ini"
wait_until 'the mended one is taken' timeout_is 7s
stop

# --- a burst -------------------------------------------------------------------------------

burst=500
# A sanitizer makes each one dear.
[ -z "$(configured SANITIZER_CFLAGS)" ] || burst=100
burst=${BURST-$burst}
begin "a burst of $burst files settles, and starves nobody"
plugin actor
ini <<'END'
autoload = yes
log_level = info
[service actor]
END
sed -i '/^log_level = debug$/d' "$dir/bay.ini"
start
ctl_behind calls call actor 'echo x' --repeat 2000 --concurrency 2 --json
caller=$call
i=0
while [ "$i" -lt "$burst" ]; do
	i=$((i + 1))
	cp "$built_plugins/good.so" "$dir/plugins/.part" && mv "$dir/plugins/.part" "$dir/plugins/b$i.so"
done
all_run() { [ "$(ctl_quiet list | grep -c '^b[0-9]* *ready')" -eq "$burst" ]; }
wait_until 'all of them run' all_run
wait "$caller" || fail "calls failed: $(cat "$dir/calls")"
has_count added "$burst" || fail "$(count_events added) were added"
is_version 'done' || fail 'the other does not serve'
rm "$dir"/plugins/b*.so
# A list that does not come in time has none either.
none_runs() { ctl_quiet list >"$dir/listed" && ! grep -q '^b[0-9]* ' "$dir/listed"; }
wait_until 'none of them is left' none_runs
no_copies() { [ -z "$(find "$dir/run/images" -name 'b*')" ]; }
wait_until 'no copies of what is gone are left' no_copies
stop

finish
