/* SPDX-License-Identifier: BSD-2-Clause */
/* What bayd, which writes reports of crashes, and bayctl, which reads them without it, agree on.
 * A report is a Crash object of the interface. */
#ifndef BAY_PROTOCOL_CRASH_REPORT_H
#define BAY_PROTOCOL_CRASH_REPORT_H

/* Below state_dir. */
#define CRASH_REPORT_DIRECTORY "crashes"

/* What a list leaves out; ended by NULL. */
static const char *const crash_report_details[] = {"frames", "awaits", "events", NULL};

#endif
