/* SPDX-License-Identifier: Apache-2.0 */
/* Wrapped conceptual messages: what is read in CBOR is written and read again the same. */
#include "attest/eat/cmw.h"
#include "core/cbor.h"
#include "fuzz/fuzz.h"

enum {
    SPACE_SIZE = 1 << 17
};

void fuzz_one(struct bytes input)
{
    static uint8_t space[SPACE_SIZE], written[2 * SPACE_SIZE];
    struct error error;
    struct cmw cmw, again;
    struct bytes evidence;
    struct attest_collateral collateral = { 0 };
    if (input.size > SPACE_SIZE / 2 || !cmw_read(&cmw, input, space, sizeof(space), &error))
        return;
    ASSERT(cmw.count > 0);
    (void)!cmw_to_evidence(&cmw, &evidence, &collateral, &error);
    for (size_t i = 0; i < cmw.count; i++) {
        if (cmw.is_collection && cmw.items[i].label.size == 0)
            return; /* an integer, or nothing: written as the same empty text */
    }
    struct writer writer = writer_into(written, sizeof(written));
    cmw_write_cbor(&writer, &cmw);
    ASSERT(cmw_read(&again, writer_view(&writer), NULL, 0, &error));
    ASSERT(again.count == cmw.count && again.is_collection == cmw.is_collection);
    for (size_t i = 0; i < cmw.count; i++)
        ASSERT(bytes_equal(cmw.items[i].value, again.items[i].value) &&
               bytes_equal(cmw.items[i].type, again.items[i].type));
}
