/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Certificates to test with, made on the spot. Failures fail the test that calls.
 *
 *	certificates_make(&(struct certificate){.path = "server.pem", .name = "localhost",
 *		.issuer = &authority});
 */
#ifndef BAY_TESTS_SUPPORT_CERTIFICATES_H
#define BAY_TESTS_SUPPORT_CERTIFICATES_H

#include <stdbool.h>

struct evp_pkey_st;
struct x509_st;

struct certificate {
	const char *name;               /* its subject, and the host that it is for */
	const char *ip;                 /* an address that it is for, or NULL */
	const struct certificate *issuer; /* NULL: itself */
	bool expired;
	struct evp_pkey_st *key;        /* made by certificate_make() */
	struct x509_st *made;
};

/* Makes key and certificate. */
void certificate_make(struct certificate *certificate);

/* Writes certificate and key, or one of them, to a file. */
void certificate_write(const struct certificate *certificate, const char *path, bool with_certificate,
	bool with_key);

void certificate_finish(struct certificate *certificate);

#endif
