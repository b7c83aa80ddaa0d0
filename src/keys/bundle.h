/* SPDX-License-Identifier: Apache-2.0 */
/* All that is needed to check a receipt offline, in one JSON file of any member order:
 *
 *     {"s3n_receipt_bundle":1,"receipt":"<jwt>","platform":"sim","keyset":"<canonical JSON as a
 *      string>","nonce":"<64 hex>","evidence":"<base64>","events":"<event log as a string>"}
 *
 * (`events` may be missing) and the same without receipt and events, as
 * /.well-known/s3n/attestation answers it (with "format": "cmw" for evidence in a wrapper with its
 * collateral, else its own kind). Owns copies of its parts.  Reading proves nothing; verify.h does.
 */
#ifndef KEYS_BUNDLE_H
#define KEYS_BUNDLE_H

#include "keys/keyset.h"

struct attestation {
    char platform[KEYS_PLATFORM_SIZE_MAX + 1];
    struct nonce32 nonce;
    struct buffer keyset;   /* text */
    struct buffer evidence; /* the quote */
    struct buffer events;   /* the event log, taken after the evidence; empty: none is here */
};
struct bundle {
    struct attestation attestation;
    struct buffer receipt; /* text */
};

void attestation_init(struct attestation *attestation);
void attestation_done(struct attestation *attestation);
#define AUTO_ATTESTATION __attribute__((cleanup(attestation_done)))
void bundle_init(struct bundle *bundle);
void bundle_done(struct bundle *bundle);
#define AUTO_BUNDLE __attribute__((cleanup(bundle_done)))

/* Into an initialised, empty value, which stays one for `done` when they fail. */
MUST_CHECK bool attestation_parse(struct attestation *attestation, struct bytes text,
                                  struct error *error);
MUST_CHECK bool bundle_parse(struct bundle *bundle, struct bytes text, struct error *error);
/* Append the JSON. */
MUST_CHECK bool attestation_write(struct buffer *text, const struct attestation *attestation,
                                  struct error *error);
MUST_CHECK bool bundle_write(struct buffer *text, const struct bundle *bundle, struct error *error);

#endif
