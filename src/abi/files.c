/* SPDX-License-Identifier: Apache-2.0 */
#include "abi/files.h"

#include "core/reader.h"

void files_header_write(struct writer *writer, const struct files *files)
{
    size_t start = writer->size;
    write_bytes(writer, BYTES_LITERAL(FILES_MAGIC));
    write_u32_le(writer, FILES_VERSION);
    write_u32_le(writer, files->preopen_count);
    write_u32_le(writer, files->node_count);
    write_u32_le(writer, 0);
    write_u64_le(writer, files->strings.size);
    write_u64_le(writer, files->content.size);
    write_zeros(writer, FILES_HEADER_SIZE - (writer->size - start));
}

void files_node_write(struct writer *writer, const struct files_node *node)
{
    write_u32_le(writer, node->kind);
    write_u32_le(writer, node->parent);
    write_u32_le(writer, node->name_offset);
    write_u32_le(writer, node->name_size);
    write_u64_le(writer, node->modified_ns);
    write_u64_le(writer, node->offset);
    write_u64_le(writer, node->size);
    write_u64_le(writer, 0);
}

/* Fixed places in bytes that are there: what every step of a path asks for. */
static uint32_t load_u32_le(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static uint64_t load_u64_le(const uint8_t *at)
{
    return load_u32_le(at) | (uint64_t)load_u32_le(at + 4) << 32;
}

struct files_node files_node_at(const struct files *files, uint32_t index)
{
    ASSERT(index < files->node_count);
    const uint8_t *at = files->nodes.data + (size_t)index * FILES_NODE_SIZE;
    return (struct files_node){ .kind = load_u32_le(at),
                                .parent = load_u32_le(at + 4),
                                .name_offset = load_u32_le(at + 8),
                                .name_size = load_u32_le(at + 12),
                                .modified_ns = load_u64_le(at + 16),
                                .offset = load_u64_le(at + 24),
                                .size = load_u64_le(at + 32) };
}

struct bytes files_name(const struct files *files, const struct files_node *node)
{
    return bytes_part(files->strings, node->name_offset, node->name_size);
}

struct bytes files_data(const struct files *files, const struct files_node *node)
{
    if (node->kind == FILES_REGULAR)
        return bytes_part(files->content, node->offset, node->size);
    if (node->kind == FILES_LINK)
        return bytes_part(files->strings, node->offset, node->size);
    return (struct bytes){ 0 };
}

int files_compare(struct bytes left, struct bytes right)
{
    size_t size = MIN(left.size, right.size);
    for (size_t i = 0; i < size; i++)
        if (left.data[i] != right.data[i])
            return left.data[i] < right.data[i] ? -1 : 1;
    return left.size == right.size ? 0 : left.size < right.size ? -1 : 1;
}

bool files_is_name(struct bytes name)
{
    return name.size > 0 && name.size <= FILES_NAME_SIZE_MAX &&
           !bytes_equal(name, BYTES_LITERAL(".")) && !bytes_equal(name, BYTES_LITERAL("..")) &&
           bytes_find(name, '/') == name.size && bytes_find(name, 0) == name.size &&
           bytes_is_utf8(name);
}

bool files_find(const struct files *files, uint32_t folder, struct bytes name, uint32_t *index)
{
    struct files_node node = files_node_at(files, folder);
    uint32_t from = (uint32_t)node.offset, end = (uint32_t)(node.offset + node.size);
    while (node.kind == FILES_FOLDER && from < end) {
        uint32_t middle = from + (end - from) / 2;
        struct files_node child = files_node_at(files, middle);
        int order = files_compare(files_name(files, &child), name);
        if (order == 0) {
            *index = middle;
            return true;
        }
        if (order < 0)
            from = middle + 1;
        else
            end = middle;
    }
    return false;
}

bool files_view(struct files *files, struct bytes source)
{
    struct reader reader = reader_of(source);
    struct files view = { 0 };
    bool is_known = bytes_equal(read_bytes(&reader, 8), BYTES_LITERAL(FILES_MAGIC)) &&
                    read_u32_le(&reader) == FILES_VERSION;
    view.preopen_count = read_u32_le(&reader);
    view.node_count = read_u32_le(&reader);
    uint32_t reserved = read_u32_le(&reader);
    uint64_t strings_size = read_u64_le(&reader);
    uint64_t content_size = read_u64_le(&reader);
    for (size_t at = reader_offset(&reader); at < FILES_HEADER_SIZE; at++)
        is_known = read_u8(&reader) == 0 && is_known;
    if (!is_known || reserved != 0 || view.node_count > FILES_NODE_COUNT_MAX ||
        strings_size > FILES_SIZE_MAX || content_size > FILES_SIZE_MAX)
        return false;
    view.nodes = read_bytes(&reader, (size_t)view.node_count * FILES_NODE_SIZE);
    view.strings = read_bytes(&reader, strings_size);
    view.content = read_bytes(&reader, content_size);
    if (!read_end(&reader))
        return false;
    *files = view;
    return true;
}

/* What the nodes before it have used up of each part. */
struct progress {
    uint64_t strings;
    uint64_t content;
    uint32_t children;
};

static const char *check_name(const struct files *files, uint32_t index,
                              const struct files_node *node)
{
    struct bytes name = files_name(files, node);
    if (name.size != node->name_size)
        return "a name is out of place";
    if (index >= files->preopen_count)
        return files_is_name(name) ? NULL : "a name that no file may have";
    if (name.size == 0 || name.size > FILES_PREOPEN_SIZE_MAX || !bytes_is_utf8(name) ||
        bytes_find(name, 0) != name.size)
        return "a preopened folder has no proper name";
    for (uint32_t i = 0; i < index; i++) {
        struct files_node other = files_node_at(files, i);
        if (bytes_equal(files_name(files, &other), name))
            return "two preopened folders of one name";
    }
    return NULL;
}

static const char *check_folder(const struct files *files, uint32_t index,
                                const struct files_node *node, struct progress *progress)
{
    if (node->offset != progress->children || progress->children <= index ||
        node->size > files->node_count - progress->children)
        return "children of a folder are out of place";
    for (uint64_t i = 0; i < node->size; i++) {
        struct files_node child = files_node_at(files, (uint32_t)(node->offset + i));
        struct files_node before;
        if (child.parent != index)
            return "a file is in two folders";
        if (i == 0)
            continue;
        before = files_node_at(files, (uint32_t)(node->offset + i - 1));
        if (files_compare(files_name(files, &before), files_name(files, &child)) >= 0)
            return "a folder is not sorted";
    }
    progress->children += (uint32_t)node->size;
    return NULL;
}

static const char *check_data(const struct files *files, const struct files_node *node,
                              struct progress *progress)
{
    struct bytes data = files_data(files, node);
    bool is_link = node->kind == FILES_LINK;
    uint64_t *expected = is_link ? &progress->strings : &progress->content;
    if (node->offset != *expected || data.size != node->size)
        return "content is out of place";
    if (is_link && (data.size == 0 || data.size > FILES_TARGET_SIZE_MAX ||
                    bytes_find(data, 0) != data.size || !bytes_is_utf8(data)))
        return "a link has no proper target";
    *expected += node->size;
    return NULL;
}

static const char *check_node(const struct files *files, uint32_t index, struct progress *progress)
{
    struct files_node node = files_node_at(files, index);
    struct reader reader =
        reader_of(bytes_part(files->nodes, ((size_t)index + 1) * FILES_NODE_SIZE - 8, 8));
    if (node.name_offset != progress->strings || read_u64_le(&reader) != 0)
        return "a name is out of place";
    const char *wrong = check_name(files, index, &node);
    if (wrong != NULL)
        return wrong;
    progress->strings += node.name_size;
    if (index < files->preopen_count && (node.kind != FILES_FOLDER || node.parent != index))
        return "a preopened folder is none";
    switch (node.kind) {
    case FILES_FOLDER:
        return check_folder(files, index, &node, progress);
    case FILES_REGULAR:
    case FILES_LINK:
        return check_data(files, &node, progress);
    default:
        return "a file of unknown kind";
    }
}

bool files_parse(struct files *files, struct bytes source, const char **reason)
{
    struct files view;
    const char *wrong = NULL;
    if (source.size > FILES_SIZE_MAX || !files_view(&view, source)) {
        *reason = "not an archive of files";
        return false;
    }
    if (view.preopen_count > FILES_PREOPEN_COUNT_MAX || view.preopen_count > view.node_count)
        wrong = "too many preopened folders";
    struct progress progress = { .children = view.preopen_count };
    for (uint32_t i = 0; wrong == NULL && i < view.node_count; i++)
        wrong = check_node(&view, i, &progress);
    if (wrong == NULL &&
        (progress.children != view.node_count || progress.strings != view.strings.size ||
         progress.content != view.content.size))
        wrong = "something belongs to no file";
    if (wrong != NULL) {
        *reason = wrong;
        return false;
    }
    *files = view;
    return true;
}
