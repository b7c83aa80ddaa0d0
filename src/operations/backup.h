/* SPDX-License-Identifier: Apache-2.0 */
/* The form in which a node's data is saved: sealed piece by piece under the backup key of the key
 * hierarchy (keys/hierarchy.h), so that only a node of the same root can read it, and nothing in it
 * can be changed, cut, swapped or mixed with another backup unnoticed.
 *
 * A file: "S3NBACKUP", u8 version 1, u32 size of the header, the header (JSON), the SHA-256 of all
 * that; then pieces, each u32 size and so many sealed bytes.  The associated data of piece n is
 * that SHA-256 and u64 n.  Its plain text begins with a byte: 1, a part begins, its name follows;
 * 2, more of its content; 3, the part ends, the SHA-256 of its content follows; 4, the backup ends,
 * u32 number of its parts follows.  Nothing is behind it.  Numbers are little-endian.
 *
 * Never: holds keys.  Files are the caller's. */
#ifndef OPERATIONS_BACKUP_H
#define OPERATIONS_BACKUP_H

#include "crypto/hash.h"
#include "store/store.h"

enum {
    BACKUP_PIECE_SIZE_MAX = 256 << 10, /* bytes of content */
    BACKUP_NAME_SIZE_MAX = 64,
    BACKUP_PART_COUNT_MAX = 16,
    BACKUP_HEADER_SIZE_MAX = 4096,
    BACKUP_ID_SIZE = 32 /* hexadecimal digits */
};

/* For people; readable without a key, and authentic only once the first piece was opened. */
struct backup_header {
    char id[BACKUP_ID_SIZE + 1]; /* random */
    char node[65], platform[17], software[33];
    int64_t time_s;
};

struct backup_writer {
    int file;
    struct sealer sealer;
    struct digest32 begin; /* SHA-256 of what is before the pieces */
    uint64_t count;        /* of pieces */
    uint32_t parts;
    uint64_t size; /* of the content so far */
    struct hash *hash;
    struct buffer plain, sealed;
};
/* `header->id` is set.  The sealer's context must outlive the writer. */
MUST_CHECK bool backup_begin(struct backup_writer *writer, int file, const struct sealer *sealer,
                             struct backup_header *header, struct error *error);
MUST_CHECK bool backup_part_begin(struct backup_writer *writer, const char *name,
                                  struct error *error);
/* At most BACKUP_PIECE_SIZE_MAX. */
MUST_CHECK bool backup_part_write(struct backup_writer *writer, struct bytes content,
                                  struct error *error);
MUST_CHECK bool backup_part_end(struct backup_writer *writer, struct error *error);
/* A whole file as a part. */
MUST_CHECK bool backup_part_pour(struct backup_writer *writer, const char *name, const char *path,
                                 struct error *error);
/* The file's owner then brings it to the disk. */
MUST_CHECK bool backup_end(struct backup_writer *writer, struct error *error);
void backup_writer_done(struct backup_writer *writer);

enum backup_piece_kind {
    BACKUP_PART = 1,
    BACKUP_CONTENT,
    BACKUP_PART_END,
    BACKUP_END
};
struct backup_piece {
    enum backup_piece_kind kind;
    char name[BACKUP_NAME_SIZE_MAX + 1]; /* of PART */
    struct bytes content;                /* of CONTENT, until the next piece */
};
struct backup_reader {
    int file;
    struct sealer sealer;
    struct backup_header header;
    struct digest32 begin;
    uint64_t count;
    uint32_t parts;
    uint64_t size;     /* of the content so far */
    struct hash *hash; /* of the part that is open; NULL: none */
    struct buffer plain, sealed;
};
/* INVALID: not a backup.  UNSUPPORTED: of a newer S3N. */
MUST_CHECK bool backup_open(struct backup_reader *reader, int file, const struct sealer *sealer,
                            struct error *error);
/* Pieces in order: parts with their contents, then END, after which nothing is asked.  UNVERIFIED:
 * made under another root secret, cut, or changed; the error says which. */
MUST_CHECK bool backup_next(struct backup_reader *reader, struct backup_piece *piece,
                            struct error *error);
void backup_reader_done(struct backup_reader *reader);

#endif
