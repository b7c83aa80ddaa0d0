/* SPDX-License-Identifier: Apache-2.0 */
/* The request that `s3n run` makes up: options become the CGI variables that a node would set. */
#ifndef CMD_S3N_RUN_REQUEST_H
#define CMD_S3N_RUN_REQUEST_H

#include "base/options.h"

struct run_request {
    const char *method; /* NULL: not said */
    const char *path;   /* with query; the same */
    struct option_list headers;
};

enum {
    RUN_REQUEST_VARIABLES_MAX = OPTION_LIST_MAX + 4
};

/* NULL-terminated NAME=value in `variables`; texts live as long as the process.  USAGE when a
 * header is not NAME:VALUE. */
MUST_CHECK bool run_request_variables(const struct run_request *request,
                                      const char *variables[RUN_REQUEST_VARIABLES_MAX],
                                      struct error *error);

#endif
