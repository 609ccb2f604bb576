/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/listener_socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/fd.h"
#include "base/remedy.h"

/* What to do about an error of the kernel, and what it is as a status. */
static const struct listener_trouble {
	int error;
	enum bay_status status;
	const char *why;
} listener_troubles[] = {
	{EADDRINUSE, BAY_BUSY, "another socket has this address or port: ss -ltnp shows whose it is; "
		"stop that process, or name another port"},
	{EACCES, BAY_NOT_PERMITTED, "the system keeps this port for privileged processes: give bayd "
		"the capability CAP_NET_BIND_SERVICE, let the service manager pass the socket, or name "
		"a port from 1024 on"},
	{EPERM, BAY_NOT_PERMITTED, "the system does not let bayd have this address: look at the "
		"restrictions that it was started with"},
	{EADDRNOTAVAIL, BAY_IO, "no network interface of this machine has this address: ip address "
		"shows those that there are; 0.0.0.0 and [::] stand for all of them"},
	{EAFNOSUPPORT, BAY_IO, "this machine has no such network protocol: name an address of another "
		"kind"},
	{EMFILE, BAY_IO, "bayd has as many descriptors open as it may: raise its limit (LimitNOFILE= "
		"or ulimit -n)"},
	{ENFILE, BAY_IO, "the system has as many files open as it can: raise fs.file-max"},
	{ENOBUFS, BAY_IO, "the system has no memory for it"},
	{ENOMEM, BAY_IO, "the system has no memory for it"},
};

static enum bay_status
listener_socket_fail(struct buffer *error, int number)
{
	for (size_t i = 0; i < sizeof(listener_troubles) / sizeof(*listener_troubles); i++) {
		if (listener_troubles[i].error == number) {
			buffer_fail(error, "%s (%s)", listener_troubles[i].why, strerror(number));
			return listener_troubles[i].status;
		}
	}
	buffer_fail(error, "the system refuses it: %s%s", strerror(number), remedy_of(number));
	return BAY_IO;
}

/* Connections of a socket before us that still linger do not keep the address. */
static bool
listener_socket_bind(int fd, const struct listen_address *address, int backlog)
{
	static const int yes = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) != 0)
		return false;
	if (address->socket.any.sa_family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof(yes)) != 0)
		return false;
	return bind(fd, &address->socket.any, address->length) == 0 && listen(fd, backlog) == 0;
}

static enum bay_status
listener_socket_open_file(struct listener_socket *listener,
	const struct listen_address *address, mode_t mode, int backlog, struct buffer *error)
{
	const struct socket_file_options options = {.name = "it",
		.path = listen_address_path(address), .mode = mode, .gid = (gid_t)-1,
		.backlog = backlog};
	enum bay_status status = socket_file_open(&listener->file, &options, error);

	listener->fd = listener->file.fd;
	return status;
}

enum bay_status
listener_socket_open(struct listener_socket *listener, const struct listen_address *address,
	mode_t mode, int backlog, struct buffer *error)
{
	int number;

	*listener = (struct listener_socket){.fd = -1, .file = {.fd = -1, ._dirfd = -1}};
	if (listen_address_path(address) != NULL)
		return listener_socket_open_file(listener, address, mode, backlog, error);
	listener->fd = socket(address->socket.any.sa_family,
		SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (listener->fd >= 0 && listener_socket_bind(listener->fd, address, backlog))
		return BAY_OK;
	number = errno;
	fd_close(&listener->fd);
	return listener_socket_fail(error, number);
}

void
listener_socket_close(struct listener_socket *listener)
{
	if (listener->fd >= 0)
		shutdown(listener->fd, SHUT_RDWR);
	/* The descriptor of a file is the file's. */
	if (listener->file.fd >= 0)
		socket_file_close(&listener->file);
	else
		fd_close(&listener->fd);
	listener->fd = -1;
}
