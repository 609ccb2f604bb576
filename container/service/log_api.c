/* SPDX-License-Identifier: BSD-2-Clause */
/* The functions of <bay/log.h>, and the names of <bay/status.h>. */
#include "config.h"

#include <stdarg.h>

#include <bay/instance.h>
#include <bay/log.h>

#include "base/log.h"
#include "runtime/await.h"
#include "service/instance.h"
#include "service/service.h"

_Static_assert((int)BAY_LOG_ERROR == (int)LOG_LEVEL_ERROR && (int)BAY_LOG_DEBUG == (int)LOG_LEVEL_DEBUG,
	"the levels of plugins are the levels of the log");

int
bay_log_enabled(enum bay_log_level level)
{
	return log_wants((enum log_level)level);
}

void
bay_log(enum bay_log_level level, const char *format, ...)
{
	const struct bay_instance *instance = bay_instance_current();
	const char *subject = instance != NULL ? instance->service->subject :
		await_elsewhere != NULL && await_elsewhere->subject != NULL ? await_elsewhere->subject : "plugin";
	va_list args;

	if (!bay_log_enabled(level))
		return;
	va_start(args, format);
	log_vwrite((enum log_level)level, subject, format, args);
	va_end(args);
}
