/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is done for a service, one step at a time: its plugin is examined, the cell is told
 * to start it, the cell is told to stop it. Each step ends in service_settle, which goes on
 * to where the service is wanted.
 *
 * For service_control, service_change, service_order and service_swap only. Master only; never suspends.
 */
#ifndef BAY_MASTER_SERVICE_STEPS_H
#define BAY_MASTER_SERVICE_STEPS_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config_data.h"
#include "master/cell_channel.h"
#include "master/restart_policy.h"
#include "protocol/cell_link.h"

struct master_service;
struct plugin_image;
struct plugin_result;

/* What the cell calls the service's policy for a full queue. */
enum cell_overflow service_overflow(const struct config_service *config);

/* A step has ended: begins the next one, or tells those who wait that it is there. */
void service_settle(struct master_service *service);

/* The same after what left it as it ran: one that has failed meanwhile, so that it is STARTING, is
 * started again. */
void service_go_on(struct master_service *service);

/* It did not start, for this reason: the former generation is started again, or its policy says what
 * becomes of it. */
void service_start_failed(struct master_service *service, const char *reason);

/* The examination has ended, with an image (borrowed) or with the reason of a refusal. */
void service_end_examination(struct master_service *service, struct plugin_image *image,
	const char *reason);

/* Makes it STARTING, unless it runs and is to be restarted. */
void service_begin_examination(struct master_service *service);

/* Makes it STARTING, and the cell is told when there is one and it is its turn. */
void service_begin_start(struct master_service *service);

/* The second part of that, for service_order: is its turn now? */
void service_start_in_turn(struct master_service *service);

void service_begin_stop(struct master_service *service);

/* It failed, and is started again after a while if its policy says so. Does not settle. */
void service_fail(struct master_service *service, enum restart_cause cause, const char *reason);

/* The same, by itself, with this code unless the reason has one. */
void service_fail_with_code(struct master_service *service, const char *reason, const char *slug);

/* A stop takes longer than it should. */
void service_lose_patience(struct master_service *service);

/* From now on a stop that is under way has no more than the grace time. */
void service_hurry_stop(struct master_service *service);

/* Tells the cell that there is of the service with this image; method is CELL_START or CELL_SWAP,
 * keep and share are of the latter. False: a setting is no UTF-8 text, and nothing is told. */
bool service_call_with_image(struct master_service *service, const char *method,
	const struct plugin_image *image, bool keep, int64_t share, int64_t timeout_ns,
	cell_reply_fn *reply);

/* What is wrong with a plugin or its settings, in one line; the caller's. */
char *service_refusal_text(const struct plugin_result *result);

/* It is not READY: closes what it listened on, unless it is about to be started again. */
void service_close_listeners(struct master_service *service);

/* Whatever its timer was set for is off. */
void service_clear_timer(struct master_service *service);

#endif
