/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "io/datagram_socket.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "io/address.h"

#define DATAGRAM_FLAGS (BAY_DATAGRAM_BROADCAST | BAY_DATAGRAM_REUSE | BAY_DATAGRAM_SPREAD | \
	BAY_DATAGRAM_IPV6_ONLY | BAY_DATAGRAM_NO_LOOP)

int
datagram_status(int error)
{
	switch (error) {
	case EMSGSIZE:
		return BAY_TOO_BIG;
	case EACCES:
	case EPERM:
		return BAY_NOT_PERMITTED;
	case EADDRINUSE:
		return BAY_BUSY;
	case EMFILE:
	case ENFILE:
		return BAY_FULL;
	case ENOMEM:
		return BAY_NO_MEMORY;
	case EINVAL:
	case EAFNOSUPPORT:
	case EDESTADDRREQ:
	case ENOTCONN:
	case ENODEV:
	case ENAMETOOLONG:
		return BAY_INVALID;
	default:
		return BAY_IO;
	}
}

/* --- options ------------------------------------------------------------------------------------ */

static bool
datagram_set(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof value) == 0;
}

/* 0 without a name; -1: there is no such interface. */
static int
datagram_interface(const char *name)
{
	unsigned index;

	if (name == NULL)
		return 0;
	index = if_nametoindex(name);
	if (index != 0)
		return (int)index;
	errno = ENODEV;
	return -1;
}

static bool
datagram_set_ipv4(int fd, const struct bay_datagram_options *options, int interface)
{
	struct ip_mreqn through = {.imr_ifindex = interface};

	if (options->hops != 0 && !datagram_set(fd, IPPROTO_IP, IP_MULTICAST_TTL, (int)options->hops))
		return false;
	if (options->flags & BAY_DATAGRAM_NO_LOOP && !datagram_set(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 0))
		return false;
	return interface == 0 || setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &through, sizeof through) == 0;
}

static bool
datagram_set_ipv6(int fd, const struct bay_datagram_options *options, int interface)
{
	bool only = options->flags & BAY_DATAGRAM_IPV6_ONLY;

	if (!datagram_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, only))
		return false;
	if (options->hops != 0 && !datagram_set(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, (int)options->hops))
		return false;
	if (options->flags & BAY_DATAGRAM_NO_LOOP && !datagram_set(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0))
		return false;
	return interface == 0 || datagram_set(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, interface);
}

/* The kernel takes less than it is asked for when that is above its limits. */
static int
datagram_bytes(size_t bytes)
{
	return bytes < INT32_MAX / 2 ? (int)bytes : INT32_MAX / 2;
}

static bool
datagram_set_all(int fd, int family, const struct bay_datagram_options *options)
{
	int interface = datagram_interface(options->interface);

	if (interface < 0)
		return false;
	if (options->flags & BAY_DATAGRAM_BROADCAST && !datagram_set(fd, SOL_SOCKET, SO_BROADCAST, 1))
		return false;
	if (options->flags & BAY_DATAGRAM_REUSE && !datagram_set(fd, SOL_SOCKET, SO_REUSEADDR, 1))
		return false;
	if (options->flags & BAY_DATAGRAM_SPREAD && !datagram_set(fd, SOL_SOCKET, SO_REUSEPORT, 1))
		return false;
	if (options->receive_bytes != 0 &&
		!datagram_set(fd, SOL_SOCKET, SO_RCVBUF, datagram_bytes(options->receive_bytes)))
		return false;
	if (options->send_bytes != 0 &&
		!datagram_set(fd, SOL_SOCKET, SO_SNDBUF, datagram_bytes(options->send_bytes)))
		return false;
	if (family == AF_INET)
		return datagram_set_ipv4(fd, options, interface);
	return family != AF_INET6 || datagram_set_ipv6(fd, options, interface);
}

/* --- addresses ------------------------------------------------------------------------------------ */

/* Whether the file is that of a socket which nobody has open. */
static bool
datagram_is_stale(const char *path, const struct sockaddr *address, socklen_t length)
{
	struct stat found;
	bool stale;
	int probe;

	/* Any other file refuses connections too. */
	if (lstat(path, &found) != 0 || !S_ISSOCK(found.st_mode))
		return false;
	probe = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	stale = probe >= 0 && connect(probe, address, length) != 0 && errno == ECONNREFUSED;
	fd_close(&probe);
	return stale;
}

/* The path of a Unix socket's address; NULL: it has none. */
static const char *
datagram_path(const struct sockaddr *address, socklen_t length)
{
	const char *path = ((const struct sockaddr_un *)(const void *)address)->sun_path;

	return address->sa_family == AF_UNIX && length > offsetof(struct sockaddr_un, sun_path) && path[0] != '\0'
		? path : NULL;
}

static bool
datagram_bind(int fd, const struct bay_address *local, struct datagram_file *file)
{
	socklen_t length;
	const struct sockaddr *address = address_sockaddr(local, &length);
	const char *path = datagram_path(address, length);
	struct stat made;

	if (bind(fd, address, length) != 0) {
		if (errno != EADDRINUSE || path == NULL)
			return false;
		if (!datagram_is_stale(path, address, length) || unlink(path) != 0 || bind(fd, address, length) != 0) {
			errno = EADDRINUSE;
			return false;
		}
	}
	if (path == NULL || lstat(path, &made) != 0)
		return true;
	strncpy(file->path, path, sizeof file->path - 1);
	file->device = made.st_dev;
	file->inode = made.st_ino;
	return true;
}

/* Without a name nobody could answer to a Unix socket: the kernel gives it an abstract one. */
static bool
datagram_bind_unnamed(int fd, int family)
{
	struct sockaddr unnamed = {.sa_family = AF_UNIX};

	return family != AF_UNIX || bind(fd, &unnamed, sizeof unnamed.sa_family) == 0;
}

void
datagram_file_remove(const struct datagram_file *file)
{
	struct stat found;

	if (file->path[0] != '\0' && lstat(file->path, &found) == 0 && found.st_dev == file->device &&
		found.st_ino == file->inode)
		(void)unlink(file->path);
}

/* --- the socket ------------------------------------------------------------------------------------ */

static bool
datagram_prepare(int fd, int family, const struct bay_address *local, const struct bay_datagram_options *options,
	struct datagram_file *file)
{
	const struct sockaddr *peer;
	socklen_t length;

	if (!datagram_set_all(fd, family, options))
		return false;
	if (local != NULL ? !datagram_bind(fd, local, file) : !datagram_bind_unnamed(fd, family))
		return false;
	if (options->peer == NULL)
		return true;
	peer = address_sockaddr(options->peer, &length);
	return connect(fd, peer, length) == 0;
}

int
datagram_socket_open(const struct bay_address *local, const struct bay_datagram_options *options,
	struct datagram_file *file_r)
{
	const struct bay_address *of = local != NULL ? local : options->peer;
	int family = AF_INET, fd, saved;
	socklen_t length = 0;

	memset(file_r, 0, sizeof *file_r);
	if (of != NULL)
		family = address_sockaddr(of, &length)->sa_family;
	if (options->length != sizeof *options || (options->flags & ~DATAGRAM_FLAGS) != 0 || options->hops > 255 ||
		(of != NULL && length == 0)) {
		errno = EINVAL;
		return -1;
	}
	fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || datagram_prepare(fd, family, local, options, file_r))
		return fd;
	saved = errno;
	datagram_file_remove(file_r);
	close(fd);
	errno = saved;
	return -1;
}

/* --- groups ----------------------------------------------------------------------------------------- */

static bool
datagram_group_ipv4(int fd, const struct sockaddr_in *group, int interface, bool join)
{
	struct ip_mreqn member = {.imr_multiaddr = group->sin_addr, .imr_ifindex = interface};

	return setsockopt(fd, IPPROTO_IP, join ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP, &member,
		sizeof member) == 0;
}

static bool
datagram_group_ipv6(int fd, const struct sockaddr_in6 *group, int interface, bool join)
{
	struct ipv6_mreq member = {.ipv6mr_multiaddr = group->sin6_addr, .ipv6mr_interface = (unsigned)interface};

	return setsockopt(fd, IPPROTO_IPV6, join ? IPV6_JOIN_GROUP : IPV6_LEAVE_GROUP, &member,
		sizeof member) == 0;
}

bool
datagram_socket_group(int fd, const struct bay_address *group, const char *interface, bool join)
{
	int index = datagram_interface(interface);
	const struct sockaddr *address;
	socklen_t length;

	if (index < 0)
		return false;
	address = address_sockaddr(group, &length);
	switch (bay_address_family(group)) {
	case BAY_ADDRESS_IPV4:
		return datagram_group_ipv4(fd, (const struct sockaddr_in *)(const void *)address, index, join);
	case BAY_ADDRESS_IPV6:
		return datagram_group_ipv6(fd, (const struct sockaddr_in6 *)(const void *)address, index, join);
	default:
		errno = EAFNOSUPPORT;
		return false;
	}
}
