/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads what is published to bench.*, whose publishers it lets wait. */
#include <bay/bay.h>

static int
bench_reader(struct bay_instance *instance)
{
	struct bay_subscription_options options = {.length = sizeof options, .slow = BAY_SLOW_WAIT};
	struct bay_subscription *subscription;
	struct bay_message *message;
	int status = bay_subscribe("bench.*", &options, &subscription);

	(void)instance;
	while (status == BAY_OK) {
		status = bay_subscription_next(subscription, &message, NULL, BAY_INHERIT);
		if (status == BAY_OK)
			bay_message_free(message);
	}
	return status == BAY_CANCELED ? BAY_OK : status;
}

BAY_PLUGIN(bench_reader, "1.0.0",
	.summary = "reads what is published",
	.run = bench_reader);
