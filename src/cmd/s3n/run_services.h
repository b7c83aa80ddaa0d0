/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in for a node in `s3n run`: a process beside slipstream that answers the calls which
 * slipstream/local_services.h passes on, by the services that a node has or others of their shape.
 *
 *   secret_get   what the command line names: --secret NAME=@FILE, or NAME from the environment
 *   key_*, hpke_open   with --development-keys: derived as a keeper does (keys/function_key.h), but
 *     from a root that everybody knows, for application "run" of nobody.  They prove nothing.
 *   http_fetch   what an --http rule allows, through s3n-outbound as a node's functions ask
 *
 * It ends when slipstream does. */
#ifndef S3N_RUN_SERVICES_H
#define S3N_RUN_SERVICES_H

#include "base/options.h"
#include "cmd/s3n/cli.h"

struct run_services_options {
    struct option_list secrets;
    bool has_keys;
    struct option_list rules; /* as in `permissions.http` */
    const char *allowed;      /* networks besides public ones, with commas; NULL: none */
};

/* Reads the secrets and starts the process if there is something for it to do: *socket is
 * slipstream's end, or stays as it was.  A value on the command line is refused. */
MUST_CHECK bool run_services_start(struct cli *cli, const struct run_services_options *options,
                                   int *socket, struct error *error);

#endif
