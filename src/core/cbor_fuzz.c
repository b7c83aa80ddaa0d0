/* SPDX-License-Identifier: Apache-2.0 */
/* CBOR: what is sound is read item by item to its end, and what is read is written the same. */
#include "core/cbor.h"
#include "fuzz/fuzz.h"

enum {
    ITEM_SIZE_MAX = 1 << 16
};

/* Writes the next head, or whole string, again. */
static void copy_item(struct writer *writer, struct reader *reader)
{
    switch (cbor_peek(reader)) {
    case CBOR_UNSIGNED:
        cbor_write_unsigned(writer, cbor_read_unsigned(reader));
        break;
    case CBOR_BYTES:
        cbor_write_bytes(writer, cbor_read_bytes(reader));
        break;
    case CBOR_TEXT:
        cbor_write_text(writer, cbor_read_text(reader));
        break;
    case CBOR_ARRAY:
        cbor_write_array(writer, cbor_read_array(reader, SIZE_MAX));
        break;
    case CBOR_MAP:
        cbor_write_map(writer, cbor_read_map(reader, SIZE_MAX));
        break;
    case CBOR_TAG:
        cbor_write_tag(writer, cbor_read_tag(reader));
        break;
    case CBOR_BOOLEAN:
        cbor_write_boolean(writer, cbor_read_boolean(reader));
        break;
    case CBOR_NULL:
        cbor_read_null(reader);
        cbor_write_null(writer);
        break;
    case CBOR_NEGATIVE:
    case CBOR_FLOAT:
    case CBOR_UNDEFINED:
    case CBOR_SIMPLE:
        write_bytes(writer, cbor_read_item(reader));
        break;
    case CBOR_NONE:
        UNREACHABLE("a sound item's part is not CBOR");
    }
}

/* Reads the items of an array or map one by one, the way of formats that devices emit. */
static bool read_items(struct reader *reader)
{
    bool is_map = cbor_peek(reader) == CBOR_MAP;
    if (!is_map && cbor_peek(reader) != CBOR_ARRAY)
        return cbor_read_item(reader).size != 0;
    struct cbor_items items =
        is_map ? cbor_enter_map(reader, SIZE_MAX) : cbor_enter_array(reader, SIZE_MAX);
    while (cbor_next(&items, reader)) {
        cbor_read_item(reader);
        if (is_map)
            cbor_read_item(reader);
    }
    return read_end(reader);
}

void fuzz_one(struct bytes input)
{
    struct bytes first = cbor_first(input, CBOR_UNSORTED);
    struct bytes emitted = cbor_first(input, CBOR_AS_EMITTED);
    ASSERT(first.size == 0 || emitted.size == first.size);
    struct reader loose = reader_of(emitted);
    ASSERT(read_items(&loose) == (emitted.size != 0));
    bool is_sorted = cbor_first(input, CBOR_SORTED).size != 0;
    ASSERT(!is_sorted || first.size != 0);
    if (first.size == 0 || first.size > ITEM_SIZE_MAX)
        return;
    static uint8_t space[ITEM_SIZE_MAX];
    struct reader reader = cbor_reader_of(first, CBOR_UNSORTED);
    struct writer writer = writer_into(space, sizeof(space));
    while (!read_end(&reader)) {
        copy_item(&writer, &reader);
        ASSERT(!reader.failed);
    }
    ASSERT(bytes_equal(writer_view(&writer), first));
    reader = cbor_reader_of(first, CBOR_UNSORTED);
    ASSERT(cbor_read_item(&reader).size == first.size && read_end(&reader));
}
