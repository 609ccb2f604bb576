/* SPDX-License-Identifier: BSD-2-Clause */
/* The functions of <bay/tls.h> where Bay was built without OpenSSL. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include <bay/tls.h>

#include "runtime/await.h"
#include "runtime/waitable.h"

/* There is none, ever. */
struct bay_tls {
	struct waitable waitable;
};

int
bay_tls_create(const struct bay_tls_options *options, struct bay_tls **tls_r, int64_t deadline)
{
	(void)deadline;
	*tls_r = NULL;
	if (!AWAIT_BEGIN("bay_tls_create"))
		return BAY_INVALID;
	if (options->error != NULL && options->error_size > 0)
		snprintf(options->error, options->error_size, "this Bay was built without TLS (--without-openssl)");
	return await_refused(task_current(), BAY_NOT_FOUND);
}

int
bay_tls_reload(struct bay_tls *tls, int64_t deadline)
{
	(void)deadline;
	return WAITABLE_BEGIN(tls, "bay_tls_reload") ? BAY_NOT_FOUND : BAY_INVALID;
}

const char *
bay_tls_error(const struct bay_tls *tls)
{
	(void)tls;
	return "";
}

void
bay_tls_destroy(struct bay_tls *tls)
{
	(void)tls;
}

int
bay_stream_start_tls(struct bay_stream *stream, struct bay_tls *tls, const char *server_name, int64_t deadline)
{
	(void)stream;
	(void)server_name;
	(void)deadline;
	return WAITABLE_BEGIN(tls, "bay_stream_start_tls") ? BAY_NOT_FOUND : BAY_INVALID;
}

int
bay_stream_tls(const struct bay_stream *stream, struct bay_stream_tls *facts_r)
{
	(void)stream;
	memset(facts_r, 0, sizeof *facts_r);
	return BAY_NOT_FOUND;
}
