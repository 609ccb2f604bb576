#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Each public header compiles alone, in each standard that it promises, and so do all together
# with the macros that write descriptors and tables, by gcc and clang, without a warning. What a
# C++ plugin must not do is refused by its compiler, or ends with a report.
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"
not_with_sanitizer 'what compilers say of the headers is the same'
headers=$(cd "$srcdir/../container/include" && pwd)
strict=(-Wall -Wextra -Wpedantic -Werror)
compiled=0

# knows COMPILER STANDARD ENDING: whether it is there, and does.
knows() {
	echo 'int known;' >"$work/known.$3"
	"$1" "-std=$2" -fsyntax-only "$work/known.$3" 2>/dev/null && return 0
	echo "SKIP: test_headers: no $1 -std=$2"
	return 1
}

# each ENDING STANDARD... -- COMPILER...: every file of this ending in $dir, without a word.
each() {
	local ending=$1 standards=() files=("$dir"/*."$1") compiler standard
	shift
	while [ "$1" != -- ]; do
		standards+=("$1")
		shift
	done
	shift
	for compiler; do
		for standard in "${standards[@]}"; do
			knows "$compiler" "$standard" "$ending" || continue
			compiled=$((compiled + ${#files[@]}))
			"$compiler" "-std=$standard" "${strict[@]}" -I"$headers" -fsyntax-only "${files[@]}" \
				>"$dir/out" 2>"$dir/err" || fail "$compiler -std=$standard"
		done
	done
}

c_plugin() {
	cat <<'END'
#include <bay/bay.h>
struct set { int64_t a, b, c; uint64_t d; const char *e; bool f; };
static const struct bay_setting settings[] = {
	BAY_INT64(struct set, a, "a", "1", 0, 9, "a number"),
	BAY_DURATION(struct set, b, "b", "1s", "a span"),
	BAY_CHOICE(struct set, c, "c", "x", "x|y", "a word"),
	BAY_SIZE(struct set, d, "d", NULL, 0, 9, "a size"),
	BAY_STRING(struct set, e, "e", "", "a text"),
	BAY_BOOL(struct set, f, "f", "no", "a choice"),
	BAY_END
};
static int handle(struct bay_request *request)
{
	bay_log_debug("a line"); bay_log_info("%d", 1); bay_log_warn("b"); bay_log_error("c");
	return bay_fail(request, BAY_INVALID, "nothing");
}
END
}

begin 'in C'
for header in "$headers"/bay/*.h; do
	name=$(basename "$header")
	printf '#include <bay/%s>\n#include <bay/%s>\nextern int nothing;\n' "$name" "$name" >"$dir/$name.c"
done
{
	c_plugin
	echo 'BAY_PLUGIN(plain, "1.0.0", .summary = "s", .settings = settings, .handle = handle);'
} >"$dir/plugin.c"
each c c11 c17 c2x -- gcc clang

begin 'in C++'
for header in "$headers"/bay/*.h "$headers"/bay/*.hpp; do
	name=$(basename "$header")
	printf '#include <bay/%s>\n#include <bay/%s>\n' "$name" "$name" >"$dir/$name.cc"
done
# All fields of the descriptor that are a plugin's to fill.
sed -n '/^struct bay_plugin {/,/^};/p' "$headers/bay/plugin.h" |
	sed -nE 's/^\t[a-z].*[ *(]\(?\*?([a-z_]+)(\)\(.*)?;.*/\1/p' |
	grep -vxE 'size|abi_major|abi_minor|name|version' >"$dir/fields"
[ "$(wc -l <"$dir/fields")" -ge 8 ] || fail "fields: $(tr '\n' ' ' <"$dir/fields")"
{
	c_plugin
	cat <<'END'
#include <bay/plugin.hpp>
static int throws(bay_request *request) { throw bay_request_size(request); }
static int starts(bay_instance *) { return BAY_OK; }
static void ends(bay_instance *) noexcept {}
static int settles(bay_request *request) noexcept { return handle(request); }
BAY_PLUGIN_CXX(all, "1.0.0", .summary("s") .flags(0) .settings(settings) .init(bay::guarded<starts>)
	.handle(settles) .handle(bay::guarded<throws>) .run(bay::guarded<starts>) .stop(ends) .fini(ends) .verbs(nullptr));
END
} >"$dir/plugin.cc"
while read -r field; do
	grep -q "descriptor $field(" "$headers/bay/plugin.hpp" || fail "<bay/plugin.hpp> has nothing for $field"
done <"$dir/fields"
each cc c++17 c++20 -- g++ clang++
rm "$dir"/*.cc
{
	c_plugin
	echo 'BAY_PLUGIN(plain, "1.0.0", .settings = settings, .handle = handle);'
} >"$dir/designated.cc"
each cc c++20 -- g++ clang++

for compiler in g++ clang++; do
	knows "$compiler" c++17 cc || continue
	begin "what $compiler has to refuse"
	cat >"$dir/throws.cc" <<-'END'
	#include <bay/plugin.hpp>
	static int may_throw(bay_request *) { return 0; }
	BAY_PLUGIN_CXX(throws, "1.0.0", .handle(may_throw));
	END
	"$compiler" -std=c++17 -I"$headers" -fsyntax-only "$dir/throws.cc" 2>"$dir/err" &&
		fail 'a handler that may throw is taken'
	grep -q noexcept "$dir/err" || fail 'it does not say why'

	begin "an exception that escapes from a plugin by $compiler ends the cell with a report"
	cat >"$dir/escapes.cc" <<-'END'
	#include <stdexcept>
	#include <bay/plugin.hpp>
	static int escapes(bay_request *) noexcept { throw std::runtime_error("out"); }
	BAY_PLUGIN_CXX(escapes, "1.0.0", .handle(escapes));
	END
	cat >"$dir/caught.cc" <<-'END'
	#include <new>
	#include <stdexcept>
	#include <string>
	#include <bay/bay.h>
	#include <bay/plugin.hpp>
	static int caught(bay_request *request)
	{
		std::string text(bay_request_text(request));
		if (text == "memory")
			throw std::bad_alloc();
		if (text == "number")
			throw 5;
		if (bay_sleep(BAY_MS) != BAY_OK)
			throw std::runtime_error("cut short");
		throw std::runtime_error("after a wait");
	}
	BAY_PLUGIN_CXX(caught, "1.0.0", .handle(bay::guarded<caught>));
	END
	{
		sed '/^BAY_PLUGIN_CXX/d' "$dir/caught.cc"
		cat <<-'END'
		static int never(bay_instance *) { throw std::runtime_error("no start today"); }
		BAY_PLUGIN_CXX(refuses, "1.0.0", .handle(bay::guarded<caught>) .init(bay::guarded<never>));
		END
	} >"$dir/refuses.cc"
	for name in escapes caught refuses; do
		"$compiler" -std=c++17 -shared -fPIC -Wno-terminate -I"$headers" -o "$dir/plugins/$name.so" \
			"$dir/$name.cc" 2>"$dir/err" || fail "$name does not compile"
	done
	ini <<-'END'
	[service escapes]
	[service caught]
	[service refuses]
	END
	start
	ctl call caught ''
	complains 'after a wait'
	ctl call caught memory
	complains 'no memory'
	ctl call caught number
	complains 'an exception of an unknown kind'
	ctl status refuses
	says 'no start today'
	ctl call escapes ''
	status_is 1
	complains 'SIGABRT in service escapes'
	wait_until 'the others are back' is_state caught ready
	stop
done

if [ "$compiled" -eq 0 ]; then
	echo 'SKIP: test_headers: no compiler'
	exit 77
fi
echo "$compiled files compiled"
finish
