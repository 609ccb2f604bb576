/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A plugin that uses every function of the public headers. A request names an operation,
 * the reply says what the operation saw; tests/system/test_toolbox.sh knows what it should
 * have seen. An operation that begins something and one that looks at it later meet in the
 * state of the instance.
 */
#ifndef BAY_TESTS_TOOLBOX_H
#define BAY_TESTS_TOOLBOX_H

#include <bay/bay.h>

struct toolbox_settings {
	const char *greeting;
	bool fail_init;
	bool fail_run;
};

struct toolbox_state {
	struct bay_channel *notes;   /* malloc'd texts for the operation "note" */
	struct bay_channel *gate;    /* closed: lets "wait" go on */
	void *held;                  /* by "hold" */
	bool running;                /* run was called */
};

/* What an operation saw: words with a space between. */
struct seen {
	char text[1024];
	size_t length;
};

void saw(struct seen *seen, const char *format, ...) BAY_PRINTF(2, 3);

/* Leaves a note for whoever asks for one. */
void toolbox_note(struct bay_instance *instance, const char *format, ...) BAY_PRINTF(2, 3);

/* Either run, then what was seen is the reply; or handle, which answers by itself. */
struct operation {
	const char *name;
	void (*run)(struct bay_request *request, const char *argument, struct seen *seen);
	int (*handle)(struct bay_request *request, const char *argument);
};

/* Each ends with a row without a name. */
extern const struct operation message_operations[];
extern const struct operation request_operations[];
extern const struct operation task_operations[];
extern const struct operation wait_operations[];
extern const struct operation scope_operations[];
extern const struct operation deadline_operations[];
extern const struct operation channel_operations[];
extern const struct operation queue_operations[];
extern const struct operation lock_operations[];
extern const struct operation meeting_operations[];
extern const struct operation select_operations[];
extern const struct operation stream_operations[];
extern const struct operation blocking_operations[];
extern const struct operation network_operations[];
extern const struct operation process_operations[];
extern const struct operation subscription_operations[];
extern const struct operation call_operations[];
extern const struct operation topic_operations[];
extern const struct operation plain_operations[];

/* Ends with a row without a name, too. */
extern const struct bay_verb toolbox_verbs[];

/* A task that waits until it is cancelled, and says why it was. */
struct patient {
	char reason[64];
	int status;   /* of its sleep */
};

int toolbox_be_patient(void *patient);

/* Tasks that end at once with the status that their argument points to. */
int toolbox_return_status(void *status);

#endif
