/* SPDX-License-Identifier: BSD-2-Clause */
/* <bay/message.h> */
#include <string.h>

#include "toolbox.h"

static void
see_bytes(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct bay_message *message = bay_message("a\0b", 3);

	(void)request;
	(void)argument;
	saw(seen, "%zu", bay_message_size(message));
	saw(seen, memcmp(bay_message_data(message), "a\0b", 4) == 0 ? "same-with-nul" : "other");
	bay_message_free(message);
	saw(seen, "null: %zu '%s'", bay_message_size(NULL), bay_message_text(NULL));
	bay_message_free(NULL);
}

static void
see_text(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct bay_message *message = bay_message_printf("%s-%d", argument, 7);

	(void)request;
	saw(seen, "%s %zu", bay_message_text(message), bay_message_size(message));
	bay_message_free(message);
}

static void
see_read(struct seen *seen, const char *text)
{
	struct bay_message *message = bay_message(text, strlen(text));
	int64_t number = 77;
	int status = bay_message_read_int64(message, &number);

	saw(seen, "'%s' %s %" PRId64, text, bay_status_name(status), number);
	bay_message_free(message);
}

static void
see_numbers(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct bay_message *message = bay_message_int64(INT64_MIN);

	(void)request;
	(void)argument;
	saw(seen, "%s", bay_message_text(message));
	bay_message_free(message);
	see_read(seen, " -42 ");
	see_read(seen, "9223372036854775807");
	see_read(seen, "9223372036854775808");
	see_read(seen, "4 2");
	see_read(seen, "");
}

const struct operation message_operations[] = {
	{"message-bytes", see_bytes, NULL},
	{"message-text", see_text, NULL},
	{"message-numbers", see_numbers, NULL},
	{NULL, NULL, NULL}
};
