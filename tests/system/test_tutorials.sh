#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The tutorials work as they are printed: what stands in their blocks is written, compiled and
# typed, and the answers are compared.
#
# A block's language says what it is, and the name behind it which file: ```c hello.c is
# written, ```ini bay.ini is added to that file, ```console is typed. Port 7070 is another one
# here.
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"

docs=$(cd "$srcdir/../docs" && pwd)
typed=0

# split PAGE: the blocks of a page, each in a file N.LANGUAGE of its own, whose first line is
# the name of the file that it is to become.
split() {
	mkdir "$dir/blocks"
	awk -v into="$dir/blocks" -v port=$((20000 + $$ % 12000)) '
		{ gsub(/7070/, port) }
		/^```[a-z-]+/ && !on {
			on = 1
			file = sprintf("%s/%03d.%s", into, ++n, substr($1, 4))
			print $2 > file
			next
		}
		/^```$/ { on = 0; close(file); next }
		on { print > file }' "$1"
}

# type COMMAND: as a person would. The daemon is waited for, as a person would be seen to do.
type_in() {
	typed=$((typed + 1))
	case $1 in
	'bayd '*'&')
		# A person types the reload before it is taken without one.
		sed -i '/^\[container\]/a watch = no' "$dir/bay.ini"
		launch
		wait_until 'the daemon is ready' is_ready_or_gone
		;;
	*)
		(cd "$dir" && PATH=$built:$PATH && eval "$1") >"$dir/out" 2>&1 </dev/null
		;;
	esac
	case $1 in
	'bayctl shutdown') expect_exit 0 ;;
	esac
}

# compare COMMAND: whether what was said is what stands in the page; "..." is anything.
compare() {
	if [ -s "$dir/expected" ] || [ -s "$dir/out" ]; then
		sed 's/[][\.*^$+?(){}|]/\\&/g; s/\\\.\\\.\\\./.*/g; s/.*/^&$/' "$dir/expected" >"$dir/patterns"
		awk 'NR == FNR { pattern[++n] = $0; next }
			$0 !~ pattern[FNR] { wrong = 1 }
			END { exit wrong || FNR != n }' "$dir/patterns" "$dir/out" ||
			fail "$1: the page says: $(cat "$dir/expected")"
	fi
}

# console FILE: types what stands behind a $, and compares what stands below.
console() {
	command=
	: >"$dir/expected"
	: >"$dir/out"
	sed 1d "$1" >"$dir/lines"
	while IFS= read -r line <&4; do
		case $line in
		'$ '*)
			compare "$command"
			command=${line#'$ '}
			: >"$dir/out"
			: >"$dir/expected"
			type_in "$command"
			;;
		*)
			printf '%s\n' "$line" >>"$dir/expected"
			;;
		esac
	done 4<"$dir/lines"
	compare "$command"
}

# block FILE: what it is for comes true.
block() {
	name=$(head -n 1 "$1")
	case $1 in
	*.c)
		sed 1d "$1" >"$dir/$name"
		"${CC:-cc}" -fsyntax-only -Wall -Wextra -Werror -I"$srcdir/../container/include" "$dir/$name" \
			>"$dir/out" 2>"$dir/err" || fail "$name has warnings"
		;;
	*.python) sed 1d "$1" >"$dir/$name" ;;
	*.ini) sed 1d "$1" >>"$dir/$name" ;;
	*.console) console "$1" ;;
	*.python-console) [ -z "$python" ] || console "$1" ;;
	*) fail "what is ${1##*.}?" ;;
	esac
}

# blocks LANGUAGE...: all blocks of these languages in their order.
blocks() {
	for each in "$dir"/blocks/*; do
		for language; do
			case $each in
			*."$language") block "$each" ;;
			esac
		done
	done
}

# Python as it is on the right of the page, or nothing.
find_python() {
	python=
	! python3 -c 'import asyncio; asyncio.timeout' 2>/dev/null || python=python3
}

command -v "${CC:-cc}" >/dev/null || { echo 'SKIP: there is no compiler'; exit 77; }
command -v pkg-config >/dev/null || { echo 'SKIP: there is no pkg-config'; exit 77; }

# A package that is not installed is found where it was built.
PKG_CONFIG_PATH=$built${PKG_CONFIG_PATH+:$PKG_CONFIG_PATH}
export PKG_CONFIG_PATH

begin 'six steps to a plugin'
split "$docs/plugins.md"
blocks ini c console
[ "$typed" -ge 20 ] || fail "only $typed commands were found"
[ -z "$bayd" ] || stop

begin 'what asyncio does, Bay does too'
find_python
typed=0
split "$docs/from-asyncio.md"
blocks ini c python
for source in "$dir"/*.c; do
	compiled=$(basename "$source" .c)
	# shellcheck disable=SC2046
	"${CC:-cc}" -shared -fPIC $(pkg-config --cflags bay) -o "$dir/plugins/$compiled.so" "$source" \
		>"$dir/out" 2>"$dir/err" || fail "$compiled.c does not compile"
done
start
blocks console
[ "$typed" -eq 6 ] || fail "$typed commands were found, not 6"
stop
if [ -n "$python" ]; then
	blocks python-console
	[ "$typed" -eq 12 ] || fail "$typed commands were found, not 12"
else
	echo "SKIP: the side of asyncio: there is no Python 3.11"
fi

finish
