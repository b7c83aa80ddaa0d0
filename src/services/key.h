/* SPDX-License-Identifier: Apache-2.0 */
/* `key_public`, `key_sign`, `key_derive`, `hpke_open`: the application's keys
 * (keys/function_key.h), used by the keeper at its desk while nobody waits.  Each use needs its
 * key, ALGORITHM:PATH, in `permissions.keys`.  The receipt names the keys that signed, derived or
 * opened, with the digest of their public half.  docs/keys.md.
 *
 * The number of an algorithm is enum key_algorithm; KEY_OF_DIGEST beside it in key_sign: the
 * message is a digest. */
#ifndef SERVICES_KEY_H
#define SERVICES_KEY_H

#include "keys/keeper_desk.h"
#include "services/services.h"

enum {
    KEY_OF_DIGEST = 0x100,
    KEY_USED_COUNT_MAX = 16 /* different keys that one invocation uses */
};

struct key_service {
    void *context;
    struct keeper_desk *desk;
    /* The keeper did not answer; may be NULL. */
    void (*failed)(void *context, const struct error *error);
};
extern const struct service service_key; /* context: struct key_service */

#endif
