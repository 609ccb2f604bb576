#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Projects that bayctl new has written build, pass their tests and run as they are: with make and
# with autotools, against the build tree and against what was installed.
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"

unset MAKEFLAGS MFLAGS MAKELEVEL CFLAGS LDFLAGS
CC=$(configured CC)
export CC
PATH=$built:$PATH
export PATH

# new NAME [OPTION...]: in the directory of the case.
new() {
	(cd "$dir" && "$built/bayctl" new "$@" >out 2>err </dev/null)
	status=$?
}

# builds PROJECT COMMAND: the command works in the project and the compiler has nothing to say.
builds() {
	(cd "$dir/$1" && unless_installing sh -c "$2" >"$dir/out" 2>"$dir/err" </dev/null) ||
		fail "$1: $2: $(tail -n 3 "$dir/out")"
	! grep -q 'warning:' "$dir/err" || fail "$1: warnings"
}

begin 'each kind passes its own test at once, and runs'
PKG_CONFIG_PATH=$built
export PKG_CONFIG_PATH

for kind in call run stream; do
	new "my_$kind" --kind "$kind"
	status_is 0
	says "cd my_$kind && make check"
	builds "my_$kind" 'make check'
	says '100%: Checks: '
	# The list of files is complete, and so is what git is to pass over.
	[ ! -e "$dir/my_$kind/gitignore" ] || fail 'gitignore has no dot'
	for file in "my_$kind.c" "my_$kind.ini" "test_my_$kind.c" Makefile Makefile.am configure.ac \
		README.md .gitignore try-it.ini; do
		[ -s "$dir/my_$kind/$file" ] || fail "no $file in my_$kind"
		! grep -q '@NAME@' "$dir/my_$kind/$file" || fail "$file has no name"
	done
	grep -q 'answers calls\|by itself\|serves connections' "$dir/my_$kind/README.md" &&
		grep -q 'With autotools' "$dir/my_$kind/README.md" || fail 'half a README'
done

begin 'what the README says to try works'
new hello
builds hello make
(cd "$dir/hello" && bayctl run ./hello.so --call Ada >"$dir/out" 2>"$dir/err" </dev/null) ||
	fail 'bayctl run'
says 'hello, Ada'
cp "$dir/hello/hello.so" "$dir/plugins/"
(cd "$dir/hello" && "$built/bayd" -t -c try-it.ini >"$dir/out" 2>"$dir/err") || fail 'try-it.ini'
mkdir "$dir/conf.d"
sed 's/^;greeting *= *hello */greeting = good morning /' "$dir/hello/hello.ini" >"$dir/conf.d/hello.ini"
ini <<'END'
include = conf.d/*.ini
END
start
ctl call hello Ada
[ "$(cat "$dir/out")" = 'good morning, Ada' ] || fail 'does not greet'
stop

begin 'the first hour of the README is as it says'
awk '/^## / { on = $0 == "## The first hour" } on && /^    / && !/^    bayctl dev/' "$srcdir/../README.md" |
	sed 's/^    //' >"$dir/page"
grep -q '^\$ bayctl run' "$dir/page" || fail 'the README has no first hour'
# The times are of another machine.
timeless() { sed 's/([0-9.]*[mun]*s)$/(TIME)/'; }
timeless <"$dir/page" >"$dir/shown"
(
	cd "$dir" || exit
	while read -r line; do
		case $line in
		'$ '*'&')
			echo "$line"
			eval "${line#'$ '}" && bayd=$!
			tries=600
			until bayctl ping >ping.out 2>&1; do
				tries=$((tries - 1))
				[ "$tries" -gt 0 ] || break
				sleep 0.05
			done
			;;
		'$ '*)
			echo "$line"
			eval "${line#'$ '}" 2>&1
			# A reply need not end its line.
			[ "$line" != "${line#*call}" ] && echo
			;;
		esac
	done <"$dir/page"
	kill "$bayd" 2>/dev/null
) </dev/null | timeless >"$dir/out"
diff "$dir/shown" "$dir/out" >"$dir/err" || fail 'the README shows something else'

begin 'a test that fails makes make check fail'
new broken
sed -i 's/"%s, %s"/"%s; %s"/' "$dir/broken/broken.c"
(cd "$dir/broken" && unless_installing make check >"$dir/out" 2>"$dir/err") && fail 'it passes'
says 'good morning; Ada'

begin 'each kind builds with autotools, in a directory of its own only'
if command -v autoreconf >/dev/null; then
	for kind in call run stream; do
		new "my_$kind" --kind "$kind"
		builds "my_$kind" 'autoreconf -fi'
		builds "my_$kind" 'mkdir build && cd build && ../configure && make check'
		grep -q '^# PASS:  1' "$dir/out" || fail 'no test was run'
		[ -f "$dir/my_$kind/build/my_$kind.so" ] || fail 'where is the plugin?'
		(cd "$dir/my_$kind" && ./configure >"$dir/out" 2>"$dir/err") && fail 'writes over Makefile'
		complains 'configure in a directory of its own'
		grep -q '^check:' "$dir/my_$kind/Makefile" || fail 'Makefile is another'
	done
	builds my_call "cd build && make install DESTDIR=$dir/to"
	[ -n "$(find "$dir/to" -name my_call.so)" ] || fail 'it was not installed'
	builds my_call "cd build && make distcheck"
else
	echo 'SKIP: there is no autoreconf'
fi

if [ -n "$(configured SANITIZER_CFLAGS)" ]; then
	echo 'SKIP: with a sanitizer what is installed wants programs that have it too'
else
	begin 'each kind builds against what was installed'
	root=$dir/root
	install_tree "$root"
	PKG_CONFIG_PATH=$root$(installed libdir)/pkgconfig
	PKG_CONFIG_SYSROOT_DIR=$root
	LD_LIBRARY_PATH=$root$(installed libdir)
	export PKG_CONFIG_SYSROOT_DIR LD_LIBRARY_PATH
	for kind in call run stream; do
		(cd "$dir" && "$root$(installed bindir)/bayctl" new "my_$kind" --kind "$kind" >out 2>err) ||
			fail 'the installed bayctl has no templates'
		builds "my_$kind" 'make check'
		says '100%: Checks: '
		! grep -qF -e "-I$built" -e "-I$(cd "$srcdir" && pwd)" "$dir/out" || fail 'built against the build tree'
	done
	builds my_call "make install PLUGINDIR=/plugins DESTDIR=$dir/to"
	[ -f "$dir/to/plugins/my_call.so" ] || fail 'it was not installed'
	unset PKG_CONFIG_SYSROOT_DIR LD_LIBRARY_PATH
fi

begin 'without bay.pc it says what is missing'
new lost
(cd "$dir/lost" && PKG_CONFIG_PATH=/nonexistent PKG_CONFIG_LIBDIR=/nonexistent make >"$dir/out" \
	2>"$dir/err") && fail 'it builds'
complains bay.pc

finish
