/* SPDX-License-Identifier: BSD-2-Clause */
/* bay-cell solo: what `bayctl run` runs. */
#ifndef BAY_SOLO_SOLO_MAIN_H
#define BAY_SOLO_SOLO_MAIN_H

#include <bay/abi.h>

/* argv[0] is the mode. Returns an exit code of bayctl. Exported under version BAY_PRIVATE. */
BAY_API int bay_solo_main(int argc, char **argv);

#endif
