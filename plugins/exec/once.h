/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A process for each request: the body is its standard input, which then ends, and what it
 * writes is the reply. Another exit code than 0 is a failure.
 */
#ifndef EXEC_ONCE_H
#define EXEC_ONCE_H

struct bay_request;
struct exec;

/* Answers a request; for the return of handle. The caller holds a slot. Suspends. */
int once_handle(struct exec *exec, struct bay_request *request);

#endif
