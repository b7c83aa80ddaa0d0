/* SPDX-License-Identifier: Apache-2.0 */
#include "keys/anchor.h"

#include "core/reader.h"
#include "core/writer.h"
#include "keys/sealing.h"

#include <errno.h>
#include <unistd.h>

enum {
    PLACE_SIZE = 512,
    PLACE_COUNT = 2, /* of a store */
    PLAIN_SIZE = 8 + STORE_HEADS_SIZE,
};
#define ANCHOR_SPACE "keeper/anchor"

static bool is_zero(struct bytes data)
{
    size_t i = 0;
    while (i < data.size && data.data[i] == 0)
        i++;
    return i == data.size;
}

static bool place_read(struct anchor *anchor, uint8_t place, const struct secret32 *root,
                       bool *is_empty, struct error *error)
{
    uint8_t data[PLACE_SIZE] = { 0 };
    ssize_t size = pread(anchor->file, data, sizeof(data), (off_t)place * PLACE_SIZE);
    if (size < 0)
        return error_system(error, "read the anchor");
    struct reader reader = reader_of(BYTES_OF(data));
    struct bytes sealed = read_bytes(&reader, read_u16_le(&reader));
    AUTO_BUFFER struct buffer plain;
    struct error ignored;
    buffer_init(&plain, PLACE_SIZE);
    *is_empty = *is_empty && is_zero(BYTES_OF(data));
    if (reader.failed || sealed.size == 0 ||
        !sealing_open(root, ANCHOR_SPACE, bytes_of(&place, 1), sealed, &plain, &ignored) ||
        plain.size != PLAIN_SIZE)
        return true; /* cut, changed, or not written yet */
    struct reader head = reader_of(buffer_view(&plain));
    uint64_t counter = read_u64_le(&head);
    struct anchor_memory *memory = &anchor->stores[place / PLACE_COUNT];
    if (counter > memory->counter) {
        memory->counter = counter;
        store_heads_read(&head, &memory->heads);
    }
    return true;
}

bool anchor_open(struct anchor *anchor, int file, const struct secret32 *root, struct error *error)
{
    *anchor = (struct anchor){ .file = file };
    for (uint8_t store = 0; store < ANCHOR_STORES; store++) {
        bool is_empty = true;
        for (uint8_t place = 0; place < PLACE_COUNT; place++) {
            if (!place_read(anchor, (uint8_t)(store * PLACE_COUNT + place), root, &is_empty, error))
                return false;
        }
        if (anchor->stores[store].counter == 0 && !is_empty)
            return error_set(error, ERROR_CORRUPT,
                             "what the keeper remembers (keeper/anchor) does not open: `s3n node "
                             "accept` proves the stores and has it remember them as they are");
    }
    return true;
}

bool anchor_write(struct anchor *anchor, const struct secret32 *root, enum anchor_store store,
                  const struct store_heads *heads, struct error *error)
{
    struct anchor_memory *memory = &anchor->stores[store];
    uint8_t plain[PLAIN_SIZE], data[PLACE_SIZE] = { 0 };
    uint8_t place = (uint8_t)(store * PLACE_COUNT + (memory->counter + 1) % PLACE_COUNT);
    struct writer writer = writer_into(plain, sizeof(plain));
    write_u64_le(&writer, memory->counter + 1);
    store_heads_write(&writer, heads);
    AUTO_BUFFER struct buffer sealed;
    buffer_init(&sealed, PLACE_SIZE);
    if (!sealing_seal(root, ANCHOR_SPACE, bytes_of(&place, 1), writer_view(&writer), &sealed,
                      error))
        return false;
    writer = writer_into(data, sizeof(data));
    write_u16_le(&writer, (uint16_t)sealed.size);
    write_bytes(&writer, buffer_view(&sealed));
    ASSERT(!writer.failed && !sealed.failed);
    ssize_t written = pwrite(anchor->file, data, sizeof(data), (off_t)place * PLACE_SIZE);
    if (written >= 0 && written != (ssize_t)sizeof(data))
        errno = ENOSPC;
    if (written != (ssize_t)sizeof(data) || fdatasync(anchor->file) != 0)
        return error_system(error, "write the anchor");
    memory->counter++;
    memory->heads = *heads;
    return true;
}
