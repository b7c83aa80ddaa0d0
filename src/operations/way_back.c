/* SPDX-License-Identifier: Apache-2.0 */
#include "operations/way_back.h"

#include "base/file.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

/* Of these a backup is made; logs are changed with them, and not saved. */
static const char *const names[] = { "store.db", "state.db" };
static const char logs_name[] = "logs.db";

static bool path_of(char path[PATH_MAX], const struct way_back *way, const char *name,
                    struct error *error)
{
    return snprintf(path, PATH_MAX, "%s/%s", way->folder, name) < PATH_MAX ||
           error_set(error, ERROR_LIMIT, "too long a path");
}

static bool is_older(const struct way_back *way, const char *name, bool *older, struct error *error)
{
    char path[PATH_MAX];
    long schema = 0;
    if (!path_of(path, way, name, error))
        return false;
    /* What is broken is not changed either, and says so when it is opened. */
    if (!store_schema_read(path, &schema, error) && error->code != ERROR_CORRUPT)
        return false;
    *older = schema > 0 && schema < way->schema;
    return true;
}

static bool pour(struct way_back *way, struct backup_writer *writer, const char *name,
                 struct error *error)
{
    char from[PATH_MAX], copy[PATH_MAX], part[BACKUP_NAME_SIZE_MAX];
    snprintf(part, sizeof(part), "store/%s", name);
    if (!path_of(from, way, name, error) || !path_of(copy, way, "before-schema.copy", error))
        return false;
    if (access(from, F_OK) != 0)
        return true;
    bool done =
        store_copy_as_it_is(from, copy, error) && backup_part_pour(writer, part, copy, error);
    unlink(copy);
    return done;
}

static bool save_to(struct way_back *way, int file, struct error *error)
{
    struct backup_writer writer;
    bool done = backup_begin(&writer, file, &way->sealer, &way->header, error);
    for (size_t i = 0; done && i < ARRAY_COUNT(names); i++)
        done = pour(way, &writer, names[i], error);
    done = done && backup_end(&writer, error) &&
           (fsync(file) == 0 || error_system(error, "write the backup"));
    backup_writer_done(&writer);
    return done;
}

/* The file appears whole or not at all. */
static bool save(struct way_back *way, const char *path, struct error *error)
{
    char partial[PATH_MAX];
    if (!path_of(partial, way, "before-schema.partial", error))
        return false;
    AUTO_CLOSE int file = open(partial, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0)
        return error_system(error, "open %s", partial);
    if (save_to(way, file, error) &&
        (rename(partial, path) == 0 || error_system(error, "rename %s", partial)))
        return true;
    unlink(partial);
    return false;
}

bool way_back_save(struct way_back *way, bool *made, char path[PATH_MAX], struct error *error)
{
    char name[STORE_WAY_BACK_SIZE];
    bool older[ARRAY_COUNT(names) + 1] = { false };
    if (way->schema == 0)
        way->schema = store_schema_known();
    *made = false;
    for (size_t i = 0; i < ARRAY_COUNT(older); i++) {
        if (!is_older(way, i < ARRAY_COUNT(names) ? names[i] : logs_name, &older[i], error))
            return false;
        *made = *made || older[i];
    }
    store_way_back_name(name, way->schema);
    if (!path_of(path, way, name, error))
        return false;
    /* There already: the attempt that made it has brought some of them to the new form. */
    *made = *made && access(path, F_OK) != 0;
    return !*made || save(way, path, error) ||
           error_within(error, "the backup before the stores get their new form");
}
