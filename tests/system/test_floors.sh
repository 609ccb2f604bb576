#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Includes go downwards only: what a folder of container/ may include is written here.
set -u

srcdir=${srcdir:-$(dirname "$0")/..}
container=$srcdir/../container
plugins=$srcdir/../plugins
failures=0

fail() {
	echo "FAIL: $*" >&2
	failures=$((failures + 1))
}

# The folders below a folder. master sees nothing that could run a plugin, and what is in
# libbay.so never sees the configuration.
allowed() {
	case $1 in
	base) echo ;;
	fiber | loop | config | protocol) echo base ;;
	runtime) echo base fiber loop protocol ;;
	io) echo base fiber loop protocol runtime ;;
	service) echo base fiber loop protocol runtime io ;;
	cell) echo base fiber loop protocol runtime io service ;;
	master) echo base loop config protocol ;;
	solo) echo base fiber loop protocol runtime io service cell ;;
	ctl) echo base protocol ;;
	kit) echo solo ;;
	bayd.c) echo base loop config protocol master ;;
	bay_cell.c) echo cell solo ;;
	bayctl.c) echo base protocol ctl ;;
	*) echo unknown ;;
	esac
}

# The folders that the given files include, with the file: "file folder".
included() {
	grep -HoE '^#[[:space:]]*include "[a-z_]+/' "$@" |
		sed -E 's@^([^:]*):.*"([a-z_]+)/$@\1 \2@' | sort -u
}

check_files() {
	name=$1
	may=" $(allowed "$name") $name "
	shift
	[ "$may" != " unknown $name " ] || fail "$name is on no floor: give it one in $0"
	included "$@" >floors.included
	while read -r file folder; do
		case $may in
		*" $folder "*) ;;
		*) fail "$file includes $folder/, which is not below $name/" ;;
		esac
	done <floors.included
	rm -f floors.included
}

check_container() {
	for path in "$container"/*/; do
		name=$(basename "$path")
		case $name in
		include | autom4te.cache) continue ;;
		esac
		set -- "$path"*.[chS]
		[ -f "$1" ] && check_files "$name" "$@"
	done
	for path in "$container"/*.c; do
		check_files "$(basename "$path")" "$path"
	done
}

# Plugins, and the headers that they are compiled with, know nothing of the inside.
check_outside() {
	if grep -HnE '^#[[:space:]]*include "' "$container"/include/bay/*.h; then
		fail "a public header includes what is not public"
	fi
	for folder in base fiber loop config protocol runtime io service cell master solo ctl kit; do
		if grep -rHnE --include='*.[ch]' --include='*.cc' --include='*.cpp' \
			"^#[[:space:]]*include [\"<]$folder/" "$plugins"; then
			fail "a plugin includes what is not public"
		fi
	done
}

check_container
check_outside
[ "$failures" -eq 0 ]
