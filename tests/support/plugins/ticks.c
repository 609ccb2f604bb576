/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A plugin that only runs: it logs "tick 1", "tick 2", ... and ends after so many, or with the
 * failure that its settings say.
 */
#include <bay/bay.h>

struct ticks {
	int64_t every_ns;
	int64_t count;
	const char *failure;
};

static const struct bay_setting settings[] = {
	BAY_DURATION(struct ticks, every_ns, "every", "1s", "the time between two ticks"),
	BAY_INT64(struct ticks, count, "count", "0", 0, 1000000, "how many there are; 0: no end"),
	BAY_STRING(struct ticks, failure, "failure", "", "why it fails behind the last"),
	BAY_END
};

static int
ticks_run(struct bay_instance *instance)
{
	const struct ticks *set = bay_instance_settings(instance);
	int64_t tick = 0;

	while (set->count == 0 || tick < set->count) {
		int status = bay_sleep(set->every_ns);

		if (status != BAY_OK)
			return status;
		bay_log_info("tick %" PRId64, ++tick);
	}
	if (set->failure[0] != '\0')
		return bay_instance_fail(instance, BAY_FAILED, "%s", set->failure);
	return BAY_OK;
}

static void
ticks_fini(struct bay_instance *instance)
{
	(void)instance;
	bay_log_info("farewell");
}

BAY_PLUGIN(ticks, "1", .settings = settings, .run = ticks_run, .fini = ticks_fini);
