/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "config/listen_address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"

#define UNIX_PREFIX "unix:"
enum { UNIX_PREFIX_SIZE = sizeof(UNIX_PREFIX) - 1 };

/* --- reading ------------------------------------------------------------------- */

static bool
listen_address_wrong(const char **why_r, const char *why)
{
	*why_r = why;
	return false;
}

static bool
listen_address_parse_port(const char *text, in_port_t *port_r)
{
	int64_t port;

	/* Digits only: text_parse_int64 takes a sign too. */
	if (*text == '\0' || strspn(text, "0123456789") != strlen(text) ||
			!text_parse_int64(text, &port) || port > UINT16_MAX)
		return false;
	*port_r = htons((uint16_t)port);
	return true;
}

static bool
listen_address_parse_path(struct listen_address *address, const char *path, const char **why_r)
{
	struct sockaddr_un *local = &address->socket.local;

	if (*path == '\0')
		return listen_address_wrong(why_r, "the path behind unix: is missing");
	if (strcmp(path, "@") == 0)
		return listen_address_wrong(why_r, "the name behind unix:@ is missing");
	if (strlen(path) > LISTEN_PATH_MAX)
		return listen_address_wrong(why_r, "the path is longer than the 107 bytes that the path "
			"of a socket may have");
	if (*path != '@' && path[strlen(path) - 1] == '/')
		return listen_address_wrong(why_r, "the path names a directory: put the name of the "
			"socket behind it");
	local->sun_family = AF_UNIX;
	strcpy(local->sun_path, path);
	address->length = sizeof(*local);
	if (*path == '@') {
		/* What counts is the length, not a NUL at the end. */
		local->sun_path[0] = '\0';
		address->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	}
	return true;
}

/* host has its closing bracket, and no opening one. */
static bool
listen_address_parse_ipv6(struct listen_address *address, char *host, const char **why_r)
{
	struct sockaddr_in6 *ipv6 = &address->socket.ipv6;
	char *link = strchr(host, '%');

	host[strlen(host) - 1] = '\0';
	if (link != NULL) {
		*link++ = '\0';
		ipv6->sin6_scope_id = if_nametoindex(link);
		if (ipv6->sin6_scope_id == 0)
			return listen_address_wrong(why_r, "there is no network interface of the name "
				"behind the %");
	}
	if (inet_pton(AF_INET6, host, &ipv6->sin6_addr) != 1)
		return listen_address_wrong(why_r, "what stands in the brackets is no IPv6 address");
	ipv6->sin6_family = AF_INET6;
	address->length = sizeof(*ipv6);
	return true;
}

static bool
listen_address_parse_ipv4(struct listen_address *address, const char *host, const char **why_r)
{
	struct sockaddr_in *ipv4 = &address->socket.ipv4;

	if (*host == '\0' || strcmp(host, "*") == 0)
		return listen_address_wrong(why_r, "the address is missing: 127.0.0.1 is for this machine, "
			"0.0.0.0 for everybody");
	if (strchr(host, ':') != NULL)
		return listen_address_wrong(why_r, "an IPv6 address stands in brackets, as in [::1]:8080");
	if (inet_pton(AF_INET, host, &ipv4->sin_addr) != 1)
		return listen_address_wrong(why_r, "a name is no address: numbers are wanted, as in "
			"127.0.0.1:8080");
	ipv4->sin_family = AF_INET;
	address->length = sizeof(*ipv4);
	return true;
}

static bool
listen_address_parse_ip(struct listen_address *address, char *text, const char **why_r)
{
	char *colon = strrchr(text, ':');
	char *host_end = colon > text ? colon - 1 : NULL;
	bool in_brackets = *text == '[';

	if (in_brackets && (host_end == NULL || *host_end != ']'))
		return listen_address_wrong(why_r, "an IPv6 address has a port behind its brackets, as in "
			"[::1]:8080");
	/* sin_port and sin6_port lie in the same place. */
	if (!listen_address_parse_port(colon + 1, &address->socket.ipv4.sin_port))
		return listen_address_wrong(why_r, "the port is no number from 0 to 65535");
	*colon = '\0';
	return in_brackets ? listen_address_parse_ipv6(address, text + 1, why_r) :
		listen_address_parse_ipv4(address, text, why_r);
}

_Static_assert(offsetof(struct sockaddr_in, sin_port) == offsetof(struct sockaddr_in6, sin6_port),
	"a port is where a port is");

bool
listen_address_parse(struct listen_address *address_r, const char *text, size_t size,
	const char **why_r)
{
	char *copy = xstrndup(text, size);
	bool parsed;

	memset(address_r, 0, sizeof(*address_r));
	if (strlen(copy) != size)
		parsed = listen_address_wrong(why_r, "it has a NUL in it");
	else if (strncmp(copy, UNIX_PREFIX, UNIX_PREFIX_SIZE) == 0)
		parsed = listen_address_parse_path(address_r, copy + UNIX_PREFIX_SIZE, why_r);
	else if (strchr(copy, '/') != NULL)
		parsed = listen_address_wrong(why_r, "a path has unix: in front, as in unix:web.sock");
	else if (strchr(copy, ':') == NULL)
		parsed = listen_address_wrong(why_r, "an address has a port, as in 127.0.0.1:8080");
	else
		parsed = listen_address_parse_ip(address_r, copy, why_r);
	free(copy);
	return parsed;
}

/* False: it has no name, or one that nobody can write down. */
static bool
listen_address_take_local(struct listen_address *address, socklen_t length)
{
	const char *path = address->socket.local.sun_path;
	size_t size = length - offsetof(struct sockaddr_un, sun_path);

	if (length <= offsetof(struct sockaddr_un, sun_path) + 1)
		return false;
	address->length = path[0] != '\0' ? (socklen_t)sizeof(address->socket.local) : length;
	return path[0] != '\0' ? memchr(path, '\0', LISTEN_PATH_MAX + 1) != NULL :
		memchr(path + 1, '\0', size - 1) == NULL;
}

bool
listen_address_of_socket(struct listen_address *address_r, int fd)
{
	socklen_t length = sizeof(address_r->socket);

	memset(address_r, 0, sizeof(*address_r));
	if (getsockname(fd, &address_r->socket.any, &length) != 0 ||
			length > sizeof(address_r->socket))
		return false;
	switch (address_r->socket.any.sa_family) {
	case AF_INET:
		address_r->length = sizeof(address_r->socket.ipv4);
		return true;
	case AF_INET6:
		address_r->socket.ipv6.sin6_flowinfo = 0;
		address_r->length = sizeof(address_r->socket.ipv6);
		return true;
	case AF_UNIX:
		return listen_address_take_local(address_r, length);
	default:
		return false;
	}
}

bool
listen_address_resolve(struct listen_address *address, const char *dir)
{
	struct sockaddr_un *local = &address->socket.local;
	char *whole;
	bool fits;

	if (listen_address_path(address) == NULL || local->sun_path[0] == '/')
		return true;
	whole = xasprintf("%s/%s", dir, local->sun_path);
	fits = strlen(whole) <= LISTEN_PATH_MAX;
	if (fits)
		strcpy(local->sun_path, whole);
	free(whole);
	return fits;
}

/* --- writing and comparing --------------------------------------------------------- */

static char *
listen_address_print_ipv6(const struct sockaddr_in6 *ipv6)
{
	char host[INET6_ADDRSTRLEN];
	char link[IF_NAMESIZE] = "";

	inet_ntop(AF_INET6, &ipv6->sin6_addr, host, sizeof(host));
	if (ipv6->sin6_scope_id != 0 && if_indextoname(ipv6->sin6_scope_id, link) != NULL)
		return xasprintf("[%s%%%s]:%u", host, link, ntohs(ipv6->sin6_port));
	return xasprintf("[%s]:%u", host, ntohs(ipv6->sin6_port));
}

char *
listen_address_print(const struct listen_address *address)
{
	char host[INET_ADDRSTRLEN];

	switch (address->socket.any.sa_family) {
	case AF_UNIX:
		if (listen_address_path(address) != NULL)
			return xasprintf(UNIX_PREFIX "%s", address->socket.local.sun_path);
		return xasprintf(UNIX_PREFIX "@%.*s",
			(int)(address->length - offsetof(struct sockaddr_un, sun_path) - 1),
			address->socket.local.sun_path + 1);
	case AF_INET6:
		return listen_address_print_ipv6(&address->socket.ipv6);
	default:
		inet_ntop(AF_INET, &address->socket.ipv4.sin_addr, host, sizeof(host));
		return xasprintf("%s:%u", host, ntohs(address->socket.ipv4.sin_port));
	}
}

bool
listen_address_equal(const struct listen_address *a, const struct listen_address *b)
{
	return a->length == b->length && memcmp(&a->socket, &b->socket, a->length) == 0;
}

const char *
listen_address_path(const struct listen_address *address)
{
	return address->socket.any.sa_family == AF_UNIX && address->socket.local.sun_path[0] != '\0' ?
		address->socket.local.sun_path : NULL;
}

uint16_t
listen_address_port(const struct listen_address *address)
{
	return address->socket.any.sa_family != AF_UNIX ? ntohs(address->socket.ipv4.sin_port) : 0;
}

bool
listen_address_is_any_port(const struct listen_address *address)
{
	return address->socket.any.sa_family != AF_UNIX && listen_address_port(address) == 0;
}

bool
listen_address_is_loopback(const struct listen_address *address)
{
	switch (address->socket.any.sa_family) {
	case AF_INET:
		return ntohl(address->socket.ipv4.sin_addr.s_addr) >> 24 == 127;
	case AF_INET6:
		return IN6_IS_ADDR_LOOPBACK(&address->socket.ipv6.sin6_addr);
	default:
		return listen_address_path(address) == NULL;
	}
}
