/* SPDX-License-Identifier: BSD-2-Clause */
/* What streams need of TLS. Owning loop only. */
#ifndef BAY_IO_TLS_H
#define BAY_IO_TLS_H

#include <stdint.h>

#include <bay/tls.h>

struct tls_context;

/* What streams that begin now use: borrowed. */
struct tls_context *tls_present(const struct bay_tls *tls);

/* bay_stream_start_tls() after its checks of where it is called. Inside a task; may suspend. */
int tls_start(struct bay_stream *stream, struct bay_tls *tls, const char *server_name, int64_t deadline);

#endif
