/* SPDX-License-Identifier: Apache-2.0 */
/* Services of `s3n run` that have no keeper behind them: secrets that the command line names, keys
 * from a root that everybody knows. */
#ifndef S3N_RUN_LOCAL_H
#define S3N_RUN_LOCAL_H

#include "base/options.h"
#include "services/services.h"

struct run_secret {
    char name[65];
    struct bytes value;
};
struct run_secrets {
    struct run_secret list[OPTION_LIST_MAX];
    size_t count;
};
/* Each NAME=@FILE, or NAME for the variable of the environment.  Values stay until the process
 * ends. */
MUST_CHECK bool run_secrets_read(struct run_secrets *secrets, const struct option_list *given,
                                 struct error *error);

extern const struct service run_secret; /* context: struct run_secrets */
extern const struct service run_key;    /* context: const bool, whether it may use any */

#endif
