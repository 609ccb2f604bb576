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

# The functions that the headers declare with BAY_API, one a line.
declared() {
	cat "$headers"/*.h |
		sed -e ':join' -e '/\\$/{' -e 'N' -e 's/\\\n//' -e 'b join' -e '}' |
		sed -e '/^[[:space:]]*#/d' | tr '\n' ' ' |
		sed -e 's@/\*@\n/*@g' -e 's@\*/@*/\n@g' | grep -v '^/\*' |
		tr '\n' ' ' | tr ';' '\n' |
		sed -nE 's/^[^(]*BAY_API[^(]*[ *](bay_[a-z0-9_]+)\(.*$/\1/p' | sort
}

# What is exported, as name@@VERSION.
exported() {
	nm -D --defined-only "$built/.libs/libbay.so" | awk '$2 != "A" { print $3 }' | sort
}

needs_libbay() {
	readelf -d "$1" 2>/dev/null | grep -q 'NEEDED.*libbay\.so'
}

# Functions of floor 0 that every part of Bay uses.
has_own_copy() {
	nm --defined-only "$1" 2>/dev/null | grep -qE ' [Tt] (log_write|xcalloc)$'
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
	declared >exports.declared
	exported | sed -n 's/@@BAY_1\.0$//p' >exports.public
	[ -s exports.declared ] || fail "no function was found in $headers"
	for name in $(comm -23 exports.declared exports.public); do
		fail "$name is declared in <bay/...> and not exported by libbay.so (libbay.map)"
	done
	for name in $(comm -13 exports.declared exports.public); do
		fail "$name is exported by libbay.so and declared in no <bay/...>"
	done
	others=$(exported | grep -v '@@BAY_1\.0$' | tr '\n' ' ')
	[ "$others" = "bay_cell_main@@BAY_PRIVATE " ] ||
		fail "besides the public functions libbay.so exports: $others"
	if exported | grep -v '^bay_'; then
		fail "these do not begin with bay_"
	fi
	rm -f exports.declared exports.public
}

check_programs() {
	for program in bayd bayctl; do
		[ -f "$built/$program" ] || continue
		if needs_libbay "$(real "$built/$program")"; then
			fail "$program links libbay.so: it must not be able to load a plugin"
		fi
	done
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
