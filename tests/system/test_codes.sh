#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# "do" is a verb of bayctl here.
# shellcheck disable=SC1010
# The stable codes of errors: that there are no others than those of the table, that each of those
# is said by something, that the manual has the same words, and what it looks like.
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"

top=$srcdir/..
table=$top/container/base/code_table.c

# sources: every source that may say a code.
sources() { find "$top/container" -name '*.c' ! -name code_table.c; echo "$top/container/ctl/error.h"; }

begin 'the table is sorted, and is what explain lists'
sed -n 's/^	{"\([a-z-]*\)",.*/\1/p' "$table" >"$dir/slugs"
[ "$(wc -l <"$dir/slugs")" -ge 70 ] || fail 'no codes were found'
LC_ALL=C sort -c -u "$dir/slugs" || fail 'not sorted'
ctl explain -q
status_is 0
awk '{ print $1 }' "$dir/out" | cmp -s - "$dir/slugs" || fail 'not what explain lists'

case='every code is said by something'
sed -n 's/^	BAY_\([A-Z_]*\) = [1-9].*/\1/p' "$top/container/include/bay/status.h" |
	tr 'A-Z_' 'a-z-' >"$dir/statuses"
# shellcheck disable=SC2046 # names of our own
cat $(sources) >"$dir/sources"
while read -r slug; do
	grep -qxF "$slug" "$dir/statuses" || grep -qF -e " [$slug]" -e "\"$slug\"" "$dir/sources" ||
		fail "nobody says $slug"
done <"$dir/slugs"

case='and there are no others'
{
	grep -oE ' \[[a-z]+(-[a-z]+)*\]\\?n?"' "$dir/sources" | grep -oE '[a-z-]+' | grep -vx n
	grep -oE 'code_(fail|text)\([^"]*"[a-z-]+"' "$dir/sources" | grep -oE '"[a-z-]+"' | tr -d '"'
	sed -n 's/^#define CTL_CODE_[A-Z_]* "\(.*\)"/\1/p' "$top/container/ctl/error.h"
	cat "$dir/statuses"
} | sort -u | grep -vxE 'container|service' >"$dir/said"
[ "$(wc -l <"$dir/said")" -ge 60 ] || fail 'no codes were found in the sources'
while read -r slug; do
	grep -qxF -- "$slug" "$dir/slugs" || fail "$slug is said, and not in the table"
done <"$dir/said"

case='the manual has the same words'
ctl explain --json
tr '}' '\n' <"$dir/out" | sed -n 's/.*"code":"\([^"]*\)","meaning":"\(.*\)","remedy":"\(.*\)"$/\1 \2 \3/p' |
	sed 's/\\"/"/g' >"$dir/told"
[ "$(wc -l <"$dir/told")" -eq "$(wc -l <"$dir/slugs")" ] || fail 'not all are told'
sed -n '/^\.Bl -tag -width indent$/,/^\.El$/p' "$top/docs/bay-codes.7" |
	sed '/^\.[BE]l/d; s/^\.It Li /\n/; s/^\\&//' | awk '
	/^$/ { if (line != "") print line; line = ""; next }
	{ line = line == "" ? $0 : line " " $0 }
	END { print line }' >"$dir/manual"
cmp -s "$dir/told" "$dir/manual" || fail "$(diff "$dir/told" "$dir/manual" | head -n 6)"

case='a code is explained, also with its brackets'
ctl explain plugin-abi
status_is 0
says 'plugin-abi: The plugin was built for another version'
says 'Compile it with the headers'
ctl explain '[config-key]' --json
status_is 0
says '"code":"config-key"'
ctl explain plugin-abl
status_is 4
complains 'there is no code "plugin-abl" [not-found]'
complains 'did you mean "plugin-abi"?'
ctl explain nonsense
status_is 4
complains 'bayctl explain lists them'

case='what bayctl finds itself has one'
ctl frobnicate
complains '[usage]'
ctl ping
complains '[unreachable]'
ctl ping --json
says '"code":"unreachable"'

case='plugin files are refused with one'
while read -r file code; do
	# A sanitizer that is here already is one that it may want.
	if [ "$file" = asan ] && grep -q '^SANITIZER_CFLAGS = .*-fsanitize' ../container/Makefile; then
		continue
	fi
	ctl inspect "$built_plugins/$file.so"
	grep -q "\[$code\]$" "$dir/out" || fail "$file: not $code"
	ctl inspect --json "$built_plugins/$file.so"
	says "\"code\":\"$code\""
done <<'END'
no_note plugin-note
abi_major plugin-abi
abi_minor plugin-abi
execstack plugin-link
asan plugin-import
undefined plugin-symbol
nothing plugin-file
END
cp /bin/sh "$dir/plugins/sh.so"
ctl inspect "$dir/plugins/sh.so"
grep -qE '\[plugin-(link|note)\]$' "$dir/out" || fail 'a program is taken'
echo text >"$dir/plugins/text.so"
ctl inspect "$dir/plugins/text.so"
says '[plugin-elf]'
: >"$dir/plugins/empty.so"
ctl inspect "$dir/plugins/empty.so"
says '[plugin-file]'
ctl doc "$built_plugins/bad_settings.so"
complains '[plugin-settings]'

begin 'complaints about the configuration have one each'
for name in crashes exits hangs babbles reserved unknown_flag no_handler mismatch good needs_library; do
	plugin "$name"
done
chmod 666 "$dir/plugins/good.so"
{
	printf 'stray = 1\n[container]\nloops = many\nlop_level = info\nword\n[container]\n[nonsense]\n'
	printf '[service a]\nplugin = a.so\n[service a]\n'
} >"$dir/bay.ini"
check
status_is 5
for code in config-key config-value config-syntax config-twice config-section; do
	complains "[$code]"
done
! grep -v '\[[a-z-]*\]$' "$dir/err" || fail 'a complaint has none'
ini <<'END'
include = absent.ini
user = no-such-user-here
END
check
complains '[config-include]'
ini <<'END'
[service crashes]
[service exits]
[service babbles]
[service reserved]
[service unknown_flag]
[service no_handler]
[service mismatch]
[service needs_library]
[service good]
[service absent]
END
check
status_is 5
while read -r service code; do
	grep -q "service $service: .*\[$code\]$" "$dir/err" ||
		fail "$service: not $code: $(grep "service $service:" "$dir/err")"
done <<'END'
crashes plugin-crash
exits plugin-crash
babbles plugin-writes
reserved plugin-settings
unknown_flag plugin-descriptor
no_handler plugin-descriptor
mismatch plugin-descriptor
needs_library plugin-library
good plugin-place
absent plugin-file
END
plugin good
ini <<'END'
[service good]
retries = 11
nonsense = 1
END
check
complains 'retries: 11 is not within 0..10 [config-setting]'
complains '[config-key]'

begin 'what fails at work has one, in the log, too'
plugin toolbox
plugin actor
ini <<'END'
[service toolbox]
[service again]
plugin = toolbox
fail_init = yes
[service runs]
plugin = toolbox
fail_run = yes
restart = no
[service actor]
queue = 1
concurrency = 1
overflow = reject
END
start
logs '[service-init]'
has_failed() { [ "$(state_of runs)" = failed ]; }
wait_until 'the run task has failed' has_failed
logs '[service-task]'
# coded CODE ARGUMENT...: the error has this code in both forms.
coded() {
	code=$1
	shift
	ctl "$@"
	grep -q "\[$code\]$" "$dir/err" || fail "$*: not $code: $(cat "$dir/err")"
	ctl --json "$@"
	says "\"code\":\"$code\""
}
coded not-found call tolbox x
coded service-init call again x
coded handler-failed call toolbox 'no such operation'
coded timeout call toolbox wait --timeout 20ms
coded verb-unknown do toolbox nosuch
coded verb-arguments do toolbox everything x
coded handler-failed do toolbox refuse
coded misuse-no-reply do toolbox silent
ctl call actor crash
complains '[cell-crash]'
logs '[cell-crash]'
stop
ini <<'END'
[service toolbox]
END
start
(cd "$dir" && "$built/bayd" -c bay.ini >out 2>err </dev/null)
complains '[start-busy]'
stop

finish
