/* SPDX-License-Identifier: Apache-2.0 */
/* Values that must not stand in a log: what an invocation got as a secret.
 *
 * redact() replaces by three stars each place where a value stands: as it is, each of its lines
 * (a log has prefixes between lines), in hexadecimal of either case, and in Base64 of either
 * alphabet wherever in the encoded text it begins; at the text's end also what has been cut off.
 * It is a safety net for honest functions: one that wants to hide what it prints can.
 *
 * Owns copies of the values in locked memory, wiped.  Counted references, from any thread; adding
 * is done before the second thread knows of it. */
#ifndef LOGS_REDACT_H
#define LOGS_REDACT_H

#include "base/buffer.h"
#include "base/error.h"
#include "logs/limits.h"

struct redactions;

/* Makes *redactions when it is NULL.  Values below REDACT_VALUE_SIZE_MIN are left alone.  With more
 * or larger ones than the limits nothing can be looked for: then the whole text goes.  NO_MEMORY:
 * whoever wanted the value shouldn't get it. */
MUST_CHECK bool redactions_add(struct redactions **redactions, struct bytes value,
                               struct error *error);
struct redactions *redactions_hold(struct redactions *redactions);
void redactions_release(struct redactions *redactions);
DEFINE_AUTO(redactions, redactions_release)

/* Never longer than before.  Where all of the text goes, three stars stand for it.  NULL: nothing
 * to do. */
void redact(struct buffer *text, const struct redactions *redactions);

#endif
