/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is refused fails with EPERM, and kills nobody: a plugin, or the library that it uses, has tried
 * what it may not, which its own handling of errors tells best, and by the name of the call. The
 * exception is ENOSYS for calls whose arguments lie in memory, where no filter sees them: the
 * C library then takes the older call that does the same.
 *
 * All is allowed that is not named. What a service in C may need is not to be foreseen, and what it
 * must not do is: act on processes, on modes of files, on namespaces and mounts, on the kernel itself.
 * Arguments are compared as they are used: the kernel takes the lower half of an int and ignores
 * the rest, so a filter that compared all 64 bits could be passed by.
 */
#include "config.h"

#include "master/sandbox_calls.h"

#ifdef HAVE_LIBSECCOMP

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "master/landlock.h"

#ifndef PR_SET_PTRACER
#define PR_SET_PTRACER 0x59616d61
#endif

enum {
	CALLS_UNKNOWN = -1,
	CALLS_DOMAINS = 64, /* of sockets; there are fewer */
	CALLS_IOPRIO_PROCESS = 1
};

#define LOW_MASK UINT64_C(0xffffffff)

/* Which argument of clone has the flags. */
#if defined(__s390__) || defined(__CRIS__)
#define CLONE_FLAGS_ARGUMENT 1
#else
#define CLONE_FLAGS_ARGUMENT 0
#endif

/* Refused whatever the arguments are. Calls since Linux 5.1 have one number everywhere, which serves
 * where libseccomp is older than the call. */
struct calls_row {
	const char *name;
	int number;
};

static const struct calls_row calls_refused[] = {
	/* other processes */
	{"ptrace", CALLS_UNKNOWN},
	{"process_vm_readv", CALLS_UNKNOWN},
	{"process_vm_writev", CALLS_UNKNOWN},
	{"process_madvise", 440},
	{"process_mrelease", 448},
	{"kcmp", CALLS_UNKNOWN},
	{"pidfd_open", 434},
	{"pidfd_getfd", 438},
	{"migrate_pages", CALLS_UNKNOWN},
	{"move_pages", CALLS_UNKNOWN},
	{"perf_event_open", CALLS_UNKNOWN},
	/* modes, owners and attributes of files, which are beyond Landlock */
	{"chmod", CALLS_UNKNOWN},
	{"fchmod", CALLS_UNKNOWN},
	{"fchmodat", CALLS_UNKNOWN},
	{"fchmodat2", 452},
	{"chown", CALLS_UNKNOWN},
	{"fchown", CALLS_UNKNOWN},
	{"lchown", CALLS_UNKNOWN},
	{"fchownat", CALLS_UNKNOWN},
	{"setxattr", CALLS_UNKNOWN},
	{"lsetxattr", CALLS_UNKNOWN},
	{"fsetxattr", CALLS_UNKNOWN},
	{"setxattrat", 463},
	{"removexattr", CALLS_UNKNOWN},
	{"lremovexattr", CALLS_UNKNOWN},
	{"fremovexattr", CALLS_UNKNOWN},
	{"removexattrat", 466},
	{"file_setattr", 469},
	{"open_by_handle_at", CALLS_UNKNOWN},
	{"fanotify_init", CALLS_UNKNOWN},
	/* namespaces and mounts */
	{"unshare", CALLS_UNKNOWN},
	{"setns", CALLS_UNKNOWN},
	{"chroot", CALLS_UNKNOWN},
	{"pivot_root", CALLS_UNKNOWN},
	{"mount", CALLS_UNKNOWN},
	{"umount2", CALLS_UNKNOWN},
	{"open_tree", 428},
	{"move_mount", 429},
	{"fsopen", 430},
	{"fsconfig", 431},
	{"fsmount", 432},
	{"fspick", 433},
	{"mount_setattr", 442},
	{"open_tree_attr", 467},
	/* ways to have the kernel do for us what is refused here, or more than it should */
	{"io_uring_setup", 425},
	{"io_uring_enter", 426},
	{"io_uring_register", 427},
	{"userfaultfd", CALLS_UNKNOWN},
	{"bpf", CALLS_UNKNOWN},
	{"keyctl", CALLS_UNKNOWN},
	{"add_key", CALLS_UNKNOWN},
	{"request_key", CALLS_UNKNOWN},
	{"modify_ldt", CALLS_UNKNOWN},
	{"uselib", CALLS_UNKNOWN},
	/* the machine */
	{"kexec_load", CALLS_UNKNOWN},
	{"kexec_file_load", CALLS_UNKNOWN},
	{"init_module", CALLS_UNKNOWN},
	{"finit_module", CALLS_UNKNOWN},
	{"delete_module", CALLS_UNKNOWN},
	{"iopl", CALLS_UNKNOWN},
	{"ioperm", CALLS_UNKNOWN},
	{"syslog", CALLS_UNKNOWN},
	{"acct", CALLS_UNKNOWN},
	{"quotactl", CALLS_UNKNOWN},
	{"quotactl_fd", 443},
	{"swapon", CALLS_UNKNOWN},
	{"swapoff", CALLS_UNKNOWN},
	{"reboot", CALLS_UNKNOWN},
	{"settimeofday", CALLS_UNKNOWN},
	{"clock_settime", CALLS_UNKNOWN},
	{"sethostname", CALLS_UNKNOWN},
	{"setdomainname", CALLS_UNKNOWN},
	{"lookup_dcookie", CALLS_UNKNOWN},
	{"vhangup", CALLS_UNKNOWN},
};

/* An int argument with one value, or with some bits of it. Refused. */
static const struct calls_argument {
	const char *name;
	unsigned argument;
	uint64_t mask;
	uint64_t value;
} calls_arguments[] = {
	/* Their owner gets signals: a way to send some. */
	{"fcntl", 1, LOW_MASK, F_SETOWN},
	{"fcntl", 1, LOW_MASK, F_SETOWN_EX},
	{"ioctl", 1, LOW_MASK, FIOSETOWN},
	{"ioctl", 1, LOW_MASK, SIOCSPGRP},
	/* Typing into a terminal. */
	{"ioctl", 1, LOW_MASK, TIOCSTI},
	{"ioctl", 1, LOW_MASK, TIOCLINUX},
	{"prctl", 0, LOW_MASK, PR_SET_PTRACER},
	{"clone", CLONE_FLAGS_ARGUMENT, CLONE_NEWNS, CLONE_NEWNS},
	{"clone", CLONE_FLAGS_ARGUMENT, CLONE_NEWCGROUP, CLONE_NEWCGROUP},
	{"clone", CLONE_FLAGS_ARGUMENT, CLONE_NEWUTS, CLONE_NEWUTS},
	{"clone", CLONE_FLAGS_ARGUMENT, CLONE_NEWIPC, CLONE_NEWIPC},
	{"clone", CLONE_FLAGS_ARGUMENT, CLONE_NEWUSER, CLONE_NEWUSER},
	{"clone", CLONE_FLAGS_ARGUMENT, CLONE_NEWPID, CLONE_NEWPID},
	{"clone", CLONE_FLAGS_ARGUMENT, CLONE_NEWNET, CLONE_NEWNET},
};

/* Whom it acts on: only "myself", as it is written there, is allowed. */
static const struct calls_whom {
	const char *name;
	unsigned argument;
	uint64_t myself;
} calls_whom[] = {
	{"prlimit64", 0, 0},
	{"sched_setaffinity", 0, 0},
	{"sched_setscheduler", 0, 0},
	{"sched_setparam", 0, 0},
	{"sched_setattr", 0, 0},
	{"setpriority", 0, PRIO_PROCESS},
	{"setpriority", 1, 0},
	{"ioprio_set", 0, CALLS_IOPRIO_PROCESS},
	{"ioprio_set", 1, 0},
};

/* The same of what sends signals, with our own number. */
static const char *const calls_signals[] = {"kill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo"};

/* What the macros of libseccomp write, of which clang warns. */
static struct scmp_arg_cmp
calls_compare(unsigned argument, enum scmp_compare how, uint64_t value)
{
	return (struct scmp_arg_cmp){.arg = argument, .op = how, .datum_a = value};
}

static struct scmp_arg_cmp
calls_masked(unsigned argument, uint64_t mask, uint64_t value)
{
	return (struct scmp_arg_cmp){.arg = argument, .op = SCMP_CMP_MASKED_EQ, .datum_a = mask,
		.datum_b = value};
}

/* 0, or the error as libseccomp gives it. A call that this machine has not needs no rule. */
static int
calls_refuse_if(scmp_filter_ctx filter, int error, const char *name, int number, unsigned count,
	const struct scmp_arg_cmp *arguments)
{
	int call = seccomp_syscall_resolve_name(name);
	int result;

	if (call == __NR_SCMP_ERROR)
		call = number;
	if (call == CALLS_UNKNOWN)
		return 0;
	result = seccomp_rule_add_array(filter, SCMP_ACT_ERRNO((uint16_t)error), call, count, arguments);
	return result == -EDOM ? 0 : result;
}

static int
calls_refuse(scmp_filter_ctx filter, const char *name)
{
	return calls_refuse_if(filter, EPERM, name, CALLS_UNKNOWN, 0, NULL);
}

static int
calls_refuse_rows(scmp_filter_ctx filter)
{
	int result = 0;

	for (size_t i = 0; result == 0 && i < sizeof(calls_refused) / sizeof(*calls_refused); i++)
		result = calls_refuse_if(filter, EPERM, calls_refused[i].name, calls_refused[i].number, 0, NULL);
	/* Its flags lie in memory; clone does what is left of it. */
	if (result == 0)
		result = calls_refuse_if(filter, ENOSYS, "clone3", 435, 0, NULL);
	return result;
}

static int
calls_refuse_arguments(scmp_filter_ctx filter)
{
	int result = 0;

	for (size_t i = 0; result == 0 && i < sizeof(calls_arguments) / sizeof(*calls_arguments); i++) {
		const struct calls_argument *row = &calls_arguments[i];
		const struct scmp_arg_cmp equal = calls_masked(row->argument, row->mask, row->value);

		result = calls_refuse_if(filter, EPERM, row->name, CALLS_UNKNOWN, 1, &equal);
	}
	return result;
}

static int
calls_refuse_others(scmp_filter_ctx filter)
{
	int result = 0;

	for (size_t i = 0; result == 0 && i < sizeof(calls_whom) / sizeof(*calls_whom); i++) {
		const struct calls_whom *row = &calls_whom[i];
		const struct scmp_arg_cmp differs = calls_compare(row->argument, SCMP_CMP_NE, row->myself);

		result = calls_refuse_if(filter, EPERM, row->name, CALLS_UNKNOWN, 1, &differs);
	}
	return result;
}

/* Nobody is to look into it, and that is not to be undone. */
static int
calls_refuse_dump(scmp_filter_ctx filter)
{
	const struct scmp_arg_cmp dumpable[] = {
		calls_masked(0, LOW_MASK, PR_SET_DUMPABLE),
		calls_compare(1, SCMP_CMP_NE, 0),
	};

	return calls_refuse_if(filter, EPERM, "prctl", CALLS_UNKNOWN, 2, dumpable);
}

/*
 * Sockets for the network, and to ask for its addresses. Control sockets are Unix sockets, and what
 * one is connected to cannot be seen here, so there are none but pairs; what bayd has opened for
 * the cell is not made here.
 */
static int
calls_refuse_sockets(scmp_filter_ctx filter)
{
	const struct scmp_arg_cmp beyond = calls_compare(0, SCMP_CMP_GE, CALLS_DOMAINS);
	const struct scmp_arg_cmp other[] = {
		calls_compare(0, SCMP_CMP_EQ, AF_NETLINK),
		calls_compare(2, SCMP_CMP_NE, 0), /* NETLINK_ROUTE */
	};
	int result = calls_refuse_if(filter, EPERM, "socket", CALLS_UNKNOWN, 1, &beyond);

	for (uint64_t domain = 0; result == 0 && domain < CALLS_DOMAINS; domain++) {
		const struct scmp_arg_cmp equal = calls_compare(0, SCMP_CMP_EQ, domain);

		if (domain != AF_INET && domain != AF_INET6 && domain != AF_NETLINK)
			result = calls_refuse_if(filter, EPERM, "socket", CALLS_UNKNOWN, 1, &equal);
	}
	return result != 0 ? result : calls_refuse_if(filter, EPERM, "socket", CALLS_UNKNOWN, 2, other);
}

/*
 * Before Landlock knew of signals: only to ourselves. Then what is started could not be ended, so
 * nothing can be started either: no process but this one.
 */
static int
calls_refuse_signals(scmp_filter_ctx filter)
{
	const struct scmp_arg_cmp other = calls_compare(0, SCMP_CMP_NE, (uint64_t)getpid());
	const struct scmp_arg_cmp process = calls_masked(CLONE_FLAGS_ARGUMENT, CLONE_THREAD, 0);
	int result = 0;

	for (size_t i = 0; result == 0 && i < sizeof(calls_signals) / sizeof(*calls_signals); i++)
		result = calls_refuse_if(filter, EPERM, calls_signals[i], CALLS_UNKNOWN, 1, &other);
	if (result == 0)
		result = calls_refuse(filter, "tkill");
	if (result == 0)
		result = calls_refuse_if(filter, EPERM, "pidfd_send_signal", 424, 0, NULL);
	if (result == 0)
		result = calls_refuse(filter, "fork");
	if (result == 0)
		result = calls_refuse(filter, "vfork");
	return result != 0 ? result : calls_refuse_if(filter, EPERM, "clone", CALLS_UNKNOWN, 1, &process);
}

/* Before Landlock knew of shortening a file: not by its path, and not by opening it for reading. */
static int
calls_refuse_truncation(scmp_filter_ctx filter)
{
	const struct scmp_arg_cmp open = calls_masked(1, O_TRUNC | O_ACCMODE, O_TRUNC);
	const struct scmp_arg_cmp openat = calls_masked(2, O_TRUNC | O_ACCMODE, O_TRUNC);
	int result = calls_refuse(filter, "truncate");

	if (result == 0)
		result = calls_refuse_if(filter, EPERM, "open", CALLS_UNKNOWN, 1, &open);
	if (result == 0)
		result = calls_refuse_if(filter, EPERM, "openat", CALLS_UNKNOWN, 1, &openat);
	return result != 0 ? result : calls_refuse_if(filter, ENOSYS, "openat2", 437, 0, NULL);
}

static int
calls_set_up(scmp_filter_ctx filter, int landlock)
{
	int result = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(EPERM));

	/* Speculation costs nobody else here, and guarding against it costs all of the cell. */
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1);
	if (result == 0)
		result = calls_refuse_rows(filter);
	if (result == 0)
		result = calls_refuse_arguments(filter);
	if (result == 0)
		result = calls_refuse_others(filter);
	if (result == 0)
		result = calls_refuse_dump(filter);
	if (result == 0)
		result = calls_refuse_sockets(filter);
	if (result == 0 && landlock < LANDLOCK_SCOPE)
		result = calls_refuse_signals(filter);
	if (result == 0 && landlock < LANDLOCK_TRUNCATE)
		result = calls_refuse_truncation(filter);
	return result;
}

bool
sandbox_calls_are_there(void)
{
	return true;
}

bool
sandbox_calls_enter(int landlock, const char **step_r)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int result = filter != NULL ? calls_set_up(filter, landlock) : -ENOMEM;

	*step_r = "write the rules for its system calls";
	if (result == 0) {
		*step_r = "give up system calls";
		result = seccomp_load(filter);
	}
	seccomp_release(filter);
	errno = -result;
	return result == 0;
}

#else

#include <errno.h>

bool
sandbox_calls_are_there(void)
{
	return false;
}

bool
sandbox_calls_enter(int landlock, const char **step_r)
{
	(void)landlock;
	*step_r = "give up system calls without libseccomp";
	errno = ENOSYS;
	return false;
}

#endif
