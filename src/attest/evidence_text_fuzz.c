/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a file of text: what it stands for is read again from its hexadecimal form. */
#include "fuzz/fuzz.h"

#include "attest/evidence_text.h"
#include "core/hex.h"

#include <stdlib.h>

static void check_again(struct bytes evidence)
{
    size_t size = 2 * evidence.size;
    char *digits = malloc(size + 1);
    uint8_t *space = malloc(2 * size);
    struct bytes again;
    ASSERT(digits != NULL && space != NULL);
    hex_encode(digits, evidence);
    ASSERT(evidence_text_read(&again, space, bytes_of(digits, size)));
    ASSERT(bytes_equal(again, evidence));
    free(space);
    free(digits);
}

void fuzz_one(struct bytes input)
{
    uint8_t *space = malloc(2 * input.size + 1);
    struct bytes evidence;
    ASSERT(space != NULL);
    if (evidence_text_read(&evidence, space, input))
        check_again(evidence);
    if (collateral_text_is(input))
        ASSERT(collateral_text_read(space, input).size <= input.size);
    free(space);
}
