/* SPDX-License-Identifier: Apache-2.0 */
/* The end of an account's audit log, vouched for by the node: who has a copy can tell that nothing
 * was cut off its end.
 *
 * The node signs, with the keyset's receipt key,
 *
 *     SHA-256({"account":"<64 hex>","digest":"<64 hex>","keyset":"<64 hex>","number":N,
 *              "purpose":"s3n/audit-head/1","time_s":T})
 *
 * written without spaces: number and digest are of the last entry (0 and zeros: there is none),
 * keyset is the digest of the keyset that evidence vouches for. */
#ifndef FUNCTIONS_AUDIT_HEAD_H
#define FUNCTIONS_AUDIT_HEAD_H

#include "crypto/ecdsa.h"
#include "functions/audit.h"

struct audit_endorsement {
    struct digest32 account;
    struct audit_head head;
    struct digest32 keyset;
    int64_t time_s;
    struct ecdsa_signature signature;
};

/* Sets the signature. */
MUST_CHECK bool audit_head_sign(struct audit_endorsement *endorsement,
                                const struct ecdsa_key *receipt_key, struct error *error);
/* UNVERIFIED. */
MUST_CHECK bool audit_head_verify(const struct audit_endorsement *endorsement,
                                  const struct ecdsa_public *receipt_key, struct error *error);
/* {"account","digest","keyset","number","signature","time_s"}. */
json_t *audit_endorsement_tree(const struct audit_endorsement *endorsement);
MUST_CHECK bool audit_endorsement_read(struct audit_endorsement *endorsement, const json_t *tree,
                                       struct error *error);

#endif
