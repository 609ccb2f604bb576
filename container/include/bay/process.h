/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Subprocesses: other programs, started by a service, fed, listened to and waited for
 * without blocking anybody.
 *
 *	const char *argv[] = {"sort", "-u", NULL};
 *	struct bay_process_options options = {.length = sizeof options, .argv = argv,
 *		.input = BAY_STDIO_PIPE, .output = BAY_STDIO_PIPE};
 *	struct bay_process *process;
 *	const char *sorted;
 *	size_t size;
 *
 *	status = bay_process_run(&options, text, strlen(text), 1 << 20, &process, BAY_INHERIT);
 *	if (status != BAY_OK)
 *		return bay_fail(request, status, "%s", bay_process_error());
 *	sorted = bay_process_captured(process, BAY_STDOUT, &size);
 *	...
 *	bay_process_close(process);
 *
 * A child begins with the default action for every signal and none blocked, three
 * descriptors and no others, no controlling terminal, and a process group of its own. Its
 * user is the cell's, and so are its resource limits unless the options say less.
 *
 * It ends with its service at the latest: one that is still there when the instance has
 * stopped gets SIGTERM and, 2 s later, SIGKILL, and so does whatever it has started and left in
 * its process group. When the cell dies, however that comes about, they are killed. A
 * descendant that makes a session of its own (setsid) escapes all that.
 *
 * A child that has ended stays a zombie until its handle is closed: so its number is nobody
 * else's. There is no handler for SIGCHLD. A service may start processes by other means and
 * wait for those by number; who waits for any child (waitpid(-1), SIGCHLD ignored) takes away
 * how these have ended, which is then told as BAY_IO.
 *
 * Linux 5.4 or later. All functions: on the loop that spawned the process.
 */
#ifndef BAY_PROCESS_H
#define BAY_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <bay/abi.h>
#include <bay/status.h>
#include <bay/time.h>

BAY_BEGIN_DECLS

struct bay_process;

/* What becomes of the child's standard input, output or error. */
enum bay_stdio {
	BAY_STDIO_NULL,     /* /dev/null: nothing to read, what is written is lost */
	BAY_STDIO_PIPE,     /* a pipe from or to us */
	BAY_STDIO_INHERIT,  /* the cell's own, which is bayd's; as input that is /dev/null */
	BAY_STDIO_FD,       /* a descriptor of ours, borrowed for the call */
	BAY_STDIO_MERGE     /* error only: to where the output goes */
};

/* Which of the three. */
#define BAY_STDIN 0
#define BAY_STDOUT 1
#define BAY_STDERR 2

/* What to start, all borrowed for the call. Set to zero what you do not need. */
struct bay_process_options {
	size_t length;              /* sizeof(struct bay_process_options) */
	const char *const *argv;    /* its arguments, NULL at the end; [0] is its name */
	const char *program;        /* what is executed; NULL: argv[0]. With a slash a path, from
	                             * the child's directory on; else looked for in its PATH */
	const char *const *environment; /* NULL at the end: "NAME=value" adds or replaces, "NAME"
	                             * takes away; NULL: nothing of that */
	bool empty_environment;     /* begin with none, not with the cell's */
	const char *directory;      /* its working directory; NULL: the cell's */
	enum bay_stdio input, output, errors;
	int input_fd, output_fd, errors_fd; /* for BAY_STDIO_FD */
	/* The most that it may use, and each process that it starts; 0: as much as the cell. More
	 * than the cell may is BAY_NOT_PERMITTED, unless that is privileged. */
	uint64_t memory_max;        /* bytes of address space: beyond, it gets no memory */
	int64_t cpu_max_ns;         /* processor time, in whole seconds, rounded up: beyond, it gets
	                             * SIGXCPU and, a second later, SIGKILL */
	uint64_t files_max;         /* open descriptors */
	uint64_t file_bytes_max;    /* size of a file that it writes: beyond, it gets SIGXFSZ */
};

/* How a process has ended. */
struct bay_process_exit {
	int code;       /* what it returned, 0 to 255; -1: a signal ended it, or nobody knows */
	int signal;     /* the signal, or 0 */
	bool dumped;    /* and its memory was dumped */
};

/* Starts a program and waits until it is begun, which takes a thread of the cell about a
 * millisecond. BAY_OK: *process_r is the caller's, to be closed. Else it is NULL, nothing runs,
 * and bay_process_error() has the reason: BAY_NOT_FOUND (no such program or directory),
 * BAY_NOT_PERMITTED (not executable), BAY_INVALID (options without sense, or a file that is no
 * program), BAY_TOO_BIG (arguments and environment), BAY_FULL (no more descriptors or
 * processes), BAY_NO_MEMORY, BAY_IO, BAY_TIMEOUT, BAY_CANCELED. Inside a task; suspends.
 * Since 1.0. */
BAY_API int bay_process_spawn(const struct bay_process_options *options, struct bay_process **process_r,
	int64_t deadline);

/* Why the running task's last bay_process_...() or bay_call() failed; "" if it did not.
 * Borrowed until its next one. Never suspends. Since 1.0. */
BAY_API const char *bay_process_error(void);

/* Closes the handle and its pipes; NULL is allowed. A child that still runs is killed at
 * once (SIGKILL), and what it left in its process group with it; who waits for it ends with
 * BAY_CLOSED. Never suspends. Since 1.0. */
BAY_API void bay_process_close(struct bay_process *process);

/* Waits until the child has ended; *exit_r (NULL: not wanted) says how. May be called again,
 * and by several tasks. BAY_OK; BAY_IO: it has ended, and somebody else has taken away how;
 * BAY_CLOSED: the handle was closed; BAY_TIMEOUT; BAY_CANCELED: the child goes on. Inside a
 * task; may suspend. Since 1.0. */
BAY_API int bay_process_wait(struct bay_process *process, struct bay_process_exit *exit_r, int64_t deadline);

/* The same without waiting: BAY_BUSY while it runs. Never suspends. Since 1.0. */
BAY_API int bay_process_poll(struct bay_process *process, struct bay_process_exit *exit_r);

/* Its number, which is that of its process group too. Since 1.0. */
BAY_API pid_t bay_process_pid(const struct bay_process *process);

/* Sends a signal to the child, and never to another process that has its number. BAY_OK;
 * BAY_CLOSED: it has ended; BAY_INVALID: no such signal; BAY_NOT_PERMITTED: it has become
 * another user. Never suspends. Since 1.0. */
BAY_API int bay_process_kill(struct bay_process *process, int signal);

/* Asks the child and its process group to end (SIGTERM, and SIGCONT for one that is stopped),
 * waits for the child, and kills all of them (SIGKILL) when it is still there grace_ns later.
 * As bay_process_wait(). When the wait is cut short they have been killed: BAY_TIMEOUT,
 * BAY_CANCELED. Inside a task; may suspend. Since 1.0. */
BAY_API int bay_process_terminate(struct bay_process *process, int64_t grace_ns,
	struct bay_process_exit *exit_r, int64_t deadline);

/* Our end of a pipe (BAY_STDIN, BAY_STDOUT, BAY_STDERR), which does not block (see
 * bay_wait_fd()): borrowed until it is taken or the handle closed. -1: there is none. Never
 * suspends. Since 1.0. */
BAY_API int bay_process_fd(const struct bay_process *process, int which);

/* The same, and it is the caller's from now on, to be closed with bay_fd_close(), or
 * given to bay_stream_open_fd(). Closing the pipe of the input tells the child that nothing
 * more comes. Never suspends. Since 1.0. */
BAY_API int bay_process_take_fd(struct bay_process *process, int which);

/* Writes size bytes to the child's input and closes it, keeps what comes out of its pipes,
 * all at once, and waits for its end; *exit_r (NULL: not wanted) says how it was. A child that
 * does not read its input to the end is no error. When the child itself has ended, what lies
 * in the pipes then is taken and no more is waited for, though something that it has started
 * may still hold them open.
 *
 * BAY_OK. BAY_TOO_BIG: more than max_bytes (0: 1 MiB) came out of one of the pipes; the child
 * and its group were killed. BAY_TIMEOUT and BAY_CANCELED: the child goes on, and nothing is
 * lost: called again with the same input this goes on too. BAY_NO_MEMORY: as these. BAY_BUSY:
 * another task is at it. BAY_IO, BAY_CLOSED: as bay_process_wait(). Inside a task; may
 * suspend. Since 1.0. */
BAY_API int bay_process_communicate(struct bay_process *process, const void *input, size_t size,
	size_t max_bytes, struct bay_process_exit *exit_r, int64_t deadline);

/* What bay_process_communicate() has kept of BAY_STDOUT or BAY_STDERR: *size_r (NULL: not
 * wanted) bytes, and a NUL behind them. Borrowed until the next one or the close. Never
 * suspends. Since 1.0. */
BAY_API const char *bay_process_captured(const struct bay_process *process, int which, size_t *size_r);

/* bay_process_spawn() and bay_process_communicate(). BAY_OK: the process has ended,
 * bay_process_poll() says how, and the handle is the caller's. Else *process_r is NULL and the
 * child, if it came to that, was killed. Inside a task; suspends. Since 1.0. */
BAY_API int bay_process_run(const struct bay_process_options *options, const void *input, size_t size,
	size_t max_bytes, struct bay_process **process_r, int64_t deadline);

BAY_END_DECLS

#endif
