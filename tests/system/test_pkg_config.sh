#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Plugins in C and C++ are built outside of the tree with what pkg-config says: of the build
# tree, and of what is installed. They load and answer.
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"
command -v pkg-config >/dev/null || { echo 'SKIP: test_pkg_config: no pkg-config'; exit 77; }
command -v "${CC:-cc}" >/dev/null || { echo 'SKIP: test_pkg_config: no compiler'; exit 77; }

# build COMPILER MODULE FILE NAME OPTION: plugins/NAME.so, with every function found when it is linked.
build() {
	# shellcheck disable=SC2046,SC2086
	"$1" $5 -shared -fPIC -Wall -Wextra -Werror $(pkg-config --cflags "$2") -o "$dir/plugins/$4.so" "$3" \
		-Wl,-z,defs $(pkg-config --libs "$2") >"$dir/out" 2>"$dir/err" || fail "$4 is not built by $1"
}

sources() {
	cat >"$work/plain.c" <<-'END'
	#include <bay/bay.h>
	static int handle(struct bay_request *request) { return bay_reply_text(request, "in C"); }
	BAY_PLUGIN(plain, "1.0.0", .handle = handle);
	END
	cat >"$work/plus.cc" <<-'END'
	#include <bay/bay.h>
	#include <bay/plugin.hpp>
	template <typename T> struct shared { static inline int times = 0; };
	static int handle(bay_request *request)
	{
		return bay_reply_printf(request, "in C++ %d", ++shared<int>::times);
	}
	BAY_PLUGIN_CXX(plus, "1.0.0", .handle(bay::guarded<handle>));
	END
}

# Builds both, and calls them.
builds_and_answers() {
	build "${CC:-cc}" bay "$work/plain.c" plain ""
	echo '[service plain]' >"$dir/services"
	if command -v g++ >/dev/null; then
		build g++ bay-c++ "$work/plus.cc" plus -std=c++17
		echo '[service plus]' >>"$dir/services"
		# So it is only with the flags of bay-c++.
		! nm -D "$dir/plugins/plus.so" | grep -q ' u ' || fail 'it has unique symbols'
	else
		echo "SKIP: test_pkg_config: $case: C++: no g++"
	fi
	if command -v clang++ >/dev/null; then
		build clang++ bay "$work/plus.cc" clang -std=c++17
		echo '[service clang]' >>"$dir/services"
	else
		echo "SKIP: test_pkg_config: $case: C++: no clang++"
	fi
	ini <"$dir/services"
	start
	while read -r _ name; do
		name=${name%]}
		ctl call "$name"
		case $name in
		plain) says 'in C' ;;
		*) says 'in C++ 1' ;;
		esac
	done <"$dir/services"
	stop
}

sources

begin 'with the build tree'
PKG_CONFIG_PATH=$built
export PKG_CONFIG_PATH
[ "$(pkg-config --variable=plugindir bay)" = "$(cd .. && pwd)/plugins" ] || fail 'plugindir is another'
builds_and_answers
# shellcheck disable=SC2046
! echo 'int bay_no_such(void); int f(void); int f(void) { return bay_no_such(); }' |
	"${CC:-cc}" -shared -fPIC -o "$dir/x.so" -x c - -Wl,-z,defs $(pkg-config --libs bay) 2>"$dir/err" ||
	fail 'a function that is not there is not missed'
complains bay_no_such

begin 'with what is installed'
PKG_CONFIG_DISABLE_UNINSTALLED=1
export PKG_CONFIG_DISABLE_UNINSTALLED
install_tree "$dir/root"
PKG_CONFIG_PATH=$(dirname "$(find "$dir/root" -name bay.pc)")
PKG_CONFIG_SYSROOT_DIR=$dir/root
export PKG_CONFIG_SYSROOT_DIR
[ -f "$PKG_CONFIG_PATH/bay-c++.pc" ] || fail 'no bay-c++.pc'
builds_and_answers

finish
