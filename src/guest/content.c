/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/content.h"

#include "core/checked.h"
#include "guest/memory.h"

enum {
    TABLE_COUNT = VOLUME_PAGE_SIZE / sizeof(uint32_t)
};

/* A table of pages, or of tables; new ones are empty. */
static bool table_make(uint32_t *slot)
{
    if (*slot != 0)
        return true;
    uint32_t page = volume_page_new();
    if (page == 0)
        return false;
    fill_bytes(volume_page(page), 0, VOLUME_PAGE_SIZE);
    *slot = page;
    return true;
}

/* Where page `index` of the file is noted; NULL: nowhere, or no room for the tables to it. */
static uint32_t *page_slot(struct file_pages *pages, uint64_t index, bool is_new)
{
    if (index < FILE_DIRECT_COUNT)
        return &pages->direct[index];
    index -= FILE_DIRECT_COUNT;
    if (index < TABLE_COUNT) {
        if (is_new && !table_make(&pages->tables[0]))
            return NULL;
        return pages->tables[0] == 0 ? NULL : (uint32_t *)volume_page(pages->tables[0]) + index;
    }
    index -= TABLE_COUNT;
    if (is_new && !table_make(&pages->tables[1]))
        return NULL;
    if (pages->tables[1] == 0)
        return NULL;
    uint32_t *outer = (uint32_t *)volume_page(pages->tables[1]) + index / TABLE_COUNT;
    if (is_new && !table_make(outer))
        return NULL;
    return *outer == 0 ? NULL : (uint32_t *)volume_page(*outer) + index % TABLE_COUNT;
}

static struct bytes archive_bytes(uint32_t number)
{
    const struct files *files = volume_files();
    if (number >= files->node_count)
        return (struct bytes){ 0 };
    struct files_node node = files_node_at(files, number);
    return files_data(files, &node);
}

/* Bytes where no page is: the archive's as far as they count, then zeros. */
static void copy_base(const struct node *node, uint64_t offset, uint8_t *to, uint64_t size)
{
    struct bytes base = bytes_part(archive_bytes(node->number), 0, node->pages.base_size);
    struct bytes part = bytes_part(base, offset, size);
    copy_bytes(to, part.data, part.size);
    fill_bytes(to + part.size, 0, size - part.size);
}

uint64_t content_read(uint32_t number, uint64_t offset, uint8_t *to, uint64_t size)
{
    struct node *node = node_own(number);
    if (node == NULL) {
        struct bytes part = bytes_part(archive_bytes(number), offset, size);
        copy_bytes(to, part.data, part.size);
        return part.size;
    }
    size = offset < node->size ? MIN(size, node->size - offset) : 0;
    for (uint64_t done = 0; done < size;) {
        uint64_t at = offset + done, start = at % VOLUME_PAGE_SIZE;
        uint64_t part = MIN(size - done, VOLUME_PAGE_SIZE - start);
        const uint32_t *slot = page_slot(&node->pages, at / VOLUME_PAGE_SIZE, false);
        if (slot != NULL && *slot != 0)
            copy_bytes(to + done, (uint8_t *)volume_page(*slot) + start, part);
        else
            copy_base(node, at, to + done, part);
        done += part;
    }
    return size;
}

/* The page that holds `offset`, filled with what it holds so far unless `is_whole`; NULL: no room.
 */
static uint8_t *page_make(struct node *node, uint64_t offset, bool is_whole)
{
    uint32_t *slot = page_slot(&node->pages, offset / VOLUME_PAGE_SIZE, true);
    if (slot == NULL)
        return NULL;
    if (*slot == 0) {
        uint32_t page = volume_page_new();
        if (page == 0)
            return NULL;
        if (!is_whole)
            copy_base(node, offset & ~(uint64_t)(VOLUME_PAGE_SIZE - 1), volume_page(page),
                      VOLUME_PAGE_SIZE);
        *slot = page;
    }
    return volume_page(*slot);
}

static void touch(struct node *node)
{
    node->modified_ns = node->changed_ns = node_now_ns();
}

enum wasi_errno content_write(uint32_t number, uint64_t offset, const uint8_t *from, uint64_t size,
                              uint64_t *written)
{
    *written = 0;
    if (size == 0)
        return WASI_SUCCESS;
    if (offset >= FILE_SIZE_MAX)
        return WASI_FBIG;
    struct node *node = node_change(number);
    if (node == NULL)
        return WASI_NOSPC;
    size = MIN(size, FILE_SIZE_MAX - offset);
    while (*written < size) {
        uint64_t at = offset + *written, start = at % VOLUME_PAGE_SIZE;
        uint64_t part = MIN(size - *written, VOLUME_PAGE_SIZE - start);
        uint8_t *page = page_make(node, at, part == VOLUME_PAGE_SIZE);
        if (page == NULL)
            break;
        copy_bytes(page + start, from + *written, part);
        *written += part;
    }
    if (*written == 0)
        return WASI_NOSPC;
    node->size = MAX(node->size, offset + *written);
    touch(node);
    return WASI_SUCCESS;
}

/* Frees all pages from `from` on below a slot; `level` 0 is a page of content. */
static void pages_cut(uint32_t *slot, unsigned level, uint64_t from)
{
    uint64_t span = level == 2 ? TABLE_COUNT : 1; /* pages below each entry */
    if (*slot == 0)
        return;
    uint32_t *entries = volume_page(*slot);
    for (uint64_t i = from / span; level > 0 && i < TABLE_COUNT; i++)
        pages_cut(&entries[i], level - 1, i * span < from ? from - i * span : 0);
    if (from > 0)
        return;
    volume_page_free(*slot);
    *slot = 0;
}

/* Frees every page that lies behind `size` bytes. */
static void content_cut(struct node *node, uint64_t size)
{
    uint64_t from = round_up(size, VOLUME_PAGE_SIZE) / VOLUME_PAGE_SIZE;
    const uint64_t first_table = FILE_DIRECT_COUNT, second_table = first_table + TABLE_COUNT;
    for (uint64_t i = from; i < FILE_DIRECT_COUNT; i++)
        pages_cut(&node->pages.direct[i], 0, 0);
    pages_cut(&node->pages.tables[0], 1, from > first_table ? from - first_table : 0);
    pages_cut(&node->pages.tables[1], 2, from > second_table ? from - second_table : 0);
}

void content_free(struct node *node)
{
    content_cut(node, 0);
}

enum wasi_errno content_resize(uint32_t number, uint64_t size)
{
    if (size > FILE_SIZE_MAX)
        return WASI_FBIG;
    struct node *node = node_change(number);
    if (node == NULL)
        return WASI_NOSPC;
    if (size < node->size) {
        content_cut(node, size);
        node->pages.base_size = MIN(node->pages.base_size, size);
        /* What lies behind the end in its last page must be zeros when the file grows again. */
        uint64_t start = size % VOLUME_PAGE_SIZE;
        const uint32_t *slot = page_slot(&node->pages, size / VOLUME_PAGE_SIZE, false);
        if (start != 0 && slot != NULL && *slot != 0)
            fill_bytes((uint8_t *)volume_page(*slot) + start, 0, VOLUME_PAGE_SIZE - start);
    }
    node->size = size;
    touch(node);
    return WASI_SUCCESS;
}

enum wasi_errno content_reserve(uint32_t number, uint64_t offset, uint64_t size)
{
    uint64_t end;
    if (!add_fits(offset, size, &end) || end > FILE_SIZE_MAX)
        return WASI_FBIG;
    struct node *node = node_change(number);
    if (node == NULL)
        return WASI_NOSPC;
    uint64_t from = offset & ~(uint64_t)(VOLUME_PAGE_SIZE - 1);
    for (uint64_t at = from; at < end; at += VOLUME_PAGE_SIZE)
        if (page_make(node, at, false) == NULL)
            return WASI_NOSPC;
    node->size = MAX(node->size, end);
    touch(node);
    return WASI_SUCCESS;
}
