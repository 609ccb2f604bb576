/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The same call many times, over several connections at once: each has one call under way,
 * and one thread waits for all of them.
 */
#ifndef BAY_CTL_LOAD_H
#define BAY_CTL_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/histogram.h"
#include "ctl/error.h"

struct ctl;
struct varlink_call;

struct load_result {
	int64_t calls;  /* that were answered or given up */
	int64_t failed; /* of calls */
	int64_t took_ns;
	bool interrupted; /* by SIGINT: fewer calls than wanted */
	struct histogram latency; /* of all calls that were answered */
	struct ctl_error first;   /* the first failure */
};

/*
 * Makes ctl->options.repeat calls. memfd goes with each unless it is -1; it is borrowed.
 * False: not one connection could be made, ctl->error says why.
 */
bool load_run(struct ctl *ctl, const struct varlink_call *call, int memfd,
	struct load_result *result_r)
	__attribute__((warn_unused_result));

#endif
