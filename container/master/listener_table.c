/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/listener_table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/fd.h"
#include "base/list.h"
#include "base/log.h"
#include "config/config_data.h"
#include "config/config_listen.h"
#include "master/activation.h"
#include "master/listener_socket.h"

enum {
	LISTENER_UNPRIVILEGED_PORT = 1024,
	LISTENER_ASKED_MAX = 255 /* no address and no name is longer */
};

struct listener {
	struct list link;
	char *owner;  /* the service; NULL: was passed, and nobody has asked for it */
	char *name;   /* of the entry of the key, or of what was passed; "": none */
	bool passed;  /* by the service manager, which may have it too */
	int backlog;
	struct listen_address wanted; /* port 0 where any was wanted */
	struct listener_socket socket;
	char *address; /* where it is bound, as text */
};

struct listener_table {
	char *runtime_dir;
	struct list listeners; /* struct listener, oldest first */
};

/* What a service asks for, once it is known to be allowed. */
struct listener_wish {
	const struct config_service *service;
	const char *asked;
	const char *name;   /* of the entry; "": it has none */
	bool has_address;   /* else it is passed, under that name */
	struct listen_address address;
};

/* --- the table ------------------------------------------------------------------------- */

struct listener_table *
listener_table_create(const char *runtime_dir)
{
	struct listener_table *table = xcalloc(1, sizeof(*table));

	table->runtime_dir = xstrdup(runtime_dir);
	list_init(&table->listeners);
	return table;
}

static struct listener *
listener_create(struct listener_table *table, const char *name)
{
	struct listener *listener = xcalloc(1, sizeof(*listener));

	listener->name = xstrdup(name);
	list_push_back(&table->listeners, &listener->link);
	return listener;
}

/* The socket has been opened or passed: says where it is. */
static void
listener_find_address(struct listener *listener)
{
	struct listen_address bound;

	if (listen_address_path(&listener->wanted) != NULL)
		listener->address = listen_address_print(&listener->wanted);
	else if (listen_address_of_socket(&bound, listener->socket.fd))
		listener->address = listen_address_print(&bound);
	else
		listener->address = xstrdup("?");
}

static void
listener_destroy(struct listener *listener)
{
	list_remove(&listener->link);
	free(listener->owner);
	free(listener->name);
	free(listener->address);
	free(listener);
}

void
listener_table_destroy(struct listener_table *table)
{
	if (table == NULL)
		return;
	list_for_each_safe(pos, &table->listeners) {
		struct listener *listener = container_of(pos, struct listener, link);

		/* What was passed goes on where it came from. */
		if (listener->passed)
			fd_close(&listener->socket.fd);
		else
			listener_socket_close(&listener->socket);
		listener_destroy(listener);
	}
	free(table->runtime_dir);
	free(table);
}

static bool
listener_is_owned_by(const struct listener *listener, const char *service)
{
	return listener->owner != NULL && strcmp(listener->owner, service) == 0;
}

static void
listener_log(const struct listener *listener, const char *service, const char *format)
{
	char subject[CONFIG_NAME_MAX + 16];
	char *quoted = *listener->name != '\0' ? xasprintf(" (%s)", listener->name) : xstrdup("");

	snprintf(subject, sizeof(subject), "service %s", service);
	log_info(subject, "%s %s%s%s", format, listener->address, quoted,
		listener->passed ? ", which the service manager has passed" : "");
	free(quoted);
}

static void
listener_let_go(struct listener *listener, const char *service)
{
	listener_log(listener, service, listener->passed ? "gives back" : "no longer listens on");
	if (listener->passed) {
		free(listener->owner);
		listener->owner = NULL;
	} else {
		listener_socket_close(&listener->socket);
		listener_destroy(listener);
	}
}

void
listener_table_close(struct listener_table *table, const char *service)
{
	list_for_each_safe(pos, &table->listeners) {
		struct listener *listener = container_of(pos, struct listener, link);

		if (listener_is_owned_by(listener, service))
			listener_let_go(listener, service);
	}
}

bool
listener_table_each(const struct listener_table *table, const char *service,
	listener_table_fn *fn, void *arg)
{
	list_for_each(pos, &table->listeners) {
		const struct listener *listener = container_of(pos, struct listener, link);
		const struct listener_view view = {.name = listener->name, .address = listener->address,
			.passed = listener->passed};

		if (listener_is_owned_by(listener, service) && !fn(&view, arg))
			return false;
	}
	return true;
}

/* --- what was passed ------------------------------------------------------------------- */

/* Whether an entry of the key stands for this socket. */
static bool
listener_is_meant(const struct listener_table *table, const struct listener *listener,
	struct config_listen *entry)
{
	if (!entry->has_address)
		return strcmp(entry->name, listener->name) == 0;
	return listen_address_resolve(&entry->address, table->runtime_dir) &&
		listen_address_equal(&entry->address, &listener->wanted);
}

static bool
listener_is_wanted(const struct listener_table *table, const struct listener *listener,
	const struct config *config)
{
	for (size_t i = 0; i < config->service_count; i++) {
		const char *list = config->services[i].listen;
		struct config_listen entry;
		const char *why;

		while (config_listen_next(&list, &entry, &why) == CONFIG_LISTEN_ENTRY)
			if (listener_is_meant(table, listener, &entry))
				return true;
	}
	return false;
}

void
listener_table_adopt(struct listener_table *table, struct activation *activation,
	const struct config *config)
{
	for (size_t i = 0; i < activation->count; i++) {
		struct activation_socket *socket = &activation->sockets[i];
		struct listener *listener = listener_create(table, socket->name);

		listener->passed = true;
		listener->socket = (struct listener_socket){.fd = socket->fd,
			.file = {.fd = -1, ._dirfd = -1}};
		socket->fd = -1;
		if (!listen_address_of_socket(&listener->wanted, listener->socket.fd))
			memset(&listener->wanted, 0, sizeof(listener->wanted));
		listener_find_address(listener);
		log_info(NULL, "the service manager passes %s as %s", listener->address,
			listener->name);
		if (!listener_is_wanted(table, listener, config))
			log_warn(NULL, "%s, passed as %s, is for no service: name it in the key listen of one",
				listener->address, listener->name);
	}
}

/* --- what a service may ----------------------------------------------------------------- */

static enum bay_status
listener_refuse(struct buffer *error, const struct listener_wish *wish, enum bay_status status,
	const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static enum bay_status
listener_refuse(struct buffer *error, const struct listener_wish *wish, enum bay_status status,
	const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (buffer_printf(error, "listen on %s: ", wish->asked))
		(void)!buffer_vprintf(error, format, args);
	va_end(args);
	return status;
}

/* Where the key stands or could stand, for people; the caller's. */
static char *
listener_place(const struct config_service *service)
{
	const struct config_origin *origin = config_service_origin(service, "listen");

	if (origin->file == NULL)
		origin = &service->origin;
	return origin->file != NULL ? xasprintf("%s:%u", origin->file, origin->line) :
		xasprintf("[service %s]", service->name);
}

/* Looks in the service's list. False: it is not there. */
static bool
listener_find_entry(const struct listener_table *table, struct listener_wish *wish,
	struct config_listen *entry)
{
	const char *list = wish->service->listen;
	const char *why;

	while (config_listen_next(&list, entry, &why) == CONFIG_LISTEN_ENTRY) {
		if (entry->has_address && !listen_address_resolve(&entry->address, table->runtime_dir))
			continue;
		if (wish->has_address ?
		    entry->has_address && listen_address_equal(&entry->address, &wish->address) :
		    strcmp(entry->name, wish->asked) == 0)
			return true;
	}
	return false;
}

/* Directly in runtime_dir: what lies deeper may be a link to anywhere. */
static bool
listener_is_in_runtime_dir(const struct listener_table *table, const char *path)
{
	size_t length = strlen(table->runtime_dir);

	return strncmp(path, table->runtime_dir, length) == 0 && path[length] == '/' &&
		strchr(path + length + 1, '/') == NULL && strcmp(path + length + 1, "..") != 0;
}

static bool
listener_is_harmless(const struct listener_table *table, const struct listen_address *address)
{
	const char *path = listen_address_path(address);
	uint16_t port = listen_address_port(address);

	if (path != NULL)
		return listener_is_in_runtime_dir(table, path);
	return listen_address_is_loopback(address) &&
		(port == 0 || port >= LISTENER_UNPRIVILEGED_PORT);
}

static enum bay_status
listener_refuse_unlisted(const struct listener_wish *wish, struct buffer *error)
{
	const struct config_service *service = wish->service;
	char *place = listener_place(service);
	enum bay_status status;

	if (*service->listen != '\0')
		status = listener_refuse(error, wish, BAY_NOT_PERMITTED, "service %s may not, since it is "
			"not in its key listen: add %s%s there (%s)", service->name, wish->asked,
			wish->has_address ? "" : "=ADDRESS", place);
	else if (wish->has_address)
		status = listener_refuse(error, wish, BAY_NOT_PERMITTED, "service %s has no key listen, and "
			"so it may use loopback addresses from port 1024 on and socket files directly in "
			"runtime_dir: set listen = %s to allow it (%s)", service->name, wish->asked, place);
	else
		status = listener_refuse(error, wish, BAY_NOT_PERMITTED, "service %s has no key listen that "
			"says what this name stands for: set listen = %s=ADDRESS (%s)", service->name,
			wish->asked, place);
	free(place);
	return status;
}

/* Reads what is asked for, and whether it is allowed. entry is room that lives as long as the
 * wish. */
static enum bay_status
listener_allow(const struct listener_table *table, struct listener_wish *wish,
	struct config_listen *entry, struct buffer *error)
{
	const char *why;

	wish->has_address = strpbrk(wish->asked, ":/") != NULL;
	wish->name = "";
	if (wish->has_address) {
		if (!listen_address_parse(&wish->address, wish->asked, strlen(wish->asked), &why))
			return listener_refuse(error, wish, BAY_INVALID, "%s", why);
		if (!listen_address_resolve(&wish->address, table->runtime_dir))
			return listener_refuse(error, wish, BAY_INVALID, "with runtime_dir in front, the path "
				"is longer than the %d bytes that the path of a socket may have", LISTEN_PATH_MAX);
	}
	if (listener_find_entry(table, wish, entry)) {
		wish->name = entry->name;
		wish->has_address = entry->has_address;
		wish->address = entry->address;
		return BAY_OK;
	}
	if (wish->has_address && *wish->service->listen == '\0' &&
	    listener_is_harmless(table, &wish->address))
		return BAY_OK;
	return listener_refuse_unlisted(wish, error);
}

/* --- opening ----------------------------------------------------------------------------- */

/* Of any port, each service and each name of it has one of its own. */
static bool
listener_fits(const struct listener *listener, const struct listener_wish *wish)
{
	if (!wish->has_address)
		return listener->passed && strcmp(listener->name, wish->name) == 0;
	if (!listen_address_equal(&listener->wanted, &wish->address))
		return false;
	return !listen_address_is_any_port(&wish->address) ||
		(listener_is_owned_by(listener, wish->service->name) &&
		strcmp(listener->name, wish->name) == 0);
}

/* Several may have been passed under one name. */
static struct listener *
listener_find(const struct listener_table *table, const struct listener_wish *wish,
	unsigned *count_r)
{
	struct listener *found = NULL;

	*count_r = 0;
	list_for_each(pos, &table->listeners) {
		struct listener *listener = container_of(pos, struct listener, link);

		if (!listener_fits(listener, wish))
			continue;
		if (found == NULL)
			found = listener;
		++*count_r;
	}
	return found;
}

/* The service whose listener is in the way of an address that could not be opened, or NULL:
 * the same port of 0.0.0.0, perhaps. */
static const struct listener *
listener_find_rival(const struct listener_table *table, const struct listen_address *address)
{
	if (address->socket.any.sa_family == AF_UNIX)
		return NULL;
	list_for_each(pos, &table->listeners) {
		const struct listener *listener = container_of(pos, struct listener, link);
		struct listen_address bound;

		if (listener->owner != NULL && listen_address_of_socket(&bound, listener->socket.fd) &&
		    bound.socket.any.sa_family == address->socket.any.sa_family &&
		    listen_address_port(&bound) == listen_address_port(address))
			return listener;
	}
	return NULL;
}

static struct listener *
listener_open(struct listener_table *table, const struct listener_wish *wish, int backlog,
	enum bay_status *status_r, struct buffer *error)
{
	struct listener_socket socket;
	struct buffer why = {0};
	const struct listener *rival;
	struct listener *listener;

	*status_r = listener_socket_open(&socket, &wish->address,
		(mode_t)wish->service->listen_mode, backlog, &why);
	if (*status_r != BAY_OK) {
		rival = *status_r == BAY_BUSY ? listener_find_rival(table, &wish->address) : NULL;
		if (rival != NULL)
			listener_refuse(error, wish, *status_r, "service %s listens on %s, which has this "
				"address too: stop that service, or name another port", rival->owner,
				rival->address);
		else
			listener_refuse(error, wish, *status_r, "%s",
				buffer_text(&why) != NULL ? (char *)why.data : "no memory");
		buffer_finish(&why);
		return NULL;
	}
	listener = listener_create(table, wish->name);
	listener->wanted = wish->address;
	listener->socket = socket;
	listener->backlog = backlog;
	listener_find_address(listener);
	return listener;
}

/* Finds it, or opens it. NULL: *status_r and error say why. */
static struct listener *
listener_get(struct listener_table *table, const struct listener_wish *wish, int backlog,
	enum bay_status *status_r, struct buffer *error)
{
	unsigned count;
	struct listener *listener = listener_find(table, wish, &count);

	if (listener == NULL && wish->has_address)
		return listener_open(table, wish, backlog, status_r, error);
	if (listener == NULL)
		*status_r = listener_refuse(error, wish, BAY_IO, "the service manager has passed no socket "
			"of this name: set FileDescriptorName=%s in its .socket unit, or give the name an "
			"address in the key listen", wish->name);
	else if (count > 1)
		*status_r = listener_refuse(error, wish, BAY_INVALID, "the service manager has passed %u "
			"sockets of this name: give each a FileDescriptorName= of its own, or name them by "
			"their addresses, as in listen = %s", count, listener->address);
	else if (listener->owner != NULL && !listener_is_owned_by(listener, wish->service->name))
		*status_r = listener_refuse(error, wish, BAY_BUSY, "service %s has it: stop that service, or "
			"name another address", listener->owner);
	else
		return listener;
	return NULL;
}

static void
listener_take(struct listener *listener, const struct listener_wish *wish, int backlog)
{
	if (listener->owner == NULL) {
		listener->owner = xstrdup(wish->service->name);
		listener_log(listener, listener->owner, "listens on");
	}
	/* That of one that was passed is the service manager's to say. */
	if (!listener->passed && backlog > listener->backlog &&
	    listen(listener->socket.fd, backlog) == 0)
		listener->backlog = backlog;
}

/* Whether the service may still have it. */
static bool
listener_is_allowed(const struct listener_table *table, const struct listener *listener,
	const struct config_service *service)
{
	const char *list = service->listen;
	struct config_listen entry;
	const char *why;

	if (*list == '\0')
		return !listener->passed && listener_is_harmless(table, &listener->wanted);
	while (config_listen_next(&list, &entry, &why) == CONFIG_LISTEN_ENTRY)
		if (listener_is_meant(table, listener, &entry))
			return true;
	return false;
}

void
listener_table_trim(struct listener_table *table, const struct config_service *service)
{
	list_for_each_safe(pos, &table->listeners) {
		struct listener *listener = container_of(pos, struct listener, link);

		if (listener_is_owned_by(listener, service->name) &&
		    !listener_is_allowed(table, listener, service))
			listener_let_go(listener, service->name);
	}
}

enum bay_status
listener_table_open(struct listener_table *table, const struct config_service *service,
	const char *asked, int backlog, int *fd_r, struct buffer *error)
{
	struct listener_wish wish = {.service = service, .asked = asked};
	struct config_listen entry;
	struct listener *listener;
	enum bay_status status = BAY_OK;

	*fd_r = -1;
	if (*asked == '\0' || strlen(asked) > LISTENER_ASKED_MAX) {
		buffer_fail(error, "listen: %s", *asked == '\0' ? "the address is empty" :
			"the address is longer than any can be");
		return BAY_INVALID;
	}
	status = listener_allow(table, &wish, &entry, error);
	if (status != BAY_OK)
		return status;
	if (backlog <= 0)
		backlog = SOMAXCONN;
	listener = listener_get(table, &wish, backlog, &status, error);
	if (listener == NULL)
		return status;
	listener_take(listener, &wish, backlog);
	*fd_r = fcntl(listener->socket.fd, F_DUPFD_CLOEXEC, 3);
	if (*fd_r >= 0)
		return BAY_OK;
	return listener_refuse(error, &wish, BAY_IO, "bayd has as many descriptors open as it may: raise "
		"its limit (LimitNOFILE= or ulimit -n)");
}
