/* SPDX-License-Identifier: Apache-2.0 */
/* Inside crypto only: what its files share of OpenSSL.  Algorithms are fetched once, because
 * OpenSSL 3 looks them up by name at every use otherwise. */
#ifndef CRYPTO_OPENSSL_H
#define CRYPTO_OPENSSL_H

#include "base/error.h"
#include "crypto/signature_der.h"

#include <openssl/evp.h>

struct crypto_algorithms {
    EVP_MD *sha256;
    EVP_MD *sha384;
    EVP_MD *sha512;
    EVP_CIPHER *aes_256_gcm;
    EVP_CIPHER *aes_128_gcm;
    EVP_CIPHER *chacha20_poly1305;
    EVP_PKEY *p256; /* the curve alone, to copy: naming it anew costs 12 us a key */
    EVP_PKEY *p384;
};

const struct crypto_algorithms *crypto_algorithms(void);
/* Sets the error with OpenSSL's own reason behind and empties its queue.  Returns false. */
bool crypto_error(struct error *error, enum error_code code, const char *what);
/* Borrowed. */
EVP_PKEY *ecdsa_key_openssl(const struct ecdsa_key *key);

/* An RSA key of numbers that are checked, big-endian, of the sizes in crypto/rsa.h; the caller
 * frees it.  NULL: it can't be made. */
EVP_PKEY *openssl_rsa_key(struct bytes modulus, struct bytes exponent);

#endif
