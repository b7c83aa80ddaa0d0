/* SPDX-License-Identifier: Apache-2.0 */
/* One request of a reactor whose body is this process's standard input, and whose answer's body
 * goes to standard output. */
#ifndef CMD_SLIPSTREAM_RUN_REACTOR_H
#define CMD_SLIPSTREAM_RUN_REACTOR_H

#include "base/buffer.h"
#include "slipstream/engine.h"

enum {
    RUN_REACTOR_BODY_MAX = 8 << 20,
    RUN_REACTOR_MAILBOX_SIZE = 32 << 20
};

/* Standard input to its end; before the program is started, since afterwards a jailed process has
 * no calls for it.  LIMIT when it is too large. */
MUST_CHECK bool run_reactor_read(struct buffer *body, struct error *error);
/* Fills the mailbox: CGI variables and body become the envelope. */
MUST_CHECK bool run_reactor_prepare(struct mailbox *mailbox, const char *const *environment,
                                    struct bytes body, struct error *error);
/* Writes what was answered, with the head before it when `includes_head`.  TRAPPED when it is
 * malformed. */
MUST_CHECK bool run_reactor_answer(const struct mailbox *mailbox, bool includes_head,
                                   struct error *error);

#endif
