/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/backoff.h"

#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"

/* Up to a quarter longer; near the longest wait, up to a quarter shorter than that. */
static int64_t
backoff_scatter(const struct backoff *backoff, int64_t delay_ns, uint32_t random)
{
	int64_t width_ns = delay_ns / 4;

	if (delay_ns > backoff->max_ns - width_ns)
		delay_ns = backoff->max_ns - width_ns;
	if (delay_ns < backoff->first_ns) {
		delay_ns = backoff->first_ns;
		width_ns = backoff->max_ns - delay_ns;
	}
	return delay_ns + (int64_t)((double)width_ns * random / UINT32_MAX);
}

int64_t
backoff_next(struct backoff *backoff, int64_t now_ns, uint32_t random)
{
	int64_t delay_ns = backoff->first_ns;
	unsigned doublings;

	if (backoff->_failures > 0 && now_ns - backoff->_tried_ns >= backoff->reset_ns)
		backoff->_failures = 0;
	doublings = backoff->_failures++;
	if (backoff->at_once && doublings-- == 0) {
		backoff->_tried_ns = now_ns;
		return 0;
	}
	for (; doublings > 0 && delay_ns < backoff->max_ns; doublings--)
		delay_ns *= 2;
	if (delay_ns > backoff->max_ns)
		delay_ns = backoff->max_ns;
	delay_ns = backoff_scatter(backoff, delay_ns, random);
	backoff->_tried_ns = now_ns + delay_ns;
	return delay_ns;
}

void
backoff_reset(struct backoff *backoff)
{
	backoff->_failures = 0;
}

uint32_t
backoff_random(void)
{
	uint32_t random;

	/* Early in a boot there may be none yet; the scatter needs no good one. */
	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != (ssize_t)sizeof(random))
		random = (uint32_t)clock_monotonic_ns() * UINT32_C(2654435761) ^ (uint32_t)getpid();
	return random;
}
