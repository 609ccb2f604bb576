#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Who may what at the control socket: users and groups with the roles that the ini gives them.
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"

begin 'roles that cannot be are told with their place'
plugin actor
ini <<'END'
operators = 1
[service actor]
END
check
status_is 5
complains 'bay.ini:4: operators: control_mode = 0600 lets nobody connect'
ini <<'END'
control_mode = 0666
viewers = @no-such-group-here
[service actor]
END
check
status_is 5
complains "bay.ini:5: viewers: there is no group of this name: 'no-such-group-here' [config-user]"

begin 'the help of a verb tells its role'
for verb in list:viewer events:viewer call:operator set:operator load:admin disable:admin shutdown:admin; do
	ctl help "${verb%:*}"
	status_is 0
	says "for the role ${verb#*:} "
done
ctl help inspect
! grep -q 'for the role' "$dir/out" || fail 'a verb without a daemon has a role'

if [ "$(id -u)" != 0 ] || ! command -v setpriv >/dev/null 2>&1; then
	[ "$failures" -eq 0 ] || finish
	echo 'SKIP: test_roles: not root, or no setpriv'
	exit 77
fi
# The tree may lie where only root may go.
mkdir -p "$work/programs/.libs"
cp "$built/bayd" "$built/bayctl" "$work/programs/"
cp -P "$built/.libs/bay-cell" "$built/.libs/"libbay.so* "$work/programs/.libs/"
chmod -R a+rX "$work/programs"
built=$work/programs
chmod 755 "$work"

# as UID GROUPS ARGUMENT...: bayctl as that user, who is in these groups (or "").
as() {
	user=$1
	groups=--clear-groups
	[ -z "$2" ] || groups="--groups $2"
	shift 2
	# shellcheck disable=SC2086 # an option, perhaps with a value
	setpriv --reuid "$user" --regid "$user" $groups \
		"$built/bayctl" -s "$dir/run/control.sock" "$@" >"$dir/out" 2>"$dir/err" </dev/null
	status=$?
}

# may ROLE UID GROUPS, may_not ROLE UID GROUPS: whether he does what that role may.
word_of() {
	case $1 in
	viewer) echo list ;;
	operator) echo 'call actor text' ;;
	admin) echo 'set --save container.log_level debug' ;;
	esac
}
may() {
	# shellcheck disable=SC2046 # words
	as "$2" "$3" $(word_of "$1")
	[ "$status" -eq 0 ] || fail "user $2 (groups $3) is refused what a $1 may"
}
may_not() {
	# shellcheck disable=SC2046 # words
	as "$2" "$3" $(word_of "$1")
	[ "$status" -eq 6 ] || fail "user $2 (groups $3): status $status for what a $1 may"
	grep -q "for the role [a-z]*, and user $2 has" "$dir/err" || fail 'it does not say which role it takes'
}

roles() {
	plugin actor
	chmod 755 "$dir"
	ini <<END
control_mode = 0666
watch = no
$1
[service actor]
END
}

begin 'who has a role may what it may and no more'
roles 'viewers = 1001 @2001
operators = 1002, @2002
admins = 1003 @2003'
start
may viewer 1001 ''
may_not operator 1001 ''
complains 'Call is for the role operator, and user 1001 has viewer'
may viewer 1002 ''
may operator 1002 ''
may_not admin 1002 ''
complains 'to save is for the role admin, and user 1002 has operator'
for role in viewer operator admin; do
	may $role 1003 ''
	may $role 4000 2003
	may_not $role 4000 ''
done
may viewer 4000 9,2001
may_not operator 4000 9,2001
may operator 4000 2002,2001
may_not viewer 4000 2009
complains 'List is for the role viewer, and user 4000 has none [not-permitted]'
for words in status tasks queues stats 'log actor' events 'show actor' diff 'reload --history' ping info; do
	# shellcheck disable=SC2086 # words
	as 1001 '' $words
	[ "$status" -eq 0 ] || fail "a viewer does not see $words: $status"
done
for words in 'send actor x' 'stop actor' 'restart actor' 'reload actor' 'set actor.queue 5' 'pause actor' \
	'reset actor' 'disable actor' 'shutdown' 'load /tmp/x.so' 'rollback --config 1' 'reload'; do
	# shellcheck disable=SC2086 # words
	as 1001 '' $words
	[ "$status" -eq 6 ] || fail "a viewer is not refused $words: $status"
done
as 1002 '' shutdown
status_is 6
as 4000 '' --json list
status_is 6
says '"code":"not-permitted"'
logs 'has the role viewer and was refused Call'
stop

begin 'whoever asks for a change stands in the audit with user and process'
roles 'operators = 1002
admins = 1003'
start
as 1002 '' restart actor
status_is 0
as 1002 '' set actor.queue 5
status_is 0
as 1002 '' pause actor
status_is 0
as 1002 '' resume actor
status_is 0
as 1003 '' disable actor
status_is 0
ctl events --json
[ "$(grep -o '"uid": *1002' "$dir/out" | wc -l)" -ge 4 ] || fail 'the changes of 1002 are not in the events'
[ "$(grep -o '"uid": *1003' "$dir/out" | wc -l)" -ge 1 ] || fail 'the change of 1003 is not in the events'
grep -q '"pid": *[1-9]' "$dir/out" || fail 'the processes are not in the events'
for kind in 'asked by user 1002, process [0-9]*: to restart' 'paused by user 1002, process [0-9]*' \
	'resumed by user 1002, process [0-9]*'; do
	grep -q "$kind" "$dir/bayd.err" || fail "the log has no $kind"
done
grep -q 'set by user 1002, process [0-9]*' "$dir/bayd.err" || grep -q 'in force: .*user 1002, process [0-9]*' "$dir/bayd.err" ||
	fail 'the log does not say who set it'
stop

begin 'a reload changes roles, also of who is connected'
roles 'viewers = 1001
operators = 1002'
start
setpriv --reuid 1001 --regid 1001 --clear-groups "$built/bayctl" -s "$dir/run/control.sock" \
	events -f --json >"$dir/follows" 2>&1 </dev/null &
follower=$!
wait_until 'he follows' test -s "$dir/follows"
may_not operator 1001 ''
sed -i 's/^viewers = .*/viewers = */; s/^operators = .*/operators = 1001/' "$dir/bay.ini"
ctl reload
status_is 0
says 'container.operators: 1002 -> 1001'
may operator 1001 ''
may viewer 1002 ''
may viewer 4000 ''
may_not operator 1002 ''
kill "$follower"
wait "$follower" 2>/dev/null
sed -i 's/^operators = .*/operators = nobody-of-this-name/' "$dir/bay.ini"
ctl reload
status_is 5
complains 'operators: there is no user of this name'
may operator 1001 ''
stop

finish
