/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as an ini file: a configuration or complaints, never both or neither. What is
 * accepted must print to values that read back as the same.
 */
#include "config.h"

#include "fuzz/fuzz.h"

#include <string.h>

#include "base/buffer.h"
#include "base/text.h"
#include "config/config_keys.h"
#include "config/config_load.h"
#include "config/config_value.h"

static void
check_complaints(const struct config_report *report)
{
	FUZZ_ASSERT(report->count > 0);
	for (size_t i = 0; i < report->count; i++) {
		const char *text = report->complaints[i].text;

		FUZZ_ASSERT(strchr(text, '\n') == NULL);
		FUZZ_ASSERT(text_is_utf8(text, strlen(text)));
		FUZZ_ASSERT(i == 0 || report->complaints[i - 1].line <= report->complaints[i].line);
	}
}

/* Sections are at least as large as the larger of the two. */
union section {
	struct config_container container;
	struct config_service service;
};

static void
check_section(const struct config_keys *keys, const void *section)
{
	static union section empty;

	for (size_t i = 0; i < keys->count; i++) {
		union section again = empty;
		struct buffer printed = {0};
		char *why;

		FUZZ_ASSERT(config_value_print(&keys->rows[i], section, &printed));
		FUZZ_ASSERT(buffer_text(&printed) != NULL);
		FUZZ_ASSERT(config_value_parse(&keys->rows[i], (char *)printed.data, &again, &why));
		FUZZ_ASSERT(config_value_equal(&keys->rows[i], section, &again));
		config_value_finish(&keys->rows[i], &again);
		buffer_finish(&printed);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config_report report = {0};
	struct config *config;

	if (config_load_memory("/fuzz.ini", data, size, &config, &report)) {
		FUZZ_ASSERT(report.count == 0);
		FUZZ_ASSERT(*config->container.control == '/');
		check_section(&config_container_keys, &config->container);
		for (size_t i = 0; i < config->service_count; i++) {
			check_section(&config_service_keys, &config->services[i]);
			FUZZ_ASSERT(config_service_equal(&config->services[i], &config->services[i]));
		}
	} else {
		FUZZ_ASSERT(config == NULL);
		check_complaints(&report);
	}
	config_destroy(config);
	config_report_finish(&report);
	return 0;
}
