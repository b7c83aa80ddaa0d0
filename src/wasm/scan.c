/* SPDX-License-Identifier: Apache-2.0 */
#include "wasm/scan.h"

#define UNEXPECTED_END "unexpected end of section or function"

struct scan scan_of(struct bytes file, size_t offset)
{
    struct bytes rest = bytes_part(file, offset, file.size);
    return (struct scan){ .at = rest.data, .end = rest.data + rest.size, .file = file.data };
}

void scan_fail(struct scan *scan, const char *fault, const uint8_t *at)
{
    if (scan->fault == NULL) {
        scan->fault = fault;
        scan->fault_offset = (size_t)(at - scan->file);
    }
    scan->at = scan->end;
}

bool scan_check(const struct scan *scan, struct error *error)
{
    if (scan->fault == NULL)
        return true;
    return error_set(error, ERROR_INVALID, "%s at offset 0x%zx", scan->fault, scan->fault_offset);
}

uint8_t scan_u8_at_end(struct scan *scan)
{
    scan_fail(scan, UNEXPECTED_END, scan->end);
    return 0;
}

uint32_t scan_u32_long(struct scan *scan)
{
    uint32_t number = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
        const uint8_t *at = scan->at;
        uint32_t byte = scan_u8(scan);
        if (shift == 28 && (byte & 0x70) != 0)
            scan_fail(scan, "integer too large", at);
        number |= (byte & 0x7f) << shift;
        if (byte < 0x80)
            return scan->fault == NULL ? number : 0;
    }
    scan_fail(scan, "integer representation too long", scan->at);
    return 0;
}

int64_t scan_signed_long(struct scan *scan, unsigned bits)
{
    uint64_t number = 0;
    for (unsigned shift = 0; shift < bits; shift += 7) {
        const uint8_t *at = scan->at;
        uint8_t byte = scan_u8(scan);
        unsigned used = bits - shift; /* bits of this byte that count */
        if (used < 7) {
            unsigned sign_and_spare = 0x7fu & (0x7fu << (used - 1));
            unsigned found = byte & sign_and_spare;
            if (found != 0 && found != sign_and_spare)
                scan_fail(scan, "integer too large", at);
        }
        number |= (uint64_t)(byte & 0x7f) << shift;
        if (byte >= 0x80)
            continue;
        if (shift + 7 < 64 && (byte & 0x40) != 0)
            number |= ~(uint64_t)0 << (shift + 7);
        return scan->fault == NULL ? (int64_t)number : 0;
    }
    scan_fail(scan, "integer representation too long", scan->at);
    return 0;
}

struct bytes scan_bytes(struct scan *scan, size_t size)
{
    if (size > (size_t)(scan->end - scan->at)) {
        scan_fail(scan, UNEXPECTED_END, scan->end);
        return (struct bytes){ 0 };
    }
    struct bytes bytes = bytes_of(scan->at, size);
    scan->at += size;
    return bytes;
}

static uint64_t fixed(struct scan *scan, size_t size)
{
    struct bytes bytes = scan_bytes(scan, size);
    uint64_t number = 0;
    for (size_t i = bytes.size; i > 0; i--)
        number = number << 8 | bytes.data[i - 1];
    return number;
}

uint32_t scan_fixed_u32(struct scan *scan)
{
    return (uint32_t)fixed(scan, 4);
}

uint64_t scan_fixed_u64(struct scan *scan)
{
    return fixed(scan, 8);
}

uint32_t scan_length(struct scan *scan)
{
    const uint8_t *at = scan->at;
    uint32_t length = scan_u32(scan);
    if (scan->fault == NULL && length > (size_t)(scan->end - scan->at)) {
        scan_fail(scan, "length out of bounds", at);
        return 0;
    }
    return length;
}

struct bytes scan_name(struct scan *scan)
{
    const uint8_t *at = scan->at;
    struct bytes name = scan_bytes(scan, scan_length(scan));
    if (scan->fault == NULL && !bytes_is_utf8(name)) {
        scan_fail(scan, "malformed UTF-8 encoding", at);
        return (struct bytes){ 0 };
    }
    return name;
}
