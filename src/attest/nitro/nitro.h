/* SPDX-License-Identifier: Apache-2.0 */
/* AWS Nitro Enclaves: attestation documents, and what a verified one says.
 *
 * A document is a COSE_Sign1 message whose payload the secure module writes; its format is in
 * "Verifying the root of trust" of the AWS Nitro Enclaves user guide.  Parsing trusts nothing: a
 * document that parses is not yet genuine. */
#ifndef ATTEST_NITRO_NITRO_H
#define ATTEST_NITRO_NITRO_H

#include "attest/limits.h"
#include "attest/reason.h"
#include "crypto/cose.h"

enum {
    NITRO_PCR_COUNT = 32
};

struct nitro_claims {
    char module_id[NITRO_MODULE_ID_SIZE_MAX + 1]; /* instance and enclave */
    uint64_t timestamp_ms; /* since 1970, by the secure module's clock; never zero */
    uint8_t pcrs[NITRO_PCR_COUNT][64];
    size_t pcr_sizes[NITRO_PCR_COUNT]; /* 48 today; 0: not in the document */
    /* Of the enclave's choice, each empty without one; borrowed from the evidence. */
    struct bytes public_key;
    struct bytes user_data;
    struct bytes nonce;
};

struct nitro_document {
    struct cose_sign1 message;
    struct nitro_claims claims;
    struct bytes bundle[NITRO_BUNDLE_COUNT_MAX]; /* root first, DER, not looked at */
    size_t bundle_count;
    struct bytes certificate; /* the leaf, DER */
};

/* INVALID with *reason set: TRAILING_DATA, UNSUPPORTED_ALG or FORMAT. */
MUST_CHECK bool nitro_document_parse(struct nitro_document *document, struct bytes evidence,
                                     enum attest_reason *reason, struct error *error);
/* Whether the enclave runs in debug mode: then PCR0 to PCR2 are zero. */
bool nitro_is_debug(const struct nitro_claims *claims);

#endif
