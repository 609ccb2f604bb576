#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# One plugin, built in many ways: compilers, levels of optimisation, linkers, standards, stripped
# or not. Each loads, answers, and goes.
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"
not_with_sanitizer 'what is built in many ways is built without one'
headers=$(cd "$srcdir/../container/include" && pwd)
skipped=0

begin 'a plugin built in any way loads and answers'
cat >"$dir/variant.c" <<'END'
#include <stdlib.h>
#include <string.h>
#include <bay/bay.h>
struct set { int64_t wait_ns; const char *text; };
static const struct bay_setting settings[] = {
	BAY_DURATION(struct set, wait_ns, "wait", "1ms", "how long to wait"),
	BAY_STRING(struct set, text, "text", "answer", "what to answer"),
	BAY_END
};
static int unused_data = 3;
static int twice(int value) { return 2 * value; }
static int work(void *number) { *(int *)number = twice(*(int *)number) + unused_data - 3; return bay_yield(); }
static int init(struct bay_instance *instance)
{
	int *number = (int *)bay_alloc(sizeof *number);
	if (number == NULL)
		return BAY_NO_MEMORY;
	*number = 21;
	bay_instance_set_state(instance, number);
	return BAY_OK;
}
static void fini(struct bay_instance *instance) { bay_free(bay_instance_state(instance)); }
static int handle(struct bay_request *request)
{
	const struct set *set = (const struct set *)bay_settings(request);
	int number = *(int *)bay_state(request);
	struct bay_task *task;
	if (bay_sleep(set->wait_ns) != BAY_OK)
		return BAY_CANCELED;
	task = bay_spawn("work", work, &number);
	if (bay_join(task, BAY_INHERIT) != BAY_OK)
		return BAY_FAILED;
	return bay_reply_printf(request, "%s %d", set->text, number);
}
END
cp "$dir/variant.c" "$dir/variant.cc"
echo 'BAY_PLUGIN(variant, "1.0.0", .summary = "s", .settings = settings, .init = init, .handle = handle, .fini = fini);' \
	>>"$dir/variant.c"
cat >>"$dir/variant.cc" <<'END'
#include <bay/plugin.hpp>
BAY_PLUGIN_CXX(variant, "1.0.0", .summary("s") .settings(settings) .init(bay::guarded<init>)
	.handle(bay::guarded<handle>) .fini([](bay_instance *instance) noexcept { fini(instance); }));
END

# variant NAME COMPILER FILE OPTION...: a service of a plugin that is built so, or a skip. A plus
# is not for names of services.
variant() {
	local name=${1//+/x} compiler=$2 file=$3
	shift 3
	if ! command -v "$compiler" >/dev/null; then
		skip "$name" "no $compiler"
	elif ! can_link "$compiler" "$file" "$@"; then
		skip "$name" "$compiler cannot: $(head -n 1 "$dir/why")"
	elif "$compiler" -shared -fPIC -I"$headers" -o "$dir/plugins/$name.so" "$dir/$file" "$@" >"$dir/out" 2>"$dir/err"; then
		printf '[service %s]\n' "$name" >>"$dir/services"
	else
		fail "$name is not built"
	fi
}

# Whether a compiler and its linker know these options, for an empty library.
can_link() {
	local compiler=$1 file=$2
	shift 2
	: >"$dir/empty.${file##*.}"
	"$compiler" -shared -fPIC -o "$dir/empty.so" "$dir/empty.${file##*.}" "$@" >"$dir/why" 2>&1
}

skip() {
	echo "SKIP: test_build_variants: $1: $2"
	skipped=$((skipped + 1))
}

# changed NAME OF COMMAND...: a copy of a plugin that a tool has worked on.
changed() {
	local name=$1 of=$2
	shift 2
	if [ ! -f "$dir/plugins/$of.so" ] || ! command -v "$1" >/dev/null; then
		skip "$name" "no $1, or no plugin $of"
		return
	fi
	cp "$dir/plugins/$of.so" "$dir/plugins/$name.so"
	"$@" "$dir/plugins/$name.so" 2>"$dir/err" || fail "$name: $*"
	printf '[service %s]\n' "$name" >>"$dir/services"
}

for compiler in gcc clang; do
	variant $compiler-O0 $compiler variant.c -O0 -g
	variant $compiler-O3-lto $compiler variant.c -O3 -flto
	variant $compiler-Os-sections $compiler variant.c -Os -ffunction-sections -fdata-sections -Wl,--gc-sections
	variant $compiler-hidden $compiler variant.c -O2 -fvisibility=hidden -fno-plt -Wl,-z,now -Wl,-z,relro
	variant $compiler-c11 $compiler variant.c -std=c11 -O1
	variant $compiler-gnu17 $compiler variant.c -std=gnu17 -O2 -g3
	variant $compiler-c2x $compiler variant.c -std=c2x
	for linker in bfd gold lld mold; do
		variant $compiler-$linker $compiler variant.c -O2 -fuse-ld=$linker -Wl,--gc-sections
	done
	for linker in gold lld mold; do
		variant $compiler-$linker-icf $compiler variant.c -O2 -ffunction-sections -fuse-ld=$linker -Wl,--icf=all
	done
	variant $compiler-gold-lto $compiler variant.c -O3 -flto -fuse-ld=gold
	variant $compiler-linked $compiler variant.c -O2 "-L$built/.libs" -lbay -Wl,-z,defs
	variant $compiler-probes $compiler variant.c -O2 -fstack-clash-protection -fstack-protector-all -D_FORTIFY_SOURCE=2
done
variant clang-lld-lto clang variant.c -O3 -flto -fuse-ld=lld
variant clang-lld-thin clang variant.c -O2 -flto=thin -fuse-ld=lld
for compiler in g++ clang++; do
	variant $compiler-O0 $compiler variant.cc -std=c++17 -O0 -g
	variant $compiler-O3-lto $compiler variant.cc -std=c++17 -O3 -flto
	variant $compiler-gnu20 $compiler variant.cc -std=gnu++20 -O2 -fvisibility=hidden
	variant $compiler-lld $compiler variant.cc -std=c++17 -O2 -fuse-ld=lld -Wl,--gc-sections
	variant $compiler-static $compiler variant.cc -std=c++17 -O2 -static-libstdc++ -static-libgcc
done
for of in gcc-O0 gcc-O3-lto clang-gnu17 clang-lld gxx-O0; do
	changed $of-stripped $of strip
	changed $of-undebugged $of strip --strip-debug
done
changed gcc-O0-compressed gcc-O0 objcopy --compress-debug-sections

built_count=$(wc -l <"$dir/services")
if [ "$built_count" -eq 0 ]; then
	echo 'SKIP: test_build_variants: no compiler'
	exit 77
fi
sed 's/^\[service \(.*\)\]$/&\ntext = \1/' "$dir/services" | ini
sed -n 's/^\[service \(.*\)\]$/\1/p' "$dir/services" >"$dir/names"
start
daemon_runs || : >"$dir/names"
while read -r name; do
	ctl call "$name"
	[ "$(cat "$dir/out")" = "$name 42" ] || fail "$name does not answer"
done <"$dir/names"
while read -r name; do
	ctl stop "$name"
	status_is 0
done <"$dir/names"
stop

echo "$built_count variants, $skipped skipped"
finish
