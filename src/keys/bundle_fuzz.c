/* SPDX-License-Identifier: Apache-2.0 */
/* The input as a bundle and as an attestation: what parses can be written and parses again. */
#include "fuzz/fuzz.h"
#include "keys/bundle.h"

void fuzz_one(struct bytes input)
{
    struct error error;
    AUTO_BUNDLE struct bundle bundle;
    AUTO_BUNDLE struct bundle again;
    AUTO_ATTESTATION struct attestation attestation;
    bundle_init(&bundle);
    bundle_init(&again);
    attestation_init(&attestation);
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, 2 * BUNDLE_SIZE_MAX);
    if (attestation_parse(&attestation, input, &error))
        ASSERT(attestation_write(&text, &attestation, &error));
    buffer_clear(&text);
    if (!bundle_parse(&bundle, input, &error))
        return;
    ASSERT(bundle_write(&text, &bundle, &error));
    ASSERT(bundle_parse(&again, buffer_view(&text), &error));
    ASSERT(bytes_equal(buffer_view(&again.receipt), buffer_view(&bundle.receipt)));
}
