/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an operator does about an error of the system that has nothing to do with what was asked
 * for: a full disk, no descriptors. Goes behind the error's own text:
 *
 *	log_warn(NULL, "copy %s: %s%s", path, strerror(error), remedy_of(error));
 *
 *	copy a.so: No space left on device; make room there
 */
#ifndef BAY_BASE_REMEDY_H
#define BAY_BASE_REMEDY_H

#include <stdbool.h>

/* "; " and what to do, or "" for an error of which that cannot be said without knowing more. For
 * all time. Any thread; never suspends. */
const char *remedy_of(int error);

/* Whether a text tells of such an error, or of another that lies in the system rather than in what was
 * asked for: it may go well when it is tried again. Any thread; never suspends. */
bool remedy_is_of(const char *text);

#endif
