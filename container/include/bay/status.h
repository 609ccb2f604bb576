/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How things end. One set of values for plugins, the container and bayctl.
 * Numbers are frozen; new ones are only ever appended.
 */
#ifndef BAY_STATUS_H
#define BAY_STATUS_H

#include <bay/abi.h>

BAY_BEGIN_DECLS

enum bay_status {
	BAY_OK = 0,          /* done */
	BAY_FAILED = 1,      /* the handler said so; its text says why */
	BAY_TIMEOUT = 2,     /* the deadline passed first */
	BAY_CANCELED = 3,    /* the task was cancelled; bay_cancel_reason() says why */
	BAY_CLOSED = 4,      /* the channel or the service is closed, nothing more comes */
	BAY_FULL = 5,        /* a bound is reached and the policy says no */
	BAY_NOT_FOUND = 6,   /* no such service */
	BAY_BUSY = 7,        /* in use by somebody else */
	BAY_INVALID = 8,     /* a mistake of the caller or bad input */
	BAY_NO_MEMORY = 9,   /* no memory for a size that somebody else chose */
	BAY_IO = 10,         /* a system call failed */
	BAY_TOO_BIG = 11,    /* larger than the bound of its kind, would never fit */
	BAY_LOOP = 12,       /* services call each other in a circle */
	BAY_PEER_DIED = 13,  /* the process that worked on it died */
	BAY_NOT_PERMITTED = 14 /* not for this caller */
};

/* The name of a status in lower case with dashes ("not-found"), or "unknown".
 * Borrowed for ever. Any thread; never suspends. Since 1.0. */
BAY_API const char *bay_status_name(int status);

BAY_END_DECLS

#endif
