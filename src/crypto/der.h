/* SPDX-License-Identifier: Apache-2.0 */
/* DER (X.690): the few types that certificates, keys and their extensions use, over core's reader
 * and writer.
 *
 * Reading fails the reader (sticky, as core/reader.h) on another tag, an indefinite or over-long
 * length, or a value in any but its shortest form.  Owns nothing, never allocates. */
#ifndef CRYPTO_DER_H
#define CRYPTO_DER_H

#include "core/bytes.h"
#include "core/reader.h"
#include "core/writer.h"
#include "crypto/limits.h"

enum der_tag {
    DER_BOOLEAN = 0x01,
    DER_INTEGER = 0x02,
    DER_BIT_STRING = 0x03,
    DER_OCTET_STRING = 0x04,
    DER_NULL = 0x05,
    DER_OID = 0x06,
    DER_ENUMERATED = 0x0a,
    DER_UTF8_STRING = 0x0c,
    DER_SEQUENCE = 0x30,
    DER_SET = 0x31,
    DER_PRINTABLE_STRING = 0x13,
    DER_UTC_TIME = 0x17,
    DER_GENERALIZED_TIME = 0x18,
    DER_CONTEXT_0 = 0xa0, /* constructed [0], and so on */
    DER_CONTEXT_1 = 0xa1,
    DER_CONTEXT_2 = 0xa2,
    DER_CONTEXT_3 = 0xa3
};

/* The next value's content, which must carry `tag`; empty after a failure. */
struct bytes der_read(struct reader *reader, uint8_t tag);
/* The next value with its tag and length, whatever it is, and its content. */
struct bytes der_read_any(struct reader *reader, uint8_t *tag, struct bytes *content);
/* The tag of the next value, 0 at the end. */
uint8_t der_peek(const struct reader *reader);
/* A reader inside the next value. */
struct reader der_enter(struct reader *reader, uint8_t tag);
/* A non-negative INTEGER up to `max`. */
uint64_t der_read_unsigned(struct reader *reader, uint64_t max);
uint64_t der_read_enumerated(struct reader *reader, uint64_t max);
/* A non-negative INTEGER's bytes without a leading zero; empty for zero. */
struct bytes der_read_big(struct reader *reader);
bool der_read_boolean(struct reader *reader);
/* UTCTime or GeneralizedTime in RFC 5280's form, as seconds since 1970. */
int64_t der_read_time(struct reader *reader);
/* A BIT STRING without unused bits. */
struct bytes der_read_bits(struct reader *reader);

/* Lengths become known at the end of a value: der_open leaves one byte for it, der_close makes
 * room for more when it must. */
struct der_writer {
    struct writer writer;
    size_t open[DER_DEPTH_MAX];
    unsigned depth;
};

struct der_writer der_writer_into(void *data, size_t capacity);
void der_open(struct der_writer *writer, uint8_t tag);
void der_close(struct der_writer *writer);
void der_write(struct der_writer *writer, uint8_t tag, struct bytes content);
/* Bytes that are DER already. */
void der_write_raw(struct der_writer *writer, struct bytes der);
void der_write_unsigned(struct der_writer *writer, uint64_t number);
void der_write_enumerated(struct der_writer *writer, uint64_t number);
/* A non-negative INTEGER from big-endian bytes. */
void der_write_big(struct der_writer *writer, struct bytes number);
void der_write_boolean(struct der_writer *writer, bool value);
void der_write_time(struct der_writer *writer, int64_t time_s);
void der_write_bits(struct der_writer *writer, struct bytes bits);
/* All written, every der_open closed; empty when it did not fit. */
struct bytes der_writer_view(const struct der_writer *writer);

#endif
