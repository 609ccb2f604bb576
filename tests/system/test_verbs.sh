#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# "do" is a verb of bayctl here.
# shellcheck disable=SC1010,SC2317
# What plugins add to the verbs of bayctl, and what bayctl doc says of a file.
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"

begin 'a verb gets its arguments, and what it replies is printed'
plugin toolbox
ini <<'END'
[service toolbox]
[service one]
plugin = toolbox
queue = 1
concurrency = 1
overflow = reject
[service off]
plugin = toolbox
enabled = no
END
start
while IFS='|' read -r words wanted; do
	# shellcheck disable=SC2086 # words
	ctl do toolbox everything $words
	status_is 0
	[ "$(cat "$dir/out")" = "$wanted hello 0 everything" ] || fail "$words: $(cat "$dir/out")"
done <<'END'
3 text|3 text 0 1000ms 4096 0
-- -3 text yes 250ms 1M safe|-3 text 1 250ms 1048576 1
number=-3 choice=safe text|-3 text 0 1000ms 4096 1
text=yes=no 4 time=2s yes|4 yes=no 1 2000ms 4096 0
END
ctl do toolbox nothing
status_is 0
says none
ctl do toolbox nothing --json
says '"text":"none"'

case='a wrong argument is refused by name before anything runs'
while IFS='|' read -r words why; do
	# shellcheck disable=SC2086 # words
	ctl do toolbox everything $words
	status_is 2
	complains "$why"
	complains 'usage: everything number text [yes] [time] [size] [choice]'
done <<'END'
|argument number: must be given
11 x|argument number: 11 is not within -10..10
x x|argument number: 'x' is not a whole number
1|argument text: must be given, it has no default (any text)
1 x perhaps|argument yes: 'perhaps' is not yes or no
1 x time=soon|argument time: 'soon' is not a duration
1 x size=2M|argument size: 2M is not within 1..1M
1 x choice=saef|argument choice: 'saef' is not one of fast|safe; did you mean 'safe'?
1 x yes 1s 1 fast more|'more' is one argument too many
1 x number=2|argument number: given twice
END
ctl do toolbox nothing at all
status_is 2

case='what fails is told apart'
ctl do toolbox refuse
status_is 1
complains 'not now'
ctl do toolbox silent
status_is 1
complains 'ended without a reply'
ctl do toolbox refues
status_is 4
complains 'service toolbox has no verb refues; did you mean refuse?'
ctl do toolbox frobnicate
status_is 4
complains 'bayctl do toolbox lists those that it has'
ctl do tolbox refuse
status_is 4
complains 'did you mean toolbox?'
ctl do off nothing
status_is 1
complains 'service off is stopped'
# Long enough for it to have begun.
ctl do toolbox linger --timeout 1s
status_is 8
complains 'verb linger of service toolbox did not end before the deadline'
ctl call toolbox note
says 'linger ended'

case='the verbs are listed, of one service or of all'
ctl do one
status_is 0
says 'everything number text [yes] [time] [size] [choice]'
says 'whether'
says '(for the role viewer)'
ctl do
says 'one linger'
says 'toolbox linger'
ctl do one --json
[ "$(grep -o '"service":"[a-z]*"' "$dir/out" | sort -u)" = '"service":"one"' ] || fail 'others too'
says '"name":"choice","type":"choice","default":"fast"'

case='a verb runs although the service is choked, and is seen among its tasks'
ctl_behind waits call one wait
waiter=$call
in_flight_is() { [ "$(field_of one in_flight)" = "$1" ]; }
wait_until 'the handler waits' in_flight_is 1
ctl send one note
ctl send one note
status_is 1
ctl do one nothing
status_is 0
ctl_behind lingers do one linger
lingers=$call
is_listed() { ctl_quiet tasks one | grep -q 'linger'; }
wait_until 'the verb is among the tasks' is_listed
[ "$(field_of one in_flight)" = 1 ] || fail 'it counts as a request'

case='a verb is cancelled when the one who asked for it goes'
is_unlisted() { ! is_listed; }
kill -KILL "$lingers"
wait "$lingers"
wait_until 'the verb has ended' is_unlisted
[ "$(field_of one in_flight)" = 1 ] || fail 'the call has ended with it'
ctl_behind lingers do one linger
lingers=$call
wait_until 'the next is among the tasks' is_listed

case='a stop lets a verb finish within the drain, then cancels it'
ctl stop one --now
status_is 0
wait "$waiter"
wait "$lingers"
grep -q 'cut short' "$dir/lingers" || fail "the verb said $(cat "$dir/lingers")"
ctl start one
ctl_behind naps do one nap
naps=$call
# On a busy machine one is over before it is seen: then another.
is_listed() {
	if ! kill -0 "$naps" 2>/dev/null; then
		ctl_behind naps do one nap
		naps=$call
	fi
	ctl_quiet tasks one | grep -q 'nap'
}
wait_until 'the verb is among the tasks' is_listed
ctl stop one
status_is 0
wait "$naps"
grep -q 'rested' "$dir/naps" || fail "the verb said $(cat "$dir/naps")"
ctl start one
ctl do one nothing
status_is 0
stop

if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null 2>&1; then
	# The tree may lie where only root may go.
	mkdir -p "$work/programs/.libs"
	cp "$built/bayd" "$built/bayctl" "$work/programs/"
	cp -P "$built/.libs/bay-cell" "$built/.libs/"libbay.so* "$work/programs/.libs/"
	chmod -R a+rX "$work/programs"
	built=$work/programs

	begin 'each verb is for those who have its role'
	plugin toolbox
	chmod 755 "$work" "$dir"
	ini <<'END'
control_mode = 0666
control_group = daemon
viewers = *
[service toolbox]
END
	start
	# as GROUPS WORD...: has a user of these groups do a verb.
	as() {
		groups=$1
		shift
		# shellcheck disable=SC2086 # an option, perhaps with a value
		setpriv --reuid 12345 --regid 12345 $groups "$built/bayctl" \
			-s "$dir/run/control.sock" do toolbox "$@" >"$dir/out" 2>"$dir/err" </dev/null
		status=$?
	}
	member="--groups $(getent group daemon | cut -d: -f3)"
	as --clear-groups nothing
	status_is 0
	as --clear-groups everything 1 x
	status_is 6
	complains 'verb everything of service toolbox is for the role operator, and user 12345 has viewer'
	as "$member" everything 1 x
	status_is 0
	as "$member" refuse
	status_is 6
	complains 'is for the role admin, and user 12345 has operator'
	ctl do toolbox refuse
	status_is 1
	ctl events toolbox
	grep -q 'asked .*user 12345, process [0-9]*.*for its verb everything' "$dir/out" || fail 'there is no event'
	grep -q 'service toolbox: asked by user 12345, process [0-9]*: for its verb everything' "$dir/bayd.err" ||
		fail 'it is not in the log'
	! grep -q 'by user 12345.*for its verb refuse' "$dir/bayd.err" || fail 'it was asked for'
	stop
else
	echo 'SKIP: test_verbs: roles: not root, or no setpriv'
fi

begin 'the tables of a file are told without running it'
ctl doc "$built_plugins/toolbox.so"
status_is 0
says 'toolbox 1.0.0: uses every function that plugins may call'
grep -q '^greeting  *string  *hello  *no  *a text$' "$dir/out" || fail 'no setting greeting'
grep -q '^number  *integer -10..10  *(must be given)  *a small number$' "$dir/out" || fail 'no argument'
ctl doc --json "$built_plugins/good.so"
status_is 0
says '"name":"retries","type":"integer","default":"3","help":"how often to try again","range":"0..10"'
says '"verbs":[]'
for file in crashes exits hangs flees; do
	ctl doc "$built_plugins/$file.so"
	status_is 0
done
ctl doc "$built_plugins/bad_settings.so"
status_is 5
ctl doc "$built_plugins/no_note.so"
status_is 5
complains 'no Bay note'
ctl doc "$dir/nothing.so"
status_is 4

finish
