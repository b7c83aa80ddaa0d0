/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/amd/certificate_table.h"

#include "attest/limits.h"
#include "core/reader.h"

enum {
    GUID_SIZE = 16,
    ENTRY_SIZE = 24
};

/* In the order of their text, as real tables have them; beside each, its member below. */
static const uint8_t guids[][GUID_SIZE] = {
    { 0xc0, 0xb4, 0x06, 0xa4, 0xa8, 0x03, 0x49, 0x52, 0x97, 0x43, 0x3f, 0xb6, 0x01, 0x4c, 0xd0,
      0xae },
    { 0x4a, 0xb7, 0xb3, 0x79, 0xbb, 0xac, 0x4f, 0xe4, 0xa0, 0x2f, 0x05, 0xae, 0xf3, 0x27, 0xc7,
      0x82 },
    { 0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64, 0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac,
      0xcd },
    { 0xa8, 0x07, 0x4b, 0xc2, 0xa2, 0x5a, 0x48, 0x3e, 0xaa, 0xe6, 0x39, 0xc0, 0x45, 0xa0, 0xb8,
      0xa1 },
    { 0x92, 0xf8, 0x1b, 0xc3, 0x58, 0x11, 0x4d, 0x3d, 0x97, 0xff, 0xd1, 0x9f, 0x88, 0xdc, 0x67,
      0xea },
};

struct entry {
    struct bytes guid;
    uint32_t offset;
    uint32_t size;
};

/* False at the end, which is an entry of zeros. */
static bool read_entry(struct reader *reader, struct entry *entry)
{
    static const uint8_t zeros[GUID_SIZE];
    entry->guid = read_bytes(reader, GUID_SIZE);
    entry->offset = read_u32_le(reader);
    entry->size = read_u32_le(reader);
    bool is_end =
        bytes_equal(entry->guid, BYTES_OF(zeros)) && entry->offset == 0 && entry->size == 0;
    return !reader->failed && !is_end;
}

static bool add(struct certificate_table *table, const struct entry *entry, struct bytes content)
{
    struct bytes *members[] = { &table->ark, &table->ask, &table->vcek, &table->vlek, &table->crl };
    for (size_t i = 0; i < ARRAY_COUNT(guids); i++) {
        if (!bytes_equal(entry->guid, BYTES_OF(guids[i])))
            continue;
        if (members[i]->size != 0)
            return false;
        *members[i] = content;
    }
    return true;
}

bool certificate_table_read(struct certificate_table *table, struct bytes source,
                            struct error *error)
{
    if (source.size > SNP_TABLE_SIZE_MAX)
        return error_set(error, ERROR_LIMIT, "certificate table is above %d bytes",
                         SNP_TABLE_SIZE_MAX);
    struct certificate_table read = { 0 };
    struct entry entry;
    struct reader reader = reader_of(source);
    size_t count = 0;
    while (read_entry(&reader, &entry))
        count++;
    if (reader.failed || count > SNP_TABLE_ENTRY_COUNT_MAX)
        return error_set(error, ERROR_INVALID, "certificate table has no end, or too many entries");
    size_t head_size = reader_offset(&reader);
    reader = reader_of(source);
    while (read_entry(&reader, &entry)) {
        if (entry.offset < head_size || entry.size == 0 || entry.offset > source.size ||
            entry.size > source.size - entry.offset)
            return error_set(error, ERROR_INVALID,
                             "certificate table has an entry outside of itself");
        if (!add(&read, &entry, bytes_part(source, entry.offset, entry.size)))
            return error_set(error, ERROR_INVALID, "certificate table has two entries of a kind");
    }
    *table = read;
    return true;
}
