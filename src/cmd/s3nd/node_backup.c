/* SPDX-License-Identifier: Apache-2.0 */
/* A backup of the running node: both stores are copied (node_copies.h); then the copies, which are
 * files in the store's folder, are sealed into the operator's file and removed.  A little in each
 * turn of the loop. */
#include "base/file.h"
#include "base/log.h"
#include "cmd/s3nd/node.h"
#include "cmd/s3nd/node_control.h"
#include "cmd/s3nd/node_copies.h"
#include "operations/backup.h"
#include "operations/way_back.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    PROGRESS_EVERY = 16
};

struct part {
    const char *path, *name;
    int file;
    uint64_t size;
};

struct node_backup {
    struct node *node;
    struct control_peer *peer; /* NULL: abandoned */
    uint32_t id;
    int file;
    struct node_copies *copies; /* under way */
    uv_idle_t turn;
    bool has_writer;
    struct backup_writer writer;
    struct part parts[2];
    size_t part;
    bool has_begun; /* the part */
    unsigned turns;
};

static void closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void parts_drop(struct node_backup *backup)
{
    for (size_t i = 0; i < ARRAY_COUNT(backup->parts); i++) {
        file_close(&backup->parts[i].file);
        unlink(backup->parts[i].path);
    }
}

/* Not while the states' thread is at it. */
static void end(struct node_backup *backup)
{
    backup->node->backup = NULL;
    node_copies_free(TAKE(backup->copies));
    if (backup->has_writer)
        backup_writer_done(&backup->writer);
    parts_drop(backup);
    file_close(&backup->file);
    uv_idle_stop(&backup->turn);
    uv_close((uv_handle_t *)&backup->turn, closed);
}

static void fail(struct node_backup *backup, const struct error *error)
{
    log_error("backup", error);
    if (backup->peer != NULL)
        control_fail(backup->peer, backup->id, error);
    end(backup);
}

static void tell(void *context, uint64_t done, uint64_t all, const char *what)
{
    struct node_backup *backup = context;
    if (backup->peer != NULL && backup->turns++ % PROGRESS_EVERY == 0)
        control_progress(backup->peer, done, all, what);
}

/* --- the file --- */

static bool parts_open(struct node_backup *backup, struct error *error)
{
    for (size_t i = 0; i < ARRAY_COUNT(backup->parts); i++) {
        struct part *part = &backup->parts[i];
        part->file = open(part->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        off_t size = part->file < 0 ? -1 : lseek(part->file, 0, SEEK_END);
        if (size < 0 || lseek(part->file, 0, SEEK_SET) != 0)
            return error_system(error, "open %s", part->path);
        part->size = (uint64_t)size;
    }
    return true;
}

static bool part_pour(struct node_backup *backup, struct error *error)
{
    static uint8_t content[BACKUP_PIECE_SIZE_MAX];
    struct part *part = &backup->parts[backup->part];
    if (!backup->has_begun && !backup_part_begin(&backup->writer, part->name, error))
        return false;
    backup->has_begun = true;
    ssize_t size = read(part->file, content, sizeof(content));
    if (size < 0)
        return error_system(error, "read %s", part->path);
    if (size > 0)
        return backup_part_write(&backup->writer, bytes_of(content, (size_t)size), error);
    backup->has_begun = false;
    backup->part++;
    return backup_part_end(&backup->writer, error);
}

static bool finish(struct node_backup *backup, struct error *error)
{
    char text[256];
    if (!backup_end(&backup->writer, error))
        return false;
    int size =
        snprintf(text, sizeof(text), "{\"bytes\":%llu,\"pieces\":%llu}",
                 (unsigned long long)backup->writer.size, (unsigned long long)backup->writer.count);
    log_line(LOG_LEVEL_INFO, "backup", "made", text, NULL);
    control_answer(backup->peer, backup->id, bytes_of(text, (size_t)size));
    end(backup);
    return true;
}

static void turn(uv_idle_t *idle)
{
    struct node_backup *backup = idle->data;
    struct error error;
    tell(backup, backup->writer.size, backup->parts[0].size + backup->parts[1].size, "sealing");
    bool good = backup->part == ARRAY_COUNT(backup->parts) ? finish(backup, &error)
                                                           : part_pour(backup, &error);
    if (!good)
        fail(backup, &error);
}

static struct backup_header header_of(const struct node *node)
{
    struct backup_header header = { .time_s = node_now_s() };
    snprintf(header.node, sizeof(header.node), "%s", node->info.node);
    snprintf(header.platform, sizeof(header.platform), "%s", node->info.platform);
    snprintf(header.software, sizeof(header.software), "%s", S3N_VERSION);
    return header;
}

static void copied(void *context, const struct error *failure)
{
    struct node_backup *backup = context;
    struct sealer sealer = keeper_sealer(backup->node->keeper);
    struct backup_header header = header_of(backup->node);
    struct error error;
    if (backup->peer == NULL) {
        end(backup);
        return;
    }
    if (failure != NULL) {
        fail(backup, failure);
        return;
    }
    node_copies_free(TAKE(backup->copies));
    backup->has_writer = true;
    if (parts_open(backup, &error) &&
        backup_begin(&backup->writer, backup->file, &sealer, &header, &error))
        uv_idle_start(&backup->turn, turn);
    else
        fail(backup, &error);
}

bool node_backup_start(struct node *node, struct control_peer *peer, uint32_t id, int file,
                       struct error *error)
{
    AUTO_CLOSE int owned = file;
    if (node->backup != NULL || node->check != NULL || node->stopping)
        return error_set(error, ERROR_BUSY, "a backup or a check is under way");
    struct node_backup *backup = calloc(1, sizeof(*backup));
    if (backup == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a backup");
    *backup = (struct node_backup){ .node = node, .peer = peer, .id = id, .file = -1 };
    backup->parts[0] = (struct part){ "/backup-store.db", "store/store.db", -1, 0 };
    backup->parts[1] = (struct part){ "/backup-state.db", "store/state.db", -1, 0 };
    struct node_copies_options copies = { .store = backup->parts[0].path,
                                          .states = backup->parts[1].path,
                                          .done = copied,
                                          .progress = tell,
                                          .context = backup };
    if (!node_copies_start(&backup->copies, node, &copies, error)) {
        parts_drop(backup);
        free(backup);
        return false;
    }
    backup->file = owned;
    owned = -1;
    node->backup = backup;
    uv_idle_init(&node->loop, &backup->turn);
    backup->turn.data = backup;
    return true;
}

void node_backup_abandon(struct node *node, const struct control_peer *peer)
{
    struct node_backup *backup = node->backup;
    if (backup == NULL || backup->peer != peer)
        return;
    backup->peer = NULL;
    if (!node_copies_is_busy(backup->copies))
        end(backup);
}

bool node_way_back(struct node *node, struct error *error)
{
    struct way_back way = { .folder = "",
                            .sealer = keeper_sealer(node->keeper),
                            .header = header_of(node) };
    char path[PATH_MAX];
    bool made;
    if (!way_back_save(&way, &made, path, error))
        return false;
    if (made)
        log_line(LOG_LEVEL_INFO, "the stores get a new form", "way_back", path, NULL);
    return true;
}
