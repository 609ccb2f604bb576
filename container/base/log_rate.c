/* SPDX-License-Identifier: BSD-2-Clause */
/* How often a line that may repeat is really written. */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"

bool
log_rate_pass(struct log_rate *rate, uint64_t *hidden_r)
{
	int64_t now_ns = clock_monotonic_ns();
	bool pass;

	pthread_mutex_lock(&rate->_mutex);
	if (rate->_start_ns == 0 || now_ns - rate->_start_ns >= rate->period_ns) {
		rate->_start_ns = now_ns;
		rate->_passed = 0;
	}
	pass = rate->_passed < rate->burst;
	if (pass) {
		rate->_passed++;
		*hidden_r = rate->_hidden;
		rate->_hidden = 0;
	} else {
		rate->_hidden++;
	}
	pthread_mutex_unlock(&rate->_mutex);
	return pass;
}

const char *
log_rate_text(uint64_t hidden, char *buf, size_t size)
{
	if (hidden == 0)
		snprintf(buf, size, "%s", "");
	else
		snprintf(buf, size, " (%" PRIu64 " more like it were hidden)", hidden);
	return buf;
}
