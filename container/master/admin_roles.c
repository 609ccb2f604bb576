/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/admin_roles.h"

#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"

enum roles_whom {
	ROLES_USER,
	ROLES_GROUP,
	ROLES_EVERYBODY
};

struct roles_entry {
	enum roles_whom whom;
	uint32_t id;
	enum interface_role role;
};

struct admin_roles {
	struct roles_entry *entries;
	size_t count;
};

static const char roles_gaps[] = ", \t";

/* The keys, and what they give. */
static const struct roles_key {
	const char *key;
	enum interface_role role;
} roles_keys[] = {
	{"viewers", INTERFACE_ROLE_VIEWER},
	{"operators", INTERFACE_ROLE_OPERATOR},
	{"admins", INTERFACE_ROLE_ADMIN},
};

enum { ROLES_KEYS = sizeof(roles_keys) / sizeof(*roles_keys) };

static const char *
roles_list(const struct config *config, enum interface_role role)
{
	const struct config_container *container = &config->container;

	return role == INTERFACE_ROLE_VIEWER ? container->viewers :
		role == INTERFACE_ROLE_OPERATOR ? container->operators : container->admins;
}

static bool
roles_number(const char *text, uint32_t *id_r)
{
	int64_t number;

	/* The last one stands for nobody in all system calls. */
	if (text[strspn(text, "0123456789")] != '\0' || !text_parse_int64(text, &number) ||
	    number >= UINT32_MAX)
		return false;
	*id_r = (uint32_t)number;
	return true;
}

/* A word of a list. False: there is nobody of this name. */
static bool
roles_read(const char *word, struct roles_entry *entry_r)
{
	const struct passwd *user;
	const struct group *group;

	entry_r->whom = strcmp(word, "*") == 0 ? ROLES_EVERYBODY : word[0] == '@' ? ROLES_GROUP : ROLES_USER;
	if (entry_r->whom == ROLES_EVERYBODY)
		return true;
	if (entry_r->whom == ROLES_GROUP) {
		group = getgrnam(word + 1);
		if (group != NULL)
			entry_r->id = group->gr_gid;
		return group != NULL || roles_number(word + 1, &entry_r->id);
	}
	user = getpwnam(word);
	if (user != NULL)
		entry_r->id = user->pw_uid;
	return user != NULL || roles_number(word, &entry_r->id);
}

static void
roles_complain(const struct config *config, const char *key, const char *word,
	struct config_report *report)
{
	const struct config_origin *origin = config_container_origin(config, key);
	char *quoted = config_report_quote(word[0] == '@' ? word + 1 : word);

	config_report_add(report, origin->file != NULL ? origin->file : config->path, origin->line,
		"%s: there is no %s of this name: %s [config-user]", key, word[0] == '@' ? "group" : "user",
		quoted);
	free(quoted);
}

static void
roles_add_list(struct admin_roles *roles, const struct config *config, const struct roles_key *key,
	struct config_report *report)
{
	const char *list = roles_list(config, key->role);

	for (list += strspn(list, roles_gaps); *list != '\0'; list += strspn(list, roles_gaps)) {
		char *word = xstrndup(list, strcspn(list, roles_gaps));
		struct roles_entry entry = {.role = key->role};

		list += strlen(word);
		if (roles_read(word, &entry)) {
			roles->entries = xrealloc(roles->entries, roles->count + 1, sizeof(entry));
			roles->entries[roles->count++] = entry;
		} else if (report != NULL) {
			roles_complain(config, key->key, word, report);
		}
		free(word);
	}
}

struct admin_roles *
admin_roles_create(const struct config *config, struct config_report *report)
{
	struct admin_roles *roles = xcalloc(1, sizeof(*roles));

	for (size_t i = 0; i < ROLES_KEYS; i++)
		roles_add_list(roles, config, &roles_keys[i], report);
	return roles;
}

void
admin_roles_destroy(struct admin_roles *roles)
{
	if (roles == NULL)
		return;
	free(roles->entries);
	free(roles);
}

static bool
roles_mean(const struct roles_entry *entry, uid_t uid, const gid_t *groups, size_t count)
{
	if (entry->whom != ROLES_GROUP)
		return entry->whom == ROLES_EVERYBODY || entry->id == uid;
	for (size_t i = 0; i < count; i++)
		if (groups[i] == entry->id)
			return true;
	return false;
}

enum interface_role
admin_roles_of(const struct admin_roles *roles, uid_t uid, const gid_t *groups, size_t count)
{
	enum interface_role highest = INTERFACE_ROLE_NONE;

	for (size_t i = 0; roles != NULL && i < roles->count; i++)
		if (roles->entries[i].role > highest && roles_mean(&roles->entries[i], uid, groups, count))
			highest = roles->entries[i].role;
	return highest;
}

void
admin_roles_check(const struct config *config, struct config_report *report)
{
	admin_roles_destroy(admin_roles_create(config, report));
	for (size_t i = 0; i < ROLES_KEYS; i++) {
		const struct config_origin *origin = config_container_origin(config, roles_keys[i].key);

		/* Connecting is writing. */
		if (roles_list(config, roles_keys[i].role)[0] == '\0' || (config->container.control_mode & 022) != 0)
			continue;
		config_report_add(report, origin->file != NULL ? origin->file : config->path, origin->line,
			"%s: control_mode = %04o lets nobody connect but bayd's own user: write control_mode = 0666, "
			"or 0660 with a control_group [config-value]", roles_keys[i].key,
			(unsigned)config->container.control_mode);
		return;
	}
}
