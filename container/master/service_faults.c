/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/service_faults.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "master/event_log.h"
#include "master/master_service.h"

/* The codes that stand behind what is told. */
static const char *const fault_codes[CELL_FAULT_KINDS] = {
	[CELL_FAULT_DEADLOCK] = "service-deadlock",
	[CELL_FAULT_FD_LEAK] = "service-fd-leak",
	[CELL_FAULT_FD_LIMIT] = "cell-limit",
	[CELL_FAULT_THREAD_LEAK] = "service-thread-leak",
	[CELL_FAULT_MEMORY] = "service-limit",
	[CELL_FAULT_TASKS] = "service-limit",
	[CELL_FAULT_OVERFLOW] = "service-overflow",
	[CELL_FAULT_SLOW_READER] = "service-slow-reader",
};

/* What is told of those that have ended has no end. */
static bool
fault_lasts(const struct master_service *service, enum cell_fault_kind kind)
{
	return kind != CELL_FAULT_THREAD_LEAK && service->state == SERVICE_READY;
}

void
service_faults_note(struct master_service *service, enum cell_fault_kind kind, const char *text)
{
	if (text == NULL) {
		service_faults_over(service, kind, NULL);
		return;
	}
	if (service->faults.text[kind] == NULL)
		master_service_note(service, EVENT_FAULT, "%s: %s [%s]", cell_fault_name(kind), text, fault_codes[kind]);
	free(service->faults.text[kind]);
	service->faults.text[kind] = fault_lasts(service, kind) ? xstrdup(text) : NULL;
}

void
service_faults_note_circle(struct master_service *service, enum fault_witness witness, const char *circle)
{
	struct service_faults *faults = &service->faults;

	free(faults->circles[witness]);
	faults->circles[witness] = circle != NULL && fault_lasts(service, CELL_FAULT_DEADLOCK) ? xstrdup(circle) : NULL;
	for (int i = 0; i < FAULT_WITNESSES && circle == NULL; i++)
		circle = faults->circles[i];
	service_faults_note(service, CELL_FAULT_DEADLOCK, circle);
}

void
service_faults_over(struct master_service *service, enum cell_fault_kind kind, const char *outcome)
{
	if (service->faults.text[kind] == NULL)
		return;
	master_service_note(service, EVENT_FAULT_OVER, "%s%s%s", cell_fault_name(kind), outcome != NULL ? ": " : "",
		outcome != NULL ? outcome : "");
	free(service->faults.text[kind]);
	service->faults.text[kind] = NULL;
}

void
service_faults_forget(struct master_service *service)
{
	for (int kind = 0; kind < CELL_FAULT_KINDS; kind++) {
		free(service->faults.text[kind]);
		service->faults.text[kind] = NULL;
	}
	for (int i = 0; i < FAULT_WITNESSES; i++) {
		free(service->faults.circles[i]);
		service->faults.circles[i] = NULL;
	}
}
