/* SPDX-License-Identifier: Apache-2.0 */
#include "state/merkle.h"

#include "crypto/hash.h"

#include <stdlib.h>
#include <string.h>

enum {
    PATH_BITS = 256,
    TAG_LEAF = 0,
    TAG_NODE = 1,
};

struct merkle_node {
    struct merkle_ref child[2];
    struct digest32 digest;
    unsigned bit;
    bool is_known;            /* the digest */
    struct merkle_node *next; /* among the spare ones */
};

static unsigned bit_of(const struct digest32 *path, unsigned bit)
{
    return (unsigned)(path->bytes[bit / 8] >> (7 - bit % 8)) & 1u;
}

/* The first bit in which they differ; PATH_BITS when none. */
static unsigned first_difference(const struct digest32 *a, const struct digest32 *b)
{
    for (unsigned i = 0; i < sizeof(a->bytes); i++) {
        unsigned difference = a->bytes[i] ^ b->bytes[i];
        if (difference != 0)
            return i * 8 + (unsigned)__builtin_clz(difference) - 24;
    }
    return PATH_BITS;
}

static void ref_free(struct merkle_ref ref)
{
    if (ref.node == NULL)
        return;
    ref_free(ref.node->child[0]);
    ref_free(ref.node->child[1]);
    free(ref.node);
}

void merkle_done(struct merkle *merkle)
{
    ref_free(merkle->root);
    while (merkle->spare != NULL) {
        struct merkle_node *next = merkle->spare->next;
        free(merkle->spare);
        merkle->spare = next;
    }
    *merkle = (struct merkle){ 0 };
}

bool merkle_reserve(struct merkle *merkle, size_t count, struct error *error)
{
    while (merkle->spare_count < count) {
        struct merkle_node *made = malloc(sizeof(*made));
        if (made == NULL)
            return error_set(error, ERROR_NO_MEMORY, "no memory for a state's digest");
        made->next = merkle->spare;
        merkle->spare = made;
        merkle->spare_count++;
    }
    return true;
}

static struct merkle_node *spare_take(struct merkle *merkle)
{
    struct merkle_node *taken = merkle->spare;
    ASSERT(taken != NULL);
    merkle->spare = taken->next;
    merkle->spare_count--;
    return taken;
}

/* The leaf that the path leads to, among those that share what was looked at. */
static struct merkle_leaf *nearest_leaf(struct merkle_ref ref, const struct digest32 *path)
{
    while (ref.node != NULL)
        ref = ref.node->child[bit_of(path, ref.node->bit)];
    return ref.leaf;
}

static void path_forget(struct merkle *merkle, const struct digest32 *path)
{
    for (struct merkle_node *at = merkle->root.node; at != NULL;
         at = at->child[bit_of(path, at->bit)].node)
        at->is_known = false;
}

void merkle_put(struct merkle *merkle, struct merkle_leaf *leaf)
{
    if (leaf->is_in) {
        path_forget(merkle, &leaf->path);
        return;
    }
    leaf->is_in = true;
    merkle->count++;
    const struct merkle_leaf *nearest = nearest_leaf(merkle->root, &leaf->path);
    struct merkle_ref added = { .leaf = leaf };
    if (nearest == NULL) {
        merkle->root = added;
        return;
    }
    unsigned bit = first_difference(&nearest->path, &leaf->path);
    ASSERT(bit < PATH_BITS);
    struct merkle_ref *at = &merkle->root;
    while (at->node != NULL && at->node->bit < bit) {
        at->node->is_known = false;
        at = &at->node->child[bit_of(&leaf->path, at->node->bit)];
    }
    struct merkle_node *node = spare_take(merkle);
    unsigned side = bit_of(&leaf->path, bit);
    *node = (struct merkle_node){ .bit = bit };
    node->child[side] = added;
    node->child[1 - side] = *at;
    *at = (struct merkle_ref){ .node = node };
}

void merkle_remove(struct merkle *merkle, struct merkle_leaf *leaf)
{
    ASSERT(leaf->is_in);
    struct merkle_ref *at = &merkle->root, *parent = NULL;
    while (at->node != NULL) {
        at->node->is_known = false;
        parent = at;
        at = &at->node->child[bit_of(&leaf->path, at->node->bit)];
    }
    ASSERT(at->leaf == leaf);
    leaf->is_in = false;
    merkle->count--;
    if (parent == NULL) {
        *at = (struct merkle_ref){ 0 };
        return;
    }
    struct merkle_node *node = parent->node;
    *parent = node->child[1 - bit_of(&leaf->path, node->bit)];
    free(node);
}

static struct digest32 ref_digest(struct merkle_ref ref)
{
    uint8_t data[3 + 32 + 32];
    struct digest32 digest = { { 0 } };
    if (ref.leaf != NULL) {
        data[0] = TAG_LEAF;
        memcpy(data + 1, ref.leaf->path.bytes, 32);
        memcpy(data + 33, ref.leaf->hash.bytes, 32);
        return sha256_of(bytes_of(data, 65));
    }
    if (ref.node == NULL)
        return digest;
    if (ref.node->is_known)
        return ref.node->digest;
    data[0] = TAG_NODE;
    data[1] = (uint8_t)(ref.node->bit >> 8);
    data[2] = (uint8_t)ref.node->bit;
    for (unsigned i = 0; i < 2; i++) {
        digest = ref_digest(ref.node->child[i]);
        memcpy(data + 3 + i * 32, digest.bytes, 32);
    }
    ref.node->digest = sha256_of(BYTES_OF(data));
    ref.node->is_known = true;
    return ref.node->digest;
}

struct digest32 merkle_digest(struct merkle *merkle)
{
    return ref_digest(merkle->root);
}
