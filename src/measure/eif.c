/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/eif.h"

#include "core/cbor.h"
#include "core/reader.h"
#include "crypto/limits.h"
#include "crypto/x509.h"

#include <stdlib.h>
#include <string.h>

enum {
    HEADER_SIZE = 548,
    CHECKSUM_OFFSET = HEADER_SIZE - 4,
    SECTION_HEADER_SIZE = 12,
    VERSION_MIN = 2,
    VERSION_MAX = 4,
    SIGNATURE_COUNT_MAX = 8
};

/* Which registers a section goes into. */
struct registers {
    struct hash *hash[3];
    size_t ramdisk_count;
};

const char *eif_section_name(enum eif_section_type type)
{
    static const char *const names[] = { "invalid", "kernel",    "cmdline",
                                         "ramdisk", "signature", "metadata" };
    return names[type];
}

/* CRC-32 as in zlib, over everything but the checksum itself. */
static uint32_t checksum_of(struct bytes image)
{
    uint32_t table[256], crc = UINT32_MAX;
    for (uint32_t i = 0; i < ARRAY_COUNT(table); i++) {
        table[i] = i;
        for (int bit = 0; bit < 8; bit++)
            table[i] = (table[i] >> 1) ^ ((table[i] & 1) != 0 ? 0xedb88320u : 0);
    }
    for (size_t i = 0; i < image.size; i++)
        if (i < CHECKSUM_OFFSET || i >= HEADER_SIZE)
            crc = (crc >> 8) ^ table[(crc ^ image.data[i]) & 0xff];
    return ~crc;
}

static struct digest48 register_of(struct hash *hash)
{
    struct digest48 content = hash_finish48(hash);
    static const uint8_t zeros[sizeof(content.bytes)];
    hash_update(hash, BYTES_OF(zeros));
    hash_update(hash, BYTES_OF(content.bytes));
    return hash_finish48(hash);
}

/* A byte string, or (as the builder's serialiser writes it) an array of numbers. */
static struct bytes text_read(struct reader *reader, uint8_t *space, size_t capacity)
{
    if (cbor_peek(reader) == CBOR_BYTES)
        return cbor_read_bytes(reader);
    size_t count = cbor_read_array(reader, capacity);
    for (size_t i = 0; i < count; i++) {
        uint64_t byte = cbor_read_unsigned(reader);
        if (byte > UINT8_MAX)
            reader_fail(reader);
        space[i] = (uint8_t)byte;
    }
    return bytes_of(space, reader->failed ? 0 : count);
}

/* The certificate of the first signature, PEM. */
static struct bytes certificate_read(struct bytes section, uint8_t space[X509_CHAIN_SIZE_MAX])
{
    struct reader reader = cbor_reader_of(section, CBOR_UNSORTED);
    struct bytes certificate = { 0 };
    size_t signature_count = cbor_read_array(&reader, SIGNATURE_COUNT_MAX);
    size_t pair_count = signature_count == 0 ? 0 : cbor_read_map(&reader, 4);
    for (size_t i = 0; i < pair_count && !reader.failed; i++) {
        if (bytes_equal_string(cbor_read_text(&reader), "signing_certificate"))
            certificate = text_read(&reader, space, X509_CHAIN_SIZE_MAX);
        else
            (void)cbor_read_item(&reader);
    }
    return reader.failed ? (struct bytes){ 0 } : certificate;
}

static bool signer_measure(struct eif_measurement *measurement, struct bytes section,
                           struct error *error)
{
    struct room {
        uint8_t text[X509_CHAIN_SIZE_MAX];
        struct x509_chain chain;
    } *room = calloc(1, sizeof(*room));
    if (room == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a certificate");
    struct bytes text = certificate_read(section, room->text);
    bool is_read = text.size > 0 && x509_chain_parse(&room->chain, text, error);
    if (is_read) {
        AUTO(hash) struct hash *hash = hash_new(HASH_SHA384);
        hash_update(hash, room->chain.certificates[0].der);
        measurement->pcr8 = register_of(hash);
        measurement->is_signed = true;
    } else {
        error_set(error, ERROR_INVALID, "signature section holds no certificate");
    }
    free(room);
    return is_read;
}

static void content_measure(struct registers *registers, enum eif_section_type type,
                            struct bytes content)
{
    bool is_ramdisk = type == EIF_RAMDISK;
    bool is_application = is_ramdisk && registers->ramdisk_count > 0;
    registers->ramdisk_count += is_ramdisk;
    hash_update(registers->hash[0], content);
    hash_update(registers->hash[is_application ? 2 : 1], content);
}

static bool section_read(struct eif_measurement *measurement, struct registers *registers,
                         struct bytes image, uint64_t offset, struct error *error)
{
    if (offset < HEADER_SIZE || offset > image.size)
        return error_set(error, ERROR_INVALID, "a section lies outside the image");
    struct reader reader = reader_of(bytes_part(image, offset, image.size));
    uint16_t type = read_u16_be(&reader);
    read_skip(&reader, 2);
    uint64_t size = read_u64_be(&reader);
    struct bytes content = read_bytes(&reader, size <= image.size ? (size_t)size : SIZE_MAX);
    if (reader.failed)
        return error_set(error, ERROR_INVALID, "a section is cut");
    if (type < EIF_KERNEL || type > EIF_METADATA)
        return error_set(error, ERROR_INVALID, "a section is of unknown type %u", type);
    measurement->sections[measurement->section_count++] =
        (struct eif_section){ .type = (enum eif_section_type)type, .offset = offset, .size = size };
    if (type == EIF_SIGNATURE)
        return signer_measure(measurement, content, error);
    if (type != EIF_METADATA)
        content_measure(registers, (enum eif_section_type)type, content);
    return true;
}

static bool sections_check(const struct eif_measurement *measurement, struct error *error)
{
    size_t counts[EIF_METADATA + 1] = { 0 };
    for (size_t i = 0; i < measurement->section_count; i++)
        counts[measurement->sections[i].type]++;
    if (counts[EIF_KERNEL] != 1 || counts[EIF_COMMAND_LINE] != 1 || counts[EIF_RAMDISK] == 0)
        return error_set(error, ERROR_INVALID,
                         "an image has one kernel, one command line and a ramdisk");
    return counts[EIF_SIGNATURE] <= 1 ||
           error_set(error, ERROR_INVALID, "an image has one signature section");
}

static bool sections_measure(struct eif_measurement *measurement, struct registers *registers,
                             struct bytes image, struct error *error)
{
    struct reader header = reader_of(bytes_part(image, 4, HEADER_SIZE - 4));
    measurement->version = read_u16_be(&header);
    read_skip(&header, 2 + 8 + 8 + 2); /* flags, default memory and processors, reserved */
    uint16_t count = read_u16_be(&header);
    if (measurement->version < VERSION_MIN || measurement->version > VERSION_MAX)
        return error_set(error, ERROR_UNSUPPORTED, "image is of version %u, not %d to %d",
                         measurement->version, VERSION_MIN, VERSION_MAX);
    if (count > EIF_SECTION_COUNT_MAX)
        return error_set(error, ERROR_INVALID, "an image has at most %d sections",
                         EIF_SECTION_COUNT_MAX);
    for (size_t i = 0; i < count; i++)
        if (!section_read(measurement, registers, image, read_u64_be(&header), error))
            return false;
    return sections_check(measurement, error);
}

bool eif_measure(struct eif_measurement *measurement, struct bytes image, struct error *error)
{
    *measurement = (struct eif_measurement){ 0 };
    if (!bytes_starts_with(image, BYTES_LITERAL(".eif")) || image.size < HEADER_SIZE)
        return error_set(error, ERROR_INVALID, "no enclave image: it does not begin with \".eif\"");
    if (image.size > EIF_SIZE_MAX)
        return error_set(error, ERROR_LIMIT, "an image has at most %d MiB", EIF_SIZE_MAX >> 20);
    struct reader checksum = reader_of(bytes_part(image, CHECKSUM_OFFSET, 4));
    if (read_u32_be(&checksum) != checksum_of(image))
        return error_set(error, ERROR_INVALID, "image's checksum does not hold");
    AUTO(hash) struct hash *pcr0 = hash_new(HASH_SHA384);
    AUTO(hash) struct hash *pcr1 = hash_new(HASH_SHA384);
    AUTO(hash) struct hash *pcr2 = hash_new(HASH_SHA384);
    struct registers registers = { .hash = { pcr0, pcr1, pcr2 } };
    if (!sections_measure(measurement, &registers, image, error))
        return false;
    for (size_t i = 0; i < ARRAY_COUNT(measurement->pcr); i++)
        measurement->pcr[i] = register_of(registers.hash[i]);
    return true;
}
