/* SPDX-License-Identifier: Apache-2.0 */
#include "operations/backup.h"

#include "base/file.h"
#include "base/json.h"
#include "core/hex.h"
#include "core/writer.h"
#include "crypto/random.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    PREFIX_SIZE = 9 + 1 + 4,
    PLAIN_SIZE_MAX = 1 + BACKUP_PIECE_SIZE_MAX,
    ASSOCIATED_SIZE = 32 + 8
};

static bool header_write(struct backup_writer *writer, const struct backup_header *header,
                         struct error *error)
{
    AUTO_JSON json_t *tree = json_pack("{s:s, s:s, s:s, s:s, s:I}", "id", header->id, "node",
                                       header->node, "platform", header->platform, "software",
                                       header->software, "time_s", (json_int_t)header->time_s);
    AUTO_BUFFER struct buffer text, all;
    uint8_t prefix[PREFIX_SIZE];
    buffer_init(&text, BACKUP_HEADER_SIZE_MAX);
    buffer_init(&all, PREFIX_SIZE + BACKUP_HEADER_SIZE_MAX + 32);
    if (tree == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a backup");
    if (!json_canonical(&text, tree, error))
        return false;
    struct writer numbers = writer_into(prefix, sizeof(prefix));
    write_bytes(&numbers, BYTES_LITERAL("S3NBACKUP"));
    write_u8(&numbers, 1);
    write_u32_le(&numbers, (uint32_t)text.size);
    buffer_append(&all, writer_view(&numbers));
    buffer_append(&all, buffer_view(&text));
    writer->begin = sha256_of(buffer_view(&all));
    buffer_append(&all, BYTES_OF(writer->begin.bytes));
    if (all.failed)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a backup");
    return file_write_all(writer->file, buffer_view(&all), error);
}

bool backup_begin(struct backup_writer *writer, int file, const struct sealer *sealer,
                  struct backup_header *header, struct error *error)
{
    uint8_t id[BACKUP_ID_SIZE / 2];
    random_bytes(id, sizeof(id));
    hex_encode(header->id, BYTES_OF(id));
    *writer = (struct backup_writer){ .file = file, .sealer = *sealer };
    buffer_init(&writer->plain, PLAIN_SIZE_MAX);
    buffer_init(&writer->sealed, PLAIN_SIZE_MAX + STORE_SEAL_OVERHEAD_MAX);
    return header_write(writer, header, error) || error_within(error, "write the backup");
}

/* Seals what is in `plain`. */
static bool piece_write(struct backup_writer *writer, struct error *error)
{
    uint8_t associated[ASSOCIATED_SIZE], size[4];
    struct writer place = writer_into(associated, sizeof(associated));
    struct writer number = writer_into(size, sizeof(size));
    write_bytes(&place, BYTES_OF(writer->begin.bytes));
    write_u64_le(&place, writer->count);
    buffer_clear(&writer->sealed);
    if (writer->plain.failed)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a backup");
    if (!writer->sealer.seal(writer->sealer.context, STORE_SPACE_BACKUP, writer_view(&place),
                             buffer_view(&writer->plain), &writer->sealed, error))
        return error_within(error, "seal the backup");
    if (writer->sealed.failed)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a backup");
    write_u32_le(&number, (uint32_t)writer->sealed.size);
    writer->count++;
    return (file_write_all(writer->file, writer_view(&number), error) &&
            file_write_all(writer->file, buffer_view(&writer->sealed), error)) ||
           error_within(error, "write the backup");
}

static void piece_begin(struct backup_writer *writer, enum backup_piece_kind kind)
{
    uint8_t byte = (uint8_t)kind;
    buffer_clear(&writer->plain);
    buffer_append(&writer->plain, bytes_of(&byte, 1));
}

bool backup_part_begin(struct backup_writer *writer, const char *name, struct error *error)
{
    ASSERT(writer->hash == NULL && strlen(name) <= BACKUP_NAME_SIZE_MAX);
    ASSERT(writer->parts < BACKUP_PART_COUNT_MAX);
    writer->hash = hash_new(HASH_SHA256);
    writer->parts++;
    piece_begin(writer, BACKUP_PART);
    buffer_append_string(&writer->plain, name);
    return piece_write(writer, error);
}

bool backup_part_write(struct backup_writer *writer, struct bytes content, struct error *error)
{
    ASSERT(writer->hash != NULL && content.size <= BACKUP_PIECE_SIZE_MAX);
    hash_update(writer->hash, content);
    writer->size += content.size;
    piece_begin(writer, BACKUP_CONTENT);
    buffer_append(&writer->plain, content);
    return piece_write(writer, error);
}

bool backup_part_end(struct backup_writer *writer, struct error *error)
{
    ASSERT(writer->hash != NULL);
    struct digest32 digest = hash_finish32(writer->hash);
    hash_free(TAKE(writer->hash));
    piece_begin(writer, BACKUP_PART_END);
    buffer_append(&writer->plain, BYTES_OF(digest.bytes));
    return piece_write(writer, error);
}

bool backup_end(struct backup_writer *writer, struct error *error)
{
    uint8_t count[4];
    struct writer number = writer_into(count, sizeof(count));
    write_u32_le(&number, writer->parts);
    piece_begin(writer, BACKUP_END);
    buffer_append(&writer->plain, writer_view(&number));
    return piece_write(writer, error);
}

bool backup_part_pour(struct backup_writer *writer, const char *name, const char *path,
                      struct error *error)
{
    AUTO_BUFFER struct buffer content;
    AUTO_CLOSE int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    buffer_init(&content, BACKUP_PIECE_SIZE_MAX);
    uint8_t *memory = buffer_reserve(&content, BACKUP_PIECE_SIZE_MAX);
    if (memory == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a backup");
    if (file < 0)
        return error_system(error, "open %s", path);
    if (!backup_part_begin(writer, name, error))
        return false;
    for (;;) {
        ssize_t size = read(file, memory, BACKUP_PIECE_SIZE_MAX);
        if (size < 0)
            return error_system(error, "read %s", path);
        if (size == 0)
            return backup_part_end(writer, error);
        if (!backup_part_write(writer, bytes_of(memory, (size_t)size), error))
            return false;
    }
}

void backup_writer_done(struct backup_writer *writer)
{
    hash_free(TAKE(writer->hash));
    buffer_done(&writer->plain);
    buffer_done(&writer->sealed);
}
