/* SPDX-License-Identifier: BSD-2-Clause */
/* The descriptor of a cell's link to its master has a fixed number: a program that includes this keeps it
 * free from before main, so that nobody else gets it. Check would. */
#ifndef BAY_TESTS_SUPPORT_CONTROL_FD_H
#define BAY_TESTS_SUPPORT_CONTROL_FD_H

#include <fcntl.h>
#include <unistd.h>

#include "protocol/cell_link.h"

static void __attribute__((constructor))
control_fd_reserve(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (fd < 0 || fd == CELL_CONTROL_FD)
		return;
	if (fcntl(CELL_CONTROL_FD, F_GETFD) < 0)
		(void)dup2(fd, CELL_CONTROL_FD);
	close(fd);
}

#endif
