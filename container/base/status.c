/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "base/status.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const char *const status_names[] = {
	[BAY_OK] = "ok",
	[BAY_FAILED] = "failed",
	[BAY_TIMEOUT] = "timeout",
	[BAY_CANCELED] = "canceled",
	[BAY_CLOSED] = "closed",
	[BAY_FULL] = "full",
	[BAY_NOT_FOUND] = "not-found",
	[BAY_BUSY] = "busy",
	[BAY_INVALID] = "invalid",
	[BAY_NO_MEMORY] = "no-memory",
	[BAY_IO] = "io",
	[BAY_TOO_BIG] = "too-big",
	[BAY_LOOP] = "loop",
	[BAY_PEER_DIED] = "peer-died",
	[BAY_NOT_PERMITTED] = "not-permitted",
};

enum { STATUS_COUNT = sizeof(status_names) / sizeof(*status_names) };

const char *
bay_status_name(int status)
{
	if (status < 0 || status >= STATUS_COUNT)
		return "unknown";
	return status_names[status];
}

const char *
status_text(int status, char *room)
{
	if (status >= 0 && status < STATUS_COUNT)
		return status_names[status];
	snprintf(room, STATUS_ROOM, "it returned %d, which is no status of Bay", status);
	return room;
}

bool
status_parse(const char *name, enum bay_status *status_r)
{
	for (int i = 0; i < STATUS_COUNT; i++) {
		if (strcmp(name, status_names[i]) == 0) {
			*status_r = (enum bay_status)i;
			return true;
		}
	}
	return false;
}
