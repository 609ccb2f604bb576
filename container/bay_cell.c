/* SPDX-License-Identifier: BSD-2-Clause */
/* The program in which plugins run. Everything is in libbay.so, which they share with it. */
#include "config.h"

#include <string.h>

#include "cell/cell_main.h"
#include "solo/solo_main.h"

int
main(int argc, char **argv)
{
	if (argc >= 2 && strcmp(argv[1], "solo") == 0)
		return bay_solo_main(argc - 1, argv + 1);
	return bay_cell_main(argc, argv);
}
