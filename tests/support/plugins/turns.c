/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes down when it begins and ends, for the tests of who comes before whom: its settings are
 * files.
 *
 *	journal   gets a line for each step: "init web", "ready web", "stop web: called db"
 *	gate      init ends when this is there
 *	refuse    while this is there, init fails
 *	calls     a service that is called while it stops
 */
#include <bay/bay.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct turns {
	const char *journal;
	const char *gate;
	const char *refuse;
	const char *calls;
};

static const struct bay_setting settings[] = {
	BAY_STRING(struct turns, journal, "journal", "", "the file to write to"),
	BAY_STRING(struct turns, gate, "gate", "", "the file that init waits for"),
	BAY_STRING(struct turns, refuse, "refuse", "", "the file with which init fails"),
	BAY_STRING(struct turns, calls, "calls", "", "the service that stop calls"),
	BAY_END
};

static void
note(const struct bay_instance *instance, const char *step, const char *rest)
{
	const struct turns *set = bay_instance_settings(instance);
	char line[200];
	int fd = open(set->journal, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
	int size = snprintf(line, sizeof(line), "%s %s%s\n", step, bay_instance_name(instance), rest);

	if (fd < 0)
		return;
	(void)!write(fd, line, (size_t)size);
	close(fd);
}

static int
init(struct bay_instance *instance)
{
	const struct turns *set = bay_instance_settings(instance);
	int status;

	note(instance, "init", "");
	while (*set->gate != '\0' && access(set->gate, F_OK) != 0)
		if ((status = bay_sleep(5 * BAY_MS)) != BAY_OK)
			return status;
	if (*set->refuse != '\0' && access(set->refuse, F_OK) == 0)
		return bay_instance_fail(instance, BAY_FAILED, "it was told to refuse");
	note(instance, "ready", "");
	return BAY_OK;
}

static void
stop(struct bay_instance *instance)
{
	const struct turns *set = bay_instance_settings(instance);
	char rest[100] = "";
	int status;

	if (*set->calls != '\0') {
		status = bay_call(bay_service(set->calls), NULL, NULL, BAY_INHERIT);
		snprintf(rest, sizeof(rest), ": %s %s", status == BAY_OK ? "called" : bay_call_error(),
			set->calls);
	}
	note(instance, "stop", rest);
}

static int
handle(struct bay_request *request)
{
	return bay_reply_text(request, bay_instance_name(bay_instance_current()));
}

BAY_PLUGIN(turns, "1", .summary = "writes down when it begins and ends", .settings = settings,
	.init = init, .handle = handle, .stop = stop);
