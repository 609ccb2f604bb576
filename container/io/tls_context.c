/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "io/tls_context.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bay/status.h>

#include "base/alloc.h"

/* The longest name of a protocol: its length is a byte. */
#define TLS_ALPN_NAME_MAX 255

void
tls_recipe_finish(struct tls_recipe *recipe)
{
	free(recipe->certificate);
	free(recipe->key);
	free(recipe->ca);
	free(recipe->alpn);
}

/* A context that is being made, and where to say why it cannot be. */
struct tls_making {
	const struct tls_recipe *recipe;
	const struct tls_library *library;
	struct tls_context *context;
	char *error;
	size_t error_size;
};

static __attribute__((format(printf, 2, 3))) int
tls_refuse(const struct tls_making *making, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(making->error, making->error_size, format, args);
	va_end(args);
	return BAY_INVALID;
}

/* Nobody is there to be asked for the word that opens a key. */
static int
tls_have_no_password(char *buffer, int size, int writing, void *arg)
{
	(void)buffer;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

static int
tls_use_certificate(const struct tls_making *making)
{
	const struct tls_library *library = making->library;
	const struct tls_recipe *recipe = making->recipe;
	const char *key = recipe->key != NULL ? recipe->key : recipe->certificate;
	SSL_CTX *ssl = making->context->ssl;

	if (recipe->certificate == NULL)
		return recipe->server ? tls_refuse(making, "a server needs a certificate") : BAY_OK;
	if (library->SSL_CTX_use_certificate_chain_file(ssl, recipe->certificate) != 1)
		return tls_refuse(making, "certificate %s: %s", recipe->certificate, tls_library_reason(library));
	if (library->SSL_CTX_use_PrivateKey_file(ssl, key, SSL_FILETYPE_PEM) != 1)
		return tls_refuse(making, "key %s: %s", key, tls_library_reason(library));
	if (library->SSL_CTX_check_private_key(ssl) != 1)
		return tls_refuse(making, "key %s is not that of certificate %s", key, recipe->certificate);
	return BAY_OK;
}

static int
tls_trust_clients(const struct tls_making *making)
{
	static const unsigned char session_context[] = "bay";
	const struct tls_library *library = making->library;
	SSL_CTX *ssl = making->context->ssl;
	STACK_OF(X509_NAME) *names;

	if (making->recipe->ca == NULL)
		return tls_refuse(making, "verify_client wants ca, the authorities of the clients");
	names = library->SSL_load_client_CA_file(making->recipe->ca);
	if (names == NULL)
		return tls_refuse(making, "ca %s: %s", making->recipe->ca, tls_library_reason(library));
	library->SSL_CTX_set_client_CA_list(ssl, names);
	library->SSL_CTX_set_session_id_context(ssl, session_context, sizeof session_context - 1);
	library->SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	return BAY_OK;
}

static int
tls_trust(const struct tls_making *making)
{
	const struct tls_library *library = making->library;
	const struct tls_recipe *recipe = making->recipe;
	SSL_CTX *ssl = making->context->ssl;

	if (recipe->ca != NULL && library->SSL_CTX_load_verify_file(ssl, recipe->ca) != 1)
		return tls_refuse(making, "ca %s: %s", recipe->ca, tls_library_reason(library));
	if (recipe->server)
		return recipe->verify_client ? tls_trust_clients(making) : BAY_OK;
	if (recipe->ca == NULL && !recipe->trust_anybody && library->SSL_CTX_set_default_verify_paths(ssl) != 1)
		return tls_refuse(making, "the authorities that the system trusts: %s", tls_library_reason(library));
	library->SSL_CTX_set_verify(ssl, recipe->trust_anybody ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
	return BAY_OK;
}

/* --- ALPN ------------------------------------------------------------------------------------- */

/* "h2,http/1.1" as the handshake has it. */
static int
tls_write_alpn(const struct tls_making *making)
{
	const char *names = making->recipe->alpn;
	struct tls_context *context = making->context;

	context->alpn = alloc_try(strlen(names) + 1);
	if (context->alpn == NULL)
		return BAY_NO_MEMORY;
	for (;;) {
		size_t length = strcspn(names, ",");

		if (length == 0 || length > TLS_ALPN_NAME_MAX)
			return tls_refuse(making, "alpn '%s' is no list of protocols", making->recipe->alpn);
		context->alpn[context->alpn_size] = (unsigned char)length;
		memcpy(context->alpn + context->alpn_size + 1, names, length);
		context->alpn_size += (unsigned)length + 1;
		if (names[length] == '\0')
			return BAY_OK;
		names += length + 1;
	}
}

/* The best of ours that the client speaks; without any, no connection. */
static int
tls_choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_length, const unsigned char *in,
	unsigned in_length, void *arg)
{
	const struct tls_context *context = arg;
	unsigned char *chosen;

	(void)ssl;
	if (context->library->SSL_select_next_proto(&chosen, out_length, context->alpn, context->alpn_size, in,
		in_length) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

static int
tls_use_alpn(const struct tls_making *making)
{
	struct tls_context *context = making->context;
	int status;

	if (making->recipe->alpn == NULL)
		return BAY_OK;
	status = tls_write_alpn(making);
	if (status != BAY_OK)
		return status;
	if (making->recipe->server)
		making->library->SSL_CTX_set_alpn_select_cb(context->ssl, tls_choose_alpn, context);
	else if (making->library->SSL_CTX_set_alpn_protos(context->ssl, context->alpn, context->alpn_size) != 0)
		return BAY_NO_MEMORY;
	return BAY_OK;
}

/* --- life --------------------------------------------------------------------------------------- */

static int
tls_context_fill(const struct tls_making *making)
{
	const struct tls_library *library = making->library;
	SSL_CTX *ssl = making->context->ssl;
	int status;

	if (library->SSL_CTX_ctrl(ssl, SSL_CTRL_SET_MIN_PROTO_VERSION, TLS1_2_VERSION, NULL) != 1)
		return tls_refuse(making, "TLS 1.2: %s", tls_library_reason(library));
	library->SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	/* A quiet stream holds no buffers of the library. */
	library->SSL_CTX_ctrl(ssl, SSL_CTRL_MODE, SSL_MODE_RELEASE_BUFFERS, NULL);
	library->SSL_CTX_set_default_passwd_cb(ssl, tls_have_no_password);
	status = tls_use_certificate(making);
	if (status == BAY_OK)
		status = tls_trust(making);
	if (status == BAY_OK)
		status = tls_use_alpn(making);
	return status;
}

int
tls_context_create(const struct tls_recipe *recipe, struct tls_context **context_r, char *error,
	size_t error_size)
{
	struct tls_making making = {.recipe = recipe, .library = tls_library_load(), .error = error,
		.error_size = error_size};
	struct tls_context *context;
	int status;

	if (making.library == NULL) {
		snprintf(error, error_size, "%s", tls_library_error());
		return BAY_NOT_FOUND;
	}
	context = alloc_try_zeroed(1, sizeof *context);
	if (context == NULL)
		return BAY_NO_MEMORY;
	making.context = context;
	context->library = making.library;
	context->refs = 1;
	context->server = recipe->server;
	context->trusts_anybody = recipe->trust_anybody;
	making.library->ERR_clear_error();
	context->ssl = making.library->SSL_CTX_new(recipe->server ? making.library->TLS_server_method()
		: making.library->TLS_client_method());
	status = context->ssl == NULL ? BAY_NO_MEMORY : tls_context_fill(&making);
	making.library->ERR_clear_error();
	if (status != BAY_OK) {
		if (status == BAY_NO_MEMORY)
			snprintf(error, error_size, "no memory");
		tls_context_unref(context);
		return status;
	}
	*context_r = context;
	return BAY_OK;
}

void
tls_context_unref(struct tls_context *context)
{
	if (context == NULL || --context->refs > 0)
		return;
	if (context->ssl != NULL)
		context->library->SSL_CTX_free(context->ssl);
	free(context->alpn);
	free(context);
}
