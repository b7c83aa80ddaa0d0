/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/folder.h"

#include "guest/memory.h"

enum {
    COOKIE_SELF = 1,
    COOKIE_PARENT = 2,
    COOKIE_FIRST = 3 /* of the entries proper */
};

/* An entry of a changed folder: an object of the volume. */
struct entry {
    uint64_t cookie;
    uint32_t folder;
    uint32_t node;
    uint32_t next_named; /* of the same bucket */
    uint32_t next;       /* of the folder */
    uint32_t previous;
    uint32_t archive_name; /* offset in the archive's strings + 1; 0: the name stands behind */
    uint32_t name_size;
    uint8_t name[];
};

static struct entry *entry_at(uint32_t reference)
{
    return volume_object(reference);
}

static struct bytes entry_name(const struct entry *entry)
{
    if (entry->archive_name == 0)
        return bytes_of(entry->name, entry->name_size);
    return bytes_part(volume_files()->strings, entry->archive_name - 1, entry->name_size);
}

static uint64_t entry_size(const struct entry *entry)
{
    return sizeof(*entry) + (entry->archive_name == 0 ? entry->name_size : 0);
}

static uint32_t *bucket_of(uint32_t folder, struct bytes name)
{
    uint32_t hash = 2166136261u ^ folder * 0x9e3779b1u;
    for (size_t i = 0; i < name.size; i++)
        hash = (hash ^ name.data[i]) * 16777619u;
    return &volume_get()->names[(hash ^ hash >> 15) % NAME_BUCKET_COUNT];
}

/* The reference to the entry, in the bucket's list, or to the 0 at its end. */
static uint32_t *entry_link(uint32_t folder, struct bytes name)
{
    uint32_t *at = bucket_of(folder, name);
    while (*at != 0) {
        const struct entry *entry = entry_at(*at);
        if (entry->folder == folder && bytes_equal(entry_name(entry), name))
            break;
        at = &entry_at(*at)->next_named;
    }
    return at;
}

/* The own entries; NULL: the archive's list counts. */
static struct folder_entries *entries_of(uint32_t folder)
{
    struct node *node = node_own(folder);
    return node != NULL && node->entries.is_copied ? &node->entries : NULL;
}

uint32_t folder_find(uint32_t folder, struct bytes name)
{
    uint32_t index;
    if (entries_of(folder) == NULL)
        return files_find(volume_files(), folder, name, &index) ? index : NODE_NONE;
    uint32_t reference = *entry_link(folder, name);
    return reference == 0 ? NODE_NONE : entry_at(reference)->node;
}

bool folder_is_empty(uint32_t folder)
{
    const struct folder_entries *entries = entries_of(folder);
    if (entries != NULL)
        return entries->first == 0;
    return files_node_at(volume_files(), folder).size == 0;
}

uint32_t folder_parent(uint32_t folder)
{
    return node_facts(folder).parent;
}

static void row_of_archive(uint32_t folder, uint64_t index, struct folder_row *row)
{
    struct files_node parent = files_node_at(volume_files(), folder);
    row->node = (uint32_t)(parent.offset + index);
    struct files_node child = files_node_at(volume_files(), row->node);
    row->name = files_name(volume_files(), &child);
    row->cookie = COOKIE_FIRST + index;
}

bool folder_next(uint32_t folder, uint64_t cookie, struct folder_row *row)
{
    const struct folder_entries *entries = entries_of(folder);
    if (node_facts(folder).links == 0)
        return false;
    if (cookie < COOKIE_PARENT) {
        *row = (struct folder_row){ .name = bytes_of("..", (size_t)cookie + 1),
                                    .node = cookie == 0 ? folder : folder_parent(folder),
                                    .cookie = cookie + 1 };
        return true;
    }
    if (entries == NULL) {
        uint64_t index = cookie + 1 - COOKIE_FIRST;
        if (index >= files_node_at(volume_files(), folder).size)
            return false;
        row_of_archive(folder, index, row);
        return true;
    }
    uint32_t at = entries->first;
    /* Reading on from the end of what was there before is the usual case. */
    if (entries->last != 0 && entry_at(entries->last)->cookie <= cookie)
        return false;
    while (at != 0 && entry_at(at)->cookie <= cookie)
        at = entry_at(at)->next;
    if (at == 0)
        return false;
    *row = (struct folder_row){ .name = entry_name(entry_at(at)),
                                .node = entry_at(at)->node,
                                .cookie = entry_at(at)->cookie };
    return true;
}

/* Appends; `archive_name` as in struct entry. */
static bool entry_add(struct node *folder, struct bytes name, uint32_t node, uint32_t archive_name)
{
    uint64_t size = sizeof(struct entry) + (archive_name == 0 ? name.size : 0);
    uint32_t reference = volume_object_new(size);
    if (reference == 0)
        return false;
    struct entry *entry = entry_at(reference);
    struct folder_entries *entries = &folder->entries;
    uint32_t *bucket = bucket_of(folder->number, name);
    *entry = (struct entry){ .cookie = COOKIE_FIRST + entries->cookie_next++,
                             .folder = folder->number,
                             .node = node,
                             .next_named = *bucket,
                             .previous = entries->last,
                             .archive_name = archive_name,
                             .name_size = (uint32_t)name.size };
    if (archive_name == 0)
        copy_bytes(entry->name, name.data, name.size);
    *bucket = reference;
    if (entries->last != 0)
        entry_at(entries->last)->next = reference;
    else
        entries->first = reference;
    entries->last = reference;
    return true;
}

static void entry_drop(struct node *folder, uint32_t *link)
{
    uint32_t reference = *link;
    struct entry *entry = entry_at(reference);
    struct folder_entries *entries = &folder->entries;
    *link = entry->next_named;
    *(entry->previous != 0 ? &entry_at(entry->previous)->next : &entries->first) = entry->next;
    *(entry->next != 0 ? &entry_at(entry->next)->previous : &entries->last) = entry->previous;
    volume_object_free(reference, entry_size(entry));
}

enum wasi_errno folder_change(uint32_t folder)
{
    struct node *node = node_change(folder);
    if (node == NULL)
        return WASI_NOSPC;
    if (node->entries.is_copied)
        return WASI_SUCCESS;
    const struct files *files = volume_files();
    struct files_node origin = files_node_at(files, folder);
    for (uint64_t i = 0; i < origin.size; i++) {
        uint32_t index = (uint32_t)(origin.offset + i);
        struct files_node child = files_node_at(files, index);
        if (entry_add(node, files_name(files, &child), index, child.name_offset + 1))
            continue;
        while (node->entries.first != 0)
            entry_drop(node, entry_link(folder, entry_name(entry_at(node->entries.first))));
        node->entries = (struct folder_entries){ 0 };
        return WASI_NOSPC;
    }
    node->entries.is_copied = true;
    return WASI_SUCCESS;
}

static void touch(struct node *folder)
{
    folder->modified_ns = folder->changed_ns = node_now_ns();
}

enum wasi_errno folder_insert(uint32_t folder, struct bytes name, uint32_t node)
{
    enum wasi_errno error = folder_change(folder);
    if (error != WASI_SUCCESS)
        return error;
    struct node *own = node_own(folder);
    if (!entry_add(own, name, node, 0))
        return WASI_NOSPC;
    touch(own);
    return WASI_SUCCESS;
}

void folder_remove(uint32_t folder, struct bytes name)
{
    struct node *own = node_own(folder);
    uint32_t *link = entry_link(folder, name);
    ASSERT(own != NULL && own->entries.is_copied && *link != 0);
    entry_drop(own, link);
    touch(own);
}

void folder_replace(uint32_t folder, struct bytes name, uint32_t node)
{
    struct node *own = node_own(folder);
    uint32_t reference = *entry_link(folder, name);
    ASSERT(own != NULL && reference != 0);
    entry_at(reference)->node = node;
    touch(own);
}
