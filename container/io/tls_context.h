/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of a bay_tls said when they were read: a certificate, and whom to trust. It
 * does not change; a reload makes another. Counted, as streams go on with the one they began
 * with. Made on any thread; then owning loop only.
 */
#ifndef BAY_IO_TLS_CONTEXT_H
#define BAY_IO_TLS_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "io/tls_library.h"

struct tls_context {
	const struct tls_library *library;
	SSL_CTX *ssl;
	unsigned refs;
	bool server;
	bool trusts_anybody;
	unsigned char *alpn;    /* as in the handshake: length, name, length, name; malloc'd or NULL */
	unsigned alpn_size;
};

/* What it is to be made of; malloc'd texts, or NULL. */
struct tls_recipe {
	bool server;
	bool verify_client;
	bool trust_anybody;
	char *certificate;
	char *key;
	char *ca;
	char *alpn;
};

void tls_recipe_finish(struct tls_recipe *recipe);

/* Reads the files. BAY_OK and a context with one reference; else a status as of bay_tls_create(),
 * and words. Any thread; may block. */
int tls_context_create(const struct tls_recipe *recipe, struct tls_context **context_r, char *error,
	size_t error_size);

/* NULL is allowed. */
void tls_context_unref(struct tls_context *context);

#endif
