/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "base/log_output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

/* --- opening -------------------------------------------------------------------- */

void
log_output_open(struct log_output *output, int fd, bool own)
{
	*output = (struct log_output){.fd = fd, ._own = own};
}

/* Opened once more it is another open file, whose flags are ours. */
void
log_output_open_stderr(struct log_output *output)
{
	struct stat st;
	int fd = -1;

	if (fstat(STDERR_FILENO, &st) == 0 && (S_ISFIFO(st.st_mode) || isatty(STDERR_FILENO)))
		fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	log_output_open(output, fd >= 0 ? fd : STDERR_FILENO, fd >= 0);
}

void
log_output_close(struct log_output *output)
{
	if (output->_own)
		fd_close(&output->fd);
	buffer_finish(&output->_kept);
}

/* --- writing -------------------------------------------------------------------- */

static bool
log_output_is_file(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

/* As write, but never waits: a pipe that blocks takes this many bytes at once when it says
 * that there is room. */
static ssize_t
log_output_write_some(int fd, const uint8_t *data, size_t size)
{
	struct pollfd room = {.fd = fd, .events = POLLOUT};
	ssize_t done = send(fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (done >= 0 || errno != ENOTSOCK)
		return done;
	if (poll(&room, 1, 0) == 0) {
		errno = EAGAIN;
		return -1;
	}
	return write(fd, data, size <= PIPE_BUF || log_output_is_file(fd) ? size : PIPE_BUF);
}

/* Writes until there is no room or an error. Returns how much. */
static size_t
log_output_write_now(struct log_output *output, const uint8_t *data, size_t size)
{
	size_t sent = 0;

	output->error = 0;
	while (sent < size) {
		ssize_t done = log_output_write_some(output->fd, data + sent, size - sent);

		if (done >= 0)
			sent += (size_t)done;
		else if (errno == EAGAIN)
			break;
		else if (errno != EINTR) {
			output->error = errno;
			break;
		}
	}
	return sent;
}

static uint64_t
log_output_count_lines(const uint8_t *data, size_t size)
{
	uint64_t lines = 0;

	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n';
	return lines;
}

void
log_output_flush(struct log_output *output)
{
	struct buffer *kept = &output->_kept;
	size_t sent;

	if (kept->size == 0)
		return;
	sent = log_output_write_now(output, kept->data, kept->size);
	if (sent < kept->size && output->error == 0) {
		buffer_consume(kept, sent);
		return;
	}
	/* Done; or it fails, and what is kept would come much later if ever. */
	output->lost += log_output_count_lines(kept->data + sent, kept->size - sent);
	output->_torn = sent < kept->size && (sent == 0 || kept->data[sent - 1] != '\n');
	buffer_finish(kept);
}

static bool
log_output_begin(struct log_output *output, const uint8_t *data, size_t size)
{
	size_t sent = 0;

	if (output->_torn && log_output_write_now(output, (const uint8_t *)"\n", 1) == 1)
		output->_torn = false;
	if (!output->_torn)
		sent = log_output_write_now(output, data, size);
	if (sent == size)
		return true;
	if (output->error == 0 && !output->_torn &&
	    buffer_append(&output->_kept, data + sent, size - sent))
		return true;
	output->_torn |= sent > 0;
	output->lost++;
	return false;
}

bool
log_output_write(struct log_output *output, const void *lines, size_t size)
{
	log_output_flush(output);
	if (!log_output_waits(output))
		return log_output_begin(output, lines, size);
	if (output->_kept.size + size <= LOG_OUTPUT_MAX && buffer_append(&output->_kept, lines, size))
		return true;
	output->lost++;
	return false;
}

bool
log_output_waits(const struct log_output *output)
{
	return output->_kept.size > 0;
}
