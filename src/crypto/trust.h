/* SPDX-License-Identifier: Apache-2.0 */
/* Certificate authorities that a process believes when it asks strangers' servers: read from PEM
 * text once, then shared by all its TLS connections.  Nodes are known by key instead. */
#ifndef CRYPTO_TRUST_H
#define CRYPTO_TRUST_H

#include "base/buffer.h"
#include "base/error.h"

enum {
    TLS_ROOTS_SIZE_MAX = 4 << 20
};

/* Appends the file's PEM text; with `path` NULL or empty that of the distribution's authorities:
 * NOT_FOUND when the machine has none.  For a jail, which has no files. */
MUST_CHECK bool tls_roots_read(struct buffer *pem, const char *path, struct error *error);

struct tls_trust;

/* INVALID when there is no certificate in it. */
MUST_CHECK bool tls_trust_new(struct tls_trust **trust, struct bytes pem, struct error *error);
void tls_trust_free(struct tls_trust *trust);
DEFINE_AUTO(tls_trust, tls_trust_free)
/* `context` is the library's SSL_CTX, before its first connection. */
void tls_trust_apply(const struct tls_trust *trust, void *context);

#endif
