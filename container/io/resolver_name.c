/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "io/resolver_name.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { RESOLVER_LABEL_MAX = 63, RESOLVER_NAME_MAX = 253 };

#define RESOLVER_LETTERS "abcdefghijklmnopqrstuvwxyz"
#define RESOLVER_DIGITS "0123456789"

/* One between dots. */
static const char *
resolver_label_fault(const char *label, size_t length)
{
	if (length == 0)
		return "a part of the name is empty";
	if (length > RESOLVER_LABEL_MAX)
		return "a part of the name has more than 63 bytes";
	if (strspn(label, RESOLVER_LETTERS RESOLVER_DIGITS "-_") < length)
		return "names of hosts have letters, digits, - and _ only (others are written as xn--...)";
	return NULL;
}

static char
resolver_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

const char *
resolver_name_read(const char *host, char name_r[RESOLVER_NAME_SIZE])
{
	size_t i, length = strlen(host);
	const char *label, *fault;

	if (length == 0)
		return "the name is empty";
	if (length > RESOLVER_NAME_MAX + (size_t)(host[length - 1] == '.'))
		return "the name has more than 253 bytes";
	for (i = 0; i <= length; i++)
		name_r[i] = resolver_lower(host[i]);
	for (label = name_r;;) {
		size_t size = strcspn(label, ".");

		fault = resolver_label_fault(label, size);
		if (fault != NULL)
			return fault;
		if (label[size] == '\0' || label[size + 1] == '\0')
			break;
		label += size + 1;
	}
	/* "1.2.3", "10.0.0.256": no domain of that kind will ever be. */
	if (strspn(label, RESOLVER_DIGITS) == strcspn(label, "."))
		return "that is neither a name nor an address";
	return NULL;
}

void
resolver_name_of_address(const struct resolver_record *record, char name_r[RESOLVER_NAME_SIZE])
{
	const unsigned char *bytes = (const unsigned char *)&record->ipv6;
	size_t length = 0;
	int i;

	if (record->family == AF_INET) {
		bytes = (const unsigned char *)&record->ipv4;
		snprintf(name_r, RESOLVER_NAME_SIZE, "%u.%u.%u.%u.IN-ADDR.ARPA.", bytes[3], bytes[2], bytes[1],
			bytes[0]);
		return;
	}
	for (i = 15; i >= 0; i--)
		length += (size_t)snprintf(name_r + length, RESOLVER_NAME_SIZE - length, "%x.%x.", bytes[i] & 15u,
			bytes[i] >> 4);
	snprintf(name_r + length, RESOLVER_NAME_SIZE - length, "IP6.ARPA.");
}

bool
resolver_name_is_local(const char *name)
{
	static const char local[] = "localhost";
	size_t length = strlen(name), size = sizeof local - 1;

	if (name[length - 1] == '.')
		length--;
	return length >= size && memcmp(name + length - size, local, size) == 0 &&
		(length == size || name[length - size - 1] == '.');
}
