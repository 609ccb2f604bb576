/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reports of cells that crashed, hung or were killed: made from the page that the cell left, named
 * with the symbols of its code, and kept as files of state_dir/crashes (protocol/report_store.h),
 * so that they are there after bayd has been killed, too. Has one owner. Master only; never
 * suspends, but reads the symbol tables of what crashed.
 */
#ifndef BAY_MASTER_CRASH_REPORTS_H
#define BAY_MASTER_CRASH_REPORTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/crash_area.h"

struct admin_request;
struct buffer;
struct config;
struct crash_reports;
struct master;
struct master_service;
struct obituary;
struct status_page;

/* Directory and number come from the configuration, which is borrowed until the next one is set. */
struct crash_reports *crash_reports_create(const struct config *config);
void crash_reports_set_config(struct crash_reports *reports, const struct config *config);
void crash_reports_destroy(struct crash_reports *reports);

/* How a cell ended, or is about to. */
struct crash_facts {
	const char *cell;
	pid_t pid;
	const struct status_page *page;
	const struct obituary *obituary;
	int status;                           /* of waitpid */
	const struct master_service *service; /* who is to blame, or NULL */
	const char *hang;                     /* it was killed for this; or NULL */
	uint32_t hung_loop;                   /* then: which loop it was, or UINT32_MAX */
	const char *text;                     /* all that in words */
};

/* Writes a report and returns its number; 0: it cannot be written, which is logged, or none are
 * kept. reports may be NULL. */
uint64_t crash_reports_add(struct crash_reports *reports, const struct crash_facts *facts);

/* Appends the frames of a trace, the innermost first, and what the task waited in before. False: no
 * memory. */
bool crash_reports_print_trace(const struct crash_area *area, const struct crash_trace_view *trace,
	struct buffer *text);

/* The method Crashes. */
void admin_crashes(struct admin_request *request, struct master *master);

#endif
