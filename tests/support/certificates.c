/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "support/certificates.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#include "support/check_main.h"

enum { DAY = 24 * 60 * 60 };

static void
add_extension(const struct certificate *certificate, int kind, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, kind, value);

	ck_assert_ptr_nonnull(extension);
	ck_assert_int_eq(X509_add_ext(certificate->made, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

void
certificate_make(struct certificate *certificate)
{
	const struct certificate *issuer = certificate->issuer != NULL ? certificate->issuer : certificate;
	static long serial;
	char names[300];
	X509_NAME *name;

	certificate->key = EVP_EC_gen("P-256");
	ck_assert_ptr_nonnull(certificate->key);
	certificate->made = X509_new();
	ck_assert_int_eq(X509_set_version(certificate->made, X509_VERSION_3), 1);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate->made), ++serial);
	X509_gmtime_adj(X509_getm_notBefore(certificate->made), -2 * DAY);
	X509_gmtime_adj(X509_getm_notAfter(certificate->made), certificate->expired ? -DAY : DAY);
	name = X509_get_subject_name(certificate->made);
	ck_assert_int_eq(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
		(const unsigned char *)certificate->name, -1, -1, 0), 1);
	ck_assert_int_eq(X509_set_issuer_name(certificate->made, X509_get_subject_name(issuer->made)), 1);
	ck_assert_int_eq(X509_set_pubkey(certificate->made, certificate->key), 1);
	snprintf(names, sizeof names, "DNS:%s%s%s", certificate->name, certificate->ip != NULL ? ",IP:" : "",
		certificate->ip != NULL ? certificate->ip : "");
	add_extension(certificate, NID_subject_alt_name, names);
	if (certificate->issuer == NULL)
		add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE");
	ck_assert_int_gt(X509_sign(certificate->made, issuer->key, EVP_sha256()), 0);
}

void
certificate_write(const struct certificate *certificate, const char *path, bool with_certificate, bool with_key)
{
	FILE *file = fopen(path, "we");

	ck_assert_ptr_nonnull(file);
	if (with_certificate)
		ck_assert_int_eq(PEM_write_X509(file, certificate->made), 1);
	if (with_key)
		ck_assert_int_eq(PEM_write_PrivateKey(file, certificate->key, NULL, NULL, 0, NULL, NULL), 1);
	ck_assert_int_eq(fclose(file), 0);
}

void
certificate_finish(struct certificate *certificate)
{
	EVP_PKEY_free(certificate->key);
	X509_free(certificate->made);
}
