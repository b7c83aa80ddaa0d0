/* SPDX-License-Identifier: Apache-2.0 */
/* Sealed segments: the unit in which logs are stored and sent.
 *
 *   u32 LOG_SEGMENT_MAGIC, u16 version 1, u16 count of readers, little-endian as all numbers
 *   32  stream: which application's log this is (log_stream_of)
 *   u64 number, 1, 2, ... in the stream
 *   32  SHA-256 of the whole segment before this one (of the first: zeros)
 *   i64 time of its first record, i64 of its last, ms since 1970
 *   per reader: 32 id of the key, 64 encapsulated key, 48 the content key, sealed
 *   u32 size, the records (record.h), sealed with AES-256-GCM
 *
 * Each segment has a content key of its own, sealed to each reader with HPKE (RFC 9180, base mode,
 * DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-256-GCM, info "s3n/log/1", associated data: the first
 * 96 bytes); the records' nonce is zeros, their associated data everything before their size.
 *
 * Anybody can seal to a reader, so a segment proves nothing by itself: the chain of digests ends in
 * a head that the node says over a connection that its evidence vouches for. */
#ifndef LOGS_SEGMENT_H
#define LOGS_SEGMENT_H

#include "base/buffer.h"
#include "base/error.h"
#include "crypto/ecdsa.h"
#include "logs/limits.h"

#define LOG_SEGMENT_MAGIC 0x4c4e3353u /* "S3NL" */

enum {
    LOG_SEGMENT_HEAD_SIZE = 8 + 32 + 8 + 32 + 16,
    LOG_SEGMENT_READER_SIZE = 32 + 64 + 32 + 16
};

struct log_segment_head {
    struct digest32 stream;
    uint64_t number;
    struct digest32 previous;
    int64_t first_ms, last_ms;
};

/* One as it lies there, not opened. */
struct log_segment {
    struct log_segment_head head;
    size_t reader_count;
    struct bytes whole;
    struct bytes readers, associated, sealed;
};

/* An application's log: of its name and owner, since a name may become another owner's. */
struct digest32 log_stream_of(const char *application, const struct digest32 *owner);

/* Appends.  1 to LOG_READER_COUNT_MAX readers; LIMIT for more than LOG_SEGMENT_PLAIN_MAX bytes. */
MUST_CHECK bool log_segment_seal(struct buffer *target, const struct log_segment_head *head,
                                 const struct ecdsa_public *readers, size_t reader_count,
                                 struct bytes records, struct error *error);
/* Borrows.  CORRUPT for what has not the form. */
MUST_CHECK bool log_segment_view(struct log_segment *segment, struct bytes source,
                                 struct error *error);
/* Appends the records.  DENIED: it is not sealed to this key; UNVERIFIED: something was changed. */
MUST_CHECK bool log_segment_open(struct buffer *records, const struct log_segment *segment,
                                 const struct ecdsa_key *key, struct error *error);

/* Where a reader is in a stream. */
struct log_chain {
    bool is_begun; /* the rest counts */
    struct digest32 stream;
    uint64_t number;
    struct digest32 digest; /* of the last segment; with number 0 zeros */
};
/* UNVERIFIED, with the number, when the segment does not follow. */
MUST_CHECK bool log_chain_follow(struct log_chain *chain, const struct log_segment *segment,
                                 struct error *error);

#endif
