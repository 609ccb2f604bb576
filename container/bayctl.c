/* SPDX-License-Identifier: BSD-2-Clause */
/* The client of bayd. */
#include "config.h"

#include <locale.h>
#include <stdio.h>

#include "ctl/ctl.h"

int
main(int argc, char **argv)
{
	/* For the width of characters only: numbers are printed the same everywhere. */
	setlocale(LC_CTYPE, "");
	return ctl_main(argc, argv, stdout, stderr);
}
