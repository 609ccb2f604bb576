/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TLS as the transport of a stream. OpenSSL works between two pieces of memory and never sees
 * the descriptor; so all waiting, limits and errors stay those of streams.
 *
 *	plugin <-- SSL_read_ex  <-- in  <-- stream_receive()
 *	plugin --> SSL_write_ex --> out --> stream_send(), to the kernel or to output
 */
#include "config.h"

#include "io/tls.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "io/stream.h"
#include "io/tls_context.h"
#include "runtime/task.h"

enum {
	/* Of the descriptor's bytes at once: a record of the largest size, and part of the next. */
	TLS_BLOCK = 32 << 10
};

struct tls_session {
	const struct tls_library *library;
	struct tls_context *context;
	SSL *ssl;
	BIO *in;      /* owned by ssl */
	BIO *out;
};

static const struct stream_transport tls_transport;

/* --- between the library and the stream -------------------------------------------------------- */

/* What the library wants to send. */
static int
tls_send(struct bay_stream *stream, struct tls_session *session)
{
	const struct tls_library *library = session->library;
	char *data;
	long size = library->BIO_ctrl(session->out, BIO_CTRL_INFO, 0, &data);
	int status;

	if (size <= 0)
		return BAY_OK;
	if (stream->write_status != BAY_OK || stream->shut)
		return stream->write_status;
	status = stream_send(stream, data, (size_t)size);
	(void)library->BIO_ctrl(session->out, BIO_CTRL_RESET, 0, NULL);
	return status;
}

/* Gives the library what has come. BAY_OK, BAY_BUSY, BAY_CLOSED, a failure. */
static int
tls_receive(struct bay_stream *stream, struct tls_session *session)
{
	struct stream_buffer block = {.data = NULL};
	int status = BAY_NO_MEMORY;
	size_t size;

	if (stream_buffer_reserve(&block, TLS_BLOCK))
		status = stream_receive(stream, block.data, block.capacity, &size);
	if (status == BAY_OK && session->library->BIO_write(session->in, block.data, (int)size) != (int)size) {
		stream_fail_read(stream, BAY_NO_MEMORY, "read: no memory");
		status = BAY_NO_MEMORY;
	}
	stream_buffer_finish(&block);
	return status;
}

/* --- the transport --------------------------------------------------------------------------------- */

/* A read that gave nothing: what now? BAY_OK: again. */
static int
tls_after_read(struct bay_stream *stream, struct tls_session *session, int error)
{
	int status;

	switch (error) {
	case SSL_ERROR_WANT_READ:
		status = tls_receive(stream, session);
		/* Whoever cuts a connection must not make a part look like the whole. */
		if (status == BAY_CLOSED) {
			status = BAY_IO;
			stream_fail_read(stream, BAY_IO, "read: the connection was cut, without the end of TLS");
		}
		return status;
	case SSL_ERROR_ZERO_RETURN:
		stream->read_status = BAY_CLOSED;
		return BAY_CLOSED;
	default:
		stream_fail_read(stream, BAY_IO, "read: TLS: %s", tls_library_reason(session->library));
		return BAY_IO;
	}
}

static int
tls_get(struct bay_stream *stream, void *data, size_t size, size_t *size_r)
{
	struct tls_session *session = stream->session;
	const struct tls_library *library = session->library;
	int status = BAY_OK;

	if (stream->read_status != BAY_OK)
		return stream->read_status;
	while (status == BAY_OK) {
		int done, error;

		library->ERR_clear_error();
		done = library->SSL_read_ex(session->ssl, data, size, size_r);
		error = done == 1 ? SSL_ERROR_NONE : library->SSL_get_error(session->ssl, done);
		/* New keys, and what else it answers. */
		(void)tls_send(stream, session);
		if (done == 1)
			return BAY_OK;
		status = tls_after_read(stream, session, error);
	}
	return status;
}

static int
tls_put(struct bay_stream *stream, const void *data, size_t size)
{
	struct tls_session *session = stream->session;
	const struct tls_library *library = session->library;
	size_t written;

	if (size == 0)
		return BAY_OK;
	library->ERR_clear_error();
	if (library->SSL_write_ex(session->ssl, data, size, &written) == 1)
		return tls_send(stream, session);
	stream_fail_write(stream, BAY_IO, "write: TLS: %s", tls_library_reason(library));
	return BAY_IO;
}

/* Says that nothing more comes. */
static void
tls_end_of_writing(struct bay_stream *stream)
{
	struct tls_session *session = stream->session;

	session->library->ERR_clear_error();
	(void)session->library->SSL_shutdown(session->ssl);
	(void)tls_send(stream, session);
	session->library->ERR_clear_error();
}

static void
tls_session_free(struct tls_session *session)
{
	if (session->ssl != NULL)
		session->library->SSL_free(session->ssl);
	tls_context_unref(session->context);
	free(session);
}

static void
tls_finish(struct bay_stream *stream)
{
	tls_session_free(stream->session);
	stream->session = NULL;
}

static const struct stream_transport tls_transport = {
	.get = tls_get,
	.put = tls_put,
	.end = tls_end_of_writing,
	.finish = tls_finish,
};

/* --- beginning ---------------------------------------------------------------------------------------- */

static bool
tls_is_ip(const char *name)
{
	unsigned char bytes[16];

	return inet_pton(AF_INET, name, bytes) == 1 || inet_pton(AF_INET6, name, bytes) == 1;
}

/* Whom the client expects: checked in the certificate, and told to the server. */
static bool
tls_expect(struct tls_session *session, const char *name)
{
	const struct tls_library *library = session->library;

	if (name == NULL)
		return true;
	if (tls_is_ip(name))
		return library->X509_VERIFY_PARAM_set1_ip_asc(library->SSL_get0_param(session->ssl), name) == 1;
	library->SSL_set_hostflags(session->ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return library->SSL_set1_host(session->ssl, name) == 1 &&
		library->SSL_ctrl(session->ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
			(void *)(uintptr_t)name) == 1;
}

/* A session that has not said anything yet; NULL without memory. */
static struct tls_session *
tls_session_create(struct tls_context *context, const char *name)
{
	const struct tls_library *library = context->library;
	struct tls_session *session = alloc_try_zeroed(1, sizeof *session);
	BIO *in, *out;

	if (session == NULL)
		return NULL;
	session->library = library;
	session->context = context;
	context->refs++;
	session->ssl = library->SSL_new(context->ssl);
	in = library->BIO_new(library->BIO_s_mem());
	out = library->BIO_new(library->BIO_s_mem());
	if (session->ssl == NULL || in == NULL || out == NULL || !tls_expect(session, name)) {
		/* Either may be NULL. */
		if (session->ssl != NULL)
			library->SSL_set_bio(session->ssl, in, out);
		tls_session_free(session);
		return NULL;
	}
	session->in = in;
	session->out = out;
	library->SSL_set_bio(session->ssl, in, out);
	if (context->server)
		library->SSL_set_accept_state(session->ssl);
	else
		library->SSL_set_connect_state(session->ssl);
	return session;
}

/* The handshake has failed: the other end has been told why, as far as it listens. */
static int
tls_refused(struct bay_stream *stream, const struct tls_session *session)
{
	const struct tls_library *library = session->library;
	long verdict = library->SSL_get_verify_result(session->ssl);
	unsigned long error = library->ERR_peek_last_error();

	if (ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) == SSL_R_CERTIFICATE_VERIFY_FAILED) {
		library->ERR_clear_error();
		stream_fail_read(stream, BAY_NOT_PERMITTED, "TLS: certificate not trusted: %s",
			library->X509_verify_cert_error_string(verdict));
		return BAY_NOT_PERMITTED;
	}
	stream_fail_read(stream, BAY_IO, "TLS handshake: %s", tls_library_reason(library));
	return BAY_IO;
}

/* As far as it goes without waiting. BAY_OK: done; BAY_BUSY: the other end has to say something;
 * or a failure. */
static int
tls_shake(struct bay_stream *stream, struct tls_session *session)
{
	const struct tls_library *library = session->library;
	int status = BAY_OK;

	while (status == BAY_OK) {
		int done, error;

		library->ERR_clear_error();
		done = library->SSL_do_handshake(session->ssl);
		error = done == 1 ? SSL_ERROR_NONE : library->SSL_get_error(session->ssl, done);
		if (error != SSL_ERROR_NONE && error != SSL_ERROR_WANT_READ)
			status = tls_refused(stream, session);
		/* The words of a refusal are kept, whether or not it can be sent. */
		if (tls_send(stream, session) != BAY_OK && status == BAY_OK)
			status = stream->write_status;
		if (status != BAY_OK || done == 1)
			return status;
		status = tls_receive(stream, session);
	}
	if (status == BAY_CLOSED) {
		stream_fail_read(stream, BAY_IO, "TLS handshake: the other end went away");
		status = BAY_IO;
	}
	return status;
}

/* STREAM_GONE: not even the session is left. */
static int
tls_shake_waiting(struct bay_stream *stream, struct tls_session *session, int64_t deadline)
{
	int status;

	while ((status = tls_shake(stream, session)) == BAY_BUSY) {
		status = stream_await_input(stream, deadline);
		if (status == BAY_TIMEOUT || status == BAY_CANCELED)
			stream_fail_read(stream, BAY_IO, "TLS handshake: %s", status == BAY_TIMEOUT
				? "no answer in time" : "cut short");
		if (status != BAY_OK)
			return status;
	}
	return status;
}

/* Why TLS cannot begin, or NULL. */
static const char *
tls_fault(const struct bay_stream *stream, const struct tls_context *context, const char *server_name)
{
	if (!stream->transport->plain)
		return "the stream has TLS already";
	if (stream->finished || stream->read_status != BAY_OK || stream->write_status != BAY_OK)
		return "the stream has ended, or is broken";
	/* Somebody may have put them there who then lets the two speak TLS (STARTTLS injection). */
	if (stream_buffer_size(&stream->input) > 0)
		return "bytes came before TLS began";
	if (!context->server && !context->trusts_anybody && server_name == NULL)
		return "a client has to say whom it wants to talk to (server_name)";
	return NULL;
}

int
tls_start(struct bay_stream *stream, struct bay_tls *tls, const char *server_name, int64_t deadline)
{
	struct tls_context *context = tls_present(tls);
	const char *fault = tls_fault(stream, context, server_name);
	struct tls_session *session;
	int status;

	if (await_is_over(task_current()))
		return await_over(task_current());
	if (stream->closing)
		return BAY_CLOSED;
	if (stream->reading || stream->writing || !list_empty(&stream->readers))
		return BAY_BUSY;
	if (fault != NULL) {
		log_error(task_subject(task_current()), "bay_stream_start_tls: %s [misuse-argument]", fault);
		return BAY_INVALID;
	}
	session = tls_session_create(context, context->server ? NULL : server_name);
	if (session == NULL)
		return BAY_NO_MEMORY;
	stream->session = session;
	stream->transport = &tls_transport;
	/* Nobody may write before both agree. */
	stream->writing = true;
	status = tls_shake_waiting(stream, session, deadline);
	if (status == STREAM_GONE)
		return BAY_CLOSED;
	/* Not a failure to write: what says why to the other end has still to go. */
	if (status != BAY_OK && stream->write_status == BAY_OK) {
		stream->finished = true;
		stream_flush(stream);
	}
	stream_hand_on(stream);
	return status;
}

/* --- facts --------------------------------------------------------------------------------------------- */

static void
tls_tell_peer(const struct tls_session *session, char *text, size_t size)
{
	const struct tls_library *library = session->library;
	X509 *certificate = library->SSL_get1_peer_certificate(session->ssl);

	if (certificate == NULL)
		return;
	(void)library->X509_NAME_oneline(library->X509_get_subject_name(certificate), text, (int)size);
	library->X509_free(certificate);
}

int
bay_stream_tls(const struct bay_stream *stream, struct bay_stream_tls *facts_r)
{
	const struct tls_session *session = stream->session;
	const unsigned char *alpn = NULL;
	unsigned length = 0;

	memset(facts_r, 0, sizeof *facts_r);
	if (stream->transport != &tls_transport || session == NULL)
		return BAY_NOT_FOUND;
	snprintf(facts_r->version, sizeof facts_r->version, "%s", session->library->SSL_get_version(session->ssl));
	snprintf(facts_r->cipher, sizeof facts_r->cipher, "%s",
		session->library->SSL_CIPHER_get_name(session->library->SSL_get_current_cipher(session->ssl)));
	session->library->SSL_get0_alpn_selected(session->ssl, &alpn, &length);
	if (alpn != NULL)
		snprintf(facts_r->alpn, sizeof facts_r->alpn, "%.*s", (int)length, (const char *)alpn);
	tls_tell_peer(session, facts_r->peer, sizeof facts_r->peer);
	return BAY_OK;
}
