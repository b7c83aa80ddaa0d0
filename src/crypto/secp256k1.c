/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/secp256k1.h"

#include "crypto/random.h"

#include <pthread.h>
#include <secp256k1.h>
#include <secp256k1_recovery.h>
#include <string.h>

/* One for the process, blinded once; using it changes nothing in it. */
static secp256k1_context *shared;

static void shared_make(void)
{
    uint8_t seed[32];
    random_bytes(seed, sizeof(seed));
    shared = secp256k1_context_create(SECP256K1_CONTEXT_SIGN | SECP256K1_CONTEXT_VERIFY);
    ASSERT(shared != NULL && secp256k1_context_randomize(shared, seed) == 1);
    secret_wipe(seed, sizeof(seed));
}

static const secp256k1_context *context(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, shared_make);
    return shared;
}

bool secp256k1_is_scalar(const struct secret32 *scalar)
{
    return secp256k1_ec_seckey_verify(context(), scalar->bytes) == 1;
}

static void public_write(struct secp256k1_public *key, const secp256k1_pubkey *point)
{
    uint8_t text[65];
    size_t size = sizeof(text);
    secp256k1_ec_pubkey_serialize(context(), text, &size, point, SECP256K1_EC_UNCOMPRESSED);
    memcpy(key->bytes, text + 1, sizeof(key->bytes));
}

bool secp256k1_public_of(struct secp256k1_public *key, const struct secret32 *scalar,
                         struct error *error)
{
    secp256k1_pubkey point;
    if (secp256k1_ec_pubkey_create(context(), &point, scalar->bytes) != 1)
        return error_set(error, ERROR_INVALID, "private key is out of range");
    public_write(key, &point);
    return true;
}

bool secp256k1_sign(struct secp256k1_signature *signature, const struct secret32 *scalar,
                    const struct digest32 *digest, struct error *error)
{
    secp256k1_ecdsa_recoverable_signature made;
    int recovery;
    if (secp256k1_ecdsa_sign_recoverable(context(), &made, digest->bytes, scalar->bytes,
                                         secp256k1_nonce_function_rfc6979, NULL) != 1)
        return error_set(error, ERROR_INVALID, "private key is out of range");
    secp256k1_ecdsa_recoverable_signature_serialize_compact(context(), signature->bytes, &recovery,
                                                            &made);
    signature->recovery = (uint8_t)recovery;
    return true;
}

static bool public_read(secp256k1_pubkey *point, const struct secp256k1_public *key)
{
    uint8_t text[65] = { 4 };
    memcpy(text + 1, key->bytes, sizeof(key->bytes));
    return secp256k1_ec_pubkey_parse(context(), point, text, sizeof(text)) == 1;
}

bool secp256k1_verify(const struct secp256k1_public *key, const struct digest32 *digest,
                      const struct secp256k1_signature *signature, struct error *error)
{
    secp256k1_pubkey point;
    secp256k1_ecdsa_signature parsed;
    /* verify refuses s in the upper half by itself */
    if (public_read(&point, key) &&
        secp256k1_ecdsa_signature_parse_compact(context(), &parsed, signature->bytes) == 1 &&
        secp256k1_ecdsa_verify(context(), &parsed, digest->bytes, &point) == 1)
        return true;
    return error_set(error, ERROR_UNVERIFIED, "signature does not verify");
}

/* n - s is another signature by the same key, which chains refuse (EIP-2). */
static bool is_lower_half(const struct secp256k1_signature *signature)
{
    secp256k1_ecdsa_signature parsed;
    return secp256k1_ecdsa_signature_parse_compact(context(), &parsed, signature->bytes) == 1 &&
           secp256k1_ecdsa_signature_normalize(context(), NULL, &parsed) == 0;
}

bool secp256k1_recover(struct secp256k1_public *key, const struct digest32 *digest,
                       const struct secp256k1_signature *signature, struct error *error)
{
    secp256k1_ecdsa_recoverable_signature parsed;
    secp256k1_pubkey point;
    if (signature->recovery > 3 || !is_lower_half(signature) ||
        secp256k1_ecdsa_recoverable_signature_parse_compact(context(), &parsed, signature->bytes,
                                                            signature->recovery) != 1 ||
        secp256k1_ecdsa_recover(context(), &point, &parsed, digest->bytes) != 1)
        return error_set(error, ERROR_UNVERIFIED, "no key made this signature");
    public_write(key, &point);
    return true;
}
