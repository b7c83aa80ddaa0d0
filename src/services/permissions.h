/* SPDX-License-Identifier: Apache-2.0 */
/* What a manifest grants a function: `permissions.*` of [function.NAME].  Lists of names, or true
 * and false; nothing by default but the log.  Owns nothing: names live as long as the manifest. */
#ifndef SERVICES_PERMISSIONS_H
#define SERVICES_PERMISSIONS_H

#include "abi/call.h"
#include "base/error.h"

/* Kind (enum call_permission), key in the manifest, what a name of it is called, longest name; 0:
 * a boolean. */
#define PERMISSIONS(X)                                                                             \
    X(KV, "kv", "kv namespace", 63)                                                                \
    X(SECRETS, "secrets", "secret", 64)                                                            \
    X(KEYS, "keys", "key", 128)                                                                    \
    X(HTTP, "http", "address", 512)                                                                \
    X(ATTEST, "attest", "attestation", 0)                                                          \
    X(LOG, "log", "log", 0)

struct permission_list {
    const char **names; /* ascending, none twice */
    size_t count;
};

struct permissions {
    struct permission_list lists[CALL_PERMISSION_COUNT];
    bool is_granted[CALL_PERMISSION_COUNT]; /* of booleans */
};

struct permission_row {
    enum call_permission kind;
    const char *key;
    const char *noun;
    size_t size_max; /* 0: a boolean */
};
extern const struct permission_row permission_rows[];
extern const unsigned permission_row_count;
const struct permission_row *permission_row_of(enum call_permission kind);

/* What a manifest without the table grants. */
struct permissions permissions_default(void);
/* Whether any call that needs `kind` could be granted. */
bool permissions_have(const struct permissions *permissions, enum call_permission kind);
/* Whether `name` is among those granted. */
bool permissions_grant(const struct permissions *permissions, enum call_permission kind,
                       struct bytes name);
/* A name as a manifest may have it: letters, digits and . _ : / - for all kinds but http, whose are
 * rules (outbound/rule.h). */
MUST_CHECK bool permission_check(enum call_permission kind, struct bytes name, struct error *error);

#endif
