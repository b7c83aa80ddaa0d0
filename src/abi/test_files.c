/* SPDX-License-Identifier: Apache-2.0 */
#include "abi/test_files.h"

static struct bytes data_of(const struct test_file *row)
{
    return row->data == NULL ? (struct bytes){ 0 } : bytes_of_string(row->data);
}

static size_t data_size(const struct test_file *row)
{
    return data_of(row).size;
}

static uint32_t first_child(const struct test_file *rows, uint32_t count, uint32_t folder,
                            uint32_t *children)
{
    uint32_t first = 0;
    *children = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (rows[i].parent == folder && i != folder) {
            first = *children == 0 ? i : first;
            ++*children;
        }
    }
    return first;
}

/* Where the children of an empty folder would stand: behind those of all folders before it. */
static uint32_t next_child(const struct test_file *rows, uint32_t count, uint32_t folder)
{
    uint32_t end = 0;
    for (uint32_t i = 0; i < count; i++)
        if (rows[i].parent == i || rows[i].parent < folder)
            end = i + 1;
    return end;
}

size_t test_files_write(uint8_t *target, size_t capacity, const struct test_file *rows,
                        uint32_t count)
{
    struct writer writer = writer_into(target, capacity);
    struct files files = { .node_count = count };
    uint64_t strings = 0, content = 0;
    for (uint32_t i = 0; i < count; i++) {
        files.preopen_count += rows[i].parent == i;
        files.strings.size += bytes_of_string(rows[i].name).size;
        if (rows[i].kind == FILES_LINK)
            files.strings.size += data_size(&rows[i]);
        else
            files.content.size += data_size(&rows[i]);
    }
    files_header_write(&writer, &files);
    for (uint32_t i = 0; i < count; i++) {
        struct files_node node = { .kind = rows[i].kind,
                                   .parent = rows[i].parent,
                                   .name_offset = (uint32_t)strings,
                                   .name_size = (uint32_t)bytes_of_string(rows[i].name).size,
                                   .modified_ns = 1000 + i,
                                   .size = data_size(&rows[i]) };
        strings += node.name_size;
        uint32_t children;
        uint32_t first = first_child(rows, count, i, &children);
        if (node.kind == FILES_FOLDER) {
            node.offset = children == 0 ? next_child(rows, count, i) : first;
            node.size = children;
        }
        if (node.kind != FILES_FOLDER) {
            uint64_t *used = node.kind == FILES_LINK ? &strings : &content;
            node.offset = *used;
            *used += node.size;
        }
        files_node_write(&writer, &node);
    }
    for (uint32_t i = 0; i < count; i++) {
        write_bytes(&writer, bytes_of_string(rows[i].name));
        if (rows[i].kind == FILES_LINK)
            write_bytes(&writer, data_of(&rows[i]));
    }
    for (uint32_t i = 0; i < count; i++)
        if (rows[i].kind == FILES_REGULAR)
            write_bytes(&writer, data_of(&rows[i]));
    ASSERT(!writer.failed);
    return writer.size;
}
