/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/tdx.h"

#include "core/reader.h"
#include "core/writer.h"

#include <string.h>

enum {
    RECORD_SIZE = 128,
    CHUNK_SIZE = 256,
    SECTION_SIZE = 32,
    DESCRIPTOR_VERSION = 1
};

#define TDVF_OFFSET_GUID     "e47a6535-984a-4798-865e-4685a7bf8ec2"
#define TDVF_DESCRIPTOR_GUID "e9eaf9f3-168e-44d5-a8eb-7f4d8738f6ae"

const char *tdvf_section_name(uint32_t type)
{
    static const char *const names[] = { "BFV",     "CFV",     "TD_HOB",       "TempMem",
                                         "PermMem", "Payload", "PayloadParam", "TD_INFO" };
    return type < ARRAY_COUNT(names) ? names[type] : "unknown";
}

static bool section_read(struct tdvf_section *section, struct reader *reader, struct bytes image,
                         struct error *error)
{
    *section = (struct tdvf_section){ .data_offset = read_u32_le(reader),
                                      .raw_size = read_u32_le(reader),
                                      .address = read_u64_le(reader),
                                      .memory_size = read_u64_le(reader),
                                      .type = read_u32_le(reader),
                                      .attributes = read_u32_le(reader) };
    if (section->data_offset > image.size || section->raw_size > image.size - section->data_offset)
        return error_set(error, ERROR_INVALID, "a TDVF section lies outside the image");
    if (section->address % MEASURE_PAGE_SIZE != 0 || section->memory_size % MEASURE_PAGE_SIZE != 0)
        return error_set(error, ERROR_INVALID, "a TDVF section is not made of pages");
    if (section->memory_size > UINT64_MAX - section->address)
        return error_set(error, ERROR_INVALID, "a TDVF section leaves the address space");
    return section->raw_size <= section->memory_size || section->memory_size == 0 ||
           error_set(error, ERROR_INVALID, "a TDVF section is larger than its memory");
}

bool tdvf_parse(struct tdvf *tdvf, struct bytes image, struct error *error)
{
    uint32_t offset;
    struct bytes descriptor;
    *tdvf = (struct tdvf){ 0 };
    if (image.size > FIRMWARE_SIZE_MAX)
        return error_set(error, ERROR_LIMIT, "firmware has at most %d bytes", FIRMWARE_SIZE_MAX);
    if (!firmware_entry_number(image, TDVF_OFFSET_GUID, &offset))
        return error_set(error, ERROR_INVALID, "image has no TDVF metadata");
    struct guid guid = guid_of(TDVF_DESCRIPTOR_GUID);
    if (!firmware_from_end(image, offset, &descriptor) || offset > image.size - sizeof(guid) ||
        memcmp(descriptor.data - sizeof(guid), guid.bytes, sizeof(guid)) != 0)
        return error_set(error, ERROR_INVALID, "TDVF descriptor is not where the image says");
    struct reader reader = reader_of(descriptor);
    bool is_tdvf = bytes_equal(read_bytes(&reader, 4), BYTES_LITERAL("TDVF"));
    uint32_t size = read_u32_le(&reader);
    uint32_t version = read_u32_le(&reader);
    uint32_t count = read_u32_le(&reader);
    if (reader.failed || !is_tdvf || version != DESCRIPTOR_VERSION)
        return error_set(error, ERROR_INVALID, "TDVF descriptor is of another form");
    tdvf->section_count = read_count(&reader, count, FIRMWARE_SECTION_COUNT_MAX, SECTION_SIZE);
    if (reader.failed || size < 16 + (uint64_t)count * SECTION_SIZE)
        return error_set(error, ERROR_INVALID, "TDVF descriptor is cut or too long");
    uint64_t measured_size = 0;
    for (size_t i = 0; i < tdvf->section_count; i++) {
        struct tdvf_section *section = &tdvf->sections[i];
        if (!section_read(section, &reader, image, error))
            return false;
        if (section->memory_size > FIRMWARE_MEASURED_SIZE_MAX - measured_size)
            return error_set(error, ERROR_LIMIT, "TDVF sections cover at most %d bytes",
                             FIRMWARE_MEASURED_SIZE_MAX);
        measured_size += section->memory_size;
    }
    return true;
}

static void record_add(struct hash *hash, struct bytes name, uint64_t address)
{
    uint8_t record[RECORD_SIZE];
    struct writer writer = writer_into(record, sizeof(record));
    write_bytes(&writer, name);
    write_zeros(&writer, 16 - name.size);
    write_u64_le(&writer, address);
    write_zeros(&writer, RECORD_SIZE - 24);
    hash_update(hash, BYTES_OF(record));
}

static void page_extend(struct hash *hash, const struct tdvf_section *section, struct bytes image,
                        uint64_t offset)
{
    struct bytes raw = bytes_part(image, section->data_offset, section->raw_size);
    for (uint64_t at = offset; at < offset + MEASURE_PAGE_SIZE; at += CHUNK_SIZE) {
        uint8_t chunk[CHUNK_SIZE] = { 0 };
        struct bytes part = bytes_part(raw, at, CHUNK_SIZE);
        if (part.size > 0)
            memcpy(chunk, part.data, part.size);
        record_add(hash, BYTES_LITERAL("MR.EXTEND"), section->address + at);
        hash_update(hash, BYTES_OF(chunk));
    }
}

/* Adds, or extends, or both, each page of a section. */
static void section_measure(struct hash *hash, const struct tdvf_section *section,
                            struct bytes image, bool adds, bool extends)
{
    adds = adds && (section->attributes & TDVF_PAGE_AUG) == 0;
    extends = extends && (section->attributes & TDVF_MR_EXTEND) != 0;
    if (!adds && !extends)
        return;
    for (uint64_t at = 0; at < section->memory_size; at += MEASURE_PAGE_SIZE) {
        if (adds)
            record_add(hash, BYTES_LITERAL("MEM.PAGE.ADD"), section->address + at);
        if (extends)
            page_extend(hash, section, image, at);
    }
}

struct digest48 tdx_mrtd(struct bytes image, const struct tdvf *tdvf, bool is_two_pass)
{
    AUTO(hash) struct hash *hash = hash_new(HASH_SHA384);
    for (size_t i = 0; i < tdvf->section_count; i++) {
        const struct tdvf_section *section = &tdvf->sections[i];
        section_measure(hash, section, image, true, !is_two_pass);
        if (is_two_pass)
            section_measure(hash, section, image, false, true);
    }
    return hash_finish48(hash);
}
