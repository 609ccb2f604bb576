#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Crashes and kills, for longer than the tests do, with all calls counted, and what they leave behind.
# `make chaos` runs it in the build folder of tests/. The environment may say how much:
#
#	CRASHES  of one service, in all ways, under calls to it and to a healthy one (10000)
#	FAULTS   of each kind, crashes and what a service goes on with: deadlocks, leaks of memory,
#	         descriptors and threads, floods, slow readers; each has to be reported as what it is, of
#	         the right service, while others are served (100)
#	MINUTES  of kills of cells, one each 100 ms (5)
#
# Here it counts, too, that p99 of the healthy service stays below twice that of the quiet, and that
# cells are gone a second after bayd.
set -u

here=${srcdir:-$(dirname "$0")}
export CRASHES="${CRASHES-10000}" KILLS=$((600 * ${MINUTES-5})) QUIET=50000 STRICT=1 srcdir="$here"
FAULTS="${FAULTS-100}" "$here/system/test_faults.sh" || exit
exec "$here/system/test_chaos.sh"
