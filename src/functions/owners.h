/* SPDX-License-Identifier: Apache-2.0 */
/* Who may deploy: the keys the operator configured and those that claimed, kept in the store.
 *
 * Also the claim: while nobody owns the node, whoever presents the one-time code becomes an owner.
 * Guessing is limited by rate, comparing takes the same time whatever differs, and the code is void
 * once an owner is stored.  Owns the records `owners/` of the node's space.  One thread. */
#ifndef FUNCTIONS_OWNERS_H
#define FUNCTIONS_OWNERS_H

#include "base/clock.h"
#include "crypto/ecdsa.h"
#include "functions/limits.h"
#include "store/store.h"

struct owners;

/* Reads the stored ones; the configured ones come on top and are never stored. */
MUST_CHECK bool owners_open(struct owners **owners, struct store *store,
                            const struct ecdsa_public *configured, size_t configured_count,
                            struct error *error);
void owners_free(struct owners *owners);
DEFINE_AUTO(owners, owners_free)
size_t owners_count(const struct owners *owners);
/* By the SHA-256 of the DER SubjectPublicKeyInfo. */
bool owners_find(const struct owners *owners, const struct digest32 *id, struct ecdsa_public *key);

enum {
    CLAIM_CODE_SIZE = 23 /* four groups of five characters with hyphens between */
};

/* Makes a code and opens the claim; `code` gets its text. */
void claim_open(struct owners *owners, char code[CLAIM_CODE_SIZE + 1]);
bool claim_is_open(const struct owners *owners);
/* Stores `key` as an owner and closes the claim.  DENIED when the code is wrong or the claim is not
 * open, BUSY after CLAIM_ATTEMPT_COUNT_MAX wrong ones within CLAIM_WINDOW_MS. */
MUST_CHECK bool claim_present(struct owners *owners, struct bytes code,
                              const struct ecdsa_public *key, const struct clock *clock,
                              struct error *error);

#endif
