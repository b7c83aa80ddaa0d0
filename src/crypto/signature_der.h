/* SPDX-License-Identifier: Apache-2.0 */
/* Inside crypto only: the forms of ECDSA signatures and keys in certificates, whoever does the
 * arithmetic. */
#ifndef CRYPTO_SIGNATURE_DER_H
#define CRYPTO_SIGNATURE_DER_H

#include "crypto/ecdsa.h"
#include "crypto/ecdsa384.h"

/* Whether a number (32 or 48 bytes, big-endian) is in 1..n-1 of its curve. */
bool ecdsa_is_in_order(const uint8_t *number);
bool ecdsa384_is_in_order(const uint8_t *number);
/* The DER form of signatures, as certificates and OpenSSL have it.  false unless r and s are in
 * range and the encoding is the shortest. */
bool ecdsa_signature_from_der(struct ecdsa_signature *signature, struct bytes der);
struct bytes ecdsa_signature_to_der(void *target, size_t capacity,
                                    const struct ecdsa_signature *signature);
bool ecdsa384_signature_from_der(struct ecdsa384_signature *signature, struct bytes der);
/* Splits a SubjectPublicKeyInfo without looking whether the point is on the curve. */
bool ecdsa_public_view_spki(struct ecdsa_public *key, struct bytes spki);

#endif
