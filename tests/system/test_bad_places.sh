#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Directories and files that are renamed, gone, unreadable or somebody else's, and a master without
# descriptors: each is told with what is to be done about it, nothing that ran is harmed, and all goes
# on by itself when the cause is gone. The same of disks is in test_full_disk.sh, and of files that
# are no plugins in test_drop_in.sh.
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"

is_version() { [ "$(ctl_quiet call "${2-actor}" text)" = "$1" ]; }
has_event() { ctl_quiet events --lines 10000 | grep -qF -- "$1"; }
count_events() { ctl_quiet events --lines 10000 | grep -cF -- "$1"; }
has_count() { [ "$(count_events "$1")" -eq "$2" ]; }
make_version() { sed "s/\x00done\x00/\x00$1\x00/" "$built_plugins/actor.so" >"$2"; }
put_version() {
	make_version "$1" "$dir/plugins/.new"
	mv "$dir/plugins/.new" "$dir/plugins/${2-actor}.so"
}
timeout_is() { ctl_quiet show "$1" timeout | grep -qw "$2"; }

# Whether the service other is called something else than "no such service".
is_there() { ctl_quiet status "$1" >/dev/null; }
is_gone() { ctl_quiet status "$1" >/dev/null; [ $? -eq 4 ]; }

# A caller who goes on through all of a case: the services that ran are not to miss a call.
begin_calls() {
	: >"$dir/calling"
	(
		while [ -e "$dir/calling" ]; do
			"$built/bayctl" -q -s "$dir/run/control.sock" call "$1" text --repeat 20 >"$dir/call.out" 2>&1 \
				</dev/null || cat "$dir/call.out" >>"$dir/call.failed"
			echo called >>"$dir/called"
			pause
		done
	) &
	caller=$!
}
end_calls() {
	wait_until 'somebody has called' test -s "$dir/called"
	rm "$dir/calling"
	wait "$caller"
	[ ! -e "$dir/call.failed" ] || fail "a call failed: $(head -n 3 "$dir/call.failed")"
}

# --- the configuration's places -----------------------------------------------------------

with_conf_d() {
	plugin actor
	mkdir "$dir/conf.d"
	ini <<'END'
include = conf.d/*.ini
[service actor]
timeout = 5s
END
	printf '[service other]\nplugin = actor\n' >"$dir/conf.d/other.ini"
	start
	wait_until 'the files are watched' has_event 'configuration files in'
	begin_calls other
}

begin 'a directory of configuration files that is renamed is not taken for empty'
with_conf_d
mv "$dir/conf.d" "$dir/away"
wait_until 'it is told' has_event "the directory $dir/conf.d/, whose files are in force, is gone: bring it back, or make an empty one"
logs 'whose files are in force, is gone'
ctl reload
status_is 5
is_there other || fail 'its service is gone'
mv "$dir/away" "$dir/conf.d"
sed -i 's/^plugin.*/&\ntimeout = 6s/' "$dir/conf.d/other.ini"
wait_until 'its changes are taken again' timeout_is other 6s
# That of a file is meant.
end_calls
rm "$dir/conf.d/other.ini"
wait_until 'its service is gone' is_gone other
ctl events other
says 'other removed'
is_version 'done' || fail 'the other service does not serve'
stop

begin 'an empty directory in its place is meant'
with_conf_d
end_calls
mkdir "$dir/empty"
mv "$dir/conf.d" "$dir/away"
mv "$dir/empty" "$dir/conf.d"
wait_until 'its service is gone' is_gone other
stop

begin 'what is wrong in a file that a refused configuration includes is mended there'
with_conf_d
mkdir "$dir/more.d"
printf '[service third]\nplugin = actor\ntimeout = never\n' >"$dir/more.d/third.ini"
sed -i 's,^include = .*,&\n  more.d/*.ini,' "$dir/bay.ini"
wait_until 'it is refused' has_event "third.ini:3: timeout = 'never'"
printf '[service third]\nplugin = actor\ntimeout = 8s\n' >"$dir/more.d/third.ini"
wait_until 'it is taken' timeout_is third 8s
end_calls
stop

begin 'a configuration that may not be read, or goes for a while, is taken when it is back'
with_conf_d
cp "$dir/bay.ini" "$dir/kept"
rm "$dir/bay.ini"
wait_until 'it is told' has_event 'bay.ini: cannot read '
: >"$dir/bay.ini"
wait_until 'an empty one is told' has_event 'neither [container] nor a service'
if [ "$(id -u)" -ne 0 ]; then
	cp "$dir/kept" "$dir/.new"
	chmod 0 "$dir/.new"
	mv "$dir/.new" "$dir/bay.ini"
	wait_until 'it is told' has_event "Permission denied; let bayd's user read it"
	chmod 0600 "$dir/bay.ini"
fi
sed 's/^timeout = .*/timeout = 7s/' "$dir/kept" >"$dir/.new"
mv "$dir/.new" "$dir/bay.ini"
wait_until 'it is taken' timeout_is actor 7s
end_calls
stop

begin 'the directory of the configuration is renamed, and comes back'
plugin actor
mkdir "$dir/etc"
ini <<END
plugin_dir = $dir/plugins
runtime_dir = $dir/run
[service actor]
timeout = 5s
END
mv "$dir/bay.ini" "$dir/etc/bay.ini"
ln -s etc/bay.ini "$dir/bay.ini"
start
rm "$dir/bay.ini"
(cd "$dir" && ln -s etc/bay.ini bay.ini)
mv "$dir/etc" "$dir/elsewhere"
ctl reload
status_is 5
is_version 'done' || fail 'it does not serve'
sed -i 's/^timeout = .*/timeout = 7s/' "$dir/elsewhere/bay.ini"
mv "$dir/elsewhere" "$dir/etc"
ctl reload
status_is 0
timeout_is actor 7s || fail 'it is not taken'
stop

# --- plugin_dir ---------------------------------------------------------------------------

begin 'plugin_dir vanishes with all that is in it, and returns'
plugin actor
ini <<'END'
autoload = yes
[service actor]
END
start
plugin actor other
wait_until 'it runs' is_version 'done' other
begin_calls other
mv "$dir/plugins" "$dir/away"
wait_until 'it is told' has_event 'No such file or directory; what runs goes on, and the directory is taken when it is there'
logs 'plugin_dir '
# A file in its place is none either.
: >"$dir/plugins"
wait_until 'that is told' has_event 'Not a directory'
ctl restart actor
status_is 5
is_version 'done' || fail 'the restart has ended it'
rm "$dir/plugins"
mkdir "$dir/plugins"
cp "$dir/away/"*.so "$dir/plugins/"
wait_until 'it is watched again' has_count 'watching: plugin_dir' 2
put_version next
wait_until 'it is taken again' is_version next
is_there other || fail 'the other one was removed'
end_calls
has_count ' removed' 0 || fail 'something was removed'
stop

begin 'links that lead out of plugin_dir are refused, and so is all of it in a place of others'
plugin actor
ini <<'END'
[service actor]
END
start
begin_calls actor
mkdir "$dir/outside"
make_version out "$dir/outside/actor.so"
ln -sf ../outside/actor.so "$dir/plugins/.link"
mv "$dir/plugins/.link" "$dir/plugins/actor.so"
wait_until 'a link is refused' has_event 'it is a symbolic link: put the file itself there'
ctl reload actor
status_is 5
# Whoever can write to the directory could put other code there.
rm "$dir/plugins/actor.so"
chmod 0777 "$dir/plugins"
put_version open
wait_until 'it is refused' has_event "plugins can be written by everybody: chmod o-w it"
is_version 'done' || fail 'it was taken'
chmod 0755 "$dir/plugins"
put_version good
wait_until 'it is taken' is_version good
if [ "$(id -u)" -eq 0 ]; then
	chown 12345 "$dir/plugins"
	put_version others
	wait_until 'that of others is refused' has_event 'belongs to user 12345, who could put other code there: chown it to root'
	is_version good || fail 'it was taken'
	chown 0 "$dir/plugins"
	put_version ours
	wait_until 'it is taken' is_version ours
fi
end_calls
stop

# --- a disk that takes long ---------------------------------------------------------------

begin 'a disk that takes long to save a key lets nobody else wait'
if [ -n "$(configured SANITIZER_CFLAGS)" ] || ! command -v "${CC:-cc}" >/dev/null; then
	echo 'SKIP: a disk that takes long: no compiler, or a sanitizer that has to be loaded first'
else
	plugin actor
	ini <<'END'
[service actor]
timeout = 5s
END
	# As long as the test wants.
	cat >"$dir/slow.c" <<'END'
#include <stdio.h>
#include <unistd.h>
int
fsync(int fd)
{
	(void)fd;
	fclose(fopen("waiting", "w"));
	while (access("go", F_OK) != 0)
		usleep(10000);
	return 0;
}
END
	"${CC:-cc}" -shared -fPIC -o "$dir/slow.so" "$dir/slow.c" || fail 'it is not compiled'
	LD_PRELOAD=$dir/slow.so
	export LD_PRELOAD
	launch
	unset LD_PRELOAD
	wait_until 'it runs' is_ready_or_gone
	ctl_behind saved set actor.timeout 9s --save
	wait_until 'it is being saved' test -e "$dir/waiting"
	[ "$(timeout 20 "$built/bayctl" -s "$dir/run/control.sock" call actor text)" = 'done' ] || fail 'the master waits for the disk'
	kill -0 "$call" 2>/dev/null || fail 'it was not being saved'
	grep -q '^timeout = 5s' "$dir/bay.ini" || fail 'the file has its name before it is on the disk'
	: >"$dir/go"
	wait "$call" || fail "it was not saved: $(cat "$dir/saved")"
	grep -q '^timeout = 9s' "$dir/bay.ini" || fail 'it is not in the file'
	timeout_is actor 9s || fail 'it is not in force'
	stop
fi

# --- descriptors --------------------------------------------------------------------------

begin 'a master without descriptors keeps what it has, and goes on when there are some'
if ! command -v prlimit >/dev/null; then
	echo 'SKIP: without descriptors: there is no prlimit'
else
	plugin actor
	ini <<'END'
[service actor]
timeout = 5s
END
	start
	wait_until 'the files are watched' has_event 'configuration files in'
	wait_until 'the directory is watched' has_event 'watching: plugin_dir'
	cell=$(cell_pid)
	# A few are kept for operators, even now.
	prlimit --pid "$bayd" --nofile=12:
	put_version next
	sed -i 's/^timeout = .*/timeout = 7s/' "$dir/bay.ini"
	wait_until 'the file is told' has_logged 'Too many open files; raise the limit of open files (LimitNOFILE= or ulimit -n)'
	wait_until 'the configuration is told' has_logged 'bay.ini'"'"': Too many open files; raise the limit'
	kill -KILL "$cell"
	wait_until 'the cell is told' has_logged 'start cell main: make its control socket: Too many open files; raise the limit'
	daemon_runs || fail 'the daemon has ended'
	prlimit --pid "$bayd" --nofile=1024:
	wait_until 'a new cell runs the new file' is_version next
	wait_until 'the new configuration is taken' timeout_is actor 7s
	has_event 'bayd trouble: start cell main: ' || fail 'no event of the cell'
	stop
fi

# --- inotify ------------------------------------------------------------------------------

begin 'where inotify does not work, changes are found by looking'
# As many as a user may have, which is none in a user namespace of our own.
no_inotify='echo 0 >/proc/sys/user/max_inotify_instances && exec "$@"'
if ! unshare -r sh -c "$no_inotify" sh true 2>/dev/null; then
	echo 'SKIP: without inotify: no user namespace with a limit (unshare -r)'
else
	plugin actor
	mkdir "$dir/conf.d"
	ini <<'END'
include = conf.d/*.ini
autoload = yes
[service actor]
END
	(
		cd "$dir" || exit
		exec unshare -r sh -c "$no_inotify" sh "$built/bayd" -c bay.ini >bayd.out 2>bayd.err
	) &
	bayd=$!
	wait_until 'the daemon is ready' is_ready_or_gone
	wait_until 'it says how it looks' has_event 'plugin_dir '
	has_event 'by a look twice a second, since inotify does not work: Too many open files (see fs.inotify.max_user_instances)' ||
		fail "no reason: $(ctl_quiet events)"
	printf '[service other]\nplugin = actor\n' >"$dir/conf.d/other.ini"
	wait_until 'a new file of the configuration is taken' is_there other
	if has_logged 'could put other code there'; then
		# What belongs to others there, seen from the namespace, is the whole way up.
		echo 'SKIP: plugins without inotify: the directories above belong to others there'
	else
		put_version next
		wait_until 'a changed plugin is taken' is_version next
	fi
	kill -TERM "$bayd"
	expect_exit 0
	leaves_nothing ''
fi

finish
