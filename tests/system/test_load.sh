#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Plugin files that are loaded and unloaded by hand.
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"

# put FILE PLUGIN [MARK]: the file is this from now on; a mark makes it another one.
put() {
	mkdir -p "$(dirname "$dir/$1")"
	cp "$built_plugins/$2.so" "$dir/$1.new"
	[ -z "${3-}" ] || printf '%s' "$3" >>"$dir/$1.new"
	mv "$dir/$1.new" "$dir/$1"
}

# ctl_in DIRECTORY ARGUMENT...: as ctl, from there.
ctl_in() {
	where=$1
	shift
	(cd "$dir/$where" && exec "$built/bayctl" -s "$dir/run/control.sock" "$@" >"$dir/out" 2>"$dir/err" </dev/null)
	status=$?
}

answers_with() { [ "$(ctl_quiet call "$1" "$2")" = "$3" ]; }
expect_answer() { answers_with "$@" || fail "$1 answers $(ctl_quiet call "$1" "$2"), not $3"; }
is_gone() { ! ctl_quiet list -q | grep -q "^$1 "; }
expect_gone() { is_gone "$1" || fail "$1 is still there: $(ctl_quiet list)"; }

begin 'a plugin file from anywhere runs as a service of its name'
put elsewhere/actor.so actor
ini <<'END'
END
start
ctl_in elsewhere load ./actor.so --set text=hello --set concurrency=3
status_is 0
says "actor: ready: actor 1.0.0 from $dir/elsewhere/actor.so"
expect_answer actor text hello
[ "$(field_of actor concurrency)" = 3 ] || fail "concurrency is $(field_of actor concurrency)"
ctl list
says 'loaded by hand'
ctl status actor
says "file: $dir/elsewhere/actor.so"
says 'config: loaded by hand'
ctl show actor
says "$dir/elsewhere/actor.so"
says "user $(id -u), process "
ctl list --json
says '"origin":"load"'
ctl events actor
says "actor added by user $(id -u), process "
says "by hand, from $dir/elsewhere/actor.so"
case='it goes through restarts, crashes, and reloads of the configuration'
ctl call actor crash
wait_until 'it is there again' answers_with actor text hello
ctl restart actor
status_is 0
ini <<'END'
max_depth = 63
END
ctl reload
status_is 0
expect_answer actor text hello
ctl pause actor
says 'actor: paused'
ctl resume actor
case='a second one, of another name, and one of the same'
ctl load "$dir/elsewhere/actor.so" --as second --json
status_is 0
says '"service":"second"'
expect_answer second text 'done'
ctl load "$dir/elsewhere/actor.so"
status_is 1
complains "there is a service actor already, which was loaded from $dir/elsewhere/actor.so"
case='all services of the plugin are unloaded'
ctl unload actor
status_is 0
says 'actor: removed'
says 'second: removed'
expect_gone actor
expect_gone second
ctl call actor text
status_is 4
ctl events actor
says 'removed by user'
ctl unload actor
status_is 4
complains 'no service runs a plugin actor'
case='it can be loaded again'
ctl load "$dir/elsewhere/actor.so"
status_is 0
expect_answer actor text 'done'
case='another bayd knows nothing of it'
stop
start
expect_gone actor
stop

begin 'what runs is a copy, and reload takes the file as it is'
put elsewhere/swaps.so swaps_1
ini <<'END'
END
start
ctl load "$dir/elsewhere/swaps.so" --set probation=0
status_is 0
expect_answer swaps version 1
put elsewhere/swaps.so swaps_2
expect_answer swaps version 1
ctl reload swaps
status_is 0
says '(2) serves'
expect_answer swaps version 2
ctl rollback swaps
status_is 0
expect_answer swaps version 1
rm "$dir/elsewhere/swaps.so"
ctl reload swaps
status_is 5
expect_answer swaps version 1
stop

begin 'what must not be loaded is refused, and nothing is left of it'
put elsewhere/actor.so actor
put elsewhere/link.so no_note
put elsewhere/crashes.so crashes
put elsewhere/text.txt actor
put 'elsewhere/a b.so' actor
put open/actor.so actor
chmod 777 "$dir/open"
ln -sf actor.so "$dir/elsewhere/link.so"
mkdir "$dir/elsewhere/directory.so"
plugin actor
ini <<'END'
[service taken]
plugin = actor
END
start
# refuses STATUS TEXT ARGUMENT...
refuses() {
	expected=$1
	text=$2
	shift 2
	ctl load "$@"
	status_is "$expected"
	complains "$text"
	[ "$(ctl_quiet list -q | wc -l)" -eq 1 ] || fail "there is more than before: $(ctl_quiet list)"
}
refuses 5 'it cannot be opened: No such file' "$dir/elsewhere/nothing.so"
refuses 5 'cannot be opened: No such file' "$dir/nowhere/actor.so"
refuses 5 'it is a symbolic link' "$dir/elsewhere/link.so"
refuses 5 'it is a directory' "$dir/elsewhere/directory.so"
refuses 5 'can be written by everybody: chmod o-w it [plugin-place]' "$dir/open/actor.so"
refuses 5 'ends with .so' "$dir/elsewhere/text.txt"
refuses 5 'no plugin can be called as this file is' "$dir/elsewhere/a b.so"
refuses 5 'crashes' "$dir/elsewhere/crashes.so"
refuses 5 'no service can have the name' "$dir/elsewhere/actor.so" --as 'a b'
refuses 1 'there is a service taken already, with plugin actor, by bay.ini:' "$dir/elsewhere/actor.so" --as taken
refuses 5 'nonsense' "$dir/elsewhere/actor.so" --set nonsense=1
refuses 5 'level' "$dir/elsewhere/actor.so" --set level=77
refuses 5 'concurrency' "$dir/elsewhere/actor.so" --set concurrency=many
refuses 5 'plugin: the file says which' "$dir/elsewhere/actor.so" --set plugin=other
refuses 5 'after: what is loaded by hand has no place' "$dir/elsewhere/actor.so" --set after=taken
refuses 5 'given as KEY=VALUE' "$dir/elsewhere/actor.so" --set level
ctl load "$dir/elsewhere/actor.so" --set init=fail
status_is 1
complains 'service actor: init failed'
wait_until 'nothing is left of it' is_gone actor
ctl load "$dir/elsewhere/actor.so" --set init=crash
status_is 1
wait_until 'nothing is left of it' is_gone actor
ctl load "$dir/elsewhere/actor.so"
status_is 0
expect_answer actor text 'done'
ctl load
status_is 2
stop

begin 'a section of its name takes it over'
put elsewhere/swaps.so swaps_1
plugin swaps_2 swaps
ini <<'END'
END
start
ctl load "$dir/elsewhere/swaps.so"
expect_answer swaps version 1
ini <<'END'
[service swaps]
plugin = nothing
END
ctl reload
status_is 5
expect_answer swaps version 1
ini <<'END'
[service swaps]
END
ctl reload
status_is 0
expect_answer swaps version 2
ctl status swaps
says 'bay.ini:'
ctl unload swaps
status_is 1
complains 'plugin swaps is held by the configuration: service swaps ('
complains 'bay.ini:'
complains '; ready, 0 running, 0 queued)'
complains 'bayctl disable swaps ends a service'
expect_answer swaps version 2
stop

begin 'a dropped file of its name leaves it alone'
put elsewhere/swaps.so swaps_1
ini <<'END'
autoload = yes
[service section]
plugin = actor
END
plugin actor
start
ctl load "$dir/elsewhere/swaps.so"
put elsewhere/actor.so actor
ctl load "$dir/elsewhere/actor.so" --as mine --set text=mine
generation=$(field_of mine generation)
plugin swaps_2 swaps
wait_until 'the file is refused' has_logged "there is a service swaps already, which was loaded from $dir/elsewhere/swaps.so"
expect_answer swaps version 1
printf x >>"$dir/plugins/actor.so"
actor_is_swapped() { [ "$(field_of section generation)" != 1 ]; }
wait_until 'the other is swapped' actor_is_swapped
[ "$(field_of mine generation)" = "$generation" ] || fail 'it was swapped with a file that is not its own'
rm "$dir/plugins/swaps.so" "$dir/plugins/actor.so"
wait_until 'that is seen' has_logged 'it goes on running, but cannot start again before a file is there'
expect_answer swaps version 1
expect_answer mine text mine
case='what autoload has made is unloaded, too, and comes with the next file'
plugin swaps_2 auto
wait_until 'it is there' answers_with auto version 2
ctl load "$dir/elsewhere/swaps.so" --as auto
status_is 1
complains 'there is a service auto already, by autoload of auto'
ctl unload auto
status_is 0
says 'auto: removed'
expect_gone auto
plugin swaps_1 auto
wait_until 'it is there again' answers_with auto version 1
stop

begin 'an unload drains, and goes on when that takes longer'
put elsewhere/actor.so actor
put elsewhere/swaps.so swaps_nodelete
ini <<'END'
END
start
ctl load "$dir/elsewhere/actor.so" --set drain_timeout=1h
ctl_behind slept call actor "until $dir/end"
slept=$call
in_flight() { [ "$(field_of "$1" in_flight)" = 1 ]; }
wait_until 'it waits' in_flight actor
ctl_behind unload unload actor
unload=$call
wait_until 'it drains' is_state actor stopping
touch "$dir/end"
wait "$unload" || fail "the unload failed: $(cat "$dir/unload")"
wait "$slept" || fail 'the call failed'
grep -q slept "$dir/slept" || fail "the call was answered with $(cat "$dir/slept")"
ctl load "$dir/elsewhere/actor.so" --set drain_timeout=1h
ctl_behind slept call actor 'sleep 3600000000000'
slept=$call
wait_until 'it sleeps' in_flight actor
ctl unload actor --timeout 300ms
status_is 8
is_state actor stopping || fail "it is $(state_of actor)"
ctl stop actor --now
wait "$slept"
wait_until 'it is removed' is_gone actor
case='what stays of its code is told'
ctl load "$dir/elsewhere/swaps.so"
status_is 0
ctl unload swaps
status_is 0
says 'swaps: removed'
says 'generation 1 lingers: it is linked with -z nodelete'
case='who starts it meanwhile keeps it'
ctl load "$dir/elsewhere/actor.so" --as gate
ctl pause gate
cp "$dir/elsewhere/actor.so" "$dir/elsewhere/other.so"
ctl load "$dir/elsewhere/other.so" --set drain_timeout=1h
ctl_behind held call other 'call gate echo hello'
held=$call
wait_until 'it waits' in_flight other
ctl_behind unload unload other
unload=$call
wait_until 'it stops' is_state other stopping
ctl_behind start start other
begun=$call
wait_until 'it is wanted again' has_logged 'it is wanted again'
ctl resume gate
wait "$held" || fail "the call failed: $(cat "$dir/held")"
wait "$unload" && fail 'it was unloaded'
grep -q 'somebody started the service meanwhile' "$dir/unload" || fail "the unload was answered with $(cat "$dir/unload")"
wait "$begun" || fail "it was not started: $(cat "$dir/start")"
expect_answer other text 'done'
stop

finish
