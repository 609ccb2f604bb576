/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/notify.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

struct notify {
	int fd;
	struct sockaddr_un address;
	socklen_t address_size;
	bool complained;
	int64_t watchdog_ns;
};

/* A path, or "@name" for an abstract address, which is written with a NUL in front. */
static bool
notify_parse_address(const char *text, struct notify *notify)
{
	size_t length = strlen(text);

	if ((text[0] != '/' && text[0] != '@') || length < 2 ||
	    length >= sizeof(notify->address.sun_path))
		return false;
	notify->address.sun_family = AF_UNIX;
	memcpy(notify->address.sun_path, text, length + 1);
	notify->address_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
	if (text[0] == '@')
		notify->address.sun_path[0] = '\0';
	else
		notify->address_size++;
	return true;
}

/* What stands there for another process is none of ours. */
static int64_t
notify_take_watchdog(void)
{
	const char *text = getenv("WATCHDOG_USEC");
	const char *whose = getenv("WATCHDOG_PID");
	int64_t us = 0, pid = getpid();

	if (text != NULL && (!text_parse_int64(text, &us) || us <= 0 || us > INT64_MAX / CLOCK_NS_PER_US)) {
		log_warn(NULL, "WATCHDOG_USEC is \"%s\", which is no time: the service manager is not told "
			"that bayd runs", text);
		us = 0;
	}
	if (whose != NULL && (!text_parse_int64(whose, &pid) || pid != getpid()))
		us = 0;
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	return us * CLOCK_NS_PER_US;
}

int64_t
notify_watchdog_ns(const struct notify *notify)
{
	return notify != NULL ? notify->watchdog_ns : 0;
}

struct notify *
notify_open(void)
{
	int64_t watchdog_ns = notify_take_watchdog();
	const char *text = getenv("NOTIFY_SOCKET");
	struct notify *notify;

	if (text == NULL)
		return NULL;
	notify = xcalloc(1, sizeof(*notify));
	notify->fd = -1;
	notify->watchdog_ns = watchdog_ns;
	if (!notify_parse_address(text, notify))
		log_warn(NULL, "NOTIFY_SOCKET is \"%s\", which is no socket address: "
			"the service manager is not told anything", text);
	else if ((notify->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) < 0)
		log_warn_errno(NULL, "make a socket to tell the service manager");
	unsetenv("NOTIFY_SOCKET");
	if (notify->fd < 0) {
		free(notify);
		return NULL;
	}
	return notify;
}

void
notify_close(struct notify *notify)
{
	if (notify == NULL)
		return;
	close(notify->fd);
	free(notify);
}

bool
notify_send(struct notify *notify, const char *format, ...)
{
	struct buffer text = {0};
	bool sent = false;
	va_list args;

	if (notify == NULL)
		return true;
	va_start(args, format);
	if (buffer_vprintf(&text, format, args))
		sent = sendto(notify->fd, text.data, text.size, MSG_NOSIGNAL,
			(const struct sockaddr *)&notify->address, notify->address_size) ==
			(ssize_t)text.size;
	va_end(args);
	if (!sent && !notify->complained) {
		log_warn_errno(NULL, "tell the service manager \"%.*s\"", (int)text.size,
			text.data != NULL ? (const char *)text.data : "");
		notify->complained = true;
	}
	buffer_finish(&text);
	return sent;
}
