/* SPDX-License-Identifier: Apache-2.0 */
/* What was seen of each log, in the file `logs.json` of the configuration folder: so that a node
 * that shows an older log, or another one, is noticed. */
#ifndef S3N_LOGS_SEEN_H
#define S3N_LOGS_SEEN_H

#include "logs/segment.h"

/* The last segment seen of a stream at a node; not begun: none. */
MUST_CHECK bool logs_seen_read(struct log_chain *seen, const char *node,
                               const struct digest32 *stream, struct error *error);
MUST_CHECK bool logs_seen_write(const struct log_chain *seen, const char *node,
                                struct error *error);

#endif
