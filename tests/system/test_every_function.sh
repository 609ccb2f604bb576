#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Every function that plugins may call is called by a plugin of a test: by the toolbox
# (test_toolbox.sh) or by a sample (tests/plugins/). A new function without a test fails
# here. test_exports.sh says that the exported functions are those of the headers.
set -u

srcdir=${srcdir:-$(dirname "$0")/..}
work=$(mktemp -d "${TMPDIR:-/tmp}/bay-functions-XXXXXX") || exit 99
trap 'rm -rf "$work"' EXIT
failures=0

fail() {
	echo "FAIL: $*" >&2
	failures=$((failures + 1))
}

nm -D --defined-only ../container/.libs/libbay.so | sed -n 's/^.* \(bay_[a-z0-9_]*\)@@BAY_1.*$/\1/p' |
	sort >"$work/offered"
[ "$(wc -l <"$work/offered")" -ge 165 ] || fail "only $(wc -l <"$work/offered") functions were found"

for plugin in support/plugins/toolbox.so ../plugins/*.so; do
	nm -D --undefined-only "$plugin" || fail "nm cannot read $plugin"
done | sed -n 's/^ *U \(bay_[a-z0-9_]*\).*$/\1/p' | sort -u >"$work/used"

for function in $(comm -23 "$work/offered" "$work/used"); do
	fail "$function is called by no plugin of a test: add an operation to the toolbox"
done

for plugin in ../plugins/*.so; do
	name=$(basename "$plugin" .so)
	[ -x "$srcdir/plugins/test_$name.sh" ] || fail "the sample $name has no test plugins/test_$name.sh"
done

# What the toolbox can do is asked for.
sed -n 's/^\t{"\([a-z0-9-]*\)", .*/\1/p' "$srcdir"/support/plugins/toolbox/*.c >"$work/operations"
[ -s "$work/operations" ] || fail 'the toolbox has no operations'
while read -r operation; do
	grep -qE "^${operation}[ |]|call toolbox '?${operation}" "$srcdir/system/test_toolbox.sh" ||
		fail "the operation $operation of the toolbox is not in test_toolbox.sh"
done <"$work/operations"

[ "$failures" -eq 0 ]
