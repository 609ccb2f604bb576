/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "config/config_listen.h"

#include <string.h>

#include "config/config_value.h"

static const char config_listen_gaps[] = ", \t\r";

static bool
config_listen_parse_name(struct config_listen *entry, const char *name, size_t size,
	const char **why_r)
{
	if (strspn(name, "0123456789") >= size) {
		*why_r = "a port alone is no address: write 127.0.0.1:8080 for this machine, 0.0.0.0:8080 "
			"for everybody";
		return false;
	}
	if (!config_name_is_valid(name, size)) {
		*why_r = "it is neither an address nor a name";
		return false;
	}
	memcpy(entry->name, name, size);
	entry->name[size] = '\0';
	return true;
}

/* A name in front ends with the first '='; what is no name in front belongs to a path. */
static bool
config_listen_parse(struct config_listen *entry, const char **why_r)
{
	const char *equals = memchr(entry->text, '=', entry->size);
	size_t front = equals != NULL ? (size_t)(equals - entry->text) : entry->size;
	size_t skip = 0;

	if (equals == NULL && memchr(entry->text, ':', entry->size) == NULL &&
			memchr(entry->text, '/', entry->size) == NULL)
		return config_listen_parse_name(entry, entry->text, entry->size, why_r);
	if (equals != NULL && memchr(entry->text, ':', front) == NULL) {
		if (!config_listen_parse_name(entry, entry->text, front, why_r)) {
			*why_r = "what stands before the '=' is no name";
			return false;
		}
		skip = front + 1;
	}
	entry->has_address = true;
	return listen_address_parse(&entry->address, entry->text + skip, entry->size - skip, why_r);
}

enum config_listen_result
config_listen_next(const char **list, struct config_listen *entry_r, const char **why_r)
{
	const char *text = *list + strspn(*list, config_listen_gaps);

	memset(entry_r, 0, sizeof(*entry_r));
	entry_r->text = text;
	entry_r->size = strcspn(text, config_listen_gaps);
	*list = text + entry_r->size;
	if (entry_r->size == 0)
		return CONFIG_LISTEN_END;
	return config_listen_parse(entry_r, why_r) ? CONFIG_LISTEN_ENTRY : CONFIG_LISTEN_WRONG;
}

/* Port 0 is another port each time, for each of its names. */
static bool
config_listen_is_twice(const struct config_listen *entry, const struct config_listen *before,
	const char **why_r)
{
	if (*entry->name != '\0' && strcmp(entry->name, before->name) == 0) {
		*why_r = "its name is there twice";
		return true;
	}
	if (!entry->has_address || !before->has_address ||
			!listen_address_equal(&entry->address, &before->address))
		return false;
	if (listen_address_is_any_port(&entry->address) && *entry->name != '\0' &&
			*before->name != '\0')
		return false;
	*why_r = "its address is there twice";
	return true;
}

bool
config_listen_check(const char *list, struct config_listen *entry_r, const char **why_r)
{
	const char *rest = list;
	enum config_listen_result result;
	size_t count = 0;

	while ((result = config_listen_next(&rest, entry_r, why_r)) == CONFIG_LISTEN_ENTRY) {
		struct config_listen before;
		const char *again = list;

		if (++count > CONFIG_LISTEN_MAX) {
			*why_r = "there are more than 64 of them";
			return false;
		}
		while (config_listen_next(&again, &before, why_r) == CONFIG_LISTEN_ENTRY &&
				before.text < entry_r->text)
			if (config_listen_is_twice(entry_r, &before, why_r))
				return false;
	}
	return result == CONFIG_LISTEN_END;
}
