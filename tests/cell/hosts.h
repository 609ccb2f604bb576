/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A cell without its master, for the tests of what it hosts. The test's thread is the control
 * thread; the plugins are tests/support/plugins/probe.c and swaps.c.
 *
 *	begin(2);
 *	start("a", 1, "number 42");
 *	expect("a", BAY_OK, "42");
 *	finish();
 */
#ifndef BAY_TESTS_CELL_HOSTS_H
#define BAY_TESTS_CELL_HOSTS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <bay/bay.h>

#include "base/status_page.h"
#include "cell/host.h"
#include "loop/loop.h"
#include "service/service.h"
#include "support/check_main.h"

#define TEST_PLUGIN(name) TOP_BUILDDIR "/tests/support/plugins/" name ".so"
#define PROBE TEST_PLUGIN("probe")

struct executor;
struct scheduler;
struct task;

extern struct status_page page;
extern struct loop control;
extern struct executor *executor;
extern struct host *host;

/* How often the functions of probe were called, a letter each. */
extern atomic_int noted[128];

/* Whoever refuses to end may go. */
extern atomic_int let_go;

/* The answers, by the number of the operation. */
struct answer {
	bool came;
	int status;
	char message[256];
};
extern struct answer answers[5000];
extern int64_t last_id;

/* What was heard: the last failure, the stages of all swaps as letters, what lingers. */
extern struct failed {
	int times;
	char service[64];
	int64_t generation;
	char message[256];
} failed;
extern char stages[16];
extern void (*on_its_stage)(char letter); /* or NULL */
extern struct lingers {
	int times;
	int64_t generation;
	char reason[256];
} lingers;
extern struct health {
	int times;
	int64_t generation;
	char reason[256];
} health;

extern struct breaker_told {
	int times;
	int state;
	char service[64];
	char why[256];
} breaker_told;

/* Whether it is mapped into the process. A question by dlopen(3) would hold it for a moment: long
 * enough for the loader thread, which unloads it beside that, to find that somebody still uses it. */
bool is_loaded(const char *image);

/* What services are started from; begin() sets them to the usual. */
extern int start_from;           /* a descriptor, instead of the path; -1: none */
extern const char *start_image;
extern const char *start_sha256;
extern int64_t start_generation;
extern bool start_keeps;
extern int64_t start_canary;
extern int64_t start_drain_ns;
extern int64_t start_health_ns; /* its interval, and its timeout */

void begin(unsigned loops);
void turn(void);

/* Until nothing is left, whatever it is. */
void finish(void);

void on_done(int status, const char *message, int64_t id, void *arg);
struct answer wait_for(int64_t id);

/* Begins to start a service of that name; settings: "key value key value", NULL for none. */
int64_t begin_start(const char *name, int64_t instances, const char *settings);
void start(const char *name, int64_t instances, const char *settings);
void start_in_vain(const char *name, int64_t instances, const char *settings, int status, const char *text);

/* To an image, as a generation. */
int64_t begin_swap(const char *name, const char *image, int64_t generation);

int64_t begin_stop(const char *name, int64_t drain_ns);
struct answer stop(const char *name, int64_t drain_ns);

/* A call from a loop; wait for it with join_call. */
struct call {
	struct inbox_item item;
	struct scheduler *scheduler;
	struct bay_service *service;
	const char *order; /* NULL: an empty message */
	int status;
	char text[128];
	atomic_bool done;
};

void begin_call(struct call *call, unsigned loop, const char *name);
void call_ended(struct task *task, int status);
void join_call(struct call *call);
void expect(const char *name, int status, const char *text);
void expect_order(const char *name, const char *order, int status, const char *text);

#endif
