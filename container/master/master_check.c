/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/master_check.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/program.h"
#include "base/text.h"
#include "config/config_data.h"
#include "config/config_report.h"
#include "loop/signals.h"
#include "master/admin_roles.h"
#include "master/cell_section.h"
#include "master/cgroup.h"
#include "master/plugin_examination.h"
#include "master/plugin_survey.h"
#include "master/run_user.h"
#include "master/runtime_dir.h"
#include "master/strays.h"

static const int64_t check_timeout_ns = 5 * (int64_t)CLOCK_NS_PER_S;
static const int check_signals[] = {SIGTERM, SIGINT};

struct master_check {
	const struct config *config;
	struct event_base *base;
	struct runtime_dir *image_dir;
	struct plugin_examination *examination;
	struct plugin_survey survey;
	struct signals *signals;
	bool surveyed;
};

static void
check_on_surveyed(void *arg)
{
	struct master_check *check = arg;

	check->surveyed = true;
	event_base_loopbreak(check->base);
}

/* Given up by the user: what was made is still removed. */
static void
check_on_signal(int number, void *arg)
{
	struct master_check *check = arg;

	(void)number;
	event_base_loopbreak(check->base);
}

static bool
check_open_dir(struct master_check *check, struct buffer *error)
{
	const char *tmp = getenv("TMPDIR");
	char *path = xasprintf("%s/bayd-check-XXXXXX", tmp != NULL && tmp[0] != '\0' ? tmp : "/tmp");
	struct runtime_dir_options options = {.key = "the directory for the check", .path = path,
		.mode = 0700, .made = true};

	if (mkdtemp(path) == NULL)
		(void)buffer_fail(error, "make the directory %s: %s", path, strerror(errno));
	else
		check->image_dir = runtime_dir_open(&options, error);
	free(path);
	return check->image_dir != NULL;
}

static bool
check_prepare(struct master_check *check, struct buffer *error)
{
	struct program program;

	if (!check_open_dir(check, error))
		return false;
	if (!program_sibling("bay-cell", LIBEXECDIR, &program))
		return buffer_fail(error, "find bay-cell: it is not at %s", program.path);
	check->base = event_base_new();
	if (check->base != NULL) {
		check->signals = signals_watch(check->base, check_signals,
			sizeof(check_signals) / sizeof(*check_signals), check_on_signal, check);
		check->examination = plugin_examination_create(check->base, check->config, &program,
			runtime_dir_fd(check->image_dir), check_timeout_ns);
	}
	return (check->signals != NULL && check->examination != NULL) ||
		buffer_fail(error, "prepare the examination of plugins: no memory or no descriptor");
}

static void
check_finish(struct master_check *check)
{
	plugin_survey_finish(&check->survey);
	plugin_examination_destroy(check->examination);
	strays_end();
	signals_destroy(check->signals);
	if (check->base != NULL)
		event_base_free(check->base);
	runtime_dir_close(check->image_dir);
	libevent_global_shutdown();
}

static enum master_exit
check_print(const struct config *config, const struct config_report *report)
{
	struct buffer text = {0};

	if (report->count == 0) {
		printf("configuration is fine: %zu %s\n", config->service_count,
			text_number(config->service_count, "service", "services"));
		return MASTER_EXIT_DONE;
	}
	if (config_report_print(report, &text))
		fprintf(stderr, "%s", buffer_text(&text));
	buffer_finish(&text);
	return MASTER_EXIT_INVALID;
}

/* What the survey found joins what was found before, in the order of the file. */
static void
check_complain(struct master_check *check, struct config_report *report)
{
	const struct config_report *found = &check->survey.complaints;
	struct run_user user;

	plugin_survey_complain_of_refusals(&check->survey);
	for (size_t i = 0; i < found->count; i++)
		config_report_add(report, found->complaints[i].file, found->complaints[i].line, "%s",
			found->complaints[i].text);
	/* A name that is not found is one more complaint. */
	(void)!run_user_resolve(check->config, &user, report);
	cell_section_check(check->config, (cgroup_tree_probe(check->config->container.cgroup) & CGROUP_CPU) != 0, report);
	admin_roles_check(check->config, report);
	run_user_finish(&user);
}

enum master_exit
master_check(const struct config *config, struct config_report *report)
{
	struct master_check check = {.config = config};
	enum master_exit code = MASTER_EXIT_FAILED;
	struct buffer error = {0};

	log_set_process("bayd -t");
	log_set_level(LOG_LEVEL_WARN);
	strays_adopt();
	if (!check_prepare(&check, &error)) {
		fprintf(stderr, "bayd: %s\n", buffer_text(&error));
	} else {
		plugin_survey_begin(&check.survey, config, check.examination, check_on_surveyed,
			&check);
		if (!check.surveyed)
			event_base_dispatch(check.base);
		if (check.surveyed) {
			check_complain(&check, report);
			code = check_print(config, report);
		}
	}
	buffer_finish(&error);
	check_finish(&check);
	return code;
}
