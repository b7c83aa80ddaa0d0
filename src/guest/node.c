/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/node.h"

#include "guest/clock.h"
#include "guest/content.h"

enum {
    UNITS_EACH = 4 /* of one node: objects of 128 bytes */
};

_Static_assert(sizeof(struct node) <= UNITS_EACH * VOLUME_UNIT &&
                   sizeof(struct node) > UNITS_EACH * VOLUME_UNIT / 2,
               "a node's number follows from its place");

static uint32_t *bucket_of(uint32_t number)
{
    return &volume_get()->shadows[number % SHADOW_BUCKET_COUNT];
}

static struct node *node_of(uint32_t reference)
{
    return volume_object(reference);
}

struct node *node_own(uint32_t number)
{
    uint32_t count = volume_files()->node_count;
    if (number >= count)
        return node_of((number - count) * UNITS_EACH);
    if (!volume_is_touched())
        return NULL;
    for (uint32_t at = *bucket_of(number); at != 0; at = node_of(at)->next)
        if (node_of(at)->number == number)
            return node_of(at);
    return NULL;
}

struct node_facts node_facts(uint32_t number)
{
    const struct node *own = node_own(number);
    if (own != NULL)
        return (struct node_facts){ .kind = own->kind,
                                    .links = own->links,
                                    .parent = own->parent,
                                    .size = own->size,
                                    .accessed_ns = own->accessed_ns,
                                    .modified_ns = own->modified_ns,
                                    .changed_ns = own->changed_ns };
    struct files_node node = files_node_at(volume_files(), number);
    return (struct node_facts){ .kind = node.kind,
                                .links = 1,
                                .parent = node.parent,
                                .size = node.kind == FILES_FOLDER ? 0 : node.size,
                                .accessed_ns = node.modified_ns,
                                .modified_ns = node.modified_ns,
                                .changed_ns = node.modified_ns };
}

/* Room for one more, counted. */
static uint32_t reference_new(void)
{
    struct volume *volume = volume_get();
    if (volume == NULL || volume->node_count >= NODE_COUNT_MAX)
        return 0;
    uint32_t reference = volume_object_new(sizeof(struct node));
    volume->node_count += reference != 0;
    return reference;
}

struct node *node_change(uint32_t number)
{
    struct node *own = node_own(number);
    if (own != NULL)
        return own;
    uint32_t reference = reference_new();
    if (reference == 0)
        return NULL;
    struct node_facts facts = node_facts(number);
    own = node_of(reference);
    *own = (struct node){ .number = number,
                          .next = *bucket_of(number),
                          .kind = facts.kind,
                          .links = facts.links,
                          .parent = facts.parent,
                          .size = facts.size,
                          .accessed_ns = facts.accessed_ns,
                          .modified_ns = facts.modified_ns,
                          .changed_ns = facts.changed_ns };
    if (own->kind == FILES_REGULAR)
        own->pages.base_size = own->size;
    *bucket_of(number) = reference;
    return own;
}

struct node *node_new(enum files_kind kind, uint32_t parent)
{
    uint32_t reference = reference_new();
    if (reference == 0)
        return NULL;
    struct node *node = node_of(reference);
    uint64_t now_ns = node_now_ns();
    *node = (struct node){ .number = volume_files()->node_count + reference / UNITS_EACH,
                           .kind = kind,
                           .links = 1,
                           .parent = parent,
                           .accessed_ns = now_ns,
                           .modified_ns = now_ns,
                           .changed_ns = now_ns };
    if (kind == FILES_FOLDER)
        node->entries.is_copied = true;
    return node;
}

static void node_free(struct node *node)
{
    uint32_t count = volume_files()->node_count;
    uint32_t reference = (node->number - count) * UNITS_EACH;
    if (node->kind == FILES_REGULAR)
        content_free(node);
    if (node->kind == FILES_LINK && node->target != 0)
        volume_object_free(node->target, node->size);
    if (node->number < count) {
        uint32_t *at = bucket_of(node->number);
        while (node_of(*at) != node)
            at = &node_of(*at)->next;
        reference = *at;
        *at = node->next;
    }
    volume_object_free(reference, sizeof(struct node));
    volume_get()->node_count--;
}

void node_release(uint32_t number)
{
    struct node *node = node_own(number);
    if (node != NULL && node->links == 0 && !descriptor_refers_to(number))
        node_free(node);
}

enum wasi_errno node_unlink(uint32_t number)
{
    struct node *node = node_own(number);
    /* One of the archive that nobody holds is forgotten: nothing leads to it any more. */
    if (node == NULL && !descriptor_refers_to(number))
        return WASI_SUCCESS;
    node = node_change(number);
    if (node == NULL)
        return WASI_NOSPC;
    node->links--;
    node->changed_ns = node_now_ns();
    node_release(number);
    return WASI_SUCCESS;
}

bool node_is_folder(uint32_t number)
{
    return node_facts(number).kind == FILES_FOLDER;
}

struct bytes node_target(uint32_t number)
{
    const struct node *own = node_own(number);
    if (own != NULL && own->target != 0)
        return bytes_of(volume_object(own->target), own->size);
    struct files_node node = files_node_at(volume_files(), number);
    return files_data(volume_files(), &node);
}

uint64_t node_now_ns(void)
{
    return clock_now_ns(CLOCK_ID_REALTIME);
}
