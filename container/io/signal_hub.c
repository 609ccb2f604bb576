/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "io/signal_hub.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/threads.h"
#include "loop/loop.h"

/* Of one signal, under the lock. */
struct hub_signal {
	unsigned users;           /* ports */
	bool caught;              /* our handler is there */
	struct sigaction former;  /* what was there before */
};

/* What the handler writes. */
static struct {
	_Atomic uint64_t count;
	_Atomic pid_t pid;
	_Atomic uid_t uid;
} hub_caught[_NSIG];

static atomic_int hub_wake_fd = -1; /* an eventfd; -1: there is no thread */

static struct {
	pthread_mutex_t lock;
	struct list ports;        /* struct signal_port._link */
	struct hub_signal signals[_NSIG];
	pthread_t thread;
	bool ending;
} hub = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.ports = LIST_INIT(hub.ports),
};

bool
signal_hub_allows(int number, const char **why_r)
{
	*why_r = "there is no such signal";
	if (number <= 0 || number > SIGRTMAX || (number > SIGSYS && number < SIGRTMIN))
		return false;
	*why_r = "the container needs it for itself";
	return number == SIGHUP || number == SIGUSR1 || number == SIGUSR2 || number == SIGWINCH ||
		number == SIGALRM || number >= SIGRTMIN;
}

static void
hub_wake(void)
{
	uint64_t one = 1;

	if (write(atomic_load(&hub_wake_fd), &one, sizeof one) < 0)
		return;
}

/* --- on any thread -------------------------------------------------------------------------- */

static void
hub_on_signal(int number, siginfo_t *info, void *context)
{
	bool sent = info->si_code == SI_USER || info->si_code == SI_QUEUE || info->si_code == SI_TKILL;
	int error = errno;

	(void)context;
	atomic_store(&hub_caught[number].pid, sent ? info->si_pid : 0);
	atomic_store(&hub_caught[number].uid, sent ? info->si_uid : 0);
	atomic_fetch_add(&hub_caught[number].count, 1);
	hub_wake();
	errno = error;
}

/* --- the actions, under the lock --------------------------------------------------------------- */

static bool
hub_is_ours(const struct sigaction *action)
{
	return (action->sa_flags & SA_SIGINFO) != 0 && action->sa_sigaction == hub_on_signal;
}

static void
hub_catch(int number)
{
	struct hub_signal *signal = &hub.signals[number];
	struct sigaction ignore = {.sa_handler = SIG_IGN}, action = {.sa_sigaction = hub_on_signal,
		.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK};

	atomic_store(&hub_caught[number].count, 0);
	/* Ignored for a moment, one that was kept from us before anybody wanted it is forgotten. */
	sigaction(number, &ignore, &signal->former);
	sigfillset(&action.sa_mask);
	sigaction(number, &action, NULL);
	signal->caught = true;
}

/* As before, unless somebody has put his own in its place since. */
static void
hub_release(int number)
{
	struct hub_signal *signal = &hub.signals[number];
	struct sigaction now;

	if (sigaction(number, NULL, &now) == 0 && hub_is_ours(&now))
		sigaction(number, &signal->former, NULL);
	signal->caught = false;
}

/* --- the thread ----------------------------------------------------------------------------- */

/* Lets in what is wanted, and blocks again what is not before its action is as it was: that may
 * be to end the process. open: what this thread lets in. */
static void
hub_settle(sigset_t *open)
{
	sigset_t one;
	int number;

	for (number = 1; number <= SIGRTMAX; number++) {
		struct hub_signal *signal = &hub.signals[number];

		sigemptyset(&one);
		sigaddset(&one, number);
		if (signal->users > 0 && sigismember(open, number) == 0) {
			sigaddset(open, number);
			pthread_sigmask(SIG_UNBLOCK, &one, NULL);
		} else if (signal->users == 0 && signal->caught) {
			sigdelset(open, number);
			pthread_sigmask(SIG_BLOCK, &one, NULL);
			hub_release(number);
		}
	}
}

static void
hub_tell(struct signal_port *port, uint64_t count)
{
	atomic_store(&port->_pid, atomic_load(&hub_caught[port->number].pid));
	atomic_store(&port->_uid, atomic_load(&hub_caught[port->number].uid));
	atomic_fetch_add(&port->_count, count);
	if (!atomic_exchange(&port->_posted, true))
		loop_post(port->loop, &port->home);
}

static void
hub_hand_out(void)
{
	int number;

	for (number = 1; number <= SIGRTMAX; number++) {
		uint64_t count = atomic_exchange(&hub_caught[number].count, 0);

		if (count == 0)
			continue;
		list_for_each(pos, &hub.ports) {
			struct signal_port *port = container_of(pos, struct signal_port, _link);

			if (port->number == number)
				hub_tell(port, count);
		}
	}
}

static void *
hub_main(void *arg)
{
	struct pollfd wake = {.fd = atomic_load(&hub_wake_fd), .events = POLLIN};
	uint64_t wakes;
	bool ending;
	sigset_t open;

	(void)arg;
	threads_begin("signals");
	sigemptyset(&open);
	do {
		/* TSan lets no signal into a read. */
		(void)poll(&wake, 1, -1);
		if (read(wake.fd, &wakes, sizeof wakes) < 0 && errno != EAGAIN && errno != EINTR)
			break;
		pthread_mutex_lock(&hub.lock);
		hub_hand_out();
		hub_settle(&open);
		ending = hub.ending;
		pthread_mutex_unlock(&hub.lock);
	} while (!ending);
	threads_end();
	return NULL;
}

/* Under the lock. 0, or the errno of why there is no thread. */
static int
hub_start(void)
{
	sigset_t all, mask;
	int error, fd;

	if (atomic_load(&hub_wake_fd) >= 0)
		return 0;
	fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fd < 0)
		return errno;
	atomic_store(&hub_wake_fd, fd);
	hub.ending = false;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &mask);
	error = pthread_create(&hub.thread, NULL, hub_main, NULL);
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
	if (error != 0) {
		atomic_store(&hub_wake_fd, -1);
		close(fd);
	}
	return error;
}

void
signal_hub_finish(void)
{
	int fd = atomic_load(&hub_wake_fd);

	if (fd < 0)
		return;
	pthread_mutex_lock(&hub.lock);
	hub.ending = true;
	pthread_mutex_unlock(&hub.lock);
	hub_wake();
	pthread_join(hub.thread, NULL);
	atomic_store(&hub_wake_fd, -1);
	close(fd);
}

/* --- ports ---------------------------------------------------------------------------------- */

int
signal_hub_join(struct signal_port *port)
{
	int error;

	atomic_init(&port->_count, 0);
	atomic_init(&port->_pid, 0);
	atomic_init(&port->_uid, 0);
	atomic_init(&port->_posted, false);
	list_init(&port->_link);
	pthread_mutex_lock(&hub.lock);
	error = hub_start();
	if (error == 0) {
		/* What came before is for those who were here. */
		hub_hand_out();
		if (!hub.signals[port->number].caught)
			hub_catch(port->number);
		hub.signals[port->number].users++;
		list_push_back(&hub.ports, &port->_link);
		hub_wake();
	}
	pthread_mutex_unlock(&hub.lock);
	return error;
}

bool
signal_hub_leave(struct signal_port *port)
{
	pthread_mutex_lock(&hub.lock);
	list_remove(&port->_link);
	hub.signals[port->number].users--;
	hub_wake();
	pthread_mutex_unlock(&hub.lock);
	return atomic_load(&port->_posted);
}

bool
signal_port_take(struct signal_port *port, struct bay_signal_info *info_r)
{
	atomic_store(&port->_posted, false);
	info_r->count = atomic_exchange(&port->_count, 0);
	info_r->pid = atomic_load(&port->_pid);
	info_r->uid = atomic_load(&port->_uid);
	return info_r->count > 0;
}
