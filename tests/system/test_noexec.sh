#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The copies of plugins lie on a file system from which nothing may be run, as /run often
# is: their code is loaded from memory, also by cells that are another user.
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"

if [ "$(id -u)" != 0 ]; then
	echo 'SKIP: test_noexec: not root, who alone may mount'
	exit 77
fi
if [ -z "${BAY_NOEXEC-}" ]; then
	BAY_NOEXEC=1 unshare -m true 2>/dev/null || {
		echo 'SKIP: test_noexec: no mount namespace (unshare -m)'
		exit 77
	}
	# Everything again, where mounts are ours alone.
	rm -rf "$work"
	BAY_NOEXEC=1 exec unshare -m --propagation private "$0" "$@"
fi

runs_from_memory() { grep -q 'memfd:actor' "/proc/$(cell_pid)/maps"; }

# The cell has one more for a moment now and then, to see how many there are: the least of some looks.
descriptors() {
	for _ in 1 2 3; do
		find "/proc/$(cell_pid)/fd" | wc -l
	done | sort -n | head -n 1
}
has_open() { [ "$(descriptors)" -eq "$1" ]; }

# begin_noexec: run/ is a mount without exec.
begin_noexec() {
	begin "$1"
	plugin actor
	mkdir -m 711 "$dir/run"
	mount -t tmpfs -o noexec,mode=0711 none "$dir/run" || fail 'no mount'
	chmod 755 "$work" "$dir" "$dir/plugins"
}

# The daemon keeps a directory that it did not make.
end_noexec() {
	children=$(children_of_bayd)
	kill -TERM "$bayd"
	expect_exit 0
	[ -z "$(ls -A "$dir/run")" ] || fail "left: $(ls -AR "$dir/run")"
	umount "$dir/run" && rmdir "$dir/run" || fail 'something of it is still in use'
	leaves_nothing "$children"
}

for user in root nobody; do
	if [ $user = nobody ]; then
		# The tree may lie where only root may go.
		mkdir -p "$work/programs/.libs"
		cp "$built/bayd" "$built/bayctl" "$work/programs/"
		cp -P "$built/.libs/bay-cell" "$built/.libs/"libbay.so* "$work/programs/.libs/"
		chmod -R a+rX "$work/programs"
		built=$work/programs
	fi
	begin_noexec "cells of $user"
	ini <<END
user = $user
[service actor]
END
	[ $user = nobody ] || sed -i '/^user/d' "$dir/bay.ini"
	start
	is_answered actor || fail "it does not answer: $(ctl_quiet status actor)"
	runs_from_memory || fail 'it does not run from memory'
	ctl restart actor
	status_is 0
	is_answered actor || fail 'it does not answer after a restart'
	kill -KILL "$(cell_pid)"
	wait_until 'it answers in a new cell' is_answered actor
	runs_from_memory || fail 'it does not run from memory'
	open=$(descriptors)
	for _ in 1 2 3 4 5; do
		ctl_quiet restart actor
	done
	wait_until 'there are as many descriptors as before' has_open "$open"
	end_noexec
done

finish
