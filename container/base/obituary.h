/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Why a cell died and who is to blame, found out from its exit status and from the page of
 * figures that it left. Pure functions over a stranger's memory. Any thread.
 */
#ifndef BAY_BASE_OBITUARY_H
#define BAY_BASE_OBITUARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status_page.h"

enum { OBITUARY_HOW_SIZE = 80 };

struct obituary {
	uint32_t culprit; /* the slot of the service whose code it died in, or STATUS_NO_SLOT */
	bool in_init;     /* the culprit was starting or ending, not serving */
	bool in_load;     /* its code was being loaded or unloaded, so it never came to init */
	char how[OBITUARY_HOW_SIZE];     /* "crashed: SIGSEGV" */
	const char *code; /* "cell-crash" or "cell-exit" (base/code.h) */
	char where[360];  /* " at address 0x0 in task main" or "" */
};

/*
 * status is waitpid's. Nobody is blamed for a SIGKILL, which comes from outside, nor when
 * several services ran at that moment and no crash handler said which one it was.
 */
void obituary_write(struct obituary *obituary, const struct status_page *page, int status);

/* How a child ended, from waitpid's status (-1: nobody knows): "crashed: SIGSEGV", "was killed
 * by SIGKILL", "ended the process with exit code 3". Returns buf; OBITUARY_HOW_SIZE is enough. */
char *obituary_how(int status, char *buf, size_t size);

#endif
