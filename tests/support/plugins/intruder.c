/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A plugin that tries what it must not, for the tests of sandboxes. Each order is one attempt; it
 * replies "done", or fails with the error that the kernel gave.
 *
 *	ptrace PID     attaches to the process, and lets it go again
 *	signal PID     sends it SIGCONT, by kill, by tgkill and by its directory in /proc
 *	mem PID        opens its memory for writing
 *	fds PID        lists its descriptors and opens one of them
 *	peek PID       reads its memory from here
 *	pidfd PID      opens it, to take its descriptors
 *	limit PID      gives it the limit of descriptors that it has
 *	owner PID      makes it the one that gets the signals of a socket
 *	write PATH     opens the file for writing; if it may not, after a change of its mode
 *	shorten PATH   shortens the file to the size that it has, and opens it for that
 *	plant DIR      makes a file in the directory, and takes it away again
 *	connect PATH   connects to the Unix socket
 *	call NAME      makes that system call: unshare, mount, bpf, keyctl, ...
 *	dumpable       lets others look into the process again
 *	grow N         takes N MiB of memory more, and keeps it
 *	threads N      starts N threads more, which stay
 *	work DIR       what is no attempt: a thread, a process, a file in DIR, memory, sockets
 *
 * Its constructor tries to make a Unix socket, and prints whether it has one.
 */
#define _GNU_SOURCE
#include <bay/bay.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>

/* Closes and keeps errno. */
static bool
opened(int fd)
{
	int error = errno;

	if (fd >= 0)
		close(fd);
	errno = error;
	return fd >= 0;
}

static void __attribute__((constructor))
begin(void)
{
	printf("a Unix socket is %s here\n", opened(socket(AF_UNIX, SOCK_STREAM, 0)) ? "made" : "refused");
	fflush(stdout);
}

/* --- other processes ---------------------------------------------------------------- */

static bool
try_ptrace(const char *rest)
{
	pid_t pid = atoi(rest);

	if (ptrace(PTRACE_ATTACH, pid, NULL, NULL) != 0)
		return false;
	waitpid(pid, NULL, __WALL);
	return ptrace(PTRACE_DETACH, pid, NULL, NULL) == 0;
}

/* Any of the ways will do. */
static bool
try_signal(const char *rest)
{
	pid_t pid = atoi(rest);
	char path[32];
	int directory;
	bool sent;

	if (kill(pid, SIGCONT) == 0 || syscall(SYS_tgkill, pid, pid, SIGCONT) == 0)
		return true;
	snprintf(path, sizeof path, "/proc/%d", (int)pid);
	directory = open(path, O_RDONLY | O_DIRECTORY);
	if (directory < 0)
		return false;
	sent = syscall(SYS_pidfd_send_signal, directory, SIGCONT, NULL, 0) == 0;
	(void)opened(directory);
	return sent;
}

static bool
try_mem(const char *rest)
{
	char path[32];

	snprintf(path, sizeof path, "/proc/%d/mem", atoi(rest));
	return opened(open(path, O_RDWR));
}

static bool
try_fds(const char *rest)
{
	char path[32], entry[320];
	const struct dirent *found;
	DIR *directory;
	bool any = false;

	snprintf(path, sizeof path, "/proc/%d/fd", atoi(rest));
	directory = opendir(path);
	if (directory == NULL)
		return false;
	while (!any && (found = readdir(directory)) != NULL) {
		snprintf(entry, sizeof entry, "%s/%s", path, found->d_name);
		any = found->d_name[0] != '.' && opened(open(entry, O_RDONLY | O_NONBLOCK));
	}
	closedir(directory);
	return any;
}

/* An address that is not there is another error than one that must not be looked at. */
static bool
try_peek(const char *rest)
{
	char byte;
	struct iovec here = {&byte, 1}, there = {(void *)0x1000, 1};

	return process_vm_readv(atoi(rest), &here, 1, &there, 1, 0) == 1 || errno == EFAULT;
}

static bool
try_pidfd(const char *rest)
{
	return opened((int)syscall(SYS_pidfd_open, atoi(rest), 0));
}

static bool
try_limit(const char *rest)
{
	struct rlimit limit;

	return prlimit(atoi(rest), RLIMIT_NOFILE, NULL, &limit) == 0 &&
		prlimit(atoi(rest), RLIMIT_NOFILE, &limit, NULL) == 0;
}

static bool
try_owner(const char *rest)
{
	int pair[2], error;
	bool done;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return false;
	done = fcntl(pair[0], F_SETOWN, atoi(rest)) == 0;
	error = errno;
	close(pair[0]);
	close(pair[1]);
	errno = error;
	return done;
}

/* --- files and sockets ------------------------------------------------------------------ */

static bool
try_write(const char *path)
{
	if (opened(open(path, O_WRONLY)))
		return true;
	return chmod(path, 0700) == 0 && opened(open(path, O_WRONLY));
}

static bool
try_shorten(const char *path)
{
	struct stat status;

	if (stat(path, &status) != 0)
		return false;
	return truncate(path, status.st_size) == 0;
}

static bool
try_plant(const char *directory)
{
	char path[512];

	snprintf(path, sizeof path, "%s/planted", directory);
	return opened(open(path, O_WRONLY | O_CREAT | O_EXCL, 0600)) && unlink(path) == 0;
}

static bool
try_connect(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool connected;

	if (fd < 0)
		return false;
	snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	connected = connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
	(void)opened(fd);
	return connected;
}

/* --- the kernel ---------------------------------------------------------------------------- */

/* With arguments that are wrong, so that nothing comes of it: who may not is told so first. */
static bool
try_call(const char *name)
{
	static const struct {
		const char *name;
		long number;
	} calls[] = {
		{"unshare", SYS_unshare}, {"setns", SYS_setns}, {"mount", SYS_mount},
		{"umount2", SYS_umount2}, {"pivot_root", SYS_pivot_root}, {"chroot", SYS_chroot},
		{"bpf", SYS_bpf}, {"kexec_load", SYS_kexec_load}, {"keyctl", SYS_keyctl},
		{"add_key", SYS_add_key}, {"perf_event_open", SYS_perf_event_open},
		{"userfaultfd", SYS_userfaultfd}, {"io_uring_setup", SYS_io_uring_setup},
		{"init_module", SYS_init_module}, {"pidfd_getfd", SYS_pidfd_getfd},
		{"process_vm_writev", SYS_process_vm_writev}, {"open_by_handle_at", SYS_open_by_handle_at},
		{"move_mount", SYS_move_mount}, {"fchmod", SYS_fchmod}, {"fchmodat2", 452},
	};

	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
		if (strcmp(calls[i].name, name) == 0)
			return syscall(calls[i].number, -1L, -1L, -1L, -1L, -1L) >= 0 || errno != EPERM;
	errno = ENOSYS;
	return false;
}

static bool
try_dumpable(const char *rest)
{
	(void)rest;
	return prctl(PR_SET_DUMPABLE, 1) == 0;
}

/* --- too much ------------------------------------------------------------------------------- */

static bool
try_grow(const char *rest)
{
	size_t bytes = (size_t)atoi(rest) << 20;
	char *memory = bay_alloc(bytes);

	if (memory == NULL)
		return false;
	memset(memory, 1, bytes);
	return true;
}

static void *
stays(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static bool
try_threads(const char *rest)
{
	pthread_t id;

	for (int n = atoi(rest); n > 0; n--) {
		errno = pthread_create(&id, NULL, stays, NULL);
		if (errno != 0)
			return false;
	}
	return true;
}

/* --- work ----------------------------------------------------------------------------------- */

static void *
thread(void *arg)
{
	return arg;
}

static bool
work_with_a_thread(void)
{
	pthread_t id;
	void *result = NULL;

	return pthread_create(&id, NULL, thread, &id) == 0 && pthread_join(id, &result) == 0 && result == &id;
}

static bool
work_with_a_file(const char *directory)
{
	char from[512], to[512];
	int fd;

	snprintf(from, sizeof from, "%s/work.new", directory);
	snprintf(to, sizeof to, "%s/work", directory);
	fd = open(from, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	return fd >= 0 && write(fd, "work", 4) == 4 && ftruncate(fd, 2) == 0 && opened(fd) &&
		rename(from, to) == 0 && unlink(to) == 0 && opened(open("/dev/null", O_WRONLY));
}

static bool
work_with_memory(void)
{
	int fd = memfd_create("work", MFD_CLOEXEC);
	char link[32];
	void *memory;

	if (fd < 0 || ftruncate(fd, 4096) != 0)
		return false;
	memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	return memory != MAP_FAILED && munmap(memory, 4096) == 0 && opened(open(link, O_RDWR)) && opened(fd);
}

static bool
work_with_sockets(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof address;
	int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool connected;

	connected = server >= 0 && client >= 0 && bind(server, (struct sockaddr *)&address, size) == 0 &&
		listen(server, 1) == 0 && getsockname(server, (struct sockaddr *)&address, &size) == 0 &&
		connect(client, (struct sockaddr *)&address, size) == 0;
	(void)opened(server);
	(void)opened(client);
	return connected;
}

/* One that would run for ever, so that it has to be signalled. */
static bool
work_with_a_process(void)
{
	const struct bay_process_options options = {.length = sizeof options,
		.argv = (const char *const[]){"sleep", "1000", NULL}};
	struct bay_process_exit how = {0};
	struct bay_process *process;
	bool ended;

	if (bay_process_spawn(&options, &process, BAY_INHERIT) != BAY_OK)
		return false;
	ended = bay_process_terminate(process, 5 * BAY_SECOND, &how, BAY_INHERIT) == BAY_OK &&
		how.signal == SIGTERM;
	bay_process_close(process);
	return ended;
}

static int
work(struct bay_request *request, const char *directory)
{
	if (!work_with_a_thread())
		return bay_fail(request, BAY_FAILED, "a thread: %s", strerror(errno));
	if (!work_with_a_file(directory))
		return bay_fail(request, BAY_FAILED, "a file: %s", strerror(errno));
	if (!work_with_memory())
		return bay_fail(request, BAY_FAILED, "memory: %s", strerror(errno));
	if (!work_with_sockets())
		return bay_fail(request, BAY_FAILED, "sockets: %s", strerror(errno));
	if (!work_with_a_process())
		return bay_fail(request, BAY_FAILED, "a process: %s", bay_process_error());
	return bay_reply_text(request, "done");
}

/* --- orders ------------------------------------------------------------------------------------ */

static const struct {
	const char *order;
	bool (*attempt)(const char *rest);
} orders[] = {
	{"ptrace", try_ptrace}, {"signal", try_signal}, {"mem", try_mem}, {"fds", try_fds},
	{"peek", try_peek}, {"pidfd", try_pidfd}, {"limit", try_limit}, {"owner", try_owner},
	{"write", try_write}, {"shorten", try_shorten}, {"plant", try_plant},
	{"connect", try_connect}, {"call", try_call}, {"dumpable", try_dumpable},
	{"grow", try_grow}, {"threads", try_threads},
};

static int
intruder(struct bay_request *request)
{
	const char *order = bay_request_text(request);
	size_t length = strcspn(order, " ");
	const char *rest = order[length] != '\0' ? order + length + 1 : "";

	if (length == 4 && strncmp(order, "work", length) == 0)
		return work(request, rest);
	for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
		if (strlen(orders[i].order) != length || strncmp(orders[i].order, order, length) != 0)
			continue;
		errno = 0;
		if (orders[i].attempt(rest))
			return bay_reply_text(request, "done");
		return bay_fail(request, BAY_FAILED, "refused: %s", strerror(errno));
	}
	return bay_fail(request, BAY_INVALID, "no such order: %s", order);
}

BAY_PLUGIN(intruder, "1.0.0",
	.summary = "tries what it must not",
	.handle = intruder);
