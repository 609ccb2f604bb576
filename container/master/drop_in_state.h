/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is to be done about the files of a directory, found out from what they looked like at
 * several times. Whether a file is complete nobody says, so it has to look the same for a while,
 * with nobody writing to it:
 *
 *	new, changed --same for DROP_IN_SETTLE_NS--> DROP_IN_CHANGED, once for each change
 *	            --could not be dealt with--> DROP_IN_AGAIN, once, when it is told to
 *	            --still being written after DROP_IN_HELD_NS--> DROP_IN_HELD, once
 *	gone        --for DROP_IN_GONE_NS--> DROP_IN_GONE, if it was ever CHANGED or known before
 *
 * A pure function over looks: no file is touched. Has one owner. Master only.
 */
#ifndef BAY_MASTER_DROP_IN_STATE_H
#define BAY_MASTER_DROP_IN_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#define DROP_IN_SETTLE_NS (150 * INT64_C(1000000))
#define DROP_IN_GONE_NS (400 * INT64_C(1000000))
#define DROP_IN_HELD_NS (10 * INT64_C(1000000000))

/* One file as it is now. */
struct drop_in_look {
	const char *name; /* borrowed for the call */
	struct stat stat;
	bool writing;     /* somebody has it open for writing */
};

enum drop_in_verdict {
	DROP_IN_CHANGED,
	DROP_IN_AGAIN,
	DROP_IN_GONE,
	DROP_IN_HELD
};

/* May not change the state. name is borrowed for the call. */
typedef void drop_in_decide_fn(enum drop_in_verdict verdict, const char *name, void *arg);

struct drop_in_state;

/* Whether a file of this name is looked at: *.so and not hidden. */
bool drop_in_is_candidate(const char *name);

struct drop_in_state *drop_in_state_create(void)
	__attribute__((warn_unused_result));

/* NULL is fine. */
void drop_in_state_destroy(struct drop_in_state *state);

/* This file has been dealt with as it is now: it is CHANGED only when it changes again. */
void drop_in_state_know(struct drop_in_state *state, const struct drop_in_look *look);

/* Whether it looks other than what has been dealt with. */
bool drop_in_state_is_new(const struct drop_in_state *state, const struct drop_in_look *look);

/* A file that was CHANGED could not be dealt with, for a reason that is not in it: it is AGAIN when it
 * looks the same at later_ns. */
void drop_in_state_retry(struct drop_in_state *state, const char *name, int64_t later_ns);

/*
 * All files as they are at now_ns (monotonic). Calls decide for each thing to be done, and
 * returns when to look again even if nobody says that anything has changed; INT64_MAX: then only.
 */
int64_t drop_in_state_step(struct drop_in_state *state, const struct drop_in_look *looks,
	size_t count, int64_t now_ns, drop_in_decide_fn *decide, void *arg);

#endif
