/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/activation.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"

enum {
	ACTIVATION_FIRST_FD = 3,
	ACTIVATION_MAX = 1024
};

/* Copies of the variables: NULL when they are not set. */
struct activation_words {
	char *pid;
	char *fds;
	char *names;
};

/* The variables are gone then, whatever becomes of what they say. */
static char *
activation_take_word(const char *variable)
{
	const char *value = getenv(variable);
	char *copy = value != NULL ? xstrdup(value) : NULL;

	unsetenv(variable);
	return copy;
}

/* False: it is set to something that is no number from min to max. */
static bool
activation_read_number(const char *variable, const char *word, int64_t min, int64_t max,
	int64_t *number_r, struct buffer *error)
{
	if (text_parse_int64(word, number_r) && *number_r >= min && *number_r <= max)
		return true;
	return buffer_fail(error, "%s is \"%.40s\", which is no number from %lld to %lld: the service "
		"manager sets it, and nobody else should", variable, word, (long long)min,
		(long long)max);
}

/* Whether sockets are passed to this very process, and how many. */
static bool
activation_count(const struct activation_words *words, size_t *count_r, struct buffer *error)
{
	int64_t pid;
	int64_t count;

	*count_r = 0;
	if (words->pid == NULL || words->fds == NULL)
		return true;
	if (!activation_read_number("LISTEN_PID", words->pid, 1, INT32_MAX, &pid, error) ||
	    !activation_read_number("LISTEN_FDS", words->fds, 0, ACTIVATION_MAX, &count, error))
		return false;
	if (pid == getpid())
		*count_r = (size_t)count;
	else
		log_debug(NULL, "LISTEN_FDS is for process %lld and left alone", (long long)pid);
	return true;
}

/* --- one socket ------------------------------------------------------------------------ */

static bool
activation_get_option(int fd, int option)
{
	socklen_t size = sizeof(int);
	int value = 0;

	return getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 && value != 0;
}

static bool
activation_check(int fd, const char *name, struct buffer *error)
{
	if (fcntl(fd, F_GETFD) < 0)
		return buffer_fail(error, "LISTEN_FDS counts descriptor %d (%s), which is not open: the "
			"service manager sets it, and nobody else should", fd, name);
	if (!activation_get_option(fd, SO_ACCEPTCONN))
		return buffer_fail(error, "descriptor %d (%s), passed by the service manager, is no socket "
			"that listens: bayd takes those of ListenStream= with Accept=no", fd, name);
	if (!fd_set_nonblocking(fd) || !fd_set_cloexec(fd, true))
		return buffer_fail(error, "use descriptor %d (%s), passed by the service manager: %s", fd,
			name, strerror(errno));
	return true;
}

/* The name that begins at *names, which is moved behind it; the caller's. NULL: there is none. */
static char *
activation_next_name(const char **names)
{
	const char *name = *names;
	size_t length;

	if (name == NULL)
		return NULL;
	length = strcspn(name, ":");
	*names = name[length] == ':' ? name + length + 1 : NULL;
	return xstrndup(name, length);
}

static bool
activation_adopt(struct activation *activation, size_t count, const char *names,
	struct buffer *error)
{
	bool named = names != NULL;

	activation->sockets = xcalloc(count, sizeof(*activation->sockets));
	while (activation->count < count) {
		int fd = ACTIVATION_FIRST_FD + (int)activation->count;
		struct activation_socket *one = &activation->sockets[activation->count++];

		/* What turns out to be none of ours is not ours to close. */
		one->fd = -1;
		one->name = named ? activation_next_name(&names) : xstrdup(ACTIVATION_NAMELESS);
		if (one->name == NULL)
			return buffer_fail(error, "LISTEN_FDNAMES has %zu %s for %zu descriptors in LISTEN_FDS",
				activation->count - 1, text_number(activation->count - 1, "name", "names"), count);
		if (!activation_check(fd, one->name, error))
			return false;
		one->fd = fd;
	}
	return names == NULL ||
		buffer_fail(error, "LISTEN_FDNAMES has more names than LISTEN_FDS has descriptors (%zu)",
			count);
}

bool
activation_take(struct activation *activation, struct buffer *error)
{
	struct activation_words words = {
		.pid = activation_take_word("LISTEN_PID"),
		.fds = activation_take_word("LISTEN_FDS"),
		.names = activation_take_word("LISTEN_FDNAMES"),
	};
	size_t count;
	bool taken;

	/* What newer ones say beside the process, to the same end. */
	unsetenv("LISTEN_PIDFDID");
	*activation = (struct activation){0};
	taken = activation_count(&words, &count, error) &&
		(count == 0 || activation_adopt(activation, count, words.names, error));
	free(words.pid);
	free(words.fds);
	free(words.names);
	return taken;
}

void
activation_finish(struct activation *activation)
{
	for (size_t i = 0; i < activation->count; i++) {
		fd_close(&activation->sockets[i].fd);
		free(activation->sockets[i].name);
	}
	free(activation->sockets);
	*activation = (struct activation){0};
}
