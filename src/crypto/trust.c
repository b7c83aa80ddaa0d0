/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/trust.h"

#include "base/file.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <stdlib.h>

struct tls_trust {
    X509_STORE *store;
};

void tls_trust_free(struct tls_trust *trust)
{
    if (trust == NULL)
        return;
    X509_STORE_free(trust->store);
    free(trust);
}

/* How many; -1: no memory. */
static int certificates_add(X509_STORE *store, struct bytes pem)
{
    int count = 0;
    BIO *source = BIO_new_mem_buf(pem.data, (int)pem.size);
    if (source == NULL)
        return -1;
    for (X509 *certificate; (certificate = PEM_read_bio_X509(source, NULL, NULL, NULL)) != NULL;) {
        count += X509_STORE_add_cert(store, certificate) == 1 ? 1 : 0;
        X509_free(certificate);
    }
    BIO_free(source);
    ERR_clear_error(); /* the end of the text is one, too */
    return count;
}

bool tls_roots_read(struct buffer *pem, const char *path, struct error *error)
{
    static const char *const usual[] = { "/etc/ssl/certs/ca-certificates.crt",
                                         "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem" };
    struct error absent;
    if (path != NULL && path[0] != '\0')
        return file_read(pem, path, error);
    for (size_t i = 0; i < ARRAY_COUNT(usual); i++)
        if (file_read(pem, usual[i], &absent))
            return true;
    return error_set(error, ERROR_NOT_FOUND,
                     "this machine has no certificate authorities: install ca-certificates, or "
                     "name a file of them");
}

bool tls_trust_new(struct tls_trust **trust, struct bytes pem, struct error *error)
{
    AUTO(tls_trust) struct tls_trust *made = calloc(1, sizeof(*made));
    if (made != NULL)
        made->store = X509_STORE_new();
    if (made == NULL || made->store == NULL || pem.size > INT32_MAX)
        return error_set(error, ERROR_NO_MEMORY, "no memory for certificate authorities");
    int count = certificates_add(made->store, pem);
    if (count < 0)
        return error_set(error, ERROR_NO_MEMORY, "no memory for certificate authorities");
    if (count == 0)
        return error_set(error, ERROR_INVALID, "there is no certificate authority in it");
    X509_STORE_set_flags(made->store, X509_V_FLAG_TRUSTED_FIRST);
    *trust = TAKE(made);
    return true;
}

void tls_trust_apply(const struct tls_trust *trust, void *context)
{
    SSL_CTX_set1_cert_store(context, trust->store);
}
