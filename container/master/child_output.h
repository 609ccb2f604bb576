/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a child prints: plugins, libraries and the C library write to standard output and error
 * whatever they like, and each line becomes one of the log, as `prints: ...`, so that it has a
 * time and a name and lies where the log lies. Standard output has level info, standard error is
 * a warning. Has one owner. Master only; never suspends.
 */
#ifndef BAY_MASTER_CHILD_OUTPUT_H
#define BAY_MASTER_CHILD_OUTPUT_H

struct child_output;
struct event_base;

/* Makes the pipes and reads them in this base; process ("cell main") is the name of the lines,
 * copied. NULL: errno says why. */
struct child_output *child_output_create(struct event_base *base, const char *process)
	__attribute__((warn_unused_result));

/* The child's ends: standard output and error, for struct child_options. Borrowed until they
 * are closed here, which is for when the child has them. */
const int *child_output_ends(const struct child_output *output);
void child_output_close_ends(struct child_output *output);

/* Writes what is still in the pipes, and a last line without an end: for after the child's end. */
void child_output_drain(struct child_output *output);

/* NULL is fine. */
void child_output_destroy(struct child_output *output);

#endif
