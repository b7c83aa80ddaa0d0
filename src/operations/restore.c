/* SPDX-License-Identifier: Apache-2.0 */
#include "operations/restore.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a backup may hold, and no other name. */
static const char *const part_names[] = { "store.db", "state.db" };
#define PART_PREFIX "store/"

void restore_drop(const char *target)
{
    static const char *const behind[] = { "", "-wal", "-shm", "-journal" };
    char path[PATH_MAX];
    for (size_t i = 0; i < ARRAY_COUNT(part_names); i++) {
        for (size_t j = 0; j < ARRAY_COUNT(behind); j++) {
            if (snprintf(path, sizeof(path), "%s/%s%s", target, part_names[i], behind[j]) <
                (int)sizeof(path))
                unlink(path);
        }
    }
    (void)!rmdir(target);
}

static bool part_open(int *file, const char *target, const char *name, struct error *error)
{
    char path[PATH_MAX];
    for (size_t i = 0; i < ARRAY_COUNT(part_names); i++) {
        if (strncmp(name, PART_PREFIX, strlen(PART_PREFIX)) != 0 ||
            strcmp(name + strlen(PART_PREFIX), part_names[i]) != 0)
            continue;
        if (snprintf(path, sizeof(path), "%s/%s", target, part_names[i]) >= (int)sizeof(path))
            return error_set(error, ERROR_LIMIT, "too long a path");
        *file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        return *file >= 0 || error_system(error, "make %s", path);
    }
    return error_set(error, ERROR_UNSUPPORTED,
                     "the backup has a part \"%s\" that this S3N does not "
                     "know: a newer one wrote it",
                     name);
}

static bool parts_write(struct backup_reader *reader, const char *target, struct check *check,
                        struct error *error)
{
    AUTO_CLOSE int file = -1;
    struct backup_piece piece = { 0 };
    while (piece.kind != BACKUP_END) {
        if (!backup_next(reader, &piece, error))
            return false;
        switch (piece.kind) {
        case BACKUP_PART:
            if (!part_open(&file, target, piece.name, error))
                return false;
            break;
        case BACKUP_CONTENT:
            if (!file_write_all(file, piece.content, error))
                return false;
            check->listener->progress(check->listener->context, "opening", reader->size, 0);
            break;
        case BACKUP_PART_END:
            if (fsync(file) != 0)
                return error_system(error, "write to %s", target);
            file_close(&file);
            break;
        case BACKUP_END:
            break;
        }
    }
    return true;
}

static bool prove(const char *target, const struct sealer *sealer, struct check *check,
                  struct error *error)
{
    AUTO(store) struct store *store = NULL;
    char path[PATH_MAX], states[PATH_MAX];
    if (snprintf(path, sizeof(path), "%s/store.db", target) >= (int)sizeof(path) ||
        snprintf(states, sizeof(states), "%s/state.db", target) >= (int)sizeof(states))
        return error_set(error, ERROR_LIMIT, "too long a path");
    if (access(path, F_OK) != 0)
        return error_set(error, ERROR_UNVERIFIED, "the backup holds no store");
    if (!store_open_sqlite(&store, path, sealer, error))
        return false;
    check_store(check, store, "store");
    check_contents(check, store);
    if (access(states, F_OK) == 0)
        check_states(check, store, &(struct check_states){ .path = states });
    return check->counts.problems == 0 ||
           error_set(error, ERROR_UNVERIFIED, "what it holds is not good: %llu problems",
                     (unsigned long long)check->counts.problems);
}

bool restore_unpack(int file, const char *target, const struct sealer *sealer,
                    struct backup_header *header, struct check *check, struct error *error)
{
    struct backup_reader reader;
    restore_drop(target); /* what an earlier one left */
    if (mkdir(target, 0700) != 0)
        return error_system(error, "make %s", target);
    bool done = backup_open(&reader, file, sealer, error) &&
                parts_write(&reader, target, check, error) && prove(target, sealer, check, error);
    *header = reader.header;
    backup_reader_done(&reader);
    if (!done)
        restore_drop(target);
    return done;
}
