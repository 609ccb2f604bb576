/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rows behind interface.h, for interface.c alone: methods, the types of their replies,
 * errors, and the text of org.varlink.service, which is given by the standard.
 */
#ifndef BAY_PROTOCOL_INTERFACE_TABLE_H
#define BAY_PROTOCOL_INTERFACE_TABLE_H

#include <bay/status.h>

#include "protocol/interface.h"

struct interface_type_text {
	const char *help;
	const char *text; /* "Name (field: type, ...)" */
};

struct interface_error {
	const char *name;       /* full */
	enum bay_status status; /* is told by this error; BAY_OK: none is */
	enum interface_exit exit;
	const char *help;
};

extern const struct interface_method interface_methods[INTERFACE_METHODS];
extern const struct interface_type_text interface_types[]; /* ended by NULL */
extern const struct interface_error interface_errors[];    /* ended by NULL */
extern const char interface_service_text[];

#endif
