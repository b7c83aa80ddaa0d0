/* SPDX-License-Identifier: Apache-2.0 */
/* What state refuses to exceed.  Sizes in bytes unless the name says otherwise. */
#ifndef STATE_LIMITS_H
#define STATE_LIMITS_H

enum {
    KV_NAMESPACE_SIZE_MAX = 63,
    KV_KEY_SIZE_MAX = 512,
    KV_NAME_SIZE_MAX = KV_NAMESPACE_SIZE_MAX + 1 + KV_KEY_SIZE_MAX,
    KV_VALUE_SIZE_MAX = 256 << 10,
    KV_LIST_MAX = 1000,     /* keys in one page of a list */
    KV_ENTRY_OVERHEAD = 64, /* what each entry counts besides its key and value */

    TRANSACTION_WRITES_MAX = 256,    /* different keys written by one transaction */
    TRANSACTION_BYTES_MAX = 4 << 20, /* of their names and values */
    TRANSACTION_READS_MAX = 10000,   /* keys and ranges read by one transaction */
    TRANSACTION_SWEEP_MAX = 64,      /* expired entries that one transaction takes along */

    STATE_ID_SIZE_MAX = 96,        /* of an application's state */
    STATE_SIZE_DEFAULT = 64 << 20, /* quota of one application, */
    STATE_COUNT_DEFAULT = 100000,  /* and of its entries */
    STATE_OPEN_MAX = 1024,         /* applications whose state is in memory at once */

    GROUP_WRITES_MAX = 1024, /* records written by one commit on the disk */
    GROUP_BYTES_MAX = 16 << 20,
    DIRECT_WRITES_MAX = 16, /* of a commit that the loop may write itself, */
    DIRECT_BYTES_MAX = 64 << 10,
    DIRECT_SYNC_US_MAX = 1000,  /* where the disk took no longer lately */
    DIRECT_STREAK_MIN = 16,     /* and so many before it were alone, too */
    RECEIPTS_STORED_MAX = 4096, /* of transactions that wrote */
    RECEIPT_TEXT_SIZE_MAX = 32 << 10,
};

#define KV_TTL_MS_MAX INT64_C(315360000000) /* ten years */

#endif
