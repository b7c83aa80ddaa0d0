/* SPDX-License-Identifier: Apache-2.0 */
/* What the store accepts at most.  Callers may rely on these numbers; every backend keeps them. */
#ifndef STORE_LIMITS_H
#define STORE_LIMITS_H

enum {
    STORE_SPACE_SIZE_MAX = 128,       /* bytes of a space's name */
    STORE_KEY_SIZE_MAX = 512,         /* bytes of a record's key */
    STORE_VALUE_SIZE_MAX = 1 << 20,   /* bytes of a record's value */
    STORE_WRITES_MAX = 1024,          /* writes in one batch */
    STORE_LIST_MAX = 1000,            /* entries in one page of a list */
    STORE_RECORDS_MAX = 1 << 20,      /* live records in one store */
    STORE_BLOB_SIZE_MAX = 256 << 20,  /* bytes of a blob */
    STORE_CHUNK_SIZE = 1 << 20,       /* a blob is sealed in chunks of this size */
    STORE_SEAL_OVERHEAD_MAX = 256,    /* bytes a sealer may add */
    STORE_ASSOCIATED_SIZE_MAX = 1024, /* bytes of associated data a sealer is given */
    STORE_BUSY_TIMEOUT_MS = 2000,     /* how long to wait for another process's lock */
    STORE_LOG_PIECE_SIZE = 64 << 10,  /* bytes of log written at once; SQLite can't do 128 KiB */
    STORE_LOG_SIZE_MAX = 64 << 20,    /* bytes of write-ahead log kept after a checkpoint */
    STORE_LOG_PAGES = 1000,           /* pages in the log from which on it is moved into the file */
};

#endif
