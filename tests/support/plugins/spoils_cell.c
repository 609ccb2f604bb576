/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Does to the cell, while it is loaded, what the name of its file says: crashes, exits, hangs,
 * takes_handlers, takes_pipe, changes_user. An examiner sees nothing of it.
 */
#define _GNU_SOURCE
#include <bay/bay.h>

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool
is_in_cell(void)
{
	char words[256] = "";
	int fd = open("/proc/self/cmdline", O_RDONLY);
	ssize_t size = read(fd, words, sizeof words - 1);

	close(fd);
	return size > 4 && strcmp(words + size - 4, "run") == 0;
}

static void
ignore_fault(int number)
{
	(void)number;
}

__attribute__((constructor)) static void
construct(void)
{
	Dl_info here;

	if (!is_in_cell() || dladdr((void *)ignore_fault, &here) == 0)
		return;
	if (strstr(here.dli_fname, "/crashes.") != NULL)
		abort();
	if (strstr(here.dli_fname, "/exits.") != NULL)
		exit(0);
	while (strstr(here.dli_fname, "/hangs.") != NULL)
		pause();
	if (strstr(here.dli_fname, "/takes_handlers.") != NULL)
		signal(SIGSEGV, ignore_fault);
	if (strstr(here.dli_fname, "/takes_pipe.") != NULL)
		signal(SIGPIPE, SIG_DFL);
	if (strstr(here.dli_fname, "/changes_user.") != NULL)
		(void)!setuid(12345);
}

/* Writes to a pipe that nobody reads, which is an error and no end. */
static int
write_in_vain(struct bay_request *request)
{
	ssize_t size = -1;
	int fds[2];

	if (pipe(fds) != 0)
		return bay_fail(request, BAY_IO, "no pipe");
	close(fds[0]);
	size = write(fds[1], "x", 1);
	close(fds[1]);
	return bay_reply_text(request, size < 0 ? "refused" : "written");
}

/* Does that under one name; crashes under any other. */
static int
handle(struct bay_request *request)
{
	if (strcmp(bay_instance_name(bay_request_instance(request)), "takes_pipe") == 0)
		return write_in_vain(request);
	*(volatile int *)16 = 0;
	return BAY_OK;
}

BAY_PLUGIN(spoils_cell, "1", .handle = handle);
