/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Groups: services that are started again together when one of them fails, by the strategy of their
 * [group NAME].
 *
 *	one-for-one    only the one that failed
 *	one-for-all    all of them: the others are stopped, and start when it does
 *	rest-for-one   those that come after it
 *
 * Except in the first, they are started one after the other: in the order of the files, unless
 * requires, wants or after say otherwise. While one waits for its next try, those that go with it
 * have failed, too; so they have when it is given up, until it is started by hand.
 *
 * For service_control, service_order, service_steps, stop_order and supervisor only. Master only; never
 * suspends.
 */
#ifndef BAY_MASTER_SERVICE_GROUP_H
#define BAY_MASTER_SERVICE_GROUP_H

#include <stdbool.h>

#include "config/config_data.h"

struct config;
struct master_service;
struct supervisor;

enum group_answer {
	GROUP_GO = 0,
	GROUP_WAIT, /* the other one is on its way */
	GROUP_NEVER /* it has failed */
};

/* Reckons the order of all services of the configuration in force. */
void service_group_rank(struct supervisor *supervisor, const struct config *config);

/* It has failed, and is to be tried again or is given up: those that go with it are seen to at the
 * next turn. */
void service_group_failed(struct master_service *service);

/* The turn. */
void service_group_turn(struct supervisor *supervisor);

/* Whether the service may start, as far as this one of its group is concerned. */
enum group_answer service_group_ask(const struct master_service *service, const struct master_service *other);

/* Whether the service is started after the other one for its group's sake. */
bool service_group_follows(const struct master_service *service, const struct master_service *other);

/* The strategy of its group; ONE_FOR_ONE without one. */
enum config_strategy service_group_strategy(const struct master_service *service);

/* Calls fn for each of its group, itself too, in their order; until fn returns false, which is then
 * returned. */
bool service_group_each(const struct master_service *service,
	bool (*fn)(const struct master_service *member, void *arg), void *arg);

#endif
