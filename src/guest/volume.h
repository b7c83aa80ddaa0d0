/* SPDX-License-Identifier: Apache-2.0 */
/* The scratch area: all state of the file system that an invocation can change, in one stretch of
 * memory that starts as zeros and that a reset makes zeros again (or what a snapshot holds).
 *
 * It gives pages and small objects out of what the function's limit allows.  A reference is a
 * number, never an address; 0 is none.  Nothing is touched before the first call that needs it. */
#ifndef GUEST_VOLUME_H
#define GUEST_VOLUME_H

#include "abi/files.h"
#include "guest/descriptor.h"

enum {
    VOLUME_PAGE_SIZE = 4096,
    VOLUME_UNIT = 32, /* references to objects count these from the start of the area */
    OBJECT_SIZE_MIN = 64,
    OBJECT_CLASS_COUNT = 6, /* 64 to 2048; what is larger takes a page */
    NAME_BUCKET_COUNT = 2048,
    SHADOW_BUCKET_COUNT = 1024
};

struct volume {
    uint32_t magic;     /* 0: untouched */
    uint32_t page_next; /* never given out from here on */
    uint32_t page_free; /* first of those given back; each starts with the next one's number */
    uint32_t node_count;
    uint32_t object_free[OBJECT_CLASS_COUNT]; /* first of those given back, the same */
    uint32_t descriptor_end;                  /* none is open from here on */
    struct descriptor descriptors[DESCRIPTOR_COUNT_MAX - DESCRIPTOR_STREAM_COUNT];
    uint32_t names[NAME_BUCKET_COUNT];     /* entries of changed folders, see folder.c */
    uint32_t shadows[SHADOW_BUCKET_COUNT]; /* changed nodes of the archive, see node.c */
};

/* Whether this program has files at all. */
bool volume_exists(void);
/* Whether anything was opened or changed yet: false means that the preopened folders are as they
 * were, and that reading them needs no volume. */
bool volume_is_touched(void);
/* The volume, made with its preopened folders at the first call.  NULL: there is none. */
struct volume *volume_get(void);
/* The archive; one with an empty folder "/" for programs that have a scratch area alone. */
const struct files *volume_files(void);

/* NULL-less: the caller holds a page number or reference that was given out. */
void *volume_page(uint32_t page);
void *volume_object(uint32_t reference);
/* 0: the limit is reached.  The content is arbitrary. */
MUST_CHECK uint32_t volume_page_new(void);
void volume_page_free(uint32_t page);
MUST_CHECK uint32_t volume_object_new(uint64_t size);
void volume_object_free(uint32_t reference, uint64_t size);

/* At every entry: forgets what it knew of the last program. */
void volume_init(void);

#endif
