/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/drop_in_jobs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/map.h"
#include "base/remedy.h"
#include "config/config_data.h"
#include "config/config_value.h"
#include "master/drop_in_leaving.h"
#include "master/drop_in_services.h"
#include "master/event_log.h"
#include "master/master.h"
#include "master/master_cell.h"
#include "master/plugin_examination.h"
#include "master/service_canary.h"
#include "master/service_change.h"
#include "master/service_swap.h"
#include "master/supervisor.h"

/* How many files are worked on at a time. */
enum { DROP_IN_JOBS_WORKING = 4 };

/* When a file is tried again whose services are busy, or which the system had no room for. */
static const int64_t drop_in_busy_ns = 200 * (int64_t)CLOCK_NS_PER_MS;
static const int64_t drop_in_passing_ns = 5 * (int64_t)CLOCK_NS_PER_S;

struct drop_in_jobs {
	struct master *master;
	drop_in_again_fn *again;
	void *arg;
	bool stopped;
	struct list waiting; /* struct drop_in_job */
	struct list working;
	size_t working_count;
	struct map *refusals; /* plugin -> char *: the reason that was told last */
	struct drop_in_leaving *leaving;
};

/* A changed file that is worked on. */
struct drop_in_job {
	struct list link;
	struct drop_in_jobs *jobs;
	char *plugin;
	struct config *added;    /* of the service that it is to become, or NULL */
	struct config **sources; /* what it is examined with, referenced */
	size_t source_count;
	size_t pending;          /* services that are being changed */
	bool again;              /* the file is the one that could not be dealt with */
	bool gone;               /* the file is, while it was examined */
};

/* Whether the reason lies in the system and may pass, rather than in the file. */
static bool
drop_in_is_passing(const char *why)
{
	/* Or else what the file is has not been found out. */
	return remedy_is_of(why) || strstr(why, "it cannot be examined") != NULL;
}

/* --- refusals --------------------------------------------------------------------- */

static void
drop_in_note_refusal(const struct drop_in_jobs *jobs, const char *plugin, const char *service,
	const char *why)
{
	char subject[CONFIG_NAME_MAX + 16];

	snprintf(subject, sizeof(subject), "%s %.*s", service != NULL ? "service" : "plugin",
		CONFIG_NAME_MAX, service != NULL ? service : plugin);
	log_warn(subject, "its plugin file is refused%s: %s",
		service != NULL ? ", and what ran before goes on" : "", why);
	drop_in_note(jobs->master, EVENT_REFUSED, plugin, service, "%s", why);
}

/* A reason is told once of a file, as it may be tried again and again; and to each service. */
static void
drop_in_refuse(struct drop_in_jobs *jobs, const char *plugin, const char *why)
{
	const char *before = map_get(jobs->refusals, plugin);
	struct master_service *service;
	size_t index = 0;
	bool told = false;

	if (before != NULL && strcmp(before, why) == 0)
		return;
	free(map_put(jobs->refusals, plugin, xstrdup(why)));
	while ((service = drop_in_next_service(jobs->master, plugin, &index)) != NULL) {
		drop_in_note_refusal(jobs, plugin, service->config->name, why);
		told = true;
	}
	if (!told)
		drop_in_note_refusal(jobs, plugin, NULL, why);
}

/* --- changed: the queue ----------------------------------------------------------- */

static void drop_in_jobs_work(struct drop_in_jobs *jobs);

static struct drop_in_job *
drop_in_jobs_find(struct list *list, const char *plugin)
{
	list_for_each(pos, list) {
		struct drop_in_job *job = container_of(pos, struct drop_in_job, link);

		if (strcmp(job->plugin, plugin) == 0)
			return job;
	}
	return NULL;
}

static void
drop_in_job_destroy(struct drop_in_job *job)
{
	list_remove(&job->link);
	for (size_t i = 0; i < job->source_count; i++)
		config_unref(job->sources[i]);
	free(job->sources);
	config_unref(job->added);
	free(job->plugin);
	free(job);
}

/* It has had its turn. */
static void
drop_in_job_end(struct drop_in_job *job)
{
	struct drop_in_jobs *jobs = job->jobs;

	drop_in_job_destroy(job);
	jobs->working_count--;
	drop_in_jobs_work(jobs);
}

static void
drop_in_job_try_again(struct drop_in_job *job, int64_t delay_ns)
{
	job->jobs->again(job->plugin, delay_ns, job->jobs->arg);
}

/* --- changed: bringing services to it --------------------------------------------- */

static void
drop_in_job_release(struct drop_in_job *job)
{
	if (--job->pending == 0)
		drop_in_job_end(job);
}

/* How it came out, and how a start does, is told by the service's own events. */
static void
drop_in_job_on_swapped(struct master_service *service, enum swap_outcome outcome, const char *message,
	void *arg)
{
	(void)service;
	(void)outcome;
	(void)message;
	drop_in_job_release(arg);
}

static void
drop_in_job_on_started(struct master_service *service, enum bay_status status, const char *message,
	void *arg)
{
	(void)service;
	(void)status;
	(void)message;
	drop_in_job_release(arg);
}

/* Nothing is under way, no canary runs, and its cell is not about to be replaced. */
static bool
drop_in_may_change(const struct master_service *service)
{
	return service_change_is_possible(service) && !service_canary_runs(service) &&
		!master_cell_is_replaced(service->cell);
}

static bool
drop_in_runs(const struct master_service *service, const struct plugin_image *image)
{
	return service->image != NULL && strcmp(service->image->image.source_sha256,
		image->image.source_sha256) == 0;
}

/* The operator wants a stopped one to be stopped: its next start takes the file. */
static void
drop_in_job_change(struct drop_in_job *job, struct master_service *service,
	struct plugin_image *image)
{
	const struct service_target target = {.source = service->source, .config = service->config,
		.image = image};

	if (service->file_gone) {
		service->file_gone = false;
		drop_in_note(job->jobs->master, EVENT_FILE_BACK, job->plugin, service->config->name, "%s from %s",
			image->version, image->source);
	}
	if (service->state == SERVICE_READY && !drop_in_runs(service, image)) {
		job->pending++;
		service_swap_take(service, image, &(struct swap_wish){.by = drop_in_by,
			.done = drop_in_job_on_swapped, .arg = job});
	} else if (service->state == SERVICE_FAILED && service->wanted) {
		job->pending++;
		service->by = drop_in_by;
		service_change_start(service, &target, drop_in_job_on_started, job);
	}
}

static void
drop_in_job_add_service(struct drop_in_job *job, struct plugin_image *image)
{
	struct drop_in_jobs *jobs = job->jobs;
	const char *name = job->added->services[0].name;

	if (supervisor_find(jobs->master->supervisor, name) != NULL) {
		/* A section has come meanwhile. */
		drop_in_job_try_again(job, drop_in_busy_ns);
		return;
	}
	job->pending++;
	if (drop_in_add_service(jobs->master, job->added, image, &drop_in_by, "by autoload of",
		drop_in_job_on_started, job))
		return;
	job->pending--;
	drop_in_refuse(jobs, job->plugin, DROP_IN_TOO_MANY);
}

static void
drop_in_job_take(struct drop_in_job *job, struct plugin_image *image)
{
	struct master_service *service;
	size_t index = 0;

	drop_in_note(job->jobs->master, EVENT_DROPPED_IN, job->plugin, NULL, "%s, %lld bytes",
		image->version, (long long)image->image.size);
	if (job->added != NULL)
		drop_in_job_add_service(job, image);
	else
		while ((service = drop_in_next_service(job->jobs->master, job->plugin, &index)) != NULL) {
			if (drop_in_may_change(service))
				drop_in_job_change(job, service, image);
			else
				drop_in_job_try_again(job, drop_in_busy_ns);
		}
}

/* Whether the file says what its services have already. */
static bool
drop_in_job_is_known(const struct drop_in_job *job, const struct plugin_image *image)
{
	struct master_service *service;
	size_t index = 0;
	bool known = false;

	while ((service = drop_in_next_service(job->jobs->master, job->plugin, &index)) != NULL) {
		known = drop_in_runs(service, image) && !service->file_gone &&
			service->state != SERVICE_FAILED;
		if (!known)
			break;
	}
	return known;
}

/* --- changed: the examination ----------------------------------------------------- */

static void
drop_in_job_on_refused(struct drop_in_job *job, const char *why)
{
	if (strstr(why, "it changed while it was copied") != NULL) {
		drop_in_job_try_again(job, drop_in_busy_ns);
		return;
	}
	drop_in_refuse(job->jobs, job->plugin, why);
	if (drop_in_is_passing(why))
		drop_in_job_try_again(job, drop_in_passing_ns);
}

static void
drop_in_job_on_examined(const struct plugin_result *result, void *arg)
{
	struct drop_in_job *job = arg;
	char why[1024];

	/* Whoever is done before it returns does not end it. */
	job->pending = 1;
	if (job->jobs->stopped || job->gone) {
		drop_in_job_release(job);
		return;
	}
	if (result->image == NULL) {
		drop_in_job_on_refused(job, result->reason);
	} else if (result->complaints->count > 0) {
		const struct config_complaint *first = &result->complaints->complaints[0];

		snprintf(why, sizeof(why), "%s:%u: %s", first->file, first->line, first->text);
		drop_in_job_on_refused(job, why);
	} else {
		free(map_remove(job->jobs->refusals, job->plugin));
		if (!drop_in_job_is_known(job, result->image))
			drop_in_job_take(job, result->image);
	}
	drop_in_job_release(job);
}

/* The services that it is for. False: one of them is busy. */
static bool
drop_in_job_find_services(struct drop_in_job *job, const struct config_service **configs)
{
	struct master_service *service;
	size_t index = 0;

	while ((service = drop_in_next_service(job->jobs->master, job->plugin, &index)) != NULL) {
		if (!drop_in_may_change(service))
			return false;
		configs[job->source_count] = service->config;
		job->sources[job->source_count++] = config_ref(service->source);
	}
	return true;
}

/* Makes the configuration of the service that the file is to become; NULL: why not has been told. */
static struct config *
drop_in_job_new_config(struct drop_in_job *job)
{
	struct master *master = job->jobs->master;
	const struct config_container *container = &master->config->container;
	struct config_report report = {0};
	struct config *config;
	char *refusal;
	char *path;

	if (!config_name_is_valid(job->plugin, strlen(job->plugin))) {
		drop_in_note_refusal(job->jobs, job->plugin, NULL, "no service can be called as this file "
			"is: rename it");
		return NULL;
	}
	if (!container->autoload) {
		drop_in_note(job->jobs->master, EVENT_DROPPED_IN, job->plugin, NULL, "no service names it, and "
			"autoload is off: it is let be");
		return NULL;
	}
	refusal = drop_in_name_refusal(master, job->plugin);
	if (refusal != NULL) {
		drop_in_refuse(job->jobs, job->plugin, refusal);
		free(refusal);
		return NULL;
	}
	path = xasprintf("%s/%s.so", container->plugin_dir, job->plugin);
	config = drop_in_make_config(path, job->plugin, job->plugin, &report);
	if (config == NULL)
		drop_in_refuse(job->jobs, job->plugin, report.count > 0 ? report.complaints[0].text : "?");
	config_report_finish(&report);
	free(path);
	return config;
}

static void
drop_in_job_begin(struct drop_in_job *job)
{
	struct supervisor *supervisor = job->jobs->master->supervisor;
	size_t room = supervisor_count(supervisor) + 1;
	const struct config_service **configs = xcalloc(room, sizeof(*configs));

	job->sources = xcalloc(room, sizeof(struct config *));
	if (!job->again)
		free(map_remove(job->jobs->refusals, job->plugin));
	if (!drop_in_job_find_services(job, configs)) {
		drop_in_job_try_again(job, drop_in_busy_ns);
		drop_in_job_end(job);
	} else if (job->source_count == 0 && (job->added = drop_in_job_new_config(job)) == NULL) {
		drop_in_job_end(job);
	} else {
		if (job->added != NULL)
			configs[0] = &job->added->services[0];
		plugin_examination_begin(supervisor_examination(supervisor), configs,
			job->added != NULL ? 1 : job->source_count, drop_in_job_on_examined, job);
	}
	free(configs);
}

/* The first that waits and whose plugin is not worked on already, or NULL. */
static struct drop_in_job *
drop_in_jobs_next(struct drop_in_jobs *jobs)
{
	list_for_each(pos, &jobs->waiting) {
		struct drop_in_job *job = container_of(pos, struct drop_in_job, link);

		if (drop_in_jobs_find(&jobs->working, job->plugin) == NULL)
			return job;
	}
	return NULL;
}

static void
drop_in_jobs_work(struct drop_in_jobs *jobs)
{
	struct drop_in_job *job;

	while (!jobs->stopped && jobs->working_count < DROP_IN_JOBS_WORKING &&
	       (job = drop_in_jobs_next(jobs)) != NULL) {
		list_remove(&job->link);
		list_push_back(&jobs->working, &job->link);
		jobs->working_count++;
		drop_in_job_begin(job);
	}
}

void
drop_in_jobs_changed(struct drop_in_jobs *jobs, const char *plugin, bool again)
{
	struct drop_in_job *job;

	drop_in_leaving_sweep(jobs->leaving);
	if (jobs->stopped)
		return;
	job = drop_in_jobs_find(&jobs->waiting, plugin);
	if (job != NULL) {
		job->again = job->again && again;
		return;
	}
	job = xcalloc(1, sizeof(*job));
	job->jobs = jobs;
	job->plugin = xstrdup(plugin);
	job->again = again;
	list_push_back(&jobs->waiting, &job->link);
	drop_in_jobs_work(jobs);
}

/* --- gone ------------------------------------------------------------------------- */

void
drop_in_jobs_gone(struct drop_in_jobs *jobs, const char *plugin)
{
	struct drop_in_job *waiting = drop_in_jobs_find(&jobs->waiting, plugin);
	struct drop_in_job *working = drop_in_jobs_find(&jobs->working, plugin);

	if (waiting != NULL)
		drop_in_job_destroy(waiting);
	if (working != NULL)
		working->gone = true;
	free(map_remove(jobs->refusals, plugin));
	if (!jobs->stopped)
		drop_in_leaving_lost_file(jobs->leaving, plugin);
}

/* --- lifecycle -------------------------------------------------------------------- */

struct drop_in_jobs *
drop_in_jobs_create(struct master *master, drop_in_again_fn *again, void *arg)
{
	struct drop_in_jobs *jobs = xcalloc(1, sizeof(*jobs));

	jobs->master = master;
	jobs->again = again;
	jobs->arg = arg;
	list_init(&jobs->waiting);
	list_init(&jobs->working);
	jobs->refusals = map_create();
	jobs->leaving = drop_in_leaving_create(master);
	if (jobs->leaving == NULL) {
		drop_in_jobs_destroy(jobs);
		return NULL;
	}
	return jobs;
}

void
drop_in_jobs_stop(struct drop_in_jobs *jobs)
{
	jobs->stopped = true;
	drop_in_leaving_stop(jobs->leaving);
}

void
drop_in_jobs_destroy(struct drop_in_jobs *jobs)
{
	struct map_entry *entry;

	if (jobs == NULL)
		return;
	list_for_each_safe(pos, &jobs->waiting)
		drop_in_job_destroy(container_of(pos, struct drop_in_job, link));
	list_for_each_safe(pos, &jobs->working)
		drop_in_job_destroy(container_of(pos, struct drop_in_job, link));
	map_for_each(entry, jobs->refusals)
		free(entry->value);
	map_destroy(jobs->refusals);
	drop_in_leaving_destroy(jobs->leaving);
	free(jobs);
}
