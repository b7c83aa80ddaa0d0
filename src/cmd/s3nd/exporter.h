/* SPDX-License-Identifier: Apache-2.0 */
/* `s3nd --role telemetry`: a process that sends what it is given to a collector, once, and ends.
 * As with collateral, the network and what is answered there stay out of the server: this one reads
 * credentials and looks addresses up, then jails itself. */
#ifndef S3ND_EXPORTER_H
#define S3ND_EXPORTER_H

#include "cmd/s3nd/config.h"
#include "core/reader.h"
#include "metrics/otlp.h"

/* From descriptor 0: two requests, u32 size and bytes each (0: none), traces and metrics.  To
 * descriptor 1: an outcome of each. */
enum export_signal {
    EXPORT_TRACES,
    EXPORT_METRICS,
    EXPORT_SIGNAL_COUNT
};
enum export_result {
    EXPORT_NONE,    /* there was nothing to send */
    EXPORT_TAKEN,   /* but for `rejected` items */
    EXPORT_LATER,   /* the same request may be taken later */
    EXPORT_REFUSED, /* the collector will never take it */
    EXPORT_RESULT_COUNT
};
struct export_outcome {
    enum export_result result;
    uint64_t rejected;
    uint64_t retry_after_s; /* 0: nothing was said */
    char message[160];      /* for people; empty: nothing to say */
};
enum {
    EXPORT_ANSWER_SIZE_MAX = 1024
};

void export_outcome_write(struct buffer *answer, const struct export_outcome *outcome);
/* From the exporter, so not to be believed blindly: a malformed one fails the reader. */
void export_outcome_read(struct reader *reader, struct export_outcome *outcome);

int exporter_run(const struct config *config);

#endif
