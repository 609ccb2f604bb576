/* SPDX-License-Identifier: BSD-2-Clause */
/* What bayd -t does: everything is read and examined, and nothing is started. */
#ifndef BAY_MASTER_MASTER_CHECK_H
#define BAY_MASTER_MASTER_CHECK_H

#include "master/master.h"

struct config;
struct config_report;

/* Adds every complaint about users, plugins and their settings to those that report holds
 * already (about the file itself), prints all on standard error, or on standard output that
 * there are none. Leaves nothing behind. */
enum master_exit master_check(const struct config *config, struct config_report *report);

#endif
