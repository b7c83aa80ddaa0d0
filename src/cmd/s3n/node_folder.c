/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3n/node_folder.h"

#include "base/file.h"
#include "base/spawn.h"
#include "operations/way_back.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    KEEPER_END_MS = 5000
};

struct only {
    struct node_options node;
};
const struct option_row node_rows[] = { NODE_OPTION_ROWS(struct only, node) };
_Static_assert(ARRAY_COUNT(node_rows) == NODE_ROW_COUNT, "tables name the right number of rows");

static const char *environment_or(const char *given, const char *name)
{
    const char *value = given == NULL ? getenv(name) : given;
    return value == NULL || value[0] == '\0' ? NULL : value;
}

void node_settings_find(char path[PATH_MAX], const struct node_options *options)
{
    const char *given = environment_or(options->settings, "S3N_CONFIG");
    const char *data = environment_or(options->data_folder, "S3N_DATA_DIR");
    const char *home = getenv("HOME");
    int size;
    if (given != NULL)
        size = snprintf(path, PATH_MAX, "%s", given);
    else if (data != NULL)
        size = snprintf(path, PATH_MAX, "%s/s3nd.toml", data);
    else if (geteuid() == 0)
        size = snprintf(path, PATH_MAX, "/etc/s3n/s3nd.toml");
    else
        size = snprintf(path, PATH_MAX, "%s/.local/state/s3n/s3nd.toml", home == NULL ? "." : home);
    if (size >= PATH_MAX || (given == NULL && access(path, F_OK) != 0))
        path[0] = '\0';
}

bool node_config_read(struct config *config, const struct node_options *options,
                      struct error *error)
{
    char settings[PATH_MAX], data[PATH_MAX], tee[32];
    char data_option[] = "--data-dir", file_option[] = "--config", tee_option[] = "--tee";
    char *arguments[8] = { NULL };
    size_t count = 0;
    node_settings_find(settings, options);
    if (settings[0] != '\0') {
        arguments[count++] = file_option;
        arguments[count++] = settings;
    }
    if (options->data_folder != NULL) {
        snprintf(data, sizeof(data), "%s", options->data_folder);
        arguments[count++] = data_option;
        arguments[count++] = data;
    }
    if (options->tee != NULL) {
        snprintf(tee, sizeof(tee), "%s", options->tee);
        arguments[count++] = tee_option;
        arguments[count++] = tee;
    }
    return config_read(config, arguments, error);
}

bool node_folder_find(struct config *config, const struct node_options *options,
                      struct error *error)
{
    const char *data = environment_or(options->data_folder, "S3N_DATA_DIR");
    if (node_config_read(config, options, error))
        return true;
    if (options->settings != NULL || data == NULL || strlen(data) >= sizeof(config->data_folder))
        return false;
    *config = (struct config){ 0 };
    memcpy(config->data_folder, data, strlen(data) + 1);
    return true;
}

bool node_folder_path(char path[PATH_MAX], const struct config *config, const char *name,
                      struct error *error)
{
    return snprintf(path, PATH_MAX, "%s/%s", config->data_folder, name) < PATH_MAX ||
           error_set(error, ERROR_LIMIT, "the data folder's path is too long");
}

bool node_folder_lock(struct node_folder *folder, const struct node_options *options,
                      struct error *error)
{
    if (!node_config_read(&folder->config, options, error))
        return false;
    /* Nothing is run here, so nothing is measured. */
    memcpy(folder->config.backend, "kvm", sizeof("kvm"));
    return launcher_init(&folder->launcher, &folder->config, error) &&
           launcher_make_folders(&folder->launcher, error) &&
           launcher_lock_folder(&folder->launcher, &folder->lock, error);
}

bool node_folder_lock_used(struct node_folder *folder, const struct node_options *options,
                           struct error *error)
{
    char store[PATH_MAX];
    static struct config config;
    if (!node_config_read(&config, options, error) ||
        !node_folder_path(store, &config, "store/store.db", error))
        return false;
    if (access(store, F_OK) != 0 && errno == ENOENT)
        return error_set(error, ERROR_NOT_FOUND, "%s is not there: no node has run here", store);
    return node_folder_lock(folder, options, error);
}

bool node_folder_keeper(struct node_folder *folder, struct error *error)
{
    int pair[2];
    setenv("S3N_LOG", "warn", 0); /* what it says at every start is nobody's concern here */
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return error_system(error, "a socket for the keeper");
    bool started = launch_keeper(&folder->launcher, pair[1], &folder->keeper_pid, error);
    close(pair[1]);
    if (!started) {
        close(pair[0]);
        return false;
    }
    if (keeper_connect(&folder->keeper, pair[0], error) &&
        keeper_get_info(folder->keeper, &folder->info, error))
        return true;
    struct spawn_end end;
    struct error ignored;
    if (error->code == ERROR_UNAVAILABLE &&
        spawn_wait(&end, folder->keeper_pid, KEEPER_END_MS, &ignored)) {
        folder->keeper_pid = 0;
        error_set(error, ERROR_UNAVAILABLE, "the keeper does not start: its message is above");
    }
    return false;
}

bool node_folder_way_back(const struct node_folder *folder, struct error *error)
{
    char stores[PATH_MAX], path[PATH_MAX];
    bool made;
    struct way_back way = { .folder = stores,
                            .sealer = keeper_sealer(folder->keeper),
                            .header = { .time_s = (int64_t)time(NULL) } };
    snprintf(way.header.node, sizeof(way.header.node), "%s", folder->info.node);
    snprintf(way.header.platform, sizeof(way.header.platform), "%s", folder->info.platform);
    snprintf(way.header.software, sizeof(way.header.software), "%s", S3N_VERSION);
    return node_folder_path(stores, &folder->config, "store", error) &&
           way_back_save(&way, &made, path, error);
}

void node_progress_show(void *cli, const char *part, uint64_t done, uint64_t all)
{
    if (all == 0)
        cli_step(cli, "%s: %llu", part, (unsigned long long)done);
    else
        cli_step(cli, "%s: %llu of %llu", part, (unsigned long long)done, (unsigned long long)all);
}

static void problem_show(void *context, const char *part, const struct error *problem)
{
    cli_message(context, "%s: %s", part, problem->text);
}

struct check_listener node_listener(struct cli *cli)
{
    return (struct check_listener){ cli, node_progress_show, problem_show };
}

void node_folder_done(struct node_folder *folder)
{
    struct spawn_end end;
    struct error error;
    keeper_close(TAKE(folder->keeper));
    if (folder->keeper_pid > 0 && !spawn_wait(&end, folder->keeper_pid, KEEPER_END_MS, &error)) {
        kill(folder->keeper_pid, SIGKILL);
        (void)!spawn_wait(&end, folder->keeper_pid, -1, &error);
    }
    folder->keeper_pid = 0;
    if (folder->launcher.event_register > 0)
        file_close(&folder->launcher.event_register);
    file_close(&folder->lock);
}
