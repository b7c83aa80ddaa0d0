/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/firmware.h"

#include "core/hex.h"
#include "core/reader.h"

#include <string.h>

enum {
    GUID_SIZE = 16,
    ENTRY_TAIL_SIZE = 2 + GUID_SIZE, /* length and GUID */
    TABLE_END_OFFSET = 32            /* between the table and the end of the image */
};

#define TABLE_GUID "96b582de-1fb2-45f7-baea-a366c55a082d"

struct guid guid_of(const char *text)
{
    /* Places of the digits in the text, in the order of the bytes. */
    static const uint8_t places[GUID_SIZE] = { 6,  4,  2,  0,  11, 9,  16, 14,
                                               19, 21, 24, 26, 28, 30, 32, 34 };
    struct guid guid;
    ASSERT(strlen(text) == 36);
    for (size_t i = 0; i < GUID_SIZE; i++) {
        bool is_hex = hex_decode(&guid.bytes[i], 1, bytes_of(text + places[i], 2));
        ASSERT(is_hex);
    }
    return guid;
}

/* The last entry of `table`: its data, its GUID and what stands before it. */
static bool entry_split(struct bytes table, struct bytes *before, struct bytes *data,
                        struct bytes *guid)
{
    if (table.size < ENTRY_TAIL_SIZE)
        return false;
    struct reader tail =
        reader_of(bytes_part(table, table.size - ENTRY_TAIL_SIZE, ENTRY_TAIL_SIZE));
    uint16_t size = read_u16_le(&tail);
    if (size < ENTRY_TAIL_SIZE || size > table.size)
        return false;
    *guid = read_rest(&tail);
    *before = bytes_part(table, 0, table.size - size);
    *data = bytes_part(table, table.size - size, size - ENTRY_TAIL_SIZE);
    return true;
}

bool firmware_entry_find(struct bytes image, const char *guid, struct bytes *data)
{
    struct guid wanted = guid_of(guid), footer = guid_of(TABLE_GUID);
    struct bytes table, found;
    if (image.size < TABLE_END_OFFSET + ENTRY_TAIL_SIZE)
        return false;
    struct bytes end = bytes_part(image, 0, image.size - TABLE_END_OFFSET);
    if (!entry_split(end, &end, &table, &found) || !bytes_equal(found, BYTES_OF(footer.bytes)))
        return false;
    while (table.size > 0) {
        if (!entry_split(table, &table, data, &found))
            return false;
        if (bytes_equal(found, BYTES_OF(wanted.bytes)))
            return true;
    }
    return false;
}

bool firmware_entry_number(struct bytes image, const char *guid, uint32_t *number)
{
    struct bytes data;
    if (!firmware_entry_find(image, guid, &data))
        return false;
    struct reader reader = reader_of(data);
    *number = read_u32_le(&reader);
    return !reader.failed;
}

bool firmware_from_end(struct bytes image, uint32_t offset, struct bytes *part)
{
    if (offset > image.size)
        return false;
    *part = bytes_part(image, image.size - offset, offset);
    return true;
}
