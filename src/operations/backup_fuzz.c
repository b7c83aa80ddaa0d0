/* SPDX-License-Identifier: Apache-2.0 */
#include "operations/backup.h"

#include "base/file.h"
#include "base/secret.h"
#include "keys/sealing.h"

#include <sys/mman.h>
#include <unistd.h>

void fuzz_one(struct bytes input);

static bool open_plain(void *context UNUSED, const char *space UNUSED,
                       struct bytes associated UNUSED, struct bytes sealed, struct buffer *plain,
                       struct error *error UNUSED)
{
    buffer_append(plain, sealed);
    return true;
}

/* Behind a sealer that opens everything: the order of pieces is the reader's own affair. */
void fuzz_one(struct bytes input)
{
    struct sealer sealer = { .open = open_plain };
    struct backup_reader reader;
    struct backup_piece piece = { 0 };
    struct error error;
    AUTO_CLOSE int file = memfd_create("fuzz", MFD_CLOEXEC);
    if (file < 0 || !file_write_all(file, input, &error) || lseek(file, 0, SEEK_SET) != 0)
        return;
    bool done = backup_open(&reader, file, &sealer, &error);
    while (done && piece.kind != BACKUP_END)
        done = backup_next(&reader, &piece, &error);
    backup_reader_done(&reader);
}
