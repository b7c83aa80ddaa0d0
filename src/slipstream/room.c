/* SPDX-License-Identifier: Apache-2.0 */
#include "slipstream/room.h"

#include "abi/layout.h"
#include "core/checked.h"
#include "slipstream/limits.h"

#include <string.h>
#include <sys/mman.h>

enum room_state {
    ROOM_UNUSED,
    ROOM_GOOD,
    ROOM_BAD
};

struct room {
    uint32_t state; /* enum room_state */
    struct error error;
    bool has_parts;
    uint64_t sizes[ROOM_PART_COUNT];
};

static const uint64_t sizes_max[ROOM_PART_COUNT] = { MEMORY_SIZE_MAX, LAYOUT_INSTANCE_SIZE_MAX,
                                                     LAYOUT_SCRATCH_SIZE_MAX };

static uint64_t marks_size(enum room_part part)
{
    return round_up(sizes_max[part] / LAYOUT_PAGE_SIZE / 8 + 8, LAYOUT_PAGE_SIZE);
}

/* Header, then marks and data of each part. */
static uint64_t part_offset(enum room_part part)
{
    uint64_t offset = LAYOUT_PAGE_SIZE;
    for (enum room_part i = ROOM_MEMORY; i < part; i++)
        offset += marks_size(i) + sizes_max[i];
    return offset;
}

static struct part_template part_at(const struct room *room, enum room_part part, uint64_t size)
{
    uint8_t *at = (uint8_t *)(uintptr_t)room + part_offset(part);
    return (struct part_template){ .data = at + marks_size(part),
                                   .marks = (uint64_t *)(void *)at,
                                   .size = size };
}

bool room_open(struct room **made, struct error *error)
{
    _Static_assert(sizeof(struct room) <= LAYOUT_PAGE_SIZE, "the header's page");
    void *at = mmap(NULL, part_offset(ROOM_PART_COUNT), PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED)
        return error_system(error, "room for a snapshot");
    *made = at;
    return true;
}

void room_close(struct room *room)
{
    if (room != NULL)
        munmap(room, part_offset(ROOM_PART_COUNT));
}

bool room_take(struct room *room, enum room_part part, uint64_t size, struct part_template *taken,
               struct error *error)
{
    if (size > sizes_max[part])
        return error_set(error, ERROR_LIMIT, "a snapshot of %llu bytes is too large",
                         (unsigned long long)size);
    room->sizes[part] = size;
    room->has_parts = true;
    *taken = part_at(room, part, size);
    return true;
}

void room_conclude(struct room *room, bool is_good, const struct error *error)
{
    if (!is_good)
        room->error = *error;
    room->state = is_good ? ROOM_GOOD : ROOM_BAD;
}

bool room_result(const struct room *room, struct error *error)
{
    uint32_t state = room->state;
    if (state == ROOM_GOOD)
        return true;
    if (state != ROOM_BAD)
        return error_set(error, ERROR_CRASHED,
                         "the process that initialises it ended unexpectedly");
    *error = room->error;
    error->text[sizeof(error->text) - 1] = '\0';
    if (error->code == 0 || error->code > ERROR_INTERNAL)
        error->code = ERROR_CRASHED;
    return false;
}

bool room_view(const struct room *room, enum room_part part, struct part_template *left)
{
    uint64_t size = room->sizes[part];
    if (!room->has_parts || size > sizes_max[part])
        return false;
    *left = part_at(room, part, size);
    return true;
}
