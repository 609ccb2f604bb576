#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# docs/asyncio.md tells of every public name of Python's asyncio, once, and of functions that
# there are. asyncio-3.11.txt is asyncio.__all__ and the public methods of its classes; where a
# Python 3.11 is at hand, the list is held against it. That each function is tried by a test is
# test_every_function.sh's.
set -u

srcdir=${srcdir:-$(dirname "$0")/..}
page=$srcdir/../docs/asyncio.md
list=$srcdir/system/asyncio-3.11.txt
work=$(mktemp -d "${TMPDIR:-/tmp}/bay-asyncio-XXXXXX") || exit 99
trap 'rm -rf "$work"' EXIT
export LC_ALL=C
failures=0

fail() {
	echo "FAIL: $*" >&2
	failures=$((failures + 1))
}

# The rows, without heads and rules: name | function | remark
sed -n '/^|/p' "$page" | grep -vE '^\|(---|[[:space:]]*asyncio[[:space:]]*\|)' >"$work/rows"
[ "$(wc -l <"$work/rows")" -ge 100 ] || fail 'hardly any rows were found'

# Names may stand in braces, as the shell has them.
cut -d '|' -f 2 "$work/rows" | grep -oE '`[^`]+`' | tr -d '`' | while read -r word; do
	case $word in
	*[!A-Za-z0-9_.,{}]*) echo "what is this: $word" >&2 ;;
	*) eval "printf '%s\n' $word" ;;
	esac
done | sort >"$work/told"
sort "$list" >"$work/names"
[ "$(wc -l <"$work/names")" -ge 500 ] || fail 'the list of names is short'
for name in $(comm -23 "$work/names" "$work/told"); do
	fail "the page does not tell of $name"
done
for name in $(comm -13 "$work/names" <(uniq "$work/told")); do
	fail "asyncio has no $name"
done
for name in $(uniq -d "$work/told"); do
	fail "the page tells twice of $name"
done

nm -D --defined-only ../container/.libs/libbay.so | sed -n 's/^.* \(bay_[a-z0-9_]*\)@@BAY_1.*$/\1/p' |
	sort >"$work/offered"
[ -s "$work/offered" ] || fail 'libbay.so offers nothing'
grep -oE '`bay_[a-z0-9_]+(\(\))?`' "$page" | tr -d '`()' | sort -u >"$work/named"
for name in $(comm -13 "$work/offered" "$work/named"); do
	fail "the page names $name, which there is not"
done

# No function: then why not.
while IFS='|' read -r _ name functions remark _; do
	case $functions in
	*bay_*) ;;
	*) [ -n "${remark// /}" ] || fail "the page does not say why there is nothing for$name" ;;
	esac
done <"$work/rows"

for python in python3.11 python3; do
	[ "$("$python" -c 'import sys; print(sys.version_info[:2])' 2>/dev/null)" = '(3, 11)' ] || continue
	"$python" - >"$work/python" <<'END'
import asyncio, inspect

for name in asyncio.__all__:
    thing = getattr(asyncio, name)
    print(name)
    if inspect.isclass(thing) and not issubclass(thing, BaseException):
        for method in dir(thing):
            if not method.startswith("_"):
                print(name + "." + method)
END
	sort -o "$work/python" "$work/python"
	cmp -s "$work/python" "$work/names" ||
		fail "the list differs from $python: $(diff "$work/names" "$work/python" | head -n 5 | tr '\n' ' ')"
	break
done

[ "$failures" -eq 0 ] || exit 1
echo "$(wc -l <"$work/names") names are told"
