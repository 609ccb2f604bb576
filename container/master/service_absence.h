/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What cells hear of services that they do not run, for those in them who call these: in what
 * state it is, or which other cell it is in, which is asked then. Master only; never suspends.
 */
#ifndef BAY_MASTER_SERVICE_ABSENCE_H
#define BAY_MASTER_SERVICE_ABSENCE_H

struct master_cell;
struct master_service;

/* Tells its own cell why the service is not there, unless it is. */
void service_tell_absence(struct master_service *service);

/* Tells a cell that has just become ready, whether it is the service's own or not. */
void service_tell_cell(struct master_service *service, struct master_cell *cell);

/* Tells all other cells where it is, and whether it is about to serve there, if they do not know. */
void service_tell_others(struct master_service *service);

#endif
