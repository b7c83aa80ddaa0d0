/* SPDX-License-Identifier: Apache-2.0 */
/* Releases: the digest that names a version of an application, and the signatures of the people who
 * release it.
 *
 * The version digest is the SHA-256 of the canonical statement
 *     {"artefacts":[<sha256>,...],"manifest":"<sha256>","purpose":"s3n/version/1"}
 * where the artefacts (modules and archives of files) stand once each, ascending; manifest is the
 * digest of the manifest in its canonical form.  Whoever has these files can make it.
 *
 * A signature is a JWS with ES256 whose payload, detached (RFC 7515 appendix F) and not encoded
 * (RFC 7797), is the version digest as 64 hexadecimal digits.  Its header is always
 *     {"alg":"ES256","b64":false,"crit":["b64"],"kid":"<signer>","typ":"s3n-release+jws"}
 * so there is no algorithm to choose; the signer is the SHA-256 of the DER SubjectPublicKeyInfo.
 * One text for one signature.  Pure. */
#ifndef KEYS_RELEASE_H
#define KEYS_RELEASE_H

#include "base/buffer.h"
#include "crypto/ecdsa.h"
#include "crypto/hash.h"

enum {
    RELEASE_SIGNER_COUNT_MAX = 8,
    RELEASE_ARTEFACT_COUNT_MAX = 256,
    RELEASE_TEXT_SIZE_MAX = 320 /* characters of a signature */
};

/* `artefacts` is sorted in place.  LIMIT when there are more than RELEASE_ARTEFACT_COUNT_MAX. */
MUST_CHECK bool release_digest(struct digest32 *version, const struct digest32 *manifest,
                               struct digest32 *artefacts, size_t count, struct error *error);

struct release_signature {
    struct digest32 signer;
    struct ecdsa_signature value;
};

/* Appends the signature's text. */
MUST_CHECK bool release_sign(struct buffer *text, const struct digest32 *version,
                             const struct ecdsa_key *key, struct error *error);
/* Only the form: to learn who claims to have signed.  INVALID. */
MUST_CHECK bool release_parse(struct release_signature *signature, struct bytes text,
                              struct error *error);
/* UNVERIFIED unless `key` is the signer's and made it for this version. */
MUST_CHECK bool release_verify(const struct release_signature *signature,
                               const struct digest32 *version, const struct ecdsa_public *key,
                               struct error *error);

#endif
