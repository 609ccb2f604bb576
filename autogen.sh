#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# From a fresh checkout to a configure script, to a tested build, or to the demo.
set -eu

PACKAGES='gcc make autoconf automake libtool pkg-config libc6-dev
libevent-dev libinih-dev libjansson-dev libmd-dev libc-ares-dev
libssl-dev openssl libdw-dev libseccomp-dev check'

usage() {
	cat <<END
usage: ./autogen.sh                 make the configure script
       ./autogen.sh check           install what is missing, build, run the tests
       ./autogen.sh demo [--once]   install what is missing, build, show it at work
       ./autogen.sh -h
CONFIGURE_FLAGS are given to ./configure.
END
}

say() {
	printf '==> %s\n' "$*"
}

die() {
	printf 'autogen.sh: %s\n' "$*" >&2
	exit 1
}

# die_for WHY PACKAGES: with the line that mends it.
die_for() {
	die "$1; as root, run:
  apt-get update && apt-get install --no-install-recommends ${2% }"
}

missing_packages() {
	for package in $PACKAGES; do
		state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
		[ "$state" = installed ] || printf '%s ' "$package"
	done
}

# Whether as_root can be.
may_be_root() {
	[ "$(id -u)" -eq 0 ] ||
		{ command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; }
}

# Runs a command as root: directly, by sudo without a password, or by sudo on a terminal.
as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
		sudo -n "$@"
	elif command -v sudo >/dev/null && [ -t 0 ]; then
		sudo "$@"
	else
		return 126
	fi
}

install_packages() {
	if ! command -v dpkg-query >/dev/null; then
		say 'no Debian system: leaving the packages to you; configure names what is missing'
		return 0
	fi
	missing=$(missing_packages)
	[ -n "$missing" ] || return 0

	may_be_root || die_for "packages are missing" "$missing"
	say "installing: ${missing% }"
	as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq ||
		[ $? -eq 126 ] || say 'apt-get update failed; going on with the lists as they are'
	# shellcheck disable=SC2086 # a list of package names
	as_root env DEBIAN_FRONTEND=noninteractive \
		apt-get install -y -qq --no-install-recommends $missing >/dev/null ||
		die_for "could not install what is missing" "$missing"
}

bootstrap() {
	command -v autoreconf >/dev/null || die_for "there is no autoreconf" "$(missing_packages)"
	say 'making the configure script'
	autoreconf -fi
}

# Whether file $1 is absent or older than file $2.
outdated() {
	[ ! -f "$1" ] || [ -n "$(find "$2" -newer "$1")" ]
}

# Only the first steps are looked after here: make itself notices later changes.
build() {
	if outdated configure configure.ac || [ ! -f Makefile.in ]; then
		bootstrap
	fi
	if outdated config.status configure || [ ! -f Makefile ]; then
		say 'configuring'
		# shellcheck disable=SC2086 # a list of options
		./configure --quiet ${CONFIGURE_FLAGS-}
	fi
	jobs=$(nproc 2>/dev/null || echo 2)
	say "building with $jobs jobs"
	make -j"$jobs" -s
}

cd "$(dirname "$0")"

case ${1-} in
'')
	bootstrap
	;;
check)
	[ $# -eq 1 ] || { usage >&2; exit 2; }
	install_packages
	build
	say 'running the tests'
	# They wait more than they compute.
	exec make -j$((3 * jobs)) check
	;;
demo)
	shift
	install_packages
	build
	exec ./plugins/demo.sh "$@"
	;;
-h | --help)
	usage
	;;
*)
	usage >&2
	exit 2
	;;
esac
