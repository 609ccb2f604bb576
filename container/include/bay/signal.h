/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signals that are sent to the cell, by subscription: SIGHUP, SIGUSR1, SIGUSR2, SIGWINCH,
 * SIGALRM and SIGRTMIN to SIGRTMAX. Any number of services may subscribe to the same, on any
 * loop: each of them gets it.
 *
 *	struct bay_signal *hangup;
 *	struct bay_signal_info info;
 *
 *	if ((status = bay_signal_open(SIGHUP, &hangup)) != BAY_OK)
 *		return status;
 *	while (bay_signal_next(hangup, &info, BAY_INHERIT) == BAY_OK)
 *		reopen_files();
 *	bay_signal_close(hangup);
 *
 * While nobody is subscribed to a signal, it does what it did before: SIGHUP, SIGUSR1 and
 * SIGUSR2 nothing (they are kept from cells), SIGWINCH nothing, the others end the cell. What
 * the container needs for itself is refused: SIGTERM, SIGINT, SIGQUIT, SIGCHLD, SIGPIPE and
 * the signals of crashes.
 *
 * Beside SIGRTMIN to SIGRTMAX, the kernel keeps one signal of a kind at most, and so may this:
 * several that came before anybody looked may be told as fewer.
 *
 * A subscription ends with its service at the latest. All functions: on the loop that opened
 * it.
 */
#ifndef BAY_SIGNAL_H
#define BAY_SIGNAL_H

#include <stdint.h>
#include <sys/types.h>

#include <bay/abi.h>
#include <bay/status.h>
#include <bay/time.h>

BAY_BEGIN_DECLS

struct bay_signal;

/* What has come since somebody looked last. */
struct bay_signal_info {
	uint64_t count;   /* how often, at least; not 0 */
	pid_t pid;        /* of who sent the latest; 0: the kernel, or nobody knows */
	uid_t uid;        /* and of which user; of nobody known 0 */
};

/* Subscribes to a signal: every one that comes from now on is told. BAY_OK: *signal_r is the
 * caller's, to be closed. Else it is NULL: BAY_NOT_PERMITTED (the container needs it: logged),
 * BAY_INVALID (no such signal, or no task), BAY_FULL (no descriptor), BAY_NO_MEMORY. Inside a
 * task; never suspends. Since 1.0. */
BAY_API int bay_signal_open(int signo, struct bay_signal **signal_r);

/* Ends the subscription; NULL is allowed. Who waits ends with BAY_CLOSED. Never suspends.
 * Since 1.0. */
BAY_API void bay_signal_close(struct bay_signal *signal);

/* Waits until the signal has come, and takes it: *info_r (NULL: not wanted). Of several tasks
 * that wait for one subscription the first gets it. BAY_OK, BAY_CLOSED, BAY_TIMEOUT,
 * BAY_CANCELED: nothing was taken. Inside a task; may suspend. Since 1.0. */
BAY_API int bay_signal_next(struct bay_signal *signal, struct bay_signal_info *info_r, int64_t deadline);

BAY_END_DECLS

#endif
