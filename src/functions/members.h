/* SPDX-License-Identifier: Apache-2.0 */
/* Who else may work on an owner's account: keys with roles, for all of its applications or one.
 *
 * All are kept in memory; changes are written together with their entry of the audit log.  Owns the
 * records `members/` of the node's space.  One thread. */
#ifndef FUNCTIONS_MEMBERS_H
#define FUNCTIONS_MEMBERS_H

#include "access/access.h"
#include "crypto/ecdsa.h"
#include "functions/audit.h"

struct members;

struct member {
    struct digest32 account;
    struct digest32 id; /* SHA-256 of the key's DER SubjectPublicKeyInfo */
    struct ecdsa_public key;
    enum access_role role;
    char application[NAME_SIZE_MAX + 1]; /* empty: all of the account's */
    char name[NAME_SIZE_MAX + 1];        /* for people; may be empty */
    bool reads_logs; /* though the role may not: logs are sealed to them from then on */
    int64_t added_s;
    uint64_t revision;
};

/* CORRUPT names the record. */
MUST_CHECK bool members_open(struct members **members, struct store *store, struct audit *audit,
                             struct error *error);
void members_free(struct members *members);
DEFINE_AUTO(members, members_free)

/* Adds a member or changes what they may; `id`, `added_s` and `revision` are set here. LIMIT. */
MUST_CHECK bool members_put(struct members *members, const struct member *member,
                            const struct change *change, struct error *error);
/* NOT_FOUND. */
MUST_CHECK bool members_remove(struct members *members, const struct digest32 *account,
                               const struct digest32 *id, const struct change *change,
                               struct error *error);
/* The membership of a key in an account; NULL: none.  Borrowed until the next change. */
const struct member *members_find(const struct members *members, const struct digest32 *account,
                                  const struct digest32 *id);
/* Any account's: the one that was joined first. */
const struct member *members_first(const struct members *members, const struct digest32 *id);
/* Scopes of the role, and of what was granted beyond it. */
uint32_t member_scopes(const struct member *member);
size_t members_count(const struct members *members);
const struct member *members_at(const struct members *members, size_t index);

#endif
