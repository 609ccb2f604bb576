/* SPDX-License-Identifier: BSD-2-Clause */
/* What bayd -t does: everything is read and examined, and nothing is started. */
#ifndef BAY_MASTER_MASTER_CHECK_H
#define BAY_MASTER_MASTER_CHECK_H

#include "master/master.h"

struct config;

/* Prints every complaint about users, plugins and their settings on standard error, or that
 * there are none on standard output. Leaves nothing behind. */
enum master_exit master_check(const struct config *config);

#endif
