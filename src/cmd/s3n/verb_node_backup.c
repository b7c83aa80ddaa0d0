/* SPDX-License-Identifier: Apache-2.0 */
/* `s3n node backup` and `s3n node restore`. */
#include "base/file.h"
#include "cmd/s3n/node_client.h"
#include "cmd/s3n/node_folder.h"
#include "keys/sealing.h"
#include "operations/backup.h"
#include "operations/check.h"
#include "operations/restore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct restore_options {
    struct node_options node;
    bool replace;
};

static const struct option_row restore_rows[] = {
    NODE_OPTION_ROWS(struct restore_options, node),
    { "replace", 0, OPTION_FLAG, offsetof(struct restore_options, replace), NULL,
      "put it in the place of what the node has stored, which is kept beside it", 0, 0 },
};

static const struct option_table backup_table = {
    .program = "s3n node backup",
    .usage = "FILE",
    .about =
        "Saves what the node has stored, while it runs or not, to FILE: sealed under the backup\n"
        "key of the node's root secret, which is not in it.  A node of the same root restores it.",
    .rows = node_rows,
    .row_count = NODE_ROW_COUNT,
    CLI_SHARED,
    .positional_min = 1,
    .positional_max = 1,
};
static const struct option_table restore_table = {
    .program = "s3n node restore",
    .usage = "FILE",
    .about =
        "Puts a backup into a node's data folder; stop the node first.  Everything in it is "
        "opened\n"
        "and proved before anything is put in place.  Exit code 6 when it was made under another\n"
        "root secret, cut, or changed.",
    .rows = restore_rows,
    .row_count = ARRAY_COUNT(restore_rows),
    CLI_SHARED,
    .positional_min = 1,
    .positional_max = 1,
};

/* --- backup --- */

static bool copy_offline(struct node_folder *folder, const char *name, const struct sealer *sealer,
                         struct backup_writer *writer, struct error *error)
{
    char path[PATH_MAX], copy_path[PATH_MAX];
    char copy_name[BACKUP_NAME_SIZE_MAX];
    snprintf(copy_name, sizeof(copy_name), "%s.copy", name);
    if (!node_folder_path(path, &folder->config, name, error) ||
        !node_folder_path(copy_path, &folder->config, copy_name, error))
        return false;
    if (access(path, F_OK) != 0)
        return true;
    bool done = store_copy_file(path, sealer, copy_path, error) &&
                backup_part_pour(writer, name, copy_path, error);
    unlink(copy_path);
    return done;
}

/* No node runs there. */
static bool backup_offline(const struct node_options *options, int file, struct error *error)
{
    AUTO_NODE_FOLDER struct node_folder folder = NODE_FOLDER_NONE;
    AUTO(store) struct store *store = NULL;
    AUTO_SECRET32 struct secret32 states_key = { 0 };
    struct backup_writer writer;
    struct backup_header header = { .time_s = (int64_t)time(NULL) };
    char path[PATH_MAX];
    if (!node_folder_lock_used(&folder, options, error) ||
        !node_folder_path(path, &folder.config, "store/store.db", error))
        return false;
    if (!node_folder_keeper(&folder, error) || !node_folder_way_back(&folder, error))
        return false;
    struct sealer sealer = keeper_sealer(folder.keeper);
    snprintf(header.node, sizeof(header.node), "%s", folder.info.node);
    snprintf(header.platform, sizeof(header.platform), "%s", folder.info.platform);
    snprintf(header.software, sizeof(header.software), "%s", S3N_VERSION);
    if (!store_open_sqlite(&store, path, &sealer, error))
        return false;
    bool has_states = states_key_read(store, &states_key, error);
    if (!has_states && error->code != ERROR_NOT_FOUND)
        return false;
    store_close(TAKE(store));
    struct sealer states_sealer = sealing_local(&states_key);
    bool done =
        backup_begin(&writer, file, &sealer, &header, error) &&
        copy_offline(&folder, "store/store.db", &sealer, &writer, error) &&
        (!has_states || copy_offline(&folder, "store/state.db", &states_sealer, &writer, error)) &&
        backup_end(&writer, error);
    backup_writer_done(&writer);
    return done;
}

static bool backup_write(struct cli *cli, const struct node_options *options, int file,
                         struct error *error)
{
    static struct config config;
    AUTO_NODE_CLIENT struct node_client client = { 0 };
    AUTO_JSON json_t *answer = NULL;
    if (!node_folder_find(&config, options, error))
        return false;
    if (node_client_connect(&client, &config, error))
        return node_client_ask(&client, cli, CONTROL_BACKUP, file, &answer, error);
    return error->code == ERROR_UNAVAILABLE && backup_offline(options, file, error);
}

/* A file of that name is a whole backup or the one that was there before. */
static bool backup_run(struct cli *cli, const void *options,
                       const struct option_arguments *arguments, struct error *error)
{
    const char *path = arguments->items[0];
    char partial[PATH_MAX];
    struct stat status;
    if (snprintf(partial, sizeof(partial), "%s.partial", path) >= (int)sizeof(partial))
        return error_set(error, ERROR_LIMIT, "too long a path");
    AUTO_CLOSE int file =
        open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0)
        return error_system(error, "open %s", partial);
    bool done = backup_write(cli, options, file, error) &&
                (fsync(file) == 0 || error_system(error, "write %s", partial)) &&
                (rename(partial, path) == 0 || error_system(error, "rename %s", partial));
    if (!done) {
        unlink(partial);
        return false;
    }
    (void)!fstat(file, &status);
    if (cli->json) {
        AUTO_JSON json_t *answer =
            json_pack("{s:s, s:I}", "file", path, "bytes", (json_int_t)status.st_size);
        return cli_write_json(answer, error);
    }
    cli_message(cli, "saved to %s, %lld bytes", path, (long long)status.st_size);
    return true;
}

const struct verb verb_node_backup = { .name = "backup",
                                       .summary = "save what a node has stored, sealed",
                                       .table = &backup_table,
                                       .options_size = sizeof(struct node_options),
                                       .run = backup_run };

/* --- restore --- */

static bool owner_set(const struct node_folder *folder, const char *name, struct error *error)
{
    char path[PATH_MAX];
    uid_t uid = folder->config.uid_base + NODE_USER_SERVER;
    if (geteuid() != 0)
        return true;
    return node_folder_path(path, &folder->config, name, error) &&
           (chown(path, uid, uid) == 0 || errno == ENOENT || error_system(error, "chown %s", path));
}

/* The old store is moved away, the new one takes its place; the keeper then knows of neither, and
 * takes what it finds. */
static bool in_place(const struct node_folder *folder, char kept[PATH_MAX], struct error *error)
{
    char store[PATH_MAX], made[PATH_MAX], anchor[PATH_MAX], name[64];
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(name, sizeof(name), "store.before-%lld.%03ld", (long long)now.tv_sec,
             now.tv_nsec / 1000000);
    if (!owner_set(folder, "store.restored", error) ||
        !owner_set(folder, "store.restored/store.db", error) ||
        !owner_set(folder, "store.restored/state.db", error) ||
        !node_folder_path(store, &folder->config, "store", error) ||
        !node_folder_path(made, &folder->config, "store.restored", error) ||
        !node_folder_path(anchor, &folder->config, "keeper/anchor", error) ||
        !node_folder_path(kept, &folder->config, name, error))
        return false;
    if (rename(store, kept) != 0)
        return error_system(error, "move %s away", store);
    if (unlink(anchor) != 0 && errno != ENOENT)
        error_system(error, "remove %s", anchor);
    else if (rename(made, store) != 0)
        error_system(error, "move %s in place", made);
    else
        return true;
    (void)!rename(kept, store);
    return false;
}

static bool is_empty(const struct node_folder *folder, struct error *error)
{
    char path[PATH_MAX];
    if (!node_folder_path(path, &folder->config, "store/store.db", error))
        return false;
    return access(path, F_OK) != 0 ||
           error_set(error, ERROR_EXISTS, "%s is there: --replace puts the backup in its place",
                     path);
}

static bool restored(struct cli *cli, const struct backup_header *header,
                     const struct check_counts *counts, const char *kept, struct error *error)
{
    if (cli->json) {
        AUTO_JSON json_t *answer = json_pack(
            "{s:s, s:s, s:I, s:I, s:I, s:I}", "id", header->id, "node", header->node, "time_s",
            (json_int_t)header->time_s, "applications", (json_int_t)counts->applications,
            "versions", (json_int_t)counts->versions, "states", (json_int_t)counts->states);
        return cli_write_json(answer, error);
    }
    cli_message(cli, "restored: %llu applications, %llu versions, %llu states of node %s",
                (unsigned long long)counts->applications, (unsigned long long)counts->versions,
                (unsigned long long)counts->states, header->node);
    if (kept[0] != '\0')
        cli_message(cli, "what was there before is in %s", kept);
    return true;
}

static bool restore_run(struct cli *cli, const void *given,
                        const struct option_arguments *arguments, struct error *error)
{
    const struct restore_options *options = given;
    const char *path = arguments->items[0];
    AUTO_NODE_FOLDER struct node_folder folder = NODE_FOLDER_NONE;
    char target[PATH_MAX], kept[PATH_MAX] = "";
    struct check_listener listener = node_listener(cli);
    struct check check = { .listener = &listener };
    struct backup_header header;
    AUTO_CLOSE int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return error_system(error, "open %s", path);
    if (!node_folder_lock(&folder, &options->node, error) ||
        (!options->replace && !is_empty(&folder, error)) || !node_folder_keeper(&folder, error) ||
        !node_folder_path(target, &folder.config, "store.restored", error))
        return false;
    struct sealer sealer = keeper_sealer(folder.keeper);
    bool done = restore_unpack(file, target, &sealer, &header, &check, error) &&
                in_place(&folder, kept, error);
    cli_step_done(cli);
    if (!done) {
        restore_drop(target);
        return error_within(error, "%s", path);
    }
    if (!options->replace) {
        (void)!rmdir(kept); /* it was empty */
        kept[0] = '\0';
    }
    return restored(cli, &header, &check.counts, kept, error);
}

const struct verb verb_node_restore = { .name = "restore",
                                        .summary = "put a backup into a node's data folder",
                                        .table = &restore_table,
                                        .options_size = sizeof(struct restore_options),
                                        .run = restore_run };
