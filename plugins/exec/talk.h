/* SPDX-License-Identifier: BSD-2-Clause */
/* A request to a worker, and its reply. */
#ifndef EXEC_TALK_H
#define EXEC_TALK_H

struct bay_request;
struct exec;

/* Answers a request; for the return of handle. The caller holds a slot. Suspends. */
int talk_handle(struct exec *exec, struct bay_request *request);

#endif
