/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/run_user.h"

#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"

static void
run_user_complain(const struct config *config, const char *key, const char *name,
	struct config_report *report)
{
	const struct config_origin *origin = config_container_origin(config, key);

	config_report_add(report, origin->file != NULL ? origin->file : config->path, origin->line,
		"%s: there is no %s of this name: %s [config-user]", key, key[0] == 'u' ? "user" : "group", name);
}

static bool
run_user_find_group(const struct config *config, const char *key, const char *name,
	gid_t *gid_r, struct config_report *report)
{
	const struct group *group;

	if (name[0] == '\0')
		return true;
	group = getgrnam(name);
	if (group == NULL) {
		run_user_complain(config, key, name, report);
		return false;
	}
	*gid_r = group->gr_gid;
	return true;
}

static bool
run_user_find_user(const struct config *config, struct run_user *user,
	struct config_report *report)
{
	const char *name = config->container.user;
	const struct passwd *passwd;

	if (name[0] == '\0')
		return true;
	passwd = getpwnam(name);
	if (passwd == NULL) {
		run_user_complain(config, "user", name, report);
		return false;
	}
	user->name = xstrdup(name);
	user->uid = passwd->pw_uid;
	user->gid = passwd->pw_gid;
	return true;
}

bool
run_user_resolve(const struct config *config, struct run_user *user_r,
	struct config_report *report)
{
	const struct config_container *container = &config->container;
	bool found;

	*user_r = (struct run_user){.uid = geteuid(), .gid = getegid(), .control_group = (gid_t)-1};
	found = run_user_find_user(config, user_r, report);
	found = run_user_find_group(config, "group", container->group, &user_r->gid, report) &&
		found;
	found = run_user_find_group(config, "control_group", container->control_group,
		&user_r->control_group, report) && found;
	user_r->change = geteuid() == 0 && (user_r->uid != geteuid() || user_r->gid != getegid());
	return found;
}

void
run_user_finish(struct run_user *user)
{
	free(user->name);
	user->name = NULL;
}

void
run_user_log(const struct run_user *user, const struct config *config)
{
	if (geteuid() == 0 && user->uid == 0)
		log_warn(NULL, "PLUGINS RUN AS ROOT: bayd was started by root and the configuration "
			"names no user; set user in [container], or start bayd as another user");
	else if (geteuid() != 0 && config->container.user[0] != '\0' && user->uid != geteuid())
		log_warn(NULL, "cells run as user %u and not as %s: only root can change the user",
			(unsigned)geteuid(), config->container.user);
}
