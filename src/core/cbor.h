/* SPDX-License-Identifier: Apache-2.0 */
/* CBOR (RFC 8949) over core's reader and writer: one form per value.
 *
 * What is read and written is the preferred form of section 4.1: a longer head than needed, a
 * reserved head, a string in parts, text that is not UTF-8, a map key that occurs twice or is no
 * integer or string, or nesting above CBOR_DEPTH_MAX is not CBOR here.  Arrays and maps of
 * indefinite length exist only as devices emit them.
 * cbor_reader_of and cbor_first look at all of an item before any of it is read, so that a value
 * that was read can't be followed by a malformed one.  The functions that read fail the reader
 * (sticky, as core/reader.h) on another kind.  Never allocates. */
#ifndef CORE_CBOR_H
#define CORE_CBOR_H

#include "core/reader.h"
#include "core/writer.h"

enum {
    CBOR_DEPTH_MAX = 16, /* items inside each other: arrays, maps and tags */
    CBOR_KEYS_MAX = 256  /* map keys on the way from the outermost item to one inside */
};

enum cbor_order {
    CBOR_SORTED,    /* deterministic, section 4.2.1: keys by their bytes, shortest floats */
    CBOR_UNSORTED,  /* keys in any order, floats of any width */
    CBOR_AS_EMITTED /* and arrays and maps may end with a break */
};

enum cbor_kind {
    CBOR_UNSIGNED,
    CBOR_NEGATIVE,
    CBOR_BYTES,
    CBOR_TEXT,
    CBOR_ARRAY,
    CBOR_MAP,
    CBOR_TAG,
    CBOR_BOOLEAN,
    CBOR_NULL,
    CBOR_UNDEFINED,
    CBOR_SIMPLE, /* other simple values, none of which means anything yet */
    CBOR_FLOAT,
    CBOR_NONE /* the end, or not CBOR */
};

/* The whole of the source is exactly one item; a failed reader otherwise. */
struct reader cbor_reader_of(struct bytes source, enum cbor_order order);
/* The first item of the source with all that is inside; empty when it is not sound. */
struct bytes cbor_first(struct bytes source, enum cbor_order order);

/* The kind of the next item. */
enum cbor_kind cbor_peek(const struct reader *reader);
uint64_t cbor_read_unsigned(struct reader *reader);
/* An integer of either sign within int64_t. */
int64_t cbor_read_integer(struct reader *reader);
/* Borrowed content. */
struct bytes cbor_read_bytes(struct reader *reader);
struct bytes cbor_read_text(struct reader *reader);
/* Elements, or key and value pairs, which follow in the reader; above `max`, or of indefinite
 * length, fails it. */
size_t cbor_read_array(struct reader *reader, size_t max);
size_t cbor_read_map(struct reader *reader, size_t max);
/* The same for any length:
 *     struct cbor_items items = cbor_enter_map(&reader, MAX);
 *     while (cbor_next(&items, &reader)) { read a key; read its value; } */
struct cbor_items {
    size_t left;
    bool is_indefinite;
};
struct cbor_items cbor_enter_array(struct reader *reader, size_t max);
struct cbor_items cbor_enter_map(struct reader *reader, size_t max);
bool cbor_next(struct cbor_items *items, struct reader *reader);
/* The tag's number; the tagged item follows. */
uint64_t cbor_read_tag(struct reader *reader);
bool cbor_read_boolean(struct reader *reader);
void cbor_read_null(struct reader *reader);
/* Bits of the binary64 (IEEE 754) of the same value, whatever its width was. */
uint64_t cbor_read_float_bits(struct reader *reader);
/* The next item as it is encoded, with all that is inside. */
struct bytes cbor_read_item(struct reader *reader);

/* Each writes in the preferred form.  After an array's or map's head come that many items or pairs;
 * sorting keys is the caller's. */
void cbor_write_unsigned(struct writer *writer, uint64_t number);
void cbor_write_integer(struct writer *writer, int64_t number);
void cbor_write_bytes(struct writer *writer, struct bytes content);
/* The head alone of a byte string whose content is laid out elsewhere. */
void cbor_write_bytes_head(struct writer *writer, size_t size);
void cbor_write_text(struct writer *writer, struct bytes text);
void cbor_write_array(struct writer *writer, size_t count);
void cbor_write_map(struct writer *writer, size_t count);
void cbor_write_tag(struct writer *writer, uint64_t tag);
void cbor_write_boolean(struct writer *writer, bool value);
void cbor_write_null(struct writer *writer);

#endif
