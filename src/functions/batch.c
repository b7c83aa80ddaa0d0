/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/batch.h"

#include <stdio.h>
#include <string.h>

void batch_init(struct batch *batch)
{
    batch->count = 0;
    batch->failed = false;
}

void batch_done(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        buffer_done(&batch->values[i]);
    batch->count = 0;
}

static size_t batch_add(struct batch *batch, enum store_write_kind kind, const char *key,
                        struct bytes value, uint64_t if_revision)
{
    size_t index = batch->count;
    if (batch->failed || index == STORE_WRITES_MAX || strlen(key) >= BATCH_KEY_SIZE) {
        batch->failed = true;
        return 0;
    }
    batch->count++;
    memcpy(batch->keys[index], key, strlen(key) + 1);
    buffer_init(&batch->values[index], STORE_VALUE_SIZE_MAX);
    buffer_append(&batch->values[index], value);
    batch->failed |= batch->values[index].failed;
    batch->writes[index] = (struct store_write){ .kind = kind,
                                                 .key = { STORE_SPACE_NODE, batch->keys[index] },
                                                 .value = buffer_view(&batch->values[index]),
                                                 .if_revision = if_revision };
    return index;
}

size_t batch_put(struct batch *batch, const char *key, struct bytes value, uint64_t if_revision)
{
    return batch_add(batch, STORE_WRITE_PUT, key, value, if_revision);
}

size_t batch_delete(struct batch *batch, const char *key, uint64_t if_revision)
{
    return batch_add(batch, STORE_WRITE_DELETE, key, (struct bytes){ 0 }, if_revision);
}

bool batch_apply(struct batch *batch, struct store *store, struct error *error)
{
    if (batch->failed)
        return error_set(error, ERROR_LIMIT, "too many records for one change");
    return batch->count == 0 || store_apply(store, batch->writes, batch->count, error);
}
