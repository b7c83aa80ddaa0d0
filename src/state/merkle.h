/* SPDX-License-Identifier: Apache-2.0 */
/* The digest of a state: a Merkle tree whose form depends on nothing but its leaves.
 *
 * A binary trie over the 256 bits of each leaf's path, without nodes of one child:
 *
 *     digest of nothing     32 zero bytes
 *     digest of a leaf      SHA-256(0x00 || path || hash)
 *     digest of a node      SHA-256(0x01 || u16 big-endian index of the bit || left || right)
 *
 * where the node's bit is the first in which its leaves differ, 0 goes left, and bits count from
 * the first byte's most significant.  Equal sets of leaves have equal digests, whatever their
 * history; different sets differ, or SHA-256 has a collision.  Paths are hashes, so the depth is
 * about the logarithm of the count, and to make it worse costs whoever tries a power of two.
 *
 * Owns: its nodes.  Leaves are the caller's and stay where they are while they are in the tree. */
#ifndef STATE_MERKLE_H
#define STATE_MERKLE_H

#include "base/error.h"

struct merkle_leaf {
    struct digest32 path;
    struct digest32 hash; /* of the content */
    bool is_in;           /* the tree; set by it */
};

struct merkle_node;
/* One of the two, or neither: nothing. */
struct merkle_ref {
    struct merkle_node *node;
    struct merkle_leaf *leaf;
};
struct merkle {
    struct merkle_ref root;
    struct merkle_node *spare;
    size_t spare_count;
    size_t count; /* leaves */
};

void merkle_done(struct merkle *merkle);
/* So that `count` calls of merkle_put can't fail. */
MUST_CHECK bool merkle_reserve(struct merkle *merkle, size_t count, struct error *error);
/* Adds a leaf of a path that is not there yet, or takes note of its changed hash. */
void merkle_put(struct merkle *merkle, struct merkle_leaf *leaf);
void merkle_remove(struct merkle *merkle, struct merkle_leaf *leaf);
/* Hashes what has changed since the last call. */
struct digest32 merkle_digest(struct merkle *merkle);

#endif
