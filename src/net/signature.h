/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP Message Signatures (RFC 9421) with ecdsa-p256-sha256, and Content-Digest (RFC 9530) with
 * sha-256.
 *
 * S3N's own signatures have the label "s3n", cover "@method", "@target-uri" (or "@path" and
 * "@query", with "@authority") and, when there is a body, "content-digest", and carry created,
 * nonce, keyid (hex SHA-256 of the DER SubjectPublicKeyInfo) and alg.  Parsing is bounded
 * and separate from judging: signature_parse reads any well-formed signature, signature_verify
 * checks the mathematics, signature_check checks that it is one of ours and fresh.  Single use of
 * nonces: nonce.h. */
#ifndef NET_SIGNATURE_H
#define NET_SIGNATURE_H

#include "base/buffer.h"
#include "base/error.h"
#include "crypto/ecdsa.h"
#include "net/http.h"

#define SIGNATURE_LABEL     "s3n"
#define SIGNATURE_ALGORITHM "ecdsa-p256-sha256"

/* What a signature can cover: a request, or an answer when `status` is not 0. */
struct signature_message {
    int status;
    enum http_method method;
    struct bytes scheme; /* "https" */
    struct bytes authority;
    struct bytes target;             /* path and query */
    const struct http_field *fields; /* lower-case names */
    size_t field_count;
};
struct signature_message signature_message_of(const struct http_request *request,
                                              struct bytes scheme);

struct signature {
    struct bytes input; /* the value of the label in Signature-Input, exactly as sent */
    struct bytes components[SIGNATURE_COMPONENT_COUNT_MAX]; /* names, without quotes */
    size_t component_count;
    bool has_created, has_expires;
    int64_t created_s, expires_s;
    struct bytes nonce, key_id, algorithm, tag; /* empty when absent */
    struct ecdsa_signature value;
};

/* Reads the signature of that label from the message's Signature-Input and Signature fields.
 * UNAUTHENTICATED when there is none, INVALID when it is malformed or over a limit.  Borrows the
 * message's bytes. */
MUST_CHECK bool signature_parse(struct signature *signature,
                                const struct signature_message *message, const char *label,
                                struct error *error);
/* Appends the signature base of RFC 9421 section 2.5.  INVALID when a covered component is not in
 * the message or is not supported (parameters of components are not). */
MUST_CHECK bool signature_base(struct buffer *base, const struct signature *signature,
                               const struct signature_message *message, struct error *error);
/* UNAUTHENTICATED for every failure but a malformed message. */
MUST_CHECK bool signature_verify(const struct signature *signature,
                                 const struct signature_message *message,
                                 const struct ecdsa_public *key, struct error *error);
/* Covers what S3N asks for, has all parameters, and is at most SIGNATURE_AGE_S_MAX off `now_s`.
 * `needs_digest`: the message has a body. */
MUST_CHECK bool signature_check(const struct signature *signature, bool needs_digest, int64_t now_s,
                                struct error *error);
/* keyid as a digest; false when it is not 64 lower-case hex digits. */
MUST_CHECK bool signature_key_id(const struct signature *signature, struct digest32 *id);

/* Appends the values of Signature-Input and Signature for our own form.  The message's fields must
 * hold content-digest when `covers_digest`.  `nonce`: 16 random bytes or more, in hex. */
MUST_CHECK bool signature_create(struct buffer *input, struct buffer *value,
                                 const struct signature_message *message, bool covers_digest,
                                 int64_t created_s, const char *nonce, const struct ecdsa_key *key,
                                 struct error *error);

/* Appends "sha-256=:...:". */
void content_digest_write(struct buffer *value, const struct digest32 *digest);
/* The sha-256 member of a Content-Digest value. */
MUST_CHECK bool content_digest_parse(struct digest32 *digest, struct bytes value,
                                     struct error *error);
/* Both: the field's sha-256 is that of the body. */
MUST_CHECK bool content_digest_check(struct bytes value, struct bytes body, struct error *error);

#endif
