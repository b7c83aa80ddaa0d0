/* SPDX-License-Identifier: Apache-2.0 */
/* s3n-keeper: holds the root secret and asks the platform for evidence.  Opens its folder, jails
 * itself, serves one socket until the other end closes it. */
#include "base/file.h"
#include "base/log.h"
#include "base/options.h"
#include "cmd/s3n-keeper/keeper_profile.h"
#include "crypto/crypto.h"
#include "keys/hierarchy.h"
#include "keys/keeper.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

enum {
    SOCKET_DEFAULT = 3,
    UID_BASE_DEFAULT = 63000,
    UID_OFFSET = 1, /* of the keeper among S3N's processes */
};

struct options {
    const char *data_dir;
    const char *tee;
    const char *system_root;
    uint64_t timeout_ms;
    uint64_t socket;
    uint64_t uid_base;
};

static const struct option_row rows[] = {
    { .name = "data-dir",
      .kind = OPTION_STRING,
      .offset = offsetof(struct options, data_dir),
      .value = "DIR",
      .help = "the node's data folder; the keeper uses DIR/keeper" },
    { .name = "tee",
      .kind = OPTION_STRING,
      .offset = offsetof(struct options, tee),
      .value = "PLATFORM",
      .help = "platform that gives evidence: tdx, snp, nitro, sgx, sim; auto looks (auto)" },
    { .name = "system-root",
      .kind = OPTION_STRING,
      .offset = offsetof(struct options, system_root),
      .value = "DIR",
      .help = "in front of the kernel's paths, for tests of interfaces (none)" },
    { .name = "evidence-timeout-ms",
      .kind = OPTION_NUMBER,
      .offset = offsetof(struct options, timeout_ms),
      .value = "MS",
      .help = "how long the platform may take for evidence (20000)",
      .min = 1,
      .max = 600000 },
    { .name = "socket-fd",
      .kind = OPTION_NUMBER,
      .offset = offsetof(struct options, socket),
      .value = "N",
      .help = "descriptor of the connected socket to serve (3)",
      .min = 3,
      .max = 1023 },
    { .name = "uid-base",
      .kind = OPTION_NUMBER,
      .offset = offsetof(struct options, uid_base),
      .value = "N",
      .help = "as root: become user and group N + 1 (63000)",
      .min = 1,
      .max = UINT32_MAX - 2 },
};

static const struct option_table table = {
    .program = "s3n-keeper",
    .usage = "",
    .about = "Holds a node's root secret and platform; started by s3nd, not by people.",
    .rows = rows,
    .row_count = ARRAY_COUNT(rows),
};

static struct keeper_service service = { .clock = &clock_system };

/* All files are opened here; nothing below the jail names one. */
static bool service_open(const struct options *options, struct error *error)
{
    char folder[PATH_MAX], path[PATH_MAX];
    if (options->data_dir == NULL)
        return error_set(error, ERROR_USAGE, "--data-dir is needed");
    int size = snprintf(folder, sizeof(folder), "%s/keeper", options->data_dir);
    int path_size = snprintf(path, sizeof(path), "%s/keeper/root", options->data_dir);
    if (size >= (int)sizeof(folder) || path_size >= (int)sizeof(path))
        return error_set(error, ERROR_USAGE, "too long a data folder's name");
    (void)mlock(&service, sizeof(service)); /* best effort: an ordinary user has little of it */
    return file_make_folder(folder, 0700, error) &&
           root_secret_from_file(&service.root, path, error) &&
           platform_open(&service.platform, options->tee,
                         &(struct platform_options){
                             .folder = folder,
                             .system_root = options->system_root,
                             .timeout_ms = (unsigned)options->timeout_ms,
                             .user = (uid_t)(options->uid_base + UID_OFFSET),
                         },
                         error);
}

/* A platform of the kernel's has its files in one folder, which becomes the root. */
static bool service_jail(const struct options *options, struct error *error)
{
    uid_t user = (uid_t)(options->uid_base + UID_OFFSET);
    bool is_sim = strcmp(service.platform.name, "sim") == 0;
    struct jail_profile profile = is_sim ? keeper_profile : keeper_tee_profile;
    profile.folder = service.platform.folder;
    return jail_enter(&profile, user, user, error) && platform_jailed(&service.platform, error);
}

static bool run(const struct options *options, struct error *error)
{
    crypto_init();
    signal(SIGPIPE, SIG_IGN);
    if (!service_open(options, error) || !service_jail(options, error))
        return false;
    log_line(LOG_LEVEL_INFO, "keeper serves", "platform", service.platform.name, "interface",
             service.platform.interface, "node", service.platform.node, NULL);
    return keeper_serve(&service, (int)options->socket, error);
}

int main(int argc, char **argv)
{
    struct error error = { 0 };
    struct option_arguments arguments;
    struct options options = { .tee = "auto",
                               .socket = SOCKET_DEFAULT,
                               .uid_base = UID_BASE_DEFAULT };
    (void)argc;
    log_init("s3n-keeper", LOG_LEVEL_INFO);
    if (!options_parse(&table, argv + 1, &options, NULL, &arguments, &error)) {
        log_error("keeper does not start", &error);
        return error_exit_code(error.code);
    }
    if (arguments.wants_help) {
        AUTO_BUFFER struct buffer text;
        buffer_init(&text, 1 << 16);
        options_help(&text, &table);
        fwrite(text.data, 1, text.size, stdout);
        return 0;
    }
    bool ended_well = run(&options, &error);
    if (!ended_well)
        log_error("keeper ends", &error);
    platform_close(&service.platform);
    secret_wipe(&service, sizeof(service));
    return ended_well ? 0 : error_exit_code(error.code);
}
