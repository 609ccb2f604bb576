/*
 * @NAME@: counts in a task of its own, and tells how far it has come.
 *
 *	$ bayctl call @NAME@
 *	7
 */
#include <bay/bay.h>

struct settings {
	int64_t period_ns;
};

/* Where each key of the ini goes, its default and its help. The container checks the ini
 * against this table and fills the struct before any of our code runs. */
static const struct bay_setting settings[] = {
	BAY_DURATION(struct settings, period_ns, "period", "1s", "how often to count"),
	BAY_END
};

/* What the instance knows. Its tasks run on one loop, one at a time, so they share it
 * without locks: others run only while a task waits. */
struct counter {
	int64_t count;
};

static int
counter_init(struct bay_instance *instance)
{
	const struct settings *set = bay_instance_settings(instance);
	struct counter *counter;

	if (set->period_ns <= 0)
		return bay_instance_fail(instance, BAY_INVALID, "period has to be above 0");
	counter = bay_alloc(sizeof *counter);
	if (counter == NULL)
		return BAY_NO_MEMORY;
	counter->count = 0;
	bay_instance_set_state(instance, counter);
	return BAY_OK;
}

/* Runs beside the requests until the service is stopped: the wait then ends with
 * BAY_CANCELED. Any other end that is not BAY_OK is a failure of the service. */
static int
counter_run(struct bay_instance *instance)
{
	const struct settings *set = bay_instance_settings(instance);
	struct counter *counter = bay_instance_state(instance);
	struct bay_ticker *ticker = bay_ticker_create(set->period_ns);
	uint64_t missed;
	int status;

	if (ticker == NULL)
		return BAY_NO_MEMORY;
	while ((status = bay_ticker_next(ticker, &missed, BAY_INHERIT)) == BAY_OK) {
		counter->count += 1 + (int64_t)missed;
		bay_log_debug("counted to %" PRId64, counter->count);
	}
	bay_ticker_destroy(ticker);
	return status;
}

static int
counter_handle(struct bay_request *request)
{
	const struct counter *counter = bay_state(request);

	return bay_reply_int64(request, counter->count);
}

static void
counter_fini(struct bay_instance *instance)
{
	bay_free(bay_instance_state(instance));
}

BAY_PLUGIN(@NAME@, "0.1.0",
	.summary = "counts in a task of its own",
	.settings = settings,
	.init = counter_init,
	.run = counter_run,
	.handle = counter_handle,
	.fini = counter_fini);
