/* SPDX-License-Identifier: BSD-2-Clause */
/* The addresses of <bay/address.h>: a struct sockaddr each, with zeroes behind it. */
#include "config.h"

#include "io/address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "base/text.h"

#define ADDRESS_UNIX_PREFIX "unix:"

/* All the forms that an address has. */
union address_form {
	struct sockaddr any;
	struct sockaddr_in ipv4;
	struct sockaddr_in6 ipv6;
	struct sockaddr_un local;
};

_Static_assert(sizeof(union address_form) <= sizeof(((struct bay_address *)NULL)->_storage),
	"an address has room for each of its forms");

/* Where in a struct sockaddr_un the path begins. */
#define ADDRESS_UNIX_BEGIN offsetof(struct sockaddr_un, sun_path)
#define ADDRESS_UNIX_MAX (sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1)

static union address_form
address_form(const struct bay_address *address)
{
	union address_form form;

	memcpy(&form, address->_storage, sizeof form);
	return form;
}

static void
address_set(struct bay_address *address, const union address_form *form, size_t length)
{
	memset(address, 0, sizeof *address);
	memcpy(address->_storage, form, length);
	address->_length = (uint32_t)length;
}

/* --- between plugins and the kernel -------------------------------------------------------- */

const struct sockaddr *
address_sockaddr(const struct bay_address *address, socklen_t *length_r)
{
	*length_r = address->_length;
	return (const struct sockaddr *)(const void *)address->_storage;
}

/* What the kernel fills in beside the address itself does not belong to it. */
static bool
address_from_ip(struct bay_address *address_r, union address_form *form, socklen_t length)
{
	if (form->any.sa_family == AF_INET && length >= sizeof form->ipv4) {
		memset(form->ipv4.sin_zero, 0, sizeof form->ipv4.sin_zero);
		address_set(address_r, form, sizeof form->ipv4);
		return true;
	}
	if (form->any.sa_family == AF_INET6 && length >= sizeof form->ipv6) {
		form->ipv6.sin6_flowinfo = 0;
		address_set(address_r, form, sizeof form->ipv6);
		return true;
	}
	return false;
}

/* A path counts with its NUL, an abstract name without. */
static void
address_from_unix(struct bay_address *address_r, const union address_form *form, socklen_t length)
{
	size_t size = length - ADDRESS_UNIX_BEGIN;

	if (size > 0 && form->local.sun_path[0] != '\0')
		size = strnlen(form->local.sun_path, size) + 1;
	if (size > sizeof form->local.sun_path)
		size = sizeof form->local.sun_path;
	address_set(address_r, form, ADDRESS_UNIX_BEGIN + size);
}

bool
address_from_sockaddr(struct bay_address *address_r, const struct sockaddr *from, socklen_t length)
{
	union address_form form;

	memset(address_r, 0, sizeof *address_r);
	memset(&form, 0, sizeof form);
	memcpy(&form, from, length < sizeof form ? length : sizeof form);
	if (length >= ADDRESS_UNIX_BEGIN && form.any.sa_family == AF_UNIX) {
		address_from_unix(address_r, &form, length);
		return true;
	}
	return address_from_ip(address_r, &form, length);
}

typedef int address_of_socket_fn(int fd, struct sockaddr *address, socklen_t *length);

static void
address_ask(struct bay_address *address_r, int fd, address_of_socket_fn *ask)
{
	union address_form form;
	socklen_t length = sizeof form;

	memset(address_r, 0, sizeof *address_r);
	memset(&form, 0, sizeof form);
	if (ask(fd, &form.any, &length) == 0)
		(void)address_from_sockaddr(address_r, &form.any, length);
}

static int
address_ask_local(int fd, struct sockaddr *address, socklen_t *length)
{
	return getsockname(fd, address, length);
}

static int
address_ask_peer(int fd, struct sockaddr *address, socklen_t *length)
{
	return getpeername(fd, address, length);
}

void
address_local(struct bay_address *address_r, int fd)
{
	address_ask(address_r, fd, address_ask_local);
}

void
address_peer(struct bay_address *address_r, int fd)
{
	address_ask(address_r, fd, address_ask_peer);
}

/* --- reading -------------------------------------------------------------------------------- */

int
address_split(const char *text, char host_r[ADDRESS_HOST_SIZE], const char **port_r)
{
	const char *host = text, *end;
	size_t length;

	if (text[0] == '[') {
		host++;
		end = strchr(host, ']');
		if (end == NULL || end[1] != ':')
			return BAY_INVALID;
		*port_r = end + 2;
	} else {
		/* An IPv6 address without brackets would lose its last part as a port. */
		end = strchr(host, ':');
		if (end == NULL || strchr(end + 1, ':') != NULL)
			return BAY_INVALID;
		*port_r = end + 1;
	}
	length = (size_t)(end - host);
	if (length == 0 || (*port_r)[0] == '\0')
		return BAY_INVALID;
	if (length >= ADDRESS_HOST_SIZE)
		return BAY_TOO_BIG;
	memcpy(host_r, host, length);
	host_r[length] = '\0';
	return BAY_OK;
}

static bool
address_parse_port(const char *text, in_port_t *port_r)
{
	int64_t port;

	/* Digits only: signs make no port. */
	if (text[strspn(text, "0123456789")] != '\0' || !text_parse_int64(text, &port) || port > UINT16_MAX)
		return false;
	*port_r = htons((uint16_t)port);
	return true;
}

/* Cuts "%eth0" or "%2" off an IPv6 address. */
static bool
address_parse_scope(char *host, uint32_t *scope_r)
{
	char *scope = strchr(host, '%');
	int64_t number;

	*scope_r = 0;
	if (scope == NULL)
		return true;
	*scope++ = '\0';
	*scope_r = if_nametoindex(scope);
	if (*scope_r != 0)
		return true;
	if (!text_parse_int64(scope, &number) || number <= 0 || number > UINT32_MAX)
		return false;
	*scope_r = (uint32_t)number;
	return true;
}

static int
address_parse_ip(const char *text, struct bay_address *address_r)
{
	char host[ADDRESS_HOST_SIZE];
	union address_form form;
	in_port_t port_number;
	const char *port;

	memset(&form, 0, sizeof form);
	if (address_split(text, host, &port) != BAY_OK || !address_parse_port(port, &port_number))
		return BAY_INVALID;
	if (text[0] != '[') {
		form.ipv4.sin_family = AF_INET;
		form.ipv4.sin_port = port_number;
		if (inet_pton(AF_INET, host, &form.ipv4.sin_addr) != 1)
			return BAY_INVALID;
		address_set(address_r, &form, sizeof form.ipv4);
		return BAY_OK;
	}
	form.ipv6.sin6_family = AF_INET6;
	form.ipv6.sin6_port = port_number;
	if (!address_parse_scope(host, &form.ipv6.sin6_scope_id) ||
		inet_pton(AF_INET6, host, &form.ipv6.sin6_addr) != 1)
		return BAY_INVALID;
	address_set(address_r, &form, sizeof form.ipv6);
	return BAY_OK;
}

static int
address_parse_unix(const char *path, struct bay_address *address_r)
{
	bool abstract = path[0] == '@';
	size_t length = strlen(path);
	union address_form form;

	if (length == 0 || (abstract && length == 1))
		return BAY_INVALID;
	if (length > ADDRESS_UNIX_MAX)
		return BAY_TOO_BIG;
	memset(&form, 0, sizeof form);
	form.local.sun_family = AF_UNIX;
	memcpy(form.local.sun_path, path, length);
	if (abstract)
		form.local.sun_path[0] = '\0';
	else
		length++;
	address_set(address_r, &form, ADDRESS_UNIX_BEGIN + length);
	return BAY_OK;
}

int
bay_address_parse(const char *text, struct bay_address *address_r)
{
	size_t prefix = strlen(ADDRESS_UNIX_PREFIX);

	if (text == NULL)
		return BAY_INVALID;
	if (strncmp(text, ADDRESS_UNIX_PREFIX, prefix) == 0)
		return address_parse_unix(text + prefix, address_r);
	return address_parse_ip(text, address_r);
}

/* --- writing -------------------------------------------------------------------------------- */

static void
address_write_ipv6(const struct sockaddr_in6 *ipv6, char *text, size_t size)
{
	char host[INET6_ADDRSTRLEN] = "";
	char scope[16] = "";

	(void)inet_ntop(AF_INET6, &ipv6->sin6_addr, host, sizeof host);
	if (ipv6->sin6_scope_id != 0)
		snprintf(scope, sizeof scope, "%%%u", (unsigned)ipv6->sin6_scope_id);
	snprintf(text, size, "[%s%s]:%u", host, scope, (unsigned)ntohs(ipv6->sin6_port));
}

static void
address_write_unix(const struct bay_address *address, const struct sockaddr_un *local, char *text, size_t size)
{
	char name[sizeof local->sun_path + 1];
	size_t i, length = address->_length - ADDRESS_UNIX_BEGIN;

	memcpy(name, local->sun_path, length);
	if (length > 0 && name[0] == '\0')
		name[0] = '@';
	else if (length > 0)
		length--;
	for (i = 0; i < length; i++) {
		if ((unsigned char)name[i] < ' ' || name[i] == 127)
			name[i] = '?';
	}
	name[length] = '\0';
	snprintf(text, size, ADDRESS_UNIX_PREFIX "%s", name);
}

const char *
bay_address_text(const struct bay_address *address, char *text, size_t size)
{
	union address_form form = address_form(address);
	char host[INET_ADDRSTRLEN] = "";

	switch (bay_address_family(address)) {
	case BAY_ADDRESS_IPV4:
		(void)inet_ntop(AF_INET, &form.ipv4.sin_addr, host, sizeof host);
		snprintf(text, size, "%s:%u", host, (unsigned)ntohs(form.ipv4.sin_port));
		break;
	case BAY_ADDRESS_IPV6:
		address_write_ipv6(&form.ipv6, text, size);
		break;
	case BAY_ADDRESS_UNIX:
		address_write_unix(address, &form.local, text, size);
		break;
	default:
		snprintf(text, size, "none");
		break;
	}
	return text;
}

/* --- the rest of <bay/address.h> -------------------------------------------------------------- */

enum bay_address_family
bay_address_family(const struct bay_address *address)
{
	union address_form form = address_form(address);

	if (address->_length == 0)
		return BAY_ADDRESS_NONE;
	switch (form.any.sa_family) {
	case AF_INET:
		return BAY_ADDRESS_IPV4;
	case AF_INET6:
		return BAY_ADDRESS_IPV6;
	default:
		return BAY_ADDRESS_UNIX;
	}
}

unsigned
bay_address_port(const struct bay_address *address)
{
	union address_form form = address_form(address);

	switch (bay_address_family(address)) {
	case BAY_ADDRESS_IPV4:
		return ntohs(form.ipv4.sin_port);
	case BAY_ADDRESS_IPV6:
		return ntohs(form.ipv6.sin6_port);
	default:
		return 0;
	}
}

int
bay_address_set_port(struct bay_address *address, unsigned port)
{
	union address_form form = address_form(address);

	if (port > UINT16_MAX)
		return BAY_INVALID;
	switch (bay_address_family(address)) {
	case BAY_ADDRESS_IPV4:
		form.ipv4.sin_port = htons((uint16_t)port);
		break;
	case BAY_ADDRESS_IPV6:
		form.ipv6.sin6_port = htons((uint16_t)port);
		break;
	default:
		return BAY_INVALID;
	}
	address_set(address, &form, address->_length);
	return BAY_OK;
}

bool
bay_address_equal(const struct bay_address *a, const struct bay_address *b)
{
	return a->_length == b->_length && memcmp(a->_storage, b->_storage, a->_length) == 0;
}
