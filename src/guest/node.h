/* SPDX-License-Identifier: Apache-2.0 */
/* Files, folders and links by number.  A number below the archive's count is the archive's node of
 * that index; it stays the same when the node is changed, which makes it own state in the volume (a
 * shadow).  Other numbers are nodes of the volume alone. */
#ifndef GUEST_NODE_H
#define GUEST_NODE_H

#include "guest/volume.h"

enum {
    NODE_NONE = UINT32_MAX,
    FILE_DIRECT_COUNT = 8 /* pages that need no table */
};

struct file_pages {
    uint64_t base_size; /* bytes that still come from the archive where no page is */
    uint32_t direct[FILE_DIRECT_COUNT];
    uint32_t tables[2]; /* of pages, of tables of pages */
};

struct folder_entries {
    uint64_t cookie_next;
    uint32_t first; /* struct entry, by ascending cookie */
    uint32_t last;
    bool is_copied; /* false: the archive's children, unchanged */
};

/* One object of the volume. */
struct node {
    uint32_t number;
    uint32_t next; /* shadow of the same bucket */
    uint32_t kind; /* enum files_kind */
    uint32_t links;
    uint32_t parent; /* folders: the one above */
    uint32_t target; /* links: object that holds it; 0: it is the archive's */
    uint64_t size;
    uint64_t accessed_ns;
    uint64_t modified_ns;
    uint64_t changed_ns;
    union {
        struct file_pages pages;
        struct folder_entries entries;
    };
};

/* What a node is now, wherever that stands. */
struct node_facts {
    uint32_t kind;
    uint32_t links;
    uint32_t parent;
    uint64_t size;
    uint64_t accessed_ns;
    uint64_t modified_ns;
    uint64_t changed_ns;
};

struct node_facts node_facts(uint32_t number);
/* Own state; NULL: the archive's, unchanged. */
struct node *node_own(uint32_t number);
/* Own state, made if need be; NULL: no room. */
MUST_CHECK struct node *node_change(uint32_t number);
/* A new node with one name, of the present time; NULL: no room. */
MUST_CHECK struct node *node_new(enum files_kind kind, uint32_t parent);
/* It has one name less. */
MUST_CHECK enum wasi_errno node_unlink(uint32_t number);
/* Frees it if it has neither name nor descriptor. */
void node_release(uint32_t number);

bool node_is_folder(uint32_t number);
struct bytes node_target(uint32_t number);
uint64_t node_now_ns(void);

#endif
