/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/rsa.h"

#include "crypto/openssl.h"

#include <openssl/core_names.h>
#include <openssl/rsa.h>

static void context_release(EVP_PKEY_CTX **context)
{
    EVP_PKEY_CTX_free(*context);
}
static void key_release(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}
#define AUTO_CONTEXT __attribute__((cleanup(context_release)))
#define AUTO_KEY     __attribute__((cleanup(key_release)))

/* OpenSSL's form, which wants the machine's byte order. */
EVP_PKEY *openssl_rsa_key(struct bytes modulus_bytes, struct bytes exponent_bytes)
{
    uint8_t modulus[RSA_SIZE_MAX];
    uint8_t exponent[RSA_EXPONENT_SIZE_MAX];
    for (size_t i = 0; i < modulus_bytes.size; i++)
        modulus[i] = modulus_bytes.data[modulus_bytes.size - 1 - i];
    for (size_t i = 0; i < exponent_bytes.size; i++)
        exponent[i] = exponent_bytes.data[exponent_bytes.size - 1 - i];
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, modulus, modulus_bytes.size),
        OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_E, exponent, exponent_bytes.size),
        OSSL_PARAM_construct_end(),
    };
    AUTO_CONTEXT EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    EVP_PKEY *made = NULL;
    if (context == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &made, EVP_PKEY_PUBLIC_KEY, parameters) != 1)
        return NULL;
    return made;
}

bool rsa_holds(struct bytes modulus, struct bytes exponent, const struct digest48 *digest,
               struct bytes signature)
{
    if (signature.size != modulus.size)
        return false;
    const EVP_MD *sha384 = crypto_algorithms()->sha384;
    AUTO_KEY EVP_PKEY *public = openssl_rsa_key(modulus, exponent);
    AUTO_CONTEXT EVP_PKEY_CTX *context =
        public == NULL ? NULL : EVP_PKEY_CTX_new_from_pkey(NULL, public, NULL);
    bool is_held = context != NULL && EVP_PKEY_verify_init(context) == 1 &&
                   EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
                   EVP_PKEY_CTX_set_signature_md(context, sha384) == 1 &&
                   EVP_PKEY_CTX_set_rsa_mgf1_md(context, sha384) == 1 &&
                   EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_SALT_SIZE) == 1 &&
                   EVP_PKEY_verify(context, signature.data, signature.size, digest->bytes,
                                   sizeof(digest->bytes)) == 1;
    struct error ignored;
    if (!is_held)
        crypto_error(&ignored, ERROR_UNVERIFIED, ""); /* empties OpenSSL's queue */
    return is_held;
}
