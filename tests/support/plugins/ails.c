/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A plugin that says of itself what it is told to: its requests are what its health is from then on.
 *
 *	well         it is well
 *	sick TEXT    it is not, since TEXT
 *	mute         the same, without a reason
 *	wait         it does not answer until its time is over
 *	stay         it does not answer then either, until it is told something else
 *	asked        replies how often it was asked
 */
#include <bay/bay.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct ails {
	char order[64];
	int64_t asked;
};

static int
ails_init(struct bay_instance *instance)
{
	struct ails *ails = calloc(1, sizeof *ails);

	if (ails == NULL)
		return BAY_NO_MEMORY;
	strcpy(ails->order, "well");
	bay_instance_set_state(instance, ails);
	return BAY_OK;
}

static int
ails_handle(struct bay_request *request)
{
	struct ails *ails = bay_instance_state(bay_request_instance(request));
	const char *order = bay_request_text(request);

	if (strcmp(order, "asked") == 0)
		return bay_reply_printf(request, "%" PRId64, ails->asked);
	if (strlen(order) >= sizeof ails->order)
		return bay_fail(request, BAY_INVALID, "too long");
	strcpy(ails->order, order);
	return bay_reply_text(request, "noted");
}

static int
ails_health(struct bay_instance *instance)
{
	struct ails *ails = bay_instance_state(instance);

	ails->asked++;
	if (strncmp(ails->order, "sick ", 5) == 0)
		return bay_instance_fail(instance, BAY_FAILED, "%s", ails->order + 5);
	if (strcmp(ails->order, "mute") == 0)
		return BAY_FAILED;
	if (strcmp(ails->order, "wait") == 0)
		return bay_sleep(BAY_INHERIT);
	while (strcmp(ails->order, "stay") == 0)
		(void)!bay_yield();
	return BAY_OK;
}

static void
ails_fini(struct bay_instance *instance)
{
	free(bay_instance_state(instance));
}

BAY_PLUGIN(ails, "1.0.0",
	.summary = "says of its health what it is told",
	.init = ails_init,
	.handle = ails_handle,
	.fini = ails_fini,
	.health = ails_health);
