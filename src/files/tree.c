/* SPDX-License-Identifier: Apache-2.0 */
#include "files/tree.h"

#include "core/sort.h"

#include <stdlib.h>
#include <string.h>

struct tree_node {
    enum files_kind kind;
    uint32_t parent;
    uint64_t modified_ns;
    size_t name_offset; /* in the names */
    size_t name_size;
    size_t offset; /* regular files: in the content; links: in the names */
    size_t size;
};

struct tree {
    struct tree_node *nodes;
    uint32_t count;
    uint32_t capacity;
    struct buffer names; /* and targets */
    struct buffer content;
};

bool tree_new(struct tree **made, struct error *error)
{
    struct tree *tree = calloc(1, sizeof(*tree));
    if (tree == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a tree of files");
    buffer_init(&tree->names, FILES_SIZE_MAX);
    buffer_init(&tree->content, FILES_SIZE_MAX);
    *made = tree;
    return true;
}

void tree_free(struct tree *tree)
{
    if (tree == NULL)
        return;
    buffer_done(&tree->names);
    buffer_done(&tree->content);
    free(tree->nodes);
    free(tree);
}

static struct bytes name_of(const struct tree *tree, const struct tree_node *node)
{
    return bytes_of(tree->names.data + node->name_offset, node->name_size);
}

static struct bytes data_of(const struct tree *tree, const struct tree_node *node)
{
    const struct buffer *source = node->kind == FILES_LINK ? &tree->names : &tree->content;
    return bytes_of(source->data + node->offset, node->kind == FILES_FOLDER ? 0 : node->size);
}

size_t tree_room(const struct tree *tree)
{
    size_t used = FILES_HEADER_SIZE + (size_t)tree->count * FILES_NODE_SIZE + tree->names.size +
                  tree->content.size;
    return used < FILES_SIZE_MAX ? FILES_SIZE_MAX - used : 0;
}

size_t tree_file_count(const struct tree *tree)
{
    size_t count = 0;
    for (uint32_t i = 0; i < tree->count; i++)
        count += tree->nodes[i].kind != FILES_FOLDER;
    return count;
}

static bool nodes_grow(struct tree *tree)
{
    uint32_t capacity = tree->capacity == 0 ? 64 : tree->capacity * 2;
    if (tree->count < tree->capacity)
        return true;
    struct tree_node *grown = reallocarray(tree->nodes, capacity, sizeof(*grown));
    if (grown == NULL)
        return false;
    tree->nodes = grown;
    tree->capacity = capacity;
    return true;
}

/* The data goes in by the caller, before: `node` says where it is. */
static bool node_add(struct tree *tree, struct tree_node node, struct bytes name,
                     struct error *error)
{
    if (tree->count == FILES_NODE_COUNT_MAX)
        return error_set(error, ERROR_LIMIT, "more than %d files", FILES_NODE_COUNT_MAX);
    if (name.size + FILES_NODE_SIZE > tree_room(tree))
        return error_set(error, ERROR_LIMIT, "more than %d MiB of files", FILES_SIZE_MAX >> 20);
    node.name_offset = tree->names.size;
    node.name_size = name.size;
    buffer_append(&tree->names, name);
    if (tree->names.failed || !nodes_grow(tree))
        return error_set(error, ERROR_NO_MEMORY, "no memory for a tree of files");
    tree->nodes[tree->count++] = node;
    return true;
}

static bool check_name(struct bytes name, struct error *error)
{
    return files_is_name(name) ||
           error_set(error, ERROR_INVALID, "\"%s\" can't be a file's name there",
                     error_quote(name).text);
}

bool tree_add_preopened(struct tree *tree, const char *name, uint32_t *folder, struct error *error)
{
    struct bytes text = bytes_of_string(name);
    uint32_t count = 0;
    if (text.size == 0 || text.size > FILES_PREOPEN_SIZE_MAX || !bytes_is_utf8(text))
        return error_set(error, ERROR_INVALID, "\"%s\" can't be a folder's name there",
                         error_quote(text).text);
    for (uint32_t i = 0; i < tree->count; i++) {
        if (tree->nodes[i].parent != i)
            continue;
        count++;
        if (bytes_equal(name_of(tree, &tree->nodes[i]), text))
            return error_set(error, ERROR_EXISTS, "two folders of the name \"%s\"",
                             error_quote(text).text);
    }
    if (count == FILES_PREOPEN_COUNT_MAX)
        return error_set(error, ERROR_LIMIT, "at most %d folders", FILES_PREOPEN_COUNT_MAX);
    *folder = tree->count;
    return node_add(tree, (struct tree_node){ .kind = FILES_FOLDER, .parent = tree->count }, text,
                    error);
}

bool tree_add_folder(struct tree *tree, uint32_t parent, struct bytes name, uint64_t modified_ns,
                     uint32_t *folder, struct error *error)
{
    if (!check_name(name, error))
        return false;
    /* Those added last are the likely ones. */
    for (uint32_t i = tree->count; i > 0; i--) {
        const struct tree_node *node = &tree->nodes[i - 1];
        if (node->kind != FILES_FOLDER || node->parent != parent || i - 1 == parent ||
            !bytes_equal(name_of(tree, node), name))
            continue;
        *folder = i - 1;
        return true;
    }
    *folder = tree->count;
    struct tree_node node = { .kind = FILES_FOLDER, .parent = parent, .modified_ns = modified_ns };
    return node_add(tree, node, name, error);
}

bool tree_add_file(struct tree *tree, uint32_t parent, struct bytes name, uint64_t modified_ns,
                   struct bytes content, struct error *error)
{
    struct tree_node node = { .kind = FILES_REGULAR,
                              .parent = parent,
                              .modified_ns = modified_ns,
                              .offset = tree->content.size,
                              .size = content.size };
    if (!check_name(name, error))
        return false;
    if (content.size > tree_room(tree))
        return error_set(error, ERROR_LIMIT, "more than %d MiB of files", FILES_SIZE_MAX >> 20);
    buffer_append(&tree->content, content);
    if (tree->content.failed)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a tree of files");
    return node_add(tree, node, name, error);
}

bool tree_add_link(struct tree *tree, uint32_t parent, struct bytes name, uint64_t modified_ns,
                   struct bytes target, struct error *error)
{
    struct tree_node node = { .kind = FILES_LINK,
                              .parent = parent,
                              .modified_ns = modified_ns,
                              .offset = tree->names.size,
                              .size = target.size };
    if (!check_name(name, error))
        return false;
    if (target.size == 0 || target.size > FILES_TARGET_SIZE_MAX || !bytes_is_utf8(target) ||
        bytes_find(target, 0) != target.size)
        return error_set(error, ERROR_INVALID, "link \"%s\" has a target that no link may have",
                         error_quote(name).text);
    buffer_append(&tree->names, target);
    if (tree->names.failed)
        return error_set(error, ERROR_LIMIT, "more than %d MiB of files", FILES_SIZE_MAX >> 20);
    return node_add(tree, node, name, error);
}

/* --- writing --- */

/* A node on its way into the archive: sorted by the archive's number of its folder, then by name;
 * preopened folders first, in their own order. */
struct row {
    uint32_t node;
    uint32_t folder; /* its number in the archive; preopened ones: UINT32_MAX before all */
    struct bytes name;
};

static int row_compare(const void *left, const void *right)
{
    const struct row *a = left, *b = right;
    if (a->folder != b->folder)
        return a->folder < b->folder ? -1 : 1;
    return files_compare(a->name, b->name);
}

/* The archive's order is by level: a folder's number must be known before its children can be
 * placed.  `rows` gets the nodes in that order, `numbers` the place of each.  EXISTS. */
struct order {
    struct row *rows;
    uint32_t *numbers;
    uint32_t preopen_count;
};

static uint32_t order_preopened(const struct tree *tree, struct order *order)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < tree->count; i++) {
        order->numbers[i] = UINT32_MAX;
        if (tree->nodes[i].parent != i)
            continue;
        order->numbers[i] = count;
        order->rows[count++] = (struct row){ .node = i, .name = name_of(tree, &tree->nodes[i]) };
    }
    order->preopen_count = count;
    return count;
}

/* The children of the folders placed from `from` to `end`. */
static uint32_t order_level(const struct tree *tree, struct order *order, uint32_t from,
                            uint32_t end)
{
    uint32_t count = end;
    for (uint32_t i = 0; i < tree->count; i++) {
        uint32_t folder = order->numbers[tree->nodes[i].parent];
        if (order->numbers[i] == UINT32_MAX && folder >= from && folder < end)
            order->rows[count++] =
                (struct row){ .node = i, .folder = folder, .name = name_of(tree, &tree->nodes[i]) };
    }
    sort_items(order->rows + end, count - end, sizeof(*order->rows), row_compare);
    for (uint32_t i = end; i < count; i++)
        order->numbers[order->rows[i].node] = i;
    return count;
}

static bool order_make(const struct tree *tree, struct order *order, struct error *error)
{
    uint32_t from = 0, end = order_preopened(tree, order), next;
    while ((next = order_level(tree, order, from, end)) > end) {
        from = end;
        end = next;
    }
    for (uint32_t i = order->preopen_count + 1; i < tree->count; i++)
        if (row_compare(&order->rows[i - 1], &order->rows[i]) == 0 && i - 1 >= order->preopen_count)
            return error_set(error, ERROR_EXISTS, "two files of the name \"%s\"",
                             error_quote(order->rows[i].name).text);
    return true;
}

static void node_write(struct buffer *archive, const struct files_node *node)
{
    uint8_t bytes[FILES_NODE_SIZE];
    struct writer writer = writer_into(bytes, sizeof(bytes));
    files_node_write(&writer, node);
    buffer_append(archive, writer_view(&writer));
}

static void nodes_write(struct buffer *archive, const struct tree *tree, const struct order *order)
{
    uint64_t strings = 0, content = 0;
    uint32_t child = order->preopen_count;
    for (uint32_t i = 0; i < tree->count; i++) {
        const struct tree_node *node = &tree->nodes[order->rows[i].node];
        bool is_preopened = i < order->preopen_count;
        struct files_node row = { .kind = node->kind,
                                  .parent = is_preopened ? i : order->rows[i].folder,
                                  .name_offset = (uint32_t)strings,
                                  .name_size = (uint32_t)node->name_size,
                                  .modified_ns = node->modified_ns,
                                  .size = node->size };
        strings += node->name_size;
        if (node->kind == FILES_FOLDER) {
            row.offset = child;
            while (child < tree->count && order->rows[child].folder == i)
                child++;
            row.size = child - row.offset;
        } else {
            uint64_t *used = node->kind == FILES_LINK ? &strings : &content;
            row.offset = *used;
            *used += node->size;
        }
        node_write(archive, &row);
    }
}

static void archive_write(struct buffer *archive, const struct tree *tree,
                          const struct order *order)
{
    uint8_t header[FILES_HEADER_SIZE];
    struct writer writer = writer_into(header, sizeof(header));
    files_header_write(&writer, &(struct files){ .preopen_count = order->preopen_count,
                                                 .node_count = tree->count,
                                                 .strings = buffer_view(&tree->names),
                                                 .content = buffer_view(&tree->content) });
    buffer_append(archive, writer_view(&writer));
    nodes_write(archive, tree, order);
    for (uint32_t i = 0; i < tree->count; i++) {
        const struct tree_node *node = &tree->nodes[order->rows[i].node];
        buffer_append(archive, order->rows[i].name);
        if (node->kind == FILES_LINK)
            buffer_append(archive, data_of(tree, node));
    }
    for (uint32_t i = 0; i < tree->count; i++) {
        const struct tree_node *node = &tree->nodes[order->rows[i].node];
        if (node->kind == FILES_REGULAR)
            buffer_append(archive, data_of(tree, node));
    }
}

bool tree_write(struct buffer *archive, const struct tree *tree, struct error *error)
{
    struct order order = { .rows = calloc(tree->count + 1u, sizeof(*order.rows)),
                           .numbers = calloc(tree->count + 1u, sizeof(*order.numbers)) };
    bool is_made = order.rows != NULL && order.numbers != NULL;
    if (!is_made)
        error_set(error, ERROR_NO_MEMORY, "no memory for an archive of files");
    else
        is_made = order_make(tree, &order, error);
    if (is_made) {
        archive_write(archive, tree, &order);
        is_made = !archive->failed ||
                  error_set(error, ERROR_LIMIT, "more than %d MiB of files", FILES_SIZE_MAX >> 20);
    }
    free(order.rows);
    free(order.numbers);
    return is_made;
}
