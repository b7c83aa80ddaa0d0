/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/event_text.h"

#include "core/reader.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    EV_SEPARATOR = 0x00000004,
    EV_EVENT_TAG = 0x00000006,
    EV_IPL = 0x0000000d,
    VARIABLE_NAME_MAX = 256
};

/* Of the UEFI events, which begin at 0x80000000. */
enum {
    EFI_VARIABLE_DRIVER_CONFIG = 0x01,
    EFI_VARIABLE_BOOT = 0x02,
    EFI_BOOT_SERVICES_APPLICATION = 0x03,
    EFI_BOOT_SERVICES_DRIVER = 0x04,
    EFI_RUNTIME_SERVICES_DRIVER = 0x05,
    EFI_PLATFORM_FIRMWARE_BLOB = 0x08,
    EFI_PLATFORM_FIRMWARE_BLOB2 = 0x0a,
    EFI_HANDOFF_TABLES2 = 0x0b,
    EFI_VARIABLE_BOOT2 = 0x0c,
    EFI_VARIABLE_AUTHORITY = 0xe0
};

const char *event_type_name(uint32_t type)
{
    static const struct {
        uint32_t type;
        const char *name;
    } names[] = {
        { 0x00000000, "EV_PREBOOT_CERT" },
        { 0x00000001, "EV_POST_CODE" },
        { 0x00000003, "EV_NO_ACTION" },
        { 0x00000004, "EV_SEPARATOR" },
        { 0x00000005, "EV_ACTION" },
        { 0x00000006, "EV_EVENT_TAG" },
        { 0x00000007, "EV_S_CRTM_CONTENTS" },
        { 0x00000008, "EV_S_CRTM_VERSION" },
        { 0x00000009, "EV_CPU_MICROCODE" },
        { 0x0000000a, "EV_PLATFORM_CONFIG_FLAGS" },
        { 0x0000000b, "EV_TABLE_OF_DEVICES" },
        { 0x0000000c, "EV_COMPACT_HASH" },
        { 0x0000000d, "EV_IPL" },
        { 0x0000000e, "EV_IPL_PARTITION_DATA" },
        { 0x80000001, "EV_EFI_VARIABLE_DRIVER_CONFIG" },
        { 0x80000002, "EV_EFI_VARIABLE_BOOT" },
        { 0x80000003, "EV_EFI_BOOT_SERVICES_APPLICATION" },
        { 0x80000004, "EV_EFI_BOOT_SERVICES_DRIVER" },
        { 0x80000005, "EV_EFI_RUNTIME_SERVICES_DRIVER" },
        { 0x80000006, "EV_EFI_GPT_EVENT" },
        { 0x80000007, "EV_EFI_ACTION" },
        { 0x80000008, "EV_EFI_PLATFORM_FIRMWARE_BLOB" },
        { 0x80000009, "EV_EFI_HANDOFF_TABLES" },
        { 0x8000000a, "EV_EFI_PLATFORM_FIRMWARE_BLOB2" },
        { 0x8000000b, "EV_EFI_HANDOFF_TABLES2" },
        { 0x8000000c, "EV_EFI_VARIABLE_BOOT2" },
        { 0x80000010, "EV_EFI_HCRTM_EVENT" },
        { 0x800000e0, "EV_EFI_VARIABLE_AUTHORITY" },
        { 0x800000e1, "EV_EFI_SPDM_FIRMWARE_BLOB" },
        { 0x800000e2, "EV_EFI_SPDM_FIRMWARE_CONFIG" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        if (names[i].type == type)
            return names[i].name;
    return "unknown";
}

static bool is_digest_of(struct bytes data, const struct digest48 *digest)
{
    struct digest48 found = sha384_of(data);
    return bytes_equal(BYTES_OF(found.bytes), BYTES_OF(digest->bytes));
}

/* Text in ASCII or in UTF-16 little-endian (of ASCII), up to its NUL; what is neither ends it. */
static void put_text(char text[EVENT_TEXT_SIZE], struct bytes data)
{
    bool is_wide = data.size >= 4 && data.data[1] == 0 && data.data[3] == 0;
    size_t used = strlen(text), step = is_wide ? 2 : 1;
    for (size_t at = 0; at + step <= data.size && used + 1 < EVENT_TEXT_SIZE; at += step) {
        uint8_t letter = data.data[at];
        if (letter < 0x20 || letter > 0x7e || (is_wide && data.data[at + 1] != 0))
            break;
        text[used++] = (char)letter;
    }
    text[used] = '\0';
}

/* UEFI_VARIABLE_DATA: GUID, lengths, name in UTF-16, content. */
static enum event_digest put_variable(char text[EVENT_TEXT_SIZE], struct bytes data,
                                      const struct digest48 *digest)
{
    struct reader reader = reader_of(data);
    read_skip(&reader, 16);
    uint64_t name_length = read_u64_le(&reader);
    uint64_t content_size = read_u64_le(&reader);
    struct bytes name =
        read_bytes(&reader, name_length <= VARIABLE_NAME_MAX ? (size_t)name_length * 2 : SIZE_MAX);
    struct bytes content =
        read_bytes(&reader, content_size <= data.size ? (size_t)content_size : SIZE_MAX);
    if (reader.failed) {
        snprintf(text, EVENT_TEXT_SIZE, "variable data of another form");
        return EVENT_DIGEST_OTHER;
    }
    snprintf(text, EVENT_TEXT_SIZE, "variable ");
    if (name.size == 2) /* too short to tell */
        snprintf(text, EVENT_TEXT_SIZE, "variable %c", name.data[0]);
    else
        put_text(text, name);
    size_t used = strlen(text);
    snprintf(text + used, EVENT_TEXT_SIZE - used, ", %zu bytes", content.size);
    return is_digest_of(content, digest) ? EVENT_DIGEST_CONTENT : EVENT_DIGEST_OTHER;
}

/* A description with its length in front, then where it is. */
static void put_blob(char text[EVENT_TEXT_SIZE], struct bytes data)
{
    struct reader reader = reader_of(data);
    struct bytes description = read_bytes(&reader, read_u8(&reader));
    if (!reader.failed)
        put_text(text, description);
}

static void put_image(char text[EVENT_TEXT_SIZE], struct bytes data)
{
    struct reader reader = reader_of(data);
    uint64_t address = read_u64_le(&reader);
    uint64_t size = read_u64_le(&reader);
    if (!reader.failed)
        snprintf(text, EVENT_TEXT_SIZE, "image of %" PRIu64 " bytes at 0x%" PRIx64, size, address);
}

static void put_tagged(char text[EVENT_TEXT_SIZE], struct bytes data)
{
    struct reader reader = reader_of(data);
    uint32_t id = read_u32_le(&reader);
    struct bytes content = read_bytes(&reader, read_u32_le(&reader));
    if (reader.failed)
        return;
    snprintf(text, EVENT_TEXT_SIZE, "tag 0x%x ", id);
    put_text(text, content);
}

/* A loader's text may be measured without its end, and GRUB's without the "grub_cmd: " in front. */
static enum event_digest text_digest(struct bytes data, const struct digest48 *digest)
{
    size_t colon = bytes_find(data, ':');
    if (colon + 2 < data.size && data.data[colon + 1] == ' ') {
        struct bytes command = bytes_part(data, colon + 2, data.size);
        command = bytes_part(command, 0, bytes_find(command, 0));
        if (is_digest_of(command, digest))
            return EVENT_DIGEST_CONTENT;
    }
    for (size_t cut = 1; cut <= 2 && cut <= data.size; cut++)
        if (data.data[data.size - cut] == 0 &&
            is_digest_of(bytes_part(data, 0, data.size - cut), digest))
            return EVENT_DIGEST_CONTENT;
    return EVENT_DIGEST_OTHER;
}

static enum event_digest put_efi(char text[EVENT_TEXT_SIZE], uint32_t type, struct bytes data,
                                 const struct digest48 *digest)
{
    switch (type & 0xff) {
    case EFI_VARIABLE_DRIVER_CONFIG:
    case EFI_VARIABLE_BOOT:
    case EFI_VARIABLE_BOOT2:
    case EFI_VARIABLE_AUTHORITY:
        return put_variable(text, data, digest);
    case EFI_BOOT_SERVICES_APPLICATION:
    case EFI_BOOT_SERVICES_DRIVER:
    case EFI_RUNTIME_SERVICES_DRIVER:
    case EFI_PLATFORM_FIRMWARE_BLOB:
        put_image(text, data);
        return EVENT_DIGEST_OTHER;
    case EFI_PLATFORM_FIRMWARE_BLOB2:
    case EFI_HANDOFF_TABLES2:
        put_blob(text, data);
        return EVENT_DIGEST_OTHER;
    default:
        put_text(text, data);
        return text_digest(data, digest);
    }
}

enum event_digest event_text(char text[EVENT_TEXT_SIZE], uint32_t type, struct bytes data,
                             const struct digest48 *digest)
{
    text[0] = '\0';
    enum event_digest digest_of = EVENT_DIGEST_OTHER;
    if (type >> 31 != 0)
        digest_of = put_efi(text, type, data, digest);
    else if (type == EV_EVENT_TAG)
        put_tagged(text, data);
    else if (type != EV_SEPARATOR)
        put_text(text, data);
    if (type == EV_IPL)
        digest_of = text_digest(data, digest);
    return is_digest_of(data, digest) ? EVENT_DIGEST_DATA : digest_of;
}
