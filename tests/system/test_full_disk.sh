#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Disks that are full, one at a time: each is told with what is to be done about it, nothing that ran
# is harmed, and all goes on by itself when there is room.
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"

if [ "$(id -u)" != 0 ]; then
	echo 'SKIP: test_full_disk: not root, who alone may mount'
	exit 77
fi
if [ -z "${BAY_FULL_DISK-}" ]; then
	unshare -m true 2>/dev/null || {
		echo 'SKIP: test_full_disk: no mount namespace (unshare -m)'
		exit 77
	}
	# Everything again, where mounts are ours alone.
	rm -rf "$work"
	BAY_FULL_DISK=1 exec unshare -m --propagation private "$0" "$@"
fi

# small_disk NAME: the directory of that name is a disk of its own, with room for a few small files.
small_disk() {
	mkdir -p "$dir/$1"
	mount -t tmpfs -o size=512k,nr_inodes=16,mode=0711 none "$dir/$1" || fail 'no mount'
	disk=$dir/$1
}
# All of its room, or all of the names that it has room for.
fill() {
	dd if=/dev/zero of="$disk/fill" bs=4k 2>/dev/null
	! dd if=/dev/zero of="$disk/fill2" bs=4k count=1 2>/dev/null || fail 'it is not full'
	rm -f "$disk/fill2"
}
fill_with_names() {
	names=0
	while [ "$names" -lt 20 ] && mkdir "$disk/fill.$names" 2>/dev/null; do
		names=$((names + 1))
	done
	[ "$names" -lt 20 ] || fail 'it is not full'
}
make_room() { rm -r "$disk"/fill*; }

is_version() { [ "$(ctl_quiet call actor text)" = "$1" ]; }
has_event() { ctl_quiet events --lines 1000 | grep -qF -- "$1"; }
count_events() { ctl_quiet events --lines 1000 | grep -cF -- "$1"; }
put_version() {
	sed "s/\x00done\x00/\x00$1\x00/" "$built_plugins/actor.so" >"$dir/plugins/.new"
	mv "$dir/plugins/.new" "$dir/plugins/actor.so"
}

begin 'no room for copies of plugins'
small_disk images
plugin actor
ini <<END
image_dir = $dir/images
[service actor]
END
start
fill
put_version next
wait_until 'it is told' has_event "it cannot be copied to $dir/images: No space left on device; make room there"
logs 'its plugin file is refused, and what ran before goes on'
is_version 'done' || fail 'what ran does not serve'
ctl reload actor
status_is 5
complains 'No space left on device; make room there'
ctl restart actor
status_is 5
is_version 'done' || fail 'the restart has ended it'
kill -KILL "$(cell_pid)"
wait_until 'a new cell serves' is_version 'done'
[ "$(count_events 'refused by watch')" -eq 1 ] || fail 'it is told more than once'
make_room
wait_until 'the new file serves' is_version next
stop
umount "$dir/images" || fail 'something of it is still in use'

begin 'no room in the runtime directory'
small_disk run
plugin listens
plugin actor
mkdir "$dir/images"
ini <<END
image_dir = $dir/images
[service listens]
address = unix:here.sock
[service late]
plugin = listens
enabled = no
address = unix:late.sock
[service actor]
END
fill_with_names
launch
wait_until 'it gives up' eval '! daemon_runs'
expect_exit 1
logs 'No space left on device; make room there'
make_room
start
fill_with_names
ctl start late
wait_until 'it is told' has_logged 'No space left on device; make room there'
kill -KILL "$(cell_pid)"
wait_until 'a new cell serves' is_version 'done'
is_state listens ready || fail 'its socket is gone'
ctl reload
status_is 0
make_room
ctl restart late
status_is 0
wait_until 'it listens' test -S "$dir/run/late.sock"
children=$(children_of_bayd)
kill -TERM "$bayd"
expect_exit 0
umount "$dir/run" && rmdir "$dir/run" || fail 'something of it is still in use'
leaves_nothing "$children"

begin 'no room for the log'
small_disk logs
plugin actor
ini <<END
log = $dir/logs/bay.log
[service actor]
END
start
fill
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	# The last block of the file has room for some.
	ctl_quiet restart actor >/dev/null || fail 'no restart'
done
wait_until 'it is told' has_event "the log $dir/logs/bay.log cannot be written: No space left on device: lines of it are lost; make room there"
logs "the log file $dir/logs/bay.log cannot be written: No space left on device"
is_version 'done' || fail 'it does not serve'
ctl logs -n 3
says 'service actor: ready'
[ "$(count_events 'cannot be written')" -eq 1 ] || fail 'it is told more than once'
make_room
ctl restart actor
grep -q 'lines were lost, because the file could not take them' "$dir/logs/bay.log" ||
	fail 'it does not say how much was lost'
tail -n 1 "$dir/logs/bay.log" | grep -q 'service actor' || fail 'it does not go on'
stop
umount "$dir/logs" || fail 'something of it is still in use'

begin 'no room to save a key'
small_disk conf.d
plugin actor
ini <<'END'
include = conf.d/*.ini
[service actor]
END
printf '[service other]\nplugin = actor\n' >"$dir/conf.d/other.ini"
cp "$dir/conf.d/other.ini" "$dir/before.ini"
start
fill
ctl set other.timeout 9s --save
status_is 1
complains 'but not saved: write '
complains 'other.ini: No space left on device; make room there'
cmp -s "$dir/conf.d/other.ini" "$dir/before.ini" || fail 'the file was touched'
[ "$(find "$dir/conf.d" -type f | wc -l)" -eq 2 ] || fail "left: $(ls -A "$dir/conf.d")"
ctl show other timeout
says 9s
is_version 'done' || fail 'it does not serve'
make_room
ctl set other.timeout 9s --save
status_is 0
grep -q '^timeout = 9s' "$dir/conf.d/other.ini" || fail 'it is not saved'
stop
umount "$dir/conf.d" || fail 'something of it is still in use'

finish
