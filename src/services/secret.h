/* SPDX-License-Identifier: Apache-2.0 */
/* `secret_get`: a secret of the application, released by the keeper for this call.
 *
 * Sealed values come from the node's book of secrets; the keeper opens one at a time, at its desk,
 * while nobody waits.  What an invocation got is held, locked in memory, until its scope goes: so
 * that a second call costs nothing and logs can be cleaned of it; then it is wiped.  The receipt
 * names each, "NAME:VERSION", without a digest of anything.  docs/secrets.md. */
#ifndef SERVICES_SECRET_H
#define SERVICES_SECRET_H

#include "keys/keeper_desk.h"
#include "services/services.h"

enum {
    SECRET_HELD_COUNT_MAX = 16 /* different ones that one invocation gets */
};

struct secret_service {
    void *context;
    struct keeper_desk *desk;
    /* As secrets_find (functions/secrets.h), for whoever asks. */
    bool (*find)(void *context, const struct service_facts *facts, struct bytes name,
                 uint64_t version, struct secret_found *found, struct error *error);
    /* As secrets_release: before it is handed out. */
    bool (*release)(void *context, const struct service_facts *facts,
                    const struct secret_place *place, struct error *error);
    /* The keeper did not answer; may be NULL. */
    void (*failed)(void *context, const struct error *error);
};
extern const struct service service_secret; /* context: struct secret_service */

/* Values that the invocation has got, borrowed until the scope goes. */
struct secret_held {
    struct secret_place place;
    struct secret_buffer value;
};
const struct secret_held *secrets_held(const struct service_scope *scope, size_t *count);

#endif
