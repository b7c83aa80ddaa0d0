/* SPDX-License-Identifier: Apache-2.0 */
/* The way of `http_fetch` in `s3n run`: a process of s3n-outbound, as a node's applications have.
 */
#ifndef S3N_RUN_OUTBOUND_H
#define S3N_RUN_OUTBOUND_H

#include "services/http.h"

struct run_outbound;

/* `allowed`: networks besides public ones, with commas; NULL: none.  Borrowed; stays until the
 * process ends. */
MUST_CHECK bool run_outbound_new(struct run_outbound **outbound, const char *allowed,
                                 struct error *error);
struct http_port *run_outbound_port(struct run_outbound *outbound);
/* Waits a little for what is under way, and goes on with it.  False: `owner` has hung up. */
MUST_CHECK bool run_outbound_wait(struct run_outbound *outbound, int owner);

#endif
