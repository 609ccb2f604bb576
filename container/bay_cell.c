/* SPDX-License-Identifier: BSD-2-Clause */
/* The program in which plugins run. Everything is in libbay.so, which they share with it. */
#include "config.h"

#include "cell/cell_main.h"

int
main(int argc, char **argv)
{
	return bay_cell_main(argc, argv);
}
