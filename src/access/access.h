/* SPDX-License-Identifier: Apache-2.0 */
/* Who may do what: the scopes that the API's operations need, the roles that have them, and what
 * is known of whoever asks.
 *
 * An account is one owner's: its applications, members, tokens and audit log; it is named by the
 * SHA-256 of the owner's first key (DER SubjectPublicKeyInfo), whichever keys came after.  This
 * module says what follows from a role; who has which is kept elsewhere (functions/members.h,
 * functions/tokens.h).  Pure: no files, no network, no clock of its own. */
#ifndef ACCESS_ACCESS_H
#define ACCESS_ACCESS_H

#include "access/limits.h"
#include "base/error.h"
#include "core/bytes.h"

/* Each operation of the API needs one.  Name, text, the least role that has it, whether a token may
 * have it. */
#define ACCESS_SCOPES(X)                                                                           \
    X(READ, "read", READER, true)         /* applications, versions, members */                    \
    X(METRICS, "metrics", READER, true)   /* figures of own functions */                           \
    X(AUDIT, "audit", READER, true)       /* the log of changes */                                 \
    X(LOGS, "logs", DEPLOYER, true)       /* what functions logged, still sealed */                \
    X(DEPLOY, "deploy", DEPLOYER, true)   /* upload, deploy, sign */                               \
    X(ROLLOUT, "rollout", DEPLOYER, true) /* which version serves */                               \
    X(STATE_READ, "state-read", DEPLOYER, true)                                                    \
    X(STATE_WRITE, "state-write", DEPLOYER, true)                                                  \
    X(SECRETS, "secrets", DEPLOYER, true) /* set and rotate; values are never read back */         \
    X(INVOKE, "invoke", DEPLOYER, true)   /* routes with auth = "token" or "owner" */              \
    X(TOKENS, "tokens", READER, false)    /* make and revoke one's own */                          \
    X(DELETE, "delete", OWNER, true)      /* and restore what was deleted */                       \
    X(MEMBERS, "members", OWNER, false)   /* members, others' tokens, the account's keys */

enum access_scope {
#define ACCESS_SCOPE_ENUM(name, text, role, for_tokens) ACCESS_SCOPE_##name,
    ACCESS_SCOPES(ACCESS_SCOPE_ENUM)
#undef ACCESS_SCOPE_ENUM
    ACCESS_SCOPE_COUNT
};

/* Each has what those before it have. */
enum access_role {
    ACCESS_ROLE_READER,
    ACCESS_ROLE_DEPLOYER,
    ACCESS_ROLE_OWNER,
    ACCESS_ROLE_COUNT
};

const char *access_scope_name(enum access_scope scope);
const char *access_role_name(enum access_role role);
MUST_CHECK bool access_scope_of_name(enum access_scope *scope, struct bytes name,
                                     struct error *error);
MUST_CHECK bool access_role_of_name(enum access_role *role, struct bytes name, struct error *error);
/* Sets of scopes: bit 1 << enum access_scope. */
uint32_t access_role_scopes(enum access_role role);
/* Those that a token may have. */
uint32_t access_token_scopes(void);

/* How somebody proved who they are. */
enum access_how {
    ACCESS_BY_NOTHING,
    ACCESS_BY_KEY,   /* a signature under the request */
    ACCESS_BY_TOKEN, /* an API token */
    ACCESS_BY_JWT    /* a token of an issuer that the application names */
};

/* Whoever asks, for an account. */
struct access_caller {
    enum access_how how;
    struct digest32 account;
    enum access_role role; /* a token's: of who made it */
    uint32_t scopes;
    struct digest32 key;                        /* that signed, or that made the token */
    char actor[ACCESS_ACTOR_SIZE_MAX + 1];      /* as the audit log has it */
    char application[ACCESS_NAME_SIZE_MAX + 1]; /* all that they may touch; empty: whatever the
                                                   account has */
};
bool access_has(const struct access_caller *caller, enum access_scope scope);
/* DENIED says what is missing.  `application` may be empty: the operation is about none. */
MUST_CHECK bool access_check(const struct access_caller *caller, enum access_scope scope,
                             struct bytes application, struct error *error);

#endif
