/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/crypto.h"

#include "crypto/openssl.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <stdio.h>

static struct crypto_algorithms algorithms;
static CRYPTO_ONCE once = CRYPTO_ONCE_STATIC_INIT;

static EVP_PKEY *load_curve(const char *curve_name)
{
    char name[8];
    snprintf(name, sizeof(name), "%s", curve_name);
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, name, 0),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY *curve = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    ASSERT(context != NULL && EVP_PKEY_fromdata_init(context) == 1 &&
           EVP_PKEY_fromdata(context, &curve, EVP_PKEY_KEY_PARAMETERS, parameters) == 1);
    EVP_PKEY_CTX_free(context);
    return curve;
}

static void load(void)
{
    /* Configuration files could load engines and providers; nothing here may depend on them. */
    ASSERT(OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) == 1);
    ASSERT(OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) == 1);
    algorithms.sha256 = EVP_MD_fetch(NULL, "SHA2-256", NULL);
    algorithms.sha384 = EVP_MD_fetch(NULL, "SHA2-384", NULL);
    algorithms.sha512 = EVP_MD_fetch(NULL, "SHA2-512", NULL);
    algorithms.aes_256_gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    algorithms.aes_128_gcm = EVP_CIPHER_fetch(NULL, "AES-128-GCM", NULL);
    algorithms.chacha20_poly1305 = EVP_CIPHER_fetch(NULL, "ChaCha20-Poly1305", NULL);
    ASSERT(algorithms.sha256 != NULL && algorithms.sha384 != NULL && algorithms.sha512 != NULL &&
           algorithms.aes_256_gcm != NULL && algorithms.aes_128_gcm != NULL &&
           algorithms.chacha20_poly1305 != NULL);
    algorithms.p256 = load_curve("P-256");
    algorithms.p384 = load_curve("P-384");
    uint8_t seed;
    ASSERT(RAND_priv_bytes(&seed, 1) == 1 && RAND_bytes(&seed, 1) == 1);
}

void crypto_init(void)
{
    ASSERT(CRYPTO_THREAD_run_once(&once, load) == 1);
}

const struct crypto_algorithms *crypto_algorithms(void)
{
    crypto_init();
    return &algorithms;
}

bool crypto_error(struct error *error, enum error_code code, const char *what)
{
    unsigned long reason = ERR_peek_last_error();
    const char *text = reason == 0 ? NULL : ERR_reason_error_string(reason);
    ERR_clear_error();
    if (text == NULL)
        return error_set(error, code, "%s", what);
    return error_set(error, code, "%s: %s", what, text);
}
