/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"
#include "base/log.h"
#include "base/secret.h"
#include "cmd/s3nd/config.h"
#include "cmd/s3nd/exporter.h"
#include "cmd/s3nd/fetcher.h"
#include "cmd/s3nd/key_fetcher.h"
#include "cmd/s3nd/server.h"
#include "cmd/s3nd/supervisor.h"

#include <stdio.h>

int main(int argc, char **argv)
{
    static struct config config;
    struct error error;
    static char *arguments[64]; /* as they are before options are moved about */
    for (int i = 0; i < argc && i < (int)ARRAY_COUNT(arguments) - 1; i++)
        arguments[i] = argv[i];
    file_hold_streams();
    secret_leave_no_core();
    log_init("s3nd", LOG_LEVEL_INFO);
    if (!config_read(&config, argc > 0 ? argv + 1 : argv, &error)) {
        fprintf(stderr, "s3nd: %s\n", error.text);
        return error_exit_code(error.code);
    }
    if (config.show_help) {
        config_print_help();
        return 0;
    }
    if (config.show_version) {
        puts("s3nd " S3N_VERSION);
        return 0;
    }
    switch (config.role) {
    case NODE_ROLE_SERVER:
        return server_run(&config);
    case NODE_ROLE_COLLATERAL:
        return fetcher_run(&config);
    case NODE_ROLE_TELEMETRY:
        return exporter_run(&config);
    case NODE_ROLE_KEYS:
        return key_fetcher_run(&config);
    case NODE_ROLE_SUPERVISOR:
        break;
    }
    return supervisor_run(&config, arguments);
}
