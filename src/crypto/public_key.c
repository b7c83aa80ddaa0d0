/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/public_key.h"

#include "crypto/der.h"
#include "crypto/oid.h"
#include "crypto/rsa.h"
#include "crypto/signature_der.h"

#include <string.h>

/* SubjectPublicKeyInfo of a P-384 key up to x: ecPublicKey, secp384r1, BIT STRING 04. */
static const uint8_t p384_prefix[24] = { 0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86,
                                         0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b,
                                         0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00, 0x04 };

/* SEQUENCE { SEQUENCE { rsaEncryption, NULL }, BIT STRING SEQUENCE { modulus, exponent } }. */
static bool view_rsa(struct public_key *key, struct bytes spki)
{
    struct reader outer = reader_of(spki);
    struct reader info = der_enter(&outer, DER_SEQUENCE);
    struct reader algorithm = der_enter(&info, DER_SEQUENCE);
    struct bytes oid = der_read(&algorithm, DER_OID);
    struct bytes parameters = der_read(&algorithm, DER_NULL);
    struct reader bits = reader_of(der_read_bits(&info));
    struct reader numbers = der_enter(&bits, DER_SEQUENCE);
    struct bytes modulus = der_read_big(&numbers);
    struct bytes exponent = der_read_big(&numbers);
    if (!read_end(&algorithm) || !read_end(&numbers) || !read_end(&bits) || !read_end(&info) ||
        !read_end(&outer) || !bytes_equal(oid, oid_rsa_encryption) || parameters.size != 0)
        return false;
    /* Whole bytes with the highest bit set: no size between; both numbers odd, the exponent not 1.
     */
    if (modulus.size < RSA_SIZE_MIN || modulus.size > RSA_SIZE_MAX || modulus.data[0] < 0x80 ||
        (modulus.data[modulus.size - 1] & 1) == 0 || exponent.size == 0 ||
        exponent.size > RSA_EXPONENT_SIZE_MAX || (exponent.data[exponent.size - 1] & 1) == 0 ||
        (exponent.size == 1 && exponent.data[0] == 1))
        return false;
    key->kind = PUBLIC_KEY_RSA;
    key->modulus = modulus;
    key->exponent = exponent;
    return true;
}

bool public_key_view_spki(struct public_key *key, struct bytes spki)
{
    struct public_key parsed = { .kind = PUBLIC_KEY_P256, .spki = spki };
    if (spki.size == sizeof(p384_prefix) + sizeof(parsed.p384.bytes) &&
        bytes_starts_with(spki, BYTES_OF(p384_prefix))) {
        parsed.kind = PUBLIC_KEY_P384;
        memcpy(parsed.p384.bytes, spki.data + sizeof(p384_prefix), sizeof(parsed.p384.bytes));
    } else if (!ecdsa_public_view_spki(&parsed.p256, spki) && !view_rsa(&parsed, spki))
        return false;
    *key = parsed;
    return true;
}

/* AlgorithmIdentifier of SHA-384; parameters NULL or absent (RFC 4055 section 2.1 wants both
 * understood, and both occur). */
static void read_sha384(struct reader *reader)
{
    struct reader algorithm = der_enter(reader, DER_SEQUENCE);
    if (!bytes_equal(der_read(&algorithm, DER_OID), oid_sha384))
        reader_fail(reader);
    if (der_peek(&algorithm) == DER_NULL && der_read(&algorithm, DER_NULL).size != 0)
        reader_fail(reader);
    if (!read_end(&algorithm))
        reader_fail(reader);
}

/* RSASSA-PSS-params (RFC 4055 section 3.1).  None of the three may be left out, as the defaults are
 * SHA-1 and a salt of 20 bytes.  The trailer field's only value is its default; DER leaves it out,
 * real certificates have it. */
static void read_pss(struct reader *algorithm)
{
    struct reader parameters = der_enter(algorithm, DER_SEQUENCE);
    struct reader hash = der_enter(&parameters, DER_CONTEXT_0);
    read_sha384(&hash);
    struct reader mask = der_enter(&parameters, DER_CONTEXT_1);
    struct reader mask_algorithm = der_enter(&mask, DER_SEQUENCE);
    bool is_mgf1 = bytes_equal(der_read(&mask_algorithm, DER_OID), oid_mgf1);
    read_sha384(&mask_algorithm);
    struct reader salt = der_enter(&parameters, DER_CONTEXT_2);
    bool is_salt_right = der_read_unsigned(&salt, RSA_SALT_SIZE) == RSA_SALT_SIZE;
    bool is_sound = read_end(&hash) && is_mgf1 && read_end(&mask_algorithm) && read_end(&mask) &&
                    is_salt_right && read_end(&salt);
    if (der_peek(&parameters) == DER_CONTEXT_3) {
        struct reader trailer = der_enter(&parameters, DER_CONTEXT_3);
        is_sound = is_sound && der_read_unsigned(&trailer, 1) == 1 && read_end(&trailer);
    }
    if (!is_sound || !read_end(&parameters))
        reader_fail(algorithm);
}

enum signature_kind signature_read_algorithm(struct reader *reader)
{
    enum signature_kind kind = SIGNATURE_ECDSA_SHA256;
    struct reader algorithm = der_enter(reader, DER_SEQUENCE);
    struct bytes oid = der_read(&algorithm, DER_OID);
    if (bytes_equal(oid, oid_rsassa_pss)) {
        kind = SIGNATURE_RSA_PSS_SHA384;
        read_pss(&algorithm);
    } else if (bytes_equal(oid, oid_ecdsa_with_sha384))
        kind = SIGNATURE_ECDSA_SHA384;
    else if (!bytes_equal(oid, oid_ecdsa_with_sha256))
        reader_fail(reader);
    if (!read_end(&algorithm))
        reader_fail(reader);
    return kind;
}

bool signature_view(struct signature_value *signature, enum signature_kind kind,
                    struct bytes content)
{
    struct signature_value parsed = { .kind = kind };
    switch (kind) {
    case SIGNATURE_ECDSA_SHA256:
        if (!ecdsa_signature_from_der(&parsed.p256, content))
            return false;
        break;
    case SIGNATURE_ECDSA_SHA384:
        if (!ecdsa384_signature_from_der(&parsed.p384, content))
            return false;
        break;
    case SIGNATURE_RSA_PSS_SHA384:
        if (content.size < RSA_SIZE_MIN || content.size > RSA_SIZE_MAX)
            return false;
        parsed.rsa = content;
        break;
    }
    *signature = parsed;
    return true;
}

static bool goes_with(enum public_key_kind key, enum signature_kind signature)
{
    switch (signature) {
    case SIGNATURE_ECDSA_SHA256:
        return key == PUBLIC_KEY_P256;
    case SIGNATURE_ECDSA_SHA384:
        return key == PUBLIC_KEY_P384;
    case SIGNATURE_RSA_PSS_SHA384:
        return key == PUBLIC_KEY_RSA;
    }
    return false;
}

bool public_key_verify(const struct public_key *key, struct bytes message,
                       const struct signature_value *signature, struct error *error)
{
    if (!goes_with(key->kind, signature->kind))
        return error_set(error, ERROR_UNVERIFIED, "signature does not verify");
    if (key->kind == PUBLIC_KEY_P256) {
        struct digest32 digest = sha256_of(message);
        return ecdsa_verify(&key->p256, &digest, &signature->p256, error);
    }
    struct digest48 digest = sha384_of(message);
    if (key->kind == PUBLIC_KEY_P384)
        return ecdsa384_verify(&key->p384, &digest, &signature->p384, error);
    return rsa_holds(key->modulus, key->exponent, &digest, signature->rsa) ||
           error_set(error, ERROR_UNVERIFIED, "signature does not verify");
}

bool public_key_equal(const struct public_key *a, const struct public_key *b)
{
    return a->kind == b->kind && a->spki.size > 0 && bytes_equal(a->spki, b->spki);
}

struct digest32 public_key_id(const struct public_key *key)
{
    return sha256_of(key->spki);
}

const char *public_key_kind_name(enum public_key_kind kind)
{
    switch (kind) {
    case PUBLIC_KEY_P256:
        return "P-256";
    case PUBLIC_KEY_P384:
        return "P-384";
    case PUBLIC_KEY_RSA:
        return "RSA";
    }
    return "none";
}
