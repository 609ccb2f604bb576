/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "io/process_keeper.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/threads.h"
#include "loop/loop.h"

enum {
	/* What was killed is dead soon, unless the kernel cannot end it (a dead disk): at the end
	 * the thread does not wait for that. */
	KEEPER_LAST_MS = 2000,
	/* When there is no memory to wait for so many, they are looked at so often. */
	KEEPER_LOOK_MS = 20
};

enum keeper_state {
	KEEPER_GOING,
	KEEPER_FORGOTTEN,
	KEEPER_THROUGH
};

static struct {
	pthread_mutex_t lock;
	struct list starts;   /* struct keeper_start._link */
	struct list dying;    /* struct process_child.link: given to the thread */
	pthread_t thread;
	int wake_fd;          /* an eventfd; -1: there is no thread */
	bool ending;
} keeper = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.starts = LIST_INIT(keeper.starts),
	.dying = LIST_INIT(keeper.dying),
	.wake_fd = -1,
};

/* --- children ----------------------------------------------------------------------------- */

bool
process_child_signal_group(const struct process_child *child, int signal)
{
	siginfo_t info;

	/* As long as it is not reaped, the number of its group is nobody else's. */
	info.si_pid = 0;
	if (waitid(P_PIDFD, (id_t)child->pidfd, &info, WEXITED | WNOHANG | WNOWAIT) != 0 && errno == ECHILD)
		return false;
	if (signal != 0)
		(void)kill(-child->pid, signal);
	return true;
}

/* Reaps and frees one that is dead. False: it is not yet. */
static bool
process_child_try_bury(struct process_child *child, int flags)
{
	siginfo_t info;
	int result;

	do {
		info.si_pid = 0;
		result = waitid(P_PIDFD, (id_t)child->pidfd, &info, WEXITED | flags);
	} while (result != 0 && errno == EINTR);
	if (result == 0 && info.si_pid == 0)
		return false;
	close(child->pidfd);
	free(child);
	return true;
}

/* --- the thread ----------------------------------------------------------------------------- */

/* Starts one, or what nobody wants any more not, and sends it home. */
static void
keeper_run(struct keeper_start *start)
{
	struct process_launch *launch = &start->launch;
	struct process_child *child = start->child;
	int going = KEEPER_GOING, i;
	bool begun = process_launch(launch);

	for (i = 0; i < 3; i++)
		fd_close(&launch->fds[i]);
	child->pid = launch->pid;
	child->pidfd = launch->pidfd;
	if (!atomic_compare_exchange_strong(&start->_state, &going, KEEPER_THROUGH)) {
		start->child = NULL;
		if (begun) {
			process_child_signal_group(child, SIGKILL);
			keeper_bury(child);
		} else {
			free(child);
		}
	}
	loop_post(start->loop, &start->home);
}

static void
keeper_bury_all(struct list *dying)
{
	list_for_each_safe(pos, dying) {
		struct process_child *child = container_of(pos, struct process_child, link);

		list_remove(&child->link);
		if (!process_child_try_bury(child, WNOHANG))
			list_insert_before(pos_next, &child->link);
	}
}

/* Waits until something is asked for or one of the dying is dead. */
static void
keeper_await(const struct list *dying, int timeout_ms)
{
	struct pollfd *polled;
	size_t count = 1;
	uint64_t wakes;

	list_for_each(pos, dying)
		count++;
	polled = calloc(count, sizeof *polled);
	if (polled == NULL) {
		(void)poll(&(struct pollfd){.fd = keeper.wake_fd, .events = POLLIN}, 1, KEEPER_LOOK_MS);
	} else {
		polled[0] = (struct pollfd){.fd = keeper.wake_fd, .events = POLLIN};
		count = 1;
		list_for_each(pos, dying)
			polled[count++] = (struct pollfd){
				.fd = container_of(pos, struct process_child, link)->pidfd, .events = POLLIN};
		(void)poll(polled, count, timeout_ms);
		free(polled);
	}
	if (read(keeper.wake_fd, &wakes, sizeof wakes) < 0)
		return;
}

/* The next start, which begins, or NULL. What has come to be buried goes to the end of dying. */
static struct keeper_start *
keeper_take(struct list *dying, bool *ending_r)
{
	struct list *link;

	pthread_mutex_lock(&keeper.lock);
	link = list_pop_front(&keeper.starts);
	list_splice_back(dying, &keeper.dying);
	*ending_r = keeper.ending;
	pthread_mutex_unlock(&keeper.lock);
	return link != NULL ? container_of(link, struct keeper_start, _link) : NULL;
}

static void *
keeper_main(void *arg)
{
	struct list dying;
	bool ending, last = false;

	(void)arg;
	threads_begin("processes");
	list_init(&dying);
	for (;;) {
		struct keeper_start *start = keeper_take(&dying, &ending);

		keeper_bury_all(&dying);
		if (start != NULL) {
			keeper_run(start);
			continue;
		}
		if (ending && (last || list_empty(&dying)))
			break;
		keeper_await(&dying, ending ? KEEPER_LAST_MS : -1);
		last = ending;
	}
	/* The kernel cannot end them; they are init's now. */
	keeper_bury_all(&dying);
	while (!list_empty(&dying)) {
		struct process_child *child = container_of(list_pop_front(&dying), struct process_child, link);

		close(child->pidfd);
		free(child);
	}
	threads_end();
	return NULL;
}

/* Under the lock. 0, or the errno of why there is no thread. */
static int
keeper_rouse(void)
{
	uint64_t one = 1;
	sigset_t all, mask;
	int error;

	if (keeper.wake_fd >= 0)
		return write(keeper.wake_fd, &one, sizeof one) == (ssize_t)sizeof one ? 0 : errno;
	keeper.wake_fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
	if (keeper.wake_fd < 0)
		return errno;
	keeper.ending = false;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &mask);
	error = pthread_create(&keeper.thread, NULL, keeper_main, NULL);
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
	if (error != 0)
		fd_close(&keeper.wake_fd);
	return error;
}

void
keeper_finish(void)
{
	uint64_t one = 1;

	pthread_mutex_lock(&keeper.lock);
	if (keeper.wake_fd < 0) {
		pthread_mutex_unlock(&keeper.lock);
		return;
	}
	keeper.ending = true;
	if (write(keeper.wake_fd, &one, sizeof one) < 0)
		one = 0;
	pthread_mutex_unlock(&keeper.lock);
	pthread_join(keeper.thread, NULL);
	fd_close(&keeper.wake_fd);
}

/* --- what it is asked for ------------------------------------------------------------------- */

int
keeper_start(struct keeper_start *start)
{
	int error;

	atomic_init(&start->_state, KEEPER_GOING);
	pthread_mutex_lock(&keeper.lock);
	list_init(&start->_link);
	list_push_back(&keeper.starts, &start->_link);
	error = keeper_rouse();
	if (error != 0)
		list_remove(&start->_link);
	pthread_mutex_unlock(&keeper.lock);
	return error;
}

bool
keeper_forget(struct keeper_start *start)
{
	int going = KEEPER_GOING;
	bool waits;

	pthread_mutex_lock(&keeper.lock);
	waits = !list_empty(&start->_link);
	list_remove(&start->_link);
	pthread_mutex_unlock(&keeper.lock);
	if (!waits)
		(void)atomic_compare_exchange_strong(&start->_state, &going, KEEPER_FORGOTTEN);
	return waits;
}

void
keeper_bury(struct process_child *child)
{
	int error;

	if (process_child_try_bury(child, WNOHANG))
		return;
	list_init(&child->link);
	pthread_mutex_lock(&keeper.lock);
	list_push_back(&keeper.dying, &child->link);
	error = keeper_rouse();
	if (error != 0)
		list_remove(&child->link);
	pthread_mutex_unlock(&keeper.lock);
	if (error != 0)
		(void)process_child_try_bury(child, 0);
}
