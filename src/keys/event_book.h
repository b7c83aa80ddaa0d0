/* SPDX-License-Identifier: Apache-2.0 */
/* The keeper's event log (attest/events/events.h has its form): every entry is written to the
 * file, extended into a register, and only then in the log, in this order, one at a time.
 *
 * The register decides what is in the log, the file is only where it is kept: at the start the
 * entries that lead to the register are taken, and one that was written and not extended any more
 * is dropped.  A register that no entry leads to ends the start: the log was cut or changed, or
 * somebody else extends that register.  A register of zeros begins a new log.
 *
 * An entry that could not be extended is not in the log, and its operation fails.  When the
 * register can't tell, nothing is appended until it can.  One thread. */
#ifndef KEYS_EVENT_BOOK_H
#define KEYS_EVENT_BOOK_H

#include "attest/events/events.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "platform/platform.h"

/* What entries are extended into. */
struct event_register {
    const char *name; /* "rtmr3", "pcr16"; "none": a chain that only the keyset shows */
    void *context;
    bool (*extend)(void *context, const struct digest48 *digest, struct error *error);
    bool (*read)(void *context, struct digest48 *value, struct error *error);
};

/* The platform's; where it has none, 48 bytes of a descriptor's content (borrowed, as is
 * *descriptor): an anonymous file that lives longer than the keeper, so that a log on a disk can't
 * be taken back while the node runs. */
struct event_register event_register_of(struct platform *platform, int *descriptor);

struct event_book {
    struct event_register target;
    const struct clock *clock;
    int file; /* of the log; -1: memory only */
    struct buffer log;
    uint64_t count;
    struct digest48 head;
    size_t pending_size; /* of an entry behind the log of which it is not known if it is in it */
};

struct event_book_options {
    struct event_register target;
    const struct clock *clock;
    int file;         /* open for reading and writing; borrowed */
    const char *boot; /* of the machine (platform_boot) */
    const char *node;
    const char *platform;
};
/* Appends `start` to a new log and `restart` to one that goes on.  CORRUPT when the register does
 * not follow from the file. */
MUST_CHECK bool event_book_open(struct event_book *book, const struct event_book_options *options,
                                struct error *error);
void event_book_done(struct event_book *book);
/* INVALID for kind or details that are not of their form, LIMIT when the log is full, others from
 * file and register. */
MUST_CHECK bool event_book_append(struct event_book *book, const char *kind, const char *details,
                                  struct error *error);
struct bytes event_book_view(const struct event_book *book);

#endif
