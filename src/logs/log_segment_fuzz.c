/* SPDX-License-Identifier: Apache-2.0 */
/* Segments of a node that is not to be trusted, as `s3n logs` reads them. */
#include "fuzz/fuzz.h"
#include "logs/segment.h"

void fuzz_one(struct bytes input)
{
    static struct ecdsa_key *key;
    static const struct secret32 scalar = { { [31] = 7 } };
    struct log_segment segment;
    struct log_chain chain = { 0 };
    struct error error;
    AUTO_BUFFER struct buffer records;
    bool has_key = key != NULL || ecdsa_key_import(&key, &scalar, &error);
    ASSERT(has_key);
    buffer_init(&records, LOG_SEGMENT_PLAIN_MAX);
    if (!log_segment_view(&segment, input, &error))
        return;
    ASSERT(segment.reader_count > 0 && segment.reader_count <= LOG_READER_COUNT_MAX);
    if (log_segment_open(&records, &segment, key, &error))
        ASSERT(records.size <= LOG_SEGMENT_PLAIN_MAX);
    bool follows = log_chain_follow(&chain, &segment, &error);
    ASSERT(follows && chain.number == segment.head.number);
    ASSERT(!log_chain_follow(&chain, &segment, &error)); /* never twice */
}
