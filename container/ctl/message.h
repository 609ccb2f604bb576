/* SPDX-License-Identifier: BSD-2-Clause */
/* A request with a body, and a reply that is shown as it is: of call, send and do. */
#ifndef BAY_CTL_MESSAGE_H
#define BAY_CTL_MESSAGE_H

#include <stdbool.h>

#include "ctl/ctl.h"

/* Whether somebody said how long it may take: then that is its deadline, too. */
bool message_was_timed(const struct ctl *ctl);

/* Calls the method, shows what it replies unless that is nothing, and returns the exit code.
 * Takes parameters and memfd (-1: none). */
enum interface_exit message_once(struct ctl *ctl, enum interface_method_id method, json_t *parameters,
	int memfd);

#endif
