/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/service_probation.h"

#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "master/cell_process.h"
#include "master/master_cell.h"
#include "master/plugin_examination.h"
#include "master/service_swap.h"
#include "master/supervisor.h"
#include "protocol/cell_link.h"

/* How often the failures are looked at: so many times in a probation, within these bounds. */
enum { PROBATION_LOOKS = 50 };
static const int64_t probation_look_min_ns = 20 * (int64_t)CLOCK_NS_PER_MS;
static const int64_t probation_look_max_ns = CLOCK_NS_PER_S;

bool
service_probation_is_on(const struct master_service *service)
{
	return service->probation.until_ns != 0;
}

/* --- begin ----------------------------------------------------------------------------- */

void
service_probation_count_anew(struct master_service *service)
{
	if (service->generation_wall_ns != 0)
		return;
	service->generation_wall_ns = clock_wall_ns();
	service->probation.base = master_service_ended(service, master_cell_page(service->cell));
}

static void
probation_set_timer(struct master_service *service)
{
	int64_t look_ns = service->config->probation_ns / PROBATION_LOOKS;
	int64_t left_ns = service->probation.until_ns - clock_monotonic_ns();
	struct timeval delay;

	if (look_ns > probation_look_max_ns)
		look_ns = probation_look_max_ns;
	if (look_ns > left_ns)
		look_ns = left_ns;
	if (look_ns < probation_look_min_ns)
		look_ns = probation_look_min_ns;
	delay = (struct timeval){.tv_sec = look_ns / CLOCK_NS_PER_S,
		.tv_usec = look_ns % CLOCK_NS_PER_S / CLOCK_NS_PER_US};
	event_add(service->probation.timer, &delay);
}

void
service_probation_begin(struct master_service *service, const struct probation_counts *before)
{
	struct service_probation *probation = &service->probation;
	char subject[CONFIG_NAME_MAX + 16], span[CLOCK_TEXT_SIZE];

	if (service->config->probation_ns == 0)
		return;
	probation->before = probation_since(before, &probation->base);
	probation->since_ns = clock_monotonic_ns();
	probation->until_ns = probation->since_ns + service->config->probation_ns;
	probation_set_timer(service);
	snprintf(subject, sizeof(subject), "service %s", service->config->name);
	log_info(subject, "generation %" PRId64 " is on probation for %s", service->image->generation,
		clock_format_duration(span, sizeof(span), service->config->probation_ns));
}

void
service_probation_wait(struct master_service *service, struct list *wishes)
{
	if (service_probation_is_on(service))
		swap_wishes_move_patient(&service->probation.patient, wishes);
}

/* --- end ------------------------------------------------------------------------------- */

static void
probation_end(struct master_service *service)
{
	service->probation.until_ns = 0;
	event_del(service->probation.timer);
}

void
service_probation_end(struct master_service *service, enum swap_outcome outcome, const char *message)
{
	probation_end(service);
	swap_wishes_answer(&service->probation.patient, service, outcome, message);
}

void
service_probation_leave(struct master_service *service)
{
	service_probation_end(service, SWAP_FAILED, "it was stopped on its probation");
}

void
service_probation_fail(struct master_service *service, struct list *wishes)
{
	probation_end(service);
	list_splice_back(wishes, &service->probation.patient);
}

/* What the cell has kept is not needed any more. */
static void
probation_retire(struct master_service *service)
{
	struct cell_process *cell = master_cell_ready(service->cell);
	struct cell_stop stop = {.service = service->config->name,
		.drain_timeout_ns = service->config->drain_timeout_ns};

	if (cell != NULL)
		cell_process_call(cell, CELL_RETIRE, cell_stop_to_json(&stop), -1, 0, cell_reply_ignore,
			NULL);
}

void
service_probation_pass(struct master_service *service)
{
	master_service_note(service, EVENT_PROMOTED, "generation %" PRId64 " has passed its probation",
		service->image->generation);
	probation_retire(service);
	service_probation_end(service, SWAP_SWAPPED, NULL);
}

/* --- judge ------------------------------------------------------------------------------ */

static void
probation_judge(struct master_service *service)
{
	const struct service_probation *probation = &service->probation;
	struct probation_counts now = master_service_ended(service, master_cell_page(service->cell));
	char reason[200];

	now = probation_since(&probation->base, &now);
	if (probation_is_worse(&probation->before, &now)) {
		snprintf(reason, sizeof(reason), "on probation, %" PRIu64 " of its %" PRIu64 " requests failed, "
			"of those before %" PRIu64 " of %" PRIu64, now.failed, now.ended,
			probation->before.failed, probation->before.ended);
		service_swap_give_up(service, reason);
	} else if (clock_monotonic_ns() >= probation->until_ns) {
		service_probation_pass(service);
	} else {
		probation_set_timer(service);
	}
}

static void
probation_on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct master_service *service = arg;

	(void)fd;
	(void)what;
	if (!service_probation_is_on(service))
		return;
	/* Something else is under way: it is judged when that is over. */
	if (service->step != SERVICE_STEP_NONE || service->state != SERVICE_READY)
		probation_set_timer(service);
	else
		probation_judge(service);
}

/* --- life ------------------------------------------------------------------------------- */

void
service_probation_init(struct master_service *service)
{
	list_init(&service->probation.patient);
	service->probation.timer = evtimer_new(supervisor_base(service->supervisor), probation_on_timer,
		service);
}

void
service_probation_finish(struct master_service *service)
{
	event_free(service->probation.timer);
}
