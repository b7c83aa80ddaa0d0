/* SPDX-License-Identifier: Apache-2.0 */
/* The table at the end of an OVMF or TDVF image that says where its metadata is.
 *
 * It ends 32 bytes before the end of the image with its own GUID and length; its entries grow
 * downwards, each {data, u16 length, GUID} (OvmfPkg/ResetVector).  Bounds-checked views into the
 * image, nothing is copied. */
#ifndef MEASURE_FIRMWARE_H
#define MEASURE_FIRMWARE_H

#include "base/error.h"
#include "core/bytes.h"
#include "measure/limits.h"

enum {
    MEASURE_PAGE_SIZE = 4096
};

/* Text as GUIDs are written; read as their little-endian encoding has it. */
struct guid {
    uint8_t bytes[16];
};
struct guid guid_of(const char *text);

/* The data of the entry with this GUID; false without one or without a table. */
MUST_CHECK bool firmware_entry_find(struct bytes image, const char *guid, struct bytes *data);
/* The same for an entry whose data begins with a number. */
MUST_CHECK bool firmware_entry_number(struct bytes image, const char *guid, uint32_t *number);
/* The image's bytes from `offset` before its end on. */
MUST_CHECK bool firmware_from_end(struct bytes image, uint32_t offset, struct bytes *part);

#endif
