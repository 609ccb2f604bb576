/* SPDX-License-Identifier: BSD-2-Clause */
/* The reports of crashes: from the daemon, or from the files that it keeps. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "ctl/crash_lines.h"
#include "ctl/ctl.h"
#include "ctl/show.h"
#include "ctl/verbs.h"
#include "protocol/crash_report.h"
#include "protocol/report_store.h"
#include "protocol/varlink.h"

#define CRASH_STATE_LOCAL "state"
#define CRASH_STATE_SYSTEM LOCALSTATEDIR "/lib/bay"

/* What was asked for: all when both are unset. */
struct crash_wish {
	const char *service;
	json_int_t number;
};

/* A number is meant when it looks like one. */
static struct crash_wish
crash_wish(const struct ctl *ctl)
{
	const char *word = ctl->options.arguments[0];
	struct crash_wish wish = {.service = word};

	if (word == NULL || word[strspn(word, "0123456789")] != '\0' || *word == '\0')
		return wish;
	wish.service = NULL;
	wish.number = strtoll(word, NULL, 10);
	return wish;
}

static const char *
crash_state_directory(void)
{
	const char *named = getenv("BAY_STATE");

	if (named != NULL && *named != '\0')
		return named;
	return access(CRASH_STATE_LOCAL, F_OK) == 0 ? CRASH_STATE_LOCAL : CRASH_STATE_SYSTEM;
}

/* The caller's; NULL: ctl->error says why. */
static json_t *
crash_read(struct ctl *ctl, const struct crash_wish *wish)
{
	char *directory = xasprintf("%s/" CRASH_REPORT_DIRECTORY, crash_state_directory());
	json_t *crashes = NULL;

	if (access(directory, R_OK | X_OK) != 0 && errno != ENOENT)
		ctl_error_set(&ctl->error, errno == EACCES ? INTERFACE_EXIT_NOT_PERMITTED : INTERFACE_EXIT_FAILED,
			CTL_CODE_IO, "read %s: %s", directory, strerror(errno));
	else
		crashes = report_store_select(directory, wish->service, (uint64_t)wish->number,
			crash_report_details);
	free(directory);
	return crashes;
}

/* The same. */
static json_t *
crash_ask(struct ctl *ctl, const struct crash_wish *wish)
{
	json_t *parameters = json_object(), *crashes;
	struct ctl_reply reply;

	if (wish->service != NULL)
		json_object_set_new(parameters, "service", varlink_text(wish->service));
	if (wish->number != 0)
		json_object_set_new(parameters, "number", json_integer(wish->number));
	if (!ctl_ask(ctl, INTERFACE_CRASHES, parameters, &reply))
		return NULL;
	crashes = json_incref(json_object_get(reply.reply.parameters, "crashes"));
	ctl_reply_finish(&reply);
	return crashes;
}

static json_t *
crash_get(struct ctl *ctl, const struct crash_wish *wish)
{
	return ctl->options.offline ? crash_read(ctl, wish) : crash_ask(ctl, wish);
}

/* The last one of the service, whole. */
static json_t *
crash_get_last(struct ctl *ctl, const struct crash_wish *wish, json_t *crashes)
{
	struct crash_wish last = {.number = view_int(json_array_get(crashes, 0), "number")};

	if (wish->service == NULL || last.number == 0)
		return crashes;
	json_decref(crashes);
	return crash_get(ctl, &last);
}

enum interface_exit
verb_crash(struct ctl *ctl)
{
	struct crash_wish wish = crash_wish(ctl);
	bool one = wish.service != NULL || wish.number != 0;
	json_t *crashes = crash_get(ctl, &wish);

	if (crashes != NULL)
		crashes = crash_get_last(ctl, &wish, crashes);
	if (crashes != NULL && one && json_array_size(crashes) == 0) {
		ctl_error_set(&ctl->error, INTERFACE_EXIT_NOT_FOUND, CTL_CODE_NOT_FOUND,
			"there is no report of a crash of %s", ctl->options.arguments[0]);
		ctl_error_hint(&ctl->error, "bayctl crash lists all");
		json_decref(crashes);
		crashes = NULL;
	}
	if (crashes == NULL)
		return ctl_fail(ctl);
	if (one)
		crash_lines_add(json_array_get(crashes, 0));
	if (ctl->options.json) {
		json_t *data = json_pack("{s:O}", "crashes", crashes);

		ctl_print_json(ctl, NULL, data);
		json_decref(data);
	} else if (one) {
		show_crash(&ctl->out, json_array_get(crashes, 0));
	} else {
		show_crashes(&ctl->out, crashes, !ctl->options.quiet);
	}
	json_decref(crashes);
	return INTERFACE_EXIT_DONE;
}
