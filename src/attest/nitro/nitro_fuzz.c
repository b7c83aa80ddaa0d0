/* SPDX-License-Identifier: Apache-2.0 */
/* Nitro documents: parsing, then the whole verification of what parses.  A document's bytes are
 * signed but for its tag, so only the corpus' own documents can be valid. */
#include "attest/attest.h"
#include "fuzz/fuzz.h"

void fuzz_one(struct bytes input)
{
    struct error error;
    enum attest_reason reason = ATTEST_REASON_NONE;
    struct nitro_document document;
    if (!nitro_document_parse(&document, input, &reason, &error)) {
        ASSERT(reason != ATTEST_REASON_NONE);
        return;
    }
    ASSERT(document.bundle_count > 0 && document.claims.module_id[0] != '\0');
    struct attest_verdict verdict;
    struct attest_options options = { .tee = ATTEST_TEE_NITRO, .now_s = 1766678659 };
    ASSERT(attest_verify(&verdict, input, &options, &error) == verdict.is_valid);
    static uint8_t text[1 << 17];
    struct writer writer = writer_into(text, sizeof(text));
    struct json_writer json = json_writer_into(&writer);
    json_write_object_begin(&json);
    attest_verdict_write(&json, &verdict);
    json_write_object_end(&json);
    ASSERT(!writer.failed);
}
