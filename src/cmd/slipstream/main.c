/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "cmd/slipstream/slipstream.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    log_init("slipstream", LOG_LEVEL_INFO);
    if (argc >= 2 && strcmp(argv[1], "--run") == 0)
        return slipstream_run(argv + 2);
    if (argc >= 2 && strcmp(argv[1], "--worker") == 0)
        return slipstream_worker(argv + 2);
    fprintf(stderr, "usage: slipstream --run [options] -- ARGUMENTS\n"
                    "       slipstream --worker [options]\n");
    return error_exit_code(ERROR_USAGE);
}
