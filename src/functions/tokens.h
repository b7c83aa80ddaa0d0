/* SPDX-License-Identifier: Apache-2.0 */
/* The API tokens that this node accepts (access/token.h has their form).
 *
 * A token is for one account and maybe one of its applications, has some of the scopes of the key
 * that made it, and expires.  The store has its hash, never its text.  All are kept in memory;
 * changes are written together with their entry of the audit log, last uses once in a while without
 * one.  Owns the records `tokens/` and `token-tag` of the node's space.  One thread. */
#ifndef FUNCTIONS_TOKENS_H
#define FUNCTIONS_TOKENS_H

#include "access/access.h"
#include "access/token.h"
#include "functions/audit.h"

struct tokens;

struct api_token {
    struct token_id id;
    struct digest32 hash;
    struct digest32 account;
    struct digest32 creator; /* the key that made it */
    uint32_t scopes;
    char application[NAME_SIZE_MAX + 1]; /* empty: all of the account's */
    char name[NAME_SIZE_MAX + 1];        /* for people; may be empty */
    int64_t created_s, expires_s;
    int64_t last_used_s;   /* 0: never */
    int64_t stored_used_s; /* of it what the store has */
    uint64_t revision;
};
struct token_id_text {
    char text[2 * TOKEN_ID_SIZE + 1];
};
struct token_id_text token_id_text(const struct token_id *id);

/* CORRUPT names the record. */
MUST_CHECK bool tokens_open(struct tokens **tokens, struct store *store, struct audit *audit,
                            struct error *error);
void tokens_free(struct tokens *tokens);
DEFINE_AUTO(tokens, tokens_free)

/* What a token shall be: account, creator, scopes, application, name, expires_s of `wanted`. `text`
 * is the only copy, for the caller to wipe; *made is borrowed until the next change. LIMIT. */
MUST_CHECK bool tokens_create(struct tokens *tokens, const struct api_token *wanted,
                              const struct change *change, char text[TOKEN_TEXT_SIZE + 1],
                              const struct api_token **made, struct error *error);
/* Whose text it is, and that it is valid now; notes the use.  UNAUTHENTICATED says why not. */
MUST_CHECK bool tokens_use(struct tokens *tokens, struct bytes text, int64_t now_s,
                           const struct api_token **found, struct error *error);
/* NULL: there is none of the account by that id. */
const struct api_token *tokens_find(const struct tokens *tokens, const struct digest32 *account,
                                    const struct token_id *id);
/* NOT_FOUND. */
MUST_CHECK bool tokens_revoke(struct tokens *tokens, const struct digest32 *account,
                              const struct token_id *id, const struct change *change,
                              struct error *error);
size_t tokens_count(const struct tokens *tokens);
const struct api_token *tokens_at(const struct tokens *tokens, size_t index);
/* Stores last uses that are TOKEN_USE_STEP_S later than what is stored, and forgets what expired
 * long ago, a little at a time. */
MUST_CHECK bool tokens_sweep(struct tokens *tokens, int64_t now_s, struct error *error);
/* Stores all last uses: before the node stops.  NULL: nothing. */
MUST_CHECK bool tokens_keep(struct tokens *tokens, struct error *error);

#endif
