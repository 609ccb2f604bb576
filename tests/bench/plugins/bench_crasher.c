/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A service that crashes when it is told, and one that tells it and looks how long that lasts.
 *
 *	crash         writes through a null pointer
 *	measure NAME  has NAME crash, and replies after how many nanoseconds it has served the next request,
 *	              counted from the order to crash
 *	anything else is replied
 */
#include <string.h>

#include <bay/bay.h>

static int
crash(void)
{
	/* The compiler must not see that it is NULL. */
	volatile int *volatile nowhere = NULL;

	*nowhere = 1;
	return BAY_FAILED;
}

static int
call(struct bay_service *service, const char *order)
{
	struct bay_message *message = bay_message(order, strlen(order));
	int status = bay_call(service, message, NULL, bay_after(30 * BAY_SECOND));

	bay_message_free(message);
	return status;
}

static int
measure(struct bay_request *request, const char *name)
{
	struct bay_service *service = bay_service(name);
	int64_t begin = bay_now();
	int status = call(service, "crash");

	if (status != BAY_PEER_DIED)
		return bay_fail(request, BAY_FAILED, "it did not crash: %s", bay_status_name(status));
	status = call(service, "echo");
	if (status != BAY_OK)
		return bay_fail(request, status, "%s", bay_call_error());
	return bay_reply_int64(request, bay_now() - begin);
}

static int
bench_crasher(struct bay_request *request)
{
	const char *order = bay_request_text(request);

	if (strcmp(order, "crash") == 0)
		return crash();
	if (strncmp(order, "measure ", 8) == 0)
		return measure(request, order + 8);
	return bay_reply_text(request, order);
}

BAY_PLUGIN(bench_crasher, "1.0.0",
	.summary = "crashes for the benchmarks",
	.handle = bench_crasher);
