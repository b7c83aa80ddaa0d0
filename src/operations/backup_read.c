/* SPDX-License-Identifier: Apache-2.0 */
#include "operations/backup.h"

#include "base/json.h"
#include "core/hex.h"
#include "core/reader.h"
#include "core/writer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    PREFIX_SIZE = 9 + 1 + 4,
    PLAIN_SIZE_MAX = 1 + BACKUP_PIECE_SIZE_MAX,
    SEALED_SIZE_MAX = PLAIN_SIZE_MAX + STORE_SEAL_OVERHEAD_MAX,
    ASSOCIATED_SIZE = 32 + 8
};

/* As many as there are, at most `size`. */
static bool read_some(int file, uint8_t *target, size_t size, size_t *got, struct error *error)
{
    for (*got = 0; *got < size;) {
        ssize_t more = read(file, target + *got, size - *got);
        if (more < 0 && errno == EINTR)
            continue;
        if (more < 0)
            return error_system(error, "read the backup");
        if (more == 0)
            break;
        *got += (size_t)more;
    }
    return true;
}

static bool was_cut(struct error *error)
{
    return error_set(error, ERROR_UNVERIFIED, "the backup was cut: it has no end");
}

/* All of it, into the buffer. */
static bool read_all(struct backup_reader *reader, struct buffer *target, size_t size,
                     struct error *error)
{
    size_t got;
    uint8_t *memory = buffer_reserve(target, size);
    if (memory == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory to read a backup");
    if (!read_some(reader->file, memory, size, &got, error))
        return false;
    target->size += got;
    return got == size || was_cut(error);
}

static bool text_take(char *target, size_t size, const json_t *tree, const char *key,
                      struct error *error)
{
    const char *text;
    if (!json_get_string(tree, key, &text, error))
        return false;
    for (const char *at = text; *at != '\0'; at++) {
        if (*at < 0x20 || *at > 0x7e)
            return error_set(error, ERROR_INVALID, "not a name");
    }
    if (strlen(text) >= size)
        return error_set(error, ERROR_INVALID, "too long a name");
    memcpy(target, text, strlen(text) + 1);
    return true;
}

static bool header_parse(struct backup_header *header, struct bytes text, struct error *error)
{
    static const char *const keys[] = { "id", "node", "platform", "software", "time_s", NULL };
    AUTO_JSON json_t *tree = NULL;
    struct backup_header parsed = { 0 };
    if (!json_parse(&tree, text, error) || !json_check_keys(tree, keys, "header", error) ||
        !text_take(parsed.id, sizeof(parsed.id), tree, "id", error) ||
        !text_take(parsed.node, sizeof(parsed.node), tree, "node", error) ||
        !text_take(parsed.platform, sizeof(parsed.platform), tree, "platform", error) ||
        !text_take(parsed.software, sizeof(parsed.software), tree, "software", error) ||
        !json_get_integer(tree, "time_s", 0, INT64_C(1) << 52, &parsed.time_s, error))
        return error_within(error, "the backup's header");
    *header = parsed;
    return true;
}

static bool header_read(struct backup_reader *reader, struct error *error)
{
    AUTO_BUFFER struct buffer head;
    struct error cut;
    buffer_init(&head, PREFIX_SIZE + BACKUP_HEADER_SIZE_MAX + 32);
    bool has_prefix = read_all(reader, &head, PREFIX_SIZE, &cut);
    struct reader prefix = reader_of(buffer_view(&head));
    bool is_ours = bytes_equal(read_bytes(&prefix, 9), BYTES_LITERAL("S3NBACKUP"));
    uint8_t version = read_u8(&prefix);
    uint32_t size = read_u32_le(&prefix);
    if (!has_prefix || !is_ours || version == 0)
        return error_set(error, ERROR_INVALID, "the file is not a backup of S3N");
    if (version != 1)
        return error_set(error, ERROR_UNSUPPORTED,
                         "the backup has version %u, this S3N knows 1: a newer one wrote it",
                         version);
    if (size == 0 || size > BACKUP_HEADER_SIZE_MAX)
        return error_set(error, ERROR_UNVERIFIED, "the backup was changed: its header");
    if (!read_all(reader, &head, size, error))
        return false;
    reader->begin = sha256_of(buffer_view(&head));
    if (!read_all(reader, &head, sizeof(reader->begin.bytes), error))
        return false;
    if (!bytes_equal(bytes_part(buffer_view(&head), PREFIX_SIZE + size, 32),
                     BYTES_OF(reader->begin.bytes)))
        return error_set(error, ERROR_UNVERIFIED, "the backup was changed: its header");
    return header_parse(&reader->header, bytes_part(buffer_view(&head), PREFIX_SIZE, size), error);
}

bool backup_open(struct backup_reader *reader, int file, const struct sealer *sealer,
                 struct error *error)
{
    *reader = (struct backup_reader){ .file = file, .sealer = *sealer };
    buffer_init(&reader->plain, PLAIN_SIZE_MAX);
    buffer_init(&reader->sealed, SEALED_SIZE_MAX);
    return header_read(reader, error);
}

/* Into `plain`. */
static bool piece_open(struct backup_reader *reader, struct error *error)
{
    uint8_t associated[ASSOCIATED_SIZE];
    struct writer place = writer_into(associated, sizeof(associated));
    struct error failure;
    buffer_clear(&reader->sealed);
    buffer_clear(&reader->plain);
    if (!read_all(reader, &reader->sealed, 4, error))
        return false;
    struct reader number = reader_of(buffer_view(&reader->sealed));
    uint32_t size = read_u32_le(&number);
    if (size == 0 || size > SEALED_SIZE_MAX)
        return error_set(error, ERROR_UNVERIFIED, "the backup was changed: piece %llu",
                         (unsigned long long)reader->count);
    buffer_clear(&reader->sealed);
    if (!read_all(reader, &reader->sealed, size, error))
        return false;
    write_bytes(&place, BYTES_OF(reader->begin.bytes));
    write_u64_le(&place, reader->count);
    if (reader->sealer.open(reader->sealer.context, STORE_SPACE_BACKUP, writer_view(&place),
                            buffer_view(&reader->sealed), &reader->plain, &failure))
        return !reader->plain.failed ||
               error_set(error, ERROR_NO_MEMORY, "no memory to read a backup");
    if (failure.code != ERROR_CORRUPT) {
        *error = failure;
        return false;
    }
    if (reader->count == 0)
        return error_set(error, ERROR_UNVERIFIED,
                         "the backup was made under another root secret than this node's, or its "
                         "first piece was changed (it is of node %s)",
                         reader->header.node);
    return error_set(error, ERROR_UNVERIFIED, "the backup was changed: piece %llu",
                     (unsigned long long)reader->count);
}

static bool part_take(struct backup_reader *reader, struct backup_piece *piece, struct bytes name)
{
    bool good = reader->hash == NULL && name.size > 0 && name.size <= BACKUP_NAME_SIZE_MAX &&
                reader->parts < BACKUP_PART_COUNT_MAX;
    for (size_t i = 0; good && i < name.size; i++)
        good = name.data[i] > 0x20 && name.data[i] < 0x7f;
    if (!good)
        return false;
    memcpy(piece->name, name.data, name.size);
    piece->name[name.size] = '\0';
    reader->hash = hash_new(HASH_SHA256);
    reader->parts++;
    return true;
}

static bool content_take(struct backup_reader *reader, struct backup_piece *piece,
                         struct bytes content)
{
    if (reader->hash == NULL)
        return false;
    hash_update(reader->hash, content);
    reader->size += content.size;
    piece->content = content;
    return true;
}

static bool part_end_take(struct backup_reader *reader, struct bytes rest)
{
    if (reader->hash == NULL)
        return false;
    struct digest32 digest = hash_finish32(reader->hash);
    hash_free(TAKE(reader->hash));
    return bytes_equal(rest, BYTES_OF(digest.bytes));
}

static bool end_take(struct backup_reader *reader, struct bytes rest, struct error *error)
{
    struct reader number = reader_of(rest);
    uint32_t parts = read_u32_le(&number);
    uint8_t byte;
    size_t got;
    if (!read_end(&number) || reader->hash != NULL || parts != reader->parts)
        return error_set(error, ERROR_UNVERIFIED, "the backup's end is not that of its parts");
    if (!read_some(reader->file, &byte, 1, &got, error))
        return false;
    return got == 0 ||
           error_set(error, ERROR_UNVERIFIED, "the backup was changed: more follows its end");
}

bool backup_next(struct backup_reader *reader, struct backup_piece *piece, struct error *error)
{
    *piece = (struct backup_piece){ 0 };
    if (!piece_open(reader, error))
        return false;
    struct reader plain = reader_of(buffer_view(&reader->plain));
    uint8_t kind = read_u8(&plain);
    struct bytes rest = read_rest(&plain);
    bool good = false;
    reader->count++;
    if (kind == BACKUP_END) {
        piece->kind = BACKUP_END;
        return end_take(reader, rest, error);
    }
    if (kind == BACKUP_PART)
        good = part_take(reader, piece, rest);
    else if (kind == BACKUP_CONTENT)
        good = content_take(reader, piece, rest);
    else if (kind == BACKUP_PART_END)
        good = part_end_take(reader, rest);
    piece->kind = (enum backup_piece_kind)kind;
    return good || error_set(error, ERROR_UNVERIFIED, "the backup is not in order: piece %llu",
                             (unsigned long long)reader->count - 1);
}

void backup_reader_done(struct backup_reader *reader)
{
    hash_free(TAKE(reader->hash));
    buffer_done(&reader->plain);
    buffer_done(&reader->sealed);
}
