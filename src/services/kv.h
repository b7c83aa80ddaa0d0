/* SPDX-License-Identifier: Apache-2.0 */
/* `kv_*`: the application's sealed state (state/states.h).  One invocation is one transaction: it
 * begins with the first call, is validated when the function has ended well, and the answer waits
 * until state and receipt are on the disk together.  docs/kv.md.
 *
 * The answer of kv_list: u32 count, u32 whether there are more, little-endian; each: u32 size of
 * the key, u32 size of the value, i64 time of expiry in ms since 1970 (0: never), the key, and the
 * value when KV_LIST_VALUES was asked for. */
#ifndef SERVICES_KV_H
#define SERVICES_KV_H

#include "core/hex.h"
#include "services/services.h"
#include "state/states.h"

enum {
    KV_LIST_LIMIT_MASK = 0xffff,
    KV_LIST_VALUES = 1 << 16 /* in the number of a kv_list, beside the limit */
};

/* Where answers are kept for repeated requests (an Idempotency-Key): keys are hexadecimal digests.
 */
#define KV_NAMESPACE_RESULTS KV_NAMESPACE_NODE "results"

struct kv_service {
    struct states *states;
};
extern const struct service service_kv; /* context: struct kv_service */

/* The id of an application's state: names are free again once their application is deleted, so it
 * is bound to the owner too. */
struct kv_state_id {
    char text[STATE_ID_SIZE_MAX + 1];
};
struct kv_state_id kv_state_id(const char *application, const struct digest32 *owner);
/* Where the answer of this name (a digest in hexadecimal digits, borrowed) is kept. */
struct kv_key kv_result_key(const struct hex32 *name);
/* Bytes and entries that a manifest allows its state; 0: as much as any. */
struct state_quota kv_quota(uint64_t size, uint64_t count);

#endif
