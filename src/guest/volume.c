/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/volume.h"

#include "abi/layout.h"
#include "guest/guest.h"
#include "guest/memory.h"

#define VOLUME_MAGIC 0x534c4946u

_Static_assert(sizeof(struct volume) <= LAYOUT_SCRATCH_FIXED_SIZE, "the fixed part has room");

/* What the archive says of itself; .bss, so that a reset forgets it with all else. */
static struct {
    bool is_known;
    struct files files;
} archive;

/* One preopened folder "/" without anything in it (abi/files.h). */
static const uint8_t empty_archive[FILES_HEADER_SIZE + FILES_NODE_SIZE + 1] = {
    'S',
    '3',
    'N',
    'F',
    'I',
    'L',
    'E',
    'S',
    FILES_VERSION,
    [12] = 1,
    [16] = 1,
    [24] = 1,
    [FILES_HEADER_SIZE] = FILES_FOLDER,
    [FILES_HEADER_SIZE + 12] = 1,
    [FILES_HEADER_SIZE + 24] = 1,
    [FILES_HEADER_SIZE + FILES_NODE_SIZE] = '/',
};

static const volatile struct control *control(void)
{
    return guest.control;
}

bool volume_exists(void)
{
    return control()->files_size != 0 || control()->settings.scratch_size_max != 0;
}

static struct volume *volume(void)
{
    return (struct volume *)control()->scratch_base;
}

bool volume_is_touched(void)
{
    return control()->scratch_size != 0 && volume()->magic == VOLUME_MAGIC;
}

void volume_init(void)
{
    archive.is_known = false;
}

const struct files *volume_files(void)
{
    if (!archive.is_known) {
        struct bytes source = bytes_of((const void *)control()->files_base, control()->files_size);
        if (source.size == 0)
            source = BYTES_OF(empty_archive);
        /* The host checked it before it let anyone map it. */
        ASSERT(files_view(&archive.files, source));
        archive.is_known = true;
    }
    return &archive.files;
}

/* Has the first `size` bytes mapped. */
static bool volume_reach(uint64_t size)
{
    if (size > control()->scratch_size)
        guest_leave(GUEST_EXIT_SCRATCH, size, 0);
    return size <= control()->scratch_size;
}

struct volume *volume_get(void)
{
    if (!volume_exists() || !volume_reach(LAYOUT_SCRATCH_FIXED_SIZE))
        return NULL;
    struct volume *made = volume();
    if (made->magic != VOLUME_MAGIC) {
        made->magic = VOLUME_MAGIC;
        made->page_next = LAYOUT_SCRATCH_FIXED_SIZE / VOLUME_PAGE_SIZE;
        descriptor_open_preopened(made, volume_files());
    }
    return made;
}

void *volume_page(uint32_t page)
{
    return (uint8_t *)volume() + (uint64_t)page * VOLUME_PAGE_SIZE;
}

void *volume_object(uint32_t reference)
{
    return (uint8_t *)volume() + (uint64_t)reference * VOLUME_UNIT;
}

uint32_t volume_page_new(void)
{
    struct volume *at = volume();
    uint64_t limit = LAYOUT_SCRATCH_FIXED_SIZE + control()->settings.scratch_size_max;
    uint32_t page = at->page_free;
    if (page != 0) {
        at->page_free = *(const uint32_t *)volume_page(page);
        return page;
    }
    uint64_t end = ((uint64_t)at->page_next + 1) * VOLUME_PAGE_SIZE;
    if (end > MIN(limit, (uint64_t)LAYOUT_SCRATCH_SIZE_MAX) || !volume_reach(end))
        return 0;
    return at->page_next++;
}

void volume_page_free(uint32_t page)
{
    *(uint32_t *)volume_page(page) = volume()->page_free;
    volume()->page_free = page;
}

static unsigned class_of(uint64_t size)
{
    unsigned class = 0;
    while (class < OBJECT_CLASS_COUNT && size > (uint64_t)OBJECT_SIZE_MIN << class)
        class ++;
    return class;
}

/* A page cut into objects of one class, all free. */
static bool class_fill(unsigned class)
{
    uint32_t page = volume_page_new();
    uint32_t units = ((uint32_t)OBJECT_SIZE_MIN << class) / VOLUME_UNIT;
    uint32_t first = page * (VOLUME_PAGE_SIZE / VOLUME_UNIT);
    if (page == 0)
        return false;
    /* In reverse, so that they are given out from the start of the page. */
    for (uint32_t at = VOLUME_PAGE_SIZE / VOLUME_UNIT; at > 0; at -= units)
        volume_object_free(first + at - units, (uint64_t)OBJECT_SIZE_MIN << class);
    return true;
}

uint32_t volume_object_new(uint64_t size)
{
    unsigned class = class_of(size);
    ASSERT(size <= VOLUME_PAGE_SIZE);
    if (class == OBJECT_CLASS_COUNT)
        return volume_page_new() * (VOLUME_PAGE_SIZE / VOLUME_UNIT);
    uint32_t *head = &volume()->object_free[class];
    if (*head == 0 && !class_fill(class))
        return 0;
    uint32_t reference = *head;
    *head = *(const uint32_t *)volume_object(reference);
    return reference;
}

void volume_object_free(uint32_t reference, uint64_t size)
{
    unsigned class = class_of(size);
    if (class == OBJECT_CLASS_COUNT) {
        volume_page_free(reference / (VOLUME_PAGE_SIZE / VOLUME_UNIT));
        return;
    }
    *(uint32_t *)volume_object(reference) = volume()->object_free[class];
    volume()->object_free[class] = reference;
}
