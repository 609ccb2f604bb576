/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * "bay-cell inspect FILE [--json]": what a plugin file says about itself, for people or
 * programs. It works on any file, hostile ones included: nothing of it is run.
 */
#ifndef BAY_CELL_INSPECT_H
#define BAY_CELL_INSPECT_H

/*
 * Prints the report to standard output; argv[0] is the mode. Returns the exit code: 0 the
 * plugin is fine, 5 it is refused, 4 there is no such file, 6 it may not be read, 2 wrong
 * usage, 1 anything else.
 */
int inspect_run(int argc, char **argv);

#endif
