#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A stranger's client: systemd's varlinkctl (257 or later) lists, introspects and calls.
# VARLINKCTL_ROOT names the root of a newer Debian that has one, if this system does not.
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"

varlinkctl() {
	if [ -n "${VARLINKCTL_ROOT-}" ]; then
		lib=$(dirname "$(find "$VARLINKCTL_ROOT/usr/lib" -name 'libc.so.6' | head -n 1)")
		"$(find "$lib" -maxdepth 1 -name 'ld-linux*' | head -n 1)" --library-path "$lib:$lib/systemd" \
			"$VARLINKCTL_ROOT/usr/bin/varlinkctl" "$@"
	else
		command varlinkctl "$@"
	fi
}

version=$(varlinkctl --version 2>/dev/null | sed -n '1s/^systemd \([0-9]*\).*/\1/p')
if [ "${version:-0}" -lt 257 ]; then
	echo "SKIP: varlinkctl of systemd 257 or later is not here (found: ${version:-none}); name a root with VARLINKCTL_ROOT"
	exit 77
fi

# vctl ARGUMENT...: runs it; what it says is in $dir/out and $dir/err as for bayctl
vctl() {
	varlinkctl "$@" >"$dir/out" 2>"$dir/err"
	status=$?
}

begin 'varlinkctl understands bayd'
cp ../plugins/square.so "$dir/plugins/" || fail 'no square.so'
ini <<'END'
[service square]
END
start
socket=$dir/run/control.sock

vctl info "$socket"
status_is 0
says bayd
vctl list-interfaces "$socket"
status_is 0
says io.bayd.Container
says org.varlink.service
vctl introspect "$socket" io.bayd.Container
status_is 0
for method in Ping Info List Status Call Send Verbs 'Do' Start Stop Restart Tasks Queues Stats Log Shutdown; do
	grep -q "method $method" "$dir/out" || fail "the interface does not describe $method"
done
# As the README says, from the directory of the container.
command=$(sed -n 's/^`varlinkctl \(introspect [^`]*\)`.*/\1/p' "$srcdir/../README.md")
[ -n "$command" ] || fail 'the README names no command'
# shellcheck disable=SC2086 # words
cd "$dir" && vctl $command
status_is 0
says 'method Ping'
cd - >/dev/null || exit 99
vctl call "$socket" io.bayd.Container.Ping '{}'
status_is 0
vctl call "$socket" io.bayd.Container.Call '{"service":"square","text":"12"}'
status_is 0
says 144
vctl call "$socket" io.bayd.Container.Call '{"service":"nosuch","text":"12"}'
[ "$status" -ne 0 ] || fail 'a call to nobody succeeded'
cat "$dir/out" "$dir/err" >"$dir/both"
grep -q 'io.bayd.Container.NotFound' "$dir/both" || fail 'the error has no name'
vctl call --more "$socket" io.bayd.Container.Log '{"lines":2}'
status_is 0
stop

finish
