/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/cell_section.h"

#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/buffer.h"
#include "master/sandbox.h"

/* What bayd may not change stays as it is. */
static void
section_set_ids(struct cell_options *options, uid_t uid, gid_t gid)
{
	options->uid = uid;
	options->gid = gid;
	options->change_user = geteuid() == 0 && (uid != geteuid() || gid != getegid());
}

enum {
	SECTION_WEIGHT = 100, /* of who is nice by 0 */
	SECTION_NICE_MIN = -20,
	SECTION_NICE_MAX = 19
};

/* Each step of nice is a quarter more or less, as the kernel weighs it; the nearest one. */
static int
section_nice(int64_t cpu_weight)
{
	const double step = 1.25, half = 1.118;
	double weight = SECTION_WEIGHT;
	int nice = 0;

	for (; (double)cpu_weight * half < weight && nice < SECTION_NICE_MAX; nice++)
		weight /= step;
	for (; (double)cpu_weight > weight * half && nice > SECTION_NICE_MIN; nice--)
		weight *= step;
	return nice;
}

/* Whether we may be so nice, or so little. */
static bool
section_may_be_nice(int nice)
{
	struct rlimit limit;

	if (nice >= getpriority(PRIO_PROCESS, 0) || geteuid() == 0)
		return true;
	return getrlimit(RLIMIT_NICE, &limit) == 0 && (limit.rlim_cur == RLIM_INFINITY ||
		(int64_t)limit.rlim_cur >= SECTION_NICE_MAX + 1 - nice);
}

void
cell_section_apply(const struct config *config, const char *name, struct cell_options *options)
{
	const struct config_cell *section = config_cell_section(config, name);
	const struct passwd *user;
	const struct group *group;

	if (section == NULL)
		return;
	if (section->loops > 0)
		options->loops = (uint32_t)section->loops;
	options->fds_max = (uint64_t)section->fds_max;
	options->memory_max = section->memory_max;
	options->tasks_max = (uint32_t)section->tasks_max;
	options->cpu_weight = (uint32_t)section->cpu_weight;
	options->nice = section_nice(section->cpu_weight);
	options->sandboxed = section->sandbox;
	options->writable = section->sandbox ? section->writable : NULL;
	if (section->user[0] != '\0') {
		user = getpwnam(section->user);
		if (user == NULL) {
			options->missing = section->user;
			return;
		}
		options->user = section->user;
		section_set_ids(options, user->pw_uid, user->pw_gid);
	}
	if (section->group[0] != '\0') {
		group = getgrnam(section->group);
		if (group == NULL) {
			options->missing = section->group;
			return;
		}
		section_set_ids(options, options->uid, group->gr_gid);
	}
}

static bool
section_writes_equal(const struct cell_options *a, const struct cell_options *b)
{
	const char *one = a->writable != NULL ? a->writable : "";
	const char *other = b->writable != NULL ? b->writable : "";

	return a->sandboxed == b->sandboxed && strcmp(one, other) == 0;
}

/* Other limits of memory and threads need no other process. */

bool
cell_section_equal(const struct cell_options *a, const struct cell_options *b)
{
	return a->loops == b->loops && a->fds_max == b->fds_max && a->cpu_weight == b->cpu_weight &&
		a->change_user == b->change_user &&
		a->uid == b->uid && a->gid == b->gid && (a->missing == NULL) == (b->missing == NULL) &&
		section_writes_equal(a, b);
}

static void
section_check_weight(const struct config_cell *cell, bool grouped, struct config_report *report)
{
	const struct config_origin *weight = config_cell_origin(cell, "cpu_weight");
	int nice = section_nice(cell->cpu_weight);

	if (nice != 0 && !grouped && !section_may_be_nice(nice))
		config_report_add(report, weight->file, weight->line, "cpu_weight = %d: only root, or who has "
			"RLIMIT_NICE for it, can give a cell more than others: write %d at most [config-value]",
			(int)cell->cpu_weight, SECTION_WEIGHT);
}

static void
section_check_sandbox(const struct config *config, const struct config_cell *cell,
	struct config_report *report)
{
	const struct config_container *container = &config->container;
	const char *const ours[] = {container->runtime_dir, container->image_dir, container->plugin_dir,
		config->path, NULL};
	const struct config_origin *sandbox = config_cell_origin(cell, "sandbox");
	const struct config_origin *writable = config_cell_origin(cell, "writable");
	const char *hindrance = cell->sandbox ? sandbox_hindrance() : NULL;
	struct buffer error = {0};

	if (hindrance != NULL)
		config_report_add(report, sandbox->file, sandbox->line, "sandbox = yes: %s [config-sandbox]",
			hindrance);
	if (cell->writable[0] == '\0')
		return;
	if (!cell->sandbox)
		config_report_add(report, writable->file, writable->line, "writable: the cell writes wherever its "
			"user may: it wants sandbox = yes [config-sandbox]");
	else if (!sandbox_check_writable(cell->writable, ours, &error))
		config_report_add(report, writable->file, writable->line, "writable: %s [config-sandbox]",
			buffer_text(&error) != NULL ? buffer_text(&error) : "no memory");
	buffer_finish(&error);
}

void
cell_section_check(const struct config *config, bool grouped, struct config_report *report)
{
	for (size_t i = 0; i < config->cell_count; i++) {
		const struct config_cell *cell = &config->cells[i];
		const struct config_origin *user = config_cell_origin(cell, "user");
		const struct config_origin *group = config_cell_origin(cell, "group");

		if (cell->user[0] != '\0' && getpwnam(cell->user) == NULL)
			config_report_add(report, user->file, user->line,
				"user: there is no user of this name: %s [config-user]", cell->user);
		if (cell->group[0] != '\0' && getgrnam(cell->group) == NULL)
			config_report_add(report, group->file, group->line,
				"group: there is no group of this name: %s [config-user]", cell->group);
		section_check_weight(cell, grouped, report);
		section_check_sandbox(config, cell, report);
	}
}
