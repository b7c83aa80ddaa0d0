/* SPDX-License-Identifier: Apache-2.0 */
/* `s3n node init`: a data folder and a configuration file for a new node. */
#include "base/file.h"
#include "base/secret.h"
#include "cmd/s3n/cli.h"
#include "cmd/s3n/node_folder.h"
#include "cmd/s3nd/listeners.h"
#include "operations/configuration.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FILE_SIZE_MAX = 64 << 10
};

struct init_options {
    struct node_options node;
    const char *listen, *admin, *backend, *root;
};

static const struct option_row init_rows[] = {
    NODE_OPTION_ROWS(struct init_options, node),
    { "listen", 0, OPTION_STRING, offsetof(struct init_options, listen), "ADDR:PORT",
      "HTTPS for everyone (127.0.0.1:8443)", 0, 0 },
    { "admin", 0, OPTION_STRING, offsetof(struct init_options, admin), "ADDR:PORT",
      "health and metrics, loopback only (127.0.0.1:0)", 0, 0 },
    { "backend", 0, OPTION_STRING, offsetof(struct init_options, backend), "NAME",
      "where functions run: kvm, process, or auto", 0, 0 },
    { "root", 0, OPTION_STRING, offsetof(struct init_options, root), "FILE",
      "root secret of another node (its keeper/root, mode 0600): both can open the same backups", 0,
      0 },
};

static const struct option_table init_table = {
    .program = "s3n node init",
    .usage = "",
    .about =
        "Makes the data folder of a new node, its root secret and a configuration file that\n"
        "shows every key (docs/configuration.md), with what is given here set in it.  The file is\n"
        "--settings, or s3nd.toml in the data folder; as root without --data-dir "
        "/etc/s3n/s3nd.toml.",
    .rows = init_rows,
    .row_count = ARRAY_COUNT(init_rows),
    CLI_SHARED,
};

static bool is_there(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0;
}

/* Where the configuration is written. */
static bool settings_place(char path[PATH_MAX], const struct init_options *options,
                           const struct config *config, struct error *error)
{
    bool is_system = geteuid() == 0 && options->node.data_folder == NULL;
    int size = options->node.settings != NULL
                   ? snprintf(path, PATH_MAX, "%s", options->node.settings)
               : is_system ? snprintf(path, PATH_MAX, "/etc/s3n/s3nd.toml")
                           : snprintf(path, PATH_MAX, "%s/s3nd.toml", config->data_folder);
    return size < PATH_MAX || error_set(error, ERROR_LIMIT, "too long a path");
}

/* A configuration is read from anywhere. */
static bool make_absolute(char made[PATH_MAX], const char *path, struct error *error)
{
    char here[PATH_MAX];
    if (path[0] == '/')
        here[0] = '\0';
    else if (getcwd(here, sizeof(here)) == NULL)
        return error_system(error, "the working folder");
    return snprintf(made, PATH_MAX, "%s%s%s", here, here[0] == '\0' ? "" : "/", path) < PATH_MAX ||
           error_set(error, ERROR_LIMIT, "too long a path");
}

static void setting_write(struct buffer *text, const char *key, const char *value)
{
    if (value == NULL)
        return;
    buffer_format(text, "%s = \"", key);
    for (; *value != '\0'; value++) {
        if (*value == '"' || *value == '\\')
            buffer_append_string(text, "\\");
        buffer_append(text, bytes_of(value, 1));
    }
    buffer_append_string(text, "\"\n");
}

static bool configuration_make(const char *path, const struct init_options *options,
                               const struct config *config, struct error *error)
{
    AUTO_BUFFER struct buffer settings, text;
    buffer_init(&settings, FILE_SIZE_MAX);
    buffer_init(&text, FILE_SIZE_MAX);
    if (options->node.data_folder != NULL)
        setting_write(&settings, "data_dir", config->data_folder);
    setting_write(&settings, "listen", options->listen);
    setting_write(&settings, "admin", options->admin);
    setting_write(&settings, "tee", options->node.tee);
    setting_write(&settings, "backend", options->backend);
    buffer_append(&settings, bytes_of("", 1));
    configuration_write_file(&text, (const char *)settings.data);
    if (settings.failed || text.failed)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a configuration");
    char folder[PATH_MAX];
    snprintf(folder, sizeof(folder), "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash != NULL && slash != folder) {
        *slash = '\0';
        if (!is_there(folder) && !file_make_folder(folder, 0755, error))
            return false;
    }
    return file_replace(path, buffer_view(&text), 0644, error);
}

/* The keeper takes it as if it had made it. */
static bool root_install(const struct config *config, const char *from, struct error *error)
{
    char folder[PATH_MAX], path[PATH_MAX];
    struct secret32 root = { 0 };
    struct stat status;
    if (!node_folder_path(folder, config, "keeper", error) ||
        !node_folder_path(path, config, "keeper/root", error))
        return false;
    AUTO_CLOSE int file = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0 || fstat(file, &status) != 0)
        return error_system(error, "open %s", from);
    if ((status.st_mode & 077) != 0)
        return error_set(error, ERROR_DENIED, "%s can be read by others", from);
    if (status.st_size != (off_t)sizeof(root.bytes) ||
        read(file, root.bytes, sizeof(root.bytes)) != (ssize_t)sizeof(root.bytes))
        return error_set(error, ERROR_INVALID, "%s is not a root secret: it has %zu bytes", from,
                         sizeof(root.bytes));
    bool done = file_make_folder(config->data_folder, 0755, error) &&
                file_make_folder(folder, 0700, error) &&
                file_replace(path, BYTES_OF(root.bytes), 0600, error);
    secret_wipe(&root, sizeof(root));
    return done;
}

/* A folder that held a node is not made anew. */
static bool folder_is_new(const struct config *config, struct error *error)
{
    static const char *const names[] = { "keeper/root", "store/store.db", "store/state.db" };
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        char path[PATH_MAX];
        if (!node_folder_path(path, config, names[i], error))
            return false;
        if (is_there(path))
            return error_set(error, ERROR_EXISTS, "there is a node already: %s", path);
    }
    return true;
}

static bool told(struct cli *cli, const struct node_folder *folder, const char *settings,
                 struct error *error)
{
    AUTO_JSON json_t *answer =
        json_pack("{s:s, s:s, s:s, s:s}", "data_dir", folder->config.data_folder, "settings",
                  settings, "platform", folder->info.platform, "node", folder->info.node);
    if (answer == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the answer");
    if (cli->json)
        return cli_write_json(answer, error);
    cli_message(cli, "made %s and %s", folder->config.data_folder, settings);
    cli_message(cli, "platform %s%s, node %s", folder->info.platform,
                strcmp(folder->info.platform, "sim") == 0 ? " (SIMULATED)" : "", folder->info.node);
    cli_message(cli, "next: s3n node run --settings %s", settings);
    return true;
}

static bool addresses_check(const struct init_options *options, struct error *error)
{
    return (options->listen == NULL || listener_check(options->listen, error)) &&
           (options->admin == NULL || listener_check_loopback(options->admin, error));
}

static bool init_run(struct cli *cli, const void *given,
                     const struct option_arguments *arguments UNUSED, struct error *error)
{
    struct init_options options = *(const struct init_options *)given;
    static struct config config;
    char settings[PATH_MAX], data[PATH_MAX];
    AUTO_NODE_FOLDER struct node_folder folder = NODE_FOLDER_NONE;
    if (options.node.data_folder != NULL) {
        if (!make_absolute(data, options.node.data_folder, error))
            return false;
        options.node.data_folder = data;
    }
    /* The file is not there yet: only what is said beside it counts. */
    struct node_options said = { options.node.data_folder, "", options.node.tee };
    if (!node_config_read(&config, &said, error) || !addresses_check(&options, error) ||
        !settings_place(settings, &options, &config, error))
        return false;
    if (is_there(settings))
        return error_set(error, ERROR_EXISTS, "%s is there already", settings);
    if (!folder_is_new(&config, error))
        return false;
    if (options.root != NULL && !root_install(&config, options.root, error))
        return false;
    if (!configuration_make(settings, &options, &config, error))
        return false;
    options.node.settings = settings;
    if (!node_folder_lock(&folder, &options.node, error) || !node_folder_keeper(&folder, error)) {
        unlink(settings);
        return false;
    }
    return told(cli, &folder, settings, error);
}

const struct verb verb_node_init = { .name = "init",
                                     .summary = "make the data folder and configuration of a node",
                                     .table = &init_table,
                                     .options_size = sizeof(struct init_options),
                                     .run = init_run };
