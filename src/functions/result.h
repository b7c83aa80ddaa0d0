/* SPDX-License-Identifier: Apache-2.0 */
/* What an invocation answered, as it is kept under an Idempotency-Key: one entry of the
 * application's state, written by the transaction of the invocation itself (services/kv.h).  So the
 * answer is kept exactly when what the invocation did is.
 *
 * Format, little-endian: u8 version (1), 32 bytes fingerprint of the request, 32 hexadecimal digits
 * (the invocation), u64 duration in us, u32 padding, u8 has_answer; with an answer u32 status and
 * u32 count of fields, each u16 size and name, u16 size and value; the rest is the body.  A receipt
 * is not part of it: it covers the state that this is an entry of, and is found by the invocation.
 */
#ifndef FUNCTIONS_RESULT_H
#define FUNCTIONS_RESULT_H

#include "abi/envelope.h"
#include "base/buffer.h"
#include "base/error.h"
#include "functions/limits.h"

struct kept_result {
    struct digest32 fingerprint;
    char id[33];
    uint64_t duration_us;
    uint32_t pad_size;
    bool has_answer;
    struct envelope_answer answer; /* its body is `output` */
    struct bytes output;
};

/* LIMIT: larger than an entry may be. */
MUST_CHECK bool kept_result_write(struct buffer *text, const struct kept_result *result,
                                  struct error *error);
/* Borrows from the text.  CORRUPT. */
MUST_CHECK bool kept_result_read(struct kept_result *result, struct bytes text,
                                 struct error *error);

#endif
