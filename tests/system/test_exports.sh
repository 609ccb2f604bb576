#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What libbay.so exports is what the public headers declare, name for name; and each program
# links what it may: bayd and bayctl nothing that could load a plugin, bay-cell and tests no
# second copy of what is in libbay.so.
set -u

srcdir=${srcdir:-$(dirname "$0")/..}
headers=$srcdir/../container/include/bay
built=../container
failures=0

fail() {
	echo "FAIL: $*" >&2
	failures=$((failures + 1))
}

# The functions that the headers given declare with BAY_API, one a line.
declared() {
	cat "$@" |
		sed -e ':join' -e '/\\$/{' -e 'N' -e 's/\\\n//' -e 'b join' -e '}' |
		sed -e '/^[[:space:]]*#/d' | tr '\n' ' ' |
		sed -e 's@/\*@\n/*@g' -e 's@\*/@*/\n@g' | grep -v '^/\*' |
		tr '\n' ' ' | tr ';' '\n' |
		sed -nE 's/^[^(]*BAY_API[^(]*[ *](bay_[a-z0-9_]+)\(.*$/\1/p' | sort
}

# Those that plugins are compiled with: <bay/test.h> is for tests of them.
plugin_headers() {
	find "$headers" -name '*.h' ! -name test.h
}

# What a library exports, as name@@VERSION. Installing takes one away for a moment, to link it anew.
exported() {
	flock -s -o "$built" nm -D --defined-only "$built/.libs/$1" | awk '$2 != "A" { print $3 }' | sort
}

needs_libbay() {
	readelf -d "$1" 2>/dev/null | grep -q 'NEEDED.*libbay\.so'
}

# Functions of floor 0 that every part of Bay uses.
has_own_copy() {
	flock -s -o "$built" nm --defined-only "$1" 2>/dev/null | grep -qE ' [Tt] (log_write|xcalloc)$'
}

# A program of the build tree: libtool may keep the real one in .libs.
real() {
	if [ -f "$(dirname "$1")/.libs/$(basename "$1")" ]; then
		echo "$(dirname "$1")/.libs/$(basename "$1")"
	else
		echo "$1"
	fi
}

check_names() {
	# shellcheck disable=SC2046 # names without blanks
	declared $(plugin_headers) >exports.declared
	exported libbay.so | sed -n 's/@@BAY_1\.0$//p' >exports.public
	[ -s exports.declared ] || fail "no function was found in $headers"
	for name in $(comm -23 exports.declared exports.public); do
		fail "$name is declared in <bay/...> and not exported by libbay.so (libbay.map)"
	done
	for name in $(comm -13 exports.declared exports.public); do
		fail "$name is exported by libbay.so and declared in no <bay/...>"
	done
	others=$(exported libbay.so | grep -v '@@BAY_1\.0$' | tr '\n' ' ')
	[ "$others" = "bay_cell_main@@BAY_PRIVATE bay_solo_main@@BAY_PRIVATE bay_solo_table@@BAY_PRIVATE " ] ||
		fail "besides the public functions libbay.so exports: $others"
	if exported libbay.so | grep -v '^bay_'; then
		fail "these do not begin with bay_"
	fi
	declared "$headers/test.h" >exports.declared
	exported libbay-test.so | sed 's/@@BAY_TEST_1\.0$//' >exports.public
	cmp -s exports.declared exports.public ||
		fail "libbay-test.so exports not just what <bay/test.h> declares: $(diff exports.declared exports.public)"
	rm -f exports.declared exports.public
}

check_programs() {
	for program in bayd bayctl; do
		[ -f "$built/$program" ] || continue
		if needs_libbay "$(real "$built/$program")"; then
			fail "$program links libbay.so: it must not be able to load a plugin"
		fi
	done
	if has_own_copy "$built/.libs/libbay-test.so"; then
		fail "libbay-test.so has a second copy of what is in libbay.so"
	fi
	cell=$(real "$built/bay-cell")
	needs_libbay "$cell" || fail "bay-cell does not link libbay.so"
	if has_own_copy "$cell"; then
		fail "bay-cell has a second copy of what is in libbay.so"
	fi
}

check_tests() {
	for program in ./*/test_* ./*/fuzz_* ./*/bench_*; do
		if [ ! -f "$program" ] || [ ! -x "$program" ]; then
			continue
		fi
		program=$(real "$program")
		if needs_libbay "$program" && has_own_copy "$program"; then
			fail "$program links libbay.so and a convenience library"
		fi
	done
}

check_names
check_programs
check_tests
[ "$failures" -eq 0 ]
