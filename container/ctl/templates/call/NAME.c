/*
 * @NAME@: greets whoever the request names.
 *
 *	$ bayctl call @NAME@ Ada
 *	hello, Ada
 */
#include <bay/bay.h>

struct settings {
	const char *greeting;
	int64_t delay_ns;
};

/* Where each key of the ini goes, its default and its help. The container checks the ini
 * against this table and fills the struct before any of our code runs. */
static const struct bay_setting settings[] = {
	BAY_STRING(struct settings, greeting, "greeting", "hello", "what to say"),
	BAY_DURATION(struct settings, delay_ns, "delay", "0", "how long to think about it"),
	BAY_END
};

/* Each request is a task with a stack of its own: it may wait, and others go on meanwhile. */
static int
greet(struct bay_request *request)
{
	const struct settings *set = bay_settings(request);
	int status;

	if (bay_request_size(request) == 0)
		return bay_fail(request, BAY_INVALID, "@NAME@ wants a name to greet");
	status = bay_sleep(set->delay_ns);
	if (status != BAY_OK)
		return bay_fail(request, status, "woken before the time");
	return bay_reply_printf(request, "%s, %s", set->greeting, bay_request_text(request));
}

BAY_PLUGIN(@NAME@, "0.1.0",
	.summary = "greets whoever the request names",
	.settings = settings,
	.handle = greet);
