/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/log_sink.h"

#include <errno.h>
#include <string.h>

#include "base/buffer.h"
#include "base/log.h"
#include "config/config_data.h"

static bool
log_sink_open(const struct config *config, struct buffer *error)
{
	const struct config_container *container = &config->container;

	switch (config_log_sink(config)) {
	case CONFIG_LOG_STDERR:
		log_to_stderr();
		break;
	case CONFIG_LOG_SYSLOG:
		log_to_syslog("bayd");
		break;
	case CONFIG_LOG_FILE:
		if (!log_to_file(container->log))
			return buffer_fail(error, "open the log file %s: %s [log-file]", container->log,
				log_file_trouble(errno));
		break;
	}
	return true;
}

bool
log_sink_set(const struct config *config, const struct config *before, struct buffer *error)
{
	const struct config_container *container = &config->container;

	if ((before == NULL || strcmp(container->log, before->container.log) != 0) &&
	    !log_sink_open(config, error))
		return false;
	log_set_level(container->log_level);
	log_set_format(container->log_format);
	return true;
}
