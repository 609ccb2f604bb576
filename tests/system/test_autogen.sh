#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# autogen.sh on machines with and without the packages, and with every way of being root.
# Its tools are stand-ins that write down how they are called.
set -u
# What we were configured with is nothing to the stand-ins.
unset CONFIGURE_FLAGS

autogen=${srcdir:-$(dirname "$0")/..}/../autogen.sh
work=$(mktemp -d "${TMPDIR:-/tmp}/bay-autogen-XXXXXX") || exit 99
trap 'rm -rf "$work"' EXIT
failures=0

# tool NAME: a program of that name, which does what standard input says.
tool() {
	{
		printf '#!/bin/sh\nprintf "%%s\\n" "%s $*" >>"%s/calls"\n' "$1" "$work"
		cat
	} >"$work/bin/$1"
	chmod +x "$work/bin/$1"
}

# A checkout on a machine where everything is installed and we are root.
begin() {
	rm -rf "${work:?}"/*
	mkdir -p "$work/bin" "$work/tree/plugins"
	cp "$autogen" "$work/tree/autogen.sh"
	echo 'AC_INIT' >"$work/tree/configure.ac"
	printf '#!/bin/sh\necho "demo $*" >>"%s/calls"\n' "$work" >"$work/tree/plugins/demo.sh"
	chmod +x "$work/tree/plugins/demo.sh"
	tool dpkg-query <<'END'
for package; do :; done
case " ${MISSING-} " in *" $package "*) exit 1 ;; esac
printf installed
END
	tool id <<'END'
echo "${USER_ID-0}"
END
	tool apt-get <<'END'
[ "${BROKEN-}" != "$1" ]
END
	tool autoreconf <<'END'
cat >configure <<'EOF'
#!/bin/sh
echo "configure $*" >>calls
>config.status
>Makefile
EOF
chmod +x configure
>Makefile.in
END
	tool make </dev/null
	tool nproc <<'END'
echo 3
END
	tool sudo <<'END'
[ "${SUDO-}" = works ] || exit 1
[ "$1" = -n ] && shift
exec "$@"
END
}

# run ARGUMENT...: autogen.sh with the stand-ins; its status is $status, its output $work/out.
run() {
	(cd "$work/tree" && PATH="$work/bin:$PATH" ./autogen.sh "$@" </dev/null >"$work/out" 2>&1)
	status=$?
}

fail() {
	echo "FAIL: $case: $*"
	sed 's/^/  out: /' "$work/out"
	[ ! -f "$work/calls" ] || sed 's/^/  call: /' "$work/calls"
	failures=$((failures + 1))
}

status_is() {
	[ "$status" -eq "$1" ] || fail "status $status, not $1"
}

called() {
	grep -qxF -- "$1" "$work/calls" || fail "not called: $1"
}

not_called() {
	! grep -q -- "^$1" "$work/calls" || fail "called: $1"
}

says() {
	grep -qF -- "$1" "$work/out" || fail "does not say: $1"
}

case='alone it makes the configure script and nothing else'
begin
run
status_is 0
called 'autoreconf -fi'
not_called apt-get
not_called make

case='check builds and tests; nothing is installed when nothing is missing'
begin
run check
status_is 0
called 'autoreconf -fi'
called 'make -j3 -s'
called 'make -j9 check'
not_called apt-get

case='a second run neither makes the configure script nor configures again'
rm "$work/calls"
run check
status_is 0
not_called autoreconf
! grep -q configuring "$work/out" || fail 'configures again'
called 'make -j9 check'

case='configure is given what the caller wants it to be'
begin
CONFIGURE_FLAGS='--one --two=2' run check
status_is 0
grep -qxF 'configure --quiet --one --two=2' "$work/tree/calls" || fail "$(cat "$work/tree/calls")"
begin
run check
grep -qxF 'configure --quiet' "$work/tree/calls" || fail "$(cat "$work/tree/calls")"

case='root installs just what is missing'
begin
MISSING='libmd-dev check' run check
status_is 0
called 'apt-get update -qq'
called 'apt-get install -y -qq --no-install-recommends libmd-dev check'
called 'make -j9 check'

case='lists that cannot be renewed do not stop it'
begin
BROKEN=update MISSING=check run check
status_is 0
says 'apt-get update failed'
called 'make -j9 check'

case='others install by sudo when it wants no password'
begin
USER_ID=1000 SUDO=works MISSING=check run check
status_is 0
called 'sudo -n env DEBIAN_FRONTEND=noninteractive apt-get update -qq'
called 'apt-get install -y -qq --no-install-recommends check'

case='who cannot become root is told what to run'
begin
USER_ID=1000 MISSING='gcc check' run check
status_is 1
not_called apt-get
not_called make
says 'apt-get update && apt-get install --no-install-recommends gcc check'

case='without autoconf it says what to install'
begin
rm "$work/bin/autoreconf"
for name in sh dirname cat; do
	ln -s "$(command -v "$name")" "$work/bin/$name"
done
(cd "$work/tree" && PATH=$work/bin MISSING='autoconf check' ./autogen.sh >"$work/out" 2>&1)
status=$?
status_is 1
says 'there is no autoreconf; as root, run:'
says 'apt-get update && apt-get install --no-install-recommends autoconf check'

case='a failed installation says what to run'
begin
BROKEN=install MISSING=check run check
status_is 1
not_called make
says 'apt-get update && apt-get install --no-install-recommends check'

case='demo hands its arguments on'
begin
run demo --once
status_is 0
called 'make -j3 -s'
called 'demo --once'

case='help is help, and nonsense is not'
begin
run -h
status_is 0
says 'usage: ./autogen.sh'
run nonsense
status_is 2
run check more
status_is 2

[ "$failures" -eq 0 ] || exit 1
echo 'all as it should be'
