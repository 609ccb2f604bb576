#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What is installed: all of it and nothing else, what the files for the system say, and that
# nothing of ours is left when it is uninstalled.
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"

not_with_sanitizer 'the files are the same'
top=$srcdir/..

# holds DIRECTORY NAME...: what is to lie in the directory that configure knows by this name.
holds() {
	place=$(installed "$1")
	shift
	for name; do
		echo "$root$place/$(basename "$name")"
	done
}

expected() {
	holds bindir bayctl
	holds sbindir bayd
	holds libexecdir/bay bay-cell
	for library in libbay libbay-test; do
		holds libdir $library.la $library.so $library.so.1 $library.so.1.0.0
	done
	holds libdir/pkgconfig bay.pc bay-c++.pc bay-test.pc
	holds libdir/bay/plugins ../plugins/*.so
	holds includedir/bay "$top"/container/include/bay/*.h*
	for section in 1 5 7 8; do
		holds mandir/man$section "$top"/docs/*.$section
	done
	holds docdir LICENSE NEWS.md README.md "$top"/docs/*.md
	holds docdir/examples bay.ini minimal.ini system.ini
	holds docdir/examples/exec slug.js sum.sh words.py
	holds bash_completiondir bayctl
	holds zsh_completiondir _bayctl
	holds fish_completiondir bayctl.fish
	holds systemd_unitdir bay.service
	holds tmpfilesdir bay.conf
	holds sysusersdir bay.conf
}

begin 'everything is installed and nothing else'
root=$dir/root
install_tree "$root"
expected | sort >"$dir/expected"
find "$root" ! -type d | sort >"$dir/found"
diff "$dir/expected" "$dir/found" >"$dir/out" || fail 'not what is expected'

begin 'what was installed has the names and modes that it is to have'
library=$root$(installed libdir)
readelf -d "$library/libbay.so.1" 2>/dev/null | grep -q 'SONAME.*\[libbay\.so\.1\]' ||
	fail 'the soname is not libbay.so.1'
[ "$(readlink "$library/libbay.so")" = libbay.so.1.0.0 ] || fail 'libbay.so leads elsewhere'
find "$root" ! -type l -perm /022 >"$dir/out"
[ ! -s "$dir/out" ] || fail 'others may write'
grep -rlE '@[a-z_]+@' "$root" --include='*.conf' --include='*.ini' --include='*.service' \
	--include='*.pc' >"$dir/out"
[ ! -s "$dir/out" ] || fail 'a name was not filled in'

begin 'what was installed runs'
LD_LIBRARY_PATH=$library
export LD_LIBRARY_PATH
printf '[container]\nplugin_dir = %s\nloops = 1\n[service square]\n' "$library/bay/plugins" >"$dir/bay.ini"
# Its programs look beside themselves for each other, then where they are to be at last.
mkdir "$dir/bin"
for program in sbindir/bayd bindir/bayctl libexecdir/bay/bay-cell; do
	ln "$root$(installed "$program")" "$dir/bin/"
done
(cd "$dir" && exec bin/bayd -c bay.ini >bayd.out 2>bayd.err) &
bayd=$!
wait_until 'the daemon is ready' is_ready_or_gone
ctl call square 5
status_is 0
says 25
stop
# The configuration for the system, with the directories of this installation.
sed -e "s|^plugin_dir .*|plugin_dir = $library/bay/plugins|" -e 's|^runtime_dir .*|runtime_dir = run|' \
	-e '/^control_group/d' "$root$(installed docdir)/examples/system.ini" >"$dir/system.ini"
(cd "$dir" && bin/bayd -t -c system.ini >out 2>err) || fail 'system.ini is not in order'
unset LD_LIBRARY_PATH

begin 'systemd takes the unit, the user and the directories'
if command -v systemd-analyze >/dev/null; then
	unit=$root$(installed systemd_unitdir)/bay.service
	# It looks for the program, which is not at its place yet.
	sed "s,^\(ExecStart\|ExecReload\)=.*,\1=$(command -v true)," "$unit" >"$dir/bay.service"
	systemd-analyze verify --man=no "$dir/bay.service" >"$dir/out" 2>&1 || fail 'it does not'
	[ ! -s "$dir/out" ] || fail 'it complains'
	if systemd-analyze security --help 2>/dev/null | grep -q -e --offline; then
		systemd-analyze security --offline=yes --threshold=20 "$dir/bay.service" \
			>"$dir/out" 2>"$dir/err" || fail "more exposed than 2.0"
	fi
	systemd-sysusers --dry-run "$root$(installed sysusersdir)/bay.conf" >"$dir/out" 2>"$dir/err" ||
		fail 'not the user'
	[ ! -s "$dir/err" ] || ! grep -q bay.conf "$dir/err" || fail 'it complains of the user'
else
	echo 'SKIP: there is no systemd-analyze'
fi
grep -q '^ExecStart=/' "$root$(installed systemd_unitdir)/bay.service" || fail 'no program'

begin 'uninstalled it leaves no file and no directory of ours'
root=$work/1/root
(
	unset MAKEFLAGS MFLAGS MAKELEVEL DESTDIR
	flock 9 && cd "$built/.." && make uninstall DESTDIR="$root"
) 9<"$built" >"$dir/out" 2>"$dir/err" || fail 'make uninstall'
find "$root" ! -type d >"$dir/out"
[ ! -s "$dir/out" ] || fail 'files are left'
# The prefix itself may be called so.
find "$root" -type d -name 'bay*' | while read -r left; do
	case $root$(configured prefix)/ in "$left"/*) ;; *) echo "$left" ;; esac
done >"$dir/out"
[ ! -s "$dir/out" ] || fail 'directories are left'

finish
