/* SPDX-License-Identifier: Apache-2.0 */
/* The folders that `s3n run --dir` gives a program. */
#ifndef S3N_RUN_FILES_H
#define S3N_RUN_FILES_H

#include "base/options.h"
#include "cmd/s3n/cli.h"

/* Copies each HOST::GUEST (or HOST, for both) into an archive, as a sealed anonymous file; -1 when
 * there are none.  Says what it leaves out. */
MUST_CHECK bool run_files(struct cli *cli, const struct option_list *folders, int *descriptor,
                          struct error *error);

#endif
