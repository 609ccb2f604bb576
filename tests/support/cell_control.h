/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control thread of a cell, which is the test's own, and at the other end of the link the
 * master, which is the test too:
 *
 *	services_begin(1);                       loops are threads
 *	cell_control_begin();
 *	outside_call_begin(cell_control, &cell_control_loop, ...);   call 7
 *	ck_assert_str_eq(cell_control_answer(7)->text, "pong");
 *	cell_control_end();
 *	services_end();
 *
 * A call that is answered twice fails the test. What the cell asks the master stands in line
 * until the test takes it, and answers.
 */
#ifndef BAY_TESTS_SUPPORT_CELL_CONTROL_H
#define BAY_TESTS_SUPPORT_CELL_CONTROL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loop/loop.h"

struct control;

enum { CELL_CONTROL_IDS = 4096 };

extern struct loop cell_control_loop;
extern struct control *cell_control;

struct cell_answer {
	bool of_handler;    /* it is the handler that failed */
	const char *status; /* "ok", or that of the failure */
	const char *text;   /* its message, or the body, which has a NUL behind its bytes */
	size_t size;
	const json_t *parameters;
};

/* A call of the cell. */
struct cell_question {
	int64_t id;
	const char *method;
	const json_t *parameters;
};

void cell_control_begin(void);

/* Nothing may have been answered that the test has not looked at, nor asked. */
void cell_control_end(void);

/* The next call of the cell, if there is one, without waiting and without a turn of the loop;
 * borrowed until the next. */
bool cell_control_take(struct cell_question *question_r);

/* Answers one; message NULL: it went well. Takes fd, or -1. */
void cell_control_reply(int64_t id, int status, const char *message, int fd);

/* Waits for the answer to the call with this id; borrowed until the end. */
const struct cell_answer *cell_control_answer(int64_t id);

/* Whether it has been answered, without waiting and without a turn of the loop. */
bool cell_control_is_answered(int64_t id);

/* Whatever there is to do now for the control thread: timers, then the inbox. */
void cell_control_turn(void);

#endif
