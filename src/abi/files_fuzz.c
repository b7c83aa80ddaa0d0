/* SPDX-License-Identifier: Apache-2.0 */
#include "abi/files.h"
#include "fuzz/fuzz.h"

/* A parsed archive is walked as the guest would: nothing in it may lead outside, and every name is
 * found where it stands. */
void fuzz_one(struct bytes input)
{
    struct files files;
    const char *reason;
    if (!files_parse(&files, input, &reason))
        return;
    volatile uint64_t sum = 0;
    for (uint32_t i = 0; i < files.node_count; i++) {
        struct files_node node = files_node_at(&files, i);
        struct bytes name = files_name(&files, &node), data = files_data(&files, &node);
        for (size_t j = 0; j < data.size; j++)
            sum = sum + data.data[j];
        uint32_t index = 0;
        if (i >= files.preopen_count)
            ASSERT(node.parent < i && files_find(&files, node.parent, name, &index) && index == i);
    }
}
