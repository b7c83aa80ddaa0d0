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
#include "functions/audit.h"
#include "functions/limits.h"
#include "store/store.h"

struct owners;

/* Reads the stored ones; the configured ones come on top and are never stored. */
MUST_CHECK bool owners_open(struct owners **owners, struct store *store,
                            const struct ecdsa_public *configured, size_t configured_count,
                            struct error *error);
void owners_free(struct owners *owners);
DEFINE_AUTO(owners, owners_free)
/* --- an account's keys, one after the other ---
 *
 * An account is named by its first key.  The present key signs the next one, which proves itself
 * over the same statement:
 *
 *     SHA-256({"account":"<64 hex>","from":"<64 hex>","number":N,"purpose":"s3n/owner-key/1",
 *              "time_s":T,"to":"<64 hex>"})
 *
 * without spaces; number counts the keys, the first is 1.  The key before is accepted until its
 * overlap ends; all are kept, with the statements, so whoever knows an account's name can follow
 * them to the present key. */
struct owner_step {
    struct ecdsa_public key;
    int64_t from_s;                          /* 0: the first */
    int64_t until_s;                         /* 0: it is the present key */
    struct ecdsa_signature signature, proof; /* by the key before, by this one; zeros: the first */
};
/* The step to the next key, judged: UNVERIFIED. */
MUST_CHECK bool owner_step_verify(const struct digest32 *account, uint64_t number,
                                  const struct ecdsa_public *from, const struct owner_step *step,
                                  struct error *error);
/* Sets signature and proof. */
MUST_CHECK bool owner_step_sign(struct owner_step *step, const struct digest32 *account,
                                uint64_t number, const struct ecdsa_key *from,
                                const struct ecdsa_key *to, struct error *error);
/* {"from_s","key","proof","signature","until_s"}, without zeros. */
json_t *owner_step_tree(const struct owner_step *step);
MUST_CHECK bool owner_step_read(struct owner_step *step, const json_t *tree, struct error *error);

/* The keys of an account, the first one first; NULL: no such account.  Borrowed until a change. */
const struct owner_step *owners_keys(const struct owners *owners, const struct digest32 *account,
                                     size_t *count);
/* The account that this key speaks for at this time; false: none. */
bool owners_account_of(const struct owners *owners, const struct digest32 *id, int64_t now_s,
                       struct digest32 *account, struct ecdsa_public *key);
/* The step's key is the account's from now on; the one before is accepted for overlap_s more.
 * DENIED unless `by` is the present key. */
MUST_CHECK bool owners_rotate(struct owners *owners, struct audit *audit,
                              const struct digest32 *account, const struct digest32 *by,
                              const struct owner_step *step, int64_t overlap_s,
                              const struct change *change, struct error *error);

size_t owners_count(const struct owners *owners);
/* The present key of an account, by the account's name. */
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
