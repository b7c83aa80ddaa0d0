/* SPDX-License-Identifier: Apache-2.0 */
/* What an application's metrics (Prometheus text) add up to. */
#ifndef CMD_S3N_STATUS_COUNTS_H
#define CMD_S3N_STATUS_COUNTS_H

#include "core/bytes.h"

struct status_counts {
    uint64_t invocations, failed; /* failed: all that did not end `done` */
    uint64_t cold_starts;
    double mean_ms, mean_wait_ms; /* 0: nothing ran */
};
/* Lines that it does not know, or that are none, are passed over. */
void status_counts_read(struct status_counts *counts, struct bytes text);

#endif
