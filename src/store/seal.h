/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the store: what each sealed thing is bound to, in one encoding that no two things share:
 * a type byte, then each field in order, texts with their u16 size in front, numbers as u64, all
 * little-endian. */
#ifndef STORE_SEAL_H
#define STORE_SEAL_H

#include "store/store.h"

struct chunk_place {
    struct digest32 digest; /* of the whole blob */
    uint64_t blob_size;
    uint64_t index;
    uint64_t count;
};

MUST_CHECK bool record_seal(const struct sealer *sealer, struct store_key key, uint64_t revision,
                            struct bytes value, struct buffer *sealed, struct error *error);
MUST_CHECK bool record_open(const struct sealer *sealer, struct store_key key, uint64_t revision,
                            struct bytes sealed, struct buffer *value, struct error *error);
MUST_CHECK bool chunk_seal(const struct sealer *sealer, const struct chunk_place *place,
                           struct bytes part, struct buffer *sealed, struct error *error);
MUST_CHECK bool chunk_open(const struct sealer *sealer, const struct chunk_place *place,
                           struct bytes sealed, struct buffer *part, struct error *error);
/* The key of the freshness index, bound to nothing but its purpose. */
MUST_CHECK bool index_key_seal(const struct sealer *sealer, struct bytes key, struct buffer *sealed,
                               struct error *error);
MUST_CHECK bool index_key_open(const struct sealer *sealer, struct bytes sealed, struct buffer *key,
                               struct error *error);

#endif
