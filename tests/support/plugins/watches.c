/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A plugin that monitors another service, and logs what it is told: "db is ready, 0 failures, 0
 * replaced". Its requests ask whether a wait of no time is cut.
 */
#include <bay/bay.h>

#include <inttypes.h>

struct watches {
	const char *whom;
};

static const struct bay_setting settings[] = {
	BAY_STRING(struct watches, whom, "whom", "", "the service that is monitored"),
	BAY_END
};

static int
watches_run(struct bay_instance *instance)
{
	const struct watches *set = bay_instance_settings(instance);
	struct bay_monitor monitor = {0};
	int status;

	while ((status = bay_monitor(set->whom, &monitor, BAY_INHERIT)) == BAY_OK)
		bay_log_info("%s is %s, %" PRIu64 " failures, %" PRIu64 " replaced%s%s", set->whom,
			bay_monitor_state_name(monitor.state), monitor.failures, monitor.replaced,
			monitor.reason[0] != '\0' ? ": " : "", monitor.reason);
	return status;
}

/* Looks at the present state, then waits a little for the next one, and says how that ended. */
static int
watches_handle(struct bay_request *request)
{
	const struct watches *set = bay_settings(request);
	struct bay_monitor monitor = {0};
	int first = bay_monitor(set->whom, &monitor, BAY_INHERIT);
	int second = bay_monitor(set->whom, &monitor, bay_after(BAY_MS));

	return bay_reply_printf(request, "%s %s %s", bay_status_name(first),
		bay_monitor_state_name(monitor.state), bay_status_name(second));
}

BAY_PLUGIN(watches, "1.0.0",
	.summary = "monitors another service",
	.settings = settings,
	.handle = watches_handle,
	.run = watches_run);
