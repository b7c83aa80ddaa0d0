/* SPDX-License-Identifier: Apache-2.0 */
/* The mailbox: the memory through which one invocation's input enters and its output leaves.
 *
 * It starts with struct mailbox; areas behind it are found by offset.  The node's process fills it
 * before the entry and reads it after the exit.  The guest can write all of it at any time: whoever
 * reads a field copies it once, checks the copy and uses only the copy.  Sizes are bytes. */
#ifndef ABI_MAILBOX_H
#define ABI_MAILBOX_H

#include "core/compiler.h"

#define MAILBOX_MAGIC 0x314d4e33u /* "3NM1" */

struct mailbox_area {
    uint32_t offset; /* from the start of the mailbox */
    uint32_t capacity;
    uint32_t size; /* used */
    uint32_t count;
};

struct mailbox {
    uint32_t magic;
    uint32_t size;                   /* of the whole mailbox */
    struct mailbox_area arguments;   /* count strings, each ended by NUL, one after the other */
    struct mailbox_area environment; /* count strings NAME=value, the same */
    struct mailbox_area input;       /* stdin */
    struct mailbox_area output;      /* stdout */
    struct mailbox_area errors;      /* stderr */
    struct mailbox_area calls;       /* host calls (abi/call.h); size: the most used yet */
    struct mailbox_area foretold;    /* requests, each with its answer (abi/call.h) */
    struct mailbox_area made;        /* a list of requests that were answered in here; capacity 0:
                                        all calls leave */
    uint32_t result_count;
    uint32_t reserved;
    uint64_t results[128]; /* of an ENTRY_CALL */
};

/* What every entry uses; behind it the results of an ENTRY_CALL, zeros but for result_count. */
#define MAILBOX_HEAD_SIZE offsetof(struct mailbox, results)

_Static_assert(sizeof(struct mailbox) <= 4096, "header fits one page");

#endif
