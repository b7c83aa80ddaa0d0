/* SPDX-License-Identifier: Apache-2.0 */
/* What the roles that ask somebody outside once and end have in common (exporter.h, fetcher.h,
 * key_fetcher.h): authorities read while there are files, then a jail with the network. */
#ifndef S3ND_ERRAND_H
#define S3ND_ERRAND_H

#include "base/jail.h"
#include "cmd/s3nd/config.h"

struct errand {
    const char *name; /* of the jail, in messages */
    const struct jail_call *calls;
    size_t call_count;
    unsigned user;      /* NODE_USER_* */
    const char *folder; /* all the files that there are; NULL: none */
};
MUST_CHECK bool errand_close_off(const struct errand *errand, const struct config *config,
                                 struct error *error);
/* The file's, or the distribution's: without any, plain HTTP works. */
MUST_CHECK bool errand_roots_read(struct buffer *roots, const char *path, struct error *error);

#endif
