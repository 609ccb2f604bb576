/* SPDX-License-Identifier: BSD-2-Clause */
/* The one entry of libbay.so that is not for plugins: the whole of the program bay-cell. */
#ifndef BAY_CELL_CELL_MAIN_H
#define BAY_CELL_CELL_MAIN_H

#include <bay/abi.h>

/* What main returns. Exported under version BAY_PRIVATE: it may change with any release. */
BAY_API int bay_cell_main(int argc, char **argv);

#endif
