/* SPDX-License-Identifier: BSD-2-Clause */
/* Could do nothing. */
#include <bay/plugin.h>

BAY_PLUGIN(no_handler, "1", .summary = "idle");
