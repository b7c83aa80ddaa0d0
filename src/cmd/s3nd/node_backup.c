/* SPDX-License-Identifier: Apache-2.0 */
/* A backup of the running node: both stores are copied page by page while they are written, the
 * last pages of both at one moment; then the copies, which are files in the store's folder, are
 * sealed into the operator's file and removed.  A little in each turn of the loop. */
#include "base/file.h"
#include "base/log.h"
#include "cmd/s3nd/node.h"
#include "cmd/s3nd/node_control.h"
#include "operations/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    PAGES_A_TURN = 64,
    PROGRESS_EVERY = 16
};

enum phase {
    PHASE_STORE,  /* the node's store, but for its last pages */
    PHASE_STATES, /* the states' store on its thread; with its last pages the node's, too */
    PHASE_WRITE,
    PHASE_END
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
    uv_idle_t turn;
    enum phase phase;
    struct store_copy *store_copy;
    uint64_t left, all; /* pages of the node's store */
    /* While a task is under way, the thread's. */
    struct store_copy *states_copy;
    uint64_t states_left, states_all;
    bool has_task;
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

/* Not while the thread is at it. */
static void end(struct node_backup *backup)
{
    ASSERT(!backup->has_task);
    backup->node->backup = NULL;
    store_copy_free(backup->store_copy);
    store_copy_free(backup->states_copy);
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

static void tell(struct node_backup *backup, uint64_t done, uint64_t all, const char *what)
{
    if (backup->peer != NULL && backup->turns++ % PROGRESS_EVERY == 0)
        control_progress(backup->peer, done, all, what);
}

/* --- copies --- */

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

/* On the thread. */
static bool states_copy_on(void *context, struct store *store, struct error *error)
{
    struct node_backup *backup = context;
    if (backup->states_copy == NULL &&
        !store_copy_new(&backup->states_copy, store, backup->parts[1].path, error))
        return false;
    bool is_last = backup->states_all > 0 && backup->states_left <= PAGES_A_TURN;
    return store_copy_step(backup->states_copy, is_last ? 0 : PAGES_A_TURN, &backup->states_left,
                           &backup->states_all, error);
}

static bool both_finish(struct node_backup *backup, struct error *error)
{
    struct sealer sealer = keeper_sealer(backup->node->keeper);
    struct backup_header header = { .time_s = node_now_s() };
    if (backup->left > 0 &&
        !store_copy_step(backup->store_copy, 0, &backup->left, &backup->all, error))
        return false;
    store_copy_free(TAKE(backup->store_copy));
    store_copy_free(TAKE(backup->states_copy));
    snprintf(header.node, sizeof(header.node), "%s", backup->node->info.node);
    snprintf(header.platform, sizeof(header.platform), "%s", backup->node->info.platform);
    snprintf(header.software, sizeof(header.software), "%s", S3N_VERSION);
    backup->has_writer = true;
    return parts_open(backup, error) &&
           backup_begin(&backup->writer, backup->file, &sealer, &header, error);
}

static void states_copied(void *context, const struct error *failure)
{
    struct node_backup *backup = context;
    struct error error;
    backup->has_task = false;
    if (backup->peer == NULL)
        end(backup);
    else if (failure != NULL)
        fail(backup, failure);
    else if (backup->states_left > 0)
        return; /* the next turn goes on */
    else if (both_finish(backup, &error))
        backup->phase = PHASE_WRITE;
    else
        fail(backup, &error);
}

/* --- the file --- */

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
    bool good = true;
    if (backup->has_task)
        return;
    switch (backup->phase) {
    case PHASE_STORE:
        good =
            store_copy_step(backup->store_copy, PAGES_A_TURN, &backup->left, &backup->all, &error);
        tell(backup, backup->all - backup->left, backup->all, "copying the store");
        if (good && backup->left <= PAGES_A_TURN)
            backup->phase = PHASE_STATES;
        break;
    case PHASE_STATES:
        tell(backup, backup->states_all - backup->states_left, backup->states_all,
             "copying the state");
        backup->has_task = true;
        good = states_run(backup->node->states, states_copy_on, backup, states_copied, &error);
        backup->has_task = good;
        break;
    case PHASE_WRITE:
        tell(backup, backup->writer.size, backup->parts[0].size + backup->parts[1].size, "sealing");
        good = part_pour(backup, &error);
        if (good && backup->part == ARRAY_COUNT(backup->parts))
            backup->phase = PHASE_END;
        break;
    case PHASE_END:
        good = finish(backup, &error);
        break;
    }
    if (!good)
        fail(backup, &error);
}

bool node_backup_start(struct node *node, struct control_peer *peer, uint32_t id, int file,
                       struct error *error)
{
    AUTO_CLOSE int owned = file;
    if (node->backup != NULL || node->stopping)
        return error_set(error, ERROR_BUSY, "a backup is being made");
    struct node_backup *backup = calloc(1, sizeof(*backup));
    if (backup == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a backup");
    *backup = (struct node_backup){ .node = node, .peer = peer, .id = id, .file = -1 };
    backup->parts[0] = (struct part){ "/backup-store.db", "store/store.db", -1, 0 };
    backup->parts[1] = (struct part){ "/backup-state.db", "store/state.db", -1, 0 };
    if (!store_copy_new(&backup->store_copy, node->store, backup->parts[0].path, error)) {
        parts_drop(backup);
        free(backup);
        return false;
    }
    backup->file = owned;
    owned = -1;
    node->backup = backup;
    uv_idle_init(&node->loop, &backup->turn);
    backup->turn.data = backup;
    uv_idle_start(&backup->turn, turn);
    return true;
}

void node_backup_abandon(struct node *node, const struct control_peer *peer)
{
    struct node_backup *backup = node->backup;
    if (backup == NULL || backup->peer != peer)
        return;
    backup->peer = NULL;
    if (!backup->has_task)
        end(backup);
}
