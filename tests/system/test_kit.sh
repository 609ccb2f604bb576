#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# libbay-test as the author of a plugin has it: out of the tree, by bay-test.pc, with the test of
# the README and the source of a plugin compiled into the test.
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"

top=$(cd "${srcdir:-$(dirname "$0")/..}/.." && pwd)

command -v pkg-config >/dev/null || {
	echo 'SKIP: there is no pkg-config'
	exit 77
}
if unless_installing nm -D "$built/.libs/libbay-test.so" "$built/.libs/libbay.so" | grep -qE '__(asan|tsan)_init'; then
	echo 'SKIP: the libraries are built with a sanitizer, the test outside would not be'
	exit 77
fi

# The flags as if it were installed where it was built.
flags() {
	PKG_CONFIG_DISABLE_UNINSTALLED=1 PKG_CONFIG_PATH=$built pkg-config --define-variable=includedir="$top/container/include" \
		--define-variable=libdir="$built/.libs" "$@" bay-test
}

# compile FILE...: makes $dir/probe.
compile() {
	# shellcheck disable=SC2046
	unless_installing "${CC:-cc}" -Wall -Wextra -Werror $(flags --cflags) -o "$dir/probe" "$@" $(flags --libs) \
		$(pkg-config --cflags --libs check) >"$dir/out" 2>"$dir/err" || fail 'it does not compile'
}

run() {
	(cd "$dir" && unless_installing env LD_LIBRARY_PATH="$built/.libs" ./probe >out 2>err)
	status=$?
}

begin 'the test of the README passes'
cp ../plugins/sleeper.so "$dir/"
{
	printf '#include <check.h>\n#include <bay/test.h>\n\n'
	awk '/^```c$/ { on = ++n == 2; next } /^```/ { on = 0 } on' "$top/README.md"
	cat <<'END'

int
main(void)
{
	Suite *suite = suite_create("readme");
	TCase *tests = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_test(tests, the_reply_comes_after_an_hour);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
END
} >"$dir/readme.c"
compile "$dir/readme.c"
run
status_is 0
says '100%: Checks: 1, Failures: 0, Errors: 0'

begin 'a test has the source of its plugin in it, and needs no framework'
cat >"$dir/own.c" <<'END'
#include <bay/test.h>

#include <assert.h>
#include <string.h>

int
main(void)
{
	const struct bay_test_options options = {.virtual_time = true, .calls = BAY_TEST_CALLS_RANDOM};

	bay_test_begin(&options);
	assert(bay_test_add_plugin("slow", BAY_TEST_PLUGIN, "delay=2h", "text=woken", NULL) == BAY_OK);
	assert(bay_test_call("slow", "") == BAY_OK);
	assert(strcmp(bay_test_reply(), "woken") == 0);
	assert(bay_test_call_with("slow", "", 0, 3600 * BAY_SECOND) == BAY_TIMEOUT);
	return bay_test_end();
}
END
compile "$dir/own.c" "$top/plugins/sleeper/sleeper.c"
BAY_TEST_SEED=42 run
status_is 0
complains 'BAY_TEST_SEED=42 gives this order again'

begin 'in the build tree pkg-config finds all by itself'
cp "$work/2/own.c" "$dir/"
# shellcheck disable=SC2046
unless_installing "${CC:-cc}" $(PKG_CONFIG_PATH=$built pkg-config --cflags bay-test) -o "$dir/probe" "$dir/own.c" \
	"$top/plugins/sleeper/sleeper.c" $(PKG_CONFIG_PATH=$built pkg-config --libs bay-test) ||
	fail 'it does not compile'
(cd "$dir" && unless_installing env -u LD_LIBRARY_PATH ./probe >out 2>err)
status=$?
status_is 0

begin 'what is left over is told by name'
cat >"$dir/leaks.c" <<'END'
#include <bay/test.h>

#include <fcntl.h>

static int
takes(struct bay_request *request)
{
	(void)!bay_alloc(48);
	return bay_reply_text(request, "");
}

static int
leaves(void *arg)
{
	(void)arg;
	(void)!bay_message("x", 1);
	return BAY_OK;
}

int
main(void)
{
	bay_test_begin(NULL);
	(void)bay_test_add_plugin("sloppy", BAY_TEST_DESCRIPTOR(.handle = takes), NULL);
	(void)bay_test_call("sloppy", "");
	(void)bay_test_run(leaves, NULL);
	(void)!open("/dev/zero", O_RDONLY);
	return bay_test_end();
}
END
compile "$dir/leaks.c"
run
status_is 3
complains 'bay-test: left over: 1 message is not freed (bay_message_free)'
complains 'bay-test: left over: service sloppy has 48 bytes of bay_alloc() that are not freed'
complains 'bay-test: left over: the descriptor '
complains '(/dev/zero) is open'

begin 'mistakes are told'
cat >"$dir/early.c" <<'END'
#include <bay/test.h>

int
main(void)
{
	return bay_test_call("square", "5");
}
END
compile "$dir/early.c"
run
status_is 1
complains 'bay-test: bay_test_run: bay_test_begin() comes first'

finish
