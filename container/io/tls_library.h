/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * OpenSSL, loaded when somebody first needs it and kept for good. Its functions are called
 * through a table: tls_library->SSL_read_ex(...). Any thread.
 */
#ifndef BAY_IO_TLS_LIBRARY_H
#define BAY_IO_TLS_LIBRARY_H

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

/* Every function that is used, of libssl and of the libcrypto that comes with it. */
#define TLS_LIBRARY_FUNCTIONS(FUNCTION)       \
	FUNCTION(OPENSSL_init_ssl)                \
	FUNCTION(TLS_client_method)               \
	FUNCTION(TLS_server_method)               \
	FUNCTION(SSL_CTX_new)                     \
	FUNCTION(SSL_CTX_free)                    \
	FUNCTION(SSL_CTX_ctrl)                    \
	FUNCTION(SSL_CTX_set_options)             \
	FUNCTION(SSL_CTX_set_default_passwd_cb)   \
	FUNCTION(SSL_CTX_use_certificate_chain_file) \
	FUNCTION(SSL_CTX_use_PrivateKey_file)     \
	FUNCTION(SSL_CTX_check_private_key)       \
	FUNCTION(SSL_CTX_load_verify_file)        \
	FUNCTION(SSL_CTX_set_default_verify_paths) \
	FUNCTION(SSL_load_client_CA_file)         \
	FUNCTION(SSL_CTX_set_client_CA_list)      \
	FUNCTION(SSL_CTX_set_session_id_context)  \
	FUNCTION(SSL_CTX_set_verify)              \
	FUNCTION(SSL_CTX_set_alpn_protos)         \
	FUNCTION(SSL_CTX_set_alpn_select_cb)      \
	FUNCTION(SSL_select_next_proto)           \
	FUNCTION(SSL_new)                         \
	FUNCTION(SSL_free)                        \
	FUNCTION(SSL_ctrl)                        \
	FUNCTION(SSL_set_bio)                     \
	FUNCTION(SSL_set_connect_state)           \
	FUNCTION(SSL_set_accept_state)            \
	FUNCTION(SSL_set1_host)                   \
	FUNCTION(SSL_set_hostflags)               \
	FUNCTION(SSL_get0_param)                  \
	FUNCTION(SSL_do_handshake)                \
	FUNCTION(SSL_read_ex)                     \
	FUNCTION(SSL_write_ex)                    \
	FUNCTION(SSL_shutdown)                    \
	FUNCTION(SSL_get_error)                   \
	FUNCTION(SSL_get_verify_result)           \
	FUNCTION(SSL_get_version)                 \
	FUNCTION(SSL_get_current_cipher)          \
	FUNCTION(SSL_CIPHER_get_name)             \
	FUNCTION(SSL_get0_alpn_selected)          \
	FUNCTION(SSL_get1_peer_certificate)       \
	FUNCTION(X509_get_subject_name)           \
	FUNCTION(X509_NAME_oneline)               \
	FUNCTION(X509_free)                       \
	FUNCTION(X509_VERIFY_PARAM_set1_ip_asc)   \
	FUNCTION(X509_verify_cert_error_string)   \
	FUNCTION(BIO_new)                         \
	FUNCTION(BIO_s_mem)                       \
	FUNCTION(BIO_write)                       \
	FUNCTION(BIO_ctrl)                        \
	FUNCTION(ERR_clear_error)                 \
	FUNCTION(ERR_get_error)                   \
	FUNCTION(ERR_peek_last_error)             \
	FUNCTION(ERR_reason_error_string)

struct tls_library {
#define TLS_LIBRARY_MEMBER(name) __typeof__(name) *name;
	TLS_LIBRARY_FUNCTIONS(TLS_LIBRARY_MEMBER)
#undef TLS_LIBRARY_MEMBER
};

/* The table, or NULL: tls_library_error() says why. Loads at the first call, which reads files. */
const struct tls_library *tls_library_load(void);

/* Words for why it could not be loaded. */
const char *tls_library_error(void);

/* What is to be loaded instead of libssl.so.3: for tests, before the first use. */
void tls_library_set_name(const char *name);

/* Words for what has failed in this thread, which is then forgotten. Borrowed until the next call. */
const char *tls_library_reason(const struct tls_library *library);

#endif
