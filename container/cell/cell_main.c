/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "cell/cell_main.h"

#include <stdio.h>
#include <string.h>

#include "cell/cell.h"
#include "cell/doc.h"
#include "cell/examine.h"
#include "cell/inspect.h"

enum { CELL_MAIN_USAGE = 2 };

static int
cell_main_examine(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return examine_run();
}

static const struct cell_mode {
	const char *name;
	int (*run)(int argc, char **argv); /* argv[0] is the mode */
	const char *help;
} cell_modes[] = {
	{"run", cell_run, "runs services for bayd, which starts it"},
	{"examine", cell_main_examine, "looks at plugins for bayd, which starts it"},
	{"doc", doc_run, "FILE: says as JSON what a plugin takes, without running it"},
	{"inspect", inspect_run, "FILE [--json]: says what is in a plugin, without running it"},
};

static int
cell_main_usage(void)
{
	fprintf(stderr, "usage: bay-cell MODE\n");
	for (size_t i = 0; i < sizeof(cell_modes) / sizeof(*cell_modes); i++)
		fprintf(stderr, "  %-8s %s\n", cell_modes[i].name, cell_modes[i].help);
	fprintf(stderr, "  %-8s %s\n", "solo", "FILE ...: runs a plugin by itself, for bayctl run");
	return CELL_MAIN_USAGE;
}

int
bay_cell_main(int argc, char **argv)
{
	/* What plugins print goes to pipes, and is to be seen when it is printed. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t i = 0; argc >= 2 && i < sizeof(cell_modes) / sizeof(*cell_modes); i++)
		if (strcmp(argv[1], cell_modes[i].name) == 0)
			return cell_modes[i].run(argc - 1, argv + 1);
	return cell_main_usage();
}
