/* SPDX-License-Identifier: BSD-2-Clause */
/* Services of the plugin exec in a cell without a master. */
#ifndef BAY_TESTS_PLUGINS_EXEC_SERVICE_H
#define BAY_TESTS_PLUGINS_EXEC_SERVICE_H

#include <bay/bay.h>

#include "../../plugins/exec/exec.h"
#include "../../plugins/exec/errors.h"
#include "support/services.h"

/* Settings without an ini: zero stands for the usual, and errors are not logged. One at a time. */
static inline const struct exec_settings *
exec_settings(struct exec_settings given, const char *command)
{
	static struct exec_settings set;

	set = given;
	set.program.command = command;
	set.program.directory = given.program.directory != NULL ? given.program.directory : "";
	set.program.environment = given.program.environment != NULL ? given.program.environment : "";
	set.pool.max_workers = given.pool.max_workers != 0 ? given.pool.max_workers : 4;
	set.pool.grace_ns = given.pool.grace_ns != 0 ? given.pool.grace_ns : 30 * BAY_SECOND;
	set.reply_max = given.reply_max != 0 ? given.reply_max : 1 << 20;
	set.errors = given.errors != 0 ? given.errors : ERRORS_OFF;
	set.failure = given.failure != NULL ? given.failure : "";
	return &set;
}

#define EXEC_SETTINGS(mode_, command_, ...) \
	exec_settings((struct exec_settings){.mode = mode_, ##__VA_ARGS__}, command_)

#define EXEC_START(settings_) \
	services_start(&(struct service_options){.name = "exec", .plugin = &bay_plugin_v1, .settings = settings_})

extern const struct bay_plugin bay_plugin_v1;

#endif
