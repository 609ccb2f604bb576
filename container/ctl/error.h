/* SPDX-License-Identifier: BSD-2-Clause */
/* Why a verb did not do what was asked: for people, for --json and for the exit code. */
#ifndef BAY_CTL_ERROR_H
#define BAY_CTL_ERROR_H

#include "protocol/interface.h"

struct ctl_error {
	enum interface_exit exit; /* INTERFACE_EXIT_DONE: no error */
	char code[32];            /* "usage", "timeout": a stable one (base/code.h) */
	char name[96];            /* the full name of the daemon's error, or "" */
	char status[32];          /* what the daemon says of its kind: "not-found", or "" */
	char message[32768];      /* not escaped, of complaints several lines: may hold what the daemon said */
	char hint[512];           /* what to do about it, or "" */
};

/* Codes of errors that bayctl finds itself. */
#define CTL_CODE_USAGE "usage"
#define CTL_CODE_UNREACHABLE "unreachable"
#define CTL_CODE_NOT_PERMITTED "not-permitted"
#define CTL_CODE_NOT_FOUND "not-found"
#define CTL_CODE_INVALID "invalid"
#define CTL_CODE_FAILED "failed"
#define CTL_CODE_TIMEOUT "timeout"
#define CTL_CODE_BAD_REPLY "bad-reply"
#define CTL_CODE_IO "io"
#define CTL_CODE_NO_MEMORY "no-memory"
#define CTL_CODE_PARTLY "partly"

/* Fills it; hint, status and name are then empty. A message that ends in a code is left without,
 * and has that one. Texts that are too long are cut. */
void ctl_error_set(struct ctl_error *error, enum interface_exit exit, const char *code,
	const char *format, ...)
	__attribute__((format(printf, 4, 5)));

void ctl_error_hint(struct ctl_error *error, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* {"code", "error"?, "status"?, "message", "hint"?}; the caller's. */
json_t *ctl_error_to_json(const struct ctl_error *error);

#endif
