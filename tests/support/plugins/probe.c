/* SPDX-License-Identifier: BSD-2-Clause */
/* A plugin that misbehaves as its settings say, for tests of who hosts it. */
#include <bay/bay.h>

/* Of the test: whoever refuses to end may go; the course of things, a letter each. */
extern int probe_let_go(void);
extern void probe_note(char letter);

enum { WELL, FAILS, FAILS_LATER, WAITS, REFUSES, ON_ONE, BY_A_CHILD };
#define WAYS "well|fails|fails-later|waits|refuses|on-one|by-a-child"

struct probe {
	int64_t init;
	int64_t run;
	int64_t handle;
	int64_t stop;
	int64_t number;
};

static const struct bay_setting settings[] = {
	BAY_CHOICE(struct probe, init, "init", "well", WAYS, "how init goes"),
	BAY_CHOICE(struct probe, run, "run", "waits", WAYS, "how run goes"),
	BAY_CHOICE(struct probe, handle, "handle", "well", WAYS, "how requests are handled"),
	BAY_CHOICE(struct probe, stop, "stop", "well", WAYS, "how stop goes"),
	BAY_INT64(struct probe, number, "number", "7", 0, 100, "what it replies with"),
	BAY_END
};

static int
fail_at_once(void *arg)
{
	(void)arg;
	return BAY_IO;
}

/* Behaves in that way; what says where. */
static int
go(struct bay_instance *instance, int64_t way, const char *what)
{
	switch (way) {
	case FAILS:
		return bay_instance_fail(instance, BAY_IO, "%s failed", what);
	case FAILS_LATER:
		if (bay_sleep(20 * BAY_MS) != BAY_OK)
			return BAY_CANCELED;
		return bay_instance_fail(instance, BAY_IO, "%s failed later", what);
	case WAITS:
		return bay_sleep(1000 * BAY_SECOND);
	case REFUSES:
		while (!probe_let_go()) {
			(void)bay_sleep(BAY_MS);
			(void)bay_yield();
		}
		return BAY_OK;
	case ON_ONE:
		if (bay_instance_index(instance) != 1)
			return BAY_OK;
		return bay_instance_fail(instance, BAY_IO, "%s failed on one loop", what);
	case BY_A_CHILD:
		if (bay_go("child", fail_at_once, NULL) != BAY_OK)
			return BAY_NO_MEMORY;
		return bay_sleep(1000 * BAY_SECOND);
	default:
		return BAY_OK;
	}
}

static int
probe_init(struct bay_instance *instance)
{
	const struct probe *probe = bay_instance_settings(instance);

	probe_note('i');
	return go(instance, probe->init, "init");
}

static int
probe_run(struct bay_instance *instance)
{
	const struct probe *probe = bay_instance_settings(instance);

	return go(instance, probe->run, "run");
}

static int
probe_handle(struct bay_request *request)
{
	const struct probe *probe = bay_settings(request);
	int status = go(bay_request_instance(request), probe->handle, "handle");

	if (status != BAY_OK)
		return bay_fail(request, status, "handle ends");
	return bay_reply_int64(request, probe->number);
}

static void
probe_stop(struct bay_instance *instance)
{
	const struct probe *probe = bay_instance_settings(instance);

	probe_note('s');
	(void)go(instance, probe->stop, "stop");
}

static void
probe_fini(struct bay_instance *instance)
{
	(void)instance;
	probe_note('f');
}

BAY_PLUGIN(probe, "1.0.0",
	.settings = settings,
	.init = probe_init,
	.handle = probe_handle,
	.run = probe_run,
	.stop = probe_stop,
	.fini = probe_fini);
