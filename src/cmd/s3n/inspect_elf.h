/* SPDX-License-Identifier: Apache-2.0 */
/* `s3n inspect` of a native function's ELF. */
#ifndef CMD_S3N_INSPECT_ELF_H
#define CMD_S3N_INSPECT_ELF_H

#include "cmd/s3n/cli.h"

/* Segments, entry, needs, and whether it can run; cli->exit_code says the last too. */
MUST_CHECK bool inspect_elf(struct cli *cli, struct bytes source, struct error *error);

#endif
